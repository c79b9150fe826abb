// One PostgreSQL-compatible node: storage, transactions and catalog over one host's disk. Coordinators and data nodes
// are both instances.
//
// Durability: what a session was told is committed or prepared survives any crash of the host that the disk model
// allows; what was not committed is gone after recovery; a prepared transaction keeps its changes, its locks and its
// identity across crashes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/node/local_session.h"
#include "sim/host.h"

namespace polarsim::engine {

class Database;

class Instance {
 public:
  // Sets the node up if the disk is empty, else recovers (database.h). Throws SqlError (58030, XX000, XX001) if files
  // are damaged in a way a crash cannot explain. To be called by the host's program; the instance must not outlive it.
  static std::unique_ptr<Instance> open(sim::Host& host, const NodeConfig& config);
  virtual ~Instance() = default;

  // A new local session (executes on this node's own tables).
  virtual std::unique_ptr<LocalSession> connect() = 0;
  // What a setting is in sessions that connect from now on, as SHOW shows it.
  virtual void set_default(std::string_view name, std::string_view value) = 0;

  // Grows whenever a transaction that changed the table commits: lets a cache of catalog contents know when to reload.
  virtual std::uint64_t table_version(std::string_view schema, std::string_view name) const = 0;
  // Transactions that are prepared and not yet decided, sorted.
  virtual std::vector<std::string> prepared_gids() const = 0;

  // For tests and tools that look below SQL.
  virtual Database& database() = 0;
  virtual sim::Host& host() const = 0;
  virtual const NodeConfig& config() const = 0;
};

}  // namespace polarsim::engine
