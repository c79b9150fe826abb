// Runs the automaton of a regular expression over one text. Private to regex.h.
#pragma once

#include <deque>
#include <optional>

#include "engine/types/regex_program.h"

namespace polarsim::engine::regex {

class Matcher {
 public:
  Matcher(const RegexProgram& program, std::u32string_view text) : program_(program), text_(text) {}

  // Where the leftmost match starts, at or behind `from`.
  std::optional<std::size_t> first_start(std::size_t from) { return find(from, false); }
  // The first place where a match ends that starts at or behind `from`.
  std::optional<std::size_t> first_end(std::size_t from) { return find(from, true); }
  // Where what starts at `begin` may end, at most at `limit`, in order.
  std::vector<std::size_t> ends(Fragment fragment, std::size_t begin, std::size_t limit);
  // The last of them, or the first.
  std::optional<std::size_t> longest(Fragment fragment, std::size_t begin, std::size_t limit);
  std::optional<std::size_t> shortest(Fragment fragment, std::size_t begin, std::size_t limit);
  bool matches(Fragment fragment, std::size_t begin, std::size_t end);

  std::u32string_view text() const { return text_; }
  // Throws SqlError 2201B if there was too much work.
  void count_work(std::size_t steps);

 private:
  // A set of states that are followed at once, in the order in which they were reached.
  struct Thread {
    int state;
    std::size_t start;
  };
  struct Scratch {
    std::vector<Thread> current, next;
    std::vector<std::uint32_t> marks;  // by state: the generation that it was reached in
    std::uint32_t generation = 0;
    std::vector<int> stack;
  };
  class ScratchUse;

  // Adds to `to` the consuming states that can be reached from `state` at `at`. Whether the exit is among those.
  bool reach(Scratch& scratch, std::vector<Thread>& to, Thread from, int exit, std::size_t at);
  // Follows the current states over the character at `at`; `exit` may be reached by several: `reached` is told the
  // starts.
  template <typename Reached>
  void step(Scratch& scratch, int exit, std::size_t at, Reached reached);
  template <typename End>
  void follow(Fragment fragment, std::size_t begin, std::size_t limit, End end);

  std::optional<std::size_t> find(std::size_t from, bool wants_end);
  bool holds(const State& state, std::size_t at);
  bool is_word_at(std::size_t at) const { return at < text_.size() && is_word_character(text_[at]); }
  bool is_word_before(std::size_t at) const { return at > 0 && is_word_character(text_[at - 1]); }
  bool looks_ahead(int lookaround, std::size_t at);
  bool looks_behind(int lookaround, std::size_t at);

  const RegexProgram& program_;
  const std::u32string_view text_;
  std::deque<Scratch> scratches_;  // one for each lookaround under way
  std::size_t scratches_used_ = 0;
  std::vector<std::vector<signed char>> ahead_;   // by lookaround and position: unknown, no, yes
  std::vector<std::vector<signed char>> behind_;  // known for all positions or for none
  std::size_t work_ = 0;
};

}  // namespace polarsim::engine::regex
