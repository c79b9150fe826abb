// The order of rows by sort keys: each type's default order, downwards or upwards, NULLs at either end.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/types/order.h"

namespace polarsim::engine::executor {

class RowOrder {
 public:
  // The keys' columns are those of the rows.
  explicit RowOrder(const std::vector<plan::SortKey>& keys) {
    for (const plan::SortKey& key : keys) add(static_cast<std::size_t>(key.column) - 1, key);
  }
  // The rows consist of the keys.
  static RowOrder of_keys(const std::vector<plan::SortKey>& keys) {
    RowOrder order({});
    for (std::size_t i = 0; i < keys.size(); ++i) order.add(i, keys[i]);
    return order;
  }

  // Negative, zero, positive.
  int compare(RowView a, RowView b) const {
    for (const Key& key : keys_) {
      const int result = compare(key, a[key.column], b[key.column]);
      if (result != 0) return result;
    }
    return 0;
  }
  bool equal(RowView a, RowView b) const { return compare(a, b) == 0; }
  bool empty() const { return keys_.empty(); }

 private:
  struct Key {
    std::size_t column;
    Comparison compare;
    bool plain_integers;
    bool descending;
    bool nulls_first;
  };

  void add(std::size_t column, const plan::SortKey& key) {
    // An untyped NULL stays unknown in few places, where it is a text.
    const TypeId type = key.type == TypeId::unknown ? TypeId::text : key.type;
    keys_.push_back({column, comparison_of(type), type != TypeId::xid8, key.descending, key.nulls_first});
  }
  static int compare(const Key& key, const Value& a, const Value& b) {
    if (a.is_null() || b.is_null()) {
      if (a.is_null() && b.is_null()) return 0;
      return a.is_null() == key.nulls_first ? -1 : 1;
    }
    int result = 0;
    if (key.plain_integers && a.is_integer() && b.is_integer()) {
      const std::int64_t left = a.as_integer();
      const std::int64_t right = b.as_integer();
      result = left < right ? -1 : static_cast<int>(left > right);
    } else {
      result = key.compare(a, b);
    }
    return key.descending ? -result : result;
  }

  std::vector<Key> keys_;
};

}  // namespace polarsim::engine::executor
