// Operators: symbol and operand types to a function (PostgreSQL's src/include/catalog/pg_operator.dat).
//
// Each family of types offers its operators in the same file as its functions. Which operator an expression means is
// decided by the analysis (PostgreSQL's oper()), not here.
#pragma once

#include <span>
#include <string_view>

#include "engine/types/function.h"

namespace polarsim::engine {

struct OperatorEntry {
  const char* symbol = "";
  TypeId left = TypeId::none;  // none: a prefix operator
  TypeId right = TypeId::none;
  TypeId result = TypeId::none;
  ScalarFunction function = nullptr;
  const char* function_name = "";  // pg_operator.oprcode: "int4pl"
  // The symbols of the operator with its operands exchanged, and of its negation; null if there is none. The operand
  // types of a commutator are exchanged, too.
  const char* commutator = nullptr;
  const char* negator = nullptr;
  // Of `=`: whether hash and merge joins may use it (equal values have equal hashes, and an order).
  bool hashable = false;
  Volatility volatility = Volatility::immutable;
  bool strict = true;
};

std::span<const OperatorEntry> all_operators();
// Those with the symbol that take two operands, or one; empty if there are none.
std::span<const OperatorEntry* const> operators_named(std::string_view symbol, bool prefix);
// Exactly these operand types; null if there is none.
const OperatorEntry* find_operator(std::string_view symbol, TypeId left, TypeId right);

}  // namespace polarsim::engine
