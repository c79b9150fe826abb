#include <algorithm>
#include <utility>

#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

using Kind = Expression::Kind;

// The last name is the operator, the one before its schema.
void take_operator(std::vector<std::string> names, Expression& into) {
  if (names.size() > 2) refuse("an operator of another database", into.position);
  into.name = std::move(names.back());
  if (names.size() == 2) into.schema = std::move(names.front());
}

}  // namespace

Expression node_at(Kind kind, int position) {
  Expression node;
  node.kind = kind;
  node.position = position;
  return node;
}

ExpressionPtr finish(Expression&& node) { return std::make_shared<const Expression>(std::move(node)); }

ExpressionPtr TreeBuilder::optional_expression(raw::object fields, std::string_view key) {
  raw::element wrapped;
  return fields[key].get(wrapped) == simdjson::SUCCESS ? expression(wrapped) : nullptr;
}

std::vector<ExpressionPtr> TreeBuilder::expressions(raw::object fields, std::string_view key) {
  std::vector<ExpressionPtr> out;
  out.reserve(raw::size_of(fields, key));
  raw::for_each(fields, key, [&](raw::element item) { out.push_back(expression(item)); });
  return out;
}

ExpressionPtr TreeBuilder::expression(raw::element wrapped) {
  const Level level(*this);
  const raw::Node node(wrapped);
  const raw::object fields = node.fields;
  if (node.kind == "ColumnRef") return column_reference(fields);
  if (node.kind == "A_Const") return constant(fields);
  if (node.kind == "ParamRef") return parameter(fields);
  if (node.kind == "A_Expr") return operator_expression(fields);
  if (node.kind == "BoolExpr") return boolean_expression(fields);
  if (node.kind == "FuncCall") return function_call(fields);
  if (node.kind == "TypeCast") return cast(fields);
  if (node.kind == "NullTest") return null_test(fields);
  if (node.kind == "BooleanTest") return boolean_test(fields);
  if (node.kind == "CaseExpr") return case_expression(fields);
  if (node.kind == "SubLink") return subquery(fields);
  return other_expression(node);
}

ExpressionPtr TreeBuilder::other_expression(const raw::Node& node) {
  const raw::object fields = node.fields;
  if (node.kind == "CoalesceExpr") return argument_list(Kind::coalesce, fields, "args");
  if (node.kind == "MinMaxExpr") {
    return argument_list(raw::text_of(fields, "op") == "IS_LEAST" ? Kind::least : Kind::greatest, fields, "args");
  }
  if (node.kind == "RowExpr") {
    Expression row = node_at(Kind::row, position_of(fields));
    row.explicit_row = raw::text_of(fields, "row_format") == "COERCE_EXPLICIT_CALL";
    row.arguments = expressions(fields, "args");
    return finish(std::move(row));
  }
  if (node.kind == "A_ArrayExpr") return array_of(fields, false);
  if (node.kind == "A_Indirection") return indirection(fields);
  if (node.kind == "SQLValueFunction") return value_function(fields);
  if (node.kind == "SetToDefault") return finish(node_at(Kind::default_value, position_of(fields)));
  if (node.kind == "GroupingFunc") return argument_list(Kind::grouping, fields, "args");
  if (node.kind == "CollateClause") {
    Expression collate = node_at(Kind::collate, position_of(fields));
    collate.path = raw::strings_of(fields, "collname");
    collate.name = std::move(collate.path.back());
    collate.path.pop_back();
    collate.arguments.push_back(expression(fields["arg"]));
    return finish(std::move(collate));
  }
  if (node.kind == "NamedArgExpr") {
    Expression named = node_at(Kind::named_argument, position_of(fields));
    named.name = raw::text_of(fields, "name");
    named.arguments.push_back(expression(fields["arg"]));
    return finish(std::move(named));
  }
  if (node.kind == "GroupingSet") {
    const std::string_view kind = raw::text_of(fields, "kind");
    Expression set = node_at(Kind::group_set, position_of(fields));
    set.name = kind == "GROUPING_SET_ROLLUP" ? "rollup"
               : kind == "GROUPING_SET_CUBE" ? "cube"
               : kind == "GROUPING_SET_SETS" ? "sets"
                                             : "empty";
    set.arguments = expressions(fields, "content");
    return finish(std::move(set));
  }
  if (node.kind == "CurrentOfExpr") {
    Expression current = node_at(Kind::current_of, 0);
    current.name = raw::text_of(fields, "cursor_name");
    current.index = static_cast<int>(raw::integer_of(fields, "cursor_param"));
    parameters_ = std::max(parameters_, current.index);
    return finish(std::move(current));
  }
  if (node.kind == "XmlExpr" || node.kind == "XmlSerialize") {
    throw SqlError(sqlstate::feature_not_supported, "unsupported XML feature",
                   "This functionality requires the server to be built with libxml support.");
  }
  refuse("an expression of kind " + std::string(node.kind));
}

