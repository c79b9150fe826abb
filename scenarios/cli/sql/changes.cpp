// SELECT as a statement, INSERT, UPDATE, DELETE.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

bool is_floating(T type) { return type == T::float4 || type == T::float8; }

}  // namespace

GeneratedStatement StatementGenerator::statement() {
  std::size_t tables = 0;
  std::size_t empty = 0;
  for (const GeneratedTable& table : schema_.tables) {
    if (table.is_view) continue;
    ++tables;
    if (!table.filled) ++empty;
  }
  for (const GeneratedTable& table : schema_.tables) {
    if (clustered_ && !table.placed && choices_.percent(table.filled ? 30 : 85)) return place_table(table);
  }
  if (tables < (clustered_ ? 3U : 2U) && choices_.percent(80)) return create_table();
  if (empty > 0 && choices_.percent(70)) return insert_statement();
  const std::size_t executes = schema_.prepared.empty() ? 0 : 5;
  switch (choices_.weighted({60, 11, 8, 4, tables < 5 ? 3U : 0U, 3, 2, 4, 2, 1, clustered_ ? 1U : 0U, 3, executes})) {
    case 0:
      return select_statement();
    case 1:
      return insert_statement();
    case 2:
      return update_statement();
    case 3:
      return delete_statement();
    case 4:
      return create_table();
    case 5:
      return create_index();
    case 6:
      return create_view();
    case 7:
      return alter_table();
    case 8:
      return drop_statement();
    case 9:
      return truncate_statement();
    case 11:
      return prepare_statement();
    case 12:
      return execute_statement();
    default:
      return clustered_ ? change_placement() : truncate_statement();
  }
}

GeneratedStatement StatementGenerator::select_statement() {
  if (choices_.one_in(30)) return changing_with();
  if (!has_parameters_ && choices_.one_in(40)) return explain_statement();
  if (!has_parameters_ && clustered_ && choices_.one_in(30)) return repartition_statement();
  const int depth = static_cast<int>(choices_.weighted({30, 40, 30}));
  if (choices_.one_in(25)) {
    const std::string changing = changing_common_table();
    if (!changing.empty()) {
      Query made = plain_select(any_types(), nullptr, 1, true);
      return {"WITH " + changing + " " + made.text, std::move(made.ordered_by), {}};
    }
  }
  Query made = query(any_types(), nullptr, depth, true);
  return {std::move(made.text), std::move(made.ordered_by), {}};
}

std::string StatementGenerator::changing_common_table() {
  const GeneratedTable* table = any_table(false);
  if (table == nullptr) return "";
  CommonTable common;
  common.name = fmt::format("w{}", ++aliases_);
  common.rows = table->rows;
  const std::string alias = new_alias();
  Scope scope;
  add_table(scope, alias, *table);
  const Place place{&scope, nullptr, false, false};
  const GeneratedColumn& column = choices_.one_of(table->columns);
  std::string text;
  switch (choices_.below(3)) {
    case 0:
      text = fmt::format("DELETE FROM {} AS {} WHERE {}", table->name, alias, condition(place, 1));
      break;
    case 1:
      text = fmt::format("UPDATE {} AS {} SET {} = {} WHERE {}", table->name, alias, column.name,
                         stored_value(column, &place), condition(place, 1));
      break;
    default: {
      std::string names;
      std::string values;
      for (const GeneratedColumn& each : table->columns) {
        if (!each.writable || each.numbered) continue;
        names += (names.empty() ? "" : ", ") + each.name;
        values += (values.empty() ? "" : ", ") + stored_value(each, nullptr);
      }
      if (names.empty()) return "";
      text = fmt::format("INSERT INTO {} AS {} ({}) VALUES ({})", table->name, alias, names, values);
    }
  }
  std::string names;
  std::string given;
  for (const GeneratedColumn& each : table->columns) {
    if (!names.empty() && choices_.one_in(2)) continue;
    common.columns.push_back({fmt::format("c{}", common.columns.size() + 1), each.type, is_canonical(each.type)});
    names += (names.empty() ? "" : ", ") + common.columns.back().name;
    given += (given.empty() ? "" : ", ") + alias + "." + each.name;
  }
  common_tables_.push_back(common);
  return fmt::format("{} ({}) AS ({} RETURNING {})", common.name, names, text, given);
}

