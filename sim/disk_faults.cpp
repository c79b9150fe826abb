#include "sim/disk_faults.h"

#include <algorithm>

namespace polarsim::sim::detail {

const DamageVersion& SectorDamage::at(std::uint64_t end) const {
  auto version = versions.end() - 1;
  while (version != versions.begin() && version->from >= end) --version;
  return *version;
}

SectorRange sectors_of(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return {offset / sector_bytes, offset / sector_bytes};
  return {offset / sector_bytes, (offset + length - 1) / sector_bytes + 1};
}

SectorRange pages_of(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return sectors_of(offset, 0);
  const std::uint64_t first = offset / page_bytes;
  const std::uint64_t last = (offset + length - 1) / page_bytes + 1;
  return {first * sectors_per_page, last * sectors_per_page};
}

bool readable(const DamageMap& damage, std::uint64_t offset, std::uint64_t length, bool direct) {
  const SectorRange range = direct ? sectors_of(offset, length) : pages_of(offset, length);
  for (auto entry = damage.lower_bound(range.first); entry != damage.end() && range.contains(entry->first); ++entry) {
    const SectorDamage& sector = entry->second;
    if (sector.healed() || !sector.versions.back().image.empty()) continue;
    if (direct || !sector.hidden) return false;
  }
  return true;
}

bool writable(const DamageMap& damage, std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  const SectorRange range = pages_of(offset, length);
  for (auto entry = damage.lower_bound(range.first); entry != damage.end() && range.contains(entry->first); ++entry) {
    const SectorDamage& sector = entry->second;
    if (!sector.shows() || !sector.versions.back().image.empty()) continue;
    const std::uint64_t page = entry->first / sectors_per_page * page_bytes;
    if (offset > page || offset + length < std::min(page + page_bytes, size)) return false;
  }
  return true;
}

void overlay(const DamageMap& damage, std::uint64_t offset, bool direct, std::string_view::size_type begin,
             std::string& bytes) {
  const std::uint64_t end = offset + (bytes.size() - begin);
  const SectorRange range = sectors_of(offset, end - offset);
  for (auto entry = damage.lower_bound(range.first); entry != damage.end() && range.contains(entry->first); ++entry) {
    const SectorDamage& sector = entry->second;
    const std::string& image = sector.versions.back().image;
    if (sector.healed() || (sector.hidden && !direct) || image.empty()) continue;
    const std::uint64_t start = entry->first * sector_bytes;
    const std::uint64_t from = std::max(start, offset);
    const std::uint64_t to = std::min(start + sector_bytes, end);
    bytes.replace(begin + (from - offset), to - from, image, from - start, to - from);
  }
}

void damage_written(DamageMap& damage, std::uint64_t number, std::uint64_t offset, std::string_view bytes,
                    std::uint64_t size, bool direct) {
  const std::uint64_t end = offset + bytes.size();
  const SectorRange range = direct ? sectors_of(offset, bytes.size()) : pages_of(offset, bytes.size());
  for (auto entry = damage.lower_bound(range.first); entry != damage.end() && range.contains(entry->first); ++entry) {
    SectorDamage& sector = entry->second;
    if (sector.healed()) continue;
    const std::uint64_t start = entry->first * sector_bytes;
    // A hidden sector's page is in the cache, and is written back as a whole. So is a page that this write covers.
    const std::uint64_t page = start / page_bytes * page_bytes;
    const bool whole_page = !direct && offset <= page && end >= std::min(page + page_bytes, size);
    const bool covered = offset <= start && end >= std::min(start + sector_bytes, size);
    if (covered || whole_page || (!direct && sector.hidden) || sector.versions.back().image.empty()) {
      sector.versions.push_back({number, true, {}});
      continue;
    }
    const std::uint64_t from = std::max(start, offset);
    const std::uint64_t to = std::min(start + sector_bytes, end);
    if (from >= to) continue;
    std::string image = sector.versions.back().image;
    image.replace(from - start, to - from, bytes.substr(from - offset, to - from));
    sector.versions.push_back({number, false, std::move(image)});
  }
}

void damage_cut(DamageMap& damage, std::uint64_t number, std::uint64_t size) {
  for (auto entry = damage.lower_bound(size / sector_bytes); entry != damage.end(); ++entry) {
    SectorDamage& sector = entry->second;
    if (sector.healed()) continue;
    const std::uint64_t start = entry->first * sector_bytes;
    if (start >= size) {
      sector.versions.push_back({number, true, {}});
    } else if (!sector.versions.back().image.empty()) {
      std::string image = sector.versions.back().image;
      std::fill(image.begin() + static_cast<std::ptrdiff_t>(size - start), image.end(), '\0');
      sector.versions.push_back({number, false, std::move(image)});
    }
  }
}

void damage_durable(DamageMap& damage, std::uint64_t end) {
  for (auto entry = damage.begin(); entry != damage.end();) {
    std::vector<DamageVersion>& versions = entry->second.versions;
    std::size_t durable = versions.size() - 1;
    while (durable > 0 && versions[durable].from >= end) --durable;
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(durable));
    versions.front().from = 0;
    entry = versions.size() == 1 && versions.front().healed ? damage.erase(entry) : std::next(entry);
  }
}

void evict(DamageMap& damage, SectorRange sectors) {
  for (auto entry = damage.lower_bound(sectors.first); entry != damage.end() && sectors.contains(entry->first);
       ++entry) {
    // Where the last version is healed, the page is dirty and stays; then this says nothing.
    entry->second.hidden = false;
  }
}

}  // namespace polarsim::sim::detail
