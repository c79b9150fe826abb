#include "checkers/execution.h"

#include <algorithm>
#include <cassert>

namespace polarsim::checkers {

std::uint32_t Execution::Builder::begin(std::uint32_t session) {
  const auto number = static_cast<std::uint32_t>(sessions_.size());
  sessions_.push_back(session);
  read_offsets_.push_back(static_cast<std::uint32_t>(reads_.size()));
  write_offsets_.push_back(static_cast<std::uint32_t>(writes_.size()));
  return number;
}

void Execution::Builder::read(std::uint32_t key, std::uint32_t writer) {
  assert(!sessions_.empty() && writer != sessions_.size() - 1);
  keys_ = std::max(keys_, key + 1);
  reads_.push_back({key, writer});
}

void Execution::Builder::write(std::uint32_t key) {
  assert(!sessions_.empty());
  keys_ = std::max(keys_, key + 1);
  writes_.push_back(key);
}

void Execution::Builder::overwrite(std::uint32_t key, std::uint32_t before, std::uint32_t after) {
  keys_ = std::max(keys_, key + 1);
  if (before != initial && before != after) overwrites_.push_back({key, before, after});
}

Execution Execution::Builder::build() && {
  Execution result;
  result.keys_ = keys_;
  result.sessions_ = std::move(sessions_);
  result.reads_ = std::move(reads_);
  result.read_offsets_ = std::move(read_offsets_);
  result.read_offsets_.push_back(static_cast<std::uint32_t>(result.reads_.size()));
  result.overwrites_ = std::move(overwrites_);

  // Each transaction's keys, sorted, each once, in place.
  const auto count = static_cast<std::uint32_t>(result.sessions_.size());
  write_offsets_.push_back(static_cast<std::uint32_t>(writes_.size()));
  std::size_t kept = 0;
  for (std::uint32_t t = 0; t < count; ++t) {
    const auto begin = writes_.begin() + write_offsets_[t];
    const auto end = writes_.begin() + write_offsets_[t + 1];
    std::sort(begin, end);
    const auto last = std::unique(begin, end);
    write_offsets_[t] = static_cast<std::uint32_t>(kept);
    kept = static_cast<std::size_t>(std::copy(begin, last, writes_.begin() + static_cast<std::ptrdiff_t>(kept)) -
                                    writes_.begin());
  }
  write_offsets_[count] = static_cast<std::uint32_t>(kept);
  writes_.resize(kept);
  result.writes_ = std::move(writes_);
  result.write_offsets_ = std::move(write_offsets_);

  for (const std::uint32_t session : result.sessions_) {
    result.session_count_ = std::max(result.session_count_, session + 1);
  }
  std::vector<std::uint32_t> last(result.session_count_, no_vertex);
  result.places_.reserve(count);
  result.predecessors_.reserve(count);
  for (std::uint32_t t = 0; t < count; ++t) {
    std::uint32_t& before = last[result.sessions_[t]];
    result.predecessors_.push_back(before);
    result.places_.push_back(before == no_vertex ? 0 : result.places_[before] + 1);
    before = t;
  }
  return result;
}

bool Execution::writes(std::uint32_t transaction, std::uint32_t key) const {
  const auto keys = writes_of(transaction);
  // Most transactions write a handful of keys, where a walk beats halving.
  if (keys.size() <= 8) return std::find(keys.begin(), keys.end(), key) != keys.end();
  return std::binary_search(keys.begin(), keys.end(), key);
}

}  // namespace polarsim::checkers
