// Contents, undo records, and what a power loss makes of them.
#include "sim/disk_state.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace polarsim::sim::detail {

namespace {
// Undo records of one file that are kept at most; older ones become durable, as background writeback would make them.
constexpr std::uint64_t journal_bytes_max = 64ULL << 20;
constexpr std::uint64_t undo_overhead_bytes = sizeof(Undo);

void apply(SparseBytes& contents, const Undo& undo) {
  contents.resize(undo.size);
  contents.write(undo.offset, undo.old);
}

// Undoes one record within the image of the sector that starts at `start`.
void apply_to_sector(std::string& image, std::uint64_t start, const Undo& undo) {
  const std::uint64_t from = std::max(start, undo.offset);
  const std::uint64_t to = std::min(start + sector_bytes, undo.offset + undo.length);
  for (std::uint64_t at = from; at < to; ++at) {
    const std::uint64_t within = at - undo.offset;
    image[at - start] = within < undo.old.size() ? undo.old[within] : '\0';
  }
}

void zero_from(std::string& image, std::uint64_t start, std::uint64_t end_of_file) {
  if (end_of_file >= start + image.size()) return;
  const std::uint64_t kept = end_of_file > start ? end_of_file - start : 0;
  std::fill(image.begin() + static_cast<std::ptrdiff_t>(kept), image.end(), '\0');
}

// The records that touch each sector, by sector.
std::map<std::uint64_t, std::vector<std::size_t>> touched_sectors(const std::deque<Undo>& journal) {
  std::map<std::uint64_t, std::vector<std::size_t>> touched;
  for (std::size_t i = 0; i < journal.size(); ++i) {
    if (journal[i].length == 0) continue;
    const std::uint64_t last = (journal[i].offset + journal[i].length - 1) / sector_bytes;
    for (std::uint64_t sector = journal[i].offset / sector_bytes; sector <= last; ++sector)
      touched[sector].push_back(i);
  }
  return touched;
}

// One of the versions the sector has had, the durable one included. Cuts among the first `surviving` records took their
// bytes from every version older than themselves.
std::string choose_version(const Inode& inode, std::uint64_t sector, const std::vector<std::size_t>& records,
                           std::size_t surviving, RandomStream& choices) {
  const std::deque<Undo>& journal = inode.journal;
  std::uint64_t writes = 0;
  for (const std::size_t i : records) writes += journal[i].cut ? 0 : 1;
  std::uint64_t back = writes == 0 ? 0 : choices.below(writes + 1);
  const std::uint64_t start = sector * sector_bytes;
  std::string image = inode.contents.read_padded(start, sector_bytes);
  std::uint64_t end_of_file = start + sector_bytes;
  for (auto i = records.rbegin(); i != records.rend(); ++i) {
    const Undo& undo = journal[*i];
    if (!undo.cut && back-- == 0) break;
    if (undo.cut && *i < surviving) end_of_file = std::min(end_of_file, undo.offset);
    apply_to_sector(image, start, undo);
  }
  zero_from(image, start, end_of_file);
  return image;
}

void choose_sector_by_sector(Inode& inode, RandomStream& choices) {
  const std::size_t records = inode.journal.size();
  const std::size_t surviving = choices.below(records + 1);
  const std::uint64_t size = surviving == records ? inode.contents.size() : inode.journal[surviving].size;
  std::vector<std::pair<std::uint64_t, std::string>> images;
  for (const auto& [sector, touching] : touched_sectors(inode.journal)) {
    images.emplace_back(sector, choose_version(inode, sector, touching, surviving, choices));
  }
  inode.contents.resize(size);
  for (const auto& [sector, image] : images) {
    const std::uint64_t start = sector * sector_bytes;
    if (start >= size) break;
    inode.contents.write(start, std::string_view(image).substr(0, std::min(sector_bytes, size - start)));
  }
}

void undo_newest(Inode& inode, std::size_t count) {
  for (auto undo = inode.journal.rbegin(); count > 0; ++undo, --count) apply(inode.contents, *undo);
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

void lose_power(Inode& inode, RandomStream& choices) {
  const std::size_t records = inode.journal.size();
  if (records == 0) return;
  switch (choices.below(4)) {
    case 0:
      undo_newest(inode, records);
      break;
    case 1:
      break;
    case 2:
      undo_newest(inode, choices.below(records + 1));
      break;
    default:
      choose_sector_by_sector(inode, choices);
  }
  inode.make_durable(inode.journal_start + records);
}

void undo_change(Directory& directory, const DirectoryChange& change) {
  switch (change.kind) {
    case DirectoryChange::Kind::create:
      directory.erase(change.name);
      return;
    case DirectoryChange::Kind::remove:
      directory[change.name] = change.inode;
      return;
    case DirectoryChange::Kind::rename:
      directory.erase(change.target);
      directory[change.name] = change.inode;
      if (change.displaced) directory[change.target] = change.displaced;
      return;
  }
}

std::string durable_bytes(const Inode& inode) {
  SparseBytes contents;
  contents.write(0, inode.contents.read_padded(0, inode.contents.size()));
  for (auto undo = inode.journal.rbegin(); undo != inode.journal.rend(); ++undo) apply(contents, *undo);
  return contents.read_padded(0, contents.size());
}

}  // namespace polarsim::sim::detail
