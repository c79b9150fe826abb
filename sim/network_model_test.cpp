// Random operations on the network, against a plain model of what may arrive.
//
// The model knows nothing of segments and time. It keeps, for each end of each connection, the bytes that were sent,
// and demands that what the other end receives is a prefix of them, in order and once; and for each datagram how often
// it arrived. At the end everything is healed: what nobody has ended must then arrive to the last byte, nothing may be
// under way any more, and the network's own books must balance.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/partition.h"
#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t datagram_port = 53;
constexpr std::uint16_t first_port = 6000;

enum class Kind {
  connect,
  send,
  receive,
  shutdown,
  close,
  abort,
  cut,
  uncut,
  clog,
  unclog,
  partition,
  crash,
  stop,
  datagram,
  link,
  wait
};

struct Operation {
  Kind kind;
  std::uint32_t x, y, amount;  // each below 1000
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  static const char* const kinds[] = {"connect", "send",     "receive", "shutdown", "close",     "abort",
                                      "cut",     "uncut",    "clog",    "unclog",   "partition", "crash",
                                      "stop",    "datagram", "link",    "wait"};
  return out << kinds[static_cast<int>(operation.kind)] << "(" << operation.x << ", " << operation.y << ", "
             << operation.amount << ")";
}

rc::Gen<std::vector<Operation>> operations() {
  // Traffic is drawn more often than faults, and those more often than ends.
  const auto kind = rc::gen::weightedElement<Kind>({{5, Kind::connect},
                                                    {14, Kind::send},
                                                    {8, Kind::receive},
                                                    {1, Kind::shutdown},
                                                    {1, Kind::close},
                                                    {1, Kind::abort},
                                                    {2, Kind::cut},
                                                    {2, Kind::uncut},
                                                    {2, Kind::clog},
                                                    {1, Kind::unclog},
                                                    {1, Kind::partition},
                                                    {1, Kind::crash},
                                                    {1, Kind::stop},
                                                    {10, Kind::datagram},
                                                    {3, Kind::link},
                                                    {12, Kind::wait}});
  const auto number = rc::gen::inRange<std::uint32_t>(0, 1000);
  return rc::gen::container<std::vector<Operation>>(
      rc::gen::map(rc::gen::tuple(kind, number, number, number),
                   [](const std::tuple<Kind, std::uint32_t, std::uint32_t, std::uint32_t>& t) {
                     return Operation{std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t)};
                   }));
}

struct End {
  std::string host;
  std::unique_ptr<Connection> connection;  // null before the handshake
  std::string sent, received;
  bool partial = false;  // a send has not been completed, and may have sent a part
  bool orderly_end = false;
  bool sending = false, receiving = false;
};

struct Pair {
  End ends[2];             // client, server
  bool disturbed = false;  // a program or host has ended it, or its end was not there
};

struct Mark {
  explicit Mark(bool& flag) : flag_(flag) { flag_ = true; }
  ~Mark() { flag_ = false; }
  bool& flag_;
};

class Machine {
 public:
  Machine(std::uint64_t seed, SchedulingPolicy policy, bool timeouts)
      : names_{"a", "b", "c"}, timeouts_(timeouts), world_({"a", "b", "c"}, seed, policy) {
    for (const std::string& name : names_) {
      world_.host(name).crash();
      world_.host(name).set_program([this](Host& host) { receive_datagrams(host); });
      world_.host(name).boot();
    }
    run(milliseconds(1));
  }
  // The tasks refer to what lies below.
  ~Machine() { world_.simulation.scheduler().shut_down(); }

  void take(const Operation& operation);
  void heal_and_drain();
  void check_bytes() const;
  void check_datagrams();
  void check_books(bool nothing_under_way);

 private:
  void run(Duration length) { world_.simulation.run(world_.now() + length); }
  const std::string& name(std::uint32_t x) const { return names_[x % names_.size()]; }
  void receive_datagrams(Host& host);
  void connect(const std::string& client, const std::string& server, std::uint64_t window);
  void send(const std::shared_ptr<Pair>& pair, int side, std::size_t length);
  void receive(const std::shared_ptr<Pair>& pair, int side, std::size_t limit, bool to_the_end);
  void end(Pair& pair, int side, Kind kind);
  void take_down(const std::string& host, bool crash, Duration pause);
  void send_datagram(const std::string& from, const std::string& to, std::size_t length);
  void change_link(const Operation& operation);

  std::vector<std::string> names_;
  bool timeouts_;
  std::vector<std::shared_ptr<Pair>> pairs_;
  std::map<std::string, DatagramSocket*> sockets_;  // of the hosts that are up
  std::map<std::string, int> datagrams_received_;
  int datagrams_sent_ = 0;
  TestWorld world_;
};

