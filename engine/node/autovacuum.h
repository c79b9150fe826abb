// Vacuum in the background: decides when a table has enough dead row versions, or the node old enough transaction
// identifiers, to be worth it (PostgreSQL's src/backend/postmaster/autovacuum.c).
//
// Tables are counted in memory, as changes are made: after a restart the counting begins anew, as PostgreSQL's does
// after a crash. There is no periodic look: the timer of autovacuum_naptime runs only while a table is due, so that an
// idle node is quiet.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/storage/types.h"
#include "sim/host.h"
#include "sim/sync.h"

namespace polarsim::engine {

class Database;

class Autovacuum {
 public:
  explicit Autovacuum(Database& database);
  ~Autovacuum();
  Autovacuum(const Autovacuum&) = delete;
  Autovacuum& operator=(const Autovacuum&) = delete;

  // Starts the background task.
  void start();
  // What a statement did to a table, should it commit. Never blocks.
  struct Changes {
    std::uint64_t inserted = 0, updated = 0, deleted = 0;
  };
  void note(storage::RelationId table, const Changes& changes);
  // The table has been vacuumed; so many dead versions had to stay.
  void vacuumed(storage::RelationId table, std::uint64_t kept);

 private:
  struct Counts {
    std::uint64_t rows = 0;
    std::uint64_t dead = 0;
  };
  bool due(const Counts& counts) const;
  bool freeze_due() const;
  void arm();
  void loop();
  void work();
  void forget_dropped();

  Database& database_;
  std::map<storage::RelationId, Counts> counts_;
  sim::HostTimerId timer_ = 0;
  bool wanted_ = false;
  sim::Condition wake_;
  sim::TaskRef task_;
};

}  // namespace polarsim::engine
