#include "engine/executor/dependencies.h"

#include <algorithm>
#include <iterator>

#include "engine/query/expression_walk.h"

namespace polarsim::engine::executor {

namespace {

using plan::Plan;
using query::Expression;
using query::ExpressionPtr;

void add(Dependencies& to, const Dependencies& more) {
  Dependencies together;
  std::set_union(to.begin(), to.end(), more.begin(), more.end(), std::back_inserter(together));
  to = std::move(together);
}

void take_away(Dependencies& from, int dependency) {
  from.erase(std::remove(from.begin(), from.end(), dependency), from.end());
}

class Collector {
 public:
  explicit Collector(const plan::PlannedStatement& statement) : statement_(statement) {}

  Dependencies of_node(const Plan& plan) {
    found_.clear();
    for (const plan::PlanTarget& target : plan.targets) visit(target.expression);
    visit_all(plan.conditions);
    visit_all(plan.one_time_conditions);
    std::visit([this](const auto& node) { visit_node(node); }, plan.node);
    return std::move(found_);
  }

  Dependencies of_tree(const Plan& plan) {
    Dependencies all = of_node(plan);
    for (const plan::PlanPtr& child : plan.children) add(all, of_tree(*child));
    if (const auto* loop = plan.as<plan::NestedLoop>()) {
      for (const query::Subplan::Argument& parameter : loop->parameters) take_away(all, parameter.parameter);
    } else if (const auto* recursion = plan.as<plan::RecursiveUnion>()) {
      take_away(all, statement_.plan_parameters + recursion->work_table);
    }
    return all;
  }

 private:
  void visit_all(const std::vector<ExpressionPtr>& expressions) {
    for (const ExpressionPtr& expression : expressions) visit(expression);
  }

  void visit(const ExpressionPtr& expression) {
    if (expression == nullptr) return;
    if (const auto* parameter = expression->as<query::Parameter>()) {
      if (parameter->of_plan) visit_parameter(parameter->index);
      return;
    }
    query::for_each_child(*expression, [this](const ExpressionPtr& child) { visit(child); });
    if (const auto* subplan = expression->as<query::Subplan>()) {
      for (const query::Subplan::Argument& argument : subplan->arguments) visit(argument.value);
      Dependencies inner = of_subplan(subplan->subplan);
      for (const query::Subplan::Argument& argument : subplan->arguments) take_away(inner, argument.parameter);
      add(found_, inner);
    }
  }

  // What an initial plan gives is a function of what it depends on itself.
  void visit_parameter(int parameter) {
    for (std::size_t i = 0; i < statement_.subplans.size(); ++i) {
      const std::vector<int>& outputs = statement_.subplans[i].outputs;
      if (std::find(outputs.begin(), outputs.end(), parameter) == outputs.end()) continue;
      add(found_, of_subplan(static_cast<int>(i)));
      return;
    }
    add(found_, {parameter});
  }

  Dependencies of_subplan(int subplan) const {
    return Collector(statement_).of_tree(*statement_.subplans[static_cast<std::size_t>(subplan)].plan);
  }

  void visit_node(const plan::IndexScan& node) {
    for (const plan::IndexScan::Bound& bound : node.bounds) visit(bound.value);
  }
  void visit_node(const plan::FunctionScan& node) {
    for (const query::FunctionSource::Item& item : node.source.functions) visit(item.call);
  }
  void visit_node(const plan::ValuesScan& node) {
    for (const std::vector<ExpressionPtr>& row : node.rows) visit_all(row);
  }
  void visit_node(const plan::CommonTableScan& node) { add(found_, of_subplan(node.subplan)); }
  void visit_node(const plan::WorkTableScan& node) { add(found_, {statement_.plan_parameters + node.work_table}); }
  void visit_node(const plan::NestedLoop& node) {
    for (const query::Subplan::Argument& parameter : node.parameters) visit(parameter.value);
    visit_all(node.condition);
  }
  void visit_node(const plan::HashJoin& node) {
    visit_all(node.left_keys);
    visit_all(node.right_keys);
    visit_all(node.condition);
  }
  void visit_node(const plan::MergeJoin& node) {
    visit_all(node.left_keys);
    visit_all(node.right_keys);
    visit_all(node.condition);
  }
  void visit_node(const plan::Aggregate& node) {
    for (const plan::AggregateCall& call : node.aggregates) {
      visit_all(call.arguments);
      for (const query::OrderKey& key : call.order_by) visit(key.expression);
      visit(call.filter);
    }
  }
  void visit_node(const plan::WindowAgg& node) {
    visit(node.window.start_offset);
    visit(node.window.end_offset);
    for (const plan::WindowCall& call : node.calls) {
      visit_all(call.arguments);
      visit(call.filter);
    }
  }
  void visit_node(const plan::Limit& node) {
    visit(node.limit);
    visit(node.offset);
  }
  void visit_node(const plan::ModifyTable& node) {
    visit_all(node.checks);
    for (const plan::ModifyTable::Generated& generated : node.generated) visit(generated.value);
    if (!node.conflict) return;
    visit_all(node.conflict->values);
    visit_all(node.conflict->conditions);
  }
  template <typename Other>
  void visit_node(const Other& /*has no expressions of its own*/) {}

  const plan::PlannedStatement& statement_;
  Dependencies found_;
};

}  // namespace

Dependencies dependencies_of(const plan::Plan& plan, const plan::PlannedStatement& statement) {
  return Collector(statement).of_node(plan);
}

Dependencies tree_dependencies(const plan::Plan& plan, const plan::PlannedStatement& statement) {
  return Collector(statement).of_tree(plan);
}

}  // namespace polarsim::engine::executor
