// The end of a node that cannot trust its disk any more: the host crashes, as PostgreSQL's PANIC ends the server.
#pragma once

#include <string_view>

#include "sim/host.h"

namespace polarsim::engine::storage {

// Logs "PANIC:  could not <what> file "<path>": <error>" and takes the host down. Does not return; unwinds the calling
// task with sim::TaskCancelled. Not for destructors.
[[noreturn]] void panic(sim::Host& host, std::string_view what, std::string_view path, sim::DiskError error);

}  // namespace polarsim::engine::storage
