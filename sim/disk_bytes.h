// The bytes of a file; private to the disk's own sources.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::sim::detail {

// Bytes with holes that read as zero and take no memory.
class SparseBytes {
 public:
  std::uint64_t size() const { return size_; }
  // Appends [offset, offset + count) to `out`; the range must lie within the size.
  void read(std::uint64_t offset, std::uint64_t count, std::string& out) const;
  // As read(), but bytes past the size read as zero.
  std::string read_padded(std::uint64_t offset, std::uint64_t count) const;
  // Grows if the range ends past the size.
  void write(std::uint64_t offset, std::string_view bytes);
  // Cuts, or grows by zeros.
  void resize(std::uint64_t size);
  SparseBytes copy() const;

 private:
  static constexpr std::uint64_t block_bytes = 8192;
  using Block = std::array<char, block_bytes>;

  std::vector<std::unique_ptr<Block>> blocks_;  // null is a hole
  std::uint64_t size_ = 0;
};

}  // namespace polarsim::sim::detail
