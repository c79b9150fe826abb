// COPY between client and server, over a session that copies instead of doing what statements ask: CHECKPOINT reads
// rows, VACUUM writes some.
#include <gtest/gtest.h>

#include <functional>

#include "engine/node/statement_cache.h"
#include "engine/pgwire/client.h"
#include "engine/pgwire/message.h"
#include "engine/pgwire/server.h"
#include "sim/simulation.h"

namespace polarsim::engine::pgwire {
namespace {

constexpr std::uint16_t port = 5432;

class CopyingSession final : public Session {
 public:
  explicit CopyingSession(std::vector<std::string>& log) : log_(log) {}
  QueryResult execute(const StatementRequest& request) override {
    QueryResult result;
    result.tag = "OTHER";
    if (std::holds_alternative<syntax::Checkpoint>(request.statement->body)) result.tag = read();
    if (std::holds_alternative<syntax::Vacuum>(request.statement->body)) result.tag = write();
    if (const auto* copy = std::get_if<syntax::Copy>(&request.statement->body)) {
      result.tag = copy->from ? read() : write();
    }
    log_.emplace_back(request.text);
    return result;
  }
  StatementDescription describe(const StatementRequest&) override { return {}; }
  void fail() override {}
  TransactionStatus status() const override { return TransactionStatus::idle; }
  void close() override { log_.push_back("close"); }
  void set_copy_stream(CopyStream* stream) override { stream_ = stream; }
  void terminate() override {
    terminated_ = true;
    listener_();
  }
  bool termination_requested() const override { return terminated_; }
  void set_interrupt_listener(std::function<void()> listener) override { listener_ = std::move(listener); }

 private:
  std::string read() {
    CopySource& source = stream_->start_in(3);
    std::string all;
    for (std::string chunk; source.read(chunk);) {
      if (chunk == "bad") throw SqlError("22P02", "invalid input");
      all += chunk;
    }
    log_.push_back(all);
    return "COPY " + std::to_string(all.size());
  }
  std::string write() {
    CopySink& sink = stream_->start_out(2);
    for (int i = 0; i < 3; ++i) sink.write("line\n");
    if (++written_ == 2) throw SqlError("22012", "division by zero");
    return "COPY 3";
  }
  std::vector<std::string>& log_;
  CopyStream* stream_ = nullptr;
  int written_ = 0;
  bool terminated_ = false;
  std::function<void()> listener_;
};

class Chunks final : public CopySource {
 public:
  explicit Chunks(std::vector<std::string> chunks) : chunks_(std::move(chunks)) {}
  bool read(std::string& chunk) override {
    if (at_ == chunks_.size()) return false;
    chunk = chunks_[at_++];
    if (chunk == "fail") throw SqlError("58030", "cannot read on");
    return true;
  }

