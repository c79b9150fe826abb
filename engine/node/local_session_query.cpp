// Queries, and the statements around them (CREATE TABLE AS, EXPLAIN, PREPARE): a part of LocalSession.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/commands/command.h"
#include "engine/executor/result.h"
#include "engine/node/local_session.h"
#include "engine/node/session_checks.h"
#include "engine/node/told_columns.h"
#include "engine/plan/explain.h"
#include "engine/plan/planner.h"
#include "engine/query/analysis.h"
#include "engine/query/fold.h"
#include "engine/query/program.h"
#include "engine/types/datetime_input.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {

namespace {

query::QueryPtr analyse_statement(const syntax::StatementBody& body, const query::AnalysisContext& context) {
  if (const auto* select = std::get_if<syntax::Select>(&body)) return query::analyse(*select, context);
  if (const auto* insert = std::get_if<syntax::Insert>(&body)) return query::analyse(*insert, context);
  if (const auto* update = std::get_if<syntax::Update>(&body)) return query::analyse(*update, context);
  return query::analyse(std::get<syntax::Delete>(body), context);
}

// What is run must have been given its parameters. PostgreSQL tells where it meets the first that is not there.
void require_parameters(LocalSession& session, const StatementRequest& request) {
  if (request.parameters.size() >= static_cast<std::size_t>(request.statement->parameters)) return;
  session.with_analysis(
      [&](const query::AnalysisContext& context) { analyse_statement(request.statement->body, context); });
}

const char* lock_name(syntax::LockStrength strength) {
  switch (strength) {
    case syntax::LockStrength::key_share:
      return "SELECT FOR KEY SHARE";
    case syntax::LockStrength::share:
      return "SELECT FOR SHARE";
    case syntax::LockStrength::no_key_update:
      return "SELECT FOR NO KEY UPDATE";
    default:
      return "SELECT FOR UPDATE";
  }
}

const char* change_name(query::Command command) {
  if (command == query::Command::insert) return "INSERT";
  return command == query::Command::update ? "UPDATE" : "DELETE";
}

// --- the options of EXPLAIN ---

bool option_holds(const syntax::Parameter& option) {
  if (option.value == nullptr) return true;
  const std::string text = option.value->value.is_text() ? std::string(option.value->value.as_text())
                                                         : output_value(option.value->value, TypeId::int8, {});
  for (const char* yes : {"on", "true", "1"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"off", "false", "0"}) {
    if (text == no) return false;
  }
  throw SqlError(sqlstate::syntax_error, fmt::format("{} requires a Boolean value", option.name));
}

struct ExplainRequest {
  plan::ExplainOptions options;
  bool summary = false;
};

ExplainRequest read_explain_options(const syntax::Explain& explain) {
  ExplainRequest request;
  plan::ExplainOptions& options = request.options;
  bool timing_said = false;
  bool summary_said = false;
  for (const syntax::Parameter& option : explain.options) {
    if (option.name == "analyze") {
      options.analyze = option_holds(option);
    } else if (option.name == "verbose") {
      options.verbose = option_holds(option);
    } else if (option.name == "costs") {
      options.costs = option_holds(option);
    } else if (option.name == "timing") {
      timing_said = true;
      options.timing = option_holds(option);
    } else if (option.name == "summary") {
      summary_said = true;
      request.summary = option_holds(option);
    } else if (option.name == "buffers" || option.name == "wal" || option.name == "settings") {
      if (option_holds(option)) {
        throw SqlError(sqlstate::feature_not_supported,
                       fmt::format("EXPLAIN option \"{}\" is not supported", option.name));
      }
    } else if (option.name == "format") {
      const std::string_view format = option.value == nullptr ? std::string_view() : option.value->value.as_text();
      if (format != "text") throw SqlError(sqlstate::feature_not_supported, "EXPLAIN supports the text format only");
    } else {
      throw SqlError(sqlstate::syntax_error, fmt::format("unrecognized EXPLAIN option \"{}\"", option.name))
          .at(option.position);
    }
  }
  if (timing_said && options.timing && !options.analyze)
    throw SqlError(sqlstate::invalid_parameter_value, "EXPLAIN option TIMING requires ANALYZE");
  if (!timing_said) options.timing = options.analyze;
  if (!summary_said) request.summary = options.analyze;
  return request;
}

}  // namespace

