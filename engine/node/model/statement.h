// The statements that the model of a node knows, and their SQL.
//
// Two tables, t and u, each (id int PRIMARY KEY, v int).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace polarsim::engine::model {

enum class Strength : std::uint8_t { key_share, share, no_key_update, update };

// Table 13.3 of PostgreSQL's documentation.
bool conflict(Strength a, Strength b);

enum class WaitPolicy : std::uint8_t { block, nowait, skip_locked };

struct Condition {
  enum class Kind : std::uint8_t { all, id_is, v_is, v_at_least } kind = Kind::all;
  int number = 0;
  bool holds(int id, int v) const;
  friend auto operator<=>(const Condition&, const Condition&) = default;
};

struct NewRow {
  int id = 0;
  int v = 0;
  friend auto operator<=>(const NewRow&, const NewRow&) = default;
};

struct Statement {
  enum class Kind : std::uint8_t {
    select,
    select_for,  // condition, strength, policy
    insert,      // rows, on_conflict
    update,      // SET v = v + number WHERE condition
    update_key,  // SET id = number WHERE condition
    remove,      // condition
    begin,
    begin_repeatable_read,
    commit,
    rollback,
    savepoint,  // number is its name
    rollback_to,
    release,
  } kind = Kind::select;
  enum class OnConflict : std::uint8_t {
    fail,
    do_nothing,
    do_update,        // SET v = old.v + excluded.v
    do_update_where,  // ... WHERE old.v < number
  };

  int table = 0;
  Condition condition;
  int number = 0;
  Strength strength = Strength::update;
  WaitPolicy policy = WaitPolicy::block;
  std::vector<NewRow> rows;
  OnConflict on_conflict = OnConflict::fail;

  friend auto operator<=>(const Statement&, const Statement&) = default;
};

// Rows come back by RETURNING and, where they are read, in order of their ids.
std::string to_sql(const Statement& statement);
// "t" or "u".
std::string table_name(int table);
// What has to be there before the first statement: both tables with the rows (1, 10), (2, 20), (3, 30).
std::vector<std::string> setup_statements();

}  // namespace polarsim::engine::model
