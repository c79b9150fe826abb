// The texts that pictures of anomalies consist of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/explanation.h"

namespace polarsim::checkers {

// What is not UTF-8, and characters that XML cannot carry, replaced by U+FFFD. Line feeds stay.
std::string printable_utf8(std::string_view text);
// So many characters at most, the last of them "..." if there were more.
std::string cut_to(std::string_view utf8, std::size_t characters);

std::int64_t first_invocation_ns(const Explanation& explanation);
// "0 ms to 2.25 ms, ok"
std::string span_text(const Explanation::Participant& one, std::int64_t base_ns);
// "rw key 2: [1] -> 4"
std::string edge_label(const Explanation::Edge& edge);
// The steps of a transaction in lines of at most so many characters, as far as single steps are not longer.
std::vector<std::string> wrapped_transaction(std::string_view edn, std::size_t width);

}  // namespace polarsim::checkers
