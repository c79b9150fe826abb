// Vacuum in the background: decides when a table has enough dead row versions, or the node old enough transaction
// identifiers, to be worth it (PostgreSQL's src/backend/postmaster/autovacuum.c, and the counting of
// src/backend/utils/activity/pgstat_relation.c).
//
// The heap counts what a transaction does to rows; when the transaction ends, or a part of it is rolled back, it is
// known what of it is dead. Counts are in memory: after a restart the counting begins anew, as PostgreSQL's does after
// a crash, and a transaction that was prepared before has none. There is no periodic look: the timer of
// autovacuum_naptime runs only while a table is due, so that an idle node is quiet.
//
// It gives way: a table that is locked is left for the next round, and who waits for a table that is being vacuumed
// ends that (lock_manager.h), unless identifiers are running out.
//
// Probes: "vacuum/automatic".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "engine/storage/types.h"
#include "engine/txn/transaction.h"
#include "engine/txn/vacuum.h"
#include "engine/types/error.h"
#include "sim/host.h"
#include "sim/sync.h"

namespace polarsim::engine {

class Database;

class Autovacuum {
 public:
  // `database` tells it of the ends of transactions as long as either lives.
  explicit Autovacuum(Database& database);
  ~Autovacuum();
  Autovacuum(const Autovacuum&) = delete;
  Autovacuum& operator=(const Autovacuum&) = delete;

  // Starts the background task.
  void start();
  // Ends it; what happens to rows is counted no longer. Blocks.
  void stop();
  // The table whose rows are in `file` has been vacuumed.
  void vacuumed(storage::RelationId file, const txn::VacuumResult& result);
  void forget(storage::RelationId file) { counts_.erase(file); }

 private:
  struct Counts {
    std::uint64_t rows = 0;
    std::uint64_t dead = 0;
  };
  void note(const txn::TransactionLevel& level, bool committed);
  bool due(const Counts& counts) const;
  bool freeze_due() const;
  void arm();
  void loop();
  void work();
  void vacuum_due_tables(txn::Backend& backend, const std::function<void(const SqlError&)>& report);

  Database& database_;
  std::map<storage::RelationId, Counts> counts_;  // by the file of the table's rows
  sim::HostTimerId timer_ = 0;
  bool wanted_ = false;
  bool stopped_ = false;
  sim::Condition wake_;
  sim::TaskRef task_;
};

}  // namespace polarsim::engine
