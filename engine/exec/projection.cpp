#include "engine/exec/projection.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace polarsim::engine::exec {

namespace {

// For DISTINCT: NULL equals NULL.
struct RowLess {
  bool operator()(const Row& a, const Row& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const Value& x, const Value& y) {
      if (x.is_null() || y.is_null()) return !x.is_null() && y.is_null();
      return compare(x, y) < 0;
    });
  }
};

}  // namespace

std::vector<ResultColumn> result_columns(const std::vector<sql::OutputColumn>& columns) {
  std::vector<ResultColumn> result;
  result.reserve(columns.size());
  for (const sql::OutputColumn& column : columns) {
    const TypeId type = column.expression.type();
    // As PostgreSQL does with a literal that nothing gave a type.
    result.push_back({column.name, type == TypeId::unknown ? TypeId::text : type});
  }
  return result;
}

Row project(const std::vector<sql::OutputColumn>& columns, const sql::EvaluationContext& context) {
  Row row;
  row.reserve(columns.size());
  for (const sql::OutputColumn& column : columns) row.push_back(sql::evaluate(column.expression, context));
  return row;
}

std::vector<std::size_t> sorted_positions(const std::vector<Row>& keys, const std::vector<sql::SortKey>& order_by) {
  std::vector<std::size_t> positions(keys.size());
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  std::sort(positions.begin(), positions.end(), [&](std::size_t a, std::size_t b) {
    for (std::size_t i = 0; i < order_by.size(); ++i) {
      const int order = sql::compare_for_sort(keys[a][i], keys[b][i], order_by[i]);
      if (order != 0) return order < 0;
    }
    return a < b;
  });
  return positions;
}

Projection::Projection(const sql::AnalyzedSelect& analyzed, const sql::EvaluationContext& base)
    : analyzed_(analyzed), base_(base), window_(sql::row_window(analyzed, base)), grouping_(analyzed) {}

void Projection::add(std::span<const Value> row) {
  sql::EvaluationContext context = base_;
  context.row = row;
  if (analyzed_.grouped) {
    grouping_.add(context);
  } else {
    emit(context);
  }
}

void Projection::emit(const sql::EvaluationContext& context) {
  Row output = project(analyzed_.columns, context);
  if (!analyzed_.order_by.empty()) {
    Row keys;
    keys.reserve(analyzed_.order_by.size());
    for (const sql::SortKey& key : analyzed_.order_by) {
      const bool by_column = key.column >= 0;
      keys.push_back(by_column ? output[static_cast<std::size_t>(key.column)] : sql::evaluate(key.expression, context));
    }
    sort_keys_.push_back(std::move(keys));
  }
  outputs_.push_back(std::move(output));
}

bool Projection::satisfied() const {
  if (analyzed_.grouped || analyzed_.distinct || !analyzed_.order_by.empty() || window_.limit < 0) return false;
  // Subtracted and not added: OFFSET and LIMIT may together exceed 64 bits.
  const auto have = static_cast<std::int64_t>(outputs_.size());
  return have - window_.offset >= window_.limit;
}

std::vector<Row> Projection::finish() {
  if (analyzed_.grouped) {
    for (const sql::Grouping::Group& group : grouping_.finish(base_)) {
      sql::EvaluationContext context = base_;
      context.row = group.row;
      context.aggregates = group.aggregates;
      emit(context);
    }
  }
  sort();
  if (analyzed_.distinct) remove_duplicates();
  const std::size_t first = std::min(outputs_.size(), static_cast<std::size_t>(window_.offset));
  std::size_t count = outputs_.size() - first;
  if (window_.limit >= 0) count = std::min(count, static_cast<std::size_t>(window_.limit));
  std::vector<Row> rows;
  rows.reserve(count);
  for (std::size_t i = first; i < first + count; ++i) rows.push_back(std::move(outputs_[i]));
  return rows;
}

void Projection::sort() {
  if (analyzed_.order_by.empty()) return;
  std::vector<Row> sorted;
  sorted.reserve(outputs_.size());
  for (const std::size_t position : sorted_positions(sort_keys_, analyzed_.order_by))
    sorted.push_back(std::move(outputs_[position]));
  outputs_ = std::move(sorted);
}

void Projection::remove_duplicates() {
  std::set<Row, RowLess> seen;
  std::erase_if(outputs_, [&](const Row& output) { return !seen.insert(output).second; });
}

}  // namespace polarsim::engine::exec
