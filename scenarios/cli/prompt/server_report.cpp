#include "scenarios/cli/prompt/server_report.h"

#include <algorithm>
#include <vector>

#include "scenarios/cli/prompt/text_width.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// A line longer than this is cut at one end or both; this much is kept at the right of the position.
constexpr std::size_t longest_excerpt = 60;
constexpr std::size_t kept_at_right = 10;

// A character of the statement: where it begins, in bytes and in columns. Controlling characters take one column here.
struct Character {
  std::size_t byte = 0;
  std::size_t column = 0;
};

std::size_t column_count(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text.substr(at))) {
    columns += static_cast<std::size_t>(std::max(1, character_width(text.substr(at))));
  }
  return columns;
}

// All characters, and one more entry for the end.
std::vector<Character> characters_of(std::string_view text) {
  std::vector<Character> characters;
  Character next;
  while (true) {
    characters.push_back(next);
    if (next.byte == text.size()) return characters;
    const std::string_view rest = text.substr(next.byte);
    next.column += static_cast<std::size_t>(std::max(1, character_width(rest)));
    next.byte += character_bytes(rest);
  }
}

}  // namespace

std::string shown_position(std::string_view statement, int position) {
  if (position < 1) return "";
  const auto at = static_cast<std::size_t>(position) - 1;
  std::string text(statement);
  std::replace(text.begin(), text.end(), '\t', ' ');
  const std::vector<Character> characters = characters_of(text);
  const std::size_t count = characters.size() - 1;
  if (at > count) return "";
  const auto character = [&](std::size_t i) { return i < count ? text[characters[i].byte] : '\0'; };
  std::size_t line = 1, begin = 0, end = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (character(i) != '\r' && character(i) != '\n') continue;
    if (i >= at) {
      end = i;
      break;
    }
    // A pair of carriage return and line feed is one end of line.
    if (character(i) == '\r' || i == 0 || character(i - 1) != '\r') ++line;
    begin = i + 1;
  }
  const auto width = [&] { return characters[end].column - characters[begin].column; };
  bool cut_left = false, cut_right = false;
  if (width() > longest_excerpt) {
    if (characters[begin].column + longest_excerpt >= characters[at].column + kept_at_right) {
      while (width() > longest_excerpt) --end;
      cut_right = true;
    } else {
      while (characters[at].column + kept_at_right < characters[end].column) {
        --end;
        cut_right = true;
      }
      while (width() > longest_excerpt) {
        ++begin;
        cut_left = true;
      }
    }
  }
  std::string shown = "LINE " + std::to_string(line) + ": " + (cut_left ? "..." : "");
  const std::size_t mark = column_count(shown) + characters[at].column - characters[begin].column;
  shown += text.substr(characters[begin].byte, characters[end].byte - characters[begin].byte);
  if (cut_right) shown += "...";
  return shown + "\n" + std::string(mark, ' ') + "^\n";
}

std::string shown_report(const ServerReport& report, std::string_view statement, Verbosity verbosity,
                         ShowContext context) {
  std::string text = report.severity + ":  ";
  if (verbosity == Verbosity::sqlstate && !report.sqlstate.empty()) return text + report.sqlstate + "\n";
  if (verbosity == Verbosity::verbose && !report.sqlstate.empty()) text += report.sqlstate + ": ";
  text += report.message;
  std::string place;
  if (report.position > 0) {
    if (verbosity == Verbosity::terse || statement.empty()) {
      text += " at character " + std::to_string(report.position);
    } else {
      place = shown_position(statement, report.position);
    }
  } else if (report.internal_position > 0) {
    if (verbosity == Verbosity::terse || report.internal_query.empty()) {
      text += " at character " + std::to_string(report.internal_position);
    } else {
      place = shown_position(report.internal_query, report.internal_position);
    }
  }
  text += "\n" + place;
  if (verbosity == Verbosity::terse) return text;
  const auto field = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += std::string(name) + ":  " + value + "\n";
  };
  field("DETAIL", report.detail);
  field("HINT", report.hint);
  field("QUERY", report.internal_query);
  if (context == ShowContext::always || (context == ShowContext::errors && report.is_error())) {
    field("CONTEXT", report.context);
  }
  if (verbosity != Verbosity::verbose) return text;
  field("SCHEMA NAME", report.schema);
  field("TABLE NAME", report.table);
  field("COLUMN NAME", report.column);
  field("DATATYPE NAME", report.data_type);
  field("CONSTRAINT NAME", report.constraint);
  if (!report.file.empty() || !report.line.empty() || !report.routine.empty()) {
    text += "LOCATION:  ";
    if (!report.routine.empty()) text += report.routine + ", ";
    if (!report.file.empty() && !report.line.empty()) text += report.file + ":" + report.line;
    text += "\n";
  }
  return text;
}

}  // namespace polarsim::scenarios::cli::prompt
