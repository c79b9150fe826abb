// docs/sql.md against the engine. Its lists (between "<!-- NAME -->" and "<!-- end -->") are what the engine's tables
// say, and POLARSIM_UPDATE_SQL_PAGE=1 in the environment writes them anew. Its examples are the lines of blocks "```sql
// node" and "```sql cluster", which a node and a cluster answer, and of "```sql node refuses" and "```sql cluster
// refuses", which fail with the SQLSTATE that the comment behind them begins with. Each block is a database of its own.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "engine/cluster/cluster_calls.h"
#include "engine/query/refused_functions.h"
#include "engine/types/cast.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "scenarios/sql/cluster_connection.h"
#include "scenarios/sql/node_connection.h"

namespace polarsim::scenarios::cli::test {
namespace {

using namespace engine;

constexpr const char* page_path = "docs/sql.md";
constexpr std::size_t width_max = 150;

using Lines = std::vector<std::string>;
// What belongs to a name, in order.
using Entries = std::map<std::string, std::set<std::string>>;

Lines read_page() {
  std::ifstream file(page_path);
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.empty()) throw std::runtime_error(std::string("there is nothing in ") + page_path);
  return lines;
}

// --- the lists ---

std::string display(TypeId type) { return type == TypeId::none ? "" : type_name(type); }

// "name: entry entry", broken into lines that are not too long.
Lines written(const Entries& entries) {
  Lines lines{"```"};
  for (const auto& [name, each] : entries) {
    std::string line = name;
    for (const std::string& entry : each) {
      if (line.size() + entry.size() + 1 > width_max) {
        lines.push_back(line);
        line = "   ";
      }
      line += " " + entry;
    }
    lines.push_back(line);
  }
  lines.push_back("```");
  return lines;
}

std::string signature(const FunctionEntry& function) {
  std::string text;
  for (std::size_t i = 0; i < function.arguments.size(); ++i) {
    const bool last = i + 1 == function.arguments.size();
    text += i == 0 ? "" : ", ";
    if (i > 0 && i == function.direct_arguments && function.aggregate_kind == AggregateKind::ordered_set)
      text += "ORDER BY ";
    if (i == 0 && function.direct_arguments == 0 && function.aggregate_kind == AggregateKind::ordered_set)
      text += "ORDER BY ";
    if (last && function.variadic) text += "VARIADIC ";
    text += display(function.arguments[i]);
    if (i + function.defaults.size() >= function.arguments.size())
      text += fmt::format(" = {}", function.defaults[i + function.defaults.size() - function.arguments.size()]);
  }
  return "(" + text + ")";
}

// The functions that compute operators have names, too (int4pl); they are not listed.
std::set<std::string> names_behind_operators() {
  std::set<std::string> names;
  for (const OperatorEntry& entry : all_operators()) names.insert(entry.function_name);
  return names;
}

Lines functions(const std::function<bool(const FunctionEntry&)>& wanted) {
  Entries entries;
  for (const FunctionEntry& function : all_functions()) {
    if (wanted(function)) entries[function.name].insert(signature(function));
  }
  return written(entries);
}
Lines functions_of_kind(FunctionKind kind) {
  const std::set<std::string> behind = names_behind_operators();
  return functions(
      [&](const FunctionEntry& function) { return function.kind == kind && !behind.contains(function.name); });
}

Lines refused_functions() {
  Entries entries;
  for (const query::RefusedFunctions& each : query::refused_functions()) {
    for (const std::string_view name : each.names) {
      EXPECT_TRUE(functions_named(std::string(name)).empty()) << name << " is there";
      entries[fmt::format("{}:", each.part)].insert(std::string(name));
    }
  }
  return written(entries);
}

Lines types() {
  Entries entries;
  for (const TypeInfo& type : all_types()) {
    // Arrays have a name of their own, with an underscore, and are told with their elements.
    if (std::string(type.name).starts_with('_') || is_pseudo_type(type.id)) continue;
    auto& entry = entries[fmt::format("{}:", type.display_name)];
    entry.insert(type.name);
    if (type.array != TypeId::none) entry.insert(type_info(type.array).name);
  }
  return written(entries);
}

Lines operators() {
  Entries entries;
  for (const OperatorEntry& entry : all_operators()) {
    const std::string left = entry.left == TypeId::none ? "" : display(entry.left) + ", ";
    entries[entry.symbol].insert(fmt::format("({}{})", left, display(entry.right)));
  }
  return written(entries);
}

Lines casts() {
  Entries entries;
  for (const CastEntry& cast : all_casts())
    entries[display(cast.source) + ":"].insert(
        fmt::format("{}({})", display(cast.target), static_cast<char>(cast.context)));
  return written(entries);
}

Lines cluster_functions() {
  Entries entries;
  for (const cluster::ClusterFunction& function : cluster::cluster_functions()) {
    std::string text;
    for (const auto& parameter : function.parameters) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", parameter.name, display(parameter.type));
      if (parameter.has_default)
        text += fmt::format(" = {}", parameter.default_text == nullptr ? "NULL" : parameter.default_text);
    }
    entries[function.name].insert("(" + text + ")");
  }
  return written(entries);
}

