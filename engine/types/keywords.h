// The keywords of PostgreSQL 15's SQL.
#pragma once

#include <string_view>
#include <vector>

namespace polarsim::engine {

struct Keyword {
  // pg_get_keywords().catcode
  enum class Category : char { unreserved = 'U', column_name = 'C', type_or_function_name = 'T', reserved = 'R' };
  std::string_view word;  // in lower case
  Category category = Category::unreserved;
  bool bare_label = true;  // whether it names a column without AS
};

// In byte order.
const std::vector<Keyword>& all_keywords();
// Null if the word, in lower case, is none.
const Keyword* find_keyword(std::string_view word);

}  // namespace polarsim::engine
