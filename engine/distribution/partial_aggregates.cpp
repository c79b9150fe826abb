#include "engine/distribution/partial_aggregates.h"

#include <algorithm>
#include <string_view>

#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;

// Their values of parts are combined by themselves.
constexpr std::string_view self_combining[] = {"min",   "max",     "bool_and", "bool_or",
                                               "every", "bit_and", "bit_or",   "bit_xor"};
constexpr std::string_view summing[] = {"count", "sum", "avg"};

template <std::size_t n>
bool is_among(const char* name, const std::string_view (&names)[n]) {
  return std::find(std::begin(names), std::end(names), std::string_view(name)) != std::end(names);
}

const FunctionEntry* aggregate_named(const char* name, TypeId argument) {
  const FunctionEntry* entry = find_function(name, std::span<const TypeId>(&argument, 1));
  if (entry == nullptr) throw SqlError(sqlstate::internal_error, "an aggregate has no way to combine its parts");
  return entry;
}

ExpressionPtr converted(const ExpressionPtr& expression, TypeId type) {
  if (expression->type.id == type) return expression;
  const Conversion conversion = find_conversion(expression->type.id, type, CastContext::explicit_only);
  return query::make_expression(query::Convert{conversion, expression, query::CallForm::explicit_cast}, type);
}

ExpressionPtr call_aggregate(const char* name, const ExpressionPtr& argument) {
  query::Aggregate aggregate;
  aggregate.function = aggregate_named(name, argument->type.id);
  aggregate.arguments = {argument};
  return query::make_expression(std::move(aggregate), aggregate_named(name, argument->type.id)->result);
}

// The sum of what shards counted or added up, of the aggregate's own type.
ExpressionPtr total(const ExpressionPtr& parts, Type type) { return converted(call_aggregate("sum", parts), type.id); }

ExpressionPtr zero_if_null(const ExpressionPtr& expression) {
  const ExpressionPtr zero = query::make_expression(query::Constant{Value::integer(0)}, TypeId::int8);
  return query::make_expression(query::Coalesce{{expression, zero}}, TypeId::int8);
}

ExpressionPtr divide(ExpressionPtr dividend, ExpressionPtr divisor) {
  if (dividend->type.id != TypeId::numeric) divisor = converted(divisor, TypeId::float8);
  const OperatorEntry* division = find_operator("/", dividend->type.id, divisor->type.id);
  if (division == nullptr) throw SqlError(sqlstate::internal_error, "a sum cannot be divided");
  return query::make_expression(query::OperatorCall{division, {std::move(dividend), std::move(divisor)}},
                                division->result);
}

// The aggregate without what the coordinator sees to.
ExpressionPtr part_of(const query::Aggregate& aggregate, Type type) {
  query::Aggregate part = aggregate;
  part.order_by.clear();
  return query::make_expression(std::move(part), type);
}

// The same rows, another aggregate.
ExpressionPtr other_part(const query::Aggregate& aggregate, const char* name, const ExpressionPtr& argument) {
  query::Aggregate part = aggregate;
  part.order_by.clear();
  part.function =
      std::string_view(name) == "count" ? aggregate_named(name, TypeId::any) : aggregate_named(name, argument->type.id);
  part.arguments = {argument};
  return query::make_expression(std::move(part), part.function->result);
}

ExpressionPtr average(const query::Aggregate& aggregate, const ExpressionPtr& expression, const std::string& name,
                      WorkerColumns& columns) {
  ExpressionPtr argument = aggregate.arguments[0];
  // A sum of reals is a real, but their average is not one.
  if (argument->type.id == TypeId::float4) argument = converted(argument, TypeId::float8);
  const ExpressionPtr sums = columns.new_column(other_part(aggregate, "sum", argument), name);
  const ExpressionPtr counts = columns.new_column(other_part(aggregate, "count", argument), name);
  const ExpressionPtr quotient = divide(call_aggregate("sum", sums), call_aggregate("sum", counts));
  return converted(quotient, expression->type.id);
}

// Of values that are grouped by on the shards already.
ExpressionPtr of_distinct(const query::Aggregate& aggregate, const ExpressionPtr& expression, const std::string& name,
                          WorkerColumns& columns) {
  query::Aggregate own = aggregate;
  own.order_by.clear();
  for (ExpressionPtr& argument : own.arguments) {
    if (!argument->as<query::Constant>()) argument = columns.group(argument, name);
  }
  if (own.filter) own.filter = columns.group(own.filter, "");
  return query::make_expression(std::move(own), expression->type);
}

}  // namespace

bool has_two_steps(const query::Aggregate& aggregate) {
  if (aggregate.function->aggregate_kind != AggregateKind::normal || aggregate.levels_up > 0) return false;
  const bool known = is_among(aggregate.function->name, self_combining) || is_among(aggregate.function->name, summing);
  // Values that are sent by themselves have to have a type that can be.
  const bool can_be_sent = std::none_of(aggregate.arguments.begin(), aggregate.arguments.end(),
                                        [](const auto& each) { return is_pseudo_type(each->type.id); });
  return known && (can_be_sent || (std::string_view(aggregate.function->name) == "count" && !aggregate.distinct));
}

ExpressionPtr in_two_steps(const ExpressionPtr& expression, const std::string& name, const IsKey& is_key,
                           WorkerColumns& columns) {
  const auto& aggregate = *expression->as<query::Aggregate>();
  const std::string_view function = aggregate.function->name;
  const bool combines_itself = is_among(aggregate.function->name, self_combining);
  if (aggregate.distinct && !combines_itself && !(aggregate.arguments.size() == 1 && is_key(aggregate.arguments[0]))) {
    return of_distinct(aggregate, expression, name, columns);
  }
  if (function == "avg") return average(aggregate, expression, name, columns);
  const ExpressionPtr parts = columns.new_column(part_of(aggregate, expression->type), name);
  if (function == "count") return zero_if_null(total(parts, expression->type));
  if (function == "sum") return total(parts, expression->type);
  query::Aggregate combination;
  combination.function = aggregate.function;
  combination.arguments = {parts};
  return query::make_expression(std::move(combination), expression->type);
}

}  // namespace polarsim::engine::distribution
