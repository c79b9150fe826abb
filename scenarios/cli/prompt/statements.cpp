#include "scenarios/cli/prompt/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "scenarios/cli/prompt/copy.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr const char* savepoint = "pg_psql_temporary_savepoint";

// The words of a statement's beginning, in lower case; comments are no words.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  std::string next() {
    skip_space();
    std::string word;
    while (!rest_.empty() && (std::isalpha(static_cast<unsigned char>(rest_[0])) != 0 || rest_[0] == '_')) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(rest_[0])));
      rest_.remove_prefix(1);
    }
    return word;
  }

 private:
  void skip_space() {
    while (!rest_.empty()) {
      if (std::isspace(static_cast<unsigned char>(rest_[0])) != 0) {
        rest_.remove_prefix(1);
      } else if (rest_.starts_with("--")) {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.starts_with("/*")) {
        skip_comment();
      } else {
        return;
      }
    }
  }
  void skip_comment() {
    int depth = 0;
    do {
      if (rest_.starts_with("/*")) {
        ++depth;
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("*/")) {
        --depth;
        rest_.remove_prefix(2);
      } else {
        rest_.remove_prefix(1);
      }
    } while (depth > 0 && !rest_.empty());
  }
  std::string_view rest_;
};

// Whether AUTOCOMMIT = off begins no transaction block before this statement: it controls transactions itself, or
// cannot run in a block.
bool needs_no_begin(const std::string& statement) {
  Words words(statement);
  const std::string first = words.next();
  for (const char* control : {"abort", "begin", "start", "commit", "end", "rollback", "vacuum"}) {
    if (first == control) return true;
  }
  const std::string second = words.next();
  if (first == "prepare") return second == "transaction";
  if (first == "cluster") return second.empty();
  if (first == "discard") return second == "all";
  if (first == "alter") return second == "system";
  if (first == "create" || first == "drop") {
    if (second == "database" || second == "tablespace") return true;
    std::string third = words.next();
    if (first == "create" && second == "unique") return third == "index" && words.next() == "concurrently";
    return second == "index" && third == "concurrently";
  }
  if (first == "reindex") {
    return second == "database" || second == "system" ||
           ((second == "index" || second == "table" || second == "schema") && words.next() == "concurrently");
  }
  return false;
}

bool begins_with_any(const std::string& tag, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return tag.starts_with(word); });
}

// "INSERT 0 3": 3.
std::string rows_by_tag(const std::string& tag) {
  if (!begins_with_any(tag, {"INSERT ", "DELETE ", "UPDATE ", "SELECT ", "MERGE ", "FETCH ", "MOVE ", "COPY "})) {
    return "0";
  }
  const std::string last = tag.substr(tag.rfind(' ') + 1);
  const bool number =
      !last.empty() && std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? last : "0";
}

// ERROR, SQLSTATE, ROW_COUNT, LAST_ERROR_*.
void note_outcome(Session& session, const ServerReport* error, const std::string& tag) {
  Variables& variables = session.variables;
  variables.set("ERROR", error == nullptr ? "false" : "true");
  variables.set("SQLSTATE", error == nullptr ? "00000" : error->sqlstate);
  variables.set("ROW_COUNT", error == nullptr ? rows_by_tag(tag) : "0");
  if (error == nullptr) return;
  variables.set("LAST_ERROR_SQLSTATE", error->sqlstate);
  variables.set("LAST_ERROR_MESSAGE", error->message);
}

// One statement text under way: answers come one by one, and what is done with each depends on whether it is the last.
class Delivering {
 public:
  Delivering(Session& session, const std::string& statement, const Delivery& delivery)
      : session_(session), statement_(statement), delivery_(delivery) {}

  void take(Answer answer) {
    if (waiting_) deliver(*waiting_, false);
    waiting_.reset();
    if (answer.kind == Answer::Kind::copy_in || answer.kind == Answer::Kind::copy_out) {
      session_.show_notices(answer, statement_);
      // A tag would be taken for one more line of the data that go where it goes.
      silent_tag_ = answer.kind == Answer::Kind::copy_out && delivery_.copy == nullptr && !delivery_.target;
      return;
    }
    waiting_ = std::move(answer);
  }
  void finish() {
    if (waiting_) deliver(*waiting_, true);
    waiting_.reset();
  }

