// What operators, faults and checkers do with a disk, rather than the programs that use it.
#include <algorithm>
#include <utility>

#include "sim/assert.h"
#include "sim/disk_image.h"
#include "sim/disk_state.h"
#include "sim/host.h"

namespace polarsim::sim {

const char* to_string(DiskError error) {
  switch (error) {
    case DiskError::not_found:
      return "no such file";
    case DiskError::exists:
      return "file exists";
    case DiskError::no_space:
      return "no space left on device";
    case DiskError::io_error:
      return "input/output error";
    case DiskError::offline:
      return "host is down";
    case DiskError::not_a_directory:
      return "not a directory";
    case DiskError::is_a_directory:
      return "is a directory";
    case DiskError::not_empty:
      return "directory not empty";
    case DiskError::invalid:
      return "invalid argument";
    case DiskError::busy:
      return "device or resource busy";
    case DiskError::name_too_long:
      return "file name too long";
  }
  return "unknown";
}

const char* to_string(DamageKind kind) {
  switch (kind) {
    case DamageKind::bit_rot:
      return "bit rot";
    case DamageKind::latent_sector_error:
      return "latent sector error";
    case DamageKind::lost_write:
      return "lost write";
    case DamageKind::misdirected_write:
      return "misdirected write";
    case DamageKind::forgotten_write:
      return "forgotten write";
  }
  return "unknown";
}

const char* to_string(DiskOperation operation) {
  switch (operation) {
    case DiskOperation::open:
      return "open";
    case DiskOperation::create:
      return "create";
    case DiskOperation::remove:
      return "remove";
    case DiskOperation::rename:
      return "rename";
    case DiskOperation::read:
      return "read";
    case DiskOperation::write:
      return "write";
    case DiskOperation::truncate:
      return "truncate";
    case DiskOperation::sync:
      return "sync";
    case DiskOperation::sync_directory:
      return "sync directory";
    case DiskOperation::crash:
      return "power loss";
    case DiskOperation::damage:
      return "damage";
    case DiskOperation::make_directory:
      return "make directory";
    case DiskOperation::remove_directory:
      return "remove directory";
    case DiskOperation::replace:
      return "replace disk";
    case DiskOperation::drop_caches:
      return "drop caches";
  }
  return "unknown";
}

const DiskParameters& Disk::parameters() const { return impl_->parameters; }
void Disk::set_parameters(const DiskParameters& parameters) { impl_->parameters = parameters; }
const DiskStatistics& Disk::statistics() const { return impl_->statistics; }
void Disk::set_observer(DiskObserver observer) { impl_->observer = std::move(observer); }
BlockDevice& Disk::device() const { return *impl_->device; }
void Disk::set_device(std::shared_ptr<BlockDevice> device) { impl_->device = std::move(device); }

void Disk::crash() {
  Implementation& disk = *impl_;
  disk.powered = false;
  disk.names.lose_power(disk.parameters.unordered_names, *disk.crash_stream);
  std::uint64_t files = 0;
  for (const std::shared_ptr<detail::Inode>& inode : disk.names.all()) {
    if (inode->is_directory) continue;
    detail::lose_power(*inode, *disk.crash_stream);
    ++files;
  }
  disk.count_used_bytes();
  disk.note(DiskOperation::crash, nullptr, files, disk.used_bytes, 0);
}

void Disk::boot() { impl_->powered = true; }

void Disk::replace_with_blank() { load({}); }

void Disk::load(const DiskImage& image) {
  Implementation& disk = *impl_;
  ++disk.medium;
  disk.names.clear();
  for (const auto& [path, entry] : image.entries) {
    const std::shared_ptr<detail::Inode> inode = disk.names.add_inode(entry.is_directory);
    const auto place = disk.names.find(path);
    POLARSIM_ASSERT(place && place->directory && !place->inode, "a disk image names a file without its directory");
    disk.names.create(*place, inode);
    inode->contents.write(0, entry.contents);
    for (const std::uint64_t sector : entry.unreadable) {
      detail::place_damage(*inode, sector, DamageKind::latent_sector_error, false, {});
    }
  }
  disk.names.make_all_durable();
  disk.count_used_bytes();
  disk.note(DiskOperation::replace, nullptr, image.entries.size(), disk.used_bytes, 0);
}

void Disk::damage(const std::string& path, std::uint64_t offset, std::uint8_t mask) {
  const auto inode = impl_->names.get(path);
  if (!inode || (*inode)->is_directory) return;
  std::uint64_t size = (*inode)->contents.size();
  for (const detail::Undo& undo : (*inode)->journal) size = std::max(size, undo.size);
  if (offset >= size) return;
  detail::flip(**inode, offset, mask);
  impl_->note(DiskOperation::damage, inode->get(), offset, 1, mask);
}

void Disk::make_unreadable(const std::string& path, std::uint64_t sector) {
  const auto inode = impl_->names.get(path);
  if (!inode || (*inode)->is_directory || sector * sector_bytes >= (*inode)->contents.size()) return;
  detail::place_damage(**inode, sector, DamageKind::latent_sector_error, false, {});
  impl_->note(DiskOperation::damage, inode->get(), sector * sector_bytes, sector_bytes, 0);
}

void Disk::fail_next_syncs(std::uint32_t count, SyncFailure kind) {
  impl_->failing_syncs = count;
  impl_->failing_syncs_kind = kind;
}

void Disk::drop_caches() {
  for (const auto& inode : impl_->names.all()) detail::evict(inode->damage, {0, ~std::uint64_t{0}});
  impl_->note(DiskOperation::drop_caches, nullptr, 0, 0, 0);
}

namespace {

// The damaged sector in place of the clean one; one that cannot be read has nothing to show.
void lay_over(std::string& contents, std::uint64_t sector, const detail::DamageVersion& version) {
  const std::uint64_t start = sector * sector_bytes;
  if (version.healed || version.image.empty() || start >= contents.size()) return;
  const std::uint64_t count = std::min(sector_bytes, contents.size() - start);
  contents.replace(start, count, version.image, 0, count);
}

}  // namespace

std::string Disk::durable_contents(const std::string& path) const {
  const detail::NameTree& names = impl_->names;
  const std::shared_ptr<detail::Inode> inode = names.find_in(names.durable_view(), path);
  if (!inode || inode->is_directory) return {};
  const detail::SparseBytes durable = detail::contents_at(*inode, inode->journal_start);
  std::string contents = durable.read_padded(0, durable.size());
  for (const auto& [sector, damage] : inode->damage) lay_over(contents, sector, damage.at(inode->journal_start));
  return contents;
}

std::string Disk::clean_contents(const std::string& path) const {
  const auto inode = impl_->names.get(path);
  if (!inode) return {};
  return (*inode)->contents.read_padded(0, (*inode)->contents.size());
}

std::string Disk::cached_contents(const std::string& path) const {
  std::string contents = clean_contents(path);
  const auto inode = impl_->names.get(path);
  if (!inode) return contents;
  for (const auto& [sector, damage] : (*inode)->damage) {
    if (damage.shows()) lay_over(contents, sector, damage.versions.back());
  }
  return contents;
}

std::vector<DamagedSector> Disk::damage_report() const {
  std::vector<DamagedSector> report;
  for (const std::string& path : list()) {
    const std::shared_ptr<detail::Inode> inode = *impl_->names.get(path);
    for (const auto& [sector, damage] : inode->damage) {
      // Where the sector waits to be rewritten, reads show what was written.
      report.push_back({path, sector, damage.kind, damage.hidden || damage.healed()});
    }
  }
  return report;
}

}  // namespace polarsim::sim
