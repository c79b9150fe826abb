#include "engine/txn/toast.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/txn/heap_test_support.h"
#include "engine/types/array.h"
#include "engine/types/json.h"

namespace polarsim::engine::txn {
namespace {

using testing::HeapNode;
using testing::row_of;
using testing::Session;
using testing::test_table;
using testing::with_node;

// No two parts of it are alike.
std::string long_text(std::size_t length, char first = 'a') {
  std::string text;
  text.reserve(length + 10);
  for (std::size_t i = 0; text.size() < length; ++i) text += first + std::to_string(i);
  text.resize(length);
  return text;
}

std::string text_at(Session& session, HeapNode& node, Tid tid) {
  std::string text;
  session.statement([&](const Snapshot& snapshot) {
    const auto row = node.heap().fetch(test_table, tid, session.transaction(), snapshot);
    text = row ? (*row)[1].as_text() : "not there";
    return std::string();
  });
  return text;
}

TEST(Toast, LongTextsComeBackWhole) {
  with_node([](HeapNode& node) {
    Session session(node);
    for (const std::size_t length : {1900U, 1980U, 1981U, 2500U, 3960U, 3961U, 100000U}) {
      const std::string text = long_text(length);
      EXPECT_EQ(text_at(session, node, session.insert(1, text)), text) << length;
    }
    session.commit();
  });
}

TEST(Toast, TenMegabytes) {
  with_node([](HeapNode& node) {
    const std::string text = long_text(10 << 20);
    Session session(node);
    const Tid tid = session.insert(1, text);
    session.commit();
    session.begin();
    EXPECT_TRUE(text_at(session, node, tid) == text);
    std::vector<VisibleRow> rows;
    session.statement([&](const Snapshot& snapshot) {
      Heap::Scan scan(node.heap(), test_table, session.transaction(), snapshot);
      EXPECT_TRUE(scan.next(rows));
      return std::string();
    });
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_TRUE(rows[0].row[1].as_text() == text);
    session.commit();
  });
}

TEST(Toast, OnlyWhatDoesNotFitIsMovedTheLongestFirst) {
  with_node([](HeapNode& node) {
    Session session(node);
    Toast toast(node.heap(), test_table.toast);
    node.manager().assign_xid(session.transaction());
    const auto moved = [&](std::vector<std::size_t> lengths) {
      Row row;
      for (const std::size_t length : lengths) row.push_back(Value::text(std::string(length, 'x')));
      std::string columns;
      const auto external = toast.store(session.transaction(), row);
      for (std::size_t i = 0; i < external.size(); ++i) columns += external[i] ? std::to_string(i) : "";
      return columns;
    };
    EXPECT_EQ(moved({500, 500, 500}), "");
    EXPECT_EQ(moved({1000, 1001, 500}), "1");
    EXPECT_EQ(moved({1500, 3000, 1600}), "12");
    EXPECT_EQ(moved(std::vector<std::size_t>(300, 20)), "") << "nothing worth moving, but it fits a page";
    std::string error;
    try {
      moved(std::vector<std::size_t>(400, 20));
    } catch (const SqlError& thrown) {
      error = thrown.what();
    }
    EXPECT_EQ(error, "54000: row is too big: size 10080, maximum size 8156");
    session.abort();
  });
}

TEST(Toast, ValuesOfOtherTypesComeBackWhole) {
  with_node([](HeapNode& node) {
    Session session(node);
    Toast toast(node.heap(), test_table.toast);
    node.manager().assign_xid(session.transaction());
    std::vector<Value> numbers;
    for (int i = 0; i < 1000; ++i) numbers.push_back(i % 7 == 0 ? Value::null() : Value::integer(i));
    const Value array = Value::array(Array(TypeId::int4, numbers));
    const Value json = Value::json(Json(Json::Members{{"key", Json(long_text(5000))}}));
    const Row row{Value::integer(1), array, json, Value::text(long_text(3000)), Value::floating(0.5)};
    const storage::ExternalColumns external = toast.store(session.transaction(), row);
    ASSERT_EQ(external.size(), row.size());
    EXPECT_TRUE(external[1] && external[1]->encoded);
    EXPECT_TRUE(external[2] && external[2]->encoded);
    EXPECT_TRUE(external[3] && !external[3]->encoded);
    const std::string tuple = storage::encode_tuple({}, row, external);
    storage::ExternalColumns read;
    Row decoded = storage::decode_tuple(tuple, read);
    EXPECT_EQ(read, external);
    toast.fetch(decoded, read);
    EXPECT_EQ(decoded, row);
    // The same values in another version have the same chunks.
    EXPECT_EQ(toast.store(session.transaction(), row, external), external);
    session.abort();
  });
}

TEST(Toast, AnUpdateKeepsTheChunksOfWhatItKeeps) {
  with_node([](HeapNode& node) {
    const std::string text = long_text(20000);
    Session session(node);
    Tid tid = session.insert(1, text);
    session.commit();
    const std::size_t chunks = node.versions(test_table.toast);
    EXPECT_EQ(chunks, 11U);
    session.begin();
    session.update(tid, 2, text);
    tid = session.newest;
    EXPECT_EQ(node.versions(test_table.toast), chunks);
    session.commit();
    node.vacuum();
    session.begin();
    EXPECT_TRUE(text_at(session, node, tid) == text);
    session.update(tid, 2, long_text(20000, 'b'));
    session.commit();
    EXPECT_EQ(node.versions(test_table.toast), 2 * chunks);
    node.vacuum();
    EXPECT_EQ(node.versions(test_table.toast), chunks) << "those of the old text are gone";
    session.begin();
    EXPECT_TRUE(text_at(session, node, session.newest) == long_text(20000, 'b'));
    session.remove(session.newest);
    session.commit();
    node.vacuum();
    EXPECT_EQ(node.versions(test_table.toast), 0U);
    EXPECT_EQ(node.versions(), 0U);
  });
}

TEST(Toast, ChunksStayForWhoeverSeesTheRow) {
  with_node([](HeapNode& node) {
    const std::string text = long_text(20000);
    Session session(node), reader(node);
    const Tid tid = session.insert(1, text);
    session.commit();
    reader.commit();
    reader.begin(IsolationLevel::repeatable_read);
    reader.scan();
    session.begin();
    session.update(tid, 1, "short");
    session.commit();
    node.vacuum();
    EXPECT_TRUE(text_at(reader, node, tid) == text);
    reader.commit();
    node.vacuum();
    EXPECT_EQ(node.versions(test_table.toast), 0U);
  });
}

TEST(Toast, ARolledBackEndIsNoEnd) {
  with_node([](HeapNode& node) {
    const std::string text = long_text(9000);
    Session session(node);
    const Tid tid = session.insert(1, text);
    session.commit();
    session.begin();
    session.savepoint("s");
    session.remove(tid);
    session.rollback_to("s");
    session.update(tid, 1, "other");
    session.abort();
    node.vacuum();
    session.begin();
    EXPECT_TRUE(text_at(session, node, tid) == text);
    EXPECT_EQ(session.remove(tid), "ok");
    session.commit();
    node.vacuum();
    EXPECT_EQ(node.versions(test_table.toast), 0U);
  });
}

TEST(Toast, ChunksOfAnUpdateThatLostAreNotLeftBehind) {
  with_node([](HeapNode& node) {
    Session a(node), b(node);
    const Tid tid = a.insert(1, "old");
    a.commit();
    a.begin();
    a.update(tid, 1, "a");
    auto pending = b.start([&](Session& session) { return session.update(tid, 1, long_text(9000)); });
    a.commit();
    EXPECT_EQ(pending.outcome(), "updated (0,2)");
    b.commit();
    node.vacuum();
    EXPECT_EQ(node.versions(test_table.toast), 0U);
  });
}

TEST(Toast, DamageIsNoticed) {
  with_node([](HeapNode& node) {
    Session session(node);
    const Tid tid = session.insert(1, long_text(9000));
    session.commit();
    const auto chunk_page = [&] { return node.pool().pin({test_table.toast, storage::Fork::main, 0}); };
    const auto fetch = [&] {
      session.begin();
      const std::string outcome = session.scan();
      session.abort();
      return outcome;
    };
    const std::string error = "XX001 long value in relation 20001 is damaged";
    const auto tuple = [](const storage::PageRef& ref) { return ref.page().item(2); };
    {
      const auto ref = chunk_page();
      tuple(ref).back() ^= 1;
    }
    EXPECT_EQ(fetch(), error) << "another text";
    {
      const auto ref = chunk_page();
      tuple(ref).back() ^= 1;
      tuple(ref)[storage::tuple_header_size + 4 + 1] ^= 1;
    }
    EXPECT_EQ(fetch(), error) << "another length";
    {
      const auto ref = chunk_page();
      tuple(ref)[storage::tuple_header_size + 4 + 1] ^= 1;
    }
    EXPECT_EQ(fetch().substr(0, 2), "1:");
    {
      const auto ref = chunk_page();
      ref.page().clear_item(2);
    }
    EXPECT_EQ(fetch(), error) << "a chunk is missing";
    (void)tid;
  });
}

}  // namespace
}  // namespace polarsim::engine::txn
