// What the network keeps of links, connections, listeners and datagrams; private to the network's own sources.
//
// A connection is two Endpoints that know each other by handle, never by address: an endpoint owns the pipe that leads
// away from it, and looks its peer up when a segment arrives. A handle that is not found is a connection that no longer
// exists, which is exactly the case that TCP answers with RST.
//
// The bytes of a pipe lie in two queues, in flight at the sender and arrived at the receiver; arrival copies them over.
// All queues keep their memory, so that a message in the steady state allocates nothing.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/byte_queue.h"
#include "sim/network.h"
#include "sim/ring_queue.h"
#include "sim/sync.h"

namespace polarsim::sim::detail {

// Numbers are part of recorded digests: append, never renumber.
enum class SegmentKind : std::uint8_t { syn = 1, syn_ack, data, fin, rst, probe };
const char* to_string(SegmentKind kind);

// Numbers are part of recorded digests: append, never renumber.
enum class ConnectionEvent : std::uint8_t { connecting = 16, accepted, established, closed, aborted, failed, vanished };
const char* to_string(ConnectionEvent event);

// Slot and generation of an endpoint; 0 is none.
using EndpointHandle = std::uint64_t;

struct Segment {
  SegmentKind kind;
  bool corrupted;              // arrives with flipped bits
  std::uint64_t length;        // of its payload, in its pipe's bytes in flight
  std::uint64_t sequence;      // counts the segments of its pipe
  Time sent;                   // when the sender handed it over: user_timeout counts from here
  Time handed_over;            // when the transmission that gets through joins the transmitter's queue
  Time departure;              // when that transmission is on the wire
  Time arrival;                // on its own; in the pipe it waits for those before it
  std::uint64_t trace_id = 0;  // of its `send`
};

struct Endpoint;

// One direction between two hosts.
struct Link {
  std::uint32_t id;
  std::uint32_t from, to;  // host numbers
  std::string name;        // "from>to"
  Link* reverse;
  std::optional<LinkParameters> own_parameters;
  const LinkParameters* parameters;  // its own, those of all links, or those of a host to itself
  LinkStatistics statistics;         // without what is in flight, which is counted when asked for
  std::uint32_t cuts = 0;
  Time clogged_until = time_zero;
  TimerId clog_timer = 0;
  Time transmitter_free = time_zero;
  std::vector<Endpoint*> endpoints;         // whose pipes this link carries; each knows its place
  std::uint64_t stray_resets = 0;           // in flight
  std::vector<EndpointHandle> held_resets;  // of these, by a clog, in order of arrival
  // What the trace calls its traffic, by SegmentKind; datagrams last. 0 until first needed.
  std::array<std::uint32_t, 8> trace_names{};

  std::vector<std::uint32_t> held_datagrams;  // by a clog, in order of arrival
  std::uint64_t datagrams_in_flight = 0;
  std::uint64_t next_datagram = 1;   // sequence
  std::uint64_t last_delivered = 0;  // highest sequence delivered
  Time last_datagram_arrival = time_zero;

  RandomStream* latency_stream;
  RandomStream* loss_stream;
  RandomStream* corruption_stream;
  RandomStream* datagram_latency_stream;
  RandomStream* datagram_fate_stream;

  bool clogged(Time now) const { return clogged_until > now; }
  bool blocked(Time now) const { return cuts > 0 || clogged(now); }
};

enum class Life : std::uint8_t {
  connecting,  // SYN sent
  open,
  orphan,  // the program has closed it; the kernel still delivers what was sent
  gone,    // nothing is kept but what is on the wire already; peers that still send are answered with RST
};

struct Endpoint : std::enable_shared_from_this<Endpoint> {
  explicit Endpoint(Scheduler& scheduler) : readers(scheduler), writers(scheduler) {}

