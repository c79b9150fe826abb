#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/functions_patterns.h"
#include "engine/types/functions_texts.h"
#include "engine/types/like.h"
#include "engine/types/regex.h"
#include "engine/types/utf8.h"

// The functions of regular expressions (PostgreSQL's regexp.c).
namespace polarsim::engine::families {
namespace {

struct Flags {
  RegexOptions options;
  bool global = false;
};

Flags parse_flags(std::string_view text) {
  using enum RegexOptions::Syntax;
  Flags flags;
  RegexOptions& options = flags.options;
  for (std::size_t at = 0; at < text.size(); at += utf8::length_at(text, at)) {
    switch (text[at]) {
      case 'g':
        flags.global = true;
        break;
      case 'b':
      case 'e':  // EREs are announced, but PostgreSQL gives BREs: only (?e) in the pattern is heeded
        options.syntax = basic;
        break;
      case 'c':
        options.ignore_case = false;
        break;
      case 'i':
        options.ignore_case = true;
        break;
      case 'm':
      case 'n':
        options.any_excludes_newline = options.anchors_at_newlines = true;
        break;
      case 'p':
        options.any_excludes_newline = true;
        options.anchors_at_newlines = false;
        break;
      case 'q':
        options.syntax = literal;
        break;
      case 's':
        options.any_excludes_newline = options.anchors_at_newlines = false;
        break;
      case 't':
        options.expanded = false;
        break;
      case 'w':
        options.any_excludes_newline = false;
        options.anchors_at_newlines = true;
        break;
      case 'x':
        options.expanded = true;
        break;
      default:
        throw SqlError(sqlstate::invalid_parameter_value, fmt::format("invalid regular expression option: \"{}\"",
                                                                      text.substr(at, utf8::length_at(text, at))));
    }
  }
  return flags;
}
// The flags in argument i, if it is there; "g" is refused.
Flags flags_of(const FunctionCall& call, std::size_t i, const char* function, const char* hint = "") {
  const Flags flags = i < call.size() ? parse_flags(call[i].as_text()) : Flags{};
  if (flags.global) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("{} does not support the \"global\" option", function), "", hint);
  }
  return flags;
}

// A number among the arguments, or what stands for it.
std::int64_t number_of(const FunctionCall& call, std::size_t i, std::int64_t otherwise, std::int64_t least,
                       const char* name, std::int64_t most = std::numeric_limits<std::int32_t>::max()) {
  if (i >= call.size()) return otherwise;
  const std::int64_t value = call[i].as_integer();
  if (value >= least && value <= most) return value;
  throw SqlError(sqlstate::invalid_parameter_value, fmt::format("invalid value for parameter \"{}\": {}", name, value));
}

// Matches of an expression in a text, one after the other.
class Matches {
 public:
  Matches(std::string_view text, std::string_view pattern, RegexOptions options, std::size_t from = 0)
      : text_(utf8::decode(text)), regex_(cached_regex(pattern, options)), ranges_(regex_->groups() + 1), from_(from) {}

  // The match is in range(0), then.
  bool next() {
    if (from_ > text_.size() || !regex_->search(text_, from_, ranges_)) return false;
    // An empty match would be found again.
    from_ = static_cast<std::size_t>(ranges_[0].end) + (ranges_[0].first == ranges_[0].end ? 1 : 0);
    return true;
  }
  std::size_t groups() const { return regex_->groups(); }
  Regex::Range range(std::size_t group) const { return ranges_[group]; }
  // The groups, or the match itself if there are none: what the functions return.
  std::size_t results() const { return std::max<std::size_t>(1, groups()); }
  Regex::Range result(std::size_t i) const { return ranges_[groups() == 0 ? 0 : i + 1]; }

  std::size_t size() const { return text_.size(); }
  void append_text(std::string& to, Regex::Range range) const {
    utf8::append(to, std::u32string_view(text_).substr(static_cast<std::size_t>(range.first),
                                                       static_cast<std::size_t>(range.end - range.first)));
  }
  Value text_of(Regex::Range range) const {
    if (!range.matched()) return Value::null();
    std::string text;
    append_text(text, range);
    return Value::text(text);
  }
  Value array() const {
    std::vector<Value> elements;
    for (std::size_t i = 0; i < results(); ++i) elements.push_back(text_of(result(i)));
    return Value::array(Array(TypeId::text, std::move(elements)));
  }

 private:
  const std::u32string text_;
  std::shared_ptr<const Regex> regex_;
  std::vector<Regex::Range> ranges_;
  std::size_t from_;
};

std::size_t start_of(const FunctionCall& call, std::size_t i) {
  return static_cast<std::size_t>(number_of(call, i, 1, 1, "start") - 1);
}

Value regexp_like(const FunctionCall& call) {
  const Flags flags = flags_of(call, 2, "regexp_like()");
  return Value::boolean(cached_regex(call[1].as_text(), flags.options)->search(utf8::decode(call[0].as_text()), 0, {}));
}

Value regexp_match(const FunctionCall& call) {
  const Flags flags = flags_of(call, 2, "regexp_match()", "Use the regexp_matches function instead.");
  Matches matches(call[0].as_text(), call[1].as_text(), flags.options);
  return matches.next() ? matches.array() : Value::null();
}

