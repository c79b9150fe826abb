#include <algorithm>
#include <string>

#include "engine/query/expression_analyser.h"
#include "engine/types/order.h"

// Operators, comparisons and what is made of them: IN, BETWEEN, IS DISTINCT FROM, NULLIF, rows.
namespace polarsim::engine::query {
namespace {

bool is_null_constant(const ExpressionPtr& expression) {
  const auto* constant = expression->as<Constant>();
  return constant != nullptr && constant->value.is_null();
}

bool is_comparison_symbol(std::string_view symbol) {
  return symbol == "=" || symbol == "<>" || symbol == "<" || symbol == "<=" || symbol == ">" || symbol == ">=";
}

// Whether the operator is one of a B-tree's.
bool is_ordering(const OperatorEntry& entry) {
  if (!is_comparison_symbol(entry.symbol)) return false;
  return is_pseudo_type(entry.left) || is_ordered(entry.left);
}

// Columns of the query where the expression stands; not those of queries around it.
bool uses_own_columns(const ExpressionPtr& expression) {
  bool found = false;
  walk(expression, [&](const Expression& each, int levels) {
    const auto* column = each.as<Column>();
    found = found || (column != nullptr && column->levels_up == levels);
    return !found;
  });
  return found;
}

}  // namespace

ExpressionPtr ExpressionAnalyser::operation(const Syntax& expression) {
  const OperatorName name{expression.name, expression.schema, expression.position};
  if (expression.arguments.size() == 1)
    return make_operator_call(name, nullptr, analyse(expression.arguments[0]), scope_);
  const Syntax& written_left = *expression.arguments[0];
  const Syntax& written_right = *expression.arguments[1];
  if (written_left.kind == Syntax::Kind::row && written_right.kind == Syntax::Kind::scalar_subquery)
    return compare_with_subquery(Subquery::Kind::scalar, name, written_left, written_right.query);
  const ExpressionPtr left = analyse(written_left);
  const ExpressionPtr right = analyse(written_right);
  if (written_left.kind == Syntax::Kind::row && written_right.kind == Syntax::Kind::row)
    return compare_rows(name, left->as<RowConstructor>()->fields, right->as<RowConstructor>()->fields);
  return make_operator_call(name, left, right, scope_);
}

ExpressionPtr ExpressionAnalyser::array_comparison(const Syntax& expression) {
  const ExpressionPtr left = analyse(expression.arguments[0]);
  const ExpressionPtr array = analyse(expression.arguments[1]);
  return make_array_comparison({expression.name, expression.schema, expression.position}, expression.all, left, array,
                               scope_);
}

// Several items without columns become one array; the rest is compared one by one.
ExpressionPtr ExpressionAnalyser::in_list(const Syntax& expression) {
  const bool negated = expression.negated;
  const OperatorName name{negated ? "<>" : "=", {}, expression.position};
  const ExpressionPtr left = analyse(expression.arguments[0]);
  Expressions items;
  Expressions fixed{left};
  for (std::size_t i = 1; i < expression.arguments.size(); ++i) {
    items.push_back(analyse(expression.arguments[i]));
    if (!uses_own_columns(items.back())) fixed.push_back(items.back());
  }
  Expressions comparisons;
  if (fixed.size() > 2) {
    const Type common = common_type(fixed, "");
    const bool fits = common.id != TypeId::none && common.id != TypeId::record &&
                      array_type(common.id) != TypeId::none &&
                      std::ranges::all_of(fixed, [&](const ExpressionPtr& each) {
                        return can_coerce(each->type.id, common.id, CastContext::implicit);
                      });
    if (fits) {
      ArrayConstructor array;
      for (std::size_t i = 1; i < fixed.size(); ++i)
        array.elements.push_back(coerce_to_common(fixed[i], common, "IN", scope_));
      const ExpressionPtr list = make_expression(std::move(array), array_type(common.id));
      comparisons.push_back(make_array_comparison(name, negated, left, list, scope_));
      std::erase_if(items, [](const ExpressionPtr& each) { return !uses_own_columns(each); });
    }
  }
  for (const ExpressionPtr& item : items) {
    const auto* left_row = left->as<RowConstructor>();
    const auto* item_row = item->as<RowConstructor>();
    const ExpressionPtr comparison = left_row != nullptr && item_row != nullptr
                                         ? compare_rows(name, left_row->fields, item_row->fields)
                                         : make_operator_call(name, left, item, scope_);
    comparisons.push_back(coerce_to_boolean(comparison, "IN", scope_));
  }
  if (comparisons.size() == 1) return comparisons[0];
  return make_logical(negated ? Logical::Kind::conjunction : Logical::Kind::disjunction, std::move(comparisons),
                      expression.position);
}

ExpressionPtr ExpressionAnalyser::between(const Syntax& expression) {
  using enum Logical::Kind;
  const int position = expression.position;
  const ExpressionPtr value = analyse(expression.arguments[0]);
  const auto compare = [&](std::string_view symbol, const ExpressionPtr& bound) {
    return coerce_to_boolean(make_operator_call({symbol, {}, position}, value, bound, scope_), "AND", scope_);
  };
  // The first comparison is made before the second bound is looked at, as there: the first error is the same.
  const auto inside = [&](const Syntax& from, const Syntax& to) {
    const bool out = expression.negated;
    const ExpressionPtr above = compare(out ? "<" : ">=", analyse(from));
    const ExpressionPtr below = compare(out ? ">" : "<=", analyse(to));
    return make_logical(out ? disjunction : conjunction, {above, below}, position);
  };
  const Syntax& low = *expression.arguments[1];
  const Syntax& high = *expression.arguments[2];
  const ExpressionPtr plain = inside(low, high);
  if (!expression.symmetric) return plain;
  return make_logical(expression.negated ? conjunction : disjunction, {plain, inside(high, low)}, position);
}

ExpressionPtr ExpressionAnalyser::make_distinct_test(const ExpressionPtr& left, const ExpressionPtr& right,
                                                     int position) {
  const ExpressionPtr comparison = make_operator_call({"=", {}, position}, left, right, scope_);
  if (comparison->type.id != TypeId::boolean) {
    throw_error(sqlstate::datatype_mismatch, "IS DISTINCT FROM requires = operator to yield boolean", position);
  }
  const auto* call = comparison->as<OperatorCall>();
  DistinctTest test{call->function, call->arguments[0], call->arguments[1], false};
  return make_expression(std::move(test), TypeId::boolean, comparison->position);
}

ExpressionPtr ExpressionAnalyser::distinct_test(const Syntax& expression) {
  const int position = expression.position;
  const ExpressionPtr left = analyse(expression.arguments[0]);
  const ExpressionPtr right = analyse(expression.arguments[1]);
  // NULL as it is written, without a type. A row is one value here: its fields are not looked at, as a NullTest would.
  const auto is_bare_null = [](const ExpressionPtr& side) {
    return side->type.id == TypeId::unknown && is_null_constant(side);
  };
  const ExpressionPtr& other = is_bare_null(right) ? left : right;
  if ((is_bare_null(right) || is_bare_null(left)) && other->type.id != TypeId::record) {
    return make_expression(NullTest{other, !expression.negated}, TypeId::boolean, leftmost(position, other->position));
  }
  ExpressionPtr test;
  const bool rows =
      expression.arguments[0]->kind == Syntax::Kind::row && expression.arguments[1]->kind == Syntax::Kind::row;
  if (rows) {
    const Expressions& lefts = left->as<RowConstructor>()->fields;
    const Expressions& rights = right->as<RowConstructor>()->fields;
    if (lefts.size() != rights.size())
      throw_error(sqlstate::syntax_error, "unequal number of entries in row expressions", position);
    Expressions tests;
    for (std::size_t i = 0; i < lefts.size(); ++i) tests.push_back(make_distinct_test(lefts[i], rights[i], position));
    if (tests.empty()) return make_expression(Constant{Value::boolean(expression.negated)}, TypeId::boolean, position);
    test = tests.size() == 1 ? tests[0] : make_logical(Logical::Kind::disjunction, std::move(tests), position);
  } else {
    test = make_distinct_test(left, right, position);
  }
  if (!expression.negated) return test;
  if (const auto* single = test->as<DistinctTest>()) {
    DistinctTest negated = *single;
    negated.negated = true;
    return make_expression(std::move(negated), TypeId::boolean, test->position);
  }
  return make_logical(Logical::Kind::negation, {test}, position);
}

ExpressionPtr ExpressionAnalyser::null_if(const Syntax& expression) {
  // One after the other: the first error is the left side's.
  const ExpressionPtr left = analyse(expression.arguments[0]);
  const ExpressionPtr right = analyse(expression.arguments[1]);
  const ExpressionPtr comparison = make_operator_call({"=", {}, expression.position}, left, right, scope_);
  if (comparison->type.id != TypeId::boolean) {
    throw_error(sqlstate::datatype_mismatch, "NULLIF requires = operator to yield boolean", expression.position);
  }
  const auto* call = comparison->as<OperatorCall>();
  const Type type = call->arguments[0]->type;
  return make_expression(NullIf{call->function, call->arguments[0], call->arguments[1]}, type, comparison->position);
}

// (a, b) = (c, d) is a conjunction, <> a disjunction; the others compare from left to right.
ExpressionPtr ExpressionAnalyser::compare_rows(const OperatorName& name, const Expressions& left,
                                               const Expressions& right) {
  if (left.size() != right.size())
    throw_error(sqlstate::syntax_error, "unequal number of entries in row expressions", name.position);
  if (left.empty()) throw_error(sqlstate::feature_not_supported, "cannot compare rows of zero length", name.position);
  Expressions comparisons;
  bool ordering = true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    comparisons.push_back(make_operator_call(name, left[i], right[i], scope_));
    if (comparisons.back()->type.id != TypeId::boolean) {
      throw_error(sqlstate::datatype_mismatch,
                  std::string("row comparison operator must yield type boolean, not type ") +
                      type_name(comparisons.back()->type.id),
                  name.position);
    }
    ordering = ordering && is_ordering(*comparisons.back()->as<OperatorCall>()->function);
  }
  if (comparisons.size() == 1) return comparisons[0];
  if (!ordering) {
    throw_error(sqlstate::feature_not_supported,
                "could not determine interpretation of row comparison operator " + std::string(name.symbol),
                name.position, "", "Row comparison operators must be associated with btree operator families.");
  }
  if (name.symbol == "=") return make_logical(Logical::Kind::conjunction, std::move(comparisons), name.position);
  if (name.symbol == "<>") return make_logical(Logical::Kind::disjunction, std::move(comparisons), name.position);
  RowComparison node;
  for (const ExpressionPtr& each : comparisons) {
    const auto* call = each->as<OperatorCall>();
    node.comparisons.push_back(call->function);
    node.left.push_back(call->arguments[0]);
    node.right.push_back(call->arguments[1]);
  }
  const int position = leftmost(0, node.left);
  return make_expression(std::move(node), TypeId::boolean, position);
}

}  // namespace polarsim::engine::query
