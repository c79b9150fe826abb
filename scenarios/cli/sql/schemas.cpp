// Schemas, what moves between them, and the search path.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

GeneratedStatement StatementGenerator::move_to_schema() {
  const GeneratedTable* table = any_table(true);
  if (table == nullptr) return create_table();
  const std::string target = choices_.one_in(4) ? "public" : choices_.one_of(schema_.namespaces).name;
  if (!schema_.sequences.empty() && choices_.one_in(4)) {
    const std::string name = choices_.one_of(schema_.sequences).name;
    return {fmt::format("ALTER SEQUENCE {} SET SCHEMA {}", name, target), {}, [name, target](GeneratedSchema& schema) {
              for (GeneratedSequence& each : schema.sequences) {
                if (each.name != name) continue;
                const std::string own = name.substr(name.find('.') + 1);
                each.name = target == "public" ? own : target + "." + own;
              }
            }};
  }
  const std::string name = table->name;
  const std::string after = target == "public" ? table->own_name() : target + "." + table->own_name();
  return {fmt::format("ALTER {} {} SET SCHEMA {}", table->is_view ? "VIEW" : "TABLE", name, target),
          {},
          [name, after](GeneratedSchema& schema) {
            schema.find(name)->name = after;
            for (GeneratedIndex& index : schema.indexes) {
              if (index.table == name) index.table = after;
            }
          }};
}

GeneratedStatement StatementGenerator::drop_schema() {
  const std::string name = choices_.one_of(schema_.namespaces).name;
  static const std::vector<const char*> forms{"DROP SCHEMA {}", "DROP SCHEMA {} CASCADE", "DROP SCHEMA IF EXISTS {}",
                                              "DROP SCHEMA {} RESTRICT"};
  return {fmt::format(fmt::runtime(choices_.one_of(forms)), name), {}, [name](GeneratedSchema& schema) {
            const std::string within = name + ".";
            std::erase_if(schema.namespaces, [&](const GeneratedNamespace& each) { return each.name == name; });
            std::erase_if(schema.tables, [&](const GeneratedTable& each) { return each.name.starts_with(within); });
            std::erase_if(schema.sequences,
                          [&](const GeneratedSequence& each) { return each.name.starts_with(within); });
            std::erase_if(schema.indexes, [&](const GeneratedIndex& each) { return each.table.starts_with(within); });
            schema.forget_views();
          }};
}

GeneratedStatement StatementGenerator::search_path_statement() {
  static const std::vector<const char*> forms{"SET search_path TO {0}, public",
                                              "SHOW search_path",
                                              "SELECT current_schema, current_schemas(false)",
                                              "SET LOCAL search_path = {0}, public",
                                              "SET search_path TO public, {0}",
                                              "SET search_path TO DEFAULT",
                                              "RESET search_path",
                                              "SELECT set_config('search_path', '{0}, public', {1})",
                                              "SELECT to_regclass('{2}')::text, to_regclass('{0}.nothing') IS NULL",
                                              "SELECT '{2}'::regclass::text, '{0}'::regnamespace::text",
                                              "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = '{0}'",
                                              "SELECT * FROM {2}"};
  const GeneratedTable* table = any_table(true);
  // A table of a schema, by its name alone: the path tells whether it is found.
  const std::string name = table == nullptr ? "nothing" : choices_.one_in(2) ? table->own_name() : table->name;
  return {fmt::format(fmt::runtime(choices_.one_of(forms)), choices_.one_of(schema_.namespaces).name,
                      choices_.one_in(2) ? "true" : "false", name),
          {},
          {}};
}

GeneratedStatement StatementGenerator::schema_statement() {
  const std::string made = fmt::format("s{}", schema_.made + 1);
  if (schema_.namespaces.empty() || (schema_.namespaces.size() < 3 && choices_.one_in(8))) {
    static const std::vector<const char*> forms{"CREATE SCHEMA {}", "CREATE SCHEMA IF NOT EXISTS {}",
                                                "CREATE SCHEMA {} AUTHORIZATION CURRENT_USER"};
    return {fmt::format(fmt::runtime(choices_.one_of(forms)), made), {}, [made](GeneratedSchema& schema) {
              ++schema.made;
              schema.namespaces.push_back({made});
            }};
  }
  switch (choices_.weighted({40, 40, clustered_ ? 20U : 0U, 7, 7})) {
    case 0:
      return search_path_statement();
    case 1:
      return move_to_schema();
    case 2:
      return place_schema();
    case 3:
      return drop_schema();
    default: {
      const std::string name = choices_.one_of(schema_.namespaces).name;
      return {fmt::format("ALTER SCHEMA {} RENAME TO {}", name, made), {}, [name, made](GeneratedSchema& schema) {
                ++schema.made;
                const auto renamed = [&](std::string& each) {
                  if (each.starts_with(name + ".")) each = made + each.substr(name.size());
                };
                for (GeneratedNamespace& each : schema.namespaces) {
                  if (each.name == name) each.name = made;
                }
                for (GeneratedTable& each : schema.tables) renamed(each.name);
                for (GeneratedSequence& each : schema.sequences) renamed(each.name);
                for (GeneratedIndex& each : schema.indexes) renamed(each.table);
              }};
    }
  }
}

}  // namespace polarsim::scenarios::cli::test
