#include "engine/executor/executor_sql_test_support.h"

#include <fmt/format.h>

#include <utility>

#include "engine/commands/analyze.h"
#include "engine/node/settings.h"
#include "engine/query/analysis.h"
#include "engine/syntax/parser.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor::testing {

namespace {
std::string shown(const SqlError& error) {
  const std::string& detail = error.fields().detail;
  return "!ERROR " + error.sqlstate() + ": " + error.fields().message + (detail.empty() ? "" : " / " + detail);
}
}  // namespace

SqlRunner::SqlRunner(engine::testing::TestNode& node)
    : database_(node.instance().database()), backend_(database_.connect()), cache_(database_) {}

SqlRunner::~SqlRunner() {
  if (transaction_ != nullptr) rollback();
  database_.disconnect(backend_);
}

void SqlRunner::begin(txn::IsolationLevel isolation) {
  transaction_ = &database_.transactions().begin(backend_, isolation);
}
std::vector<std::string> SqlRunner::commit() {
  try {
    database_.transactions().commit(*std::exchange(transaction_, nullptr));
    return {};
  } catch (const SqlError& error) {
    return {shown(error)};
  }
}
void SqlRunner::rollback() { database_.transactions().abort(*std::exchange(transaction_, nullptr)); }

std::vector<std::string> SqlRunner::run(std::string_view sql) {
  const bool alone = transaction_ == nullptr;
  if (alone) begin();
  try {
    std::vector<std::string> lines = run_in(*transaction_, sql);
    database_.transactions().next_command(*transaction_);
    if (!alone) return lines;
    std::vector<std::string> failure = commit();
    return failure.empty() ? lines : failure;
  } catch (const SqlError& error) {
    rollback();
    last_error = error.fields();
    return {shown(error)};
  }
}

std::vector<std::string> SqlRunner::run_in(txn::Transaction& transaction, std::string_view sql) {
  std::vector<syntax::StatementPtr> parsed;
  database_.host().scheduler().on_scheduler_stack([&] { parsed = syntax::parse(std::string(sql)); });
  const syntax::Statement& statement = *parsed.at(0);

  catalog::SequenceMemory sequences;
  LocalServices::Session session;
  session.transaction = [&transaction] { return &transaction; };
  session.search_path = [this] { return path_; };
  session.refuse_if_read_only = [](const char*) {};
  const Settings session_settings(database_.config());
  session.setting = [&](std::string_view name) { return session_settings.show(name); };
  session.query = [&] { return std::string(sql); };
  LocalServices services(database_, backend_, sequences, session);
  CallContext call;
  call.session = &services;
  StatementSnapshot snapshot(database_, transaction);
  CatalogRelations relations(database_, cache_, transaction, path_);
  if (commands::is_command(statement)) {
    std::vector<ErrorFields> notices;
    commands::CommandContext context{database_, transaction, call, relations, path_, notices};
    return {commands::execute(context, statement)};
  }
  if (const auto* vacuum = std::get_if<syntax::Vacuum>(&statement.body)) {
    std::vector<ErrorFields> notices;
    commands::CommandContext context{database_, transaction, call, relations, path_, notices};
    commands::analyze(context, *vacuum);
    return {"ANALYZE"};
  }
  if (const auto* rows = std::get_if<syntax::Copy>(&statement.body)) {
    const CopyInputs inputs{.database = database_,
                            .transaction = transaction,
                            .call = call,
                            .relations = relations,
                            .snapshot = snapshot,
                            .planner = settings,
                            .stream = copy_stream,
                            .work_memory_bytes = work_memory_bytes};
    return {copy(*rows, inputs).tag};
  }
  const query::AnalysisContext context{relations, call};
  if (const auto* explain = std::get_if<syntax::Explain>(&statement.body)) {
    const query::QueryPtr explained = query::analyse(std::get<syntax::Select>(explain->statement->body), context);
    return {fmt::format("rows={:.0f}", plan::plan_query(explained, {call, settings, {}})->plan->cost.rows)};
  }
  query::QueryPtr query;
  if (const auto* select = std::get_if<syntax::Select>(&statement.body)) query = query::analyse(*select, context);
  if (const auto* insert = std::get_if<syntax::Insert>(&statement.body)) query = query::analyse(*insert, context);
  if (const auto* update = std::get_if<syntax::Update>(&statement.body)) query = query::analyse(*update, context);
  if (const auto* removal = std::get_if<syntax::Delete>(&statement.body)) query = query::analyse(*removal, context);
  return run_query(query, transaction, call, snapshot);
}

std::vector<std::string> SqlRunner::run_query(const query::QueryPtr& query, txn::Transaction& transaction,
                                              const CallContext& call, StatementSnapshot& snapshot) {
  const plan::PlannedStatementPtr planned = plan::plan_query(query, {call, settings, {}});
  const ExecutionInputs inputs{.database = database_,
                               .transaction = transaction,
                               .call = call,
                               .snapshot = &snapshot.take(),
                               .work_memory_bytes = work_memory_bytes,
                               .relations = &cache_};
  const QueryResult result = execute(planned, inputs);
  std::vector<std::string> lines;
  for (const Row& row : result.rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) line += '|';
      line += row[i].is_null() ? "null" : output_value(row[i], result.columns[i].type.id, call);
    }
    lines.push_back(std::move(line));
  }
  if (!result.tag.starts_with("SELECT")) lines.push_back(result.tag);
  return lines;
}

}  // namespace polarsim::engine::executor::testing
