// The oracle of a run: its streams, and the log of what they decided.
#include <fmt/format.h>

#include <utility>

#include "sim/assert.h"
#include "sim/random.h"

namespace polarsim::sim {

// Writes a log, follows another, or both.
class ChoiceOracle::Script : public DecisionScript {
 public:
  explicit Script(ChoiceOracle& oracle) : oracle_(oracle) {}

  void record(DecisionLog* log) { recorded_ = log; }

  void follow(DecisionLog log, const DecisionReplayOptions& options,
              std::function<void(const std::string&)> on_mismatch) {
    followed_ = std::move(log);
    options_ = options;
    on_mismatch_ = std::move(on_mismatch);
    status_ = DecisionReplayStatus{};
    following_ = true;
    by_stream_.clear();
    if (options.mode == DecisionReplay::strict) return;
    by_stream_.resize(followed_.streams().size());
    for (std::size_t i = 0; i < followed_.size() && i < options.decisions; ++i) {
      by_stream_[followed_.at(i).stream].values.push_back(followed_.at(i).value);
    }
  }

  void leave() { following_ = false; }

  const DecisionReplayStatus& status() const { return status_; }

  std::uint64_t decide(const RandomStream& stream, std::uint64_t drawn) override {
    if (following_) drawn = options_.mode == DecisionReplay::strict ? strict(stream, drawn) : tolerant(stream, drawn);
    if (recorded_ != nullptr) recorded_->add(recorded_->stream(stream.name()), drawn);
    return drawn;
  }

 private:
  struct Remaining {
    std::vector<std::uint64_t> values;
    std::size_t taken = 0;
  };

  std::uint64_t strict(const RandomStream& stream, std::uint64_t drawn) {
    if (status_.taken >= options_.decisions) return leave_log(stream, drawn);
    std::string expected = "the end of the run";
    if (status_.taken < followed_.size()) {
      const DecisionLog::Decision next = followed_.at(status_.taken);
      const std::string& name = followed_.streams()[next.stream];
      if (name == stream.name()) {
        ++status_.taken;
        return next.value;
      }
      expected = "a draw from " + name;
    }
    following_ = false;
    ++status_.invented;
    status_.mismatch =
        fmt::format("decision {}: expected {}, the run draws from {}", status_.taken, expected, stream.name());
    if (on_mismatch_) on_mismatch_(*status_.mismatch);
    return drawn;
  }

  std::uint64_t tolerant(const RandomStream& stream, std::uint64_t drawn) {
    if (status_.taken + status_.invented >= options_.decisions) return leave_log(stream, drawn);
    const std::uint32_t number = followed_.stream(stream.name());
    if (number < by_stream_.size()) {
      Remaining& remaining = by_stream_[number];
      if (remaining.taken < remaining.values.size()) {
        ++status_.taken;
        return remaining.values[remaining.taken++];
      }
    }
    ++status_.invented;
    return drawn;
  }

  // The part of the log that was to be followed is at its end; the draw at hand is the first of the rest.
  std::uint64_t leave_log(const RandomStream& stream, std::uint64_t drawn) {
    following_ = false;
    if (!options_.continue_with_seed) return drawn;
    oracle_.reseed(*options_.continue_with_seed);
    return oracle_.stream(stream.name()).generator_.next();
  }

  ChoiceOracle& oracle_;
  DecisionLog* recorded_ = nullptr;
  DecisionLog followed_;
  DecisionReplayOptions options_;
  DecisionReplayStatus status_;
  std::function<void(const std::string&)> on_mismatch_;
  std::vector<Remaining> by_stream_;  // tolerant
  bool following_ = false;
};

ChoiceOracle::ChoiceOracle(std::uint64_t root_seed, RunningDigest* digest) : root_seed_(root_seed), digest_(digest) {}
ChoiceOracle::~ChoiceOracle() = default;

RandomStream& ChoiceOracle::stream(std::string_view name) {
  const auto found = streams_.find(name);
  if (found != streams_.end()) return *found->second;
  std::string key(name);
  const std::uint64_t seed = stable_hash(key, root_seed_);
  auto stream = std::make_unique<RandomStream>(key, seed, digest_);
  stream->script_ = script_.get();
  return *streams_.emplace(std::move(key), std::move(stream)).first->second;
}

const std::string* ChoiceOracle::stream_name(std::uint64_t id) const {
  for (const auto& [name, stream] : streams_) {
    if (stream->id_ == id) return &name;
  }
  return nullptr;
}

void ChoiceOracle::reseed(std::uint64_t root_seed) {
  root_seed_ = root_seed;
  // Else the log would go on answering in the new seed's stead.
  if (script_ != nullptr) script_->leave();
  if (digest_ != nullptr) digest_->absorb(DigestKind::reseed, root_seed, 0);
  for (const auto& [name, stream] : streams_) stream->generator_ = Xoshiro256(stable_hash(name, root_seed));
}

ChoiceOracle::Script& ChoiceOracle::script() {
  if (script_ == nullptr) {
    script_ = std::make_unique<Script>(*this);
    for (const auto& [name, stream] : streams_) stream->script_ = script_.get();
  }
  return *script_;
}

void ChoiceOracle::record(DecisionLog* log) { script().record(log); }

void ChoiceOracle::replay(DecisionLog log, const DecisionReplayOptions& options,
                          std::function<void(const std::string&)> on_mismatch) {
  script().follow(std::move(log), options, std::move(on_mismatch));
}

DecisionReplayStatus ChoiceOracle::replay_status() const {
  return script_ == nullptr ? DecisionReplayStatus{} : script_->status();
}

}  // namespace polarsim::sim
