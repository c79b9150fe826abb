#include "engine/executor/foreign_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/executor/referenced_key.h"
#include "engine/executor/relations.h"
#include "engine/storage/key_encoding.h"
#include "engine/txn/heap_visibility.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

using catalog::Definition;
using catalog::ForeignKey;
using catalog::RelationId;
using storage::Tid;

struct ForeignKeyQueue::Key {
  RelationId referencing_id = 0;
  catalog::DefinitionPtr referencing;
  const ForeignKey& definition;  // in it
  // Opened when they are needed.
  catalog::TablePtr referencing_table;
  catalog::TablePtr referenced_table;
  std::optional<ReferencedKey> referenced;
  std::vector<KeyConversion> conversions;  // of the referencing columns
  std::unique_ptr<ForeignKeyStatements> statements;
};

namespace {

constexpr const char* foreign_key_violation = "23503";

enum class Nulls : std::uint8_t { none, some, all };

Nulls nulls_among(const Row& values) {
  const auto nulls = std::count_if(values.begin(), values.end(), [](const Value& value) { return value.is_null(); });
  if (nulls == 0) return Nulls::none;
  return static_cast<std::size_t>(nulls) == values.size() ? Nulls::all : Nulls::some;
}

Row pick(const Row& row, const std::vector<int>& columns) {
  Row values;
  values.reserve(columns.size());
  for (const int column : columns) values.push_back(row[static_cast<std::size_t>(column) - 1]);
  return values;
}

// "(a, b)=(1, x)", as errors show a key.
std::string key_text(const Definition& table, const std::vector<int>& columns, const Row& values,
                     const CallContext& call) {
  std::string names;
  std::string texts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const catalog::Column& column = table.columns[static_cast<std::size_t>(columns[i]) - 1];
    names += (i == 0 ? "" : ", ") + column.name;
    texts += (i == 0 ? "" : ", ") + (values[i].is_null() ? "null" : output_value(values[i], column.type.id, call));
  }
  return fmt::format("({})=({})", names, texts);
}

// What an error is about: the key is the referencing table's, whichever side is changed.
ErrorObject object_of(const Definition& referencing, const ForeignKey& key) {
  return {.schema = referencing.schema, .table = referencing.name, .constraint = key.name};
}

}  // namespace

// --- noting ---

namespace {

// The checks that wait for the end of a transaction. Keys are named by number: they may have gone by then.
class DeferredForeignKeys final : public txn::CommitCheck {
 public:
  struct Event {
    RelationId referencing = 0;
    RelationId key = 0;
    Tid tid;
    bool is_check = false;
    Row before;
    Row after;
  };

  explicit DeferredForeignKeys(const ExecutionInputs& inputs) : database_(inputs.database), call_(inputs.call) {
    // The session's statement is over then.
    call_.session = nullptr;
  }
  static DeferredForeignKeys& of(const ExecutionInputs& inputs) {
    std::shared_ptr<txn::CommitCheck>& check = inputs.transaction.commit_check;
    if (check == nullptr) check = std::make_shared<DeferredForeignKeys>(inputs);
    return static_cast<DeferredForeignKeys&>(*check);
  }

  void add(Event event) { events_.push_back(std::move(event)); }

  void run(txn::Transaction& transaction) override {
    ForeignKeyQueue queue({.database = database_, .transaction = transaction, .call = call_}, true);
    for (Event& event : events_) {
      const catalog::TablePtr table = database_.catalog().find_table(&transaction, event.referencing);
      if (table == nullptr) continue;
      for (const ForeignKey& key : table->description->foreign_keys) {
        if (key.id != event.key) continue;
        ForeignKeyQueue::Key& opened = queue.key(event.referencing, table->description, key);
        if (event.is_check) {
          queue.note_check(opened, event.tid);
        } else {
          queue.note_change(opened, std::move(event.before), std::move(event.after));
        }
      }
    }
    queue.fire();
  }

 private:
  Database& database_;
  CallContext call_;
  std::vector<Event> events_;
};

}  // namespace

ForeignKeyQueue::ForeignKeyQueue(const ExecutionInputs& inputs, bool at_end) : inputs_(inputs), at_end_(at_end) {}
ForeignKeyQueue::~ForeignKeyQueue() = default;

ForeignKeyQueue::Key& ForeignKeyQueue::key(RelationId referencing, const catalog::DefinitionPtr& description,
                                           const ForeignKey& key) {
  std::unique_ptr<Key>& opened = keys_[key.id];
  if (opened == nullptr) opened.reset(new Key{referencing, description, key, {}, {}, {}, {}, {}});
  return *opened;
}

