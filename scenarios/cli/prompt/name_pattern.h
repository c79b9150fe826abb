// Patterns of names, as \d takes them: ord*, public.*, "Mixed Case"."?".
#pragma once

#include <optional>
#include <string>

namespace polarsim::scenarios::cli::prompt {

// A pattern as regular expressions: for the name, and for what stands before dots.
struct NamePattern {
  std::string name;                     // "^(ord.*)$"; empty: any
  std::optional<std::string> schema;    // none: what is found by its bare name
  std::optional<std::string> database;  // as text, not as an expression
  int dots = 0;
};

// Source of the rules: the documentation of psql, "Patterns".
NamePattern parse_name_pattern(const std::string& pattern);

// " AND column ~ 'expression'", or "" for any name.
std::string matches(const std::string& column, const std::string& expression);

}  // namespace polarsim::scenarios::cli::prompt