  bool good() const { return good_; }
  void fail() { good_ = false; }
  // Where rows go. A file is made when there are some.
  Output& output() {
    if (!delivery_.target) return session_.output;
    if (!opened_) {
      opened_ = true;
      const std::string problem = file_.open(*delivery_.target);
      if (!problem.empty()) {
        session_.error(problem);
        good_ = false;
        file_.discard();
      }
    }
    return file_;
  }
  const std::string& last_tag() const { return last_tag_; }
  // Statements that \gexec found; they are sent when the server is ready again.
  const std::vector<std::string>& found_statements() const { return found_statements_; }

 private:
  void deliver(const Answer& answer, bool last) {
    session_.show_notices(answer, statement_);
    if (answer.kind == Answer::Kind::error) {
      session_.show_error(answer.error, statement_);
      good_ = false;
      note_outcome(session_, &answer.error, "");
      return;
    }
    last_tag_ = answer.tag;
    if (last) note_outcome(session_, nullptr, answer.tag);
    if (answer.kind == Answer::Kind::empty) return;
    if (!last && !session_.settings.show_all_results) return;
    if (answer.kind == Answer::Kind::rows) {
      deliver_rows(answer, last);
      if (!begins_with_any(answer.tag, {"INSERT", "UPDATE", "DELETE"})) return;
    }
    print_tag(answer.tag);
  }

  void deliver_rows(const Answer& answer, bool last) {
    if (last && delivery_.variables) {
      store_variables(answer);
    } else if (last && delivery_.execute_cells) {
      for (const AnswerValue& value : answer.values) {
        if (value) found_statements_.push_back(*value);
      }
    } else if (last && delivery_.crosstab) {
      Crosstab crosstab = make_crosstab(answer, *delivery_.crosstab, session_.null_text);
      if (crosstab.problem.empty()) return print(std::move(crosstab.table));
      session_.error(crosstab.problem);
      good_ = false;
    } else {
      print(table_of(session_, answer, delivery_.null_text.value_or(session_.null_text)));
    }
  }

  void print(Table table) {
    table.title = delivery_.style ? delivery_.title : session_.title;
    TableStyle style = delivery_.style.value_or(session_.style);
    if (output().is_stdout()) style.terminal_columns = session_.style.terminal_columns;
    const bool written = output().write(print_table(table, style));
    if (output().flush() && written) return;
    session_.error(std::string("could not print result table: ") + std::strerror(errno));
    good_ = false;
  }

  void print_tag(const std::string& tag) {
    if (!session_.settings.quiet && !std::exchange(silent_tag_, false)) {
      const bool html = session_.style.format == TableFormat::html;
      session_.out(html ? "<p>" + tag + "</p>\n" : tag + "\n");
      session_.output.flush();
    }
    if (tag.starts_with("INSERT ")) {
      const std::string oid = tag.substr(7, tag.find(' ', 7) - 7);
      session_.variables.set("LASTOID", oid);
    }
  }

  void store_variables(const Answer& answer) {
    if (answer.rows != 1) {
      session_.error(answer.rows == 0 ? "no rows returned for \\gset" : "more than one row returned for \\gset");
      good_ = false;
      return;
    }
    for (std::size_t i = 0; i < answer.columns.size(); ++i) {
      const std::string name = *delivery_.variables + answer.columns[i].name;
      if (session_.variables.has_meaning(name)) {
        session_.warn("attempt to \\gset into specially treated variable \"" + name + "\" ignored");
        continue;
      }
      try {
        if (answer.values[i]) {
          session_.variables.set(name, *answer.values[i]);
        } else {
          session_.variables.unset(name);
        }
      } catch (const Variables::Refusal& refusal) {
        session_.error(refusal.message);
        good_ = false;
        return;
      }
    }
  }

