// A session on the tables of one node: transaction blocks, savepoints, settings, the functions of a session, and
// statements run by the executor (PostgreSQL's src/backend/access/transam/xact.c and tcop/postgres.c).
//
// An error inside a block ends what was done since the last savepoint, or the whole transaction if there is none, at
// once, with its locks; only the block remains to be left. Settings made in a transaction or since a savepoint go the
// way of what else was done there.
//
// Queries are analysed, planned and executed on the node's own tables; plans are kept (plan_cache.h).
//
// Differences from PostgreSQL: SERIALIZABLE and COMMIT AND CHAIN are refused; plans are always generic.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/sequence.h"
#include "engine/executor/executor.h"
#include "engine/executor/relations.h"
#include "engine/node/database.h"
#include "engine/node/plan_cache.h"
#include "engine/node/session.h"
#include "engine/node/session_services.h"
#include "engine/node/settings.h"
#include "engine/query/analysis.h"

namespace polarsim::engine {

// What the sessions of a node have in common.
struct CommonCaches {
  explicit CommonCaches(Database& database);

  executor::RelationCache relations;
  std::shared_ptr<const Settings> settings;  // of a session that has not changed any
  PlanCache plans;                           // of sessions with these settings
};

class LocalSession final : public Session {
 public:
  // Both must outlive the session.
  LocalSession(Database& database, CommonCaches& common);
  ~LocalSession() override;

  QueryResult execute(const StatementRequest& request) override;
  StatementDescription describe(const StatementRequest& request) override;
  void fail() override;
  CallContext output_context() const override;
  TransactionStatus status() const override { return status_; }
  void close() override;

  // --- for a coordinator, whose part in this node a session is ---
  // Asked about every query of the client; null: nobody. It must outlive the session.
  void set_query_hook(QueryHook* hook) { hook_ = hook; }
  // These are for the hook while it plans or runs something: in the open transaction, on the node's own tables, without
  // asking the hook.
  const CallContext& call_context() const { return call_; }
  plan::PlannedStatementPtr plan_here(const query::QueryPtr& query) const;
  QueryResult run_here(const plan::PlannedStatementPtr& planned, std::span<const Value> parameters,
                       executor::CustomRowSource* custom_rows = nullptr);
  QueryResult run_here(const StatementRequest& request);  // the result has the notices
  // The statements that follow, up to end_parts(), an error or the end of the transaction, are parts of one: all see
  // what there is now, nothing of each other's changes, a row that one of them has changed the others leave alone, and
  // foreign keys are checked at the end of the last, as in a statement with common tables that change data. For SELECT,
  // INSERT, UPDATE and DELETE. end_parts() throws 23503 and what foreign keys have statements throw.
  void begin_parts();
  void end_parts();
  // COPY ... FROM STDIN of these bytes.
  QueryResult copy_in_here(const StatementRequest& request, std::string_view bytes);
  // A run that is over, with what the nodes of its plan have measured.
  struct MeasuredRun {
    executor::StatementSnapshot snapshot;
    plan::PlannedStatementPtr planned;
    std::optional<executor::Execution> execution = std::nullopt;
    QueryResult result = {};
  };
  std::unique_ptr<MeasuredRun> measure_here(const plan::PlannedStatementPtr& planned, std::span<const Value> parameters,
                                            executor::CustomRowSource* custom_rows = nullptr);
  StatementDescription describe_here(const StatementRequest& request);
  // Does something as a statement of the session, in the open transaction: with its limits and context; what `work`
  // throws is the statement's error. Returns what was told meanwhile, but for what run_here() has returned.
  std::vector<ErrorFields> run_as_statement(const StatementRequest& request, const std::function<void()>& work);
  void with_analysis(const std::function<void(const query::AnalysisContext&)>& work);
  // Statements that come from the node itself or from another one may change the catalog's tables without
  // allow_system_table_mods; run_here() always may.
  void set_trusted(bool trusted) { trusted_ = trusted; }
  const Settings& settings() const { return *settled_.in_force; }
  // SET of the session.
  void change_setting(std::string_view name, std::string_view value);
  // The schemas of search_path that exist.
  std::vector<std::string> schemas_searched() { return search_path(); }
  // Leaves out what client_min_messages holds back.
  void hold_back(std::vector<ErrorFields>& notices) const;
  sim::Duration statement_timeout() const { return settled_.in_force->statement_timeout(); }  // 0: none
  // Null if none is open.
  const txn::Transaction* transaction() const { return transaction_; }
  // Whether the open transaction has changed anything here.
  bool has_written() const;
  catalog::Catalog& catalog() const { return database_.catalog(); }
  // In the open transaction; what it does is seen by what it does next.
  void replace_definition(storage::RelationId relation, catalog::Definition definition);
  // Throws what the statement under way is to end with, if it is to end.
  void check_interrupts() { backend_->check_interrupts(); }
  // Until the end of the open transaction, against whoever asks the same here.
  void lock_shard(std::int64_t shard);
  // The right to change what a cluster's tables are, which one session of the node has at a time, until
  // unlock_definitions(), whatever becomes of the transaction. May wait, as for any lock.
  void lock_definitions();
  void unlock_definitions();
  bool has_locked_definitions() const { return !definitions_lock_.locks.empty(); }
  // What the open transaction has locked of relations against changes by others, the session holds from here on, too,
  // whatever becomes of the transaction.
  void keep_relation_locks();
  void release_kept_locks();
  // A relation of this node, until the transaction ends.
  void lock_relation(storage::RelationId relation, txn::LockMode mode);

