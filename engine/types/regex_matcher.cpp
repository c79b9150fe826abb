#include "engine/types/regex_matcher.h"

#include "engine/types/error.h"

namespace polarsim::engine::regex {
namespace {

constexpr std::size_t work_max = 50'000'000;
constexpr signed char unknown = -1;

}  // namespace

class Matcher::ScratchUse {
 public:
  explicit ScratchUse(Matcher& matcher) : matcher_(matcher) {
    if (matcher_.scratches_used_ == matcher_.scratches_.size()) {
      matcher_.scratches_.emplace_back().marks.resize(matcher_.program_.states.size());
    }
    scratch_ = &matcher_.scratches_[matcher_.scratches_used_++];
    scratch_->current.clear();
    ++scratch_->generation;
  }
  ~ScratchUse() { --matcher_.scratches_used_; }
  ScratchUse(const ScratchUse&) = delete;
  ScratchUse& operator=(const ScratchUse&) = delete;
  Scratch& operator*() const { return *scratch_; }

 private:
  Matcher& matcher_;
  Scratch* scratch_;
};

void Matcher::count_work(std::size_t steps) {
  work_ += steps;
  if (work_ <= work_max) return;
  throw SqlError(sqlstate::invalid_regular_expression, "regular expression failed: regular expression is too complex");
}

bool Matcher::reach(Scratch& scratch, std::vector<Thread>& to, Thread from, int exit, std::size_t at) {
  bool reaches_exit = false;
  std::size_t steps = 0;
  scratch.stack.assign(1, from.state);
  while (!scratch.stack.empty()) {
    const int number = scratch.stack.back();
    scratch.stack.pop_back();
    if (number == no_state) continue;
    std::uint32_t& mark = scratch.marks[static_cast<std::size_t>(number)];
    if (mark == scratch.generation) continue;
    mark = scratch.generation;
    ++steps;
    if (number == exit) {
      reaches_exit = true;
      continue;
    }
    const State& state = program_.states[static_cast<std::size_t>(number)];
    if (state.kind == State::Kind::consume) {
      to.push_back({number, from.start});
    } else if (state.kind == State::Kind::jump || holds(state, at)) {
      scratch.stack.push_back(state.other);
      scratch.stack.push_back(state.next);
    }
  }
  count_work(steps);
  return reaches_exit;
}

template <typename Reached>
void Matcher::step(Scratch& scratch, int exit, std::size_t at, Reached reached) {
  const char32_t character = text_[at];
  scratch.next.clear();
  ++scratch.generation;
  count_work(scratch.current.size());
  for (const Thread& thread : scratch.current) {
    const State& state = program_.states[static_cast<std::size_t>(thread.state)];
    if (!program_.sets[static_cast<std::size_t>(state.argument)]->contains(character)) continue;
    if (reach(scratch, scratch.next, {state.next, thread.start}, exit, at + 1)) reached(thread.start);
  }
  std::swap(scratch.current, scratch.next);
}

template <typename End>
void Matcher::follow(Fragment fragment, std::size_t begin, std::size_t limit, End end) {
  const ScratchUse use(*this);
  Scratch& scratch = *use;
  bool ends_here = reach(scratch, scratch.current, {fragment.entry, begin}, fragment.exit, begin);
  for (std::size_t at = begin;; ++at) {
    if (ends_here && !end(at)) return;
    if (at == limit || scratch.current.empty()) return;
    ends_here = false;
    step(scratch, fragment.exit, at, [&](std::size_t) { ends_here = true; });
  }
}

std::optional<std::size_t> Matcher::find(std::size_t from, bool wants_end) {
  const Fragment fragment = program_.root->fragment;
  const ScratchUse use(*this);
  Scratch& scratch = *use;
  std::optional<std::size_t> best;
  // Threads stay in the order of their starts, and a state belongs to the first that reaches it.
  const auto reached = [&](std::size_t start) {
    if (!best || start < *best) best = start;
  };
  for (std::size_t at = from;; ++at) {
    if (!best && reach(scratch, scratch.current, {fragment.entry, at}, fragment.exit, at)) reached(at);
    if (best) {
      if (wants_end) return at;
      std::erase_if(scratch.current, [&](const Thread& thread) { return thread.start >= *best; });
      if (scratch.current.empty()) return best;
    }
    if (at == text_.size()) return best;
    step(scratch, fragment.exit, at, reached);
  }
}

std::vector<std::size_t> Matcher::ends(Fragment fragment, std::size_t begin, std::size_t limit) {
  std::vector<std::size_t> result;
  follow(fragment, begin, limit, [&](std::size_t end) {
    result.push_back(end);
    return true;
  });
  return result;
}
std::optional<std::size_t> Matcher::longest(Fragment fragment, std::size_t begin, std::size_t limit) {
  std::optional<std::size_t> result;
  follow(fragment, begin, limit, [&](std::size_t end) {
    result = end;
    return true;
  });
  return result;
}
std::optional<std::size_t> Matcher::shortest(Fragment fragment, std::size_t begin, std::size_t limit) {
  std::optional<std::size_t> result;
  follow(fragment, begin, limit, [&](std::size_t end) {
    result = end;
    return false;
  });
  return result;
}
bool Matcher::matches(Fragment fragment, std::size_t begin, std::size_t end) {
  bool result = false;
  follow(fragment, begin, end, [&](std::size_t found) {
    result = found == end;
    return !result;
  });
  return result;
}

bool Matcher::holds(const State& state, std::size_t at) {
  switch (state.assertion) {
    case Assertion::text_begin:
      return at == 0;
    case Assertion::text_end:
      return at == text_.size();
    case Assertion::line_begin:
      return at == 0 || text_[at - 1] == '\n';
    case Assertion::line_end:
      return at == text_.size() || text_[at] == '\n';
    case Assertion::word_begin:
      return !is_word_before(at) && is_word_at(at);
    case Assertion::word_end:
      return is_word_before(at) && !is_word_at(at);
    case Assertion::word_boundary:
      return is_word_before(at) != is_word_at(at);
    case Assertion::no_word_boundary:
      return is_word_before(at) == is_word_at(at);
    case Assertion::ahead:
      return looks_ahead(state.argument, at);
    case Assertion::not_ahead:
      return !looks_ahead(state.argument, at);
    case Assertion::behind:
      return looks_behind(state.argument, at);
    case Assertion::not_behind:
      return !looks_behind(state.argument, at);
  }
  return false;
}

bool Matcher::looks_ahead(int lookaround, std::size_t at) {
  const auto number = static_cast<std::size_t>(lookaround);
  ahead_.resize(program_.lookarounds.size());
  if (ahead_[number].empty()) ahead_[number].assign(text_.size() + 1, unknown);
  if (ahead_[number][at] == unknown) {
    const bool found = shortest(program_.lookarounds[number], at, text_.size()).has_value();
    ahead_[number][at] = found ? 1 : 0;
  }
  return ahead_[number][at] == 1;
}

bool Matcher::looks_behind(int lookaround, std::size_t at) {
  const auto number = static_cast<std::size_t>(lookaround);
  behind_.resize(program_.lookarounds.size());
  if (behind_[number].empty()) {
    // What ends anywhere, wherever it starts: one pass.
    const Fragment fragment = program_.lookarounds[number];
    std::vector<signed char> found(text_.size() + 1, 0);
    const ScratchUse use(*this);
    Scratch& scratch = *use;
    for (std::size_t i = 0;; ++i) {
      if (reach(scratch, scratch.current, {fragment.entry, i}, fragment.exit, i)) found[i] = 1;
      if (i == text_.size()) break;
      step(scratch, fragment.exit, i, [&](std::size_t) { found[i + 1] = 1; });
    }
    behind_[number] = std::move(found);
  }
  return behind_[number][at] == 1;
}

}  // namespace polarsim::engine::regex
