// The extended protocol message by message: portals in pieces, values in binary form, settings that are reported.
#include <gtest/gtest.h>

#include "engine/node/statement_cache.h"
#include "engine/pgwire/long_identifiers.h"
#include "engine/pgwire/message.h"
#include "engine/pgwire/server.h"
#include "sim/simulation.h"

namespace polarsim::engine::pgwire {
namespace {

constexpr std::uint16_t port = 5432;

// SELECT and INSERT with RETURNING give five rows, EXPLAIN too, SELECT without a list rows without columns; parameters
// are written down, and the first words of statements. SET changes the one setting, DELETE fails.
class FiveRows : public Session {
 public:
  FiveRows(std::vector<std::string>& log, std::vector<std::string>& done) : log_(log), done_(done) {}

  QueryResult execute(const StatementRequest& request) override {
    QueryResult result;
    const syntax::StatementBody& body = request.statement->body;
    done_.emplace_back(request.text.substr(0, request.text.find(' ')));
    if (const auto* control = std::get_if<syntax::TransactionControl>(&body)) {
      using Kind = syntax::TransactionControl::Kind;
      const bool ends = control->kind == Kind::commit || control->kind == Kind::rollback;
      status_ = ends ? TransactionStatus::idle : TransactionStatus::in_transaction;
      result.tag = control->kind == Kind::begin ? "BEGIN" : control->kind == Kind::commit ? "COMMIT" : "ROLLBACK";
      return result;
    }
    if (std::holds_alternative<syntax::Delete>(body)) {
      fail();
      throw SqlError("22012", "division by zero");
    }
    for (const Value& parameter : request.parameters)
      log_.push_back(parameter.is_null() ? "NULL" : std::string(parameter.as_text()));
    if (const auto* set = std::get_if<syntax::SetVariable>(&body)) {
      settings_ = std::make_shared<const std::string>(set->value);
      result.tag = "SET";
    } else if (const auto* select = std::get_if<syntax::Select>(&body)) {
      if (!select->items.empty()) {
        give_five_rows(result);
      } else {
        result.rows.resize(5);
      }
      result.tag = "SELECT 5";
    } else if (const auto* insert = std::get_if<syntax::Insert>(&body);
               insert != nullptr && !insert->returning.empty()) {
      give_five_rows(result);
      result.tag = "INSERT 0 5";
    } else if (std::holds_alternative<syntax::Explain>(body)) {
      give_five_rows(result);
      result.tag = "EXPLAIN";
    } else {
      result.tag = "INSERT 0 1";
    }
    return result;
  }
  StatementDescription describe(const StatementRequest& request) override {
    StatementDescription description;
    description.parameters.resize(static_cast<std::size_t>(request.statement->parameters), TypeId::int4);
    const auto* const select = std::get_if<syntax::Select>(&request.statement->body);
    if (select != nullptr && !select->items.empty()) description.columns = {{"n", TypeId::int4}, {"t", TypeId::text}};
    return description;
  }
  void fail() override {
    if (status_ == TransactionStatus::in_transaction) status_ = TransactionStatus::failed;
  }
  TransactionStatus status() const override { return status_; }
  void close() override {}
  std::string setting(std::string_view name) const override {
    return name == "application_name" ? *settings_ : "fixed";
  }
  std::shared_ptr<const void> settings_in_force() const override { return settings_; }
  void set_at_start(std::string_view name, std::string_view value) override {
    if (name != "application_name") {
      throw SqlError(sqlstate::undefined_object, "unrecognized configuration parameter \"" + std::string(name) + "\"");
    }
    settings_ = std::make_shared<const std::string>(value);
  }

 private:
  static void give_five_rows(QueryResult& result) {
    result.columns = {{"n", TypeId::int4}, {"t", TypeId::text}};
    for (int i = 1; i <= 5; ++i) result.rows.push_back({Value::integer(i), Value::text("x")});
  }

