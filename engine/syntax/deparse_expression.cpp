#include <limits>
#include <utility>

#include "engine/syntax/deparse_writer.h"
#include "engine/types/numeric.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::syntax {
namespace {

using Kind = Expression::Kind;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

bool is_negative(const Value& value) {
  return (value.is_integer() && value.as_integer() < 0) ||
         (value.is_numeric() && value.as_numeric().to_string().starts_with('-'));
}

// What needs no brackets as an operand.
bool is_primary(const Expression& node) {
  switch (node.kind) {
    case Kind::constant:
      return !is_negative(node.value);
    case Kind::operation:
    case Kind::array_comparison:
    case Kind::logical_and:
    case Kind::logical_or:
    case Kind::logical_not:
    case Kind::is_null:
    case Kind::boolean_test:
    case Kind::distinct_test:
    case Kind::in_list:
    case Kind::between:
    case Kind::like:
    case Kind::collate:
    case Kind::named_argument:
    case Kind::subquery_comparison:
    case Kind::group_set:
    case Kind::current_of:
      return false;
    default:
      return true;
  }
}

bool is_catalog_call(const Expression& node, std::string_view name) {
  return node.kind == Kind::function && node.schema == "pg_catalog" && node.name == name && !node.call &&
         !node.distinct && !node.star;
}

}  // namespace

void Writer::operand(const Expression& node) {
  if (is_primary(node)) return expression(node);
  bracketed(node);
}

void Writer::bracketed(const Expression& node) {
  out_ += '(';
  expression(node);
  out_ += ')';
}

void Writer::expression(const Expression& node) {
  check_stack_depth();
  switch (node.kind) {
    case Kind::constant:
      return constant(node);
    case Kind::parameter:
      out_ += '$' + std::to_string(node.index);
      return;
    case Kind::column:
    case Kind::star:
      path(node.path);
      if (!node.path.empty()) out_ += '.';
      if (node.kind == Kind::star) {
        out_ += '*';
      } else {
        name(node.name);
      }
      return;
    case Kind::operation:
      return operation(node);
    case Kind::array_comparison:
    case Kind::in_list:
    case Kind::between:
      return comparison(node);
    case Kind::like:
      return like(node);
    case Kind::logical_and:
      return joined(node.arguments, " AND ");
    case Kind::logical_or:
      return joined(node.arguments, " OR ");
    case Kind::logical_not:
      out_ += "NOT ";
      return operand(*node.arguments[0]);
    case Kind::is_null:
    case Kind::boolean_test:
    case Kind::distinct_test:
      return test(node);
    case Kind::null_if:
      return call("NULLIF", node);
    case Kind::case_when:
      return case_when(node);
    case Kind::coalesce:
      return call("COALESCE", node);
    case Kind::greatest:
      return call("GREATEST", node);
    case Kind::least:
      return call("LEAST", node);
    case Kind::grouping:
      return call("GROUPING", node);
    case Kind::cast:
      operand(*node.arguments[0]);
      out_ += "::";
      return type(*node.type_name);
    case Kind::collate:
      operand(*node.arguments[0]);
      out_ += " COLLATE ";
      path(node.path);
      if (!node.path.empty()) out_ += '.';
      return name(node.name);
    case Kind::function:
      return function(node);
    case Kind::named_argument:
      name(node.name);
      out_ += " => ";
      return expression(*node.arguments[0]);
    case Kind::value_function:
      out_ += upper(node.name);
      if (node.index >= 0) out_ += '(' + std::to_string(node.index) + ')';
      return;
    case Kind::row:
      return call(node.explicit_row ? "ROW" : "", node);
    case Kind::array:
      out_ += "ARRAY[";
      expressions(node.arguments);
      out_ += ']';
      return;
    case Kind::subscript: {
      const Expression& base = *node.arguments[0];
      if (base.kind == Kind::column || base.kind == Kind::parameter) {
        expression(base);
      } else {
        bracketed(base);
      }
      return subscripts(node.subscripts);
    }
    case Kind::field:
      bracketed(*node.arguments[0]);
      out_ += '.';
      if (node.name.empty()) {
        out_ += '*';
      } else {
        name(node.name);
      }
      return;
    case Kind::exists:
    case Kind::scalar_subquery:
    case Kind::array_subquery:
    case Kind::subquery_comparison:
      return subquery(node);
    case Kind::default_value:
      out_ += "DEFAULT";
      return;
    case Kind::group_set:
      return group_set(node);
    case Kind::current_of:
      out_ += "CURRENT OF ";
      if (node.index > 0) {
        out_ += '$' + std::to_string(node.index);
      } else {
        name(node.name);
      }
      return;
  }
}

