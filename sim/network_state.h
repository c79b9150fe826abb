// The state behind network.h; private to the network's own sources.
//
// A connection is two Endpoints that know each other by number, never by address: an endpoint owns the pipe that leads
// away from it, and looks its peer up when a segment arrives. A number that is not found is a connection that no longer
// exists, which is exactly the case that TCP answers with RST.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/network.h"
#include "sim/sync.h"
#include "sim/trace.h"

namespace polarsim::sim {

namespace detail {

// Numbers are part of recorded digests: append, never renumber.
enum class SegmentKind : std::uint8_t { syn = 1, syn_ack, data, fin, rst, probe };
const char* to_string(SegmentKind kind);

// Numbers are part of recorded digests: append, never renumber.
enum class ConnectionEvent : std::uint8_t { connecting = 16, accepted, established, closed, aborted, failed, vanished };
const char* to_string(ConnectionEvent event);

struct Segment {
  SegmentKind kind;
  std::string bytes;
  std::uint64_t sequence;  // counts the segments of its pipe
  Time sent;               // when the sender handed it over: user_timeout counts from here
  Time departure;          // when the transmission that gets through leaves; later than `sent` after losses
  Time arrival;            // on its own; in the pipe it waits for those before it
  std::uint64_t trace_id = 0;  // of its `send`
};

// One direction between two hosts.
struct Link {
  std::uint32_t id;
  std::uint32_t from, to;  // host numbers
  std::string name;        // "from>to"
  std::optional<LinkParameters> own_parameters;
  LinkStatistics statistics;
  std::uint32_t cuts = 0;
  Time clogged_until = time_zero;
  TimerId clog_timer = 0;
  RandomStream* latency_stream;
  RandomStream* loss_stream;

  bool blocked(Time now) const { return cuts > 0 || clogged_until > now; }
};

enum class Life : std::uint8_t {
  connecting,  // SYN sent
  open,
  orphan,  // the program has closed it; the kernel still delivers what was sent
  gone,    // nothing is kept but what is on the wire already; peers that still send are answered with RST
};

struct Endpoint {
  explicit Endpoint(Scheduler& scheduler) : readers(scheduler), writers(scheduler) {}

  Network::Implementation* network = nullptr;  // null once nothing remains to be done for this endpoint
  std::uint64_t id = 0;
  std::uint64_t peer = 0;        // 0 while connecting
  std::uint64_t connection = 0;  // the same at both ends: the number of the end that connected
  Address local, remote;
  std::uint32_t host = 0, peer_host = 0;
  std::uint64_t incarnation = 0, peer_incarnation = 0;
  Link* outbound = nullptr;
  Link* inbound = nullptr;
  ConnectionOptions options;
  Life life = Life::connecting;
  std::optional<NetError> error;  // what calls on this end fail with

  // The pipe that leads away from here.
  std::deque<Segment> in_flight;  // not delivered yet, in order
  std::uint64_t next_sequence = 1;
  TimerId arrival_timer = 0;   // for the head of in_flight
  bool held = false;           // the head met a blocked link; no timer, release() goes on
  std::uint32_t attempts = 0;  // of the head, each without an answer
  bool fin_sent = false;
  std::uint64_t window_used = 0;             // bytes sent and not read by the peer
  std::optional<Time> unacknowledged_since;  // `sent` of the oldest segment that arrived while the way back was blocked
  TimerId user_timer = 0;                    // armed only while something is in the way of an acknowledgement

  // What arrived.
  std::string received;
  std::size_t read_position = 0;
  bool fin_received = false;
  Time last_heard = time_zero;

  std::uint32_t waiting = 0;  // calls that block
  TimerId keepalive_timer = 0;
  WaitQueue readers, writers;

  std::size_t unread() const { return received.size() - read_position; }
};

struct ListenerState {
  explicit ListenerState(Scheduler& scheduler) : acceptors(scheduler) {}

  Network::Implementation* network = nullptr;  // null once closed
  std::uint32_t host = 0;
  std::uint16_t port = 0;
  std::deque<std::shared_ptr<Endpoint>> pending;
  WaitQueue acceptors;
};

}  // namespace detail

struct Network::Implementation {
  using Endpoint = detail::Endpoint;
  using Link = detail::Link;
  using ListenerState = detail::ListenerState;
  using SegmentKind = detail::SegmentKind;

  explicit Implementation(Simulation& owner);

  // --- names (network.cpp) ---
  std::uint32_t host_number(const std::string& name);
  Host* host_at(std::uint32_t number);
  Link& link_between(std::uint32_t from, std::uint32_t to);
  Link& link_between(const std::string& from, const std::string& to);
  const Link* existing_link(const std::string& from, const std::string& to) const;
  const LinkParameters& parameters_of(const Link& link) const;
  void release(Link& link);

  // --- endpoints (network_connection.cpp) ---
  std::shared_ptr<Endpoint> make_endpoint(std::uint32_t host, std::uint32_t peer_host);
  std::shared_ptr<Endpoint> find(std::uint64_t id) const;
  std::vector<std::shared_ptr<Endpoint>> endpoints_of(std::uint32_t host) const;
  void close(Endpoint& endpoint);
  void abort(Endpoint& endpoint, NetError own_error);
  void fail(Endpoint& endpoint, NetError error);
  void vanish(Endpoint& endpoint);
  void stop_timers(Endpoint& endpoint);
  void detach(Endpoint& endpoint);
  void close(ListenerState& listener);
  void begin_wait(Endpoint& endpoint);
  void on_keepalive(std::uint64_t id);

  // --- pipes (network_pipe.cpp) ---
  Duration sample_latency(Link& link);
  void transmit(Endpoint& endpoint, SegmentKind kind, std::string bytes);
  void arm_arrival(Endpoint& endpoint);
  void on_arrival(std::uint64_t id);
  bool deliver_head(Endpoint& sender);
  bool offer(Endpoint& sender, detail::Segment& segment);
  bool offer_syn(Endpoint& sender);
  void take(Endpoint& receiver, const Endpoint& sender, detail::Segment& segment);
  void acknowledge(Endpoint& sender, const detail::Segment& segment);
  void retry_head(Endpoint& sender);
  void send_stray_reset(Link& link, std::uint64_t target);
  void on_stray_reset(Link& link, std::uint64_t target);
  void watch(Endpoint& endpoint);
  void on_user_timeout(std::uint64_t id);
  void settle(Endpoint& endpoint);
  void keep_what_is_on_the_wire(Endpoint& endpoint);
  std::optional<Time> oldest_unacknowledged(const Endpoint& endpoint) const;

  void note(detail::ConnectionEvent event, const Endpoint& endpoint);
  std::uint64_t note_traffic(TraceVerb verb, const Endpoint& sender, const detail::Segment& segment);
  void note_arrival(const Link& link, const Endpoint& sender, const detail::Segment& segment);

  Simulation& simulation;
  Scheduler& scheduler;
  LinkParameters default_parameters;
  std::vector<std::string> host_names;
  std::vector<Host*> hosts;                        // by host number; null until first needed
  std::vector<std::uint16_t> next_ephemeral_port;  // by host number
  std::map<std::string, std::uint32_t, std::less<>> host_numbers;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<Link>> links;
  std::map<std::uint64_t, std::shared_ptr<Endpoint>> endpoints;
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::shared_ptr<ListenerState>> listeners;
  std::uint64_t next_endpoint = 1;
};

}  // namespace polarsim::sim
