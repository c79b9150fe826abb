// The buffer pool under many tasks, evictions, flushes, cancelled tasks and crashes against a model that knows every
// version a page has had; the free space map against a vector.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/storage/buffer_pool.h"
#include "engine/storage/free_space_map.h"
#include "engine/storage/storage_test_support.h"

namespace polarsim::engine::storage {
namespace {

using testing::StorageHost;

constexpr std::uint16_t copies = 16;
constexpr std::size_t copy_bytes = 490;

// The page says its LSN in every sector, so that a torn one shows.
void write_version(const PageRef& ref, Lsn lsn) {
  Page page = ref.page();
  std::string text = std::to_string(lsn);
  text.resize(copy_bytes, static_cast<char>('a' + lsn % 26));
  if (page.is_new()) {
    page.initialize(ref.id(), PageKind::heap);
    for (std::uint16_t i = 1; i <= copies; ++i) ASSERT_TRUE(page.put_item(i, text));
  } else {
    for (std::uint16_t i = 1; i <= copies; ++i) ASSERT_TRUE(page.replace_item(i, text));
  }
  page.set_lsn(lsn);
  ref.mark_dirty();
}

// Zero for a new page. All copies agree.
Lsn read_version(Page page) {
  if (page.is_new()) return 0;
  const std::string_view first(page.item(1).data(), copy_bytes);
  for (std::uint16_t i = 1; i <= copies; ++i) EXPECT_EQ(std::string_view(page.item(i).data(), copy_bytes), first);
  const Lsn lsn = std::stoull(std::string(first));
  EXPECT_EQ(page.lsn(), lsn);
  return lsn;
}

// What a file says, as versions by block.
std::vector<Lsn> versions_in(const std::string& contents) {
  std::vector<Lsn> versions;
  for (std::size_t at = 0; at + page_size <= contents.size(); at += page_size) {
    std::string bytes = contents.substr(at, page_size);
    versions.push_back(Page(bytes.data()).lsn());
  }
  return versions;
}

struct Knobs {
  std::uint64_t seed = 1;
  sim::SchedulingPolicy policy = sim::SchedulingPolicy::random;
  int tasks = 6;
  int operations = 40;  // of each task
  std::int64_t crash_after_us = 0;
  bool cancels = false;
};

class World {
 public:
  explicit World(const Knobs& knobs) : knobs_(knobs), host_(knobs.seed, knobs.policy) {}

