// Which of some transfers took effect, given what they did in total: an exact search, bounded and deterministic.
#pragma once

#include <cstdint>
#include <vector>

#include "checkers/history.h"

namespace polarsim::checkers {

enum class Explained : std::uint8_t {
  yes,        // some subset of the transfers has exactly these effects
  no,         // none has
  undecided,  // the search ended at its limit
};

// `effects` is what each account gained, sorted by account; accounts not named gained nothing. Amounts, their sums
// included, must fit 63 bits. Equal transfers count as one kind with a number, and groups of accounts that no transfer
// connects are solved apart. `node_limit` bounds the assignments tried per group.
Explained explain_effects(const std::vector<Transfer>& transfers, const Balances& effects, std::uint64_t node_limit);

}  // namespace polarsim::checkers
