// Datagrams: from the sender's socket over the link into a receive buffer.
//
// A datagram lives in one slot from being sent to being received; what moves is the slot's number.
#include <fmt/format.h>

#include <algorithm>

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace {
// A free slot gives back more memory than this.
constexpr std::size_t slot_bytes_kept_max = 4096;
constexpr std::uint16_t ephemeral_port_min = 32768;
// In the digest, beside the kinds of segments and the events of connections.
constexpr std::uint64_t datagram_record = 32;
}  // namespace

const char* to_string(DatagramError error) {
  switch (error) {
    case DatagramError::too_large:
      return "message too long";
    case DatagramError::unknown_host:
      return "unknown host";
    case DatagramError::port_taken:
      return "address already in use";
    case DatagramError::timed_out:
      return "timed out";
    case DatagramError::closed:
      return "socket closed";
  }
  return "unknown";
}

tl::expected<DatagramSocket, DatagramError> Network::open_datagram(Host& host, std::uint16_t port,
                                                                   const DatagramOptions& options) {
  if (!host.up()) return tl::unexpected(DatagramError::closed);
  const std::uint32_t number = impl_->host_number(host.name());
  Implementation::HostRecord& record = impl_->hosts[number];
  if (port == 0) {
    const std::uint16_t first = record.next_datagram_port;
    do {
      port = record.next_datagram_port;
      record.next_datagram_port = port == 65535 ? ephemeral_port_min : static_cast<std::uint16_t>(port + 1);
    } while (record.sockets.contains(port) && record.next_datagram_port != first);
  }
  if (record.sockets.contains(port)) return tl::unexpected(DatagramError::port_taken);
  auto state = std::make_shared<detail::DatagramSocketState>(impl_->scheduler);
  state->network = impl_.get();
  state->host = number;
  state->port = port;
  state->options = options;
  record.sockets.emplace(port, state);
  return DatagramSocket(std::move(state));
}

// --- slots ---

std::uint32_t Network::Implementation::take_slot() {
  if (free_datagrams.empty()) {
    free_datagrams.push_back(static_cast<std::uint32_t>(datagrams.size()));
    datagrams.emplace_back();
  }
  const std::uint32_t slot = free_datagrams.back();
  free_datagrams.pop_back();
  return slot;
}

void Network::Implementation::free_slot(std::uint32_t slot) {
  DatagramSlot& datagram = datagrams[slot];
  datagram.link = nullptr;
  datagram.timer = 0;
  datagram.in_buffer = false;
  if (datagram.bytes.capacity() > slot_bytes_kept_max) std::string().swap(datagram.bytes);
  free_datagrams.push_back(slot);
}

// --- sending ---

void Network::Implementation::send_datagram(DatagramSocketState& socket, std::uint32_t to, std::uint16_t port,
                                            std::string_view bytes) {
  Link& link = link_between(socket.host, to);
  const LinkParameters& parameters = *link.parameters;
  RandomStream& fate = *link.datagram_fate_stream;
  const Time now = scheduler.now();
  ++socket.statistics.sent;
  ++link.statistics.datagrams_sent;
  link.statistics.bytes_sent += bytes.size();
  const std::uint64_t sequence = link.next_datagram++;
  if (link.transmitter_free - now > parameters.datagram_queue_limit) {
    ++link.statistics.datagrams_overflowed;
    return trace_lost_datagram(link, socket.port, port, sequence, "dropped by a long queue");
  }
  const Time departure = take_turn(link, bytes.size(), 0);
  if (parameters.loss > 0 && fate.chance(parameters.loss)) {
    ++link.statistics.datagrams_lost;
    return trace_lost_datagram(link, socket.port, port, sequence, "lost");
  }
  const bool damaged = parameters.corruption > 0 && fate.chance(parameters.corruption);
  if (damaged) ++link.statistics.datagrams_corrupted;
  const bool unnoticed = damaged && !bytes.empty() && fate.chance(parameters.undetected_corruption);
  if (damaged && !unnoticed) {
    ++link.statistics.datagrams_lost;
    return trace_lost_datagram(link, socket.port, port, sequence, "lost: damaged");
  }
  const Duration latency = parameters.latency.sample(*link.datagram_latency_stream);
  Time arrival = std::max(deadline_after(departure, latency), link.last_datagram_arrival);
  if (parameters.reordering > 0 && fate.chance(parameters.reordering)) {
    const Duration detour = fate.between(Duration(0), std::max(Duration(0), parameters.reordering_delay));
    arrival = deadline_after(arrival, detour);
  } else {
    link.last_datagram_arrival = arrival;
  }
  launch(link, socket.port, port, Flight{sequence, departure, arrival, unnoticed}, bytes);
  if (parameters.duplication <= 0 || !fate.chance(parameters.duplication)) return;
  ++link.statistics.datagrams_duplicated;
  const Duration later = parameters.latency.sample(*link.datagram_latency_stream);
  arrival = deadline_after(arrival, later);
  launch(link, socket.port, port, Flight{sequence, departure, arrival, unnoticed}, bytes);
}