  std::uint32_t process_id() const override { return process_id_; }
  void cancel() override;
  txn::CancelReason cancel_reason() const;
  // A statement of the client is under way, for as long as it lives: others are told so. Those inside it are not told.
  class Busy {
   public:
    Busy(LocalSession& session, std::string_view text);
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy();

   private:
    LocalSession& session_;
  };
  // What others are told of the client's transaction; null: status().
  void set_told_status(std::function<TransactionStatus()> tell) { told_status_ = std::move(tell); }
  // What other nodes do for this session (txn/backend.h).
  void set_remote_work(std::function<txn::RemoteWork()> tell);
  void terminate() override;
  bool termination_requested() const override;
  void set_interrupt_listener(std::function<void()> listener) override;
  sim::Duration idle_in_transaction_timeout() const override;
  std::string setting(std::string_view name) const override { return setting_text(name); }
  std::shared_ptr<const void> settings_in_force() const override { return settled_.in_force; }
  void set_at_start(std::string_view name, std::string_view value) override;
  syntax::TransactionModes default_modes() const override;
  void set_copy_stream(CopyStream* stream) override { copy_stream_ = stream; }

 private:
  // What ROLLBACK and ROLLBACK TO bring back.
  struct Settled {
    std::shared_ptr<const Settings> in_force;  // with what SET LOCAL changed
    std::shared_ptr<const Settings> session;   // without
    bool read_only = false;
  };
  struct Savepoint {
    std::string name;
    Settled before;
  };
  using Savepoints = std::vector<Savepoint>;
  static QueryResult tagged(std::string tag);
  bool allows_catalog_changes() const { return trusted_ || settled_.in_force->allow_system_table_mods(); }
  // Statements (local_session.cpp).
  LocalServices::Session services();
  // What others are told of the session (txn/backend.h).
  txn::Activity activity() const;
  std::vector<txn::PreparedStatement> told_prepared_statements();
  // Before anything else of a statement; what `work` throws ends the transaction as far as it must.
  template <typename Work>
  auto guarded(const StatementRequest& request, const Work& work);
  QueryResult dispatch(const StatementRequest& request);
  StatementDescription describe_in_transaction(const StatementRequest& request);
  // The statements that need neither a transaction nor a snapshot; false if it is none of them.
  bool run_utility(const StatementRequest& request, QueryResult& result);
  QueryResult run_in_transaction(const StatementRequest& request);
  QueryResult run_command(const StatementRequest& request);
  void vacuum(const syntax::Vacuum& vacuum);
  storage::RelationId find_vacuumed(const syntax::TableName& name);
  void analyze(const syntax::Vacuum& statement);
  void set_limits();
  void set_call_context();
  void after_error();

