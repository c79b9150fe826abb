#include "scenarios/cli/prompt/gateway.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/pgwire/connection_options.h"
#include "scenarios/cli/prompt/interrupts.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::uint64_t events_between_looks = 200;
constexpr std::size_t held_bytes_max = 4 * 1024 * 1024;

std::uint32_t read_uint32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Goes along a stream of messages and tells the types of those that have begun.
class MessageTypes {
 public:
  template <typename Visit>
  void feed(std::string_view bytes, const Visit& visit) {
    while (!bytes.empty()) {
      if (rest_ > 0) {
        const std::size_t skipped = std::min<std::size_t>(rest_, bytes.size());
        rest_ -= static_cast<std::uint32_t>(skipped);
        bytes.remove_prefix(skipped);
        continue;
      }
      header_.push_back(bytes.front());
      bytes.remove_prefix(1);
      if (header_.size() < 5) continue;
      // What is no message is the node's to refuse.
      rest_ = std::max<std::uint32_t>(read_uint32(std::string_view(header_).substr(1)), 4) - 4;
      visit(header_.front());
      header_.clear();
    }
  }

 private:
  std::string header_;
  std::uint32_t rest_ = 0;
};

struct Bridge {
  int client = -1;
  sim::Connection connection;
  bool connected = false;     // to the node
  bool client_gone = false;   // it neither sends nor reads any more
  bool client_ended = false;  // it sends no more, and may still read
  bool end_told = false;      // to the node
  bool node_gone = false;
  bool started = false;  // the startup message has been passed on
  bool waits = false;    // the client waits for an answer
  bool flushes = false;  // it asked for what there is, not for the end
  std::string startup;   // what has come before
  std::string to_node;
  std::string to_client;
  MessageTypes from_client;
  MessageTypes from_node;

  ~Bridge() {
    if (client >= 0) ::close(client);
  }
};

void refuse(const char* what) { throw std::runtime_error(std::string(what) + ": " + std::strerror(errno)); }

}  // namespace

struct Gateway::Implementation {
  SimulatedServer& server;
  std::string node;
  int listener = -1;
  std::uint16_t port = 0;
  std::vector<std::shared_ptr<Bridge>> bridges;

  Implementation(SimulatedServer& cluster, std::string to) : server(cluster), node(std::move(to)) {}
  ~Implementation() {
    if (listener >= 0) ::close(listener);
  }

