// Faults of the network, and what its parameters and counters must say while they last.
#include <algorithm>

#include "sim/exercise/faults.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

void NetworkFaults::strike() {
  switch (random_.below(9)) {
    case 0:
      return cut();
    case 1:
      return partition();
    case 2:
      return clog();
    case 3:
      return swizzle();
    case 4: {
      const std::string& a = random_.pick(world_.host_names());
      const std::string& b = random_.pick(world_.host_names());
      if (world_.simulation().network().drop_connections(a, b) > 0) world_.count("connections dropped");
      return;
    }
    case 5:
      if (random_.chance(0.3)) heal_all();
      return;
    default:
      return change_link();
  }
}

std::uint64_t NetworkFaults::delivered(const DirectedLink& link) const {
  const LinkStatistics statistics = world_.simulation().network().statistics(link.from, link.to);
  return statistics.segments_delivered + statistics.datagrams_delivered;
}

void NetworkFaults::apply(const DirectedLink& link, bool cuts) {
  Cuts& known = cuts_[link];
  if (cuts) {
    if (known.count++ == 0) known.delivered = delivered(link);
  } else if (known.count > 0) {
    world_.require(known.delivered == delivered(link), "cuts", [&] { return text(link) + " carries, though cut"; });
    --known.count;
  }
}

void NetworkFaults::check_cuts() {
  for (const auto& [link, cuts] : cuts_) {
    world_.require(world_.simulation().network().is_cut(link.from, link.to) == (cuts.count > 0), "cuts",
                   [&] { return text(link) + " should have " + std::to_string(cuts.count) + " cuts"; });
    if (cuts.count == 0) continue;
    world_.require(cuts.delivered == delivered(link), "cuts", [&] { return text(link) + " carries, though cut"; });
  }
}

void NetworkFaults::cut() {
  const std::string& from = random_.pick(world_.host_names());
  const std::string& to = random_.pick(world_.host_names());
  const Time end = draw_end(world_, random_);
  world_.simulation().network().cut(from, to);
  apply({from, to}, true);
  check_cuts();
  world_.count("cut");
  world_.scheduler().call_at(end, [this, link = DirectedLink{from, to}] {
    apply(link, false);
    world_.simulation().network().uncut(link.from, link.to);
    check_cuts();
  });
}

void NetworkFaults::partition() {
  if (world_.host_names().size() < 2) return;
  const Partition shape = draw_partition(random_, world_.host_names());
  const Time end = draw_end(world_, random_);
  world_.simulation().network().apply(shape);
  for (const DirectedLink& link : directed_cuts(shape)) apply(link, true);
  partitions_.push_back(directed_cuts(shape));
  check_cuts();
  world_.count("partitioned");
  world_.scheduler().call_at(end, [this, shape] {
    // After heal_all() there may be nothing left of it to heal; then the cuts of other faults stay.
    const auto applied = std::find(partitions_.begin(), partitions_.end(), directed_cuts(shape));
    if (applied != partitions_.end()) {
      for (const DirectedLink& link : *applied) apply(link, false);
      partitions_.erase(applied);
    }
    world_.simulation().network().heal(shape);
    check_cuts();
  });
}

void NetworkFaults::clog() {
  const std::string& from = random_.pick(world_.host_names());
  const std::string& to = random_.pick(world_.host_names());
  const Time end = draw_end(world_, random_);
  Network& network = world_.simulation().network();
  const Time before = network.clogged_until(from, to);
  network.clog(from, to, end);
  world_.require(network.clogged_until(from, to) >= std::max(before, end), "clog",
                 [&] { return from + ">" + to + " is not clogged for as long as it should be"; });
  world_.count("clogged");
}

void NetworkFaults::swizzle() {
  SwizzleOptions options;
  options.start = world_.now();
  options.clogging = random_.between(Duration(1), 500ms);
  options.pause = random_.between(Duration(0), 300ms);
  options.unclogging = random_.between(Duration(1), 500ms);
  std::vector<SwizzleStep> steps = draw_swizzle(random_, world_.host_names(), options);
  swizzles_.push_back(std::make_unique<Swizzle>(world_.simulation().network(), world_.scheduler(), std::move(steps)));
  world_.count("swizzled");
}

void NetworkFaults::change_link() {
  const std::string& from = random_.pick(world_.host_names());
  const std::string& to = random_.pick(world_.host_names());
  LinkParameters link;
  const Duration typical = random_.between(Duration(1), 20ms);
  link.latency = draw_latency(random_, typical);
  link.loss = random_.unit() * 0.5;
  link.bandwidth_bytes_per_s = 20'000 + random_.below(1'000'000);
  if (random_.chance(0.4)) {
    link.corruption = random_.unit() * 0.3;
    if (random_.chance(0.5)) link.undetected_corruption = random_.unit();
  }
  if (random_.chance(0.4)) link.duplication = random_.unit() * 0.5;
  if (random_.chance(0.4)) {
    link.reordering = random_.unit();
    link.reordering_delay = random_.between(Duration(0), 50ms);
  }
  if (random_.chance(0.3)) link.datagram_queue_limit = random_.between(Duration(0), 30ms);
  set_link(from, to, link);
  world_.count("link changed");
}

