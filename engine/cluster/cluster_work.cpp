#include "engine/cluster/cluster_work.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <utility>

#include "engine/types/error.h"
#include "engine/types/quote.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

using catalog::Column;
using catalog::Definition;
using catalog::DefinitionPtr;
using catalog::Relation;
using catalog::RelationKind;
using distribution::Shard;
using distribution::TableDistribution;

// Rows of one INSERT, and the bytes after which it ends.
constexpr std::size_t rows_of_an_insert = 500;
constexpr std::size_t bytes_of_an_insert = std::size_t{1} << 18;

// dn2 before dn10, as a person who numbers nodes expects.
bool name_less(std::string_view a, std::string_view b) {
  const auto split = [](std::string_view name) {
    std::size_t end = name.size();
    while (end > 0 && std::isdigit(static_cast<unsigned char>(name[end - 1])) != 0) --end;
    return std::pair(name.substr(0, end), name.substr(end));
  };
  const auto [stem_a, number_a] = split(a);
  const auto [stem_b, number_b] = split(b);
  if (stem_a != stem_b) return stem_a < stem_b;
  if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
  return number_a < number_b;
}

// What rows have a value of that can be written: the positions of the columns.
std::vector<std::size_t> stored_columns(const Definition& table) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].dropped && table.columns[i].generated_text.empty()) positions.push_back(i);
  }
  return positions;
}

// Rows without any value cannot be told from each other, nor written as VALUES.
void require_stored_columns(const Definition& table) {
  if (!stored_columns(table).empty()) return;
  throw SqlError(sqlstate::feature_not_supported,
                 fmt::format("tables without columns cannot be distributed: {}", qualified_name(table)));
}

std::string column_names(const Definition& table) {
  std::string names;
  for (const std::size_t i : stored_columns(table))
    names += (names.empty() ? "" : ", ") + quote_identifier(table.columns[i].name);
  return names;
}

std::string select_statement(const Definition& table, const std::string& name) {
  return fmt::format("SELECT {} FROM {}", column_names(table), name);
}

ErrorFields told_fields(const char* severity, const char* sqlstate, std::string message) {
  ErrorFields fields;
  fields.severity = severity;
  fields.sqlstate = sqlstate;
  fields.message = std::move(message);
  return fields;
}

}  // namespace

// --- looking ---

DefinitionPtr ClusterWork::definition(RelationId id) const {
  const std::optional<Relation> found = cluster_.catalog().find(cluster_.transaction(), id);
  if (!found) throw SqlError(sqlstate::internal_error, fmt::format("could not open relation with OID {}", id));
  return found->description;
}

TableParts ClusterWork::parts(RelationId table) const {
  return table_parts(cluster_.catalog(), cluster_.transaction(), table);
}

std::vector<ClusterNode> ClusterWork::data_nodes() const {
  std::vector<ClusterNode> nodes = cluster_.nodes();
  std::erase_if(nodes, [](const ClusterNode& node) { return !node.holds_shards; });
  std::sort(nodes.begin(), nodes.end(), [](const ClusterNode& a, const ClusterNode& b) {
    if (a.name != b.name) return name_less(a.name, b.name);
    return a.port != b.port ? a.port < b.port : a.group < b.group;
  });
  return nodes;
}

std::vector<int> ClusterWork::all_groups() const {
  std::vector<int> groups;
  for (const ClusterNode& node : cluster_.nodes()) groups.push_back(node.group);
  return groups;
}

std::vector<int> ClusterWork::other_coordinators() const {
  std::vector<int> groups;
  for (const ClusterNode& node : cluster_.nodes()) {
    if (node.is_coordinator && node.group != cluster_.own_group()) groups.push_back(node.group);
  }
  return groups;
}

std::vector<TableKey> ClusterWork::keys_to(RelationId table) const {
  std::vector<TableKey> keys;
  for (const Relation& relation : cluster_.catalog().relations(cluster_.transaction())) {
    for (const catalog::ForeignKey& key : relation.description->foreign_keys) {
      if (key.referenced == table) keys.push_back({relation.id, key});
    }
  }
  return keys;
}

std::vector<Relation> ClusterWork::views_on(RelationId relation) const {
  std::vector<Relation> found;
  std::set<RelationId> reached{relation};
  // Views are made after what they use, but CREATE OR REPLACE VIEW may change what that is: until nothing is added.
  const std::vector<Relation> all = cluster_.catalog().relations(cluster_.transaction());
  for (bool grew = true; std::exchange(grew, false);) {
    for (const Relation& view : all) {
      const auto& uses = view.description->view.uses;
      if (view.description->kind != RelationKind::view || reached.contains(view.id)) continue;
      if (std::none_of(uses.begin(), uses.end(), [&reached](RelationId used) { return reached.contains(used); }))
        continue;
      reached.insert(view.id);
      found.push_back(view);
      grew = true;
    }
  }
  return found;
}

// --- running ---

void ClusterWork::here(const std::vector<std::string>& statements) const {
  for (const std::string& statement : statements) here(statement);
}

