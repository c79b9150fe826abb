#include "sim/disk.h"

#include <algorithm>

#include "sim/disk_image.h"
#include "sim/disk_state.h"
#include "sim/host.h"
#include "sim/simulation.h"
#include "sim/transfer_time.h"

namespace polarsim::sim {

using detail::Place;

Disk::Implementation::Implementation(Host& owner)
    : host(owner),
      scheduler(owner.scheduler()),
      device(std::make_shared<BlockDevice>(owner.simulation(), owner.name())),
      read_stream(&stream("read")),
      write_stream(&stream("write")),
      sync_stream(&stream("sync")),
      crash_stream(&stream("crash")) {}

Disk::Implementation::Lease Disk::Implementation::lease() const { return {host.incarnation(), medium}; }

bool Disk::Implementation::online(const Lease& lease) const {
  return powered && host.up() && host.incarnation() == lease.incarnation && medium == lease.medium;
}

Duration Disk::Implementation::service_time(const DurationDistribution& latency, RandomStream& stream,
                                            std::uint64_t bytes) const {
  const Duration time = latency.sample(stream) + transfer_time(bytes, parameters.bandwidth_bytes_per_s);
  if (parameters.slowdown == 1) return time;
  const double slowed = static_cast<double>(time.count()) * parameters.slowdown;
  // Beyond a century the exact figure no longer matters, only that it fits.
  return Duration(static_cast<std::int64_t>(std::clamp(slowed, 0.0, 3e18)));
}

bool Disk::Implementation::spend_on_device(Duration service, std::uint64_t bytes, std::uint64_t operations,
                                           const Lease& lease) {
  // A disk may be given another device while requests are under way.
  const std::shared_ptr<BlockDevice> serving = device;
  const Under operation = under;
  serving->serve(service, bytes, operations);
  if (host.simulation().trace().enabled()) [[unlikely]]
    trace_end(operation);
  return online(lease);
}

bool Disk::Implementation::spend_in_memory(Duration time, const Lease& lease) {
  const Under operation = under;
  if (time > Duration(0)) scheduler.sleep_for(time);
  if (host.simulation().trace().enabled()) [[unlikely]]
    trace_end(operation);
  return online(lease);
}

tl::expected<Disk::Implementation::SyncOutcome, DiskError> Disk::Implementation::spend_sync(std::uint64_t bytes,
                                                                                            std::uint64_t operations,
                                                                                            const Lease& lease) {
  const Duration service = service_time(parameters.sync_latency, *sync_stream, 0);
  if (!spend_on_device(service, bytes, operations, lease)) return tl::unexpected(DiskError::offline);
  const auto failed = [](SyncFailure kind) {
    return kind == SyncFailure::forgets ? SyncOutcome::failed_forgetting : SyncOutcome::failed_keeping;
  };
  if (failing_syncs > 0) {
    --failing_syncs;
    return failed(failing_syncs_kind);
  }
  if (strikes(parameters.sync_failure, "sync_failure")) return failed(parameters.sync_failure_kind);
  if (strikes(parameters.lying_syncs, "lying_sync")) return SyncOutcome::lie;
  return SyncOutcome::durable;
}

bool Disk::Implementation::reserve(const Inode& inode, std::uint64_t new_size) {
  const bool grows = new_size > inode.contents.size();
  if (grows && strikes(parameters.no_space, "no_space")) return false;
  // A file without a name counts against nothing, but must have room on the medium.
  if (!inode.linked) return !grows || new_size <= parameters.capacity_bytes;
  const std::uint64_t others = used_bytes - inode.contents.size();
  if (grows && (others > parameters.capacity_bytes || new_size > parameters.capacity_bytes - others)) return false;
  used_bytes = others + new_size;
  return true;
}

void Disk::Implementation::count_used_bytes() {
  used_bytes = 0;
  for (const auto& inode : names.all()) used_bytes += inode->contents.size();
}

bool Disk::Implementation::announce(DiskOperation operation, const std::string& path, const Lease& lease) {
  if (!observer) [[likely]]
    return true;
  observer(operation, path);
  return online(lease);
}

bool Disk::Implementation::announce(DiskOperation operation, const Inode& inode, const Lease& lease) {
  return !observer || announce(operation, inode.path(), lease);
}

void Disk::Implementation::note(DiskOperation operation, const Inode* inode, std::uint64_t offset, std::uint64_t size,
                                std::uint64_t hash) {
  const std::uint64_t what = (static_cast<std::uint64_t>(operation) << 56) | (inode == nullptr ? 0 : inode->id);
  Simulation& simulation = host.simulation();
  simulation.digest().absorb(DigestKind::disk, what, (offset << 20) ^ size, hash);
  if (simulation.trace().enabled()) [[unlikely]]
    trace_begin(operation, inode, offset, size);
}

Disk::Disk(Host& host) : impl_(std::make_unique<Implementation>(host)) {}
Disk::~Disk() = default;

tl::expected<std::shared_ptr<detail::Inode>, DiskError> Disk::open_inode(const std::string& path, OpenMode mode) {
  Implementation& disk = *impl_;
  const auto place = disk.names.walk(path);
  if (!place) return tl::unexpected(place.error());
  // A name with a slash behind it cannot be that of a file to create.
  if (mode != OpenMode::existing && place->last == Place::Last::name && place->must_be_directory) {
    return tl::unexpected(DiskError::is_a_directory);
  }
  if (place->too_long) return tl::unexpected(DiskError::name_too_long);
  if (place->inode) {
    if (mode == OpenMode::create_new) return tl::unexpected(DiskError::exists);
    if (place->inode->is_directory) return tl::unexpected(DiskError::is_a_directory);
    if (place->must_be_directory) return tl::unexpected(DiskError::not_a_directory);
    disk.note(DiskOperation::open, place->inode.get(), 0, 0, stable_hash(path));
    return place->inode;
  }
  if (mode == OpenMode::existing) return tl::unexpected(DiskError::not_found);
  if (!disk.announce(DiskOperation::create, path, disk.lease())) return tl::unexpected(DiskError::offline);
  const std::shared_ptr<detail::Inode> inode = disk.names.add_inode(false);
  disk.names.create(*place, inode);
  disk.note(DiskOperation::create, inode.get(), 0, 0, stable_hash(path));
  return inode;
}

tl::expected<File, DiskError> Disk::open(const std::string& path, OpenMode mode, OpenFlags flags) {
  Implementation& disk = *impl_;
  if (!disk.online()) return tl::unexpected(DiskError::offline);
  const auto inode = open_inode(path, mode);
  if (!inode) return tl::unexpected(inode.error());
  if (flags.truncate && (*inode)->contents.size() != 0) {
    if (!disk.announce(DiskOperation::truncate, path, disk.lease())) return tl::unexpected(DiskError::offline);
    disk.reserve(**inode, 0);
    disk.note(DiskOperation::truncate, inode->get(), 0, 0, 0);
    (*inode)->resize(0);
  }
  File file;
  file.disk_ = this;
  file.inode_ = *inode;
  file.incarnation_ = disk.host.incarnation();
  file.medium_ = disk.medium;
  file.direct_ = flags.direct;
  return file;
}

tl::expected<void, DiskError> Disk::make_directory(const std::string& path) {
  Implementation& disk = *impl_;
  const Implementation::Lease lease = disk.lease();
  if (!disk.online(lease) || !disk.announce(DiskOperation::make_directory, path, lease))
    return tl::unexpected(DiskError::offline);
  const auto place = disk.names.find(path);
  if (!place) return tl::unexpected(place.error());
  if (place->inode) return tl::unexpected(DiskError::exists);
  const std::shared_ptr<detail::Inode> inode = disk.names.add_inode(true);
  disk.names.create(*place, inode);
  disk.note(DiskOperation::make_directory, inode.get(), 0, 0, stable_hash(path));
  return {};
}

tl::expected<void, DiskError> Disk::remove_directory(const std::string& path) {
  Implementation& disk = *impl_;
  const Implementation::Lease lease = disk.lease();
  if (!disk.online(lease) || !disk.announce(DiskOperation::remove_directory, path, lease))
    return tl::unexpected(DiskError::offline);
  const auto place = disk.names.find(path);
  if (!place) return tl::unexpected(place.error());
  if (place->last == Place::Last::root) return tl::unexpected(DiskError::busy);
  if (place->last == Place::Last::dot) return tl::unexpected(DiskError::invalid);
  if (place->last == Place::Last::dot_dot) return tl::unexpected(DiskError::not_empty);
  if (!place->inode) return tl::unexpected(DiskError::not_found);
  if (!place->inode->is_directory) return tl::unexpected(DiskError::not_a_directory);
  if (!place->inode->entries.empty()) return tl::unexpected(DiskError::not_empty);
  disk.note(DiskOperation::remove_directory, place->inode.get(), 0, 0, stable_hash(path));
  disk.names.remove(*place);
  return {};
}

tl::expected<void, DiskError> Disk::remove(const std::string& path) {
  Implementation& disk = *impl_;
  const Implementation::Lease lease = disk.lease();
  if (!disk.online(lease) || !disk.announce(DiskOperation::remove, path, lease))
    return tl::unexpected(DiskError::offline);
  const auto place = disk.names.find(path);
  if (!place) return tl::unexpected(place.error());
  if (place->last != Place::Last::name) return tl::unexpected(DiskError::is_a_directory);
  if (!place->inode) return tl::unexpected(DiskError::not_found);
  if (place->inode->is_directory) return tl::unexpected(DiskError::is_a_directory);
  if (place->must_be_directory) return tl::unexpected(DiskError::not_a_directory);
  disk.note(DiskOperation::remove, place->inode.get(), 0, 0, stable_hash(path));
  disk.used_bytes -= place->inode->contents.size();
  disk.names.remove(*place);
  return {};
}

namespace {

bool is_ancestor(const detail::Inode& above, std::shared_ptr<detail::Inode> below) {
  for (; below; below = below->parent.lock()) {
    if (below.get() == &above) return true;
  }
  return false;
}

// The rules of a rename, in the order in which Linux looks at them; the names differ or exist.
tl::expected<void, DiskError> check_rename(const Place& from, const Place& to) {
  if (from.last != Place::Last::name || to.last != Place::Last::name) return tl::unexpected(DiskError::busy);
  if (from.too_long) return tl::unexpected(DiskError::name_too_long);
  if (!from.inode) return tl::unexpected(DiskError::not_found);
  if (to.too_long) return tl::unexpected(DiskError::name_too_long);
  const bool directory = from.inode->is_directory;
  if (!directory && (from.must_be_directory || to.must_be_directory)) {
    return tl::unexpected(DiskError::not_a_directory);
  }
  if (directory && is_ancestor(*from.inode, to.directory)) return tl::unexpected(DiskError::invalid);
  if (!to.inode || to.inode == from.inode) return {};
  if (to.inode->is_directory && is_ancestor(*to.inode, from.directory)) return tl::unexpected(DiskError::not_empty);
  if (directory && !to.inode->is_directory) return tl::unexpected(DiskError::not_a_directory);
  if (!directory && to.inode->is_directory) return tl::unexpected(DiskError::is_a_directory);
  if (directory && !to.inode->entries.empty()) return tl::unexpected(DiskError::not_empty);
  return {};
}

}  // namespace

tl::expected<void, DiskError> Disk::rename(const std::string& from, const std::string& to) {
  Implementation& disk = *impl_;
  const Implementation::Lease lease = disk.lease();
  if (!disk.online(lease) || !disk.announce(DiskOperation::rename, from, lease))
    return tl::unexpected(DiskError::offline);
  const auto source = disk.names.walk(from);
  if (!source) return tl::unexpected(source.error());
  const auto target = disk.names.walk(to);
  if (!target) return tl::unexpected(target.error());
  if (const auto checked = check_rename(*source, *target); !checked) return checked;
  if (source->inode == target->inode) return {};
  disk.note(DiskOperation::rename, source->inode.get(), 0, 0, stable_hash(to, stable_hash(from)));
  if (target->inode) disk.used_bytes -= target->inode->contents.size();
  disk.names.rename(*source, *target);
  return {};
}

tl::expected<FileStatus, DiskError> Disk::status(const std::string& path) const {
  const auto inode = impl_->names.get(path);
  if (!inode) return tl::unexpected(inode.error());
  return FileStatus{(*inode)->id, (*inode)->is_directory, (*inode)->contents.size()};
}

bool Disk::exists(const std::string& path) const { return impl_->names.get(path).has_value(); }

tl::expected<std::vector<DirectoryEntry>, DiskError> Disk::list_directory(const std::string& path) const {
  const auto directory = impl_->names.get(path);
  if (!directory) return tl::unexpected(directory.error());
  if (!(*directory)->is_directory) return tl::unexpected(DiskError::not_a_directory);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, inode] : (*directory)->entries) entries.push_back({name, inode->is_directory});
  return entries;
}

