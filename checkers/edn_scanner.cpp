#include "checkers/edn_scanner.h"

#include <charconv>
#include <utility>

namespace polarsim::checkers {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == ',' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool ends_atom(char c) {
  switch (c) {
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '"':
    case ';':
    case '\\':
      return true;
    default:
      return is_blank(c) || static_cast<unsigned char>(c) < 0x20;
  }
}

std::size_t skip_digits(std::string_view atom, std::size_t at) {
  while (at < atom.size() && is_digit(atom[at])) ++at;
  return at;
}

bool looks_numeric(std::string_view atom) {
  if (is_digit(atom[0])) return true;
  return atom.size() > 1 && (atom[0] == '-' || atom[0] == '+') && is_digit(atom[1]);
}

// [+-] digits, then N, M, a fraction with an exponent, or a ratio.
bool is_number(std::string_view atom) {
  std::size_t at = (atom[0] == '-' || atom[0] == '+') ? 1 : 0;
  at = skip_digits(atom, at);
  if (at == atom.size()) return true;
  if (atom[at] == 'N') return at + 1 == atom.size();
  if (atom[at] == '/') {
    const std::size_t end = skip_digits(atom, at + 1);
    return end > at + 1 && end == atom.size();
  }
  if (atom[at] == '.') at = skip_digits(atom, at + 1);
  if (at < atom.size() && (atom[at] == 'e' || atom[at] == 'E')) {
    ++at;
    if (at < atom.size() && (atom[at] == '-' || atom[at] == '+')) ++at;
    const std::size_t end = skip_digits(atom, at);
    if (end == at) return false;
    at = end;
  }
  if (at < atom.size() && atom[at] == 'M') ++at;
  return at == atom.size();
}

// JSON's colon stands between a quoted key and its value; EDN's keywords have a name right after theirs and no quote
// before it.
bool is_json_colon(std::string_view text, std::size_t at) {
  const bool after_quote = at > 0 && text[at - 1] == '"';
  const bool before_blank = at + 1 < text.size() && is_blank(text[at + 1]);
  return after_quote || before_blank;
}

}  // namespace

bool EdnScanner::fail(std::size_t where, std::string message) {
  if (error_.empty()) {
    error_ = std::move(message);
    error_position_ = where;
  }
  return false;
}

