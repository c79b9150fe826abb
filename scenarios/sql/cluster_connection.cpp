#include "scenarios/sql/cluster_connection.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "engine/cluster/cluster.h"
#include "engine/pgwire/client.h"
#include "engine/types/text_form.h"
#include "scenarios/sql/copy_ends.h"
#include "scenarios/sql/node_answer.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::sql {
namespace {

using namespace engine;

constexpr sim::Duration start_limit{60'000'000'000};
// Of what waits for another session, which is not to come.
constexpr sim::Duration statement_limit{300'000'000'000};
// For a statement to show that it waits. Before it is looked for deadlocks.
constexpr sim::Duration long_enough{300'000'000};

ClusterConfig small_cluster(std::size_t coordinators) {
  ClusterConfig config;
  config.coordinators = static_cast<int>(coordinators);
  config.data_nodes = 2;
  config.shard_count = 4;
  return config;
}

struct Session {
  pgwire::Client client;
  std::string time_zone = "UTC";
  // A statement that waits for another session.
  std::optional<sim::TaskRef> waiting = std::nullopt;
  Answer answer = {};
};

bool writes_copy(std::string statement) {
  std::ranges::transform(statement, statement.begin(), [](unsigned char c) { return std::toupper(c); });
  return statement.starts_with("COPY") && statement.find("TO STDOUT") != std::string::npos;
}

class ClusterConnection final : public Connection {
 public:
  explicit ClusterConnection(std::size_t coordinators)
      : cluster_(simulation_, small_cluster(coordinators)), host_(simulation_.add_host("client")) {
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
    if (writes_copy(statement)) {
      CopiedLines lines;
      Answer answer = answer_of_client(statement, [&] { return session_->client.copy_out(statement, lines); });
      if (!answer.error) answer.copied = std::move(lines.lines);
      return answer;
    }
    return answer_of_client(statement, [&] { return session_->client.simple_query(statement); });
  }
  Answer copy_in(const std::string& statement, const std::string& bytes) override {
    CopiedBytes source(bytes);
    return answer_of_client(statement, [&] { return session_->client.copy_in(statement, source); });
  }
  bool start(const std::string& statement) override {
    session_->waiting = spawn([session = session_, statement] { return session->client.simple_query(statement); });
    simulation_.run(simulation_.now() + long_enough);
    return !session_->waiting->finished();
  }
  Answer finish() override {
    if (!session_->waiting) throw ConnectionError("nothing waits on this session");
    const sim::TaskRef task = *std::exchange(session_->waiting, std::nullopt);
    return end_of(task, "one that waited");
  }
  std::string name() const override { return "cluster"; }

  void go_to(const std::string& node) override {
    const std::string name = node.empty() ? "cn1" : node;
    const auto known = sessions_.find(name);
    session_ = known == sessions_.end() ? nullptr : &known->second;
    if (session_ != nullptr) return;
    const sim::TaskRef task = host_.spawn("connection", [&] {
      auto connected = pgwire::Client::connect(host_, {name.substr(0, name.find('/')), default_port});
      if (connected) session_ = &sessions_.emplace(name, Session{std::move(*connected)}).first->second;
    });
    simulation_.run_until(task);
    if (session_ == nullptr) throw ConnectionError("there is no node " + name);
  }

 private:
  Answer answer_of_client(const std::string& statement, const std::function<pgwire::ClientResult()>& ask) {
    const sim::TaskRef task = spawn(ask);
    return end_of(task, statement);
  }

  sim::TaskRef spawn(const std::function<pgwire::ClientResult()>& ask) {
    return host_.spawn("statement", [ask, session = session_] {
      const pgwire::ClientResult result = ask();
      if (!result) {
        session->answer = answer_of(SqlError(result.error()));
        return;
      }
      // What changes settings has no rows. The client makes values of texts, which are written in the session's zone.
      if (result->columns.empty()) look_up_time_zone(*session);
      CallContext context;
      context.time_zone = session->time_zone;
      session->answer = answer_of(*result, context);
    });
  }

  Answer end_of(const sim::TaskRef& task, const std::string& statement) {
    simulation_.run_until(task, simulation_.now() + statement_limit);
    if (simulation_.violation())
      throw ConnectionError("the cluster broke the invariant " + simulation_.violation()->name);
    if (!task.finished()) throw ConnectionError("the statement does not end: " + statement);
    return std::move(session_->answer);
  }

  static void look_up_time_zone(Session& session) {
    const pgwire::ClientResult zone = session.client.simple_query("SHOW TimeZone");
    if (zone) session.time_zone = zone->rows.at(0).at(0).as_text();
  }

  sim::Simulation simulation_{sim::SimulationOptions{}};
  Cluster cluster_;
  sim::Host& host_;
  std::map<std::string, Session> sessions_;  // by node
  Session* session_ = nullptr;               // whose turn it is
};

}  // namespace

std::unique_ptr<Connection> make_cluster_connection(std::size_t coordinators) {
  return std::make_unique<ClusterConnection>(coordinators);
}

}  // namespace polarsim::scenarios::sql
