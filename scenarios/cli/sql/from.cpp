// FROM: tables, subqueries, functions and joins, and the scope of columns that they make.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

constexpr double most_rows = 50'000;

}  // namespace

const GeneratedTable* StatementGenerator::any_table(bool views) {
  std::vector<const GeneratedTable*> tables;
  for (const GeneratedTable& table : schema_.tables) {
    if (views || !table.is_view) tables.push_back(&table);
  }
  return tables.empty() ? nullptr : choices_.one_of(tables);
}

void StatementGenerator::add_columns(Scope& scope, const std::string& alias, const std::vector<OutputColumn>& columns) {
  for (const OutputColumn& column : columns)
    scope.columns.push_back({alias, column.name, column.type, column.canonical, false});
  scope.keyed = false;
  scope.single_row = false;
}

void StatementGenerator::add_table(Scope& scope, const std::string& alias, const GeneratedTable& table) {
  for (const GeneratedColumn& column : table.columns) {
    const bool floating = column.type.id == T::float4 || column.type.id == T::float8;
    scope.columns.push_back({alias, column.name, column.type, is_canonical(column.type), floating && !table.is_view,
                             column.name == table.distribution_column});
  }
  scope.single_row = false;
  scope.keyed = scope.keyed && table.has_primary_key;
  if (!table.has_primary_key) return;
  for (const std::string& key : table.keys.front()) scope.keys.push_back(alias + "." + key);
}

// `lateral`: what stands before it, if it may use that.
std::string StatementGenerator::from_item(Scope& scope, const Scope* lateral, int depth) {
  const GeneratedTable* table = any_table(true);
  const std::size_t kind = choices_.weighted({60, depth > 0 ? 14U : 0U, common_tables_.empty() ? 0U : 14U, 8, 4});
  if (kind == 0 && table != nullptr) {
    const std::string alias = new_alias();
    add_table(scope, alias, *table);
    scope.rows = table->rows;
    return table->name + " AS " + alias;
  }
  if (kind == 2 && !common_tables_.empty()) {
    const CommonTable common = choices_.one_of(common_tables_);
    const std::string alias = new_alias();
    scope.rows = common.rows;
    add_columns(scope, alias, common.columns);
    return common.name + " AS " + alias;
  }
  if (kind == 1 && depth > 0) {
    const std::string alias = new_alias();
    const bool uses = lateral != nullptr && choices_.one_in(3);
    const Query inner = query(any_types(), uses ? lateral : nullptr, depth - 1, false);
    std::vector<OutputColumn> columns = inner.columns;
    std::string names;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].name = fmt::format("c{}", i + 1);
      names += (i == 0 ? "" : ", ") + columns[i].name;
    }
    add_columns(scope, alias, columns);
    scope.rows = inner.rows;
    return fmt::format("{}({}) AS {}({})", uses ? "LATERAL " : "", inner.text, alias, names);
  }
  return kind == 4 ? values_item(scope) : function_item(scope, lateral);
}

std::string StatementGenerator::joined(const Scope& left, const Scope& right, const std::string& left_text,
                                       const std::string& right_text) {
  static const std::vector<const char*> kinds{"JOIN",       "LEFT JOIN", "INNER JOIN",
                                              "RIGHT JOIN", "FULL JOIN", "LEFT OUTER JOIN"};
  const std::string kind = choices_.one_of(kinds);
  std::vector<std::string> shared;
  for (const ScopeColumn& column : left.columns) {
    const auto same = [&](const ScopeColumn& other) {
      return other.name == column.name && other.type.id == column.type.id;
    };
    if (std::ranges::any_of(right.columns, same)) shared.push_back(column.name);
  }
  const std::size_t form = choices_.weighted({60, 20, 10, shared.empty() ? 0U : 25U, 3});
  if (form == 2) return fmt::format("{} CROSS JOIN {}", left_text, right_text);
  if (form == 3 && !shared.empty())
    return fmt::format("{} {} {} USING ({})", left_text, kind, right_text, choices_.one_of(shared));
  if (form == 4) return fmt::format("{} NATURAL {} {}", left_text, kind, right_text);
  Scope both = left;
  both.columns.insert(both.columns.end(), right.columns.begin(), right.columns.end());
  both.single_row = false;
  std::string on;
  if (form == 1 && kind != "FULL JOIN") {
    on = condition({&both, nullptr, false, true}, 1);
  } else {
    // An equality over both sides, of a type that both have.
    std::vector<std::string> equal;
    std::vector<std::string> together;
    for (const ScopeColumn& column : left.columns) {
      for (const ScopeColumn& other : right.columns) {
        if (other.type.id != column.type.id || column.type.id == T::json) continue;
        equal.push_back(fmt::format("{} = {}", column.text(), other.text()));
        if (column.distributes && other.distributes) together.push_back(equal.back());
      }
    }
    if (!together.empty() && choices_.percent(80)) equal = together;
    on = equal.empty() ? "true" : choices_.one_of(equal);
    if (kind != "FULL JOIN" && choices_.one_in(5)) on += " AND " + condition({&both, nullptr, false, true}, 1);
  }
  return fmt::format("{} {} {} ON {}", left_text, kind, right_text, on);
}

// Empty if there is none: then the scope has one row and no columns.
std::string StatementGenerator::from_clause(Scope& scope, int depth) {
  const std::size_t count = choices_.weighted({12, 55, 25, 8});
  if (count == 0) return "";
  std::string text = from_item(scope, nullptr, depth);
  for (std::size_t i = 1; i < count; ++i) {
    const Scope before = scope;
    Scope item;
    item.outer = scope.outer;
    const bool as_join = choices_.percent(75);
    Scope visible = before;
    visible.outer = scope.outer;
    const std::string item_text = from_item(item, &visible, depth);
    // A few joins of views over joins would have millions of rows.
    if (scope.rows * item.rows > most_rows) break;
    scope.rows *= item.rows;
    text = as_join ? joined(before, item, text, item_text) : text + ", " + item_text;
    scope.columns.insert(scope.columns.end(), item.columns.begin(), item.columns.end());
    scope.keys.insert(scope.keys.end(), item.keys.begin(), item.keys.end());
    scope.keyed = scope.keyed && item.keyed;
    scope.single_row = false;
  }
  return " FROM " + text;
}

}  // namespace polarsim::scenarios::cli::test
