// GROUP BY, and the check that nothing else is used of grouped rows (PostgreSQL's transformGroupClause(),
// src/backend/parser/parse_clause.c, and parseCheckAggregates(), parse_agg.c).
#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/grouping_sets.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

using Kind = syntax::Expression::Kind;

bool is_implicit_row(const syntax::Expression& item) { return item.kind == Kind::row && !item.explicit_row; }

// Adds a group for the item; gives its position in group_by.
int add_group(const syntax::ExpressionPtr& item, QueryScope& scope) {
  const int number = find_target(item, Clause::group_by, true, scope);
  Query& query = scope.query;
  for (std::size_t i = 0; i < query.group_by.size(); ++i) {
    if (query.group_by[i] == number) return static_cast<int>(i);
  }
  Target& target = query.targets[static_cast<std::size_t>(number)];
  if (target.expression->type.id == TypeId::unknown) target.expression = settle_unknown(target.expression, scope);
  require_equality(target.expression->type.id, item->position);
  query.group_by.push_back(number);
  return static_cast<int>(query.group_by.size()) - 1;
}

void add_row_groups(const syntax::ExpressionPtr& item, std::vector<int>& groups, QueryScope& scope) {
  if (is_implicit_row(*item)) {
    for (const syntax::ExpressionPtr& field : item->arguments) add_row_groups(field, groups, scope);
    return;
  }
  const int group = add_group(item, scope);
  if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
}

GroupSet analyse_group_set(const syntax::ExpressionPtr& item, QueryScope& scope) {
  GroupSet set;
  if (item->kind != Kind::group_set) {
    add_row_groups(item, set.groups, scope);
    return set;
  }
  if (item->name == "empty") return set;
  set.kind = item->name == "rollup" ? GroupSet::Kind::rollup
             : item->name == "cube" ? GroupSet::Kind::cube
                                    : GroupSet::Kind::sets;
  if (set.kind == GroupSet::Kind::cube && item->arguments.size() > cube_elements_max) {
    throw SqlError("54011", "CUBE is limited to 12 elements").at(item->position);
  }
  for (const syntax::ExpressionPtr& argument : item->arguments) {
    set.content.push_back(analyse_group_set(argument, scope));
  }
  return set;
}

// Columns of a join as expressions over what was joined.
ExpressionPtr without_join_columns(const ExpressionPtr& expression, const Query& query) {
  return rewrite(expression, [&](const ExpressionPtr& part, int depth) -> ExpressionPtr {
    const auto* column = part->as<Column>();
    if (column == nullptr || column->levels_up != depth) return nullptr;
    const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(column->entry)];
    const auto* join = std::get_if<JoinSource>(&entry.source);
    if (join == nullptr || column->column < 0) return nullptr;
    if (column->column == Column::whole_row) {
      RowConstructor row;
      row.fields = join->columns;
      for (const OutputName& name : entry.columns) row.names.push_back(name.name);
      return without_join_columns(make_expression(std::move(row), TypeId::record, part->position), query);
    }
    ExpressionPtr source = join->columns[static_cast<std::size_t>(column->column) - 1];
    Expression placed = *without_join_columns(source, query);
    placed.position = part->position;
    ExpressionPtr result = std::make_shared<const Expression>(std::move(placed));
    if (depth == 0) return result;
    return rewrite(result, [&](const ExpressionPtr& inner, int inner_depth) -> ExpressionPtr {
      const auto* moved = inner->as<Column>();
      if (moved == nullptr || moved->levels_up != inner_depth) return nullptr;
      return make_expression(Column{moved->entry, moved->column, moved->levels_up + depth}, inner->type,
                             part->position);
    });
  });
}

