#include <algorithm>
#include <string>

#include "engine/query/expression_analyser.h"
#include "engine/query/function_resolution.h"
#include "engine/query/refused_functions.h"

// Calls of functions, aggregates and window functions (PostgreSQL's ParseFuncOrColumn(),
// src/backend/parser/parse_func.c).
namespace polarsim::engine::query {
namespace {

constexpr std::size_t arguments_max = 100;

using Types = boost::container::small_vector<TypeId, 8>;

// Whether calls of the name may aggregate: what is inside them is then inside an aggregate.
bool names_aggregate(const syntax::Expression& call) {
  if (call.call != nullptr && call.call->over.has_value()) return false;
  const auto named = functions_named(call.name);
  return !named.empty() &&
         std::ranges::any_of(named, [](const FunctionEntry* each) { return each->kind == FunctionKind::aggregate; });
}

// The text of a default, which is a literal: a number, a word or a string.
std::string_view literal_text(std::string_view sql) {
  if (const auto cast = sql.rfind("::"); cast != std::string_view::npos) sql = sql.substr(0, cast);
  if (sql.size() >= 2 && sql.front() == '\'') return sql.substr(1, sql.size() - 2);
  return sql;
}

ExpressionPtr default_argument(std::string_view sql) {
  const bool null = sql.starts_with("NULL") || sql.starts_with("null");
  return make_expression(Constant{null ? Value::null() : Value::text(literal_text(sql))}, TypeId::unknown);
}

}  // namespace

// A call under way.
struct ExpressionAnalyser::CallParts {
  CallParts(const Syntax& call, int set_calls) : written(call), set_calls_before(set_calls) {}

  const Syntax& written;
  Expressions arguments;  // as written, then (once the function is known) as it takes them
  boost::container::small_vector<std::string_view, 4> names;
  Types types;
  ExpressionPtr filter;
  FunctionChoice choice;
  Type result;
  bool variadic = false;
  int set_calls_before = 0;

  const syntax::CallDetails* details() const { return written.call.get(); }
  bool within_group() const { return details() != nullptr && details()->within_group; }
  bool has_over() const { return details() != nullptr && details()->over.has_value(); }
  bool has_order() const { return details() != nullptr && !details()->order_by.empty(); }
  int position() const { return written.position; }
  std::string name() const { return written.schema.empty() ? written.name : written.schema + "." + written.name; }
  std::string signature() const {
    std::string text = name() + "(";
    const std::size_t positional = types.size() - names.size();
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (i > 0) text += ", ";
      if (i >= positional) text += std::string(names[i - positional]) + " => ";
      text += type_name(types[i]);
    }
    return text + ")";
  }
  [[noreturn]] void refuse(std::string message, const char* state = sqlstate::wrong_object_type) const {
    throw_error(state, std::move(message), position());
  }
};

