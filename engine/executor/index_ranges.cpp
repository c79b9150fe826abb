#include "engine/executor/index_ranges.h"

#include <algorithm>

#include "engine/storage/key_encoding.h"
#include "engine/types/array.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

using storage::BTree;
constexpr char null_key = '\xFE';  // key_encoding.h: greater than all others

std::string key_of(const std::string& prefix, const Value& value, TypeId type) {
  std::string key = prefix;
  storage::append_key(key, value, type);
  return key;
}

TypeId type_of_key(const query::Relation& relation, const query::RelationIndex::Key& key) {
  if (key.column == 0)
    throw SqlError(sqlstate::feature_not_supported, "scans by the expressions of indexes are not supported");
  return relation.columns[static_cast<std::size_t>(key.column) - 1].type.id;
}

void raise(std::string& lower, std::string to) {
  if (to > lower) lower = std::move(to);
}
void lower_to(std::string& upper, std::string to) {
  if (upper.empty() || to < upper) upper = std::move(to);
}

}  // namespace

IndexRanges::IndexRanges(const plan::IndexScan& scan) {
  const std::vector<query::RelationIndex::Key>& index_keys = scan.relation->indexes.at(scan.index).keys;
  bool fixed = true;  // all keys before this one
  for (std::size_t i = 0; i < index_keys.size(); ++i) {
    Key key;
    for (const plan::IndexScan::Bound& bound : scan.bounds) {
      if (bound.key != i) continue;
      const bool first_of_key = key.bounds.empty();
      const bool usable = fixed && (first_of_key || (!fixes(key.bounds[0].comparison) && !fixes(bound.comparison)));
      if (!usable) {
        filters_.emplace_back(bound.condition);
        continue;
      }
      key.bounds.push_back({bound.comparison, bound.value == nullptr ? Evaluator() : Evaluator(bound.value)});
    }
    if (!key.bounds.empty()) key.type = type_of_key(*scan.relation, index_keys[i]);
    fixed = fixed && !key.bounds.empty() && fixes(key.bounds[0].comparison);
    if (!key.bounds.empty()) keys_.push_back(std::move(key));
  }
}

bool IndexRanges::fix(const Bound& bound, const Value& value, TypeId type, std::vector<std::string>& prefixes) {
  if (bound.comparison == Comparison::is_null) {
    for (std::string& prefix : prefixes) prefix.push_back(null_key);
    return true;
  }
  if (value.is_null()) return false;
  if (bound.comparison == Comparison::equal) {
    for (std::string& prefix : prefixes) storage::append_key(prefix, value, type);
    return true;
  }
  std::vector<std::string> extended;
  for (const Value& element : value.as_array().elements()) {
    if (element.is_null()) continue;
    for (const std::string& prefix : prefixes) extended.push_back(key_of(prefix, element, type));
  }
  std::sort(extended.begin(), extended.end());
  extended.erase(std::unique(extended.begin(), extended.end()), extended.end());
  prefixes = std::move(extended);
  return !prefixes.empty();
}

std::vector<BTree::Range> IndexRanges::compute(ExecutorState& state) {
  std::vector<std::string> prefixes{""};
  const Key* open = nullptr;  // the key that is not fixed
  std::vector<Value> values;
  for (Key& key : keys_) {
    if (fixes(key.bounds[0].comparison)) {
      if (!fix(key.bounds[0], key.bounds[0].value.value(state), key.type, prefixes)) return {};
      continue;
    }
    for (Bound& bound : key.bounds) {
      values.push_back(bound.value.value(state));
      if (values.back().is_null() && bound.comparison != Comparison::is_not_null) return {};
    }
    open = &key;
  }
  std::vector<BTree::Range> ranges;
  for (const std::string& prefix : prefixes) {
    BTree::Range range{prefix, storage::after_prefix(prefix)};
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Whatever is compared is not NULL.
      lower_to(range.upper, prefix + null_key);
      const Comparison comparison = open->bounds[i].comparison;
      if (comparison == Comparison::is_not_null) continue;
      std::string key = key_of(prefix, values[i], open->type);
      if (comparison == Comparison::greater) raise(range.lower, storage::after_prefix(key));
      if (comparison == Comparison::greater_equal) raise(range.lower, std::move(key));
      if (comparison == Comparison::less_equal) lower_to(range.upper, storage::after_prefix(key));
      if (comparison == Comparison::less) lower_to(range.upper, std::move(key));
    }
    if (range.upper.empty() || range.lower < range.upper) ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace polarsim::engine::executor
