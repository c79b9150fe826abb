// What can be told of expressions without running them.
#include <algorithm>
#include <cstdint>

#include "engine/query/expression_walk.h"
#include "engine/query/relation.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine::query {
namespace {

Volatility worse(Volatility a, Volatility b) {
  const auto rank = [](Volatility each) {
    return each == Volatility::immutable ? 0 : each == Volatility::stable ? 1 : 2;
  };
  return rank(a) < rank(b) ? b : a;
}

// Input and output functions that depend on settings (provolatile of pg_type.typinput and typoutput).
bool input_is_stable(TypeId type) {
  using enum TypeId;
  switch (type) {
    case date:
    case time:
    case timestamp:
    case timestamptz:
    case interval:
    case regclass:
    case regproc:
    case regtype:
    case regnamespace:
    case record:
      return true;
    default:
      return type != int2vector && type != oidvector && is_array(type);
  }
}
bool output_is_stable(TypeId type) { return type != TypeId::time && input_is_stable(type); }

Volatility volatility_of_conversion(const Conversion& conversion, TypeId source, TypeId target) {
  switch (conversion.kind) {
    case Conversion::Kind::none:
    case Conversion::Kind::relabel:
      return Volatility::immutable;
    case Conversion::Kind::function:
      return conversion.cast->volatility;
    case Conversion::Kind::by_text:
      return output_is_stable(source) || input_is_stable(target) ? Volatility::stable : Volatility::immutable;
    case Conversion::Kind::array: {
      const TypeId from = type_info(source).element;
      const TypeId to = type_info(target).element;
      return volatility_of_conversion(find_conversion(from, to, CastContext::explicit_only), from, to);
    }
  }
  return Volatility::volatile_function;
}

Volatility volatility_of_all(const std::vector<const OperatorEntry*>& operators) {
  Volatility all = Volatility::immutable;
  for (const OperatorEntry* each : operators) all = worse(all, each->volatility);
  return all;
}

template <typename Pointers>
bool equal_lists(const Pointers& a, const Pointers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ExpressionPtr& one, const ExpressionPtr& other) { return equal(one, other); });
}
bool equal_indexes(const std::vector<Subscript::Index>& a, const std::vector<Subscript::Index>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Subscript::Index& one, const Subscript::Index& other) {
                      return one.slice == other.slice && equal(one.lower, other.lower) && equal(one.upper, other.upper);
                    });
}

// One overload a kind of node; what says how a node was written does not count.
bool same(const Constant& a, const Constant& b) { return a.value == b.value; }
bool same(const Parameter& a, const Parameter& b) { return a.index == b.index && a.of_plan == b.of_plan; }
bool same(const Column& a, const Column& b) {
  return a.entry == b.entry && a.column == b.column && a.levels_up == b.levels_up;
}
bool same(const Call& a, const Call& b) {
  return a.function == b.function && a.variadic_array == b.variadic_array && equal_lists(a.arguments, b.arguments);
}
bool same(const OperatorCall& a, const OperatorCall& b) {
  return a.function == b.function && equal_lists(a.arguments, b.arguments);
}
bool same(const ArrayComparison& a, const ArrayComparison& b) {
  return a.function == b.function && a.all == b.all && equal(a.left, b.left) && equal(a.array, b.array);
}
bool same(const Logical& a, const Logical& b) { return a.kind == b.kind && equal_lists(a.arguments, b.arguments); }
bool same(const NullTest& a, const NullTest& b) { return a.negated == b.negated && equal(a.argument, b.argument); }
bool same(const BooleanTest& a, const BooleanTest& b) { return a.kind == b.kind && equal(a.argument, b.argument); }
bool same(const DistinctTest& a, const DistinctTest& b) {
  return a.equality == b.equality && a.negated == b.negated && equal(a.left, b.left) && equal(a.right, b.right);
}
bool same(const NullIf& a, const NullIf& b) {
  return a.equality == b.equality && equal(a.left, b.left) && equal(a.right, b.right);
}
bool same(const CaseOperand&, const CaseOperand&) { return true; }
bool same(const Case& a, const Case& b) {
  return equal(a.operand, b.operand) && equal(a.otherwise, b.otherwise) &&
         std::equal(a.branches.begin(), a.branches.end(), b.branches.begin(), b.branches.end(),
                    [](const Case::Branch& one, const Case::Branch& other) {
                      return equal(one.condition, other.condition) && equal(one.result, other.result);
                    });
}
bool same(const Coalesce& a, const Coalesce& b) { return equal_lists(a.arguments, b.arguments); }
bool same(const MinMax& a, const MinMax& b) {
  return a.greatest == b.greatest && equal_lists(a.arguments, b.arguments);
}
bool same(const Convert& a, const Convert& b) {
  return a.conversion.kind == b.conversion.kind && a.conversion.cast == b.conversion.cast &&
         equal(a.argument, b.argument);
}
std::uint32_t row_type(const RowConstructor& row) { return row.relation == nullptr ? 0 : row.relation->id; }
bool same(const RowConstructor& a, const RowConstructor& b) {
  return a.names == b.names && row_type(a) == row_type(b) && equal_lists(a.fields, b.fields);
}
bool same(const RowComparison& a, const RowComparison& b) {
  return a.comparisons == b.comparisons && equal_lists(a.left, b.left) && equal_lists(a.right, b.right);
}
bool same(const ArrayConstructor& a, const ArrayConstructor& b) {
  return a.nested == b.nested && equal_lists(a.elements, b.elements);
}
bool same(const Subscript& a, const Subscript& b) {
  return equal(a.container, b.container) && equal_indexes(a.indexes, b.indexes);
}
bool same(const FieldSelection& a, const FieldSelection& b) { return a.field == b.field && equal(a.record, b.record); }
bool same(const Subquery& a, const Subquery& b) {
  return a.kind == b.kind && equal(*a.query, *b.query) && a.comparisons == b.comparisons && equal_lists(a.left, b.left);
}
bool same(const Aggregate& a, const Aggregate& b) {
  return a.function == b.function && a.distinct == b.distinct && a.star == b.star && a.levels_up == b.levels_up &&
         equal_lists(a.arguments, b.arguments) && equal(a.filter, b.filter) &&
         std::equal(a.order_by.begin(), a.order_by.end(), b.order_by.begin(), b.order_by.end(),
                    [](const OrderKey& one, const OrderKey& other) {
                      return one.descending == other.descending && one.nulls_first == other.nulls_first &&
                             equal(one.expression, other.expression);
                    });
}
bool same(const WindowCall& a, const WindowCall& b) {
  return a.function == b.function && a.star == b.star && a.window == b.window && equal(a.filter, b.filter) &&
         equal_lists(a.arguments, b.arguments);
}
bool same(const GroupingCall& a, const GroupingCall& b) { return a.groups == b.groups; }
bool same(const Subplan& a, const Subplan& b) {
  return a.subplan == b.subplan && a.kind == b.kind && a.comparisons == b.comparisons && equal_lists(a.left, b.left) &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    [](const Subplan::Argument& one, const Subplan::Argument& other) {
                      return one.parameter == other.parameter && equal(one.value, other.value);
                    });
}
bool same(const ValueFunction& a, const ValueFunction& b) { return a.kind == b.kind && a.precision == b.precision; }
bool same(const SubscriptAssignment& a, const SubscriptAssignment& b) {
  return equal(a.container, b.container) && equal_indexes(a.indexes, b.indexes) && equal(a.value, b.value);
}
bool same(const DefaultValue&, const DefaultValue&) { return true; }