  Network::Implementation* network = nullptr;  // null once nothing remains to be done for this endpoint
  EndpointHandle handle = 0;
  std::uint64_t number = 0;      // counts endpoints: their order, and their name in digests
  EndpointHandle peer = 0;       // 0 while connecting
  std::uint64_t connection = 0;  // the same at both ends: the number of the end that connected
  Address local, remote;
  std::uint32_t host = 0, peer_host = 0;
  std::uint64_t incarnation = 0, peer_incarnation = 0;
  Link* outbound = nullptr;
  Link* inbound = nullptr;
  std::size_t place_in_link = 0;  // of outbound
  ConnectionOptions options;
  Life life = Life::connecting;
  std::optional<NetError> error;  // what calls on this end fail with

  // The pipe that leads away from here.
  RingQueue<Segment> in_flight;  // not delivered yet, in order
  ByteQueue in_flight_bytes;     // their payloads
  std::uint64_t next_sequence = 1;
  TimerId arrival_timer = 0;   // for the head of in_flight
  bool held = false;           // the head met a blocked link; no timer, release() goes on
  std::uint32_t attempts = 0;  // of the head, each without an answer
  bool fin_sent = false;
  std::uint64_t window_used = 0;             // bytes sent and not read by the peer
  std::optional<Time> unacknowledged_since;  // `sent` of the oldest segment that arrived while the way back was blocked
  TimerId user_timer = 0;                    // armed only while something is in the way of an acknowledgement

  // What arrived.
  ByteQueue received;
  bool fin_received = false;
  Time last_heard = time_zero;

  std::uint32_t waiting = 0;  // calls that block
  TimerId keepalive_timer = 0;
  WaitQueue readers, writers;
};

// Endpoints by handle. A slot is reused with another generation, so that an old handle finds nothing.
class EndpointTable {
 public:
  Endpoint* find(EndpointHandle handle) const {
    const auto slot = static_cast<std::uint32_t>(handle);
    if (slot >= slots_.size() || slots_[slot].generation != static_cast<std::uint32_t>(handle >> 32)) return nullptr;
    return slots_[slot].endpoint.get();
  }
  // Sets the endpoint's handle.
  void insert(std::shared_ptr<Endpoint> endpoint);
  std::shared_ptr<Endpoint> remove(EndpointHandle handle);
  std::size_t size() const { return slots_.size() - free_.size(); }
  template <typename Function>
  void for_each(Function function) const {
    for (const Slot& slot : slots_) {
      if (slot.endpoint) function(*slot.endpoint);
    }
  }

 private:
  struct Slot {
    std::uint32_t generation = 1;
    std::shared_ptr<Endpoint> endpoint;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

struct ListenerState {
  explicit ListenerState(Scheduler& scheduler) : acceptors(scheduler) {}

  Network::Implementation* network = nullptr;  // null once closed
  std::uint32_t host = 0;
  std::uint16_t port = 0;
  ListenOptions options;
  ListenerStatistics statistics;
  std::deque<std::shared_ptr<Endpoint>> pending;
  WaitQueue acceptors;
};

// A datagram from being sent to being received. Slots are reused with the memory of their bytes.
struct DatagramSlot {
  Link* link = nullptr;  // null while the slot is free
  std::uint16_t from_port = 0, to_port = 0;
  bool in_buffer = false;  // arrived, and in a receive buffer
  bool corrupted = false;
  std::uint64_t sequence = 0;  // on its link; a copy has that of the first
  Time departure = time_zero;
  Time arrival = time_zero;
  TimerId timer = 0;
  std::uint64_t trace_id = 0;  // of its `send`
  std::string bytes;
};

struct DatagramSocketState {
  explicit DatagramSocketState(Scheduler& scheduler) : readers(scheduler) {}

  Network::Implementation* network = nullptr;  // null once closed
  std::uint32_t host = 0;
  std::uint16_t port = 0;
  DatagramOptions options;
  DatagramSocketStatistics statistics;
  RingQueue<std::uint32_t> queue;  // slots
  std::size_t queued_bytes = 0;    // with the overhead of each
  WaitQueue readers;
};

}  // namespace polarsim::sim::detail
