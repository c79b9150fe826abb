// The sending side of a link: its transmitter, and what befalls a transmission.
#include <algorithm>

#include "sim/network_state.h"
#include "sim/simulation.h"
#include "sim/transfer_time.h"

namespace polarsim::sim {

namespace {
// Bounds the draws for one segment on a link that loses everything; such a link should be cut instead.
constexpr int losses_max = 30;
}  // namespace

// Returns when the first transmission is on the wire; its repetitions are charged right behind it.
Time Network::Implementation::take_turn(Link& link, std::uint64_t bytes, int repetitions) {
  const Time now = scheduler.now();
  const Time start = std::max(now, link.transmitter_free);
  link.statistics.queue_delay_max = std::max(link.statistics.queue_delay_max, start - now);
  const Duration each = transfer_time(bytes, link.parameters->bandwidth_bytes_per_s);
  const Time departure = deadline_after(start, each);
  link.transmitter_free = departure;
  for (int i = 0; i < repetitions; ++i) link.transmitter_free = deadline_after(link.transmitter_free, each);
  return departure;
}

// A probability of zero draws nothing: the common case costs nothing, and each fault has a stream of its own to shift.
Network::Implementation::Fate Network::Implementation::draw_fate(Link& link, std::uint64_t bytes) {
  const LinkParameters& parameters = *link.parameters;
  Fate fate;
  if (parameters.loss <= 0 && parameters.corruption <= 0) return fate;
  while (fate.losses < losses_max) {
    if (parameters.loss > 0 && link.loss_stream->chance(parameters.loss)) {
      ++fate.losses;
      continue;
    }
    if (parameters.corruption <= 0 || !link.corruption_stream->chance(parameters.corruption)) break;
    ++link.statistics.segments_corrupted;
    // Damage to a bare header would make another segment of it, which the model does not know: it is always noticed.
    if (bytes > 0 && link.corruption_stream->chance(parameters.undetected_corruption)) {
      fate.corrupted = true;
      break;
    }
    ++fate.losses;
  }
  link.statistics.segments_lost += static_cast<std::uint64_t>(fate.losses);
  return fate;
}

void Network::Implementation::transmit(Endpoint& endpoint, SegmentKind kind, std::string_view bytes) {
  Link& link = *endpoint.outbound;
  const Time now = scheduler.now();
  const Fate fate = draw_fate(link, bytes.size());
  const Duration latency = sample_latency(link);
  Time handed_over = now;
  for (int i = 0; i < fate.losses; ++i) {
    handed_over = deadline_after(handed_over, link.parameters->retransmission_timeout);
  }
  const Time departure = deadline_after(take_turn(link, bytes.size(), fate.losses), handed_over - now);
  const Time arrival = deadline_after(departure, latency);
  if (kind == SegmentKind::data) endpoint.window_used += bytes.size();
  endpoint.in_flight_bytes.append(bytes);
  detail::Segment segment{kind, fate.corrupted, bytes.size(), endpoint.next_sequence++,
                          now,  handed_over,    departure,    arrival};
  if (simulation.trace().enabled()) [[unlikely]]
    segment.trace_id = trace_segment(TraceVerb::send, endpoint, segment);
  endpoint.in_flight.push_back(segment);
  ++link.statistics.segments_sent;
  link.statistics.bytes_sent += bytes.size();
  arm_arrival(endpoint);
  if (arrival - now > endpoint.options.user_timeout) watch(endpoint);
}

// An RST from a host that knows nothing of the connection. It belongs to no pipe, and nobody sends it again.
void Network::Implementation::send_stray_reset(Link& link, EndpointHandle target) {
  ++link.statistics.segments_sent;
  const LinkParameters& parameters = *link.parameters;
  const bool lost = parameters.loss > 0 && link.loss_stream->chance(parameters.loss);
  const bool damaged = parameters.corruption > 0 && link.corruption_stream->chance(parameters.corruption);
  if (damaged) ++link.statistics.segments_corrupted;
  if (lost || damaged) {
    ++link.statistics.segments_lost;
    ++link.statistics.segments_dropped;
    return;
  }
  const Duration latency = sample_latency(link);
  const Time arrival = deadline_after(take_turn(link, 0, 0), latency);
  ++link.stray_resets;
  scheduler.call_at(arrival, [this, &link, target] { on_stray_reset(link, target); });
}

void Network::Implementation::on_stray_reset(Link& link, EndpointHandle target) {
  const Time now = scheduler.now();
  if (link.cuts == 0 && link.clogged(now)) {
    ++link.statistics.segments_held;
    link.held_resets.push_back(target);
    return;
  }
  --link.stray_resets;
  Endpoint* const endpoint = link.blocked(now) ? nullptr : endpoints.find(target);
  if (endpoint == nullptr || endpoint->life == detail::Life::gone) {
    ++link.statistics.segments_dropped;
    return;
  }
  ++link.statistics.segments_delivered;
  fail(*endpoint, endpoint->life == detail::Life::connecting ? NetError::refused : NetError::reset);
}

// Two different bits: the least damage that a sum of 16-bit words can miss.
void Network::Implementation::flip_bits(Link& link, char* bytes, std::size_t count) {
  const std::uint64_t bits = 8 * static_cast<std::uint64_t>(count);
  const std::uint64_t first = link.corruption_stream->below(bits);
  const std::uint64_t distance = 1 + link.corruption_stream->below(bits - 1);
  const std::uint64_t second = (first + distance) % bits;
  for (const std::uint64_t bit : {first, second}) {
    bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
  }
  ++link.statistics.undetected_corruptions;
}

}  // namespace polarsim::sim
