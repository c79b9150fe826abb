#include "engine/storage/btree.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "engine/storage/btree_test_support.h"

namespace polarsim::engine::storage {
namespace {

using namespace std::string_literals;

using testing::Entries;
using testing::entry_of;
using testing::key_of;
using testing::KeyStyle;
using testing::OpenTree;
using testing::outcome;
using testing::tid_of;
using testing::TreeHost;

constexpr std::array all_styles{KeyStyle::small, KeyStyle::large, KeyStyle::differing, KeyStyle::paired};

std::vector<unsigned> shuffled(sim::Host& host, unsigned count) {
  std::vector<unsigned> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  sim::RandomStream& random = host.random("test/shuffle");
  for (std::size_t i = count; i > 1; --i) std::swap(numbers[i - 1], numbers[random.below(i)]);
  return numbers;
}

unsigned entries_for(KeyStyle style) {
  return style == KeyStyle::small ? 3000 : style == KeyStyle::paired ? 1000 : 150;
}

unsigned height(const OpenTree& open) {
  return BTreeMeta(open.pool.pin({TreeHost::relation, Fork::main, 0}).page()).root_level() + 1;
}

TEST(BTree, IsEmptyAtFirst) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    EXPECT_EQ(open.problem(), "");
    EXPECT_TRUE(open.contents().empty());
    EXPECT_TRUE(open.tree.find("a").empty());
    EXPECT_FALSE(open.tree.remove("a", {1, 1}));
  });
  EXPECT_TRUE(host.finished());
}

TEST(BTree, SortsEqualKeysByTidAndFindsThem) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    // Enough of one key to fill several leaves.
    for (unsigned i = 0; i < 2000; ++i) open.tree.insert("b", tid_of((i * 7919) % 2000));
    open.tree.insert("a", {5, 1});
    open.tree.insert("b\0"s, {1, 1});
    const std::vector<Tid> found = open.tree.find("b");
    ASSERT_EQ(found.size(), 2000U);
    for (unsigned i = 0; i < 2000; ++i) ASSERT_EQ(found[i], tid_of(i));
    EXPECT_EQ(open.tree.find("a"), std::vector<Tid>({{5, 1}}));
    EXPECT_TRUE(open.tree.find("").empty());
    EXPECT_EQ(open.problem(), "");
    EXPECT_GT(height(open), 1U);
  });
  EXPECT_TRUE(host.finished());
}

TEST(BTree, HoldsWhatWasInsertedInAnyOrderAndNothingThatWasRemoved) {
  for (const KeyStyle style : all_styles) {
    TreeHost host(static_cast<std::uint64_t>(style) + 1);
    host.run_tree([&](OpenTree& open) {
      const unsigned count = entries_for(style);
      Entries model;
      for (const unsigned number : shuffled(open.host, count)) {
        open.tree.insert(key_of(number, style), tid_of(number));
        model.insert(entry_of(number, number, style));
      }
      ASSERT_EQ(open.problem(), "");
      EXPECT_EQ(open.contents(), model);
      EXPECT_GE(height(open), style == KeyStyle::large ? 6U : 2U);
      for (const unsigned number : shuffled(open.host, count)) {
        if (number % 29 == 0) continue;
        ASSERT_TRUE(open.tree.remove(key_of(number, style), tid_of(number)));
        ASSERT_FALSE(open.tree.remove(key_of(number, style), tid_of(number)));
        model.erase(entry_of(number, number, style));
      }
      ASSERT_EQ(open.problem(), "");
      EXPECT_EQ(open.contents(), model);
    });
    EXPECT_TRUE(host.finished());
  }
}

TEST(BTree, ScansRanges) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    for (unsigned i = 0; i < 2000; ++i) open.tree.insert(key_of(2 * i, KeyStyle::small), tid_of(i));
    const auto count = [&](const std::string& lower, const std::string& upper) {
      return open.contents({lower, upper}).size();
    };
    const auto key = [](unsigned number) { return key_of(number, KeyStyle::small); };
    EXPECT_EQ(count("", ""), 2000U);
    EXPECT_EQ(count(key(100), key(100)), 0U);
    EXPECT_EQ(count(key(100), key(101)), 1U);
    EXPECT_EQ(count(key(101), key(3001)), 1450U);
    EXPECT_EQ(count(key(3000), ""), 500U);
    EXPECT_EQ(count("", key(10)), 5U);
    EXPECT_EQ(count("00001", "00002"), 500U);  // a prefix
    EXPECT_EQ(count("9", ""), 0U);
  });
  EXPECT_TRUE(host.finished());
}

