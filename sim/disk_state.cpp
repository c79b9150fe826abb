// Contents, undo records, and what a power loss makes of them.
#include "sim/disk_state.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace polarsim::sim::detail {

namespace {
// Undo records of one file that are kept at most; older ones become durable, as background writeback would make them.
constexpr std::uint64_t journal_bytes_max = 64ULL << 20;
constexpr std::uint64_t undo_overhead_bytes = sizeof(Undo);

void apply(SparseBytes& contents, const Undo& undo) {
  contents.write(undo.offset, undo.old);
  const std::uint64_t zeros_from = undo.offset + undo.old.size();
  const std::uint64_t zeros_to = std::min(undo.offset + undo.length, undo.size);
  if (zeros_from < zeros_to) contents.write(zeros_from, std::string(zeros_to - zeros_from, '\0'));
  contents.resize(undo.size);
}
}  // namespace

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

void Inode::append(Undo undo) {
  journal_bytes += undo.old.size() + undo_overhead_bytes;
  journal.push_back(std::move(undo));
  if (journal_bytes <= journal_bytes_max) return;
  std::uint64_t end = journal_start;
  std::uint64_t kept = journal_bytes;
  for (const Undo& record : journal) {
    if (kept <= journal_bytes_max / 2) break;
    kept -= record.old.size() + undo_overhead_bytes;
    ++end;
  }
  make_durable(end);
}

void Inode::make_durable(std::uint64_t end) {
  while (journal_start < end && !journal.empty()) {
    journal_bytes -= journal.front().old.size() + undo_overhead_bytes;
    journal.pop_front();
    ++journal_start;
  }
}

std::string durable_bytes(const Inode& inode) {
  SparseBytes contents;
  contents.write(0, inode.contents.read_padded(0, inode.contents.size()));
  for (auto undo = inode.journal.rbegin(); undo != inode.journal.rend(); ++undo) apply(contents, *undo);
  return contents.read_padded(0, contents.size());
}

}  // namespace polarsim::sim::detail
