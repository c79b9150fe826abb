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

struct Session {
  pgwire::Client client;
  std::string time_zone = "UTC";
};

class ClusterConnection final : public Connection {
 public:
  ClusterConnection() : cluster_(simulation_, small_cluster()), host_(simulation_.add_host("client")) {
    host_.set_program([this](sim::Host& host) {
      if (!cluster_.wait_until_ready(host, simulation_.now() + start_limit)) return;
      auto connected = pgwire::Client::connect(host, {"cn1", default_port});
      if (!connected) return;
      session_ = &sessions_.emplace("cn1", Session{std::move(*connected)}).first->second;
      host.scheduler().park("the end of the connection");
    });
    cluster_.boot_all();
    host_.boot();
    for (int second = 0; second < 120 && session_ == nullptr; ++second) {
      simulation_.run(simulation_.now() + sim::Duration(1'000'000'000));
    }
    if (session_ == nullptr) throw ConnectionError("the cluster does not start");
  }
  ~ClusterConnection() override {
    // Before the simulation that it belongs to, and by a task of its host.
    const sim::TaskRef task = host_.spawn("goodbye", [this] { sessions_.clear(); });
    simulation_.run_until(task);
  }

  Answer run(const std::string& statement) override {
    Answer answer;
    const sim::TaskRef task = host_.spawn("statement", [&] {
      const pgwire::ClientResult result = session_->client.simple_query(statement);
      if (!result) {
        answer = answer_of(SqlError(result.error()));
        return;
      }
      // What changes settings has no rows. The client makes values of texts, which are written in the session's zone.
      if (result->columns.empty()) look_up_time_zone();
      CallContext context;
      context.time_zone = session_->time_zone;
      answer = answer_of(*result, context);
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
    const auto known = sessions_.find(name);
    session_ = known == sessions_.end() ? nullptr : &known->second;
    if (session_ != nullptr) return;
    const sim::TaskRef task = host_.spawn("connection", [&] {
      auto connected = pgwire::Client::connect(host_, {name, default_port});
      if (connected) session_ = &sessions_.emplace(name, Session{std::move(*connected)}).first->second;
    });
    simulation_.run_until(task);
    if (session_ == nullptr) throw ConnectionError("there is no node " + name);
  }

 private:
  void look_up_time_zone() {
    const pgwire::ClientResult zone = session_->client.simple_query("SHOW TimeZone");
    if (zone) session_->time_zone = zone->rows.at(0).at(0).as_text();
  }

  sim::Simulation simulation_{sim::SimulationOptions{}};
  Cluster cluster_;
  sim::Host& host_;
  std::map<std::string, Session> sessions_;  // by node
  Session* session_ = nullptr;               // whose turn it is
};

}  // namespace

std::unique_ptr<Connection> make_cluster_connection() { return std::make_unique<ClusterConnection>(); }

}  // namespace polarsim::scenarios::sql
