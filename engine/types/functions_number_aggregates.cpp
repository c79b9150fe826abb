#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_number_aggregates(Entries& to) { (void)to; }

}  // namespace polarsim::engine::families