namespace {

// Names of arguments come last, each once.
template <typename Parts>
void collect_names(Parts& parts) {
  for (const syntax::ExpressionPtr& each : parts.written.arguments) {
    if (each->kind != syntax::Expression::Kind::named_argument) {
      if (parts.names.empty()) continue;
      throw_error(sqlstate::syntax_error, "positional argument cannot follow named argument", each->position);
    }
    if (std::ranges::find(parts.names, each->name) != parts.names.end()) {
      throw_error(sqlstate::syntax_error, "argument name \"" + each->name + "\" used more than once", each->position);
    }
    parts.names.push_back(each->name);
  }
}

// What only aggregates may have was written for something else.
template <typename Parts>
void refuse_aggregate_syntax(const Parts& parts) {
  const std::string name = parts.name();
  if (parts.written.star) parts.refuse(name + "(*) specified, but " + name + " is not an aggregate function");
  if (parts.written.distinct) parts.refuse("DISTINCT specified, but " + name + " is not an aggregate function");
  if (parts.within_group()) parts.refuse("WITHIN GROUP specified, but " + name + " is not an aggregate function");
  if (parts.has_order()) parts.refuse("ORDER BY specified, but " + name + " is not an aggregate function");
  if (parts.filter != nullptr) parts.refuse("FILTER specified, but " + name + " is not an aggregate function");
  if (parts.has_over())
    parts.refuse("OVER specified, but " + name + " is not a window function nor an aggregate function");
}

// AT TIME ZONE of a time is one with a time zone.
template <typename Parts>
void refuse_zoned_time(const Parts& parts) {
  const bool system = parts.written.schema.empty() || parts.written.schema == "pg_catalog";
  if (!system || parts.written.name != "timezone" || parts.types.size() != 2 || parts.types[1] != TypeId::time) return;
  const TypeId zone = parts.types[0];
  if (zone == TypeId::unknown || zone == TypeId::interval || is_string(zone))
    throw_error(sqlstate::feature_not_supported, "type time with time zone is not supported", parts.position());
}

template <typename Parts>
[[noreturn]] void throw_not_found(const Parts& parts) {
  if (parts.choice.kind == FunctionChoice::Kind::ambiguous) {
    throw_error(sqlstate::ambiguous_function, "function " + parts.signature() + " is not unique", parts.position(), "",
                "Could not choose a best candidate function. You might need to add explicit type casts.");
  }
  refuse_zoned_time(parts);
  const std::string& schema = parts.written.schema;
  if ((schema.empty() || schema == "pg_catalog") && is_refused_function(parts.written.name) &&
      functions_named(parts.written.name).empty())
    parts.refuse("function " + parts.name() + " is not supported", sqlstate::feature_not_supported);
  throw_error(
      sqlstate::undefined_function, "function " + parts.signature() + " does not exist", parts.position(), "",
      parts.has_order() && parts.details()->order_by.size() > 1 && !parts.within_group()
          ? "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; "
            "ORDER BY must appear after all regular arguments of the aggregate."
          : "No function matches the given name and argument types. You might need to add explicit type casts.");
}

// The arguments in the function's order, defaults filled in.
template <typename Parts>
void arrange_arguments(Parts& parts) {
  const FunctionChoice& choice = parts.choice;
  const FunctionEntry& entry = *choice.entry;
  std::vector<ExpressionPtr> arranged;
  Types types;
  arranged.reserve(choice.declared.size());
  for (std::size_t i = 0; i < choice.declared.size(); ++i) {
    const int written = !choice.order.empty() ? choice.order[i] : i < parts.arguments.size() ? static_cast<int>(i) : -1;
    if (written >= 0) {
      arranged.push_back(parts.arguments[static_cast<std::size_t>(written)]);
      types.push_back(arranged.back()->type.id);
    } else {
      arranged.push_back(default_argument(default_of(entry, i)));
      types.push_back(choice.declared[i]);
    }
  }
  parts.arguments = std::move(arranged);
  parts.types = std::move(types);
}

// The last arguments become one array.
template <typename Parts>
void gather_variadic(Parts& parts) {
  const std::size_t first = parts.arguments.size() - parts.choice.variadic_count;
  ArrayConstructor array;
  array.elements.assign(parts.arguments.begin() + static_cast<std::ptrdiff_t>(first), parts.arguments.end());
  const TypeId element = array.elements[0]->type.id;
  const TypeId type = array_type(element);
  if (type == TypeId::none) {
    throw_error(sqlstate::undefined_object,
                std::string("could not find array type for data type ") + type_name(element),
                array.elements[0]->position);
  }
  const int position = leftmost(0, array.elements);
  parts.arguments.resize(first);
  parts.arguments.push_back(make_expression(std::move(array), type, position));
  parts.variadic = true;
}

// WITHIN GROUP is written where it has to be, with as many arguments as the aggregate wants before and in it.
template <typename Parts>
void check_ordered_set(const Parts& parts) {
  const FunctionEntry& entry = *parts.choice.entry;
  const std::string name = parts.name();
  if (!parts.within_group()) parts.refuse("WITHIN GROUP is required for ordered-set aggregate " + name);
  if (parts.has_over()) {
    parts.refuse("OVER is not supported for ordered-set aggregate " + name, sqlstate::feature_not_supported);
  }
  const std::size_t in_group = parts.details()->order_by.size();
  const std::size_t direct = parts.arguments.size() - in_group;
  std::string hint;
  if (entry.aggregate_kind == AggregateKind::hypothetical) {
    if (direct == in_group) return;
    hint = "To use the hypothetical-set aggregate " + name + ", the number of hypothetical direct arguments (here " +
           std::to_string(direct) + ") must match the number of ordering columns (here " + std::to_string(in_group) +
           ").";
  } else {
    if (direct == entry.direct_arguments) return;
    hint = "There is an ordered-set aggregate " + name + ", but it requires " + std::to_string(entry.direct_arguments) +
           " direct argument" + (entry.direct_arguments == 1 ? "" : "s") + ", not " + std::to_string(direct) + ".";
  }
  throw_error(sqlstate::undefined_function, "function " + parts.signature() + " does not exist", parts.position(), "",
              hint);
}

// A hypothetical row's values and the columns they are compared with become of common types.
template <typename Parts>
void unify_hypothetical(Parts& parts, ExpressionScope& scope) {
  const std::size_t pairs = parts.arguments.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) {
    ExpressionPtr& direct = parts.arguments[i];
    ExpressionPtr& column = parts.arguments[pairs + i];
    const Type common = common_type({column, direct}, "WITHIN GROUP");
    direct = coerce_to_common(direct, common, "WITHIN GROUP", scope);
    column = coerce_to_common(column, common, "WITHIN GROUP", scope);
    parts.types[i] = parts.types[pairs + i] = common.id;
  }
}

}  // namespace

