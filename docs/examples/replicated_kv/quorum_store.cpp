#include "quorum_store.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace replicated_kv {
namespace {

constexpr std::uint16_t port = 7000;
constexpr std::size_t message_fields = 5;
constexpr std::size_t message_bytes = message_fields * 8;

// Little-endian, whatever the machine: hosts exchange bytes, never memory.
std::string encode(const Message& message) {
  const std::array<std::int64_t, message_fields> fields{static_cast<std::int64_t>(message.kind), message.key,
                                                        message.version.tag.timestamp, message.version.tag.writer,
                                                        message.version.value};
  std::string bytes;
  for (const std::int64_t field : fields) {
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(static_cast<std::uint64_t>(field) >> shift);
  }
  return bytes;
}

// Requires at least message_bytes bytes.
Message decode(std::string_view bytes) {
  std::array<std::int64_t, message_fields> fields{};
  for (std::size_t i = 0; i < message_bytes; ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(bytes[i]);
    fields[i / 8] = static_cast<std::int64_t>(static_cast<std::uint64_t>(fields[i / 8]) | byte << (8 * (i % 8)));
  }
  return {static_cast<Message::Kind>(fields[0]), fields[1], {{fields[2], fields[3]}, fields[4]}};
}

// A stream has no message boundaries: reads until a whole message is there.
std::optional<Message> receive_message(sim::Connection& connection, sim::Time deadline = sim::never) {
  std::string bytes;
  while (bytes.size() < message_bytes) {
    const auto received = connection.receive(bytes, message_bytes - bytes.size(), deadline);
    if (!received || *received == 0) return std::nullopt;
  }
  return decode(bytes);
}

}  // namespace

// --- the replica ---

void Replica::serve() {
  if (!recover()) return;
  auto listener = host_.listen(port);
  if (!listener) return;
  // Declared last, so that every connection's task has ended before anything it uses is gone.
  sim::Nursery connections(host_.scheduler(), "connections");
  while (auto accepted = listener->accept()) {
    auto connection = std::make_shared<sim::Connection>(std::move(*accepted));
    connections.spawn("connection", [this, connection] { serve_connection(*connection); });
  }
}

// Key k is kept in sector k of one file. A sector is written whole or not at all, so a crash leaves the old version or
// the new one, and no checksum is needed. A file of records that cross sectors would need one.
bool Replica::recover() {
  auto file = host_.disk().open("registers", sim::OpenMode::create);
  // The file's own sync() does not make its name durable.
  if (!file || !host_.disk().sync_directory()) return false;
  file_ = *file;
  std::string bytes;
  if (!file_.read(0, file_.size(), bytes)) return false;
  for (std::size_t at = 0; at + message_bytes <= bytes.size(); at += sim::sector_bytes) {
    const Message kept = decode(std::string_view(bytes).substr(at, message_bytes));
    if (kept.kind == Message::Kind::store) durable_[kept.key] = kept.version;  // else: a sector never written
  }
  // What is answered from now on must be durable, but the bytes may be only in the cache, and after a failed sync even
  // marked clean there: a sync alone would do nothing. So all is written again.
  return file_.write_all(0, bytes) && file_.sync();
}

void Replica::serve_connection(sim::Connection& connection) {
  while (const auto request = receive_message(connection)) {
    if (request->kind == Message::Kind::store && !store(request->key, request->version)) return;
    const Message answer{Message::Kind::answer, request->key, durable_[request->key]};
    if (!connection.send(encode(answer))) return;
  }
}

bool Replica::store(std::int64_t key, const Version& version) {
  // One at a time: a second store of the same version must not be acknowledged while the first waits for the disk.
  const std::lock_guard lock(storing_);
  if (version.tag <= durable_[key].tag) return true;
  const Message kept{Message::Kind::store, key, version};
  if (!file_.write_all(static_cast<std::uint64_t>(key) * sim::sector_bytes, encode(kept))) return false;
  if (bug_ != Bug::no_fsync && !file_.sync()) return false;
  durable_[key] = version;
  return true;
}

// --- the client ---

WriteResult Client::write(std::int64_t key, std::int64_t value) {
  Tag tag{host_.realtime_us(), id_};
  if (bug_ != Bug::clock_timestamps) {
    const auto before = newest(key);
    if (!before) return {WriteResult::Outcome::not_done, {}};
    // Newer than all that is known, and never a tag of ours twice: a replica may hold the remains of a write of ours
    // that failed, and two values under one tag would both seem to be the newest.
    tag.timestamp = std::max(before->tag.timestamp, bug_ == Bug::reused_tag ? 0 : last_timestamp_) + 1;
    last_timestamp_ = tag.timestamp;
  }
  const Version version{tag, value};
  const bool done = store_on_majority(key, version);
  return {done ? WriteResult::Outcome::done : WriteResult::Outcome::unknown, version};
}

std::optional<Version> Client::read(std::int64_t key) {
  const auto version = newest(key);
  // The version may be on few replicas yet. Without the write-back, a later read could miss what this one returned.
  if (version && bug_ != Bug::no_write_back && !store_on_majority(key, *version)) return std::nullopt;
  return version;
}

std::optional<Version> Client::newest(std::int64_t key) {
  const auto answers = ask_majority({Message::Kind::query, key, {}});
  if (answers.size() < majority()) return std::nullopt;
  const auto by_tag = [](const Message& a, const Message& b) { return a.version.tag < b.version.tag; };
  return std::max_element(answers.begin(), answers.end(), by_tag)->version;
}

bool Client::store_on_majority(std::int64_t key, const Version& version) {
  return ask_majority({Message::Kind::store, key, version}).size() >= majority();
}

std::vector<Message> Client::ask_majority(const Message& request) {
  const sim::Time deadline = host_.deadline_in(timeout_);  // by this host's own clock, right or wrong
  sim::Channel<Message> answers(host_.scheduler());
  // Calls that are still under way when the majority has answered are cancelled by the nursery's destructor.
  sim::Nursery calls(host_.scheduler(), "calls");
  for (const std::string& replica : replicas_) {
    calls.spawn("call", [&] {
      if (const auto answer = ask(replica, request, deadline)) answers.push(*answer);
    });
  }
  std::vector<Message> received;
  while (received.size() < majority()) {
    const auto answer = answers.pop("answers of a majority", deadline);
    if (!answer) break;
    received.push_back(*answer);
  }
  return received;
}

// A connection for each call keeps the example short; a real client would keep one open for each replica.
std::optional<Message> Client::ask(const std::string& replica, const Message& request, sim::Time deadline) {
  auto connection = host_.connect({replica, port});
  if (!connection || !connection->send(encode(request))) return std::nullopt;
  return receive_message(*connection, deadline);
}

}  // namespace replicated_kv
