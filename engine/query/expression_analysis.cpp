#include "engine/query/expression_analysis.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/query/analysis.h"
#include "engine/query/expression_analyser.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

const ExpressionPtr& null_constant() {
  static const ExpressionPtr null = make_expression(Constant{}, TypeId::unknown);
  return null;
}

bool is_collatable(TypeId type) {
  const TypeId element = element_type(type);
  const TypeId own = element == TypeId::none ? type : element;
  return own == TypeId::unknown || type_info(own).category == TypeCategory::string;
}

}  // namespace

ExpressionPtr ExpressionAnalyser::analyse(const Syntax& expression) {
  check_stack_depth();
  using Kind = Syntax::Kind;
  switch (expression.kind) {
    case Kind::constant:
      return make_expression(Constant{expression.value}, expression.type, expression.position);
    case Kind::parameter:
      return scope_.parameter(expression);
    case Kind::column:
    case Kind::star:
      return scope_.column(expression);
    case Kind::operation:
    case Kind::like:
      return operation(expression);
    case Kind::array_comparison:
      return array_comparison(expression);
    case Kind::logical_and:
    case Kind::logical_or:
    case Kind::logical_not:
      return logical(expression);
    case Kind::is_null:
      return null_test(expression);
    case Kind::boolean_test:
      return boolean_test(expression);
    case Kind::distinct_test:
      return distinct_test(expression);
    case Kind::in_list:
      return in_list(expression);
    case Kind::between:
      return between(expression);
    case Kind::null_if:
      return null_if(expression);
    case Kind::case_when:
      return case_when(expression);
    case Kind::coalesce:
      return coalesce(expression);
    case Kind::greatest:
    case Kind::least:
      return min_max(expression);
    case Kind::cast:
      return cast(expression);
    case Kind::collate:
      return collate(expression);
    case Kind::function:
      return call(expression);
    case Kind::value_function:
      return value_function(expression);
    case Kind::row:
      return row(expression);
    case Kind::array:
      return array(expression, {});
    case Kind::subscript:
      return subscript(expression);
    case Kind::field:
      return field(expression);
    case Kind::exists:
    case Kind::scalar_subquery:
    case Kind::array_subquery:
      return subquery(expression);
    case Kind::subquery_comparison:
      return subquery_comparison(expression);
    case Kind::grouping:
      return scope_.grouping(expression.arguments, expression.position);
    case Kind::default_value:
      throw_error(sqlstate::syntax_error, "DEFAULT is not allowed in this context", expression.position);
    case Kind::current_of:
      throw_error(sqlstate::feature_not_supported, "WHERE CURRENT OF is not supported", expression.position);
    case Kind::named_argument:
    case Kind::group_set:
      break;
  }
  throw_error(sqlstate::internal_error, "this expression may not stand here", expression.position);
}

std::vector<ExpressionPtr> ExpressionAnalyser::analyse_all(const std::vector<syntax::ExpressionPtr>& expressions) {
  Expressions analysed;
  analysed.reserve(expressions.size());
  for (const syntax::ExpressionPtr& each : expressions) analysed.push_back(analyse(each));
  return analysed;
}

std::vector<ExpressionPtr> ExpressionAnalyser::analyse_list(const std::vector<syntax::ExpressionPtr>& expressions) {
  Expressions analysed;
  analysed.reserve(expressions.size());
  for (const syntax::ExpressionPtr& each : expressions) {
    if (each->kind == Syntax::Kind::star) {
      for (ExpressionPtr& column : scope_.star(*each)) analysed.push_back(std::move(column));
    } else if (each->kind == Syntax::Kind::field && each->name.empty()) {
      for (Target& target : expand_record(analyse(each->arguments[0]), each->position, scope_))
        analysed.push_back(std::move(target.expression));
    } else {
      analysed.push_back(analyse(each));
    }
  }
  return analysed;
}

