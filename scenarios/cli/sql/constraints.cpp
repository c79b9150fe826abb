// Constraints that are added to a table, validated, dropped.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

GeneratedStatement StatementGenerator::add_constraint(const GeneratedTable& table) {
  const std::string name = fmt::format("k{}", schema_.made + 1);
  const std::string start = fmt::format("ALTER TABLE {} ADD CONSTRAINT {} ", table.name, name);
  const std::string altered = table.name;
  GeneratedStatement made;
  bool is_key = false;
  std::vector<std::string> key;
  switch (choices_.weighted({40, 35, 25})) {
    case 1: {
      const GeneratedColumn& column = choices_.one_of(table.columns);
      const std::string referenced = reference(column.type, table, column.name);
      if (!referenced.empty()) made.text = fmt::format("{}FOREIGN KEY ({}){}", start, column.name, referenced);
      break;
    }
    case 2: {
      is_key = true;
      key.push_back(choices_.one_of(table.columns).name);
      const std::string& needed = table.distribution_column;
      if (!needed.empty() && needed != key.front() && choices_.percent(90)) key.push_back(needed);
      made.text = fmt::format("{}{} ({})", start, choices_.one_in(4) ? "PRIMARY KEY" : "UNIQUE", fmt::join(key, ", "));
      break;
    }
    default:
      break;
  }
  if (made.text.empty()) {
    Scope scope;
    scope.single_row = false;
    for (const GeneratedColumn& other : table.columns)
      scope.columns.push_back({"", other.name, other.type, false, false});
    made.text = fmt::format("{}CHECK ({})", start, condition({&scope, nullptr, false, false}, 1));
  }
  if (!is_key && choices_.one_in(3)) made.text += " NOT VALID";
  made.effect = [altered, name, is_key, key](GeneratedSchema& schema) {
    ++schema.made;
    GeneratedTable* found = schema.find(altered);
    found->checked = true;
    found->constraints.push_back({name, is_key});
    if (is_key && !found->keys.empty()) found->keys.push_back(key);
  };
  return made;
}

GeneratedStatement StatementGenerator::constraint_statement() {
  const GeneratedTable* table = any_table(false);
  if (table == nullptr) return create_table();
  if (table->constraints.empty() || choices_.one_in(3)) return add_constraint(*table);
  const std::string name = table->name;
  const GeneratedConstraint constraint = choices_.one_of(table->constraints);
  const std::string start = "ALTER TABLE " + name + " ";
  if (choices_.one_in(2)) return {start + "VALIDATE CONSTRAINT " + constraint.name, {}, {}};
  const bool exists = !choices_.one_in(10);
  const std::string text =
      fmt::format("{}DROP CONSTRAINT {}{}{}", start, exists && choices_.one_in(2) ? "" : "IF EXISTS ",
                  exists ? constraint.name : "nothing", choices_.one_in(3) ? " CASCADE" : "");
  return {text, {}, [name, constraint, exists](GeneratedSchema& schema) {
            if (!exists) return;
            GeneratedTable* found = schema.find(name);
            std::erase_if(found->constraints,
                          [&](const GeneratedConstraint& each) { return each.name == constraint.name; });
            // Which of the keys it was is not known.
            if (!constraint.is_key) return;
            found->keys.resize(std::min<std::size_t>(found->keys.size(), found->has_primary_key ? 1 : 0));
          }};
}

}  // namespace polarsim::scenarios::cli::test
