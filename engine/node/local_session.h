// A session on the tables of one node: transaction blocks, savepoints, settings, the functions of a session, and
// statements run by the executor (PostgreSQL's src/backend/access/transam/xact.c and tcop/postgres.c).
//
// An error inside a block ends what was done since the last savepoint, or the whole transaction if there is none, at
// once, with its locks; only the block remains to be left. Settings made in a transaction or since a savepoint go the
// way of what else was done there.
//
// Differences from PostgreSQL: SERIALIZABLE and COMMIT AND CHAIN are refused; CREATE TABLE IF NOT EXISTS does not say
// that the table exists (that is a NOTICE there, and results carry only WARNINGs); pg_current_xact_id() is a bigint; a
// void result is a text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/sequence.h"
#include "engine/node/database.h"
#include "engine/node/session.h"
#include "engine/node/settings.h"
#include "engine/sql/session_functions.h"

namespace polarsim::engine {

class LocalSession final : public Session, private sql::SessionFunctions {
 public:
  // `database` must outlive the session.
  explicit LocalSession(Database& database);
  ~LocalSession() override;

  QueryResult execute(const sql::StatementPtr& statement, std::string_view text,
                      std::span<const Value> parameters) override;
  TransactionStatus status() const override { return status_; }
  void close() override;

  std::uint32_t process_id() const override { return process_id_; }
  void cancel() override;
  void terminate() override;
  bool termination_requested() const override;
  void set_interrupt_listener(std::function<void()> listener) override;
  sim::Duration idle_in_transaction_timeout() const override;
  sql::TransactionModes default_modes() const override;

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
  // Statements (local_session.cpp).
  QueryResult dispatch(const sql::Statement& statement, std::span<const Value> parameters);
  // The statements that need neither a transaction nor a snapshot; false if it is none of them.
  bool run_utility(const sql::Statement& statement, QueryResult& result);
  QueryResult run_in_transaction(const sql::Statement& statement, std::span<const Value> parameters);
  void set_limits();
  void analyze(const sql::Vacuum& analyze);
  void after_error();

  // Transaction control (local_session_block.cpp).
  QueryResult control(const sql::TransactionControl& control);
  QueryResult begin(const sql::TransactionControl& control);
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
  void abort_open();
  void leave_block(bool committed);

  // Settings (local_session_settings.cpp).
  QueryResult set(const sql::SetVariable& setting);
  QueryResult show(const sql::ShowVariable& setting) const;
  QueryResult set_transaction(const sql::SetTransaction& set);
  QueryResult discard(const sql::Discard& discard);
  void change_settings(bool local, const std::function<void(Settings&)>& change);
  void set_isolation(std::string_view level);
  void set_read_only(bool read_only);
  bool set_transaction_variable(const sql::SetVariable& setting);
  std::string setting_text(std::string_view name) const;

  // Functions of the session (local_session_functions.cpp).
  Value call(sql::SessionFunction function, std::span<const Value* const> arguments) override;
  Value call_advisory(sql::SessionFunction function, std::span<const Value* const> arguments);
  Value lock_advisory(const txn::LockTag& tag, txn::LockMode mode, bool of_transaction, bool wait);
  Value unlock_advisory(const txn::LockTag& tag, txn::LockMode mode);
  Value current_transaction(bool assign);
  Value signal_backend(std::int64_t process_id, bool terminate);
  Value sleep(const Value& seconds);
  Value current_setting(std::span<const Value* const> arguments) const;
  void refuse_if_read_only(const char* what) const;
  void warn(const char* sqlstate, std::string message);

  Database& database_;
  txn::Backend* backend_;  // null once closed
  std::uint32_t process_id_;
  TransactionStatus status_ = TransactionStatus::idle;
  txn::Transaction* transaction_ = nullptr;  // owned by the manager; null when none is open
  Settled settled_;
  Settled before_block_;  // while a block is open
  Savepoints savepoints_;
  std::string isolation_ = "read committed";  // of the transaction, as it was asked for
  bool queried_ = false;                      // the transaction has had a statement that needs a snapshot
  catalog::SequenceMemory sequences_;
  std::vector<ErrorFields> notices_;  // of the statement that runs
};

}  // namespace polarsim::engine
