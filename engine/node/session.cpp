#include "engine/node/session.h"

namespace polarsim::engine {

POLARSIM_DEFINE_VALUE_TYPE(QueryResult);

}  // namespace polarsim::engine
