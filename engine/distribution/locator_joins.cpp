// FROM: which entries lie together.
#include <algorithm>
#include <map>
#include <set>

#include "engine/distribution/entries.h"
#include "engine/distribution/locator.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::JoinTree;
using query::JoinTreePtr;
using query::JoinType;

void gather(const JoinTree& tree, std::vector<const JoinTree*>& parts, std::vector<ExpressionPtr>& conjuncts) {
  if (tree.is_leaf() || tree.type != JoinType::inner) {
    parts.push_back(&tree);
    return;
  }
  gather(*tree.left, parts, conjuncts);
  gather(*tree.right, parts, conjuncts);
  add_conjuncts(tree.condition, conjuncts);
}

void add_flags(const Location& from, Location& to) {
  to.correlated = to.correlated || from.correlated;
  to.unstable = to.unstable || from.unstable;
  to.local = to.local || from.local;
  to.failed = to.failed || from.failed;
  for (const ColumnId& column : from.outer_keys) to.outer_keys.push_back(column);
}

// Those that are there already do not come again.
void add_keys(const std::vector<KeyColumn>& keys, std::vector<KeyColumn>& to) {
  std::set<std::pair<ColumnId, bool>> known;
  for (const KeyColumn& key : to) known.emplace(key.column, key.strong);
  for (const KeyColumn& key : keys) {
    if (known.emplace(key.column, key.strong).second) to.push_back(key);
  }
}

void add_entries(const JoinTree& tree, std::vector<int>& entries) {
  entries.push_back(tree.entry);
  if (tree.is_leaf()) return;
  add_entries(*tree.left, entries);
  add_entries(*tree.right, entries);
}

// By inner joins.
bool joins_tables_alone(const JoinTree& tree, const query::Query& query) {
  if (tree.is_leaf()) {
    return std::holds_alternative<query::TableSource>(query.entries[static_cast<std::size_t>(tree.entry)].source);
  }
  return tree.type == JoinType::inner && joins_tables_alone(*tree.left, query) &&
         joins_tables_alone(*tree.right, query);
}

const query::RangeTableEntry& entry_at(const Level& level, int entry) {
  return level.query->entries[static_cast<std::size_t>(entry)];
}

}  // namespace

Equalities Locator::equalities_of(const std::vector<ExpressionPtr>& conjuncts, const Level& level) const {
  Equalities equalities;
  for (const ExpressionPtr& conjunct : conjuncts) {
    const auto* call = conjunct->as<query::OperatorCall>();
    if (call == nullptr || !is_hashed_equality(*call)) {
      continue;
    }
    const auto left = column_of(call->arguments[0], level);
    const auto right = column_of(call->arguments[1], level);
    if (left && right) equalities.add(*left, *right);
  }
  return equalities;
}

Location Locator::locate_from(const Level& level) {
  Inner inner;
  for (const JoinTreePtr& tree : level.query->from) gather(*tree, inner.parts, inner.conjuncts);
  add_conjuncts(level.query->where, inner.conjuncts);
  Location location = locate_inner(inner, level, {});
  // What has to be bound, and is to nothing here: its tables are brought together, so that it can be computed anywhere.
  const bool bound = std::any_of(location.outer_keys.begin(), location.outer_keys.end(),
                                 [&](const ColumnId& column) { return column.level != level.number; });
  if (location.sharded && !location.whole && !bound) {
    location.failed = true;
    for (const JoinTreePtr& tree : level.query->from) replace_sharded_leaf(*tree, level);
  }
  return location;
}

Location Locator::locate_tree(const JoinTreePtr& tree, const Level& level, const Equalities& around) {
  Inner inner;
  gather(*tree, inner.parts, inner.conjuncts);
  return locate_inner(inner, level, around);
}

Location Locator::locate_inner(const Inner& inner, const Level& level, const Equalities& around) {
  const Equalities own = equalities_of(inner.conjuncts, level);
  Equalities equalities = own;
  equalities.add(around);
  std::vector<Unit> units;
  for (const JoinTree* part : inner.parts) {
    Unit unit;
    unit.tree = part;
    unit.location = part->is_leaf() ? locate_leaf(*part, level) : locate_outer(*part, level, equalities);
    extend_keys(unit.location, own);
    restrict(unit.location, inner.conjuncts, level);
    units.push_back(std::move(unit));
  }
  return combine(units, level, equalities);
}

// What equals a key is one.
void Locator::extend_keys(Location& location, const Equalities& equalities) const {
  if (!location.sharded) return;
  std::vector<KeyColumn> keys;
  std::map<ColumnId, std::size_t> positions;
  const auto add = [&](KeyColumn key) {
    const auto [known, is_new] = positions.emplace(key.column, keys.size());
    if (is_new) return keys.push_back(key);
    keys[known->second].strong = keys[known->second].strong || key.strong;
  };
  for (const KeyColumn& key : location.keys) {
    const std::vector<ColumnId> equal = equalities.closure(key.column);
    for (const ColumnId& column : equal) add({column, key.strong || equal.size() > 1});
  }
  location.keys = std::move(keys);
}