// Of one column: a line each, or by the first of two columns.
Lines asked(sql::Connection& connection, const std::string& query) {
  const sql::Answer answer = connection.run(query);
  if (answer.error) throw std::runtime_error(query + ": " + sql::to_string(*answer.error));
  Entries entries;
  for (const sql::AnswerRow& row : answer.rows) {
    auto& entry = entries[row.at(0).value_or("")];
    if (row.size() > 1) entry.insert(row[1].value_or(""));
  }
  return written(entries);
}

Lines list_of(const std::string& name) {
  if (name == "types") return types();
  if (name == "functions") return functions_of_kind(FunctionKind::scalar);
  if (name == "refused functions") return refused_functions();
  if (name == "set-returning functions") return functions_of_kind(FunctionKind::set);
  if (name == "aggregates") return functions_of_kind(FunctionKind::aggregate);
  if (name == "window functions") return functions_of_kind(FunctionKind::window);
  if (name == "operators") return operators();
  if (name == "casts") return casts();
  if (name == "cluster functions") return cluster_functions();
  static const auto coordinator = sql::make_cluster_connection();
  if (name == "settings") {
    const sql::Answer all = coordinator->run("SHOW ALL");
    Entries entries;
    for (const sql::AnswerRow& row : all.rows) entries[*row.at(0)] = {"= " + row.at(1).value_or("")};
    // The clusters of tests have fewer shards.
    const sql::Answer shards =
        coordinator->run("SELECT name, boot_val FROM pg_settings WHERE name = 'polar_cluster.shard_count'");
    for (const sql::AnswerRow& row : shards.rows) entries[*row.at(0)] = {"= " + row.at(1).value_or("")};
    return written(entries);
  }
  if (name == "catalogs") {
    return asked(*coordinator,
                 "SELECT nspname || CASE relkind WHEN 'v' THEN ' views:' ELSE ' tables:' END, relname FROM pg_class "
                 "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'v') AND nspname IN "
                 "('pg_catalog', 'information_schema')");
  }
  throw std::runtime_error(std::string(page_path) + " has a list of unknown name: " + name);
}

// "<!-- types -->": its name; empty for any other line.
std::string list_begun(const std::string& line) {
  if (!line.starts_with("<!-- ") || !line.ends_with(" -->") || line == "<!-- end -->") return "";
  return line.substr(5, line.size() - 9);
}

TEST(SqlPage, ListsWhatTheEngineHas) {
  const bool update = std::getenv("POLARSIM_UPDATE_SQL_PAGE") != nullptr;
  const Lines page = read_page();
  Lines updated;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < page.size(); ++i) {
    updated.push_back(page[i]);
    const std::string name = list_begun(page[i]);
    if (name.empty()) continue;
    seen.insert(name);
    Lines old;
    while (++i < page.size() && page[i] != "<!-- end -->") old.push_back(page[i]);
    ASSERT_LT(i, page.size()) << "the list of " << name << " has no end";
    const Lines now = list_of(name);
    updated.insert(updated.end(), now.begin(), now.end());
    updated.push_back(page[i]);
    if (update) continue;
    for (const std::string& line : now)
      EXPECT_TRUE(std::ranges::find(old, line) != old.end()) << name << " lack: " << line;
    for (const std::string& line : old)
      EXPECT_TRUE(std::ranges::find(now, line) != now.end()) << name << " have what the engine does not: " << line;
    EXPECT_EQ(old.size(), now.size()) << name;
  }
  const std::set<std::string> wanted{"types",      "functions",         "set-returning functions",
                                     "aggregates", "window functions",  "operators",
                                     "casts",      "cluster functions", "settings",
                                     "catalogs",   "refused functions"};
  EXPECT_EQ(seen, wanted);
  if (!update) return;
  std::ofstream file(page_path);
  for (const std::string& line : updated) file << line << "\n";
}