ExpressionPtr ExpressionAnalyser::call(const Syntax& expression) {
  CallParts parts(expression, set_calls_);
  const bool aggregates = names_aggregate(expression);
  if (aggregates) scope_.enter_aggregate_arguments();
  for (const syntax::ExpressionPtr& each : expression.arguments)
    parts.arguments.push_back(analyse(each->kind == Syntax::Kind::named_argument ? *each->arguments[0] : *each));
  if (parts.within_group()) {
    for (const syntax::OrderItem& item : parts.details()->order_by) parts.arguments.push_back(analyse(item.expression));
  }
  if (parts.details() != nullptr) {
    parts.variadic = parts.details()->variadic;
    if (parts.details()->filter != nullptr)
      parts.filter = coerce_to_boolean(analyse(parts.details()->filter), "FILTER", scope_);
  }
  if (aggregates) scope_.leave_aggregate_arguments();
  if (parts.arguments.size() > arguments_max) {
    throw_error("54023", "cannot pass more than " + std::to_string(arguments_max) + " arguments to a function",
                expression.position);
  }
  collect_names(parts);
  for (const ExpressionPtr& each : parts.arguments) parts.types.push_back(each->type.id);
  return resolve_call(parts);
}

ExpressionPtr ExpressionAnalyser::resolve_call(CallParts& parts) {
  const Syntax& written = parts.written;
  if (written.schema.empty() || written.schema == "pg_catalog") {
    parts.choice = choose_function({written.name, parts.types, parts.names, parts.variadic});
  } else if (written.schema == "information_schema") {
    parts.choice = choose_function({parts.name(), parts.types, parts.names, parts.variadic});
  } else if (!scope_.has_schema(written.schema)) {
    throw_error(sqlstate::invalid_schema_name, "schema \"" + written.schema + "\" does not exist", parts.position());
  }
  FunctionChoice& choice = parts.choice;
  const bool is_function = choice.kind == FunctionChoice::Kind::function;
  const FunctionKind kind = is_function ? choice.entry->kind : FunctionKind::scalar;
  const bool plain = kind == FunctionKind::scalar || kind == FunctionKind::set;
  if (choice.kind == FunctionChoice::Kind::cast || (is_function && plain)) refuse_aggregate_syntax(parts);
  if (choice.kind == FunctionChoice::Kind::cast) {
    return coerce_type(parts.arguments[0], choice.cast_target, CastContext::explicit_only, CallForm::call,
                       parts.position(), scope_);
  }
  if (!is_function) {
    const bool like_field = parts.arguments.size() == 1 && parts.types[0] == TypeId::record && parts.names.empty() &&
                            written.schema.empty() && written.call == nullptr && !written.distinct;
    if (like_field) {
      if (ExpressionPtr selected = select_field(parts.arguments[0], written.name, scope_)) return selected;
    }
    throw_not_found(parts);
  }
  return make_call(parts);
}

