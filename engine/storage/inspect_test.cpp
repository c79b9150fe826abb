#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "engine/storage/btree_page.h"
#include "engine/storage/btree_redo.h"
#include "engine/storage/bytes.h"
#include "engine/storage/control_file.h"
#include "engine/storage/inspect_page.h"
#include "engine/storage/inspect_wal.h"
#include "engine/storage/key_encoding.h"
#include "engine/storage/storage_test_support.h"
#include "engine/txn/commit_log.h"
#include "engine/txn/heap_redo.h"
#include "engine/txn/two_phase.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {
namespace {

using testing::StorageHost;

// 8 KiB that live as long as the test needs them.
struct Bytes {
  std::vector<char> memory = std::vector<char>(page_size);
  Page page{memory.data()};
};

std::string some_tuple(Tid tid, std::uint16_t bits = 0) {
  TupleHeader header{740, 741, 1, 2, tid, bits};
  return encode_tuple(header, Row{Value::integer(1), Value::text("it's"), Value::null()});
}

TEST(InspectPage, HeapPage) {
  Bytes bytes;
  Page page = bytes.page;
  page.initialize({16384, Fork::main, 3}, PageKind::heap);
  ASSERT_TRUE(page.put_item(1, some_tuple({3, 1}, infomask::updated | infomask::keys_updated)));
  ASSERT_TRUE(page.put_item(2, some_tuple({3, 2})));
  const ToastPointer pointer{{7, 2}, 100'000, 5};
  ASSERT_TRUE(page.put_item(3, encode_tuple({}, Row{Value::null(), Value::boolean(true)}, ExternalColumns{pointer})));
  page.clear_item(2);
  page.set_lsn(2312);
  page.set_flags(1);
  const std::string tuple = std::to_string(some_tuple({}).size());
  const std::string free = std::to_string(page.free_bytes());
  EXPECT_EQ(describe_page(page),
            "relation 16384, block 3: heap\n"
            "  LSN 2312, flags 0x0001, version 1, lower 44, upper " +
                std::to_string(page.upper()) + ", special 8192, " + free +
                " bytes free\n"
                "  no checksum\n"
                "  item 1 at " +
                std::to_string(8192 - some_tuple({}).size()) + ", " + tuple +
                " bytes: xmin 740 xmax 741 cmin 1 cmax 2 ctid (3,1) infomask 0x0480 (keys_updated, updated)\n"
                "      values (1, 'it''s', NULL)\n"
                "  item 2 unused\n"
                "  item 3 at " +
                std::to_string(page.upper()) +
                ", 52 bytes: xmin 0 xmax 0 cmin 0 cmax 0 ctid (4294967295,0) infomask 0x0100 (has_external)\n"
                "      values (<100000 bytes at (7,2)>, true)\n");
}

TEST(InspectPage, ChecksumsAndDamage) {
  Bytes bytes;
  Page page = bytes.page;
  EXPECT_EQ(describe_page(page), "a page of zeros\n");
  page.initialize({16384, Fork::main, 3}, PageKind::heap);
  ASSERT_TRUE(page.put_item(1, some_tuple({3, 1})));
  ASSERT_TRUE(page.put_item(2, "short"));
  page.seal();
  const std::string sealed = describe_page(page);
  EXPECT_NE(sealed.find("\n  checksum "), std::string::npos) << sealed;
  EXPECT_EQ(sealed.find("wrong"), std::string::npos);
  EXPECT_NE(sealed.find("item 2 at"), std::string::npos);
  EXPECT_NE(sealed.find("5 bytes: row version is damaged The tuple is shorter than its header."), std::string::npos)
      << sealed;
  bytes.memory[8190] ^= 1;
  EXPECT_NE(describe_page(page).find(" is wrong: computed "), std::string::npos);
  store(bytes.memory.data() + 36, std::uint16_t{9000});
  EXPECT_NE(describe_page(page).find("item 2 at 9000, 5 bytes lies outside the page's items\n"), std::string::npos)
      << describe_page(page);
  store(bytes.memory.data() + 16, std::uint16_t{60'000});
  EXPECT_NE(describe_page(page).find("this is no layout of a page\n"), std::string::npos);
}

// Whatever the bytes are, they are described and nothing outside them is looked at (the sanitizers tell).
TEST(InspectPage, AnyBytesAreDescribed) {
  std::uint64_t state = 7;
  const auto draw = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes;
    const auto kind = static_cast<PageKind>(1 + draw(7));
    bytes.page.initialize({16384, Fork::main, 3}, kind,
                          kind == PageKind::btree        ? 8
                          : kind == PageKind::btree_meta ? 24
                                                         : draw(200));
    for (std::uint16_t i = 1; i <= 5; ++i) ASSERT_TRUE(bytes.page.put_item(i, some_tuple({3, i})));
    for (int i = 0; i < 4; ++i) bytes.memory[draw(2) == 0 ? draw(64) : draw(page_size)] = static_cast<char>(draw(256));
    ASSERT_FALSE(describe_page(bytes.page).empty());
  }
}

TEST(InspectPage, TreePages) {
  Bytes bytes;
  BTreePage tree(bytes.page);
  const std::string key = encode_key(Row{Value::integer(7), Value::text("x")});
  tree.initialize({16385, Fork::main, 2}, 0, 5);
  tree.set_high_key({encode_key(Row{Value::integer(9)}) + "\x03" + "ab", {0, 0}});
  tree.append(BTreeItem::leaf({key, {4, 1}}).bytes());
  std::string text = describe_page(bytes.page);
  EXPECT_NE(text.find("relation 16385, block 2: B-tree\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  level 0, right 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find(": high key (9, 036162) (0,0)\n"), std::string::npos) << text;
  EXPECT_NE(text.find(": (7, 'x') (4,1)\n"), std::string::npos) << text;
  tree.initialize({16385, Fork::main, 2}, 1, invalid_block);
  tree.append(BTreeItem::inner(8, {}).bytes());
  tree.append(BTreeItem::inner(9, {key, {4, 1}}).bytes());
  text = describe_page(bytes.page);
  EXPECT_NE(text.find("\n  level 1, right none\n"), std::string::npos) << text;
  EXPECT_NE(text.find(": child 8 from () (4294967295,0)\n"), std::string::npos) << text;
  EXPECT_NE(text.find(": child 9 from (7, 'x') (4,1)\n"), std::string::npos) << text;
  tree.initialize_removed({16385, Fork::main, 2}, 6);
  EXPECT_NE(describe_page(bytes.page).find("\n  removed, next removed page 6\n"), std::string::npos);
  BTreeMeta meta(bytes.page);
  meta.initialize({16385, Fork::main, 0});
  meta.set_root(3, 2);
  EXPECT_NE(describe_page(bytes.page).find("\n  root 3 of level 2, first removed page none\n"), std::string::npos);
}

TEST(InspectPage, FreeSpaceCommitLogAndSequence) {
  Bytes bytes;
  Page page = bytes.page;
  page.initialize({16384, Fork::free_space, 1}, PageKind::free_space, page_size - page_header_size);
  page.special()[0] = 10;
  page.special()[1] = 10;
  page.special()[8159] = '\xFF';
  std::string text = describe_page(page);
  EXPECT_TRUE(text.starts_with("relation 16384 (free space), block 1: free space\n")) << text;
  EXPECT_TRUE(
      text.ends_with("  blocks 8160 to 8161: 320 bytes or more\n"
                     "  blocks 16319 to 16319: 8156 bytes or more\n"))
      << text;
  page.initialize({0, Fork::main, 0}, PageKind::commit_log, page_size - page_header_size);
  page.special()[0] = 0b01'00'00'00;  // transaction 3 committed
  page.special()[1] = 0b00'10'10'01;  // 4 committed, 5 and 6 aborted
  text = describe_page(page);
  EXPECT_TRUE(text.ends_with("  transactions 3 to 4: committed\n  transactions 5 to 6: aborted\n")) << text;
  page.initialize({16386, Fork::main, 0}, PageKind::sequence);
  ASSERT_TRUE(page.put_item(1, ByteWriter().number(std::uint64_t{41}).number(std::uint8_t{1}).bytes()));
  EXPECT_TRUE(describe_page(page).ends_with(": last value 41, given out\n"));
}

std::string said(RecordKind kind, const std::string& payload) {
  return describe_record({100, static_cast<std::uint8_t>(kind), payload, 200});
}

TEST(InspectWal, RecordsOfTransactions) {
  txn::EndRecord end;
  end.xid = 740;
  end.time_us = 55;
  EXPECT_EQ(said(RecordKind::commit, txn::encode(end)), "xid 740 time 55");
  end.subtransactions = {741, 742};
  end.remove = {16400};
  end.gid = "a'b";
  EXPECT_EQ(said(RecordKind::commit_prepared, txn::encode(end)),
            "xid 740 time 55 subtransactions 741 742 removes relations 16400 gid 'a''b'");
  txn::PreparedState state;
  state.xid = 740;
  state.gid = "g";
  state.created = {16401};
  state.locks = {{txn::LockTag::of_relation(16384), txn::LockMode::row_exclusive, 1}};
  EXPECT_EQ(said(RecordKind::prepare, txn::encode(state)),
            "xid 740 gid 'g' time 0 created relations 16401, RowExclusiveLock on relation 16384");
  CheckpointData checkpoint;
  checkpoint.redo = 88;
  checkpoint.next_xid = 800;
  EXPECT_EQ(said(RecordKind::checkpoint_end, encode(checkpoint)),
            "redo 88 segment 0 next xid 800 next multixact 1 next relation 0 oldest xid 3 oldest multixact 1 time 0");
  ByteWriter multixact;
  multixact.number(std::uint32_t{9}).number(std::uint32_t{2});
  multixact.number(std::uint32_t{740}).number(std::uint8_t{0}).number(std::uint32_t{741}).number(std::uint8_t{5});
  EXPECT_EQ(said(RecordKind::multixact_create, multixact.bytes()), "multixact 9: 740 (key share) 741 (update)");
  EXPECT_EQ(said(RecordKind::commit, "abc"), "does not decode (WAL record is shorter than its contents): 616263");
  EXPECT_EQ(record_name(static_cast<RecordKind>(99)), "kind 99");
}

// A log written by the engine's own hands, read back as text.
TEST(InspectWal, LogOfAHeapAndATree) {
  StorageHost host;
  std::string text;
  std::string middle;
  host.run([&](sim::Host& self) {
    DataFiles files(self);
    BufferPool pool(self, files, buffers_min, [](Lsn) {});
    WalOptions options;
    options.segment_bytes = 600;
    const auto wal = Wal::open(self, options, WalStart{}, [](const WalRecord&) {});
    WalLog log(*wal, true);
    files.create(16384);
    files.create(16385);
    const Lsn first = wal->end();
    {
      const PageRef ref = pool.extend(16384);
      txn::TupleRecord record(false, Row{Value::integer(5)}, {});
      record.put(ref.page(), ref.id(), TupleHeader{740, 0, 0, 0, {}, 0});
      log.append(txn::heap_record::insert, {PageChange{ref, PageChange::Kind::initialize}}, record.bytes());
      log.set_redo_lsn(wal->end());
      txn::change_header(log, txn::heap_record::remove, ref, 1,
                         TupleHeader{740, 741, 0, 3, {0, 1}, infomask::keys_updated});
      txn::change_header(log, txn::heap_record::lock, ref, 1,
                         TupleHeader{740, 742, 0, 0, {0, 1}, infomask::xmax_lock_only});
      const std::array<std::uint16_t, 1> items{1};
      txn::clear_items(log, ref, items);
    }
    {
      const PageRef ref = pool.extend(16385);
      BTreePage(ref.page()).initialize(ref.id(), 0, invalid_block);
      log.append(btree_record::create, {PageChange{ref, PageChange::Kind::image}}, {});
      BTreeItem item = BTreeItem::leaf({encode_key(Row{Value::integer(5)}), {0, 1}});
      log.append(btree_record::insert, {PageChange{ref}}, item.logged_at(1));
      log.append(btree_record::remove, {PageChange{ref}}, ByteWriter().number(std::uint16_t{1}).bytes());
    }
    wal->flush(wal->end());
    const auto files_of_wal = read_wal_files(self.disk());
    text = describe_wal(files_of_wal);
    middle = describe_wal(files_of_wal, first, first + 1);
  });
  ASSERT_TRUE(host.finished()) << host.error();
  const auto has = [&](const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nis not in\n" << text;
  };
  EXPECT_TRUE(
      text.starts_with("segment wal/00000001 at LSN 8, epoch 1\nlsn 8, end 64, length 16, kind epoch, epoch 1: time "));
  has("kind heap insert, epoch 1: item 1 xmin 740 xmax 0 cmin 0 cmax 0 ctid (0,1) infomask 0x0000 values (5); page "
      "relation 16384, block 0 made anew\n");
  has("kind heap remove, epoch 1: item 1 xmin 740 xmax 741 cmin 0 cmax 3 ctid (0,1) infomask 0x0080 (keys_updated); "
      "page "
      "relation 16384, block 0 image of ");
  has("kind heap lock, epoch 1: item 1 xmin 740 xmax 742 cmin 0 cmax 0 ctid (0,1) infomask 0x0004 (xmax_lock_only); "
      "page "
      "relation 16384, block 0 changed\n");
  has("kind heap vacuum, epoch 1: items 1; page relation 16384, block 0 changed\n");
  has("kind btree create, epoch 1: page relation 16385, block 0 image of 40 bytes\n");
  has("kind btree insert, epoch 1: item 1 key (5) tid (0,1); page relation 16385, block 0 changed\n");
  has("kind btree remove, epoch 1: item 1; page relation 16385, block 0 changed\n");
  has("\nsegment wal/00000002 at LSN ");
  EXPECT_NE(text.find("\nend of the log at LSN "), std::string::npos);
  EXPECT_TRUE(text.ends_with(": the files end\n")) << text;
  EXPECT_TRUE(middle.starts_with("lsn 64, end ")) << middle;
  EXPECT_EQ(std::count(middle.begin(), middle.end(), '\n'), 1) << middle;
}

TEST(InspectWal, DamageEndsTheLog) {
  StorageHost host;
  host.run([&](sim::Host& self) {
    const auto wal = Wal::open(self, {}, WalStart{}, [](const WalRecord&) {});
    const Lsn second = wal->append(72, ByteWriter().number(std::uint32_t{16400}).bytes());
    wal->append(72, ByteWriter().number(std::uint32_t{16432}).bytes());
    wal->flush(wal->end());
    auto files = read_wal_files(self.disk());
    files[0].bytes[wal_segment_header_bytes + second - wal_first_lsn + 41] ^= 1;
    const std::string text = describe_wal(files);
    EXPECT_NE(text.find("kind next relation id, epoch 1: relation 16400\n"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("end of the log at LSN " + std::to_string(second) +
                               ": no record follows the last one in file \"wal/00000001\"\n"))
        << text;
    EXPECT_EQ(describe_wal({}), "end of the log at LSN 0: the files end\n");
  });
  EXPECT_TRUE(host.finished()) << host.error();
}

}  // namespace
}  // namespace polarsim::engine::storage
