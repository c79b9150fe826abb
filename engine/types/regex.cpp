#include "engine/types/regex.h"

#include <algorithm>
#include <set>

#include "engine/types/regex_matcher.h"
#include "engine/types/utf8.h"

// Finding a match and dissecting it into its groups (PostgreSQL's regexec.c).
namespace polarsim::engine::regex {
namespace {

class Dissection {
 public:
  Dissection(const RegexProgram& program, Matcher& matcher)
      : program_(program), matcher_(matcher), groups_(static_cast<std::size_t>(program.syntax.groups) + 1) {}

  // Whether the part matches exactly this. If it does, its groups are known; if not, they took no part.
  bool dissect(const Part& part, std::size_t begin, std::size_t end) {
    const bool matched = dissect_inner(part, begin, end);
    if (!matched) {
      forget(part);
    } else if (part.group > 0) {
      groups_[static_cast<std::size_t>(part.group)] = {static_cast<std::int64_t>(begin),
                                                       static_cast<std::int64_t>(end)};
    }
    return matched;
  }
  const std::vector<Regex::Range>& groups() const { return groups_; }

 private:
  bool dissect_inner(const Part& part, std::size_t begin, std::size_t end) {
    switch (part.kind) {
      case Part::Kind::plain:
        return true;
      case Part::Kind::concatenation:
        return dissect_concatenation(part, begin, end);
      case Part::Kind::alternatives:
        return std::ranges::any_of(part.children, [&](const auto& child) {
          return matcher_.matches(child->fragment, begin, end) && dissect(*child, begin, end);
        });
      case Part::Kind::iteration:
        return dissect_iteration(part, begin, end);
      case Part::Kind::back_reference:
        return refers_to(part, begin, end);
      case Part::Kind::wrapper:
        return dissect(*part.children[0], begin, end);
    }
    return false;
  }

  void forget(const Part& part) {
    if (part.group > 0) groups_[static_cast<std::size_t>(part.group)] = {};
    for (const auto& child : part.children) forget(*child);
  }

  // Where the part that starts at `begin` may end, best first.
  std::vector<std::size_t> preferred_ends(const Part& part, std::size_t begin, std::size_t limit) {
    std::vector<std::size_t> ends = matcher_.ends(part.fragment, begin, limit);
    if (!part.prefers_shorter) std::ranges::reverse(ends);
    return ends;
  }

  // The left part takes what it prefers of what leaves the right one a match.
  bool dissect_concatenation(const Part& part, std::size_t begin, std::size_t end) {
    const Part& left = *part.children[0];
    const Part& right = *part.children[1];
    for (const std::size_t middle : preferred_ends(left, begin, end)) {
      if (!matcher_.matches(right.fragment, middle, end)) continue;
      if (dissect(left, begin, middle) && dissect(right, middle, end)) return true;
      forget(left);
    }
    return false;
  }

  // One repetition after the other takes what it prefers; if that leads nowhere, the last but one takes something else.
  // Empty repetitions only where the least number cannot be reached without. What an empty match means where none is
  // needed depends on what the child prefers: one empty repetition, or none.
  bool dissect_iteration(const Part& part, std::size_t begin, std::size_t end) {
    const Part& child = *part.children[0];
    const bool none_suffice = part.min == 0 && begin == end;
    if (none_suffice && child.prefers_shorter) return true;
    const auto fewest = static_cast<std::size_t>(std::max(part.min, 1));
    const std::size_t most = std::max(fewest, std::min(end - begin, static_cast<std::size_t>(part.max)));
    const bool can_fail = program_.has_back_references;

    struct Repetition {
      std::size_t begin;
      std::vector<std::size_t> ends;  // best first
      std::size_t tried = 0;
      std::size_t end() const { return ends[tried - 1]; }
    };
    std::vector<Repetition> repetitions;
    std::set<std::pair<std::size_t, std::size_t>> hopeless;  // number and begin of repetitions that lead nowhere
    const auto add = [&](std::size_t from) { repetitions.push_back({from, preferred_ends(child, from, end), 0}); };
    add(begin);
    while (!repetitions.empty()) {
      Repetition& last = repetitions.back();
      const std::size_t number = repetitions.size();
      matcher_.count_work(1);
      if (last.tried == last.ends.size()) {
        if (!can_fail) hopeless.emplace(number, last.begin);
        repetitions.pop_back();
        continue;
      }
      const std::size_t reached = last.ends[last.tried++];
      if (reached != end) {
        const bool is_empty = reached == last.begin;
        const bool needs_empty = number < fewest && fewest - number >= end - reached;
        if (number < most && (!is_empty || needs_empty) && !hopeless.contains({number + 1, reached})) add(reached);
        continue;
      }
      if (number < fewest) continue;
      std::size_t verified = 0;
      forget(child);
      while (verified < number && dissect(child, repetitions[verified].begin, repetitions[verified].end())) {
        if (++verified < number) forget(child);
      }
      if (verified == number) return true;
      repetitions.resize(verified + 1);
    }
    return none_suffice;
  }
  bool refers_to(const Part& part, std::size_t begin, std::size_t end) {
    const Regex::Range range = groups_[static_cast<std::size_t>(part.referred)];
    if (!range.matched()) return false;
    const std::u32string_view text = matcher_.text();
    const auto length = static_cast<std::size_t>(range.end - range.first);
    if (length == 0) return begin == end;
    if (begin == end) return part.min == 0;
    const std::size_t times = (end - begin) / length;
    if (times * length != end - begin || times < static_cast<std::size_t>(part.min) ||
        times > static_cast<std::size_t>(part.max)) {
      return false;
    }
    const std::u32string_view referred = text.substr(static_cast<std::size_t>(range.first), length);
    for (std::size_t at = begin; at < end; at += length) {
      if (!is_same(referred, text.substr(at, length))) return false;
    }
    return true;
  }
  bool is_same(std::u32string_view a, std::u32string_view b) const {
    const auto folded = [&](char32_t c) {
      return program_.syntax.ignore_case && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    };
    return std::ranges::equal(a, b, [&](char32_t x, char32_t y) { return folded(x) == folded(y); });
  }

