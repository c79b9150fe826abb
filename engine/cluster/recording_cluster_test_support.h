// For tests: a cluster of which only this coordinator is there. What is run elsewhere is written down, and for some
// nodes run here, too: shards have names of their own.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/cluster/metadata_tables.h"
#include "engine/node/database.h"
#include "engine/node/node_test_support.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::cluster {

// Coordinators are groups 0 (this one) and 1, data nodes dn1 and dn2 are groups 2 and 3. Every statement commits by
// itself; metadata are read whenever somebody asks for them.
class RecordingCluster final : public ClusterCommands, public SessionServices {
 public:
  explicit RecordingCluster(testing::TestNode& node) : node_(node), session_(node.connect()) {
    session_.run("SET allow_system_table_mods = on");
    for (const std::string& statement : metadata_table_statements()) session_.run(statement);
    for (const ClusterNode& each : {ClusterNode{0, "cn1", 5432, true, false}, ClusterNode{1, "cn2", 5432, true, false},
                                    ClusterNode{2, "dn1", 5432, false, true}, ClusterNode{3, "dn2", 5432, false, true}})
      session_.run(node_statement(each));
  }

  // What has been run since the last call, a line each: "here: ...", "2: ...".
  std::string log() { return std::exchange(log_, {}); }
  // NOTICEs and WARNINGs, a line each.
  std::string told() { return std::exchange(told_, {}); }
  // Run here, too, what is sent to these.
  void run_groups(std::set<int> groups) { run_groups_ = std::move(groups); }
  void enter_block() { in_block_ = true; }
  testing::TestSession& session() { return session_; }
  RelationId id(std::string_view table) {
    const std::optional<catalog::Relation> found = catalog().find(nullptr, search_path(), table);
    return found ? found->id : 0;
  }

  QueryResult run_here(const std::string& sql, bool /*writes*/) override {
    log_ += "here: " + sql + "\n";
    // It needs a block, and there is nobody else.
    if (sql.starts_with("LOCK TABLE")) return {};
    return session_.execute(sql);
  }
  QueryResult run_statement_here(const syntax::StatementPtr& statement, std::string_view text,
                                 bool /*writes*/) override {
    log_ += "here: " + syntax::deparse(*statement) + "\n";
    return session_.session().execute({statement, text});
  }
  std::vector<QueryResult> run_there(const std::vector<NodeCommand>& commands) override {
    std::vector<QueryResult> results;
    for (const NodeCommand& command : commands) {
      log_ += std::to_string(command.group) + ": " + command.sql + "\n";
      results.push_back(run_groups_.contains(command.group) ? session_.execute(command.sql) : QueryResult{});
    }
    return results;
  }
  void replace_definition(RelationId relation, catalog::Definition definition) override {
    POLARSIM_ASSERT(relation != 0 && !definition.name.empty(), "a definition of nothing");
  }
  NodeAnswer run_alone(int group, const std::string& sql) override {
    return {group != 3, group != 3 ? sql : "connection refused"};
  }
  std::vector<syntax::StatementPtr> parse(std::string_view text) override {
    std::vector<syntax::StatementPtr> parsed;
    node_.host().scheduler().on_scheduler_stack([&] { parsed = syntax::parse(text); });
    return parsed;
  }
  void notice(ErrorFields notice) override {
    told_ += notice.severity + " " + notice.message;
    if (!notice.detail.empty()) told_ += " / " + notice.detail;
    told_ += "\n";
  }

  const catalog::Catalog& catalog() const override { return node_.instance().database().catalog(); }
  const txn::Transaction* transaction() override { return nullptr; }
  std::vector<std::string> search_path() override { return {catalog::public_schema}; }
  int own_group() const override { return 0; }
  std::vector<ClusterNode> nodes() override { return load().nodes; }
  distribution::TableDistributionPtr find_distribution(RelationId table) override {
    const StoredMetadata stored = load();
    const auto found = stored.tables.find(table);
    return found == stored.tables.end() ? nullptr : found->second;
  }
  std::vector<RelationId> distributed_tables() override {
    std::vector<RelationId> tables;
    for (const auto& [id, table] : load().tables) tables.push_back(id);
    return tables;
  }
  std::vector<ColocationGroup> colocation_groups() override { return load().colocation_groups; }
  int colocation_of_schema(std::string_view schema) override {
    const StoredMetadata stored = load();
    const auto found = stored.schemas.find(catalog().schema_id(nullptr, schema));
    return found == stored.schemas.end() ? 0 : found->second;
  }
  bool in_transaction_block() override { return in_block_; }
  int default_shard_count() override { return 2; }
  CallContext call_context() override {
    CallContext context;
    context.session = this;
    return context;
  }

  // --- of functions: only names and numbers of objects ---
  Value call(const FunctionEntry& /*function*/, const FunctionCall& /*call*/) override { return {}; }
  RandomSequence& random_sequence() override { throw SqlError(sqlstate::feature_not_supported, "no chance"); }
  std::uint64_t random_bits() override { return 0; }
  std::string object_name(TypeId /*type*/, std::uint32_t oid) override {
    return catalog().find(nullptr, oid)->description->name;
  }
  std::uint32_t object_number(TypeId type, std::string_view name) override {
    const std::uint32_t number = type == TypeId::regnamespace ? catalog().schema_id(nullptr, name) : id(name);
    if (number == 0) throw SqlError(sqlstate::undefined_table, "relation \"" + std::string(name) + "\" does not exist");
    return number;
  }

 private:
  StoredMetadata load() {
    return load_metadata([this](const std::string& sql) { return session_.execute(sql); }, catalog(), nullptr, 0);
  }

  testing::TestNode& node_;
  testing::TestSession session_;
  std::string log_;
  std::string told_;
  std::set<int> run_groups_;
  bool in_block_ = false;
};

// Runs `body` with a cluster whose tables `setup` has made.
inline void with_cluster(const std::function<void(RecordingCluster&)>& body, std::string_view setup = {}) {
  testing::with_node([&](testing::TestNode& node) {
    RecordingCluster cluster(node);
    if (!setup.empty()) cluster.session().run(setup);
    body(cluster);
  });
}

// What `work` throws: "SQLSTATE message", with detail and hint if there are any; empty if it throws nothing.
inline std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const SqlError& error) {
    std::string text = error.sqlstate() + " " + error.fields().message;
    if (!error.fields().detail.empty()) text += " / " + error.fields().detail;
    if (!error.fields().hint.empty()) text += " / " + error.fields().hint;
    return text;
  }
  return {};
}

}  // namespace polarsim::engine::cluster
