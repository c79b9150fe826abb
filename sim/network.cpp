#include "sim/network.h"

#include "sim/host.h"
#include "sim/network_state.h"
#include "sim/simulation.h"

namespace polarsim::sim {

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

Network::Implementation::Implementation(Simulation& owner) : simulation(owner), scheduler(owner.scheduler()) {
  // A host reaches itself through memory, whatever the network between machines is like.
  loopback_parameters.latency = DurationDistribution::constant(Duration(50'000));
  loopback_parameters.bandwidth_bytes_per_s = 0;
}

// --- names ---

std::uint32_t Network::Implementation::host_number(const std::string& name) {
  const auto found = host_numbers.find(name);
  if (found != host_numbers.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(hosts.size());
  host_numbers.emplace(name, number);
  hosts.emplace_back();
  hosts.back().name = name;
  return number;
}

Host* Network::Implementation::host_at(std::uint32_t number) {
  HostRecord& record = hosts[number];
  if (record.host == nullptr) record.host = simulation.find_host(record.name);
  return record.host;
}

Network::Implementation::Link* Network::Implementation::existing_link(std::uint32_t from, std::uint32_t to) const {
  const std::vector<Link*>& outbound = hosts[from].outbound;
  return to < outbound.size() ? outbound[to] : nullptr;
}

const Network::Implementation::Link* Network::Implementation::existing_link(const std::string& from,
                                                                            const std::string& to) const {
  const auto from_number = host_numbers.find(from);
  const auto to_number = host_numbers.find(to);
  if (from_number == host_numbers.end() || to_number == host_numbers.end()) return nullptr;
  return existing_link(from_number->second, to_number->second);
}

Network::Implementation::Link& Network::Implementation::make_link(std::uint32_t from, std::uint32_t to) {
  links.push_back(std::make_unique<Link>());
  Link& link = *links.back();
  link.id = static_cast<std::uint32_t>(links.size());
  link.from = from;
  link.to = to;
  link.name = hosts[from].name + ">" + hosts[to].name;
  link.reverse = &link;
  link.parameters = from == to ? &loopback_parameters : &default_parameters;
  link.latency_stream = &simulation.random("net/" + link.name + "/latency");
  link.loss_stream = &simulation.random("net/" + link.name + "/loss");
  link.corruption_stream = &simulation.random("net/" + link.name + "/corruption");
  link.datagram_latency_stream = &simulation.random("net/" + link.name + "/datagram/latency");
  link.datagram_fate_stream = &simulation.random("net/" + link.name + "/datagram/fate");
  std::vector<Link*>& outbound = hosts[from].outbound;
  if (outbound.size() <= to) outbound.resize(hosts.size(), nullptr);
  outbound[to] = &link;
  return link;
}

// Links come in pairs, so that each knows its way back.
Network::Implementation::Link& Network::Implementation::link_between(std::uint32_t from, std::uint32_t to) {
  if (Link* const found = existing_link(from, to)) return *found;
  Link& link = make_link(from, to);
  if (from != to) {
    link.reverse = &make_link(to, from);
    link.reverse->reverse = &link;
  }
  return link;
}

Network::Implementation::Link& Network::Implementation::link_between(const std::string& from, const std::string& to) {
  const std::uint32_t from_number = host_number(from);
  const std::uint32_t to_number = host_number(to);
  return link_between(from_number, to_number);
}

LinkStatistics Network::Implementation::statistics_of(const Link& link) const {
  LinkStatistics statistics = link.statistics;
  statistics.segments_in_flight = link.stray_resets;
  for (const Endpoint* endpoint : link.endpoints) statistics.segments_in_flight += endpoint->in_flight.size();
  statistics.datagrams_in_flight = link.datagrams_in_flight;
  return statistics;
}

// --- the network as a whole ---

Network::Network(Simulation& simulation) : impl_(std::make_unique<Implementation>(simulation)) {}

Network::~Network() {
  // Handles may outlive the network; they must not find their way back to it.
  impl_->endpoints.for_each([](detail::Endpoint& endpoint) { endpoint.network = nullptr; });
  for (const Implementation::HostRecord& record : impl_->hosts) {
    for (const auto& [port, listener] : record.listeners) listener->network = nullptr;
    for (const auto& [port, socket] : record.sockets) socket->network = nullptr;
  }
}

tl::expected<Connection, NetError> Network::connect(Host& from, const Address& to, const ConnectionOptions& options) {
  if (!from.up()) return tl::unexpected(NetError::closed);
  if (impl_->simulation.find_host(to.host) == nullptr) return tl::unexpected(NetError::refused);
  const std::uint32_t local_host = impl_->host_number(from.name());
  const std::uint32_t peer_host = impl_->host_number(to.host);
  const std::shared_ptr<detail::Endpoint> endpoint = impl_->make_endpoint(local_host, peer_host);
  std::uint16_t& port = impl_->hosts[local_host].next_ephemeral_port;
  endpoint->local = Address{from.name(), port};
  port = port == 65535 ? 32768 : static_cast<std::uint16_t>(port + 1);
  endpoint->remote = to;
  endpoint->connection = endpoint->number;
  endpoint->options = options;

  // Whatever ends the attempt leaves no end behind that nobody holds. A cancellation may come when the connection is
  // established already and this task has only not run since: then the peer must hear that it is closed.
  struct Attempt {
    detail::Endpoint* endpoint;  // null once the caller holds it
    ~Attempt() {
      if (endpoint != nullptr && endpoint->network != nullptr) endpoint->network->close(*endpoint);
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
  attempt.endpoint = nullptr;
  return Connection(endpoint);
}

void Network::set_default_link(const LinkParameters& parameters) { impl_->default_parameters = parameters; }

void Network::set_link(const std::string& from, const std::string& to, const LinkParameters& parameters) {
  detail::Link& link = impl_->link_between(from, to);
  link.own_parameters = parameters;
  link.parameters = &*link.own_parameters;
}

LinkParameters Network::link(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  if (link != nullptr) return *link->parameters;
  return from == to ? impl_->loopback_parameters : impl_->default_parameters;
}

LinkStatistics Network::statistics(const std::string& from, const std::string& to) const {
  const detail::Link* link = impl_->existing_link(from, to);
  return link == nullptr ? LinkStatistics{} : impl_->statistics_of(*link);
}

std::vector<LinkReport> Network::all_statistics() const {
  std::vector<LinkReport> reports;
  reports.reserve(impl_->links.size());
  for (const auto& link : impl_->links) {
    reports.push_back({impl_->hosts[link->from].name, impl_->hosts[link->to].name, impl_->statistics_of(*link)});
  }
  return reports;
}

std::size_t Network::live_endpoints() const { return impl_->endpoints.size(); }

LinkStatistics Network::total_statistics() const {
  LinkStatistics total;
  for (const auto& link : impl_->links) total += impl_->statistics_of(*link);
  return total;
}

}  // namespace polarsim::sim
