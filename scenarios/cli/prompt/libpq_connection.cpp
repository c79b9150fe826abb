#include "scenarios/cli/prompt/libpq_connection.h"

#include <libpq-fe.h>
#include <poll.h>
#include <time.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "scenarios/cli/prompt/interrupts.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionPtr = std::unique_ptr<PGconn, FinishConnection>;
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

std::string field_of(const PGresult* result, int code) {
  const char* const text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

ServerReport report_of(const PGresult* result) {
  ServerReport report;
  report.severity = field_of(result, PG_DIAG_SEVERITY);
  report.sqlstate = field_of(result, PG_DIAG_SQLSTATE);
  report.message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  report.detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);
  report.hint = field_of(result, PG_DIAG_MESSAGE_HINT);
  report.context = field_of(result, PG_DIAG_CONTEXT);
  report.position = std::atoi(field_of(result, PG_DIAG_STATEMENT_POSITION).c_str());
  report.internal_position = std::atoi(field_of(result, PG_DIAG_INTERNAL_POSITION).c_str());
  report.internal_query = field_of(result, PG_DIAG_INTERNAL_QUERY);
  report.schema = field_of(result, PG_DIAG_SCHEMA_NAME);
  report.table = field_of(result, PG_DIAG_TABLE_NAME);
  report.column = field_of(result, PG_DIAG_COLUMN_NAME);
  report.data_type = field_of(result, PG_DIAG_DATATYPE_NAME);
  report.constraint = field_of(result, PG_DIAG_CONSTRAINT_NAME);
  report.file = field_of(result, PG_DIAG_SOURCE_FILE);
  report.line = field_of(result, PG_DIAG_SOURCE_LINE);
  report.routine = field_of(result, PG_DIAG_SOURCE_FUNCTION);
  return report;
}

void read_columns(const PGresult* result, Answer& answer) {
  for (int i = 0; i < PQnfields(result); ++i) {
    answer.columns.push_back(AnswerColumn{PQfname(result, i), PQftype(result, i), PQfmod(result, i)});
  }
}

class LibpqConnection : public Connection {
 public:
  explicit LibpqConnection(ConnectionPtr connection) : connection_(std::move(connection)) {
    PQsetNoticeReceiver(
        connection_.get(),
        [](void* self, const PGresult* result) {
          static_cast<LibpqConnection*>(self)->notices_.push_back(report_of(result));
        },
        this);
  }

  void query(const std::string& statements, const CopyHandlers& copy,
             const std::function<void(Answer)>& on_answer) override {
    if (PQsendQuery(connection_.get(), statements.c_str()) == 0) lose();
    while (ResultPtr result = next_result()) {
      const ExecStatusType status = PQresultStatus(result.get());
      on_answer(answer_of(result.get()));
      if (status == PGRES_COPY_IN) copy_in(copy);
      if (status == PGRES_COPY_OUT) copy_out(copy);
    }
    if (!usable()) lose();
  }

