// One table of a scenario file, read key by key with types and ranges checked. A mistake is thrown as SectionError,
// with its place.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/time.h"

namespace polarsim::scenarios {

struct SectionError {
  std::string message;
};

// "file:line:column: key: problem"; "problem" alone follows the place if `key` is empty.
[[noreturn]] void refuse(const toml::node& where, std::string_view key, const std::string& problem);

class Section {
 public:
  // `path` is the table's dotted name ("" for the file itself). Keys outside `permitted` are refused here, in order of
  // place.
  Section(const toml::table& table, std::string path, const std::vector<std::string>& permitted);

  bool has(std::string_view key) const { return table_.contains(key); }
  std::int64_t integer(std::string_view key, std::int64_t otherwise, std::int64_t minimum, std::int64_t maximum) const;
  double real(std::string_view key, double otherwise, double minimum, double maximum) const;
  bool boolean(std::string_view key, bool otherwise) const;
  std::string text(std::string_view key, std::string otherwise) const;
  std::string choice(std::string_view key, std::string otherwise, const std::vector<std::string>& choices) const;
  // A number of seconds (key ends in _s), milliseconds (_ms) or microseconds (_us), whole or not.
  sim::Duration duration(std::string_view key, sim::Duration otherwise, sim::Duration minimum,
                         sim::Duration maximum) const;
  // [low, high] in microseconds.
  std::pair<sim::Duration, sim::Duration> range_us(std::string_view key, sim::Duration low, sim::Duration high) const;
  std::vector<std::string> texts(std::string_view key) const;

  // "table.key".
  std::string name_of(std::string_view key) const;
  [[noreturn]] void refuse_key(std::string_view key, const std::string& problem) const;
  const toml::node* find(std::string_view key) const { return table_.get(key); }
  const toml::table& table() const { return table_; }

 private:
  const toml::table& table_;
  std::string path_;
};

// "a, b, c".
std::string join_words(const std::vector<std::string>& words);

}  // namespace polarsim::scenarios