class MatchRows final : public FunctionRows {
 public:
  explicit MatchRows(const FunctionCall& call)
      : flags_(call.size() > 2 ? parse_flags(call[2].as_text()) : Flags{}),
        matches_(call[0].as_text(), call[1].as_text(), flags_.options) {}
  bool next(Row& row) override {
    if (done_ || !matches_.next()) return false;
    done_ = !flags_.global;
    row.assign(1, matches_.array());
    return true;
  }

 private:
  const Flags flags_;
  Matches matches_;
  bool done_ = false;
};
std::unique_ptr<FunctionRows> regexp_matches(const FunctionCall& call) { return std::make_unique<MatchRows>(call); }

// What lies between the matches. Empty matches at either end, or right behind another match, separate nothing.
class Pieces {
 public:
  Pieces(const FunctionCall& call, const char* function)
      : matches_(call[0].as_text(), call[1].as_text(), flags_of(call, 2, function).options) {}
  bool next(Value& piece) {
    if (done_) return false;
    const auto size = static_cast<std::int64_t>(matches_.size());
    while (matches_.next()) {
      const Regex::Range match = matches_.range(0);
      const bool separates = match.first < size && match.end > previous_end_;
      previous_end_ = match.end;
      if (!separates) continue;
      piece = matches_.text_of({begin_, match.first});
      begin_ = match.end;
      return true;
    }
    done_ = true;
    piece = matches_.text_of({begin_, size});
    return true;
  }

 private:
  Matches matches_;
  std::int64_t begin_ = 0;
  std::int64_t previous_end_ = 0;
  bool done_ = false;
};
Value regexp_split_to_array(const FunctionCall& call) {
  Pieces pieces(call, "regexp_split_to_array()");
  std::vector<Value> elements;
  for (Value piece; pieces.next(piece);) elements.push_back(piece);
  return Value::array(Array(TypeId::text, std::move(elements)));
}
class PieceRows final : public FunctionRows {
 public:
  explicit PieceRows(const FunctionCall& call) : pieces_(call, "regexp_split_to_table()") {}
  bool next(Row& row) override {
    row.resize(1);
    return pieces_.next(row[0]);
  }

 private:
  Pieces pieces_;
};
std::unique_ptr<FunctionRows> regexp_split_to_table(const FunctionCall& call) {
  return std::make_unique<PieceRows>(call);
}

Value regexp_count(const FunctionCall& call) {
  const std::size_t start = start_of(call, 2);
  Matches matches(call[0].as_text(), call[1].as_text(), flags_of(call, 3, "regexp_count()").options, start);
  std::int64_t count = 0;
  while (matches.next()) ++count;
  return Value::integer(count);
}

// Goes to match number n, counted from 1. The range wanted of it: the match, or the group.
Regex::Range nth_match(Matches& matches, std::int64_t n, std::int64_t group) {
  for (; n > 0; --n) {
    if (!matches.next()) return {};
  }
  if (group == 0) return matches.range(0);
  const auto i = static_cast<std::size_t>(group) - 1;
  return i < matches.results() ? matches.result(i) : Regex::Range{};
}
Value regexp_instr(const FunctionCall& call) {
  const std::size_t start = start_of(call, 2);
  const std::int64_t n = number_of(call, 3, 1, 1, "n");
  const std::int64_t at_end = number_of(call, 4, 0, 0, "endoption", 1);
  const std::int64_t group = number_of(call, 6, 0, 0, "subexpr");
  Matches matches(call[0].as_text(), call[1].as_text(), flags_of(call, 5, "regexp_instr()").options, start);
  const Regex::Range range = nth_match(matches, n, group);
  if (!range.matched()) return Value::integer(0);
  return Value::integer((at_end != 0 ? range.end : range.first) + 1);
}
Value regexp_substr(const FunctionCall& call) {
  const std::size_t start = start_of(call, 2);
  const std::int64_t n = number_of(call, 3, 1, 1, "n");
  const std::int64_t group = number_of(call, 5, 0, 0, "subexpr");
  Matches matches(call[0].as_text(), call[1].as_text(), flags_of(call, 4, "regexp_substr()").options, start);
  return matches.text_of(nth_match(matches, n, group));
}

Value first_group(std::string_view text, std::string_view pattern) {
  Matches matches(text, pattern, {});
  return matches.next() ? matches.text_of(matches.result(0)) : Value::null();
}
Value substring_regex(const FunctionCall& call) { return first_group(call[0].as_text(), call[1].as_text()); }
Value substring_similar(const FunctionCall& call) {
  return first_group(call[0].as_text(), similar_pattern(call[1].as_text(), call[2].as_text()));
}