std::string EdnScanner::describe_here() const {
  if (at_end()) return "end of input";
  const auto byte = static_cast<unsigned char>(text_[position_]);
  if (byte >= 0x20 && byte < 0x7f) return std::string("'") + text_[position_] + "'";
  static constexpr char digits[] = "0123456789abcdef";
  return std::string("byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

bool EdnScanner::take(char expected) {
  if (peek() != expected || at_end()) return false;
  ++position_;
  return true;
}

bool EdnScanner::skip_blanks() {
  // Discards may stack up ("#_ #_ a b" drops two forms), so they are counted, not nested.
  std::size_t discards = 0;
  while (true) {
    while (!at_end() && is_blank(text_[position_])) ++position_;
    if (peek() == ';') {
      while (!at_end() && text_[position_] != '\n') ++position_;
    } else if (peek() == '#' && position_ + 1 < text_.size() && text_[position_ + 1] == '_') {
      position_ += 2;
      ++discards;
    } else if (discards > 0) {
      if (!skip_form()) return false;
      --discards;
    } else {
      return true;
    }
  }
}

bool EdnScanner::skip_string() {
  const std::size_t start = position_++;
  while (!at_end()) {
    const char c = text_[position_++];
    if (c == '"') return true;
    if (c != '\\') continue;
    if (at_end()) break;
    const char escaped = text_[position_++];
    if (escaped == 'u') {
      for (int i = 0; i < 4; ++i, ++position_) {
        const char h = peek();
        if (!is_digit(h) && !(h >= 'a' && h <= 'f') && !(h >= 'A' && h <= 'F')) {
          return fail(position_, "expected four hexadecimal digits after \\u");
        }
      }
    } else if (std::string_view("tnr\\\"bf/").find(escaped) == std::string_view::npos) {
      return fail(position_ - 2, "unknown escape in a string");
    }
  }
  return fail(start, "this string never ends");
}

std::string_view EdnScanner::take_atom() {
  const std::size_t start = position_;
  while (!at_end() && !ends_atom(text_[position_])) ++position_;
  return text_.substr(start, position_ - start);
}

bool EdnScanner::take_integer(std::int64_t& value) {
  std::size_t start = position_;
  if (peek() == '+') ++start;
  const char* first = text_.data() + start;
  const char* last = text_.data() + text_.size();
  if (start != position_ && (first == last || !is_digit(*first))) return false;
  const auto [end, status] = std::from_chars(first, last, value);
  if (status != std::errc{}) return false;
  std::size_t after = static_cast<std::size_t>(end - text_.data());
  if (after < text_.size() && text_[after] == 'N') ++after;
  if (after < text_.size() && !ends_atom(text_[after])) return false;
  position_ = after;
  return true;
}

bool EdnScanner::skip_atom_form() {
  const std::size_t start = position_;
  if (peek() == '"') return skip_string();
  if (peek() == '\\') {
    ++position_;
    if (at_end() || is_blank(peek())) return fail(start, "expected a character after '\\'");
    ++position_;
    take_atom();
    return true;
  }
  const std::string_view atom = take_atom();
  if (atom.empty()) return fail(start, "expected a value, found " + describe_here());
  if (atom == ":") return fail(start, "expected a name after ':'");
  if (looks_numeric(atom) && !is_number(atom))
    return fail(start, "malformed number " + std::string(atom.substr(0, 40)));
  return true;
}

// Handles one bracket; `closers` holds what is still to be closed, innermost last. A '#' before a form is a tag or a
// set and is part of the form that follows.
bool EdnScanner::open_or_close(std::string& closers, std::size_t start) {
  const char c = peek();
  if (c == '(' || c == '[' || c == '{') {
    if (closers.size() >= depth_limit) return fail(position_, "forms nest deeper than 256");
    closers.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    ++position_;
    return true;
  }
  if (closers.empty()) return fail(position_, "expected a value, found " + describe_here());
  if (at_end()) return fail(start, std::string("this form never ends: expected '") + closers.back() + "'");
  if (c != closers.back()) {
    return fail(position_, std::string("expected '") + closers.back() + "', found " + describe_here());
  }
  closers.pop_back();
  ++position_;
  return true;
}

bool EdnScanner::skip_form() {
  std::string closers;
  bool tag_pending = false;  // A tag needs a form after it before the form ends.
  const std::size_t start = position_;
  while (true) {
    // A discard within a form is kept as it stands: the form is only measured, and calling skip_blanks() here would
    // recurse.
    while (!at_end() && is_blank(text_[position_])) ++position_;
    const char c = peek();
    if (c == ';') {
      while (!at_end() && text_[position_] != '\n') ++position_;
      continue;
    }
    if (c == '#' && position_ + 1 < text_.size() && text_[position_ + 1] == '_') {
      position_ += 2;
      continue;
    }
    if (c == '#') {
      ++position_;
      if (peek() == '{') {
        if (!open_or_close(closers, start)) return false;
        tag_pending = false;
        continue;
      }
      if (take_atom().empty()) return fail(position_, "expected a tag or a set after '#'");
      tag_pending = true;
      continue;
    }
    const bool closing = c == ')' || c == ']' || c == '}';
    if (closing && tag_pending) return fail(position_, "expected a value after a tag, found " + describe_here());
    if (at_end() || closing || c == '(' || c == '[' || c == '{') {
      if (!open_or_close(closers, start)) return false;
    } else if (c == ':' && !closers.empty() && closers.back() == '}' && is_json_colon(text_, position_)) {
      ++position_;
      continue;
    } else if (!skip_atom_form()) {
      return false;
    }
    tag_pending = false;
    if (closers.empty()) return true;
  }
}

std::string normalise_form(std::string_view form, bool json) {
  std::string out;
  out.reserve(form.size());
  EdnScanner scanner(form);
  bool blank = false;
  const auto put_blank = [&] {
    if (blank && !out.empty() && out.back() != '[' && out.back() != '{' && out.back() != '(') out.push_back(' ');
    blank = false;
  };
  while (!scanner.at_end()) {
    const char c = scanner.peek();
    const std::size_t start = scanner.position();
    if (is_blank(c)) {
      blank = true;
      scanner.set_position(start + 1);
    } else if (c == ';') {
      blank = true;
      while (!scanner.at_end() && scanner.peek() != '\n') scanner.set_position(scanner.position() + 1);
    } else if (c == '"') {
      put_blank();
      scanner.skip_string();
      for (std::size_t i = start; i < scanner.position(); ++i) {
        if (json && form[i] == '\\' && form[i + 1] == '/') continue;  // JSON may escape a slash, EDN may not.
        out.push_back(form[i]);
        if (form[i] == '\\') out.push_back(form[++i]);
      }
    } else if (c == '\\') {
      put_blank();
      scanner.set_position(start + 2);
      scanner.take_atom();
      out.append(scanner.since(start));
    } else if (json && c == ':') {
      blank = true;
      scanner.set_position(start + 1);
    } else if (ends_atom(c)) {
      if (c == '[' || c == '{' || c == '(') put_blank();
      blank = false;
      out.push_back(c);
      scanner.set_position(start + 1);
    } else {
      put_blank();
      const std::string_view atom = scanner.take_atom();
      out.append(json && atom == "null" ? std::string_view("nil") : atom);
    }
  }
  return out;
}

}  // namespace polarsim::checkers