bool ForeignKeyQueue::is_deferred(const Key& key) const { return key.definition.initially_deferred && !at_end_; }

void ForeignKeyQueue::note_check(Key& key, Tid tid) {
  if (is_deferred(key)) {
    DeferredForeignKeys::of(inputs_).add({key.referencing_id, key.definition.id, tid, true, {}, {}});
  } else {
    events_.push_back({&key, tid, nullptr});
  }
}

void ForeignKeyQueue::note_change(Key& key, Row before, Row after) {
  const ForeignKey::Action action = after.empty() ? key.definition.on_delete : key.definition.on_update;
  if (is_deferred(key) && action == ForeignKey::Action::no_action) {
    DeferredForeignKeys::of(inputs_).add(
        {key.referencing_id, key.definition.id, {}, false, std::move(before), std::move(after)});
    return;
  }
  events_.push_back({&key, {}, std::make_unique<Event::Change>(Event::Change{std::move(before), std::move(after)})});
}

// --- doing ---

void ForeignKeyQueue::fire() {
  firing_ = true;
  has_changed_ = true;
  while (!events_.empty()) {
    inputs_.transaction.backend->check_interrupts();
    const Event event = std::move(events_.front());
    events_.pop_front();
    if (event.change == nullptr) {
      check(*event.key, event.tid);
    } else {
      act(*event.key, event.change->before, event.change->after);
    }
  }
  firing_ = false;
}

void ForeignKeyQueue::see_own_changes() {
  if (std::exchange(has_changed_, false)) inputs_.database.transactions().next_command(inputs_.transaction);
}

catalog::TablePtr ForeignKeyQueue::open(RelationId id, txn::LockMode mode) {
  inputs_.database.locks().acquire(*inputs_.transaction.backend, inputs_.transaction.level().locks,
                                   txn::LockTag::of_relation(id), mode);
  catalog::TablePtr table = inputs_.database.catalog().find_table(&inputs_.transaction, id);
  if (table == nullptr)
    throw SqlError(sqlstate::internal_error, fmt::format("could not open relation with OID {}", id));
  return table;
}

void ForeignKeyQueue::open_referenced(Key& key) {
  if (key.referenced) return;
  const bool elsewhere = key.definition.rows_in == ForeignKey::rows_elsewhere;
  const RelationId rows_in = elsewhere ? key.definition.referenced : key.definition.checked_table();
  key.referenced_table = open(rows_in, txn::LockMode::row_share);
  key.referenced.emplace(inputs_.database, *key.referenced_table, key.definition.referenced_columns);
  const auto type_of = [](const Definition& table, int column) {
    return table.columns[static_cast<std::size_t>(column) - 1].type;
  };
  for (std::size_t i = 0; i < key.definition.columns.size(); ++i) {
    key.conversions.emplace_back(type_of(*key.referencing, key.definition.columns[i]),
                                 type_of(*key.referenced_table->description, key.definition.referenced_columns[i]));
  }
}

void ForeignKeyQueue::open_referencing(Key& key, txn::LockMode mode) {
  key.referencing_table = open(key.referencing_id, mode);
}

ForeignKeyStatements& ForeignKeyQueue::statements(Key& key) {
  if (key.statements != nullptr) return *key.statements;
  RelationCache* relations = inputs_.relations;
  if (relations == nullptr) {
    if (own_relations_ == nullptr) own_relations_ = std::make_unique<RelationCache>(inputs_.database);
    relations = own_relations_.get();
  }
  const auto describe = [&](RelationId id) {
    return relations->describe(&inputs_.transaction, *inputs_.database.catalog().find(&inputs_.transaction, id));
  };
  key.statements = std::make_unique<ForeignKeyStatements>(key.definition, describe(key.referencing_id),
                                                          describe(key.definition.checked_table()));
  return *key.statements;
}

bool ForeignKeyQueue::run(Key& key, Kind kind, const Row& parameters, const txn::Snapshot& snapshot,
                          const txn::Snapshot* own) {
  ExecutionInputs inputs = inputs_;
  inputs.parameters = parameters;
  inputs.snapshot = &snapshot;
  inputs.own_snapshot = own;
  inputs.measure = false;
  inputs.foreign_keys = this;
  Execution execution(statements(key).get(kind, inputs_.call), inputs);
  RowView row;
  const bool found = execution.next(row);
  if (kind == Kind::find_referenced || kind == Kind::find_referencing) return found;
  execution.finish();
  has_changed_ = true;
  return execution.processed() != 0;
}

