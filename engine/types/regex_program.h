// A regular expression as an automaton, and the parts of it that matches are dissected by. Private to regex.h.
#pragma once

#include <memory>
#include <vector>

#include "engine/types/regex_syntax.h"

namespace polarsim::engine::regex {

inline constexpr int no_state = -1;

// Of a nondeterministic automaton (Thompson's construction).
struct State {
  enum class Kind : std::uint8_t {
    consume,  // a character of the set `argument`
    jump,     // to `next` and, if there is one, to `other`, without a character
    assert_,  // as jump, where the assertion holds
  } kind = Kind::jump;
  Assertion assertion = Assertion::text_begin;
  int argument = 0;  // number of a set; of a lookaround
  int next = no_state;
  int other = no_state;
};

// Part of the automaton with one way in and one out, which has no edges back into it.
struct Fragment {
  int entry = no_state;
  int exit = no_state;
};

// How to find what the groups of a match are, once it is known where it starts and ends.
struct Part {
  enum class Kind : std::uint8_t {
    plain,  // nothing inside is asked for
    concatenation,
    alternatives,
    iteration,  // of the one child, from min to max times
    back_reference,
    wrapper,  // the child, as another group
  } kind = Kind::plain;
  unsigned flags = 0;  // regex_program.cpp
  bool prefers_shorter = false;
  int group = 0;  // captured; 0: none
  int min = 1;
  int max = 1;
  int referred = 0;
  std::vector<std::unique_ptr<Part>> children;
  Fragment fragment;

  // What the automaton of a plain part is made from: items, with their own repetitions, or alternatives.
  struct Piece {
    const Item* item;
    int min;
    int max;
  };
  std::vector<Piece> pieces;
  const Alternatives* all = nullptr;
  const Item* item = nullptr;  // what an iteration repeats
};

}  // namespace polarsim::engine::regex

namespace polarsim::engine {

struct RegexProgram {
  regex::Syntax syntax;  // kept: parts point into it
  std::vector<regex::State> states;
  std::vector<const regex::CharacterSet*> sets;
  std::vector<regex::Fragment> lookarounds;
  std::unique_ptr<regex::Part> root;
  bool has_back_references = false;
};

}  // namespace polarsim::engine

namespace polarsim::engine::regex {

std::shared_ptr<const RegexProgram> compile(std::u32string_view pattern, RegexOptions options);

// A match in a text that starts at or behind `from`. See Regex::search().
bool search(const RegexProgram& program, std::u32string_view text, std::size_t from, std::span<Regex::Range> ranges);

}  // namespace polarsim::engine::regex
