#include "engine/node/model/statement.h"

#include <fmt/format.h>

#include <algorithm>

namespace polarsim::engine::model {
namespace {

std::string where(const Condition& condition) {
  switch (condition.kind) {
    case Condition::Kind::all:
      return "";
    case Condition::Kind::id_is:
      return fmt::format(" WHERE id = {}", condition.number);
    case Condition::Kind::v_is:
      return fmt::format(" WHERE v = {}", condition.number);
    case Condition::Kind::v_at_least:
      return fmt::format(" WHERE v >= {}", condition.number);
  }
  return "";
}

std::string lock_clause(const Statement& statement) {
  static const char* const strengths[] = {" FOR KEY SHARE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR UPDATE"};
  static const char* const policies[] = {"", " NOWAIT", " SKIP LOCKED"};
  return std::string(strengths[static_cast<std::size_t>(statement.strength)]) +
         policies[static_cast<std::size_t>(statement.policy)];
}

std::string insert_sql(const Statement& statement) {
  const std::string table = table_name(statement.table);
  std::string sql = "INSERT INTO " + table + " VALUES ";
  for (std::size_t i = 0; i < statement.rows.size(); ++i) {
    sql += fmt::format("{}({}, {})", i == 0 ? "" : ", ", statement.rows[i].id, statement.rows[i].v);
  }
  const std::string update = fmt::format(" ON CONFLICT (id) DO UPDATE SET v = {}.v + excluded.v", table);
  switch (statement.on_conflict) {
    case Statement::OnConflict::fail:
      break;
    case Statement::OnConflict::do_nothing:
      sql += " ON CONFLICT DO NOTHING";
      break;
    case Statement::OnConflict::do_update:
      sql += update;
      break;
    case Statement::OnConflict::do_update_where:
      sql += update + fmt::format(" WHERE {}.v < {}", table, statement.number);
      break;
  }
  return sql + " RETURNING id, v";
}

}  // namespace

bool conflict(Strength a, Strength b) {
  const auto [weaker, stronger] = std::minmax(a, b);
  switch (stronger) {
    case Strength::update:
      return true;
    case Strength::no_key_update:
      return weaker != Strength::key_share;
    default:
      return false;
  }
}

bool Condition::holds(int id, int v) const {
  switch (kind) {
    case Kind::all:
      return true;
    case Kind::id_is:
      return id == number;
    case Kind::v_is:
      return v == number;
    case Kind::v_at_least:
      return v >= number;
  }
  return false;
}

std::string table_name(int table) { return table == 0 ? "t" : "u"; }

std::string to_sql(const Statement& statement) {
  const std::string table = table_name(statement.table);
  const std::string condition = where(statement.condition);
  const int number = statement.number;
  switch (statement.kind) {
    case Statement::Kind::select:
      return fmt::format("SELECT id, v FROM {}{} ORDER BY id", table, condition);
    case Statement::Kind::select_for:
      return fmt::format("SELECT id, v FROM {}{} ORDER BY id{}", table, condition, lock_clause(statement));
    case Statement::Kind::insert:
      return insert_sql(statement);
    case Statement::Kind::update:
      return fmt::format("UPDATE {} SET v = v + {}{} RETURNING id, v", table, number, condition);
    case Statement::Kind::update_key:
      return fmt::format("UPDATE {} SET id = {}{} RETURNING id, v", table, number, condition);
    case Statement::Kind::remove:
      return fmt::format("DELETE FROM {}{} RETURNING id, v", table, condition);
    case Statement::Kind::begin:
      return "BEGIN";
    case Statement::Kind::begin_repeatable_read:
      return "BEGIN ISOLATION LEVEL REPEATABLE READ";
    case Statement::Kind::commit:
      return "COMMIT";
    case Statement::Kind::rollback:
      return "ROLLBACK";
    case Statement::Kind::savepoint:
      return fmt::format("SAVEPOINT s{}", number);
    case Statement::Kind::rollback_to:
      return fmt::format("ROLLBACK TO SAVEPOINT s{}", number);
    case Statement::Kind::release:
      return fmt::format("RELEASE SAVEPOINT s{}", number);
  }
  return "";
}

std::vector<std::string> setup_statements() {
  std::vector<std::string> statements;
  for (int table = 0; table < 2; ++table) {
    statements.push_back(fmt::format("CREATE TABLE {} (id int PRIMARY KEY, v int)", table_name(table)));
    statements.push_back(fmt::format("INSERT INTO {} VALUES (1, 10), (2, 20), (3, 30)", table_name(table)));
  }
  return statements;
}

}  // namespace polarsim::engine::model
