// A session on the tables of one node: transaction blocks, settings, and statements run by the executor.
//
// Differences from PostgreSQL: Read Committed is the only isolation level; no savepoints; CREATE TABLE IF NOT EXISTS
// does not say that the table exists (that is a NOTICE there, and results carry only WARNINGs).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/node/session.h"
#include "engine/node/settings.h"
#include "engine/node/database.h"

namespace polarsim::engine {

class LocalSession : public Session {
 public:
  // `database` must outlive the session.
  LocalSession(Database& database);
  ~LocalSession() override;

  QueryResult execute(const sql::StatementPtr& statement, std::string_view text,
                      std::span<const Value> parameters) override;
  TransactionStatus status() const override { return status_; }
  void close() override;

 private:
  QueryResult control(const sql::TransactionControl& control);
  QueryResult begin(const sql::TransactionControl& control);
  QueryResult commit();
  QueryResult rollback();
  QueryResult prepare(const std::string& gid);
  QueryResult finish_prepared(const std::string& gid, bool commit);
  QueryResult set(const sql::SetVariable& setting);
  QueryResult show(const sql::ShowVariable& setting) const;
  QueryResult run(const sql::Statement& statement, std::span<const Value> parameters, txn::Transaction& transaction);
  QueryResult run_alone(const sql::Statement& statement, std::span<const Value> parameters);
  QueryResult run_in_block(const sql::Statement& statement, std::span<const Value> parameters);

  // Gives the transaction out of hand, because commit and prepare take it over.
  txn::Transaction& take_transaction();
  void abort_open();
  void leave_block(bool committed);

  Database& database_;
  txn::Backend& backend_;
  TransactionStatus status_ = TransactionStatus::idle;
  txn::Transaction* transaction_ = nullptr;  // owned by the database; null when none is open, also in a failed block
  Settings settings_;                        // in force
  Settings session_settings_;                // without what SET LOCAL changed
  std::optional<Settings>
      settings_before_;  // session_settings_ as they were when the block began, once the block has changed any
};

}  // namespace polarsim::engine
