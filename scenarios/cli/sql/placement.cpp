// Where a cluster keeps a table: in shards, on every node, or on the coordinator.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

// A table whose keys lead to shards has to lie together with these.
bool StatementGenerator::follow_references(GeneratedTable& table) {
  bool local = false;
  for (const GeneratedReference& each : table.references) {
    const GeneratedTable* parent = schema_.find(each.parent);
    if (parent == nullptr) continue;
    local = local || parent->placement == Placement::local;
    if (parent->placement != Placement::distributed) continue;
    table.placement = Placement::distributed;
    table.placed = false;
    table.distribution_column = each.column;
  }
  return !table.distribution_column.empty() || (local && choices_.percent(90));
}

void StatementGenerator::choose_placement(GeneratedTable& table) {
  if (!clustered_) return;
  const std::size_t dot = table.name.find('.');
  for (const GeneratedNamespace& each : schema_.namespaces) {
    if (each.distributed && dot != std::string::npos && table.name.starts_with(each.name + ".")) {
      table.placement = Placement::distributed;
      return;
    }
  }
  if (follow_references(table)) return;
  switch (choices_.weighted({60, 20, 20})) {
    case 0:
      break;
    case 1:
      table.placement = Placement::reference;
      table.placed = false;
      return;
    default:
      return;
  }
  table.placement = Placement::distributed;
  table.placed = false;
  // All of it in one shard.
  if (choices_.one_in(12)) return;
  if (table.has_primary_key && choices_.percent(95)) {
    table.distribution_column = table.keys.front().front();
    return;
  }
  const std::size_t from = choices_.below(table.columns.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const GeneratedColumn& column = table.columns[(from + i) % table.columns.size()];
    table.distribution_column = column.name;
    if (is_canonical(column.type)) return;
  }
}

GeneratedStatement StatementGenerator::place_table(const GeneratedTable& table) {
  std::string text = fmt::format("SELECT create_reference_table('{}')", table.name);
  if (table.placement == Placement::distributed) {
    static const std::vector<const char*> layouts{
        "", "", "", "", ", colocate_with => 'none'", ", shard_count => 3", ", shard_count => 1"};
    std::string layout = choices_.one_of(layouts);
    for (const GeneratedReference& each : table.references) {
      const GeneratedTable* parent = schema_.find(each.parent);
      if (parent != nullptr && parent->placement == Placement::distributed && each.column == table.distribution_column)
        layout = fmt::format(", colocate_with => '{}'", parent->name);
    }
    text = fmt::format("SELECT create_distributed_table('{}', '{}'{})", table.name, table.distribution_column, layout);
    if (table.distribution_column.empty())
      text = fmt::format("SELECT create_distributed_table('{}', NULL, colocate_with => '{}')", table.name,
                         choices_.one_in(3) ? "default" : "none");
  }
  const std::string name = table.name;
  GeneratedStatement statement{text, {}, [name](GeneratedSchema& schema) { schema.find(name)->placed = true; }};
  statement.cluster_only = true;
  statement.failure_effect = [name](GeneratedSchema& schema) {
    GeneratedTable& found = *schema.find(name);
    found.placed = true;
    found.placement = Placement::local;
    found.distribution_column.clear();
  };
  return statement;
}

// Of a table that may have rows.
GeneratedStatement StatementGenerator::change_placement() {
  const GeneratedTable* table = any_table(false);
  if (table == nullptr) return create_table();
  const std::string name = table->name;
  GeneratedStatement statement;
  statement.cluster_only = true;
  if (table->placement == Placement::local) {
    GeneratedTable placed = *table;
    choose_placement(placed);
    if (placed.placement == Placement::local) return select_statement();
    const Placement placement = placed.placement;
    const std::string column = placed.distribution_column;
    statement = place_table(placed);
    statement.effect = [name, placement, column](GeneratedSchema& schema) {
      GeneratedTable& found = *schema.find(name);
      found.placed = true;
      found.placement = placement;
      found.distribution_column = column;
    };
    statement.failure_effect = {};
    return statement;
  }
  if (table->placement == Placement::distributed && choices_.one_in(2)) {
    statement.text =
        fmt::format("SELECT alter_distributed_table('{}', shard_count => {})", name, 2 + choices_.below(4));
    return statement;
  }
  // With all that keys lead to and from.
  const bool cascades = choices_.one_in(3);
  statement.text =
      fmt::format("SELECT undistribute_table('{}'{})", name, cascades ? ", cascade_via_foreign_keys => true" : "");
  statement.effect = [name, cascades](GeneratedSchema& schema) {
    for (GeneratedTable& each : schema.tables) {
      if (each.name != name && !(cascades && !each.is_view && schema.leads_to(each, name))) continue;
      each.placed = true;
      each.placement = Placement::local;
      each.distribution_column.clear();
    }
  };
  return statement;
}

GeneratedStatement StatementGenerator::place_schema() {
  const GeneratedNamespace placed = choices_.one_of(schema_.namespaces);
  GeneratedStatement statement;
  statement.cluster_only = true;
  statement.text = fmt::format("SELECT polar_cluster_schema_{}('{}')",
                               placed.distributed ? "undistribute" : "distribute", placed.name);
  statement.effect = [placed](GeneratedSchema& schema) {
    for (GeneratedNamespace& each : schema.namespaces) {
      if (each.name == placed.name) each.distributed = !placed.distributed;
    }
    for (GeneratedTable& table : schema.tables) {
      if (table.is_view || !table.name.starts_with(placed.name + ".")) continue;
      table.placed = true;
      table.placement = placed.distributed ? Placement::local : Placement::distributed;
      table.distribution_column.clear();
    }
  };
  return statement;
}

}  // namespace polarsim::scenarios::cli::test