void Writer::constant(const Expression& node) {
  const Value& value = node.value;
  if (value.is_null()) {
    out_ += "NULL";
  } else if (value.is_boolean()) {
    out_ += value.as_boolean() ? "TRUE" : "FALSE";
  } else if (value.is_text()) {
    literal(value.as_text());
  } else if (value.is_numeric()) {
    const std::string digits = value.as_numeric().to_string();
    out_ += digits;
    // A point keeps it from being read as an integer.
    if (digits.find('.') == std::string::npos) out_ += '.';
  } else {
    const std::int64_t number = value.as_integer();
    const bool reads_as_int4 =
        number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max();
    const bool typed = node.type == TypeId::int8 && reads_as_int4;  // only in trees that no parser made
    out_ += typed ? '(' + std::to_string(number) + ")::bigint" : std::to_string(number);
  }
}

void Writer::operator_name(const Expression& node) {
  if (node.schema.empty()) {
    out_ += node.name;
    return;
  }
  out_ += "OPERATOR(";
  name(node.schema);
  out_ += '.' + node.name + ')';
}

void Writer::operation(const Expression& node) {
  if (node.arguments.size() == 2) {
    operand(*node.arguments[0]);
    out_ += ' ';
  }
  operator_name(node);
  out_ += ' ';
  operand(*node.arguments.back());
}

void Writer::comparison(const Expression& node) {
  operand(*node.arguments[0]);
  if (node.kind == Kind::array_comparison) {
    out_ += ' ';
    operator_name(node);
    out_ += node.all ? " ALL (" : " ANY (";
    expression(*node.arguments[1]);
    out_ += ')';
    return;
  }
  if (node.negated) out_ += " NOT";
  if (node.kind == Kind::in_list) {
    out_ += " IN (";
    expressions(node.arguments, 1);
    out_ += ')';
    return;
  }
  out_ += node.symmetric ? " BETWEEN SYMMETRIC " : " BETWEEN ";
  operand(*node.arguments[1]);
  out_ += " AND ";
  operand(*node.arguments[2]);
}

void Writer::test(const Expression& node) {
  operand(*node.arguments[0]);
  out_ += node.negated ? " IS NOT " : " IS ";
  if (node.kind == Kind::is_null) {
    out_ += "NULL";
  } else if (node.kind == Kind::boolean_test) {
    out_ += upper(node.name);
  } else {
    out_ += "DISTINCT FROM ";
    operand(*node.arguments[1]);
  }
}

void Writer::like(const Expression& node) {
  const bool similar = node.name == "~" || node.name == "!~";
  operand(*node.arguments[0]);
  out_ += node.name.starts_with('!') ? " NOT " : " ";
  out_ += similar ? "SIMILAR TO " : node.name.ends_with('*') ? "ILIKE " : "LIKE ";
  const Expression& pattern = *node.arguments[1];
  if (!is_catalog_call(pattern, similar ? "similar_to_escape" : "like_escape")) return operand(pattern);
  operand(*pattern.arguments[0]);
  if (pattern.arguments.size() == 1) return;
  out_ += " ESCAPE ";
  operand(*pattern.arguments[1]);
}

void Writer::joined(const std::vector<ExpressionPtr>& arguments, std::string_view separator) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) out_ += separator;
    operand(*arguments[i]);
  }
}

void Writer::call(std::string_view keyword, const Expression& node) {
  out_ += keyword;
  out_ += '(';
  expressions(node.arguments);
  out_ += ')';
}

void Writer::case_when(const Expression& node) {
  out_ += "CASE";
  if (node.operand) {
    out_ += ' ';
    expression(*node.operand);
  }
  std::size_t i = 0;
  for (; i + 1 < node.arguments.size(); i += 2) {
    out_ += " WHEN ";
    expression(*node.arguments[i]);
    out_ += " THEN ";
    expression(*node.arguments[i + 1]);
  }
  if (i < node.arguments.size()) {
    out_ += " ELSE ";
    expression(*node.arguments[i]);
  }
  out_ += " END";
}