std::vector<std::string> Disk::list(std::string_view prefix) const {
  // The last slash ends the directory that everything lies in.
  const std::size_t slash = prefix.rfind('/');
  const std::string above(prefix.substr(0, slash == std::string_view::npos ? 0 : slash + 1));
  const auto start = impl_->names.get(above.empty() ? "/" : above);
  std::vector<std::string> paths;
  if (!start || !(*start)->is_directory) return paths;
  std::vector<std::pair<std::string, const detail::Inode*>> directories{{above, start->get()}};
  while (!directories.empty()) {
    const auto [directory_prefix, directory] = std::move(directories.back());
    directories.pop_back();
    for (const auto& [name, inode] : directory->entries) {
      std::string path = directory_prefix + name;
      if (inode->is_directory) {
        directories.emplace_back(path + "/", inode.get());
      } else if (path.starts_with(prefix)) {
        paths.push_back(std::move(path));
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

tl::expected<void, DiskError> Disk::sync_directory(const std::string& path) {
  Implementation& disk = *impl_;
  const Implementation::Lease lease = disk.lease();
  if (!disk.online(lease) || !disk.announce(DiskOperation::sync_directory, path, lease))
    return tl::unexpected(DiskError::offline);
  const auto found = disk.names.get(path);
  if (!found) return tl::unexpected(found.error());
  const std::shared_ptr<detail::Inode> directory = *found;
  if (!directory->is_directory) return tl::unexpected(DiskError::not_a_directory);
  ++disk.statistics.syncs;
  disk.note(DiskOperation::sync_directory, directory->id == 0 ? nullptr : directory.get(), 0,
            disk.names.changes().size(), 0);
  const std::uint64_t end = disk.names.next_change();
  const auto outcome = disk.spend_sync(0, 1, lease);
  if (!outcome) return tl::unexpected(outcome.error());
  if (*outcome == Implementation::SyncOutcome::lie) return {};
  if (*outcome != Implementation::SyncOutcome::durable) return tl::unexpected(DiskError::io_error);
  disk.names.make_durable(directory->id, end, disk.parameters.unordered_names);
  return {};
}

}  // namespace polarsim::sim