  Session& session_;
  const std::string& statement_;
  const Delivery& delivery_;
  Output file_;
  bool opened_ = false;
  std::optional<Answer> waiting_;
  bool good_ = true;
  bool silent_tag_ = false;
  std::string last_tag_;
  std::vector<std::string> found_statements_;
};

// A statement of the prompt's own that gives no rows: BEGIN, SAVEPOINT. False, and says so, if it fails.
bool run_silently(Session& session, const std::string& statement) {
  bool good = true;
  session.connection->query(statement, {}, [&](const Answer& answer) {
    session.show_notices(answer, statement);
    if (answer.kind != Answer::Kind::error) return;
    session.show_error(answer.error, statement);
    good = false;
  });
  return good;
}

void end_savepoint(Session& session, const std::string& tag) {
  switch (session.connection->block_status()) {
    case BlockStatus::failed:
      run_silently(session, std::string("ROLLBACK TO ") + savepoint);
      break;
    case BlockStatus::in_block:
      // The user's own savepoints are above ours: to release it would release them.
      if (tag == "SAVEPOINT" || tag == "RELEASE" || tag == "ROLLBACK" || tag == "COMMIT" || tag == "BEGIN") break;
      run_silently(session, std::string("RELEASE ") + savepoint);
      break;
    case BlockStatus::idle:
    case BlockStatus::unknown:
      break;
  }
}

bool describe_statement(Session& session, const std::string& statement, const Delivery& delivery) {
  const Answer answer = session.connection->describe(statement);
  session.show_notices(answer, statement);
  if (answer.kind == Answer::Kind::error) {
    session.show_error(answer.error, statement);
    note_outcome(session, &answer.error, "");
    return false;
  }
  if (answer.columns.empty()) {
    session.out("The command has no result, or the result has no columns.\n");
    return true;
  }
  std::string rows;
  for (const AnswerColumn& column : answer.columns) {
    rows += fmt::format("{}({},'{}'::pg_catalog.oid,{})", rows.empty() ? "" : ",", quoted_literal(column.name),
                        column.type, column.modifier);
  }
  Delivery table = delivery;
  table.describe = false;
  return send_statement(session,
                        "SELECT name AS \"Column\", pg_catalog.format_type(tp, tpm) AS \"Type\"\nFROM (VALUES " + rows +
                            ") s(name, tp, tpm)",
                        table);
}

class Stopwatch {
 public:
  explicit Stopwatch(Session& session)
      : session_(session), wall_(wall_seconds()), simulated_(session.server.simulated_seconds()) {}
  std::string shown() const {
    const double wall = wall_seconds() - wall_;
    const auto simulated = session_.server.simulated_seconds();
    if (!simulated) return shown_time(wall) + "\n";
    return shown_time(*simulated - *simulated_) + fmt::format(" simulated, {:.3f} ms real\n", wall * 1000);
  }

 private:
  Session& session_;
  double wall_;
  std::optional<double> simulated_;
};

// Sends and delivers; the part of send_statement() that is timed.
bool exchange(Session& session, const std::string& statement, const Delivery& delivery, std::string& tag,
              std::vector<std::string>& found) {
  if (delivery.describe) return describe_statement(session, statement, delivery);
  Delivering delivering(session, statement, delivery);
  const CopyHandlers standard = copy_of_session(
      session, [&delivering]() -> Output& { return delivering.output(); }, [&delivering] { delivering.fail(); });
  session.connection->query(statement, delivery.copy != nullptr ? *delivery.copy : standard,
                            [&](Answer answer) { delivering.take(std::move(answer)); });
  delivering.finish();
  tag = delivering.last_tag();
  found = delivering.found_statements();
  return delivering.good();
}

}  // namespace

bool is_shown_right(std::uint32_t type) {
  // int8, int2, int4, oid, xid, cid, float4, float8, money, numeric, xid8
  for (const std::uint32_t number : {20U, 21U, 23U, 26U, 28U, 29U, 700U, 701U, 790U, 1700U, 5069U}) {
    if (type == number) return true;
  }
  return false;
}

