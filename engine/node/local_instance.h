// Opening an instance with a log of another shape than the default: for tests that must see many segments.
#pragma once

#include <memory>

#include "engine/node/instance.h"
#include "engine/storage/wal.h"

namespace polarsim::engine {

// As Instance::open.
std::unique_ptr<Instance> open_local_instance(sim::Host& host, const NodeConfig& config,
                                              const storage::WalOptions& wal_options);

}  // namespace polarsim::engine
