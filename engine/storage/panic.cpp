#include "engine/storage/panic.h"

#include <fmt/format.h>

namespace polarsim::engine::storage {

void panic(sim::Host& host, std::string_view what, std::string_view path, sim::DiskError error) {
  host.log(fmt::format("PANIC:  could not {} file \"{}\": {}", what, path, sim::to_string(error)));
  // A disk that is offline has gone down with its host: that is no state of its own.
  if (error != sim::DiskError::offline) host.reached("storage/panic");
  host.crash();
  // Only reached when the host was already going down and this task is next to be unwound.
  throw sim::TaskCancelled{};
}

}  // namespace polarsim::engine::storage
