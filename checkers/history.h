// The history: what clients asked and what they were told, in Jepsen's form. One definition serves every checker.
//
// A history is a sequence of events. Each operation has an invocation and at most one completion by the same process:
// `ok` (it happened), `fail` (it surely did not), `info` (unknown: it may take effect at any later time, or never). A
// process has one operation open at a time; after `info` its number is never used again.
//
// On disk: EDN, one map a line (one big vector of maps and JSON lines are read too). Unknown keys are kept in `extra`
// by name, in order.
//
// Names instead of numbers. Jepsen's keys may be keywords or strings and its nemesis is a process without a number.
// Such names are interned in order of first use: a key as `first_named_key + n` (text in `key_names`), a process as a
// negative number: `nemesis_process` is :nemesis, further ones count down from it (text in `process_names`). Named
// processes are not clients: they have no pairs and no checker looks at them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace polarsim::checkers {

enum class EventType : std::uint8_t { invoke, ok, fail, info };
const char* to_string(EventType type);

// Where the numbers of named keys and processes start.
inline constexpr std::int64_t first_named_key = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t named_key_limit = std::int64_t{1} << 32;
constexpr bool is_named_key(std::int64_t key) { return key < first_named_key + named_key_limit; }
inline constexpr std::int64_t nemesis_process = -1;

// What one step of a transaction does. `append` and `read_list` for list-append histories, `write` and `read` for
// registers.
struct MicroOp {
  enum class Kind : std::uint8_t { append, read_list, write, read } kind = Kind::read;
  std::int64_t key = 0;
  std::int64_t argument = 0;       // append, write: the value; read: the value seen, if `known`
  bool known = false;              // reads: false is nil (not known, or the initial state)
  std::vector<std::int64_t> list;  // read_list: the elements seen, if `known`
  friend bool operator==(const MicroOp&, const MicroOp&) = default;
};
using Transaction = std::vector<MicroOp>;

// Bank histories: a transfer, or a read of account -> balance.
struct Transfer {
  std::int64_t from = 0, to = 0, amount = 0;
  friend bool operator==(const Transfer&, const Transfer&) = default;
};
using Balances = std::vector<std::pair<std::int64_t, std::int64_t>>;  // sorted by account

// The value of an operation the checkers give no meaning to, as its EDN text.
struct Opaque {
  std::string edn;
  friend bool operator==(const Opaque&, const Opaque&) = default;
};

using Value = std::variant<std::monostate, Transaction, Transfer, Balances, Opaque>;

struct Event {
  std::int64_t index = 0;
  std::int64_t time_ns = 0;
  EventType type = EventType::invoke;
  std::int64_t process = 0;
  std::string f;  // "txn", "transfer", "read", ...
  Value value;
  // Further fields, name without colon -> EDN text of the value; e.g. {"node", "\"cn1\""}, {"error", "\"40P01\""},
  // {"final?", "true"}.
  std::vector<std::pair<std::string, std::string>> extra;
  friend bool operator==(const Event&, const Event&) = default;
  // The EDN text of an extra field; empty if there is none.
  std::string_view field(std::string_view name) const;
};

struct History {
  std::vector<Event> events;
  // EDN text of the named keys, e.g. ":x" or "\"x\"", and of the named processes after :nemesis.
  std::vector<std::string> key_names;
  std::vector<std::string> process_names;
  // The EDN text of a key.
  std::string key_text(std::int64_t key) const;
  friend bool operator==(const History&, const History&) = default;
  // An invocation and its completion (-1: none), by position in `events`, in order of invocation. Events of named
  // processes (the nemesis) take no part; so does a completion whose process has nothing open.
  struct Pair {
    std::int64_t invoke = -1;
    std::int64_t completion = -1;
  };
  std::vector<Pair> pairs() const;
};

// Where reading stopped and why: one line for a person, e.g. "history.edn:17:34: expected a map value after :process,
// found '}'".
struct ReadError {
  std::string message;
  std::int64_t line = 0;
  std::int64_t column = 0;
};

// Reads a whole history; `name` is what errors call it. Also refuses what cannot be a history: a completion without an
// invocation, two open operations of one process, indexes or times that go back. A missing :index or :time continues
// from the event before. A read that shows nil is a `read_list` if the history has any append or any read of a list,
// else a `read`. Time is linear in the text; nesting deeper than 256 is an error, never deep recursion.
tl::expected<History, ReadError> read_history(std::string_view text, std::string_view name);
void write_edn(const History& history, std::ostream& out);
// One line without its end; `history` knows the names. Without it, names print as the numbers that stand for them.
std::string event_to_edn(const Event& event, const History& history);
std::string event_to_edn(const Event& event);

}  // namespace polarsim::checkers