GeneratedStatement StatementGenerator::prepare_statement() {
  has_parameters_ = true;
  GeneratedStatement made;
  switch (choices_.weighted({70, 15, 15})) {
    case 0:
      made = select_statement();
      break;
    case 1:
      made = update_statement();
      break;
    default:
      made = delete_statement();
  }
  has_parameters_ = false;
  PreparedStatement prepared{fmt::format("p{}", schema_.made + 1), parameters_};
  std::string types;
  for (const T type : parameters_) types += (types.empty() ? " (" : ", ") + written_type(type);
  if (!types.empty()) types += ")";
  return {fmt::format("PREPARE {}{} AS {}", prepared.name, types, made.text), {}, [prepared](GeneratedSchema& schema) {
            ++schema.made;
            schema.prepared.push_back(prepared);
          }};
}

GeneratedStatement StatementGenerator::execute_statement() {
  const PreparedStatement& prepared = choices_.one_of(schema_.prepared);
  std::string list;
  for (const T type : prepared.parameters) {
    list += list.empty() ? " (" : ", ";
    list += choices_.percent(10) ? "NULL" : typed_literal(type, choices_, true);
  }
  if (!list.empty()) list += ")";
  return {fmt::format("EXECUTE {}{}", prepared.name, list), {}, {}};
}

// What is kept in a column: small numbers, floats whose sums are exact.
std::string StatementGenerator::stored_value(const GeneratedColumn& column, const Place* place) {
  const bool exact = is_floating(column.type.id);
  if (!column.not_null && choices_.percent(12)) return "NULL";
  if (choices_.percent(column.not_null ? 1 : 4)) return "DEFAULT";
  if (place != nullptr && !exact && choices_.percent(50)) return value(column.type.id, *place, 1);
  if (choices_.percent(70)) return bare_literal(column.type.id, choices_, true);
  return typed_literal(column.type.id, choices_, true);
}

std::string StatementGenerator::returning(const GeneratedTable& table, const std::string& alias) {
  if (!choices_.percent(35)) return "";
  if (choices_.one_in(3)) return " RETURNING *";
  Scope scope;
  add_table(scope, alias, table);
  Query query;
  return " RETURNING " + targets(query, any_types(), {&scope, nullptr, false, false}, 1);
}

std::string StatementGenerator::on_conflict(const GeneratedTable& table) {
  if (!choices_.percent(35)) return "";
  if (table.keys.empty() || choices_.one_in(4)) return " ON CONFLICT DO NOTHING";
  std::string text = fmt::format(" ON CONFLICT ({})", fmt::join(choices_.one_of(table.keys), ", "));
  if (choices_.one_in(3)) return text + " DO NOTHING";
  Scope scope;
  add_table(scope, table.name, table);
  Scope excluded;
  add_table(excluded, "excluded", table);
  scope.columns.insert(scope.columns.end(), excluded.columns.begin(), excluded.columns.end());
  const Place place{&scope, nullptr, false, false};
  std::string changes;
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    const GeneratedColumn& column = choices_.one_of(table.columns);
    const std::string what =
        choices_.one_in(2) && column.writable ? "excluded." + column.name : stored_value(column, &place);
    changes += fmt::format("{}{} = {}", changes.empty() ? "" : ", ", column.name, what);
  }
  text += " DO UPDATE SET " + changes;
  if (choices_.one_in(4)) text += " WHERE " + condition(place, 1);
  return text;
}

