// LIKE, SIMILAR TO and regular expressions, as conditions and as functions.
#include <fmt/format.h>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

const std::vector<const char*> likes{"'a%'",    "'%'",    "'_'",   "'%b%'", "''",         "'a\\%b%'",
                                     "'%o_w%'", "'%!%%'", "'a_c'", "'_%_'", "'%' || 'c'", "NULL"};
const std::vector<const char*> similars{"'a%'",    "'(a|b)%'", "'[a-c]+'", "'%(b|d)%'",    "'_{2,3}'",
                                        "'a?b*c'", "'[^a]%'",  "'%#%%'",   "'((a)(b)?)+'", "'x|y|a'"};
const std::vector<const char*> regulars{"'a'",      "'^a.*c$'", "'[[:alpha:]]+'", "'(a|b)c?'", "'\\d+'",    "'^$'",
                                        "'\\mhel'", "'[^a-z]'", "'b{1,2}'",       "'(.)\\1'",  "'A'",       "'x*?z'",
                                        "'(?i)B'",  "'\\s'",    "'^(?!a)'",       "'o(?=r)'",  "'***=a%b'", "'[é日]'"};

}  // namespace

std::string StatementGenerator::pattern_condition(const Place& place, int depth) {
  const std::string text = value(T::text, place, depth, false);
  const char* const negation = choices_.one_in(3) ? "NOT " : "";
  switch (choices_.below(6)) {
    case 0:
      return fmt::format("({} {}{} {})", text, negation, choices_.one_in(3) ? "ILIKE" : "LIKE", choices_.one_of(likes));
    case 1:
      return fmt::format("({} {}LIKE {} ESCAPE {})", text, negation, choices_.one_of(likes),
                         choices_.one_in(2) ? "''" : "'!'");
    case 2:
      return fmt::format("({} {}SIMILAR TO {}{})", text, negation, choices_.one_of(similars),
                         choices_.one_in(3) ? " ESCAPE '#'" : "");
    case 3: {
      static const std::vector<const char*> symbols{"~", "~*", "!~", "!~*"};
      return fmt::format("({} {} {})", text, choices_.one_of(symbols), choices_.one_of(regulars));
    }
    case 4:
      return fmt::format("({} {}{} {} (ARRAY[{}, {}]))", text, negation, choices_.one_in(3) ? "ILIKE" : "LIKE",
                         choices_.one_in(2) ? "ALL" : "ANY", choices_.one_of(likes), choices_.one_of(likes));
    default:
      return fmt::format("regexp_like({}, {}{})", text, choices_.one_of(regulars), choices_.one_in(2) ? ", 'i'" : "");
  }
}

std::string StatementGenerator::pattern_call(T wanted, const Place& place, int depth) {
  if (wanted == T::boolean) return pattern_condition(place, depth);
  if (wanted != T::text && wanted != T::int4 && wanted != T::text_array) return "";
  const std::string text = value(T::text, place, depth, false);
  const char* const pattern = choices_.one_of(regulars);
  if (wanted == T::int4)
    return fmt::format("{}({}, {}{})", choices_.one_in(2) ? "regexp_count" : "regexp_instr", text, pattern,
                       choices_.one_in(3) ? ", 2" : "");
  if (wanted == T::text_array)
    return fmt::format("{}({}, {}{})", choices_.one_in(2) ? "regexp_match" : "regexp_split_to_array", text, pattern,
                       choices_.one_in(3) ? ", 'i'" : "");
  switch (choices_.below(5)) {
    case 0:
      return fmt::format("substring({} FROM {})", text, pattern);
    case 1:
      return fmt::format("substring({} SIMILAR {} ESCAPE '#')", text,
                         choices_.one_of(std::vector<const char*>{"'a#\"%#\"'", "'%#\"(b|o)#\"%'", "'_#\"_#\"%'"}));
    case 2:
      return fmt::format("regexp_substr({}, {}{})", text, pattern, choices_.one_in(3) ? ", 1, 2" : "");
    default: {
      static const std::vector<const char*> given{"'<\\&>'", "''", "'x'", "'[\\1]'"};
      static const std::vector<const char*> flags{"", ", 'g'", ", 'gi'", ", 2", ", 1, 2, 'i'"};
      return fmt::format("regexp_replace({}, {}, {}{})", text, pattern, choices_.one_of(given), choices_.one_of(flags));
    }
  }
}

}  // namespace polarsim::scenarios::cli::test
