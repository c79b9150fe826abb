// The files of scenarios/sql, played on a PostgreSQL 15 and on a node: both answer what the files say.
//
// POLARSIM_SQL_RECORD=1 in the environment writes the answers of PostgreSQL into the files instead, to be read before
// they are kept; POLARSIM_SQL_RECORD=cluster those of a cluster into the files that need one. POLARSIM_SQL_FILES is a
// part of the names of the files to play.
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

// Whether the answers of the system are to be written into the files.
bool records(const char* system) {
  const char* const wanted = std::getenv("POLARSIM_SQL_RECORD");
  return wanted != nullptr &&
         (std::string_view(wanted) == "cluster" ? "cluster" : "postgresql") == std::string_view(system);
}

void record(const std::string& path, sql::Connection& connection) {
  const std::string text = sql::record(sql::load_statement_file(path), connection);
  std::ofstream(path) << text;
  std::cout << path << " is recorded\n";
}

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

void expect_success(const std::string& path, sql::Connection& connection) {
  static const KnownFailures known;
  const sql::StatementFile file = sql::load_statement_file(path);
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
  std::size_t count = 0;
  for (const std::string& path : statement_files()) {
    const auto connection = fresh_postgres();
    ++count;
    records("postgresql") ? record(path, *connection) : expect_success(path, *connection);
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
    records("cluster") ? record(path, *connection) : expect_success(path, *connection);
    ++count;
  }
  const bool all = std::getenv("POLARSIM_SQL_FILES") == nullptr;
  EXPECT_TRUE(count > 0 || !all);
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
