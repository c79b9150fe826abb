#include "reports/strict_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace polarsim::reports {

namespace {

// Input is meant for one line of an error message, whatever it holds.
std::string printable(std::string text, std::size_t limit) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() > limit) text = text.substr(0, limit) + "...";
  return text;
}

// Where the parser stopped: a count of bytes from the start, 1 for the first.
[[noreturn]] void fail_at_byte(std::string_view text, std::string_view file_name, std::size_t byte) {
  if (byte > text.size()) {
    throw StrictJsonError(fmt::format("{}: byte {}: the file ends in the middle of its JSON", file_name, text.size()));
  }
  throw StrictJsonError(fmt::format("{}: byte {}: not valid JSON here", file_name, byte));
}

}  // namespace

void StrictJson::fail(const std::string& expected) const {
  throw StrictJsonError(
      fmt::format("{}: {}: expected {}, found {}", file_name_, path_.empty() ? "top level" : path_, expected, found()));
}

std::string StrictJson::found() const {
  if (value_->is_object()) return "an object";
  if (value_->is_array()) return "a list";
  return printable(value_->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), 60);
}

void StrictJson::require_keys(std::initializer_list<std::string_view> keys) const {
  if (!value_->is_object()) fail("an object");
  for (const std::string_view key : keys) at(key);
  for (const auto& [key, ignored] : value_->items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      const std::string where = path_.empty() ? "" : path_ + ".";
      throw StrictJsonError(fmt::format("{}: {}{}: unknown key", file_name_, where, printable(key, 60)));
    }
  }
}

StrictJson StrictJson::at(std::string_view key) const {
  if (!value_->is_object()) fail("an object");
  const std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  const auto found_member = value_->find(std::string(key));
  if (found_member == value_->end()) throw StrictJsonError(fmt::format("{}: {}: missing key", file_name_, path));
  return StrictJson(*found_member, file_name_, path);
}

std::vector<StrictJson> StrictJson::elements() const {
  if (!value_->is_array()) fail("a list");
  std::vector<StrictJson> result;
  for (std::size_t i = 0; i < value_->size(); ++i) {
    result.emplace_back((*value_)[i], file_name_, fmt::format("{}[{}]", path_, i));
  }
  return result;
}

std::vector<std::pair<std::string, StrictJson>> StrictJson::members() const {
  if (!value_->is_object()) fail("an object");
  std::vector<std::pair<std::string, StrictJson>> result;
  for (const auto& [key, member] : value_->items()) {
    result.emplace_back(key, StrictJson(member, file_name_, path_ + "." + printable(key, 60)));
  }
  return result;
}

std::string StrictJson::text() const {
  if (!value_->is_string()) fail("a string");
  return value_->get<std::string>();
}

std::int64_t StrictJson::integer() const {
  const bool too_large = value_->is_number_unsigned() && value_->get<std::uint64_t>() > std::uint64_t{INT64_MAX};
  if (!value_->is_number_integer() || too_large) fail("a whole number");
  return value_->get<std::int64_t>();
}

std::uint64_t StrictJson::natural() const {
  // The library calls a number unsigned when its text has no sign, which is what is asked here.
  if (!value_->is_number_unsigned() && !(value_->is_number_integer() && value_->get<std::int64_t>() >= 0)) {
    fail("a whole number that is not negative");
  }
  return value_->get<std::uint64_t>();
}

std::vector<std::string> StrictJson::texts() const {
  std::vector<std::string> result;
  for (const StrictJson& element : elements()) result.push_back(element.text());
  return result;
}

nlohmann::json parse_strict_json(std::string_view text, std::string_view file_name) {
  using Json = nlohmann::json;
  std::vector<std::set<std::string>> open_objects;
  std::string duplicate;
  const Json::parser_callback_t watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!open_objects.back().insert(key).second && duplicate.empty()) duplicate = key;
    }
    return true;
  };
  try {
    Json document = Json::parse(text, watch);
    if (!duplicate.empty())
      throw StrictJsonError(fmt::format("{}: {}: the key appears twice", file_name, printable(duplicate, 60)));
    return document;
  } catch (const Json::parse_error& error) {
    fail_at_byte(text, file_name, error.byte);
  } catch (const Json::exception&) {
    // A number out of range, for one: the library gives no position.
    throw StrictJsonError(fmt::format("{}: not valid JSON: a value cannot be represented", file_name));
  }
}

}  // namespace polarsim::reports