bool ForeignKeyQueue::run_on_referencing(Key& key, Kind kind, const Row& parameters) {
  open_referencing(key, kind == Kind::find_referencing ? txn::LockMode::row_share : txn::LockMode::row_exclusive);
  see_own_changes();
  txn::TransactionManager& transactions = inputs_.database.transactions();
  const txn::ActiveSnapshot latest(transactions, inputs_.transaction, txn::ActiveSnapshot::Latest::snapshot);
  if (inputs_.transaction.isolation != txn::IsolationLevel::repeatable_read)
    return run(key, kind, parameters, *latest, nullptr);
  const txn::ActiveSnapshot own(transactions, inputs_.transaction);
  return run(key, kind, parameters, *latest, &*own);
}

// --- the referencing side (RI_FKey_check) ---

void ForeignKeyQueue::check(Key& key, Tid tid) {
  open_referenced(key);
  if (key.referencing_table == nullptr) open_referencing(key, txn::LockMode::row_exclusive);
  see_own_changes();
  const txn::ActiveSnapshot snapshot(inputs_.database.transactions(), inputs_.transaction);
  // Whatever has ended it since has noted its own check.
  std::optional<Row> row =
      inputs_.database.heap().fetch(key.referencing_table->heap, tid, inputs_.transaction, *snapshot);
  if (!row) return;
  catalog::complete_row(*key.referencing_table, *row);
  const Row values = pick(*row, key.definition.columns);
  const auto refuse = [&](const std::string& detail) {
    throw SqlError(foreign_key_violation,
                   fmt::format("insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                               key.referencing->name, key.definition.name),
                   detail)
        .about(object_of(*key.referencing, key.definition));
  };
  switch (nulls_among(values)) {
    case Nulls::all:
      return;
    case Nulls::some:
      if (key.definition.match_full) refuse("MATCH FULL does not allow mixing of null and nonnull key values.");
      return;
    case Nulls::none:
      break;
  }
  if (has_referenced(key, values, *snapshot)) return;
  refuse(fmt::format("Key {} is not present in table \"{}\".",
                     key_text(*key.referencing, key.definition.columns, values, inputs_.call),
                     key.referenced_table->description->name));
}

bool ForeignKeyQueue::has_referenced(Key& key, const Row& values, const txn::Snapshot& snapshot) {
  if (key.definition.rows_in == ForeignKey::rows_elsewhere) {
    const std::string& name = key.referenced_table->description->name;
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("cannot check foreign key constraint \"{}\" of table \"{}\"", key.definition.name,
                               key.referencing->name),
                   fmt::format("The rows of table \"{}\" are on other nodes.", name),
                   fmt::format("Distribute table \"{}\" like table \"{}\" first.", key.referencing->name, name));
  }
  Row converted;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!key.conversions[i].possible()) return run(key, Kind::find_referenced, values, snapshot, nullptr);
    converted.push_back(key.conversions[i].apply(values[i], inputs_.call));
  }
  return key.referenced->lock(inputs_.transaction, converted, snapshot);
}

// --- the referenced side ---

void ForeignKeyQueue::act(Key& key, const Row& before, const Row& after) {
  const bool deleted = after.empty();
  const bool some = deleted && !key.definition.on_delete_columns.empty();
  switch (deleted ? key.definition.on_delete : key.definition.on_update) {
    case ForeignKey::Action::no_action:
      return refuse_if_referenced(key, before, true);
    case ForeignKey::Action::restrict:
      return refuse_if_referenced(key, before, false);
    case ForeignKey::Action::cascade: {
      Row parameters = before;
      parameters.insert(parameters.end(), after.begin(), after.end());
      run_on_referencing(key, deleted ? Kind::remove : Kind::cascade, parameters);
      return;
    }
    case ForeignKey::Action::set_null:
      run_on_referencing(key, some ? Kind::set_null_some : Kind::set_null, before);
      return;
    case ForeignKey::Action::set_default:
      run_on_referencing(key, some ? Kind::set_default_some : Kind::set_default, before);
      // A row that had the default before has not changed, so nobody has noted a check of it.
      return refuse_if_referenced(key, before, true);
  }
}