void Network::Implementation::launch(Link& link, std::uint16_t from_port, std::uint16_t to_port, const Flight& flight,
                                     std::string_view bytes) {
  const std::uint32_t slot = take_slot();
  DatagramSlot& datagram = datagrams[slot];
  datagram.link = &link;
  datagram.from_port = from_port;
  datagram.to_port = to_port;
  datagram.corrupted = flight.corrupted;
  datagram.sequence = flight.sequence;
  datagram.departure = flight.departure;
  datagram.bytes.assign(bytes);
  datagram.trace_id = 0;
  if (simulation.trace().enabled()) [[unlikely]]
    datagram.trace_id = trace_datagram(TraceVerb::send, datagram);
  let_arrive(slot, flight.arrival);
  ++link.datagrams_in_flight;
}

void Network::Implementation::let_arrive(std::uint32_t slot, Time arrival) {
  datagrams[slot].arrival = arrival;
  datagrams[slot].timer = scheduler.call_at(arrival, [this, slot] { on_datagram(slot); });
}

tl::expected<void, DatagramError> DatagramSocket::send_to(const Address& to, std::string_view bytes) {
  if (!open()) return tl::unexpected(DatagramError::closed);
  if (bytes.size() > datagram_bytes_max) return tl::unexpected(DatagramError::too_large);
  Network::Implementation& network = *state_->network;
  const auto found = network.host_numbers.find(to.host);
  if (found != network.host_numbers.end() && network.host_at(found->second) != nullptr) {
    network.send_datagram(*state_, found->second, to.port, bytes);
    return {};
  }
  if (network.simulation.find_host(to.host) == nullptr) return tl::unexpected(DatagramError::unknown_host);
  network.send_datagram(*state_, network.host_number(to.host), to.port, bytes);
  return {};
}

// --- arriving ---

void Network::Implementation::on_datagram(std::uint32_t slot) {
  DatagramSlot& datagram = datagrams[slot];
  Link& link = *datagram.link;
  datagram.timer = 0;
  if (link.cuts == 0 && link.clogged(scheduler.now())) {
    ++link.statistics.datagrams_held;
    link.held_datagrams.push_back(slot);
    return;
  }
  --link.datagrams_in_flight;
  if (link.cuts > 0) {
    ++link.statistics.datagrams_cut;
    trace_lost_datagram(datagram, "lost: the link is cut");
    return free_slot(slot);
  }
  const auto& sockets = hosts[link.to].sockets;
  const auto found = sockets.find(datagram.to_port);
  if (found == sockets.end() || !host_at(link.to)->up()) {
    ++link.statistics.datagrams_unreceived;
    trace_lost_datagram(datagram, "dropped: nobody is there");
    return free_slot(slot);
  }
  put_in_buffer(*found->second, slot);
}

