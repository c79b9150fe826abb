// Segments at the end of their way: arrival, acknowledgement, and what happens when nobody is there.
#include <fmt/format.h>

#include <algorithm>

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace {
// Doubling a retransmission timeout stops here, so that a rebooted peer is noticed within seconds.
constexpr std::uint32_t backoff_doublings_max = 6;
// A retransmission timeout of zero must not make a silent peer spin the simulation at one instant.
constexpr Duration backoff_min{1'000'000};
}  // namespace

namespace detail {
const char* to_string(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::syn:
      return "SYN";
    case SegmentKind::syn_ack:
      return "SYN-ACK";
    case SegmentKind::data:
      return "data";
    case SegmentKind::fin:
      return "FIN";
    case SegmentKind::rst:
      return "RST";
    case SegmentKind::probe:
      return "probe";
  }
  return "unknown";
}

const char* to_string(ConnectionEvent event) {
  switch (event) {
    case ConnectionEvent::connecting:
      return "connecting";
    case ConnectionEvent::accepted:
      return "accepted";
    case ConnectionEvent::established:
      return "established";
    case ConnectionEvent::closed:
      return "closed";
    case ConnectionEvent::aborted:
      return "aborted";
    case ConnectionEvent::failed:
      return "failed";
    case ConnectionEvent::vanished:
      return "vanished";
  }
  return "unknown";
}
}  // namespace detail

void Network::Implementation::note(detail::ConnectionEvent event, const Endpoint& endpoint) {
  const std::uint64_t what = (static_cast<std::uint64_t>(event) << 32) | endpoint.outbound->id;
  const std::uint64_t error = endpoint.error ? static_cast<std::uint64_t>(*endpoint.error) + 1 : 0;
  simulation.digest().absorb(DigestKind::network, what, endpoint.number, error);
  if (!simulation.trace().enabled()) return;
  simulation.trace().add(scheduler.now(), TraceKind::message, endpoint.local.host,
                         fmt::format("{} - {} {}{}{}", endpoint.local.text(), endpoint.remote.text(), to_string(event),
                                     endpoint.error ? ": " : "", endpoint.error ? to_string(*endpoint.error) : ""));
}

void Network::Implementation::note_arrival(const Link& link, const Endpoint& sender, const detail::Segment& segment,
                                           std::string_view payload) {
  const std::uint64_t what = (static_cast<std::uint64_t>(segment.kind) << 32) | link.id;
  const std::uint64_t place = (sender.number << 24) ^ segment.sequence;
  simulation.digest().absorb(DigestKind::network, what, place, stable_hash(payload, payload.size()));
  if (simulation.trace().enabled()) [[unlikely]]
    trace_segment(TraceVerb::deliver, sender, segment);
}

void Network::Implementation::arm_arrival(Endpoint& endpoint) {
  if (endpoint.arrival_timer != 0 || endpoint.held || endpoint.in_flight.empty()) return;
  const Time when = std::max(scheduler.now(), endpoint.in_flight.front().arrival);
  endpoint.arrival_timer = scheduler.call_at(when, [this, handle = endpoint.handle] { on_arrival(handle); });
}

void Network::Implementation::on_arrival(EndpointHandle handle) {
  retired.clear();
  Endpoint* const sender = endpoints.find(handle);
  if (sender == nullptr) return;
  sender->arrival_timer = 0;
  while (sender->network != nullptr && !sender->in_flight.empty() &&
         sender->in_flight.front().arrival <= scheduler.now()) {
    if (!deliver_head(*sender)) break;
  }
  if (sender->network != nullptr) arm_arrival(*sender);
}

// False if the head stays where it is, or the sender has come to its end.
bool Network::Implementation::deliver_head(Endpoint& sender) {
  Link& link = *sender.outbound;
  if (link.blocked(scheduler.now())) {
    // Nobody is left to send again what a partition swallows; a clog only delays it.
    if (sender.life == detail::Life::gone && link.cuts > 0) {
      detach(sender);
      return false;
    }
    sender.held = true;
    ++link.statistics.segments_held;
    watch(sender);
    return false;
  }
  if (!host_at(sender.peer_host)->up() || !offer(sender, sender.in_flight.front())) {
    if (sender.life == detail::Life::gone) {
      detach(sender);
    } else {
      retry_head(sender);
    }
    return false;
  }
  const Time sent = sender.in_flight.front().sent;
  sender.in_flight_bytes.drop_front(sender.in_flight.front().length);
  sender.in_flight.pop_front();
  sender.attempts = 0;
  acknowledge(sender, sent);
  return sender.network != nullptr;
}

// Hands a segment to the host it has reached. False if it was not accepted and must be sent again.
bool Network::Implementation::offer(Endpoint& sender, detail::Segment& segment) {
  Link& link = *sender.outbound;
  if (segment.kind == SegmentKind::syn) return offer_syn(sender);
  Endpoint* const receiver = endpoints.find(sender.peer);
  if (receiver != nullptr && receiver->life != detail::Life::gone) {
    if (segment.corrupted) flip_bits(link, sender.in_flight_bytes.front_data(), segment.length);
    const std::string_view payload = sender.in_flight_bytes.front(segment.length);
    note_arrival(link, sender, segment, payload);
    ++link.statistics.segments_delivered;
    link.statistics.bytes_delivered += segment.length;
    take(*receiver, sender, segment, payload);
    return true;
  }
  // An RST is never answered. A FIN finds a kernel that still remembers the connection, unless the host has been
  // rebooted.
  const bool remembered = host_at(sender.peer_host)->incarnation() == sender.peer_incarnation;
  if (segment.kind == SegmentKind::rst || (segment.kind == SegmentKind::fin && remembered)) {
    ++link.statistics.segments_dropped;
    return true;
  }
  send_stray_reset(*sender.inbound, sender.handle);
  return false;
}

