#include "scenarios/cli/sql/postgres_connection.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <utility>

namespace polarsim::scenarios::cli {
namespace {

using sql::Answer;
using sql::ConnectionError;

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

std::string field(const PGresult* result, int code) {
  const char* const text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

Answer answer_of(PGresult* result) {
  Answer answer;
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
    sql::AnswerError& error = answer.error.emplace();
    error.sqlstate = field(result, PG_DIAG_SQLSTATE);
    // libpq itself gives no SQLSTATE to a connection that is gone.
    if (error.sqlstate.empty()) throw ConnectionError(PQresultErrorMessage(result));
    error.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    error.detail = field(result, PG_DIAG_MESSAGE_DETAIL);
    error.hint = field(result, PG_DIAG_MESSAGE_HINT);
    error.position = std::atoi(field(result, PG_DIAG_STATEMENT_POSITION).c_str());
    for (const int code : {PG_DIAG_SCHEMA_NAME, PG_DIAG_TABLE_NAME, PG_DIAG_COLUMN_NAME, PG_DIAG_DATATYPE_NAME,
                           PG_DIAG_CONSTRAINT_NAME}) {
      const std::string name = field(result, code);
      if (!name.empty()) error.about += (error.about.empty() ? "" : ".") + name;
    }
    answer.context = field(result, PG_DIAG_CONTEXT);
    return answer;
  }
  answer.tag = PQcmdStatus(result);
  answer.has_rows = status == PGRES_TUPLES_OK;
  for (int column = 0; column < PQnfields(result); ++column)
    answer.columns.push_back({PQfname(result, column), PQftype(result, column), PQftablecol(result, column)});
  for (int row = 0; row < PQntuples(result); ++row) {
    sql::AnswerRow& texts = answer.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      texts.emplace_back();
      if (PQgetisnull(result, row, column) == 0) texts.back() = PQgetvalue(result, row, column);
    }
  }
  return answer;
}

class LibpqConnection final : public PostgresConnection {
 public:
  explicit LibpqConnection(const std::string& options) : connection_(PQconnectdb(options.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
      const std::string problem = PQerrorMessage(connection_);
      PQfinish(connection_);
      throw ConnectionError(problem);
    }
    PQsetNoticeReceiver(
        connection_,
        [](void* self, const PGresult* notice) {
          static_cast<LibpqConnection*>(self)->notices_.push_back(field(notice, PG_DIAG_SEVERITY) + ": " +
                                                                  field(notice, PG_DIAG_MESSAGE_PRIMARY));
        },
        this);
    for (const char* setting :
         {"set timezone to 'UTC'", "set datestyle to 'ISO, MDY'", "set intervalstyle to 'postgres'",
          "set client_encoding to 'UTF8'", "set statement_timeout to '20s'"})
      run(setting);
  }
  ~LibpqConnection() override { PQfinish(connection_); }
  LibpqConnection(const LibpqConnection&) = delete;
  LibpqConnection& operator=(const LibpqConnection&) = delete;

  Answer run(const std::string& statement) override {
    notices_.clear();
    const Result result(PQexec(connection_, statement.c_str()));
    if (PQresultStatus(result.get()) == PGRES_COPY_OUT) return copy_out();
    return with_notices(answer_of(result.get()));
  }
  Answer copy_in(const std::string& statement, const std::string& bytes) override {
    notices_.clear();
    const Result begun(PQexec(connection_, statement.c_str()));
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN) return with_notices(answer_of(begun.get()));
    if (PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size())) != 1 ||
        PQputCopyEnd(connection_, nullptr) != 1)
      throw ConnectionError(PQerrorMessage(connection_));
    return receive();
  }
  void send(const std::string& statement) override {
    notices_.clear();
    if (PQsendQuery(connection_, statement.c_str()) == 0) throw ConnectionError(PQerrorMessage(connection_));
  }
  Answer receive() override {
    Result last;
    while (PGresult* const next = PQgetResult(connection_)) {
      last.reset(next);
      if (PQresultStatus(next) == PGRES_COPY_OUT) return copy_out();
    }
    return with_notices(answer_of(last.get()));
  }
  std::string name() const override { return "postgresql"; }

 private:
  // What the server has begun to write.
  Answer copy_out() {
    std::vector<std::string> lines;
    char* line = nullptr;
    int length = 0;
    while ((length = PQgetCopyData(connection_, &line, 0)) > 0) {
      const std::size_t end = line[length - 1] == '\n' ? 1 : 0;
      lines.emplace_back(line, static_cast<std::size_t>(length) - end);
      PQfreemem(line);
    }
    Answer answer = receive();
    if (!answer.error) answer.copied = std::move(lines);
    return answer;
  }
  Answer with_notices(Answer answer) {
    answer.notices = std::exchange(notices_, {});
    return answer;
  }

  PGconn* connection_;
  std::vector<std::string> notices_;  // of the statement under way
};

}  // namespace

std::unique_ptr<PostgresConnection> make_postgres_connection(const std::string& options) {
  return std::make_unique<LibpqConnection>(options);
}

}  // namespace polarsim::scenarios::cli
