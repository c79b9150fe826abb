// Power loss while a tree splits and loses pages: what comes back is the tree after some number of whole operations, at
// least those that were flushed.
#include <gtest/gtest.h>

#include <set>
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

// What is known outside the world of a run.
struct Knowledge {
  struct State {
    // Where the log ended before and after the operation that led here; no end if it was cut off.
    Lsn begin = 0;
    Lsn end = ~Lsn{0};
    Entries entries;
  };
  std::vector<State> states;
  Lsn flushed = 0;

  // What may be in the tree when the log came back up to `end`.
  void expect_possible(const Entries& found, Lsn end) const {
    ASSERT_GE(end, flushed);
    bool possible = found.empty() && (states.empty() || states.front().end > end);
    for (std::size_t i = 0; i < states.size() && !possible; ++i) {
      const bool next_is_later = i + 1 == states.size() || states[i + 1].end > end;
      possible = states[i].begin <= end && next_is_later && found == states[i].entries;
    }
    EXPECT_TRUE(possible) << found.size() << " entries, the log ends at " << end;
  }
};

void work(TreeHost& host, OpenTree& open, KeyStyle style, Knowledge& knowledge) {
  sim::RandomStream& random = open.host.random("test/work");
  Entries entries;
  constexpr unsigned keys = 30;
  for (int step = 0; step < 320; ++step) {
    const Lsn begin = open.wal().end();
    const auto number = static_cast<unsigned>(random.below(keys));
    const BTree::Entry entry = entry_of(number, number, style);
    const bool fills = (step / 80) % 2 == 0;
    if (!(fills ? entries.insert(entry).second : entries.erase(entry) != 0)) continue;
    knowledge.states.push_back({begin, ~Lsn{0}, entries});
    if (fills)
      open.tree.insert(entry.key, entry.tid);
    else
      open.tree.remove(entry.key, entry.tid);
    knowledge.states.back().end = open.wal().end();
    if (random.below(6) == 0) {
      const Lsn end = open.wal().end();
      open.wal().flush(end);
      knowledge.flushed = std::max(knowledge.flushed, end);
    }
    if (step % 100 == 99) host.checkpoint(open);
  }
}

// Runs the work up to the crash, then recovery twice (nothing is durable between the two but what recovery wrote).
void crash_and_verify(std::uint64_t seed, KeyStyle style, sim::Time when) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ", crash at " + std::to_string(sim::nanoseconds(when)) + " ns");
  Knowledge knowledge;
  TreeHost host(seed);
  host.simulation().scheduler().call_at(when, [&host] { host.host().crash(); });
  host.run_tree([&](OpenTree& open) { work(host, open, style, knowledge); });
  for (int boot = 0; boot < 2; ++boot) {
    bool verified = false;
    host.run_tree([&](OpenTree& open) {
      EXPECT_EQ(open.problem(), "");
      knowledge.expect_possible(open.contents(), open.recovered_end);
      // And it goes on from there.
      open.tree.insert("after", {1, 1});
      EXPECT_TRUE(open.tree.remove("after", {1, 1}));
      verified = true;
      open.host.crash();
    });
    EXPECT_TRUE(verified) << host.error();
  }
}

std::vector<sim::Time> instants_of(std::uint64_t seed, KeyStyle style) {
  Knowledge ignored;
  TreeHost host(seed, sim::SchedulingPolicy::fifo, true);
  host.run_tree([&](OpenTree& open) { work(host, open, style, ignored); });
  EXPECT_TRUE(host.finished());
  EXPECT_GT(host.reached("btree/page-reused") + host.reached("btree/page-removed"), 0U);
  std::set<std::int64_t> times;
  for (const sim::TraceEvent& event : host.simulation().trace().events()) {
    if (event.kind != sim::TraceKind::io) continue;
    times.insert(sim::nanoseconds(event.time));
    times.insert(sim::nanoseconds(event.time) + 1);
  }
  std::vector<sim::Time> result;
  for (const std::int64_t time : times) result.push_back(sim::time_zero + sim::Duration(time));
  return result;
}

TEST(BTreeCrash, AtEveryDiskOperation) {
  for (const KeyStyle style : {KeyStyle::large, KeyStyle::differing}) {
    const std::vector<sim::Time> instants = instants_of(7, style);
    ASSERT_GT(instants.size(), 100U);
    for (const sim::Time when : instants) {
      crash_and_verify(7, style, when);
      if (HasFailure()) return;
    }
  }
}

TEST(BTreeCrash, AtSomeInstantOfManyRuns) {
  for (std::uint64_t seed = 100; seed < 160; ++seed) {
    const KeyStyle style = seed % 2 == 0 ? KeyStyle::large : KeyStyle::differing;
    const std::vector<sim::Time> instants = instants_of(seed, style);
    for (std::size_t i = seed % 13; i < instants.size(); i += instants.size() / 4) {
      crash_and_verify(seed, style, instants[i]);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::storage
