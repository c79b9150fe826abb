#include "engine/query/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

constexpr const char* windowing_error = "42P20";
constexpr std::size_t grouping_arguments_max = 31;

// What an aggregate's arguments use, as far as it matters for the place of the aggregate.
struct ArgumentLevels {
  int column = -1;     // the nearest query whose columns are used
  int aggregate = -1;  // the nearest query with an aggregate among the arguments
  int column_position = 0;
  int aggregate_position = 0;
};

void note_nearest(int& nearest, int level) {
  if (level >= 0 && (nearest < 0 || level < nearest)) nearest = level;
}

// What may not stand in the arguments of an aggregate of the same query.
void check_argument(const Expression& part, bool in_filter) {
  if (part.as<WindowCall>() != nullptr) {
    if (in_filter) throw SqlError(windowing_error, "window functions are not allowed in FILTER").at(part.position);
    throw SqlError(sqlstate::grouping_error, "aggregate function calls cannot contain window function calls")
        .at(part.position);
  }
  const auto* call = part.as<Call>();
  if (call == nullptr || call->function->kind != FunctionKind::set) return;
  if (in_filter) {
    throw SqlError(sqlstate::feature_not_supported, "set-returning functions are not allowed in FILTER")
        .at(part.position);
  }
  throw SqlError(sqlstate::feature_not_supported,
                 "aggregate function calls cannot contain set-returning function calls", "",
                 "You might be able to move the set-returning function into a LATERAL FROM item.")
      .at(part.position);
}

void look_at_argument(const ExpressionPtr& argument, bool in_filter, ArgumentLevels& levels) {
  if (argument == nullptr) return;
  walk(argument, [&](const Expression& part, int depth) {
    if (const auto* column = part.as<Column>()) {
      const int level = column->levels_up - depth;
      if (level >= 0 && (levels.column < 0 || level < levels.column)) levels.column_position = part.position;
      note_nearest(levels.column, level);
    } else if (const auto* aggregate = part.as<Aggregate>()) {
      const int level = aggregate->levels_up - depth;
      if (in_filter && level == 0) {
        throw SqlError(sqlstate::grouping_error, "aggregate functions are not allowed in FILTER").at(part.position);
      }
      if (level >= 0 && (levels.aggregate < 0 || level < levels.aggregate)) levels.aggregate_position = part.position;
      note_nearest(levels.aggregate, level);
    } else if (depth == 0) {
      check_argument(part, in_filter);
    }
    return true;
  });
}

}  // namespace

QueryPtr QueryScope::subquery(const syntax::Select& select, int position) {
  if (const char* place = rules_of(clause).subqueries) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot use subquery in {}", place)).at(position);
  }
  query.has_subqueries = true;
  QueryScope inner(statement_, this);
  return analyse_select(select, inner);
}

ExpressionPtr QueryScope::parameter(const syntax::Expression& reference) {
  const AnalysisContext& analysis = context();
  const int index = reference.index;
  std::vector<Type>* types = analysis.parameter_types;
  const bool known = types != nullptr && index > 0 && static_cast<std::size_t>(index) <= types->size();
  if (!known) {
    if (types == nullptr || !analysis.infer_parameters || index <= 0 || index > parameters_max) {
      throw SqlError(sqlstate::undefined_parameter, fmt::format("there is no parameter ${}", index))
          .at(reference.position);
    }
    types->resize(static_cast<std::size_t>(index));
  }
  Type type = (*types)[static_cast<std::size_t>(index) - 1];
  if (type.id == TypeId::none) type = TypeId::unknown;
  if (type.id == TypeId::unknown) statement_.untyped_parameters.push_back({index, reference.position});
  return make_expression(Parameter{index, false}, type, reference.position);
}

void QueryScope::settle_parameter(int index, TypeId type, int position) {
  std::erase_if(statement_.untyped_parameters,
                [&](const StatementState::Untyped& untyped) { return untyped.position == position; });
  Type& known = (*context().parameter_types)[static_cast<std::size_t>(index) - 1];
  if (known.id == TypeId::none || known.id == TypeId::unknown) {
    known = type;
  } else if (known.id != type) {
    throw SqlError(ErrorFields{"42P08", fmt::format("inconsistent types deduced for parameter ${}", index),
                               fmt::format("{} versus {}", type_name(known.id), type_name(type)), "", "", position});
  }
}

