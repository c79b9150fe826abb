#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "engine/sql/error.h"
#include "engine/sql/parser.h"
#include "engine/sql/tree_builder.h"

namespace polarsim::engine::sql {
namespace {

using Kind = Expression::Kind;

constexpr int max_parameter = 65535;
// BETWEEN and CASE x WHEN share one operand between several places. A tree grown that way must not take forever to
// walk.
constexpr std::size_t max_copied_nodes = 200'000;

[[noreturn]] void refuse(const std::string& what, int position) {
  SqlError error(sqlstate::feature_not_supported, what + " is not supported");
  error.at(position);
  throw error;
}

[[noreturn]] void throw_too_deep() {
  throw SqlError(sqlstate::statement_too_complex, "stack depth limit exceeded", "",
                 "Simplify the nesting of the expression.");
}

// Nodes of the tree as a walk would meet them, but not counted beyond `limit`.
std::size_t count_nodes(const Expression& node, std::size_t limit) {
  std::size_t count = 1;
  for (const ExpressionPtr& argument : node.arguments) {
    if (count >= limit) break;
    count += count_nodes(*argument, limit - count);
  }
  return count;
}

std::string_view construct_name(std::string_view kind) {
  static constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"SubLink", "a subquery"},
      {"RowExpr", "a row expression"},
      {"A_ArrayExpr", "ARRAY"},
      {"A_Indirection", "subscripting"},
      {"CollateClause", "COLLATE"},
      {"SQLValueFunction", "a date, time or user keyword such as CURRENT_TIMESTAMP"},
      {"GroupingFunc", "GROUPING"},
      {"MultiAssignRef", "assignment to a list of columns"},
      {"CurrentOfExpr", "WHERE CURRENT OF"},
      {"SetToDefault", "DEFAULT in this place"},
      {"XmlExpr", "XML"},
      {"NamedArgExpr", "a named argument in this place"},
  };
  for (const auto& [node, name] : known) {
    if (node == kind) return name;
  }
  return kind;
}

Expression node_at(Kind kind, int position) {
  Expression node;
  node.kind = kind;
  node.position = position;
  return node;
}

}  // namespace

ExpressionPtr TreeBuilder::finish(Expression&& node) { return std::make_shared<const Expression>(std::move(node)); }

void TreeBuilder::note_copy(const ExpressionPtr& copied) {
  copied_nodes_ += count_nodes(*copied, max_copied_nodes);
  if (copied_nodes_ >= max_copied_nodes) throw_too_deep();
}

ExpressionPtr TreeBuilder::expression(raw::element wrapped, int depth) {
  if (depth > max_expression_depth) throw_too_deep();
  const raw::Node node(wrapped);
  const raw::object fields = node.fields;
  if (node.kind == "ColumnRef") return column_reference(fields);
  if (node.kind == "A_Const") return constant(fields);
  if (node.kind == "ParamRef") return parameter(fields, TypeId::unknown);
  if (node.kind == "A_Expr") return operator_expression(fields, depth);
  if (node.kind == "BoolExpr") return boolean_expression(fields, depth);
  if (node.kind == "BooleanTest") return boolean_test(fields, depth);
  if (node.kind == "CaseExpr") return case_expression(fields, depth);
  if (node.kind == "TypeCast") return cast(fields, depth);
  if (node.kind == "FuncCall") return function_call(fields, depth);
  if (node.kind == "CoalesceExpr") return named_list(Kind::coalesce, "", fields, depth);
  if (node.kind == "MinMaxExpr") {
    return named_list(Kind::function, raw::text_of(fields, "op") == "IS_LEAST" ? "least" : "greatest", fields, depth);
  }
  if (node.kind == "NullTest") {
    Expression test = node_at(Kind::is_null, position_of(fields));
    test.negated = raw::text_of(fields, "nulltesttype") == "IS_NOT_NULL";
    test.arguments.push_back(expression(fields["arg"], depth + 1));
    return finish(std::move(test));
  }
  refuse(std::string(construct_name(node.kind)), raw::has(fields, "location") ? position_of(fields) : 0);
}

