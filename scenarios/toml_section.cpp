#include "scenarios/toml_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace polarsim::scenarios {
namespace {

std::string place_of(const toml::node& where) {
  const toml::source_region& source = where.source();
  const std::string path = source.path ? *source.path : std::string("scenario");
  // An override is one short line: its text says more than a position in it.
  if (path.rfind("--set ", 0) == 0 || source.begin.line == 0) return path;
  return fmt::format("{}:{}:{}", path, source.begin.line, source.begin.column);
}

std::string found(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "'" + node.as_string()->get() + "'";
    case toml::node_type::integer:
      return std::to_string(node.as_integer()->get());
    case toml::node_type::floating_point:
      return fmt::format("{}", node.as_floating_point()->get());
    case toml::node_type::boolean:
      return node.as_boolean()->get() ? "true" : "false";
    default:
      return "a date or time";
  }
}

double unit_ns(std::string_view key) {
  if (key.ends_with("_us")) return 1e3;
  if (key.ends_with("_ms")) return 1e6;
  return 1e9;
}

}  // namespace

std::string join_words(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

void refuse(const toml::node& where, std::string_view key, const std::string& problem) {
  std::string message = place_of(where) + ": ";
  if (!key.empty()) message += std::string(key) + ": ";
  throw SectionError{message + problem};
}

Section::Section(const toml::table& table, std::string path, const std::vector<std::string>& permitted)
    : table_(table), path_(std::move(path)) {
  const toml::key* first = nullptr;
  for (const auto& [key, value] : table) {
    if (std::find(permitted.begin(), permitted.end(), key.str()) != permitted.end()) continue;
    const auto earlier = [](const toml::source_position& a, const toml::source_position& b) {
      return a.line != b.line ? a.line < b.line : a.column < b.column;
    };
    if (first == nullptr || earlier(key.source().begin, first->source().begin)) first = &key;
  }
  if (first == nullptr) return;
  // The key's own place is where the reader must look, not its value's.
  const toml::source_region& source = first->source();
  const std::string file = source.path ? *source.path : std::string("scenario");
  const std::string place =
      file.rfind("--set ", 0) == 0 ? file : fmt::format("{}:{}:{}", file, source.begin.line, source.begin.column);
  throw SectionError{
      fmt::format("{}: {}: unknown key; expected one of {}", place, name_of(first->str()), join_words(permitted))};
}

std::string Section::name_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Section::refuse_key(std::string_view key, const std::string& problem) const {
  const toml::node* const node = find(key);
  refuse(node != nullptr ? *node : static_cast<const toml::node&>(table_), name_of(key), problem);
}

std::int64_t Section::integer(std::string_view key, std::int64_t otherwise, std::int64_t minimum,
                              std::int64_t maximum) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return otherwise;
  const auto* const value = node->as_integer();
  if (value == nullptr) refuse_key(key, fmt::format("expected an integer, found {}", found(*node)));
  if (value->get() < minimum || value->get() > maximum) {
    refuse_key(key, fmt::format("must be from {} to {}, found {}", minimum, maximum, value->get()));
  }
  return value->get();
}

double Section::real(std::string_view key, double otherwise, double minimum, double maximum) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return otherwise;
  if (!node->is_number()) refuse_key(key, fmt::format("expected a number, found {}", found(*node)));
  const double value = *node->value<double>();
  // Written so that a value that is not a number is refused too.
  if (!(value >= minimum && value <= maximum)) {
    refuse_key(key, fmt::format("must be from {} to {}, found {}", minimum, maximum, value));
  }
  return value;
}

bool Section::boolean(std::string_view key, bool otherwise) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return otherwise;
  if (!node->is_boolean()) refuse_key(key, fmt::format("expected true or false, found {}", found(*node)));
  return node->as_boolean()->get();
}

std::string Section::text(std::string_view key, std::string otherwise) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return otherwise;
  if (!node->is_string()) refuse_key(key, fmt::format("expected a string, found {}", found(*node)));
  return node->as_string()->get();
}

std::string Section::choice(std::string_view key, std::string otherwise,
                            const std::vector<std::string>& choices) const {
  std::string value = text(key, std::move(otherwise));
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    refuse_key(key, fmt::format("expected one of {}, found '{}'", join_words(choices), value));
  }
  return value;
}

sim::Duration Section::duration(std::string_view key, sim::Duration otherwise, sim::Duration minimum,
                                sim::Duration maximum) const {
  const double unit = unit_ns(key);
  const double low = static_cast<double>(minimum.count()) / unit;
  const double high = static_cast<double>(maximum.count()) / unit;
  if (!has(key)) return otherwise;
  const double value = real(key, 0, low, high);
  return sim::Duration(static_cast<std::int64_t>(std::llround(value * unit)));
}

std::pair<sim::Duration, sim::Duration> Section::range_us(std::string_view key, sim::Duration low,
                                                          sim::Duration high) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return {low, high};
  const toml::array* const array = node->as_array();
  constexpr std::int64_t largest_us = 60'000'000;
  if (array == nullptr || array->size() != 2 || !(*array)[0].is_integer() || !(*array)[1].is_integer()) {
    refuse_key(key, "expected [low, high] in whole microseconds");
  }
  const std::int64_t low_us = (*array)[0].as_integer()->get();
  const std::int64_t high_us = (*array)[1].as_integer()->get();
  if (low_us < 0 || low_us > high_us || high_us > largest_us) {
    refuse_key(key, fmt::format("must hold 0 <= low <= high <= {}, found [{}, {}]", largest_us, low_us, high_us));
  }
  return {sim::Duration(low_us * 1000), sim::Duration(high_us * 1000)};
}

std::vector<std::string> Section::texts(std::string_view key) const {
  const toml::node* const node = find(key);
  std::vector<std::string> values;
  if (node == nullptr) return values;
  const toml::array* const array = node->as_array();
  if (array == nullptr) refuse_key(key, fmt::format("expected an array of strings, found {}", found(*node)));
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = (*array)[i];
    if (!element.is_string()) {
      refuse(element, fmt::format("{}[{}]", name_of(key), i), "expected a string, found " + found(element));
    }
    values.push_back(element.as_string()->get());
  }
  return values;
}

}  // namespace polarsim::scenarios
