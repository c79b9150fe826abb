#include "engine/plan/planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/plan/estimate.h"
#include "engine/plan/level_planner.h"
#include "engine/plan/prepare.h"
#include "engine/query/analysis.h"
#include "engine/query/locking.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

std::string unique_name(const StatementState& statement, const std::string& wanted) {
  const auto& names = statement.scan_names;
  auto is_taken = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (!is_taken(wanted)) return wanted;
  for (int i = 1;; ++i) {
    std::string name = fmt::format("{}_{}", wanted, i);
    if (!is_taken(name)) return name;
  }
}

class LevelPlanner {
 public:
  explicit LevelPlanner(Level& level) : level_(level) {}

  PlannedLevel run(const QueryPtr& query) {
    prepare(level_, query);
    fold_level(level_);
    move_having(level_);
    reduce_outer_joins(level_);
    level_.base_of_entry.assign(level_.query.entries.size(), -1);
    // Before those of common tables, so that it is theirs that get names with numbers.
    number_scans(*level_.tree);
    plan_common_tables(level_);
    const std::vector<query::RowMark>& locked = level_.query.row_marks;
    if (!locked.empty()) query::check_lockable(level_.query, locked.front().strength);
    replace_outer_and_subqueries(level_);
    if (!locked.empty()) refuse_nullable(*level_.tree, false);
    if (level_.query.set_operation == nullptr && level_.query.command == query::Command::select) note_limit();
    std::vector<LockRows::Mark> marks;
    std::vector<ExpressionPtr> places;
    collect_marks(*level_.tree, marks, places);
    Stage stage = level_.query.command == query::Command::select ? select(marks, places) : change(marks, places);
    PlannedLevel planned;
    stage.plan->initial_plans = level_.initial_plans;
    planned.stage = std::move(stage);
    planned.columns = output_names(*query);
    planned.outer = std::move(level_.outer_parameters);
    planned.never = is_never(*planned.stage.plan);
    return planned;
  }

 private:
  Stage select(const std::vector<LockRows::Mark>& marks, const std::vector<ExpressionPtr>& places) {
    const Query& query = level_.query;
    if (query.set_operation) return plan_output(level_, plan_set_operation(level_), {}, {});
    const bool may_be_ordered = !query.grouped && query.windows.empty() && !query.distinct &&
                                query.distinct_on.empty() && !query.order_by.empty() && !sorts_late();
    std::vector<ExpressionPtr> above = places;
    for (const auto& target : query.targets) above.push_back(target.expression);
    above.push_back(query.having);
    Stage stage = plan_joins(level_, above, may_be_ordered ? &query.order_by : nullptr);
    if (query.grouped) stage = is_one_row() ? plan_one_row() : plan_groups(level_, std::move(stage));
    if (!query.windows.empty()) stage = plan_windows(level_, std::move(stage));
    return plan_output(level_, std::move(stage), marks, places);
  }

  // A row that is NULLs has no place to be locked (make_outerjoininfo(), plan/initsplan.c).
  void refuse_nullable(const JoinNode& node, bool nullable) const {
    if (node.kind == JoinNode::Kind::leaf && nullable) {
      for (const query::RowMark& mark : level_.query.row_marks) {
        if (mark.entry != node.entry) continue;
        throw SqlError(
            sqlstate::feature_not_supported,
            fmt::format("{} cannot be applied to the nullable side of an outer join", query::lock_name(mark.strength)));
      }
    }
    const bool joins = node.kind == JoinNode::Kind::join;
    const bool left = joins && (node.type == PlanJoin::full || node.type == PlanJoin::right);
    const bool right = joins && node.type != PlanJoin::inner && node.type != PlanJoin::right;
    for (std::size_t i = 0; i < node.items.size(); ++i)
      refuse_nullable(*node.items[i], nullable || (i == 0 ? left : right));
  }

  // HAVING without groups and aggregates: one row, or none, whatever there is in FROM (is_degenerate_grouping()).
  bool is_one_row() const {
    const Query& query = level_.query;
    if (!query.group_by.empty() || query.grouping_sets.size() > 1) return false;
    const auto has_aggregates = [](const ExpressionPtr& expression) {
      return expression != nullptr &&
             query::contains(expression, [](const Expression& node) { return node.as<query::Aggregate>() != nullptr; });
    };
    return !has_aggregates(query.having) &&
           std::none_of(query.targets.begin(), query.targets.end(),
                        [&](const query::Target& target) { return has_aggregates(target.expression); });
  }
  Stage plan_one_row() const {
    Stage stage;
    stage.plan = std::make_shared<Plan>();
    stage.plan->node = Result{};
    stage.plan->cost = {0, level_.settings().cpu_tuple_cost, 1, 0};
    std::vector<ExpressionPtr> conditions;
    add_conjuncts(level_.query.having, conditions);
    for (const ExpressionPtr& condition : ordered_by_cost(level_, conditions))
      stage.plan->one_time_conditions.push_back(place(condition, {{}, {}}));
    return stage;
  }

  // Nodes above that look at rows keep it from being said of the whole (is_dummy_rel(), joinrels.c).
  bool is_never(const Plan& plan) const {
    const Query& query = level_.query;
    return level_.never && query.command == query::Command::select && !query.grouped && query.windows.empty() &&
           !query.distinct && query.distinct_on.empty() && !query.limit && !query.offset && query.row_marks.empty() &&
           plan.as<Sort>() == nullptr;
  }

