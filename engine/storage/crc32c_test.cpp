#include "engine/storage/crc32c.h"

#include <gtest/gtest.h>

#include <boost/crc.hpp>
#include <string>

namespace polarsim::engine::storage {
namespace {

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, AgreesWithPublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string ascending;
  for (char byte = 0; byte < 32; ++byte) ascending.push_back(byte);
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, AgreesWithABitwiseImplementationAtEveryLength) {
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    boost::crc_basic<32> oracle(0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true);
    oracle.process_bytes(bytes.data(), bytes.size());
    EXPECT_EQ(crc32c(bytes), oracle.checksum()) << length;
    bytes.push_back(static_cast<char>(length * 37 + 11));
  }
}

TEST(Crc32c, ContinuesWhereItStopped) {
  const std::string bytes = "the quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(crc32c(bytes.substr(cut), crc32c(bytes.substr(0, cut))), crc32c(bytes));
  }
}

// On a processor without the instruction this compares software with itself.
TEST(Crc32c, InstructionAndSoftwareAgreeOnRandomLengthsAndAlignments) {
  std::uint64_t state = 1;
  const auto draw = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  std::string bytes(9000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(draw(256));
  for (int round = 0; round < 2000; ++round) {
    const std::size_t start = draw(64);
    const std::size_t length = round % 2 == 0 ? draw(80) : draw(bytes.size() - start);
    const std::string_view part = std::string_view(bytes).substr(start, length);
    const auto previous = static_cast<std::uint32_t>(draw(1ULL << 31) * 2 + draw(2));
    ASSERT_EQ(crc32c(part, previous), crc32c_in_software(part, previous)) << start << " " << length;
  }
}

TEST(Crc32c, TellsWhichBitWasFlipped) {
  const std::string bytes = "the quick brown fox jumps over the lazy dog";
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(crc32c_flipped_bit(bytes.size(), crc32c(flipped) ^ crc32c(bytes)), bit);
    if (bit == 0 || bit == 7) continue;  // one of them would be taken back
    flipped[0] = static_cast<char>(flipped[0] ^ 0x81);
    EXPECT_EQ(crc32c_flipped_bit(bytes.size(), crc32c(flipped) ^ crc32c(bytes)), std::nullopt) << bit;
  }
  EXPECT_EQ(crc32c_flipped_bit(bytes.size(), 0), std::nullopt);
}

}  // namespace
}  // namespace polarsim::engine::storage
