// GROUP BY: keys, grouping sets, grouping(), and the queries that have them.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

std::string list_of_texts(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

}  // namespace

// An expression that is the same wherever it stands.
StatementGenerator::ScopeColumn StatementGenerator::computed_key(const ScopeColumn& column) {
  const std::string text = column.text();
  switch (column.type.id) {
    case T::int4:
      return {"", choices_.one_in(2) ? fmt::format("({} % 3)", text) : fmt::format("({} > 2)::int", text), T::int4,
              true};
    case T::text:
      return choices_.one_in(2) ? ScopeColumn{"", fmt::format("length({})", text), T::int4, true}
                                : ScopeColumn{"", fmt::format("upper({})", text), T::text, true};
    case T::date:
    case T::timestamp:
      return {"", fmt::format("extract(month FROM {})::int", text), T::int4, true};
    default:
      return {"", fmt::format("({} IS NULL)", text), T::boolean, true};
  }
}

std::vector<StatementGenerator::ScopeColumn> StatementGenerator::group_keys(const Scope& scope) {
  std::vector<ScopeColumn> keys;
  std::vector<const ScopeColumn*> canonical;
  for (const ScopeColumn& column : scope.columns) {
    if (!column.canonical) continue;
    canonical.push_back(&column);
    // Only what lies together can be grouped by sets on a cluster.
    if (column.distributes) canonical.insert(canonical.end(), 2, &column);
  }
  if (canonical.empty()) return keys;
  for (std::size_t left = choices_.below(4); left > 0; --left) {
    const ScopeColumn& column = *choices_.one_of(canonical);
    const ScopeColumn key = choices_.one_in(6) ? computed_key(column) : column;
    const auto same = [&](const ScopeColumn& other) { return other.text() == key.text(); };
    if (std::ranges::none_of(keys, same)) keys.push_back(key);
  }
  return keys;
}

std::string StatementGenerator::grouping_set(const std::vector<std::string>& keys, int depth) {
  const std::string list = list_of_texts(keys);
  switch (choices_.weighted({30, 20, 15, depth > 0 ? 30U : 0U, 10, keys.size() > 1 ? 20U : 0U})) {
    case 0:
      return "(" + list + ")";
    case 1:
      return "ROLLUP (" + list + ")";
    case 2:
      return "CUBE (" + list + ")";
    case 3: {
      const std::vector<std::string> one{choices_.one_of(keys)};
      const std::string first = grouping_set(keys, depth - 1);
      const std::string second = grouping_set(one, depth - 1);
      return fmt::format("GROUPING SETS ({}, {}{})", first, second, choices_.one_in(2) ? ", ()" : "");
    }
    case 4:
      return choices_.one_of(keys);
    default:
      return fmt::format("{} (({}), {})", choices_.one_in(2) ? "ROLLUP" : "CUBE", list, keys.front());
  }
}

std::string StatementGenerator::group_list(const std::vector<std::string>& keys) {
  const std::string list = list_of_texts(keys);
  const std::vector<std::string> rest(keys.begin() + 1, keys.end());
  switch (choices_.weighted({60, 8, 6, 8, 20, rest.empty() ? 0U : 12U, 6})) {
    case 0:
      return list;
    case 1:
      return "ROLLUP (" + list + ")";
    case 2:
      return "CUBE (" + list + ")";
    case 3:
      return fmt::format("GROUPING SETS (({}), ({}), ())", list, keys.front());
    case 4:
      return grouping_set(keys, 1);
    case 5:
      return keys.front() + ", " + grouping_set(rest, 1);
    default:
      return fmt::format("{}{}, {}", choices_.one_in(2) ? "DISTINCT " : "", grouping_set(keys, 1),
                         grouping_set({choices_.one_of(keys)}, 0));
  }
}

std::string StatementGenerator::grouping_call(const Place& place) {
  std::vector<std::string> keys;
  for (const ScopeColumn& column : place.scope->columns) {
    if (keys.empty() || choices_.one_in(2)) keys.push_back(column.text());
  }
  return keys.empty() ? "42" : fmt::format("grouping({})", list_of_texts(keys));
}

StatementGenerator::Query StatementGenerator::grouped_select(const std::vector<T>& wanted, const Scope* outer,
                                                             int depth, bool top) {
  Query query;
  Scope scope;
  scope.outer = outer;
  scope.single_row = top && !has_parameters_;
  const std::string from = from_clause(scope, depth);
  Scope groups;
  groups.outer = outer;
  groups.columns = group_keys(scope);
  for (const ScopeColumn& key : groups.columns) groups.keys.push_back(key.text());
  const bool single = groups.keys.empty();
  groups.single_row = single && scope.single_row;
  const std::string by = single ? "" : " GROUP BY " + group_list(groups.keys);
  // Grouping sets make rows with the same keys, and so may what is computed.
  if (by.find('(') != std::string::npos) groups.keyed = false;
  const bool windows = depth > 0 && !single && choices_.one_in(5);
  std::vector<NamedWindow> named;
  Place place{&groups, &scope, windows, false};
  const std::string window = windows ? window_clause(place, named) : "";
  place.named = &named;
  std::string list = targets(query, wanted, place, 1 + depth);
  query.text = fmt::format("SELECT {}{}", list, from);
  if (choices_.percent(35)) query.text += " WHERE " + condition({&scope, nullptr, false, depth > 0}, 1 + depth);
  query.text += by;
  const Place having{&groups, &scope, false, depth > 0};
  if (choices_.percent(25))
    query.text +=
        " HAVING " + (depth > 0 && choices_.one_in(6) ? of_outer_aggregate(having, depth - 1) : condition(having, 1));
  query.text += window;
  query.one_group = single;
  query.rows = single ? 1 : scope.rows;
  // Other aggregates may be of a query around this one, if there are any at all.
  query.single_row =
      single && query.text.find(" HAVING ") == std::string::npos && (" " + list).find(" count(*)") != std::string::npos;
  query.text += order_and_limit(query, &groups, false);
  return query;
}

}  // namespace polarsim::scenarios::cli::test