  // Queries (local_session_query.cpp).
  template <typename Work>
  auto without_hook(const StatementRequest& request, const Work& work);
  QueryResult run_query(const StatementRequest& request);
  QueryResult create_table_as(const StatementRequest& request, const syntax::CreateTableAs& create);
  QueryResult explain(const StatementRequest& request, const syntax::Explain& explain);
  // As the function measure_next_query() has asked.
  QueryResult run_measured(const StatementPlan& planned, std::span<const Value> parameters,
                           const plan::ExplainOptions& options, std::int64_t started_us);
  QueryResult prepare_statement(const StatementRequest& request, const syntax::Prepare& prepare);
  QueryResult deallocate(const syntax::Deallocate& deallocate);
  // What EXECUTE stands for, with its parameters' types and its columns, and the values of its parameters.
  PreparedStatement& find_prepared(const std::string& name);
  PreparedStatement& find_prepared_and_analysed(const std::string& name);
  Row evaluate_arguments(const syntax::Execute& execute, const PreparedStatement& prepared);
  StatementPlanPtr plan(const StatementRequest& request);
  StatementPlanPtr find_plan(const StatementRequest& request, executor::CatalogRelations& relations);
  void keep_plan(const StatementPlanPtr& plan);
  // Whether the session may use, and add to, the plans that sessions have in common.
  bool has_common_plans() const;
  StatementPlanPtr analyse_only(const StatementRequest& request);
  // All of a plan but how it is executed.
  std::shared_ptr<StatementPlan> analyse_plan(const StatementRequest& request, executor::CatalogRelations& relations);
  StatementPlanPtr make_plan(const StatementRequest& request, executor::CatalogRelations& relations);
  bool still_holds(const StatementPlan& plan, const StatementRequest& request, executor::CatalogRelations& relations);
  Row typed_parameters(const StatementPlan& plan, const StatementRequest& request) const;
  executor::ExecutionInputs inputs(std::span<const Value> parameters, executor::StatementSnapshot& snapshot);
  void refuse_change_if_read_only(const query::Query& query) const;
  const std::vector<std::string>& search_path();

  // COPY (local_session_copy.cpp).
  QueryResult run_copy(const syntax::Copy& statement);

  // Transaction control (local_session_block.cpp).
  QueryResult control(const syntax::TransactionControl& control);
  QueryResult begin(const syntax::TransactionControl& control);
  QueryResult commit();
  QueryResult rollback();
  QueryResult prepare(const std::string& gid);
  QueryResult finish_prepared(const std::string& gid, bool commit);
  QueryResult savepoint(const std::string& name);
  QueryResult rollback_to(const std::string& name);
  QueryResult release(const std::string& name);
  Savepoints::iterator find_savepoint(const std::string& name);
  void require_block(const char* statement) const;
  void require_no_block(const char* statement) const;
  void start_transaction();
  // Gives the transaction out of hand, because commit and prepare take it over.
  txn::Transaction& take_transaction();
  // Of a statement, or a part of one.
  void end_command();
  void forget_parts();
  void abort_open();
  void leave_block(bool committed);

  // Settings (local_session_settings.cpp).
  QueryResult set(const syntax::SetVariable& setting);
  QueryResult show(const syntax::ShowVariable& setting) const;
  QueryResult set_transaction(const syntax::SetTransaction& set);
  QueryResult discard(const syntax::Discard& discard);
  void change_settings(bool local, const std::function<void(Settings&)>& change);
  void set_isolation(std::string_view level);
  void set_read_only(bool read_only);
  bool set_transaction_variable(const syntax::SetVariable& setting);
  std::string setting_text(std::string_view name) const;
  void refuse_if_read_only(std::string_view what) const;
  void warn(const char* sqlstate, std::string message);

  Database& database_;
  CommonCaches& common_;
  executor::RelationCache& relations_;  // of common_
  txn::Backend* backend_;               // null once closed
  std::uint32_t process_id_;
  TransactionStatus status_ = TransactionStatus::idle;
  txn::Transaction* transaction_ = nullptr;                // owned by the manager; null when none is open
  std::unique_ptr<executor::ForeignKeyQueue> parts_keys_;  // of the parts of a statement; else null
  Settled settled_;
  Settled before_block_;  // while a block is open
  Savepoints savepoints_;
  std::string isolation_ = "read committed";  // of the transaction, as it was asked for
  bool queried_ = false;                      // the transaction has had a statement that needs a snapshot
  catalog::SequenceMemory sequences_;
  IntermediateResults results_;
  std::optional<plan::ExplainOptions> measure_next_;  // the next query
  std::string measured_plan_;                         // of the last one that was measured
  txn::LockOwner definitions_lock_;
  txn::LockOwner kept_locks_;
  LocalServices services_;
  CopyStream* copy_stream_ = nullptr;
  PlanCache plans_;  // its own
  QueryHook* hook_ = nullptr;
  bool trusted_ = false;

  // Of the client's last statement; how many are under way, one inside the other.
  int busy_ = 0;
  std::function<TransactionStatus()> told_status_;
  std::string last_query_;
  std::int64_t backend_start_us_ = 0;
  std::int64_t query_start_us_ = 0;
  std::int64_t state_change_us_ = 0;

  // Of the statement that runs.
  CallContext call_;
  std::shared_ptr<const Settings> call_settings_;  // what call_ points into
  std::string_view text_;
  std::vector<ErrorFields> notices_;

  // The schemas of search_path that exist, and what they were found by.
  std::vector<std::string> search_path_;
  std::shared_ptr<const Settings> search_path_settings_;
  std::uint64_t search_path_version_ = 0;
};

}  // namespace polarsim::engine
