#include "engine/node/recovered_node_test_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/executor/index_keys.h"
#include "engine/executor/relations.h"
#include "engine/node/database.h"

namespace polarsim::engine::testing {

namespace {

using storage::Tid;

std::string text_of(Tid tid) { return fmt::format("({},{})", tid.block, tid.item); }

std::string check_files(Database& database) {
  const std::vector<storage::RelationId> used = database.catalog().files_in_use();
  for (const storage::RelationId file : database.files().list()) {
    if (!std::binary_search(used.begin(), used.end(), file)) return fmt::format("file {} is nobody's", file);
  }
  for (const storage::RelationId file : used) {
    if (!database.files().exists(file)) return fmt::format("file {} is missing", file);
    const storage::BlockNumber blocks = database.files().block_count(file);
    for (storage::BlockNumber block = 0; block < blocks; ++block) {
      // The free space map is not looked at: it is a hint, is not logged, and is begun anew where it is damaged.
      database.pool().pin({file, storage::Fork::main, block});
    }
  }
  return {};
}

// One table against its indexes, as a new transaction sees them.
class TableCheck {
 public:
  TableCheck(Database& database, const catalog::Table& table, txn::Transaction& reader, const txn::Snapshot& snapshot)
      : database_(database),
        table_(table),
        reader_(reader),
        snapshot_(snapshot),
        cache_(database),
        relations_(database, cache_, reader, {}) {}

  std::string run() {
    txn::Heap::Scan scan(database_.heap(), table_.heap, reader_, snapshot_);
    for (std::vector<txn::VisibleRow> rows; scan.next(rows);) {
      for (txn::VisibleRow& row : rows) {
        catalog::complete_row(table_, row.row);
        rows_.emplace(row.tid, std::move(row.row));
      }
    }
    for (const catalog::Index& index : table_.indexes) {
      std::string problem = check(index);
      if (!problem.empty()) return fmt::format("index {}: {}", index.description->name, problem);
    }
    return {};
  }

 private:
  std::string check(const catalog::Index& index) {
    const CallContext call;
    executor::IndexKeys keys(table_.description, index.description, {relations_, call, nullptr, false},
                             database_.host().scheduler());
    storage::BTree& tree = database_.tree(index);
    if (const auto problem = tree.check()) return *problem;
    std::map<Tid, int> found;
    storage::BTree::Scan scan = tree.scan({});
    std::string previous;
    for (std::vector<storage::BTree::Entry> entries; scan.next(entries);) {
      for (const storage::BTree::Entry& entry : entries) {
        std::optional<Row> row = database_.heap().fetch(table_.heap, entry.tid, reader_, snapshot_);
        if (!row) continue;
        catalog::complete_row(table_, *row);
        if (!keys.holds(*row, call)) return fmt::format("the entry of {} is not to be there", text_of(entry.tid));
        const std::span<const Value> values = keys.values(*row, call);
        if (keys.key(values) != entry.key)
          return fmt::format("the entry of {} does not have the row's key", text_of(entry.tid));
        if (keys.must_be_unique(values) && entry.key == previous)
          return fmt::format("{} has the key of another row", text_of(entry.tid));
        previous = entry.key;
        ++found[entry.tid];
      }
    }
    std::size_t expected = 0;
    for (const auto& [tid, row] : rows_) {
      if (!keys.holds(row, call)) continue;
      ++expected;
      if (found[tid] != 1) return fmt::format("{} entries for the row at {}", found[tid], text_of(tid));
      const std::vector<Tid> by_key = tree.find(keys.key(keys.values(row, call)));
      if (std::count(by_key.begin(), by_key.end(), tid) != 1)
        return fmt::format("the row at {} is not found by its key", text_of(tid));
    }
    if (found.size() != expected) return fmt::format("{} rows, the table has {}", found.size(), expected);
    return {};
  }

