#include "scenarios/cli/postgres/postgres_stage.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <utility>
#include <vector>

namespace polarsim::scenarios::cli {
namespace {

using isolation::Answer;
using isolation::StageError;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds poll_interval{3};
// Nothing that a case does takes so long.
constexpr std::chrono::seconds patience{60};

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

Answer answer_of(const PGresult* result) {
  Answer answer;
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    // libpq itself gives no SQLSTATE to a connection that is gone.
    answer.sqlstate = sqlstate == nullptr ? "08006" : sqlstate;
    answer.message = message == nullptr ? PQresultErrorMessage(result) : message;
    return answer;
  }
  answer.tag = PQcmdStatus(const_cast<PGresult*>(result));
  answer.has_rows = status == PGRES_TUPLES_OK;
  for (int row = 0; row < PQntuples(result); ++row) {
    std::string text;
    for (int column = 0; column < PQnfields(result); ++column) {
      if (column != 0) text += '|';
      text += PQgetisnull(result, row, column) != 0 ? "null" : PQgetvalue(result, row, column);
    }
    answer.rows.push_back(std::move(text));
  }
  return answer;
}

class Connection {
 public:
  explicit Connection(const std::string& options) : connection_(PQconnectdb(options.c_str())) {
    if (PQstatus(connection_) == CONNECTION_OK) {
      PQsetNoticeProcessor(
          connection_, [](void*, const char*) {}, nullptr);
      return;
    }
    const std::string problem = PQerrorMessage(connection_);
    PQfinish(connection_);
    throw StageError(problem);
  }
  ~Connection() { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int pid() const { return PQbackendPID(connection_); }
  int socket() const { return PQsocket(connection_); }
  int version() const { return PQserverVersion(connection_); }
  bool busy() const { return busy_; }

  // Any number of statements, one after the other.
  void run(const std::string& sql) {
    const Result result(PQexec(connection_, sql.c_str()));
    const Answer answer = answer_of(result.get());
    if (answer.failed()) throw StageError(fmt::format("{}: {}", sql, isolation::to_string(answer)));
  }
  Answer ask(const std::string& sql) {
    const Result result(PQexecParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
    return answer_of(result.get());
  }

  // The extended protocol takes one statement only, as a step is.
  void send(const std::string& sql) {
    answer_.reset();
    busy_ = true;
    if (PQsendQueryParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 1) return;
    answer_ = Answer{};
    answer_->sqlstate = "08006";
    answer_->message = PQerrorMessage(connection_);
    busy_ = false;
  }
  // Reads what has arrived.
  void receive() {
    PQconsumeInput(connection_);
    while (busy_ && PQisBusy(connection_) == 0) {
      const Result result(PQgetResult(connection_));
      if (result == nullptr) {
        busy_ = false;
      } else if (!answer_) {
        answer_ = answer_of(result.get());
      }
    }
  }
  std::optional<Answer> take() {
    if (busy_) return std::nullopt;
    return std::exchange(answer_, std::nullopt);
  }

 private:
  PGconn* connection_;
  bool busy_ = false;
  std::optional<Answer> answer_;
};

class PostgresStage : public isolation::Stage {
 public:
  explicit PostgresStage(const PostgresStageOptions& options)
      : options_(options),
        control_(options.connection),
        schema_(fmt::format("polarsim_isolation_{}_{}", ::getpid(), control_.pid())) {
    if (control_.version() < 150000) throw StageError("the server is older than PostgreSQL 15");
    control_.run("SET client_min_messages = warning");
  }
  ~PostgresStage() override {
    try {
      end();
    } catch (const StageError&) {
      // The server is gone, and the schema with it or not: there is nobody left to ask.
    }
  }

  std::string begin(const std::string& setup, std::size_t sessions) override {
    end();
    control_.run("CREATE SCHEMA " + schema_);
    begun_ = true;
    observer_ = connect();
    for (std::size_t i = 0; i < sessions; ++i) sessions_.push_back(connect());
    for (const std::string& statement : isolation::split_statements(setup)) {
      const Answer answer = observer_->ask(statement);
      if (answer.failed()) return fmt::format("{}: {}", statement, isolation::to_string(answer));
    }
    return "";
  }

  void issue(std::size_t session, const std::string& sql) override { sessions_[session]->send(sql); }

  void settle() override {
    const SteadyTime start = std::chrono::steady_clock::now();
    // A session that was seen waiting may have been woken since by one that was looked at later, so the second look
    // has to find what the first found.
    for (int agreeing = 0; agreeing < 2;) {
      if (!receive_all()) return;
      if (all_wait()) {
        ++agreeing;
      } else {
        agreeing = 0;
        wait_for_input();
      }
      if (std::chrono::steady_clock::now() - start > patience) throw StageError("the server does not come to rest");
    }
  }

  std::optional<Answer> take(std::size_t session) override { return sessions_[session]->take(); }

  void pause(sim::Duration length) override {
    const auto end = std::chrono::steady_clock::now() + length;
    while (std::chrono::steady_clock::now() < end) {
      receive_all();
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(poll_interval, length));
    }
  }

  void disconnect(std::size_t session) override {
    const int pid = sessions_[session]->pid();
    sessions_[session].reset();
    await_end_of({pid});
  }

  Answer query(const std::string& sql) override { return observer_->ask(sql); }

 private:
  std::unique_ptr<Connection> connect() {
    auto connection = std::make_unique<Connection>(options_.connection);
    connection->run("SET client_min_messages = warning; SET search_path = " + schema_);
    return connection;
  }

  // False if every session is idle.
  bool receive_all() {
    bool busy = false;
    for (const auto& session : sessions_) {
      if (session == nullptr || !session->busy()) continue;
      session->receive();
      busy = busy || session->busy();
    }
    return busy;
  }

  void wait_for_input() {
    std::vector<pollfd> sockets;
    for (const auto& session : sessions_) {
      if (session != nullptr && session->busy()) sockets.push_back({session->socket(), POLLIN, 0});
    }
    ::poll(sockets.data(), sockets.size(), static_cast<int>(poll_interval.count()));
  }

  // Whether the server says of each session that has not answered that it waits for a lock.
  bool all_wait() {
    std::string pids;
    std::size_t count = 0;
    for (const auto& session : sessions_) {
      if (session == nullptr || !session->busy()) continue;
      pids += fmt::format("{}{}", pids.empty() ? "" : ",", session->pid());
      ++count;
    }
    // pg_blocking_pids() names itself only in an array; one row for each waiting session and each that it waits for.
    const Answer answer = control_.ask(
        fmt::format("SELECT pid, blocking FROM unnest(ARRAY[{}]) pid, unnest(pg_blocking_pids(pid)) blocking", pids));
    if (answer.failed()) throw StageError(isolation::to_string(answer));
    std::map<int, std::vector<int>> waits;
    for (const std::string& row : answer.rows) {
      const std::size_t bar = row.find('|');
      waits[std::stoi(row.substr(0, bar))].push_back(std::stoi(row.substr(bar + 1)));
    }
    return waits.size() == count && !(options_.await_deadlocks && has_cycle(waits));
  }

  static bool has_cycle(const std::map<int, std::vector<int>>& waits) {
    // Who waits only for sessions that wait for nobody is in no cycle; what is left when these are gone is one.
    std::map<int, std::vector<int>> left = waits;
    std::size_t before = 0;
    do {
      before = left.size();
      std::erase_if(left, [&left](const auto& entry) {
        return std::none_of(entry.second.begin(), entry.second.end(), [&left](int pid) { return left.contains(pid); });
      });
    } while (left.size() != before);
    return !left.empty();
  }

  void await_end_of(const std::vector<int>& pids) {
    std::string list;
    for (const int pid : pids) list += fmt::format("{}{}", list.empty() ? "" : ",", pid);
    if (list.empty()) return;
    const SteadyTime start = std::chrono::steady_clock::now();
    while (control_.ask("SELECT pid FROM pg_stat_activity WHERE pid IN (" + list + ")").rows.size() > 0) {
      if (std::chrono::steady_clock::now() - start > patience) throw StageError("a session does not end");
      std::this_thread::sleep_for(poll_interval);
    }
  }

  void end() {
    if (!begun_) return;
    begun_ = false;
    // Nobody may be left who holds a lock in the schema, or waits for one.
    std::vector<int> pids;
    for (auto& session : sessions_) {
      if (session == nullptr) continue;
      pids.push_back(session->pid());
      control_.ask(fmt::format("SELECT pg_terminate_backend({})", session->pid()));
    }
    sessions_.clear();
    pids.push_back(observer_->pid());
    observer_.reset();
    await_end_of(pids);
    // Cases name their prepared transactions so; others are somebody else's.
    for (const std::string& gid :
         control_
             .ask("SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE 'isolation-%'")
             .rows) {
      control_.run("ROLLBACK PREPARED '" + gid + "'");
    }
    control_.run("DROP SCHEMA " + schema_ + " CASCADE");
  }

  PostgresStageOptions options_;
  Connection control_;
  std::string schema_;
  bool begun_ = false;
  std::unique_ptr<Connection> observer_;
  std::vector<std::unique_ptr<Connection>> sessions_;
};

}  // namespace

std::unique_ptr<isolation::Stage> make_postgres_stage(const PostgresStageOptions& options) {
  return std::make_unique<PostgresStage>(options);
}

}  // namespace polarsim::scenarios::cli