ExpressionPtr ExpressionAnalyser::make_logical(Logical::Kind kind, Expressions arguments, int position) {
  const int begin = leftmost(position, arguments);
  return make_expression(Logical{kind, std::move(arguments)}, TypeId::boolean, begin);
}

ExpressionPtr ExpressionAnalyser::logical(const Syntax& expression) {
  const bool negation = expression.kind == Syntax::Kind::logical_not;
  const bool conjunction = expression.kind == Syntax::Kind::logical_and;
  const std::string_view construct = negation ? "NOT" : conjunction ? "AND" : "OR";
  Expressions arguments;
  arguments.reserve(expression.arguments.size());
  for (const syntax::ExpressionPtr& each : expression.arguments)
    arguments.push_back(coerce_to_boolean(analyse(each), construct, scope_));
  // It is what IS NOT DISTINCT FROM is, too, which is stored in this form (ruleutils.c) and then read again.
  const auto* distinct = negation ? arguments[0]->as<DistinctTest>() : nullptr;
  if (distinct != nullptr && !distinct->negated) {
    DistinctTest negated = *distinct;
    negated.negated = true;
    return make_expression(std::move(negated), TypeId::boolean, expression.position);
  }
  const auto kind = negation      ? Logical::Kind::negation
                    : conjunction ? Logical::Kind::conjunction
                                  : Logical::Kind::disjunction;
  return make_logical(kind, std::move(arguments), expression.position);
}

ExpressionPtr ExpressionAnalyser::null_test(const Syntax& expression) {
  NullTest test{analyse(expression.arguments[0]), expression.negated};
  const int position = leftmost(expression.position, test.argument->position);
  return make_expression(std::move(test), TypeId::boolean, position);
}

ExpressionPtr ExpressionAnalyser::boolean_test(const Syntax& expression) {
  using Kind = BooleanTest::Kind;
  const bool negated = expression.negated;
  Kind kind = Kind::is_unknown;
  std::string construct;
  if (expression.name == "true") {
    kind = negated ? Kind::is_not_true : Kind::is_true;
    construct = negated ? "IS NOT TRUE" : "IS TRUE";
  } else if (expression.name == "false") {
    kind = negated ? Kind::is_not_false : Kind::is_false;
    construct = negated ? "IS NOT FALSE" : "IS FALSE";
  } else {
    kind = negated ? Kind::is_not_unknown : Kind::is_unknown;
    construct = negated ? "IS NOT UNKNOWN" : "IS UNKNOWN";
  }
  BooleanTest test{kind, coerce_to_boolean(analyse(expression.arguments[0]), construct, scope_)};
  const int position = leftmost(expression.position, test.argument->position);
  return make_expression(std::move(test), TypeId::boolean, position);
}

void ExpressionAnalyser::refuse_set_calls(int before, std::string_view construct) {
  if (set_calls_ == before) return;
  throw_error(sqlstate::feature_not_supported, "set-returning functions are not allowed in " + std::string(construct),
              last_set_call_position_, "",
              "You might be able to move the set-returning function into a LATERAL FROM item.");
}

ExpressionPtr ExpressionAnalyser::case_when(const Syntax& expression) {
  const int set_calls_before = set_calls_;
  Case node;
  ExpressionPtr placeholder;
  if (expression.operand != nullptr) {
    node.operand = settle_unknown(analyse(expression.operand), scope_);
    placeholder = make_expression(CaseOperand{}, node.operand->type);
  }
  const std::size_t branches = expression.arguments.size() / 2;
  const bool has_else = expression.arguments.size() % 2 == 1;
  Expressions results(1);  // ELSE matters most for the common type
  for (std::size_t i = 0; i < branches; ++i) {
    ExpressionPtr condition = analyse(expression.arguments[2 * i]);
    if (placeholder != nullptr)
      condition = make_operator_call({"=", {}, expression.when_positions[i]}, placeholder, condition, scope_);
    node.branches.push_back({coerce_to_boolean(condition, "CASE/WHEN", scope_), nullptr});
    results.push_back(analyse(expression.arguments[2 * i + 1]));
  }
  results[0] = has_else ? analyse(expression.arguments.back()) : null_constant();
  refuse_different_rows(results, "CASE", scope_);
  const Type common = common_type(results, "CASE");
  node.otherwise = coerce_to_common(results[0], common, "CASE/ELSE", scope_);
  for (std::size_t i = 0; i < branches; ++i)
    node.branches[i].result = coerce_to_common(results[i + 1], common, "CASE/WHEN", scope_);
  refuse_set_calls(set_calls_before, "CASE");
  return make_expression(std::move(node), common, expression.position);
}

