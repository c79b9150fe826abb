// Numbers of functions and operators, as pg_proc.oid and pg_operator.oid have them: positions in the tables of this
// build, above all numbers of relations. PostgreSQL's own numbers are not kept.
#pragma once

#include <cstdint>

#include "engine/types/function.h"
#include "engine/types/operator.h"

namespace polarsim::engine {

inline constexpr std::uint32_t first_function_number = 0x20000000;
inline constexpr std::uint32_t first_operator_number = 0x21000000;
inline constexpr std::uint32_t first_cast_number = 0x22000000;

// Of an entry of all_functions(), all_operators().
inline std::uint32_t number_of(const FunctionEntry& function) {
  return first_function_number + static_cast<std::uint32_t>(&function - all_functions().data());
}
inline std::uint32_t number_of(const OperatorEntry& entry) {
  return first_operator_number + static_cast<std::uint32_t>(&entry - all_operators().data());
}
// Null if there is none.
inline const FunctionEntry* function_of_number(std::int64_t number) {
  const std::int64_t position = number - first_function_number;
  const auto functions = all_functions();
  const bool exists = position >= 0 && position < static_cast<std::int64_t>(functions.size());
  return exists ? &functions[static_cast<std::size_t>(position)] : nullptr;
}
inline const OperatorEntry* operator_of_number(std::int64_t number) {
  const std::int64_t position = number - first_operator_number;
  const auto operators = all_operators();
  const bool exists = position >= 0 && position < static_cast<std::int64_t>(operators.size());
  return exists ? &operators[static_cast<std::size_t>(position)] : nullptr;
}

}  // namespace polarsim::engine