class GroupingCheck {
 public:
  explicit GroupingCheck(QueryScope& scope) : scope_(scope), query_(scope.query) {
    for (const RangeTableEntry& entry : query_.entries) {
      if (std::holds_alternative<JoinSource>(entry.source)) has_joins_ = true;
    }
    groups_.reserve(query_.group_by.size());
    for (const int number : query_.group_by) {
      groups_.push_back(flat(query_.targets[static_cast<std::size_t>(number)].expression));
      if (groups_.back()->as<Column>() == nullptr) only_columns_ = false;
    }
    in_every_set_.assign(groups_.size(), true);
    for (const std::vector<int>& set : query_.grouping_sets) {
      for (std::size_t i = 0; i < groups_.size(); ++i) {
        if (std::find(set.begin(), set.end(), static_cast<int>(i)) == set.end()) in_every_set_[i] = false;
      }
    }
  }

  // GROUPING()'s arguments become positions in GROUP BY.
  void finish_groupings() {
    if (scope_.pending_groupings.empty()) return;
    for (Target& target : query_.targets) target.expression = finish_grouping(target.expression);
    if (query_.having != nullptr) query_.having = finish_grouping(query_.having);
  }

  void check(const ExpressionPtr& expression) { check_part(flat(expression), 0); }

 private:
  ExpressionPtr flat(const ExpressionPtr& expression) const {
    return has_joins_ ? without_join_columns(expression, query_) : expression;
  }

  ExpressionPtr finish_grouping(const ExpressionPtr& expression) {
    return rewrite(expression, [&](const ExpressionPtr& part, int depth) -> ExpressionPtr {
      const auto* call = part->as<GroupingCall>();
      if (call == nullptr || depth != 0 || call->groups.size() != 1 || call->groups[0] >= 0) return nullptr;
      GroupingCall finished;
      for (const ExpressionPtr& argument : scope_.pending_groupings[static_cast<std::size_t>(-call->groups[0] - 1)]) {
        const ExpressionPtr wanted = flat(argument);
        const auto group = std::find_if(groups_.begin(), groups_.end(),
                                        [&](const ExpressionPtr& candidate) { return equal(candidate, wanted); });
        if (group == groups_.end()) {
          throw SqlError(sqlstate::grouping_error,
                         "arguments to GROUPING must be grouping expressions of the associated query level")
              .at(argument->position);
        }
        finished.groups.push_back(static_cast<int>(group - groups_.begin()));
      }
      return make_expression(std::move(finished), part->type, part->position);
    });
  }

  void check_part(const ExpressionPtr& part, int depth) {
    if (const auto* aggregate = part->as<Aggregate>(); aggregate != nullptr && aggregate->levels_up >= depth) {
      if (aggregate->levels_up == depth) check_direct_arguments(*aggregate, depth);
      return;
    }
    if (part->as<GroupingCall>() != nullptr && depth == 0) return;
    if (depth == 0 && !only_columns_) {
      for (const ExpressionPtr& group : groups_) {
        if (equal(group, part)) return;
      }
    }
    if (const auto* column = part->as<Column>()) {
      if (column->levels_up == depth) check_column(*column, depth, part->position);
      return;
    }
    for_each_child(*part, [&](const ExpressionPtr& child) { check_part(child, depth); });
    if (const auto* subquery = part->as<Subquery>()) check_query(*subquery->query, depth + 1);
  }

  // Those of an ordered-set aggregate are computed once for a group.
  void check_direct_arguments(const Aggregate& aggregate, int depth) {
    if (aggregate.function->aggregate_kind == AggregateKind::normal) return;
    const Restore<bool> restore(direct_arguments_, true);
    for (const ExpressionPtr& argument : aggregate.arguments) check_part(argument, depth);
  }

  void check_query(const Query& inner, int depth) {
    for_each_expression(inner, [&](const ExpressionPtr& part) { check_part(part, depth); });
    for_each_query(inner, [&](const QueryPtr& deeper) { check_query(*deeper, depth + 1); });
  }

