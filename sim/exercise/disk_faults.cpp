// Faults of disks. What a disk may do beside failing honestly depends on the host's DiskNature.
#include <algorithm>

#include "sim/crash_states.h"
#include "sim/exercise/faults.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

// Disks keep their character; troubles pass.
DiskParameters untroubled(const DiskParameters& now) {
  DiskParameters disk;
  disk.read_latency = now.read_latency;
  disk.write_latency = now.write_latency;
  disk.sync_latency = now.sync_latency;
  disk.capacity_bytes = now.capacity_bytes;
  disk.unordered_names = now.unordered_names;
  return disk;
}

}  // namespace

void DiskFaults::strike(Host& host) {
  switch (random_.below(5)) {
    case 0:
      return limit_device(host);
    case 1:
      return damage(host);
    case 2:
      world_.count("device stalled");
      return host.disk().device().stall_until(draw_end(world_, random_));
    default:
      return trouble(host);
  }
}

void DiskFaults::trouble(Host& host) {
  DiskParameters disk = untroubled(host.disk().parameters());
  const DiskNature nature = world_.record(host.name()).disk;
  disk.slowdown = static_cast<double>(random_.between(1, 50));
  if (random_.chance(0.5)) disk.sync_failure = random_.unit();
  if (random_.chance(0.3)) disk.no_space = random_.unit() * 0.5;
  if (random_.chance(0.3)) disk.short_write = random_.unit();
  if (random_.chance(0.3)) disk.eviction = random_.unit();
  if (nature == DiskNature::liar) disk.lying_syncs = random_.unit();
  if (nature == DiskNature::damaging) {
    if (random_.chance(0.5)) disk.sync_failure_kind = SyncFailure::forgets;
    if (random_.chance(0.4)) disk.lost_write = random_.unit() * 0.3;
    if (random_.chance(0.4)) disk.misdirected_write = random_.unit() * 0.3;
    if (random_.chance(0.4)) disk.bit_rot = random_.unit() * 0.3;
    if (random_.chance(0.4)) disk.latent_sector_error = random_.unit() * 0.3;
  }
  host.disk().set_parameters(disk);
  world_.count("disk troubled");
  const Time end = draw_end(world_, random_);
  world_.scheduler().call_at(end, [&host] { host.disk().set_parameters(untroubled(host.disk().parameters())); });
}

void DiskFaults::limit_device(Host& host) {
  DeviceParameters device;
  if (random_.chance(0.5)) device.queue_depth = static_cast<std::uint32_t>(random_.between(1, 3));
  if (random_.chance(0.5)) device.operations_per_s = static_cast<std::uint64_t>(random_.between(50, 1000));
  if (random_.chance(0.5)) {
    device.shared_bandwidth_bytes_per_s = static_cast<std::uint64_t>(random_.between(100'000, 10'000'000));
  }
  if (random_.chance(0.5)) device.order = QueueOrder::random;
  if (random_.chance(0.3)) {
    device.stall = random_.unit() * 0.2;
    device.stall_time = DurationDistribution::uniform(1ms, 300ms);
  }
  host.disk().device().set_parameters(device);
  world_.count("device limited");
}

void DiskFaults::damage(Host& host) {
  Disk& disk = host.disk();
  if (world_.record(host.name()).disk != DiskNature::damaging) {
    // What an honest disk holds is what it shows.
    return disk.drop_caches();
  }
  const std::vector<std::string> files = disk.list();
  const std::uint64_t kind = random_.below(4);
  if (kind == 0) return disk.drop_caches();
  if (kind == 1) return disk.fail_next_syncs(1, SyncFailure::forgets);
  if (files.empty()) return;
  const std::string& path = random_.pick(files);
  const std::uint64_t offset = random_.below(8000);
  if (kind == 2) {
    world_.count("bits flipped");
    return disk.damage(path, offset, static_cast<std::uint8_t>(1 + random_.below(255)));
  }
  world_.count("sector made unreadable");
  disk.make_unreadable(path, offset / sector_bytes);
}

void DiskFaults::crash_checked(Host& host) {
  CrashStateLimits limits;
  limits.changes_max = 7;
  limits.combinations_max = 300;
  std::vector<DiskImage> states;
  const bool known = host.up() && world_.record(host.name()).disk == DiskNature::honest &&
                     visit_crash_states(host.disk(), [&](const DiskImage& image) { states.push_back(image); }, limits);
  host.crash();
  if (!known) return;
  const DiskImage left = durable_image(host.disk());
  world_.require(std::find(states.begin(), states.end(), left) != states.end(), "crash-states", [&] {
    return "the power loss of " + host.name() + " left none of its " + std::to_string(states.size()) + " states";
  });
  world_.count(states.size() > 1 ? "crash state among several" : "crash state alone");
}

void DiskFaults::lose(Host& host) {
  world_.count("disk lost");
  // First, because a task that unwinds can still not be promised anything.
  world_.forget_disk(host.name());
  host.lose_disk();
  world_.require(host.disk().list().empty(), "disk-loss", [&] { return host.name() + " still has files"; });
}

void DiskFaults::mend(Host& host) {
  host.disk().set_parameters(untroubled(host.disk().parameters()));
  host.disk().device().set_parameters({});
}

}  // namespace polarsim::sim::exercise
