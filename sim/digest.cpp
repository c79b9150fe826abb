#include "sim/digest.h"

// The state of a streaming hash is an ordinary object only with this.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#ifdef __x86_64__
// The same values by the widest vector instructions of the processor at hand.
#include <xxh_x86dispatch.h>
#endif

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {

namespace {
constexpr std::uint64_t no_stop = std::numeric_limits<std::uint64_t>::max();
}

const char* to_string(DigestKind kind) {
  switch (kind) {
    case DigestKind::draw:
      return "draw";
    case DigestKind::task_spawned:
      return "task spawned";
    case DigestKind::task_resumed:
      return "task resumed";
    case DigestKind::task_finished:
      return "task finished";
    case DigestKind::timer_fired:
      return "timer fired";
    case DigestKind::network:
      return "network";
    case DigestKind::disk:
      return "disk";
    case DigestKind::host:
      return "host";
    case DigestKind::fault:
      return "fault";
    case DigestKind::probe:
      return "probe";
    case DigestKind::user:
      return "user";
    case DigestKind::reseed:
      return "reseed";
    case DigestKind::timer_set:
      return "timer set";
  }
  return "unknown";
}

std::string Digest128::hex() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(32, '0');
  for (int i = 0; i < 16; ++i) {
    text[static_cast<std::size_t>(15 - i)] = digits[(high >> (4 * i)) & 15];
    text[static_cast<std::size_t>(31 - i)] = digits[(low >> (4 * i)) & 15];
  }
  return text;
}

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

RunningDigest::RunningDigest(std::uint64_t ladder_interval)
    : ladder_interval_(ladder_interval),
      next_rung_(ladder_interval == 0 ? no_stop : ladder_interval),
      next_stop_(next_rung_) {
  choose_limit();
}

void RunningDigest::absorb_bytes(DigestKind kind, std::uint64_t a, std::string_view bytes) {
  absorb(kind, a, stable_hash(bytes), bytes.size());
}

void RunningDigest::fold() {
  POLARSIM_ASSERT(filled_ == buffer_.size(), "only a full buffer is folded");
  // The chain value enters as the seed of the low half and through the high half's xor, so that no block can be swapped
  // with another.
  const XXH128_hash_t block = XXH3_128bits_withSeed(buffer_.data(), sizeof(buffer_), chain_.low);
  const std::uint64_t rotated = (chain_.high << 1) | (chain_.high >> 63);
  chain_ = Digest128{block.low64, block.high64 ^ (rotated * 0x9E3779B97F4A7C15ULL)};
  folded_ += filled_;
  filled_ = 0;
}

void RunningDigest::observe(Observer observer) {
  observer_ = std::move(observer);
  choose_next_stop();
  choose_limit();
}

void RunningDigest::choose_next_stop() {
  next_stop_ = next_rung_;
  if (observer_.on_record) next_stop_ = std::min(next_stop_, std::max(observer_.first, count() + 1));
}

void RunningDigest::choose_limit() {
  limit_ = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), next_stop_ - folded_));
}

void RunningDigest::reach_limit() {
  if (filled_ == buffer_.size()) fold();
  if (count() == next_stop_) stop_here();
  choose_limit();
}

void RunningDigest::stop_here() {
  const std::uint64_t number = count();
  // The buffer keeps its last record when it is folded.
  const DigestRecord record = buffer_[(filled_ + buffer_.size() - 1) % buffer_.size()];
  if (observer_.on_record && number >= observer_.first) observer_.on_record(number, record);
  POLARSIM_ASSERT(count() == number, "an observer of the digest changed the run");
  if (number == next_rung_) {
    ladder_.push_back(value());
    next_rung_ += ladder_interval_;
    if (observer_.on_rung) observer_.on_rung(ladder_.size() - 1, ladder_.back());
  }
  choose_next_stop();
}

Digest128 RunningDigest::value() const {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  const std::uint64_t header[3] = {chain_.low, chain_.high, count()};
  XXH3_128bits_update(&state, header, sizeof(header));
  XXH3_128bits_update(&state, buffer_.data(), filled_ * sizeof(DigestRecord));
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return Digest128{hash.low64, hash.high64};
}

}  // namespace polarsim::sim
