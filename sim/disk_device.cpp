#include "sim/disk_device.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "sim/simulation.h"
#include "sim/transfer_time.h"

namespace polarsim::sim {

BlockDevice::BlockDevice(Simulation& simulation, std::string name)
    : simulation_(simulation), scheduler_(simulation.scheduler()), name_(std::move(name)) {}

// One request's place among those in service; on every way out, a task's death included, the place goes to the next.
class BlockDevice::Slot {
 public:
  explicit Slot(BlockDevice& device) : device_(device), waiter_(device.scheduler_) {
    const DeviceParameters& parameters = device_.parameters_;
    if (device_.waiting_.empty() &&
        (parameters.queue_depth == 0 || device_.statistics_.in_service < parameters.queue_depth)) {
      waiter_.granted = true;
      ++device_.statistics_.in_service;
      return;
    }
    device_.waiting_.push_back(&waiter_);
    const auto queued = static_cast<std::uint32_t>(device_.waiting_.size());
    device_.statistics_.queued = queued;
    device_.statistics_.queued_max = std::max(device_.statistics_.queued_max, queued);
    try {
      while (!waiter_.granted && waiter_.queue.wait("disk/queue") == WakeReason::woken) {
      }
    } catch (...) {
      leave();
      throw;
    }
    if (!waiter_.granted) leave();
  }
  ~Slot() {
    if (waiter_.granted) device_.release();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  bool granted() const { return waiter_.granted; }

 private:
  void leave() {
    if (waiter_.granted) {
      device_.release();
      waiter_.granted = false;
      return;
    }
    device_.waiting_.remove(&waiter_);
    device_.statistics_.queued = static_cast<std::uint32_t>(device_.waiting_.size());
  }

  BlockDevice& device_;
  Waiter waiter_;
};

void BlockDevice::set_parameters(const DeviceParameters& parameters) {
  parameters_ = parameters;
  admit();
}

void BlockDevice::stall_until(Time end) { stalled_until_ = std::max(stalled_until_, end); }

void BlockDevice::release() {
  --statistics_.in_service;
  admit();
}

void BlockDevice::admit() {
  while (!waiting_.empty() && (parameters_.queue_depth == 0 || statistics_.in_service < parameters_.queue_depth)) {
    auto next = waiting_.begin();
    if (parameters_.order == QueueOrder::random && waiting_.size() > 1) {
      const std::uint64_t place = simulation_.random("device/" + name_ + "/order").below(waiting_.size());
      std::advance(next, static_cast<std::ptrdiff_t>(place));
    }
    Waiter& waiter = **next;
    waiting_.erase(next);
    waiter.granted = true;
    ++statistics_.in_service;
    waiter.queue.notify_one();
  }
  statistics_.queued = static_cast<std::uint32_t>(waiting_.size());
}

Time BlockDevice::schedule(Duration service, std::uint64_t bytes, std::uint64_t operations) {
  Time start = scheduler_.now();
  if (parameters_.operations_per_s != 0) {
    start = std::max(start, next_start_);
    // The time that `operations` take at the limit is the time that as many bytes take at that bandwidth.
    next_start_ = deadline_after(start, transfer_time(operations, parameters_.operations_per_s));
  }
  Time end = deadline_after(start, service);
  if (parameters_.shared_bandwidth_bytes_per_s != 0) {
    bus_free_ =
        deadline_after(std::max(start, bus_free_), transfer_time(bytes, parameters_.shared_bandwidth_bytes_per_s));
    end = std::max(end, bus_free_);
  }
  return end;
}

void BlockDevice::sleep_past_stalls(Time end) {
  if (end > scheduler_.now()) scheduler_.sleep_until(end);
  while (stalled_until_ > scheduler_.now() && !scheduler_.unwinding()) scheduler_.sleep_until(stalled_until_);
}

void BlockDevice::count(Duration waited, Duration served) {
  ++statistics_.requests;
  statistics_.queue_wait += waited;
  statistics_.service += served;
  const auto us = static_cast<std::uint64_t>((waited + served).count() / 1000);
  const auto bucket =
      std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(us)), DeviceStatistics::buckets - 1);
  ++statistics_.latency[bucket];
}

void BlockDevice::serve(Duration service, std::uint64_t bytes, std::uint64_t operations) {
  const Time arrival = scheduler_.now();
  const Slot slot(*this);
  if (!slot.granted()) return;
  const Time start = scheduler_.now();
  if (parameters_.stall > 0) {
    RandomStream& stream = simulation_.random("device/" + name_ + "/stall");
    if (stream.chance(parameters_.stall)) stall_until(deadline_after(start, parameters_.stall_time.sample(stream)));
  }
  sleep_past_stalls(schedule(service, bytes, operations));
  count(start - arrival, scheduler_.now() - start);
}

}  // namespace polarsim::sim