TEST(BTree, AscendingInsertionsLeavePagesFull) {
  const auto blocks_after = [](const std::function<unsigned(unsigned)>& key) {
    TreeHost host;
    BlockNumber blocks = 0;
    host.run_tree([&](OpenTree& open) {
      for (unsigned i = 0; i < 20'000; ++i) open.tree.insert(key_of(key(i), KeyStyle::small), tid_of(i));
      blocks = open.files.block_count(TreeHost::relation);
    });
    return blocks;
  };
  // 18 bytes an entry, 8 KiB a page: 44 pages if they were full.
  EXPECT_LE(blocks_after([](unsigned i) { return i; }), 55U);
  EXPECT_GE(blocks_after([](unsigned i) { return 20'000 - i; }), 80U);
}

TEST(BTree, AnEmptyTreeShrinksAndItsPagesServeAgain) {
  for (const KeyStyle style : all_styles) {
    for (const bool forward : {true, false}) {
      TreeHost host;
      host.run_tree([&](OpenTree& open) {
        const unsigned count = entries_for(style);
        BlockNumber blocks = 0;
        for (int round = 0; round < 3; ++round) {
          for (unsigned i = 0; i < count; ++i) open.tree.insert(key_of(i, style), tid_of(i));
          if (round == 0) blocks = open.files.block_count(TreeHost::relation);
          EXPECT_EQ(open.files.block_count(TreeHost::relation), blocks);
          for (unsigned i = 0; i < count; ++i) {
            const unsigned number = forward ? i : count - 1 - i;
            ASSERT_TRUE(open.tree.remove(key_of(number, style), tid_of(number)));
          }
          EXPECT_EQ(open.problem(), "");
          EXPECT_TRUE(open.contents().empty());
          EXPECT_EQ(height(open), 1U);
        }
      });
      EXPECT_TRUE(host.finished());
      EXPECT_GT(host.reached("btree/page-reused"), 0U);
    }
  }
}

// A queue: entries come at one end and go at the other.
TEST(BTree, AQueueDoesNotGrow) {
  for (const KeyStyle style : all_styles) {
    TreeHost host;
    host.run_tree([&](OpenTree& open) {
      const unsigned length = entries_for(style) / 3;
      BlockNumber blocks = 0;
      for (unsigned i = 0; i < 20 * length; ++i) {
        open.tree.insert(key_of(i, style), tid_of(i));
        if (i >= length) {
          ASSERT_TRUE(open.tree.remove(key_of(i - length, style), tid_of(i - length)));
        }
        if (i == 3 * length) blocks = open.files.block_count(TreeHost::relation);
      }
      EXPECT_LE(open.files.block_count(TreeHost::relation), blocks + 4);
      EXPECT_EQ(open.contents().size(), length);
      EXPECT_EQ(open.problem(), "");
    });
    EXPECT_TRUE(host.finished());
  }
}

TEST(BTree, RefusesLongKeysInPostgresWords) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    const std::string longest(BTree::key_bytes_max, 'x');
    open.tree.insert(longest, {1, 1});
    EXPECT_EQ(outcome([&] {
                open.tree.insert(longest + "x", {1, 2});
              }),
              "54000 index row size 2601 exceeds btree version 4 maximum 2600 for index \"tree_key\"");
    EXPECT_EQ(outcome([&] {
                open.tree.insert_if(longest + "x", {1, 2}, [](const std::vector<Tid>&) { return true; });
              }).substr(0, 5),
              "54000");
    EXPECT_FALSE(open.tree.remove(longest + "x", {1, 2}));
    EXPECT_EQ(open.contents(), Entries({{longest, {1, 1}}}));
  });
  EXPECT_TRUE(host.finished());
}

TEST(BTree, RefusesAnEntryThatIsThere) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    open.tree.insert("a", {1, 1});
    EXPECT_EQ(outcome([&] { open.tree.insert("a", {1, 1}); }).substr(0, 5), "XX002");
    EXPECT_EQ(open.contents().size(), 1U);
  });
  EXPECT_TRUE(host.finished());
}