  Answer describe(const std::string& statement) override {
    ResultPtr result(PQprepare(connection_.get(), "", statement.c_str(), 0, nullptr));
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
      result.reset(PQdescribePrepared(connection_.get(), ""));
    }
    return answer_of(result.get());
  }

  BlockStatus block_status() const override {
    switch (PQtransactionStatus(connection_.get())) {
      case PQTRANS_IDLE:
        return BlockStatus::idle;
      case PQTRANS_INTRANS:
        return BlockStatus::in_block;
      case PQTRANS_INERROR:
        return BlockStatus::failed;
      case PQTRANS_ACTIVE:
      case PQTRANS_UNKNOWN:
        break;
    }
    return BlockStatus::unknown;
  }
  bool usable() const override { return PQstatus(connection_.get()) == CONNECTION_OK; }
  std::string parameter(const std::string& name) const override {
    const char* const value = PQparameterStatus(connection_.get(), name.c_str());
    return value == nullptr ? "" : value;
  }
  std::uint32_t process_id() const override { return static_cast<std::uint32_t>(PQbackendPID(connection_.get())); }
  ConnectionInfo info() const override {
    return {PQuser(connection_.get()), PQdb(connection_.get()), PQhost(connection_.get()), PQport(connection_.get())};
  }

 private:
  [[noreturn]] void lose() { throw ConnectionLost{PQerrorMessage(connection_.get())}; }

  // Waits for it, and passes an interrupt on to the server.
  ResultPtr next_result() {
    while (PQisBusy(connection_.get()) != 0) {
      pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
      if (::poll(&descriptor, 1, 1000) < 0 && errno != EINTR) lose();
      if (interrupts::take()) cancel();
      if ((descriptor.revents != 0) && PQconsumeInput(connection_.get()) == 0) lose();
    }
    return ResultPtr(PQgetResult(connection_.get()));
  }

  void cancel() {
    char problem[256];
    PGcancel* const request = PQgetCancel(connection_.get());
    const bool sent = PQcancel(request, problem, sizeof problem) != 0;
    std::fprintf(stderr, "%s\n", sent ? "Cancel request sent" : problem);
    PQfreeCancel(request);
  }

  Answer answer_of(const PGresult* result) {
    Answer answer;
    answer.notices.swap(notices_);
    switch (PQresultStatus(result)) {
      case PGRES_TUPLES_OK:
        answer.kind = Answer::Kind::rows;
        read_rows(result, answer);
        break;
      case PGRES_COMMAND_OK:
        answer.kind = Answer::Kind::command;
        read_columns(result, answer);
        break;
      case PGRES_EMPTY_QUERY:
        answer.kind = Answer::Kind::empty;
        break;
      case PGRES_COPY_IN:
        answer.kind = Answer::Kind::copy_in;
        break;
      case PGRES_COPY_OUT:
        answer.kind = Answer::Kind::copy_out;
        break;
      default:
        if (!usable()) lose();
        answer.kind = Answer::Kind::error;
        answer.error = report_of(result);
    }
    answer.tag = PQcmdStatus(const_cast<PGresult*>(result));
    return answer;
  }

  static void read_rows(const PGresult* result, Answer& answer) {
    read_columns(result, answer);
    answer.rows = static_cast<std::size_t>(PQntuples(result));
    for (int row = 0; row < PQntuples(result); ++row) {
      for (int column = 0; column < PQnfields(result); ++column) {
        if (PQgetisnull(result, row, column) != 0) {
          answer.values.emplace_back(std::nullopt);
        } else {
          answer.values.emplace_back(PQgetvalue(result, row, column));
        }
      }
    }
  }

  void copy_in(const CopyHandlers& copy) {
    try {
      while (copy.next_piece) {
        const auto piece = copy.next_piece();
        if (!piece) break;
        if (PQputCopyData(connection_.get(), piece->data(), static_cast<int>(piece->size())) < 0) break;
      }
      PQputCopyEnd(connection_.get(), nullptr);
    } catch (const CopyHandlers::Refusal& refusal) {
      PQputCopyEnd(connection_.get(), refusal.message.c_str());
    }
  }

  void copy_out(const CopyHandlers& copy) {
    char* row = nullptr;
    int bytes = 0;
    while ((bytes = PQgetCopyData(connection_.get(), &row, 0)) > 0) {
      if (copy.take_piece) copy.take_piece(std::string_view(row, static_cast<std::size_t>(bytes)));
      PQfreemem(row);
    }
    if (copy.all_taken) copy.all_taken();
  }

  ConnectionPtr connection_;
  std::vector<ServerReport> notices_;
};

class LibpqServer : public Server {
 public:
  explicit LibpqServer(std::string connection) : connection_(std::move(connection)) {}

  std::unique_ptr<Connection> connect(const ConnectionInfo& wanted) override {
    std::string text = connection_;
    const auto add = [&](const char* name, const std::string& value) {
      if (value.empty()) return;
      text += std::string(" ") + name + "='";
      for (const char c : value) text += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
      text += "'";
    };
    add("user", wanted.user);
    add("dbname", wanted.database);
    add("host", wanted.host);
    add("port", wanted.port);
    ConnectionPtr connection(PQconnectdb(text.c_str()));
    if (PQstatus(connection.get()) != CONNECTION_OK) throw ConnectionLost{PQerrorMessage(connection.get())};
    PQsetClientEncoding(connection.get(), "UTF8");
    return std::make_unique<LibpqConnection>(std::move(connection));
  }
  std::optional<double> simulated_seconds() const override { return std::nullopt; }
  std::string date() const override {
    const std::time_t now = std::time(nullptr);
    char text[64];
    std::strftime(text, sizeof text, "%c", std::localtime(&now));
    return text;
  }
  void sleep(double seconds) override {
    const double whole = std::floor(seconds);
    timespec wait{static_cast<std::time_t>(whole), static_cast<long>((seconds - whole) * 1e9)};
    while (::nanosleep(&wait, &wait) != 0 && errno == EINTR && !interrupts::pending()) {
    }
  }
  std::string description() const override { return "a real PostgreSQL: time is real, too"; }
  std::vector<std::string> nodes() const override { return {}; }

 private:
  std::string connection_;
};

}  // namespace

std::unique_ptr<Server> make_libpq_server(const std::string& connection) {
  return std::make_unique<LibpqServer>(connection);
}

}  // namespace polarsim::scenarios::cli::prompt
