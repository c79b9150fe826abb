#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_datetimes(Entries& to) { (void)to; }

}  // namespace polarsim::engine::families
