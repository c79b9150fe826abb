#include "scenarios/cli/prompt/statement_scanner.h"

#include <algorithm>
#include <cctype>

namespace polarsim::scenarios::cli::prompt {

namespace {

bool is_high(char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool begins_word(char c) { return is_letter(c) || c == '_' || is_high(c); }
bool continues_word(char c) { return begins_word(c) || is_digit(c) || c == '$'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::size_t length_while(std::string_view text, bool (*accepts)(char)) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), accepts) - text.begin());
}

// "-- ..." up to the end of the line.
std::size_t line_comment(std::string_view text) {
  if (!text.starts_with("--")) return 0;
  return std::min(text.find_first_of("\r\n"), text.size());
}

}  // namespace

bool is_variable_character(char c) { return begins_word(c) || is_digit(c); }

void StatementScanner::set_line(std::string line) {
  pieces_.clear();
  pieces_.push_back(Piece{std::move(line), 0, ""});
}

void StatementScanner::drop_line() {
  pieces_.clear();
  reset();
}

void StatementScanner::reset() {
  state_ = State::initial;
  open_part_ = OpenPart::nothing;
  comment_depth_ = 0;
  dollar_tag_.clear();
  parentheses_ = 0;
  begin_depth_ = 0;
  words_ = 0;
  first_words_.clear();
}

std::string StatementScanner::rest_of_line() const {
  std::string text;
  for (auto piece = pieces_.rbegin(); piece != pieces_.rend(); ++piece) text += piece->text.substr(piece->at);
  return text;
}

bool StatementScanner::more() {
  while (!pieces_.empty() && top().at >= top().text.size()) {
    if (pieces_.size() == 1) return false;
    pieces_.pop_back();
  }
  return !pieces_.empty();
}

void StatementScanner::take(std::size_t count, std::string& into) {
  into += rest().substr(0, count);
  skip(count);
}

ScanStop StatementScanner::scan(std::string& statement) {
  while (more()) {
    switch (state_) {
      case State::initial:
        if (const auto stop = scan_initial(statement)) {
          open_part_ = OpenPart::nothing;
          return *stop;
        }
        break;
      case State::comment:
        scan_comment(statement);
        break;
      case State::quote:
        scan_quoted('\'', false, statement);
        break;
      case State::escape_quote:
        scan_quoted('\'', true, statement);
        break;
      case State::identifier:
        scan_quoted('"', false, statement);
        break;
      case State::dollar:
        scan_dollar_quoted(statement);
        break;
    }
  }
  return at_end(statement);
}

ScanStop StatementScanner::at_end(const std::string& statement) {
  switch (state_) {
    case State::initial:
      if (parentheses_ > 0) {
        open_part_ = OpenPart::parenthesis;
        return ScanStop::incomplete;
      }
      if (begin_depth_ > 0) {
        open_part_ = OpenPart::statement;
        return ScanStop::incomplete;
      }
      open_part_ = statement.empty() ? OpenPart::nothing : OpenPart::statement;
      return ScanStop::end_of_line;
    case State::comment:
      open_part_ = OpenPart::comment;
      break;
    case State::quote:
    case State::escape_quote:
      open_part_ = OpenPart::single_quote;
      break;
    case State::identifier:
      open_part_ = OpenPart::double_quote;
      break;
    case State::dollar:
      open_part_ = OpenPart::dollar_quote;
      break;
  }
  return ScanStop::incomplete;
}

