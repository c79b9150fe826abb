#include "engine/plan/plan_test_support.h"

#include <fmt/format.h>

#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::plan {
namespace {

query::RelationIndex index_on(std::uint32_t id, std::string name, int column, bool primary) {
  query::RelationIndex index;
  index.id = id;
  index.name = std::move(name);
  index.keys.push_back({column, nullptr, false, false});
  index.unique = index.primary = index.constraint = primary;
  return index;
}

std::string node_name(const Plan& plan) {
  struct Names {
    const Plan& plan;
    std::string operator()(const SeqScan&) const { return "Seq Scan " + plan.alias; }
    std::string operator()(const IndexScan& scan) const {
      return fmt::format("Index{} Scan {}{}", scan.index_only ? " Only" : "", plan.alias,
                         scan.backward ? " Backward" : "");
    }
    std::string operator()(const SubqueryScan&) const { return "Subquery Scan " + plan.alias; }
    std::string operator()(const FunctionScan&) const { return "Function Scan " + plan.alias; }
    std::string operator()(const ValuesScan&) const { return "Values Scan"; }
    std::string operator()(const SystemViewScan&) const { return "System View Scan"; }
    std::string operator()(const CommonTableScan&) const { return "CTE Scan " + plan.alias; }
    std::string operator()(const WorkTableScan&) const { return "WorkTable Scan " + plan.alias; }
    std::string operator()(const NestedLoop& join) const { return fmt::format("Nested Loop {}", to_string(join.type)); }
    std::string operator()(const HashJoin& join) const { return fmt::format("Hash {}", to_string(join.type)); }
    std::string operator()(const MergeJoin& join) const { return fmt::format("Merge {}", to_string(join.type)); }
    std::string operator()(const Result&) const { return "Result"; }
    std::string operator()(const ProjectSet&) const { return "ProjectSet"; }
    std::string operator()(const Materialize&) const { return "Materialize"; }
    std::string operator()(const Sort&) const { return "Sort"; }
    std::string operator()(const Aggregate& node) const {
      using Strategy = Aggregate::Strategy;
      return node.strategy == Strategy::plain    ? "Aggregate"
             : node.strategy == Strategy::sorted ? "GroupAggregate"
             : node.strategy == Strategy::hashed ? "HashAggregate"
                                                 : "MixedAggregate";
    }
    std::string operator()(const WindowAgg&) const { return "WindowAgg"; }
    std::string operator()(const Unique&) const { return "Unique"; }
    std::string operator()(const LockRows&) const { return "LockRows"; }
    std::string operator()(const Limit&) const { return "Limit"; }
    std::string operator()(const Append&) const { return "Append"; }
    std::string operator()(const SetOperation&) const { return "SetOp"; }
    std::string operator()(const RecursiveUnion&) const { return "Recursive Union"; }
    std::string operator()(const ModifyTable& node) const {
      return node.command == query::Command::insert   ? "Insert"
             : node.command == query::Command::update ? "Update"
                                                      : "Delete";
    }
    std::string operator()(const Custom&) const { return "Custom"; }
  };
  return std::visit(Names{plan}, plan.node);
}

std::string shape_of(const Plan& plan) {
  std::string text = node_name(plan);
  for (std::size_t i = 0; i < plan.children.size(); ++i) {
    text += (i == 0 ? "(" : ", ") + shape_of(*plan.children[i]);
  }
  return plan.children.empty() ? text : text + ")";
}

// How wide the row is that each node gives, and whether what it names is there.
class ColumnCheck {
 public:
  std::string problem;

  std::size_t width_of(const Plan& plan) {
    std::vector<std::size_t> children;
    for (const PlanPtr& child : plan.children) children.push_back(width_of(*child));
    const std::size_t left = children.empty() ? 0 : children[0];
    const bool join = plan.as<NestedLoop>() || plan.as<HashJoin>() || plan.as<MergeJoin>();
    std::size_t first = left;
    const std::size_t second = join ? children[1] : 0;
    if (const auto* seq = plan.as<SeqScan>()) first = seq->relation->columns.size() + seq->system_columns.size();
    if (const auto* scan = plan.as<IndexScan>()) {
      first = scan->relation->columns.size() + scan->system_columns.size();
      for (const auto& bound : scan->bounds) check(bound.value, 0, 0, plan);
    }
    if (plan.as<FunctionScan>() || plan.as<ValuesScan>() || plan.as<CommonTableScan>() || plan.as<WorkTableScan>()) {
      first = plan.names.size();
    }
    if (const auto* loop = plan.as<NestedLoop>()) {
      for (const auto& parameter : loop->parameters) check(parameter.value, left, 0, plan);
      check_all(loop->condition, left, second, plan);
    }
    if (const auto* hash = plan.as<HashJoin>()) {
      check_all(hash->left_keys, left, 0, plan);
      check_all(hash->right_keys, second, 0, plan);
      check_all(hash->condition, left, second, plan);
    }
    if (const auto* merge = plan.as<MergeJoin>()) {
      check_all(merge->left_keys, left, 0, plan);
      check_all(merge->right_keys, second, 0, plan);
      check_all(merge->condition, left, second, plan);
    }
    if (const auto* aggregate = plan.as<Aggregate>()) {
      check_keys(aggregate->groups, left, plan);
      for (const auto& call : aggregate->aggregates) {
        check_all(call.arguments, left, 0, plan);
        check(call.filter, left, 0, plan);
      }
      first = aggregate->groups.size() + aggregate->aggregates.size() + aggregate->grouping.size() +
              aggregate->carried.size();
    }
    if (const auto* window = plan.as<WindowAgg>()) {
      check_keys(window->partition_by, left, plan);
      check_keys(window->order_by, left, plan);
      for (const auto& call : window->calls) check_all(call.arguments, left, 0, plan);
      first = left + window->calls.size();
    }
    if (const auto* sort = plan.as<Sort>()) check_keys(sort->keys, left, plan);
    if (const auto* unique = plan.as<Unique>()) check_keys(unique->keys, left, plan);
    if (const auto* change = plan.as<ModifyTable>()) {
      first = change->relation->columns.size() + change->system_columns.size() + left;
      if (change->tid_column > static_cast<int>(left)) problem = "the row's place";
      for (const auto& mark : change->others) {
        if (mark.tid_column < 1 || mark.tid_column > static_cast<int>(left)) problem = "another row's place";
      }
    }
    if (const auto* locks = plan.as<LockRows>()) {
      for (const auto& mark : locks->marks) {
        if (mark.tid_column < 1 || mark.tid_column > static_cast<int>(left)) problem = "a locked row's place";
      }
    }
    check_all(plan.conditions, first, second, plan);
    for (const PlanTarget& target : plan.targets) check(target.expression, first, second, plan);
    if (plan.targets.empty()) return first + second;
    return plan.targets.size();
  }

