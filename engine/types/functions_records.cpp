#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_records(Entries& to) { (void)to; }

}  // namespace polarsim::engine::families
