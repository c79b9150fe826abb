// The two ends of a connection: what programs call, and how an end comes to its end.
#include <algorithm>

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace {

// Marks a call that waits for the peer, so that keepalive probes are sent while it does.
class Waiting {
 public:
  explicit Waiting(detail::Endpoint& endpoint) : endpoint_(endpoint) {
    ++endpoint_.waiting;
    if (endpoint_.network != nullptr) endpoint_.network->begin_wait(endpoint_);
  }
  ~Waiting() { --endpoint_.waiting; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  detail::Endpoint& endpoint_;
};

std::size_t take_received(detail::Endpoint& endpoint, std::string& out, std::size_t limit) {
  const std::size_t count = std::min(limit, endpoint.received.size());
  out.append(endpoint.received.front(count));
  endpoint.received.drop_front(count);
  return count;
}

const Address& no_address() {
  static const Address address;
  return address;
}

}  // namespace

void detail::EndpointTable::insert(std::shared_ptr<Endpoint> endpoint) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  endpoint->handle = (static_cast<EndpointHandle>(slots_[slot].generation) << 32) | slot;
  slots_[slot].endpoint = std::move(endpoint);
}

std::shared_ptr<detail::Endpoint> detail::EndpointTable::remove(EndpointHandle handle) {
  const auto index = static_cast<std::uint32_t>(handle);
  Slot& slot = slots_[index];
  // A slot whose generations are used up stays empty, so that no handle ever comes back.
  if (++slot.generation != 0) free_.push_back(index);
  return std::move(slot.endpoint);
}

std::shared_ptr<detail::Endpoint> Network::Implementation::make_endpoint(std::uint32_t host, std::uint32_t peer_host) {
  auto endpoint = std::make_shared<Endpoint>(scheduler);
  Link& link = link_between(host, peer_host);
  endpoint->network = this;
  endpoint->number = next_endpoint++;
  endpoint->host = host;
  endpoint->peer_host = peer_host;
  endpoint->incarnation = host_at(host)->incarnation();
  endpoint->outbound = &link;
  endpoint->inbound = link.reverse;
  endpoint->place_in_link = link.endpoints.size();
  endpoint->last_heard = scheduler.now();
  link.endpoints.push_back(endpoint.get());
  endpoints.insert(endpoint);
  return endpoint;
}

std::vector<std::shared_ptr<detail::Endpoint>> Network::Implementation::endpoints_of(const Link& link) const {
  std::vector<std::shared_ptr<Endpoint>> result;
  result.reserve(link.endpoints.size());
  for (Endpoint* const endpoint : link.endpoints) result.push_back(endpoint->shared_from_this());
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a->number < b->number; });
  return result;
}

std::vector<std::shared_ptr<detail::Endpoint>> Network::Implementation::endpoints_of(std::uint32_t host) const {
  std::vector<std::shared_ptr<Endpoint>> result;
  for (const Link* const link : hosts[host].outbound) {
    if (link == nullptr) continue;
    for (Endpoint* const endpoint : link->endpoints) result.push_back(endpoint->shared_from_this());
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a->number < b->number; });
  return result;
}

// The program lets go of an end. The kernel delivers what was sent, then FIN; bytes nobody will read make it an RST.
void Network::Implementation::close(Endpoint& endpoint) {
  if (endpoint.life == detail::Life::connecting) {
    endpoint.error = NetError::closed;
    endpoint.readers.notify_all();
    return detach(endpoint);
  }
  if (endpoint.life != detail::Life::open) return;
  if (!endpoint.received.empty()) return abort(endpoint, NetError::closed);
  if (!endpoint.error) endpoint.error = NetError::closed;
  endpoint.life = detail::Life::orphan;
  note(detail::ConnectionEvent::closed, endpoint);
  if (!endpoint.fin_sent) {
    endpoint.fin_sent = true;
    transmit(endpoint, SegmentKind::fin, {});
  }
  endpoint.readers.notify_all();
  endpoint.writers.notify_all();
  settle(endpoint);
}

