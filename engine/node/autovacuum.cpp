#include "engine/node/autovacuum.h"

#include <algorithm>

#include "engine/node/database.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {

Autovacuum::Autovacuum(Database& database) : database_(database), wake_(database.host().scheduler(), "autovacuum") {
  if (!database_.config().autovacuum) return;
  database_.transactions().add_end_listener([this](const txn::Transaction& transaction, bool committed) {
    for (const txn::TransactionLevel& level : transaction.levels) note(level, committed);
  });
  database_.transactions().add_rollback_listener([this](const txn::Transaction& transaction, std::size_t first_level) {
    for (std::size_t i = first_level; i < transaction.levels.size(); ++i) note(transaction.levels[i], false);
  });
}

Autovacuum::~Autovacuum() { stop(); }

void Autovacuum::start() {
  if (!database_.config().autovacuum) return;
  task_ = database_.host().spawn("autovacuum", [this] { loop(); });
}

void Autovacuum::stop() {
  stopped_ = true;
  if (timer_ != 0) database_.host().cancel_call(timer_);
  timer_ = 0;
  // When the host goes down its task has ended before the owner is unwound.
  if (task_ && !task_.finished()) {
    database_.host().scheduler().cancel(task_);
    database_.host().scheduler().join(task_);
  }
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

void Autovacuum::note(const txn::TransactionLevel& level, bool committed) {
  for (const txn::RowCounts& changes : level.rows) {
    Counts& counts = counts_[changes.relation];
    if (committed) {
      counts.rows += changes.inserted;
      counts.rows -= std::min(counts.rows, changes.deleted);
      counts.dead += changes.updated + changes.deleted;
    } else {
      counts.dead += changes.inserted + changes.updated;
    }
    if (due(counts) || freeze_due()) arm();
  }
}

// What had to stay does not by itself wake the vacuum again: the next change does.
void Autovacuum::vacuumed(storage::RelationId file, const txn::VacuumResult& result) {
  counts_[file] = {result.live, result.kept};
}

void Autovacuum::arm() {
  if (timer_ != 0 || wanted_ || stopped_ || !database_.host().up()) return;
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

void Autovacuum::work() {
  txn::Backend& backend = database_.connect();
  const auto report = [this](const SqlError& error) {
    database_.host().log(std::string("autovacuum: ") + error.what());
  };
  if (freeze_due()) {
    database_.vacuum_all(backend, false, false, report);
  } else {
    vacuum_due_tables(backend, report);
  }
  database_.disconnect(backend);
  database_.host().reached("vacuum/automatic");
}

namespace {

// Its storage parameter; what freezes old rows does not ask.
bool wants_autovacuum(const catalog::Table& table) {
  static constexpr std::string_view key = "autovacuum_enabled=";
  for (const std::string& option : table.description->options) {
    if (option.starts_with(key))
      return input_value(std::string_view(option).substr(key.size()), TypeId::boolean, {}).as_boolean();
  }
  return true;
}

}  // namespace

// A table that cannot be vacuumed, because it is damaged, keeps none of the others from it. One that somebody else
// wanted is looked at again in the next round.
void Autovacuum::vacuum_due_tables(txn::Backend& backend, const std::function<void(const SqlError&)>& report) {
  backend.gives_way = true;
  for (const catalog::TablePtr& table : database_.catalog().tables(nullptr)) {
    const auto found = counts_.find(table->heap.relation);
    if (found == counts_.end() || !due(found->second) || !wants_autovacuum(*table)) continue;
    backend.begin_statement();
    try {
      if (!database_.vacuum_table(backend, table->id, false)) arm();
    } catch (const SqlError& error) {
      report(error);
      if (error.sqlstate() == sqlstate::query_canceled) arm();
    }
  }
}

}  // namespace polarsim::engine
