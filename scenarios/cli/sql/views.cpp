// CREATE VIEW, and OR REPLACE.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

const std::vector<const char*> column_names{"a", "b", "c", "d", "e", "f", "g"};

}  // namespace

GeneratedStatement StatementGenerator::create_view() {
  GeneratedTable view;
  view.name = fmt::format("v{}", schema_.made + 1);
  if (!schema_.namespaces.empty() && choices_.one_in(4))
    view.name = choices_.one_of(schema_.namespaces).name + "." + view.name;
  view.is_view = true;
  view.filled = true;
  const Query made = query(any_types(), nullptr, 1, false);
  view.rows = made.rows;
  std::string names;
  for (const OutputColumn& column : made.columns) {
    const std::string name = column_names[view.columns.size()];
    view.columns.push_back({name, column.type});
    names += (names.empty() ? "" : ", ") + name;
  }
  return {fmt::format("CREATE VIEW {} ({}) AS {}", view.name, names, made.text), {}, [view](GeneratedSchema& schema) {
            schema.tables.push_back(view);
            ++schema.made;
          }};
}

// By another query of mostly the same columns, and more after them.
GeneratedStatement StatementGenerator::replace_view() {
  std::vector<GeneratedTable> views;
  for (const GeneratedTable& table : schema_.tables) {
    if (table.is_view && table.columns.size() < column_names.size()) views.push_back(table);
  }
  if (views.empty()) return create_view();
  GeneratedTable view = choices_.one_of(views);
  std::vector<TypeId> types;
  for (const GeneratedColumn& column : view.columns) types.push_back(column.type.id);
  if (choices_.one_in(3)) types.push_back(any_type());
  if (choices_.one_in(10)) types.front() = any_type();
  // Not of other views, which might be of this one.
  std::vector<GeneratedTable> all = schema_.tables;
  schema_.forget_views();
  const Query made = query(types, nullptr, 1, false);
  schema_.tables = std::move(all);
  view.rows = made.rows;
  view.columns.clear();
  std::string names;
  for (const OutputColumn& column : made.columns) {
    view.columns.push_back({column_names[std::min(view.columns.size(), column_names.size() - 1)], column.type});
    names += (names.empty() ? "" : ", ") + view.columns.back().name;
  }
  return {fmt::format("CREATE OR REPLACE VIEW {} ({}) AS {}", view.name, names, made.text),
          {},
          [view](GeneratedSchema& schema) {
            if (GeneratedTable* found = schema.find(view.name)) *found = view;
          }};
}

}  // namespace polarsim::scenarios::cli::test
