#include "engine/distribution/locator.h"

#include <algorithm>

#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {

using query::ExpressionPtr;
using query::Query;

SqlError complex_joins_error() {
  return {sqlstate::feature_not_supported,
          "complex joins are only supported when all distributed tables are co-located and joined on their "
          "distribution columns"};
}

// --- bookkeeping ---

void Locator::report(Problem problem) {
  if (!inspect_ && !problem_) problem_ = std::move(problem);
}

void Locator::report_error(SqlError error) {
  Problem problem;
  problem.error = std::move(error);
  report(std::move(problem));
}

int Locator::new_component(TableDistributionPtr table, ShardChoicePtr choice) {
  components_.push_back({std::move(table), std::move(choice), -1});
  return static_cast<int>(components_.size()) - 1;
}

int Locator::root_of(int component) const {
  while (components_[static_cast<std::size_t>(component)].parent >= 0) {
    component = components_[static_cast<std::size_t>(component)].parent;
  }
  return component;
}

void Locator::merge_components(int into, int other) {
  const int root = root_of(into);
  const int leaf = root_of(other);
  if (root != leaf) components_[static_cast<std::size_t>(leaf)].parent = root;
}

std::vector<int> Locator::roots() const {
  std::vector<int> roots;
  for (std::size_t i = 0; i < components_.size(); ++i) {
    if (components_[i].parent < 0) roots.push_back(static_cast<int>(i));
  }
  return roots;
}

std::multimap<std::uint32_t, int> Locator::tables() const {
  std::multimap<std::uint32_t, int> tables;
  for (const auto& [relation, component] : tables_) tables.emplace(relation, root_of(component));
  return tables;
}

// --- queries ---

Location Locator::locate(const Query& query) {
  for_each_entry(query, [&](const query::RangeTableEntry& entry) {
    const auto* table = std::get_if<query::TableSource>(&entry.source);
    if (table == nullptr) return;
    const TableDistributionPtr distribution = inputs_.source.find(*table->relation);
    is_sharded_ = is_sharded_ || (distribution && !distribution->is_reference());
  });
  const Location location = locate_query(query, nullptr);
  // Beside what lies with rows further out, tables of this node may be left, which nodes do not have.
  if (location.sharded && !location.failed && has_local_tables_) replace_first_table(query, Tables::local);
  return location;
}

Location Locator::locate_query(const Query& query, const Level* outer) {
  const Level level{&query, outer, levels_++};
  Location location = query.set_operation ? locate_set_operation(query, level) : locate_basic(query, level);
  // Nobody asks for their rows, but they are part of the text.
  for (std::size_t i = 0; i < query.common_tables.size(); ++i) {
    if (common_tables_used_.contains({level.number, static_cast<int>(i)})) continue;
    if (locate_query(*query.common_tables[i].query, &level).sharded) location.failed = true;
  }
  return location;
}

Location Locator::locate_basic(const Query& query, const Level& level) {
  Location location = locate_from(level);
  locate_subqueries(level, location);
  location.correlated = is_correlated(query);
  locate_clauses(level, location);
  add_outputs(level, location);
  return location;
}

bool Locator::all_sets_have(const Query& query, const std::vector<char>& is_key_group) const {
  if (query.grouping_sets.empty()) {
    return std::find(is_key_group.begin(), is_key_group.end(), 1) != is_key_group.end();
  }
  return std::all_of(query.grouping_sets.begin(), query.grouping_sets.end(), [&](const std::vector<int>& set) {
    return std::any_of(set.begin(), set.end(),
                       [&](int group) { return is_key_group[static_cast<std::size_t>(group)] != 0; });
  });
}

namespace {

bool is_strong_key(int target, const Level& level, const Location& from) {
  const auto column = column_of(level.query->targets[static_cast<std::size_t>(target)].expression, level);
  return column && std::any_of(from.keys.begin(), from.keys.end(),
                               [&](const KeyColumn& key) { return key.strong && key.column == *column; });
}

// Behind the groups: what is not in every grouping set is NULL in the rows of the others.
bool is_null_in_some_sets(const ExpressionPtr& expression, const Query& query) {
  for (std::size_t i = 0; i < query.group_by.size(); ++i) {
    if (!query::equal(query.targets[static_cast<std::size_t>(query.group_by[i])].expression, expression)) continue;
    return std::any_of(query.grouping_sets.begin(), query.grouping_sets.end(), [&](const std::vector<int>& set) {
      return std::find(set.begin(), set.end(), static_cast<int>(i)) == set.end();
    });
  }
  return false;
}

}  // namespace

// Of rows that are sharded: whether each group is in one shard.
bool Locator::groups_by_key(const Level& level, const Location& from) const {
  const Query& query = *level.query;
  if (component(root_of(from.component)).table->method == Method::single_shard) return true;
  std::vector<char> is_key_group;
  for (const int target : query.group_by) is_key_group.push_back(static_cast<char>(is_strong_key(target, level, from)));
  return !query.group_by.empty() && all_sets_have(query, is_key_group);
}

