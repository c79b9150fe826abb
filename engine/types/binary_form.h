// The binary forms of values: PostgreSQL's send and receive functions, as COPY with FORMAT binary and the protocol's
// format code 1 have them. Integers are big-endian.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/function.h"

namespace polarsim::engine {

// The value must not be NULL and must be of the type.
void append_binary(std::string& to, const Value& value, TypeId type);
// Reads all the bytes as a value of the type, which keeps to its modifier as after input_value(). Throws SqlError with
// PostgreSQL's codes and messages: 22P03 "incorrect binary data format", 08P01 "insufficient data left in message",
// what values that cannot be say. Rows are refused (0A000), as there.
Value read_binary(std::string_view bytes, Type type, const CallContext& context);

}  // namespace polarsim::engine
