// Contents, undo records, and what a power loss makes of them.
#include "sim/disk_inode.h"

#include <algorithm>
#include <set>
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

void choose_sector_by_sector(Inode& inode, RandomStream& choices) {
  const std::uint64_t surviving = inode.journal_start + choices.below(inode.journal.size() + 1);
  const std::uint64_t size = inode.size_at(surviving);
  std::map<std::uint64_t, SectorState> chosen;
  for (const auto& [sector, records] : touched_sectors(inode)) {
    const std::vector<std::uint64_t> versions = sector_versions(inode, sector, records);
    const std::uint64_t version = versions.size() == 1 ? versions.front() : choices.pick(versions);
    chosen.emplace(sector, sector_state(inode, sector, records, version, surviving));
  }
  inode.contents.resize(size);
  for (auto& [sector, entry] : chosen) {
    const std::uint64_t start = sector * sector_bytes;
    if (!entry.damaged || start >= size) inode.damage.erase(sector);
    if (start >= size) continue;
    inode.contents.write(start, std::string_view(entry.clean).substr(0, std::min(sector_bytes, size - start)));
    if (!entry.damaged) continue;
    if (!entry.medium.empty()) zero_from(entry.medium, start, size);
    inode.damage.at(sector).versions = {{0, false, std::move(entry.medium)}};
  }
}
}  // namespace

std::string Inode::path() const {
  const std::shared_ptr<Inode> above = parent.lock();
  if (!above) return name;
  const std::string prefix = above->path();
  return prefix.empty() ? name : prefix + "/" + name;
}

Inode::Requests Inode::pending_requests() const {
  Requests requests;
  for (const Undo& undo : journal) {
    if (undo.cut || undo.direct) continue;
    requests.bytes += undo.length;
    ++requests.operations;
  }
  return requests;
}

void Inode::write(std::uint64_t offset, std::string_view bytes, bool direct) {
  const std::uint64_t size = contents.size();
  Undo undo{false, direct, size, offset, bytes.size(), {}};
  if (offset < size) contents.read(offset, std::min<std::uint64_t>(bytes.size(), size - offset), undo.old);
  contents.write(offset, bytes);
  if (!damage.empty()) damage_written(damage, journal_end(), offset, bytes, contents.size(), direct);
  append(std::move(undo));
}

void Inode::resize(std::uint64_t size) {
  const std::uint64_t before = contents.size();
  Undo undo{size < before, false, before, std::min(size, before), 0, {}};
  if (undo.cut) {
    undo.length = before - size;
    contents.read(size, undo.length, undo.old);
    if (!damage.empty()) damage_cut(damage, journal_end(), size);
  }
  contents.resize(size);
  append(std::move(undo));
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
  if (!damage.empty()) damage_durable(damage, end);
}

void Inode::undo_newest() {
  apply(contents, journal.back());
  journal_bytes -= journal.back().old.size() + undo_overhead_bytes;
  journal.pop_back();
}

TouchedSectors touched_sectors(const Inode& inode) {
  TouchedSectors touched;
  std::uint64_t number = inode.journal_start;
  for (const Undo& undo : inode.journal) {
    const SectorRange range = sectors_of(undo.offset, undo.length);
    for (std::uint64_t sector = range.first; sector < range.last; ++sector) touched[sector].push_back(number);
    ++number;
  }
  // Damage that a write beside it will heal leaves a choice too.
  for (const auto& [sector, damage] : inode.damage) touched[sector];
  return touched;
}

std::vector<std::uint64_t> sector_versions(const Inode& inode, std::uint64_t sector,
                                           const std::vector<std::uint64_t>& records) {
  std::set<std::uint64_t> versions{inode.journal_start};
  for (const std::uint64_t number : records) {
    if (!inode.journal[number - inode.journal_start].cut) versions.insert(number + 1);
  }
  const auto damage = inode.damage.find(sector);
  if (damage != inode.damage.end()) {
    for (const DamageVersion& version : damage->second.versions) {
      // A cut gives no version.
      if (version.from != 0 && !inode.journal[version.from - inode.journal_start].cut)
        versions.insert(version.from + 1);
    }
  }
  return {versions.begin(), versions.end()};
}

SectorState sector_state(const Inode& inode, std::uint64_t sector, const std::vector<std::uint64_t>& records,
                         std::uint64_t version, std::uint64_t surviving) {
  const std::uint64_t start = sector * sector_bytes;
  SectorState state{inode.contents.read_padded(start, sector_bytes), false, {}};
  std::uint64_t end_of_file = start + sector_bytes;
  for (auto number = records.rbegin(); number != records.rend() && *number >= version; ++number) {
    const Undo& undo = inode.journal[*number - inode.journal_start];
    if (undo.cut && *number < surviving) end_of_file = std::min(end_of_file, undo.offset);
    apply_to_sector(state.clean, start, undo);
  }
  zero_from(state.clean, start, end_of_file);
  const auto damage = inode.damage.find(sector);
  if (damage == inode.damage.end() || end_of_file <= start) return state;
  const DamageVersion& found = damage->second.at(version);
  if (found.healed) return state;
  state.damaged = true;
  state.medium = found.image;
  if (!state.medium.empty()) zero_from(state.medium, start, end_of_file);
  return state;
}