void Machine::receive_datagrams(Host& host) {
  auto socket = host.open_datagram(datagram_port);
  ASSERT_TRUE(socket);
  sockets_[host.name()] = &*socket;
  struct Forget {
    std::map<std::string, DatagramSocket*>& sockets;
    std::string host;
    ~Forget() { sockets.erase(host); }
  } forget{sockets_, host.name()};
  Datagram datagram;
  while (socket->receive(datagram)) ++datagrams_received_[datagram.bytes];
}

void Machine::connect(const std::string& client, const std::string& server, std::uint64_t window) {
  auto pair = std::make_shared<Pair>();
  pair->ends[0].host = client;
  pair->ends[1].host = server;
  pair->disturbed = !world_.host(client).up() || !world_.host(server).up();
  const auto port = static_cast<std::uint16_t>(first_port + pairs_.size());
  pairs_.push_back(pair);
  world_.spawn(server, [this, pair, port] {
    auto listener = world_.host(pair->ends[1].host).listen(port);
    auto accepted = listener->accept();
    if (accepted) pair->ends[1].connection = std::make_unique<Connection>(std::move(*accepted));
  });
  world_.spawn(client, [this, pair, port, window] {
    ConnectionOptions options;
    options.window_bytes = window;
    if (!timeouts_) options.connect_timeout = options.user_timeout = options.keepalive_after = Duration::max();
    auto connection = world_.host(pair->ends[0].host).connect({pair->ends[1].host, port}, options);
    if (connection) pair->ends[0].connection = std::make_unique<Connection>(std::move(*connection));
  });
}

void Machine::send(const std::shared_ptr<Pair>& pair, int side, std::size_t length) {
  world_.spawn(pair->ends[side].host, [pair, side, length] {
    End& end = pair->ends[side];
    if (!end.connection || end.sending) return;
    const Mark sending(end.sending);
    std::string bytes(length, '\0');
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>((end.sent.size() + i) * 37 / 11);
    end.sent += bytes;
    // The task may be unwound in the middle of it.
    const bool partial_before = std::exchange(end.partial, true);
    if (end.connection->send(bytes)) end.partial = partial_before;
  });
}

void Machine::receive(const std::shared_ptr<Pair>& pair, int side, std::size_t limit, bool to_the_end) {
  world_.spawn(pair->ends[side].host, [pair, side, limit, to_the_end] {
    End& end = pair->ends[side];
    if (!end.connection || end.receiving) return;
    const Mark receiving(end.receiving);
    do {
      const auto count = end.connection->receive(end.received, limit);
      if (!count) return;
      if (*count == 0) {
        end.orderly_end = true;
        return;
      }
    } while (to_the_end);
  });
}

void Machine::end(Pair& pair, int side, Kind kind) {
  if (!pair.ends[side].connection) return;
  pair.disturbed = true;
  Connection& connection = *pair.ends[side].connection;
  if (kind == Kind::shutdown) return connection.shutdown_send();
  kind == Kind::close ? connection.close() : connection.abort();
}

void Machine::take_down(const std::string& host, bool crash, Duration pause) {
  for (const auto& pair : pairs_) {
    if (pair->ends[0].host == host || pair->ends[1].host == host) pair->disturbed = true;
  }
  Host& target = world_.host(host);
  if (!target.up()) return;
  if (crash) return target.crash_and_restart(pause);
  target.stop();
  world_.simulation.scheduler().call_at(world_.now() + pause, [&target] { target.boot(); });
}

void Machine::send_datagram(const std::string& from, const std::string& to, std::size_t length) {
  const auto socket = sockets_.find(from);
  if (socket == sockets_.end()) return;
  const std::string bytes = std::to_string(datagrams_sent_++) + std::string(length, '.');
  ASSERT_TRUE(socket->second->send_to({to, datagram_port}, bytes));
}

void Machine::change_link(const Operation& operation) {
  LinkParameters link;
  link.latency = DurationDistribution::uniform(Duration(0), milliseconds(operation.amount % 50));
  link.bandwidth_bytes_per_s = operation.amount % 3 == 0 ? 0 : 1000 * (1 + operation.amount);
  link.loss = operation.amount % 5 * 0.15;
  link.corruption = operation.amount % 7 * 0.1;
  link.duplication = operation.amount % 11 * 0.1;
  link.reordering = operation.amount % 13 * 0.07;
  if (operation.amount % 4 == 0) link.datagram_queue_limit = milliseconds(100);
  world_.network().set_link(name(operation.x), name(operation.y), link);
}