void Writer::function(const Expression& node) {
  // In GROUP BY these two would be something else.
  if (node.schema.empty() && (node.name == "rollup" || node.name == "cube")) {
    out_ += '"' + node.name + '"';
  } else {
    qualified(node.schema, node.name);
  }
  out_ += '(';
  if (node.star) out_ += '*';
  if (node.distinct) out_ += "DISTINCT ";
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    if (i > 0) out_ += ", ";
    if (node.call && node.call->variadic && i + 1 == node.arguments.size()) out_ += "VARIADIC ";
    expression(*node.arguments[i]);
  }
  if (!node.call) {
    out_ += ')';
    return;
  }
  const CallDetails& details = *node.call;
  if (details.within_group) {
    out_ += ") WITHIN GROUP (ORDER BY ";
    order_by(details.order_by);
  } else if (!details.order_by.empty()) {
    out_ += " ORDER BY ";
    order_by(details.order_by);
  }
  out_ += ')';
  if (details.filter) {
    out_ += " FILTER (WHERE ";
    expression(*details.filter);
    out_ += ')';
  }
  if (!details.over) return;
  out_ += " OVER ";
  if (details.over->name.empty()) return window(*details.over);
  name(details.over->name);
}

void Writer::subscripts(const std::vector<Expression::Subscript>& list) {
  for (const Expression::Subscript& subscript : list) {
    out_ += '[';
    if (subscript.lower) expression(*subscript.lower);
    if (subscript.slice) out_ += ':';
    if (subscript.upper) expression(*subscript.upper);
    out_ += ']';
  }
}

void Writer::group_set(const Expression& node) {
  if (node.name == "empty") {
    out_ += "()";
  } else {
    call(node.name == "sets" ? "GROUPING SETS " : upper(node.name) + ' ', node);
  }
}

void Writer::subquery(const Expression& node) {
  if (node.kind == Kind::exists) out_ += "EXISTS ";
  if (node.kind == Kind::array_subquery) out_ += "ARRAY";
  if (node.kind == Kind::subquery_comparison) {
    operand(*node.arguments[0]);
    out_ += ' ';
    if (node.in_written) {
      out_ += "IN ";
    } else {
      operator_name(node);
      out_ += node.all ? " ALL " : " ANY ";
    }
  }
  out_ += '(';
  write(*node.query);
  out_ += ')';
}

void Writer::order_by(const std::vector<OrderItem>& list) {
  separated(list, [&](const OrderItem& item) {
    expression(*item.expression);
    if (!item.using_operator.empty()) {
      out_ += " USING ";
      Expression used;
      used.schema = item.using_schema;
      used.name = item.using_operator;
      operator_name(used);
    } else if (item.descending) {
      out_ += " DESC";
    }
    if (item.nulls_written) out_ += item.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  });
}

void Writer::frame_bound(WindowSpecification::Bound bound, const ExpressionPtr& offset) {
  using Bound = WindowSpecification::Bound;
  if (offset) {
    operand(*offset);
    out_ += ' ';
  }
  switch (bound) {
    case Bound::unbounded_preceding:
      out_ += "UNBOUNDED PRECEDING";
      return;
    case Bound::preceding:
      out_ += "PRECEDING";
      return;
    case Bound::current_row:
      out_ += "CURRENT ROW";
      return;
    case Bound::following:
      out_ += "FOLLOWING";
      return;
    case Bound::unbounded_following:
      out_ += "UNBOUNDED FOLLOWING";
      return;
  }
}

// All but the name.
void Writer::window(const WindowSpecification& specification) {
  using Mode = WindowSpecification::Mode;
  using Exclusion = WindowSpecification::Exclusion;
  out_ += '(';
  const std::size_t start = out_.size();
  const auto space = [&] {
    if (out_.size() > start) out_ += ' ';
  };
  if (!specification.reference.empty()) name(specification.reference);
  if (!specification.partition_by.empty()) {
    space();
    out_ += "PARTITION BY ";
    expressions(specification.partition_by);
  }
  if (!specification.order_by.empty()) {
    space();
    out_ += "ORDER BY ";
    order_by(specification.order_by);
  }
  if (specification.frame_written) {
    space();
    out_ += specification.mode == Mode::rows     ? "ROWS BETWEEN "
            : specification.mode == Mode::groups ? "GROUPS BETWEEN "
                                                 : "RANGE BETWEEN ";
    frame_bound(specification.start, specification.start_offset);
    out_ += " AND ";
    frame_bound(specification.end, specification.end_offset);
    if (specification.exclusion == Exclusion::current_row) out_ += " EXCLUDE CURRENT ROW";
    if (specification.exclusion == Exclusion::group) out_ += " EXCLUDE GROUP";
    if (specification.exclusion == Exclusion::ties) out_ += " EXCLUDE TIES";
  }
  out_ += ')';
}

}  // namespace polarsim::engine::syntax