ExpressionPtr ExpressionAnalyser::make_call(CallParts& parts) {
  FunctionChoice& choice = parts.choice;
  const FunctionEntry& entry = *choice.entry;
  if (entry.kind == FunctionKind::window) {
    if (!parts.has_over()) parts.refuse("window function " + parts.name() + " requires an OVER clause");
    if (parts.within_group()) parts.refuse("window function " + parts.name() + " cannot have WITHIN GROUP");
  }
  const bool ordered_set = entry.aggregate_kind != AggregateKind::normal;
  if (ordered_set) check_ordered_set(parts);
  arrange_arguments(parts);
  if (entry.aggregate_kind == AggregateKind::hypothetical) unify_hypothetical(parts, scope_);
  parts.result = settle_polymorphic_types(parts.types, choice.declared, entry.result);
  for (std::size_t i = 0; i < parts.arguments.size(); ++i)
    parts.arguments[i] = coerce_implicitly(parts.arguments[i], choice.declared[i], scope_);
  if (ordered_set) return make_ordered_set_aggregate(parts);
  const bool any_variadic = entry.variadic && entry.arguments.back() == TypeId::any;
  if (!entry.variadic) parts.variadic = false;
  if (choice.variadic_count > 0 && !any_variadic) gather_variadic(parts);
  if (any_variadic && parts.variadic && element_type(parts.types.back()) == TypeId::none) {
    throw_error(sqlstate::datatype_mismatch, "VARIADIC argument must be an array", parts.arguments.back()->position);
  }
  if (parts.has_over()) return make_window_call(parts);
  if (entry.kind == FunctionKind::aggregate) return make_aggregate(parts);
  if (entry.kind == FunctionKind::set) {
    scope_.set_returning_call(entry, parts.position());
    ++set_calls_;
    last_set_call_position_ = parts.position();
  }
  const CallForm form = parts.written.special_syntax ? CallForm::special_syntax : CallForm::call;
  Call node{&entry, std::move(parts.arguments), form, parts.variadic};
  const int position = leftmost(parts.position(), node.arguments);
  return make_expression(std::move(node), parts.result, position);
}

namespace {

// A key of ORDER BY in an aggregate that is an argument, but for the argument's implicit conversion, is the argument.
const ExpressionPtr& argument_or_own(const std::vector<ExpressionPtr>& arguments, const ExpressionPtr& key) {
  const auto is_key = [&](const ExpressionPtr& argument) {
    const Expression* bare = argument.get();
    for (const auto* conversion = bare->as<Convert>(); conversion != nullptr; conversion = bare->as<Convert>()) {
      if (equal(*bare, *key) || conversion->form != CallForm::implicit_cast) break;
      bare = conversion->argument.get();
    }
    return equal(*bare, *key);
  };
  const auto found = std::ranges::find_if(arguments, is_key);
  return found == arguments.end() ? key : *found;
}

}  // namespace

