#include "sim/decision_log.h"

#include <fmt/format.h>

#include <cstring>

#include "sim/assert.h"
#include "sim/digest.h"

namespace polarsim::sim {

namespace {

constexpr std::string_view magic = "PSIMDEC1";

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

// Takes numbers and texts from bytes that may be cut or damaged anywhere.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  std::string_view text(std::size_t count) {
    const std::string_view taken = bytes_.substr(position_, count);
    position_ += taken.size();
    return taken;
  }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    const std::string_view taken = text(static_cast<std::size_t>(bytes));
    for (std::size_t i = 0; i < taken.size(); ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

tl::unexpected<std::string> unusable(const Reader& reader, std::string_view expected) {
  return tl::unexpected(fmt::format("decision log: byte {}: expected {}", reader.position(), expected));
}

}  // namespace

std::uint32_t DecisionLog::stream(std::string_view name) {
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(name);
  numbers_.emplace(std::string(name), number);
  return number;
}

void DecisionLog::add(std::uint32_t stream, std::uint64_t value) {
  POLARSIM_ASSERT(stream < names_.size(), "a decision of an unknown stream");
  streams_of_.push_back(stream);
  values_.push_back(value);
}

std::string DecisionLog::to_bytes() const {
  std::string bytes(magic);
  put(bytes, names_.size(), 4);
  for (const std::string& name : names_) {
    put(bytes, name.size(), 4);
    bytes += name;
  }
  bytes.reserve(bytes.size() + 12 * size() + 16);
  put(bytes, size(), 8);
  for (std::size_t i = 0; i < size(); ++i) {
    put(bytes, streams_of_[i], 4);
    put(bytes, values_[i], 8);
  }
  put(bytes, stable_hash(bytes), 8);
  return bytes;
}

tl::expected<DecisionLog, std::string> DecisionLog::from_bytes(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.text(magic.size()) != magic) return unusable(Reader(bytes), "\"PSIMDEC1\"");
  if (bytes.size() < magic.size() + 8) return unusable(reader, "a whole log");
  // The checksum first: what it vouches for needs no further suspicion than its own counts.
  Reader last(bytes.substr(bytes.size() - 8));
  if (last.number(8) != stable_hash(bytes.substr(0, bytes.size() - 8))) {
    return tl::unexpected(
        fmt::format("decision log: byte {}: expected the checksum of a whole, undamaged log", bytes.size() - 8));
  }
  DecisionLog log;
  const std::uint64_t streams = reader.number(4);
  for (std::uint64_t i = 0; i < streams; ++i) {
    if (reader.left() < 4 + 8) return unusable(reader, "the name of a stream");
    const std::uint64_t length = reader.number(4);
    if (length > reader.left() - 8) return unusable(reader, "the name of a stream");
    const std::string_view name = reader.text(length);
    if (log.stream(name) != i) return unusable(reader, "a stream that was not named before");
  }
  if (reader.left() < 8 + 8) return unusable(reader, "the number of decisions");
  const std::uint64_t count = reader.number(8);
  if ((reader.left() - 8) % 12 != 0 || (reader.left() - 8) / 12 != count) {
    return unusable(reader, fmt::format("{} decisions of 12 bytes", count));
  }
  log.streams_of_.reserve(count);
  log.values_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t stream = reader.number(4);
    if (stream >= streams) return unusable(reader, "a decision of a stream that the log names");
    const std::uint64_t value = reader.number(8);
    log.add(static_cast<std::uint32_t>(stream), value);
  }
  return log;
}

}  // namespace polarsim::sim
