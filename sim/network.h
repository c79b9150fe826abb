// The network: hosts joined by directed links, carrying ordered byte streams with TCP's semantics, and datagrams.
//
// Model. A connection is two one-way pipes. send() makes one segment of its bytes, or more where the window is short; a
// segment arrives after its turn at the link's transmitter and the link's latency (sim/link.h), never before an earlier
// segment of the same pipe, and fills the receiver's bounded window; a full window blocks the sender. The sender learns
// of freed window at once, without a message. A lost or visibly damaged segment shows as TCP shows it: it arrives late,
// by one retransmission timeout per loss. A partitioned or clogged link holds segments where they would arrive; they go
// on when it heals, after a fresh latency. Acknowledgements take no time, but need the way back: a segment that stays
// unacknowledged for `user_timeout`, because it cannot arrive or because the way back is cut or clogged, fails the
// sender with timed_out, as TCP_USER_TIMEOUT does, whether it has been read or not.
//
// A crashed host is silent: what it had put on the wire still arrives, what it would have sent again does not. Peers
// learn of it by their timeouts, or by an RST from the rebooted host in answer to what they go on sending
// (retransmission with a doubling timeout). A stopped host sends FIN or RST first, and its kernel goes on delivering
// what was sent. A receiver that only waits, or a sender before a full window, notices a dead peer by keepalive probes
// after `keepalive_after`. A host that is down, for whatever reason, answers nothing. A host reaches itself in 50 us,
// unless set_link() says otherwise.
//
// Durations and deadlines are true time, not the host's clock. Draws come from "net/<from>><to>/latency", ".../loss"
// and ".../corruption"; those of a fault whose probability is zero are not made. Datagrams draw from streams of their
// own (sim/datagram.h).
//
// Not modelled here: congestion control, acknowledgements as messages, headers' share of the bandwidth, queues inside
// the network that several links share, repeated SYN-ACKs of a listener whose peer has gone (a program accepts such a
// connection and finds out later).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sim/address.h"
#include "sim/datagram.h"
#include "sim/distribution.h"
#include "sim/link.h"
#include "sim/partition.h"
#include "sim/scheduler.h"

