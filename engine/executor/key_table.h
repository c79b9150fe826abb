// Rows of keys, each once, numbered in the order in which they came: for groups, DISTINCT, set operations, hash joins
// and hashed subplans. NULLs are equal here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/types/order.h"

namespace polarsim::engine::executor {

// Equality and hashes of rows of these types.
class KeyRules {
 public:
  // Throws 42883 for types that have no hash.
  explicit KeyRules(std::span<const TypeId> types);
  std::uint64_t hash(RowView keys) const {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) hash = mix(hash, hash_of(keys[i], i));
    return hash;
  }
  bool equal(RowView a, RowView b) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!equal(a[i], b[i], i)) return false;
    }
    return true;
  }
  std::size_t width() const { return columns_.size(); }

 private:
  struct Column {
    Hasher hash = nullptr;
    Comparison compare = nullptr;  // null: equal is what is held equal
  };
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    std::uint64_t mixed = (a ^ b) + 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t hash_of(const Value& value, std::size_t column) const {
    return value.is_null() ? 0 : columns_[column].hash(value);
  }
  bool equal(const Value& a, const Value& b, std::size_t column) const {
    if (a.is_null() || b.is_null()) return a.is_null() && b.is_null();
    if (a.is_integer() && b.is_integer()) return a.as_integer() == b.as_integer();
    const Comparison compare = columns_[column].compare;
    return compare != nullptr ? compare(a, b) == 0 : a == b;
  }

  std::vector<Column> columns_;
};

class KeyTable {
 public:
  explicit KeyTable(std::span<const TypeId> types) : rules_(types) {}

  // The number of the keys; true if they were not there before.
  std::pair<std::uint32_t, bool> insert(RowView keys) { return insert(keys, rules_.hash(keys)); }
  std::pair<std::uint32_t, bool> insert(RowView keys, std::uint64_t hash);
  std::optional<std::uint32_t> find(RowView keys) const { return find(keys, hash(keys)); }
  // The same for whoever has computed the hash.
  std::optional<std::uint32_t> find(RowView keys, std::uint64_t hash) const;
  std::uint64_t hash(RowView keys) const { return rules_.hash(keys); }
  RowView keys(std::uint32_t number) const { return {keys_.data() + number * rules_.width(), rules_.width()}; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(hashes_.size()); }
  void clear();
  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  void grow();

  KeyRules rules_;
  std::vector<Value> keys_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;  // a number plus one; 0: free. A power of two of them, half of them free
  std::size_t memory_bytes_ = 0;
};

}  // namespace polarsim::engine::executor
