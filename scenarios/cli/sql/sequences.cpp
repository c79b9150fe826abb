// Sequences, their functions, and columns that count by them.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

std::string StatementGenerator::sequence_options(bool altered) {
  static const std::vector<const char*> types{" AS int", " AS smallint", " AS bigint", " AS text"};
  static const std::vector<const char*> increments{" INCREMENT 2", " INCREMENT BY -1", " INCREMENT BY 3",
                                                   " INCREMENT 1", " INCREMENT 0"};
  static const std::vector<const char*> minima{" MINVALUE 1", " MINVALUE -5", " NO MINVALUE", " MINVALUE 3",
                                               " MINVALUE 40000"};
  static const std::vector<const char*> maxima{" MAXVALUE 5", " NO MAXVALUE", " MAXVALUE 100", " MAXVALUE 2",
                                               " MAXVALUE 3000000000"};
  static const std::vector<const char*> starts{" START 1", " START WITH 3", " START WITH -2", " START 1000"};
  static const std::vector<const char*> restarts{" RESTART", " RESTART WITH 2", " RESTART 4", " RESTART WITH -1"};
  std::string text;
  if (choices_.one_in(4)) text += choices_.one_of(types);
  if (choices_.one_in(3)) text += choices_.one_of(increments);
  if (choices_.one_in(4)) text += choices_.one_of(minima);
  if (choices_.one_in(4)) text += choices_.one_of(maxima);
  if (choices_.one_in(4)) text += choices_.one_of(starts);
  if (altered && choices_.one_in(3)) text += choices_.one_of(restarts);
  if (choices_.one_in(4)) text += choices_.one_in(3) ? " NO CYCLE" : " CYCLE";
  if (choices_.one_in(12)) text += " CACHE 1";
  const GeneratedTable* owner = any_table(false);
  if (owner != nullptr && choices_.one_in(10))
    text += choices_.one_in(3) ? " OWNED BY NONE"
                               : fmt::format(" OWNED BY {}.{}", owner->name, choices_.one_of(owner->columns).name);
  return text;
}

GeneratedStatement StatementGenerator::create_sequence() {
  std::string name = fmt::format("q{}", schema_.made + 1);
  if (!schema_.namespaces.empty() && choices_.one_in(4)) name = choices_.one_of(schema_.namespaces).name + "." + name;
  return {fmt::format("CREATE SEQUENCE {}{}{}", choices_.one_in(8) ? "IF NOT EXISTS " : "", name,
                      choices_.one_in(3) ? "" : sequence_options(false)),
          {},
          [name](GeneratedSchema& schema) {
            ++schema.made;
            schema.sequences.push_back({name});
          }};
}

GeneratedStatement StatementGenerator::alter_sequence(const std::string& name) {
  if (choices_.one_in(4)) {
    const std::string renamed = fmt::format("q{}", schema_.made + 1);
    return {fmt::format("ALTER SEQUENCE {} RENAME TO {}", name, renamed), {}, [name, renamed](GeneratedSchema& schema) {
              ++schema.made;
              for (GeneratedSequence& each : schema.sequences) {
                if (each.name == name) each.name = beside(renamed, name);
              }
            }};
  }
  const std::string options = sequence_options(true);
  return {fmt::format("ALTER SEQUENCE {}{}{}", choices_.one_in(8) ? "IF EXISTS " : "", name,
                      options.empty() ? " RESTART" : options),
          {},
          {}};
}

GeneratedStatement StatementGenerator::drop_sequence(const std::string& name) {
  const bool cascade = choices_.one_in(3);
  return {fmt::format("DROP SEQUENCE {}{}{}", choices_.one_in(8) ? "IF EXISTS " : "", name, cascade ? " CASCADE" : ""),
          {},
          [name, cascade](GeneratedSchema& schema) {
            std::erase_if(schema.sequences, [&](const GeneratedSequence& each) { return each.name == name; });
            if (cascade) schema.forget_views();
          }};
}

