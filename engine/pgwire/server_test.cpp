// Client and server together, over a session that only records what reaches it.
#include "engine/pgwire/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/node/statement_cache.h"
#include "engine/pgwire/client.h"
#include "engine/pgwire/message.h"
#include "sim/simulation.h"

namespace polarsim::engine::pgwire {
namespace {

constexpr std::uint16_t port = 5432;

// Answers SELECT with its parameters, INSERT and DELETE with counts, UPDATE with an error, TRUNCATE with its end.
class RecordingSession : public Session {
 public:
  explicit RecordingSession(std::vector<std::string>& log) : log_(log) {}

  QueryResult execute(const StatementRequest& request) override {
    const syntax::StatementPtr& statement = request.statement;
    const std::string_view text = request.text;
    const std::span<const Value> parameters = request.parameters;
    QueryResult result;
    if (const auto* control = std::get_if<syntax::TransactionControl>(&statement->body)) {
      const bool begins = control->kind == syntax::TransactionControl::Kind::begin;
      status_ = begins ? TransactionStatus::in_transaction : TransactionStatus::idle;
      const char* const begun = control->start ? "START TRANSACTION" : "BEGIN";
      result.tag = begins ? begun : control->kind == syntax::TransactionControl::Kind::commit ? "COMMIT" : "ROLLBACK";
      log_.push_back(result.tag);
      return result;
    }
    log_.emplace_back(text);
    if (std::holds_alternative<syntax::Truncate>(statement->body)) throw SessionTerminated::by_administrator();
    if (std::holds_alternative<syntax::Update>(statement->body)) {
      throw SqlError(ErrorFields{"22012", "division by zero", "some detail", "a hint", "a context", 8});
    }
    if (std::holds_alternative<syntax::Select>(statement->body)) {
      result.columns = columns();
      result.rows.push_back({Value::integer(-7), parameters.empty() ? Value::text("") : parameters[0],
                             Value::boolean(true), Value::null()});
      result.tag = "SELECT 1";
      result.notices.push_back(ErrorFields{"01000", "careful", "", "", "", 0});
    } else {
      result.tag = "INSERT 0 1";
    }
    return result;
  }
  StatementDescription describe(const StatementRequest& request) override {
    StatementDescription description;
    description.parameters.resize(static_cast<std::size_t>(request.statement->parameters), TypeId::text);
    if (std::holds_alternative<syntax::Select>(request.statement->body)) description.columns = columns();
    return description;
  }
  void fail() override {
    if (status_ == TransactionStatus::in_transaction) status_ = TransactionStatus::failed;
  }
  TransactionStatus status() const override { return status_; }
  void close() override { log_.push_back("close"); }
  void cancel() override { log_.push_back("cancel"); }
  void terminate() override {
    terminated_ = true;
    listener_();
  }
  bool termination_requested() const override { return terminated_; }
  void set_interrupt_listener(std::function<void()> listener) override { listener_ = std::move(listener); }
  sim::Duration idle_in_transaction_timeout() const override { return idle_timeout; }
  sim::Duration idle_timeout{0};

 private:
  static std::vector<ResultColumn> columns() {
    return {{"n", TypeId::int4}, {"parameter", TypeId::text}, {"yes", TypeId::boolean}, {"none", TypeId::int8}};
  }