GeneratedStatement StatementGenerator::insert_statement() {
  const GeneratedTable* table = any_table(choices_.one_in(30));
  if (table == nullptr) return create_table();
  std::vector<const GeneratedColumn*> columns;
  for (const GeneratedColumn& column : table->columns) {
    if (choices_.percent(!column.writable ? 3 : column.numbered ? 25 : column.not_null ? 98 : 85))
      columns.push_back(&column);
  }
  std::string text = "INSERT INTO " + table->name;
  const std::string name = table->name;
  if (columns.empty()) {
    text += " DEFAULT VALUES";
  } else {
    std::string names;
    for (const GeneratedColumn* column : columns) names += (names.empty() ? "" : ", ") + column->name;
    text += " (" + names + ")";
    const bool unique = !table->keys.empty() || table->checked || table->has_required();
    if (choices_.percent(12) && !table->has_numbers()) {
      std::vector<T> types;
      bool floats = false;
      for (const GeneratedColumn* column : columns) {
        types.push_back(column->type.id);
        floats = floats || is_floating(column->type.id);
      }
      // Which row is refused first depends on their order.
      const Query source = floats || unique ? values_query(types, nullptr, true) : query(types, nullptr, 1, false);
      text += " " + source.text;
    } else {
      Scope scope;
      const Place place{&scope, nullptr, false, true};
      std::string rows;
      for (std::size_t left = 1 + choices_.below(5); left > 0; --left) {
        std::string row;
        for (const GeneratedColumn* column : columns)
          row += (row.empty() ? "" : ", ") + stored_value(*column, choices_.one_in(8) ? &place : nullptr);
        rows += (rows.empty() ? "(" : ", (") + row + ")";
      }
      text += " VALUES " + rows;
    }
  }
  text += on_conflict(*table) + returning(*table, table->name);
  return {text, {}, [name](GeneratedSchema& schema) {
            for (GeneratedTable& each : schema.tables) {
              if (each.name == name) each.filled = true;
            }
          }};
}

std::string StatementGenerator::changing_where(const GeneratedTable& table, Scope& scope) {
  if (!choices_.percent(80)) return "";
  static_cast<void>(table);
  return " WHERE " + condition({&scope, nullptr, false, true}, 2);
}

GeneratedStatement StatementGenerator::update_statement() {
  const GeneratedTable* table = any_table(choices_.one_in(30));
  if (table == nullptr) return create_table();
  const std::string alias = choices_.one_in(2) ? new_alias() : "";
  const std::string visible = alias.empty() ? table->name : alias;
  Scope scope;
  add_table(scope, visible, *table);
  std::string text = fmt::format("UPDATE {}{} SET ", table->name, alias.empty() ? "" : " AS " + alias);
  // At most one row of the other table for each of this one.
  std::string from;
  std::string joining;
  const GeneratedTable* other = any_table(false);
  if (choices_.one_in(4) && other->has_primary_key && other->keys[0].size() == 1) {
    const std::string other_alias = new_alias();
    Scope right;
    add_table(right, other_alias, *other);
    from = fmt::format(" FROM {} AS {}", other->name, other_alias);
    const std::string key = right.keys.front();
    std::vector<std::string> equal;
    for (const ScopeColumn& column : scope.columns) {
      if (column.type.id != T::int4) continue;
      equal.push_back(column.text());
      if (column.distributes) equal.insert(equal.end(), 3, column.text());
    }
    joining = " WHERE " + (equal.empty() ? key + " = 1" : key + " = " + choices_.one_of(equal));
    scope.columns.insert(scope.columns.end(), right.columns.begin(), right.columns.end());
  }
  const Place place{&scope, nullptr, false, true};
  std::string changes;
  std::vector<std::string> changed;
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    const GeneratedColumn& column = choices_.one_of(table->columns);
    if (std::ranges::find(changed, column.name) != changed.end() && !choices_.one_in(20)) continue;
    changed.push_back(column.name);
    changes += fmt::format("{}{} = {}", changes.empty() ? "" : ", ", column.name, stored_value(column, &place));
  }
  text += changes + from;
  if (!joining.empty()) {
    text += joining + (choices_.one_in(2) ? " AND " + condition(place, 1) : "");
  } else {
    text += changing_where(*table, scope);
  }
  return {text + returning(*table, visible), {}, {}};
}

GeneratedStatement StatementGenerator::delete_statement() {
  const GeneratedTable* table = any_table(choices_.one_in(30));
  if (table == nullptr) return create_table();
  const std::string alias = choices_.one_in(2) ? new_alias() : "";
  const std::string visible = alias.empty() ? table->name : alias;
  Scope scope;
  add_table(scope, visible, *table);
  std::string text = fmt::format("DELETE FROM {}{}", table->name, alias.empty() ? "" : " AS " + alias);
  if (choices_.one_in(4)) {
    const GeneratedTable* other = any_table(true);
    const std::string other_alias = new_alias();
    Scope right;
    add_table(right, other_alias, *other);
    text += fmt::format(" USING {} AS {}", other->name, other_alias);
    scope.columns.insert(scope.columns.end(), right.columns.begin(), right.columns.end());
  }
  text += " WHERE " + condition({&scope, nullptr, false, true}, 2);
  return {text + returning(*table, visible), {}, {}};
}

}  // namespace polarsim::scenarios::cli::test
