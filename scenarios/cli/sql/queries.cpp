// SELECT: targets, groups, set operations, VALUES, WITH, ORDER BY and LIMIT.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

std::vector<T> StatementGenerator::any_types() {
  std::vector<T> types;
  for (std::size_t left = 1 + choices_.below(3); left > 0; --left) types.push_back(any_type());
  return types;
}

// Also says which columns the query has.
std::string StatementGenerator::targets(Query& query, const std::vector<T>& wanted, const Place& place, int depth) {
  std::string text;
  for (const T type : wanted) {
    OutputColumn column{"", type, is_canonical(type)};
    std::string expression;
    std::vector<const ScopeColumn*> canonical;
    for (const ScopeColumn& each : place.scope->columns) {
      if (each.canonical && each.type.id == type) canonical.push_back(&each);
    }
    if (!column.canonical && !canonical.empty() && choices_.percent(60)) {
      column.canonical = true;
      column.type = choices_.one_of(canonical)->type;
      expression = choices_.one_of(canonical)->text();
    } else if (place.aggregated != nullptr && choices_.one_in(2)) {
      expression = aggregate(type, place);
    } else if (place.windows && choices_.one_in(8)) {
      expression = window_call(type, place);
    } else {
      expression = value(type, place, depth);
    }
    column.name = fmt::format("c{}", query.columns.size() + 1);
    if (!text.empty()) text += ", ";
    text += expression;
    if (choices_.percent(20)) text += " AS " + column.name;
    query.columns.push_back(std::move(column));
  }
  return text;
}

// ORDER BY and LIMIT, where the rows that they choose are determined. `scope`: of the rows behind the output if its
// keys may be used.
std::string StatementGenerator::order_and_limit(Query& query, const Scope* scope, bool distinct) {
  if (!choices_.percent(45)) return "";
  static const std::vector<const char*> directions{"", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST", " ASC"};
  std::string order;
  std::size_t covered = 0;
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < query.columns.size(); ++i) columns.push_back(i);
  if (choices_.one_in(3)) std::ranges::reverse(columns);
  for (const std::size_t i : columns) {
    if (!query.columns[i].canonical) continue;
    order += fmt::format("{}{}{}", order.empty() ? "" : ", ", i + 1, choices_.one_of(directions));
    if (covered == query.ordered_by.size()) query.ordered_by.push_back(i);
    ++covered;
  }
  bool total = covered == query.columns.size();
  if (!total && !distinct && scope != nullptr && scope->keyed && !scope->keys.empty()) {
    for (const std::string& key : scope->keys) order += (order.empty() ? "" : ", ") + key;
    total = true;
  }
  if (order.empty()) return "";
  std::string text = " ORDER BY " + order;
  // With all that are as the last one, whatever the order of these.
  if (!query.one_group && choices_.one_in(6)) {
    if (total && choices_.one_in(3)) text += fmt::format(" OFFSET {}", choices_.below(3));
    const std::size_t count = choices_.below(5);
    return text + (count == 0 ? " FETCH FIRST ROW WITH TIES" : fmt::format(" FETCH NEXT {} ROWS WITH TIES", count));
  }
  if (!total || !choices_.one_in(3)) return text;
  if (choices_.percent(80)) text += fmt::format(" LIMIT {}", choices_.below(4));
  if (choices_.percent(40)) text += fmt::format(" OFFSET {}", choices_.below(3));
  return text;
}

StatementGenerator::Query StatementGenerator::plain_select(const std::vector<T>& wanted, const Scope* outer, int depth,
                                                           bool top) {
  Query query;
  Scope scope;
  scope.outer = outer;
  scope.single_row = top && !has_parameters_;
  const std::string from = from_clause(scope, depth);
  const bool windows = depth > 0 && !from.empty() && choices_.one_in(6);
  std::vector<NamedWindow> named;
  const std::string window = windows ? window_clause({&scope, nullptr, false, false}, named) : "";
  const Place place{&scope, nullptr, windows, depth > 0, &named};
  const bool all = top && !from.empty() && choices_.one_in(10);
  std::string list = all ? "*" : targets(query, wanted, place, depth + 1);
  if (all) {
    // How the columns of joins by USING and NATURAL merge is not followed.
    query.columns.clear();
  }
  const bool comparable = std::ranges::all_of(query.columns, [](const OutputColumn& c) { return c.canonical; });
  const bool distinct = !all && comparable && choices_.one_in(8);
  query.text = fmt::format("SELECT {}{}{}", distinct ? "DISTINCT " : "", list, from);
  // The first row of each group, of all its columns' order.
  const bool first_rows = !all && !distinct && !windows && scope.keyed && !scope.keys.empty() && choices_.one_in(12);
  std::string first_by;
  if (first_rows) {
    first_by = ordered_text({&scope, nullptr, false, false});
    if (!first_by.empty())
      query.text = fmt::format("SELECT DISTINCT ON ({}) {}{}", first_by.substr(0, first_by.find(' ')), list, from);
  }
  const Place condition_place{&scope, nullptr, false, depth > 0};
  const std::string met = outer != nullptr && choices_.one_in(3) ? correlation(scope) : "";
  if (choices_.percent(from.empty() ? 10 : 50)) {
    query.text += " WHERE " + (met.empty() ? "" : met + " AND ") + condition(condition_place, 1 + depth);
  } else if (!met.empty()) {
    query.text += " WHERE " + met;
  }
  query.text += window;
  query.single_row = from.empty();
  query.rows = scope.rows;
  if (!first_by.empty()) {
    query.text += " ORDER BY " + first_by;
    for (const std::string& key : scope.keys) query.text += ", " + key;
    return query;
  }
  if (!all) query.text += order_and_limit(query, &scope, distinct);
  return query;
}

