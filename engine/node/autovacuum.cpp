#include "engine/node/autovacuum.h"

#include <algorithm>

#include "engine/node/database.h"
#include "engine/sql/error.h"

namespace polarsim::engine {

Autovacuum::Autovacuum(Database& database) : database_(database), wake_(database.host().scheduler(), "autovacuum") {}

Autovacuum::~Autovacuum() {
  if (timer_ != 0) database_.host().cancel_call(timer_);
  // When the host goes down its task has ended before the owner is unwound.
  if (task_ && !task_.finished()) {
    database_.host().scheduler().cancel(task_);
    database_.host().scheduler().join(task_);
  }
}

void Autovacuum::start() {
  if (!database_.config().autovacuum) return;
  task_ = database_.host().spawn("autovacuum", [this] { loop(); });
}

bool Autovacuum::due(const Counts& counts) const {
  const NodeConfig& config = database_.config();
  const double threshold = static_cast<double>(config.autovacuum_vacuum_threshold) +
                           config.autovacuum_vacuum_scale_factor * static_cast<double>(counts.rows);
  return static_cast<double>(counts.dead) > threshold;
}

bool Autovacuum::freeze_due() const {
  const txn::TransactionManager& transactions = database_.transactions();
  const storage::Xid age = storage::xid_of(transactions.next_xid()) - transactions.oldest_xid();
  return age > database_.config().autovacuum_freeze_max_age;
}

void Autovacuum::note(storage::RelationId table, const Changes& changes) {
  if (!database_.config().autovacuum) return;
  Counts& counts = counts_[table];
  counts.rows += changes.inserted;
  counts.rows -= std::min(counts.rows, changes.deleted);
  counts.dead += changes.updated + changes.deleted;
  if (due(counts) || freeze_due()) arm();
}

// What had to stay does not by itself wake the vacuum again: the next change does.
void Autovacuum::vacuumed(storage::RelationId table, std::uint64_t kept) {
  if (const auto found = counts_.find(table); found != counts_.end()) found->second.dead = kept;
}

void Autovacuum::arm() {
  if (timer_ != 0 || wanted_) return;
  timer_ = database_.host().call_in(database_.config().autovacuum_naptime, [this] {
    timer_ = 0;
    wanted_ = true;
    wake_.notify_all();
  });
}

void Autovacuum::loop() {
  for (;;) {
    wake_.wait_until("autovacuum: nothing to do", [this] { return wanted_; });
    wanted_ = false;
    work();
  }
}

// A table that cannot be vacuumed, because it is damaged, keeps none of the others from it.
void Autovacuum::work() {
  forget_dropped();
  const bool all = freeze_due();
  std::vector<storage::RelationId> tables;
  if (!all) {
    for (const auto& [table, counts] : counts_) {
      if (due(counts)) tables.push_back(table);
    }
  }
  txn::Backend& backend = database_.connect();
  const auto report = [this](const SqlError& error) {
    database_.host().log(std::string("autovacuum: ") + error.what());
  };
  if (all) database_.vacuum_all(backend, false, false, report);
  for (const storage::RelationId table : tables) {
    try {
      database_.vacuum_table(backend, table, false);
    } catch (const SqlError& error) {
      report(error);
    }
  }
  database_.disconnect(backend);
  database_.host().reached("vacuum/automatic");
}

void Autovacuum::forget_dropped() {
  std::erase_if(counts_,
                [this](const auto& entry) { return database_.catalog().find_table(nullptr, entry.first) == nullptr; });
}

}  // namespace polarsim::engine