void ForeignKeyQueue::refuse_if_referenced(Key& key, const Row& before, bool may_be_replaced) {
  open_referenced(key);
  if (may_be_replaced) {
    see_own_changes();
    const txn::ActiveSnapshot latest(inputs_.database.transactions(), inputs_.transaction,
                                     txn::ActiveSnapshot::Latest::snapshot);
    if (key.referenced->lock(inputs_.transaction, before, *latest)) return;
  }
  if (!run_on_referencing(key, Kind::find_referencing, before)) return;
  const Definition& referenced = *key.referenced_table->description;
  throw SqlError(
      foreign_key_violation,
      fmt::format("update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                  referenced.name, key.definition.name, key.referencing->name),
      fmt::format("Key {} is still referenced from table \"{}\".",
                  key_text(referenced, key.definition.referenced_columns, before, inputs_.call), key.referencing->name))
      .about(object_of(*key.referencing, key.definition));
}

// --- what changes of rows mean (RI_FKey_fk_upd_check_required, RI_FKey_pk_upd_check_required) ---

std::unique_ptr<ForeignKeyEvents> ForeignKeyEvents::make(ExecutorState& state, const OpenTable& table) {
  const std::vector<catalog::ReferencingKey> incoming =
      state.database().catalog().referencing(&state.transaction(), table.table->id);
  if (incoming.empty() && table.table->description->foreign_keys.empty()) return nullptr;
  return std::unique_ptr<ForeignKeyEvents>(new ForeignKeyEvents(state, table, incoming));
}

ForeignKeyEvents::ForeignKeyEvents(ExecutorState& state, const OpenTable& table,
                                   const std::vector<catalog::ReferencingKey>& incoming)
    : state_(state), table_(table), queue_(state.foreign_keys()) {
  for (const catalog::ReferencingKey& one : incoming)
    incoming_.push_back({&queue_.key(one.table, one.description, *one.key), one.key});
  const catalog::DefinitionPtr& description = table.table->description;
  for (const ForeignKey& one : description->foreign_keys)
    outgoing_.push_back({&queue_.key(table.table->id, description, one), &one});
  std::sort(outgoing_.begin(), outgoing_.end(),
            [](const Use& a, const Use& b) { return a.definition->id < b.definition->id; });
}

void ForeignKeyEvents::inserted(const Row& row, Tid tid) {
  for (const Use& use : outgoing_) {
    const Nulls nulls = nulls_among(pick(row, use.definition->columns));
    if (nulls == Nulls::none || (nulls == Nulls::some && use.definition->match_full)) queue_.note_check(*use.key, tid);
  }
}

void ForeignKeyEvents::removed(const Row& before) {
  for (const Use& use : incoming_) {
    Row old = pick(before, use.definition->referenced_columns);
    if (nulls_among(old) == Nulls::none) queue_.note_change(*use.key, std::move(old), {});
  }
}

void ForeignKeyEvents::updated(const Row& before, Tid tid_before, const Row& after, Tid tid_after) {
  for (const Use& use : incoming_) {
    Row old = pick(before, use.definition->referenced_columns);
    Row now = pick(after, use.definition->referenced_columns);
    // What is equal but looks different is passed on, too.
    if (nulls_among(old) == Nulls::none && old != now) queue_.note_change(*use.key, std::move(old), std::move(now));
  }
  for (const Use& use : outgoing_) {
    const Nulls nulls = nulls_among(pick(after, use.definition->columns));
    if (nulls == Nulls::all || (nulls == Nulls::some && !use.definition->match_full)) continue;
    // The check of a row that was inserted before, if it was not done yet, will find the row gone.
    const bool unchecked = (queue_.is_firing() || use.definition->deferrable) && is_own(tid_before);
    if (nulls == Nulls::some || unchecked || changes(use, before, after)) queue_.note_check(*use.key, tid_after);
  }
}

bool ForeignKeyEvents::changes(const Use& use, const Row& before, const Row& after) const {
  const std::vector<catalog::Column>& columns = table_.table->description->columns;
  return std::any_of(use.definition->columns.begin(), use.definition->columns.end(), [&](int number) {
    const auto at = static_cast<std::size_t>(number) - 1;
    if (before[at] == after[at]) return false;
    std::string keys[2];
    storage::append_key(keys[0], before[at], columns[at].type.id);
    storage::append_key(keys[1], after[at], columns[at].type.id);
    return keys[0] != keys[1];
  });
}

bool ForeignKeyEvents::is_own(Tid tid) {
  const std::optional<storage::TupleHeader> header = state_.database().heap().header(table_.heap(), tid);
  return header && txn::is_own(state_.database().transactions(), state_.transaction(), header->xmin);
}

}  // namespace polarsim::engine::executor
