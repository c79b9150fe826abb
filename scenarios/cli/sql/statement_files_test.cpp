// The files of scenarios/sql, played on a PostgreSQL 15 and on a node: both answer what the files say.
//
// POLARSIM_SQL_RECORD=1 in the environment writes the answers of PostgreSQL into the files instead, to be read before
// they are kept, for clusters' files those of a PostgreSQL where nothing is distributed. POLARSIM_SQL_RECORD_CLUSTER=1
// writes into those what a cluster answers where they say `onlyif cluster`. POLARSIM_SQL_FILES is a part of the names
// of the files to play.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/sql/postgres_connection.h"
#include "scenarios/sql/cluster_connection.h"
#include "scenarios/sql/node_connection.h"
#include "scenarios/sql/play.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr std::size_t failures_shown = 20;

std::vector<std::string> statement_files() {
  const char* const only = std::getenv("POLARSIM_SQL_FILES");
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator("scenarios/sql")) {
    const std::string path = entry.path().string();
    if (path.ends_with(".slt") && (only == nullptr || path.find(only) != std::string::npos)) paths.push_back(path);
  }
  std::ranges::sort(paths);
  return paths;
}

// One session of a database without anything in it.
std::unique_ptr<sql::Connection> fresh_postgres() {
  static const PostgresServer server;
  auto connection = make_postgres_connection(server.connection());
  connection->run("set client_min_messages to error");
  const sql::Answer schemas =
      connection->run("select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'");
  for (const sql::AnswerRow& row : schemas.rows) connection->run("drop schema \"" + *row[0] + "\" cascade");
  connection->run("create schema public");
  return connection;
}

// A PostgreSQL that knows the functions that distribute tables, and does nothing when they are called: what a cluster
// answers must not depend on where its rows are.
class UndistributedConnection final : public sql::Connection {
 public:
  UndistributedConnection() : connection_(fresh_postgres()) {
    const std::string body = " returns void language plpgsql as 'begin end'";
    for (const char* const function :
         {"create_distributed_table(table_name regclass, distribution_column text, distribution_type text default "
          "'hash', colocate_with text default 'default', shard_count int default null)",
          "create_reference_table(table_name regclass)",
          "undistribute_table(table_name regclass, cascade_via_foreign_keys boolean default false)",
          "alter_distributed_table(table_name regclass, distribution_column text default null, shard_count int default "
          "null, colocate_with text default null, cascade_to_colocated boolean default null)",
          "update_distributed_table_colocation(table_name regclass, colocate_with text)",
          "truncate_local_data_after_distributing_table(function_name regclass)",
          "polar_cluster_schema_distribute(schemaname regnamespace)",
          "polar_cluster_schema_undistribute(schemaname regnamespace)"})
      connection_->run("create or replace function pg_catalog." + std::string(function) + body);
  }
  sql::Answer run(const std::string& statement) override { return connection_->run(statement); }
  sql::Answer copy_in(const std::string& statement, const std::string& bytes) override {
    return connection_->copy_in(statement, bytes);
  }
  std::string name() const override { return "undistributed"; }
  // One stands for all.
  void go_to(const std::string&) override {}

 private:
  std::unique_ptr<sql::Connection> connection_;
};

// What is known not to be answered yet: known_failures.tsv has the system, the file, the statement and the reason. What
// is listed must fail, so that the list keeps to what is true.
class KnownFailures {
 public:
  KnownFailures() {
    const std::string path = POLARSIM_SQL_DATA "/known_failures.tsv";
    std::ifstream file(path);
    for (std::string text; std::getline(file, text);) {
      if (text.empty() || text.front() == '#') continue;
      std::istringstream fields(text);
      std::string system;
      std::string name;
      std::string statement;
      std::string reason;
      std::getline(fields, system, '\t');
      std::getline(fields, name, '\t');
      std::getline(fields, statement, '\t');
      std::getline(fields, reason, '\t');
      if (reason.empty()) throw std::runtime_error(path + ": expected system, file, statement and reason: " + text);
      known_.insert({system, name, statement});
    }
  }
  static std::string on_one_line(std::string sql) {
    std::ranges::replace(sql, '\n', ' ');
    return sql;
  }
  bool contains(const std::string& system, const std::string& path, const std::string& sql) const {
    return known_.contains({system, std::filesystem::path(path).filename().string(), on_one_line(sql)});
  }

