// What faults make of reads, and of bytes on their way to the medium.
#include <algorithm>
#include <set>
#include <utility>

#include "sim/disk_state.h"
#include "sim/host.h"
#include "sim/simulation.h"

namespace polarsim::sim {

using detail::sectors_of;
using detail::sectors_per_page;

RandomStream& Disk::Implementation::stream(std::string_view fault) {
  return host.simulation().random("disk/" + host.name() + "/" + std::string(fault));
}

bool Disk::Implementation::strikes(double probability, std::string_view fault) {
  return probability > 0 && stream(fault).chance(probability);
}

void Disk::Implementation::strike_read(Inode& inode, std::uint64_t offset, std::uint64_t length, bool direct) {
  if (length == 0) return;
  if (strikes(parameters.bit_rot, "bit_rot")) {
    RandomStream& choices = stream("bit_rot");
    const std::uint64_t place = offset + choices.below(length);
    const std::uint64_t bit = choices.below(8);
    detail::flip(inode, place, static_cast<std::uint8_t>(1U << bit));
    note(DiskOperation::damage, &inode, place, 1, bit);
  }
  if (strikes(parameters.latent_sector_error, "latent_sector_error")) {
    const std::uint64_t place = offset + stream("latent_sector_error").below(length);
    detail::place_damage(inode, place / sector_bytes, DamageKind::latent_sector_error, false, {});
    note(DiskOperation::damage, &inode, place, sector_bytes, 0);
  }
  if (!direct && strikes(parameters.eviction, "eviction")) {
    detail::evict(inode.damage, detail::pages_of(offset, length));
  }
}

Disk::Implementation::PendingPages Disk::Implementation::pending_pages(const Inode& inode, std::uint64_t begin,
                                                                       std::uint64_t end) {
  std::set<std::uint64_t> touched;
  for (std::uint64_t number = begin; number < end; ++number) {
    const detail::Undo& undo = inode.journal[number - inode.journal_start];
    if (undo.cut) continue;
    const detail::SectorRange range = sectors_of(undo.offset, undo.length);
    for (std::uint64_t sector = range.first; sector < range.last; ++sector) touched.insert(sector);
  }
  // A page is written as a whole: the hidden damage of its other sectors is healed by this write too, or stays with it.
  for (const auto& [sector, damage] : inode.damage) {
    if (damage.at(begin).healed != damage.at(end).healed) touched.insert(sector);
  }
  const std::uint64_t size = inode.size_at(end);
  PendingPages pages;
  for (const std::uint64_t sector : touched) {
    const std::uint64_t start = sector * sector_bytes;
    if (start >= size) continue;
    PendingSector pending{sector, medium_sector(inode, sector, begin), medium_sector(inode, sector, end)};
    // What lies past the end of the file reads as zero, whatever the medium holds.
    if (!pending.old_image.empty() && size - start < sector_bytes) {
      std::fill(pending.old_image.begin() + static_cast<std::ptrdiff_t>(size - start), pending.old_image.end(), '\0');
    }
    if (pending.old_image != pending.new_image) pages[sector / sectors_per_page].push_back(std::move(pending));
  }
  return pages;
}

// A page that shows damage to readers is written as it is: hidden damage on top of it would make reads go back to the
// clean bytes, which such a page does not hold.
void Disk::Implementation::leave_out_damaged(const Inode& inode, PendingPages& pages) {
  std::erase_if(pages, [&inode](const auto& page) {
    return std::any_of(page.second.begin(), page.second.end(), [&inode](const PendingSector& pending) {
      const auto damage = inode.damage.find(pending.sector);
      return damage != inode.damage.end() && damage->second.shows();
    });
  });
}

void Disk::Implementation::keep_old(Inode& inode, const std::vector<PendingSector>& sectors, DamageKind kind) {
  for (const PendingSector& pending : sectors) {
    const bool readable = !pending.old_image.empty();
    detail::place_damage(inode, pending.sector, readable ? kind : DamageKind::latent_sector_error, true,
                         pending.old_image);
  }
}

void Disk::Implementation::misdirect(const Inode& intended, const std::vector<PendingSector>& sectors) {
  std::vector<std::shared_ptr<Inode>> victims;
  for (const std::shared_ptr<Inode>& inode : names.all()) {
    // The place it was meant for is not elsewhere: a file of one page cannot be its own victim.
    const std::uint64_t needed = inode->id == intended.id ? page_bytes : 0;
    if (!inode->is_directory && inode->contents.size() > needed) victims.push_back(inode);
  }
  if (victims.empty()) return;
  RandomStream& choices = stream("misdirected_write");
  Inode& victim = *choices.pick(victims);
  const std::uint64_t count = (victim.contents.size() + sector_bytes - 1) / sector_bytes;
  std::uint64_t target = choices.below(count);
  const std::uint64_t page = sectors.front().sector / sectors_per_page;
  // Another page of the same file: moved on by a page, and round to the other end.
  if (victim.id == intended.id && target / sectors_per_page == page) {
    target =
        target + sectors_per_page < count ? target + sectors_per_page : (page == 0 ? 0 : target - sectors_per_page);
  }
  if (victim.id == intended.id && target / sectors_per_page == page) return;
  for (const PendingSector& pending : sectors) {
    const std::uint64_t start = target * sector_bytes;
    if (start >= victim.contents.size()) return;
    std::string image = pending.new_image;
    if (image.empty()) image = std::string(sector_bytes, '\0');
    const std::uint64_t kept = std::min(sector_bytes, victim.contents.size() - start);
    std::fill(image.begin() + static_cast<std::ptrdiff_t>(kept), image.end(), '\0');
    // Where reads show damage already, they show the new one.
    const auto damage = victim.damage.find(target);
    const bool hidden = damage == victim.damage.end() || !damage->second.shows();
    detail::place_damage(victim, target, DamageKind::misdirected_write, hidden, std::move(image));
    note(DiskOperation::damage, &victim, start, sector_bytes, pending.sector);
    ++target;
    if (victim.id == intended.id && target / sectors_per_page == page) return;
  }
}

void Disk::Implementation::write_back(Inode& inode, std::uint64_t end) {
  if (inode.journal_start >= end) return;
  if (parameters.lost_write <= 0 && parameters.misdirected_write <= 0) return inode.make_durable(end);
  PendingPages pages = pending_pages(inode, inode.journal_start, end);
  leave_out_damaged(inode, pages);
  inode.make_durable(end);
  for (const auto& [page, sectors] : pages) {
    const bool lost = strikes(parameters.lost_write, "lost_write");
    const bool astray = strikes(parameters.misdirected_write, "misdirected_write");
    if (!lost && !astray) continue;
    keep_old(inode, sectors, DamageKind::lost_write);
    note(DiskOperation::damage, &inode, page * page_bytes, page_bytes, astray ? 1 : 0);
    if (astray) misdirect(inode, sectors);
  }
}

void Disk::Implementation::forget(Inode& inode, std::uint64_t end) {
  if (inode.journal_start >= end) return;
  PendingPages pages = pending_pages(inode, inode.journal_start, end);
  leave_out_damaged(inode, pages);
  inode.make_durable(end);
  if (pages.empty()) return;
  RandomStream& choices = stream("forgotten_write");
  const std::uint64_t surely = choices.below(pages.size());
  std::uint64_t place = 0;
  for (const auto& [page, sectors] : pages) {
    const bool failed = choices.chance(0.5);
    if (place++ != surely && !failed) continue;
    keep_old(inode, sectors, DamageKind::forgotten_write);
    note(DiskOperation::damage, &inode, page * page_bytes, page_bytes, 2);
  }
}

void Disk::Implementation::strike_direct_write(Inode& inode) {
  const bool lost = strikes(parameters.lost_write, "lost_write");
  const bool astray = strikes(parameters.misdirected_write, "misdirected_write");
  if (!lost && !astray) return;
  const std::uint64_t end = inode.journal_end();
  // A record larger than what is kept for undoing has become durable at once; nothing is known of what it replaced.
  if (inode.journal.empty()) return;
  std::vector<PendingSector> sectors;
  for (auto& [page, pending] : pending_pages(inode, end - 1, end)) {
    for (const PendingSector& sector : pending) sectors.push_back(sector);
  }
  if (sectors.empty()) return;
  // From this record on the medium still holds what it held. The cache does not have the pages of a direct write, so
  // nothing hides it.
  for (const PendingSector& pending : sectors) {
    const auto [entry, clean] = inode.damage.try_emplace(pending.sector);
    detail::SectorDamage& damage = entry->second;
    if (clean) damage.versions.push_back({0, true, {}});
    damage.kind = DamageKind::lost_write;
    damage.hidden = false;
    damage.versions.push_back({end - 1, false, pending.old_image});
  }
  note(DiskOperation::damage, &inode, sectors.front().sector * sector_bytes, sectors.size() * sector_bytes, 3);
  if (astray) misdirect(inode, sectors);
}

}  // namespace polarsim::sim