TEST(BTree, InsertIfAsksWithTheEntriesThatHaveTheKey) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    std::vector<Tid> asked;
    const auto insert = [&](Tid tid, bool answer) {
      return open.tree.insert_if("k", tid, [&](const std::vector<Tid>& equal) {
        asked = equal;
        return answer;
      });
    };
    EXPECT_TRUE(insert({1, 1}, true));
    EXPECT_TRUE(asked.empty());
    EXPECT_FALSE(insert({1, 2}, false));
    EXPECT_EQ(asked, std::vector<Tid>({{1, 1}}));
    EXPECT_EQ(open.contents().size(), 1U);
  });
  EXPECT_TRUE(host.finished());
}

// Many tasks that want one key, with an answer that takes its time: one of them gets it.
TEST(BTree, InsertIfLetsNobodyInBetween) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TreeHost host(seed, sim::SchedulingPolicy::random);
    host.run_tree([](OpenTree& open) {
      int inserted = 0;
      std::vector<sim::TaskRef> tasks;
      for (std::uint16_t i = 1; i <= 8; ++i) {
        tasks.push_back(open.host.spawn("inserter", [&, i] {
          inserted += open.tree.insert_if("key", {0, i}, [&](const std::vector<Tid>& equal) {
            open.host.sleep_for(sim::Duration(1000));
            return equal.empty();
          });
        }));
      }
      for (const sim::TaskRef& task : tasks) open.host.scheduler().join(task);
      EXPECT_EQ(inserted, 1);
      EXPECT_EQ(open.contents().size(), 1U);
    });
    EXPECT_TRUE(host.finished());
  }
}

// --- readers beside writers ---

constexpr unsigned shared_keys = 120;
// Entries with these numbers stay, the others come and go.
bool stays(unsigned number) { return number % 5 == 0; }

void write_for_a_while(OpenTree& open, KeyStyle style, unsigned share, unsigned shares) {
  sim::RandomStream& random = open.host.random("test/writer/" + std::to_string(share));
  std::vector<bool> present(shared_keys, false);
  // In waves, so that whole regions empty and fill.
  for (int wave = 0; wave < 6; ++wave) {
    const bool fills = wave % 2 == 0;
    for (unsigned step = 0; step < 2 * shared_keys; ++step) {
      const auto number = static_cast<unsigned>(random.below(shared_keys));
      if (stays(number) || number % shares != share || present[number] == fills) continue;
      if (fills)
        open.tree.insert(key_of(number, style), tid_of(number));
      else
        EXPECT_TRUE(open.tree.remove(key_of(number, style), tid_of(number)));
      present[number] = fills;
    }
  }
  for (unsigned number = 0; number < shared_keys; ++number) {
    if (present[number]) open.tree.remove(key_of(number, style), tid_of(number));
  }
}