void Network::Implementation::take(Endpoint& receiver, const Endpoint& sender, const detail::Segment& segment,
                                   std::string_view payload) {
  receiver.last_heard = scheduler.now();
  switch (segment.kind) {
    case SegmentKind::syn:
    case SegmentKind::probe:
      return;
    case SegmentKind::syn_ack:
      if (receiver.life != detail::Life::connecting) return;
      receiver.life = detail::Life::open;
      receiver.peer = sender.handle;
      receiver.peer_incarnation = sender.incarnation;
      note(detail::ConnectionEvent::established, receiver);
      receiver.readers.notify_all();
      return;
    case SegmentKind::data:
      // Data for a program that has closed its end cannot be read by anyone, which TCP answers with RST.
      if (receiver.life == detail::Life::orphan) return abort(receiver, NetError::closed);
      receiver.received.append(payload);
      receiver.readers.notify_all();
      return;
    case SegmentKind::fin:
      receiver.fin_received = true;
      receiver.readers.notify_all();
      return;
    case SegmentKind::rst:
      return fail(receiver, NetError::reset);
  }
}

void Network::Implementation::acknowledge(Endpoint& sender, Time sent) {
  if (sender.inbound->blocked(scheduler.now())) {
    if (!sender.unacknowledged_since) sender.unacknowledged_since = sent;
    watch(sender);
    return;
  }
  sender.last_heard = scheduler.now();
  settle(sender);
}

// The head met a silent or a strange host: send it again later, as TCP does with a doubling timeout.
void Network::Implementation::retry_head(Endpoint& sender) {
  detail::Segment& head = sender.in_flight.front();
  const Duration timeout = std::max(backoff_min, sender.outbound->parameters->retransmission_timeout);
  const auto doubled = timeout * (1 << std::min(sender.attempts, backoff_doublings_max));
  ++sender.attempts;
  head.handed_over = scheduler.now() + doubled;
  head.departure = head.handed_over;
  head.arrival = head.departure + sample_latency(*sender.outbound);
  watch(sender);
}

std::optional<Time> Network::Implementation::oldest_unacknowledged(const Endpoint& endpoint) const {
  std::optional<Time> oldest = endpoint.unacknowledged_since;
  if (!endpoint.in_flight.empty()) {
    const Time sent = endpoint.in_flight.front().sent;
    if (!oldest || sent < *oldest) oldest = sent;
  }
  return oldest;
}

// Arms the user timeout. Called only when something stands between a segment and its acknowledgement, so that the
// ordinary way of a segment costs no timer of its own.
void Network::Implementation::watch(Endpoint& endpoint) {
  if (endpoint.user_timer != 0 || endpoint.options.user_timeout == Duration::max()) return;
  // The connect timeout governs a handshake, and nobody waits for what a vanished end had sent.
  if (endpoint.life == detail::Life::connecting || endpoint.life == detail::Life::gone) return;
  const std::optional<Time> oldest = oldest_unacknowledged(endpoint);
  if (!oldest) return;
  const Time when = std::max(scheduler.now(), deadline_after(*oldest, endpoint.options.user_timeout));
  endpoint.user_timer = scheduler.call_at(when, [this, handle = endpoint.handle] { on_user_timeout(handle); });
}

void Network::Implementation::on_user_timeout(EndpointHandle handle) {
  Endpoint* const endpoint = endpoints.find(handle);
  if (endpoint == nullptr) return;
  endpoint->user_timer = 0;
  const std::optional<Time> oldest = oldest_unacknowledged(*endpoint);
  if (!oldest) return;
  if (scheduler.now() >= deadline_after(*oldest, endpoint->options.user_timeout)) {
    fail(*endpoint, NetError::timed_out);
  } else {
    watch(*endpoint);
  }
}

// Called when something has been acknowledged: stops the watch and lets an end go that has nothing left to do.
void Network::Implementation::settle(Endpoint& endpoint) {
  if (!endpoint.in_flight.empty() || endpoint.unacknowledged_since) return;
  if (endpoint.user_timer != 0) scheduler.cancel_timer(endpoint.user_timer);
  endpoint.user_timer = 0;
  if (endpoint.life == detail::Life::orphan || endpoint.life == detail::Life::gone) detach(endpoint);
}

// Drops what only the sender's kernel could still bring across: the first segment whose time `gone` has not come, all
// behind it, and everything that a partition has swallowed.
void Network::Implementation::drop_after(Endpoint& endpoint, Time detail::Segment::*gone, Time now) {
  std::size_t kept = 0;
  std::uint64_t kept_bytes = 0;
  if (!endpoint.held || endpoint.outbound->cuts == 0) {
    while (kept < endpoint.in_flight.size() && endpoint.in_flight[kept].*gone <= now) {
      kept_bytes += endpoint.in_flight[kept].length;
      ++kept;
    }
  }
  endpoint.outbound->statistics.segments_dropped += endpoint.in_flight.size() - kept;
  endpoint.in_flight.truncate(kept);
  endpoint.in_flight_bytes.drop_back(endpoint.in_flight_bytes.size() - kept_bytes);
  if (kept > 0) return;
  endpoint.held = false;
  if (endpoint.arrival_timer != 0) scheduler.cancel_timer(endpoint.arrival_timer);
  endpoint.arrival_timer = 0;
}

}  // namespace polarsim::sim
