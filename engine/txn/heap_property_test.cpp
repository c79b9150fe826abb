// Random programs of several sessions on a few rows, with few buffers, vacuum and checkpoints in between, against a
// simple model of what each snapshot shows, who holds which row, and what is committed; and crashes anywhere, after
// which exactly what was committed is there.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/txn/heap_test_support.h"
#include "engine/txn/row_locks.h"

namespace polarsim::engine::txn {
namespace {

using syntax::LockWait;
using testing::HeapNode;
using testing::test_table;

using Contents = std::map<std::int64_t, std::string>;
constexpr int rows = 5;

struct Step {
  enum class Kind {
    scan,
    insert,
    change,
    change_key,
    remove,
    lock,
    savepoint,
    rollback_to,
    release,
    commit,
    abort,
    vacuum,
    checkpoint,
    pause
  };
  Kind kind = Kind::scan;
  std::int64_t row = 0;
  int detail = 0;  // strength and kind of waiting, length of texts, isolation of the next transaction
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << static_cast<int>(step.kind) << "(" << step.row << "," << step.detail << ")";
}
using Program = std::vector<Step>;

// RapidCheck prefers small numbers.
template <typename T>
rc::Gen<T> evenly(T from, T to) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(from, to));
}

rc::Gen<Program> any_program() {
  const auto kind = rc::gen::weightedElement<Step::Kind>({{3, Step::Kind::scan},
                                                          {4, Step::Kind::insert},
                                                          {6, Step::Kind::change},
                                                          {2, Step::Kind::change_key},
                                                          {2, Step::Kind::remove},
                                                          {5, Step::Kind::lock},
                                                          {2, Step::Kind::savepoint},
                                                          {2, Step::Kind::rollback_to},
                                                          {1, Step::Kind::release},
                                                          {5, Step::Kind::commit},
                                                          {1, Step::Kind::abort},
                                                          {1, Step::Kind::vacuum},
                                                          {1, Step::Kind::checkpoint},
                                                          {2, Step::Kind::pause}});
  return rc::gen::container<Program>(rc::gen::build<Step>(rc::gen::set(&Step::kind, kind),
                                                          rc::gen::set(&Step::row, evenly<std::int64_t>(0, rows)),
                                                          rc::gen::set(&Step::detail, evenly(0, 16))));
}

// What a transaction did, by savepoints.
struct ModelLevel {
  std::map<std::int64_t, std::optional<std::string>> writes;
  std::map<std::int64_t, LockStrength> locks;
};
struct ModelTransaction {
  std::vector<ModelLevel> levels{1};
  std::optional<Contents> snapshot;  // of repeatable read

  void apply_to(Contents& contents) const {
    for (const ModelLevel& level : levels) {
      for (const auto& [row, text] : level.writes) {
        if (text) {
          contents[row] = *text;
        } else {
          contents.erase(row);
        }
      }
    }
  }
  bool wrote() const {
    return std::any_of(levels.begin(), levels.end(), [](const ModelLevel& level) { return !level.writes.empty(); });
  }
  LockStrength lock_on(std::int64_t row) const {
    LockStrength strongest = LockStrength::none;
    for (const ModelLevel& level : levels)
      if (const auto found = level.locks.find(row); found != level.locks.end())
        strongest = std::max(strongest, found->second);
    return strongest;
  }
};

struct Model {
  Contents committed;
  std::map<std::uint64_t, ModelTransaction> open;  // by Transaction::number
  std::vector<ModelTransaction> deciding;          // commits that nobody has heard of yet, in the order of the log
  std::vector<std::uint64_t> deciding_numbers;
  std::vector<std::string> problems;
  bool vacuum_runs = false;

