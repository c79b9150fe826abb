// What statements are sent to and answers come from: a simulated node (node_connection.h), a real PostgreSQL
// (cli/sql/postgres_connection.h), or whatever else speaks SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace polarsim::scenarios::sql {

struct AnswerColumn {
  std::string name;
  std::uint32_t type_oid = 0;
  int number = 0;  // in the table or view whose column it is (RowDescription); 0: it is computed
  friend bool operator==(const AnswerColumn&, const AnswerColumn&) = default;
};

// A row's values as their types' output functions write them; no value is NULL.
using AnswerRow = std::vector<std::optional<std::string>>;

// An error, as ErrorResponse tells it.
struct AnswerError {
  std::string sqlstate;
  std::string message;
  std::string detail;  // these may be empty
  std::string hint;
  int position = 0;  // of a character of the statement, from 1; 0: none
  // What a violated constraint is about: "schema.table.column.type.constraint", those that are told; "" if none is.
  std::string about = {};
  friend bool operator==(const AnswerError&, const AnswerError&) = default;
};

struct Answer {
  bool has_rows = false;  // whether the statement returns rows at all
  std::vector<AnswerColumn> columns;
  std::vector<AnswerRow> rows;
  std::string tag;                   // "UPDATE 1"; empty if there was an error
  std::optional<AnswerError> error;  // then there is nothing else but its context
  std::string context;               // where the error happened
  std::vector<std::string> notices;  // "NOTICE: text", "WARNING: text", ...
  // What COPY ... TO STDOUT wrote, a line each.
  std::optional<std::vector<std::string>> copied;
};

// "ERROR 22012: division by zero", with DETAIL, HINT and position if there are any.
std::string to_string(const AnswerError& error);
// For people: the error, or the rows and the tag, a line each.
std::string to_string(const Answer& answer);
// "1|a", NULL as "NULL".
std::string to_string(const AnswerRow& row);

// The connection itself does not work: the server is gone, a statement does not end.
struct ConnectionError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // One statement; of several separated by ';', the answer of the last. Throws ConnectionError.
  virtual Answer run(const std::string& statement) = 0;
  // COPY ... FROM STDIN of these bytes.
  virtual Answer copy_in(const std::string& statement, const std::string& bytes) {
    throw ConnectionError("there is no COPY FROM STDIN here: " + statement + ", " + std::to_string(bytes.size()));
  }
  // A statement that waits for another session: whether it still does after a while. Its end is waited for later, when
  // it is this session's turn again.
  virtual bool start(const std::string& statement) { throw ConnectionError("nothing waits here: " + statement); }
  virtual Answer finish() { throw ConnectionError("nothing waits here"); }
  // Statements that follow go to a session of that node of the cluster, the same session whenever it is named; empty:
  // to the first. "cn1/b" is another session of that node. Throws ConnectionError where there is no such node.
  virtual void go_to(const std::string& node) {
    if (!node.empty()) throw ConnectionError("there is no node " + node);
  }
  // What `onlyif` and `skipif` of statement files call it: "postgresql", "polarsim".
  virtual std::string name() const = 0;
};

}  // namespace polarsim::scenarios::sql