// --- plans ---

const std::vector<std::string>& LocalSession::search_path() {
  const catalog::Catalog& catalog = database_.catalog();
  const std::uint64_t version = catalog.definitions_version();
  if (search_path_settings_ != settled_.in_force || search_path_version_ != version) {
    search_path_.clear();
    for (const std::string& schema : settled_.in_force->search_path()) {
      const std::string& name = schema == "$user" ? role_name : schema;
      if (catalog.schema_id(transaction_, name) != 0) search_path_.push_back(name);
    }
    search_path_settings_ = settled_.in_force;
    search_path_version_ = version;
  }
  return search_path_;
}

StatementPlanPtr LocalSession::plan(const StatementRequest& request) {
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  StatementPlanPtr plan = find_plan(request, relations);
  if (plan == nullptr) {
    // A literal may stand for the time at which it was read: '2024-01-01 today' is no constant to keep.
    const std::uint64_t before = clock_words_read();
    plan = make_plan(request, relations);
    if (clock_words_read() == before) keep_plan(plan);
  }
  // PREPARE has told them, not EXECUTE.
  if (!request.typed) notices_.insert(notices_.end(), plan->warnings.begin(), plan->warnings.end());
  return plan;
}

bool LocalSession::has_common_plans() const {
  return settled_.in_force == common_.settings && database_.catalog().definitions_settled();
}

StatementPlanPtr LocalSession::find_plan(const StatementRequest& request, executor::CatalogRelations& relations) {
  if (has_common_plans()) {
    StatementPlanPtr known = common_.plans.find(request.statement);
    // Definitions may have changed while it waited for locks.
    if (known != nullptr && still_holds(*known, request, relations) && has_common_plans()) return known;
  }
  StatementPlanPtr known = plans_.find(request.statement);
  return known != nullptr && still_holds(*known, request, relations) ? known : nullptr;
}

void LocalSession::keep_plan(const StatementPlanPtr& plan) {
  const bool common = has_common_plans() && plan->definitions_version == database_.catalog().definitions_version() &&
                      (plan->hooked == nullptr || plan->hooked->is_common());
  (common ? common_.plans : plans_).keep(plan);
}

bool LocalSession::still_holds(const StatementPlan& plan, const StatementRequest& request,
                               executor::CatalogRelations& relations) {
  if (plan.settings != settled_.in_force || !std::ranges::equal(plan.declared, request.types)) return false;
  if (plan.definitions_version != database_.catalog().definitions_version()) return false;
  for (const RecordingRelations::Opened& opened : plan.opened) {
    if (relations.open(opened.schema, opened.name, opened.lock) != opened.relation) return false;
  }
  if (plan.definitions_version != database_.catalog().definitions_version()) return false;
  if (plan.allows_catalog_changes != allows_catalog_changes()) return false;
  if (hook_ == nullptr) return plan.hook_owner == nullptr;
  return plan.hook_owner == hook_->owner() && plan.hook_version == hook_->version();
}

StatementPlanPtr LocalSession::analyse_only(const StatementRequest& request) {
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  return analyse_plan(request, relations);
}

StatementPlanPtr LocalSession::make_plan(const StatementRequest& request, executor::CatalogRelations& relations) {
  const std::shared_ptr<StatementPlan> made = analyse_plan(request, relations);
  if (hook_ != nullptr) made->hook_owner = hook_->owner();
  if (hook_ != nullptr) made->hook_version = hook_->version();
  if (hook_ != nullptr) made->hooked = hook_->plan(made->query);
  if (made->hooked == nullptr) made->planned = plan_here(made->query);
  return made;
}