  void check_column(const Column& column, int depth, int position) {
    for (const ExpressionPtr& group : groups_) {
      const auto* candidate = group->as<Column>();
      if (candidate != nullptr && candidate->levels_up == 0 && candidate->entry == column.entry &&
          candidate->column == column.column) {
        return;
      }
    }
    if (depends_on_groups(column.entry)) return;
    const RangeTableEntry& entry = query_.entries[static_cast<std::size_t>(column.entry)];
    const std::string name = column.column == 0  ? "*"
                             : column.column < 0 ? std::string(system_column(column.column).name)
                                                 : entry.columns[static_cast<std::size_t>(column.column) - 1].name;
    std::string message =
        depth == 0
            ? fmt::format("column \"{}.{}\" must appear in the GROUP BY clause or be used in an aggregate function",
                          entry.alias, name)
            : fmt::format("subquery uses ungrouped column \"{}.{}\" from outer query", entry.alias, name);
    throw SqlError(
        sqlstate::grouping_error, std::move(message),
        direct_arguments_ ? "Direct arguments of an ordered-set aggregate must use only grouped columns." : "")
        .at(position);
  }

  // Whether the primary key of the entry's table is grouped by, so that one group has one row of it.
  bool depends_on_groups(int number) const {
    const auto* table = std::get_if<TableSource>(&query_.entries[static_cast<std::size_t>(number)].source);
    if (table == nullptr) return false;
    for (const RelationIndex& index : table->relation->indexes) {
      if (!index.primary) continue;
      return std::all_of(index.keys.begin(), index.keys.end(), [&](const RelationIndex::Key& key) {
        for (std::size_t i = 0; i < groups_.size(); ++i) {
          const auto* column = groups_[i]->as<Column>();
          if (in_every_set_[i] && column != nullptr && column->levels_up == 0 && column->entry == number &&
              column->column == key.column) {
            return true;
          }
        }
        return false;
      });
    }
    return false;
  }

  QueryScope& scope_;
  Query& query_;
  std::vector<ExpressionPtr> groups_;
  std::vector<bool> in_every_set_;
  bool only_columns_ = true;
  bool direct_arguments_ = false;  // inside those of an aggregate
  bool has_joins_ = false;
};

// An aggregate over a recursive query's own rows would need all of them.
void check_recursive_aggregates(QueryScope& scope) {
  for (const RangeTableEntry& entry : scope.query.entries) {
    const auto* common = std::get_if<CommonTableSource>(&entry.source);
    if (common == nullptr || !common->recursive_reference) continue;
    int position = 0;
    const auto look = [&](const ExpressionPtr& expression) {
      if (expression == nullptr) return;
      walk(expression, [&](const Expression& part, int depth) {
        const auto* aggregate = part.as<Aggregate>();
        if (position == 0 && aggregate != nullptr && aggregate->levels_up == depth) position = part.position;
        return true;
      });
    };
    for (const Target& target : scope.query.targets) look(target.expression);
    look(scope.query.having);
    throw SqlError("42P19", "aggregate functions are not allowed in a recursive query's recursive term").at(position);
  }
}

}  // namespace

void analyse_group_by(const syntax::Select& select, QueryScope& scope) {
  if (select.group_by.empty()) return;
  Query& query = scope.query;
  query.grouped = true;
  bool has_sets = false;
  std::vector<GroupSet> items;
  for (const syntax::ExpressionPtr& item : select.group_by) {
    if (item->kind == Kind::group_set) has_sets = true;
    // (a, b) among the items is a and b.
    items.push_back(analyse_group_set(item, scope));
  }
  if (!has_sets) return;
  query.grouping_sets = expand_grouping_sets(items, select.group_distinct);
  // One set of all groups is what a list of them means; GROUP BY () has no list to be written as.
  if (!query.group_by.empty() && query.grouping_sets.size() == 1 &&
      query.grouping_sets[0].size() == query.group_by.size()) {
    query.grouping_sets.clear();
  }
}

void check_grouping(const syntax::Select& /*select*/, QueryScope& scope) {
  Query& query = scope.query;
  if (scope.has_aggregates || query.having != nullptr) query.grouped = true;
  if (!query.grouped) return;
  GroupingCheck check(scope);
  check.finish_groupings();
  for (const Target& target : query.targets) check.check(target.expression);
  if (query.having != nullptr) check.check(query.having);
  if (scope.has_aggregates) check_recursive_aggregates(scope);
}

}  // namespace polarsim::engine::query