// --- leaves ---

Location Locator::locate_leaf(const JoinTree& tree, const Level& level) {
  const query::RangeTableEntry& entry = entry_at(level, tree.entry);
  if (const auto* table = std::get_if<query::TableSource>(&entry.source)) {
    return locate_table(*table->relation, tree, level);
  }
  if (std::holds_alternative<query::SystemViewSource>(entry.source)) {
    has_local_tables_ = true;
    Location location;
    location.local = true;
    return location;
  }
  if (const auto* subquery = std::get_if<query::SubquerySource>(&entry.source)) {
    return locate_lateral(locate_query(*subquery->query, &level), tree, level);
  }
  if (const auto* common = std::get_if<query::CommonTableSource>(&entry.source)) {
    const Level* owner = level.around(common->levels_up);
    if (common->recursive_reference || owner == nullptr) return {};
    common_tables_used_.emplace(owner->number, common->table);
    // Each use by itself: what is around one says nothing of the others.
    const query::CommonTable& table = owner->query->common_tables[static_cast<std::size_t>(common->table)];
    return locate_lateral(locate_query(*table.query, owner), tree, level);
  }
  Location location;
  if (const auto* function = std::get_if<query::FunctionSource>(&entry.source)) {
    for (const auto& item : function->functions) {
      location.unstable = location.unstable || query::contains_volatility(item.call, Volatility::volatile_function);
    }
  }
  return location;
}

Location Locator::locate_table(const query::Relation& relation, const JoinTree& tree, const Level& level) {
  Location location;
  const TableDistributionPtr distribution = inputs_.source.find(relation);
  if (!distribution) {
    location.local = true;
    has_local_tables_ = true;
    return location;
  }
  if (distribution->is_reference()) {
    has_reference_tables_ = true;
    return location;
  }
  location.sharded = true;
  ShardChoicePtr choice = all_shards();
  if (distribution->method == Method::single_shard) {
    choice = only_shard();
  } else {
    location.keys.push_back({{level.number, tree.entry, distribution->column}, true});
  }
  location.component = new_component(distribution, std::move(choice));
  tables_.emplace_back(relation.id, location.component);
  return location;
}

// A subquery's keys are columns of its entry. Where one equals a column beside or around the subquery, so does the
// place of its rows.
Location Locator::locate_lateral(Location rows, const JoinTree& tree, const Level& level) {
  Location location = rows;
  location.keys.clear();
  location.outputs.clear();
  std::erase_if(location.outer_keys, [&](const ColumnId& column) { return column.level == level.number; });
  if (!rows.sharded) return location;
  // What is asked of the rows of all shards together says nothing of where they come from.
  for (const OutputKey& key : rows.outputs) {
    if (rows.whole) location.keys.push_back({{level.number, tree.entry, key.column}, key.strong});
  }
  const ColumnId place{level.number, tree.entry, ColumnId::place};
  for (const ColumnId& column : rows.outer_keys) places_.add(place, column);
  if (!rows.outer_keys.empty()) location.keys.push_back({place, false});
  if (!rows.whole && !rows.correlated) {
    location.failed = true;
    const auto* subquery = std::get_if<query::SubquerySource>(&entry_at(level, tree.entry).source);
    if (subquery != nullptr) report({Problem::Kind::subquery, subquery->query.get()});
  }
  return location;
}

// --- joins of sharded rows ---

bool Locator::connected(const Location& a, const Location& b, const Equalities& equalities) const {
  const Component& one = component(root_of(a.component));
  const Component& other = component(root_of(b.component));
  if (one.table->colocation_id != other.table->colocation_id || one.table->method != other.table->method) return false;
  if (one.table->method == Method::single_shard) return true;
  Equalities all = equalities;
  all.add(places_);
  std::set<ColumnId> partners;
  for (const KeyColumn& partner : b.keys) partners.insert(partner.column);
  std::set<ColumnId> looked_at;
  for (const KeyColumn& key : a.keys) {
    if (looked_at.contains(key.column)) continue;
    for (const ColumnId& equal : all.closure(key.column)) {
      if (partners.contains(equal)) return true;
      looked_at.insert(equal);
    }
  }
  return false;
}

