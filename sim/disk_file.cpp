// Open files.
#include <algorithm>
#include <limits>

#include "sim/disk_state.h"
#include "sim/host.h"
#include "sim/transfer_time.h"

namespace polarsim::sim {

namespace {

// The offsets that Linux can express.
constexpr std::uint64_t offset_max = std::numeric_limits<std::uint64_t>::max() / 2;

bool aligned(std::uint64_t offset, std::uint64_t length) {
  return offset % sector_bytes == 0 && length % sector_bytes == 0;
}

}  // namespace

std::string File::path() const { return inode_ ? inode_->path() : std::string(); }
std::uint64_t File::size() const { return inode_ ? inode_->contents.size() : 0; }

tl::expected<std::size_t, DiskError> File::read(std::uint64_t offset, std::size_t count, std::string& out) const {
  const Disk::Implementation::Lease lease{incarnation_, medium_};
  if (disk_ == nullptr || !disk_->impl_->online(lease)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  if (direct_ && !aligned(offset, count)) return tl::unexpected(DiskError::invalid);
  // The handle may be moved or destroyed by another task while this one waits for the device.
  const std::shared_ptr<detail::Inode> inode = inode_;
  const bool direct = direct_;
  if (!disk.announce(DiskOperation::read, *inode, lease)) return tl::unexpected(DiskError::offline);
  const auto available = [&]() -> std::uint64_t {
    const std::uint64_t size = inode->contents.size();
    return offset < size ? std::min<std::uint64_t>(count, size - offset) : 0;
  };
  ++disk.statistics.reads;
  disk.note(DiskOperation::read, inode.get(), offset, count, 0);
  disk.strike_read(*inode, offset, available(), direct);
  const Duration service = disk.service_time(disk.parameters.read_latency, *disk.read_stream, available());
  if (!disk.spend_on_device(service, available(), 1, lease)) return tl::unexpected(DiskError::offline);
  const std::uint64_t found = available();
  const bool damaged = !inode->damage.empty();
  if (damaged && !detail::readable(inode->damage, offset, found, direct)) return tl::unexpected(DiskError::io_error);
  const std::size_t begin = out.size();
  inode->contents.read(offset, found, out);
  if (damaged) detail::overlay(inode->damage, offset, direct, begin, out);
  disk.statistics.bytes_read += found;
  return found;
}

tl::expected<std::size_t, DiskError> File::write(std::uint64_t offset, std::string_view bytes) {
  const Disk::Implementation::Lease lease{incarnation_, medium_};
  if (disk_ == nullptr || !disk_->impl_->online(lease)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  const std::shared_ptr<detail::Inode> inode = inode_;
  const bool direct = direct_;
  if (direct && !aligned(offset, bytes.size())) return tl::unexpected(DiskError::invalid);
  if (offset > offset_max) return tl::unexpected(DiskError::no_space);
  if (!disk.announce(DiskOperation::write, *inode, lease)) return tl::unexpected(DiskError::offline);
  const std::uint64_t unit = direct ? sector_bytes : 1;
  if (bytes.size() > unit && disk.strikes(disk.parameters.short_write, "short_write")) {
    bytes = bytes.substr(0, unit * (1 + disk.stream("short_write").below(bytes.size() / unit - 1)));
  }
  const std::uint64_t size = inode->contents.size();
  const std::uint64_t end = bytes.empty() ? 0 : offset + bytes.size();
  if (!direct && !inode->damage.empty() && !detail::writable(inode->damage, offset, bytes.size(), size)) {
    return tl::unexpected(DiskError::io_error);
  }
  if (!disk.reserve(*inode, std::max(size, end))) return tl::unexpected(DiskError::no_space);

  ++disk.statistics.writes;
  disk.statistics.bytes_written += bytes.size();
  disk.note(DiskOperation::write, inode.get(), offset, bytes.size(), stable_hash(bytes));
  const std::size_t written = bytes.size();
  if (!bytes.empty()) {
    inode->write(offset, bytes, direct);
    if (direct) disk.strike_direct_write(*inode);
  }
  const Duration service = disk.service_time(disk.parameters.write_latency, *disk.write_stream, written);
  const bool online = direct ? disk.spend_on_device(service, written, 1, lease) : disk.spend_in_memory(service, lease);
  if (!online) return tl::unexpected(DiskError::offline);
  return written;
}

tl::expected<void, DiskError> File::write_all(std::uint64_t offset, std::string_view bytes) {
  do {
    const auto written = write(offset, bytes);
    if (!written) return tl::unexpected(written.error());
    offset += *written;
    bytes.remove_prefix(*written);
  } while (!bytes.empty());
  return {};
}

tl::expected<void, DiskError> File::truncate(std::uint64_t size) {
  const Disk::Implementation::Lease lease{incarnation_, medium_};
  if (disk_ == nullptr || !disk_->impl_->online(lease)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  const std::shared_ptr<detail::Inode> inode = inode_;
  if (!disk.announce(DiskOperation::truncate, *inode, lease)) return tl::unexpected(DiskError::offline);
  if (!disk.reserve(*inode, size)) return tl::unexpected(DiskError::no_space);

  ++disk.statistics.writes;
  disk.note(DiskOperation::truncate, inode.get(), 0, size, 0);
  if (size != inode->contents.size()) inode->resize(size);
  const Duration service = disk.service_time(disk.parameters.write_latency, *disk.write_stream, 0);
  if (!disk.spend_in_memory(service, lease)) return tl::unexpected(DiskError::offline);
  return {};
}

tl::expected<void, DiskError> File::sync() {
  const Disk::Implementation::Lease lease{incarnation_, medium_};
  if (disk_ == nullptr || !disk_->impl_->online(lease)) return tl::unexpected(DiskError::offline);
  Disk::Implementation& disk = *disk_->impl_;
  const std::shared_ptr<detail::Inode> inode = inode_;
  if (!disk.announce(DiskOperation::sync, *inode, lease)) return tl::unexpected(DiskError::offline);
  ++disk.statistics.syncs;
  disk.note(DiskOperation::sync, inode.get(), 0, inode->contents.size(), 0);
  // What is written while the device works belongs to the next sync.
  const std::uint64_t end = inode->journal_end();
  const auto [bytes, records] = inode->pending_requests();
  const auto outcome = disk.spend_sync(bytes, records + 1, lease);
  if (!outcome) return tl::unexpected(outcome.error());
  switch (*outcome) {
    case Disk::Implementation::SyncOutcome::durable:
      disk.write_back(*inode, end);
      return {};
    case Disk::Implementation::SyncOutcome::lie:
      return {};
    case Disk::Implementation::SyncOutcome::failed_forgetting:
      disk.forget(*inode, end);
      break;
    case Disk::Implementation::SyncOutcome::failed_keeping:
      break;
  }
  return tl::unexpected(DiskError::io_error);
}

}  // namespace polarsim::sim