 private:
  void check_all(const std::vector<ExpressionPtr>& expressions, std::size_t first, std::size_t second,
                 const Plan& plan) {
    for (const ExpressionPtr& expression : expressions) check(expression, first, second, plan);
  }
  void check_keys(const std::vector<SortKey>& keys, std::size_t width, const Plan& plan) {
    for (const SortKey& key : keys) {
      if (key.column < 1 || key.column > static_cast<int>(width)) {
        problem = fmt::format("key {} of {} in {}", key.column, width, node_name(plan));
      }
    }
  }
  void check(const ExpressionPtr& expression, std::size_t first, std::size_t second, const Plan& plan) {
    if (!expression) return;
    query::walk(expression, [&](const query::Expression& node, int) {
      if (node.as<query::Subquery>() || node.as<query::Aggregate>() || node.as<query::WindowCall>()) {
        problem = "something that is not of plans in " + node_name(plan);
      }
      const auto* column = node.as<query::Column>();
      if (!column) return true;
      const std::size_t width = column->entry == 0 ? first : second;
      if (column->levels_up != 0 || column->entry > 1 || column->column < 1 ||
          column->column > static_cast<int>(width)) {
        problem = fmt::format("column {}.{} of {} in {}", column->entry, column->column, width, node_name(plan));
      }
      return true;
    });
  }
};

}  // namespace

PlanTables::PlanTables() {
  auto add = [&](std::uint32_t id, std::string name, std::vector<query::RelationColumn> columns, double rows) {
    auto relation = std::make_shared<query::Relation>();
    relation->id = id;
    relation->schema = "public";
    relation->name = name;
    relation->columns = std::move(columns);
    relation->rows = rows;
    relation->pages = rows / 100 + 1;
    tables_[name] = relation;
    return relation;
  };
  auto column = [](const char* name, TypeId type, bool not_null) {
    query::RelationColumn made;
    made.name = name;
    made.type = type;
    made.not_null = not_null;
    return made;
  };
  auto t =
      add(1, "t", {column("a", TypeId::int4, true), column("b", TypeId::int4, false), column("c", TypeId::text, false)},
          10000);
  t->indexes.push_back(index_on(11, "t_pkey", 1, true));
  auto u = add(2, "u",
               {column("id", TypeId::int4, true), column("t_a", TypeId::int4, false), column("v", TypeId::text, false)},
               100000);
  u->indexes.push_back(index_on(12, "u_pkey", 1, true));
  u->indexes.push_back(index_on(13, "u_t_a", 2, false));
  auto s = add(3, "s", {column("x", TypeId::int4, false), column("y", TypeId::int4, true)}, 100);
  const auto parsed = syntax::parse("SELECT y > 0");
  s->checks.push_back({"s_y_check", std::get<syntax::Select>(parsed.front()->body).items.front().expression});
}

query::RelationPtr PlanTables::open(std::string_view, std::string_view name, syntax::TableLockMode) {
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : found->second;
}

PlannedStatementPtr planned(std::string_view text) {
  PlanTables tables;
  const CallContext call;
  std::vector<Type> parameters;
  const query::AnalysisContext context{tables, call, &parameters, true};
  const auto statements = syntax::parse(text);
  const auto& body = statements.front()->body;
  query::QueryPtr query;
  if (const auto* select = std::get_if<syntax::Select>(&body)) query = query::analyse(*select, context);
  if (const auto* insert = std::get_if<syntax::Insert>(&body)) query = query::analyse(*insert, context);
  if (const auto* update = std::get_if<syntax::Update>(&body)) query = query::analyse(*update, context);
  if (const auto* removal = std::get_if<syntax::Delete>(&body)) query = query::analyse(*removal, context);
  const PlannerSettings settings;
  return plan_query(query, {call, settings});
}

std::string shape(std::string_view text) {
  const PlannedStatementPtr statement = planned(text);
  std::string result = shape_of(*statement->plan);
  for (const SubplanDefinition& subplan : statement->subplans) {
    result += " | " + subplan.name.substr(0, subplan.name.find(' ')) + ": " + shape_of(*subplan.plan);
  }
  return result;
}

std::string broken_column(const PlannedStatement& statement) {
  ColumnCheck check;
  const std::size_t width = check.width_of(*statement.plan);
  if (width < statement.columns.size()) return "the answer's columns";
  for (const SubplanDefinition& subplan : statement.subplans) check.width_of(*subplan.plan);
  return check.problem;
}

}  // namespace polarsim::engine::plan