  void check(bool holds, const std::string& what) {
    if (!holds) problems.push_back(what);
  }
  Contents view(std::uint64_t number) const {
    const ModelTransaction& transaction = open.at(number);
    Contents contents = transaction.snapshot ? *transaction.snapshot : committed;
    transaction.apply_to(contents);
    return contents;
  }
  // The newest version of everything, as a transaction that may change it sees it.
  Contents newest(std::uint64_t number) const {
    Contents contents = committed;
    open.at(number).apply_to(contents);
    return contents;
  }
  void locked(std::uint64_t number, std::int64_t row, LockStrength strength) {
    for (const auto& [other, transaction] : open) {
      if (other == number) continue;
      check(!conflicts(transaction.lock_on(row), strength), "row " + std::to_string(row) + " is held by two");
    }
    LockStrength& held = open.at(number).levels.back().locks[row];
    held = std::max(held, strength);
  }
  void ended(std::uint64_t number, bool commit) {
    const auto found = std::find(deciding_numbers.begin(), deciding_numbers.end(), number);
    if (found != deciding_numbers.end()) {
      check(!commit || found == deciding_numbers.begin(), "commits overtake each other");
      deciding.erase(deciding.begin() + (found - deciding_numbers.begin()));
      deciding_numbers.erase(found);
    }
    if (commit) open.at(number).apply_to(committed);
    open.erase(number);
  }
  // What a crash may leave.
  std::vector<Contents> possible() const {
    std::vector<Contents> all{committed};
    for (const ModelTransaction& transaction : deciding) {
      all.push_back(all.back());
      transaction.apply_to(all.back());
    }
    return all;
  }
};

// The next text of a row: a number that counts its changes, and some length.
std::string after(const std::string& text, int detail) {
  static constexpr int lengths[] = {0, 10, 200, 900, 2500, 7000};
  const int count = std::stoi(text.substr(0, text.find(' '))) + 1;
  return std::to_string(count) + " " + std::string(static_cast<std::size_t>(lengths[detail % 6]), 'x');
}

// Stands for an error after which the transaction is rolled back.
struct RolledBack {};

class Client {
 public:
  Client(HeapNode& node, Model& model) : node_(node), model_(model), backend_(node.host(), node.new_process_id()) {
    backend_.limits.deadlock_timeout = sim::Duration(20'000'000);
  }

  void run(const Program& program) {
    for (const Step& step : program) {
      try {
        perform(step);
      } catch (const RolledBack&) {
        abort();
      } catch (const SqlError& error) {
        model_.check(error.sqlstate() == "40P01" || error.sqlstate() == "23505", error.what());
        abort();
      }
    }
    if (transaction_ != nullptr) commit();
  }

 private:
  TransactionManager& manager() { return node_.manager(); }
  std::uint64_t number() const { return transaction_->number; }

