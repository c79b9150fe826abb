// What faults and operators do to the network: cuts, clogs, dropped connections, hosts that go down.
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

// Lets go on what waited for this direction: what it carries, and the acknowledgements of what went the other way.
void Network::Implementation::release(Link& link) {
  const Time now = scheduler.now();
  if (link.blocked(now)) return;
  for (const auto& endpoint : endpoints_of(link)) {
    if (!endpoint->held) continue;
    endpoint->held = false;
    endpoint->in_flight.front().arrival = now + sample_latency(link);
    arm_arrival(*endpoint);
  }
  for (const auto& endpoint : endpoints_of(*link.reverse)) {
    if (!endpoint->unacknowledged_since) continue;
    endpoint->unacknowledged_since.reset();
    endpoint->last_heard = now;
    settle(*endpoint);
  }
  std::vector<EndpointHandle> resets;
  resets.swap(link.held_resets);
  for (const EndpointHandle target : resets) {
    const Time arrival = deadline_after(now, sample_latency(link));
    scheduler.call_at(arrival, [this, &link, target] { on_stray_reset(link, target); });
  }
  release_datagrams(link);
}

// In order of their arrival at the clog, each after a latency of its own, and none before the one ahead of it. What was
// sent behind them and is still on its way must not overtake them either: it arrives right behind the last at the
// earliest.
void Network::Implementation::release_datagrams(Link& link) {
  std::vector<std::uint32_t> held;
  held.swap(link.held_datagrams);
  if (held.empty()) return;
  std::vector<std::uint32_t> behind;
  for (std::uint32_t slot = 0; slot < datagrams.size(); ++slot) {
    if (datagrams[slot].link == &link && datagrams[slot].timer != 0) behind.push_back(slot);
  }
  std::sort(behind.begin(), behind.end(), [this](std::uint32_t a, std::uint32_t b) {
    return std::tie(datagrams[a].arrival, datagrams[a].sequence, a) <
           std::tie(datagrams[b].arrival, datagrams[b].sequence, b);
  });
  Time earliest = scheduler.now();
  for (const std::uint32_t slot : held) {
    const Duration latency = link.parameters->latency.sample(*link.datagram_latency_stream);
    earliest = std::max(earliest, deadline_after(scheduler.now(), latency));
    let_arrive(slot, earliest);
  }
  for (const std::uint32_t slot : behind) {
    if (datagrams[slot].arrival > earliest) break;
    scheduler.cancel_timer(datagrams[slot].timer);
    let_arrive(slot, earliest);
  }
  link.last_datagram_arrival = std::max(link.last_datagram_arrival, earliest);
}

// A cut behind a clog: what waited in it, and what nobody sends again, is gone.
void Network::Implementation::swallow_held(Link& link) {
  for (const auto& endpoint : endpoints_of(link)) {
    if (endpoint->held && endpoint->life == detail::Life::gone) detach(*endpoint);
  }
  std::vector<EndpointHandle> resets;
  resets.swap(link.held_resets);
  for (const EndpointHandle target : resets) on_stray_reset(link, target);
  std::vector<std::uint32_t> held;
  held.swap(link.held_datagrams);
  for (const std::uint32_t slot : held) on_datagram(slot);
}

void Network::Implementation::end_clog(Link& link) {
  link.clogged_until = time_zero;
  if (link.clog_timer != 0) scheduler.cancel_timer(link.clog_timer);
  link.clog_timer = 0;
}

// What the host's transmitters have not sent is lost with its power.
void Network::Implementation::cut_power(HostRecord& record) {
  const Time now = scheduler.now();
  for (Link* const link : record.outbound) {
    if (link == nullptr) continue;
    link->transmitter_free = std::min(link->transmitter_free, now);
    link->last_datagram_arrival = time_zero;
  }
  for (std::uint32_t slot = 0; slot < datagrams.size(); ++slot) {
    DatagramSlot& datagram = datagrams[slot];
    if (datagram.link == nullptr || datagram.in_buffer || &hosts[datagram.link->from] != &record) continue;
    if (datagram.departure <= now) {
      // On the wire already: what the host sends after its reboot arrives behind it.
      datagram.link->last_datagram_arrival = std::max(datagram.link->last_datagram_arrival, datagram.arrival);
      continue;
    }
    if (datagram.timer != 0) scheduler.cancel_timer(datagram.timer);
    --datagram.link->datagrams_in_flight;
    ++datagram.link->statistics.datagrams_lost;
    trace_lost_datagram(datagram, "lost with the power of its host");
    free_slot(slot);
  }
}