ExpressionPtr TreeBuilder::argument_list(Kind kind, raw::object fields, std::string_view key) {
  Expression node = node_at(kind, position_of(fields));
  node.arguments = expressions(fields, key);
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::column_reference(raw::object fields) {
  Expression node = node_at(Kind::column, position_of(fields));
  raw::for_each(fields, "fields", [&](raw::element field) {
    const raw::Node part(field);
    if (part.kind == "A_Star") {
      node.kind = Kind::star;
    } else {
      node.path.emplace_back(raw::text_of(part.fields, "sval"));
    }
  });
  if (node.kind == Kind::column) {
    node.name = std::move(node.path.back());
    node.path.pop_back();
  }
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::operator_expression(raw::object fields) {
  const std::string_view kind = raw::text_of(fields, "kind");
  Expression node = node_at(Kind::operation, position_of(fields));
  take_operator(raw::strings_of(fields, "name"), node);
  const auto between = [&](bool negated, bool symmetric) {
    node.kind = Kind::between;
    node.negated = negated;
    node.symmetric = symmetric;
  };
  const auto array_comparison = [&](bool all) {
    node.kind = Kind::array_comparison;
    node.all = all;
  };
  bool keeps_name = true;
  if (kind == "AEXPR_OP_ANY" || kind == "AEXPR_OP_ALL") {
    array_comparison(kind == "AEXPR_OP_ALL");
  } else if (kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE" || kind == "AEXPR_SIMILAR") {
    node.kind = Kind::like;
  } else if (kind != "AEXPR_OP") {
    keeps_name = false;
    if (kind == "AEXPR_DISTINCT" || kind == "AEXPR_NOT_DISTINCT") {
      node.kind = Kind::distinct_test;
      node.negated = kind == "AEXPR_NOT_DISTINCT";
    } else if (kind == "AEXPR_IN") {
      node.kind = Kind::in_list;
      node.negated = node.name == "<>";
    } else if (kind == "AEXPR_NULLIF") {
      node.kind = Kind::null_if;
    } else {
      between(kind == "AEXPR_NOT_BETWEEN" || kind == "AEXPR_NOT_BETWEEN_SYM",
              kind == "AEXPR_BETWEEN_SYM" || kind == "AEXPR_NOT_BETWEEN_SYM");
    }
  }
  if (!keeps_name) {
    node.name.clear();
    node.schema.clear();
  }
  if (ExpressionPtr left = optional_expression(fields, "lexpr")) node.arguments.push_back(std::move(left));
  if (node.kind == Kind::in_list || node.kind == Kind::between) {
    raw::for_each(raw::Node(fields["rexpr"]).fields, "items",
                  [&](raw::element item) { node.arguments.push_back(expression(item)); });
  } else {
    node.arguments.push_back(expression(fields["rexpr"]));
  }
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::boolean_expression(raw::object fields) {
  const std::string_view operation = raw::text_of(fields, "boolop");
  const Kind kind = operation == "NOT_EXPR"  ? Kind::logical_not
                    : operation == "OR_EXPR" ? Kind::logical_or
                                             : Kind::logical_and;
  Expression node = node_at(kind, position_of(fields));
  raw::for_each(fields, "args", [&](raw::element argument) {
    ExpressionPtr built = expression(argument);
    // a AND (b AND c) is a AND b AND c: flat conjunctions are what planners look for, and they need no stack.
    if (built->kind == kind && kind != Kind::logical_not) {
      node.arguments.insert(node.arguments.end(), built->arguments.begin(), built->arguments.end());
    } else {
      node.arguments.push_back(std::move(built));
    }
  });
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::null_test(raw::object fields) {
  Expression node = node_at(Kind::is_null, position_of(fields));
  node.negated = raw::text_of(fields, "nulltesttype") == "IS_NOT_NULL";
  node.arguments.push_back(expression(fields["arg"]));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::boolean_test(raw::object fields) {
  const std::string_view test = raw::text_of(fields, "booltesttype");
  Expression node = node_at(Kind::boolean_test, position_of(fields));
  node.name = test.ends_with("TRUE") ? "true" : test.ends_with("FALSE") ? "false" : "unknown";
  node.negated = test.starts_with("IS_NOT_");
  node.arguments.push_back(expression(fields["arg"]));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::case_expression(raw::object fields) {
  Expression node = node_at(Kind::case_when, position_of(fields));
  node.operand = optional_expression(fields, "arg");
  raw::for_each(fields, "args", [&](raw::element clause) {
    const raw::object when = raw::Node(clause).fields;
    node.arguments.push_back(expression(when["expr"]));
    node.arguments.push_back(expression(when["result"]));
    if (node.operand) node.when_positions.push_back(position_of(when));
  });
  if (ExpressionPtr otherwise = optional_expression(fields, "defresult"))
    node.arguments.push_back(std::move(otherwise));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::function_call(raw::object fields) {
  Expression node = node_at(Kind::function, position_of(fields));
  std::vector<std::string> names = object_name(fields, "funcname", node.position);
  node.schema = std::move(names.front());
  node.name = std::move(names.back());
  node.arguments = expressions(fields, "args");
  node.star = raw::flag_of(fields, "agg_star");
  node.distinct = raw::flag_of(fields, "agg_distinct");
  node.special_syntax = raw::text_of(fields, "funcformat") == "COERCE_SQL_SYNTAX";
  CallDetails details;
  details.order_by = order_items(fields, "agg_order");
  details.within_group = raw::flag_of(fields, "agg_within_group");
  details.filter = optional_expression(fields, "agg_filter");
  details.variadic = raw::flag_of(fields, "func_variadic");
  raw::object over;
  if (fields["over"].get(over) == simdjson::SUCCESS) details.over = window(over);
  if (!details.order_by.empty() || details.within_group || details.filter || details.variadic || details.over) {
    node.call = std::make_shared<const CallDetails>(std::move(details));
  }
  return finish(std::move(node));
}

Expression::Subscript TreeBuilder::subscript_of(raw::object fields) {
  Expression::Subscript subscript;
  subscript.slice = raw::flag_of(fields, "is_slice");
  subscript.lower = optional_expression(fields, "lidx");
  subscript.upper = optional_expression(fields, "uidx");
  return subscript;
}

// (x).a[1][2].b: subscripts side by side are one node, every name is one of its own.
ExpressionPtr TreeBuilder::indirection(raw::object fields) {
  // What is inside lies below all the nodes that are put around it.
  const int levels = static_cast<int>(raw::size_of(fields, "indirection")) - 1;
  depth_ += levels;
  ExpressionPtr inner = expression(fields["arg"]);
  depth_ -= levels;
  Expression subscripts;
  const auto end_subscripts = [&] {
    if (subscripts.subscripts.empty()) return;
    subscripts.kind = Kind::subscript;
    subscripts.position = inner->position;
    subscripts.arguments.push_back(std::move(inner));
    inner = finish(std::exchange(subscripts, Expression()));
  };
  raw::for_each(fields, "indirection", [&](raw::element part) {
    const raw::Node node(part);
    if (node.kind == "A_Indices") {
      subscripts.subscripts.push_back(subscript_of(node.fields));
      return;
    }
    end_subscripts();
    Expression field = node_at(Kind::field, inner->position);
    field.name = raw::text_of(node.fields, "sval");  // none of a star
    field.arguments.push_back(std::move(inner));
    inner = finish(std::move(field));
  });
  end_subscripts();
  return inner;
}

ExpressionPtr TreeBuilder::array_of(raw::object fields, bool nested) {
  Expression node = node_at(Kind::array, position_of(fields));
  node.multidimensional = nested;
  raw::for_each(fields, "elements", [&](raw::element item) {
    const raw::Node element(item);
    if (element.kind != "A_ArrayExpr") return node.arguments.push_back(expression(item));
    const Level level(*this);
    node.arguments.push_back(array_of(element.fields, true));
  });
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::subquery(raw::object fields) {
  const std::string_view kind = raw::text_of(fields, "subLinkType");
  Expression node = node_at(Kind::scalar_subquery, position_of(fields));
  if (kind == "EXISTS_SUBLINK") {
    node.kind = Kind::exists;
  } else if (kind == "ARRAY_SUBLINK") {
    node.kind = Kind::array_subquery;
  } else if (kind == "ANY_SUBLINK" || kind == "ALL_SUBLINK") {
    node.kind = Kind::subquery_comparison;
    node.all = kind == "ALL_SUBLINK";
    node.in_written = !raw::has(fields, "operName");
    if (node.in_written) {
      node.name = "=";
    } else {
      take_operator(raw::strings_of(fields, "operName"), node);
    }
    node.arguments.push_back(expression(fields["testexpr"]));
  } else if (kind != "EXPR_SUBLINK") {
    refuse("a subquery of kind " + std::string(kind), node.position);
  }
  node.query = select_pointer(fields["subselect"]);
  return finish(std::move(node));
}

}  // namespace polarsim::engine::syntax