std::string shown_time(double seconds) {
  const double milliseconds = seconds * 1000;
  std::string text = fmt::format("Time: {:.3f} ms", milliseconds);
  if (milliseconds < 1000) return text;
  const double minutes = std::floor(seconds / 60);
  const double rest = seconds - minutes * 60;
  if (minutes < 60) return text + fmt::format(" ({:02d}:{:06.3f})", static_cast<int>(minutes), rest);
  const int hours = static_cast<int>(minutes / 60);
  const int minute = static_cast<int>(minutes) % 60;
  if (hours < 24) return text + fmt::format(" ({:02d}:{:02d}:{:06.3f})", hours, minute, rest);
  return text + fmt::format(" ({} d {:02d}:{:02d}:{:06.3f})", hours / 24, hours % 24, minute, rest);
}

Table table_of(const Session& session, const Answer& answer, const std::string& null_text) {
  Table table;
  for (const AnswerColumn& column : answer.columns) {
    table.headers.push_back(column.name);
    table.right.push_back(is_shown_right(column.type));
  }
  table.cells.reserve(answer.values.size());
  for (std::size_t i = 0; i < answer.values.size(); ++i) {
    const AnswerValue& value = answer.values[i];
    if (!value) {
      table.cells.push_back(null_text);
    } else if (session.style.numeric_locale && table.right[i % table.right.size()]) {
      table.cells.push_back(with_grouped_digits(*value));
    } else {
      table.cells.push_back(*value);
    }
  }
  table.rows_without_columns = answer.columns.empty() ? answer.rows : 0;
  return table;
}

void print_to_output(Session& session, const Table& table) {
  TableStyle style = session.style;
  if (!session.output.is_stdout()) style.terminal_columns = 0;
  session.out(print_table(table, style));
  session.output.flush();
}

bool send_statement(Session& session, const std::string& statement, const Delivery& delivery) {
  if (!session.has_connection()) return false;
  if (session.settings.echo == Echo::queries) session.say(statement + "\n");
  bool good = false;
  std::vector<std::string> found;
  std::string time;
  try {
    const BlockStatus before = session.connection->block_status();
    bool in_block = before == BlockStatus::in_block;
    if (before == BlockStatus::idle && !session.settings.autocommit && !needs_no_begin(statement)) {
      if (!run_silently(session, "BEGIN")) return false;
      in_block = true;
    }
    const OnError rollback = session.settings.on_error_rollback;
    const bool protect =
        in_block && (rollback == OnError::on || (rollback == OnError::interactive && session.interactive));
    if (protect && !run_silently(session, std::string("SAVEPOINT ") + savepoint)) return false;
    const Stopwatch watch(session);
    std::string tag;
    good = exchange(session, statement, delivery, tag, found);
    if (protect) end_savepoint(session, tag);
    if (session.timing) time = watch.shown();
  } catch (const ConnectionLost& lost) {
    session.on_connection_lost(lost.message);
    good = false;
  }
  if (!good && session.settings.echo == Echo::errors) session.info("STATEMENT:  " + statement);
  for (const std::string& next : found) {
    if (session.settings.echo == Echo::all) session.say(next + "\n");
    if (send_statement(session, next)) continue;
    good = false;
    if (session.settings.on_error_stop) break;
  }
  session.say(time);
  return good;
}

std::optional<Answer> ask(Session& session, const std::string& query, bool briefly) {
  if (!session.has_connection()) return std::nullopt;
  if (session.settings.echo_hidden != EchoHidden::off) {
    session.say("********* QUERY **********\n" + query + "\n**************************\n\n");
    if (session.settings.echo_hidden == EchoHidden::noexec) return std::nullopt;
  }
  std::optional<Answer> rows;
  try {
    session.connection->query(query, {}, [&](Answer answer) {
      session.show_notices(answer, query);
      if (answer.kind == Answer::Kind::error && briefly) {
        session.error(answer.error.severity + ":  " + answer.error.message);
      } else if (answer.kind == Answer::Kind::error) {
        session.show_error(answer.error, query);
      } else {
        rows = std::move(answer);
      }
    });
  } catch (const ConnectionLost& lost) {
    session.on_connection_lost(lost.message);
    return std::nullopt;
  }
  return rows;
}

}  // namespace polarsim::scenarios::cli::prompt