std::shared_ptr<StatementPlan> LocalSession::analyse_plan(const StatementRequest& request,
                                                          executor::CatalogRelations& relations) {
  auto made = std::make_shared<StatementPlan>();
  made->statement = request.statement;
  made->declared.assign(request.types.begin(), request.types.end());
  made->settings = settled_.in_force;
  made->definitions_version = database_.catalog().definitions_version();
  for (const TypeId type : request.types) made->parameter_types.emplace_back(type);
  const auto parameters = static_cast<std::size_t>(request.statement->parameters);
  if (made->parameter_types.size() < parameters) made->parameter_types.resize(parameters, TypeId::unknown);
  RecordingRelations recording(relations);
  made->query =
      analyse_statement(request.statement->body, {recording, call_, &made->parameter_types, true, &made->warnings});
  if (!allows_catalog_changes()) refuse_catalog_changes(*made->query);
  made->allows_catalog_changes = allows_catalog_changes();
  made->opened = recording.take();
  made->columns = query::output_columns(*made->query);
  made->origins = query::column_origins(*made->query);
  return made;
}

plan::PlannedStatementPtr LocalSession::plan_here(const query::QueryPtr& query) const {
  return plan::plan_query(query, {call_, settled_.in_force->planner_settings(), {}});
}

QueryResult LocalSession::run_here(const plan::PlannedStatementPtr& planned, std::span<const Value> parameters,
                                   executor::CustomRowSource* custom_rows) {
  executor::StatementSnapshot snapshot(database_, *transaction_);
  executor::ExecutionInputs run = inputs(parameters, snapshot);
  run.custom_rows = custom_rows;
  QueryResult result = executor::execute(planned, run);
  end_command();
  return result;
}

template <typename Work>
auto LocalSession::without_hook(const StatementRequest& request, const Work& work) {
  struct Restore {
    LocalSession& session;
    QueryHook* const hook;
    const bool trusted;
    const std::string_view text;
    const std::int64_t start_us;
    ~Restore() {
      session.hook_ = hook;
      session.trusted_ = trusted;
      session.text_ = text;
      session.call_.statement_start_us = start_us;
    }
  };
  const Restore restore{*this, std::exchange(hook_, nullptr), std::exchange(trusted_, true),
                        std::exchange(text_, request.text), call_.statement_start_us};
  return work();
}

QueryResult LocalSession::run_here(const StatementRequest& request) {
  std::vector<ErrorFields> told = std::exchange(notices_, {});
  QueryResult result = without_hook(request, [&] { return run_in_transaction(request); });
  for (ErrorFields& notice : notices_) result.notices.push_back(std::move(notice));
  notices_ = std::move(told);
  return result;
}

std::unique_ptr<LocalSession::MeasuredRun> LocalSession::measure_here(const plan::PlannedStatementPtr& planned,
                                                                      std::span<const Value> parameters,
                                                                      executor::CustomRowSource* custom_rows) {
  std::unique_ptr<MeasuredRun> run(new MeasuredRun{executor::StatementSnapshot(database_, *transaction_), planned});
  executor::ExecutionInputs from = inputs(parameters, run->snapshot);
  from.custom_rows = custom_rows;
  from.measure = true;
  run->execution.emplace(planned, from);
  run->result = executor::run_to_the_end(*run->execution, *planned);
  end_command();
  return run;
}

StatementDescription LocalSession::describe_here(const StatementRequest& request) {
  return without_hook(request, [&] { return describe_in_transaction(request); });
}

bool LocalSession::has_written() const {
  return transaction_ != nullptr && transaction_->top_xid() != storage::invalid_xid;
}

