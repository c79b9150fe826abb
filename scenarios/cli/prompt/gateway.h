// A door from the machine into the simulated cluster: `polarsim sql --listen PORT`. What a real client (psql, pg_dump,
// a driver) sends to a port of this machine goes to a node over the simulated network, and the answers come back.
//
// Simulated time goes on while any client waits for an answer, and stands still otherwise, as at the prompt; when real
// bytes arrive decides where they fall in it, so that such a session does not repeat. Only this machine is served
// (127.0.0.1). A client's encryption is declined, as PostgreSQL does without TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "scenarios/cli/prompt/simulated_server.h"

namespace polarsim::scenarios::cli::prompt {

class Gateway {
 public:
  // Port 0 takes a free one. Throws std::runtime_error if the port is not to be had.
  Gateway(SimulatedServer& server, std::string node, std::uint16_t port);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  std::uint16_t port() const;
  // Serves until interrupts::take() says that somebody wants it to end.
  void serve();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace polarsim::scenarios::cli::prompt
