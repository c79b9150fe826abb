// The files of scenarios/sql, played on a PostgreSQL 15 and on a node: both answer what the files say.
//
// POLARSIM_SQL_RECORD=1 in the environment writes the answers of PostgreSQL into the files instead, to be read before
// they are kept; POLARSIM_SQL_FILES is a part of the names of the files to play.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

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

void expect_success(const std::string& path, sql::Connection& connection) {
  const sql::Played played = sql::play(sql::load_statement_file(path), connection);
  std::string text;
  for (std::size_t i = 0; i < std::min(played.failures.size(), failures_shown); ++i)
    text += sql::to_string(played.failures[i]) + "\n";
  EXPECT_TRUE(played.failures.empty()) << connection.name() << ", " << played.failures.size() << " of "
                                       << played.records << " records:\n"
                                       << text;
}

TEST(StatementFiles, PostgresAnswersWhatTheySay) {
  const bool records = std::getenv("POLARSIM_SQL_RECORD") != nullptr;
  std::size_t count = 0;
  for (const std::string& path : statement_files()) {
    const auto connection = fresh_postgres();
    ++count;
    if (!records) {
      expect_success(path, *connection);
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
    expect_success(path, *connection);
    ++count;
  }
  EXPECT_GT(count, 0U);
}

// What needs a cluster: files that require one.
TEST(StatementFiles, AClusterAnswersWhatItsFilesSay) {
  std::size_t count = 0;
  for (const std::string& path : statement_files()) {
    if (sql::load_statement_file(path).required != "cluster") continue;
    const auto connection = sql::make_cluster_connection();
    expect_success(path, *connection);
    ++count;
  }
  if (std::getenv("POLARSIM_SQL_FILES") == nullptr) {
    EXPECT_GT(count, 0U);
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
