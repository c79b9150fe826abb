#include "engine/legacy/storage/heap.h"

#include <gtest/gtest.h>

#include <set>

namespace polarsim::engine::legacy {
namespace {

RowPointer row(std::int64_t id, std::int64_t value) {
  return std::make_shared<const Row>(Row{Value::integer(id), Value::integer(value)});
}
Row key(std::int64_t id) { return {Value::integer(id)}; }

class HeapTest : public ::testing::Test {
 protected:
  bool prune(RowId id) {
    return heap_.prune(id, [this](Xid xid) { return settled_.contains(xid); });
  }
  TableHeap heap_{{0}};
  std::set<Xid> settled_;
};

TEST_F(HeapTest, UndoTakesBackInserts) {
  heap_.insert(1, 5, 0, row(10, 1));
  heap_.undo(1, 5);
  EXPECT_EQ(heap_.find(1), nullptr);
  EXPECT_TRUE(heap_.find_by_key(key(10)).empty());
  EXPECT_EQ(heap_.version_count(), 0U);
  EXPECT_EQ(heap_.next_row_id(), 2U) << "numbers are not used again";
  heap_.undo(1, 5);
}

TEST_F(HeapTest, UndoTakesBackUpdatesAndDeletes) {
  RowChain& chain = heap_.insert(1, 5, 0, row(10, 1));
  heap_.update(chain, 6, 0, row(10, 2));
  heap_.update(chain, 6, 1, row(11, 2));
  heap_.mark_deleted(chain, 6, 2);
  EXPECT_EQ(heap_.find_by_key(key(11)).size(), 1U);
  heap_.undo(1, 6);
  ASSERT_EQ(chain.versions.size(), 1U);
  EXPECT_EQ(chain.deleted_by, 0U);
  EXPECT_TRUE(heap_.find_by_key(key(11)).empty());
  EXPECT_EQ(heap_.find_by_key(key(10)).size(), 1U);
}

TEST_F(HeapTest, PruneKeepsWhatASnapshotMayNeed) {
  RowChain& chain = heap_.insert(1, 5, 0, row(10, 1));
  heap_.update(chain, 6, 0, row(12, 2));
  heap_.update(chain, 7, 0, row(10, 3));
  settled_ = {5};
  EXPECT_FALSE(prune(1));
  EXPECT_EQ(chain.versions.size(), 3U);
  settled_ = {5, 6};
  EXPECT_FALSE(prune(1));
  EXPECT_EQ(chain.versions.size(), 2U);
  EXPECT_EQ(heap_.find_by_key(key(10)).size(), 1U) << "the first version is gone, the last has the same key";
  settled_ = {5, 6, 7};
  EXPECT_TRUE(prune(1));
  EXPECT_EQ(chain.versions.size(), 1U);
  EXPECT_TRUE(heap_.find_by_key(key(12)).empty());
  heap_.mark_deleted(chain, 8, 0);
  EXPECT_FALSE(prune(1));
  settled_.insert(8);
  EXPECT_TRUE(prune(1));
  EXPECT_EQ(heap_.find(1), nullptr);
  EXPECT_EQ(heap_.version_count(), 0U);
  EXPECT_TRUE(heap_.find_by_key(key(10)).empty());
}

TEST_F(HeapTest, FindsByPrefixInOrderOfKeys) {
  TableHeap heap({0, 1});
  heap.insert(1, 5, 0, row(2, 9));
  heap.insert(2, 5, 0, row(1, 8));
  heap.insert(3, 5, 0, row(2, 3));
  const auto found = heap.find_by_key(key(2));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]->id, 3U);
  EXPECT_EQ(found[1]->id, 1U);
  EXPECT_EQ(heap.find_by_key({Value::integer(2), Value::integer(9)}).size(), 1U);
}

TEST(CompareWithNulls, NullIsLargest) {
  EXPECT_EQ(compare_with_nulls(Value::null(), Value::null()), 0);
  EXPECT_GT(compare_with_nulls(Value::null(), Value::integer(5)), 0);
  EXPECT_LT(compare_with_nulls(Value::integer(5), Value::null()), 0);
  EXPECT_LT(compare_with_nulls(Value::text("a"), Value::text("b")), 0);
}

}  // namespace
}  // namespace polarsim::engine::legacy