 private:
  std::vector<std::string> chunks_;
  std::size_t at_ = 0;
};
class Lines final : public CopySink {
 public:
  void write(std::string_view lines) override { text += lines; }
  std::string text;
};

class ServerCopyTest : public testing::Test {
 protected:
  void run(const std::function<void()>& body) {
    server_.set_program([this](sim::Host& host) {
      syntax::StatementCache cache = make_statement_cache(host.scheduler(), 100);
      const SessionFactory factory = [this](const SessionRequest&) {
        auto session = std::make_unique<CopyingSession>(log_);
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
    simulation_.run(simulation_.now() + sim::Duration(120'000'000'000));
    EXPECT_TRUE(finished);
  }
  Client connect() {
    auto client = Client::connect(client_, sim::Address{"server", port});
    if (!client) throw SqlError(client.error());
    return std::move(*client);
  }
  // What the server answers to these bytes, after a startup: the types of its messages, errors as [SQLSTATE].
  std::string converse(const std::vector<FrontendMessage>& messages) {
    std::string bytes;
    append(bytes, FrontendMessage(Startup{{{"user", "u"}}}));
    for (const FrontendMessage& message : messages) append(bytes, message);
    return converse_bytes(bytes);
  }
  std::string converse_bytes(const std::string& bytes) {
    auto connection = client_.connect(sim::Address{"server", port});
    EXPECT_TRUE(connection->send(bytes));
    connection->shutdown_send();
    std::string answer;
    while (true) {
      std::string more;
      const auto received = connection->receive(more, 1 << 16);
      if (!received || *received == 0) break;
      answer += more;
    }
    Decoder decoder;
    decoder.feed(answer);
    std::string types;
    while (const auto message = decoder.next_backend()) {
      if (const auto* report = std::get_if<Report>(&*message)) {
        types += "[" + report->severity + " " + report->fields.sqlstate + " " + report->fields.message + "]";
      } else if (std::holds_alternative<ReadyForQuery>(*message)) {
        types = started(types) ? types + "Z" : "start:";
      } else if (std::holds_alternative<CopyInResponse>(*message)) {
        types += "G";
      } else if (std::holds_alternative<CopyOutResponse>(*message)) {
        types += "H";
      } else if (std::holds_alternative<CopyData>(*message)) {
        types += "d";
      } else if (std::holds_alternative<CopyDone>(*message)) {
        types += "c";
      } else if (std::holds_alternative<NoData>(*message)) {
        types += "n";
      } else if (const auto* complete = std::get_if<CommandComplete>(&*message)) {
        types += "(" + complete->tag + ")";
      }
    }
    return types.starts_with("start:") ? types.substr(6) : types;
  }
  static std::string bytes_of(const std::vector<FrontendMessage>& messages) {
    std::string bytes;
    for (const FrontendMessage& message : messages) append(bytes, message);
    return bytes;
  }
  static bool started(const std::string& types) { return types.starts_with("start:"); }

  sim::Simulation simulation_{sim::SimulationOptions{}};
  sim::Host& server_ = simulation_.add_host("server");
  sim::Host& client_ = simulation_.add_host("client");
  NodeConfig config_;
  std::vector<std::string> log_;
  CopyingSession* session_ = nullptr;  // the last one made
};

TEST_F(ServerCopyTest, RowsGoIn) {
  run([&] {
    Client client = connect();
    Chunks chunks({"1\ta", "\n2\tb\n", "", "3"});
    const auto result = client.copy_in("CHECKPOINT", chunks);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->tag, "COPY 9");
    EXPECT_EQ(log_, (std::vector<std::string>{"1\ta\n2\tb\n3", "CHECKPOINT"}));
    EXPECT_TRUE(client.usable());
    EXPECT_EQ(client.start_copy_in("CHECKPOINT").value_or(0), 3U);
    EXPECT_FALSE(client.usable());
    EXPECT_TRUE(client.finish_copy_in());
  });
}

TEST_F(ServerCopyTest, ErrorsOfEitherSideEndTheStatementOnly) {
  run([&] {
    Client client = connect();
    Chunks bad({"1\n", "bad", "2\n", "3\n"});
    auto result = client.copy_in("CHECKPOINT", bad);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().sqlstate, "22P02");
    Chunks failing({"1\n", "fail"});
    result = client.copy_in("CHECKPOINT", failing);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().sqlstate, "57014");
    EXPECT_EQ(result.error().message, "COPY from stdin failed: cannot read on");
    for (const bool simple : {true, false}) {
      result = simple ? client.simple_query("CHECKPOINT") : client.query("CHECKPOINT");
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().message, "COPY from stdin failed: the client has no rows to send");
      EXPECT_TRUE(client.usable());
    }
    Chunks none({});
    result = client.copy_in("VACUUM", none);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "the statement is no COPY FROM STDIN");
    EXPECT_EQ(client.simple_query("VACUUM").error().sqlstate, "22012");
    EXPECT_EQ(client.simple_query("VACUUM")->tag, "COPY 3");
  });
}

TEST_F(ServerCopyTest, RowsComeOut) {
  run([&] {
    Client client = connect();
    Lines lines;
    auto result = client.copy_out("VACUUM", lines);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->tag, "COPY 3");
    EXPECT_EQ(lines.text, "line\nline\nline\n");
    result = client.copy_out("VACUUM", lines);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().sqlstate, "22012");
    EXPECT_TRUE(client.usable());
    result = client.copy_out("CHECKPOINT", lines);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "COPY from stdin failed: the client has no rows to send");
  });
}

