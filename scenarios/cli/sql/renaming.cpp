// RENAME of tables, views and their columns, indexes and constraints.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

GeneratedStatement StatementGenerator::rename_relation(const GeneratedTable& table) {
  const std::string name = table.name;
  // To a name that is taken, now and then.
  const bool taken = choices_.one_in(10);
  const std::string renamed = taken ? choices_.one_of(schema_.tables).own_name()
                                    : fmt::format("{}{}", table.is_view ? "v" : "r", schema_.made + 1);
  const char* const kind = table.is_view && choices_.percent(70) ? "VIEW" : "TABLE";
  return {fmt::format("ALTER {} {} RENAME TO {}", kind, name, renamed), {}, [name, renamed](GeneratedSchema& schema) {
            ++schema.made;
            const std::string after = beside(renamed, name);
            schema.find(name)->name = after;
            for (GeneratedIndex& index : schema.indexes) {
              if (index.table == name) index.table = after;
            }
          }};
}

GeneratedStatement StatementGenerator::rename_statement() {
  const GeneratedTable* table = any_table(true);
  if (table == nullptr) return create_table();
  const std::string name = table->name;
  switch (choices_.weighted(
      {40, table->is_view ? 40U : 0U, table->constraints.empty() ? 0U : 30U, schema_.indexes.empty() ? 0U : 30U})) {
    case 1: {
      const std::string column = choices_.one_of(table->columns).name;
      const std::string renamed = fmt::format("y{}", schema_.made + 1);
      return {fmt::format("ALTER VIEW {} RENAME COLUMN {} TO {}", name, column, renamed),
              {},
              [name, column, renamed](GeneratedSchema& schema) {
                ++schema.made;
                for (GeneratedColumn& each : schema.find(name)->columns) {
                  if (each.name == column) each.name = renamed;
                }
              }};
    }
    case 2: {
      const std::string constraint = choices_.one_of(table->constraints).name;
      const std::string renamed = fmt::format("k{}", schema_.made + 1);
      return {fmt::format("ALTER TABLE {} RENAME CONSTRAINT {} TO {}", name, constraint, renamed),
              {},
              [name, constraint, renamed](GeneratedSchema& schema) {
                ++schema.made;
                for (GeneratedConstraint& each : schema.find(name)->constraints) {
                  if (each.name == constraint) each.name = renamed;
                }
              }};
    }
    case 3: {
      const GeneratedIndex index = choices_.one_of(schema_.indexes);
      const std::string renamed = fmt::format("i{}", schema_.made + 1);
      return {fmt::format("ALTER {} {}{} RENAME TO {}", choices_.one_in(8) ? "TABLE" : "INDEX",
                          choices_.one_in(8) ? "IF EXISTS " : "", beside(index.name, index.table), renamed),
              {},
              [index, renamed](GeneratedSchema& schema) {
                ++schema.made;
                for (GeneratedIndex& each : schema.indexes) {
                  if (each.name == index.name) each.name = renamed;
                }
              }};
    }
    default:
      return rename_relation(*table);
  }
}

}  // namespace polarsim::scenarios::cli::test
