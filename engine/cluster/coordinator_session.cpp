#include "engine/cluster/coordinator_session.h"

#include <utility>

#include "engine/cluster/observer.h"
#include "engine/commands/command.h"

namespace polarsim::engine::cluster {

namespace {

void add_warnings(QueryResult& result, std::vector<ErrorFields> warnings) {
  for (ErrorFields& warning : warnings) result.notices.push_back(std::move(warning));
}

// Whether a statement outside a block is a transaction. The others act on the session or on this node alone; some of
// them refuse to be in a block.
bool is_transactional(const syntax::Statement& statement) {
  const syntax::StatementBody& body = statement.body;
  if (std::holds_alternative<syntax::LockTable>(body)) return false;
  return std::holds_alternative<syntax::Select>(body) || std::holds_alternative<syntax::Insert>(body) ||
         std::holds_alternative<syntax::Update>(body) || std::holds_alternative<syntax::Delete>(body) ||
         std::holds_alternative<syntax::CreateTableAs>(body) || std::holds_alternative<syntax::Explain>(body) ||
         std::holds_alternative<syntax::Execute>(body) || std::holds_alternative<syntax::Copy>(body) ||
         commands::is_command(statement);
}

}  // namespace

CoordinatorSession::CoordinatorSession(Coordinator& coordinator, std::uint32_t process_id)
    : coordinator_(coordinator),
      process_id_(process_id),
      local_(coordinator.instance().connect()),
      executor_(coordinator.host(), coordinator.config().node),
      transaction_(coordinator, executor_, *local_, process_id) {
  local_->set_interrupt_listener([this] { on_interrupt(); });
  local_->set_remote_work([this] { return remote_work(); });
  local_->set_told_status([this] { return status_; });
  local_->set_query_hook(this);
  if (ClusterObserver* const observer = coordinator.observer(); observer != nullptr) {
    const CoordinatorSessionName session{coordinator.host().name(), local_->process_id()};
    executor_.set_connection_listener([observer, session](const std::string& node, std::uint32_t worker) {
      observer->task_begins(session, node, worker);
    });
  }
}

CoordinatorSession::~CoordinatorSession() {
  // It ends last, and may have something to roll back: nobody must be told of interrupts who is gone by then.
  local_->set_interrupt_listener(nullptr);
  local_->set_remote_work(nullptr);
  local_->set_told_status(nullptr);
  local_->set_query_hook(nullptr);
}

void CoordinatorSession::close() {
  // Nodes roll back what their lost session had open; waiting for their answers would help nobody.
  executor_.close();
  local_->close();
  status_ = TransactionStatus::idle;
}

void CoordinatorSession::on_interrupt() {
  executor_.cancel(local_->cancel_reason());
  if (interrupt_listener_) interrupt_listener_();
}

txn::RemoteWork CoordinatorSession::remote_work() const {
  return {executor_.workers(), transaction_start_us_, statement_start_};
}

QueryResult CoordinatorSession::execute(const StatementRequest& request) {
  struct Timed {
    sim::Time& start;
    ~Timed() { start = sim::never; }
  } const timed{statement_start_};
  const LocalSession::Busy busy(*local_, request.text);
  statement_start_ = coordinator_.host().scheduler().now();
  if (!in_block()) transaction_start_us_ = coordinator_.host().realtime_us();
  if (!termination_requested()) {
    const sim::Duration timeout = local_->statement_timeout();
    executor_.begin_statement(local_->settings().time_zone(),
                              timeout > sim::Duration(0) ? coordinator_.host().deadline_in(timeout) : sim::never);
    try {
      QueryResult result = execute_statement(request);
      local_->hold_back(result.notices);
      return result;
    } catch (const SqlError&) {
      if (!termination_requested()) throw;
    }
  }
  close();
  throw SessionTerminated::by_administrator();
}

void CoordinatorSession::fail() {
  if (!in_block()) return;
  try {
    after_error();
  } catch (const SqlError& error) {
    // Somebody wants the session to end, which then takes with it what is left.
    coordinator_.host().log("the end of a failed block: " + error.fields().message);
  }
}

QueryResult CoordinatorSession::execute_statement(const StatementRequest& request) {
  if (const auto* transaction_control = std::get_if<syntax::TransactionControl>(&request.statement->body))
    return control(*transaction_control, request);
  if (status_ == TransactionStatus::failed) {
    throw SqlError(sqlstate::in_failed_sql_transaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  }
  if (!in_block()) return run_alone(request);
  try {
    return dispatch(request);
  } catch (const SqlError&) {
    after_error();
    throw;
  }
}

QueryResult CoordinatorSession::run_alone(const StatementRequest& request) {
  const TransactionEnd end{*this};
  modes_ = local_->default_modes();
  try {
    if (is_transactional(*request.statement)) enter_local_block();
    QueryResult result = dispatch(request);
    add_warnings(result, transaction_.commit());
    return result;
  } catch (const SqlError&) {
    transaction_.rollback();
    throw;
  }
}

std::shared_ptr<const Metadata> CoordinatorSession::metadata() {
  if (!changes_metadata_) return coordinator_.metadata();
  if (own_metadata_ == nullptr) own_metadata_ = coordinator_.metadata_seen_by(*local_);
  return own_metadata_;
}

// --- statements ---

QueryResult CoordinatorSession::dispatch(const StatementRequest& request) {
  const syntax::StatementBody& body = request.statement->body;
  if (const auto* set = std::get_if<syntax::SetTransaction>(&body); set != nullptr && !set->session)
    return set_transaction(set->modes, request);
  if (const auto* set = std::get_if<syntax::SetVariable>(&body)) {
    syntax::TransactionModes modes;
    const Settings& settings = local_->settings();
    if (set->name == "transaction_isolation") {
      const std::string value = set->reset ? settings.default_transaction_isolation() : set->value;
      modes.isolation = Settings::check_isolation(set->name, value);
    }
    if (set->name == "transaction_read_only") {
      modes.read_only =
          set->reset ? settings.default_transaction_read_only() : Settings::check_boolean(set->name, set->value);
    }
    if (modes != syntax::TransactionModes{}) return set_transaction(modes, request);
  }
  if (in_block()) enter_local_block();
  if (std::holds_alternative<syntax::Select>(body)) {
    if (std::optional<QueryResult> result = run_cluster_function(request)) return std::move(*result);
  }
  if (std::holds_alternative<syntax::Vacuum>(body)) return maintain(request);
  const bool defines = commands::is_command(*request.statement) ||
                       std::holds_alternative<syntax::CreateTableAs>(request.statement->body);
  return defines ? run_command(request) : local_->execute(request);
}

}  // namespace polarsim::engine::cluster
