// Which statements of two sessions wait for each other: what the closest relative did
// (scenarios/sql/relative/locks.txt) and what a cluster does.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "scenarios/sql/cluster_connection.h"

namespace polarsim::scenarios::sql {
namespace {

struct Matrix {
  struct Statement {
    std::string name;
    std::string held;
    std::string tried;
  };
  std::vector<Statement> statements;
  std::map<std::string, std::string> letters;                // by what is held, in the order of the statements
  std::map<std::pair<std::string, std::string>, bool> ours;  // held and tried that differ; whether one was met
};

Matrix read_matrix(const std::string& path) {
  Matrix matrix;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    std::string name;
    words >> kind >> name;
    if (kind == "statement") {
      Matrix::Statement& statement = matrix.statements.emplace_back();
      statement.name = name;
      std::getline(file, statement.held);
      std::getline(file, statement.tried);
    } else if (kind == "held") {
      for (std::string letter; words >> letter;) matrix.letters[name] += letter;
    } else if (kind == "differs") {
      std::string held;
      std::string tried;
      words >> held >> tried;
      matrix.ours[{held, tried}] = false;
    }
  }
  return matrix;
}

void expect_ok(Connection& connection, const std::string& statement) {
  const Answer answer = connection.run(statement);
  EXPECT_FALSE(answer.error) << statement << "\n" << to_string(answer);
}

TEST(Relative, StatementsOfTwoSessionsWaitForEachOtherAsItsDid) {
  Matrix matrix = read_matrix("scenarios/sql/relative/locks.txt");
  ASSERT_EQ(matrix.statements.size(), 20U);
  const auto connection = make_cluster_connection(1);
  for (const char* const statement :
       {"CREATE TABLE a (id int PRIMARY KEY, v int, x int)", "SELECT create_distributed_table('a', 'id')",
        "CREATE TABLE b (id int, v int)", "SELECT create_distributed_table('b', 'id')",
        "CREATE TABLE r (id int PRIMARY KEY, v int)", "SELECT create_reference_table('r')",
        "INSERT INTO a SELECT g, g, 0 FROM generate_series(1, 40) g",
        "INSERT INTO b SELECT g, g FROM generate_series(1, 40) g",
        "INSERT INTO r SELECT g, g FROM generate_series(1, 20) g"})
    expect_ok(*connection, statement);
  connection->go_to("cn1/other");
  expect_ok(*connection, "SET statement_timeout = '600ms'");
  for (const Matrix::Statement& held : matrix.statements) {
    const std::string& letters = matrix.letters[held.name];
    ASSERT_EQ(letters.size(), matrix.statements.size()) << held.name;
    for (std::size_t i = 0; i < matrix.statements.size(); ++i) {
      const Matrix::Statement& tried = matrix.statements[i];
      connection->go_to("cn1");
      expect_ok(*connection, "BEGIN");
      expect_ok(*connection, held.held);
      connection->go_to("cn1/other");
      expect_ok(*connection, "BEGIN");
      const Answer answer = connection->run(tried.tried);
      expect_ok(*connection, "ROLLBACK");
      connection->go_to("cn1");
      expect_ok(*connection, "ROLLBACK");
      const bool waited = answer.error && answer.error->sqlstate == "57014";
      EXPECT_TRUE(waited || !answer.error) << to_string(answer);
      const auto other = matrix.ours.find({held.name, tried.name});
      const bool differs = other != matrix.ours.end();
      if (differs) other->second = true;
      EXPECT_EQ(waited, (letters[i] == 'B') != differs) << held.name << " is held, " << tried.name << " is tried";
    }
  }
  for (const auto& [pair, met] : matrix.ours) EXPECT_TRUE(met) << pair.first << ' ' << pair.second;
}

}  // namespace
}  // namespace polarsim::scenarios::sql
