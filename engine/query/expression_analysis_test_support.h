// Expressions over one table, from text to type and shape, for tests of their analysis.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/query/expression_analysis.h"

namespace polarsim::engine::query {

// Over create table t (a int, b text, c numeric(10,2), d bool, e int[], v varchar(10), j jsonb, ts timestamptz, n int8,
// f float8, dt date, i interval). Subqueries are SELECT lists without FROM. The first aggregate or window call has the
// window 0.
class OneTableScope final : public ExpressionScope {
 public:
  explicit OneTableScope(bool of_subquery = false) : of_subquery_(of_subquery) {}
  ExpressionPtr column(const syntax::Expression& reference) override;
  std::vector<ExpressionPtr> star(const syntax::Expression& reference) override;
  std::vector<OutputName> row_fields(const Column& whole_row) override;
  std::string row_name(const Column&) override { return "t"; }
  bool has_schema(std::string_view name) override { return name == "pg_catalog" || name == "public"; }
  QueryPtr subquery(const syntax::Select& select, int position) override;
  ExpressionPtr parameter(const syntax::Expression& reference) override;
  void settle_parameter(int index, TypeId type, int position) override;
  ExpressionPtr aggregate(Aggregate call, Type type, int position) override;
  ExpressionPtr window_call(WindowCall call, Type type, const syntax::WindowSpecification& over, int position) override;
  ExpressionPtr grouping(const std::vector<syntax::ExpressionPtr>& arguments, int position) override;
  void set_returning_call(const FunctionEntry&, int) override {}
  void enter_aggregate_arguments() override {}
  void leave_aggregate_arguments() override {}
  const CallContext& call_context() const override { return context_; }

  std::vector<Type> parameters;

 private:
  CallContext context_;
  bool of_subquery_;
};

// The shape of an expression: operators with their operand types, functions with their arguments' types, conversions.
std::string shape_of(const ExpressionPtr& expression);
// SELECT expression: "type: shape", unknowns settled, or the error: "SQLSTATE message @position [DETAIL] [HINT]".
std::string analysed(std::string_view expression);
// The type alone, or "SQLSTATE message @position".
std::string analysed_type(std::string_view expression);

}  // namespace polarsim::engine::query