// Ends the connection with an RST behind what is on the wire already; what was not transmitted yet is dropped.
void Network::Implementation::abort(Endpoint& endpoint, NetError own_error) {
  if (endpoint.life == detail::Life::gone) return;
  if (endpoint.life == detail::Life::connecting) return close(endpoint);
  if (!endpoint.error) endpoint.error = own_error;
  endpoint.received.clear();
  endpoint.life = detail::Life::gone;
  note(detail::ConnectionEvent::aborted, endpoint);
  stop_timers(endpoint);
  // What waits for the transmitter has left the kernel; only repetitions still to come are dropped.
  drop_after(endpoint, &detail::Segment::handed_over, scheduler.now());
  transmit(endpoint, SegmentKind::rst, {});
  endpoint.readers.notify_all();
  endpoint.writers.notify_all();
}

void Network::Implementation::fail(Endpoint& endpoint, NetError error) {
  if (!endpoint.error) endpoint.error = error;
  if (error == NetError::reset) {
    endpoint.received.clear();
  }
  note(detail::ConnectionEvent::failed, endpoint);
  endpoint.readers.notify_all();
  endpoint.writers.notify_all();
  detach(endpoint);
}

// The host of this end has lost its power: its memory is gone, what is on the wire is not.
void Network::Implementation::vanish(Endpoint& endpoint) {
  if (!endpoint.error) endpoint.error = NetError::closed;
  endpoint.received.clear();
  endpoint.life = detail::Life::gone;
  endpoint.unacknowledged_since.reset();
  stop_timers(endpoint);
  note(detail::ConnectionEvent::vanished, endpoint);
  drop_after(endpoint, &detail::Segment::departure, scheduler.now());
  endpoint.readers.notify_all();
  endpoint.writers.notify_all();
  settle(endpoint);
}

// Stops what watches over a living end; arrivals go on.
void Network::Implementation::stop_timers(Endpoint& endpoint) {
  for (TimerId* timer : {&endpoint.user_timer, &endpoint.keepalive_timer}) {
    if (*timer != 0) scheduler.cancel_timer(*timer);
    *timer = 0;
  }
}

// Forgets an end. It stays alive until the network's next event, so that callers can still look at it.
void Network::Implementation::detach(Endpoint& endpoint) {
  if (endpoint.network == nullptr) return;
  stop_timers(endpoint);
  if (endpoint.arrival_timer != 0) scheduler.cancel_timer(endpoint.arrival_timer);
  endpoint.arrival_timer = 0;
  endpoint.outbound->statistics.segments_dropped += endpoint.in_flight.size();
  endpoint.in_flight.clear();
  endpoint.in_flight_bytes.clear();
  endpoint.held = false;
  endpoint.life = detail::Life::gone;
  endpoint.network = nullptr;
  std::vector<Endpoint*>& others = endpoint.outbound->endpoints;
  others[endpoint.place_in_link] = others.back();
  others[endpoint.place_in_link]->place_in_link = endpoint.place_in_link;
  others.pop_back();
  retired.push_back(endpoints.remove(endpoint.handle));
}

// The timer is lazy: it stays armed between waits, so that a busy connection costs one timer per keepalive period.
void Network::Implementation::begin_wait(Endpoint& endpoint) {
  if (endpoint.keepalive_timer != 0 || endpoint.options.keepalive_after == Duration::max()) return;
  const Time when = deadline_after(scheduler.now(), endpoint.options.keepalive_after);
  endpoint.keepalive_timer = scheduler.call_at(when, [this, handle = endpoint.handle] { on_keepalive(handle); });
}

void Network::Implementation::on_keepalive(EndpointHandle handle) {
  Endpoint* const endpoint = endpoints.find(handle);
  if (endpoint == nullptr) return;
  endpoint->keepalive_timer = 0;
  if (endpoint->waiting == 0 || endpoint->life != detail::Life::open) return;
  const Time now = scheduler.now();
  Time next = deadline_after(endpoint->last_heard, endpoint->options.keepalive_after);
  if (next <= now) {
    // What is under way already tells as much as a probe.
    if (!oldest_unacknowledged(*endpoint)) transmit(*endpoint, SegmentKind::probe, {});
    next = deadline_after(now, std::max(Duration(1), endpoint->options.keepalive_after));
  }
  endpoint->keepalive_timer = scheduler.call_at(next, [this, handle] { on_keepalive(handle); });
}

