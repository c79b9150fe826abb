// The key that foreign keys lead to: finding and locking the one row that has it, by its unique index.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/executor/executor.h"

namespace polarsim::engine::executor {

// What values of a referencing column have to become to be looked for in the referenced one's index: nothing where both
// types are kept alike there (integers of all sizes, strings, floating point numbers).
class KeyConversion {
 public:
  KeyConversion(Type from, Type to);
  // False for types that can be compared but not converted, as timestamp to date.
  bool possible() const { return alike_ || conversion_.possible(); }
  Value apply(const Value& value, const CallContext& call) const {
    return alike_ ? value : convert(conversion_, value, from_, to_, call);
  }

 private:
  Type from_;
  Type to_;
  bool alike_ = false;
  Conversion conversion_;
};

class ReferencedKey {
 public:
  // `columns`: of the table, in the order of the foreign key. All must outlive it.
  ReferencedKey(Database& database, const catalog::Table& table, const std::vector<int>& columns);

  // Locks the row that has these values FOR KEY SHARE, as a SELECT with this snapshot does. False if there is none, or
  // no longer. The values have the columns' types, or are alike. Waits for whoever is changing the key, and throws
  // 40001 as SELECT FOR does under repeatable read.
  bool lock(txn::Transaction& transaction, std::span<const Value> values, const txn::Snapshot& snapshot);

 private:
  void encode(std::span<const Value> values);
  bool has_key(const Row& row) const;

  Database& database_;
  const catalog::Table& table_;
  const catalog::Index* index_ = nullptr;
  std::vector<std::size_t> order_;  // the position in `columns` of each of the index's keys
  std::string wanted_;
};

}  // namespace polarsim::engine::executor