  void open(std::uint16_t wanted) {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) refuse("cannot make a socket");
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) refuse("cannot listen");
    if (::listen(listener, 64) != 0) refuse("cannot listen");
    socklen_t length = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) refuse("cannot listen");
    port = ntohs(address.sin_port);
  }

  void accept() {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    auto bridge = std::make_shared<Bridge>();
    bridge->client = client;
    bridges.push_back(bridge);
    bridge->waits = true;
    // Gives to the client what comes from the node, until it ends.
    server.spawn("gateway", [this, bridge] {
      auto connected = server.client_host().connect({node, engine::default_port},
                                                    engine::pgwire::connection_options(server.config().node));
      if (connected) {
        bridge->connection = std::move(*connected);
        bridge->connected = true;
        receive(*bridge);
      }
      bridge->node_gone = true;
      bridge->waits = false;
    });
  }

  static void receive(Bridge& bridge) {
    for (;;) {
      std::string bytes;
      const auto received = bridge.connection.receive(bytes, piece_bytes);
      if (!received || *received == 0) return;
      bool answered = bridge.flushes;
      bridge.from_node.feed(bytes, [&](char type) { answered = answered || type == 'Z' || type == 'G'; });
      if (answered) bridge.waits = bridge.flushes = false;
      bridge.to_client += bytes;
    }
  }

  void read(Bridge& bridge) {
    std::string bytes(piece_bytes, '\0');
    const ssize_t count = ::recv(bridge.client, bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
      bridge.client_gone = true;
      return;
    }
    if (count == 0) {
      bridge.client_ended = true;
      return;
    }
    bytes.resize(static_cast<std::size_t>(count));
    bridge.waits = true;
    if (bridge.started) return pass_on(bridge, bytes);
    bridge.startup += bytes;
    begin(bridge);
  }

  // Requests for encryption are answered here; what follows goes to the node.
  static void begin(Bridge& bridge) {
    constexpr std::uint32_t ssl_request = 80877103;
    constexpr std::uint32_t gss_request = 80877104;
    while (bridge.startup.size() >= 8) {
      const std::uint32_t code = read_uint32(std::string_view(bridge.startup).substr(4));
      const std::uint32_t length = read_uint32(bridge.startup);
      if (code == ssl_request || code == gss_request) {
        bridge.startup.erase(0, 8);
        bridge.to_client += 'N';
        bridge.waits = false;
        continue;
      }
      if (bridge.startup.size() < length && length <= 10'000) return;
      const std::size_t whole = std::min<std::size_t>(bridge.startup.size(), length);
      bridge.started = true;
      bridge.to_node += bridge.startup.substr(0, whole);
      pass_on(bridge, bridge.startup.substr(whole));
      bridge.startup.clear();
    }
  }

  static void pass_on(Bridge& bridge, const std::string& bytes) {
    bridge.from_client.feed(bytes, [&](char type) { bridge.flushes = type == 'H'; });
    bridge.to_node += bytes;
  }

  void write(Bridge& bridge) const {
    const ssize_t count = ::send(bridge.client, bridge.to_client.data(), bridge.to_client.size(), MSG_NOSIGNAL);
    if (count > 0) bridge.to_client.erase(0, static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      bridge.client_gone = true;
      bridge.to_client.clear();
    }
  }

  // Bytes, and behind the last of them that no more will come: the node answers what it has got before it hangs up.
  void send_to_node(const std::shared_ptr<Bridge>& bridge) {
    const bool ends = bridge->client_ended && !bridge->end_told;
    if (!bridge->connected || bridge->node_gone || (bridge->to_node.empty() && !ends)) return;
    server.run(
        "gateway sends",
        [bridge, ends] {
          const std::string bytes = std::exchange(bridge->to_node, {});
          if (!bytes.empty()) static_cast<void>(bridge->connection.send(bytes));
          if (ends) bridge->connection.shutdown_send();
        },
        nullptr);
    bridge->end_told = bridge->end_told || ends;
  }

  // Whether the bridge is at its end.
  bool settle(const std::shared_ptr<Bridge>& bridge) {
    if (bridge->client_gone && bridge->connected && !bridge->node_gone) {
      server.run(
          "gateway hangs up", [bridge] { bridge->connection.close(); }, nullptr);
      bridge->node_gone = true;
    }
    if (bridge->client_gone) return bridge->node_gone;
    return bridge->node_gone && bridge->to_client.empty();
  }

  bool anybody_waits() const {
    return std::any_of(bridges.begin(), bridges.end(), [](const auto& bridge) {
      const bool waits = bridge->waits || bridge->client_ended || !bridge->connected;
      return !bridge->node_gone && waits && bridge->to_client.size() < held_bytes_max;
    });
  }

  void look() {
    std::vector<pollfd> files{{listener, POLLIN, 0}};
    const std::vector<std::shared_ptr<Bridge>> looked = bridges;
    for (const auto& bridge : looked) {
      short events = 0;
      if (!bridge->client_ended && bridge->to_node.size() < held_bytes_max) events |= POLLIN;
      if (!bridge->to_client.empty()) events |= POLLOUT;
      files.push_back({bridge->client, events, 0});
    }
    if (::poll(files.data(), files.size(), anybody_waits() ? 0 : -1) < 0) return;
    for (std::size_t i = 0; i < looked.size(); ++i) {
      const short happened = files[i + 1].revents;
      if ((happened & POLLOUT) != 0) write(*looked[i]);
      // Both directions are closed: nobody is left to read an answer.
      if (looked[i]->client_ended && (happened & (POLLHUP | POLLERR)) != 0) looked[i]->client_gone = true;
      if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0 && !looked[i]->client_ended) read(*looked[i]);
    }
    if ((files[0].revents & POLLIN) != 0) accept();
  }
};

Gateway::Gateway(SimulatedServer& server, std::string node, std::uint16_t port)
    : implementation_(std::make_unique<Implementation>(server, std::move(node))) {
  implementation_->open(port);
}

Gateway::~Gateway() = default;

std::uint16_t Gateway::port() const { return implementation_->port; }

void Gateway::serve() {
  Implementation& door = *implementation_;
  while (!interrupts::take()) {
    door.look();
    for (const auto& bridge : door.bridges) door.send_to_node(bridge);
    if (door.anybody_waits()) door.server.advance(events_between_looks);
    std::erase_if(door.bridges, [&](const auto& bridge) { return door.settle(bridge); });
  }
}

}  // namespace polarsim::scenarios::cli::prompt
