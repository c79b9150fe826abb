#include "scenarios/sql/node_connection.h"

#include <utility>

#include "engine/node/instance.h"
#include "engine/node/statement_cache.h"
#include "engine/sql/error.h"
#include "engine/types/text_form.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::sql {
namespace {

using namespace engine;

Answer answer_of(const QueryResult& result, const CallContext& call) {
  Answer answer;
  answer.tag = result.tag;
  answer.has_rows = result.tag.starts_with("SELECT") || !result.columns.empty();
  for (const ResultColumn& column : result.columns) answer.columns.push_back({column.name, type_oid(column.type.id)});
  for (const Row& row : result.rows) {
    AnswerRow& texts = answer.rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      texts.emplace_back();
      if (!row[i].is_null()) texts.back() = output_value(row[i], result.columns[i].type.id, call);
    }
  }
  return answer;
}

Answer answer_of(const SqlError& error) {
  const ErrorFields& fields = error.fields();
  Answer answer;
  answer.error = AnswerError{fields.sqlstate, fields.message, fields.detail, fields.hint, fields.position};
  return answer;
}

class NodeSession {
 public:
  NodeSession(sim::Host& host, Instance& instance)
      : cache_(make_statement_cache(host.scheduler(), 100)), session_(instance.connect()) {}

  Answer run(const std::string& text) {
    try {
      Answer answer;
      for (const syntax::StatementPtr& statement : cache_.parse(text))
        answer = answer_of(session_->execute({statement, text}), session_->output_context());
      return answer;
    } catch (const SqlError& error) {
      return answer_of(error);
    } catch (const std::exception& error) {
      return answer_of(SqlError("a defect", error.what()));
    }
  }

 private:
  syntax::StatementCache cache_;
  std::unique_ptr<LocalSession> session_;
};

// Everything that the node knows lives on the stack of the host's program.
class NodeConnection final : public Connection {
 public:
  NodeConnection() : host_(simulation_.add_host("node")) {
    sim::TaskRef ready;
    host_.set_program([this](sim::Host& host) {
      const std::unique_ptr<Instance> instance = Instance::open(host, {});
      NodeSession session(host, *instance);
      session_ = &session;
      host.scheduler().park("the end of the connection");
    });
    host_.boot();
    simulation_.run(simulation_.now() + sim::Duration(10'000'000'000));
    if (session_ == nullptr) throw ConnectionError("the node does not start");
  }

  Answer run(const std::string& statement) override {
    Answer answer;
    const sim::TaskRef task =
        host_.spawn("statement", [this, &answer, &statement] { answer = session_->run(statement); });
    simulation_.run_until(task);
    if (simulation_.violation()) throw ConnectionError("the node broke the invariant " + simulation_.violation()->name);
    if (!task.finished()) throw ConnectionError("the statement does not end: " + statement);
    return answer;
  }
  std::string name() const override { return "polarsim"; }

 private:
  NodeSession* session_ = nullptr;
  sim::Simulation simulation_{sim::SimulationOptions{}};
  sim::Host& host_;
};

}  // namespace

std::unique_ptr<Connection> make_node_connection() { return std::make_unique<NodeConnection>(); }

}  // namespace polarsim::scenarios::sql
