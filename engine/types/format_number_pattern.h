// What a number's pattern says as a whole. Private to format_number.cpp and format_number_input.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "engine/types/format_pattern.h"

namespace polarsim::engine {

struct NumberPattern {
  enum class LocaleSign : std::uint8_t { none, before, after };

  std::vector<NumberNode> nodes;
  int before_point = 0;  // digits
  int after_point = 0;
  int shift = 0;       // digits after V
  int first_zero = 0;  // the place of the first 0, counted from 1; 0: there is none
  int last_zero = 0;
  int digits_before_sign = 0;  // those before S
  LocaleSign locale_sign = LocaleSign::none;
  bool has_point = false;
  bool fill_mode = false;
  bool has_zero = false;
  bool blank = false;
  bool plus = false;
  bool minus = false;
  bool brackets = false;
  bool has_locale_sign = false;
  bool roman = false;
  bool has_shift = false;
  bool exponent = false;
};

// Throws SqlError 42601 for what contradicts itself.
NumberPattern parse_number_form(std::string_view pattern);

}  // namespace polarsim::engine
