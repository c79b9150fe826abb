// What is where in a value of type json, whose text stays as it was written. Private to the functions of json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::engine {

struct JsonText {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  struct Child;

  Kind kind = Kind::null;
  std::string_view raw;         // from its first to its last character, in the text that was parsed
  std::string string;           // of a string, if escapes are resolved
  std::vector<Child> children;  // elements, or members in the order of the text, those with one key all of them

  bool is_scalar() const { return kind != Kind::array && kind != Kind::object; }

  // Views look into `text`. `unescape`: see JsonLexer; otherwise strings and keys are empty. Throws as it does, and
  // 54001.
  static JsonText parse(std::string_view text, bool unescape);
  // Throws as parse() does.
  static void check(std::string_view text, bool unescape);
};

struct JsonText::Child {
  std::string key;  // of a member
  JsonText value;
};

}  // namespace polarsim::engine
