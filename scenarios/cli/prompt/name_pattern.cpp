#include "scenarios/cli/prompt/name_pattern.h"

#include <cctype>
#include <vector>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr const char* special = "|*+?()[]{}.^$\\";

bool is_special(char c) { return std::string(special).find(c) != std::string::npos; }

std::string anchored(const std::string& part) { return part == ".*" ? "" : "^(" + part + ")$"; }

// The parts between dots as expressions, and the same as texts.
struct Parts {
  std::vector<std::string> expressions{""};
  std::vector<std::string> texts{""};

  void add(const std::string& expression, char text) {
    expressions.back() += expression;
    texts.back() += text;
  }
  void next() {
    expressions.emplace_back();
    texts.emplace_back();
  }
};

Parts parts_of(const std::string& pattern) {
  Parts parts;
  bool quoted = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '"') {
      if (quoted && i + 1 < pattern.size() && pattern[i + 1] == '"') {
        parts.add("\"", '"');
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (quoted) {
      parts.add(is_special(c) ? std::string("\\") + c : std::string(1, c), c);
    } else if (c == '.') {
      parts.next();
    } else if (c == '*') {
      parts.add(".*", c);
    } else if (c == '?') {
      parts.add(".", c);
    } else if (c == '$') {
      parts.add("\\$", c);
    } else if (c == '[' && i + 1 < pattern.size() && pattern[i + 1] == ']') {
      // The end of the name of an array type.
      parts.add("\\[\\]", c);
      ++i;
    } else {
      const char folded = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      parts.add(std::string(1, folded), folded);
    }
  }
  return parts;
}

}  // namespace

NamePattern parse_name_pattern(const std::string& pattern) {
  const Parts parts = parts_of(pattern);
  const std::size_t count = parts.expressions.size();
  NamePattern result;
  result.dots = static_cast<int>(count) - 1;
  result.name = anchored(parts.expressions[count - 1]);
  if (count >= 2) result.schema = anchored(parts.expressions[count - 2]);
  if (count >= 3) result.database = parts.texts[count - 3];
  return result;
}

std::string matches(const std::string& column, const std::string& expression) {
  if (expression.empty()) return "";
  std::string literal = quoted_literal(expression);
  if (literal[0] == ' ') literal.erase(0, 1);
  return "\n  AND " + column + " OPERATOR(pg_catalog.~) " + literal + " COLLATE pg_catalog.default";
}

}  // namespace polarsim::scenarios::cli::prompt
