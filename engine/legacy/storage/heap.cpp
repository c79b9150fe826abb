#include "engine/legacy/storage/heap.h"

#include <algorithm>
#include <utility>

#include "sim/assert.h"

namespace polarsim::engine::legacy {

int compare_with_nulls(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return static_cast<int>(a.is_null()) - static_cast<int>(b.is_null());
  return compare(a, b);
}

bool RowLess::operator()(const Row& a, const Row& b) const {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare_with_nulls(a[i], b[i]); order != 0) return order < 0;
  }
  return a.size() < b.size();
}

Row TableHeap::key_of(const Row& row) const {
  Row key;
  key.reserve(key_columns_.size());
  for (const int column : key_columns_) key.push_back(row[static_cast<std::size_t>(column)]);
  return key;
}

bool TableHeap::same_key(const Row& a, const Row& b) const {
  return std::all_of(key_columns_.begin(), key_columns_.end(), [&](int column) {
    return a[static_cast<std::size_t>(column)] == b[static_cast<std::size_t>(column)];
  });
}

RowChain& TableHeap::insert(RowId id, Xid xid, CommandId command, RowPointer row) {
  const auto [place, inserted] = chains_.try_emplace(id);
  POLARSIM_ASSERT(inserted, "a row number was used twice");
  next_row_id_ = std::max(next_row_id_, id + 1);
  RowChain& chain = place->second;
  chain.id = id;
  if (has_key()) index_add(key_of(*row), id);
  chain.versions.push_back({xid, command, std::move(row)});
  ++versions_;
  return chain;
}

void TableHeap::update(RowChain& chain, Xid xid, CommandId command, RowPointer row) {
  if (has_key() && !same_key(*chain.versions.back().row, *row)) {
    chain.several_keys = true;
    index_add(key_of(*row), chain.id);
  }
  chain.versions.push_back({xid, command, std::move(row)});
  ++versions_;
}

void TableHeap::mark_deleted(RowChain& chain, Xid xid, CommandId command) {
  chain.deleted_by = xid;
  chain.deleted_at = command;
}

void TableHeap::undo(RowId id, Xid xid) {
  RowChain* chain = find(id);
  if (chain == nullptr) return;
  if (chain->deleted_by == xid) {
    chain->deleted_by = 0;
    chain->deleted_at = 0;
  }
  for (std::size_t i = chain->versions.size(); i > 0; --i) {
    if (chain->versions[i - 1].created_by == xid) remove_versions(*chain, i - 1, i);
  }
  if (chain->versions.empty()) chains_.erase(id);
}

bool TableHeap::prune(RowId id, const SettledForAll& settled) {
  RowChain* chain = find(id);
  if (chain == nullptr) return true;
  if (chain->deleted_by != 0 && settled(chain->deleted_by)) {
    remove_versions(*chain, 0, chain->versions.size());
    chains_.erase(id);
    return true;
  }
  // The newest settled version hides all that came before it.
  std::size_t keep = chain->versions.size() - 1;
  while (keep > 0 && !settled(chain->versions[keep].created_by)) --keep;
  if (keep > 0) remove_versions(*chain, 0, keep);
  return chain->versions.size() == 1 && chain->deleted_by == 0;
}

RowChain* TableHeap::find(RowId id) {
  const auto found = chains_.find(id);
  return found == chains_.end() ? nullptr : &found->second;
}

std::vector<const RowChain*> TableHeap::find_by_key(const Row& key) const {
  std::vector<const RowChain*> found;
  for (auto entry = index_.lower_bound(key); entry != index_.end(); ++entry) {
    const bool starts_with_key = std::equal(key.begin(), key.end(), entry->first.begin());
    if (!starts_with_key) break;
    for (const RowId id : entry->second) found.push_back(&chains_.at(id));
  }
  return found;
}

void TableHeap::index_add(const Row& key, RowId id) {
  std::vector<RowId>& ids = index_[key];
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

void TableHeap::index_remove(const Row& key, RowId id) {
  const auto entry = index_.find(key);
  POLARSIM_ASSERT(entry != index_.end(), "an index entry is missing");
  std::erase(entry->second, id);
  if (entry->second.empty()) index_.erase(entry);
}

void TableHeap::remove_versions(RowChain& chain, std::size_t first, std::size_t last) {
  const auto from = chain.versions.begin() + static_cast<std::ptrdiff_t>(first);
  const auto to = chain.versions.begin() + static_cast<std::ptrdiff_t>(last);
  std::vector<Row> keys;
  const bool all = first == 0 && last == chain.versions.size();
  if (has_key() && (all || chain.several_keys)) {
    for (auto version = from; version != to; ++version) keys.push_back(key_of(*version->row));
  }
  versions_ -= last - first;
  chain.versions.erase(from, to);
  std::sort(keys.begin(), keys.end(), RowLess());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const Row& key : keys) {
    const bool still_used = std::any_of(chain.versions.begin(), chain.versions.end(),
                                        [&](const RowVersion& version) { return key_of(*version.row) == key; });
    if (!still_used) index_remove(key, chain.id);
  }
}

}  // namespace polarsim::engine::legacy