  std::vector<std::string>& log_;
  std::vector<std::string>& done_;
  TransactionStatus status_ = TransactionStatus::idle;
  std::shared_ptr<const std::string> settings_ = std::make_shared<const std::string>();
};

// What a message is, in short.
struct Short {
  std::string operator()(const ReadyForQuery& m) const { return std::string("Z") + m.status; }
  std::string operator()(const Report& m) const {
    return m.severity + " " + m.fields.sqlstate + " " + m.fields.message;
  }
  std::string operator()(const ParseComplete&) const { return "1"; }
  std::string operator()(const BindComplete&) const { return "2"; }
  std::string operator()(const CloseComplete&) const { return "3"; }
  std::string operator()(const NoData&) const { return "n"; }
  std::string operator()(const PortalSuspended&) const { return "s"; }
  std::string operator()(const EmptyQueryResponse&) const { return "I"; }
  std::string operator()(const CommandComplete& m) const { return m.tag; }
  std::string operator()(const ParameterStatus& m) const { return m.name + "=" + m.value; }
  std::string operator()(const ParameterDescription& m) const { return "t" + std::to_string(m.types.size()); }
  std::string operator()(const RowDescription& m) const {
    std::string text = "T";
    for (const FieldDescription& field : m.fields) text += field.name + std::to_string(field.format);
    return text;
  }
  std::string operator()(const DataRow& m) const {
    std::string text = "D";
    for (const WireValue& value : m.values) {
      for (const char c : value.value_or("NULL")) text += c >= ' ' ? std::string(1, c) : "\\" + std::to_string(c);
    }
    return text;
  }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "?";
  }
};

class ExtendedProtocol : public testing::Test {
 protected:
  ExtendedProtocol() {
    server_.set_program([this](sim::Host& host) {
      syntax::StatementCache cache = make_statement_cache(host.scheduler(), 100);
      const SessionFactory factory = [this](const SessionRequest&) { return std::make_unique<FiveRows>(log_, done_); };
      serve(host, config_, port, factory, cache);
    });
  }

