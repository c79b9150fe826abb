// Which function a call means (PostgreSQL's FuncnameGetCandidates() in src/backend/catalog/namespace.c,
// func_get_detail() in src/backend/parser/parse_func.c; documentation 10.3). About names and types alone; private to
// the analysis of expressions.
#pragma once

#include <boost/container/small_vector.hpp>
#include <span>
#include <string_view>

#include "engine/types/function.h"

namespace polarsim::engine::query {

struct FunctionName {
  std::string_view name;
  std::span<const TypeId> types;                     // of the arguments as written
  std::span<const std::string_view> argument_names;  // of the last so many arguments; empty: none is named
  bool variadic_written = false;
};

struct FunctionChoice {
  enum class Kind : unsigned char { none, function, cast, ambiguous } kind = Kind::none;
  const FunctionEntry* entry = nullptr;
  TypeId cast_target = TypeId::none;  // text(x) and the like
  // What each argument is to become, in the function's order: those written, then those left out. Variadic ones are
  // single elements.
  boost::container::small_vector<TypeId, 8> declared = {};
  // Of each in `declared`: which of the written arguments it is; -1: its default. Empty: in order.
  boost::container::small_vector<int, 8> order = {};
  std::size_t variadic_count = 0;  // so many of the last arguments become one array; 0: none do
};

FunctionChoice choose_function(const FunctionName& name);

// The default of the function's argument, as SQL: a number, a string, true, false or NULL.
const char* default_of(const FunctionEntry& entry, std::size_t argument);

}  // namespace polarsim::engine::query
