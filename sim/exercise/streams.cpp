// Programs that talk: what arrives on a connection is what was sent, from its start, in order, without a gap.
#include <bit>
#include <memory>

#include "sim/exercise/world.h"
#include "sim/sync.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 100;
constexpr std::size_t header_bytes = 16;  // the conversation's number and its hash

// Byte `at` of what is sent in conversation `number`: any loss, repetition or exchange shows at once.
char pattern(std::uint64_t number, std::uint64_t at) {
  return static_cast<char>((number * 131 + at * 7 + at / 256) & 0xff);
}

void append_number(std::string& text, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(number >> shift);
}

std::uint64_t read_number(std::string_view text, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(text[at + i]);
  return number;
}

std::string pattern_text(std::uint64_t number, std::uint64_t from, std::uint64_t count) {
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) text += pattern(number, from + i);
  return text;
}

// Every byte is right, but for the pairs of bits in which the link's own counter says that damage went unnoticed.
void require_pattern(World& world, const std::string& from, const std::string& to, std::uint64_t number,
                     std::uint64_t position, const std::string& text) {
  std::uint64_t flipped = 0;
  std::size_t first = text.size();
  for (std::size_t i = text.size(); i-- > 0;) {
    const auto wrong = static_cast<unsigned char>(text[i] ^ pattern(number, position + i));
    if (wrong == 0) continue;
    flipped += static_cast<std::uint64_t>(std::popcount(wrong));
    first = i;
  }
  if (flipped == 0) return;
  Seen& seen = world.seen(from, to);
  seen.flipped_bits += flipped;
  const std::uint64_t damages = world.simulation().network().statistics(from, to).undetected_corruptions;
  world.require(seen.flipped_bits <= 2 * damages, "stream-order", [&] {
    return "byte " + std::to_string(position + first) + " of conversation " + std::to_string(number) + " from " + from +
           " to " + to + " is wrong";
  });
  world.count("damage seen in a stream");
}

// What send() has taken and receive() has not given lies in the window. The header counts as read once it is whole.
void require_window(World& world, const Conversation& conversation, const Flow& flow) {
  const bool header_in_doubt = &flow == &conversation.request && flow.read == 0;
  const std::uint64_t read = flow.read + (header_in_doubt ? header_bytes : 0);
  world.require(flow.accepted <= read + conversation.window, "back-pressure", [&] {
    return std::to_string(flow.accepted) + " bytes were taken from " + conversation.client + " or " +
           conversation.server + ", " + std::to_string(flow.read) + " read, with a window of " +
           std::to_string(conversation.window);
  });
}

bool send_counted(World& world, Connection& connection, Conversation& conversation, Flow& flow, std::string_view text) {
  if (!connection.send(text)) return false;
  flow.accepted += text.size();
  require_window(world, conversation, flow);
  return true;
}

void require_amount(World& world, std::uint64_t number, const Flow& flow, std::uint64_t received, bool ended) {
  world.require(received <= flow.sent, "stream-invents", [&] {
    return "conversation " + std::to_string(number) + ": " + std::to_string(received) + " bytes came, " +
           std::to_string(flow.sent) + " were sent";
  });
  if (!ended || !flow.finished_at) return;
  world.require(received == *flow.finished_at, "stream-cut-short", [&] {
    return "conversation " + std::to_string(number) + " ended after " + std::to_string(received) + " of " +
           std::to_string(*flow.finished_at) + " bytes";
  });
}

// Receives until the end, a failure, or `patience` deadlines; hands each piece to `use`, which may end it too. Returns
// whether the stream's end was seen.
bool receive_all(World& world, Connection& connection, RandomStream& random, int patience,
                 const std::function<bool(std::string&)>& use) {
  std::string bytes;
  for (;;) {
    bytes.clear();
    const auto limit = static_cast<std::size_t>(random.between(1, 4000));
    const bool hurried = random.chance(0.2);
    const Duration wait = random.between(Duration(0), 300ms);
    const auto received = connection.receive(bytes, limit, hurried ? deadline_after(world.now(), wait) : never);
    if (!received) {
      // A deadline leaves the connection as it was; anything else is its end.
      if (received.error() == NetError::timed_out && connection.open() && --patience > 0) continue;
      return false;
    }
    world.require(*received == bytes.size() && *received <= limit, "receive-count",
                  [&] { return std::to_string(*received) + " bytes of at most " + std::to_string(limit); });
    if (*received == 0) return true;
    if (!use(bytes)) return false;
  }
}