Location Locator::combine(std::vector<Unit>& units, const Level& level, const Equalities& equalities) {
  const bool any_sharded =
      std::any_of(units.begin(), units.end(), [](const Unit& unit) { return unit.location.sharded; });
  Location result;
  if (any_sharded) {
    for (const Unit& unit : units) {
      if (!unit.location.sharded) separate_local_leaves(*unit.tree, unit.location, level);
    }
    result = combine_sharded(units, level, equalities);
  }
  for (const Unit& unit : units) {
    if (!unit.location.sharded) add_flags(unit.location, result);
  }
  if (!any_sharded) return result;
  for (const KeyColumn& key : result.keys) {
    if (key.column.level != level.number) result.outer_keys.push_back(key.column);
  }
  return result;
}

// Rows that a node does not have, or that could be different on each, are computed once.
void Locator::separate_local_leaves(const JoinTree& tree, const Location& location, const Level& level) {
  if (inspect_ || problem_ || !(location.local || location.unstable)) return;
  if (!tree.is_leaf()) {
    separate_local_leaves(*tree.left, location, level);
    return separate_local_leaves(*tree.right, location, level);
  }
  const Location own = locate_leaf(tree, level);
  if (!own.local && !own.unstable) return;
  const auto* subquery = std::get_if<query::SubquerySource>(&entry_at(level, tree.entry).source);
  if (subquery == nullptr) {
    report({Problem::Kind::entry, level.query, tree.entry});
  } else if (!own.correlated) {
    report({Problem::Kind::subquery, subquery->query.get()});
  } else if (own.local) {
    replace_first_table(*subquery->query, Tables::local);
  }
}

Location Locator::combine_sharded(std::vector<Unit>& units, const Level& level, const Equalities& equalities) {
  std::vector<Unit*> waiting;
  for (Unit& unit : units) {
    if (unit.location.sharded) waiting.push_back(&unit);
  }
  // Others are brought to where a table is, if there is one.
  auto anchor = std::find_if(waiting.begin(), waiting.end(), [&](const Unit* unit) {
    if (component(root_of(unit->location.component)).table->method == Method::single_shard) return false;
    return !unit->tree->is_leaf() ||
           std::holds_alternative<query::TableSource>(entry_at(level, unit->tree->entry).source);
  });
  if (anchor == waiting.end()) {
    anchor = std::find_if(waiting.begin(), waiting.end(), [](const Unit* unit) { return unit->location.whole; });
  }
  if (anchor == waiting.end()) anchor = waiting.begin();
  Location result = (*anchor)->location;
  waiting.erase(anchor);
  for (bool found = true; found;) {
    found = false;
    for (auto next = waiting.begin(); next != waiting.end(); ++next) {
      const Location& other = (*next)->location;
      if (!connected(result, other, equalities)) continue;
      const ShardChoicePtr choice = both_choices(choice_at(result.component), choice_at(other.component));
      merge_components(result.component, other.component);
      choice_at(result.component) = choice;
      add_keys(other.keys, result.keys);
      add_flags(other, result);
      result.whole = result.whole || other.whole;
      waiting.erase(next);
      found = true;
      break;
    }
  }
  for (const Unit* unit : waiting) {
    result.failed = true;
    add_flags(unit->location, result);
    not_connected(*unit, level);
  }
  return result;
}

bool Locator::replace_subquery_of(const JoinTree& tree, const Level& level) {
  if (!tree.is_leaf()) return false;
  const auto* subquery = std::get_if<query::SubquerySource>(&entry_at(level, tree.entry).source);
  if (subquery == nullptr) return false;
  if (is_correlated(*subquery->query)) return false;
  report({Problem::Kind::subquery, subquery->query.get()});
  return true;
}

// Nothing says that the unit's rows lie where those of the others do.
void Locator::not_connected(const Unit& unit, const Level& level) {
  if (inspect_ || replace_subquery_of(*unit.tree, level)) return;
  // A table of one shard can be sent as a whole.
  if (component(root_of(unit.location.component)).table->method == Method::single_shard &&
      replace_sharded_leaf(*unit.tree, level)) {
    return;
  }
  if (level.outer != nullptr) return;  // the query becomes a plan of its own, which says it
  const bool only_tables =
      std::all_of(level.query->from.begin(), level.query->from.end(),
                  [&](const JoinTreePtr& tree) { return joins_tables_alone(*tree, *level.query); });
  bool has_subquery = false;
  query::for_each_expression(*level.query, [&](const ExpressionPtr& expression) {
    has_subquery = has_subquery || query::contains(expression, [](const query::Expression& each) {
                     return each.as<query::Subquery>() != nullptr;
                   });
  });
  if (only_tables && !has_subquery) {
    Problem problem;
    problem.kind = Problem::Kind::repartition;
    problem.query = level.query;
    return report(std::move(problem));
  }
  report_error(complex_joins_error());
}

// --- outer joins ---

