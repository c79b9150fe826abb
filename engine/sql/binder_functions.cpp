#include <algorithm>
#include <string>
#include <utility>

#include "engine/sql/binder.h"
#include "engine/sql/error.h"
#include "engine/sql/functions.h"

namespace polarsim::engine::sql {
namespace {

[[noreturn]] void fail(const char* state, std::string message, int position, std::string hint = "") {
  SqlError error(state, std::move(message), "", std::move(hint));
  error.at(position);
  throw error;
}

std::string call_text(const Expression& node, const std::vector<Binder::Typed>& arguments) {
  std::string out = node.name + "(";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) out += ", ";
    const Expression& argument = *node.arguments[i];
    const bool named = argument.kind == Expression::Kind::function && argument.name == named_argument;
    if (named) out += std::string(argument.arguments[0]->value.as_text()) + " => ";
    out += type_name(arguments[i].type);
  }
  return out + ")";
}

[[noreturn]] void throw_no_function(const std::string& call, int position) {
  fail(sqlstate::undefined_function, "function " + call + " does not exist", position,
       "No function matches the given name and argument types. You might need to add explicit type casts.");
}

[[noreturn]] void throw_function_not_unique(const std::string& call, int position) {
  fail(sqlstate::ambiguous_function, "function " + call + " is not unique", position,
       "Could not choose a best candidate function. You might need to add explicit type casts.");
}

bool accepts(const ScalarFunction& function, const std::vector<Binder::Typed>& arguments) {
  return std::equal(function.arguments.begin(), function.arguments.end(), arguments.begin(), arguments.end(),
                    [](TypeId wanted, const Binder::Typed& given) {
                      return wanted == given.type || given.type == TypeId::unknown || wanted == TypeId::unknown ||
                             (wanted == TypeId::int8 && given.type == TypeId::int4);
                    });
}

std::ptrdiff_t exact_matches(const ScalarFunction& function, const std::vector<Binder::Typed>& arguments) {
  std::ptrdiff_t matches = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) matches += function.arguments[i] == arguments[i].type ? 1 : 0;
  return matches;
}

// The function that takes the arguments with the most exact matches; throws if there is none or no single best one.
int choose_function(const Expression& node, const std::vector<Binder::Typed>& arguments) {
  const std::vector<ScalarFunction>& all = scalar_functions();
  int best = -1;
  std::ptrdiff_t best_matches = -1;
  bool tie = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name != node.name || !accepts(all[i], arguments)) continue;
    const std::ptrdiff_t matches = exact_matches(all[i], arguments);
    tie = matches == best_matches;
    if (matches > best_matches) {
      best = static_cast<int>(i);
      best_matches = matches;
    }
  }
  if (best < 0) throw_no_function(call_text(node, arguments), node.position);
  if (tie) throw_function_not_unique(call_text(node, arguments), node.position);
  return best;
}

struct NamedAggregate {
  std::string_view name;
  AggregateFunction function;
};
constexpr NamedAggregate aggregates[] = {
    {"count", AggregateFunction::count},
    {"sum", AggregateFunction::sum},
    {"min", AggregateFunction::min},
    {"max", AggregateFunction::max},
    {"bool_and", AggregateFunction::bool_and},
    {"every", AggregateFunction::bool_and},
    {"bool_or", AggregateFunction::bool_or},
    {"string_agg", AggregateFunction::string_agg},
    // Takes what sum() takes, but is refused: its result would be numeric.
    {"avg", AggregateFunction::sum},
};

// The type to give a bare literal as the aggregate's argument; unknown if PostgreSQL cannot tell.
TypeId default_argument_type(AggregateFunction function) {
  switch (function) {
    case AggregateFunction::sum:
      return TypeId::unknown;
    case AggregateFunction::bool_and:
    case AggregateFunction::bool_or:
      return TypeId::boolean;
    default:
      return TypeId::text;
  }
}

// The result's type; unknown if the aggregate does not take such an argument.
TypeId aggregate_type(AggregateFunction function, TypeId argument) {
  const bool integer = argument == TypeId::int4 || argument == TypeId::int8;
  switch (function) {
    case AggregateFunction::count_rows:
    case AggregateFunction::count:
      return TypeId::int8;
    case AggregateFunction::sum:
      return integer ? TypeId::int8 : TypeId::unknown;
    case AggregateFunction::min:
    case AggregateFunction::max:
      return integer || argument == TypeId::text ? argument : TypeId::unknown;
    case AggregateFunction::bool_and:
    case AggregateFunction::bool_or:
      return argument == TypeId::boolean ? argument : TypeId::unknown;
    case AggregateFunction::string_agg:
      return argument == TypeId::text ? argument : TypeId::unknown;
  }
  return TypeId::unknown;
}

}  // namespace

