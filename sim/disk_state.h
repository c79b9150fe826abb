// The state behind disk.h; private to the disk's own sources.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk.h"
#include "sim/disk_directory.h"
#include "sim/disk_inode.h"
#include "sim/trace.h"

namespace polarsim::sim {

struct Disk::Implementation {
  using Inode = detail::Inode;

  // Which life of the host, and which medium, a call belongs to: if either is another when the device has done its
  // work, the caller is told that the disk is offline.
  struct Lease {
    std::uint64_t incarnation = 0;
    std::uint64_t medium = 0;
  };
  // What becomes of a sync.
  enum class SyncOutcome : std::uint8_t { durable, lie, failed_keeping, failed_forgetting };

  explicit Implementation(Host& owner);

  Lease lease() const;
  bool online(const Lease& lease) const;
  bool online() const { return online(lease()); }
  // The device's own time for an operation.
  Duration service_time(const DurationDistribution& latency, RandomStream& stream, std::uint64_t bytes) const;
  // Sleeps for the device's time, queue and limits included; false if the disk went offline meanwhile.
  bool spend_on_device(Duration service, std::uint64_t bytes, std::uint64_t operations, const Lease& lease);
  // Sleeps without the device.
  bool spend_in_memory(Duration time, const Lease& lease);
  // Sleeps for a sync that writes this much, and draws its outcome.
  tl::expected<SyncOutcome, DiskError> spend_sync(std::uint64_t bytes, std::uint64_t operations, const Lease& lease);

  // Draws from the stream of the fault; false without a draw if the probability is zero.
  bool strikes(double probability, std::string_view fault);
  RandomStream& stream(std::string_view fault);

  // Accounts for a file that is about to have `new_size` bytes; false if they do not fit.
  bool reserve(const Inode& inode, std::uint64_t new_size);
  // After a power loss or a new medium.
  void count_used_bytes();

  // --- disk_writeback.cpp: what faults make of reads and of what is written to the device ---
  // Draws for one read.
  void strike_read(Inode& inode, std::uint64_t offset, std::uint64_t length, bool direct);
  // The records below `end` reach the device; some of their pages may not.
  void write_back(Inode& inode, std::uint64_t end);
  // A sync of the records below `end` has failed, and they count as clean.
  void forget(Inode& inode, std::uint64_t end);
  // The last record, a direct write, may be lost or go astray.
  void strike_direct_write(Inode& inode);

  // Tells the observer what is about to happen; false if it has ended the life or the medium that the call belongs to.
  bool announce(DiskOperation operation, const std::string& path, const Lease& lease);
  bool announce(DiskOperation operation, const Inode& inode, const Lease& lease);

  void note(DiskOperation operation, const Inode* inode, std::uint64_t offset, std::uint64_t size, std::uint64_t hash);

  // --- disk_trace.cpp: what the disk tells the trace, if it is on ---
  // An operation that takes time, for the event that ends it.
  struct Under {
    TraceId begin = 0;
    TraceName name = 0;
    Time since = time_zero;
  };
  void trace_begin(DiskOperation operation, const Inode* inode, std::uint64_t offset, std::uint64_t size);
  void trace_end(const Under& operation);

  Host& host;
  Scheduler& scheduler;
  DiskParameters parameters;
  DiskStatistics statistics;
  DiskObserver observer;
  std::shared_ptr<BlockDevice> device;
  bool powered = true;
  std::uint64_t medium = 0;  // counts replacements
  detail::NameTree names;
  std::uint64_t used_bytes = 0;  // sizes of linked files
  std::uint32_t failing_syncs = 0;
  SyncFailure failing_syncs_kind = SyncFailure::keeps_dirty;
  Under under;  // the operation that began last
  RandomStream* read_stream;
  RandomStream* write_stream;
  RandomStream* sync_stream;
  RandomStream* crash_stream;

 private:
  // A sector that a page or request was to write, before and after.
  struct PendingSector {
    std::uint64_t sector = 0;
    std::string old_image;  // nothing if it cannot be read
    std::string new_image;
  };
  // Pages by number, each with the sectors that the records in [begin, end) change.
  using PendingPages = std::map<std::uint64_t, std::vector<PendingSector>>;
  static PendingPages pending_pages(const Inode& inode, std::uint64_t begin, std::uint64_t end);
  // The medium keeps what it held.
  static void leave_out_damaged(const Inode& inode, PendingPages& pages);
  static void keep_old(Inode& inode, const std::vector<PendingSector>& sectors, DamageKind kind);
  // The bytes land where they do not belong.
  void misdirect(const Inode& intended, const std::vector<PendingSector>& sectors);
};

}  // namespace polarsim::sim
