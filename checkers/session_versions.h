// Sessions, step by step, and the versions of keys that they wrote and read, with what is known of their order.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkers/history.h"

namespace polarsim::checkers {

struct SessionVersions {
  static constexpr std::uint32_t none = 0xffffffffU;

  struct Version {
    std::uint32_t key = 0;
    std::int64_t value = 0;
    bool initial = false;
    std::uint32_t writer = none;    // the transaction that wrote it and may have taken effect
    std::uint32_t place = none;     // among its session's writes
    std::uint32_t position = none;  // of an element, in the longest read of its list
  };
  struct Step {
    bool write = false;
    std::uint32_t version = 0;
  };
  // Ok, or of unknown outcome: then only its writes are here, because what it read is not known.
  struct SessionTransaction {
    std::uint32_t session = 0;
    std::int64_t index = 0;  // Event::index
    std::vector<Step> steps;
  };
  // Why the order of a key's versions is known.
  struct Key {
    std::int64_t key = 0;
    std::uint32_t initial = 0;
    std::uint32_t longest_reader = none;  // of lists
  };

  bool lists = false;
  std::string problem;                           // why the history cannot be judged; empty: it can
  std::vector<SessionTransaction> transactions;  // in order of invocation, which is that of each session
  std::vector<std::int64_t> processes;           // by session
  std::vector<Version> versions;
  std::vector<Key> keys;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> known;  // the one comes before the other
};

SessionVersions session_versions(const History& history);

}  // namespace polarsim::checkers