// What stays is seen exactly once by every scan and every search, whatever happens beside it.
void read_for_a_while(OpenTree& open, KeyStyle style, const bool& writing, unsigned& rounds) {
  sim::RandomStream& random = open.host.random("test/reader");
  while (writing) {
    unsigned stable = 0;
    for (const BTree::Entry& entry : open.contents()) {
      for (unsigned number = 0; number < shared_keys; ++number) {
        if (stays(number) && entry == entry_of(number, number, style)) ++stable;
      }
    }
    EXPECT_EQ(stable, shared_keys / 5);
    for (int i = 0; i < 30; ++i) {
      auto number = static_cast<unsigned>(random.below(shared_keys));
      if (i % 3 != 0) number -= number % 5;  // one that stays
      const std::vector<Tid> found = open.tree.find(key_of(number, style));
      EXPECT_LE(found.size(), 1U);
      if (stays(number)) {
        EXPECT_EQ(found, std::vector<Tid>({tid_of(number)}));
      }
    }
    ++rounds;
    // Without this, a reader whose pages are all in memory would leave nobody else a turn.
    open.host.sleep_for(sim::Duration(100'000));
  }
}

TEST(BTree, ReadersSeeWhatStaysWhileWritersSplitAndRemovePages) {
  unsigned rounds_of_all = 0;
  std::uint64_t restarted = 0;
  for (const sim::SchedulingPolicy policy : {sim::SchedulingPolicy::random, sim::SchedulingPolicy::pct}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      const KeyStyle style = seed % 2 == 0 ? KeyStyle::large : KeyStyle::differing;
      TreeHost host(seed, policy);
      host.run_tree([&](OpenTree& open) {
        Entries stable;
        for (unsigned number = 0; number < shared_keys; ++number) {
          if (!stays(number)) continue;
          open.tree.insert(key_of(number, style), tid_of(number));
          stable.insert(entry_of(number, number, style));
        }
        bool writing = true;
        std::array<unsigned, 3> rounds{};
        std::vector<sim::TaskRef> writers;
        std::vector<sim::TaskRef> readers;
        for (unsigned share = 0; share < 3; ++share)
          writers.push_back(open.host.spawn("writer", [&, share] { write_for_a_while(open, style, share, 3); }));
        for (unsigned& round : rounds)
          readers.push_back(open.host.spawn("reader", [&] { read_for_a_while(open, style, writing, round); }));
        for (const sim::TaskRef& task : writers) open.host.scheduler().join(task);
        writing = false;
        for (const sim::TaskRef& task : readers) open.host.scheduler().join(task);
        for (const unsigned round : rounds) rounds_of_all += round;
        EXPECT_EQ(open.problem(), "");
        EXPECT_EQ(open.contents(), stable);
      });
      EXPECT_TRUE(host.finished()) << "seed " << seed;
      restarted += host.reached("btree/search-restarted");
    }
  }
  EXPECT_GT(rounds_of_all, 100U);
  EXPECT_GT(restarted, 0U);
}

PageRef pin(const OpenTree& open, BlockNumber block) { return open.pool.pin({TreeHost::relation, Fork::main, block}); }
BlockNumber root_of(const OpenTree& open) { return BTreeMeta(pin(open, 0).page()).root(); }
BlockNumber child_of_root(const OpenTree& open, std::uint16_t item) {
  return BTreePage(pin(open, root_of(open)).page()).child(item);
}

TEST(BTree, ASearchThatWaitedForAPageThatWasSplitGoesRight) {
  TreeHost host;
  host.run_tree([&](OpenTree& open) {
    for (unsigned i = 0; i < 2000; ++i) open.tree.insert(key_of(i, KeyStyle::small), tid_of(i));
    const BlockNumber leaf = child_of_root(open, 1);
    unsigned added = 0;
    const auto add = [&] { open.tree.insert("0000000" + std::to_string(10'000 + added), tid_of(added)), ++added; };
    while (BTreePage(pin(open, leaf).page()).has_room(BTreeItem::leaf_overhead + 12)) add();
    const std::string last_key(BTreePage(pin(open, leaf).page()).high_key().key);
    open.pool.flush_dirty();
    open.pool.forget(TreeHost::relation);
    const std::string before(open.contents({"", last_key}).rbegin()->key);
    open.pool.forget(TreeHost::relation);
    // Of the pages on the way only the leaf is not in memory. Who asked for it first has it first, and splits it.
    open.tree.find(key_of(1999, KeyStyle::small));
    ASSERT_FALSE(open.pool.pin_if_resident({TreeHost::relation, Fork::main, leaf}));
    const sim::TaskRef writer = open.host.spawn("writer", add);
    std::vector<Tid> found;
    const sim::TaskRef reader = open.host.spawn("reader", [&] { found = open.tree.find(before); });
    open.host.scheduler().join(writer);
    open.host.scheduler().join(reader);
    EXPECT_EQ(found.size(), 1U);
    EXPECT_EQ(open.problem(), "");
  });
  EXPECT_TRUE(host.finished());
  EXPECT_EQ(host.reached("btree/search-moved-right"), 1U);
}

// Pages leave the pool all the time, and others are taken out of the tree: a search comes to its end nevertheless.
TEST(BTree, ASearchRestartsOnlySoOften) {
  TreeHost host(3);
  std::uint64_t most = 0;
  host.run_tree([&](OpenTree& open) {
    constexpr unsigned keys = 60;
    for (unsigned i = 0; i < keys; ++i) open.tree.insert(key_of(i, KeyStyle::large), tid_of(i));
    bool searching = true;
    // Has everybody's pages leave the pool again.
    const sim::TaskRef evictor = open.host.spawn("evictor", [&] {
      const BlockNumber blocks = open.files.block_count(TreeHost::relation);
      BlockNumber block = 0;
      while (searching) {
        for (int round = 0; round < 4; ++round) pin(open, block);
        block = (block + 1) % blocks;
        open.host.sleep_for(sim::Duration(1000));
      }
    });
    const sim::TaskRef writer = open.host.spawn("writer", [&] {
      while (searching) {
        for (unsigned i = 40; i < 46; ++i) EXPECT_TRUE(open.tree.remove(key_of(i, KeyStyle::large), tid_of(i)));
        for (unsigned i = 40; i < 46; ++i) open.tree.insert(key_of(i, KeyStyle::large), tid_of(i));
        open.wal().flush(open.wal().end());
      }
    });
    for (unsigned i = 0; i < 400; ++i) {
      const std::uint64_t before = host.reached("btree/search-restarted");
      const unsigned number = i * 7 % 40;
      EXPECT_EQ(open.tree.find(key_of(number, KeyStyle::large)), std::vector<Tid>({tid_of(number)}));
      most = std::max(most, host.reached("btree/search-restarted") - before);
    }
    searching = false;
    open.host.scheduler().join(writer);
    open.host.scheduler().join(evictor);
    EXPECT_EQ(open.problem(), "");
  });
  EXPECT_TRUE(host.finished());
  EXPECT_LE(most, BTree::restarts_max + 1);
  EXPECT_GT(host.reached("btree/search-took-its-turn"), 0U);
}

std::vector<BTree::Entry> entries_of(const OpenTree& open, BlockNumber leaf) {
  const PageRef ref = pin(open, leaf);
  const BTreePage page(ref.page());
  std::vector<BTree::Entry> entries;
  for (std::uint16_t item = page.first(); item < page.end(); ++item)
    entries.push_back({std::string(page.entry(item).key), page.entry(item).tid});
  return entries;
}

// The last leaf of its parent hands its bound to the leaf at its left when it goes. If there is no room for it, the
// leaf stays.
TEST(BTree, ALeafWhoseNeighbourHasNoRoomStaysEmptyAndIsFilledAgain) {
  TreeHost host;
  host.run_tree([&](OpenTree& open) {
    for (const unsigned number : shuffled(open.host, 1000))
      open.tree.insert(key_of(number, KeyStyle::paired), tid_of(number));
    ASSERT_EQ(height(open), 3U);
    // A parent with a long bound, whose last child begins with a short one.
    BlockNumber leaf = invalid_block;
    BlockNumber neighbour = invalid_block;
    const auto parents = BTreePage(pin(open, root_of(open)).page()).entry_count();
    for (std::uint16_t item = 1; item <= parents; ++item) {
      const PageRef ref = pin(open, child_of_root(open, item));
      const BTreePage parent(ref.page());
      const auto last = static_cast<std::uint16_t>(parent.end() - 1);
      if (parent.rightmost() || parent.high_key().key.size() < 800 || parent.separator(last).key.size() > 100) continue;
      leaf = parent.child(last);
      neighbour = parent.child(static_cast<std::uint16_t>(last - 1));
    }
    ASSERT_NE(leaf, invalid_block);
    const auto has_room = [&](std::size_t bytes) { return BTreePage(pin(open, neighbour).page()).has_room(bytes); };
    const std::string prefix = entries_of(open, neighbour).front().key;
    for (unsigned i = 0; has_room(prefix.size() + 20); ++i) open.tree.insert(prefix + std::to_string(i), {1, 1});
    ASSERT_FALSE(has_room(1000));
    const std::vector<BTree::Entry> entries = entries_of(open, leaf);
    for (const BTree::Entry& entry : entries) ASSERT_TRUE(open.tree.remove(entry.key, entry.tid));
    EXPECT_EQ(host.reached("btree/empty-leaf-kept"), 1U);
    EXPECT_TRUE(entries_of(open, leaf).empty());
    EXPECT_EQ(open.problem(), "");
    for (const BTree::Entry& entry : entries) open.tree.insert(entry.key, entry.tid);
    EXPECT_EQ(entries_of(open, leaf), entries);
    EXPECT_EQ(open.problem(), "");
  });
  EXPECT_TRUE(host.finished());
}

// A disk that lost a write hands out a page as it was before. What contradicts the other pages is refused, and nothing
// has been changed then.
TEST(BTree, AnOldPageIsRefused) {
  for (const bool remove : {false, true}) {
    TreeHost host;
    host.run_tree([&](OpenTree& open) {
      for (unsigned i = 0; i < 2000; ++i) open.tree.insert(key_of(i, KeyStyle::small), tid_of(i));
      const BlockNumber leaf = child_of_root(open, 2);
      const std::vector<BTree::Entry> entries = entries_of(open, leaf);
      {
        // As if the root had never been told of the split that made this leaf.
        const PageRef root = pin(open, root_of(open));
        BTreePage(root.page()).remove(2);
        root.mark_dirty();
      }
      const Entries before = open.contents();
      Lsn end = 0;
      const std::string refusal = outcome([&] {
        for (unsigned i = 0; i < 2000; ++i) {
          end = open.wal().end();
          if (remove)
            open.tree.remove(entries.at(i).key, entries.at(i).tid);
          else
            open.tree.insert(entries[0].key, {9, static_cast<std::uint16_t>(i + 1)});
        }
      });
      EXPECT_EQ(refusal.substr(0, 61), "XX002 index \"tree_key\" is corrupt: a parent without its child");
      EXPECT_EQ(open.wal().end(), end);
      EXPECT_TRUE(remove ? open.contents().size() == before.size() - entries.size() + 1
                         : open.contents().size() > before.size());
    });
    EXPECT_TRUE(host.finished());
  }
}

// The last entry of a leaf goes with it or not at all: no error and no crash in between leaves an empty leaf behind.
TEST(BTree, ALeafGoesWithItsLastEntry) {
  TreeHost host;
  host.run_tree([&](OpenTree& open) {
    for (unsigned i = 0; i < 2000; ++i) open.tree.insert(key_of(i, KeyStyle::small), tid_of(i));
    const BlockNumber leaf = child_of_root(open, 2);
    const std::vector<BTree::Entry> entries = entries_of(open, leaf);
    for (std::size_t i = 1; i < entries.size(); ++i) ASSERT_TRUE(open.tree.remove(entries[i].key, entries[i].tid));
    open.pool.flush_dirty();
    open.pool.forget(TreeHost::relation);
    ASSERT_EQ(open.tree.find(entries[0].key).size(), 1U);
    // What comes next is the leaf's neighbour.
    host.simulation().fault_points().arm("page/read", "n", 1, {sim::FaultAction::Kind::fail, {}, {}});
    EXPECT_EQ(outcome([&] { open.tree.remove(entries[0].key, entries[0].tid); }).substr(0, 5), "58030");
    EXPECT_EQ(open.tree.find(entries[0].key).size(), 1U);
    EXPECT_EQ(host.reached("btree/page-removed"), 0U);
    EXPECT_TRUE(open.tree.remove(entries[0].key, entries[0].tid));
    EXPECT_EQ(host.reached("btree/page-removed"), 1U);
    EXPECT_EQ(open.contents().size(), 2000U - entries.size());
    EXPECT_EQ(open.problem(), "");
  });
  EXPECT_TRUE(host.finished());
}

// --- check() ---

struct Damage {
  const char* name;
  std::function<void(OpenTree&)> plant;
  const char* complaint;
};

void change(const OpenTree& open, BlockNumber block, const std::function<void(BTreePage, PageId)>& how) {
  const PageRef ref = pin(open, block);
  how(BTreePage(ref.page()), ref.id());
  ref.mark_dirty();
}
void swap_items(BTreePage page, std::uint16_t a, std::uint16_t b) {
  const std::string first(page.item_bytes(a));
  const std::string second(page.item_bytes(b));
  page.remove(a);
  page.insert(a, second);
  page.remove(b);
  page.insert(b, first);
}

TEST(BTree, CheckFindsDamage) {
  const std::vector<Damage> damages{
      {"nothing", [](OpenTree&) {}, ""},
      {"entries out of order",
       [](OpenTree& open) {
         change(open, child_of_root(open, 1), [](BTreePage page, PageId) { swap_items(page, 5, 6); });
       },
       "is not in order"},
      {"an entry of another page",
       [](OpenTree& open) {
         change(open, child_of_root(open, 2), [](BTreePage page, PageId) {
           page.insert(2, BTreeItem::leaf({"0", {1, 1}}).bytes());
         });
       },
       "holds less than its parent says"},
      {"an entry beyond the bound",
       [](OpenTree& open) {
         change(open, child_of_root(open, 2), [](BTreePage page, PageId) {
           page.insert(page.end(), BTreeItem::leaf({"9", {1, 1}}).bytes());
         });
       },
       "holds more than its bound"},
      {"another bound",
       [](OpenTree& open) {
         change(open, child_of_root(open, 1), [](BTreePage page, PageId) {
           page.remove(1);
           page.insert(1, BTreeItem::leaf({"9", {1, 1}}).bytes());
         });
       },
       "has another bound"},
      {"separators out of order",
       [](OpenTree& open) { change(open, root_of(open), [](BTreePage page, PageId) { swap_items(page, 2, 3); }); },
       "is not in order"},
      {"a lost page",
       [](OpenTree& open) { change(open, root_of(open), [](BTreePage page, PageId) { page.remove(2); }); },
       "has another page at its right"},
      {"a link that skips a page",
       [](OpenTree& open) {
         const BlockNumber third = child_of_root(open, 3);
         change(open, child_of_root(open, 1), [third](BTreePage page, PageId) { page.set_right(third); });
       },
       "has another page at its right"},
      {"a page of another level",
       [](OpenTree& open) {
         change(open, child_of_root(open, 2), [](BTreePage page, PageId id) { page.initialize(id, 1, page.right()); });
       },
       "is on level 1 instead of 0"},
      {"a removed page in use",
       [](OpenTree& open) {
         change(open, child_of_root(open, 2), [](BTreePage page, PageId id) { page.initialize_removed(id, 0); });
       },
       "although it was removed"},
      {"a page in use that is listed as removed",
       [](OpenTree& open) {
         const BlockNumber used = child_of_root(open, 2);
         const PageRef ref = pin(open, 0);
         BTreeMeta(ref.page()).set_first_removed(used);
         ref.mark_dirty();
       },
       "is linked to more than once"},
      {"a page that belongs to nothing",
       [](OpenTree& open) {
         const PageRef ref = open.pool.extend(TreeHost::relation);
         BTreePage(ref.page()).initialize(ref.id(), 0, invalid_block);
         ref.mark_dirty();
       },
       "belongs to nothing"},
      {"a meta page that is none",
       [](OpenTree& open) {
         const PageRef ref = pin(open, 0);
         ref.page().initialize(ref.id(), PageKind::heap);
         ref.mark_dirty();
       },
       "is not a meta page"},
      {"a child beyond the end",
       [](OpenTree& open) { change(open, root_of(open), [](BTreePage page, PageId) { page.set_child(2, 5000); }); },
       "has another page at its right"},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.name);
    TreeHost host;
    host.run_tree([&](OpenTree& open) {
      for (unsigned i = 0; i < 2000; ++i) open.tree.insert(key_of(i, KeyStyle::small), tid_of(i));
      // A tree that knows nothing from before.
      BTree fresh(open.host, open.log, open.pool, open.files, TreeHost::relation);
      damage.plant(open);
      const std::string found = fresh.check().value_or("");
      if (*damage.complaint == '\0')
        EXPECT_EQ(found, "");
      else
        EXPECT_NE(found.find(damage.complaint), std::string::npos) << found;
    });
    EXPECT_TRUE(host.finished());
  }
}

TEST(BTree, SearchesRefuseAPageThatIsNotOfTheTree) {
  TreeHost host;
  host.run_tree([](OpenTree& open) {
    for (unsigned i = 0; i < 2000; ++i) open.tree.insert(key_of(i, KeyStyle::small), tid_of(i));
    change(open, child_of_root(open, 1), [](BTreePage page, PageId id) { page.initialize_removed(id, 0); });
    EXPECT_EQ(outcome([&] { open.tree.find(key_of(0, KeyStyle::small)); }).substr(0, 41),
              "XX002 index \"tree_key\" is corrupt: a link");
    EXPECT_EQ(outcome([&] { open.tree.find(key_of(1999, KeyStyle::small)); }), "");
  });
  EXPECT_TRUE(host.finished());
}

}  // namespace
}  // namespace polarsim::engine::storage
