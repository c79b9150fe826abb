// Subqueries: as a value, in conditions, compared with rows, correlated, and with aggregates of the query around them.
#include <fmt/format.h>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

constexpr const char* comparisons[] = {"=", "<>", "<", "<=", ">", ">="};

}  // namespace

// A column of the scope that equals one of the query around it; empty if no types fit.
std::string StatementGenerator::correlation(const Scope& scope) {
  std::vector<std::string> found;
  for (const Scope* outer = scope.outer; outer != nullptr; outer = outer->outer) {
    for (const ScopeColumn& column : scope.columns) {
      for (const ScopeColumn& other : outer->columns) {
        if (column.type.id != other.type.id || column.type.id == T::json) continue;
        found.push_back(fmt::format("{} = {}", column.text(), other.text()));
        if (column.distributes && other.distributes) found.insert(found.end(), 5, found.back());
      }
    }
    if (!found.empty() && choices_.percent(75)) break;
  }
  return found.empty() ? "" : choices_.one_of(found);
}

// One row, of the least or the greatest values.
std::string StatementGenerator::extreme_rows(const std::vector<T>& types, const Place& place, int depth) {
  const Query inner = query(types, place.scope, depth, false);
  const std::string alias = new_alias();
  if (choices_.one_in(2)) {
    std::string list;
    std::string names;
    for (std::size_t i = 1; i <= types.size(); ++i) {
      list += fmt::format("{}{}({}.c{})", i == 1 ? "" : ", ", choices_.one_in(2) ? "max" : "min", alias, i);
      names += fmt::format("{}c{}", i == 1 ? "" : ", ", i);
    }
    return fmt::format("SELECT {} FROM ({}) AS {}({})", list, inner.text, alias, names);
  }
  std::string order;
  for (std::size_t i = 1; i <= types.size(); ++i) order += fmt::format("{}{}", i == 1 ? "" : ", ", i);
  return fmt::format("SELECT * FROM ({}) AS {} ORDER BY {} LIMIT 1", inner.text, alias, order);
}

// (a, b) = (SELECT ...), (a, b) < ANY (SELECT ...), (a, b) IN (SELECT ...).
std::string StatementGenerator::row_condition(const Place& place, int depth) {
  static const std::vector<T> with_extremes{T::int4, T::text, T::int8, T::date, T::timestamp, T::int2};
  std::vector<T> types;
  for (std::size_t left = 2 + choices_.below(2); left > 0; --left) types.push_back(choices_.one_of(with_extremes));
  std::string row;
  for (const T type : types) row += (row.empty() ? "" : ", ") + value(type, place, depth, false);
  row = (choices_.one_in(3) ? "ROW(" : "(") + row + ")";
  switch (choices_.below(4)) {
    case 0:
      return fmt::format("({} {} ({}))", row, choices_.one_of(comparisons), extreme_rows(types, place, depth));
    case 1:
      return fmt::format("({} {} {} ({}))", row, choices_.one_of(comparisons), choices_.one_in(2) ? "ALL" : "ANY",
                         query(types, place.scope, depth, false).text);
    case 2:
      return fmt::format("({} {}IN ({}))", row, choices_.one_in(2) ? "NOT " : "",
                         query(types, place.scope, depth, false).text);
    default:
      return fmt::format("(({} {} ({})) IS {}NULL)", row, choices_.one_of(comparisons),
                         extreme_rows(types, place, depth), choices_.one_in(2) ? "NOT " : "");
  }
}

// A condition of a subquery that looks at an aggregate of the query around it.
std::string StatementGenerator::of_outer_aggregate(const Place& place, int depth) {
  const T type = choices_.one_in(2) ? T::int4 : T::int8;
  const std::string call = aggregate_call(type, place, false);
  if (call.empty() || depth < 0) return condition(place, 1);
  const Query inner = query({type}, nullptr, 0, false);
  const std::string alias = new_alias();
  return fmt::format("EXISTS (SELECT FROM ({}) AS {}(c1) WHERE {}.c1 {} {})", inner.text, alias, alias,
                     choices_.one_of(comparisons), call);
}

std::string StatementGenerator::scalar_subquery(T wanted, const Place& place, int depth) {
  const Query inner = query({wanted}, place.scope, depth, false);
  // Of a cluster, queries that see no row are computed first, whether they are asked for or not.
  if (inner.single_row || (!clustered_ && !place.careful() && choices_.percent(30))) return "(" + inner.text + ")";
  const std::string alias = new_alias();
  if (is_canonical(wanted) && choices_.one_in(4))
    return fmt::format("(SELECT {0}.c1 FROM ({1}) AS {0}(c1) ORDER BY 1{2} LIMIT 1)", alias, inner.text,
                       choices_.one_in(2) ? " DESC" : "");
  if (choices_.percent(40) && engine::type_info(wanted).element != T::none) {
    // Of equal elements that are not the same it would matter which comes first.
    const T element = engine::type_info(wanted).element;
    if (is_canonical(element))
      return fmt::format("ARRAY(SELECT {}.c1 FROM ({}) AS {}(c1) ORDER BY 1)", alias,
                         query({element}, place.scope, 0, false).text, alias);
  }
  if (is_canonical(wanted) && wanted != T::boolean && wanted != T::uuid && wanted != T::bytea)
    return fmt::format("(SELECT {}({}.c1) FROM ({}) AS {}(c1))", choices_.one_in(2) ? "max" : "min", alias, inner.text,
                       alias);
  return fmt::format("(SELECT {} FROM (SELECT count(*)) AS {}(c1))", value(wanted, place, 0, false), alias);
}

std::string StatementGenerator::subquery_condition(const Place& place, int depth) {
  const char* const negation = choices_.one_in(3) ? "NOT " : "";
  const T type = canonical_type();
  switch (choices_.below(6)) {
    case 4:
    case 5:
      return row_condition(place, depth);
    case 0:
      return fmt::format("({}EXISTS ({}))", negation, query({type}, place.scope, depth, false).text);
    case 1:
      return fmt::format("({} {}IN ({}))", value(type, place, depth, false), negation,
                         query({type}, place.scope, depth, false).text);
    case 2:
      return fmt::format("({} {} {} ({}))", value(type, place, depth, false), choices_.one_of(comparisons),
                         choices_.one_in(2) ? "ALL" : "ANY", query({type}, place.scope, depth, false).text);
    default: {
      const T second = canonical_type();
      return fmt::format("(({}, {}) {}IN ({}))", value(type, place, depth, false), value(second, place, depth, false),
                         negation, query({type, second}, place.scope, depth, false).text);
    }
  }
}

}  // namespace polarsim::scenarios::cli::test