namespace polarsim::sim {

class Host;
class Network;
class Simulation;

enum class NetError : std::uint8_t {
  refused,    // nobody listens there (RST in answer to SYN)
  timed_out,  // no answer: deadline, user timeout or keepalive
  reset,      // the peer sent RST
  closed,     // this end was closed or its host is down
};
const char* to_string(NetError error);

// Chosen by the end that connects; the accepted end has the same. Duration::max() switches a timeout off.
struct ConnectionOptions {
  std::uint64_t window_bytes = 256 * 1024;  // sent and not yet read by the peer
  Duration connect_timeout{5'000'000'000};  // handshake
  Duration user_timeout{10'000'000'000};    // sent and not yet acknowledged
  Duration keepalive_after{5'000'000'000};  // idle receive before a probe; user_timeout bounds its answer
};

struct ListenOptions {
  // Connections that have arrived and wait for accept(). Linux 5.4 and later: net.core.somaxconn is 4096; 128 before.
  std::size_t backlog = 4096;
  // What happens to a SYN that finds the backlog full: it is dropped, and sent again by its kernel until the connect
  // timeout; or it is answered with RST, so that connect() fails with `refused` (net.ipv4.tcp_abort_on_overflow, which
  // in Linux resets at the end of the handshake instead).
  bool reset_on_overflow = false;
};

struct ListenerStatistics {
  std::uint64_t arrived = 0;     // SYNs taken into the backlog
  std::uint64_t overflowed = 0;  // SYNs that found it full, repetitions included
  std::size_t waiting = 0;       // in the backlog now
  std::size_t waiting_max = 0;
};

namespace detail {
struct Endpoint;
struct ListenerState;
}  // namespace detail

// One end of an established connection, with a meaningless default value on which every call fails with `closed`.
// Move-only; destroying it closes it (RST if bytes are unread, else FIN). One task may receive while another sends.
class Connection {
 public:
  Connection() = default;
  explicit Connection(std::shared_ptr<detail::Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Blocks until all bytes are in the window (not: until they are delivered).
  tl::expected<void, NetError> send(std::string_view bytes);
  // Appends what has arrived (at least one byte, at most `limit`) to `out` and returns how many; 0 is end of stream.
  // Blocks until then or until `deadline` (timed_out; the connection stays usable, see open()). What arrived before a
  // timeout of the connection can still be received; an RST takes it away.
  tl::expected<std::size_t, NetError> receive(std::string& out, std::size_t limit = 64 * 1024, Time deadline = never);
  // Sends FIN after what was sent: the peer reads to the end, then sees 0. Sending fails with `closed` from then on.
  void shutdown_send();
  void close();
  // Sends RST behind what is on the wire, and drops what is not: the peer's next call after its arrival fails with
  // `reset`.
  void abort();
  // False after close() or abort(), when the connection has failed, and when the host is down. An end of stream leaves
  // it open.
  bool open() const;
  const Address& local() const;
  const Address& remote() const;

 private:
  std::shared_ptr<detail::Endpoint> endpoint_;
};

class Listener {
 public:
  Listener() = default;
  explicit Listener(std::shared_ptr<detail::ListenerState> state) : state_(std::move(state)) {}
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();
  // Blocks until a peer has connected (its SYN has arrived; its own connect() returns later), or until `deadline`
  // (timed_out). `closed` after close() or when the host goes down.
  tl::expected<Connection, NetError> accept(Time deadline = never);
  void close();
  std::uint16_t port() const;
  ListenerStatistics statistics() const;

 private:
  std::shared_ptr<detail::ListenerState> state_;
};

struct LinkReport {
  std::string from, to;
  LinkStatistics statistics;
};

// The network as a whole. Faults act here; nodes use only listen() and connect() through their Host.
class Network {
 public:
  explicit Network(Simulation& simulation);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Fails with `refused` if the port is taken.
  tl::expected<Listener, NetError> listen(Host& host, std::uint16_t port, const ListenOptions& options = {});
  // Port 0 takes the next free ephemeral port.
  tl::expected<DatagramSocket, DatagramError> open_datagram(Host& host, std::uint16_t port = 0,
                                                            const DatagramOptions& options = {});
  // Blocks for the handshake. `refused`: an RST came back, or no host of that name exists (that without delay).
  // timed_out: nothing came back within connect_timeout. The SYN itself is sent again as a segment is.
  tl::expected<Connection, NetError> connect(Host& from, const Address& to, const ConnectionOptions& options = {});

  void set_default_link(const LinkParameters& parameters);
  // Parameters of the directed link; they hold from the next segment or datagram on.
  void set_link(const std::string& from, const std::string& to, const LinkParameters& parameters);
  LinkParameters link(const std::string& from, const std::string& to) const;
  LinkStatistics statistics(const std::string& from, const std::string& to) const;
  // Every directed link between hosts that have met so far, in order of their meeting, both directions together.
  std::vector<LinkReport> all_statistics() const;
  LinkStatistics total_statistics() const;

  // Directed cuts are counted: two overlapping faults that cut a link need two heals. uncut() of a link that is not cut
  // has no effect.
  void cut(const std::string& from, const std::string& to);
  void uncut(const std::string& from, const std::string& to);
  bool is_cut(const std::string& from, const std::string& to) const;
  // Counts one cut on every link that the partition cuts; heal() takes back one apply() of the same partition, and
  // nothing else: without an apply() that is still in force it has no effect.
  void apply(const Partition& partition);
  void heal(const Partition& partition);
  // A clogged link delivers nothing until `until`, then everything; a later clog extends an earlier one.
  void clog(const std::string& from, const std::string& to, Time until);
  // Ends a clog, whoever made it, before its time.
  void unclog(const std::string& from, const std::string& to);
  // A time that is not in the future if it is not clogged.
  Time clogged_until(const std::string& from, const std::string& to) const;
  bool is_clogged(const std::string& from, const std::string& to) const;
  // RST to both ends of every connection between the two hosts. Returns how many were dropped.
  std::size_t drop_connections(const std::string& a, const std::string& b);
  // Ends every cut and clog.
  void heal_all();

  // Ends of connections that are kept, closed ones with something left to deliver included.
  std::size_t live_endpoints() const;

  // Called by Host: cuts a host off at once (crash) or says goodbye (stop).
  void host_crashed(Host& host);
  void host_stopping(Host& host);

  struct Implementation;

 private:
  std::unique_ptr<Implementation> impl_;
};

}  // namespace polarsim::sim
