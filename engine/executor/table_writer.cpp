#include "engine/executor/table_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/query/no_relations.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

namespace {

constexpr const char* check_violation = "23514";

// PostgreSQL shows the first bytes of a long value, whole characters.
std::string shortened(std::string text) {
  constexpr std::size_t shown_bytes_max = 64;
  if (text.size() <= shown_bytes_max) return text;
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

TableWriter::TableWriter(ExecutorState& state, const plan::ModifyTable& node)
    : state_(state), table_(state.open(node.relation)), checks_(compile(node.checks)) {
  query::NoRelations relations;
  const query::AnalysisContext analysis{relations, state.call()};
  for (const catalog::Index& index : table_.table->indexes) {
    indexes_.push_back({&index, &state.database().tree(index),
                        std::make_unique<IndexKeys>(table_.table->description, index.description, analysis,
                                                    state.database().host().scheduler())});
  }
  for (const plan::ModifyTable::Generated& generated : node.generated)
    generated_.push_back({static_cast<std::size_t>(generated.column) - 1, Evaluator(generated.value)});
  const catalog::Definition& definition = *table_.table->description;
  if (definition.name == "pg_dist_transaction" && definition.schema == catalog::system_schema)
    state.transaction().decides_distributed = true;
}

// --- constraints ---

void TableWriter::complete(Row& row) {
  for (Generated& generated : generated_) row[generated.column] = generated.value.value(state_, row);
  check_not_null(row);
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    const Value holds = checks_[i].value(state_, row);
    if (holds.is_null() || holds.as_boolean()) continue;
    throw SqlError(check_violation,
                   fmt::format("new row for relation \"{}\" violates check constraint \"{}\"", table_.relation->name,
                               table_.relation->checks.at(i).name),
                   failing_row(row))
        .about({.schema = table_.relation->schema,
                .table = table_.relation->name,
                .constraint = table_.relation->checks.at(i).name});
  }
}

void TableWriter::check_not_null(const Row& row) const {
  const std::vector<query::RelationColumn>& columns = table_.relation->columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].not_null || columns[i].dropped || !row[i].is_null()) continue;
    throw SqlError(sqlstate::not_null_violation,
                   fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                               columns[i].name, table_.relation->name),
                   failing_row(row))
        .about({.schema = table_.relation->schema, .table = table_.relation->name, .column = columns[i].name});
  }
}

std::string TableWriter::failing_row(const Row& row) const {
  std::string text;
  bool first = true;
  for (std::size_t i = 0; i < table_.relation->columns.size(); ++i) {
    const query::RelationColumn& column = table_.relation->columns[i];
    if (column.dropped) continue;
    if (!std::exchange(first, false)) text += ", ";
    text += row[i].is_null() ? "null" : shortened(output_value(row[i], column.type.id, state_.call()));
  }
  return fmt::format("Failing row contains ({}).", text);
}

// --- rows and entries ---

Tid TableWriter::insert(const Row& row) {
  state_.check_interrupts();
  state_.database().visit_append_point();
  const Tid tid = heap().insert(state_.transaction(), table_.heap(), row);
  insert_entries(row, tid);
  return tid;
}

void TableWriter::insert_entries(const Row& row, Tid tid) {
  for (std::size_t i = 0; i < indexes_.size(); ++i) insert_entry(i, row, tid);
}

std::size_t TableWriter::index_of(std::uint32_t id) const {
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    if (indexes_[i].index->id == id) return i;
  }
  throw SqlError(sqlstate::internal_error, fmt::format("could not open relation with OID {}", id));
}

std::string TableWriter::key(Index& index, const Row& row) {
  return index.keys->key(index.keys->values(row, state_.call()));
}

bool TableWriter::must_be_unique(std::size_t index, const Row& row) {
  IndexKeys& keys = *indexes_[index].keys;
  return keys.holds(row, state_.call()) && keys.must_be_unique(keys.values(row, state_.call()));
}

