// The text forms of values: PostgreSQL's input and output functions.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/function.h"

namespace polarsim::engine {

// Reads a text as a value of the type; its modifier is applied as an explicit cast does not (too long a text for
// varchar(n) is an error). Throws SqlError with PostgreSQL's code and message: 22P02 "invalid input syntax for type
// integer: \"x\"", 22003, 22007, 22008.
Value input_value(std::string_view text, Type type, const CallContext& context);
// The value must not be NULL and must be of the type.
std::string output_value(const Value& value, TypeId type, const CallContext& context);
void append_output(std::string& to, const Value& value, TypeId type, const CallContext& context);
// Of a value whose type nobody says: of the type that shows it as it is kept. Dates and times are numbers then.
std::string plain_text(const Value& value);

}  // namespace polarsim::engine
