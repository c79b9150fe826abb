#include "scenarios/cli/prompt/variables.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "scenarios/cli/prompt/statement_scanner.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_variable_character);
}

}  // namespace

void Variables::define(const std::string& name, Meaning meaning) {
  values_[name] = meaning(std::nullopt);
  meanings_[name] = std::move(meaning);
}

std::optional<std::string> Variables::get(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : found->second;
}

void Variables::set(const std::string& name, const std::string& value) {
  if (!is_name(name)) throw Refusal{"invalid variable name: \"" + name + "\""};
  const auto meaning = meanings_.find(name);
  values_[name] = meaning == meanings_.end() ? std::optional<std::string>(value) : meaning->second(value);
}

void Variables::unset(const std::string& name) {
  const auto meaning = meanings_.find(name);
  if (meaning == meanings_.end()) {
    values_.erase(name);
  } else {
    values_[name] = meaning->second(std::nullopt);
  }
}

std::optional<bool> boolean_of(std::string_view text) {
  const std::string word = lower(text);
  const auto begins = [&](const char* whole, std::size_t least) {
    return word.size() >= least && std::string_view(whole).starts_with(word);
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1") return true;
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") return false;
  return std::nullopt;
}

bool boolean_value(const std::string& text, const std::string& name) {
  const auto value = boolean_of(text);
  if (!value) throw Variables::Refusal{"unrecognized value \"" + text + "\" for \"" + name + "\": Boolean expected"};
  return *value;
}

int integer_value(const std::string& text, const std::string& name) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) {
    throw Variables::Refusal{"invalid value \"" + text + "\" for \"" + name + "\": integer expected"};
  }
  return value;
}

std::size_t word_value(const std::string& text, const std::string& name, const std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), lower(text));
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  throw Variables::Refusal{"unrecognized value \"" + text + "\" for \"" + name + "\"\nAvailable values are: " + list +
                           "."};
}

}  // namespace polarsim::scenarios::cli::prompt