void Network::cut(const std::string& from, const std::string& to) {
  detail::Link& link = impl_->link_between(from, to);
  ++link.cuts;
  impl_->swallow_held(link);
}

void Network::uncut(const std::string& from, const std::string& to) {
  detail::Link& link = impl_->link_between(from, to);
  if (link.cuts == 0) return;
  --link.cuts;
  impl_->release(link);
}

bool Network::is_cut(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  return link != nullptr && link->cuts > 0;
}

void Network::apply(const Partition& partition) {
  std::vector<DirectedLink> cuts = directed_cuts(partition);
  for (const DirectedLink& link : cuts) cut(link.from, link.to);
  impl_->applied.push_back(std::move(cuts));
}

void Network::heal(const Partition& partition) {
  const std::vector<DirectedLink> cuts = directed_cuts(partition);
  const auto applied = std::find(impl_->applied.begin(), impl_->applied.end(), cuts);
  if (applied == impl_->applied.end()) return;
  impl_->applied.erase(applied);
  for (const DirectedLink& link : cuts) uncut(link.from, link.to);
}

void Network::clog(const std::string& from, const std::string& to, Time until) {
  detail::Link& link = impl_->link_between(from, to);
  if (until <= impl_->scheduler.now() || until <= link.clogged_until) return;
  impl_->end_clog(link);
  link.clogged_until = until;
  if (until == never) return;
  link.clog_timer = impl_->scheduler.call_at(until, [impl = impl_.get(), &link] {
    link.clog_timer = 0;
    impl->release(link);
  });
}

void Network::unclog(const std::string& from, const std::string& to) {
  detail::Link& link = impl_->link_between(from, to);
  if (!link.clogged(impl_->scheduler.now())) return;
  impl_->end_clog(link);
  impl_->release(link);
}

Time Network::clogged_until(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  return link == nullptr ? time_zero : link->clogged_until;
}

bool Network::is_clogged(const std::string& from, const std::string& to) const {
  return clogged_until(from, to) > impl_->scheduler.now();
}

std::size_t Network::drop_connections(const std::string& a, const std::string& b) {
  const std::uint32_t first = impl_->host_number(a);
  const std::uint32_t second = impl_->host_number(b);
  std::set<std::uint64_t> dropped;
  const auto drop_from = [&](const detail::Link& link) {
    for (const auto& endpoint : impl_->endpoints_of(link)) {
      if (endpoint->life == detail::Life::connecting || endpoint->life == detail::Life::open) {
        dropped.insert(endpoint->connection);
      }
      impl_->fail(*endpoint, NetError::reset);
    }
  };
  detail::Link& link = impl_->link_between(first, second);
  drop_from(link);
  if (first != second) drop_from(*link.reverse);
  return dropped.size();
}

void Network::heal_all() {
  impl_->applied.clear();
  for (const auto& link : impl_->links) {
    link->cuts = 0;
    impl_->end_clog(*link);
  }
  for (const auto& link : impl_->links) impl_->release(*link);
}

void Network::host_crashed(Host& host) {
  const std::uint32_t number = impl_->host_number(host.name());
  Implementation::HostRecord& record = impl_->hosts[number];
  for (const auto& [port, listener] : record.listeners) {
    listener->network = nullptr;
    listener->pending.clear();
    listener->acceptors.notify_all();
  }
  record.listeners.clear();
  while (!record.sockets.empty()) impl_->close(*record.sockets.begin()->second);
  for (const auto& endpoint : impl_->endpoints_of(number)) impl_->vanish(*endpoint);
  impl_->cut_power(record);
}

void Network::host_stopping(Host& host) {
  const std::uint32_t number = impl_->host_number(host.name());
  Implementation::HostRecord& record = impl_->hosts[number];
  while (!record.listeners.empty()) {
    const std::shared_ptr<detail::ListenerState> listener = record.listeners.begin()->second;
    impl_->close(*listener);
  }
  while (!record.sockets.empty()) impl_->close(*record.sockets.begin()->second);
  for (const auto& endpoint : impl_->endpoints_of(number)) impl_->close(*endpoint);
}

}  // namespace polarsim::sim
