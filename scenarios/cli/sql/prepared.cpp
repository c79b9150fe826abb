// PREPARE, EXECUTE, DEALLOCATE.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

}  // namespace

GeneratedStatement StatementGenerator::prepare_statement() {
  has_parameters_ = true;
  GeneratedStatement made;
  switch (choices_.weighted({50, 15, 15, 20, 5})) {
    case 0:
      made = select_statement();
      break;
    case 1:
      made = update_statement();
      break;
    case 3:
      made = insert_statement();
      break;
    case 4:
      made = locking_statement();
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

GeneratedStatement StatementGenerator::deallocate_statement() {
  if (choices_.one_in(6))
    return {choices_.one_in(2) ? "DEALLOCATE ALL" : "DEALLOCATE PREPARE ALL", {}, [](GeneratedSchema& schema) {
              schema.prepared.clear();
            }};
  // What is gone is executed sometimes, which fails.
  const std::string name = choices_.one_of(schema_.prepared).name;
  const bool forgotten = !choices_.one_in(5);
  return {fmt::format("DEALLOCATE {}{}", choices_.one_in(2) ? "PREPARE " : "", name),
          {},
          [name, forgotten](GeneratedSchema& schema) {
            if (!forgotten) return;
            std::erase_if(schema.prepared, [&](const PreparedStatement& each) { return each.name == name; });
          }};
}

}  // namespace polarsim::scenarios::cli::test
