// Foreign keys enforced for rows (PostgreSQL's src/backend/utils/adt/ri_triggers.c, and the queue of
// src/backend/commands/trigger.c).
//
// A change of rows notes what has to be looked at: new values of a referencing table, old ones of a referenced table.
// When the statement is over, all that is done in the order in which it was noted, each by a snapshot of its own, so
// that a statement may break a key and mend it again. What CASCADE and the like change is noted behind the rest. For
// one row, keys that lead to its table come first, then its own, each in order of their creation.
//
// The referenced row is found by its index and locked FOR KEY SHARE; referencing rows are found and changed by
// statements like any other (foreign_key_statements.h). Under repeatable read, referencing rows are looked for by a new
// snapshot, and changing one that the transaction's own snapshot does not show fails (40001).
//
// Keys that are INITIALLY DEFERRED are checked when the transaction commits or is prepared (txn::CommitCheck); what
// CASCADE and the like do is never put off. There is no SET CONSTRAINTS, so one that is but DEFERRABLE is checked by
// each statement. Tables with checks still to come can be altered and dropped, which PostgreSQL refuses.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/executor/executor_state.h"
#include "engine/executor/foreign_key_statements.h"

namespace polarsim::engine::executor {

class RelationCache;

// What is to be done at the end of a statement, and of those that it makes necessary.
class ForeignKeyQueue {
 public:
  struct Key;  // a foreign key, opened once a statement

  // The inputs of the statement, whose snapshot is not used; what they refer to outlives the queue. `at_end`: of the
  // transaction; nothing is put off any more.
  explicit ForeignKeyQueue(const ExecutionInputs& inputs, bool at_end = false);
  ~ForeignKeyQueue();
  ForeignKeyQueue(const ForeignKeyQueue&) = delete;
  ForeignKeyQueue& operator=(const ForeignKeyQueue&) = delete;

  // --- what has been changed (ForeignKeyEvents) ---
  Key& key(catalog::RelationId referencing, const catalog::DefinitionPtr& description, const catalog::ForeignKey& key);
  // The version at that place has to refer to something, if it is still there.
  void note_check(Key& key, storage::Tid tid);
  // The values of the referenced columns before the change, and after it; a row that was deleted has none.
  void note_change(Key& key, Row before, Row after);
  // A statement that a foreign key has made necessary is running.
  bool is_firing() const { return firing_; }

  // Does what was noted. Blocks. Throws 23503, and what statements throw.
  void fire();

 private:
  using Kind = ForeignKeyStatements::Kind;
  struct Event {
    Key* key = nullptr;
    storage::Tid tid;  // of a check
    struct Change {
      Row before;
      Row after;
    };
    std::unique_ptr<Change> change;  // null: a check
  };

  void check(Key& key, storage::Tid tid);
  bool has_referenced(Key& key, const Row& values, const txn::Snapshot& snapshot);
  void act(Key& key, const Row& before, const Row& after);
  // NO ACTION and RESTRICT. The former forgives if some row has the key again.
  void refuse_if_referenced(Key& key, const Row& before, bool may_be_replaced);
  // Whether the statement found a row, or changed some. `own`: ExecutionInputs::own_snapshot.
  bool run(Key& key, Kind kind, const Row& parameters, const txn::Snapshot& snapshot, const txn::Snapshot* own);
  bool run_on_referencing(Key& key, Kind kind, const Row& parameters);
  // What has been changed so far is to be seen from here on.
  void see_own_changes();
  void open_referenced(Key& key);
  void open_referencing(Key& key, txn::LockMode mode);
  catalog::TablePtr open(catalog::RelationId id, txn::LockMode mode);
  ForeignKeyStatements& statements(Key& key);

  bool is_deferred(const Key& key) const;

  const ExecutionInputs inputs_;
  const bool at_end_;
  std::unique_ptr<RelationCache> own_relations_;              // if the inputs have none
  std::map<catalog::RelationId, std::unique_ptr<Key>> keys_;  // by the constraint's number
  std::deque<Event> events_;
  bool firing_ = false;
  bool has_changed_ = false;
};

// What a ModifyTable tells of each row.
class ForeignKeyEvents {
 public:
  // Null if no foreign key leads to the table or from it.
  static std::unique_ptr<ForeignKeyEvents> make(ExecutorState& state, const OpenTable& table);

  // Rows that have been changed, as they were and as they are, all columns.
  void inserted(const Row& row, storage::Tid tid);
  void updated(const Row& before, storage::Tid tid_before, const Row& after, storage::Tid tid_after);
  void removed(const Row& before);

 private:
  struct Use {
    ForeignKeyQueue::Key* key;
    const catalog::ForeignKey* definition;
  };
  ForeignKeyEvents(ExecutorState& state, const OpenTable& table, const std::vector<catalog::ReferencingKey>& incoming);
  bool changes(const Use& use, const Row& before, const Row& after) const;
  bool is_own(storage::Tid tid);

  ExecutorState& state_;
  const OpenTable& table_;
  ForeignKeyQueue& queue_;
  std::vector<Use> incoming_;  // keys of any table that lead here
  std::vector<Use> outgoing_;
};

}  // namespace polarsim::engine::executor
