#include "engine/types/quote.h"

#include <algorithm>

#include "engine/types/keywords.h"

namespace polarsim::engine {

bool is_reserved_word(std::string_view word) {
  const Keyword* const keyword = find_keyword(word);
  return keyword != nullptr && keyword->category != Keyword::Category::unreserved;
}

std::string quote_identifier(std::string_view name) {
  const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_plain = [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); };
  if (!name.empty() && is_start(name.front()) && std::ranges::all_of(name, is_plain) && !is_reserved_word(name)) {
    return std::string(name);
  }
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string quote_plainly(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted += '\'';
}

std::string quote_literal(std::string_view text) {
  std::string quoted = text.find('\\') == std::string_view::npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted += '\'';
}

}  // namespace polarsim::engine
