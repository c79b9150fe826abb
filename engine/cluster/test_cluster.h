// A small cluster for tests, and a client host to talk to it from.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/cluster/cluster.h"
#include "engine/pgwire/client.h"
#include "engine/types/text_form.h"
#include "sim/nursery.h"
#include "sim/simulation.h"

namespace polarsim::engine {

inline sim::Duration milliseconds(std::int64_t count) { return sim::Duration(count * 1'000'000); }
inline sim::Duration in_seconds(std::int64_t count) { return milliseconds(count * 1000); }

inline ClusterConfig small_cluster(int coordinators = 1, int data_nodes = 2) {
  ClusterConfig config;
  config.coordinators = coordinators;
  config.data_nodes = data_nodes;
  config.shard_count = 4;
  config.recover_2pc_interval = in_seconds(5);
  config.node.lock_timeout = in_seconds(8);
  config.node.tcp_user_timeout = in_seconds(3);
  config.node.tcp_keepalive = in_seconds(2);
  config.node.connect_timeout = in_seconds(2);
  return config;
}

class TestCluster {
 public:
  explicit TestCluster(const ClusterConfig& config = small_cluster(), std::uint64_t seed = 1,
                       sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo)
      : simulation_(options(seed, policy)), cluster_(simulation_, config), client_(simulation_.add_host("client")) {}

  // Runs `body` on the client host once all nodes answer, and the world until it has returned. False if it did not
  // within `limit`.
  bool run(const std::function<void()>& body, sim::Duration limit = in_seconds(600)) {
    bool finished = false;
    client_.set_program([&](sim::Host& host) {
      const bool ready = cluster_.wait_until_ready(host, simulation_.now() + in_seconds(60));
      EXPECT_TRUE(ready) << "the nodes did not come up";
      if (ready) body();
      finished = true;
      simulation_.scheduler().stop();
    });
    cluster_.boot_all();
    client_.boot();
    simulation_.run(simulation_.now() + limit);
    EXPECT_FALSE(simulation_.violation().has_value())
        << simulation_.violation()->name << ": " << simulation_.violation()->detail;
    return finished;
  }

  pgwire::Client connect(const std::string& node = "cn1") {
    pgwire::ClientOptions connection_options;
    connection_options.connection.user_timeout = in_seconds(5);
    connection_options.connection.keepalive_after = in_seconds(5);
    auto client = pgwire::Client::connect(client_, sim::Address{node, default_port}, connection_options);
    if (!client) throw SqlError(client.error());
    return std::move(*client);
  }
  void sleep(sim::Duration time) { simulation_.scheduler().sleep_for(time); }

  // The table most tests use: balance of accounts, in four shards over the data nodes.
  void create_accounts(pgwire::Client& client, int accounts) {
    ok(client, "CREATE TABLE account (id integer PRIMARY KEY, balance bigint)");
    ok(client, "SELECT create_distributed_table('account', 'id')");
    for (int id = 1; id <= accounts; ++id) ok(client, "INSERT INTO account VALUES (" + std::to_string(id) + ", 100)");
  }

  static QueryResult ok(pgwire::Client& client, std::string_view sql, const std::vector<Value>& parameters = {}) {
    auto result = client.query(sql, parameters);
    EXPECT_TRUE(result.has_value()) << sql << "\n  " << result.error().sqlstate << ": " << result.error().message
                                    << "\n  " << result.error().context;
    return result ? std::move(*result) : QueryResult{};
  }
  static ErrorFields fails(pgwire::Client& client, std::string_view sql, const std::vector<Value>& parameters = {}) {
    auto result = client.query(sql, parameters);
    EXPECT_FALSE(result.has_value()) << sql << " succeeded";
    return result ? ErrorFields{} : result.error();
  }
  // The tag, or the error's SQLSTATE and message.
  static std::string outcome(pgwire::Client& client, std::string_view sql) {
    const auto result = client.query(sql);
    return result ? result->tag : result.error().sqlstate + " " + result.error().message;
  }
  // Runs what may have to wait, all at the same time, and returns how each ended.
  std::vector<std::string> all_of(const std::vector<std::function<std::string()>>& statements) {
    std::vector<std::string> ends(statements.size());
    sim::Nursery nursery(simulation_.scheduler(), "statements");
    for (std::size_t i = 0; i < statements.size(); ++i)
      nursery.spawn("statement " + std::to_string(i), [&ends, &statements, i] { ends[i] = statements[i](); });
    nursery.wait();
    return ends;
  }
  // Rows as text: "1|a;2|b"; NULL is empty.
  static std::string text(const QueryResult& result) {
    std::string out;
    for (const Row& row : result.rows) {
      if (!out.empty()) out += ";";
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out += "|";
        if (!row[i].is_null()) out += output_value(row[i], result.columns[i].type.id, {});
      }
    }
    return out;
  }
  static std::string rows(pgwire::Client& client, std::string_view sql, const std::vector<Value>& parameters = {}) {
    return text(ok(client, sql, parameters));
  }

  std::uint64_t probe(const std::string& name) {
    const auto found = simulation_.probes().counts().find(name);
    return found == simulation_.probes().counts().end() ? 0 : found->second;
  }

  sim::Simulation& simulation() { return simulation_; }
  Cluster& cluster() { return cluster_; }
  sim::Host& client_host() { return client_; }

 private:
  static sim::SimulationOptions options(std::uint64_t seed, sim::SchedulingPolicy policy) {
    sim::SimulationOptions result;
    result.seed = seed;
    result.scheduler.policy = policy;
    return result;
  }
  sim::Simulation simulation_;
  Cluster cluster_;
  sim::Host& client_;
};

}  // namespace polarsim::engine
