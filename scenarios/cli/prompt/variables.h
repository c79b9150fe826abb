// The variables of the prompt: \set and \unset. Some have a meaning: they check what they are set to, and come back
// with a default when they are unset.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::scenarios::cli::prompt {

class Variables {
 public:
  // Receives what a variable is to be (nothing: unset), and gives what it then is. Throws Refusal: it stays as it was.
  using Meaning = std::function<std::optional<std::string>(std::optional<std::string> value)>;
  struct Refusal {
    std::string message;
  };

  // Gives a variable a meaning, which is told at once that it is not set.
  void define(const std::string& name, Meaning meaning);
  std::optional<std::string> get(const std::string& name) const;
  bool has_meaning(const std::string& name) const { return meanings_.contains(name); }
  // Throws Refusal, also for what cannot be a name.
  void set(const std::string& name, const std::string& value);
  void unset(const std::string& name);
  // Those that have a value, by name.
  const std::map<std::string, std::optional<std::string>>& all() const { return values_; }

 private:
  std::map<std::string, std::optional<std::string>> values_;
  std::map<std::string, Meaning> meanings_;
};

// "on", "off", "true", "y", "1", ... and what begins like them; nothing for other texts.
std::optional<bool> boolean_of(std::string_view text);
// The same for a value of `name`; throws Refusal in psql's words.
bool boolean_value(const std::string& text, const std::string& name);
int integer_value(const std::string& text, const std::string& name);
// One of `words`, in any case: its number.
std::size_t word_value(const std::string& text, const std::string& name, const std::vector<std::string>& words);

}  // namespace polarsim::scenarios::cli::prompt