SparseBytes contents_at(const Inode& inode, std::uint64_t end) {
  SparseBytes contents = inode.contents.copy();
  for (std::uint64_t number = inode.journal_end(); number > end; --number) {
    apply(contents, inode.journal[number - 1 - inode.journal_start]);
  }
  return contents;
}

std::string medium_sector(const Inode& inode, std::uint64_t sector, std::uint64_t end) {
  const auto damage = inode.damage.find(sector);
  if (damage != inode.damage.end() && !damage->second.at(end).healed) return damage->second.at(end).image;
  const std::uint64_t start = sector * sector_bytes;
  std::string image = inode.contents.read_padded(start, sector_bytes);
  for (std::uint64_t number = inode.journal_end(); number > end; --number) {
    apply_to_sector(image, start, inode.journal[number - 1 - inode.journal_start]);
  }
  return image;
}

void place_damage(Inode& inode, std::uint64_t sector, DamageKind kind, bool hidden, std::string image) {
  SectorDamage& damage = inode.damage[sector];
  damage = {kind, hidden, {{0, false, std::move(image)}}};
  const std::uint64_t start = sector * sector_bytes;
  std::uint64_t number = inode.journal_start;
  for (const Undo& undo : inode.journal) {
    const SectorRange touched = sectors_of(undo.offset, undo.length);
    if (undo.cut && touched.contains(sector) && undo.offset > start) {
      std::string kept = damage.versions.back().image;
      if (!kept.empty()) zero_from(kept, start, undo.offset);
      damage.versions.push_back({number, false, std::move(kept)});
    } else if (undo.cut || undo.direct ? touched.contains(sector)
                                       : pages_of(undo.offset, undo.length).contains(sector)) {
      damage.versions.push_back({number, true, {}});
      return;
    }
    ++number;
  }
}

void flip(Inode& inode, std::uint64_t offset, std::uint8_t mask) {
  const std::uint64_t sector = offset / sector_bytes;
  const std::size_t within = offset % sector_bytes;
  std::set<std::uint64_t> starts{0};
  const auto old = inode.damage.find(sector);
  if (old != inode.damage.end()) {
    if (!old->second.healed() && old->second.versions.back().image.empty()) return;
    for (const DamageVersion& version : old->second.versions) starts.insert(version.from);
  }
  const auto flipped = [&](std::string image) {
    if (!image.empty()) image[within] = static_cast<char>(static_cast<std::uint8_t>(image[within]) ^ mask);
    return image;
  };
  // Every version that the sector has had gets the flaw, the damaged ones too.
  std::uint64_t number = inode.journal_start;
  for (const Undo& undo : inode.journal) {
    if (sectors_of(undo.offset, undo.length).contains(sector)) starts.insert(number);
    ++number;
  }
  SectorDamage damage{DamageKind::bit_rot, false, {}};
  for (const std::uint64_t from : starts) {
    const std::uint64_t end = from == 0 ? inode.journal_start : from + 1;
    const bool exists = offset < inode.size_at(end);
    std::string image = medium_sector(inode, sector, end);
    damage.versions.push_back({from, false, exists ? flipped(std::move(image)) : std::move(image)});
  }
  inode.damage[sector] = std::move(damage);
}

void keep_prefix(Inode& inode, std::uint64_t surviving) {
  while (inode.journal_end() > surviving) inode.undo_newest();
  // What lies past the end belongs to the file no longer.
  const std::uint64_t end = (inode.contents.size() + sector_bytes - 1) / sector_bytes;
  inode.damage.erase(inode.damage.lower_bound(end), inode.damage.end());
  for (auto entry = inode.damage.begin(); entry != inode.damage.end();) {
    DamageVersion version = entry->second.at(surviving);
    version.from = 0;
    const bool healed = version.healed;
    entry->second.versions = {std::move(version)};
    entry = healed ? inode.damage.erase(entry) : std::next(entry);
  }
}

void lose_power(Inode& inode, RandomStream& choices) {
  const std::size_t records = inode.journal.size();
  const std::uint64_t end = inode.journal_end();
  switch (records == 0 ? 1 : choices.below(4)) {
    case 0:
      keep_prefix(inode, inode.journal_start);
      break;
    case 1:
      keep_prefix(inode, end);
      break;
    case 2:
      keep_prefix(inode, inode.journal_start + choices.below(records + 1));
      break;
    default:
      choose_sector_by_sector(inode, choices);
  }
  inode.journal.clear();
  inode.journal_bytes = 0;
  inode.journal_start = end;
  evict(inode.damage, {0, ~std::uint64_t{0}});
}

}  // namespace polarsim::sim::detail
