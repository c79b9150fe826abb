// Backslash commands and their arguments.
#include <algorithm>

#include "scenarios/cli/prompt/statement_scanner.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string dequoted_identifier(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (quoted && i + 1 < text.size() && text[i + 1] == '"') {
        out += '"';
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (!quoted && text[i] >= 'A' && text[i] <= 'Z') {
      out += static_cast<char>(text[i] - 'A' + 'a');
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string StatementScanner::command_name() {
  std::string name;
  while (more()) {
    const std::string_view text = rest();
    const auto end = std::find_if(text.begin(), text.end(), [](char c) { return is_blank(c) || c == '\\'; });
    take(static_cast<std::size_t>(end - text.begin()), name);
    if (end != text.end()) break;
  }
  return name;
}

void StatementScanner::end_command() {
  if (more() && rest().starts_with("\\\\")) skip(2);
}

std::string StatementScanner::whole_line() {
  std::string line;
  while (more()) {
    const char c = rest()[0];
    if (line.empty() && is_blank(c)) {
      skip(1);
    } else {
      take(1, line);
    }
  }
  return line;
}

std::optional<std::string> StatementScanner::argument(ArgumentKind kind, bool strip_semicolons, char* quote) {
  char last_quote = '\0';
  if (quote != nullptr) *quote = '\0';
  while (more() && is_blank(rest()[0])) skip(1);
  if (!more()) return std::nullopt;
  if (kind == ArgumentKind::whole_line || (kind == ArgumentKind::file_or_pipe && rest()[0] == '|')) {
    std::string line = whole_line();
    if (kind == ArgumentKind::whole_line && strip_semicolons) {
      while (!line.empty() && (line.back() == ';' || is_blank(line.back()))) line.pop_back();
    }
    return line;
  }
  // The end of the command, or the beginning of another.
  if (rest()[0] == '\\') return std::nullopt;
  std::string text;
  std::size_t unquoted = 0;
  if (!read_argument(text, last_quote, unquoted)) {
    services_.error("unterminated quoted string");
    return std::nullopt;
  }
  if (strip_semicolons) {
    for (; unquoted > 0 && !text.empty() && text.back() == ';'; --unquoted) text.pop_back();
  }
  if (quote != nullptr) *quote = last_quote;
  if (kind == ArgumentKind::identifier) return dequoted_identifier(text);
  return text;
}

bool StatementScanner::read_argument(std::string& argument, char& quote, std::size_t& unquoted) {
  while (more()) {
    const char c = rest()[0];
    if (is_blank(c) || c == '\\') return true;
    if (c == '\'' || c == '"' || c == '`') {
      quote = c;
      unquoted = 0;
      skip(1);
      const bool closed = c == '\''  ? read_single_quoted(argument)
                          : c == '"' ? read_double_quoted(argument)
                                     : read_backquoted(argument);
      if (!closed) return false;
    } else if (const auto reference = reference_at(rest())) {
      unquoted = 0;
      read_reference(argument, *reference, quote);
    } else {
      ++unquoted;
      take(1, argument);
    }
  }
  return true;
}

void StatementScanner::read_reference(std::string& argument, const Reference& reference, char& quote) {
  const auto value = services_.variable(reference.name, reference.quoted);
  if (reference.test) {
    argument += value ? "TRUE" : "FALSE";
  } else if (value) {
    argument += *value;
  } else {
    argument += rest().substr(0, reference.bytes);
  }
  quote = ':';
  skip(reference.bytes);
}

bool StatementScanner::read_single_quoted(std::string& argument) {
  while (more()) {
    const std::string_view text = rest();
    if (text.starts_with("''")) {
      argument += '\'';
      skip(2);
    } else if (text[0] == '\'') {
      skip(1);
      return true;
    } else if (text[0] == '\\' && text.size() > 1) {
      read_escape(argument);
    } else {
      take(1, argument);
    }
  }
  return false;
}

void StatementScanner::read_escape(std::string& argument) {
  const std::string_view text = rest();
  if (is_octal(text[1])) {
    int value = 0;
    std::size_t at = 1;
    while (at < text.size() && at < 4 && is_octal(text[at])) value = value * 8 + (text[at++] - '0');
    argument += static_cast<char>(value);
    return skip(at);
  }
  if (text[1] == 'x' && text.size() > 2 && hex_digit(text[2]) >= 0) {
    int value = 0;
    std::size_t at = 2;
    while (at < text.size() && at < 4 && hex_digit(text[at]) >= 0) value = value * 16 + hex_digit(text[at++]);
    argument += static_cast<char>(value);
    return skip(at);
  }
  switch (text[1]) {
    case 'n':
      argument += '\n';
      break;
    case 't':
      argument += '\t';
      break;
    case 'b':
      argument += '\b';
      break;
    case 'r':
      argument += '\r';
      break;
    case 'f':
      argument += '\f';
      break;
    default:
      argument += text[1];
  }
  skip(2);
}

// The quotes stay: whoever reads an identifier takes them off.
bool StatementScanner::read_double_quoted(std::string& argument) {
  argument += '"';
  while (more()) {
    const bool end = rest()[0] == '"';
    take(1, argument);
    if (end) return true;
  }
  return false;
}

bool StatementScanner::read_backquoted(std::string& argument) {
  std::string command;
  while (more()) {
    if (rest()[0] == '`') {
      skip(1);
      argument += services_.command_output(command);
      return true;
    }
    if (const auto reference = reference_at(rest()); reference && !reference->test) {
      const auto value = services_.variable(reference->name, QuotedAs::plain);
      if (!value) {
        take(reference->bytes, command);
        continue;
      }
      skip(reference->bytes);
      if (reference->quoted == QuotedAs::plain) {
        command += *value;
        continue;
      }
      // :'name' is one word of the shell.
      command += '\'';
      for (const char c : *value) command += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
      command += '\'';
      continue;
    }
    take(1, command);
  }
  return false;
}

}  // namespace polarsim::scenarios::cli::prompt
