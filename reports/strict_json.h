// Reading JSON that must have exactly the expected shape, with errors that say where it does not.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::reports {

// The message is one whole line: file, key and what was expected.
struct StrictJsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A value within a document, knowing its own path. It refers to the document and must not outlive it.
class StrictJson {
 public:
  StrictJson(const nlohmann::json& value, std::string_view file_name, std::string path)
      : value_(&value), file_name_(file_name), path_(std::move(path)) {}

  // Requires an object with exactly these keys.
  void require_keys(std::initializer_list<std::string_view> keys) const;
  StrictJson at(std::string_view key) const;
  std::vector<StrictJson> elements() const;                         // of an array
  std::vector<std::pair<std::string, StrictJson>> members() const;  // of an object, sorted by key
  std::string text() const;
  std::int64_t integer() const;
  std::uint64_t natural() const;
  std::vector<std::string> texts() const;

  [[noreturn]] void fail(const std::string& expected) const;

 private:
  std::string found() const;

  const nlohmann::json* value_;
  std::string file_name_;
  std::string path_;
};

// Parses a whole text. Refuses duplicate keys and anything after the value; says at which byte reading stopped. Throws
// StrictJsonError.
nlohmann::json parse_strict_json(std::string_view text, std::string_view file_name);

}  // namespace polarsim::reports