ExpressionPtr ExpressionAnalyser::make_aggregate(CallParts& parts) {
  const Syntax& written = parts.written;
  if (parts.within_group())
    parts.refuse(parts.name() + " is not an ordered-set aggregate, so it cannot have WITHIN GROUP");
  if (parts.arguments.empty() && !written.star)
    parts.refuse(parts.name() + "(*) must be used to call a parameterless aggregate function");
  if (!parts.names.empty()) parts.refuse("aggregates cannot use named arguments", sqlstate::feature_not_supported);
  Aggregate node;
  node.function = parts.choice.entry;
  node.arguments = std::move(parts.arguments);
  node.filter = parts.filter;
  node.distinct = written.distinct;
  node.star = written.star;
  if (parts.has_order()) {
    for (const syntax::OrderItem& item : parts.details()->order_by) {
      OrderKey key = analyse_order(item);
      key.expression = argument_or_own(node.arguments, key.expression);
      node.order_by.push_back(std::move(key));
    }
  }
  if (node.distinct) {
    for (const OrderKey& key : node.order_by) {
      const bool among =
          std::ranges::any_of(node.arguments, [&](const ExpressionPtr& each) { return equal(each, key.expression); });
      if (!among) {
        throw_error(sqlstate::invalid_column_reference,
                    "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                    key.expression->position);
      }
    }
    for (const ExpressionPtr& each : node.arguments) {
      const TypeId type = each->type.id;
      if (type == TypeId::unknown || (less_of(type) != nullptr && equality_of(type) != nullptr)) continue;
      throw_error(sqlstate::undefined_function,
                  std::string("could not identify an ") + (equality_of(type) == nullptr ? "equality" : "ordering") +
                      " operator for type " + type_name(type),
                  each->position,
                  equality_of(type) == nullptr ? "" : "Aggregates with DISTINCT must be able to sort their inputs.");
    }
  }
  return scope_.aggregate(std::move(node), parts.result, parts.position());
}

// The direct arguments are the node's; those of WITHIN GROUP are its order.
ExpressionPtr ExpressionAnalyser::make_ordered_set_aggregate(CallParts& parts) {
  Aggregate node;
  node.function = parts.choice.entry;
  node.filter = parts.filter;
  const std::vector<syntax::OrderItem>& items = parts.details()->order_by;
  const std::size_t direct = parts.arguments.size() - items.size();
  for (std::size_t i = 0; i < items.size(); ++i)
    node.order_by.push_back(make_order(parts.arguments[direct + i], items[i]));
  parts.arguments.resize(direct);
  node.arguments = std::move(parts.arguments);
  return scope_.aggregate(std::move(node), parts.result, parts.position());
}

ExpressionPtr ExpressionAnalyser::make_window_call(CallParts& parts) {
  const Syntax& written = parts.written;
  const FunctionEntry& entry = *parts.choice.entry;
  const bool aggregate = entry.kind == FunctionKind::aggregate;
  if (written.distinct)
    parts.refuse("DISTINCT is not implemented for window functions", sqlstate::feature_not_supported);
  if (aggregate && parts.within_group())
    parts.refuse(parts.name() + " is not an ordered-set aggregate, so it cannot have WITHIN GROUP");
  if (aggregate && parts.arguments.empty() && !written.star)
    parts.refuse(parts.name() + "(*) must be used to call a parameterless aggregate function");
  if (parts.has_order())
    parts.refuse("aggregate ORDER BY is not implemented for window functions", sqlstate::feature_not_supported);
  if (!aggregate && parts.filter != nullptr) {
    parts.refuse("FILTER is not implemented for non-aggregate window functions", sqlstate::feature_not_supported);
  }
  if (set_calls_ != parts.set_calls_before) {
    throw_error(sqlstate::feature_not_supported, "window function calls cannot contain set-returning function calls",
                last_set_call_position_, "",
                "You might be able to move the set-returning function into a LATERAL FROM item.");
  }
  WindowCall node;
  node.function = &entry;
  node.arguments = std::move(parts.arguments);
  node.filter = parts.filter;
  node.star = written.star;
  return scope_.window_call(std::move(node), parts.result, *parts.details()->over, parts.position());
}

ExpressionPtr ExpressionAnalyser::call_on_one(std::string_view name, const ExpressionPtr& argument, int position) {
  Syntax written;
  written.kind = Syntax::Kind::function;
  written.name = name;
  written.position = position;
  CallParts parts(written, set_calls_);
  parts.arguments.push_back(argument);
  parts.types.push_back(argument->type.id);
  const FunctionChoice choice = choose_function({written.name, parts.types, {}, false});
  if (choice.kind == FunctionChoice::Kind::none || choice.kind == FunctionChoice::Kind::ambiguous) return nullptr;
  return resolve_call(parts);
}

}  // namespace polarsim::engine::query
