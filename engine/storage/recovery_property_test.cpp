// Random changes to pages by several tasks, checkpoints, a pool that is too small, and crashes at random moments, in
// recovery too: after each, the pages are byte by byte what the durable part of the log made of them.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "engine/storage/recovery_test_support.h"

namespace polarsim::engine::storage::testing {
namespace {

constexpr std::size_t pages_max = 24;

// What was done, outside of the world.
class Model {
 public:
  void changed(std::uint32_t epoch, Lsn end, const PageRef& ref) {
    changes_.push_back({epoch, end, ref.id(), std::string(ref.page().contents())});
  }
  void flushed(Lsn end) { flushed_ = std::max(flushed_, end); }
  std::size_t changes() const { return changes_.size(); }

  // A later epoch of the log begins here.
  void opened(std::uint32_t epoch, Lsn begin) {
    while (!changes_.empty() && changes_.back().epoch < epoch && changes_.back().end > begin) {
      lost_durable_ |= changes_.back().end <= flushed_;
      changes_.pop_back();
    }
  }

  // After recovery: says what is wrong.
  std::string check(RecoveryNode& node) const {
    if (lost_durable_) return "a durable record is lost";
    std::map<PageId, const std::string*> expected;
    for (const Change& change : changes_) expected[change.page] = &change.contents;
    for (const auto& [page, contents] : expected) {
      if (node.contents(page) != *contents) return describe(page) + " is not what the log made of it";
    }
    return {};
  }

 private:
  struct Change {
    std::uint32_t epoch;
    Lsn end;
    PageId page;
    std::string contents;
  };
  std::vector<Change> changes_;  // in the order of the log
  Lsn flushed_ = 0;
  bool lost_durable_ = false;
};

// One task's work until somebody pulls the plug.
void work(RecoveryNode& node, Model& model, sim::RandomStream& random) {
  for (int step = 0; step < 150; ++step) {
    const BlockNumber count = node.files.block_count(relation);
    const std::string item(1 + random.below(900), static_cast<char>('a' + random.below(26)));
    const auto any_page = [&] { return PageId{relation, Fork::main, static_cast<BlockNumber>(random.below(count))}; };
    const std::uint64_t choice = random.below(100);
    if (count < 2 || (count < pages_max && choice < 8)) {
      node.new_page(item);
    } else if (choice < 60) {
      const PageId a = any_page();
      const PageId b = any_page();
      // A page that another task has just added may be without contents for a moment.
      const auto usable = [&](PageId id) { return !node.pool.pin(id).page().is_new(); };
      if (!usable(a) || !usable(b)) continue;
      node.add_items(a == b ? std::vector<PageId>{a} : std::vector<PageId>{a, b}, item);
    } else if (choice < 70) {
      node.rewrite(any_page(), item);
    } else if (choice < 90) {
      const Lsn end = node.wal->end();
      node.wal->flush(end);
      model.flushed(end);
    } else if (choice < 92) {
      node.checkpointer->run();
    } else {
      node.host.sleep_for(sim::Duration(static_cast<std::int64_t>(random.below(3'000'000))));
    }
  }
}

// What goes wrong in a few lives of a host; empty if nothing does.
std::string run_lives(std::uint64_t seed, bool full_page_writes, const PlantedBugs& planted,
                      std::uint64_t& recovered_changes) {
  RecoveryHost host(seed);
  NodeConfig& config = host.config();
  config.full_page_writes = full_page_writes;
  config.planted = planted;
  config.max_wal_size_bytes = 60'000;
  config.checkpoint_timeout = sim::Duration(40'000'000);
  config.checkpoint_completion_target = 0.5;
  Model model;
  std::string problem;
  constexpr int lives = 7;
  for (int life = 0; life < lives; ++life) {
    const std::uint64_t instant = sim::stable_hash(std::to_string(seed) + "/" + std::to_string(life)) % 60'000;
    // Every other one in recovery, or soon after; the last one is not cut off.
    const auto after_us = static_cast<std::int64_t>(life % 2 == 0 ? instant : instant / 8);
    if (life + 1 < lives) {
      host.simulation().scheduler().call_at(host.simulation().now() + sim::Duration(after_us * 1000),
                                            [&] { host.host().crash(); });
    }
    const auto live = [&](RecoveryNode& node) {
      problem = model.check(node);
      if (!problem.empty() || life + 1 == lives) return;
      node.changed = [&](Lsn end, const PageRef& ref) { model.changed(node.wal->epoch(), end, ref); };
      if (!node.files.exists(relation)) node.create_relation(relation);
      std::vector<sim::TaskRef> tasks;
      for (int task = 0; task < 3; ++task) {
        tasks.push_back(host.host().spawn("worker", [&node, &model, &host, task] {
          work(node, model, host.host().random("test/" + std::to_string(task)));
        }));
      }
      for (const sim::TaskRef& task : tasks) host.host().scheduler().join(task);
    };
    host.run_node(live, [&](std::uint32_t epoch, Lsn begin) { model.opened(epoch, begin); });
    if (problem.empty()) problem = host.error();
    if (!problem.empty()) return "life " + std::to_string(life) + ": " + problem;
  }
  recovered_changes += model.changes();
  return {};
}

TEST(RecoveryProperty, PagesAreWhatTheDurableLogMadeOfThem) {
  std::uint64_t changes = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ASSERT_EQ(run_lives(seed, true, {}, changes), "") << "seed " << seed;
  }
  EXPECT_GT(changes, 5000U) << "too little has happened";
}

// What the property is worth: it finds what is wrong.
std::uint64_t failures(bool full_page_writes, const PlantedBugs& planted) {
  std::uint64_t count = 0;
  std::uint64_t changes = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    count += run_lives(seed, full_page_writes, planted, changes).empty() ? 0 : 1;
  }
  return count;
}

TEST(RecoveryProperty, FindsTornPagesWithoutImages) { EXPECT_GT(failures(false, {}), 5U); }

TEST(RecoveryProperty, FindsRedoThatIsNotIdempotent) {
  PlantedBugs planted;
  planted.turn_on(PlantedBug::redo_not_idempotent);
  EXPECT_GT(failures(true, planted), 5U);
}

}  // namespace
}  // namespace polarsim::engine::storage::testing
