// What the statements of today's engine need of values besides engine/types: text forms, order and literals of its four
// types (boolean, integer, bigint, text).
//
// Text forms in and out are PostgreSQL's: "t"/"f", decimal digits, the text itself.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine {

// PostgreSQL's text output; the value must not be NULL.
std::string to_text(const Value& value);
// PostgreSQL's text input for `type`; throws SqlError 22P02 or 22003 with PostgreSQL's message. Other types than the
// four are read as texts.
Value from_text(std::string_view text, TypeId type);
// Order of two non-null values of the same type family: negative, zero, positive. Text compares bytewise (collation C).
int compare(const Value& a, const Value& b);
// As an SQL literal that parses back to the same value: 'it''s', 42, true, NULL.
std::string to_literal(const Value& value);

}  // namespace polarsim::engine
