#include "scenarios/sql/node_connection.h"

#include <utility>

#include "engine/commands/command.h"
#include "engine/executor/executor.h"
#include "engine/executor/relations.h"
#include "engine/node/instance.h"
#include "engine/node/session_services.h"
#include "engine/plan/planner.h"
#include "engine/query/analysis.h"
#include "engine/sql/error.h"
#include "engine/syntax/parser.h"
#include "engine/types/text_form.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::sql {
namespace {

using namespace engine;

Answer answer_of(const QueryResult& result, const CallContext& call) {
  Answer answer;
  answer.tag = result.tag;
  answer.has_rows = result.tag.starts_with("SELECT") || !result.columns.empty();
  for (const ResultColumn& column : result.columns) answer.columns.push_back({column.name, type_oid(column.type)});
  for (const Row& row : result.rows) {
    AnswerRow& texts = answer.rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      texts.emplace_back();
      if (!row[i].is_null()) texts.back() = output_value(row[i], result.columns[i].type, call);
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

// What a session keeps between statements.
class NodeSession {
 public:
  explicit NodeSession(Database& database) : database_(database), cache_(database), backend_(database.connect()) {}
  ~NodeSession() { database_.disconnect(backend_); }
  NodeSession(const NodeSession&) = delete;
  NodeSession& operator=(const NodeSession&) = delete;

  Answer run(const std::string& text) {
    try {
      std::vector<syntax::StatementPtr> parsed;
      database_.host().scheduler().on_scheduler_stack([&] { parsed = syntax::parse(text); });
      Answer answer;
      for (const syntax::StatementPtr& statement : parsed) answer = run(*statement);
      return answer;
    } catch (const SqlError& error) {
      return answer_of(error);
    } catch (const std::exception& error) {
      return answer_of(SqlError("a defect", error.what()));
    }
  }

 private:
  Answer run(const syntax::Statement& statement) {
    txn::Transaction& transaction = database_.transactions().begin(backend_);
    try {
      Answer answer = run_in(transaction, statement);
      database_.transactions().commit(transaction);
      return answer;
    } catch (const std::exception&) {
      database_.transactions().abort(transaction);
      throw;
    }
  }

  Answer run_in(txn::Transaction& transaction, const syntax::Statement& statement) {
    LocalServices::Session session;
    session.transaction = [&transaction]() -> txn::Transaction& { return transaction; };
    session.search_path = [this] { return path_; };
    session.setting = [](std::string_view name) -> std::string {
      throw SqlError("42704", "unrecognized configuration parameter \"" + std::string(name) + "\"");
    };
    session.refuse_if_read_only = [](const char*) {};
    session.warn = [](const char*, const std::string&) {};
    LocalServices services(database_, backend_, sequences_, session);
    CallContext call;
    call.session = &services;
    executor::StatementSnapshot snapshot(database_, transaction);
    executor::CatalogRelations relations(database_, cache_, transaction, path_);
    if (commands::is_command(statement)) {
      std::vector<ErrorFields> notices;
      commands::CommandContext context{database_, transaction, call, relations, path_, notices};
      Answer answer;
      answer.tag = commands::execute(context, statement);
      return answer;
    }
    const query::AnalysisContext context{relations, call};
    query::QueryPtr query;
    if (const auto* select = std::get_if<syntax::Select>(&statement.body)) query = query::analyse(*select, context);
    if (const auto* insert = std::get_if<syntax::Insert>(&statement.body)) query = query::analyse(*insert, context);
    if (const auto* update = std::get_if<syntax::Update>(&statement.body)) query = query::analyse(*update, context);
    if (const auto* removal = std::get_if<syntax::Delete>(&statement.body)) query = query::analyse(*removal, context);
    if (query == nullptr) throw SqlError(sqlstate::feature_not_supported, "no such statement here");
    const executor::ExecutionInputs inputs{
        .database = database_, .transaction = transaction, .call = call, .snapshot = &snapshot.take()};
    return answer_of(executor::execute(plan::plan_query(query, {call, {}, {}}), inputs), call);
  }

  Database& database_;
  executor::RelationCache cache_;
  txn::Backend& backend_;
  catalog::SequenceMemory sequences_;
  std::vector<std::string> path_{"public"};
};

// Everything that the node knows lives on the stack of the host's program.
class NodeConnection final : public Connection {
 public:
  NodeConnection() : host_(simulation_.add_host("node")) {
    sim::TaskRef ready;
    host_.set_program([this](sim::Host& host) {
      const std::unique_ptr<Instance> instance = Instance::open(host, {});
      NodeSession session(instance->database());
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
