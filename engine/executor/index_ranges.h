// From the bounds of an index scan to ranges of keys (PostgreSQL's src/backend/access/nbtree/nbtutils.c,
// _bt_preprocess_keys).
#pragma once

#include <string>
#include <vector>

#include "engine/executor/node_state.h"
#include "engine/storage/btree.h"

namespace polarsim::engine::executor {

class IndexRanges {
 public:
  IndexRanges(const plan::IndexScan& scan);

  // The ranges of keys for the parameters as they are now, in ascending order; none if nothing can match.
  std::vector<storage::BTree::Range> compute(ExecutorState& state);
  // Bounds that the ranges do not express: to be asked of each row.
  std::vector<Evaluator>& filters() { return filters_; }

 private:
  using Comparison = plan::IndexScan::Bound::Comparison;
  struct Bound {
    Comparison comparison;
    Evaluator value;
  };
  struct Key {
    TypeId type = TypeId::none;
    std::vector<Bound> bounds;  // one that fixes the key, or any number of others
  };
  static bool fixes(Comparison comparison) {
    return comparison == Comparison::equal || comparison == Comparison::in_array || comparison == Comparison::is_null;
  }
  // False: nothing matches.
  static bool fix(const Bound& bound, const Value& value, TypeId type, std::vector<std::string>& prefixes);

  std::vector<Key> keys_;
  std::vector<Evaluator> filters_;
};

}  // namespace polarsim::engine::executor
