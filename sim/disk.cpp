#include "sim/disk.h"

#include <algorithm>
#include <limits>

#include "sim/disk_state.h"
#include "sim/host.h"
#include "sim/simulation.h"
#include "sim/transfer_time.h"

namespace polarsim::sim {

namespace {

// Directory changes that are kept undoable at most; older ones become durable, as a journal commit would make them.
constexpr std::size_t changes_max = 10'000;

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
  }
  return "unknown";
}

const std::string& no_path() {
  static const std::string path;
  return path;
}

}  // namespace

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
  }
  return "unknown";
}

Disk::Implementation::Implementation(Host& owner)
    : host(owner),
      scheduler(owner.scheduler()),
      read_stream(&owner.simulation().random("disk/" + owner.name() + "/read")),
      write_stream(&owner.simulation().random("disk/" + owner.name() + "/write")),
      sync_stream(&owner.simulation().random("disk/" + owner.name() + "/sync")),
      crash_stream(&owner.simulation().random("disk/" + owner.name() + "/crash")) {}

bool Disk::Implementation::online(std::uint64_t incarnation) const {
  return powered && host.up() && host.incarnation() == incarnation;
}

bool Disk::Implementation::spend(const DurationDistribution& latency, RandomStream& stream, std::uint64_t bytes,
                                 std::uint64_t incarnation) {
  Duration time = latency.sample(stream) + transfer_time(bytes, parameters.bandwidth_bytes_per_s);
  if (parameters.slowdown != 1) {
    const double slowed = static_cast<double>(time.count()) * parameters.slowdown;
    // Beyond a century the exact figure no longer matters, only that it fits.
    time = Duration(static_cast<std::int64_t>(std::clamp(slowed, 0.0, 3e18)));
  }
  // The operation was noted just before, in the same step of the task.
  const TraceId operation = noted;
  const TraceName name = noted_name;
  if (time > Duration(0)) scheduler.sleep_for(time);
  if (Trace& trace = host.simulation().trace(); trace.enabled()) [[unlikely]] {
    TraceRecord event;
    event.time = scheduler.now();
    event.kind = TraceKind::io;
    event.verb = TraceVerb::end;
    event.parent = operation;
    event.host = trace.name(host.name());
    event.name = name;
    event.a = static_cast<std::uint64_t>(time.count());
    trace.record(event);
  }
  return online(incarnation);
}

tl::expected<bool, DiskError> Disk::Implementation::spend_sync(std::uint64_t incarnation) {
  if (!spend(parameters.sync_latency, *sync_stream, 0, incarnation)) return tl::unexpected(DiskError::offline);
  if (parameters.sync_failure > 0 && sync_stream->chance(parameters.sync_failure)) {
    return tl::unexpected(DiskError::io_error);
  }
  return !parameters.lying_syncs;
}

// Accounts for a file that is about to have `new_size` bytes; false if they do not fit.
bool Disk::Implementation::reserve(const Inode& inode, std::uint64_t new_size) {
  if (!inode.linked) return true;
  const std::uint64_t others = used_bytes - inode.contents.size();
  if (new_size > inode.contents.size() &&
      (others > parameters.capacity_bytes || new_size > parameters.capacity_bytes - others)) {
    return false;
  }
  used_bytes = others + new_size;
  return true;
}

void Disk::Implementation::record(detail::DirectoryChange change) {
  changes.push_back(std::move(change));
  if (changes.size() <= changes_max) return;
  changes.pop_front();
  ++changes_start;
}

void Disk::Implementation::lose_names() {
  if (changes.empty()) return;
  std::uint64_t surviving = 0;
  const std::uint64_t extent = crash_stream->below(4);
  if (extent == 1) surviving = changes.size();
  if (extent > 1) surviving = crash_stream->below(changes.size() + 1);
  changes_start += changes.size();
  while (changes.size() > surviving) {
    const detail::DirectoryChange& change = changes.back();
    change.inode->linked = false;
    undo_change(directory, change);
    changes.pop_back();
  }
  changes.clear();
  for (const auto& [path, inode] : directory) {
    inode->path = path;
    inode->linked = true;
  }
}

