// A cluster in this process, with one client host: where the prompt's statements come from.
//
// Simulated time stands still while nobody asks anything: it goes on exactly until an answer has arrived. A statement
// that waits for an hour of it is answered at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/cluster.h"
#include "scenarios/cli/prompt/connection.h"
#include "scenarios/scenario.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli::prompt {

class SimulatedServer : public Server {
 public:
  // Boots the scenario's cluster on its network and disks, and, if it has a workload, makes that workload's tables; its
  // clients and faults are left out. Throws std::runtime_error if the nodes do not come up.
  SimulatedServer(const Scenario& scenario, std::uint64_t seed, bool with_workload);
  // Every connection must be gone.
  ~SimulatedServer() override;

  std::unique_ptr<Connection> connect(const ConnectionInfo& wanted) override;
  std::optional<double> simulated_seconds() const override;
  std::string date() const override;
  void sleep(double seconds) override;
  std::string description() const override;
  std::vector<std::string> nodes() const override { return cluster_->node_names(); }

  // \watch takes real time, too.
  void set_standing_before(bool on) { standing_before_ = on; }

  // --- for connections ---
  // Runs `body` as a task of the client host until it has ended. When the user interrupts meanwhile, `on_interrupt`
  // runs as another task, each time. Throws std::runtime_error if the world comes to its end first.
  void run(const char* name, const std::function<void()>& body, const std::function<void()>& on_interrupt);
  // The same without waiting for it; and some events of the world, if there are any.
  void spawn(const char* name, const std::function<void()>& body) { client_host_->spawn(name, body); }
  void advance(std::uint64_t events);
  sim::Host& client_host() { return *client_host_; }
  const engine::ClusterConfig& config() const { return cluster_->config(); }

 private:
  void boot();
  void make_tables();
  void refuse_broken_world() const;

  const Scenario& scenario_;
  std::uint64_t seed_;
  sim::Simulation simulation_;
  std::unique_ptr<engine::Cluster> cluster_;
  sim::Host* client_host_ = nullptr;
  bool standing_before_ = false;
};

}  // namespace polarsim::scenarios::cli::prompt