std::optional<ScanStop> StatementScanner::scan_initial(std::string& statement) {
  const std::string_view text = rest();
  const char c = text[0];
  const char next = text.size() > 1 ? text[1] : '\0';
  if (const std::size_t silent = is_blank(c) ? length_while(text, is_blank) : line_comment(text); silent > 0) {
    // What precedes a statement does not belong to it.
    if (statement.empty()) {
      skip(silent);
    } else {
      take(silent, statement);
    }
    return std::nullopt;
  }
  if (begins_word(c)) {
    scan_word(statement);
  } else if (is_digit(c)) {
    scan_number(statement);
  } else if (c == '$') {
    scan_dollar(statement);
  } else if (c == ':') {
    scan_colon(statement);
  } else if (c == '/' && next == '*') {
    take(2, statement);
    state_ = State::comment;
    comment_depth_ = 1;
  } else if (c == '\\' && (next == ';' || next == ':')) {
    skip(1);
    take(1, statement);
  } else if (c == '\\') {
    skip(1);
    return ScanStop::backslash;
  } else {
    take(1, statement);
    if (c == '\'') state_ = standard_strings_ ? State::quote : State::escape_quote;
    if (c == '"') state_ = State::identifier;
    if (c == '(') ++parentheses_;
    if (c == ')' && parentheses_ > 0) --parentheses_;
    if (c == ';' && parentheses_ == 0 && begin_depth_ == 0) {
      words_ = 0;
      first_words_.clear();
      return ScanStop::semicolon;
    }
  }
  return std::nullopt;
}

void StatementScanner::scan_word(std::string& statement) {
  const std::string_view text = rest();
  const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  const char next = text.size() > 1 ? text[1] : '\0';
  if (next == '\'' && (letter == 'e' || letter == 'b' || letter == 'x')) {
    state_ = letter == 'e' ? State::escape_quote : State::quote;
    take(2, statement);
    return;
  }
  if (letter == 'u' && next == '&' && text.size() > 2 && (text[2] == '\'' || text[2] == '"')) {
    state_ = text[2] == '"' ? State::identifier : State::quote;
    take(3, statement);
    return;
  }
  const std::size_t length = length_while(text, continues_word);
  note_word(text.substr(0, length));
  take(length, statement);
}

void StatementScanner::note_word(std::string_view word) {
  const std::string name = lower(word);
  if (words_ == 0) first_words_.clear();
  if (name == "create" || name == "function" || name == "procedure" || name == "or" || name == "replace") {
    if (words_ < 4) {
      first_words_.resize(static_cast<std::size_t>(words_), ' ');
      first_words_ += name[0];
    }
  }
  ++words_;
  const bool routine = first_words_.starts_with("cf") || first_words_.starts_with("cp") ||
                       first_words_.starts_with("corf") || first_words_.starts_with("corp");
  if (!routine || parentheses_ > 0) return;
  if (name == "begin") ++begin_depth_;
  if (name == "case" && begin_depth_ > 0) ++begin_depth_;
  if (name == "end" && begin_depth_ > 0) --begin_depth_;
}

void StatementScanner::scan_number(std::string& statement) {
  const std::string_view text = rest();
  std::size_t length = length_while(text, is_digit);
  // "1..10" is a range of two numbers.
  if (length < text.size() && text[length] == '.' && !text.substr(length).starts_with("..")) {
    length += 1 + length_while(text.substr(length + 1), is_digit);
  }
  // A word right behind is an exponent or part of a malformed number, and begins no E'...' or $a$.
  if (length < text.size() && begins_word(text[length])) length += length_while(text.substr(length), continues_word);
  take(length, statement);
}

void StatementScanner::scan_dollar(std::string& statement) {
  const std::string_view text = rest();
  std::size_t end = 1;
  if (end < text.size() && begins_word(text[end])) {
    end += length_while(text.substr(end), is_variable_character);
  } else if (end < text.size() && is_digit(text[end])) {
    end += length_while(text.substr(end), is_digit);
    if (end < text.size() && begins_word(text[end])) end += length_while(text.substr(end), continues_word);
    return take(end, statement);
  }
  if (end == text.size() || text[end] != '$') return take(1, statement);
  dollar_tag_ = std::string(text.substr(0, end + 1));
  state_ = State::dollar;
  take(end + 1, statement);
}

