// The list-append checker for those who have looked the history's operations up already.
#pragma once

#include "checkers/list_append_index.h"

namespace polarsim::checkers {

// `level` must be known, and the index without a problem.
Verdict judge_lists(const Operations& operations, const ListAppendIndex& index, const Level& level);

}  // namespace polarsim::checkers