void ClusterWork::on_other_coordinators(const std::vector<std::string>& statements) const {
  std::vector<NodeCommand> commands;
  for (const int group : other_coordinators()) {
    for (const std::string& statement : statements) commands.push_back({group, statement, true});
  }
  if (!commands.empty()) cluster_.run_there(commands);
}

void ClusterWork::on_coordinators(const std::vector<std::string>& statements) const {
  here(statements);
  on_other_coordinators(statements);
}

namespace {

constexpr std::string_view dropped = "drop cascades to ";
constexpr std::string_view emptied = "truncate cascades to ";

// What a cascade took along, as the node told it: "drop cascades to view v" each.
std::vector<std::string> taken_along(const std::vector<ErrorFields>& notices) {
  std::vector<std::string> lines;
  for (const ErrorFields& notice : notices) {
    if (!notice.message.starts_with(dropped) && !notice.message.starts_with(emptied)) continue;
    // Several are in the detail, one a line.
    std::string_view rest = notice.detail.empty() ? std::string_view(notice.message) : std::string_view(notice.detail);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return lines;
}

}  // namespace

void ClusterWork::cascade_there(const std::vector<NodeCommand>& commands, const ToldHere& here) const {
  if (commands.empty()) return;
  // Names are told as they are found in the search path: by the same one, the same objects have the same names.
  std::string path;
  for (const std::string& schema : here.search_path) path += (path.empty() ? "" : ", ") + quote_identifier(schema);
  const std::string set_path = fmt::format("SET LOCAL search_path TO {}", path.empty() ? "''" : path);
  std::vector<NodeCommand> all;
  const std::vector<int> coordinators = other_coordinators();
  for (const int group : coordinators) all.push_back({group, set_path, false});
  all.insert(all.end(), commands.begin(), commands.end());
  for (const int group : coordinators) all.push_back({group, "SET LOCAL search_path TO DEFAULT", false});
  const std::vector<QueryResult> results = cluster_.run_there(all);
  std::set<std::string> told;
  for (const std::string& line : taken_along(here.notices)) told.insert(line);
  for (const ClusterNode& node : cluster_.nodes()) {
    if (!node.is_coordinator) continue;  // shards go with their tables
    std::vector<std::string> there;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].group != node.group) continue;
      for (const std::string& line : taken_along(results[i].notices)) {
        if (!told.contains(line)) there.push_back(line);
      }
    }
    if (there.empty()) continue;
    // DROP tells of several in one notice.
    if (there.size() == 1 || there.front().starts_with(emptied)) {
      for (const std::string& line : there) notice(fmt::format("{} on {}", line, node.name));
      continue;
    }
    ErrorFields several = told_fields("NOTICE", sqlstate::successful_completion,
                                      fmt::format("drop cascades to {} other objects on {}", there.size(), node.name));
    several.detail = fmt::format("{}", fmt::join(there, "\n"));
    cluster_.notice(std::move(several));
  }
}

void ClusterWork::run(const std::vector<NodeCommand>& commands) const {
  std::vector<NodeCommand> others;
  for (const NodeCommand& command : commands) {
    if (command.group == cluster_.own_group()) {
      cluster_.run_here(command.sql, command.writes);
    } else {
      others.push_back(command);
    }
  }
  if (!others.empty()) cluster_.run_there(others);
}

void ClusterWork::on_shards(const TableDistribution& table, const ShardText& text) const {
  std::vector<NodeCommand> commands;
  for (std::size_t i = 0; i < table.shards.size(); ++i) {
    const std::vector<std::string> statements = text(i, table.shards[i]);
    for (const int group : table.shards[i].groups) {
      for (const std::string& statement : statements) commands.push_back({group, statement, true});
    }
  }
  run(commands);
}

void ClusterWork::lock(const Definition& table, bool distributed) const {
  const std::string statement = fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", qualified_name(table));
  cluster_.run_here(statement, false);
  if (!distributed) return;
  std::vector<NodeCommand> commands;
  for (const int group : other_coordinators()) commands.push_back({group, statement, false});
  if (!commands.empty()) cluster_.run_there(commands);
}

// --- numbers ---

std::vector<std::int64_t> ClusterWork::new_shard_ids(std::size_t count) const {
  std::vector<std::int64_t> ids;
  if (const std::optional<std::int64_t> first = cluster_.take_shard_ids(count)) {
    for (std::size_t i = 0; i < count; ++i) ids.push_back(*first + static_cast<std::int64_t>(i));
    return ids;
  }
  const QueryResult numbers =
      here(fmt::format("SELECT pg_catalog.nextval('pg_catalog.pg_dist_shardid_seq'::regclass) FROM "
                       "pg_catalog.generate_series(1, {})",
                       count));
  for (const Row& row : numbers.rows) ids.push_back(row.at(0).as_integer());
  return ids;
}

int ClusterWork::new_colocation_id() const {
  const QueryResult number = here("SELECT pg_catalog.nextval('pg_catalog.pg_dist_colocationid_seq'::regclass)");
  return static_cast<int>(number.rows.at(0).at(0).as_integer());
}