// A session may be ended while it waits for rows, and a client may be lost.
TEST_F(ServerCopyTest, EndsWithItsConnection) {
  run([&] {
    {
      Client client = connect();
      ASSERT_TRUE(client.start_copy_in("CHECKPOINT"));
      session_->terminate();
      const auto result = client.finish_copy_in();
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().sqlstate, "57P01");
      EXPECT_EQ(log_.at(0), "close");
      log_.clear();
    }
    {
      Client client = connect();
      ASSERT_TRUE(client.start_copy_in("CHECKPOINT"));
      ASSERT_TRUE(client.send_copy("1\n"));
    }
    simulation_.scheduler().sleep_for(sim::Duration(1'000'000'000));
    EXPECT_EQ(log_, std::vector<std::string>{"close"});
  });
}

// What a message of COPY says too much is passed over; what it does not say is an error of the statement.
TEST_F(ServerCopyTest, MalformedMessagesEndTheStatementOnly) {
  run([&] {
    const std::string again = bytes_of({Query{"CHECKPOINT"}, CopyDone{}});
    const auto during_copy = [&](const std::string& message) {
      return converse_bytes(bytes_of({Startup{{{"user", "u"}}}, Query{"CHECKPOINT"}}) + message + again);
    };
    const auto message = [](char type, const std::string& body) {
      return std::string{type, 0, 0, 0, static_cast<char>(body.size() + 4)} + body;
    };
    EXPECT_EQ(during_copy(message('f', "no end")), "G[ERROR 08P01 invalid string in message]ZG(COPY 0)Z");
    EXPECT_EQ(during_copy(message('f', std::string("why\0more", 8))),
              "G[ERROR 57014 COPY from stdin failed: why]ZG(COPY 0)Z");
    EXPECT_EQ(during_copy(message('c', "more")), "G(COPY 0)ZG(COPY 0)Z");
    EXPECT_EQ(during_copy(message('S', "more") + message('H', "more") + message('c', "")), "G(COPY 0)ZG(COPY 0)Z");
    EXPECT_EQ(during_copy(message('Q', "no end")),
              "G[ERROR 08P01 unexpected message type 0x51 during COPY from stdin]"
              "[FATAL 08P01 terminating connection because protocol synchronization was lost]");
  });
}

TEST_F(ServerCopyTest, FunctionCallsAreRefusedAlone) {
  run([&] {
    const std::string call{'F', 0, 0, 0, 8, 1, 2, 3, 4};
    const std::string startup = bytes_of({Startup{{{"user", "u"}}}});
    EXPECT_EQ(converse_bytes(startup + call + bytes_of({Query{"VACUUM"}})),
              "[ERROR 0A000 function calls by the protocol are not supported]ZHdddc(COPY 3)Z");
  });
}

// A description that was put off precedes the copying.
TEST_F(ServerCopyTest, ADescribedCopyIsToldToGiveNoRowsFirst) {
  run([&] {
    const auto described = [](const char* text) {
      return std::vector<FrontendMessage>{Parse{"", text, {}}, Bind{}, Describe{'P', ""}, Execute{"", 0}, Sync{}};
    };
    EXPECT_EQ(converse(described("COPY t TO STDOUT")), "nHdddc(COPY 3)Z");
    std::vector<FrontendMessage> in = described("COPY t FROM STDIN");
    in.insert(in.end(), {CopyData{"1\n"}, CopyDone{}, Sync{}});
    EXPECT_EQ(converse(in), "nG(COPY 2)Z");
  });
}

TEST_F(ServerCopyTest, MessagesAreThoseOfPostgreSQL) {
  run([&] {
    const FrontendMessage copy = Query{"CHECKPOINT"};
    const FrontendMessage data = CopyData{"1\n"};
    const FrontendMessage bad = CopyData{"bad"};
    const FrontendMessage done = CopyDone{};
    const FrontendMessage sync = Sync{};
    EXPECT_EQ(converse({copy, data, FrontendMessage(Flush{}), sync, data, done}), "G(COPY 4)Z");
    // The client keeps on sending after an error: that is dropped, by either protocol.
    EXPECT_EQ(converse({copy, data, bad, data, done, copy, done}), "G[ERROR 22P02 invalid input]ZG(COPY 0)Z");
    const std::vector<FrontendMessage> prepare = {Parse{"", "CHECKPOINT", {}}, Bind{}, Execute{"", 0}, sync};
    std::vector<FrontendMessage> extended = prepare;
    extended.insert(extended.end(), {data, done, sync});
    EXPECT_EQ(converse(extended), "G(COPY 2)Z");
    extended = prepare;
    extended.insert(extended.end(), {bad, data, done, sync, copy, done});
    EXPECT_EQ(converse(extended), "G[ERROR 22P02 invalid input]ZG(COPY 0)Z");
    EXPECT_EQ(converse({FrontendMessage(Query{"VACUUM"})}), "Hdddc(COPY 3)Z");
    EXPECT_EQ(converse({FrontendMessage(Query{"VACUUM; CHECKPOINT; VACUUM"}), done}),
              "Hdddc(COPY 3)G(COPY 0)Hddd[ERROR 22012 division by zero]Z");
    EXPECT_EQ(converse({copy, data, FrontendMessage(Query{"VACUUM"})}),
              "G[ERROR 08P01 unexpected message type 0x51 during COPY from stdin]"
              "[FATAL 08P01 terminating connection because protocol synchronization was lost]");
    EXPECT_EQ(converse({copy, data}), "G[ERROR 08006 unexpected EOF on client connection with an open transaction]Z");
  });
}

}  // namespace
}  // namespace polarsim::engine::pgwire
