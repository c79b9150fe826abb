// REFERENCES: to which tables, and with what actions. Over a cluster mostly such as it takes: to reference tables, and
// to what lies together.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

// `open`: of a table that is still to be made, which gets the placement that its references ask for.
bool can_refer(const GeneratedTable& table, const std::string& column, const GeneratedTable& parent, bool open) {
  if (parent.placement == Placement::reference) return true;
  if (parent.placement == Placement::local) return table.placement == Placement::local;
  if (parent.distribution_column != parent.keys.front().front()) return false;
  return open ? !table.has_primary_key || column == "id" : table.distribution_column == column;
}

}  // namespace

std::string StatementGenerator::reference(engine::Type type, const GeneratedTable& table, const std::string& column) {
  struct Key {
    std::string text;
    bool in_shards = false;
  };
  std::vector<Key> keys;
  const bool any = choices_.one_in(20);
  const bool open = schema_.find(table.name) == nullptr && table.references.empty();
  for (const GeneratedTable& parent : schema_.tables) {
    if (parent.is_view || parent.keys.empty() || parent.keys.front().size() != 1) continue;
    if (clustered_ && !any && (!parent.placed || !can_refer(table, column, parent, open))) continue;
    for (const GeneratedColumn& key : parent.columns) {
      if (key.name == parent.keys.front().front() && key.type.id == type.id)
        keys.push_back({fmt::format("{} ({})", parent.name, key.name), parent.placement == Placement::distributed});
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
  // Distribution columns do not change.
  static const std::vector<const char*> actions_of_shards{"", " ON DELETE CASCADE", " ON DELETE RESTRICT",
                                                          " MATCH FULL"};
  const Key& key = choices_.one_of(keys);
  return " REFERENCES " + key.text + choices_.one_of(key.in_shards && !any ? actions_of_shards : actions);
}

}  // namespace polarsim::scenarios::cli::test
