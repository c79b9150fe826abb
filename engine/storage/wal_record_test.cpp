#include "engine/storage/wal_record.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "engine/storage/recovery_test_support.h"

namespace polarsim::engine::storage::testing {
namespace {

// The records of a log, with what they say of blocks.
struct Seen {
  RecordKind kind;
  std::vector<PageChange::Kind> blocks;
  std::size_t payload = 0;
};

std::vector<Seen> records_of(RecoveryHost& host) {
  std::vector<Seen> seen;
  host.run([&](sim::Host& self) {
    WalOptions options;
    options.segment_bytes = host.config().wal_segment_bytes;
    Wal::open(self, options, WalStart{}, [&](const WalRecord& record) {
      const DecodedRecord decoded = decode(record);
      EXPECT_EQ(decoded.begin, record.lsn);
      EXPECT_EQ(decoded.end, record.end);
      Seen entry{decoded.kind, {}, record.payload.size()};
      for (const DecodedRecord::Block& block : decoded.blocks) entry.blocks.push_back(block.kind);
      if (record.kind >= static_cast<std::uint8_t>(RecordKind::heap_first)) seen.push_back(entry);
    });
  });
  return seen;
}

constexpr auto change = PageChange::Kind::change;
constexpr auto initialize = PageChange::Kind::initialize;
constexpr auto image = PageChange::Kind::image;

std::vector<std::vector<PageChange::Kind>> kinds_with(bool full_page_writes) {
  RecoveryHost host;
  host.config().full_page_writes = full_page_writes;
  // No segment is let go of, so that the log can be read from its beginning.
  host.config().wal_segment_bytes = 1 << 20;
  host.run_node([](RecoveryNode& node) {
    node.create_relation(relation);
    const PageId a = node.new_page("a");
    const PageId b = node.new_page("b");
    node.add_items({a, b}, "1");
    node.checkpointer->run();
    node.add_items({a}, "2");
    node.add_items({a, b}, "3");
    node.rewrite(a, "4");
    node.checkpointer->run();
    node.add_items({b}, "5");
    node.wal->flush(node.wal->end());
  });
  std::vector<std::vector<PageChange::Kind>> kinds;
  for (const Seen& seen : records_of(host)) kinds.push_back(seen.blocks);
  return kinds;
}

TEST(WalRecordTest, FirstChangeAfterARedoPointCarriesAnImage) {
  EXPECT_EQ(kinds_with(true),
            (std::vector<std::vector<PageChange::Kind>>{
                {initialize}, {initialize}, {change, change}, {image}, {change, image}, {image}, {image}}));
}

TEST(WalRecordTest, WithoutFullPageWritesOnlyWhatIsAskedForIsAnImage) {
  EXPECT_EQ(kinds_with(false),
            (std::vector<std::vector<PageChange::Kind>>{
                {initialize}, {initialize}, {change, change}, {change}, {change, change}, {image}, {change}}));
}

TEST(WalRecordTest, ImageLeavesTheHoleOut) {
  RecoveryHost host;
  host.config().wal_segment_bytes = 1 << 20;
  host.run_node([](RecoveryNode& node) {
    node.create_relation(relation);
    node.rewrite(node.new_page("small"), std::string(100, 'x'));
    node.wal->flush(node.wal->end());
  });
  const std::vector<Seen> seen = records_of(host);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_LT(seen[1].payload, 200U);
}

TEST(WalRecordTest, RestoredImageIsThePage) {
  std::string original(page_size, '\0');
  Page page(original.data());
  const PageId id{relation, Fork::main, 3};
  page.initialize(id, PageKind::heap, 16);
  page.put_item(1, "first");
  page.put_item(2, std::string(300, 's'));
  page.special()[0] = 'S';
  const std::uint16_t lower = page.lower();
  const std::uint16_t upper = page.upper();

  DecodedRecord record;
  record.end = 12345;
  const std::string image_bytes = original.substr(0, lower) + original.substr(upper);
  const DecodedRecord::Block block{id, image, image_bytes, lower, upper};
  std::string restored(page_size, 'g');
  restore_image(record, block, Page(restored.data()));
  page.set_lsn(12345);
  EXPECT_EQ(restored, original);
}

TEST(WalRecordTest, ContradictionsAreRefused) {
  const auto refused = [](std::string_view payload) {
    try {
      decode(WalRecord{64, static_cast<std::uint8_t>(RecordKind::heap_first), payload, 128});
    } catch (const SqlError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("XX000: invalid WAL record at LSN 64 (heap 16): "))
          << error.what();
      return true;
    }
    return false;
  };
  ByteWriter block;
  block.number(std::uint8_t{1}).number(relation).number(std::uint8_t{0}).number(std::uint32_t{5});
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused(block.bytes()));
  EXPECT_FALSE(refused(ByteWriter(block).number(std::uint8_t{0}).bytes()));
  EXPECT_TRUE(refused(ByteWriter(block).number(std::uint8_t{3}).bytes())) << "unknown change";
  EXPECT_TRUE(refused(ByteWriter(block).number(std::uint8_t{2}).bytes())) << "no image";
  EXPECT_TRUE(refused(
      ByteWriter(block).number(std::uint8_t{2}).number(std::uint16_t{9000}).number(std::uint16_t{9001}).bytes() +
      std::string(page_size, 'x')))
      << "hole outside of the page";
}

TEST(WalRecordTest, KindsHaveNames) {
  EXPECT_EQ(to_string(RecordKind::checkpoint_end), "checkpoint end");
  EXPECT_EQ(to_string(RecordKind{20}), "heap 20");
  EXPECT_EQ(to_string(RecordKind{33}), "btree 33");
  EXPECT_EQ(to_string(RecordKind{200}), "kind 200");
}

}  // namespace
}  // namespace polarsim::engine::storage::testing
