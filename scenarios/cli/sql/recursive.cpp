// Recursive common tables: all of them end, and give the same rows in whatever order they are found.
#include <fmt/format.h>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

// name (columns) AS (...).
std::string StatementGenerator::recursive_table(int depth) {
  CommonTable common;
  common.name = fmt::format("w{}", ++aliases_);
  std::string body;
  switch (choices_.weighted({30, 30, 15, depth > 0 ? 15U : 0U})) {
    case 0:
      body = counted_table(common);
      break;
    case 1:
      body = walked_table(common);
      break;
    case 2:
      body = path_table(common);
      break;
    default:
      body = nested_recursion(common);
  }
  std::string names;
  for (const OutputColumn& column : common.columns) names += (names.empty() ? "" : ", ") + column.name;
  const std::string text = fmt::format("{}({}) AS ({})", common.name, names, body);
  common_tables_.push_back(common);
  return text;
}

std::string StatementGenerator::counted_table(CommonTable& common) {
  common.columns = {{"n", T::int4, true}, {"s", T::text, true}};
  common.rows = 6;
  const char* const all = choices_.one_in(2) ? "ALL " : "";
  const std::size_t start = choices_.below(3);
  const std::size_t most = choices_.below(6);
  switch (choices_.below(5)) {
    case 1:
      return fmt::format("VALUES ({}, 'a'::text), (2, NULL) UNION {}SELECT n + 1, s || 'b' FROM {} WHERE n < {}", start,
                         all, common.name, most);
    case 2:
      return fmt::format(
          "SELECT {}, 'a'::text UNION {}SELECT x.n + 1, x.s || 'b' FROM (SELECT * FROM {} WHERE n < {}) AS x", start,
          all, common.name, most);
    case 3:
      return fmt::format(
          "SELECT {}, 'a'::text UNION {}SELECT n + g, left(s || 'b', 3) FROM {}, generate_series(1, 2) AS g WHERE n < "
          "{}",
          start, all, common.name, most);
    case 4:
      // Ends by running out of new rows.
      return fmt::format(
          "SELECT {}, 'a'::text UNION SELECT (n * 2 + 1) % 7, CASE WHEN n > 3 THEN 'b' ELSE s END FROM {}", start,
          common.name);
    default:
      return fmt::format("SELECT {}, 'a'::text UNION {}SELECT n + {}, s || 'b' FROM {} WHERE n < {}", start, all,
                         1 + choices_.below(2), common.name, most);
  }
}

// From row to row of a table, by numbers that two of its columns have.
std::string StatementGenerator::walked_table(CommonTable& common) {
  const GeneratedTable* table = any_table(false);
  const GeneratedTable* next = choices_.one_in(2) ? any_table(false) : table;
  std::vector<std::string> from;
  std::vector<std::string> to;
  for (const GeneratedColumn& column : table == nullptr ? std::vector<GeneratedColumn>() : table->columns) {
    if (column.type.id == T::int4) from.push_back(column.name);
  }
  for (const GeneratedColumn& column : next == nullptr ? std::vector<GeneratedColumn>() : next->columns) {
    if (column.type.id == T::int4) to.push_back(column.name);
  }
  if (from.empty() || to.empty()) return counted_table(common);
  common.columns = {{"n", T::int4, true}, {"d", T::int4, true}};
  common.rows = table->rows * 4;
  const std::string first = new_alias();
  const std::string second = new_alias();
  const char* const joins = choices_.one_of(std::vector<const char*>{"JOIN", "LEFT JOIN", "JOIN"});
  const bool as_list = choices_.one_in(4);
  const std::string key = choices_.one_of(to);
  const std::string given = choices_.one_of(to);
  const std::string start =
      fmt::format("SELECT {0}.{1}, 0 FROM {2} AS {0}{3}", first, choices_.one_of(from), table->name,
                  choices_.one_in(2) ? fmt::format(" WHERE {}.{} < 4", first, choices_.one_of(from)) : "");
  if (choices_.one_in(4))
    return fmt::format("{} UNION SELECT n + 1, d + 1 FROM {} WHERE d < 3 AND n IN (SELECT {}.{} FROM {} AS {})", start,
                       common.name, second, key, next->name, second);
  const std::string met = fmt::format("{}.{} = {}.n", second, key, common.name);
  const std::string step = as_list
                               ? fmt::format("{}, {} AS {} WHERE {} AND", common.name, next->name, second, met)
                               : fmt::format("{} {} {} AS {} ON {} WHERE", common.name, joins, next->name, second, met);
  return fmt::format("{} UNION {}SELECT {}.{}, {}.d + 1 FROM {} {}.d < {}", start, choices_.one_in(3) ? "ALL " : "",
                     second, given, common.name, step, common.name, 1 + choices_.below(2));
}

// Keeps what it has seen.
std::string StatementGenerator::path_table(CommonTable& common) {
  common.columns = {{"n", T::int4, true}, {"path", T::int4_array, true}};
  common.rows = 12;
  const std::string edges = "(VALUES (1, 2), (2, 3), (3, 1), (2, 4), (4, NULL)) AS e(a, b)";
  if (choices_.one_in(2))
    return fmt::format(
        "SELECT {}, ARRAY[1] UNION ALL SELECT e.b, path || e.b FROM {} JOIN {} ON e.a = n WHERE e.b <> ALL (path)",
        1 + choices_.below(3), common.name, edges);
  return fmt::format(
      "SELECT 1, ARRAY[1] UNION ALL SELECT l.n, path || l.n FROM {0}, LATERAL (SELECT e.b FROM {1} WHERE e.a = {0}.n) "
      "AS l(n) "
      "WHERE cardinality(path) < {2}",
      common.name, edges, 2 + choices_.below(3));
}

// A recursion inside the one part, or the other.
std::string StatementGenerator::nested_recursion(CommonTable& common) {
  common.columns = {{"n", T::int4, true}, {"m", T::int8, true}};
  common.rows = 12;
  const std::string inner = fmt::format("w{}", ++aliases_);
  const std::size_t most = 1 + choices_.below(4);
  switch (choices_.below(3)) {
    case 0:
      return fmt::format(
          "WITH RECURSIVE {0}(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM {0} WHERE i < {1}) SELECT i, 0::bigint "
          "FROM {0} UNION SELECT n + 1, m + 1 FROM {2} WHERE m < 2",
          inner, most, common.name);
    case 1:
      return fmt::format(
          "SELECT 1, 0::bigint UNION ALL (WITH RECURSIVE {0}(i) AS (SELECT 1 UNION SELECT i + 1 FROM {0} WHERE i < "
          "{1}) "
          "SELECT n + 1, m + i FROM {2}, {0} WHERE n < 3)",
          inner, most, common.name);
    default:
      return fmt::format(
          "SELECT 1, 0::bigint UNION ALL SELECT n + 1, l.m FROM {2}, LATERAL (WITH RECURSIVE {0}(i) AS (SELECT n "
          "UNION ALL SELECT i + 1 FROM {0} WHERE i < {1}) SELECT count(*) FROM {0}) AS l(m) WHERE n < 4",
          inner, most + 1, common.name);
  }
}

}  // namespace polarsim::scenarios::cli::test
