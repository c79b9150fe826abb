// The parts of the family of patterns. Private to it.
#pragma once

#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_regex_functions(Entries& to);  // regexp_match, regexp_replace, ...

// Whether the text (0) matches the regular expression (1).
Value regex_matches(const FunctionCall& call, bool ignore_case);

}  // namespace polarsim::engine::families
