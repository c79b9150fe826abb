#include "scenarios/sql/cluster_connection.h"

#include <map>
#include <utility>

#include "engine/cluster/cluster.h"
#include "engine/pgwire/client.h"
#include "engine/types/text_form.h"
#include "scenarios/sql/node_answer.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::sql {
namespace {

using namespace engine;

constexpr sim::Duration start_limit{60'000'000'000};

ClusterConfig small_cluster() {
  ClusterConfig config;
  config.coordinators = 2;
  config.data_nodes = 2;
  config.shard_count = 4;
  return config;
}

class ClusterConnection final : public Connection {
 public:
  ClusterConnection() : cluster_(simulation_, small_cluster()), host_(simulation_.add_host("client")) {
    host_.set_program([this](sim::Host& host) {
      if (!cluster_.wait_until_ready(host, simulation_.now() + start_limit)) return;
      auto connected = pgwire::Client::connect(host, {"cn1", default_port});
      if (!connected) return;
      client_ = &clients_.emplace("cn1", std::move(*connected)).first->second;
      host.scheduler().park("the end of the connection");
    });
    cluster_.boot_all();
    host_.boot();
    for (int second = 0; second < 120 && client_ == nullptr; ++second) {
      simulation_.run(simulation_.now() + sim::Duration(1'000'000'000));
    }
    if (client_ == nullptr) throw ConnectionError("the cluster does not start");
  }
  ~ClusterConnection() override {
    // Before the simulation that it belongs to, and by a task of its host.
    const sim::TaskRef task = host_.spawn("goodbye", [this] { clients_.clear(); });
    simulation_.run_until(task);
  }

  Answer run(const std::string& statement) override {
    Answer answer;
    const sim::TaskRef task = host_.spawn("statement", [&] {
      const pgwire::ClientResult result = client_->simple_query(statement);
      answer = result ? answer_of(*result, {}) : answer_of(SqlError(result.error()));
    });
    simulation_.run_until(task);
    if (simulation_.violation())
      throw ConnectionError("the cluster broke the invariant " + simulation_.violation()->name);
    if (!task.finished()) throw ConnectionError("the statement does not end: " + statement);
    return answer;
  }
  std::string name() const override { return "cluster"; }

  void go_to(const std::string& node) override {
    const std::string name = node.empty() ? "cn1" : node;
    const auto known = clients_.find(name);
    client_ = known == clients_.end() ? nullptr : &known->second;
    if (client_ != nullptr) return;
    const sim::TaskRef task = host_.spawn("connection", [&] {
      auto connected = pgwire::Client::connect(host_, {name, default_port});
      if (connected) client_ = &clients_.emplace(name, std::move(*connected)).first->second;
    });
    simulation_.run_until(task);
    if (client_ == nullptr) throw ConnectionError("there is no node " + name);
  }

 private:
  sim::Simulation simulation_{sim::SimulationOptions{}};
  Cluster cluster_;
  sim::Host& host_;
  std::map<std::string, pgwire::Client> clients_;  // by node
  pgwire::Client* client_ = nullptr;               // whose turn it is
};

}  // namespace

std::unique_ptr<Connection> make_cluster_connection() { return std::make_unique<ClusterConnection>(); }

}  // namespace polarsim::scenarios::sql