void Network::Implementation::put_in_buffer(DatagramSocketState& socket, std::uint32_t slot) {
  DatagramSlot& datagram = datagrams[slot];
  Link& link = *datagram.link;
  const std::size_t charge = datagram.bytes.size() + datagram_overhead_bytes;
  if (socket.queued_bytes + charge > socket.options.receive_buffer_bytes) {
    ++link.statistics.datagrams_overflowed;
    ++socket.statistics.dropped_at_full;
    trace_lost_datagram(datagram, "dropped: the receive buffer is full");
    return free_slot(slot);
  }
  if (datagram.corrupted) flip_bits(link, datagram.bytes.data(), datagram.bytes.size());
  note_datagram(datagram);
  ++link.statistics.datagrams_delivered;
  link.statistics.bytes_delivered += datagram.bytes.size();
  if (datagram.sequence < link.last_delivered) ++link.statistics.datagrams_reordered;
  link.last_delivered = std::max(link.last_delivered, datagram.sequence);
  ++socket.statistics.received;
  datagram.in_buffer = true;
  socket.queued_bytes += charge;
  socket.queue.push_back(slot);
  socket.readers.notify_one();
}

void Network::Implementation::note_datagram(const DatagramSlot& datagram) {
  const Link& link = *datagram.link;
  const std::uint64_t what = (datagram_record << 32) | link.id;
  const std::uint64_t ports = (static_cast<std::uint64_t>(datagram.from_port) << 16) | datagram.to_port;
  simulation.digest().absorb(DigestKind::network, what, (datagram.sequence << 32) ^ ports,
                             stable_hash(datagram.bytes, datagram.bytes.size()));
  if (simulation.trace().enabled()) [[unlikely]]
    trace_datagram(TraceVerb::deliver, datagram);
}

void Network::Implementation::trace_lost_datagram(const DatagramSlot& datagram, const char* what) {
  trace_lost_datagram(*datagram.link, datagram.from_port, datagram.to_port, datagram.sequence, what);
}

void Network::Implementation::trace_lost_datagram(const Link& link, std::uint16_t from_port, std::uint16_t to_port,
                                                  std::uint64_t sequence, const char* what) {
  if (!simulation.trace().enabled()) return;
  simulation.trace().add(scheduler.now(), TraceKind::message, hosts[link.to].name,
                         fmt::format("{}:{} > {}:{} datagram #{} {}", hosts[link.from].name, from_port,
                                     hosts[link.to].name, to_port, sequence, what));
}

// --- receiving ---

tl::expected<void, DatagramError> DatagramSocket::receive(Datagram& out, Time deadline) {
  if (!state_) return tl::unexpected(DatagramError::closed);
  const std::shared_ptr<detail::DatagramSocketState> state = state_;
  for (;;) {
    if (state->network == nullptr) return tl::unexpected(DatagramError::closed);
    if (!state->queue.empty()) {
      Network::Implementation& network = *state->network;
      const std::uint32_t slot = state->queue.front();
      state->queue.pop_front();
      const detail::DatagramSlot& datagram = network.datagrams[slot];
      out.from.host.assign(network.hosts[datagram.link->from].name);
      out.from.port = datagram.from_port;
      out.bytes.assign(datagram.bytes);
      state->queued_bytes -= datagram.bytes.size() + datagram_overhead_bytes;
      network.free_slot(slot);
      return {};
    }
    const WakeReason reason = state->readers.wait("receive datagram", deadline);
    if (reason == WakeReason::cancelled) return tl::unexpected(DatagramError::closed);
    if (reason == WakeReason::timed_out && state->network != nullptr && state->queue.empty()) {
      return tl::unexpected(DatagramError::timed_out);
    }
  }
}

void Network::Implementation::close(DatagramSocketState& socket) {
  if (socket.network == nullptr) return;
  socket.network = nullptr;
  while (!socket.queue.empty()) {
    free_slot(socket.queue.front());
    socket.queue.pop_front();
  }
  socket.queued_bytes = 0;
  socket.readers.notify_all();
  // This may end the socket's state.
  hosts[socket.host].sockets.erase(socket.port);
}

DatagramSocket& DatagramSocket::operator=(DatagramSocket&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

DatagramSocket::~DatagramSocket() { close(); }

void DatagramSocket::close() {
  if (!state_) return;
  const std::shared_ptr<detail::DatagramSocketState> state = state_;
  if (state->network != nullptr) state->network->close(*state);
}

bool DatagramSocket::open() const { return state_ && state_->network != nullptr; }

std::uint16_t DatagramSocket::port() const { return state_ ? state_->port : 0; }

DatagramSocketStatistics DatagramSocket::statistics() const {
  return state_ ? state_->statistics : DatagramSocketStatistics{};
}

}  // namespace polarsim::sim
