// Random operations on a tree, with crashes and recoveries in between, against a sorted set.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/storage/btree_test_support.h"

namespace polarsim::engine::storage {
namespace {

using testing::Entries;
using testing::entry_of;
using testing::key_of;
using testing::KeyStyle;
using testing::OpenTree;
using testing::tid_of;
using testing::TreeHost;

struct Operation {
  enum class Kind : std::uint8_t { insert, insert_run, remove, remove_run, find, scan, flush, checkpoint } kind{};
  unsigned key = 0;
  unsigned tid = 0;
  unsigned length = 0;
};

void showValue(const Operation& operation, std::ostream& out) {
  out << static_cast<int>(operation.kind) << "(" << operation.key << ", " << operation.tid << ", " << operation.length
      << ")";
}

constexpr unsigned tids = 3;
// So many that the tree has a few levels; runs of keys are as much longer.
constexpr unsigned small_key_factor = 40;
constexpr unsigned key_count = 60;

rc::Gen<Operation> any_operation() {
  using Kind = Operation::Kind;
  return rc::gen::build<Operation>(
      rc::gen::set(&Operation::kind, rc::gen::weightedElement<Kind>({{8, Kind::insert},
                                                                     {2, Kind::insert_run},
                                                                     {6, Kind::remove},
                                                                     {3, Kind::remove_run},
                                                                     {2, Kind::find},
                                                                     {2, Kind::scan},
                                                                     {1, Kind::flush},
                                                                     {1, Kind::checkpoint}})),
      rc::gen::set(&Operation::key, rc::gen::inRange(0U, key_count)),
      rc::gen::set(&Operation::tid, rc::gen::inRange(0U, tids)),
      rc::gen::set(&Operation::length, rc::gen::inRange(1U, 20U)));
}

class Comparison {
 public:
  Comparison(TreeHost& host, OpenTree& open, KeyStyle style, Entries& model)
      : host_(host),
        open_(open),
        style_(style),
        factor_(style == KeyStyle::small ? small_key_factor : 1),
        model_(model) {}

  void apply(Operation operation) {
    operation.key *= factor_;
    operation.length *= factor_;
    const std::string key = key_of(operation.key, style_);
    switch (operation.kind) {
      case Operation::Kind::insert:
        return insert(operation.key, operation.tid);
      case Operation::Kind::insert_run:
        for (unsigned i = 0; i < operation.length; ++i)
          insert((operation.key + i) % (key_count * factor_), operation.tid);
        return;
      case Operation::Kind::remove:
        return remove(operation.key, operation.tid);
      case Operation::Kind::remove_run:
        for (unsigned i = 0; i < operation.length; ++i) {
          for (unsigned tid = 0; tid < tids; ++tid) remove((operation.key + i) % (key_count * factor_), tid);
        }
        return;
      case Operation::Kind::find: {
        std::vector<Tid> expected;
        for (const BTree::Entry& entry : model_) {
          if (entry.key == key) expected.push_back(entry.tid);
        }
        RC_ASSERT(open_.tree.find(key) == expected);
        return;
      }
      case Operation::Kind::scan: {
        const std::string upper = key_of(operation.key + operation.length, style_);
        Entries expected;
        for (const BTree::Entry& entry : model_) {
          if (entry.key >= key && entry.key < upper) expected.insert(entry);
        }
        RC_ASSERT(open_.contents({key, upper}) == expected);
        return;
      }
      case Operation::Kind::flush:
        return open_.wal().flush(open_.wal().end());
      case Operation::Kind::checkpoint:
        return host_.checkpoint(open_);
    }
  }

 private:
  void insert(unsigned key, unsigned tid) {
    if (!model_.insert(entry_of(key, tid, style_)).second) return;
    open_.tree.insert(key_of(key, style_), tid_of(tid));
  }
  void remove(unsigned key, unsigned tid) {
    RC_ASSERT(open_.tree.remove(key_of(key, style_), tid_of(tid)) == (model_.erase(entry_of(key, tid, style_)) != 0));
  }
  TreeHost& host_;
  OpenTree& open_;
  KeyStyle style_;
  unsigned factor_;
  Entries& model_;
};

// Each inner list is a life of the host. It ends with a clean stop, after which everything is there.
void compare_with_set(KeyStyle style) {
  const auto lives = *rc::gen::container<std::vector<std::vector<Operation>>>(
      3, rc::gen::scale(2.0, rc::gen::container<std::vector<Operation>>(any_operation())));
  TreeHost host(*rc::gen::inRange<std::uint64_t>(1, 1000));
  Entries model;
  for (const std::vector<Operation>& life : lives) {
    std::optional<std::string> problem;
    host.run_tree([&](OpenTree& open) {
      RC_ASSERT(open.contents() == model);
      Comparison comparison(host, open, style, model);
      for (const Operation& operation : life) comparison.apply(operation);
      problem = open.problem();
      RC_ASSERT(open.contents() == model);
      open.wal().flush(open.wal().end());
      open.host.crash();
    });
    RC_ASSERT(host.error() == "");
    RC_ASSERT(problem == std::optional<std::string>(""));
  }
}

RC_GTEST_PROP(BTreeProperty, SmallKeysBehaveAsASet, ()) { compare_with_set(KeyStyle::small); }
RC_GTEST_PROP(BTreeProperty, LargeKeysBehaveAsASet, ()) { compare_with_set(KeyStyle::large); }
RC_GTEST_PROP(BTreeProperty, DifferingKeysBehaveAsASet, ()) { compare_with_set(KeyStyle::differing); }
RC_GTEST_PROP(BTreeProperty, PairedKeysBehaveAsASet, ()) { compare_with_set(KeyStyle::paired); }

}  // namespace
}  // namespace polarsim::engine::storage