// The catalogs of a node tell the same as the engine's tables.
TEST(SqlPage, ListsWhatTheCatalogsTell) {
  const auto node = sql::make_node_connection();
  const auto count = [&](const std::string& what) {
    return std::stoul(node->run("SELECT count(*) FROM " + what).rows.at(0).at(0).value_or("0"));
  };
  EXPECT_EQ(count("pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'p')"),
            all_types().size());
  EXPECT_EQ(count("pg_operator"), all_operators().size());
  EXPECT_EQ(count("pg_cast"), all_casts().size());
  std::set<std::string> ours;
  for (const FunctionEntry& function : all_functions()) {
    const std::string name = function.name;
    if (name.find('.') == std::string::npos) ours.insert(name);
  }
  std::set<std::string> theirs;
  for (const sql::AnswerRow& row : node->run("SELECT DISTINCT proname FROM pg_proc").rows) theirs.insert(*row.at(0));
  for (const std::string& name : ours) EXPECT_TRUE(theirs.contains(name)) << name << " is not in pg_proc";
}

// --- the examples ---

struct Example {
  std::size_t line = 0;
  std::string statement;
  std::string comment;
};
struct Block {
  std::string kind;  // "node", "cluster refuses"
  std::size_t line = 0;
  std::vector<Example> examples;
};

std::vector<Block> blocks_of(const Lines& page) {
  static constexpr std::string_view begin = "```sql ";
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < page.size(); ++i) {
    if (!page[i].starts_with(begin)) continue;
    Block& block = blocks.emplace_back();
    block.kind = page[i].substr(begin.size());
    block.line = i + 1;
    std::string statement;
    for (++i; i < page.size() && page[i] != "```"; ++i) {
      const std::size_t end = page[i].find(";  -- ");
      statement += (statement.empty() ? "" : "\n") + page[i].substr(0, end);
      if (end == std::string::npos) continue;
      block.examples.push_back({i + 1, std::exchange(statement, ""), page[i].substr(end + 6)});
    }
    if (!statement.empty())
      throw std::runtime_error(fmt::format("{}:{}: expected \";  -- what it shows\"", page_path, i));
  }
  return blocks;
}

void expect_examples(const Block& block) {
  const bool refuses = block.kind.ends_with(" refuses");
  const std::string place = block.kind.substr(0, block.kind.find(' '));
  ASSERT_TRUE(block.kind == place || refuses) << page_path << ":" << block.line << ": " << block.kind;
  ASSERT_TRUE(place == "node" || place == "cluster") << page_path << ":" << block.line << ": " << block.kind;
  EXPECT_FALSE(block.examples.empty()) << page_path << ":" << block.line;
  const auto connection = place == "node" ? sql::make_node_connection() : sql::make_cluster_connection();
  for (const Example& example : block.examples) {
    const sql::Answer answer = connection->run(example.statement);
    // Refused are the lines that begin with a SQLSTATE; others prepare for them.
    const std::string state = example.comment.substr(0, example.comment.find(':'));
    const bool fails = refuses && state.size() == 5 && state.find(' ') == std::string::npos;
    const std::string got = answer.error ? sql::to_string(*answer.error) : answer.tag;
    EXPECT_EQ(fails ? state : "", answer.error ? answer.error->sqlstate : "")
        << page_path << ":" << example.line << ": " << example.statement << "\n"
        << got;
  }
}

TEST(SqlPage, ExamplesAreAnsweredOrRefusedAsItSays) {
  const std::vector<Block> blocks = blocks_of(read_page());
  std::set<std::string> kinds;
  for (const Block& block : blocks) {
    kinds.insert(block.kind);
    expect_examples(block);
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"node", "node refuses", "cluster", "cluster refuses"}));
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
