// The device under a disk: a queue, a number of servers, and limits that everything on the device shares.
//
// A request waits for a free slot (`queue_depth` requests are in service at once), then is served for its own latency,
// and not faster than the shared limits let it: a limit of operations per second starts the requests evenly spaced, a
// limit of bandwidth moves the bytes of one request after another over one bus. A request that a crash kills gives its
// slot back; what it has taken from the limits stays taken, as a device goes on with what it was given.
//
// Without limits (the default) requests overlap freely and nothing is queued. Several disks may share one device
// (Disk::set_device): then one host's load slows the others', as on a shared array or two volumes on one drive.
//
// A stall freezes the device until a moment: requests that come or are in service end after it. Buffered writes do not
// reach the device and go on; reads, direct writes and syncs wait.
//
// Not modelled: seeks and the place of data on the device, merging of neighbouring requests, a device cache that makes
// some requests faster.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <string>

#include "sim/distribution.h"
#include "sim/sync.h"
#include "sim/time.h"

namespace polarsim::sim {

class Simulation;

enum class QueueOrder : std::uint8_t {
  fifo,
  random,  // any waiting request may be next: a draw from the stream "device/<name>/order"
};

struct DeviceParameters {
  std::uint32_t queue_depth = 0;                   // requests in service at once; 0 is unlimited
  std::uint64_t operations_per_s = 0;              // 0 is unlimited
  std::uint64_t shared_bandwidth_bytes_per_s = 0;  // 0 is unlimited
  QueueOrder order = QueueOrder::fifo;
  // Probability that a request, as it enters service, freezes the device for a while; the draws are from the stream
  // "device/<name>/stall", and there are none while it is zero.
  double stall = 0;
  DurationDistribution stall_time = DurationDistribution::constant(std::chrono::seconds(1));
};

struct DeviceStatistics {
  // Bucket i counts requests that took less than 2^i microseconds from arrival to end and not less than the bucket
  // before; the last bucket counts the rest.
  static constexpr std::size_t buckets = 32;
  std::uint64_t requests = 0;  // that came to their end
  std::uint32_t in_service = 0, queued = 0;
  std::uint32_t queued_max = 0;
  Duration queue_wait{0};  // the sum over all requests
  Duration service{0};
  std::array<std::uint64_t, buckets> latency{};
};

class BlockDevice {
 public:
  BlockDevice(Simulation& simulation, std::string name);
  BlockDevice(const BlockDevice&) = delete;
  BlockDevice& operator=(const BlockDevice&) = delete;

  const std::string& name() const { return name_; }
  const DeviceParameters& parameters() const { return parameters_; }
  // Takes effect for requests that have not entered service.
  void set_parameters(const DeviceParameters& parameters);
  const DeviceStatistics& statistics() const { return statistics_; }
  // Freezes the device until `end` of true time; an earlier end than the present one has no effect.
  void stall_until(Time end);

  // Blocks until the device has served a request of `service` own time that moves `bytes` and counts as `operations`
  // against the limit. Returns at once if nothing makes it wait and `service` is zero. While the caller unwinds it
  // returns without service.
  void serve(Duration service, std::uint64_t bytes, std::uint64_t operations);

 private:
  struct Waiter {
    explicit Waiter(Scheduler& scheduler) : queue(scheduler) {}
    WaitQueue queue;
    bool granted = false;
  };
  class Slot;

  void release();
  void admit();
  // Takes the request's share of the limits; returns when its service ends if no stall comes.
  Time schedule(Duration service, std::uint64_t bytes, std::uint64_t operations);
  void sleep_past_stalls(Time end);
  void count(Duration waited, Duration served);

  Simulation& simulation_;
  Scheduler& scheduler_;
  std::string name_;
  DeviceParameters parameters_;
  DeviceStatistics statistics_;
  std::list<Waiter*> waiting_;
  Time stalled_until_ = time_zero;
  Time next_start_ = time_zero;  // of the operations limit
  Time bus_free_ = time_zero;    // of the bandwidth limit
};

}  // namespace polarsim::sim
