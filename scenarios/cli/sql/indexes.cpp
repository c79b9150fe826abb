// CREATE INDEX, DROP INDEX.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

GeneratedStatement StatementGenerator::create_index() {
  const GeneratedTable* table = any_table(choices_.one_in(40));
  if (table == nullptr) return create_table();
  const std::string name = table->name;
  const std::string index = fmt::format("i{}", schema_.made + 1);
  const bool unique = choices_.one_in(4);
  Scope scope;
  scope.single_row = false;
  for (const GeneratedColumn& other : table->columns)
    scope.columns.push_back({"", other.name, other.type, false, false});
  const Place place{&scope, nullptr, false, false};
  std::vector<std::string> key;
  std::string list;
  std::string target;  // as ON CONFLICT says it
  bool plain = true;
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    const GeneratedColumn& column = choices_.one_of(table->columns);
    if (choices_.one_in(5)) {
      const std::string expression =
          fmt::format("{}({})", list.empty() ? "" : ", ", value(canonical_type(), place, 1, false));
      list += expression;
      target += expression;
      plain = false;
      continue;
    }
    key.push_back(column.name);
    const std::string term = (list.empty() ? "" : ", ") + column.name;
    target += term;
    list += term + (choices_.one_in(5) ? " DESC" : "");
  }
  const std::string& needed = table->distribution_column;
  if (unique && !needed.empty() && std::ranges::find(key, needed) == key.end() && choices_.percent(90)) {
    key.push_back(needed);
    list += ", " + needed;
    target += ", " + needed;
  }
  std::string text = fmt::format("CREATE {}INDEX {}{} ON {} ({})", unique ? "UNIQUE " : "",
                                 choices_.one_in(12) ? "IF NOT EXISTS " : "", index, name, list);
  if (choices_.one_in(6)) text += fmt::format(" INCLUDE ({})", choices_.one_of(table->columns).name);
  target = "(" + target + ")";
  if (choices_.one_in(6)) {
    const std::string where = " WHERE " + condition(place, 1);
    text += where;
    target += where;
    plain = false;
  }
  return {text, {}, [name, index, key, target, unique, plain](GeneratedSchema& schema) {
            ++schema.made;
            schema.indexes.push_back({index, name});
            GeneratedTable* found = schema.find(name);
            if (!unique || found == nullptr) return;
            if (plain && !key.empty() && found->has_primary_key) found->keys.push_back(key);
            if (!plain) found->conflict_targets.push_back(target);
          }};
}

GeneratedStatement StatementGenerator::drop_index() {
  if (schema_.indexes.empty()) return create_index();
  const GeneratedIndex index = choices_.one_of(schema_.indexes);
  // That of a key, now and then, which its constraint needs.
  const std::string name =
      beside(choices_.one_in(10) ? index.table.substr(index.table.find('.') + 1) + "_pkey" : index.name, index.table);
  static const std::vector<const char*> forms{"DROP INDEX {}", "DROP INDEX IF EXISTS {}", "DROP INDEX {} CASCADE",
                                              "DROP INDEX {} RESTRICT"};
  return {fmt::format(fmt::runtime(choices_.one_of(forms)), name), {}, [index](GeneratedSchema& schema) {
            std::erase_if(schema.indexes, [&](const GeneratedIndex& each) { return each.name == index.name; });
            GeneratedTable* found = schema.find(index.table);
            if (found == nullptr) return;
            found->conflict_targets.clear();
            found->keys.resize(std::min<std::size_t>(found->keys.size(), found->has_primary_key ? 1 : 0));
          }};
}

}  // namespace polarsim::scenarios::cli::test