// \1 to \9 are groups, \& the match, \\ a backslash; other backslashes stand for themselves.
void append_replacement(std::string& to, std::string_view replacement, const Matches& matches) {
  for (std::size_t at = 0; at < replacement.size(); ++at) {
    const char next = at + 1 < replacement.size() ? replacement[at + 1] : '\0';
    const bool is_group = next >= '1' && next <= '9';
    if (replacement[at] != '\\' || !(is_group || next == '&' || next == '\\')) {
      to += replacement[at];
      continue;
    }
    ++at;
    if (next == '\\') {
      to += '\\';
      continue;
    }
    const std::size_t group = is_group ? static_cast<std::size_t>(next - '0') : 0;
    if (group <= matches.groups() && matches.range(group).matched()) matches.append_text(to, matches.range(group));
  }
}
// Replaces match number n; all of them if it is 0.
Value replace_matches(const FunctionCall& call, RegexOptions options, std::size_t start, std::int64_t n) {
  Matches matches(call[0].as_text(), call[1].as_text(), options, start);
  std::string result;
  std::int64_t copied = 0;
  for (std::int64_t number = 1; matches.next(); ++number) {
    if (n > 0 && number < n) continue;
    matches.append_text(result, {copied, matches.range(0).first});
    append_replacement(result, call[2].as_text(), matches);
    copied = matches.range(0).end;
    if (result.size() > value_bytes_max) throw_length_too_large();
    if (n > 0) break;
  }
  matches.append_text(result, {copied, static_cast<std::int64_t>(matches.size())});
  return Value::text(result);
}
Value regexp_replace(const FunctionCall& call) {
  if (call.size() == 3) return replace_matches(call, {}, 0, 1);
  const std::string_view text = call[3].as_text();
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("invalid regular expression option: \"{}\"", text.front()), "",
                   "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer "
                   "explicitly.");
  }
  const Flags flags = parse_flags(text);
  return replace_matches(call, flags.options, 0, flags.global ? 0 : 1);
}
Value regexp_replace_from(const FunctionCall& call) {
  const std::size_t start = start_of(call, 3);
  const std::int64_t n = number_of(call, 4, 1, 0, "n");
  const Flags flags = call.size() > 5 ? parse_flags(call[5].as_text()) : Flags{};
  return replace_matches(call, flags.options, start, n);
}

FunctionEntry set(const char* name, std::vector<TypeId> arguments, TypeId result, SetFunction function) {
  return {
      .name = name, .arguments = std::move(arguments), .result = result, .kind = FunctionKind::set, .set = function};
}

}  // namespace

Value regex_matches(const FunctionCall& call, bool ignore_case) {
  RegexOptions options;
  options.ignore_case = ignore_case;
  return Value::boolean(cached_regex(call[1].as_text(), options)->search(utf8::decode(call[0].as_text()), 0, {}));
}

void add_regex_functions(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("regexp_like", {text, text}, boolean, regexp_like),
      scalar("regexp_like", {text, text, text}, boolean, regexp_like),
      scalar("regexp_match", {text, text}, text_array, regexp_match),
      scalar("regexp_match", {text, text, text}, text_array, regexp_match),
      set("regexp_matches", {text, text}, text_array, regexp_matches),
      set("regexp_matches", {text, text, text}, text_array, regexp_matches),
      scalar("regexp_split_to_array", {text, text}, text_array, regexp_split_to_array),
      scalar("regexp_split_to_array", {text, text, text}, text_array, regexp_split_to_array),
      set("regexp_split_to_table", {text, text}, text, regexp_split_to_table),
      set("regexp_split_to_table", {text, text, text}, text, regexp_split_to_table),
      scalar("regexp_count", {text, text}, int4, regexp_count),
      scalar("regexp_count", {text, text, int4}, int4, regexp_count),
      scalar("regexp_count", {text, text, int4, text}, int4, regexp_count),
      scalar("regexp_instr", {text, text}, int4, regexp_instr),
      scalar("regexp_instr", {text, text, int4}, int4, regexp_instr),
      scalar("regexp_instr", {text, text, int4, int4}, int4, regexp_instr),
      scalar("regexp_instr", {text, text, int4, int4, int4}, int4, regexp_instr),
      scalar("regexp_instr", {text, text, int4, int4, int4, text}, int4, regexp_instr),
      scalar("regexp_instr", {text, text, int4, int4, int4, text, int4}, int4, regexp_instr),
      scalar("regexp_substr", {text, text}, text, regexp_substr),
      scalar("regexp_substr", {text, text, int4}, text, regexp_substr),
      scalar("regexp_substr", {text, text, int4, int4}, text, regexp_substr),
      scalar("regexp_substr", {text, text, int4, int4, text}, text, regexp_substr),
      scalar("regexp_substr", {text, text, int4, int4, text, int4}, text, regexp_substr),
      scalar("regexp_replace", {text, text, text}, text, regexp_replace),
      scalar("regexp_replace", {text, text, text, text}, text, regexp_replace),
      scalar("regexp_replace", {text, text, text, int4}, text, regexp_replace_from),
      scalar("regexp_replace", {text, text, text, int4, int4}, text, regexp_replace_from),
      scalar("regexp_replace", {text, text, text, int4, int4, text}, text, regexp_replace_from),
      scalar("substring", {text, text}, text, substring_regex),
      scalar("substring", {text, text, text}, text, substring_similar),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

}  // namespace polarsim::engine::families
