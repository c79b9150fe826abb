#include "engine/storage/page.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/storage/crc32c.h"
#include "engine/storage/key_encoding.h"

namespace polarsim::engine::storage {
namespace {

constexpr PageId id{16384, Fork::main, 3};

// A heap page with some items, a gap and an unused line pointer.
std::vector<char> some_page() {
  std::vector<char> bytes(page_size);
  Page page(bytes.data());
  page.initialize(id, PageKind::heap, 8);
  for (std::uint16_t i = 1; i <= 20; ++i) EXPECT_TRUE(page.put_item(i, std::string(i * std::size_t{7}, 'a')));
  page.clear_item(4);
  page.set_lsn(123456);
  page.set_flags(5);
  return bytes;
}

TEST(Page, HeaderIsWhatTheFormatSays) {
  auto bytes = some_page();
  Page page(bytes.data());
  page.seal();
  const auto byte = [&](std::size_t at) { return static_cast<int>(static_cast<unsigned char>(bytes[at])); };
  EXPECT_EQ(byte(0) + 256 * byte(1) + 65536 * byte(2), 123456);
  EXPECT_EQ(byte(12), 1);
  EXPECT_EQ(byte(13), 0);
  EXPECT_EQ(byte(14), 1);
  EXPECT_EQ(byte(16) + 256 * byte(17), 32 + 20 * 4);
  EXPECT_EQ(byte(20) + 256 * byte(21), 8184);
  EXPECT_EQ(byte(22), 5);
  EXPECT_EQ(byte(24) + 256 * byte(25), 16384);
  EXPECT_EQ(byte(28), 3);
  EXPECT_EQ(page.id(), id);
  EXPECT_EQ(page.flags(), 5);
  EXPECT_EQ(page.special().size(), 8U);
  std::string zeroed(bytes.begin(), bytes.end());
  zeroed.replace(8, 4, 4, '\0');
  EXPECT_EQ(page.stored_checksum(), crc32c(zeroed));
}

TEST(Page, EveryFlippedBitIsFound) {
  auto bytes = some_page();
  Page page(bytes.data());
  page.seal();
  ASSERT_EQ(page.verify(id), "");
  for (std::size_t bit = 0; bit < page_size * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    ASSERT_TRUE(page.verify(id).starts_with("checksum mismatch (stored ")) << bit << ": " << page.verify(id);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
  }
}

TEST(Page, NeverWrittenPageIsSoundUntilABitIsSet) {
  std::vector<char> bytes(page_size);
  const Page page(bytes.data());
  EXPECT_EQ(page.verify(id), "");
  EXPECT_TRUE(page.is_new());
  EXPECT_EQ(page.item_count(), 0);
  EXPECT_EQ(page.free_bytes(), 0U);
  for (std::size_t bit = 0; bit < page_size * 8; bit += 13) {
    bytes[bit / 8] = static_cast<char>(1 << bit % 8);
    ASSERT_TRUE(page.verify(id).starts_with("checksum mismatch")) << bit;
    bytes[bit / 8] = 0;
  }
}

TEST(Page, KnowsItsPlace) {
  auto bytes = some_page();
  Page(bytes.data()).seal();
  const Page page(bytes.data());
  EXPECT_EQ(page.verify({16385, Fork::main, 3}), "page belongs to relation 16384, block 3");
  EXPECT_EQ(page.verify({16384, Fork::main, 4}), "page belongs to relation 16384, block 3");
  EXPECT_EQ(page.verify({16384, Fork::free_space, 3}), "page belongs to relation 16384, block 3");
}

TEST(Page, PagesWithoutChecksumAreNotSound) {
  auto bytes = some_page();
  const Page page(bytes.data());
  EXPECT_TRUE(page.verify(id).starts_with("checksum mismatch (stored 00000000, computed "));
  EXPECT_EQ(page.verify_layout(id), "");
}

// A sound checksum over nonsense: a page that was broken in memory.
TEST(Page, WrongLayoutIsFoundBehindASoundChecksum) {
  const auto broken = [](std::size_t at, std::uint16_t value) {
    auto bytes = some_page();
    Page page(bytes.data());
    store(bytes.data() + at, value);
    page.seal();
    return page.verify(id);
  };
  const std::uint16_t lower = 32 + 20 * 4;
  EXPECT_EQ(broken(12, 99), "page is of unknown kind 99");
  EXPECT_EQ(broken(12, 0), "page has no kind");
  EXPECT_EQ(broken(14, 2), "page has format version 2");
  EXPECT_TRUE(broken(16, lower + 1).starts_with("page is laid out wrongly (lower 113,"));
  EXPECT_TRUE(broken(16, 8000).starts_with("page is laid out wrongly (lower 8000,"));
  EXPECT_TRUE(broken(20, 9000).starts_with("page is laid out wrongly"));
  EXPECT_EQ(broken(32, 8190), "line pointer 1 points outside the page");
  EXPECT_EQ(broken(34, 8000), "line pointer 1 points outside the page");
  EXPECT_EQ(broken(32, 0), "line pointer 1 points outside the page");
  EXPECT_EQ(broken(34, 1400), "line pointer 1 points outside the page");
  EXPECT_EQ(broken(32 + 18 * 4 + 2, 250), "items overlap");
}

TEST(KeyEncoding, IsWhatTheFormatSays) {
  using namespace std::string_literals;
  EXPECT_EQ(encode_key(Row{Value::boolean(true), Value::null()}), "\x01\x01\xFE"s);
  EXPECT_EQ(encode_key(Row{Value::integer(-1)}), "\x02\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
  EXPECT_EQ(encode_key(Row{Value::text("a\0b"s)}), "\x03"s + "a\0\xFF"s + "b\0\0"s);
  EXPECT_EQ(after_prefix("a\xFF"), "b");
  EXPECT_EQ(after_prefix("\xFF\xFF"), "");
}

}  // namespace
}  // namespace polarsim::engine::storage
