// Programs that send letters: a datagram arrives whole, at the port it was sent to, and no more often, later or more
// damaged than the link's own counters admit.
#include "sim/exercise/world.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t letterbox_port = 200;  // and the one after it
constexpr std::uint16_t probe_port = 300;
constexpr std::size_t letter_header_bytes = 16;

void append_number(std::string& text, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(number >> shift);
}

std::uint64_t read_number(std::string_view text) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(text[i]);
  return number;
}

// The number of the letter, a hash of everything else, and bytes that follow from the number.
std::string letter_text(std::uint64_t number, const Letter& letter) {
  std::string body;
  for (std::uint32_t i = 0; i < letter.bytes; ++i) body += static_cast<char>(number * 29 + i * 3);
  std::string text;
  append_number(text, number);
  append_number(text, stable_hash(body, number * 65'536 + letter.port));
  return text + body;
}

void send_letter(World& world, DatagramSocket& socket, Host& host, const std::string& to, std::uint16_t port,
                 std::uint32_t bytes) {
  const std::uint64_t number = world.letters().size();
  world.letters().push_back({host.name(), to, port, bytes, 0});
  const auto sent = socket.send_to({to, port}, letter_text(number, world.letters().back()));
  world.require(sent.has_value(), "letter-send", [&] { return host.name() + ": " + to_string(sent.error()); });
}

class Letterbox {
 public:
  Letterbox(World& world, Host& host, std::uint16_t port) : world_(world), host_(host), port_(port) {}

  // Whether the letter is undamaged.
  bool take(const Datagram& datagram) {
    Seen& seen = world_.seen(datagram.from.host, host_.name());
    const LinkStatistics link = world_.simulation().network().statistics(datagram.from.host, host_.name());
    world_.require(++seen.letters <= link.datagrams_delivered, "letter-count",
                   [&] { return host_.name() + " got more than were delivered"; });
    if (!whole(datagram)) {
      ++seen.damaged_letters;
      world_.require(seen.damaged_letters <= link.undetected_corruptions, "letter-damaged",
                     [&] { return host_.name() + " got a letter that is not whole from " + datagram.from.host; });
      world_.count("damaged letter");
      return false;
    }
    const std::uint64_t number = read_number(datagram.bytes);
    Letter& letter = world_.letters()[number];
    world_.require(letter.from == datagram.from.host && letter.to == host_.name() && letter.port == port_,
                   "letter-address", [&] {
                     return "letter " + std::to_string(number) + " for " + letter.to + " port " +
                            std::to_string(letter.port) + " came to " + host_.name() + " port " + std::to_string(port_);
                   });
    count_copies(seen, link, letter, number);
    count_order(seen, link, letter.from, number);
    world_.count("letter received");
    return true;
  }

 private:
  bool whole(const Datagram& datagram) const {
    if (datagram.bytes.size() < letter_header_bytes) return false;
    const std::uint64_t number = read_number(datagram.bytes);
    if (number >= world_.letters().size()) return false;
    return datagram.bytes == letter_text(number, world_.letters()[number]);
  }
  void count_copies(Seen& seen, const LinkStatistics& link, Letter& letter, std::uint64_t number) {
    ++letter.arrivals;
    if (letter.arrivals > 1) ++seen.doubled_letters;
    world_.require(letter.arrivals <= 2 && seen.doubled_letters <= link.datagrams_duplicated, "letter-doubled",
                   [&] { return "letter " + std::to_string(number) + " came again to " + host_.name(); });
  }
  void count_order(Seen& seen, const LinkStatistics& link, const std::string& from, std::uint64_t number) {
    std::uint64_t& latest = latest_[from];
    if (number < latest) ++seen.overtaken_letters;
    latest = std::max(latest, number);
    world_.require(seen.overtaken_letters <= link.datagrams_reordered, "letter-order",
                   [&] { return "letter " + std::to_string(number) + " was overtaken on the way to " + host_.name(); });
  }

  World& world_;
  Host& host_;
  std::uint16_t port_;
  std::map<std::string, std::uint64_t> latest_;  // by sender
};

void empty_letterbox(World& world, Host& host, RandomStream& random, std::uint16_t port) {
  DatagramOptions options;
  if (random.chance(0.5)) options.receive_buffer_bytes = static_cast<std::size_t>(random.between(500, 5000));
  auto socket = host.open_datagram(port, options);
  world.require(socket.has_value(), "listen", [&] { return host.name() + " has its datagram port taken"; });
  const bool sluggish = random.chance(0.3);
  Letterbox box(world, host, port);
  Datagram datagram;
  std::uint64_t received = 0;
  for (;;) {
    if (sluggish && !world.faults_over()) host.sleep_for(random.between(Duration(0), 50ms));
    const bool hurried = random.chance(0.2);
    const Time deadline = hurried ? deadline_after(world.now(), random.between(Duration(0), 50ms)) : never;
    const auto got = socket->receive(datagram, deadline);
    if (!got) {
      if (got.error() == DatagramError::timed_out) continue;
      return;
    }
    world.check_running(host);
    world.require(++received <= socket->statistics().received, "letter-count",
                  [&] { return host.name() + " received more than came into its buffer"; });
    box.take(datagram);
  }
}

}  // namespace

void receive_letters(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  Nursery boxes(host.scheduler(), label);
  boxes.spawn("second box", [&] { empty_letterbox(world, host, random, letterbox_port + 1); });
  empty_letterbox(world, host, random, letterbox_port);
}

void send_letters(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  auto socket = host.open_datagram();
  world.require(socket.has_value(), "listen", [&] { return host.name() + " has no port left"; });
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 60ms));
    world.check_running(host);
    const std::string& to = random.pick(world.host_names());
    const std::int64_t count = random.between(1, 6);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto bytes = static_cast<std::uint32_t>(random.between(0, 1400));
      const auto port = static_cast<std::uint16_t>(letterbox_port + random.below(2));
      send_letter(world, *socket, host, to, port, bytes);
    }
  }
}

void post_once(World& world, Host& host, const std::string& server) {
  // Both ends are opened here, so that what is sent on a mended link must arrive, in order and once.
  Host& receiver = world.simulation().host(server);
  constexpr std::uint64_t count = 5;
  std::uint64_t arrived = 0;
  const auto port = static_cast<std::uint16_t>(probe_port + host.name().back());  // a port for each client
  auto source = host.open_datagram();
  auto target = receiver.open_datagram(port);
  world.require(source && target, "listen", [&] { return host.name() + " or " + server + " has no port"; });
  Letterbox box(world, receiver, port);
  for (std::uint64_t i = 0; i < count; ++i) send_letter(world, *source, host, server, port, 100);
  Datagram datagram;
  const Time deadline = deadline_after(world.now(), 1s);
  while (arrived < count && target->receive(datagram, deadline)) {
    if (box.take(datagram)) ++arrived;
  }
  world.require(arrived == count, "letter-lost", [&] {
    return server + " got " + std::to_string(arrived) + " of " + std::to_string(count) + " letters from " + host.name();
  });
}

}  // namespace polarsim::sim::exercise