  std::function<void()> listener_;
  bool terminated_ = false;
  std::vector<std::string>& log_;
  TransactionStatus status_ = TransactionStatus::idle;
};

class ServerTest : public testing::Test {
 protected:
  void run(const std::function<void()>& body, sim::Duration limit = sim::Duration(120'000'000'000)) {
    server_.set_program([this](sim::Host& host) {
      syntax::StatementCache cache = make_statement_cache(host.scheduler(), 100);
      const SessionFactory factory = [this](const SessionRequest& request) -> std::unique_ptr<Session> {
        if (request.user == "nobody") throw SqlError("28000", "role \"nobody\" does not exist");
        applications_.push_back(request.application_name);
        auto session = std::make_unique<RecordingSession>(log_);
        session->idle_timeout = idle_timeout_;
        session_ = session.get();
        return session;
      };
      serve(host, config_, port, factory, cache);
    });
    bool finished = false;
    client_.set_program([&](sim::Host&) {
      body();
      finished = true;
      simulation_.scheduler().stop();
    });
    server_.boot();
    client_.boot();
    simulation_.run(simulation_.now() + limit);
    EXPECT_TRUE(finished);
  }
  Client connect(const ClientOptions& options = {}) {
    auto client = Client::connect(client_, sim::Address{"server", port}, options);
    if (!client) throw SqlError(client.error());
    return std::move(*client);
  }
  void sleep_ms(std::int64_t count) { simulation_.scheduler().sleep_for(sim::Duration(count * 1'000'000)); }

  sim::Simulation simulation_{sim::SimulationOptions{}};
  sim::Host& server_ = simulation_.add_host("server");
  sim::Host& client_ = simulation_.add_host("client");
  NodeConfig config_;
  std::vector<std::string> log_;
  std::vector<std::string> applications_;
  RecordingSession* session_ = nullptr;  // the last one made
  sim::Duration idle_timeout_{0};
};

TEST_F(ServerTest, BringsRowsTypedAndNoticesAndErrorsWhole) {
  run([&] {
    ClientOptions options;
    options.application_name = "polar_internal";
    Client client = connect(options);
    EXPECT_EQ(applications_, std::vector<std::string>{"polar_internal"});
    EXPECT_EQ(client.backend_process_id(), 1000001U);
    const Value parameter = Value::text("it's");
    const auto result = client.query("SELECT $1", std::span(&parameter, 1));
    ASSERT_TRUE(result.has_value());
    ASSERT_EQ(result->columns.size(), 4U);
    EXPECT_EQ(result->columns[0].name, "n");
    EXPECT_EQ(result->columns[3].type, TypeId::int8);
    EXPECT_EQ(result->rows.at(0), (Row{Value::integer(-7), Value::text("it's"), Value::boolean(true), Value::null()}));
    EXPECT_EQ(result->tag, "SELECT 1");
    EXPECT_EQ(result->notices.at(0).message, "careful");
    const auto error = client.query("UPDATE t SET a = 1");
    ASSERT_FALSE(error.has_value());
    EXPECT_EQ(error.error().sqlstate, "22012");
    EXPECT_EQ(error.error().detail, "some detail");
    EXPECT_EQ(error.error().hint, "a hint");
    EXPECT_EQ(error.error().context, "a context");
    EXPECT_EQ(error.error().position, 8);
    EXPECT_TRUE(client.usable());
    EXPECT_EQ(client.query("SELEC 1").error().sqlstate, "42601");
    EXPECT_EQ(client.query("SELECT 1; SELECT 2").error().sqlstate, "42601");
    EXPECT_EQ(client.query("").value().tag, "");
    EXPECT_EQ(client.query("SELECT $1").error().sqlstate, "08P01") << "a parameter is missing";
    client.close();
    sleep_ms(10);
    EXPECT_EQ(log_.back(), "close");
  });
}

// Whatever the client is told of as an error ends the block, whether the session has seen the statement or not.
TEST_F(ServerTest, ErrorsBeforeExecutionFailTheBlock) {
  run([&] {
    Client client = connect();
    const auto fails_the_block = [&](const std::function<ClientResult()>& statement, const char* sqlstate) {
      ASSERT_TRUE(client.simple_query("BEGIN").has_value());
      const ClientResult answer = statement();
      ASSERT_FALSE(answer.has_value());
      EXPECT_EQ(answer.error().sqlstate, sqlstate);
      EXPECT_EQ(client.status(), TransactionStatus::failed);
      ASSERT_TRUE(client.simple_query("ROLLBACK").has_value());
    };
    EXPECT_EQ(client.simple_query("-- a\n /* b /* c */ */ start transaction")->tag, "START TRANSACTION");
    EXPECT_EQ(client.simple_query("ROLLBACK")->tag, "ROLLBACK");
    EXPECT_EQ(client.query("START TRANSACTION")->tag, "START TRANSACTION");
    EXPECT_EQ(client.query("ROLLBACK")->tag, "ROLLBACK");
    EXPECT_EQ(client.simple_query("ROLLBACK; START TRANSACTION")->tag, "START TRANSACTION");
    EXPECT_EQ(client.simple_query("ROLLBACK; BEGIN")->tag, "BEGIN");
    EXPECT_EQ(client.simple_query("ROLLBACK")->tag, "ROLLBACK");
    fails_the_block([&] { return client.simple_query("SELEC 1"); }, "42601");
    fails_the_block([&] { return client.simple_query("DECLARE c CURSOR FOR SELECT 1"); }, "0A000");
    fails_the_block([&] { return client.query("SELEC 1"); }, "42601");
    fails_the_block([&] { return client.query("SELECT $1"); }, "08P01");
    EXPECT_EQ(client.simple_query("SELEC 1").error().sqlstate, "42601");
    EXPECT_EQ(client.status(), TransactionStatus::idle) << "there was no block";
  });
}

TEST_F(ServerTest, RunsSeveralStatementsOfOneMessage) {
  run([&] {
    Client client = connect();
    const auto result = client.simple_query("INSERT INTO t VALUES (1); DELETE FROM t; INSERT INTO t VALUES (2)");
    EXPECT_TRUE(result.has_value());
    EXPECT_TRUE(result->columns.empty());
    EXPECT_EQ(log_.front(), "BEGIN");
    EXPECT_EQ(log_.back(), "COMMIT");
    log_.clear();
    EXPECT_EQ(client.simple_query("INSERT INTO t VALUES (1); UPDATE t SET a = 1; DELETE FROM t").error().sqlstate,
              "22012");
    EXPECT_EQ(log_.back(), "ROLLBACK");
    log_.clear();
    EXPECT_EQ(client.simple_query("SELECT 1; INSERT INTO t VALUES (1)")->rows.size(), 0U)
        << "the rows are the last statement's";
    EXPECT_EQ(log_.size(), 4U) << "with BEGIN and COMMIT";
    EXPECT_EQ(client.simple_query(" ")->tag, "");
    EXPECT_EQ(client.simple_query("BEGIN")->tag, "BEGIN");
    EXPECT_EQ(client.status(), TransactionStatus::in_transaction);
  });
}

TEST_F(ServerTest, SkipsToSyncAfterAnError) {
  run([&] {
    auto connection = client_.connect(sim::Address{"server", port});
    ASSERT_TRUE(connection.has_value());
    std::string bytes;
    append(bytes, FrontendMessage(EncryptionRequest{}));
    ASSERT_TRUE(connection->send(bytes).has_value());
    std::string answer;
    ASSERT_TRUE(connection->receive(answer).has_value());
    EXPECT_EQ(answer, "N");
    bytes.clear();
    append(bytes, FrontendMessage(Startup{{{"user", "u"}}}));
    append(bytes, FrontendMessage(Bind{"", "unknown", {}, {}, {}}));
    append(bytes, FrontendMessage(Execute{"", 0}));
    append(bytes, FrontendMessage(Query{"INSERT INTO t VALUES (1)"}));
    append(bytes, FrontendMessage(Sync{}));
    append(bytes, FrontendMessage(Parse{"s", "INSERT INTO t VALUES ($1)", {}}));
    append(bytes, FrontendMessage(Describe{'S', "s"}));
    append(bytes, FrontendMessage(Bind{"", "s", {}, {WireValue("1")}, {}}));
    append(bytes, FrontendMessage(Execute{"", 0}));
    append(bytes, FrontendMessage(Sync{}));
    ASSERT_TRUE(connection->send(bytes).has_value());
    sleep_ms(100);
    Decoder decoder;
    answer.clear();
    while (connection->receive(answer, 65536, simulation_.now()).has_value()) {
    }
    decoder.feed(answer);
    std::string kinds;
    while (const auto message = decoder.next_backend()) {
      if (std::holds_alternative<ReadyForQuery>(*message)) kinds += 'Z';
      if (std::holds_alternative<Report>(*message)) kinds += 'E';
      if (std::holds_alternative<ParseComplete>(*message)) kinds += '1';
      if (std::holds_alternative<ParameterDescription>(*message)) kinds += 't';
      if (std::holds_alternative<NoData>(*message)) kinds += 'n';
      if (std::holds_alternative<BindComplete>(*message)) kinds += '2';
      if (std::holds_alternative<CommandComplete>(*message)) kinds += 'C';
    }
    EXPECT_EQ(kinds, "ZEZ1tn2CZ");
    EXPECT_EQ(log_.size(), 1U) << "only the statement after Sync was executed";
  });
}

TEST_F(ServerTest, AnswersRubbishAndGoesOnServingOthers) {
  run([&] {
    Client good = connect();
    for (const std::string& rubbish :
         {std::string("GET / HTTP/1.0\r\n\r\n"), std::string(8, '\xFF'), std::string("\0\0\0\4", 4)}) {
      auto connection = client_.connect(sim::Address{"server", port});
      ASSERT_TRUE(connection.has_value());
      ASSERT_TRUE(connection->send(rubbish).has_value());
      std::string answer;
      ASSERT_TRUE(connection->receive(answer).has_value());
      Decoder decoder;
      decoder.feed(answer);
      const auto message = decoder.next_backend();
      ASSERT_TRUE(message && std::holds_alternative<Report>(*message));
      EXPECT_EQ(std::get<Report>(*message).severity, "FATAL");
      EXPECT_EQ(std::get<Report>(*message).fields.sqlstate, "08P01");
    }
    EXPECT_TRUE(good.query("SELECT 1").has_value());
  });
}

TEST_F(ServerTest, AMessageThatMakesNoSenseIsAnErrorOfItsStatement) {
  run([&] {
    auto connection = client_.connect(sim::Address{"server", port});
    ASSERT_TRUE(connection.has_value());
    std::string bytes;
    append(bytes, FrontendMessage(Startup{{{"user", "polar"}}}));
    const std::string sync("S\0\0\0\4", 5);
    bytes += std::string("Q\0\0\0\x0CSELECT 1", 13);                                 // without an end
    bytes += std::string("D\0\0\0\x06Q\0", 7) + std::string("B\0\0\0\4", 5) + sync;  // the second is passed over
    bytes += std::string("S\0\0\0\5x", 6) + std::string("c\0\0\0\5x", 6);
    append(bytes, FrontendMessage(Query{"SELECT 1"}));
    append(bytes, FrontendMessage(Terminate{}));
    ASSERT_TRUE(connection->send(bytes).has_value());
    std::string said;
    Decoder decoder;
    for (std::string answer; connection->receive(answer).value_or(0) > 0; answer.clear()) decoder.feed(answer);
    while (const auto message = decoder.next_backend()) {
      if (const auto* report = std::get_if<Report>(&*message); report != nullptr && !report->notice)
        said += report->severity + " " + report->fields.sqlstate + " " + report->fields.message + "; ";
      if (std::holds_alternative<ReadyForQuery>(*message)) said += "Z; ";
      if (std::holds_alternative<DataRow>(*message)) said += "D; ";
    }
    EXPECT_EQ(said,
              "Z; ERROR 08P01 invalid string in message; Z; ERROR 08P01 invalid DESCRIBE message subtype 81; Z; "
              "ERROR 08P01 invalid message format; Z; D; Z; ");
  });
}

TEST_F(ServerTest, TurnsClientsAway) {
  config_.max_connections = 2;
  run([&] {
    ClientOptions options;
    options.user = "nobody";
    EXPECT_EQ(Client::connect(client_, sim::Address{"server", port}, options).error().sqlstate, "28000");
    sleep_ms(10);
    Client first = connect();
    Client second = connect();
    EXPECT_EQ(Client::connect(client_, sim::Address{"server", port}).error().sqlstate, "53300");
    first.close();
    sleep_ms(10);
    EXPECT_TRUE(Client::connect(client_, sim::Address{"server", port}).has_value());
    EXPECT_EQ(Client::connect(client_, sim::Address{"server", 1}).error().sqlstate, "08001");
  });
}

TEST_F(ServerTest, ClosesTheSessionOfALostConnection) {
  run([&] {
    ClientOptions options;
    options.connection.keepalive_after = sim::Duration(1'000'000'000);
    options.connection.user_timeout = sim::Duration(2'000'000'000);
    Client client = connect(options);
    EXPECT_TRUE(client.simple_query("BEGIN").has_value());
    simulation_.network().cut("client", "server");
    simulation_.network().cut("server", "client");
    sleep_ms(8000);
    EXPECT_EQ(log_.back(), "close");
    simulation_.network().heal_all();
    EXPECT_EQ(client.query("SELECT 1").error().sqlstate, "08006");
    EXPECT_FALSE(client.usable());
    EXPECT_FALSE(client.peer_is_there());
  });
}

TEST_F(ServerTest, GivesUpAtTheDeadline) {
  run([&] {
    Client client = connect();
    simulation_.network().clog("client", "server", simulation_.now() + sim::Duration(1'000'000'000));
    const auto result = client.query("SELECT 1", {}, simulation_.now() + sim::Duration(100'000'000));
    EXPECT_EQ(result.error().sqlstate, "08006");
    EXPECT_EQ(result.error().message, "no answer from the server in time");
    EXPECT_FALSE(client.usable());
  });
}

TEST_F(ServerTest, NoticesThatAnIdleServerHasLeft) {
  run([&] {
    Client client = connect();
    EXPECT_TRUE(client.peer_is_there());
    server_.stop();
    sleep_ms(10);
    EXPECT_TRUE(client.usable()) << "nothing was received yet";
    EXPECT_FALSE(client.peer_is_there());
    EXPECT_FALSE(client.usable());
  });
}

TEST_F(ServerTest, CancelsByKeyOnly) {
  run([&] {
    Client client = connect();
    const CancelKey key = client.cancel_key();
    EXPECT_EQ(key.process_id, client.backend_process_id());
    CancelKey wrong = key;
    wrong.secret ^= 1;
    ASSERT_TRUE(request_cancel(client_, wrong).has_value());
    wrong = key;
    ++wrong.process_id;
    ASSERT_TRUE(request_cancel(client_, wrong).has_value());
    EXPECT_EQ(std::count(log_.begin(), log_.end(), "cancel"), 0);
    ASSERT_TRUE(request_cancel(client_, key).has_value());
    EXPECT_EQ(std::count(log_.begin(), log_.end(), "cancel"), 1);
    EXPECT_TRUE(client.query("SELECT 1").has_value());
    client.close();
    sleep_ms(10);
    ASSERT_TRUE(request_cancel(client_, key).has_value());
    EXPECT_EQ(std::count(log_.begin(), log_.end(), "cancel"), 1) << "the session is gone";
    CancelKey nowhere = key;
    nowhere.address.port = 1;
    EXPECT_EQ(request_cancel(client_, nowhere).error().sqlstate, "08001");
  });
}

TEST_F(ServerTest, ASessionThatEndsTellsItsClientWhy) {
  run([&] {
    Client client = connect();
    const auto error = client.query("DELETE FROM t");
    EXPECT_TRUE(error.has_value());
    session_->terminate();
    sleep_ms(10);
    const auto farewell = client.query("SELECT 1");
    ASSERT_FALSE(farewell.has_value());
    EXPECT_EQ(farewell.error().sqlstate, "57P01");
    EXPECT_EQ(farewell.error().message, "terminating connection due to administrator command");
    EXPECT_FALSE(client.usable());
    EXPECT_EQ(log_.back(), "close");

    Client busy = connect();
    const auto killed = busy.query("TRUNCATE t");
    ASSERT_FALSE(killed.has_value());
    EXPECT_EQ(killed.error().sqlstate, "57P01");
    EXPECT_FALSE(busy.usable());
    sleep_ms(10);
    EXPECT_EQ(log_.back(), "close");
    EXPECT_TRUE(connect().query("SELECT 1").has_value());
  });
}

TEST_F(ServerTest, EndsSessionsThatAreIdleInABlock) {
  idle_timeout_ = sim::Duration(500'000'000);
  run([&] {
    Client client = connect();
    sleep_ms(2000);
    EXPECT_TRUE(client.simple_query("BEGIN").has_value()) << "idle, but in no block";
    sleep_ms(400);
    EXPECT_TRUE(client.query("SELECT 1").has_value());
    sleep_ms(400);
    EXPECT_TRUE(client.query("SELECT 1").has_value());
    sleep_ms(600);
    EXPECT_EQ(log_.back(), "close");
    const auto late = client.query("SELECT 1");
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().sqlstate, "25P03");
    EXPECT_EQ(late.error().message, "terminating connection due to idle-in-transaction timeout");
    EXPECT_FALSE(client.usable());
  });
}

}  // namespace
}  // namespace polarsim::engine::pgwire
