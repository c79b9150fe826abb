// Identifiers that are too long: the grammar cuts them to 63 bytes, and the client is told (PostgreSQL's
// truncate_identifier(), src/backend/parser/scansup.c).
#pragma once

#include <string_view>
#include <vector>

#include "engine/types/error.h"

namespace polarsim::engine::pgwire {

// A NOTICE 42622 for each identifier in the text that is cut, in their order. Quick for texts without such.
std::vector<ErrorFields> notices_of_long_identifiers(std::string_view text);

}  // namespace polarsim::engine::pgwire