StatementGenerator::Query StatementGenerator::set_operation(const std::vector<T>& wanted, const Scope* outer, int depth,
                                                            bool top) {
  static const std::vector<const char*> symbols{"UNION ALL", "UNION",         "INTERSECT",
                                                "EXCEPT",    "INTERSECT ALL", "EXCEPT ALL"};
  std::vector<T> types = wanted;
  std::string symbol = choices_.one_of(symbols);
  for (T& type : types) {
    if (!is_canonical(type) && symbol != "UNION ALL" && top) type = canonical_type();
  }
  if (!std::ranges::all_of(types, [](T type) { return is_canonical(type); })) symbol = "UNION ALL";
  const Query left = query(types, outer, depth - 1, false);
  const Query right = query(types, outer, depth - 1, false);
  Query query;
  query.text = fmt::format("({}) {} ({})", left.text, symbol, right.text);
  query.rows = left.rows + right.rows;
  for (std::size_t i = 0; i < types.size(); ++i)
    query.columns.push_back({left.columns[i].name, types[i], is_canonical(types[i])});
  query.text += order_and_limit(query, nullptr, true);
  return query;
}

StatementGenerator::Query StatementGenerator::values_query(const std::vector<T>& wanted, const Scope* outer, bool top) {
  Query query;
  Scope scope;
  scope.outer = outer;
  scope.single_row = top && !has_parameters_;
  query.rows = 3;
  for (std::size_t left = 1 + choices_.below(3); left > 0; --left) {
    std::string row;
    for (const T type : wanted) row += (row.empty() ? "" : ", ") + value(type, {&scope, nullptr, false, false}, 1);
    query.text += (query.text.empty() ? "VALUES (" : ", (") + row + ")";
  }
  for (const T type : wanted)
    query.columns.push_back({fmt::format("column{}", query.columns.size() + 1), type, is_canonical(type)});
  query.text += order_and_limit(query, nullptr, true);
  return query;
}

std::string StatementGenerator::with_clause(int depth) {
  std::string text;
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    if (choices_.one_in(3)) {
      text += (text.empty() ? "" : ", ") + recursive_table(depth);
      continue;
    }
    CommonTable common;
    common.name = fmt::format("w{}", ++aliases_);
    const Query inner = query(any_types(), nullptr, depth - 1, false);
    common.rows = inner.rows;
    std::string names;
    for (const OutputColumn& column : inner.columns) {
      common.columns.push_back(column);
      common.columns.back().name = fmt::format("c{}", common.columns.size());
      names += (names.empty() ? "" : ", ") + common.columns.back().name;
    }
    static const std::vector<const char*> hints{"", "", "MATERIALIZED ", "NOT MATERIALIZED "};
    text += fmt::format("{}{}({}) AS {}({})", text.empty() ? "" : ", ", common.name, names, choices_.one_of(hints),
                        inner.text);
    common_tables_.push_back(common);
  }
  return "WITH RECURSIVE " + text + " ";
}

StatementGenerator::Query StatementGenerator::query(const std::vector<T>& wanted, const Scope* outer, int depth,
                                                    bool top) {
  std::vector<T> types = wanted;
  if (choices_.one_in(300)) types.push_back(T::int4);
  const std::size_t known = common_tables_.size();
  std::string with;
  if (depth > 0 && choices_.percent(top ? 12 : 4)) with = with_clause(depth);
  Query made;
  switch (depth > 0 ? choices_.weighted({65, 20, 12, 3}) : choices_.weighted({80, 20, 0, 3})) {
    case 0:
      made = plain_select(types, outer, depth, top);
      break;
    case 1:
      made = grouped_select(types, outer, depth, top);
      break;
    case 2:
      made = set_operation(types, outer, depth, top);
      break;
    default:
      made = values_query(types, outer, top);
  }
  made.text = with + made.text;
  common_tables_.resize(known);
  return made;
}

}  // namespace polarsim::scenarios::cli::test
