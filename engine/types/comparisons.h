// The six comparison operators of a pair of types, with PostgreSQL's functions behind them. Private to the families.
#pragma once

#include <array>
#include <functional>

#include "engine/types/families.h"

namespace polarsim::engine::families {

using Comparer = int (*)(const Value& a, const Value& b);

template <Comparer compare, typename Holds>
Value compared(const FunctionCall& call) {
  return Value::boolean(Holds{}(compare(call[0], call[1]), 0));
}

// Where equality can be found faster than by an order.
using EqualityTest = bool (*)(const Value& a, const Value& b);
template <Comparer compare>
bool are_equal_by_order(const Value& a, const Value& b) {
  return compare(a, b) == 0;
}
template <EqualityTest are_equal, bool wanted>
Value tested(const FunctionCall& call) {
  return Value::boolean(are_equal(call[0], call[1]) == wanted);
}

// `names`: pg_operator.oprcode of <, <=, =, <>, >=, >, as in {"text_lt", "text_le", "texteq", ...}.
using ComparisonNames = std::array<const char*, 6>;
template <Comparer compare, EqualityTest are_equal = are_equal_by_order<compare>>
void add_comparisons(Entries& to, TypeId left, TypeId right, const ComparisonNames& names) {
  struct Comparison {
    const char* symbol;
    ScalarFunction function;
    const char* commutator;
    const char* negator;
  };
  const Comparison comparisons[] = {{"<", compared<compare, std::less<>>, ">", ">="},
                                    {"<=", compared<compare, std::less_equal<>>, ">=", ">"},
                                    {"=", tested<are_equal, true>, "=", "<>"},
                                    {"<>", tested<are_equal, false>, "<>", "="},
                                    {">=", compared<compare, std::greater_equal<>>, "<=", "<"},
                                    {">", compared<compare, std::greater<>>, "<", "<="}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Comparison& one = comparisons[i];
    to.functions.push_back(
        {.name = names[i], .arguments = {left, right}, .result = TypeId::boolean, .scalar = one.function});
    to.operators.push_back({.symbol = one.symbol,
                            .left = left,
                            .right = right,
                            .result = TypeId::boolean,
                            .function = one.function,
                            .function_name = names[i],
                            .commutator = one.commutator,
                            .negator = one.negator,
                            .hashable = i == 2});
  }
}

// <cmp>, larger and smaller, as text_larger() and bttextcmp().
template <Comparer compare>
Value compared_as_integer(const FunctionCall& call) {
  return Value::integer(compare(call[0], call[1]));
}
template <Comparer compare>
Value larger(const FunctionCall& call) {
  return compare(call[0], call[1]) > 0 ? call[0] : call[1];
}
template <Comparer compare>
Value smaller(const FunctionCall& call) {
  return compare(call[0], call[1]) < 0 ? call[0] : call[1];
}

}  // namespace polarsim::engine::families
