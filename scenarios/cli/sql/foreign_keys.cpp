// REFERENCES: to which tables, and with what actions. Over a cluster mostly such as it takes: to reference tables, and
// to what lies together.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

bool can_refer(const GeneratedTable& table, const std::string& column, const GeneratedTable& parent) {
  if (parent.placement == Placement::reference) return true;
  if (parent.placement == Placement::local) return table.placement == Placement::local;
  // A table that is still to be made gets the placement that its references ask for.
  const bool open = table.placement == Placement::local;
  return parent.distribution_column == parent.keys.front().front() && (open || table.distribution_column == column);
}

}  // namespace

std::string StatementGenerator::reference(engine::Type type, const GeneratedTable& table, const std::string& column) {
  std::vector<std::string> keys;
  const bool any = choices_.one_in(12);
  for (const GeneratedTable& parent : schema_.tables) {
    if (parent.is_view || parent.keys.empty() || parent.keys.front().size() != 1) continue;
    if (clustered_ && !any && (!parent.placed || !can_refer(table, column, parent))) continue;
    for (const GeneratedColumn& key : parent.columns) {
      if (key.name == parent.keys.front().front() && key.type.id == type.id)
        keys.push_back(fmt::format("{} ({})", parent.name, key.name));
    }
  }
  if (keys.empty()) return "";
  static const std::vector<const char*> actions{"",
                                                " ON DELETE CASCADE",
                                                " ON DELETE SET NULL",
                                                " ON DELETE SET DEFAULT",
                                                " ON UPDATE CASCADE",
                                                " ON DELETE CASCADE ON UPDATE CASCADE",
                                                " ON DELETE RESTRICT",
                                                " ON UPDATE SET NULL",
                                                " MATCH FULL ON DELETE NO ACTION",
                                                " ON UPDATE SET DEFAULT"};
  const std::string& key = choices_.one_of(keys);
  return " REFERENCES " + key + choices_.one_of(actions);
}

}  // namespace polarsim::scenarios::cli::test