  // Keys that are computed after the joins give no order to join by.
  bool sorts_late() const {
    const Query& query = level_.query;
    return std::any_of(query.order_by.begin(), query.order_by.end(), [&](const query::SortClause& clause) {
      const ExpressionPtr& key = query.targets[static_cast<std::size_t>(clause.target)].expression;
      return returns_set(key) || query::contains_volatility(key, Volatility::volatile_function);
    });
  }

  Stage change(const std::vector<LockRows::Mark>& marks, const std::vector<ExpressionPtr>& places) {
    const Query& query = level_.query;
    std::vector<ExpressionPtr> above = places;
    const std::vector<ExpressionPtr> values = values_of_change(level_);
    above.insert(above.end(), values.begin(), values.end());
    for (const auto& target : query.returning) above.push_back(target.expression);
    Stage stage = plan_joins(level_, above, nullptr);
    return plan_change(level_, std::move(stage), marks, places);
  }

  void number_scans(const JoinNode& node) {
    level_.numbers.resize(level_.query.entries.size(), -1);
    if (node.kind == JoinNode::Kind::leaf) {
      const auto& entry = level_.query.entries[static_cast<std::size_t>(node.entry)];
      auto& names = level_.statement.scan_names;
      level_.numbers[static_cast<std::size_t>(node.entry)] = static_cast<int>(names.size());
      names.push_back(unique_name(level_.statement, entry.alias));
      if (const auto* table = std::get_if<query::TableSource>(&entry.source)) {
        level_.statement.relations.emplace_back(table->relation, table->lock);
      }
    }
    for (const auto& item : node.items) number_scans(*item);
  }

  // Where rows are locked or changed, those of all relations have to be found again: tables' by their places, others'
  // as they were.
  void collect_marks(const JoinNode& node, std::vector<LockRows::Mark>& marks, std::vector<ExpressionPtr>& places) {
    const Query& query = level_.query;
    const bool changes = query.command == query::Command::update || query.command == query::Command::remove;
    if (!changes && (query.row_marks.empty() || query.command != query::Command::select)) return;
    if (node.kind == JoinNode::Kind::leaf && !(changes && node.entry == query.result_entry)) {
      const auto& entry = query.entries[static_cast<std::size_t>(node.entry)];
      LockRows::Mark mark;
      mark.mark.entry = node.entry;
      mark.entry = level_.numbers[static_cast<std::size_t>(node.entry)];
      for (const auto& wanted : query.row_marks) {
        if (wanted.entry == node.entry) mark.mark = wanted;
      }
      if (const auto* table = std::get_if<query::TableSource>(&entry.source)) {
        mark.relation = table->relation;
        places.push_back(make_expression(Column{node.entry, query::system_column_ctid, 0}, TypeId::text));
      } else {
        places.push_back(make_expression(Column{node.entry, Column::whole_row, 0}, TypeId::record));
      }
      marks.push_back(std::move(mark));
    }
    // The right side of a semi or anti join gives no row.
    const bool one_sided =
        node.kind == JoinNode::Kind::join && (node.type == PlanJoin::semi || node.type == PlanJoin::anti);
    for (std::size_t i = 0; i < node.items.size() && !(one_sided && i == 1); ++i) {
      collect_marks(*node.items[i], marks, places);
    }
  }

  void note_limit() {
    const Query& query = level_.query;
    if (!query.limit || query.with_ties) return;
    auto count = [&](const ExpressionPtr& expression, double otherwise) {
      if (!expression) return 0.0;
      const auto* constant = expression->as<query::Constant>();
      if (!constant) return otherwise;
      return constant->value.is_null() ? -1.0 : static_cast<double>(constant->value.as_integer());
    };
    const double limit = count(query.limit, -2);
    const double offset = count(query.offset, -2);
    if (limit == -1) return;
    if (limit < 0 || offset < 0) {
      level_.tuple_fraction = 0.1;
      return;
    }
    level_.limit_tuples = limit + offset;
    level_.tuple_fraction = std::max(1.0, limit + offset);
    if (query.grouped || !query.windows.empty() || query.distinct || !query.distinct_on.empty() ||
        query.has_set_functions) {
      level_.tuple_fraction = 0;
      level_.limit_tuples = -1;
    }
  }

  Level& level_;
};

}  // namespace

PlannedLevel plan_level(StatementState& statement, Level* around, const QueryPtr& query) {
  check_stack_depth();
  Level level(statement, around);
  return LevelPlanner(level).run(query);
}

PlannedStatementPtr plan_query(const query::QueryPtr& query, const PlannerInputs& inputs) {
  StatementState statement(inputs);
  PlannedLevel planned = plan_level(statement, nullptr, query);
  if (!planned.outer.empty()) throw SqlError(sqlstate::internal_error, "a statement uses columns of no query");
  auto result = std::make_shared<PlannedStatement>();
  result->command = query->command;
  result->plan = planned.stage.plan;
  result->subplans = std::move(statement.subplans);
  result->columns = query::output_columns(*query);
  result->plan_parameters = statement.parameters;
  result->work_tables = statement.work_tables;
  result->entries = static_cast<int>(statement.scan_names.size());
  result->qualify_columns = statement.scan_names.size() > 1 || query->entries.size() > 1;
  result->relations = std::move(statement.relations);
  if (query->result_entry >= 0) {
    const auto& entry = query->entries[static_cast<std::size_t>(query->result_entry)];
    const auto& table = std::get<query::TableSource>(entry.source);
    result->relations.emplace_back(table.relation, table.lock);
  }
  return result;
}

}  // namespace polarsim::engine::plan
