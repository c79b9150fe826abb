// How the program ends.
#pragma once

#include <stdexcept>

namespace polarsim::scenarios::cli {

namespace exit_status {
inline constexpr int passed = 0;
// A checker or an invariant said no, or the verdict is unknown: anything that is not a pass.
inline constexpr int not_passed = 1;
inline constexpr int unusable_input = 2;
// The run was not deterministic, or polarsim itself failed.
inline constexpr int broken = 3;
// The real Elle contradicts a checker of polarsim: one of the two verdicts is wrong, whatever else there is.
inline constexpr int elle_disagreement = 4;
}  // namespace exit_status

// Arguments or input that cannot be used; the message is one line that names the option, or file and key.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// SIGINT arrived while a run was under way.
struct Interrupted {};

}  // namespace polarsim::scenarios::cli
