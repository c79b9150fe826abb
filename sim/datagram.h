// Datagrams between hosts: UDP's semantics.
//
// A datagram arrives whole or not at all. Nothing tells the sender which, not even where nobody listens (ICMP is not
// modelled). On its way it may be lost, doubled, damaged or overtaken, as the link's parameters say (sim/link.h); a cut
// swallows it, a clog holds it until the clog ends. Draws come from "net/<from>><to>/datagram/latency" and
// "net/<from>><to>/datagram/fate".
//
// What a host had put on the wire before it lost its power still arrives; what its transmitters had not sent does not.
// A clean stop sends what was handed over. A datagram belongs to a port, not to a socket: one that finds a rebooted
// host with a new socket of the same port is received there.
//
// Not modelled: fragmentation (a large datagram is lost or damaged as a whole), multicast and broadcast, connected
// sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "sim/address.h"
#include "sim/time.h"

namespace polarsim::sim {

// The largest payload that IPv4's 16-bit length leaves behind its own header and UDP's: 65,535 - 20 - 8.
inline constexpr std::size_t datagram_bytes_max = 65'507;
// What a datagram in a receive buffer is charged beside its payload, so that empty ones are bounded too; Linux charges
// its own bookkeeping likewise.
inline constexpr std::size_t datagram_overhead_bytes = 256;

enum class DatagramError : std::uint8_t {
  too_large,     // more than datagram_bytes_max
  unknown_host,  // no host of that name exists
  port_taken,    // another socket of this host has it, or no ephemeral port is left
  timed_out,     // nothing arrived before the deadline
  closed,        // the socket was closed or its host is down
};
const char* to_string(DatagramError error);

struct Datagram {
  Address from;
  std::string bytes;
};

struct DatagramOptions {
  std::size_t receive_buffer_bytes = 212'992;  // Linux's net.core.rmem_default
};

struct DatagramSocketStatistics {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;         // into the receive buffer
  std::uint64_t dropped_at_full = 0;  // the receive buffer was full
};

namespace detail {
struct DatagramSocketState;
}

// Opened by Host::open_datagram(). Move-only; destroying it closes it and drops what was not received. A default
// value is closed. Several tasks may receive; they take turns.
class DatagramSocket {
 public:
  DatagramSocket() = default;
  explicit DatagramSocket(std::shared_ptr<detail::DatagramSocketState> state) : state_(std::move(state)) {}
  DatagramSocket(DatagramSocket&&) noexcept = default;
  DatagramSocket& operator=(DatagramSocket&&) noexcept;
  ~DatagramSocket();

  // Never blocks. Success says nothing about arrival.
  tl::expected<void, DatagramError> send_to(const Address& to, std::string_view bytes);
  // Blocks until a datagram is there or until `deadline` (timed_out), and overwrites `out`, whose memory is reused.
  tl::expected<void, DatagramError> receive(Datagram& out, Time deadline = never);
  void close();
  bool open() const;
  // Port 0 once closed by move or never opened.
  std::uint16_t port() const;
  DatagramSocketStatistics statistics() const;

 private:
  std::shared_ptr<detail::DatagramSocketState> state_;
};

}  // namespace polarsim::sim