  // One connection: what is sent in one piece after another, and all of what comes back for each.
  std::vector<std::string> talk(const std::vector<std::vector<FrontendMessage>>& pieces) {
    std::vector<std::string> answers;
    client_.set_program([&](sim::Host&) {
      auto connection = client_.connect(sim::Address{"server", port});
      for (const std::vector<FrontendMessage>& piece : pieces) {
        std::string bytes;
        for (const FrontendMessage& message : piece) append(bytes, message);
        ASSERT_TRUE(connection && connection->send(bytes));
        simulation_.scheduler().sleep_for(sim::Duration(100'000'000));
        std::string answer;
        while (connection->receive(answer, 65536, simulation_.now()).value_or(0) > 0) {
        }
        Decoder decoder;
        decoder.feed(answer);
        std::string text;
        while (const auto message = decoder.next_backend()) {
          const std::string word = std::visit(Short{}, *message);
          if (word != "?") text += (text.empty() ? "" : "; ") + word;
        }
        answers.push_back(text);
      }
      simulation_.scheduler().stop();
    });
    server_.boot();
    client_.boot();
    simulation_.run(simulation_.now() + sim::Duration(60'000'000'000));
    return answers;
  }
  static Startup startup() { return {{{"user", "u"}, {"application_name", "a"}}}; }

  sim::Simulation simulation_{sim::SimulationOptions{}};
  sim::Host& server_ = simulation_.add_host("server");
  sim::Host& client_ = simulation_.add_host("client");
  NodeConfig config_;
  std::vector<std::string> log_;
  std::vector<std::string> done_;
};

TEST_F(ExtendedProtocol, GivesTheRowsOfAPortalInPieces) {
  const auto answers = talk({{startup(), Query{"BEGIN"}},
                             {Parse{"", "SELECT 1", {}}, Bind{"p", "", {}, {}, {}}, Execute{"p", 2}, Sync{}},
                             {Execute{"p", 2}, Sync{}},
                             {Execute{"p", 1}, Execute{"p", 2}, Execute{"p", 2}, Sync{}},
                             {Bind{"p", "", {}, {}, {}}, Sync{}},
                             {Query{"COMMIT"}},
                             {Execute{"p", 0}, Sync{}}});
  ASSERT_EQ(answers.size(), 7U);
  EXPECT_EQ(answers[1], "1; 2; D1x; D2x; s; ZT");
  EXPECT_EQ(answers[2], "D3x; D4x; s; ZT") << "a portal outlives Sync inside a block";
  EXPECT_EQ(answers[3], "D5x; s; SELECT 0; SELECT 0; ZT") << "that these are the last is not known yet";
  EXPECT_EQ(answers[4], "ERROR 42P03 cursor \"p\" already exists; ZE");
  EXPECT_EQ(answers[6], "ERROR 34000 portal \"p\" does not exist; ZI") << "and goes with the block";
}

TEST_F(ExtendedProtocol, RunsWhatGivesNoRowsOnce) {
  const auto answers =
      talk({{startup()},
            {Parse{"", "INSERT INTO t VALUES (1)", {}}, Bind{"", "", {}, {}, {}}, Describe{'P', ""}, Execute{"", 0},
             Execute{"", 0}, Sync{}},
            {Parse{"", "SELECT", {}}, Describe{'S', ""}, Bind{"", "", {}, {}, {}}, Execute{"", 1}, Sync{}},
            {Parse{"", "", {}}, Bind{"", "", {}, {}, {}}, Execute{"", 0}, Close{'P', ""}, Sync{}}});
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[1], "1; 2; n; INSERT 0 1; ERROR 55000 portal \"\" cannot be run; ZI");
  EXPECT_EQ(answers[2], "1; t0; T; 2; D; s; ZI") << "rows without columns are rows";
  EXPECT_EQ(answers[3], "1; 2; I; 3; ZI");
}

TEST_F(ExtendedProtocol, TagsOfRowsInPiecesCountThoseOfTheLastPieceIfAny) {
  const auto answers =
      talk({{startup(), Query{"BEGIN"}},
            {Parse{"", "EXPLAIN SELECT 1", {}}, Bind{"p", "", {}, {}, {}}, Execute{"p", 3}, Execute{"p", 0}, Sync{}},
            {Parse{"", "INSERT INTO t VALUES (1) RETURNING 1", {}}, Bind{"q", "", {}, {}, {}}, Execute{"q", 3},
             Execute{"q", 0}, Execute{"q", 0}, Sync{}}});
  EXPECT_EQ(answers.at(1), "1; 2; D1x; D2x; D3x; s; D4x; D5x; EXPLAIN; ZT");
  EXPECT_EQ(answers.at(2), "1; 2; D1x; D2x; D3x; s; D4x; D5x; INSERT 0 2; INSERT 0 0; ZT");
}

TEST_F(ExtendedProtocol, WhatComesBeforeSyncIsOneTransaction) {
  const Parse parse{"s", "INSERT INTO t VALUES (1)", {}};
  const Parse failing{"f", "DELETE FROM t", {}};
  const auto run = [](const char* statement) { return Bind{"", statement, {}, {}, {}}; };
  const Execute go{"", 0};
  const auto answers = talk({{startup()},
                             {parse, run("s"), go, Sync{}, run("s"), go, Sync{}},
                             {run("s"), go, run("s"), go, Sync{}},
                             {failing, run("s"), go, run("f"), go, run("s"), go, Sync{}},
                             {run("s"), go, Flush{}},
                             {Query{"INSERT INTO t VALUES (2)"}},
                             {Parse{"b", "BEGIN", {}}, run("s"), go, run("b"), go, Sync{}},
                             {Query{"ROLLBACK"}},
                             {Parse{"c", "COMMIT", {}}, run("s"), go, run("c"), go, run("s"), go, Sync{}},
                             {Parse{"p", "SAVEPOINT a", {}}, run("s"), go, run("p"), go, Sync{}},
                             {Parse{"v", "VACUUM t", {}}, run("v"), go, run("s"), go, Sync{}}});
  ASSERT_EQ(answers.size(), 11U);
  EXPECT_EQ(answers[1], "1; 2; INSERT 0 1; ZI; 2; INSERT 0 1; ZI");
  EXPECT_EQ(answers[2], "2; INSERT 0 1; 2; INSERT 0 1; ZI");
  EXPECT_EQ(answers[3], "1; 2; INSERT 0 1; 2; ERROR 22012 division by zero; ZI");
  EXPECT_EQ(answers[4], "2; INSERT 0 1");
  EXPECT_EQ(answers[5], "INSERT 0 1; ZI") << "a Query ends what no Sync has ended";
  EXPECT_EQ(answers[6], "1; 2; INSERT 0 1; 2; BEGIN; ZT");
  EXPECT_EQ(answers[8],
            "1; 2; INSERT 0 1; 2; WARNING 25P01 there is no transaction in progress; COMMIT; 2; INSERT 0 1; ZI");
  EXPECT_EQ(answers[9], "1; 2; INSERT 0 1; 2; ERROR 25P01 SAVEPOINT can only be used in transaction blocks; ZI");
  EXPECT_EQ(answers[10], "1; 2; INSERT 0 1; 2; INSERT 0 1; ZI");
  const std::vector<std::string> expected{"INSERT", "INSERT",                          // each with a Sync of its own
                                          "BEGIN",  "INSERT", "INSERT",   "COMMIT",    // two with one
                                          "BEGIN",  "INSERT", "DELETE",   "ROLLBACK",  // one that fails
                                          "BEGIN",  "INSERT", "INSERT",   "COMMIT",    // up to the Query
                                          "BEGIN",  "INSERT", "ROLLBACK",              // the client's from here on
                                          "BEGIN",  "INSERT", "COMMIT",   "INSERT",    // ended, and begun anew
                                          "BEGIN",  "INSERT", "ROLLBACK",              // no savepoint there
                                          "VACUUM", "INSERT"};                         // what no block may have
  EXPECT_EQ(done_, expected);
}

// What was put off is said before the Query takes the unnamed portal away.
TEST_F(ExtendedProtocol, ADescribedPortalMayGoBeforeItIsExecuted) {
  const auto answers = talk({{startup()},
                             {Parse{"s", "SELECT 1", {}}, Bind{"", "s", {}, {}, {}}, Describe{'P', ""},
                              Query{"INSERT INTO t VALUES (1)"}, Sync{}},
                             {Execute{"", 0}, Sync{}},
                             {Bind{"", "s", {}, {}, {0, 0, 0}}, Describe{'P', ""}, Query{"SELECT"}, Sync{}}});
  EXPECT_EQ(answers.at(1), "1; 2; Tn0t0; INSERT 0 1; ZI; ZI");
  EXPECT_EQ(answers.at(2), "ERROR 34000 portal \"\" does not exist; ZI");
  EXPECT_EQ(answers.at(3), "2; ERROR 08P01 bind message has 3 result formats but query has 2 columns; ZI");
}

TEST_F(ExtendedProtocol, PortalsGoBackWithTheirSavepoints) {
  const auto bind = [](const char* portal) { return Bind{portal, "s", {}, {}, {}}; };
  const auto answers = talk({{startup(), Query{"BEGIN"}},
                             {Parse{"s", "SELECT 1", {}}, bind("p"), Execute{"p", 1}, Sync{}},
                             {Query{"SAVEPOINT a"}},
                             {bind("q"), Execute{"q", 1}, Sync{}},
                             {Query{"SAVEPOINT a"}},
                             {bind("r"), Execute{"r", 1}, Sync{}},
                             {Query{"DELETE FROM t"}},
                             {Execute{"p", 1}, Sync{}},
                             {Parse{"back", "ROLLBACK TO a", {}}, Bind{"", "back", {}, {}, {}}, Execute{"", 0}, Sync{}},
                             {Execute{"p", 1}, Execute{"q", 1}, Execute{"r", 1}, Sync{}},
                             {Query{"ROLLBACK TO a"}},
                             {Query{"RELEASE a"}},
                             {Query{"ROLLBACK TO a"}},
                             {Execute{"p", 1}, Execute{"q", 1}, Sync{}}});
  EXPECT_EQ(answers.at(7),
            "ERROR 25P02 current transaction is aborted, commands ignored until end of transaction block; ZE");
  EXPECT_EQ(answers.at(8).substr(answers.at(8).size() - 2), "ZT");
  EXPECT_EQ(answers.at(9), "D2x; s; D2x; s; ERROR 34000 portal \"r\" does not exist; ZE");
  EXPECT_EQ(answers.at(13), "D3x; s; ERROR 34000 portal \"q\" does not exist; ZE");
}

// A statement that no Sync follows is not done.
TEST_F(ExtendedProtocol, NothingIsDoneForAClientThatLeavesBeforeSync) {
  const auto answers = talk({{startup()},
                             {Parse{"", "INSERT INTO t VALUES (1)", {}}, Bind{"", "", {}, {}, {}}, Execute{"", 0}},
                             {Terminate{}}});
  EXPECT_EQ(answers.at(1), "");
  EXPECT_EQ(done_, (std::vector<std::string>{"BEGIN", "INSERT"})) << "and nothing is committed";
}

TEST_F(ExtendedProtocol, TakesAndGivesValuesInBinaryForm) {
  const std::string five("\0\0\0\5", 4);
  const auto answers =
      talk({{startup()},
            {Parse{"s", "SELECT $1, $2", {}}, Bind{"", "s", {1, 0}, {five, WireValue("6")}, {1, 0}}, Describe{'P', ""},
             Execute{"", 1}, Sync{}},
            {Bind{"", "s", {1}, {WireValue(), five}, {1}}, Execute{"", 1}, Sync{}},
            {Bind{"", "s", {1}, {five, WireValue("\1")}, {}}, Sync{}},
            {Bind{"", "s", {1, 1, 1}, {five, five}, {}}, Sync{}},
            {Bind{"", "s", {2}, {five, five}, {}}, Sync{}},
            {Bind{"", "s", {}, {WireValue("1"), WireValue("2")}, {0, 1, 1}}, Describe{'P', ""}, Sync{}},
            {Bind{"", "s", {}, {WireValue("1")}, {}}, Sync{}},
            {Bind{"", "other", {}, {}, {}}, Sync{}}});
  ASSERT_EQ(answers.size(), 9U);
  EXPECT_EQ(answers[1], "1; 2; Tn1t0; D\\0\\0\\0\\1x; s; ZI");
  EXPECT_EQ(log_, (std::vector<std::string>{"5", "6", "NULL", "5"}));
  EXPECT_EQ(answers[2], "2; D\\0\\0\\0\\1x; s; ZI");
  EXPECT_EQ(answers[3].substr(0, 11), "ERROR 08P01");
  EXPECT_EQ(answers[4], "ERROR 08P01 bind message has 3 parameter formats but 2 parameters; ZI");
  EXPECT_EQ(answers[5], "ERROR 22023 unsupported format code: 2; ZI");
  EXPECT_EQ(answers[6], "2; ERROR 08P01 bind message has 3 result formats but query has 2 columns; ZI");
  EXPECT_EQ(answers[7], "ERROR 08P01 bind message supplies 1 parameters, but prepared statement \"s\" requires 2; ZI");
  EXPECT_EQ(answers[8], "ERROR 26000 prepared statement \"other\" does not exist; ZI");
}

TEST_F(ExtendedProtocol, TextsThatAreNoTextsAreRefused) {
  const auto answers = talk({{startup()},
                             {Parse{"s", "SELECT $1", {}}, Bind{"", "s", {}, {WireValue("a\xff")}, {}}, Sync{}},
                             {Bind{"", "s", {0}, {WireValue(std::string("a\0b", 3))}, {}}, Sync{}},
                             {Bind{"", "s", {}, {WireValue("\xc3\xa9")}, {}}, Sync{}}});
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[1], "1; ERROR 22021 invalid byte sequence for encoding \"UTF8\": 0xff; ZI");
  EXPECT_EQ(answers[2], "ERROR 22021 invalid byte sequence for encoding \"UTF8\": 0x00; ZI");
  EXPECT_EQ(answers[3], "2; ZI");
}

TEST_F(ExtendedProtocol, TellsOfSettings) {
  const auto answers = talk({{startup()}, {Query{"SET application_name = b"}}, {Query{"SELECT"}}});
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_TRUE(answers[0].starts_with("application_name=a; client_encoding=fixed; DateStyle=fixed; ")) << answers[0];
  EXPECT_EQ(answers[1], "SET; application_name=b; ZI") << "only what has changed";
  EXPECT_EQ(answers[2], "T; D; D; D; D; D; SELECT 5; ZI");
}

TEST_F(ExtendedProtocol, RefusesUnknownSettingsOfTheStart) {
  Startup unknown = startup();
  unknown.parameters.emplace_back("nothing", "1");
  EXPECT_EQ(talk({{unknown}}).at(0), "FATAL 42704 unrecognized configuration parameter \"nothing\"");
}

TEST_F(ExtendedProtocol, ReadsOptionsOfTheStart) {
  Startup options = startup();
  options.parameters.emplace_back("options", "-c application_name=x\\ y");
  EXPECT_TRUE(talk({{options}}).at(0).starts_with("application_name=x y; "));
}

TEST(LongIdentifiers, AreToldWhereTheGrammarCutsThem) {
  const std::string name(70, 'x');
  const auto told = [](const std::string& text) {
    std::string names;
    for (const ErrorFields& notice : notices_of_long_identifiers(text)) {
      EXPECT_EQ(notice.sqlstate, "42622");
      names += notice.message + ";";
    }
    return names;
  };
  const std::string cut = "identifier \"" + name + "\" will be truncated to \"" + std::string(63, 'x') + "\";";
  EXPECT_EQ(told("SELECT 1 AS " + name), cut);
  EXPECT_EQ(told("SELECT " + std::string(70, 'X') + ", \"" + name + "\" FROM t"), cut + cut);
  EXPECT_EQ(told("SELECT '" + name + "', E'\\'" + name + "', $a$" + name + "$a$ /* " + name + " */ -- " + name), "");
  EXPECT_EQ(told("SELECT $1, 1" + std::string(70, '0')), "");
  std::string word;
  for (int i = 0; i < 32; ++i) word += "\xC3\xA9";
  EXPECT_EQ(told("SELECT \"" + word + "\""),
            "identifier \"" + word + "\" will be truncated to \"" + word.substr(0, 62) + "\";");
}

}  // namespace
}  // namespace polarsim::engine::pgwire
