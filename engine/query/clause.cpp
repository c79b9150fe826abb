#include "engine/query/clause.h"

#include <array>
#include <cstddef>

namespace polarsim::engine::query {

namespace {

constexpr ClauseRules same(const char* name) { return {name, name, name, name, nullptr}; }
constexpr ClauseRules definition(const char* plural, const char* singular) {
  return {plural, plural, plural, plural, singular};
}
constexpr const char* window_definitions = "window definitions";

// In the order of Clause.
constexpr std::array<ClauseRules, static_cast<std::size_t>(Clause::copy_where) + 1> rules{{
    {"this context", nullptr, nullptr, nullptr, nullptr},
    {"JOIN/ON", "JOIN conditions", "JOIN conditions", "JOIN conditions", nullptr},
    {"sub-SELECT in FROM", "FROM clause of their own query level", "FROM clause of their own query level", nullptr,
     nullptr},
    {"function in FROM", "functions in FROM", "functions in FROM", nullptr, nullptr},
    same("WHERE"),
    {"HAVING", nullptr, "HAVING", "HAVING", nullptr},
    same("FILTER"),
    {"window PARTITION BY", nullptr, window_definitions, nullptr, nullptr},
    {"window ORDER BY", nullptr, window_definitions, nullptr, nullptr},
    {"window ROWS", "window ROWS", window_definitions, window_definitions, nullptr},
    {"window RANGE", "window RANGE", window_definitions, window_definitions, nullptr},
    {"window GROUPS", "window GROUPS", window_definitions, window_definitions, nullptr},
    {"SELECT", nullptr, nullptr, nullptr, nullptr},
    {"INSERT", "INSERT", "INSERT", nullptr, nullptr},
    same("UPDATE"),
    {"GROUP BY", "GROUP BY", "GROUP BY", nullptr, nullptr},
    {"ORDER BY", nullptr, nullptr, nullptr, nullptr},
    {"DISTINCT ON", nullptr, nullptr, nullptr, nullptr},
    same("LIMIT"),
    same("OFFSET"),
    same("RETURNING"),
    same("VALUES"),
    {"VALUES", "VALUES", "VALUES", nullptr, nullptr},
    definition("check constraints", "check constraint"),
    definition("DEFAULT expressions", "DEFAULT expression"),
    definition("index expressions", "index expression"),
    definition("index predicates", "index predicate"),
    definition("column generation expressions", "column generation expression"),
    definition("transform expressions", "transform expression"),
    definition("EXECUTE parameters", "EXECUTE parameter"),
    definition("CALL arguments", "CALL argument"),
    definition("COPY FROM WHERE conditions", "COPY FROM WHERE condition"),
}};

}  // namespace

const ClauseRules& rules_of(Clause clause) { return rules[static_cast<std::size_t>(clause)]; }

Clause clause_named(std::string_view name) {
  for (const Clause clause : {Clause::check_constraint, Clause::index_expression, Clause::index_predicate,
                              Clause::generated_column, Clause::transform, Clause::copy_where}) {
    if (rules_of(clause).name == name) return clause;
  }
  return Clause::other;
}

}  // namespace polarsim::engine::query
