// How a node's connections watch over their peers: PostgreSQL's TCP settings, as the simulated network takes them.
#pragma once

#include "engine/config.h"
#include "sim/network.h"

namespace polarsim::engine::pgwire {

inline sim::ConnectionOptions connection_options(const NodeConfig& config) {
  sim::ConnectionOptions options;
  options.connect_timeout = config.connect_timeout;
  options.user_timeout = config.tcp_user_timeout;
  options.keepalive_after = config.tcp_keepalive;
  return options;
}

}  // namespace polarsim::engine::pgwire