ExpressionPtr ExpressionAnalyser::coalesce(const Syntax& expression) {
  const int set_calls_before = set_calls_;
  Coalesce node{analyse_all(expression.arguments)};
  refuse_different_rows(node.arguments, "COALESCE", scope_);
  const Type common = common_type(node.arguments, "COALESCE");
  for (ExpressionPtr& each : node.arguments) each = coerce_to_common(each, common, "COALESCE", scope_);
  refuse_set_calls(set_calls_before, "COALESCE");
  return make_expression(std::move(node), common, expression.position);
}

ExpressionPtr ExpressionAnalyser::min_max(const Syntax& expression) {
  const bool greatest = expression.kind == Syntax::Kind::greatest;
  const std::string_view construct = greatest ? "GREATEST" : "LEAST";
  MinMax node{greatest, analyse_all(expression.arguments)};
  refuse_different_rows(node.arguments, construct, scope_);
  const Type common = common_type(node.arguments, construct);
  for (ExpressionPtr& each : node.arguments) each = coerce_to_common(each, common, construct, scope_);
  // Whether there is an order is asked when it is computed.
  return make_expression(std::move(node), common, expression.position);
}

// t.*::t, as deparsed queries have it where a row is one value. Null: something else.
ExpressionPtr ExpressionAnalyser::row_of_its_own_type(const Syntax& cast) {
  const Syntax& written = *cast.arguments[0];
  const syntax::TypeName& type = *cast.type_name;
  if (written.kind != Syntax::Kind::star || written.path.empty() || type.array_dimensions > 0) return nullptr;
  if (type.schema.empty() && find_type(type.name) != nullptr) return nullptr;
  ExpressionPtr row = analyse(written);
  const auto* column = row->as<Column>();
  if (column == nullptr || column->column != Column::whole_row) return nullptr;
  const RelationPtr table = scope_.row_table(*column);
  const bool same =
      table != nullptr && table->name == type.name && (type.schema.empty() || type.schema == table->schema);
  return same ? row : nullptr;
}

ExpressionPtr ExpressionAnalyser::cast(const Syntax& expression) {
  if (ExpressionPtr row = row_of_its_own_type(expression)) return row;
  if (ExpressionPtr row = row_of_relation(expression)) return row;
  const Type target = resolve_type(*expression.type_name, scope_.notices());
  const Syntax& written = *expression.arguments[0];
  const bool to_array = written.kind == Syntax::Kind::array && element_type(target.id) != TypeId::none;
  const ExpressionPtr argument = to_array ? array(written, target) : analyse(written);
  const int position = expression.position != 0 ? expression.position : expression.type_name->position;
  ExpressionPtr converted =
      coerce_at(argument, target, CastContext::explicit_only, CallForm::explicit_cast, position, scope_);
  if (converted != nullptr) return converted;
  throw_error(sqlstate::cannot_coerce,
              std::string("cannot cast type ") + type_name(argument->type.id) + " to " + type_name(target.id),
              position);
}

