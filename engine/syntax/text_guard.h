// A look at SQL text before the grammar sees it, because the grammar has no depth check of its own.
#pragma once

#include <string_view>

namespace polarsim::engine::syntax {

// Throws SqlError 54001 if the tree of some statement in `text` could be deeper than max_nesting brackets (CASE counts
// as one) or than a chain of max_operators operators. The check errs on the safe side: it counts words that could
// deepen a tree, whether they do or not. It never complains about long flat lists: commas, AND and OR start a new
// chain.
void check_text_depth(std::string_view text);

}  // namespace polarsim::engine::syntax
