// How identifiers and literals are written in SQL (PostgreSQL's quote_identifier() in ruleutils.c, quote.c).
#pragma once

#include <string>
#include <string_view>

namespace polarsim::engine {

// In double quotes unless it is a lower-case name that no keyword can be taken for.
std::string quote_identifier(std::string_view name);
// In single quotes, doubled inside; E'...' with doubled backslashes if there are backslashes.
std::string quote_literal(std::string_view text);
// In single quotes, doubled inside; backslashes are what they are (simple_quote_literal() in ruleutils.c, under
// standard_conforming_strings, which is always on here).
std::string quote_plainly(std::string_view text);
// Whether the word, in lower case, is a keyword that cannot be every name (any but the unreserved ones).
bool is_reserved_word(std::string_view word);

}  // namespace polarsim::engine
