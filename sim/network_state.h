// The network's functions behind network.h and datagram.h; private to the network's own sources. What they work on is
// in network_endpoint.h.
//
// Everything that has an order has the order of creation: links by id, endpoints by number. Nothing is looked up by
// name or in a tree on the way of a segment.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/network_endpoint.h"
#include "sim/trace.h"

namespace polarsim::sim {

struct Network::Implementation {
  using Endpoint = detail::Endpoint;
  using EndpointHandle = detail::EndpointHandle;
  using Link = detail::Link;
  using ListenerState = detail::ListenerState;
  using SegmentKind = detail::SegmentKind;
  using DatagramSlot = detail::DatagramSlot;
  using DatagramSocketState = detail::DatagramSocketState;

  struct HostRecord {
    std::string name;
    Host* host = nullptr;         // null until first needed
    std::vector<Link*> outbound;  // by host number; null where none was needed yet
    std::map<std::uint16_t, std::shared_ptr<ListenerState>> listeners;
    std::map<std::uint16_t, std::shared_ptr<DatagramSocketState>> sockets;
    std::uint16_t next_ephemeral_port = 32768;
    std::uint16_t next_datagram_port = 32768;
  };

  explicit Implementation(Simulation& owner);

  // --- names (network.cpp) ---
  std::uint32_t host_number(const std::string& name);
  Host* host_at(std::uint32_t number);
  Link& link_between(std::uint32_t from, std::uint32_t to);
  Link& link_between(const std::string& from, const std::string& to);
  Link* existing_link(std::uint32_t from, std::uint32_t to) const;
  const Link* existing_link(const std::string& from, const std::string& to) const;
  Link& make_link(std::uint32_t from, std::uint32_t to);
  LinkStatistics statistics_of(const Link& link) const;

  // --- faults (network_faults.cpp) ---
  void release(Link& link);
  void release_datagrams(Link& link);
  void swallow_held(Link& link);
  void end_clog(Link& link);
  void cut_power(HostRecord& record);

  // --- endpoints (network_connection.cpp) ---
  std::shared_ptr<Endpoint> make_endpoint(std::uint32_t host, std::uint32_t peer_host);
  // Of one link, or of every link from a host, by number.
  std::vector<std::shared_ptr<Endpoint>> endpoints_of(const Link& link) const;
  std::vector<std::shared_ptr<Endpoint>> endpoints_of(std::uint32_t host) const;
  void close(Endpoint& endpoint);
  void abort(Endpoint& endpoint, NetError own_error);
  void fail(Endpoint& endpoint, NetError error);
  void vanish(Endpoint& endpoint);
  void stop_timers(Endpoint& endpoint);
  void detach(Endpoint& endpoint);
  void begin_wait(Endpoint& endpoint);
  void on_keepalive(EndpointHandle handle);

  // --- listeners (network_listener.cpp) ---
  void close(ListenerState& listener);
  bool offer_syn(Endpoint& sender);

  // --- pipes (network_pipe.cpp) ---
  void arm_arrival(Endpoint& endpoint);
  void on_arrival(EndpointHandle handle);
  bool deliver_head(Endpoint& sender);
  bool offer(Endpoint& sender, detail::Segment& segment);
  void take(Endpoint& receiver, const Endpoint& sender, const detail::Segment& segment, std::string_view payload);
  void acknowledge(Endpoint& sender, Time sent);
  void retry_head(Endpoint& sender);
  void watch(Endpoint& endpoint);
  void on_user_timeout(EndpointHandle handle);
  void settle(Endpoint& endpoint);
  void drop_after(Endpoint& endpoint, Time detail::Segment::*gone, Time now);
  std::optional<Time> oldest_unacknowledged(const Endpoint& endpoint) const;
  // --- trace (network_trace.cpp); each returns the event's id ---
  struct Traffic {
    std::uint64_t send = 0;  // the event that a delivery descends from
    std::uint64_t flow = 0;
    std::uint64_t bytes = 0;
    bool corrupted = false;
  };
  std::uint64_t trace_traffic(TraceVerb verb, Link& link, std::size_t name, const Traffic& traffic);
  std::uint64_t trace_segment(TraceVerb verb, const Endpoint& sender, const detail::Segment& segment);
  std::uint64_t trace_datagram(TraceVerb verb, const detail::DatagramSlot& datagram);

  void note(detail::ConnectionEvent event, const Endpoint& endpoint);
  void note_arrival(const Link& link, const Endpoint& sender, const detail::Segment& segment, std::string_view payload);

  // --- the wire (network_wire.cpp) ---
  struct Fate {
    int losses = 0;  // transmissions before the one that gets through
    bool corrupted = false;
  };
  Duration sample_latency(Link& link) { return link.parameters->latency.sample(*link.latency_stream); }
  Time take_turn(Link& link, std::uint64_t bytes, int repetitions);
  Fate draw_fate(Link& link, std::uint64_t bytes);
  void transmit(Endpoint& endpoint, SegmentKind kind, std::string_view bytes);
  void send_stray_reset(Link& link, EndpointHandle target);
  void on_stray_reset(Link& link, EndpointHandle target);
  void flip_bits(Link& link, char* bytes, std::size_t count);

  // --- datagrams (network_datagram.cpp) ---
  std::uint32_t take_slot();
  void free_slot(std::uint32_t slot);
  void send_datagram(DatagramSocketState& socket, std::uint32_t to, std::uint16_t port, std::string_view bytes);
  struct Flight {
    std::uint64_t sequence;
    Time departure, arrival;
    bool corrupted;
  };
  void launch(Link& link, std::uint16_t from_port, std::uint16_t to_port, const Flight& flight, std::string_view bytes);
  void let_arrive(std::uint32_t slot, Time arrival);
  void on_datagram(std::uint32_t slot);
  void put_in_buffer(DatagramSocketState& socket, std::uint32_t slot);
  void close(DatagramSocketState& socket);
  void note_datagram(const DatagramSlot& datagram);
  void trace_lost_datagram(const DatagramSlot& datagram, const char* what);
  void trace_lost_datagram(const Link& link, std::uint16_t from_port, std::uint16_t to_port, std::uint64_t sequence,
                           const char* what);

  Simulation& simulation;
  Scheduler& scheduler;
  LinkParameters default_parameters;
  LinkParameters loopback_parameters;
  std::vector<HostRecord> hosts;  // by host number
  std::map<std::string, std::uint32_t, std::less<>> host_numbers;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<std::vector<DirectedLink>> applied;  // the cuts of each partition in force
  detail::EndpointTable endpoints;
  std::uint64_t next_endpoint = 1;
  // Endpoints that have come to their end, kept until no function of the network can still be using them.
  std::vector<std::shared_ptr<Endpoint>> retired;
  std::vector<DatagramSlot> datagrams;
  std::vector<std::uint32_t> free_datagrams;
};

}  // namespace polarsim::sim
