// How many bytes PostgreSQL needs for a value in memory: pg_column_size() of an expression. (Of a column it tells what
// lies on the page, where short texts have shorter headers and long ones may be compressed.)
#pragma once

#include <cstddef>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine {

// The value must not be NULL.
std::size_t storage_size(const Value& value, TypeId type);

}  // namespace polarsim::engine
