#include "scenarios/isolation/node_stage.h"

#include <fmt/format.h>

#include <utility>

#include "engine/node/instance.h"
#include "engine/node/statement_cache.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::isolation {
namespace {

Answer answer_of(const engine::QueryResult& result) {
  Answer answer;
  answer.tag = result.tag;
  answer.has_rows = !result.columns.empty();
  for (const engine::Row& row : result.rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) text += '|';
      text += row[i].is_null() ? "null" : engine::output_value(row[i], result.columns[i].type.id, {});
    }
    answer.rows.push_back(std::move(text));
  }
  return answer;
}

Answer answer_of(const engine::SqlError& error) {
  Answer answer;
  answer.sqlstate = error.sqlstate();
  answer.message = error.fields().message;
  return answer;
}

// The machine of one case. Everything that the node knows lives on the stack of the host's program.
class World {
 public:
  World(const NodeStageOptions& options, std::size_t sessions)
      : options_(options), simulation_(simulation_options(options)), host_(simulation_.add_host("node")) {
    statements_.resize(sessions);
    host_.set_program([this, sessions](sim::Host& host) { serve(host, sessions); });
    host_.boot();
    settle();
    if (memory_ == nullptr) throw StageError("the node does not start");
  }

  void issue(std::size_t session, const std::string& sql) {
    statements_[session].answer.reset();
    ++statements_[session].issued;
    host_.spawn("statement", [this, session, sql] { statements_[session].answer = execute(session, sql); });
  }

  // Runs until nothing has ended for `quiet`.
  void settle() {
    std::size_t ended = 0;
    do {
      ended = ended_;
      advance(options_.quiet);
    } while (ended_ != ended);
  }

  void advance(sim::Duration length) {
    simulation_.run(simulation_.now() + length);
    check();
  }

  std::optional<Answer> take(std::size_t session) { return std::exchange(statements_[session].answer, std::nullopt); }

  void disconnect(std::size_t session) {
    host_.spawn("disconnect", [this, session] { memory_->sessions[session]->close(); });
  }

 private:
  struct Memory {
    explicit Memory(sim::Scheduler& scheduler) : cache(engine::make_statement_cache(scheduler, 1000)) {}
    engine::syntax::StatementCache cache;
    std::unique_ptr<engine::Instance> instance;
    std::vector<std::unique_ptr<engine::Session>> sessions;
  };
  struct Statement {
    std::uint64_t issued = 0;
    bool timed_out = false;  // idle in a transaction for too long
    std::optional<Answer> answer;
  };

  static sim::SimulationOptions simulation_options(const NodeStageOptions& options) {
    sim::SimulationOptions result;
    result.seed = options.seed;
    result.scheduler.policy = options.policy;
    return result;
  }

  void serve(sim::Host& host, std::size_t sessions) {
    Memory memory(host.scheduler());
    memory.instance = engine::Instance::open(host, options_.node);
    for (std::size_t i = 0; i < sessions; ++i) memory.sessions.push_back(memory.instance->connect());
    memory_ = &memory;
    ++ended_;
    host.scheduler().park("the end of the case");
  }

  Answer execute(std::size_t session, const std::string& sql) {
    Answer answer;
    try {
      if (statements_[session].timed_out) {
        throw engine::SqlError(engine::sqlstate::idle_in_transaction_session_timeout,
                               "terminating connection due to idle-in-transaction timeout");
      }
      const auto statements = memory_->cache.parse(sql);
      if (statements.size() != 1) {
        throw engine::SqlError(engine::sqlstate::syntax_error, "a step is one statement");
      }
      answer = answer_of(memory_->sessions[session]->execute({statements[0], sql}));
    } catch (const engine::SqlError& error) {
      answer = answer_of(error);
    }
    ++ended_;
    watch_idleness(session);
    return answer;
  }

  // What a connection does for its session (pgwire/backend.cpp).
  void watch_idleness(std::size_t session) {
    const engine::Session& watched = *memory_->sessions[session];
    const sim::Duration limit = watched.idle_in_transaction_timeout();
    if (limit == sim::Duration(0) || watched.status() == engine::TransactionStatus::idle) return;
    host_.spawn("idleness", [this, session, limit, issued = statements_[session].issued] {
      host_.sleep_for(limit);
      if (statements_[session].issued != issued) return;
      statements_[session].timed_out = true;
      memory_->sessions[session]->close();
    });
  }

  void check() const {
    if (!simulation_.violation()) return;
    throw StageError(fmt::format("the node broke the invariant {}: {}", simulation_.violation()->name,
                                 simulation_.violation()->detail));
  }

  NodeStageOptions options_;
  std::vector<Statement> statements_;  // by session; outlives the tasks that write into it
  std::size_t ended_ = 0;
  Memory* memory_ = nullptr;
  sim::Simulation simulation_;
  sim::Host& host_;
};

class NodeStage : public Stage {
 public:
  explicit NodeStage(const NodeStageOptions& options) : options_(options) {}

  std::string begin(const std::string& setup, std::size_t sessions) override {
    observer_ = sessions;
    world_.reset();
    world_ = std::make_unique<World>(options_, sessions + 1);
    for (const std::string& statement : split_statements(setup)) {
      const Answer answer = query(statement);
      if (answer.failed()) return fmt::format("{}: {}", statement, isolation::to_string(answer));
    }
    return "";
  }
  void issue(std::size_t session, const std::string& sql) override { world_->issue(session, sql); }
  void settle() override { world_->settle(); }
  std::optional<Answer> take(std::size_t session) override { return world_->take(session); }
  void pause(sim::Duration length) override { world_->advance(length); }
  void disconnect(std::size_t session) override { world_->disconnect(session); }
  Answer query(const std::string& sql) override {
    world_->issue(observer_, sql);
    world_->settle();
    const std::optional<Answer> answer = world_->take(observer_);
    if (!answer) throw StageError(fmt::format("waits: {}", sql));
    return *answer;
  }

 private:
  NodeStageOptions options_;
  std::unique_ptr<World> world_;
  std::size_t observer_ = 0;
};

}  // namespace

std::unique_ptr<Stage> make_node_stage(const NodeStageOptions& options) { return std::make_unique<NodeStage>(options); }

}  // namespace polarsim::scenarios::isolation