 private:
  std::set<std::array<std::string, 3>> known_;
};

void expect_success(const sql::StatementFile& file, sql::Connection& connection) {
  static const KnownFailures known;
  const std::string& path = file.path;
  const sql::Played played = sql::play(file, connection);
  std::set<std::string> failed;
  std::vector<std::string> texts;
  for (const sql::Failure& failure : played.failures) {
    failed.insert(failure.sql);
    if (!known.contains(connection.name(), path, failure.sql)) texts.push_back(sql::to_string(failure));
  }
  if (played.records > 0) {
    for (const sql::Record& record : file.records) {
      if (known.contains(connection.name(), path, record.sql) && !failed.contains(record.sql))
        texts.push_back(path + ": is answered now, and no longer belongs to known_failures.tsv: " + record.sql + "\n");
    }
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(texts.size(), failures_shown); ++i) text += texts[i] + "\n";
  EXPECT_TRUE(texts.empty()) << connection.name() << ", " << texts.size() << " of " << played.records << " records:\n"
                             << text;
}

TEST(StatementFiles, PostgresAnswersWhatTheySay) {
  const bool records = std::getenv("POLARSIM_SQL_RECORD") != nullptr;
  std::size_t count = 0;
  for (const std::string& path : statement_files()) {
    const auto connection = fresh_postgres();
    ++count;
    if (!records) {
      expect_success(sql::load_statement_file(path), *connection);
      continue;
    }
    const std::string text = sql::record(sql::load_statement_file(path), *connection);
    std::ofstream(path) << text;
    std::cout << path << " is recorded\n";
  }
  EXPECT_GT(count, 0U);
}

TEST(StatementFiles, ANodeAnswersWhatTheySay) {
  std::size_t count = 0;
  for (const std::string& path : statement_files()) {
    const auto connection = sql::make_node_connection();
    expect_success(sql::load_statement_file(path), *connection);
    ++count;
  }
  EXPECT_GT(count, 0U);
}

// Where a statement of a cluster's file answers otherwise than on one node, the file says `onlyif cluster` before it.
TEST(StatementFiles, PostgresAnswersTheSameUndistributed) {
  const bool records = std::getenv("POLARSIM_SQL_RECORD") != nullptr;
  for (const std::string& path : statement_files()) {
    sql::StatementFile file = sql::load_statement_file(path);
    if (file.required != "cluster") continue;
    file.required.clear();
    UndistributedConnection connection;
    if (records) {
      const std::string text = sql::record(file, connection);
      std::ofstream(path) << text;
      std::cout << path << " is recorded\n";
      continue;
    }
    expect_success(file, connection);
  }
}

// Of such a file only what is for clusters alone is recorded from one: PostgreSQL knows the rest.
sql::StatementFile only_of_clusters(sql::StatementFile file) {
  for (sql::Record& record : file.records) {
    record.is_recorded =
        record.is_recorded && std::ranges::any_of(record.conditions, [](const sql::Condition& condition) {
          return condition.only && condition.system == "cluster";
        });
  }
  return file;
}

// What needs a cluster: files that require one.
TEST(StatementFiles, AClusterAnswersWhatItsFilesSay) {
  std::size_t count = 0;
  for (const std::string& path : statement_files()) {
    if (sql::load_statement_file(path).required != "cluster") continue;
    const auto connection = sql::make_cluster_connection();
    if (std::getenv("POLARSIM_SQL_RECORD_CLUSTER") != nullptr) {
      const std::string text = sql::record(only_of_clusters(sql::load_statement_file(path)), *connection);
      std::ofstream(path) << text;
      std::cout << path << " is recorded\n";
      continue;
    }
    expect_success(sql::load_statement_file(path), *connection);
    ++count;
  }
  const bool all = std::getenv("POLARSIM_SQL_FILES") == nullptr;
  EXPECT_TRUE(count > 0 || !all);
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