// --- rows ---

std::vector<Row> ClusterWork::rows(const Definition& table) const {
  require_stored_columns(table);
  return look(select_statement(table, qualified_name(table))).rows;
}

std::vector<Row> ClusterWork::rows(const DistributedParts& table) const {
  const Definition& definition = *table.parts.table;
  require_stored_columns(definition);
  std::vector<Row> all;
  const auto take = [&all](QueryResult& result) {
    for (Row& row : result.rows) all.push_back(std::move(row));
  };
  std::vector<NodeCommand> commands;
  for (const Shard& shard : table.distribution.shards) {
    std::string statement = select_statement(definition, qualified_shard_name(definition, shard.id));
    const int group = shard.groups.at(0);
    if (group == cluster_.own_group()) {
      QueryResult result = look(statement);
      take(result);
    } else {
      commands.push_back({group, std::move(statement), false});
    }
  }
  if (commands.empty()) return all;
  for (QueryResult& result : cluster_.run_there(commands)) take(result);
  return all;
}

bool ClusterWork::is_empty(const DistributedParts& table) const {
  std::vector<NodeCommand> commands;
  for (const Shard& shard : table.distribution.shards) {
    const std::string statement =
        fmt::format("SELECT 1 FROM {} LIMIT 1", qualified_shard_name(*table.parts.table, shard.id));
    if (shard.groups.at(0) != cluster_.own_group()) {
      commands.push_back({shard.groups.at(0), statement, false});
    } else if (!look(statement).rows.empty()) {
      return false;
    }
  }
  if (commands.empty()) return true;
  const std::vector<QueryResult> results = cluster_.run_there(commands);
  return std::all_of(results.begin(), results.end(), [](const QueryResult& result) { return result.rows.empty(); });
}

bool ClusterWork::has_rows_here(const Definition& table) const {
  return !look(fmt::format("SELECT 1 FROM {} LIMIT 1", qualified_name(table))).rows.empty();
}

std::vector<std::string> ClusterWork::insert_statements(const Definition& table, const std::string& name,
                                                        const std::vector<const Row*>& rows, bool overriding) const {
  // Texts of values depend on no setting of the client's.
  CallContext context;
  context.session = cluster_.call_context().session;
  const std::vector<std::size_t> columns = stored_columns(table);
  const std::string head = fmt::format("INSERT INTO {} ({}){} VALUES ", name, column_names(table),
                                       overriding ? " OVERRIDING SYSTEM VALUE" : "");
  std::vector<std::string> statements;
  std::size_t room = 0;
  for (const Row* row : rows) {
    if (room == 0 || statements.back().size() > bytes_of_an_insert) {
      statements.push_back(head);
      room = rows_of_an_insert;
    } else {
      statements.back() += ", ";
    }
    --room;
    std::string& text = statements.back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Value& value = row->at(i);
      text += i == 0 ? "(" : ", ";
      text += value.is_null() ? "NULL" : quote_literal(output_value(value, table.columns[columns[i]].type.id, context));
    }
    text += ')';
  }
  return statements;
}

void ClusterWork::insert(const DistributedParts& table, const std::vector<Row>& rows) const {
  const Definition& definition = *table.parts.table;
  const TableDistribution& distribution = table.distribution;
  const std::vector<std::size_t> columns = stored_columns(definition);
  const auto column = std::find(columns.begin(), columns.end(), static_cast<std::size_t>(distribution.column) - 1);
  std::vector<std::vector<const Row*>> of_shard(distribution.shards.size());
  for (const Row& row : rows) {
    if (distribution.column == 0) {
      of_shard.at(0).push_back(&row);
      continue;
    }
    const Value& value = row.at(static_cast<std::size_t>(column - columns.begin()));
    if (value.is_null()) {
      throw SqlError(sqlstate::null_value_not_allowed,
                     fmt::format("the partition column of table {} cannot be NULL", qualified_name(definition)));
    }
    const std::optional<std::size_t> position = distribution::shard_position(distribution, value);
    if (!position) throw SqlError(sqlstate::internal_error, "could not find shard for partition column value");
    of_shard[*position].push_back(&row);
  }
  on_shards(distribution, [&](std::size_t i, const Shard& shard) {
    return insert_statements(definition, qualified_shard_name(definition, shard.id), of_shard[i], false);
  });
}

void ClusterWork::insert_here(const Definition& table, const std::vector<Row>& rows) const {
  std::vector<const Row*> pointers;
  for (const Row& row : rows) pointers.push_back(&row);
  here(insert_statements(table, qualified_name(table), pointers, true));
}

// --- telling ---

void ClusterWork::notice(std::string message) const {
  cluster_.notice(told_fields("NOTICE", sqlstate::successful_completion, std::move(message)));
}

void ClusterWork::warning(std::string message) const {
  cluster_.notice(told_fields("WARNING", sqlstate::warning, std::move(message)));
}

}  // namespace polarsim::engine::cluster
