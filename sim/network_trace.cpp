// What the network tells the trace: sends and deliveries.
#include <fmt/format.h>

#include <iterator>

#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

std::uint64_t Network::Implementation::trace_traffic(TraceVerb verb, const Link& link, std::string_view what,
                                                     bool corrupted, const Traffic& traffic) {
  Trace& trace = simulation.trace();
  fmt::basic_memory_buffer<char, 128> name;
  fmt::format_to(std::back_inserter(name), "{} {}{}", link.name, what, corrupted ? " corrupted" : "");
  TraceRecord event;
  event.time = scheduler.now();
  event.kind = TraceKind::message;
  event.verb = verb;
  event.host = trace.name(hosts[verb == TraceVerb::send ? link.from : link.to].name);
  event.name = trace.name({name.data(), name.size()});
  event.parent = traffic.send;
  event.a = traffic.flow;
  event.b = traffic.bytes;
  const std::uint64_t id = trace.record(event);
  // What the receiver does from here on descends from the delivery.
  if (verb == TraceVerb::deliver) trace.set_cause(id);
  return id;
}

std::uint64_t Network::Implementation::trace_segment(TraceVerb verb, const Endpoint& sender,
                                                     const detail::Segment& segment) {
  return trace_traffic(verb, *sender.outbound, to_string(segment.kind), segment.corrupted && verb == TraceVerb::deliver,
                       Traffic{segment.trace_id, sender.number, segment.length});
}

std::uint64_t Network::Implementation::trace_datagram(TraceVerb verb, const detail::DatagramSlot& datagram) {
  const std::uint64_t ports = (static_cast<std::uint64_t>(datagram.from_port) << 16) | datagram.to_port;
  return trace_traffic(verb, *datagram.link, "datagram", datagram.corrupted && verb == TraceVerb::deliver,
                       Traffic{datagram.trace_id, ports, datagram.bytes.size()});
}

}  // namespace polarsim::sim
