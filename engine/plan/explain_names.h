// How EXPLAIN writes the expressions of plans: columns by position are followed down to what they come from
// (PostgreSQL's get_variable() and resolve_special_varno(), src/backend/utils/adt/ruleutils.c). Private to explain.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/plan/plan.h"
#include "engine/query/deparse.h"

namespace polarsim::engine::plan {

// Which rows a column of an expression means.
struct View {
  enum class Of : std::uint8_t { node, below, conflict };
  const Plan* plan = nullptr;
  Of of = Of::node;  // what the node's targets see; its child's row; what ON CONFLICT sees
};

class PlanText {
 public:
  explicit PlanText(const PlannedStatement& statement);

  // `prefix`: columns are written with their tables' names.
  // `show_implicit`: also a conversion around it that nobody wrote.
  std::string expression(const ExpressionPtr& expression, const View& view, bool prefix,
                         bool show_implicit = false) const;
  // All together, with AND between them.
  std::string conjunction(const std::vector<ExpressionPtr>& conditions, const View& view, bool prefix) const;
  // A column of the row that the node gives, as the node itself would write it.
  std::string output(const Plan& plan, int column, bool prefix) const;
  // A column of the child's row, as the node would write it.
  std::string below(const Plan& plan, int column, bool prefix) const;
  // Whether PostgreSQL would not have made the node: it gives the rows of its only child as they are.
  bool is_passed_over(const Plan& plan) const;
  // How many columns the node gives.
  std::size_t width(const Plan& plan) const;

  // The name of a scan: its alias, but "*VALUES*" of lists of values.
  std::string scan_name(const Plan& plan) const;
  // Of a common table, or of the one a working table belongs to.
  std::string common_table_name(const Plan& plan) const;

 private:
  struct Found {
    std::string text;
    bool plain = true;  // a column; else brackets are put around it where it is used above
  };
  struct Source {
    ExpressionPtr value;
    View view;
  };
  Found seen(const Plan& plan, const query::Column& column, bool prefix) const;
  Found given(const Plan& plan, int column, bool prefix) const;
  Found scanned(const Plan& plan, int column, bool prefix) const;
  Found grouped(const Plan& plan, const Aggregate& node, int column, bool prefix) const;
  Found changed(const Plan& plan, const ModifyTable& node, int column, bool prefix) const;
  std::string reference(const View& view, const query::Column& column, bool prefix) const;
  std::string aggregate(const Plan& plan, const AggregateCall& call, bool prefix) const;
  std::string window_call(const Plan& plan, const WindowCall& call, bool prefix) const;
  std::string parameter(const query::Parameter& parameter) const;
  void collect(const Plan& plan);

  const PlannedStatement& statement_;
  std::map<int, Source> parameters_;        // what a parameter of the plan gets its value from
  std::map<int, const Plan*> value_lists_;  // by Plan::entry
};

// An expression of a node, and what its columns mean.
struct PlacedExpression {
  ExpressionPtr expression;
  View view;
};
// Those of the node itself, not of its children: targets first.
std::vector<PlacedExpression> expressions_of(const Plan& plan);

}  // namespace polarsim::engine::plan