void NetworkFaults::set_link(const std::string& from, const std::string& to, const LinkParameters& link) {
  Network& network = world_.simulation().network();
  check_bandwidth(from, to);
  world_.set_link(from, to, link);
  const LinkStatistics now = network.statistics(from, to);
  Metering& meter = metered_[{from, to}];
  meter.since = world_.now();
  // A second copy of a datagram is delivered beside what was charged.
  meter.bandwidth = link.duplication > 0 ? 0 : link.bandwidth_bytes_per_s;
  meter.delivered = now.bytes_delivered;
  // Of these, some may have been doubled.
  meter.underway = now.bytes_sent - std::min(now.bytes_sent, now.bytes_delivered);
  if (now.datagrams_duplicated > 0) meter.bandwidth = 0;
}

// Nothing overtakes its own transmitter: what has arrived since the bandwidth was set was either under way then, or has
// been sent at this bandwidth.
void NetworkFaults::check_bandwidth(const std::string& from, const std::string& to) {
  const auto metered = metered_.find({from, to});
  if (metered == metered_.end() || metered->second.bandwidth == 0) return;
  const Metering& meter = metered->second;
  const LinkStatistics now = world_.simulation().network().statistics(from, to);
  const double charged = seconds(world_.now() - meter.since) * static_cast<double>(meter.bandwidth) + 1;
  const std::uint64_t delivered = now.bytes_delivered - meter.delivered;
  world_.require(static_cast<double>(delivered) <= static_cast<double>(meter.underway) + charged, "bandwidth", [&] {
    return from + ">" + to + " has delivered " + std::to_string(delivered) + " bytes, and can carry " +
           std::to_string(charged) + " beside " + std::to_string(meter.underway);
  });
  world_.count("bandwidth checked");
}

void NetworkFaults::heal_all() {
  check_cuts();
  world_.simulation().network().heal_all();
  for (auto& [link, cuts] : cuts_) cuts.count = 0;
  partitions_.clear();
  check_cuts();
}

void NetworkFaults::mend() {
  for (const auto& swizzle : swizzles_) swizzle->stop();
  Network& network = world_.simulation().network();
  heal_all();
  for (const std::string& from : world_.host_names()) {
    for (const std::string& to : world_.host_names()) {
      set_link(from, to, LinkParameters{});
      world_.require(!network.is_cut(from, to) && !network.is_clogged(from, to), "mended",
                     [&] { return from + ">" + to + " is still cut or clogged"; });
    }
  }
}

namespace {

// Only what a link was told to do is counted.
void check_faults(World& world, const LinkReport& report) {
  const LinkStatistics& link = report.statistics;
  const LinkFaults& faults = world.link_faults(report.from, report.to);
  const bool lossless = link.segments_lost == 0 || faults.loses || faults.damages;
  const bool undamaged = link.segments_corrupted + link.datagrams_corrupted == 0 || faults.damages;
  const bool seen = link.undetected_corruptions == 0 || faults.damages_unseen;
  const bool single = link.datagrams_duplicated == 0 || faults.doubles;
  // A second copy may come after a letter that was sent later.
  const bool ordered = link.datagrams_reordered == 0 || faults.reorders || faults.doubles;
  world.require(lossless && undamaged && seen && single && ordered, "link-faults", [&] {
    const char* const what = !lossless ? "loses" : !undamaged || !seen ? "damages" : !single ? "doubles" : "reorders";
    return report.from + ">" + report.to + " " + what + ", which it was never told to";
  });
}

}  // namespace

void check_accounts(World& world) {
  for (const LinkReport& report : world.simulation().network().all_statistics()) {
    check_faults(world, report);
    const LinkStatistics& link = report.statistics;
    const std::uint64_t segments = link.segments_delivered + link.segments_dropped + link.segments_in_flight;
    const std::uint64_t datagrams = link.datagrams_delivered + link.datagrams_lost + link.datagrams_cut +
                                    link.datagrams_overflowed + link.datagrams_unreceived + link.datagrams_in_flight;
    world.require(link.segments_sent == segments && link.datagrams_sent + link.datagrams_duplicated == datagrams,
                  "accounts", [&] {
                    return report.from + ">" + report.to + ": " + std::to_string(link.segments_sent) +
                           " segments became " + std::to_string(segments) + ", " +
                           std::to_string(link.datagrams_sent + link.datagrams_duplicated) + " datagrams " +
                           std::to_string(datagrams);
                  });
  }
}

}  // namespace polarsim::sim::exercise
