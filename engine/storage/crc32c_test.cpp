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

}  // namespace
}  // namespace polarsim::engine::storage
