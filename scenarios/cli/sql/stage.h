// Scripts of generated statements, played on a PostgreSQL 15 and on a node or a cluster, and what differs.
//
// A cluster may refuse what the relative refuses, too: such statements are counted and told, by their messages, and are
// not run on PostgreSQL if they change anything. At the end of a script all tables must have the same rows, and each
// row has to be where it belongs, on every copy.
#pragma once

#include <cstdint>
#include <fstream>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/sql/comparison.h"
#include "scenarios/cli/sql/postgres_connection.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {

using Numbers = std::vector<std::uint16_t>;
// What each statement is drawn from.
struct Script : std::vector<Numbers> {
  using std::vector<Numbers>::vector;
};

Script make_script(std::uint64_t seed);
// For RapidCheck: what counts are the statements, which a failure has.
void showValue(const Script& script, std::ostream& stream);
Script make_script(std::uint64_t seed);

struct Difference {
  std::string text;
  std::string kind;  // which others are like it
};

struct Played {
  std::vector<std::string> statements;
  std::vector<Difference> differences;
};

class Stage {
 public:
  explicit Stage(Target target);

  // A difference ends the script if what comes after it would start from different tables, or `stop_at_first`.
  Played play(const Script& script, bool stop_at_first);

  // How many statements there were, and of them those that both systems executed, with the same answer.
  std::string summary() const;
  // What errors and refusals there were, with how often.
  std::string errors() const;
  void log_to(const std::string& path) { log_.open(path); }
  void note(const std::string& text);

 private:
  // Whether to go on.
  bool step(const GeneratedStatement& statement, GeneratedSchema& schema, Played& played, bool stop_at_first);
  bool compare(const GeneratedStatement& statement, const sql::Answer& ours, const sql::Answer& theirs, Played& played);
  struct Answers {
    sql::Answer ours;
    sql::Answer theirs;
  };
  // At the same time.
  Answers run_on_both(const std::string& statement);
  static sql::Answer run_on(sql::Connection& connection, const GeneratedStatement& statement);
  void clear();
  void control(const std::string& statement, Played& played);
  void end_block(bool commit, GeneratedSchema& schema, Played& played);
  void restart_numbers(const GeneratedSchema& schema);
  void note_refusal(const GeneratedStatement& statement, const sql::Answer& ours);
  void compare_tables(const GeneratedSchema& schema, Played& played);

  Target target_;
  PostgresServer server_;
  std::unique_ptr<PostgresConnection> theirs_;
  std::unique_ptr<sql::Connection> ours_;
  KnownDifferences known_;
  std::ofstream log_;
  // Of a block of statements, whose failures go back to a savepoint: the tables as they were before it.
  std::optional<GeneratedSchema> before_block_;
  bool failed_ = false;  // the last statement, on either system
  std::size_t statements_ = 0;
  std::size_t statements_before_ = 0;  // this script
  std::size_t executed_ = 0;           // by both, with the same answer
  std::size_t failed_alike_ = 0;       // on both, with the same error
  std::size_t of_another_row_ = 0;     // of those on a cluster: the error of another row
  std::size_t of_clusters_alone_ = 0;  // calls that PostgreSQL does not have
  std::map<std::string, std::size_t> errors_;
  std::map<std::string, std::size_t> refusals_;
  std::map<std::string, std::string> refused_examples_;
  std::size_t known_differences_ = 0;
};

}  // namespace polarsim::scenarios::cli::test
