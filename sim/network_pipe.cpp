// Segments on their way: transmission, loss, arrival, acknowledgement, and what happens when nobody is there.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"
#include "sim/transfer_time.h"

namespace polarsim::sim {

namespace {
// Bounds the draws for one segment on a link that loses everything; such a link should be cut instead.
constexpr int losses_max = 30;
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
  simulation.digest().absorb(DigestKind::network, what, endpoint.id, error);
  if (!simulation.trace().enabled()) return;
  simulation.trace().add(scheduler.now(), TraceKind::message, endpoint.local.host,
                         fmt::format("{} - {} {}{}{}", endpoint.local.text(), endpoint.remote.text(), to_string(event),
                                     endpoint.error ? ": " : "", endpoint.error ? to_string(*endpoint.error) : ""));
}

void Network::Implementation::note_arrival(const Link& link, const Endpoint& sender, const detail::Segment& segment) {
  const std::uint64_t what = (static_cast<std::uint64_t>(segment.kind) << 32) | link.id;
  const std::uint64_t place = (sender.id << 24) ^ segment.sequence;
  simulation.digest().absorb(DigestKind::network, what, place, stable_hash(segment.bytes, segment.bytes.size()));
  if (!simulation.trace().enabled()) return;
  // What the receiver does from here on descends from the delivery.
  simulation.trace().set_cause(note_traffic(TraceVerb::deliver, sender, segment));
}

std::uint64_t Network::Implementation::note_traffic(TraceVerb verb, const Endpoint& sender,
                                                    const detail::Segment& segment) {
  Trace& trace = simulation.trace();
  const Link& link = *sender.outbound;
  fmt::memory_buffer name;
  fmt::format_to(std::back_inserter(name), "{} {}", link.name, to_string(segment.kind));
  TraceRecord event;
  event.time = scheduler.now();
  event.kind = TraceKind::message;
  event.verb = verb;
  event.host = trace.name(host_names[verb == TraceVerb::send ? link.from : link.to]);
  event.name = trace.name({name.data(), name.size()});
  event.parent = segment.trace_id;
  event.a = sender.id;
  event.b = segment.bytes.size();
  return trace.record(event);
}

Duration Network::Implementation::sample_latency(Link& link) {
  return parameters_of(link).latency.sample(*link.latency_stream);
}

void Network::Implementation::transmit(Endpoint& endpoint, SegmentKind kind, std::string bytes) {
  Link& link = *endpoint.outbound;
  const LinkParameters& parameters = parameters_of(link);
  const Time now = scheduler.now();
  Time departure = now;
  for (int losses = 0; losses < losses_max; ++losses) {
    if (!link.loss_stream->chance(parameters.loss)) break;
    ++link.statistics.segments_lost;
    departure = deadline_after(departure, parameters.retransmission_timeout);
  }
  const Duration latency = sample_latency(link);
  const Duration transmission = transfer_time(bytes.size(), parameters.bandwidth_bytes_per_s);
  const Time arrival = deadline_after(deadline_after(departure, latency), transmission);
  if (kind == SegmentKind::data) endpoint.window_used += bytes.size();
  endpoint.in_flight.push_back(
      detail::Segment{kind, std::move(bytes), endpoint.next_sequence++, now, departure, arrival});
  if (simulation.trace().enabled()) [[unlikely]] {
    endpoint.in_flight.back().trace_id = note_traffic(TraceVerb::send, endpoint, endpoint.in_flight.back());
  }
  ++link.statistics.segments_sent;
  arm_arrival(endpoint);
  if (arrival - now > endpoint.options.user_timeout) watch(endpoint);
}

void Network::Implementation::arm_arrival(Endpoint& endpoint) {
  if (endpoint.arrival_timer != 0 || endpoint.held || endpoint.in_flight.empty()) return;
  const Time when = std::max(scheduler.now(), endpoint.in_flight.front().arrival);
  endpoint.arrival_timer = scheduler.call_at(when, [this, id = endpoint.id] { on_arrival(id); });
}

void Network::Implementation::on_arrival(std::uint64_t id) {
  const std::shared_ptr<Endpoint> sender = find(id);
  if (!sender) return;
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
  const detail::Segment segment = std::move(sender.in_flight.front());
  sender.in_flight.pop_front();
  sender.attempts = 0;
  acknowledge(sender, segment);
  return sender.network != nullptr;
}

// Hands a segment to the host it has reached. False if it was not accepted and must be sent again.
bool Network::Implementation::offer(Endpoint& sender, detail::Segment& segment) {
  Link& link = *sender.outbound;
  if (segment.kind == SegmentKind::syn) return offer_syn(sender);
  const std::shared_ptr<Endpoint> receiver = find(sender.peer);
  if (receiver && receiver->life != detail::Life::gone) {
    note_arrival(link, sender, segment);
    ++link.statistics.segments_delivered;
    link.statistics.bytes_delivered += segment.bytes.size();
    take(*receiver, sender, segment);
    return true;
  }
  // An RST is never answered. A FIN finds a kernel that still remembers the connection, unless the host has been
  // rebooted.
  if (segment.kind == SegmentKind::rst) return true;
  if (segment.kind == SegmentKind::fin && host_at(sender.peer_host)->incarnation() == sender.peer_incarnation)
    return true;
  send_stray_reset(*sender.inbound, sender.id);
  return false;
}

bool Network::Implementation::offer_syn(Endpoint& sender) {
  note_arrival(*sender.outbound, sender, sender.in_flight.front());
  const auto found = listeners.find({sender.peer_host, sender.remote.port});
  if (found == listeners.end()) {
    send_stray_reset(*sender.inbound, sender.id);
    return false;
  }
  ++sender.outbound->statistics.segments_delivered;
  const std::shared_ptr<Endpoint> accepted = make_endpoint(sender.peer_host, sender.host);
  accepted->local = sender.remote;
  accepted->remote = sender.local;
  accepted->options = sender.options;
  accepted->connection = sender.connection;
  accepted->peer = sender.id;
  accepted->peer_incarnation = sender.incarnation;
  accepted->life = detail::Life::open;
  sender.peer_incarnation = accepted->incarnation;
  note(detail::ConnectionEvent::accepted, *accepted);
  transmit(*accepted, SegmentKind::syn_ack, {});
  found->second->pending.push_back(accepted);
  found->second->acceptors.notify_all();
  return true;
}

void Network::Implementation::take(Endpoint& receiver, const Endpoint& sender, detail::Segment& segment) {
  receiver.last_heard = scheduler.now();
  switch (segment.kind) {
    case SegmentKind::syn:
    case SegmentKind::probe:
      return;
    case SegmentKind::syn_ack:
      if (receiver.life != detail::Life::connecting) return;
      receiver.life = detail::Life::open;
      receiver.peer = sender.id;
      receiver.peer_incarnation = sender.incarnation;
      note(detail::ConnectionEvent::established, receiver);
      receiver.readers.notify_all();
      return;
    case SegmentKind::data:
      // Data for a program that has closed its end cannot be read by anyone, which TCP answers with RST.
      if (receiver.life == detail::Life::orphan) return abort(receiver, NetError::closed);
      if (receiver.unread() == 0) {
        receiver.received = std::move(segment.bytes);
        receiver.read_position = 0;
      } else {
        receiver.received += segment.bytes;
      }
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

void Network::Implementation::acknowledge(Endpoint& sender, const detail::Segment& segment) {
  if (sender.inbound->blocked(scheduler.now())) {
    if (!sender.unacknowledged_since) sender.unacknowledged_since = segment.sent;
    watch(sender);
    return;
  }
  sender.last_heard = scheduler.now();
  settle(sender);
}

// The head met a silent or a strange host: send it again later, as TCP does with a doubling timeout.
void Network::Implementation::retry_head(Endpoint& sender) {
  detail::Segment& head = sender.in_flight.front();
  const Duration timeout = std::max(backoff_min, parameters_of(*sender.outbound).retransmission_timeout);
  const auto doubled = timeout * (1 << std::min(sender.attempts, backoff_doublings_max));
  ++sender.attempts;
  head.departure = scheduler.now() + doubled;
  head.arrival = head.departure + sample_latency(*sender.outbound);
  watch(sender);
}

// An RST from a host that knows nothing of the connection. It belongs to no pipe, and nobody sends it again.
void Network::Implementation::send_stray_reset(Link& link, std::uint64_t target) {
  const bool lost = link.loss_stream->chance(parameters_of(link).loss);
  const Duration latency = sample_latency(link);
  ++link.statistics.segments_sent;
  if (lost) {
    ++link.statistics.segments_lost;
    return;
  }
  scheduler.call_at(scheduler.now() + latency, [this, &link, target] { on_stray_reset(link, target); });
}

void Network::Implementation::on_stray_reset(Link& link, std::uint64_t target) {
  if (link.cuts > 0) return;
  if (link.clogged_until > scheduler.now()) {
    if (link.clogged_until == never) return;
    scheduler.call_at(link.clogged_until, [this, &link, target] { on_stray_reset(link, target); });
    return;
  }
  const std::shared_ptr<Endpoint> endpoint = find(target);
  if (!endpoint || endpoint->life == detail::Life::gone) return;
  ++link.statistics.segments_delivered;
  fail(*endpoint, endpoint->life == detail::Life::connecting ? NetError::refused : NetError::reset);
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
  endpoint.user_timer = scheduler.call_at(when, [this, id = endpoint.id] { on_user_timeout(id); });
}

void Network::Implementation::on_user_timeout(std::uint64_t id) {
  const std::shared_ptr<Endpoint> endpoint = find(id);
  if (!endpoint) return;
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

// Drops what only the sender's kernel could still bring across: transmissions to come, and what a partition has
// swallowed.
void Network::Implementation::keep_what_is_on_the_wire(Endpoint& endpoint) {
  auto first_dropped = endpoint.in_flight.begin();
  if (!endpoint.held || endpoint.outbound->cuts == 0) {
    while (first_dropped != endpoint.in_flight.end() && first_dropped->departure <= scheduler.now()) ++first_dropped;
  }
  endpoint.in_flight.erase(first_dropped, endpoint.in_flight.end());
  if (!endpoint.in_flight.empty()) return;
  endpoint.held = false;
  if (endpoint.arrival_timer != 0) scheduler.cancel_timer(endpoint.arrival_timer);
  endpoint.arrival_timer = 0;
}

}  // namespace polarsim::sim