  Database& database_;
  const catalog::Table& table_;
  const txn::Transaction& reader_;
  const txn::Snapshot& snapshot_;
  executor::RelationCache cache_;
  executor::CatalogRelations relations_;
  std::map<Tid, Row> rows_;
};

}  // namespace

std::string observe_node(Instance& instance, TestSession& session, const std::vector<std::string>& queries) {
  std::string state = "tables:";
  for (const catalog::TablePtr& table : instance.database().catalog().tables(nullptr)) {
    if (table->is_system()) continue;
    state += ' ' + table->description->name + '(';
    for (const catalog::Index& index : table->indexes) state += ' ' + index.description->name;
    state += " )";
  }
  state += "\nprepared:";
  for (const std::string& gid : instance.prepared_gids()) state += ' ' + gid;
  for (const std::string& query : queries) state += '\n' + session.outcome(query);
  return state;
}

std::string check_structure(Database& database) {
  std::string problem = check_files(database);
  if (!problem.empty()) return problem;
  txn::Backend& backend = database.connect();
  txn::Transaction& transaction = database.transactions().begin(backend);
  {
    const txn::ActiveSnapshot snapshot(database.transactions(), transaction);
    for (const catalog::TablePtr& table : database.catalog().tables(&transaction)) {
      problem = TableCheck(database, *table, transaction, *snapshot).run();
      if (!problem.empty()) {
        problem = "table " + table->description->name + ", " + problem;
        break;
      }
    }
  }
  database.transactions().commit(transaction);
  database.disconnect(backend);
  return problem;
}

namespace {

std::string check_prepared(TestSession& session, const PreparedCheck& check, bool commit) {
  const std::string before = session.outcome(check.query);
  session.run("SET lock_timeout = 50");
  const std::string outcome = session.outcome(check.blocked);
  if (!outcome.starts_with(sqlstate::lock_not_available))
    return fmt::format("the prepared transaction {} does not block '{}': {}", check.gid, check.blocked, outcome);
  const std::string decision = commit ? "COMMIT PREPARED" : "ROLLBACK PREPARED";
  if (const std::string decided = session.outcome(decision + " '" + check.gid + "'"); decided != decision)
    return fmt::format("{} '{}': {}", decision, check.gid, decided);
  const std::string expected = commit ? check.answer : before;
  if (const std::string answer = session.outcome(check.query); answer != expected)
    return fmt::format("after {} '{}': {}, expected {}", decision, check.gid, answer, expected);
  session.run("BEGIN");
  const std::string unblocked = session.outcome(check.blocked);
  session.run("ROLLBACK; SET lock_timeout = 0");
  if (unblocked.starts_with(sqlstate::lock_not_available))
    return fmt::format("after {} '{}': '{}' is still blocked", decision, check.gid, check.blocked);
  return {};
}

}  // namespace

std::string check_prepared(Instance& instance, TestSession& session, const std::vector<PreparedCheck>& checks,
                           bool commit) {
  for (const std::string& gid : instance.prepared_gids()) {
    const auto check =
        std::find_if(checks.begin(), checks.end(), [&](const PreparedCheck& each) { return each.gid == gid; });
    if (check == checks.end()) return "the shape does not know the prepared transaction " + gid;
    std::string problem = check_prepared(session, *check, commit);
    if (!problem.empty()) return problem;
  }
  return {};
}

std::string check_new_work(TestSession& session) {
  session.run("SET lock_timeout = 1000");
  for (const std::string sql : {"BEGIN", "INSERT INTO new_work VALUES (1, 'a'), (2, 'b')",
                                "UPDATE new_work SET v = 'c' WHERE id = 2", "COMMIT"}) {
    const std::string outcome = session.outcome(sql);
    if (session.session().status() == TransactionStatus::failed) return fmt::format("new work, {}: {}", sql, outcome);
  }
  const std::string answer = session.outcome("SELECT id, v FROM new_work ORDER BY id");
  return answer == "1|a;2|c" ? std::string() : "new work cannot be read back: " + answer;
}

}  // namespace polarsim::engine::testing