Row LocalSession::typed_parameters(const StatementPlan& plan, const StatementRequest& request) const {
  if (request.parameters.size() < static_cast<std::size_t>(request.statement->parameters)) {
    throw SqlError(sqlstate::undefined_parameter,
                   fmt::format("there is no parameter ${}", request.statement->parameters));
  }
  if (request.typed) return Row(request.parameters.begin(), request.parameters.end());
  Row values;
  values.reserve(request.parameters.size());
  for (std::size_t i = 0; i < request.parameters.size(); ++i) {
    const Value& given = request.parameters[i];
    const Type type = i < plan.parameter_types.size() ? plan.parameter_types[i] : Type(TypeId::text);
    if (given.is_text() && type != TypeId::text) {
      values.push_back(input_value(given.as_text(), type, call_));
    } else {
      values.push_back(given);
    }
  }
  return values;
}

void LocalSession::refuse_change_if_read_only(const query::Query& query) const {
  if (!settled_.read_only) return;
  if (query.command != query::Command::select) refuse_if_read_only(change_name(query.command));
  if (!query.row_marks.empty()) refuse_if_read_only(lock_name(query.row_marks.front().strength));
  for (const query::CommonTable& table : query.common_tables) {
    if (table.query->command != query::Command::select) refuse_if_read_only(change_name(table.query->command));
  }
}

executor::ExecutionInputs LocalSession::inputs(std::span<const Value> parameters,
                                               executor::StatementSnapshot& snapshot) {
  return {.database = database_,
          .transaction = *transaction_,
          .call = call_,
          .parameters = parameters,
          .snapshot = &snapshot.take(),
          .work_memory_bytes = settled_.in_force->work_memory_bytes(),
          .relations = &relations_,
          .foreign_keys = parts_keys_.get()};
}

QueryResult LocalSession::run_query(const StatementRequest& request) {
  const std::optional<plan::ExplainOptions> measure = std::exchange(measure_next_, std::nullopt);
  const std::int64_t started_us = measure ? database_.host().realtime_us() : 0;
  executor::StatementSnapshot snapshot(database_, *transaction_);
  require_parameters(*this, request);
  const StatementPlanPtr planned = plan(request);
  if (request.columns != nullptr) refuse_other_columns(*request.columns, planned->columns);
  refuse_change_if_read_only(*planned->query);
  const Row parameters = typed_parameters(*planned, request);
  QueryResult result = planned->hooked != nullptr ? hook_->run({*planned->hooked, parameters, planned->parameter_types})
                       : measure                  ? run_measured(*planned, parameters, *measure, started_us)
                                                  : executor::execute(planned->planned, inputs(parameters, snapshot));
  tell_origins(result.columns, planned->origins);
  return result;
}

namespace {

std::string milliseconds_text(const char* what, std::int64_t from_us, std::int64_t to_us) {
  return fmt::format("{}: {:.3f} ms", what, static_cast<double>(to_us - from_us) / 1000);
}

}  // namespace

QueryResult LocalSession::run_measured(const StatementPlan& planned, std::span<const Value> parameters,
                                       const plan::ExplainOptions& options, std::int64_t started_us) {
  const std::int64_t planned_us = database_.host().realtime_us();
  const std::unique_ptr<MeasuredRun> run = measure_here(planned.planned, parameters);
  const plan::ExplainContext context{
      options, [&run](const plan::Plan& node) { return run->execution->measurement(node); }, nullptr};
  std::vector<std::string> lines = plan::explain(*planned.planned, context);
  if (options.summary) {
    lines.push_back(milliseconds_text("Planning Time", started_us, planned_us));
    lines.push_back(milliseconds_text("Execution Time", planned_us, database_.host().realtime_us()));
  }
  measured_plan_.clear();
  for (const std::string& line : lines) measured_plan_ += (measured_plan_.empty() ? "" : "\n") + line;
  return std::move(run->result);
}

// --- CREATE TABLE AS ---

