// The scalar functions this engine evaluates. All are strict (NULL in, NULL out). Those of the session are volatile,
// all others immutable.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/sql/session_functions.h"
#include "engine/sql/value.h"

namespace polarsim::engine::sql {

struct ScalarFunction {
  std::string_view name;
  std::vector<TypeId> arguments;  // `unknown` takes a value of any type
  TypeId result = TypeId::unknown;
  // None of the values is NULL. Null for a function of the session.
  Value (*evaluate)(std::span<const Value* const> arguments) = nullptr;
  SessionFunction session = SessionFunction::none;
};

// All of them; positions in this list are stable within a run and name the functions in programs.
const std::vector<ScalarFunction>& scalar_functions();
bool is_immutable_function(std::string_view name);

// Whether `text` matches an SQL LIKE pattern (% and _, backslash escapes). Throws 22025 if the pattern ends in its
// escape character.
bool matches_like(std::string_view text, std::string_view pattern);
// int4's or int8's abs(); throws 22003.
std::int64_t checked_absolute(std::int64_t value, TypeId type);
// "integer out of range" or "bigint out of range", 22003.
[[noreturn]] void throw_out_of_range(TypeId type);

}  // namespace polarsim::engine::sql
