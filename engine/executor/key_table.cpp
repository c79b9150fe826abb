#include "engine/executor/key_table.h"

#include <fmt/format.h>

#include "engine/executor/row_store.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

KeyRules::KeyRules(std::span<const TypeId> types) {
  for (const TypeId type : types) {
    Column column;
    // An untyped NULL stays unknown in few places, where it is a text.
    const TypeId known = type == TypeId::unknown ? TypeId::text : type;
    column.hash = hasher_of(known);
    if (column.hash == nullptr) {
      throw SqlError(sqlstate::undefined_function,
                     fmt::format("could not identify an equality operator for type {}", type_name(type)));
    }
    if (is_ordered(known)) column.compare = comparison_of(known);
    columns_.push_back(column);
  }
}

std::pair<std::uint32_t, bool> KeyTable::insert(RowView keys, std::uint64_t hash) {
  if ((hashes_.size() + 1) * 2 > slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(hash) & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::uint32_t number = slots_[slot] - 1;
    if (hashes_[number] == hash && rules_.equal(this->keys(number), keys)) return {number, false};
  }
  hashes_.push_back(hash);
  slots_[slot] = static_cast<std::uint32_t>(hashes_.size());
  keys_.insert(keys_.end(), keys.begin(), keys.end());
  memory_bytes_ += memory_of(keys) + sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);
  return {size() - 1, true};
}

std::optional<std::uint32_t> KeyTable::find(RowView keys, std::uint64_t hash) const {
  if (slots_.empty()) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = static_cast<std::size_t>(hash) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::uint32_t number = slots_[slot] - 1;
    if (hashes_[number] == hash && rules_.equal(this->keys(number), keys)) return number;
  }
  return std::nullopt;
}

void KeyTable::grow() {
  constexpr std::size_t least_slots = 16;
  const std::size_t wanted = slots_.empty() ? least_slots : slots_.size() * 2;
  slots_.assign(wanted, 0);
  const std::size_t mask = wanted - 1;
  for (std::size_t number = 0; number < hashes_.size(); ++number) {
    std::size_t slot = static_cast<std::size_t>(hashes_[number]) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(number + 1);
  }
}

void KeyTable::clear() {
  keys_.clear();
  hashes_.clear();
  slots_.clear();
  memory_bytes_ = 0;
}

}  // namespace polarsim::engine::executor