void Machine::take(const Operation& operation) {
  Network& network = world_.network();
  const std::string& from = name(operation.x);
  const std::string& to = name(operation.y);
  const std::shared_ptr<Pair> pair = pairs_.empty() ? nullptr : pairs_[operation.x % pairs_.size()];
  const int side = static_cast<int>(operation.y % 2);
  switch (operation.kind) {
    case Kind::connect:
      connect(from, to, 1 + operation.amount * 3);
      break;
    case Kind::send:
      if (pair) send(pair, side, operation.amount);
      break;
    case Kind::receive:
      if (pair) receive(pair, side, 1 + operation.amount, false);
      break;
    case Kind::shutdown:
    case Kind::close:
    case Kind::abort:
      if (pair) end(*pair, side, operation.kind);
      break;
    case Kind::cut:
      network.cut(from, to);
      break;
    case Kind::uncut:
      network.uncut(from, to);
      break;
    case Kind::clog:
      network.clog(from, to, world_.now() + milliseconds(3 * operation.amount));
      break;
    case Kind::unclog:
      network.unclog(from, to);
      break;
    case Kind::partition: {
      RandomStream stream("partition", operation.amount, nullptr);
      network.apply(draw_partition(stream, names_));
      break;
    }
    case Kind::crash:
    case Kind::stop:
      take_down(from, operation.kind == Kind::crash, milliseconds(operation.amount));
      break;
    case Kind::datagram:
      send_datagram(from, to, operation.amount);
      break;
    case Kind::link:
      change_link(operation);
      break;
    case Kind::wait:
      run(milliseconds(operation.amount));
      break;
  }
  run(Duration(0));
}

void Machine::heal_and_drain() {
  Network& network = world_.network();
  network.heal_all();
  for (const std::string& from : names_) {
    for (const std::string& to : names_) network.set_link(from, to, LinkParameters{});
  }
  run(minutes(1));
  for (const auto& pair : pairs_) {
    for (const int side : {0, 1}) receive(pair, side, 1'000'000, true);
  }
  run(minutes(5));
}

void Machine::check_bytes() const {
  for (const auto& pair : pairs_) {
    for (const int side : {0, 1}) {
      const End& sender = pair->ends[side];
      const End& receiver = pair->ends[1 - side];
      RC_ASSERT(receiver.received.size() <= sender.sent.size());
      RC_ASSERT(sender.sent.compare(0, receiver.received.size(), receiver.received) == 0);
      if (receiver.orderly_end && !sender.partial) RC_ASSERT(receiver.received == sender.sent);
      if (pair->disturbed || timeouts_) continue;
      RC_ASSERT(sender.connection && sender.connection->open());
      RC_ASSERT(receiver.received == sender.sent);
    }
  }
}

void Machine::check_datagrams() {
  const LinkStatistics total = world_.network().total_statistics();
  std::uint64_t second_copies = 0;
  for (const auto& [bytes, count] : datagrams_received_) {
    const int number = std::stoi(bytes);
    RC_ASSERT(number >= 0 && number < datagrams_sent_);
    RC_ASSERT(count <= 2);
    if (count == 2) ++second_copies;
  }
  RC_ASSERT(second_copies <= total.datagrams_duplicated);
  RC_ASSERT(total.datagrams_sent == static_cast<std::uint64_t>(datagrams_sent_));
}

void Machine::check_books(bool nothing_under_way) {
  for (const LinkReport& link : world_.network().all_statistics()) {
    const LinkStatistics& s = link.statistics;
    RC_ASSERT(s.segments_sent == s.segments_delivered + s.segments_dropped + s.segments_in_flight);
    RC_ASSERT(s.datagrams_sent + s.datagrams_duplicated == s.datagrams_delivered + s.datagrams_lost + s.datagrams_cut +
                                                               s.datagrams_overflowed + s.datagrams_unreceived +
                                                               s.datagrams_in_flight);
    if (!nothing_under_way) continue;
    RC_ASSERT(s.datagrams_in_flight == 0u);
    // With timeouts, a keepalive probe may be under way at any time.
    if (!timeouts_) RC_ASSERT(s.segments_in_flight == 0u);
  }
}

void carry_out(bool timeouts) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  const SchedulingPolicy policy = *rc::gen::element(SchedulingPolicy::fifo, SchedulingPolicy::random);
  const std::vector<Operation> plan = *operations();
  RC_LOG() << "seed " << seed << (policy == SchedulingPolicy::random ? " random " : " fifo ") << rc::toString(plan)
           << "\n";
  Machine machine(seed, policy, timeouts);
  for (const Operation& operation : plan) {
    machine.take(operation);
    machine.check_books(false);
  }
  machine.heal_and_drain();
  machine.check_bytes();
  machine.check_datagrams();
  machine.check_books(true);
}

RC_GTEST_PROP(NetworkModel, WithoutTimeoutsWhatNobodyEndedArrivesOnceHealed, ()) { carry_out(false); }

RC_GTEST_PROP(NetworkModel, WithTimeoutsWhatArrivesIsAPrefixOfWhatWasSent, ()) { carry_out(true); }

}  // namespace
}  // namespace polarsim::sim
