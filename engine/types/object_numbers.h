// Numbers of functions and operators, as pg_proc.oid and pg_operator.oid have them: positions in the tables of this
// build, above all numbers of relations. PostgreSQL's own numbers are not kept.
//
// The functions that read and write values (int4in, array_recv, ...) cannot be called here, and are in none of those
// tables; they have names and numbers all the same, because clients tell arrays from other types by them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/types/function.h"
#include "engine/types/operator.h"

namespace polarsim::engine {

inline constexpr std::uint32_t first_function_number = 0x20000000;
inline constexpr std::uint32_t first_operator_number = 0x21000000;

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

// --- functions that read and write values ---
inline constexpr std::uint32_t first_io_function_number = 0x23000000;
enum class TypeFunction : std::uint8_t { input, output, receive, send };

// pg_type.typinput and so on; 0 if the type has none.
std::uint32_t number_of(TypeId type, TypeFunction function);
// By name, such as "array_in"; 0 if there is none.
std::uint32_t io_function_number(std::string_view name);
// Empty if the number is none of theirs.
std::string io_function_name(std::int64_t number);
struct IoFunction {
  TypeId type = TypeId::none;  // any array for those of all arrays
  TypeFunction function = TypeFunction::input;
};
// The number must be one of theirs.
IoFunction io_function(std::int64_t number);

}  // namespace polarsim::engine
