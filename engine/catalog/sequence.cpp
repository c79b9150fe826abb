#include "engine/catalog/sequence.h"

#include <fmt/format.h>

#include <utility>

#include "engine/node/database.h"
#include "engine/storage/bytes.h"
#include "engine/types/error.h"
#include "sim/assert.h"

namespace polarsim::engine::catalog {

using storage::PageKind;
using storage::PageRef;
using storage::RecordKind;

namespace {

// How far ahead the log is told, as PostgreSQL's SEQ_LOG_VALS.
constexpr std::uint32_t values_logged_ahead = 32;

// The one item of the page.
struct StoredState {
  SequenceState state;
  std::uint32_t logged_ahead = 0;  // so many more values may be given out before the log has to be told
};

std::string encode(const SequenceState& state, std::uint32_t logged_ahead) {
  storage::ByteWriter writer;
  writer.number(static_cast<std::uint64_t>(state.last_value));
  writer.number(static_cast<std::uint8_t>(state.is_called));
  writer.number(logged_ahead);
  return writer.bytes();
}

StoredState decode(std::string_view bytes) {
  storage::ByteReader reader(bytes);
  StoredState stored;
  stored.state.last_value = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  stored.state.is_called = reader.number<std::uint8_t>() != 0;
  stored.logged_ahead = reader.number<std::uint32_t>();
  return stored;
}

storage::PageId page_of(RelationId file) { return {file, storage::Fork::main, 0}; }

void store(const PageRef& pin, const SequenceState& state, std::uint32_t logged_ahead) {
  const std::string bytes = encode(state, logged_ahead);
  storage::Page page = pin.page();
  const bool stored = page.item_count() == 0 ? page.put_item(1, bytes) : page.replace_item(1, bytes);
  POLARSIM_ASSERT(stored, "a sequence's page has no room for its state");
  pin.mark_dirty();
}

StoredState load(const PageRef& pin) {
  const std::span<char> item = pin.page().item(1);
  return decode({item.data(), item.size()});
}

// The state that recovery restores, then the present one. The page is not logged as it is: it may be written at any
// time, and what it says beyond the record is only good as long as the node runs.
void log_and_store(Database& database, txn::Transaction& transaction, const PageRef& pin, const SequenceState& logged,
                   const SequenceState& state, std::uint32_t logged_ahead) {
  store(pin, state, logged_ahead);
  database.log().append(RecordKind::sequence_first, {{pin, storage::PageChange::Kind::initialize}}, encode(logged, 0));
  transaction.wrote = true;
}

Relation open(Database& database, txn::Transaction& transaction, RelationId id, LockMode mode) {
  database.locks().acquire(*transaction.backend, transaction.level().locks, txn::LockTag::of_relation(id), mode);
  std::optional<Relation> sequence = database.catalog().find(&transaction, id);
  if (!sequence) throw SqlError(sqlstate::internal_error, fmt::format("could not open relation with OID {}", id));
  if (sequence->description->kind != RelationKind::sequence) {
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not a sequence", sequence->description->name));
  }
  return *std::move(sequence);
}

const SequenceParameters& parameters_of(const Relation& sequence) { return sequence.description->sequence.parameters; }

// After a checkpoint the log has to be told again: the page that the checkpoint wrote is where recovery begins.
bool log_is_due(Database& database, const PageRef& pin, const StoredState& stored) {
  return stored.logged_ahead == 0 || pin.page().lsn() <= database.log().redo_lsn();
}

}  // namespace

std::optional<std::int64_t> last_value(Database& database, RelationId file) {
  const PageRef pin = database.pool().pin(page_of(file));
  if (pin.page().item_count() == 0) return std::nullopt;
  const SequenceState state = load(pin).state;
  if (!state.is_called) return std::nullopt;
  return state.last_value;
}

Row sequence_row(Database& database, RelationId file) {
  const PageRef pin = database.pool().pin(page_of(file));
  const StoredState stored = load(pin);
  return {Value::integer(stored.state.last_value), Value::integer(stored.logged_ahead),
          Value::boolean(stored.state.is_called)};
}

std::int64_t nextval(Database& database, txn::Transaction& transaction, SequenceMemory& memory, RelationId id) {
  const Relation sequence = open(database, transaction, id, LockMode::row_exclusive);
  const SequenceParameters& parameters = parameters_of(sequence);
  const std::string& name = sequence.description->name;
  PageRef pin = database.pool().pin(page_of(sequence.file));
  if (log_is_due(database, pin, load(pin)) && transaction.level().xid == storage::invalid_xid) {
    pin.release();
    database.visit_append_point();
    database.transactions().assign_xid(transaction);
    pin = database.pool().pin(page_of(sequence.file));
  }
  const StoredState stored = load(pin);
  const SequenceState next = next_state(parameters, stored.state, name);
  if (!log_is_due(database, pin, stored)) {
    store(pin, next, stored.logged_ahead - 1);
  } else {
    SequenceState logged = next;
    std::uint32_t ahead = 0;
    try {
      for (; ahead < values_logged_ahead; ++ahead) logged = next_state(parameters, logged, name);
    } catch (const SqlError&) {
      // The end of the sequence: the log is told as far as it goes.
    }
    log_and_store(database, transaction, pin, logged, next, ahead);
  }
  memory.last_of[sequence.id] = next.last_value;
  memory.last_used = sequence.id;
  return next.last_value;
}

std::int64_t currval(Database& database, txn::Transaction& transaction, const SequenceMemory& memory, RelationId id) {
  const Relation sequence = open(database, transaction, id, LockMode::access_share);
  const auto found = memory.last_of.find(sequence.id);
  if (found == memory.last_of.end()) {
    throw SqlError(
        sqlstate::object_not_in_prerequisite_state,
        fmt::format("currval of sequence \"{}\" is not yet defined in this session", sequence.description->name));
  }
  return found->second;
}

std::int64_t setval(Database& database, txn::Transaction& transaction, SequenceMemory& memory, RelationId id,
                    std::int64_t value, bool is_called) {
  const Relation sequence = open(database, transaction, id, LockMode::row_exclusive);
  const SequenceParameters& parameters = parameters_of(sequence);
  const std::string& name = sequence.description->name;
  const SequenceState state = set_state(parameters, value, is_called, name);
  database.visit_append_point();
  database.transactions().assign_xid(transaction);
  const PageRef pin = database.pool().pin(page_of(sequence.file));
  log_and_store(database, transaction, pin, state, state, 0);
  if (is_called) memory.last_of[sequence.id] = value;
  return value;
}

std::int64_t lastval(Database& database, txn::Transaction& transaction, const SequenceMemory& memory) {
  const bool known = memory.last_used && database.catalog().has_sequence(&transaction, *memory.last_used);
  if (!known) {
    throw SqlError(sqlstate::object_not_in_prerequisite_state, "lastval is not yet defined in this session");
  }
  return memory.last_of.at(*memory.last_used);
}

void create_sequence_page(Database& database, txn::Transaction& transaction, const Relation& sequence) {
  const PageRef pin = database.pool().extend(sequence.file);
  pin.page().initialize(page_of(sequence.file), PageKind::sequence);
  const SequenceState state = initial_state(parameters_of(sequence));
  log_and_store(database, transaction, pin, state, state, 0);
}

void register_sequence_redo(storage::RedoTable& table) {
  table.add(RecordKind::sequence_first, [](storage::RedoContext& context, const storage::DecodedRecord& record) {
    const storage::PageId id = record.blocks.at(0).id;
    std::optional<PageRef> pin = context.page(record, 0);
    if (!context.files().exists(id.relation)) return;
    // Also if the page is as new as the record: it was changed since without the log, and says less than the record.
    if (!pin) pin = context.pool().pin_without_reading(id);
    pin->page().initialize(id, PageKind::sequence);
    const StoredState logged = decode(record.data);
    store(*pin, logged.state, 0);
    context.applied(record, *pin);
  });
}

}  // namespace polarsim::engine::catalog
