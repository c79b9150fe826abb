// Values of types as SQL writes them.
#pragma once

#include <string>

#include "engine/types/type.h"
#include "scenarios/cli/sql/choices.h"

namespace polarsim::scenarios::cli::test {

// The types that generated columns and expressions have, the simplest first.
const std::vector<engine::TypeId>& generated_types();

// A text that the type's input takes. `storable`: floats that add up to the same sum in any order, and numbers of a
// size that leaves room for arithmetic.
std::string literal_text(engine::TypeId type, Choices& choices, bool storable);
// With its type: 5, '5'::bigint, date '2020-01-01'.
std::string typed_literal(engine::TypeId type, Choices& choices, bool storable);
// Without: '5', whose type its context tells.
std::string bare_literal(engine::TypeId type, Choices& choices, bool storable);
// The expression, which gives such a number if its type is one of integers.
std::string storable_number(engine::TypeId type, const std::string& expression);
std::string quoted(const std::string& text);
// "numeric(8,2)", as SQL says it.
std::string written_type(engine::Type type);

}  // namespace polarsim::scenarios::cli::test