  const RegexProgram& program_;
  Matcher& matcher_;
  std::vector<Regex::Range> groups_;
};

void report(const Dissection& dissection, std::size_t begin, std::size_t end, std::span<Regex::Range> ranges) {
  const auto& groups = dissection.groups();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    ranges[i] = i < groups.size() ? groups[i] : Regex::Range{};
  }
  if (!ranges.empty()) ranges[0] = {static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)};
}

bool search_exactly(const RegexProgram& program, Matcher& matcher, std::size_t from, std::span<Regex::Range> ranges) {
  const Part& root = *program.root;
  if (ranges.empty()) return matcher.first_end(from).has_value();
  const std::optional<std::size_t> begin = matcher.first_start(from);
  if (!begin) return false;
  const std::size_t size = matcher.text().size();
  const std::optional<std::size_t> end = root.prefers_shorter ? matcher.shortest(root.fragment, *begin, size)
                                                              : matcher.longest(root.fragment, *begin, size);
  Dissection dissection(program, matcher);
  if (ranges.size() > 1) dissection.dissect(root, *begin, *end);
  report(dissection, *begin, *end, ranges);
  return true;
}

// The automaton takes anything that the group could match for a back reference: dissection decides. As in PostgreSQL,
// an empty match at the text's very end is not looked for once other candidates have failed.
bool search_with_back_references(const RegexProgram& program, Matcher& matcher, std::size_t from,
                                 std::span<Regex::Range> ranges) {
  const Part& root = *program.root;
  const std::size_t size = matcher.text().size();
  do {
    const std::optional<std::size_t> first_end = matcher.first_end(from);
    if (!first_end) return false;
    for (; from <= *first_end; ++from) {
      std::vector<std::size_t> ends = matcher.ends(root.fragment, from, size);
      if (!root.prefers_shorter) std::ranges::reverse(ends);
      for (const std::size_t end : ends) {
        Dissection dissection(program, matcher);
        if (!dissection.dissect(root, from, end)) continue;
        report(dissection, from, end, ranges);
        return true;
      }
    }
  } while (from < size);
  return false;
}

}  // namespace

bool search(const RegexProgram& program, std::u32string_view text, std::size_t from, std::span<Regex::Range> ranges) {
  Matcher matcher(program, text);
  return program.has_back_references ? search_with_back_references(program, matcher, from, ranges)
                                     : search_exactly(program, matcher, from, ranges);
}

}  // namespace polarsim::engine::regex

namespace polarsim::engine {

Regex::Regex(std::u32string_view pattern, RegexOptions options) : program_(regex::compile(pattern, options)) {}

std::size_t Regex::groups() const { return static_cast<std::size_t>(program_->syntax.groups); }

bool Regex::search(std::u32string_view text, std::size_t from, std::span<Range> ranges) const {
  return regex::search(*program_, text, from, ranges);
}

std::shared_ptr<const Regex> cached_regex(std::string_view pattern, RegexOptions options) {
  struct Entry {
    std::string pattern;
    RegexOptions options;
    std::shared_ptr<const Regex> regex;
  };
  constexpr std::size_t entries_max = 32;
  static std::vector<Entry> entries;  // used last first; a matter of speed alone
  const auto found = std::ranges::find_if(
      entries, [&](const Entry& entry) { return entry.pattern == pattern && entry.options == options; });
  if (found != entries.end()) {
    std::rotate(entries.begin(), found, found + 1);
    return entries.front().regex;
  }
  auto regex = std::make_shared<const Regex>(utf8::decode(pattern), options);
  if (entries.size() == entries_max) entries.pop_back();
  entries.insert(entries.begin(), Entry{std::string(pattern), options, regex});
  return regex;
}

}  // namespace polarsim::engine
