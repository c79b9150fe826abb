// Every draw of a run, in order, and what can be done with such a log: replay it strictly, replay it as far as it fits,
// or follow it up to a moment and go on with other choices.
//
// A seed already replays a run of the same program. A log is for the cases in which the program or the choices have
// changed: strict replay proves that a program asks for the same decisions in the same order and names the first that
// it does not; tolerant replay keeps as many of the old decisions as possible, stream by stream, which is what a
// shrinker and a regression test of a fixed program need; and a log may be edited, decision by decision.
//
// On disk: "PSIMDEC1", then little-endian: the number of streams (32 bits), each name as length (32 bits) and bytes,
// the number of decisions (64 bits), each as stream (32 bits) and value (64 bits), and XXH3-64 of everything before.
// Draws do not compress, so the file is not compressed: 12 bytes a decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace polarsim::sim {

class DecisionLog {
 public:
  struct Decision {
    std::uint32_t stream = 0;  // a place in streams()
    std::uint64_t value = 0;   // all 64 bits of the draw, before it was made into a number within bounds
    friend bool operator==(const Decision&, const Decision&) = default;
  };

  // The number of the stream of this name, which is added if it is new.
  std::uint32_t stream(std::string_view name);
  void add(std::uint32_t stream, std::uint64_t value);

  const std::vector<std::string>& streams() const { return names_; }
  std::size_t size() const { return streams_of_.size(); }
  Decision at(std::size_t position) const { return {streams_of_[position], values_[position]}; }
  // Another value for one decision. RandomStream::below() refuses some values, so that it is unbiased, and takes the
  // next decision instead; 0 is one of them for every bound that is not a power of two. 1 makes the least result of any
  // bound and is never refused.
  void set(std::size_t position, std::uint64_t value) { values_[position] = value; }

  std::string to_bytes() const;
  // The error is one line that names the byte at which the log is unusable and what was expected there.
  static tl::expected<DecisionLog, std::string> from_bytes(std::string_view bytes);

  friend bool operator==(const DecisionLog&, const DecisionLog&) = default;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  // Apart, because together they would be padded to 16 bytes.
  std::vector<std::uint32_t> streams_of_;
  std::vector<std::uint64_t> values_;
};

enum class DecisionReplay : std::uint8_t {
  strict,    // the n-th draw of the run must come from the stream of the n-th decision
  tolerant,  // the n-th draw from a stream takes the n-th decision of that stream, if the log has one
};

struct DecisionReplayOptions {
  DecisionReplay mode = DecisionReplay::strict;
  // How many decisions of the log are followed; the rest of the run draws for itself.
  std::uint64_t decisions = std::numeric_limits<std::uint64_t>::max();
  // With this, all streams are seeded anew at that moment: the same past, another future. Without it they go on as in
  // the run that was recorded.
  std::optional<std::uint64_t> continue_with_seed;
};

// How far a replay kept to its log.
struct DecisionReplayStatus {
  std::uint64_t taken = 0;     // draws that the log answered
  std::uint64_t invented = 0;  // draws that it could not answer
  // Strict: what the first draw was that the log does not have in its place. From there on the run draws for itself.
  std::optional<std::string> mismatch;
};

}  // namespace polarsim::sim