QueryResult LocalSession::create_table_as(const StatementRequest& request, const syntax::CreateTableAs& create) {
  if (create.materialized_view) throw SqlError(sqlstate::feature_not_supported, "materialized views are not supported");
  refuse_if_read_only("CREATE TABLE AS");
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  commands::CommandContext context{database_, *transaction_, call_, relations, path, notices_};
  if (create.if_not_exists && commands::exists(context, create.table)) {
    context.notice_existing(sqlstate::duplicate_table,
                            fmt::format("relation \"{}\" already exists", create.table.name));
    return tagged("CREATE TABLE AS");
  }
  // Else filling it tells the warnings.
  const query::QueryPtr query =
      query::analyse(*create.query, create.with_data ? context.analysis() : context.analysis_of_written());
  commands::create_table(context, commands::table_for(context, create, query::output_columns(*query)));
  if (!create.with_data) return tagged("CREATE TABLE AS");
  database_.transactions().next_command(*transaction_);
  auto filling = std::make_shared<syntax::Statement>();
  syntax::Insert insert;
  insert.table = create.table;
  insert.source = create.query;
  filling->body = std::move(insert);
  filling->parameters = request.statement->parameters;
  const QueryResult filled = run_query({filling, request.text, request.parameters, request.types});
  return tagged("SELECT" + filled.tag.substr(filled.tag.rfind(' ')));
}

// --- EXPLAIN ---

namespace {

// The query whose rows a table is made of, as a statement.
syntax::StatementPtr filling_of(const syntax::CreateTableAs& create, const syntax::Statement& around) {
  auto filling = std::make_shared<syntax::Statement>();
  filling->body = *create.query;
  filling->parameters = around.parameters;
  return filling;
}

}  // namespace

QueryResult LocalSession::explain(const StatementRequest& request, const syntax::Explain& explain) {
  auto [options, summary] = read_explain_options(explain);
  options.summary = summary;
  syntax::StatementPtr explained_statement = explain.statement;
  if (const auto* create = std::get_if<syntax::CreateTableAs>(&explain.statement->body)) {
    if (options.analyze || create->materialized_view)
      throw SqlError(sqlstate::feature_not_supported, "EXPLAIN of this statement is not supported");
    explained_statement = filling_of(*create, *explain.statement);
  }
  const StatementRequest explained{explained_statement, request.text, request.parameters, request.types};
  Row arguments;
  std::optional<PreparedStatement> prepared;
  if (const auto* executed = std::get_if<syntax::Execute>(&explained_statement->body)) {
    prepared = find_prepared_and_analysed(executed->name);
    arguments = evaluate_arguments(*executed, *prepared);
  } else if (!std::holds_alternative<syntax::Select>(explained_statement->body) &&
             !std::holds_alternative<syntax::Insert>(explained_statement->body) &&
             !std::holds_alternative<syntax::Update>(explained_statement->body) &&
             !std::holds_alternative<syntax::Delete>(explained_statement->body)) {
    throw SqlError(sqlstate::feature_not_supported, "EXPLAIN of this statement is not supported");
  }
  const StatementRequest wanted = prepared ? StatementRequest{prepared->statement, prepared->text, arguments,
                                                              prepared->description->parameters, true}
                                           : explained;
  const std::int64_t started_us = database_.host().realtime_us();
  executor::StatementSnapshot snapshot(database_, *transaction_);
  require_parameters(*this, wanted);
  const StatementPlanPtr planned = plan(wanted);
  if (prepared) refuse_other_columns(prepared->description->columns, planned->columns);
  const std::int64_t planned_us = database_.host().realtime_us();
  plan::ExplainContext context{options, nullptr, nullptr};
  std::optional<executor::Execution> execution;
  Row parameters;
  if (options.analyze) refuse_change_if_read_only(*planned->query);
  if (options.analyze || planned->hooked != nullptr) parameters = typed_parameters(*planned, wanted);
  if (options.analyze && planned->hooked == nullptr) {
    executor::ExecutionInputs run = inputs(parameters, snapshot);
    run.measure = true;
    execution.emplace(planned->planned, run);
    for (executor::RowView row; execution->next(row);) continue;
    execution->finish();
    context.measurement = [&execution](const plan::Plan& node) { return execution->measurement(node); };
  }
  std::vector<std::string> lines =
      planned->hooked != nullptr ? hook_->explain({*planned->hooked, parameters, planned->parameter_types}, options)
                                 : plan::explain(*planned->planned, context);
  if (summary) {
    lines.push_back(milliseconds_text("Planning Time", started_us, planned_us));
    if (options.analyze)
      lines.push_back(milliseconds_text("Execution Time", planned_us, database_.host().realtime_us()));
  }
  QueryResult result = tagged("EXPLAIN");
  result.columns.push_back({"QUERY PLAN", TypeId::text});
  for (const std::string& line : lines) result.rows.push_back({Value::text(line)});
  return result;
}