bool is_aggregate_function(std::string_view name) {
  return std::any_of(std::begin(aggregates), std::end(aggregates), [&](const auto& a) { return a.name == name; });
}

std::vector<Binder::Typed> Binder::arguments(const Expression& node) {
  std::vector<Typed> out;
  for (const ExpressionPtr& argument : node.arguments) {
    const bool named = argument->kind == Expression::Kind::function && argument->name == named_argument;
    out.push_back(emit(named ? *argument->arguments[1] : *argument));
  }
  return out;
}

Binder::Typed Binder::function(const Expression& node) {
  if (is_aggregate_function(node.name)) return aggregate(node);
  if (node.name == "greatest" || node.name == "least") return greatest_or_least(node);
  if (node.name == "nullif") return null_if(node);
  if (node.star) throw_no_function(node.name + "()", node.position);
  if (node.distinct)
    fail("42809", "DISTINCT specified, but " + node.name + " is not an aggregate function", node.position);
  std::vector<Typed> values = arguments(node);
  const bool any_named = std::any_of(node.arguments.begin(), node.arguments.end(), [](const ExpressionPtr& argument) {
    return argument->kind == Expression::Kind::function && argument->name == named_argument;
  });
  if (any_named) throw_no_function(call_text(node, values), node.position);
  const int chosen = choose_function(node, values);
  const ScalarFunction& function = scalar_functions()[static_cast<std::size_t>(chosen)];
  for (std::size_t i = 0; i < values.size(); ++i) {
    resolve(values[i], function.arguments[i] == TypeId::unknown ? TypeId::text : function.arguments[i]);
  }
  const auto count = static_cast<int>(values.size());
  append(Operation::call, 1 - count, function.result, count, chosen);
  return result(function.result, node);
}

// Binds the arguments of an aggregate call and finds its type.
void Binder::aggregate_arguments(const Expression& node, AggregateCall& call) {
  std::vector<Typed> types;
  std::vector<BoundExpression> bound;
  for (const ExpressionPtr& argument : node.arguments) {
    Binder inner(options_, true);
    Typed value = inner.emit(*argument);
    types.push_back(value);
    const TypeId wanted = bound.empty() ? default_argument_type(call.function) : TypeId::text;
    if (wanted == TypeId::unknown && value.type == TypeId::unknown)
      throw_function_not_unique(call_text(node, types), node.position);
    inner.resolve(value, wanted);
    bound.push_back(inner.finish(value));
  }
  const bool takes_separator = call.function == AggregateFunction::string_agg;
  call.type = aggregate_type(call.function, bound[0].type());
  if (bound.size() != (takes_separator ? 2U : 1U) || call.type == TypeId::unknown ||
      (takes_separator && bound[1].type() != TypeId::text)) {
    throw_no_function(call_text(node, types), node.position);
  }
  if (node.name == "avg")
    fail(sqlstate::feature_not_supported, "function avg is not supported: its type is numeric", node.position);
  call.argument = bound[0];
  if (takes_separator) call.separator = bound[1];
}

Binder::Typed Binder::aggregate(const Expression& node) {
  if (inside_aggregate_) fail(sqlstate::grouping_error, "aggregate function calls cannot be nested", node.position);
  if (!options_.aggregates_allowed || options_.aggregates == nullptr) {
    fail(sqlstate::grouping_error, "aggregate functions are not allowed in " + std::string(options_.clause),
         node.position);
  }
  AggregateCall call;
  for (const NamedAggregate& known : aggregates) {
    if (known.name == node.name) call.function = known.function;
  }
  call.distinct = node.distinct;
  if (!node.star && !node.arguments.empty()) {
    aggregate_arguments(node, call);
  } else {
    if (call.function != AggregateFunction::count) throw_no_function(node.name + "()", node.position);
    if (!node.star) fail("42809", "count(*) must be used to call a parameterless aggregate function", node.position);
    call.function = AggregateFunction::count_rows;
  }
  const TypeId type = call.type;
  const int slot = options_.aggregates->add(std::move(call), node);
  append(Operation::push_aggregate, 1, type, slot);
  node_->has_aggregate = true;
  return result(type, node);
}

Binder::Typed Binder::greatest_or_least(const Expression& node) {
  std::vector<Typed> values = arguments(node);
  const bool greatest = node.name == "greatest";
  const TypeId type = common_type(values, greatest ? "GREATEST" : "LEAST");
  const auto count = static_cast<int>(values.size());
  append(greatest ? Operation::greatest : Operation::least, 1 - count, type, count);
  return result(type, node);
}

Binder::Typed Binder::null_if(const Expression& node) {
  std::vector<Typed> values = arguments(node);
  if (values.size() != 2) throw_no_function(call_text(node, values), node.position);
  match_comparison("=", node.position, values[0], values[1]);
  append(Operation::null_if, -1);
  return result(values[0].type, node);
}

}  // namespace polarsim::engine::sql