Location Locator::locate_outer(const JoinTree& tree, const Level& level, const Equalities& around) {
  const bool full = tree.type == JoinType::full;
  const JoinTreePtr& kept_tree = tree.type == JoinType::right ? tree.right : tree.left;
  const JoinTreePtr& optional_tree = tree.type == JoinType::right ? tree.left : tree.right;
  std::vector<ExpressionPtr> conjuncts;
  add_conjuncts(tree.condition, conjuncts);
  const Equalities on = equalities_of(conjuncts, level);
  Location kept = locate_tree(kept_tree, level, full ? Equalities() : around);
  Location optional = locate_tree(optional_tree, level, full ? Equalities() : on);
  // Rows that are everywhere may not be kept by every shard.
  if (optional.sharded && !kept.sharded) replace_sharded_leaf(*optional_tree, level);
  if (full && kept.sharded && !optional.sharded) replace_sharded_leaf(*kept_tree, level);
  if (full && !kept.whole) optional.whole = false;
  if (optional.sharded != kept.sharded) {
    separate_local_leaves(kept.sharded ? *optional_tree : *kept_tree, kept.sharded ? optional : kept, level);
    Location result = kept.sharded ? kept : optional;
    add_flags(kept.sharded ? optional : kept, result);
    if (!kept.sharded || full) {
      result.failed = true;
      result.keys.clear();
    }
    return result;
  }
  if (!kept.sharded) {
    add_flags(optional, kept);
    return kept;
  }
  Equalities equalities = on;
  // A condition around that names the optional side leaves none of the rows that found no partner.
  if (!full) equalities.add(around);
  Location result = kept;
  add_flags(optional, result);
  if (!connected(kept, optional, equalities)) {
    result.failed = true;
    outer_join_not_connected(tree, level);
    return result;
  }
  const ShardChoicePtr choice =
      full ? either_choice(choice_at(kept.component), choice_at(optional.component)) : choice_at(kept.component);
  merge_components(kept.component, optional.component);
  choice_at(kept.component) = choice;
  for (KeyColumn& key : result.keys) key.strong = key.strong && !full;
  std::vector<int> entries;
  add_entries(*optional_tree, entries);
  for (const KeyColumn& key : optional.keys) {
    const bool own = std::find(entries.begin(), entries.end(), key.column.entry) != entries.end();
    if (own && key.column.level == level.number) result.keys.push_back({key.column, false});
  }
  result.whole = kept.whole || (full && optional.whole);
  if (full) full_join_keys(tree, level, kept, optional, result);
  return result;
}

// COALESCE(left key, right key), which USING makes.
void Locator::full_join_keys(const JoinTree& tree, const Level& level, const Location& left, const Location& right,
                             Location& location) const {
  const auto& join = std::get<query::JoinSource>(entry_at(level, tree.entry).source);
  const auto is_key = [&](const ExpressionPtr& expression) {
    const auto column = column_of(expression, level);
    const auto is_it = [&](const KeyColumn& key) { return key.strong && column && key.column == *column; };
    return std::any_of(left.keys.begin(), left.keys.end(), is_it) ||
           std::any_of(right.keys.begin(), right.keys.end(), is_it);
  };
  for (std::size_t i = 0; i < join.columns.size() && i < join.using_columns.size(); ++i) {
    const auto* merged = without_relabel(join.columns[i])->as<query::Coalesce>();
    if (merged == nullptr || merged->arguments.size() != 2) continue;
    if (!is_key(merged->arguments[0]) || !is_key(merged->arguments[1])) continue;
    location.keys.push_back({{level.number, tree.entry, static_cast<int>(i) + 1}, true});
  }
}

void Locator::outer_join_not_connected(const JoinTree& tree, const Level& level) {
  if (inspect_) return;
  if (replace_subquery_of(*tree.right, level) || replace_subquery_of(*tree.left, level)) return;
  if (level.outer == nullptr) report_error(complex_joins_error());
}

// One of the tables or subqueries that make the join's rows sharded.
bool Locator::replace_sharded_leaf(const JoinTree& tree, const Level& level) {
  if (inspect_ || problem_) return true;
  if (!tree.is_leaf()) return replace_sharded_leaf(*tree.left, level) || replace_sharded_leaf(*tree.right, level);
  const query::RangeTableEntry& entry = entry_at(level, tree.entry);
  if (const auto* table = std::get_if<query::TableSource>(&entry.source)) {
    const TableDistributionPtr distribution = inputs_.source.find(*table->relation);
    if (!distribution || distribution->is_reference()) return false;
    report({Problem::Kind::entry, level.query, tree.entry});
    return true;
  }
  if (!std::holds_alternative<query::SubquerySource>(entry.source)) return false;
  if (!locate_leaf(tree, level).sharded) return false;
  if (replace_subquery_of(tree, level)) return true;
  return replace_first_table(*std::get<query::SubquerySource>(entry.source).query, Tables::sharded);
}

}  // namespace polarsim::engine::distribution