void serve_conversation(World& world, Host& host, Connection& connection, RandomStream& random) {
  std::string header;
  while (header.size() < header_bytes) {
    const auto received = connection.receive(header, header_bytes - header.size());
    if (!received || *received == 0) return;
  }
  const std::uint64_t number = read_number(header, 0);
  const std::string& peer = connection.remote().host;
  if (read_number(header, 8) != stable_hash("conversation", number)) {
    const std::uint64_t damages = world.simulation().network().statistics(peer, host.name()).undetected_corruptions;
    world.require(damages > 0, "stream-order", [&] { return "a header from " + peer + " is wrong"; });
    return connection.abort();
  }
  Conversation* const conversation = world.conversation(number);
  world.require(conversation != nullptr && conversation->client == peer && conversation->server == host.name(),
                "stream-order", [&] { return "a stranger's conversation came from " + peer; });
  conversation->request.read += header_bytes;
  const bool steady = world.now() >= World::probe_at;  // probes must be answered
  const bool answers = steady || random.chance(0.8);
  const bool dozes = !steady && random.chance(0.3);
  std::uint64_t got = 0;
  const bool ended = receive_all(world, connection, random, steady ? 1'000'000 : 20, [&](std::string& bytes) {
    world.check_running(host);
    conversation->request.read += bytes.size();
    require_pattern(world, peer, host.name(), number, got, bytes);
    got += bytes.size();
    require_amount(world, number, conversation->request, got, false);
    if (dozes) host.sleep_for(random.between(Duration(0), 20ms));
    if (!steady && host.fault_point("exercise/serve") == FaultOutcome::fail) {
      connection.abort();
      return false;
    }
    if (!answers) return true;
    // What came in damaged goes back right, so that damage is counted on the link that did it.
    const std::string right = pattern_text(number, got - bytes.size(), bytes.size());
    conversation->answer.sent += bytes.size();
    return send_counted(world, connection, *conversation, conversation->answer, right);
  });
  if (!ended) return;
  require_amount(world, number, conversation->request, got, true);
  host.reached("exercise/stream-ended");
  if (answers) conversation->answer.finished_at = conversation->answer.sent;
  connection.shutdown_send();
}

// Sends the header and `chunks` pieces, then ends in one of the ways a program may.
void send_request(World& world, Connection& connection, std::uint64_t number, RandomStream& random, bool steady) {
  Conversation& conversation = *world.conversation(number);
  Flow& flow = conversation.request;
  std::string header;
  append_number(header, number);
  append_number(header, stable_hash("conversation", number));
  if (!send_counted(world, connection, conversation, flow, header)) return;
  const std::int64_t chunks = random.between(0, 6);
  for (std::int64_t i = 0; i < chunks; ++i) {
    const auto size = static_cast<std::uint64_t>(random.between(1, 3000));
    const std::string text = pattern_text(number, flow.sent, size);
    flow.sent += size;
    if (!send_counted(world, connection, conversation, flow, text)) return;
    if (random.chance(0.5)) world.scheduler().sleep_for(random.between(Duration(0), 30ms));
  }
  const std::uint64_t ending = steady ? 0 : random.below(5);
  if (ending == 1) return connection.abort();
  if (ending == 2) return connection.close();
  flow.finished_at = flow.sent;
  connection.shutdown_send();
}

// Whether the whole answer came.
bool receive_answer(World& world, Connection& connection, std::uint64_t number, RandomStream& random, int patience) {
  Conversation& conversation = *world.conversation(number);
  std::uint64_t got = 0;
  const bool ended = receive_all(world, connection, random, patience, [&](std::string& bytes) {
    conversation.answer.read += bytes.size();
    require_pattern(world, conversation.server, conversation.client, number, got, bytes);
    got += bytes.size();
    require_amount(world, number, conversation.answer, got, false);
    return true;
  });
  if (!ended) return false;
  require_amount(world, number, conversation.answer, got, true);
  world.count("answer ended");
  return got == conversation.request.sent;
}

