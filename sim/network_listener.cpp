// Listeners: the backlog, and what arrives there.
#include <algorithm>

#include "sim/host.h"
#include "sim/network_state.h"

namespace polarsim::sim {

tl::expected<Listener, NetError> Network::listen(Host& host, std::uint16_t port, const ListenOptions& options) {
  if (!host.up()) return tl::unexpected(NetError::closed);
  const std::uint32_t number = impl_->host_number(host.name());
  auto& slot = impl_->hosts[number].listeners[port];
  if (slot) return tl::unexpected(NetError::refused);
  slot = std::make_shared<detail::ListenerState>(impl_->scheduler);
  slot->network = impl_.get();
  slot->host = number;
  slot->port = port;
  slot->options = options;
  return Listener(slot);
}

void Network::Implementation::close(ListenerState& listener) {
  if (listener.network == nullptr) return;
  listener.network = nullptr;
  for (const auto& endpoint : listener.pending) {
    if (endpoint->network != nullptr) abort(*endpoint, NetError::closed);
  }
  listener.pending.clear();
  listener.acceptors.notify_all();
  hosts[listener.host].listeners.erase(listener.port);
}

// False if the SYN was not taken and must be sent again.
bool Network::Implementation::offer_syn(Endpoint& sender) {
  note_arrival(*sender.outbound, sender, sender.in_flight.front(), {});
  const HostRecord& host = hosts[sender.peer_host];
  const auto found = host.listeners.find(sender.remote.port);
  if (found == host.listeners.end()) {
    send_stray_reset(*sender.inbound, sender.handle);
    return false;
  }
  ListenerState& listener = *found->second;
  if (listener.pending.size() >= listener.options.backlog) {
    ++listener.statistics.overflowed;
    if (listener.options.reset_on_overflow) send_stray_reset(*sender.inbound, sender.handle);
    return false;
  }
  ++sender.outbound->statistics.segments_delivered;
  const std::shared_ptr<Endpoint> accepted = make_endpoint(sender.peer_host, sender.host);
  accepted->local = sender.remote;
  accepted->remote = sender.local;
  accepted->options = sender.options;
  accepted->connection = sender.connection;
  accepted->peer = sender.handle;
  accepted->peer_incarnation = sender.incarnation;
  accepted->life = detail::Life::open;
  sender.peer_incarnation = accepted->incarnation;
  note(detail::ConnectionEvent::accepted, *accepted);
  transmit(*accepted, SegmentKind::syn_ack, {});
  listener.pending.push_back(accepted);
  ++listener.statistics.arrived;
  listener.statistics.waiting_max = std::max(listener.statistics.waiting_max, listener.pending.size());
  listener.acceptors.notify_all();
  return true;
}

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

Listener::~Listener() { close(); }

tl::expected<Connection, NetError> Listener::accept(Time deadline) {
  if (!state_) return tl::unexpected(NetError::closed);
  const std::shared_ptr<detail::ListenerState> state = state_;
  for (;;) {
    if (state->network == nullptr) return tl::unexpected(NetError::closed);
    if (!state->pending.empty()) {
      Connection accepted(std::move(state->pending.front()));
      state->pending.pop_front();
      return accepted;
    }
    const WakeReason reason = state->acceptors.wait("accept", deadline);
    if (reason == WakeReason::cancelled) return tl::unexpected(NetError::closed);
    if (reason == WakeReason::timed_out && state->network != nullptr && state->pending.empty()) {
      return tl::unexpected(NetError::timed_out);
    }
  }
}

void Listener::close() {
  if (!state_) return;
  const std::shared_ptr<detail::ListenerState> state = state_;
  if (state->network != nullptr) state->network->close(*state);
}

std::uint16_t Listener::port() const { return state_ ? state_->port : 0; }

ListenerStatistics Listener::statistics() const {
  if (!state_) return {};
  ListenerStatistics statistics = state_->statistics;
  statistics.waiting = state_->pending.size();
  return statistics;
}

}  // namespace polarsim::sim
