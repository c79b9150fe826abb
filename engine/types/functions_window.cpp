#include "engine/types/families.h"

namespace polarsim::engine::families {

void add_window_functions(Entries& to) { (void)to; }

}  // namespace polarsim::engine::families
