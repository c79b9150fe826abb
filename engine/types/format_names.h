// Names of months and days, as to_char() writes and to_date() reads them.
#pragma once

#include <string_view>

namespace polarsim::engine::format_names {

inline constexpr std::string_view months[] = {"January", "February", "March",     "April",   "May",      "June",
                                              "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::string_view days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};
// From December to January, so that none stands before one that starts with it.
inline constexpr std::string_view roman_months[] = {"XII", "XI", "X",  "IX",  "VIII", "VII",
                                                    "VI",  "V",  "IV", "III", "II",   "I"};

}  // namespace polarsim::engine::format_names
