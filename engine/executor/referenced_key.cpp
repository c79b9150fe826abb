#include "engine/executor/referenced_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/storage/key_encoding.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

// Types whose values an index keeps in the same way.
enum class Family : std::uint8_t { other, integer, string, floating };
Family family_of(TypeId type) {
  switch (type) {
    case TypeId::int2:
    case TypeId::int4:
    case TypeId::int8:
      return Family::integer;
    case TypeId::text:
    case TypeId::varchar:
      return Family::string;
    case TypeId::float4:
    case TypeId::float8:
      return Family::floating;
    default:
      return Family::other;
  }
}

// The positions of the index's columns among `columns`; empty if it is not an index of just these, and of all rows.
std::vector<std::size_t> order_of(const catalog::IndexProperties& index, const std::vector<int>& columns) {
  if (!index.unique || !index.predicate.empty() || index.keys.size() != columns.size()) return {};
  std::vector<std::size_t> order;
  for (const catalog::IndexProperties::Key& key : index.keys) {
    const auto found = std::find(columns.begin(), columns.end(), key.column);
    if (found == columns.end()) return {};
    order.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  return order;
}

}  // namespace

KeyConversion::KeyConversion(Type from, Type to)
    : from_(from.id),
      to_(to.id),
      alike_(from.id == to.id || (family_of(from.id) != Family::other && family_of(from.id) == family_of(to.id))) {
  if (!alike_) conversion_ = find_conversion(from.id, to.id, CastContext::implicit);
}

ReferencedKey::ReferencedKey(Database& database, const catalog::Table& table, const std::vector<int>& columns)
    : database_(database), table_(table) {
  for (const catalog::Index& index : table.indexes) {
    order_ = order_of(index.description->index, columns);
    if (order_.empty()) continue;
    index_ = &index;
    return;
  }
  throw SqlError(sqlstate::internal_error,
                 fmt::format("the key of \"{}\" that a foreign key leads to has no index", table.description->name));
}

void ReferencedKey::encode(std::span<const Value> values) {
  wanted_.clear();
  for (std::size_t i = 0; i < order_.size(); ++i)
    storage::append_key(wanted_, values[order_[i]], index_->description->index.keys[i].type.id);
}

bool ReferencedKey::has_key(const Row& row) const {
  Row whole = row;
  catalog::complete_row(table_, whole);
  std::string key;
  for (const catalog::IndexProperties::Key& column : index_->description->index.keys)
    storage::append_key(key, whole[static_cast<std::size_t>(column.column) - 1], column.type.id);
  return key == wanted_;
}

bool ReferencedKey::lock(txn::Transaction& transaction, std::span<const Value> values, const txn::Snapshot& snapshot) {
  using txn::RowOutcome;
  encode(values);
  const bool follow = transaction.isolation == txn::IsolationLevel::read_committed;
  for (const storage::Tid tid : database_.tree(*index_).find(wanted_)) {
    // A place may have been given to another row since its entry was read.
    const std::optional<Row> found = database_.heap().fetch(table_.heap, tid, transaction, snapshot);
    if (!found || !has_key(*found)) continue;
    txn::VisibleRow locked;
    txn::RowFailure failure;
    const RowOutcome outcome = database_.heap().lock(transaction, table_.heap, tid, syntax::LockStrength::key_share,
                                                     syntax::LockWait::block, follow, locked, failure, true);
    if (outcome == RowOutcome::ok) {
      if (locked.tid == tid || has_key(locked.row)) return true;
      database_.host().reached("foreign-key/referenced-key-changed");
    } else if (outcome == RowOutcome::updated || outcome == RowOutcome::deleted) {
      database_.host().reached("foreign-key/referenced-row-gone");
      if (!follow)
        throw SqlError(sqlstate::serialization_failure, "could not serialize access due to concurrent update");
    }
  }
  return false;
}

}  // namespace polarsim::engine::executor
