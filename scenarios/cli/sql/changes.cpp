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

// What is kept in a column: small numbers, floats whose sums are exact.
std::string StatementGenerator::stored_value(const GeneratedColumn& column, const Place* place) {
  const bool exact = is_floating(column.type.id);
  if (has_parameters_ && parameters_.size() < 4 && choices_.percent(30)) {
    parameters_.push_back(column.type.id);
    return fmt::format("${}", parameters_.size());
  }
  if (!column.not_null && choices_.percent(12)) return "NULL";
  // Rows that were distributed lie in another order: which of them gets which number of a sequence is nobody's promise.
  const bool in_order = place == nullptr || !clustered_ || !column.numbered;
  if (choices_.percent(column.not_null ? 1 : 4) && in_order) return "DEFAULT";
  if (place != nullptr && !exact && choices_.percent(50)) {
    const std::string made = storable_number(column.type.id, value(column.type.id, *place, 1));
    // Which of several rows is refused first depends on the plan.
    return column.not_null ? fmt::format("COALESCE({}, {})", made, typed_literal(column.type.id, choices_, true))
                           : made;
  }
  if (choices_.percent(70)) return bare_literal(column.type.id, choices_, true);
  return typed_literal(column.type.id, choices_, true);
}

// `only_own`: several rows of another table may have met the same row, and which of them it is, is not determined.
std::string StatementGenerator::returning(const GeneratedTable& table, const std::string& alias, bool only_own) {
  if (!choices_.percent(35)) return "";
  if (choices_.one_in(3)) return only_own ? fmt::format(" RETURNING {}.*", alias) : " RETURNING *";
  Scope scope;
  add_table(scope, alias, table);
  Query query;
  return " RETURNING " + targets(query, any_types(), {&scope, nullptr, false, false}, 1);
}

GeneratedStatement StatementGenerator::insert_statement() {
  const GeneratedTable* table = any_table(choices_.one_in(30));
  if (table == nullptr) return create_table();
  std::vector<const GeneratedColumn*> columns;
  for (const GeneratedColumn& column : table->columns) {
    if (choices_.percent(!column.writable  ? (column.identity ? 30 : 3)
                         : column.numbered ? 25
                         : column.not_null ? 98
                                           : 85))
      columns.push_back(&column);
  }
  std::string text = "INSERT INTO " + table->name;
  const std::string name = table->name;
  if (columns.empty()) {
    text += " DEFAULT VALUES";
  } else {
    std::string names;
    bool numbers = choices_.one_in(40);
    for (const GeneratedColumn* column : columns) {
      names += (names.empty() ? "" : ", ") + column->name;
      numbers = numbers || column->identity;
    }
    static const std::vector<const char*> overridings{"", " OVERRIDING SYSTEM VALUE", " OVERRIDING SYSTEM VALUE",
                                                      " OVERRIDING USER VALUE"};
    const std::string overriding = numbers ? choices_.one_of(overridings) : "";
    text += " (" + names + ")" + overriding;
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
  text += assignments(*table, place) + from;
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
  const bool uses = choices_.one_in(4);
  if (uses) {
    const GeneratedTable* other = any_table(true);
    const std::string other_alias = new_alias();
    Scope right;
    add_table(right, other_alias, *other);
    text += fmt::format(" USING {} AS {}", other->name, other_alias);
    scope.columns.insert(scope.columns.end(), right.columns.begin(), right.columns.end());
  }
  text += " WHERE " + condition({&scope, nullptr, false, true}, 2);
  return {text + returning(*table, visible, uses), {}, {}};
}

}  // namespace polarsim::scenarios::cli::test