ExpressionPtr TreeBuilder::named_list(Kind kind, std::string name, raw::object fields, int depth) {
  Expression node = node_at(kind, position_of(fields));
  node.name = std::move(name);
  for (const raw::element argument : raw::array(fields["args"]))
    node.arguments.push_back(expression(argument, depth + 1));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::column_reference(raw::object fields) {
  const int position = position_of(fields);
  std::vector<std::string> names;
  for (const raw::element field : raw::array(fields["fields"])) {
    const raw::Node part(field);
    if (part.kind != "String") refuse("a whole-row reference", position);
    names.emplace_back(raw::text_of(part.fields, "sval"));
  }
  // In schema.table.column the schema adds nothing, as a statement has one table.
  if (names.size() > 3) refuse("a cross-database reference", position);
  Expression node = node_at(Kind::column, position);
  node.name = names.back();
  if (names.size() > 1) node.table = names[names.size() - 2];
  if (in_on_conflict_ && node.table == "excluded") {
    node.kind = Kind::excluded;
    node.table.clear();
  }
  return finish(std::move(node));
}

// The grammar's JSON shows zero and every negative integer alike, as an empty object; the text still knows. It has
// minus signs, parentheses, white space and comments before the digits, and nothing else, or the grammar would not have
// folded the sign.
std::int64_t TreeBuilder::reread_integer(raw::object fields) const {
  std::string_view rest = text_.substr(static_cast<std::size_t>(raw::integer_of(fields, "location")));
  bool negative = false;
  while (!rest.empty() && !(rest.front() >= '0' && rest.front() <= '9')) {
    if (rest.starts_with("--")) {
      const std::size_t end = rest.find_first_of("\r\n");
      rest.remove_prefix(std::min(end, rest.size()));
    } else if (rest.starts_with("/*")) {
      int open = 0;
      do {
        if (rest.starts_with("/*")) ++open;
        if (rest.starts_with("*/")) --open;
        rest.remove_prefix(rest.starts_with("/*") || rest.starts_with("*/") ? 2 : 1);
      } while (open > 0 && !rest.empty());
    } else {
      if (rest.front() == '-') negative = !negative;
      rest.remove_prefix(1);
    }
  }
  std::int64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return negative ? -value : value;
}

ExpressionPtr TreeBuilder::constant(raw::object fields) {
  Expression node = node_at(Kind::constant, position_of(fields));
  raw::object wrapped;
  if (fields["ival"].get(wrapped) == simdjson::SUCCESS) {
    const std::int64_t value = raw::integer_of(wrapped, "ival");
    node.value = Value::integer(value != 0 ? value : reread_integer(fields));
    node.type = TypeId::int4;
  } else if (fields["boolval"].get(wrapped) == simdjson::SUCCESS) {
    node.value = Value::boolean(raw::flag_of(wrapped, "boolval"));
    node.type = TypeId::boolean;
  } else if (fields["sval"].get(wrapped) == simdjson::SUCCESS) {
    node.value = Value::text(std::string(raw::text_of(wrapped, "sval")));
  } else if (fields["fval"].get(wrapped) == simdjson::SUCCESS) {
    const std::string_view digits = raw::text_of(wrapped, "fval");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) refuse("type \"numeric\"", node.position);
    node.value = Value::integer(value);
    // The one that fits is the lowest int4, whose digits without the sign do not.
    node.type = value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()
                    ? TypeId::int4
                    : TypeId::int8;
  } else if (!raw::flag_of(fields, "isnull")) {
    refuse("a bit string", node.position);
  }
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::parameter(raw::object fields, TypeId type) {
  const std::int64_t number = raw::integer_of(fields, "number");
  const int position = position_of(fields);
  if (number < 1 || number > max_parameter) {
    SqlError error(sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(number));
    error.at(position);
    throw error;
  }
  Expression node = node_at(Kind::parameter, position);
  node.index = static_cast<int>(number);
  node.type = type;
  parameters_ = std::max(parameters_, node.index);
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::operator_expression(raw::object fields, int depth) {
  const std::string_view kind = raw::text_of(fields, "kind");
  const int position = position_of(fields);
  std::vector<std::string> names;
  for (const raw::element part : raw::array(fields["name"]))
    names.emplace_back(raw::text_of(raw::Node(part).fields, "sval"));
  const std::string& name = names.back();
  if (names.size() > 2 || (names.size() == 2 && names.front() != "pg_catalog"))
    refuse("an operator of a schema", position);

  if (kind == "AEXPR_OP") {
    static constexpr std::string_view known[] = {"+",  "-", "*",  "/", "%",  "||", "=",
                                                 "<>", "<", "<=", ">", ">=", "~~", "!~~"};
    if (std::find(std::begin(known), std::end(known), name) == std::end(known)) refuse("operator " + name, position);
    return plain_operator(fields, name, depth);
  }
  if (kind == "AEXPR_LIKE") return plain_operator(fields, name, depth);
  if (kind == "AEXPR_DISTINCT") return plain_operator(fields, "IS DISTINCT FROM", depth);
  if (kind == "AEXPR_NOT_DISTINCT") return plain_operator(fields, "IS NOT DISTINCT FROM", depth);
  if (kind == "AEXPR_IN") return in_list(fields, name == "<>", depth);
  if (kind == "AEXPR_BETWEEN") return between(fields, false, depth);
  if (kind == "AEXPR_NOT_BETWEEN") return between(fields, true, depth);
  if (kind == "AEXPR_NULLIF") {
    Expression node = node_at(Kind::function, position);
    node.name = "nullif";
    node.arguments.push_back(expression(fields["lexpr"], depth + 1));
    node.arguments.push_back(expression(fields["rexpr"], depth + 1));
    return finish(std::move(node));
  }
  if (kind == "AEXPR_OP_ANY") refuse("ANY", position);
  if (kind == "AEXPR_OP_ALL") refuse("ALL", position);
  if (kind == "AEXPR_ILIKE") refuse("ILIKE", position);
  if (kind == "AEXPR_SIMILAR") refuse("SIMILAR TO", position);
  refuse("BETWEEN SYMMETRIC", position);
}

ExpressionPtr TreeBuilder::plain_operator(raw::object fields, std::string name, int depth) {
  Expression node = node_at(Kind::operation, position_of(fields));
  node.name = std::move(name);
  if (raw::has(fields, "lexpr")) node.arguments.push_back(expression(fields["lexpr"], depth + 1));
  node.arguments.push_back(expression(fields["rexpr"], depth + 1));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::in_list(raw::object fields, bool negated, int depth) {
  Expression node = node_at(Kind::in_list, position_of(fields));
  node.negated = negated;
  node.arguments.push_back(expression(fields["lexpr"], depth + 1));
  for (const raw::element item : raw::array(raw::Node(fields["rexpr"]).fields["items"])) {
    node.arguments.push_back(expression(item, depth + 1));
  }
  return finish(std::move(node));
}

// x BETWEEN a AND b is x >= a AND x <= b; its negation is x < a OR x > b.
ExpressionPtr TreeBuilder::between(raw::object fields, bool negated, int depth) {
  const int position = position_of(fields);
  const ExpressionPtr subject = expression(fields["lexpr"], depth + 2);
  note_copy(subject);
  Expression both = node_at(negated ? Kind::logical_or : Kind::logical_and, position);
  const char* const names[] = {negated ? "<" : ">=", negated ? ">" : "<="};
  std::size_t i = 0;
  for (const raw::element bound : raw::array(raw::Node(fields["rexpr"]).fields["items"])) {
    Expression comparison = node_at(Kind::operation, position);
    comparison.name = names[i++];
    comparison.arguments = {subject, expression(bound, depth + 2)};
    both.arguments.push_back(finish(std::move(comparison)));
  }
  return finish(std::move(both));
}

ExpressionPtr TreeBuilder::boolean_expression(raw::object fields, int depth) {
  const std::string_view operation = raw::text_of(fields, "boolop");
  const Kind kind =
      operation == "NOT_EXPR" ? Kind::logical_not : (operation == "OR_EXPR" ? Kind::logical_or : Kind::logical_and);
  Expression node = node_at(kind, position_of(fields));
  for (const raw::element argument : raw::array(fields["args"])) {
    ExpressionPtr built = expression(argument, depth + 1);
    // a AND (b AND c) is a AND b AND c: flat conjunctions are what planners look for, and they need no stack.
    if (built->kind == kind && kind != Kind::logical_not) {
      node.arguments.insert(node.arguments.end(), built->arguments.begin(), built->arguments.end());
    } else {
      node.arguments.push_back(std::move(built));
    }
  }
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::boolean_test(raw::object fields, int depth) {
  Expression node = node_at(Kind::operation, position_of(fields));
  node.name = raw::text_of(fields, "booltesttype");
  std::replace(node.name.begin(), node.name.end(), '_', ' ');
  node.arguments.push_back(expression(fields["arg"], depth + 1));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::case_expression(raw::object fields, int depth) {
  Expression node = node_at(Kind::case_when, position_of(fields));
  ExpressionPtr subject;
  if (raw::has(fields, "arg")) subject = expression(fields["arg"], depth + 3);
  if (subject && subject->type == TypeId::unknown &&
      (subject->kind == Kind::constant || subject->kind == Kind::parameter)) {
    // PostgreSQL decides that a subject without a type is text before it looks at the values to compare it with.
    Expression typed = *subject;
    typed.type = TypeId::text;
    if (subject->kind == Kind::constant) {
      typed = node_at(Kind::cast, subject->position);
      typed.type = TypeId::text;
      typed.arguments.push_back(subject);
    }
    subject = finish(std::move(typed));
  }
  for (const raw::element clause : raw::array(fields["args"])) {
    const raw::object when = raw::Node(clause).fields;
    ExpressionPtr condition = expression(when["expr"], depth + 2);
    if (subject) {
      note_copy(subject);
      Expression comparison = node_at(Kind::operation, position_of(when));
      comparison.name = "=";
      comparison.arguments = {subject, std::move(condition)};
      condition = finish(std::move(comparison));
    }
    node.arguments.push_back(std::move(condition));
    node.arguments.push_back(expression(when["result"], depth + 1));
  }
  if (raw::has(fields, "defresult")) node.arguments.push_back(expression(fields["defresult"], depth + 1));
  return finish(std::move(node));
}

TypeId TreeBuilder::type_of(raw::object type_name) const {
  std::string name;
  for (const raw::element part : raw::array(type_name["names"])) name = raw::text_of(raw::Node(part).fields, "sval");
  const bool plain = !raw::has(type_name, "typmods") && !raw::has(type_name, "arrayBounds") &&
                     !raw::flag_of(type_name, "setof") && !raw::flag_of(type_name, "pct_type");
  if (plain && name == "int4") return TypeId::int4;
  if (plain && name == "int8") return TypeId::int8;
  if (plain && name == "bool") return TypeId::boolean;
  if (plain && name == "text") return TypeId::text;
  if (raw::has(type_name, "arrayBounds")) name += "[]";
  refuse("type \"" + name + "\"", position_of(type_name));
}

ExpressionPtr TreeBuilder::cast(raw::object fields, int depth) {
  const TypeId type = type_of(fields["typeName"]);
  const raw::Node argument{raw::element(fields["arg"])};
  if (argument.kind == "ParamRef") return parameter(argument.fields, type);
  const std::int64_t location = raw::integer_of(fields, "location");
  Expression node = node_at(Kind::cast, positions_.at(location));
  node.type = type;
  node.arguments.push_back(expression(fields["arg"], depth + 1));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::function_call(raw::object fields, int depth) {
  const int position = position_of(fields);
  allow_fields(fields, {"funcname", "args", "agg_star", "agg_distinct", "funcformat", "location"},
               {{"over", "a window function"},
                {"agg_filter", "FILTER"},
                {"agg_order", "ORDER BY in an aggregate call"},
                {"agg_within_group", "WITHIN GROUP"},
                {"func_variadic", "VARIADIC"}});
  std::vector<std::string> names;
  for (const raw::element part : raw::array(fields["funcname"]))
    names.emplace_back(raw::text_of(raw::Node(part).fields, "sval"));
  if (names.size() > 1 && names[names.size() - 2] != "pg_catalog" && names[names.size() - 2] != "public") {
    refuse("a function of schema \"" + names.front() + "\"", position);
  }
  Expression node = node_at(Kind::function, position);
  node.name = names.back();
  node.star = raw::flag_of(fields, "agg_star");
  node.distinct = raw::flag_of(fields, "agg_distinct");
  raw::array arguments;
  if (fields["args"].get(arguments) != simdjson::SUCCESS) return finish(std::move(node));
  for (const raw::element argument : arguments) {
    const raw::Node named(argument);
    if (node.name == "pg_sleep" && named.kind == "A_Const" && raw::has(named.fields, "fval")) {
      // The one function that takes a number with a fraction, as PostgreSQL also does in quotes.
      Expression seconds = node_at(Kind::constant, position_of(named.fields));
      seconds.value = Value::text(std::string(raw::text_of(raw::object(named.fields["fval"]), "fval")));
      node.arguments.push_back(finish(std::move(seconds)));
      continue;
    }
    if (named.kind != "NamedArgExpr") {
      node.arguments.push_back(expression(argument, depth + 1));
      continue;
    }
    Expression pair = node_at(Kind::function, position_of(named.fields));
    pair.name = named_argument;
    Expression key = node_at(Kind::constant, pair.position);
    key.value = Value::text(std::string(raw::text_of(named.fields, "name")));
    key.type = TypeId::text;
    pair.arguments = {finish(std::move(key)), expression(named.fields["arg"], depth + 2)};
    node.arguments.push_back(finish(std::move(pair)));
  }
  return finish(std::move(node));
}

}  // namespace polarsim::engine::sql
