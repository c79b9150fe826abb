// For tests: one simulated host that runs a node, and sessions whose statements may be left waiting.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/node/instance.h"
#include "engine/node/statement_cache.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"
#include "sim/simulation.h"

namespace polarsim::engine::testing {

// "1|a" per row, ';' between rows; NULL as "null".
inline std::string rows_text(const QueryResult& result) {
  std::string text;
  for (const Row& row : result.rows) {
    if (!text.empty()) text += ';';
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) text += '|';
      text += row[i].is_null() ? "null" : output_value(row[i], result.columns[i].type.id, {});
    }
  }
  return text;
}

class TestSession {
 public:
  TestSession(sim::Host& host, std::unique_ptr<Session> session, syntax::StatementCache& cache)
      : host_(&host), session_(std::move(session)), cache_(&cache) {}

  QueryResult execute(std::string_view sql, std::vector<Value> parameters = {}) {
    QueryResult result;
    for (const syntax::StatementPtr& statement : cache_->parse(sql))
      result = session_->execute({statement, sql, parameters});
    return result;
  }
  // The tag, or for rows their text.
  std::string run(std::string_view sql, std::vector<Value> parameters = {}) {
    const QueryResult result = execute(sql, std::move(parameters));
    return result.columns.empty() ? result.tag : rows_text(result);
  }
  // As run(), but an error is "SQLSTATE message", with " / detail" if there is one.
  std::string outcome(std::string_view sql, std::vector<Value> parameters = {}) {
    try {
      return run(sql, std::move(parameters));
    } catch (const SqlError& error) {
      const std::string& detail = error.fields().detail;
      return error.sqlstate() + " " + error.fields().message + (detail.empty() ? "" : " / " + detail);
    }
  }

  // A statement that runs beside the caller.
  class Pending {
   public:
    bool done() const { return task_.finished(); }
    // Waits for the end.
    std::string outcome() {
      host_->scheduler().join(task_);
      return *outcome_;
    }

   private:
    friend class TestSession;
    sim::Host* host_ = nullptr;
    sim::TaskRef task_;
    std::shared_ptr<std::string> outcome_ = std::make_shared<std::string>();
  };
  // Starts the statement and gives it ten milliseconds of true time to finish or to get stuck.
  Pending start(std::string sql) {
    Pending pending;
    pending.host_ = host_;
    pending.task_ = host_->spawn(
        "statement", [this, sql = std::move(sql), outcome = pending.outcome_] { *outcome = this->outcome(sql); });
    host_->scheduler().sleep_for(sim::Duration(10'000'000));
    return pending;
  }

  Session& session() { return *session_; }

 private:
  sim::Host* host_;
  std::unique_ptr<Session> session_;
  syntax::StatementCache* cache_;
};

class TestNode {
 public:
  explicit TestNode(std::uint64_t seed = 1, NodeConfig config = {},
                    sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo, bool trace = false)
      : config_(config), simulation_(options(seed, policy, trace)), host_(simulation_.add_host("dn1")) {}

  using Body = std::function<void(TestNode&)>;
  // Boots the host, opens the node and runs `body` as its program; returns when nothing happens any more. If the host
  // goes down before `body` ends, whatever it was doing is cut off.
  void run(Body body) {
    finished_ = false;
    host_.set_program([this, body = std::move(body)](sim::Host& host) {
      syntax::StatementCache cache = make_statement_cache(host.scheduler(), 1000);
      cache_ = &cache;
      const std::unique_ptr<Instance> instance = Instance::open(host, config_);
      instance_ = instance.get();
      body(*this);
      finished_ = true;
    });
    host_.boot();
    simulation_.run();
  }
  // True if the last body reached its end.
  bool finished() const { return finished_; }

  TestSession connect() { return TestSession(host_, instance_->connect(), *cache_); }
  // Runs `body` as a task of the host beside the caller.
  sim::TaskRef spawn(std::function<void()> body) { return host_.spawn("client", std::move(body)); }
  void join(const std::vector<sim::TaskRef>& tasks) {
    for (const sim::TaskRef& task : tasks) host_.scheduler().join(task);
  }
  void sleep_ms(std::int64_t milliseconds) { host_.scheduler().sleep_for(sim::Duration(milliseconds * 1'000'000)); }
  std::int64_t now_ms() const { return sim::nanoseconds(simulation_.now()) / 1'000'000; }
  std::uint64_t reached(const std::string& probe) {
    const auto& counts = simulation_.probes().counts();
    const auto found = counts.find(probe);
    return found == counts.end() ? 0 : found->second;
  }

  sim::Simulation& simulation() { return simulation_; }
  sim::Host& host() { return host_; }
  Instance& instance() { return *instance_; }
  NodeConfig& config() { return config_; }

 private:
  static sim::SimulationOptions options(std::uint64_t seed, sim::SchedulingPolicy policy, bool trace) {
    sim::SimulationOptions result;
    result.seed = seed;
    result.scheduler.policy = policy;
    result.trace.enabled = trace;
    return result;
  }

  NodeConfig config_;
  sim::Simulation simulation_;
  sim::Host& host_;
  syntax::StatementCache* cache_ = nullptr;
  Instance* instance_ = nullptr;
  bool finished_ = false;
};

// Runs `body` on a fresh node where `setup` has been run. A body that does not reach its end is a failure.
inline void with_node(const std::function<void(TestNode&)>& body, std::string_view setup = {},
                      const NodeConfig& config = {}) {
  TestNode node(1, config);
  node.run([&](TestNode& running) {
    if (!setup.empty()) running.connect().run(setup);
    body(running);
  });
  EXPECT_TRUE(node.finished()) << "the node or the body hangs";
}

// With one session.
inline void with_session(const std::function<void(TestNode&, TestSession&)>& body, std::string_view setup = {}) {
  with_node(
      [&](TestNode& node) {
        TestSession session = node.connect();
        body(node, session);
      },
      setup);
}

// The one warning that the statement brings, with its rows after it if it returns any.
inline std::string warning(TestSession& session, std::string_view sql) {
  const QueryResult result = session.execute(sql);
  if (result.notices.size() != 1) return std::to_string(result.notices.size()) + " warnings";
  const std::string text = result.notices[0].sqlstate + " " + result.notices[0].message;
  return result.columns.empty() ? text : text + " / " + rows_text(result);
}

}  // namespace polarsim::engine::testing
