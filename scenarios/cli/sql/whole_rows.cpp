// Rows of what stands in FROM as values.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

std::string StatementGenerator::whole_row(const Place& place) {
  if (place.aggregated != nullptr) return "";
  std::vector<std::string> names;
  const Scope* scope = place.scope;
  if (scope->outer != nullptr && choices_.one_in(4)) scope = scope->outer;
  for (const ScopeColumn& column : scope->columns) {
    if (!column.qualifier.empty() && std::ranges::find(names, column.qualifier) == names.end())
      names.push_back(column.qualifier);
  }
  return names.empty() ? "" : choices_.one_of(names);
}

std::string StatementGenerator::of_whole_row(T wanted, const Place& place) {
  const std::string row = whole_row(place);
  if (row.empty()) return "";
  const char* const negation = choices_.one_in(2) ? "NOT " : "";
  switch (wanted) {
    case T::boolean: {
      switch (choices_.below(4)) {
        case 0:
          return fmt::format("({} IS {}NULL)", row, negation);
        case 1:
          return fmt::format("({}.* IS {}DISTINCT FROM {}.*)", row, negation, row);
        case 2:
          return fmt::format("({} IS {}DISTINCT FROM NULL)", row, negation);
        default:
          return fmt::format("({} = {})", row, row);
      }
    }
    case T::text:
      return fmt::format("({}{})::text", row, choices_.one_in(2) ? ".*" : "");
    case T::int4:
      return fmt::format("num_nulls({})", row);
    case T::json:
      return fmt::format("row_to_json({})", row);
    case T::jsonb:
      return fmt::format("to_jsonb({})", row);
    default: {
      for (const ScopeColumn& column : place.scope->columns) {
        if (column.qualifier == row && column.type.id == wanted) return fmt::format("({}).{}", row, column.name);
      }
      return "";
    }
  }
}

}  // namespace polarsim::scenarios::cli::test