void TableWriter::insert_entry(std::size_t at, const Row& row, Tid tid) {
  Index& index = indexes_[at];
  if (!index.keys->holds(row, state_.call())) return;
  if (!index.keys->must_be_unique(index.keys->values(row, state_.call()))) {
    index.tree->insert(key(index, row), tid);
    return;
  }
  for (;;) {
    const KeyOwner owner = insert_unless_owned(index, row, tid);
    if (owner.state == KeyOwner::State::none) return;
    if (owner.state == KeyOwner::State::live) throw_unique_violation(index, row);
    heap().wait_for(state_.transaction(), owner);
  }
}

bool TableWriter::try_insert_entry(std::size_t index, const Row& row, Tid tid) {
  return insert_unless_owned(indexes_[index], row, tid).state == KeyOwner::State::none;
}

// Inserts the entry if nobody has the key or may come to have it; else tells who. A row that is changed often leaves
// many entries behind: what leads to dead versions is taken out here, so that neither the next change nor a search has
// to look at them all until vacuum comes (PostgreSQL marks them, "killed items").
KeyOwner TableWriter::insert_unless_owned(Index& index, const Row& row, Tid tid) {
  constexpr std::size_t entries_tolerated = 8;
  KeyOwner owner;
  const std::string wanted = key(index, row);
  index.tree->insert_if(wanted, tid, [&](const std::vector<Tid>& equal, std::vector<Tid>& obsolete) {
    owner = owner_among(index, wanted, equal);
    if (owner.state != KeyOwner::State::none) return false;
    if (equal.size() > entries_tolerated) obsolete = heap().dead_places(table_.heap(), equal);
    return true;
  });
  return owner;
}

KeyOwner TableWriter::owner_among(Index& index, const std::string& wanted, const std::vector<Tid>& tids) {
  if (tids.empty()) return {};
  // Since the entries were read, a place may have been vacuumed and filled again: the key counts, not the entry.
  return heap().find_key_owner(state_.transaction(), table_.heap(), tids, [&](const Row& other) {
    Row whole = other;
    table_.widen(whole);
    return index.keys->holds(whole, state_.call()) && key(index, whole) == wanted;
  });
}

KeyOwner TableWriter::find_owner(std::size_t at, const Row& row) {
  Index& index = indexes_[at];
  const std::string wanted = key(index, row);
  return owner_among(index, wanted, index.tree->find(wanted));
}

std::vector<Tid> TableWriter::places(std::size_t index, const Row& row) {
  return indexes_[index].tree->find(key(indexes_[index], row));
}

void TableWriter::throw_unique_violation(Index& index, const Row& row) {
  throw SqlError(sqlstate::unique_violation,
                 fmt::format("duplicate key value violates unique constraint \"{}\"", index.index->description->name),
                 fmt::format("Key {} already exists.",
                             index.keys->description(index.keys->values(row, state_.call()), state_.call())))
      .about({.schema = table_.relation->schema,
              .table = table_.relation->name,
              .constraint = index.index->description->name});
}

// --- keys that others may rely on: unique, over columns, of all rows ---

bool TableWriter::changes_key(const Row& before, const Row& after) {
  return std::any_of(indexes_.begin(), indexes_.end(), [&](Index& index) {
    return index.index->description->index.unique && index.keys->is_plain() && key(index, before) != key(index, after);
  });
}

bool TableWriter::names_key(const std::vector<int>& columns) const {
  return std::any_of(indexes_.begin(), indexes_.end(), [&](const Index& index) {
    const std::vector<catalog::IndexProperties::Key>& keys = index.index->description->index.keys;
    return index.index->description->index.unique && index.keys->is_plain() &&
           std::any_of(keys.begin(), keys.end(), [&](const catalog::IndexProperties::Key& key) {
             return std::find(columns.begin(), columns.end(), key.column) != columns.end();
           });
  });
}

}  // namespace polarsim::engine::executor
