#include "engine/syntax/object_names.h"

#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

constexpr std::size_t longest_name = 63;

// At most `bytes` bytes, without cutting a character in two.
std::string_view clip(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

std::string make_name(std::string_view table, std::string_view addition, const std::string& label) {
  const std::size_t overhead = (addition.empty() ? 0 : 1) + 1 + label.size();
  std::size_t from_table = table.size();
  std::size_t from_addition = addition.size();
  while (from_table + from_addition + overhead > longest_name)
    --(from_table > from_addition ? from_table : from_addition);
  std::string name(clip(table, from_table));
  if (!addition.empty()) name.append("_").append(clip(addition, from_addition));
  return name.append("_").append(label);
}

[[noreturn]] void throw_invalid_name() { throw SqlError(sqlstate::invalid_name, "invalid name syntax"); }

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view skip_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

// Takes one part of a dotted name off the text.
std::string take_part(std::string_view& text) {
  std::string part;
  if (!text.empty() && text.front() == '"') {
    text.remove_prefix(1);
    for (;;) {
      const std::size_t quote = text.find('"');
      if (quote == std::string_view::npos) throw_invalid_name();
      part += text.substr(0, quote);
      text.remove_prefix(quote + 1);
      if (text.empty() || text.front() != '"') return part;
      part += '"';
      text.remove_prefix(1);
    }
  }
  while (!text.empty() && text.front() != '.' && !is_space(text.front())) {
    const char c = text.front();
    part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    text.remove_prefix(1);
  }
  if (part.empty()) throw_invalid_name();
  return std::string(clip(part, longest_name));
}

}  // namespace

std::string default_index_name(std::string_view table, const std::vector<std::string>& columns, std::string_view label,
                               const std::function<bool(const std::string&)>& taken) {
  std::string addition;
  for (const std::string& column : columns) {
    if (addition.size() > longest_name) break;
    if (!addition.empty()) addition += '_';
    addition += column;
  }
  std::string name = make_name(table, addition, std::string(label));
  for (int pass = 1; taken(name); ++pass) name = make_name(table, addition, std::string(label) + std::to_string(pass));
  return name;
}

TableName parse_relation_name(std::string_view text) {
  std::vector<std::string> parts;
  std::string_view rest = skip_spaces(text);
  for (;;) {
    parts.push_back(take_part(rest));
    rest = skip_spaces(rest);
    if (rest.empty()) break;
    if (rest.front() != '.') throw_invalid_name();
    rest = skip_spaces(rest.substr(1));
  }
  if (parts.size() > 3) {
    throw SqlError(sqlstate::syntax_error, "improper relation name (too many dotted names): " + std::string(text));
  }
  if (parts.size() == 3) throw SqlError(sqlstate::feature_not_supported, "a cross-database reference is not supported");
  TableName name;
  name.name = std::move(parts.back());
  if (parts.size() == 2) name.schema = std::move(parts.front());
  return name;
}

}  // namespace polarsim::engine::syntax