// --- PREPARE, EXECUTE, DEALLOCATE ---

QueryResult LocalSession::prepare_statement(const StatementRequest& request, const syntax::Prepare& prepare) {
  if (prepared_statements().contains(prepare.name))
    throw SqlError("42P05", fmt::format("prepared statement \"{}\" already exists", prepare.name));
  PreparedStatement made{prepare.statement, std::string(request.text), {}, {}, database_.host().realtime_us()};
  for (const syntax::TypeName& name : prepare.types) made.types.push_back(query::resolve_type(name).id);
  const bool of_its_own = transaction_ == nullptr;
  if (of_its_own) start_transaction();
  // For its errors; and it finds the types that were not said.
  made.description = std::make_shared<const StatementDescription>(
      describe_in_transaction({made.statement, made.text, {}, made.types}));
  if (of_its_own) database_.transactions().commit(take_transaction());
  prepared_statements().emplace(prepare.name, std::move(made));
  return tagged("PREPARE");
}

QueryResult LocalSession::deallocate(const syntax::Deallocate& deallocate) {
  if (deallocate.name.empty()) {
    prepared_statements().clear();
    return tagged("DEALLOCATE ALL");
  }
  find_prepared(deallocate.name);
  prepared_statements().erase(deallocate.name);
  return tagged("DEALLOCATE");
}

PreparedStatement& LocalSession::find_prepared(const std::string& name) {
  const auto found = prepared_statements().find(name);
  if (found == prepared_statements().end())
    throw SqlError("26000", fmt::format("prepared statement \"{}\" does not exist", name));
  return found->second;
}

// The protocol's Parse leaves analysis to whoever needs it first.
PreparedStatement& LocalSession::find_prepared_and_analysed(const std::string& name) {
  PreparedStatement& prepared = find_prepared(name);
  if (prepared.statement == nullptr)
    throw SqlError(sqlstate::feature_not_supported, "EXECUTE of an empty statement is not supported");
  if (prepared.description != nullptr) return prepared;
  const PreparedStatement known = prepared;
  const auto description = std::make_shared<const StatementDescription>(
      describe_in_transaction({known.statement, known.text, {}, known.types}));
  PreparedStatement& analysed = find_prepared(name);
  analysed.description = description;
  return analysed;
}

Row LocalSession::evaluate_arguments(const syntax::Execute& execute, const PreparedStatement& prepared) {
  const std::vector<TypeId>& types = prepared.description->parameters;
  if (execute.parameters.size() != types.size()) {
    throw SqlError(sqlstate::syntax_error,
                   fmt::format("wrong number of parameters for prepared statement \"{}\"", execute.name),
                   fmt::format("Expected {} parameters but got {}.", types.size(), execute.parameters.size()));
  }
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  Row values;
  for (std::size_t i = 0; i < execute.parameters.size(); ++i) {
    const query::ExpressionPtr argument = query::analyse_argument(
        execute.parameters[i], types[i], {relations, call_, nullptr, false}, static_cast<int>(i) + 1);
    values.push_back(query::Program::compile(argument).run({}, call_));
  }
  return values;
}

}  // namespace polarsim::engine