// Which clauses keep a shard's rows together: those that only ever look at rows with one value of a key.
void Locator::locate_clauses(const Level& level, Location& from) {
  const Query& query = *level.query;
  const bool limited = query.limit || query.offset;
  from.unstable = from.unstable || limited || !query.distinct_on.empty();
  query::for_each_expression(query, [&](const ExpressionPtr& expression) {
    from.unstable = from.unstable || query::contains_volatility(expression, Volatility::volatile_function);
  });
  if (!from.sharded) return;
  const auto is_key = [&](int target) {
    return is_strong_key(target, level, from) &&
           !is_null_in_some_sets(query.targets[static_cast<std::size_t>(target)].expression, query);
  };
  // A table without distribution column lies in one place as a whole.
  const bool one_place = component(root_of(from.component)).table->method == Method::single_shard;
  from.groups_by_key = groups_by_key(level, from);
  from.windows_by_key = one_place || std::all_of(query.windows.begin(), query.windows.end(), [&](const auto& window) {
                          return std::any_of(window.partition_by.begin(), window.partition_by.end(), is_key);
                        });
  bool distinct_by_key = one_place;
  if (!query.distinct_on.empty()) {
    for (const query::SortClause& clause : query.distinct_on) distinct_by_key |= is_key(clause.target);
  } else {
    for (std::size_t i = 0; i < query.targets.size(); ++i) {
      distinct_by_key |= !query.targets[i].hidden && is_key(static_cast<int>(i));
    }
  }
  const bool distinct = query.distinct || !query.distinct_on.empty();
  from.whole = from.whole && !from.failed && (!query.grouped || from.groups_by_key) && from.windows_by_key &&
               (!distinct || distinct_by_key) && (one_place || !limited);
}

void Locator::add_outputs(const Level& level, Location& location) const {
  int number = 0;
  for (const query::Target& target : level.query->targets) {
    if (target.hidden) continue;
    ++number;
    const auto column = column_of(target.expression, level);
    if (!column) continue;
    for (const KeyColumn& key : location.keys) {
      if (key.column != *column) continue;
      location.outputs.push_back({number, key.strong && !is_null_in_some_sets(target.expression, *level.query)});
      break;
    }
  }
}

// --- set operations ---

void Locator::collect_leaves(const query::SetOperation& operation, const Level& level, std::vector<Location>& leaves) {
  if (!operation.is_leaf()) {
    collect_leaves(*operation.left, level, leaves);
    collect_leaves(*operation.right, level, leaves);
    return;
  }
  const auto& entry = level.query->entries[static_cast<std::size_t>(operation.entry)];
  const Query& query = *std::get<query::SubquerySource>(entry.source).query;
  Location leaf = locate_query(query, &level);
  // At the top of a statement each part is a plan of its own.
  const bool top = level.outer == nullptr;
  if (leaf.sharded && !leaf.correlated && (top || !leaf.whole)) report({Problem::Kind::subquery, &query});
  if (leaf.local && is_sharded_ && !leaf.sharded && !leaf.correlated) report({Problem::Kind::subquery, &query});
  leaves.push_back(std::move(leaf));
}

namespace {

bool only_unions(const query::SetOperation& operation) {
  return operation.is_leaf() || (operation.kind == query::SetOperator::union_of && only_unions(*operation.left) &&
                                 only_unions(*operation.right));
}

// Columns that are keys of all parts.
std::vector<OutputKey> common_outputs(const std::vector<Location>& leaves) {
  std::vector<OutputKey> common = leaves[0].outputs;
  for (const Location& leaf : leaves) {
    std::vector<OutputKey> kept;
    for (const OutputKey& key : common) {
      for (const OutputKey& own : leaf.outputs) {
        if (own.column == key.column) kept.push_back({key.column, key.strong && own.strong});
      }
    }
    common = std::move(kept);
  }
  return common;
}

std::vector<ColumnId> common_outer_keys(const std::vector<Location>& leaves) {
  std::vector<ColumnId> common = leaves[0].outer_keys;
  for (const Location& leaf : leaves) {
    std::erase_if(common, [&](const ColumnId& column) {
      return std::find(leaf.outer_keys.begin(), leaf.outer_keys.end(), column) == leaf.outer_keys.end();
    });
  }
  return common;
}

}  // namespace

Location Locator::locate_set_operation(const Query& query, const Level& level) {
  std::vector<Location> leaves;
  collect_leaves(*query.set_operation, level, leaves);
  Location result;
  bool all_sharded = true;
  bool all_whole = true;
  for (const Location& leaf : leaves) {
    result.sharded = result.sharded || leaf.sharded;
    result.local = result.local || leaf.local;
    result.unstable = result.unstable || leaf.unstable;
    result.correlated = result.correlated || leaf.correlated;
    result.failed = result.failed || leaf.failed;
    all_sharded = all_sharded && leaf.sharded;
    all_whole = all_whole && leaf.whole;
  }
  result.unstable = result.unstable || query.limit || query.offset;
  if (!result.sharded) return result;
  int first = -1;
  bool together = true;
  ShardChoicePtr choice = no_shards();
  for (const Location& leaf : leaves) {
    if (!leaf.sharded) continue;
    const Component& own = component(root_of(leaf.component));
    if (first < 0) first = leaf.component;
    together = together && own.table->colocation_id == component(root_of(first)).table->colocation_id;
    choice = either_choice(choice, own.choice);
  }
  result.component = first;
  result.outputs = common_outputs(leaves);
  result.outer_keys = common_outer_keys(leaves);
  const bool pushed = all_sharded && all_whole && together && only_unions(*query.set_operation) &&
                      !result.outputs.empty() && !query.limit && !query.offset;
  // Parts that are bound to one place of the query around are together in it.
  const bool bound = all_sharded && together && !result.outer_keys.empty();
  result.whole = pushed;
  if (pushed || bound) {
    for (const Location& leaf : leaves) merge_components(first, leaf.component);
    choice_at(first) = choice;
  } else {
    result.failed = true;
    result.outputs.clear();
  }
  return result;
}

}  // namespace polarsim::engine::distribution
