// Programs that talk: what arrives on a connection is what was sent, from its start, in order, without a gap.
#include <memory>

#include "sim/exercise/world.h"
#include "sim/sync.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 100;
constexpr std::size_t header_bytes = 8;

// Byte `at` of what is sent in conversation `number`: any loss, repetition or exchange shows at once.
char pattern(std::uint64_t number, std::uint64_t at) {
  return static_cast<char>((number * 131 + at * 7 + at / 256) & 0xff);
}

std::string pattern_text(std::uint64_t number, std::uint64_t from, std::uint64_t count) {
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) text += pattern(number, from + i);
  return text;
}

void require_pattern(World& world, std::uint64_t number, std::uint64_t from, const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == pattern(number, from + i)) continue;
    world.require(false, "stream-order", [&] {
      return "byte " + std::to_string(from + i) + " of conversation " + std::to_string(number) + " is wrong";
    });
  }
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
  std::uint64_t number = 0;
  for (const char byte : header) number = number << 8 | static_cast<unsigned char>(byte);
  Conversation* const conversation = world.conversation(number);
  world.require(conversation != nullptr, "stream-order", [&] { return "no client has conversation " + header; });
  const bool steady = world.now() >= World::probe_at;  // probes must be answered
  const bool answers = steady || random.chance(0.8);
  const bool dozes = !steady && random.chance(0.3);
  std::uint64_t got = 0;
  const bool ended = receive_all(world, connection, random, steady ? 1'000'000 : 20, [&](std::string& bytes) {
    require_pattern(world, number, got, bytes);
    got += bytes.size();
    require_amount(world, number, conversation->request, got, false);
    if (dozes) host.sleep_for(random.between(Duration(0), 20ms));
    if (!steady && host.fault_point("exercise/serve") == FaultOutcome::fail) {
      connection.abort();
      return false;
    }
    if (!answers) return true;
    conversation->answer.sent += bytes.size();
    return connection.send(bytes).has_value();
  });
  if (!ended) return;
  require_amount(world, number, conversation->request, got, true);
  host.reached("exercise/stream-ended");
  if (answers) conversation->answer.finished_at = conversation->answer.sent;
  connection.shutdown_send();
}

// Sends the header and `chunks` pieces, then ends in one of the ways a program may.
void send_request(World& world, Connection& connection, std::uint64_t number, RandomStream& random, bool steady) {
  Flow& flow = world.conversation(number)->request;
  std::string header;
  for (int shift = 56; shift >= 0; shift -= 8) header += static_cast<char>(number >> shift);
  if (!connection.send(header)) return;
  const std::int64_t chunks = random.between(0, 6);
  for (std::int64_t i = 0; i < chunks; ++i) {
    const auto size = static_cast<std::uint64_t>(random.between(1, 3000));
    const std::string text = pattern_text(number, flow.sent, size);
    flow.sent += size;
    if (!connection.send(text)) return;
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
  const Conversation& conversation = *world.conversation(number);
  std::uint64_t got = 0;
  const bool ended = receive_all(world, connection, random, patience, [&](std::string& bytes) {
    require_pattern(world, number, got, bytes);
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

void serve_streams(World& world, Host& host, const std::string& label) {
  RandomStream& random = host.random(label);
  auto listener = host.listen(port);
  world.require(listener.has_value(), "listen", [&] { return host.name() + " has its port taken"; });
  Nursery conversations(host.scheduler(), label);
  for (;;) {
    const bool hurried = random.chance(0.2);
    const Time deadline = hurried ? deadline_after(world.now(), random.between(Duration(0), 100ms)) : never;
    auto accepted = listener->accept(deadline);
    if (!accepted) {
      if (accepted.error() == NetError::timed_out) continue;
      return;
    }
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
    const std::uint64_t number = world.open_conversation();
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
  const std::uint64_t number = world.open_conversation();
  send_request(world, *connection, number, random, true);
  return receive_answer(world, *connection, number, random, 1'000'000);
}

}  // namespace polarsim::sim::exercise