  void run() {
    for (int life = 0; life < 3; ++life) {
      if (life < 2) {
        const auto instant = host_.simulation().now() +
                             sim::Duration(knobs_.crash_after_us * 1000 + 50'000 * static_cast<int>(knobs_.seed % 7));
        host_.simulation().scheduler().call_at(instant, [this] { host_.host().crash(); });
      }
      host_.run([this](sim::Host&) { live(); });
      ASSERT_EQ(host_.error(), "");
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(host_.finished());
    EXPECT_EQ(host_.reached("storage/panic"), 0U);
  }
  std::uint64_t torn() const { return torn_; }

 private:
  std::uint64_t draw(std::uint64_t below) { return host_.host().random("test").below(below); }

  // One boot: looks at what the last life left, brings it up to date as redo would, and works.
  void live() {
    DataFiles files(host_.host());
    BufferPool pool(host_.host(), files, buffers_min, [this](Lsn lsn) { flush_wal(lsn); });
    files_ = &files;
    pool_ = &pool;
    look_at_the_disk();
    if (relations_.empty()) {
      for (int i = 0; i < 2; ++i) add_relation();
    }
    redo();
    std::vector<sim::TaskRef> tasks;
    for (int i = 0; i < knobs_.tasks; ++i) tasks.push_back(host_.host().spawn("worker", [this] { work(); }));
    if (knobs_.cancels) {
      for (int i = 0; i < knobs_.tasks; i += 2) {
        host_.host().sleep_for(sim::Duration(static_cast<std::int64_t>(draw(2'000'000))));
        host_.host().scheduler().cancel(tasks[static_cast<std::size_t>(i)]);
      }
    }
    for (const sim::TaskRef& task : tasks) host_.host().scheduler().join(task);
    checkpoint();
    pool.assert_no_pins();
    EXPECT_EQ(pool.dirty_count(), 0U);
  }

  // The log is a number: up to where it is durable.
  void flush_wal(Lsn lsn) {
    if (lsn <= durable_) return;
    const Lsn target = end_;
    host_.host().sleep_for(sim::Duration(static_cast<std::int64_t>(draw(300'000))));
    durable_ = std::max(durable_, target);
  }

  void look_at_the_disk() {
    for (const RelationId relation : relations_) {
      for (BlockNumber i = 0; i < blocks(relation); ++i) look_at({relation, Fork::main, i});
    }
    end_ = std::max(end_, durable_);
  }

  // Whatever the crash left is a version that was written, not older than the last checkpoint, and not newer than the
  // log; or it is torn, if it may have been written since then.
  void look_at(PageId id) {
    std::vector<char> bytes(page_size);
    try {
      files_->read(id, std::span<char, page_size>(bytes.data(), page_size));
      const Lsn version = read_version(Page(bytes.data()));
      EXPECT_GE(version, floor_[id]) << describe(id);
      EXPECT_LE(version, durable_) << describe(id) << " was written before its log";
      EXPECT_TRUE(version == 0 || history_[id].contains(version)) << describe(id);
    } catch (const SqlError& error) {
      if (error.sqlstate() == sqlstate::undefined_file) {
        EXPECT_EQ(floor_[id], 0U) << describe(id) << " was there at a checkpoint";
        return;
      }
      ASSERT_EQ(error.sqlstate(), sqlstate::data_corrupted) << error.what();
      EXPECT_NE(history_[id].empty() ? 0 : *history_[id].rbegin(), floor_[id]) << describe(id) << " cannot be torn";
      ++torn_;
    }
  }

  void redo() {
    for (const RelationId relation : relations_) {
      files_->create(relation);
      for (BlockNumber i = 0; i < blocks(relation); ++i) change(pool_->pin_without_reading({relation, Fork::main, i}));
    }
  }

  void change(const PageRef& ref) {
    const Lsn lsn = ++end_;
    write_version(ref, lsn);
    current_[ref.id()] = lsn;
    history_[ref.id()].insert(lsn);
  }
  void expect_current(const PageRef& ref) {
    EXPECT_EQ(read_version(ref.page()), current_[ref.id()]) << describe(ref.id());
  }

  BlockNumber blocks(RelationId relation) const { return block_counts_.at(relation); }
  bool live_relation(RelationId relation) const { return block_counts_.contains(relation); }
  RelationId any_relation() { return relations_[draw(relations_.size())]; }
  // Empty if there are none yet.
  std::vector<PageId> any_pages(std::size_t count) {
    std::set<PageId> ids;
    for (std::size_t i = 0; i < count; ++i) {
      const RelationId relation = any_relation();
      if (blocks(relation) > 0) ids.insert({relation, Fork::main, static_cast<BlockNumber>(draw(blocks(relation)))});
    }
    return {ids.begin(), ids.end()};
  }

  void work() {
    for (int i = 0; i < knobs_.operations && !::testing::Test::HasFailure(); ++i) {
      try {
        step();
      } catch (const SqlError& error) {
        // Only from a relation that was dropped while this task waited for a page of it.
        ASSERT_EQ(error.sqlstate(), sqlstate::undefined_file) << error.what();
        ++dropped_under_readers_;
      }
      pool_->assert_no_pins();
      if (draw(4) == 0) host_.host().scheduler().yield();
    }
  }

  void step() {
    switch (draw(12)) {
      case 0:
      case 1:
      case 2:
        if (const RelationId relation = any_relation(); blocks(relation) < 30) return extend(relation);
        [[fallthrough]];
      case 3:
      case 4:
      case 5:
        for (const PageId id : any_pages(1)) read_or_change(pool_->pin(id));
        return;
      case 6:
      case 7:
      case 8: {
        const auto ids = any_pages(1 + draw(pin_all_max));
        for (const PageRef& ref : pool_->pin_all(ids)) read_or_change(ref);
        return;
      }
      case 9:
        if (draw(4) == 0) return checkpoint();
        flush();
        return;
      case 10:
        if (draw(4) == 0) return drop();
        return host_.host().sleep_for(sim::Duration(static_cast<std::int64_t>(draw(500'000))));
      default:
        for (const PageId id : any_pages(1)) {
          if (const PageRef ref = pool_->pin_if_resident(id)) read_or_change(ref);
        }
    }
  }

  void read_or_change(const PageRef& ref) {
    expect_current(ref);
    if (draw(2) == 0) change(ref);
  }

  void extend(RelationId relation) {
    const PageRef ref = pool_->extend(relation);
    EXPECT_EQ(read_version(ref.page()), 0U);
    ASSERT_EQ(ref.id().block, block_counts_.at(relation)++);
    change(ref);
  }

  // What was there at the start has been written when it returns.
  std::map<PageId, Lsn> flush() {
    const auto start = current_;
    std::size_t calls = 0;
    pool_->flush_dirty([&](std::size_t done, std::size_t total) {
      EXPECT_EQ(done, ++calls);
      EXPECT_LE(done, total);
      if (draw(3) == 0) host_.host().sleep_for(sim::Duration(static_cast<std::int64_t>(draw(100'000))));
    });
    expect_written(start, [this](const std::string& path) { return host_.disk().clean_contents(path); });
    return start;
  }

  template <typename Contents>
  void expect_written(const std::map<PageId, Lsn>& start, Contents&& contents) {
    std::map<RelationId, std::vector<Lsn>> written;
    for (const RelationId relation : relations_)
      written[relation] = versions_in(contents(data_file_path(relation, Fork::main)));
    for (const auto& [id, lsn] : start) {
      if (!live_relation(id.relation)) continue;
      const auto& versions = written[id.relation];
      ASSERT_LT(id.block, versions.size());
      EXPECT_GE(versions[id.block], lsn) << describe(id);
    }
    for (const auto& [relation, versions] : written) {
      for (const Lsn version : versions) EXPECT_LE(version, durable_) << "written before its log";
    }
  }

  void checkpoint() {
    const auto start = flush();
    files_->sync_all();
    expect_written(start, [this](const std::string& path) { return host_.disk().durable_contents(path); });
    for (const auto& [id, lsn] : start) {
      if (live_relation(id.relation)) floor_[id] = std::max(floor_[id], lsn);
    }
  }

  void add_relation() {
    const RelationId relation = next_relation_++;
    files_->create(relation);
    relations_.push_back(relation);
    block_counts_[relation] = 0;
  }

  void drop() {
    const RelationId relation = any_relation();
    std::erase(relations_, relation);
    block_counts_.erase(relation);
    std::erase_if(current_, [relation](const auto& entry) { return entry.first.relation == relation; });
    pool_->forget(relation);
    for (BlockNumber i = 0; i < 30; ++i) EXPECT_FALSE(pool_->dirty({relation, Fork::main, i}));
    files_->remove(relation);
    add_relation();
  }

  Knobs knobs_;
  StorageHost host_;
  DataFiles* files_ = nullptr;
  BufferPool* pool_ = nullptr;
  Lsn end_ = 0;
  Lsn durable_ = 0;
  RelationId next_relation_ = 16384;
  std::vector<RelationId> relations_;
  std::map<RelationId, BlockNumber> block_counts_;
  std::map<PageId, Lsn> current_;            // the page in memory
  std::map<PageId, Lsn> floor_;              // the least that a crash may leave
  std::map<PageId, std::set<Lsn>> history_;  // every version there was
  std::uint64_t torn_ = 0;
  std::uint64_t dropped_under_readers_ = 0;
};

rc::Gen<Knobs> any_knobs() {
  return rc::gen::build<Knobs>(
      rc::gen::set(&Knobs::seed, rc::gen::arbitrary<std::uint64_t>()),
      rc::gen::set(&Knobs::policy, rc::gen::element(sim::SchedulingPolicy::fifo, sim::SchedulingPolicy::random,
                                                    sim::SchedulingPolicy::pct)),
      rc::gen::set(&Knobs::tasks, rc::gen::inRange(1, 24)), rc::gen::set(&Knobs::operations, rc::gen::inRange(1, 60)),
      rc::gen::set(&Knobs::crash_after_us, rc::gen::inRange<std::int64_t>(100, 30'000)),
      rc::gen::set(&Knobs::cancels, rc::gen::arbitrary<bool>()));
}

std::ostream& operator<<(std::ostream& out, const Knobs& knobs) {
  return out << "seed " << knobs.seed << " policy " << static_cast<int>(knobs.policy) << " tasks " << knobs.tasks
             << " operations " << knobs.operations << " crash " << knobs.crash_after_us << " cancels " << knobs.cancels;
}

RC_GTEST_PROP(BufferPoolProperty, TasksSeeTheirPagesAndTheDiskWhatWasWritten, ()) {
  World world(*any_knobs());
  world.run();
  RC_ASSERT(!::testing::Test::HasFailure());
}

// The runs above are worth something only if crashes tear pages.
TEST(BufferPoolWorld, CrashesTearPages) {
  std::uint64_t torn = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    World world({.seed = seed, .crash_after_us = static_cast<std::int64_t>(500 * seed)});
    world.run();
    torn += world.torn();
  }
  EXPECT_GT(torn, 10U);
}

struct MapStep {
  BlockNumber block = 0;
  std::size_t bytes = 0;
  enum class Kind { record, find, grow, damage } kind = Kind::record;
};

std::ostream& operator<<(std::ostream& out, const MapStep& step) {
  return out << static_cast<int>(step.kind) << "(" << step.block << ", " << step.bytes << ")";
}

rc::Gen<MapStep> any_map_step() {
  return rc::gen::build<MapStep>(
      // Around the border of two pages of the map, and at the start.
      rc::gen::set(&MapStep::block,
                   rc::gen::oneOf(rc::gen::inRange<BlockNumber>(0, 10), rc::gen::inRange<BlockNumber>(8150, 8170),
                                  rc::gen::inRange<BlockNumber>(16310, 16330))),
      rc::gen::set(&MapStep::bytes, rc::gen::inRange<std::size_t>(0, 8157)),
      rc::gen::set(&MapStep::kind, rc::gen::weightedElement<MapStep::Kind>({{6, MapStep::Kind::record},
                                                                            {6, MapStep::Kind::find},
                                                                            {2, MapStep::Kind::grow},
                                                                            {1, MapStep::Kind::damage}})));
}

// What find() may answer: the first block from `near` on, going round, with room; a block may be passed over if what it
// lacks is less than the rounding.
void check_find(FreeSpaceMap& map, const std::vector<std::size_t>& room, RelationId relation, const MapStep& step) {
  const BlockNumber found = map.find(relation, step.bytes, step.block);
  const std::size_t rounded = std::max<std::size_t>((step.bytes + 31) / 32, 1) * 32;
  const auto has_room = [&](std::size_t block) { return room[block] >= std::min<std::size_t>(rounded, 8156); };
  BlockNumber expected = invalid_block;
  for (std::size_t i = 0; i < room.size() && expected == invalid_block; ++i) {
    const std::size_t block = ((step.block < room.size() ? step.block : 0) + i) % room.size();
    if (has_room(block)) expected = static_cast<BlockNumber>(block);
  }
  RC_ASSERT((found == invalid_block) == (expected == invalid_block));
  if (found == invalid_block) return;
  RC_ASSERT(found < room.size());
  RC_ASSERT(room[found] >= step.bytes);
  if (step.block < room.size()) RC_ASSERT(found == expected);
}

void run_map(sim::Host& host, const std::vector<MapStep>& steps) {
  constexpr RelationId relation = 16384;
  DataFiles files(host);
  BufferPool pool(host, files, buffers_min, [](Lsn) {});
  FreeSpaceMap map(pool, files);
  files.create(relation);
  std::vector<std::size_t> room;
  const auto grow = [&](BlockNumber blocks) {
    files.extend_to(relation, Fork::main, blocks);
    room.resize(std::max<std::size_t>(room.size(), blocks), 0);
  };
  for (const MapStep& step : steps) {
    switch (step.kind) {
      case MapStep::Kind::grow:
        grow(step.block + 1);
        break;
      case MapStep::Kind::record:
        // A block that does not exist may be recorded; it is not found until it does.
        map.record(relation, step.block, step.block < room.size() ? step.bytes : 0);
        if (step.block < room.size()) room[step.block] = step.bytes;
        break;
      case MapStep::Kind::find:
        check_find(map, room, relation, step);
        break;
      case MapStep::Kind::damage: {
        // All pages of the map leave memory, and one of them is damaged: what it said is forgotten, the others stay.
        pool.flush_dirty();
        pool.forget(relation);
        const std::size_t map_block = step.block / 8160;
        const std::string path = data_file_path(relation, Fork::free_space);
        if (host.disk().clean_contents(path).size() <= map_block * page_size) break;
        host.disk().damage(path, map_block * page_size + step.bytes, 0x10);
        for (std::size_t i = map_block * 8160; i < std::min<std::size_t>(room.size(), (map_block + 1) * 8160); ++i)
          room[i] = 0;
        break;
      }
    }
  }
}

RC_GTEST_PROP(FreeSpaceMapProperty, IsAVectorOfRoundedSizes, ()) {
  const auto steps = *rc::gen::container<std::vector<MapStep>>(any_map_step());
  StorageHost host;
  host.run([&](sim::Host& self) { run_map(self, steps); });
  RC_ASSERT(host.error() == "");
  RC_ASSERT(host.finished());
}

}  // namespace
}  // namespace polarsim::engine::storage