// Whether a conversion was written decides what a modifier does, and nothing else.
bool modifies_otherwise(const Expression& a, const Expression& b) {
  const auto* one = a.as<Convert>();
  const auto* other = b.as<Convert>();
  return one != nullptr && other != nullptr && a.type.modifier != no_modifier &&
         (one->form == CallForm::explicit_cast) != (other->form == CallForm::explicit_cast);
}

}  // namespace

Volatility volatility_of(const Expression& expression) {
  const Expression::Node& node = expression.node;
  if (const auto* call = std::get_if<Call>(&node)) return call->function->volatility;
  if (const auto* call = std::get_if<OperatorCall>(&node)) return call->function->volatility;
  if (const auto* comparison = std::get_if<ArrayComparison>(&node)) return comparison->function->volatility;
  if (const auto* test = std::get_if<DistinctTest>(&node)) return test->equality->volatility;
  if (const auto* test = std::get_if<NullIf>(&node)) return test->equality->volatility;
  if (const auto* comparison = std::get_if<RowComparison>(&node)) return volatility_of_all(comparison->comparisons);
  if (const auto* subquery = std::get_if<Subquery>(&node)) return volatility_of_all(subquery->comparisons);
  if (const auto* subplan = std::get_if<Subplan>(&node)) return volatility_of_all(subplan->comparisons);
  if (const auto* conversion = std::get_if<Convert>(&node))
    return volatility_of_conversion(conversion->conversion, conversion->argument->type.id, expression.type.id);
  if (const auto* aggregate = std::get_if<Aggregate>(&node)) return aggregate->function->volatility;
  if (const auto* call = std::get_if<WindowCall>(&node)) return call->function->volatility;
  return std::holds_alternative<ValueFunction>(node) ? Volatility::stable : Volatility::immutable;
}

bool contains_volatility(const ExpressionPtr& expression, Volatility at_least) {
  bool found = false;
  walk(expression, [&](const Expression& each, int) {
    const Volatility own = volatility_of(each);
    found = found || worse(own, at_least) == own;
    return !found;
  });
  return found;
}

bool equal(const Expression& a, const Expression& b) {
  check_stack_depth();
  if (&a == &b) return true;
  if (a.node.index() != b.node.index() || a.type != b.type || modifies_otherwise(a, b)) return false;
  return std::visit([&](const auto& node) { return same(node, std::get<std::remove_cvref_t<decltype(node)>>(b.node)); },
                    a.node);
}

}  // namespace polarsim::engine::query
