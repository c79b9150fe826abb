#include "sim/disk_bytes.h"

#include <algorithm>
#include <cstring>

namespace polarsim::sim::detail {

void SparseBytes::read(std::uint64_t offset, std::uint64_t count, std::string& out) const {
  out.reserve(out.size() + count);
  while (count > 0) {
    const std::uint64_t within = offset % block_bytes;
    const std::uint64_t part = std::min(count, block_bytes - within);
    const auto& block = blocks_[offset / block_bytes];
    if (block) {
      out.append(block->data() + within, part);
    } else {
      out.append(part, '\0');
    }
    offset += part;
    count -= part;
  }
}

std::string SparseBytes::read_padded(std::uint64_t offset, std::uint64_t count) const {
  std::string out;
  if (offset < size_) read(offset, std::min(count, size_ - offset), out);
  out.resize(count, '\0');
  return out;
}

void SparseBytes::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (offset + bytes.size() > size_) resize(offset + bytes.size());
  while (!bytes.empty()) {
    const std::uint64_t within = offset % block_bytes;
    const std::uint64_t part = std::min<std::uint64_t>(bytes.size(), block_bytes - within);
    auto& block = blocks_[offset / block_bytes];
    if (!block) block = std::make_unique<Block>();
    std::memcpy(block->data() + within, bytes.data(), part);
    offset += part;
    bytes.remove_prefix(part);
  }
}

void SparseBytes::resize(std::uint64_t size) {
  if (size < size_) {
    // What lies past the end must read as zero when the file grows again.
    const std::uint64_t within = size % block_bytes;
    if (within != 0 && blocks_[size / block_bytes]) {
      Block& last = *blocks_[size / block_bytes];
      std::fill(last.begin() + static_cast<std::ptrdiff_t>(within), last.end(), '\0');
    }
  }
  blocks_.resize((size + block_bytes - 1) / block_bytes);
  size_ = size;
}

SparseBytes SparseBytes::copy() const {
  SparseBytes result;
  result.blocks_.resize(blocks_.size());
  result.size_ = size_;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i]) result.blocks_[i] = std::make_unique<Block>(*blocks_[i]);
  }
  return result;
}

}  // namespace polarsim::sim::detail
