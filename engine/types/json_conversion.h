// Values of any type as JSON, as to_json() and to_jsonb() make it (PostgreSQL 15's json.c, datum_to_json(), and
// jsonb.c, datum_to_jsonb()). Private to the functions of JSON.
//
// Numbers stay numbers but for NaN and infinities, which are strings; dates and times are strings in ISO 8601; arrays
// and rows are containers; anything else is a string with its text form.
#pragma once

#include <string>

#include "engine/types/function.h"
#include "engine/types/json.h"

namespace polarsim::engine {

// Compact, as json's functions write it: {"a":1,"b":[1,2]}. `line_feeds`: each element or field of the value itself on
// a line of its own.
void append_as_json(std::string& to, const Value& value, Type type, const CallContext& context,
                    bool line_feeds = false);
Json as_json(const Value& value, Type type, const CallContext& context);

// A key: the scalar as a string. Throws SqlError 22023 "key value must be scalar, not array, composite, or json". The
// value is not NULL.
void append_as_json_key(std::string& to, const Value& value, Type type, const CallContext& context);
std::string as_json_key(const Value& value, Type type, const CallContext& context);

// Whether the type becomes an array or an object.
bool is_structured_in_json(TypeId type);

}  // namespace polarsim::engine