void Disk::Implementation::note(DiskOperation operation, const Inode* inode, std::uint64_t offset, std::uint64_t size,
                                std::uint64_t hash) {
  const std::uint64_t what = (static_cast<std::uint64_t>(operation) << 56) | (inode == nullptr ? 0 : inode->id);
  Simulation& simulation = host.simulation();
  simulation.digest().absorb(DigestKind::disk, what, (offset << 20) ^ size, hash);
  Trace& trace = simulation.trace();
  if (!trace.enabled()) return;
  TraceRecord event;
  event.time = simulation.now();
  event.kind = TraceKind::io;
  event.verb = TraceVerb::begin;
  event.host = trace.name(host.name());
  event.name = trace.name(to_string(operation));
  event.a = offset;
  event.b = size;
  noted = trace.record(event, inode == nullptr ? "/" : inode->path);
  noted_name = event.name;
}

// --- File ---

const std::string& File::path() const { return inode_ ? inode_->path : no_path(); }
std::uint64_t File::size() const { return inode_ ? inode_->contents.size() : 0; }

tl::expected<std::size_t, DiskError> File::read(std::uint64_t offset, std::size_t count, std::string& out) const {
  if (disk_ == nullptr || !disk_->impl_->online(incarnation_)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  // The handle may be moved or destroyed by another task while this one waits for the device.
  const std::shared_ptr<detail::Inode> inode = inode_;
  const std::uint64_t incarnation = incarnation_;
  const auto available = [&]() -> std::uint64_t {
    const std::uint64_t size = inode->contents.size();
    return offset < size ? std::min<std::uint64_t>(count, size - offset) : 0;
  };
  ++disk.statistics.reads;
  disk.note(DiskOperation::read, inode.get(), offset, count, 0);
  if (!disk.spend(disk.parameters.read_latency, *disk.read_stream, available(), incarnation)) {
    return tl::unexpected(DiskError::offline);
  }
  const std::uint64_t found = available();
  inode->contents.read(offset, found, out);
  disk.statistics.bytes_read += found;
  return found;
}

tl::expected<void, DiskError> File::write(std::uint64_t offset, std::string_view bytes) {
  if (disk_ == nullptr || !disk_->impl_->online(incarnation_)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  const std::shared_ptr<detail::Inode> inode = inode_;
  const std::uint64_t incarnation = incarnation_;
  const std::uint64_t size = inode->contents.size();
  if (offset > std::numeric_limits<std::uint64_t>::max() / 2) return tl::unexpected(DiskError::no_space);
  const std::uint64_t end = bytes.empty() ? 0 : offset + bytes.size();
  if (!disk.reserve(*inode, std::max(size, end))) return tl::unexpected(DiskError::no_space);

  ++disk.statistics.writes;
  disk.statistics.bytes_written += bytes.size();
  disk.note(DiskOperation::write, inode.get(), offset, bytes.size(), stable_hash(bytes));
  if (!bytes.empty()) {
    detail::Undo undo{false, size, offset, bytes.size(), {}};
    if (offset < size) inode->contents.read(offset, std::min<std::uint64_t>(bytes.size(), size - offset), undo.old);
    inode->contents.write(offset, bytes);
    inode->append(std::move(undo));
  }
  if (!disk.spend(disk.parameters.write_latency, *disk.write_stream, bytes.size(), incarnation)) {
    return tl::unexpected(DiskError::offline);
  }
  return {};
}

tl::expected<void, DiskError> File::truncate(std::uint64_t size) {
  if (disk_ == nullptr || !disk_->impl_->online(incarnation_)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  const std::shared_ptr<detail::Inode> inode = inode_;
  const std::uint64_t incarnation = incarnation_;
  const std::uint64_t before = inode->contents.size();
  if (!disk.reserve(*inode, size)) return tl::unexpected(DiskError::no_space);

  ++disk.statistics.writes;
  disk.note(DiskOperation::truncate, inode.get(), 0, size, 0);
  if (size != before) {
    detail::Undo undo{size < before, before, std::min(size, before), 0, {}};
    if (size < before) {
      undo.length = before - size;
      inode->contents.read(size, undo.length, undo.old);
    }
    inode->contents.resize(size);
    inode->append(std::move(undo));
  }
  if (!disk.spend(disk.parameters.write_latency, *disk.write_stream, 0, incarnation)) {
    return tl::unexpected(DiskError::offline);
  }
  return {};
}

tl::expected<void, DiskError> File::sync() {
  if (disk_ == nullptr || !disk_->impl_->online(incarnation_)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  const std::shared_ptr<detail::Inode> inode = inode_;
  const std::uint64_t incarnation = incarnation_;
  ++disk.statistics.syncs;
  disk.note(DiskOperation::sync, inode.get(), 0, inode->contents.size(), 0);
  // What is written while the device works belongs to the next sync.
  const std::uint64_t end = inode->journal_start + inode->journal.size();
  const tl::expected<bool, DiskError> durable = disk.spend_sync(incarnation);
  if (!durable) return tl::unexpected(durable.error());
  if (*durable) inode->make_durable(end);
  return {};
}

// --- Disk ---

Disk::Disk(Host& host) : impl_(std::make_unique<Implementation>(host)) {}
Disk::~Disk() = default;

tl::expected<File, DiskError> Disk::open(const std::string& path, OpenMode mode) {
  Implementation& disk = *impl_;
  if (!disk.online(disk.host.incarnation())) return tl::unexpected(DiskError::offline);
  const auto found = disk.directory.find(path);
  File file;
  if (found != disk.directory.end()) {
    if (mode == OpenMode::create_new) return tl::unexpected(DiskError::exists);
    file.inode_ = found->second;
    disk.note(DiskOperation::open, file.inode_.get(), 0, 0, stable_hash(path));
  } else {
    if (mode == OpenMode::existing) return tl::unexpected(DiskError::not_found);
    file.inode_ = std::make_shared<detail::Inode>();
    file.inode_->id = disk.next_inode++;
    file.inode_->path = path;
    disk.directory.emplace(path, file.inode_);
    disk.record({detail::DirectoryChange::Kind::create, path, {}, file.inode_, nullptr});
    disk.note(DiskOperation::create, file.inode_.get(), 0, 0, stable_hash(path));
  }
  file.disk_ = this;
  file.incarnation_ = disk.host.incarnation();
  return file;
}

tl::expected<void, DiskError> Disk::remove(const std::string& path) {
  Implementation& disk = *impl_;
  if (!disk.online(disk.host.incarnation())) return tl::unexpected(DiskError::offline);
  const auto found = disk.directory.find(path);
  if (found == disk.directory.end()) return tl::unexpected(DiskError::not_found);
  const std::shared_ptr<detail::Inode> inode = found->second;
  disk.note(DiskOperation::remove, inode.get(), 0, 0, stable_hash(path));
  disk.used_bytes -= inode->contents.size();
  inode->linked = false;
  disk.directory.erase(found);
  disk.record({detail::DirectoryChange::Kind::remove, path, {}, inode, nullptr});
  return {};
}

tl::expected<void, DiskError> Disk::rename(const std::string& from, const std::string& to) {
  Implementation& disk = *impl_;
  if (!disk.online(disk.host.incarnation())) return tl::unexpected(DiskError::offline);
  const auto found = disk.directory.find(from);
  if (found == disk.directory.end()) return tl::unexpected(DiskError::not_found);
  if (from == to) return {};
  const std::shared_ptr<detail::Inode> inode = found->second;
  disk.note(DiskOperation::rename, inode.get(), 0, 0, stable_hash(to, stable_hash(from)));
  disk.directory.erase(found);
  std::shared_ptr<detail::Inode>& target = disk.directory[to];
  const std::shared_ptr<detail::Inode> displaced = target;
  if (displaced) {
    disk.used_bytes -= displaced->contents.size();
    displaced->linked = false;
  }
  inode->path = to;
  target = inode;
  disk.record({detail::DirectoryChange::Kind::rename, from, to, inode, displaced});
  return {};
}

bool Disk::exists(const std::string& path) const { return impl_->directory.contains(path); }

std::vector<std::string> Disk::list(std::string_view prefix) const {
  std::vector<std::string> paths;
  for (auto entry = impl_->directory.lower_bound(prefix); entry != impl_->directory.end(); ++entry) {
    if (!entry->first.starts_with(prefix)) break;
    paths.push_back(entry->first);
  }
  return paths;
}

tl::expected<void, DiskError> Disk::sync_directory() {
  Implementation& disk = *impl_;
  const std::uint64_t incarnation = disk.host.incarnation();
  if (!disk.online(incarnation)) return tl::unexpected(DiskError::offline);
  ++disk.statistics.syncs;
  disk.note(DiskOperation::sync_directory, nullptr, 0, disk.changes.size(), 0);
  const std::uint64_t end = disk.changes_start + disk.changes.size();
  const tl::expected<bool, DiskError> durable = disk.spend_sync(incarnation);
  if (!durable) return tl::unexpected(durable.error());
  // Another sync that ended meanwhile may have taken some of them.
  for (; *durable && disk.changes_start < end; ++disk.changes_start) disk.changes.pop_front();
  return {};
}

const DiskParameters& Disk::parameters() const { return impl_->parameters; }
void Disk::set_parameters(const DiskParameters& parameters) { impl_->parameters = parameters; }
const DiskStatistics& Disk::statistics() const { return impl_->statistics; }

void Disk::crash() {
  Implementation& disk = *impl_;
  disk.powered = false;
  disk.lose_names();
  std::map<std::uint64_t, detail::Inode*> by_number;
  for (const auto& [path, inode] : disk.directory) by_number.emplace(inode->id, inode.get());
  disk.used_bytes = 0;
  for (const auto& [number, inode] : by_number) {
    detail::lose_power(*inode, *disk.crash_stream);
    disk.used_bytes += inode->contents.size();
  }
  disk.note(DiskOperation::crash, nullptr, disk.directory.size(), disk.used_bytes, 0);
}

void Disk::boot() { impl_->powered = true; }

std::string Disk::durable_contents(const std::string& path) const {
  detail::Directory durable = impl_->directory;
  for (auto change = impl_->changes.rbegin(); change != impl_->changes.rend(); ++change) undo_change(durable, *change);
  const auto found = durable.find(path);
  return found == durable.end() ? std::string() : detail::durable_bytes(*found->second);
}

void Disk::damage(const std::string& path, std::uint64_t offset, std::uint8_t mask) {
  const auto found = impl_->directory.find(path);
  if (found == impl_->directory.end()) return;
  detail::Inode& inode = *found->second;
  const auto flip = [mask](char byte) { return static_cast<char>(static_cast<std::uint8_t>(byte) ^ mask); };
  if (offset < inode.contents.size()) {
    const std::string damaged(1, flip(inode.contents.read_padded(offset, 1)[0]));
    inode.contents.write(offset, damaged);
  }
  // Every version the cache may still write, or may have written, has the flaw.
  for (detail::Undo& undo : inode.journal) {
    if (offset < undo.offset || offset - undo.offset >= undo.old.size()) continue;
    undo.old[offset - undo.offset] = flip(undo.old[offset - undo.offset]);
  }
  impl_->note(DiskOperation::damage, &inode, offset, 1, mask);
}

}  // namespace polarsim::sim
