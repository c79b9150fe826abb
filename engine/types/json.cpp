#include "engine/types/json.h"

namespace polarsim::engine {

bool operator==(const Json& a, const Json& b) { return a.data_ == b.data_; }

}  // namespace polarsim::engine