  void perform(const Step& step) {
    switch (step.kind) {
      case Step::Kind::vacuum:
        if (transaction_ == nullptr && !model_.vacuum_runs) {  // the table's lock, so to speak
          model_.vacuum_runs = true;
          const VacuumResult result = node_.vacuum();
          manager().advance_oldest(result.oldest_xid, result.oldest_multixact);
          model_.vacuum_runs = false;
        }
        return;
      case Step::Kind::checkpoint:
        if (transaction_ == nullptr) node_.checkpointer().run();
        return;
      case Step::Kind::pause:
        return node_.host().scheduler().sleep_for(sim::Duration(step.detail * 100'000));
      case Step::Kind::commit:
        if (transaction_ != nullptr) commit();
        return;
      case Step::Kind::abort:
        if (transaction_ != nullptr) abort();
        return;
      default:
        break;
    }
    if (transaction_ == nullptr) begin(step.detail % 4 == 0);
    switch (step.kind) {
      case Step::Kind::savepoint:
        manager().savepoint(*transaction_, "s");
        open().levels.emplace_back();
        return;
      case Step::Kind::rollback_to:
        if (open().levels.size() == 1) return;
        open().levels.back() = {};
        manager().rollback_to(*transaction_, "s");
        return;
      case Step::Kind::release:
        return release();
      default:
        statement(step);
    }
  }

  ModelTransaction& open() { return model_.open.at(number()); }

  void begin(bool repeatable_read) {
    const auto isolation = repeatable_read ? IsolationLevel::repeatable_read : IsolationLevel::read_committed;
    transaction_ = &manager().begin(backend_, isolation);
    model_.open[number()];
  }
  void commit() {
    Transaction& transaction = *std::exchange(transaction_, nullptr);
    const ModelTransaction& ending = model_.open.at(transaction.number);
    if (ending.wrote()) {  // else it waits for nothing
      model_.deciding.push_back(ending);
      model_.deciding_numbers.push_back(transaction.number);
    }
    manager().commit(transaction);
  }
  void abort() { manager().abort(*std::exchange(transaction_, nullptr)); }
  void release() {
    std::vector<ModelLevel>& levels = open().levels;
    if (levels.size() == 1) return;
    manager().release(*transaction_, "s");
    const ModelLevel released = std::move(levels.back());
    levels.pop_back();
    for (const auto& [row, text] : released.writes) levels.back().writes[row] = text;
    for (const auto& [row, strength] : released.locks) {
      LockStrength& held = levels.back().locks[row];
      held = std::max(held, strength);
    }
  }

  void statement(const Step& step) {
    const ActiveSnapshot snapshot(manager(), *transaction_);
    if (repeatable_read() && !open().snapshot) open().snapshot = model_.committed;
    const std::map<std::int64_t, Tid> seen = scan(*snapshot);
    const auto found = seen.find(step.row);
    if (step.kind == Step::Kind::insert) {
      if (found == seen.end()) insert(step);
    } else if (step.kind != Step::Kind::scan && found != seen.end()) {
      work_on(step, found->second);
    }
    manager().next_command(*transaction_);
  }

  bool repeatable_read() const { return transaction_->isolation == IsolationLevel::repeatable_read; }

  // Compares what the snapshot shows with the model, and returns where the rows are.
  std::map<std::int64_t, Tid> scan(const Snapshot& snapshot) {
    const Contents expected = model_.view(number());
    Contents shown;
    std::map<std::int64_t, Tid> tids;
    Heap::Scan scan(node_.heap(), test_table, *transaction_, snapshot);
    for (std::vector<VisibleRow> page; scan.next(page);) {
      for (const VisibleRow& row : page) {
        const std::int64_t id = row.row[0].as_integer();
        model_.check(shown.emplace(id, row.row[1].as_text()).second, "a row is shown twice");
        tids[id] = row.tid;
      }
    }
    model_.check(shown == expected, "a snapshot shows something else");
    text_ = shown;
    return tids;
  }

  void insert(const Step& step) {
    const Row row = testing::row_of(step.row, after("0 ", step.detail));
    const std::string key = storage::encode_key({row.data(), 1});
    const Tid tid = node_.heap().insert(*transaction_, test_table, row);
    for (;;) {
      Heap::KeyOwner owner;
      const bool inserted = node_.index().insert_if(key, tid, [&](const std::vector<Tid>& equal) {
        owner = node_.heap().find_key_owner(*transaction_, test_table, equal,
                                            [&](const Row& other) { return other[0] == row[0]; });
        return owner.state == Heap::KeyOwner::State::none;
      });
      if (inserted) break;
      if (owner.state == Heap::KeyOwner::State::live) throw SqlError("23505", "duplicate key");
      node_.heap().wait_for(*transaction_, owner);
    }
    model_.check(!model_.newest(number()).contains(step.row), "a key is there twice");
    open().levels.back().writes[step.row] = row[1].as_text();
  }

  // As an executor does under Read Committed: after a wait, again with the newest version.
  void work_on(const Step& step, Tid tid) {
    if (step.kind == Step::Kind::lock) return lock(step, tid);
    const LockStrength strength = step.kind == Step::Kind::change ? LockStrength::no_key_update : LockStrength::update;
    std::string text = text_.at(step.row);
    for (;;) {
      RowFailure failure;
      RowOutcome outcome = change(step, tid, text, failure);
      if (outcome == RowOutcome::ok) return;
      if (repeatable_read()) throw RolledBack{};
      if (outcome == RowOutcome::deleted) return;
      model_.check(outcome == RowOutcome::updated, "unexpected: " + testing::to_string(outcome));
      if (outcome != RowOutcome::updated) throw RolledBack{};
      VisibleRow newest;
      outcome = node_.heap().lock(*transaction_, test_table, tid, strength, LockWait::block, true, newest, failure);
      if (outcome == RowOutcome::deleted) return;
      model_.check(outcome == RowOutcome::ok, "unexpected after a wait: " + testing::to_string(outcome));
      if (outcome != RowOutcome::ok) throw RolledBack{};
      model_.locked(number(), step.row, strength);
      tid = newest.tid;
      text = newest.row[1].as_text();
    }
  }

  RowOutcome change(const Step& step, Tid tid, const std::string& text, RowFailure& failure) {
    const bool removes = step.kind == Step::Kind::remove;
    const bool key_changed = step.kind == Step::Kind::change_key;
    // Some changes keep a long text, whose chunks are then kept.
    const Row row = testing::row_of(step.row, step.detail == 15 ? text : after(text, step.detail));
    Tid next;
    const RowOutcome outcome =
        removes ? node_.heap().remove(*transaction_, test_table, tid, failure)
                : node_.heap().update(*transaction_, test_table, tid, row, key_changed, next, failure);
    if (outcome != RowOutcome::ok) return outcome;
    const Contents newest = model_.newest(number());
    const auto found = newest.find(step.row);
    model_.check(found != newest.end() && found->second == text, "an update is lost");
    model_.locked(number(), step.row, removes || key_changed ? LockStrength::update : LockStrength::no_key_update);
    open().levels.back().writes[step.row] = removes ? std::nullopt : std::optional(row[1].as_text());
    if (!removes) node_.index().insert(storage::encode_key({row.data(), 1}), next);
    return outcome;
  }

  void lock(const Step& step, Tid tid) {
    const auto strength = static_cast<LockStrength>(1 + step.detail % 4);
    const auto wait = static_cast<LockWait>(step.detail / 4 % 3);
    VisibleRow locked;
    RowFailure failure;
    const RowOutcome outcome =
        node_.heap().lock(*transaction_, test_table, tid, strength, wait, !repeatable_read(), locked, failure);
    if (outcome == RowOutcome::not_available) return model_.check(wait != LockWait::block, "it should have waited");
    if (outcome == RowOutcome::deleted || (outcome == RowOutcome::updated && repeatable_read())) {
      if (repeatable_read()) throw RolledBack{};
      return;
    }
    model_.check(outcome == RowOutcome::ok, "unexpected lock: " + testing::to_string(outcome));
    if (outcome != RowOutcome::ok) throw RolledBack{};
    model_.locked(number(), step.row, strength);
    const Contents newest = model_.newest(number());
    const auto found = newest.find(step.row);
    model_.check(locked.row[0] == Value::integer(step.row), "another row is locked");
    // A key share may be on an older version of the row.
    if (strength != LockStrength::key_share)
      model_.check(found != newest.end() && found->second == locked.row[1].as_text(),
                   "not the newest version is locked");
  }

  HeapNode& node_;
  Model& model_;
  Backend backend_;
  Transaction* transaction_ = nullptr;
  Contents text_;  // of the rows that the statement's scan has seen
};

Contents contents_of(HeapNode& node) {
  Backend backend(node.host(), node.new_process_id());
  Transaction& transaction = node.manager().begin(backend);
  Contents contents;
  {
    const ActiveSnapshot snapshot(node.manager(), transaction);
    Heap::Scan scan(node.heap(), test_table, transaction, *snapshot);
    for (std::vector<VisibleRow> page; scan.next(page);)
      for (const VisibleRow& row : page) contents[row.row[0].as_integer()] = row.row[1].as_text();
  }
  node.manager().commit(transaction);
  return contents;
}

// Everything that is left after vacuum is a row, with one entry, and its chunks.
void check_nothing_is_left_over(HeapNode& node, Model& model) {
  node.vacuum();
  model.check(node.versions() == model.committed.size(), "vacuum left versions");
  std::size_t entries = 0, chunks = 0;
  std::vector<storage::BTree::Entry> page;
  for (auto scan = node.index().scan({}); scan.next(page);) entries += page.size();
  model.check(entries == model.committed.size(), "vacuum left index entries");
  for (const auto& [row, text] : model.committed) chunks += text.size() > 1900 ? (text.size() + 1979) / 1980 : 0;
  model.check(node.versions(test_table.toast) == chunks, "vacuum left chunks");
  model.check(!node.index().check(), "the index is damaged");
}

// Rows that nobody touches, so that the table does not fit the buffers.
void fill(HeapNode& node, Model& model) {
  testing::Session session(node);
  for (std::int64_t id = 100; id < 180; ++id) {
    model.committed[id] = "0 " + std::string(1000, 'f');
    session.insert(id, model.committed[id]);
  }
  session.commit();
}

void run_programs(HeapNode& node, Model& model, const std::vector<Program>& programs) {
  node.manager().add_end_listener([&model](const Transaction& transaction, bool commit) {
    if (model.open.contains(transaction.number)) model.ended(transaction.number, commit);
  });
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<sim::TaskRef> tasks;
  for (const Program& program : programs) {
    Client& client = *clients.emplace_back(std::make_unique<Client>(node, model));
    tasks.push_back(node.host().spawn("client", [&client, &program] { client.run(program); }));
  }
  for (const sim::TaskRef& task : tasks) node.host().scheduler().join(task);
}

std::string problems_of(const Model& model) {
  std::string all;
  for (const std::string& problem : model.problems) all += problem + "; ";
  return all;
}

RC_GTEST_PROP(HeapProperty, SessionsSeeAndHoldWhatTheModelSays, ()) {
  const auto seed = *evenly<std::uint64_t>(1, 1'000'000);
  const auto programs = *rc::gen::resize(60, rc::gen::container<std::vector<Program>>(4, any_program()));
  NodeConfig config;
  config.vacuum_freeze_min_age = *rc::gen::element(0U, 10U, 1000U);
  config.initial_xid = *rc::gen::element(3U, 0xFFFFFFFFU - 20);
  HeapNode node(seed, config, sim::SchedulingPolicy::random);
  Model model;
  node.run_node([&](HeapNode& running) {
    fill(running, model);
    run_programs(running, model, programs);
    model.check(model.open.empty(), "a transaction did not end");
    model.check(contents_of(running) == model.committed, "what is committed is not there");
    check_nothing_is_left_over(running, model);
  });
  RC_ASSERT(node.error() == "");
  RC_ASSERT(problems_of(model) == "");
  RC_ASSERT(node.finished());
}

RC_GTEST_PROP(HeapProperty, ACrashLeavesWhatWasCommitted, ()) {
  const auto seed = *evenly<std::uint64_t>(1, 1'000'000);
  const auto programs = *rc::gen::resize(60, rc::gen::container<std::vector<Program>>(4, any_program()));
  const auto crashes = *rc::gen::container<std::vector<std::int64_t>>(2, evenly<std::int64_t>(1, 60'000));
  NodeConfig config;
  config.vacuum_freeze_min_age = *rc::gen::element(0U, 1000U);
  HeapNode node(seed, config, sim::SchedulingPolicy::random);
  Model model;
  bool ready = false;
  node.run_node([&](HeapNode& running) {
    fill(running, model);
    running.host().crash();
  });
  const auto check_recovered = [&](HeapNode& running) {
    const Contents found = contents_of(running);
    const std::vector<Contents> possible = model.possible();
    model.check(std::find(possible.begin(), possible.end(), found) != possible.end(), "a crash lost or kept something");
    model.committed = found;
    model.open.clear();
    model.deciding.clear();
    model.deciding_numbers.clear();
    model.vacuum_runs = false;
  };
  for (const std::int64_t crash_after_us : crashes) {
    ready = false;
    node.run_node([&](HeapNode& running) {
      check_recovered(running);
      ready = true;
      running.simulation().scheduler().call_at(running.simulation().now() + sim::Duration(crash_after_us * 1000),
                                               [&running] { running.host().crash(); });
      run_programs(running, model, programs);
    });
    RC_ASSERT(node.error() == "");
    RC_ASSERT(ready);
    RC_ASSERT(problems_of(model) == "");
  }
  node.run_node([&](HeapNode& running) {
    check_recovered(running);
    check_nothing_is_left_over(running, model);
  });
  RC_ASSERT(node.error() == "");
  RC_ASSERT(problems_of(model) == "");
  RC_ASSERT(node.finished());
}

}  // namespace
}  // namespace polarsim::engine::txn
