// The name of one node's part of a distributed transaction: polar_<group>_<process>_<transaction>_<connection>.
//
// group: of the coordinator that decides; process: of the session's backend, unique over all boots of that coordinator,
// so that transaction numbers, which begin at 1 after every boot, never make a name twice; connection: its number
// within the session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace polarsim::engine::cluster {

// What identifies a distributed transaction on its coordinator.
struct TransactionId {
  std::uint32_t process_id = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const TransactionId&, const TransactionId&) = default;
};

struct Gid {
  int group_id = 0;
  TransactionId transaction;
  int connection = 0;

  std::string text() const;
  // Exact: every part present, decimal, without sign or leading zero, nothing before or after. A prefix test would take
  // group 24's transactions for group 2's.
  static std::optional<Gid> parse(std::string_view text);
  friend bool operator==(const Gid&, const Gid&) = default;
};

}  // namespace polarsim::engine::cluster
