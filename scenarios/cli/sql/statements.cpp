// Which statement comes next.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

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
  switch (choices_.weighted({70, 26, 16, 10, executes})) {
    case 0:
      return select_statement();
    case 1:
      return changing_statement();
    case 2:
      return defining_statement(tables < 5);
    case 3:
      return session_statement();
    default:
      return choices_.one_in(8) ? deallocate_statement() : execute_statement();
  }
}

GeneratedStatement StatementGenerator::changing_statement() {
  switch (choices_.weighted({45, 30, 15, 4, 12})) {
    case 0:
      return insert_statement();
    case 1:
      return update_statement();
    case 2:
      return delete_statement();
    case 3:
      return truncate_statement();
    default:
      return copy_statement();
  }
}

GeneratedStatement StatementGenerator::defining_statement(bool more_tables) {
  switch (choices_.weighted({more_tables ? 12U : 0U, 12, 4, 8, 3, 16, 8, 8, 6, 10, clustered_ ? 5U : 0U})) {
    case 0:
      return create_table();
    case 1:
      return create_index();
    case 2:
      return drop_index();
    case 3:
      return create_view();
    case 4:
      return replace_view();
    case 5:
      return alter_table();
    case 6:
      return constraint_statement();
    case 7:
      return rename_statement();
    case 8:
      return drop_statement();
    case 9:
      return schema_statement();
    default:
      return clustered_ ? change_placement() : create_table();
  }
}

// What locks rows, counts, prepares, or sets what is the session's.
GeneratedStatement StatementGenerator::session_statement() {
  switch (choices_.weighted({30, 30, 25, 10})) {
    case 0:
      return locking_statement();
    case 1:
      return prepare_statement();
    case 2:
      return sequence_statement();
    default:
      return setting_statement();
  }
}

}  // namespace polarsim::scenarios::cli::test
