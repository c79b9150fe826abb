#include "sim/network.h"

#include <algorithm>
#include <set>

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace {
// A host reaches itself through memory, whatever the network between machines is like.
LinkParameters loopback_parameters() {
  LinkParameters parameters;
  parameters.latency = DurationDistribution::constant(Duration(50'000));
  parameters.bandwidth_bytes_per_s = 0;
  return parameters;
}
}  // namespace

const char* to_string(NetError error) {
  switch (error) {
    case NetError::refused:
      return "connection refused";
    case NetError::timed_out:
      return "connection timed out";
    case NetError::reset:
      return "connection reset by peer";
    case NetError::closed:
      return "connection closed";
  }
  return "unknown";
}

Network::Implementation::Implementation(Simulation& owner) : simulation(owner), scheduler(owner.scheduler()) {}

std::uint32_t Network::Implementation::host_number(const std::string& name) {
  const auto found = host_numbers.find(name);
  if (found != host_numbers.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(host_names.size());
  host_numbers.emplace(name, number);
  host_names.push_back(name);
  hosts.push_back(nullptr);
  next_ephemeral_port.push_back(32768);
  return number;
}

Host* Network::Implementation::host_at(std::uint32_t number) {
  if (hosts[number] == nullptr) hosts[number] = simulation.find_host(host_names[number]);
  return hosts[number];
}

Network::Implementation::Link& Network::Implementation::link_between(std::uint32_t from, std::uint32_t to) {
  auto& slot = links[{from, to}];
  if (!slot) {
    slot = std::make_unique<Link>();
    slot->id = static_cast<std::uint32_t>(links.size());
    slot->from = from;
    slot->to = to;
    slot->name = host_names[from] + ">" + host_names[to];
    slot->latency_stream = &simulation.random("net/" + slot->name + "/latency");
    slot->loss_stream = &simulation.random("net/" + slot->name + "/loss");
  }
  return *slot;
}

Network::Implementation::Link& Network::Implementation::link_between(const std::string& from, const std::string& to) {
  const std::uint32_t from_number = host_number(from);
  const std::uint32_t to_number = host_number(to);
  return link_between(from_number, to_number);
}

const Network::Implementation::Link* Network::Implementation::existing_link(const std::string& from,
                                                                            const std::string& to) const {
  const auto from_number = host_numbers.find(from);
  const auto to_number = host_numbers.find(to);
  if (from_number == host_numbers.end() || to_number == host_numbers.end()) return nullptr;
  const auto found = links.find({from_number->second, to_number->second});
  return found == links.end() ? nullptr : found->second.get();
}

const LinkParameters& Network::Implementation::parameters_of(const Link& link) const {
  static const LinkParameters loopback = loopback_parameters();
  if (link.own_parameters) return *link.own_parameters;
  return link.from == link.to ? loopback : default_parameters;
}

// Lets go on what waited for this direction: the segments it carries, and the acknowledgements of those that went the
// other way.
void Network::Implementation::release(Link& link) {
  const Time now = scheduler.now();
  if (link.blocked(now)) return;
  std::vector<std::shared_ptr<Endpoint>> concerned;
  for (const auto& [id, endpoint] : endpoints) {
    if (endpoint->outbound == &link || endpoint->inbound == &link) concerned.push_back(endpoint);
  }
  for (const auto& endpoint : concerned) {
    if (endpoint->outbound == &link && endpoint->held) {
      endpoint->held = false;
      endpoint->in_flight.front().arrival = now + sample_latency(link);
      arm_arrival(*endpoint);
    }
    if (endpoint->inbound == &link && endpoint->unacknowledged_since) {
      endpoint->unacknowledged_since.reset();
      endpoint->last_heard = now;
      settle(*endpoint);
    }
  }
}

Network::Network(Simulation& simulation) : impl_(std::make_unique<Implementation>(simulation)) {}

Network::~Network() {
  // Handles may outlive the network; they must not find their way back to it.
  for (const auto& [id, endpoint] : impl_->endpoints) endpoint->network = nullptr;
  for (const auto& [key, listener] : impl_->listeners) listener->network = nullptr;
}

tl::expected<Listener, NetError> Network::listen(Host& host, std::uint16_t port) {
  if (!host.up()) return tl::unexpected(NetError::closed);
  const std::uint32_t number = impl_->host_number(host.name());
  auto& slot = impl_->listeners[{number, port}];
  if (slot) return tl::unexpected(NetError::refused);
  slot = std::make_shared<detail::ListenerState>(impl_->scheduler);
  slot->network = impl_.get();
  slot->host = number;
  slot->port = port;
  return Listener(slot);
}

tl::expected<Connection, NetError> Network::connect(Host& from, const Address& to, const ConnectionOptions& options) {
  if (!from.up()) return tl::unexpected(NetError::closed);
  if (impl_->simulation.find_host(to.host) == nullptr) return tl::unexpected(NetError::refused);
  const std::uint32_t local_host = impl_->host_number(from.name());
  const std::uint32_t peer_host = impl_->host_number(to.host);
  const std::shared_ptr<detail::Endpoint> endpoint = impl_->make_endpoint(local_host, peer_host);
  std::uint16_t& port = impl_->next_ephemeral_port[local_host];
  endpoint->local = Address{from.name(), port};
  port = port == 65535 ? 32768 : static_cast<std::uint16_t>(port + 1);
  endpoint->remote = to;
  endpoint->connection = endpoint->id;
  endpoint->options = options;

  // Whatever ends the attempt, cancellation included, leaves no half-open end behind.
  struct Attempt {
    detail::Endpoint* endpoint;
    ~Attempt() {
      if (endpoint != nullptr && endpoint->network != nullptr && endpoint->life == detail::Life::connecting) {
        endpoint->network->detach(*endpoint);
      }
    }
  } attempt{endpoint.get()};

  const Time deadline = deadline_after(impl_->scheduler.now(), options.connect_timeout);
  impl_->note(detail::ConnectionEvent::connecting, *endpoint);
  impl_->transmit(*endpoint, detail::SegmentKind::syn, {});
  while (endpoint->life == detail::Life::connecting && !endpoint->error) {
    const WakeReason reason = endpoint->readers.wait("connect", deadline);
    if (reason == WakeReason::cancelled) return tl::unexpected(NetError::closed);
    if (reason == WakeReason::timed_out) break;
  }
  if (endpoint->error) return tl::unexpected(*endpoint->error);
  if (endpoint->life == detail::Life::connecting) return tl::unexpected(NetError::timed_out);
  return Connection(endpoint);
}

void Network::set_default_link(const LinkParameters& parameters) { impl_->default_parameters = parameters; }

void Network::set_link(const std::string& from, const std::string& to, const LinkParameters& parameters) {
  impl_->link_between(from, to).own_parameters = parameters;
}

LinkParameters Network::link(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  if (link != nullptr) return impl_->parameters_of(*link);
  return from == to ? loopback_parameters() : impl_->default_parameters;
}

LinkStatistics Network::statistics(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  return link == nullptr ? LinkStatistics{} : link->statistics;
}

void Network::cut(const std::string& from, const std::string& to) { ++impl_->link_between(from, to).cuts; }

void Network::uncut(const std::string& from, const std::string& to) {
  detail::Link& link = impl_->link_between(from, to);
  if (link.cuts == 0) return;
  --link.cuts;
  impl_->release(link);
}

bool Network::is_cut(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  return link != nullptr && link->cuts > 0;
}

void Network::clog(const std::string& from, const std::string& to, Time until) {
  detail::Link& link = impl_->link_between(from, to);
  if (until <= impl_->scheduler.now() || until <= link.clogged_until) return;
  link.clogged_until = until;
  if (link.clog_timer != 0) impl_->scheduler.cancel_timer(link.clog_timer);
  link.clog_timer = 0;
  if (until == never) return;
  link.clog_timer = impl_->scheduler.call_at(until, [impl = impl_.get(), &link] {
    link.clog_timer = 0;
    impl->release(link);
  });
}

std::size_t Network::drop_connections(const std::string& a, const std::string& b) {
  const std::uint32_t first = impl_->host_number(a);
  const std::uint32_t second = impl_->host_number(b);
  std::set<std::uint64_t> dropped;
  const auto drop_from = [&](std::uint32_t host, std::uint32_t peer) {
    for (const auto& endpoint : impl_->endpoints_of(host)) {
      if (endpoint->peer_host != peer) continue;
      if (endpoint->life == detail::Life::connecting || endpoint->life == detail::Life::open) {
        dropped.insert(endpoint->connection);
      }
      impl_->fail(*endpoint, NetError::reset);
    }
  };
  drop_from(first, second);
  if (first != second) drop_from(second, first);
  return dropped.size();
}

std::size_t Network::live_endpoints() const { return impl_->endpoints.size(); }

void Network::heal_all() {
  for (const auto& [hosts, link] : impl_->links) {
    link->cuts = 0;
    link->clogged_until = time_zero;
    if (link->clog_timer != 0) impl_->scheduler.cancel_timer(link->clog_timer);
    link->clog_timer = 0;
  }
  for (const auto& [hosts, link] : impl_->links) impl_->release(*link);
}

void Network::host_crashed(Host& host) {
  const std::uint32_t number = impl_->host_number(host.name());
  for (auto listener = impl_->listeners.begin(); listener != impl_->listeners.end();) {
    if (listener->first.first != number) {
      ++listener;
      continue;
    }
    listener->second->network = nullptr;
    listener->second->pending.clear();
    listener->second->acceptors.notify_all();
    listener = impl_->listeners.erase(listener);
  }
  for (const auto& endpoint : impl_->endpoints_of(number)) impl_->vanish(*endpoint);
}

void Network::host_stopping(Host& host) {
  const std::uint32_t number = impl_->host_number(host.name());
  std::vector<std::shared_ptr<detail::ListenerState>> closing;
  for (const auto& [key, listener] : impl_->listeners) {
    if (key.first == number) closing.push_back(listener);
  }
  for (const auto& listener : closing) impl_->close(*listener);
  for (const auto& endpoint : impl_->endpoints_of(number)) impl_->close(*endpoint);
}

}  // namespace polarsim::sim
