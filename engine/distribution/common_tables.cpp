// WITH: put in the place of its uses, or computed first.
#include <algorithm>

#include "engine/distribution/entries.h"
#include "engine/distribution/subplans.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::CommonTable;
using query::Query;
using query::QueryPtr;

bool refers_to(const query::RangeTableEntry& entry, int depth, std::size_t table) {
  const auto* common = std::get_if<query::CommonTableSource>(&entry.source);
  return common != nullptr && common->levels_up == depth && common->table == static_cast<int>(table);
}

int uses_of(const QueryPtr& query, std::size_t table) {
  int uses = 0;
  DeepRewrite count;
  count.entry = [&](const query::RangeTableEntry& entry, int depth) -> std::optional<query::RangeTableEntry> {
    if (refers_to(entry, depth, table)) ++uses;
    return std::nullopt;
  };
  rewrite_deep(query, count);
  return uses;
}

bool is_volatile(const Query& query) {
  bool found = false;
  for_each_query_within(query, [&](const Query& each) {
    query::for_each_expression(each, [&](const query::ExpressionPtr& expression) {
      found = found || query::contains_volatility(expression, Volatility::volatile_function);
    });
  });
  return found;
}

bool may_be_inlined(const CommonTable& table, int uses) {
  using Materialized = CommonTable::Materialized;
  if (table.recursive || table.query->command != query::Command::select) return false;
  if (table.materialized == Materialized::always || locks_rows(*table.query)) return false;
  return (uses == 1 || table.materialized == Materialized::never) && !is_volatile(*table.query);
}

// Every use of a common table becomes a subquery.
QueryPtr with_subqueries(const QueryPtr& query, std::size_t table, const QueryPtr& replacement) {
  DeepRewrite rewrite;
  rewrite.entry = [&](const query::RangeTableEntry& entry, int depth) -> std::optional<query::RangeTableEntry> {
    if (!refers_to(entry, depth, table)) return std::nullopt;
    query::RangeTableEntry made = entry;
    made.source = query::SubquerySource{moved_inwards(replacement, depth), is_correlated(*replacement)};
    made.alias_written = true;
    return made;
  };
  return rewrite_deep(query, rewrite);
}

// Without a common table that nobody uses any more.
QueryPtr without_table(const QueryPtr& query, std::size_t table) {
  DeepRewrite rewrite;
  rewrite.entry = [&](const query::RangeTableEntry& entry, int depth) -> std::optional<query::RangeTableEntry> {
    const auto* common = std::get_if<query::CommonTableSource>(&entry.source);
    if (common == nullptr || common->levels_up != depth || common->table <= static_cast<int>(table)) {
      return std::nullopt;
    }
    query::RangeTableEntry moved = entry;
    --std::get<query::CommonTableSource>(moved.source).table;
    return moved;
  };
  auto copy = std::make_shared<Query>(*rewrite_deep(query, rewrite));
  copy->common_tables.erase(copy->common_tables.begin() + static_cast<std::ptrdiff_t>(table));
  return copy;
}

// The common table's query as a statement of its own. A recursive one stays what it is:
// WITH RECURSIVE t AS (...) SELECT * FROM t.
QueryPtr as_statement(const CommonTable& table, std::size_t number) {
  if (!table.recursive) return table.query;
  auto query = std::make_shared<Query>();
  DeepRewrite rewrite;
  rewrite.entry = [&](const query::RangeTableEntry& entry, int depth) -> std::optional<query::RangeTableEntry> {
    if (!refers_to(entry, depth + 1, number)) return std::nullopt;
    query::RangeTableEntry moved = entry;
    std::get<query::CommonTableSource>(moved.source).table = 0;
    return moved;
  };
  CommonTable own = table;
  own.uses = 1;
  own.query = rewrite_deep(table.query, rewrite);
  query->common_tables.push_back(std::move(own));
  query::RangeTableEntry entry;
  entry.source = query::CommonTableSource{0, 0, false};
  entry.alias = table.name;
  entry.columns = table.columns;
  query->entries.push_back(std::move(entry));
  auto tree = std::make_shared<query::JoinTree>();
  tree->entry = 0;
  query->from.push_back(std::move(tree));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    query::Target target;
    target.expression = query::make_expression(query::Column{0, static_cast<int>(i) + 1, 0}, table.columns[i].type);
    target.name = table.columns[i].name;
    query->targets.push_back(std::move(target));
  }
  return query;
}

// Whether the table's query sees nothing but itself.
bool stands_alone(const QueryPtr& query, bool recursive, std::size_t number) {
  if (is_correlated(*query)) return false;
  bool alone = true;
  DeepRewrite look;
  look.entry = [&](const query::RangeTableEntry& entry, int depth) -> std::optional<query::RangeTableEntry> {
    const auto* common = std::get_if<query::CommonTableSource>(&entry.source);
    if (common != nullptr && common->levels_up > depth) {
      alone = alone && recursive && refers_to(entry, depth + 1, number);
    }
    return std::nullopt;
  };
  rewrite_deep(query, look);
  return alone;
}

QueryPtr inline_at(const QueryPtr& query) {
  QueryPtr current = query;
  for (std::size_t i = 0; i < current->common_tables.size();) {
    const CommonTable table = current->common_tables[i];
    // A recursive one uses itself.
    const int uses = table.recursive ? table.uses : uses_of(current, i);
    const bool unused = uses == 0 && table.query->command == query::Command::select;
    if (!unused && !may_be_inlined(table, uses)) {
      ++i;
      continue;
    }
    if (uses > 0) current = with_subqueries(current, i, table.query);
    current = without_table(current, i);
  }
  return current;
}

QueryPtr replace_at(const QueryPtr& query, SubplanList& subplans, const DistributionInputs& inputs) {
  QueryPtr current = query;
  for (std::size_t i = 0; i < current->common_tables.size();) {
    const CommonTable table = current->common_tables[i];
    if (!stands_alone(table.query, table.recursive, i)) {
      ++i;
      continue;
    }
    if (table.recursive && uses_distributed_tables(*table.query, inputs.source)) {
      bool sharded = false;
      for_each_entry(*table.query, [&](const query::RangeTableEntry& entry) {
        const auto* source = std::get_if<query::TableSource>(&entry.source);
        const auto distribution = source == nullptr ? nullptr : inputs.source.find(*source->relation);
        sharded = sharded || (distribution && !distribution->is_reference());
      });
      if (sharded) {
        throw SqlError(sqlstate::feature_not_supported,
                       "recursive CTEs are only supported when they contain a filter on the distribution column");
      }
    }
    if (table.query->command != query::Command::select && uses_of(current, i) == 0) {
      subplans.make_afterwards(table.query);
    } else {
      current = with_subqueries(current, i, subplans.make(as_statement(table, i)));
    }
    current = without_table(current, i);
  }
  return current;
}

template <typename Function>
QueryPtr at_every_level(const QueryPtr& query, Function function) {
  DeepRewrite rewrite;
  rewrite.inner = [&](const QueryPtr& inner, int) -> QueryPtr { return at_every_level(inner, function); };
  return function(rewrite_deep(query, rewrite));
}

}  // namespace

QueryPtr inline_common_tables(const QueryPtr& query) {
  return at_every_level(query, [](const QueryPtr& each) { return inline_at(each); });
}

QueryPtr replace_common_tables(const QueryPtr& query, SubplanList& subplans, const DistributionInputs& inputs) {
  return at_every_level(query, [&](const QueryPtr& each) { return replace_at(each, subplans, inputs); });
}

}  // namespace polarsim::engine::distribution