// --- Connection ---

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    endpoint_ = std::move(other.endpoint_);
  }
  return *this;
}

Connection::~Connection() { close(); }

tl::expected<void, NetError> Connection::send(std::string_view bytes) {
  if (!endpoint_) return tl::unexpected(NetError::closed);
  const std::shared_ptr<detail::Endpoint> end = endpoint_;
  const std::uint64_t window = std::max<std::uint64_t>(1, end->options.window_bytes);
  for (;;) {
    if (end->error) return tl::unexpected(*end->error);
    if (end->fin_sent) return tl::unexpected(NetError::closed);
    if (bytes.empty()) return {};
    const std::uint64_t room = end->window_used < window ? window - end->window_used : 0;
    // Waiting for half a window keeps a slow reader from cutting a long send into crumbs.
    if (room >= std::min<std::uint64_t>(bytes.size(), (window + 1) / 2)) {
      const std::size_t count = std::min<std::uint64_t>(bytes.size(), room);
      end->network->transmit(*end, detail::SegmentKind::data, bytes.substr(0, count));
      bytes.remove_prefix(count);
      continue;
    }
    const Waiting waiting(*end);
    if (end->writers.wait("send") == WakeReason::cancelled) return tl::unexpected(NetError::closed);
  }
}

tl::expected<std::size_t, NetError> Connection::receive(std::string& out, std::size_t limit, Time deadline) {
  if (!endpoint_) return tl::unexpected(NetError::closed);
  const std::shared_ptr<detail::Endpoint> end = endpoint_;
  for (;;) {
    // What arrived before a timeout is still good; an RST or a close takes it away.
    if (end->error && *end->error != NetError::timed_out) return tl::unexpected(*end->error);
    if (!end->received.empty() && limit > 0) {
      const std::size_t count = take_received(*end, out, limit);
      detail::Endpoint* const peer = end->network == nullptr ? nullptr : end->network->endpoints.find(end->peer);
      if (peer != nullptr) {
        peer->window_used -= count;
        peer->writers.notify_all();
      }
      return count;
    }
    if (end->error) return tl::unexpected(*end->error);
    if (end->fin_received || limit == 0) return 0;
    const Waiting waiting(*end);
    const WakeReason reason = end->readers.wait("receive", deadline);
    if (reason == WakeReason::cancelled) return tl::unexpected(NetError::closed);
    if (reason == WakeReason::timed_out && !end->error && end->received.empty() && !end->fin_received) {
      return tl::unexpected(NetError::timed_out);
    }
  }
}

void Connection::shutdown_send() {
  if (!endpoint_ || endpoint_->life != detail::Life::open || endpoint_->fin_sent) return;
  endpoint_->fin_sent = true;
  endpoint_->network->transmit(*endpoint_, detail::SegmentKind::fin, {});
  endpoint_->writers.notify_all();
}

void Connection::close() {
  if (!endpoint_) return;
  const std::shared_ptr<detail::Endpoint> end = endpoint_;
  if (end->network != nullptr) end->network->close(*end);
  // From here on this end says `closed`, also where it had failed for another reason before.
  end->error = NetError::closed;
}

void Connection::abort() {
  if (!endpoint_) return;
  const std::shared_ptr<detail::Endpoint> end = endpoint_;
  if (end->network != nullptr) end->network->abort(*end, NetError::closed);
  end->error = NetError::closed;
}

bool Connection::open() const { return endpoint_ && !endpoint_->error; }
const Address& Connection::local() const { return endpoint_ ? endpoint_->local : no_address(); }
const Address& Connection::remote() const { return endpoint_ ? endpoint_->remote : no_address(); }

}  // namespace polarsim::sim