std::optional<StatementScanner::Reference> StatementScanner::reference_at(std::string_view text) {
  if (text.size() < 2 || text[0] != ':') return std::nullopt;
  const auto named = [&](std::size_t from) { return length_while(text.substr(from), is_variable_character); };
  Reference reference;
  if (is_variable_character(text[1])) {
    reference.bytes = 1 + named(1);
    reference.name = std::string(text.substr(1, reference.bytes - 1));
    return reference;
  }
  if (text[1] == '\'' || text[1] == '"') {
    const std::size_t length = named(2);
    if (length == 0 || 2 + length >= text.size() || text[2 + length] != text[1]) return std::nullopt;
    reference.bytes = length + 3;
    reference.name = std::string(text.substr(2, length));
    reference.quoted = text[1] == '"' ? QuotedAs::identifier : QuotedAs::literal;
    return reference;
  }
  if (text.starts_with(":{?")) {
    const std::size_t length = named(3);
    if (length == 0 || 3 + length >= text.size() || text[3 + length] != '}') return std::nullopt;
    reference.bytes = length + 4;
    reference.name = std::string(text.substr(3, length));
    reference.test = true;
    return reference;
  }
  return std::nullopt;
}

bool StatementScanner::is_being_expanded(const std::string& name) const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [&](const Piece& piece) { return !piece.variable.empty() && piece.variable == name; });
}

void StatementScanner::scan_colon(std::string& statement) {
  const std::string_view text = rest();
  if (text.starts_with("::") || text.starts_with(":=")) return take(2, statement);
  const auto reference = reference_at(text);
  if (!reference) return take(1, statement);
  if (reference->test) {
    statement += services_.variable(reference->name, QuotedAs::plain) ? "TRUE" : "FALSE";
    return skip(reference->bytes);
  }
  const auto value = services_.variable(reference->name, reference->quoted);
  if (!value) return take(reference->bytes, statement);
  if (reference->quoted != QuotedAs::plain) {
    statement += *value;
    return skip(reference->bytes);
  }
  if (is_being_expanded(reference->name)) {
    services_.warn("skipping recursive expansion of variable \"" + reference->name + "\"");
    return take(reference->bytes, statement);
  }
  skip(reference->bytes);
  pieces_.push_back(Piece{*value, 0, reference->name});
}

void StatementScanner::scan_comment(std::string& statement) {
  const std::string_view text = rest();
  const std::size_t at = std::min(text.find("/*"), text.find("*/"));
  if (at == std::string_view::npos) return take(text.size(), statement);
  comment_depth_ += text[at] == '/' ? 1 : -1;
  if (comment_depth_ == 0) state_ = State::initial;
  take(at + 2, statement);
}

void StatementScanner::scan_quoted(char quote, bool escapes, std::string& statement) {
  const std::string_view text = rest();
  std::size_t at = 0;
  while (at < text.size()) {
    if (escapes && text[at] == '\\') {
      at += 2;
    } else if (text[at] != quote) {
      ++at;
    } else if (at + 1 < text.size() && text[at + 1] == quote) {
      at += 2;
    } else {
      take(at + 1, statement);
      if (quote == '\'') {
        if (const std::size_t length = continuation(); length > 0) return take(length, statement);
      }
      state_ = State::initial;
      return;
    }
  }
  take(text.size(), statement);
}

std::size_t StatementScanner::continuation() const {
  const std::string_view text = rest();
  std::size_t at = 0;
  bool line_ended = false;
  while (at < text.size()) {
    if (is_blank(text[at])) {
      line_ended = line_ended || text[at] == '\n' || text[at] == '\r';
      ++at;
    } else if (const std::size_t comment = line_comment(text.substr(at)); comment > 0) {
      at += comment;
    } else {
      return line_ended && text[at] == '\'' ? at + 1 : 0;
    }
  }
  return 0;
}

void StatementScanner::scan_dollar_quoted(std::string& statement) {
  const std::string_view text = rest();
  const std::size_t at = text.find(dollar_tag_);
  if (at == std::string_view::npos) return take(text.size(), statement);
  take(at + dollar_tag_.size(), statement);
  dollar_tag_.clear();
  state_ = State::initial;
}

}  // namespace polarsim::scenarios::cli::prompt
