// What the network tells the trace: sends and deliveries.
#include <fmt/format.h>

#include <string_view>

#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace {

constexpr std::size_t datagram_name = 7;

std::string_view traffic_name(std::size_t number) {
  return number == datagram_name ? "datagram" : to_string(static_cast<detail::SegmentKind>(number));
}

}  // namespace

std::uint64_t Network::Implementation::trace_traffic(TraceVerb verb, Link& link, std::size_t name,
                                                     const Traffic& traffic) {
  Trace& trace = simulation.trace();
  TraceName& known = link.trace_names[name];
  if (known == 0) known = trace.name(fmt::format("{} {}", link.name, traffic_name(name)));
  TraceRecord event;
  event.time = scheduler.now();
  event.kind = TraceKind::message;
  event.verb = verb;
  event.host = trace.name(hosts[verb == TraceVerb::send ? link.from : link.to].name);
  event.name = known;
  event.parent = traffic.send;
  event.a = traffic.flow;
  event.b = traffic.bytes;
  const std::uint64_t id = trace.record(event, traffic.corrupted && verb == TraceVerb::deliver ? "corrupted" : "");
  // What the receiver does from here on descends from the delivery.
  if (verb == TraceVerb::deliver) trace.set_cause(id);
  return id;
}

std::uint64_t Network::Implementation::trace_segment(TraceVerb verb, const Endpoint& sender,
                                                     const detail::Segment& segment) {
  return trace_traffic(verb, *sender.outbound, static_cast<std::size_t>(segment.kind),
                       Traffic{segment.trace_id, sender.number, segment.length, segment.corrupted});
}

std::uint64_t Network::Implementation::trace_datagram(TraceVerb verb, const detail::DatagramSlot& datagram) {
  const std::uint64_t ports = (static_cast<std::uint64_t>(datagram.from_port) << 16) | datagram.to_port;
  return trace_traffic(verb, *datagram.link, datagram_name,
                       Traffic{datagram.trace_id, ports, datagram.bytes.size(), datagram.corrupted});
}

}  // namespace polarsim::sim