ExpressionPtr QueryScope::aggregate(Aggregate call, Type type, int position) {
  const bool has_direct_arguments = call.function->aggregate_kind != AggregateKind::normal;
  ArgumentLevels direct;
  ArgumentLevels levels;
  for (const ExpressionPtr& argument : call.arguments) {
    look_at_argument(argument, false, has_direct_arguments ? direct : levels);
  }
  for (const OrderKey& key : call.order_by) look_at_argument(key.expression, false, levels);
  look_at_argument(call.filter, true, levels);
  int level = 0;
  if (levels.column >= 0 && levels.aggregate >= 0) {
    level = std::min(levels.column, levels.aggregate);
  } else {
    level = std::max({levels.column, levels.aggregate, 0});
  }
  if (levels.aggregate >= 0 && level == levels.aggregate) {
    throw SqlError(sqlstate::grouping_error, "aggregate function calls cannot be nested").at(levels.aggregate_position);
  }
  if (direct.column >= 0 && direct.column < level) {
    throw SqlError(sqlstate::grouping_error,
                   "outer-level aggregate cannot contain a lower-level variable in its direct arguments")
        .at(direct.column_position);
  }
  if (direct.aggregate >= 0 && direct.aggregate <= level) {
    throw SqlError(sqlstate::grouping_error, "aggregate function calls cannot be nested").at(direct.aggregate_position);
  }
  call.levels_up = level;
  QueryScope& owner = around(level);
  if (const char* place = rules_of(owner.clause).aggregates) {
    throw SqlError(sqlstate::grouping_error, fmt::format("aggregate functions are not allowed in {}", place))
        .at(position);
  }
  owner.has_aggregates = true;
  return make_expression(std::move(call), type, position);
}

ExpressionPtr QueryScope::window_call(WindowCall call, Type type, const syntax::WindowSpecification& over,
                                      int position) {
  const auto check_nesting = [](const ExpressionPtr& argument) {
    if (argument == nullptr) return;
    walk(argument, [](const Expression& part, int depth) {
      if (depth == 0 && part.as<WindowCall>() != nullptr) {
        throw SqlError(windowing_error, "window function calls cannot be nested").at(part.position);
      }
      return depth == 0;
    });
  };
  if (has_window_calls) {
    for (const ExpressionPtr& argument : call.arguments) check_nesting(argument);
    check_nesting(call.filter);
  }
  if (const char* place = rules_of(clause).windows) {
    throw SqlError(windowing_error, fmt::format("window functions are not allowed in {}", place)).at(position);
  }
  call.window = window_number(over);
  has_window_calls = true;
  return make_expression(std::move(call), type, position);
}

int QueryScope::window_number(const syntax::WindowSpecification& over) {
  for (std::size_t i = 0; i < window_specifications.size(); ++i) {
    const syntax::WindowSpecification& known = *window_specifications[i];
    const bool same =
        over.name.empty() ? known.name.empty() && same_window_specification(known, over) : known.name == over.name;
    if (same) return static_cast<int>(i);
  }
  if (!over.name.empty()) {
    throw SqlError(sqlstate::undefined_object, fmt::format("window \"{}\" does not exist", over.name))
        .at(over.position);
  }
  window_specifications.push_back(&over);
  return static_cast<int>(window_specifications.size()) - 1;
}

ExpressionPtr QueryScope::grouping(const std::vector<syntax::ExpressionPtr>& arguments, int position) {
  if (arguments.size() > grouping_arguments_max) {
    throw SqlError("54023", "GROUPING must have fewer than 32 arguments").at(position);
  }
  std::vector<ExpressionPtr> analysed;
  analysed.reserve(arguments.size());
  for (const syntax::ExpressionPtr& argument : arguments) analysed.push_back(analyse_expression(argument, *this));
  ArgumentLevels levels;
  for (const ExpressionPtr& argument : analysed) look_at_argument(argument, false, levels);
  if (levels.column > 0) {
    throw SqlError(sqlstate::feature_not_supported, "GROUPING of columns of an outer query is not supported")
        .at(position);
  }
  if (const char* place = rules_of(clause).aggregates) {
    throw SqlError(sqlstate::grouping_error, fmt::format("grouping operations are not allowed in {}", place))
        .at(position);
  }
  has_aggregates = true;
  pending_groupings.push_back(std::move(analysed));
  return make_expression(GroupingCall{{-static_cast<int>(pending_groupings.size())}}, TypeId::int4, position);
}

void QueryScope::set_returning_call(const FunctionEntry& /*function*/, int position) {
  if (const char* place = rules_of(clause).set_functions) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("set-returning functions are not allowed in {}", place))
        .at(position);
  }
  ++set_functions_met;
  previous_set_function_position = last_set_function_position;
  last_set_function_position = position;
  if (clause != Clause::from_function) has_target_set_functions = true;
}

ExpressionPtr analyse_in(QueryScope& scope, Clause clause, const syntax::ExpressionPtr& expression) {
  const Restore<Clause> restore(scope.clause, clause);
  return analyse_expression(expression, scope);
}

ExpressionPtr analyse_condition_in(QueryScope& scope, Clause clause, const syntax::ExpressionPtr& expression,
                                   std::string_view construct) {
  if (expression == nullptr) return nullptr;
  const Restore<Clause> restore(scope.clause, clause);
  return analyse_condition(expression, scope, construct);
}

}  // namespace polarsim::engine::query
