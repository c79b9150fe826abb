// PostgreSQL's regular expressions: AREs with their metasyntax and embedded options, EREs, BREs and literal strings
// (documentation 9.7.3; the semantics of src/backend/regex by Henry Spencer, written anew).
//
// A match starts as early as possible; then it is as long as possible, or as short, as the expression prefers;
// subexpressions then take what they prefer, earlier ones first. This is not what leftmost-first engines such as
// Boost.Regex do, which is why there is an engine here: the expression becomes a nondeterministic automaton whose
// states are followed all at once, and the parts of a match are found by asking automata of the parts.
//
// Work is bounded: an expression with too many states or parts, or a search that takes too many steps, is refused with
// 2201B "regular expression is too complex" (PostgreSQL's own limits are others). Searching is linear in the text
// unless there are back references or lookaheads; finding the groups of a match can take quadratic time.
//
// The collation is C: only ASCII has letters and case.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace polarsim::engine {

struct RegexOptions {
  enum class Syntax : std::uint8_t { advanced, extended, basic, literal } syntax = Syntax::advanced;
  bool ignore_case = false;
  bool expanded = false;              // white space and comments are ignored
  bool any_excludes_newline = false;  // . and [^...] never match a newline
  bool anchors_at_newlines = false;   // ^ and $ match at lines
  friend bool operator==(const RegexOptions&, const RegexOptions&) = default;
};

struct RegexProgram;

class Regex {
 public:
  // Throws SqlError 2201B "invalid regular expression: ...".
  Regex(std::u32string_view pattern, RegexOptions options);

  // Offsets of characters; -1 where a subexpression took no part.
  struct Range {
    std::int64_t first = -1;
    std::int64_t end = -1;
    bool matched() const { return first >= 0; }
    friend bool operator==(const Range&, const Range&) = default;
  };
  // Capturing parentheses.
  std::size_t groups() const;
  // The first match at or behind `from`; what precedes is seen by constraints such as ^ and \y. Fills as many of
  // `ranges` as there are: the match, then its groups. None: whether there is a match, which is found faster.
  bool search(std::u32string_view text, std::size_t from, std::span<Range> ranges) const;

 private:
  std::shared_ptr<const RegexProgram> program_;
};

// A Regex for the pattern, from a small cache of the last ones (compiling is slow, and a statement uses few).
std::shared_ptr<const Regex> cached_regex(std::string_view pattern, RegexOptions options);

}  // namespace polarsim::engine