// Everything is compared as in collation C, so that its names mean nothing more.
ExpressionPtr ExpressionAnalyser::collate(const Syntax& expression) {
  ExpressionPtr argument = analyse(expression.arguments[0]);
  if (!is_collatable(argument->type.id)) {
    throw_error(sqlstate::datatype_mismatch,
                std::string("collations are not supported by type ") + type_name(argument->type.id),
                expression.position);
  }
  const std::string schema = expression.path.empty() ? std::string() : expression.path.back();
  if (!schema.empty() && !scope_.has_schema(schema)) {
    throw_error(sqlstate::invalid_schema_name, "schema \"" + schema + "\" does not exist", expression.position);
  }
  constexpr std::array<std::string_view, 4> known = {"C", "POSIX", "default", "ucs_basic"};
  const bool exists = (schema.empty() || schema == "pg_catalog") &&
                      std::find(known.begin(), known.end(), expression.name) != known.end();
  if (exists) return argument;
  throw_error(sqlstate::undefined_object,
              "collation \"" + (schema.empty() ? "" : schema + ".") + expression.name +
                  "\" for encoding \"UTF8\" does not exist",
              expression.position);
}

ExpressionPtr ExpressionAnalyser::value_function(const Syntax& expression) {
  using Kind = ValueFunction::Kind;
  struct Known {
    std::string_view name;
    Kind kind;
    TypeId type;
  };
  static constexpr std::array known = std::to_array<Known>({
      {"current_date", Kind::current_date, TypeId::date},
      {"current_timestamp", Kind::current_timestamp, TypeId::timestamptz},
      {"localtime", Kind::local_time, TypeId::time},
      {"localtimestamp", Kind::local_timestamp, TypeId::timestamp},
      {"current_user", Kind::current_user, TypeId::name},
      {"session_user", Kind::session_user, TypeId::name},
      {"user", Kind::user, TypeId::name},
      {"current_role", Kind::current_role, TypeId::name},
      {"current_catalog", Kind::current_catalog, TypeId::name},
      {"current_schema", Kind::current_schema, TypeId::name},
  });
  for (const Known& each : known) {
    if (each.name != expression.name) continue;
    const int precision = expression.index > 6 ? 6 : expression.index;
    const bool of_time =
        each.type == TypeId::timestamptz || each.type == TypeId::time || each.type == TypeId::timestamp;
    const Type type(each.type, of_time && precision >= 0 ? precision : no_modifier);
    return make_expression(ValueFunction{each.kind, of_time ? precision : -1}, type, expression.position);
  }
  throw_error(sqlstate::feature_not_supported, expression.name + " is not supported", expression.position);
}

OrderKey ExpressionAnalyser::make_order(const ExpressionPtr& expression, const syntax::OrderItem& item) {
  OrderKey key;
  key.expression = settle_unknown(expression, scope_);
  const TypeId type = key.expression->type.id;
  if (less_of(type) == nullptr) {
    throw_error(sqlstate::undefined_function,
                std::string("could not identify an ordering operator for type ") + type_name(type),
                key.expression->position, "", "Use an explicit ordering operator or modify the query.");
  }
  key.descending = item.descending;
  key.nulls_first = item.nulls_first;
  if (!item.using_operator.empty()) {
    key.descending = is_descending_operator(item.using_operator, type, item.using_position);
    if (!item.nulls_written) key.nulls_first = key.descending;
  }
  return key;
}

ExpressionPtr analyse_expression(const syntax::ExpressionPtr& expression, ExpressionScope& scope) {
  return ExpressionAnalyser(scope).analyse(*expression);
}

ExpressionPtr analyse_condition(const syntax::ExpressionPtr& expression, ExpressionScope& scope,
                                std::string_view construct) {
  return coerce_to_boolean(analyse_expression(expression, scope), construct, scope);
}

OrderKey analyse_order(const syntax::OrderItem& item, ExpressionScope& scope) {
  return ExpressionAnalyser(scope).analyse_order(item);
}

}  // namespace polarsim::engine::query