GeneratedStatement StatementGenerator::call_sequence() {
  std::vector<std::string> names;
  for (const GeneratedSequence& sequence : schema_.sequences) names.push_back(sequence.name);
  for (const GeneratedTable& table : schema_.tables) {
    for (const GeneratedColumn& column : table.columns) {
      if (column.numbered) names.push_back(fmt::format("{}_{}_seq", table.name, column.name));
    }
  }
  if (names.empty()) return create_sequence();
  const std::string& name = choices_.one_of(names);
  static const std::vector<const char*> calls{
      "SELECT nextval('{0}')",
      "SELECT nextval('{0}'), currval('{0}'), lastval()",
      "SELECT currval('{0}')",
      "SELECT lastval()",
      "SELECT setval('{0}', {1})",
      "SELECT setval('{0}', {1}, false), nextval('{0}')",
      "SELECT setval('{0}', {1}, true), currval('{0}')",
      "SELECT nextval('{0}') FROM generate_series(1, {1})",
      "SELECT last_value, is_called FROM {0}",
      "SELECT start_value, min_value, max_value, increment_by, cycle, cache_size, last_value, data_type::text FROM "
      "pg_sequences WHERE sequencename = '{0}'",
      "SELECT nextval('{0}'::regclass) + nextval('{0}')",
      "SELECT currval('{0}') FROM (SELECT nextval('{0}')) AS t1",
      "SELECT setval('{0}', NULL), nextval(NULL)",
      "SELECT * FROM nextval('{0}')",
      "SELECT CASE WHEN false THEN nextval('{0}') END",
      "VALUES (nextval('{0}')), (nextval('{0}'))",
      "SELECT pg_get_serial_sequence('{2}', '{3}')",
      "SELECT sequence_name, data_type, start_value, minimum_value, maximum_value, increment, cycle_option FROM "
      "information_schema.sequences WHERE sequence_name = '{0}'"};
  const GeneratedTable* table = any_table(false);
  return {
      fmt::format(fmt::runtime(choices_.one_of(calls)), name, choices_.below(8), table == nullptr ? "" : table->name,
                  table == nullptr ? "" : choices_.one_of(table->columns).name),
      {},
      {}};
}

// A default by a sequence, or what becomes of an identity.
GeneratedStatement StatementGenerator::numbered_column() {
  const GeneratedTable* table = any_table(false);
  if (table == nullptr) return create_table();
  const std::string name = table->name;
  const GeneratedColumn column = choices_.one_of(table->columns);
  const std::string start = fmt::format("ALTER TABLE {} ALTER COLUMN {} ", name, column.name);
  const auto on_column = [name, column](auto change) {
    return [name, column, change](GeneratedSchema& schema) {
      for (GeneratedColumn& each : schema.find(name)->columns) {
        if (each.name == column.name) change(each);
      }
    };
  };
  switch (choices_.weighted({schema_.sequences.empty() ? 0U : 40U, 10, 10, 10})) {
    case 0:
      return {fmt::format("{}SET DEFAULT nextval('{}')", start,
                          schema_.sequences.empty() ? "nothing" : choices_.one_of(schema_.sequences).name),
              {},
              on_column([](GeneratedColumn& each) { each.numbered = true; })};
    case 1: {
      const bool always = choices_.one_in(2);
      return {fmt::format("{}ADD GENERATED {} AS IDENTITY{}", start, always ? "ALWAYS" : "BY DEFAULT",
                          choices_.one_in(3) ? " (START 7)" : ""),
              {},
              on_column([always](GeneratedColumn& each) {
                each.numbered = true;
                each.identity = true;
                each.writable = !always;
              })};
    }
    case 2:
      return {
          start + "DROP IDENTITY" + (choices_.one_in(4) ? " IF EXISTS" : ""), {}, on_column([](GeneratedColumn& each) {
            if (each.identity) each.writable = true;
            if (each.identity) each.numbered = false;
            each.identity = false;
          })};
    default:
      return {start + "DROP DEFAULT", {}, on_column([](GeneratedColumn& each) {
                if (!each.identity) each.numbered = false;
              })};
  }
}

GeneratedStatement StatementGenerator::sequence_statement() {
  if (schema_.sequences.empty() && choices_.percent(60)) return create_sequence();
  switch (choices_.weighted({55, 8, schema_.sequences.empty() ? 0U : 12U, schema_.sequences.empty() ? 0U : 4U, 14})) {
    case 0:
      return call_sequence();
    case 1:
      return create_sequence();
    case 2:
      return alter_sequence(choices_.one_of(schema_.sequences).name);
    case 3:
      return drop_sequence(choices_.one_of(schema_.sequences).name);
    default:
      return numbered_column();
  }
}

}  // namespace polarsim::scenarios::cli::test