ConnectionOptions draw_options(RandomStream& random) {
  ConnectionOptions options;
  if (random.chance(0.5)) options.window_bytes = static_cast<std::uint64_t>(random.between(1, 5000));
  if (random.chance(0.5)) options.connect_timeout = random.between(1ms, 2s);
  if (random.chance(0.5)) options.user_timeout = random.between(50ms, 3s);
  if (random.chance(0.5)) options.keepalive_after = random.between(50ms, 3s);
  return options;
}

}  // namespace

namespace {

ListenOptions draw_listen_options(RandomStream& random) {
  ListenOptions options;
  if (random.chance(0.5)) options.backlog = static_cast<std::size_t>(random.between(1, 3));
  options.reset_on_overflow = random.chance(0.5);
  return options;
}

// The bound of the backlog, and that nobody is accepted who has not arrived.
void check_listener(World& world, Host& host, const ListenerStatistics& statistics, const ListenOptions& options,
                    std::uint64_t accepted) {
  world.require(statistics.waiting <= options.backlog && statistics.waiting_max <= options.backlog, "backlog",
                [&] { return std::to_string(statistics.waiting_max) + " connections waited at " + host.name(); });
  world.require(accepted + statistics.waiting <= statistics.arrived, "backlog", [&] {
    return host.name() + " accepted " + std::to_string(accepted) + " of " + std::to_string(statistics.arrived);
  });
}

}  // namespace

void serve_streams(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  const ListenOptions options = draw_listen_options(random);
  const bool sluggish = random.chance(0.3);
  auto listener = host.listen(port, options);
  world.require(listener.has_value(), "listen", [&] { return host.name() + " has its port taken"; });
  Nursery conversations(host.scheduler(), label);
  std::uint64_t accepted_count = 0;
  std::uint64_t overflowed = 0;
  for (;;) {
    if (sluggish && !world.faults_over()) host.sleep_for(random.between(Duration(0), 100ms));
    const bool hurried = random.chance(0.2);
    const Time deadline = hurried ? deadline_after(world.now(), random.between(Duration(0), 100ms)) : never;
    auto accepted = listener->accept(deadline);
    const ListenerStatistics statistics = listener->statistics();
    if (statistics.overflowed > overflowed) world.count("backlog overflowed");
    overflowed = statistics.overflowed;
    if (!accepted) {
      if (accepted.error() == NetError::timed_out) continue;
      return;
    }
    check_listener(world, host, statistics, options, ++accepted_count);
    world.count("accepted");
    auto connection = std::make_shared<Connection>(std::move(*accepted));
    conversations.spawn("serve",
                        [&world, &host, &random, connection] { serve_conversation(world, host, *connection, random); });
  }
}

void use_streams(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  while (!world.faults_over()) {
    host.sleep_for(random.between(Duration(0), 50ms));
    const std::string& server = random.pick(world.host_names());
    const ConnectionOptions options = draw_options(random);
    auto connection = host.connect({server, port}, options);
    if (!connection) continue;
    const std::uint64_t number = world.open_conversation(host.name(), server, options.window_bytes);
    Nursery halves(host.scheduler(), label);
    halves.spawn("send", [&] { send_request(world, *connection, number, random, false); });
    halves.spawn("receive", [&] {
      // Who stops reading must close, or both ends may wait for the other's window for ever.
      if (!receive_answer(world, *connection, number, random, 10)) connection->close();
    });
    if (random.chance(0.7)) {
      halves.wait();
    } else {
      // Leaves in the middle: the nursery cancels what is still under way.
      host.sleep_for(random.between(Duration(0), 100ms));
      world.count("conversation left");
    }
  }
}

bool converse_once(World& world, Host& host, const std::string& server) {
  RandomStream& random = host.random("probe");
  auto connection = host.connect({server, port});
  if (!connection) return false;
  const std::uint64_t number = world.open_conversation(host.name(), server, ConnectionOptions{}.window_bytes);
  send_request(world, *connection, number, random, true);
  return receive_answer(world, *connection, number, random, 1'000'000);
}

}  // namespace polarsim::sim::exercise
