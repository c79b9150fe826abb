// What the medium holds where it does not hold what it should; private to the disk's own sources.
//
// A file's contents and undo records describe a faultless disk. Damage lies beside them, per sector: what the medium
// holds instead, in versions that follow the numbers of the undo records, so that a power loss which undoes a write
// also undoes what the write did to the damage. Files without damage pay for an empty map.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk.h"

namespace polarsim::sim::detail {

// What is wrong from one record on.
struct DamageVersion {
  std::uint64_t from = 0;  // number of the record; 0: what lies on the medium now
  bool healed = false;     // the medium holds the clean sector
  std::string image;       // of a whole sector; empty if it cannot be read or is healed
};

struct SectorDamage {
  DamageKind kind = DamageKind::bit_rot;
  bool hidden = false;
  std::vector<DamageVersion> versions;  // ascending

  bool healed() const { return versions.back().healed; }
  bool shows() const { return !hidden && !healed(); }
  // The version of the moment before record `end`.
  const DamageVersion& at(std::uint64_t end) const;
};

using DamageMap = std::map<std::uint64_t, SectorDamage>;

inline constexpr std::uint64_t sectors_per_page = page_bytes / sector_bytes;

// [first, last) sectors.
struct SectorRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool contains(std::uint64_t sector) const { return sector >= first && sector < last; }
};
SectorRange sectors_of(std::uint64_t offset, std::uint64_t length);
// Widened to whole pages.
SectorRange pages_of(std::uint64_t offset, std::uint64_t length);

// Whether a read may go on; `direct` as in OpenFlags.
bool readable(const DamageMap& damage, std::uint64_t offset, std::uint64_t length, bool direct);
// Whether a buffered write finds what it must read first, in a file of `size` bytes.
bool writable(const DamageMap& damage, std::uint64_t offset, std::uint64_t length, std::uint64_t size);
// Puts what the medium holds over the clean `bytes` that begin at `offset`.
void overlay(const DamageMap& damage, std::uint64_t offset, bool direct, std::string_view::size_type begin,
             std::string& bytes);
// What a write or a cut, record `number`, that leaves a file of `size` bytes does to the damage.
void damage_written(DamageMap& damage, std::uint64_t number, std::uint64_t offset, std::string_view bytes,
                    std::uint64_t size, bool direct);
void damage_cut(DamageMap& damage, std::uint64_t number, std::uint64_t size);
// The records below `end` have become durable.
void damage_durable(DamageMap& damage, std::uint64_t end);
// The cache loses pages of these sectors, if they are clean.
void evict(DamageMap& damage, SectorRange sectors);

}  // namespace polarsim::sim::detail
