// Blocks on a coordinator: savepoints over several nodes, transaction modes, cancellation, and what is refused.
#include <gtest/gtest.h>

#include "engine/cluster/test_cluster.h"
#include "engine/pgwire/message.h"

namespace polarsim::engine {
namespace {

using pgwire::Client;

// Accounts 1 to 4 lie on both data nodes.
void with_accounts(const std::function<void(TestCluster&, Client&, Client&)>& body) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    Client client = world.connect();
    Client other = world.connect();
    world.create_accounts(client, 4);
    body(world, client, other);
  }));
}

std::string balances(Client& client) {
  return TestCluster::rows(client, "SELECT id, balance FROM account ORDER BY id");
}

// A client that says message by message what it wants: it describes without executing, as \gdesc does, and sends
// several statements before it asks for the answers.
class MessageClient {
 public:
  explicit MessageClient(TestCluster& world)
      : connection_(world.client_host().connect(sim::Address{"cn1", default_port}).value()) {
    send({pgwire::Startup{{{"user", "polar"}, {"database", "postgres"}}}});
    answer();
  }
  std::string simple(const std::string& sql) {
    send({pgwire::Query{sql}});
    return answer();
  }
  std::string describe(const std::string& sql, const std::string& name = "") {
    send({pgwire::Parse{name, sql, {}}, pgwire::Describe{'S', name}, pgwire::Sync{}});
    return answer();
  }
  // Without rows. The last tag or error is answered, after all of the statements.
  std::string pipeline(const std::vector<std::string>& statements) {
    std::vector<pgwire::FrontendMessage> messages;
    for (const std::string& sql : statements) {
      messages.insert(messages.end(), {pgwire::Parse{"", sql, {}}, pgwire::Bind{}, pgwire::Execute{}});
    }
    messages.emplace_back(pgwire::Sync{});
    send(messages);
    return answer();
  }
  std::string execute_prepared(const std::string& name) {
    send({pgwire::Bind{"", name, {}, {}, {}}, pgwire::Execute{}, pgwire::Sync{}});
    return answer();
  }

 private:
  void send(const std::vector<pgwire::FrontendMessage>& messages) {
    std::string bytes;
    for (const pgwire::FrontendMessage& message : messages) pgwire::append(bytes, message);
    EXPECT_TRUE(connection_.send(bytes).has_value());
  }
  // The tag or the error's SQLSTATE, then the status.
  std::string answer() {
    std::string said;
    while (true) {
      while (const auto message = decoder_.next_backend()) {
        if (const auto* tag = std::get_if<pgwire::CommandComplete>(&*message)) said = tag->tag;
        if (const auto* report = std::get_if<pgwire::Report>(&*message)) said = report->fields.sqlstate;
        if (const auto* ready = std::get_if<pgwire::ReadyForQuery>(&*message)) return said + " " + ready->status;
      }
      std::string bytes;
      if (!connection_.receive(bytes).has_value() || bytes.empty()) return "lost";
      decoder_.feed(bytes);
    }
  }

  sim::Connection connection_;
  pgwire::Decoder decoder_;
};

TEST(CoordinatorBlocks, SavepointsHoldOnAllNodes) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    EXPECT_EQ(TestCluster::ok(client, "SAVEPOINT a").tag, "SAVEPOINT");
    TestCluster::ok(client, "UPDATE account SET balance = balance + 1000");  // the other nodes join after the savepoint
    TestCluster::ok(client, "SAVEPOINT b");
    TestCluster::ok(client, "DELETE FROM account");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO b").tag, "ROLLBACK");
    EXPECT_EQ(balances(client), "1|1001;2|1100;3|1100;4|1100");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO a").tag, "ROLLBACK");
    EXPECT_EQ(balances(client), "1|1;2|100;3|100;4|100");
    EXPECT_EQ(TestCluster::fails(client, "ROLLBACK TO b").sqlstate, "3B001");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO a").tag, "ROLLBACK");
    TestCluster::ok(client, "UPDATE account SET balance = 7 WHERE id IN (2, 3, 4)");
    EXPECT_EQ(TestCluster::ok(client, "RELEASE a").tag, "RELEASE");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(balances(other), "1|1;2|7;3|7;4|7");
  });
}

TEST(CoordinatorBlocks, AnErrorEndsOnlyWhatCameAfterTheSavepoint) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1 WHERE id = 1");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "UPDATE account SET balance = 2 WHERE id <> 1");
    EXPECT_EQ(TestCluster::fails(client, "INSERT INTO account VALUES (2, 0)").sqlstate, "23505");
    EXPECT_EQ(client.status(), TransactionStatus::failed);
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "25P02");
    EXPECT_EQ(TestCluster::fails(client, "SAVEPOINT c").sqlstate, "25P02");
    TestCluster::ok(other, "UPDATE account SET balance = 50 WHERE id = 2");  // the lock went with the error
    TestCluster::ok(client, "ROLLBACK TO a");
    EXPECT_EQ(client.status(), TransactionStatus::in_transaction);
    TestCluster::ok(client, "UPDATE account SET balance = balance + 1 WHERE id = 2");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(balances(other), "1|1;2|51;3|100;4|100");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    TestCluster::fails(client, "SELECT 1 / 0");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "ROLLBACK");
    EXPECT_EQ(balances(other), "1|1;2|51;3|100;4|100");
    EXPECT_EQ(TestCluster::fails(client, "SAVEPOINT a").sqlstate, "25P01");
  });
}

// Errors that the session hears of only from the connection, or at Describe.
TEST(CoordinatorBlocks, AnErrorBeforeExecutionEndsTheBlock) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    const auto ends_the_block = [&](Client& on, const std::string& table, const std::function<std::string()>& error,
                                    const char* sqlstate) {
      TestCluster::ok(on, "BEGIN");
      TestCluster::ok(on, "INSERT INTO " + table + " VALUES (50, 1)");
      EXPECT_EQ(error(), sqlstate);
      EXPECT_EQ(on.status(), TransactionStatus::failed);
      EXPECT_EQ(TestCluster::fails(on, "INSERT INTO " + table + " VALUES (51, 1)").sqlstate, "25P02");
      EXPECT_EQ(TestCluster::ok(on, "COMMIT").tag, "ROLLBACK");
      EXPECT_EQ(TestCluster::rows(on, "SELECT count(*) FROM " + table + " WHERE id >= 50"), "0");
    };
    Client node = world.connect("dn1");
    TestCluster::ok(node, "CREATE TABLE own (id integer, b bigint)");
    const auto of = [](Client& on, const char* sql) {
      return [&on, sql] { return on.simple_query(sql).error().sqlstate; };
    };
    ends_the_block(client, "account", of(client, "SELEC 1"), "42601");
    ends_the_block(client, "account", of(client, "SELECT $1"), "42P02");
    ends_the_block(client, "account", of(client, "COMMIT AND CHAIN"), "0A000");
    ends_the_block(client, "account", of(client, "BEGIN ISOLATION LEVEL REPEATABLE READ"), "25001");
    ends_the_block(node, "own", of(node, "SELEC 1"), "42601");
    ends_the_block(node, "own", of(node, "SELECT $1"), "42P02");
    // A savepoint keeps what came before it.
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "INSERT INTO account VALUES (60, 1)");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "INSERT INTO account VALUES (61, 1)");
    EXPECT_EQ(client.simple_query("SELEC 1").error().sqlstate, "42601");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK TO a").tag, "ROLLBACK");
    EXPECT_EQ(TestCluster::ok(client, "COMMIT").tag, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT id FROM account WHERE id >= 50"), "60");
  });
}

TEST(CoordinatorBlocks, AnErrorAtDescribeEndsTheBlock) {
  with_accounts([](TestCluster& world, Client& client, Client&) {
    MessageClient describing(world);
    for (const char* const sql : {"SELECT nosuch", "SELECT nosuch FROM account",
                                  "SELECT create_distributed_table(1, 2, 3, 4, 5, 6, 7)", "SELEC 1"}) {
      EXPECT_EQ(describing.simple("BEGIN"), "BEGIN T");
      EXPECT_EQ(describing.simple("INSERT INTO account VALUES (50, 1)"), "INSERT 0 1 T");
      EXPECT_EQ(describing.describe("SELECT 1 FROM account"), " T");
      EXPECT_EQ(describing.describe(sql).substr(5), " E") << sql;
      EXPECT_EQ(describing.simple("SELECT 1"), "25P02 E");
      EXPECT_EQ(describing.describe("SELECT 1"), "25P02 E");
      EXPECT_EQ(describing.simple("COMMIT"), "ROLLBACK I");
      // Outside a block nothing is left open.
      EXPECT_EQ(describing.describe(sql).substr(5), " I") << sql;
      EXPECT_EQ(describing.simple("SELECT 1"), "SELECT 1 I");
    }
    EXPECT_EQ(balances(client), "1|100;2|100;3|100;4|100");
    EXPECT_EQ(describing.simple("INSERT INTO account VALUES (50, 1)"), "INSERT 0 1 I");
  });
}

// Notices of changed definitions; client_min_messages holds them back.
TEST(CoordinatorBlocks, NoticesOfDefinitionsReachTheClient) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    const auto notices = [&](const char* sql) {
      std::string all;
      for (const ErrorFields& notice : TestCluster::ok(client, sql).notices)
        all += (all.empty() ? "" : "; ") + notice.severity + " " + notice.message;
      return all;
    };
    EXPECT_EQ(notices("CREATE INDEX i ON account (balance)"), "");
    EXPECT_EQ(notices("CREATE INDEX IF NOT EXISTS i ON account (balance)"),
              "NOTICE relation \"i\" already exists, skipping");
    EXPECT_EQ(notices("ALTER TABLE account ADD COLUMN IF NOT EXISTS balance bigint"),
              "NOTICE column \"balance\" of relation \"account\" already exists, skipping");
    EXPECT_EQ(notices("CREATE SCHEMA IF NOT EXISTS public"), "NOTICE schema \"public\" already exists, skipping");
    EXPECT_EQ(notices("DROP SCHEMA IF EXISTS nosuch"), "NOTICE schema \"nosuch\" does not exist, skipping");
    EXPECT_EQ(notices("CREATE SCHEMA s"), "");
    EXPECT_EQ(notices("CREATE TABLE s.own (a integer)"), "");
    EXPECT_EQ(notices("DROP SCHEMA s CASCADE"), "NOTICE drop cascades to table s.own");
    EXPECT_EQ(notices("CREATE VIEW v AS SELECT * FROM account"), "");
    EXPECT_EQ(notices("SET client_min_messages = WARNING"), "");
    EXPECT_EQ(notices("CREATE INDEX IF NOT EXISTS i ON account (balance)"), "");
    EXPECT_EQ(notices("COMMIT"), " there is no transaction in progress");
    EXPECT_EQ(notices("SET client_min_messages = error"), "");
    EXPECT_EQ(notices("COMMIT"), "");
    EXPECT_EQ(TestCluster::fails(client, "SET client_min_messages = loud").sqlstate, "22023");
    EXPECT_EQ(notices("RESET client_min_messages"), "");
    EXPECT_EQ(notices("DROP TABLE account CASCADE"), "NOTICE drop cascades to view v");
  });
}

TEST(CoordinatorBlocks, StatementTimeoutCancelsTheTasks) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(client, "SET statement_timeout = '500ms'");
    for (const char* const begin : {"", "BEGIN"}) {
      if (*begin != '\0') TestCluster::ok(client, begin);
      const sim::Time began = world.simulation().now();
      const ErrorFields error = TestCluster::fails(client, "SELECT pg_sleep(20) FROM account");
      EXPECT_EQ(error.sqlstate, "57014");
      EXPECT_EQ(error.message, "canceling statement due to statement timeout");
      EXPECT_LT(world.simulation().now() - began, in_seconds(1));
      if (*begin != '\0') TestCluster::ok(client, "ROLLBACK");
    }
    TestCluster::ok(other, "BEGIN");
    TestCluster::ok(other, "UPDATE account SET balance = 0 WHERE id = 1");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 9").message,
              "canceling statement due to statement timeout");
    TestCluster::ok(other, "ROLLBACK");
    EXPECT_EQ(balances(client), "1|100;2|100;3|100;4|100") << "the next statement has time of its own";
    world.sleep(in_seconds(2));
    EXPECT_EQ(TestCluster::ok(client, "UPDATE account SET balance = 9").tag, "UPDATE 4");
  });
}

TEST(CoordinatorBlocks, ALostNodeTakesTheSavepointsWithIt) {
  with_accounts([](TestCluster& world, Client& client, Client&) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 1");
    TestCluster::ok(client, "SAVEPOINT a");
    world.simulation().host("dn1").crash_and_restart(milliseconds(100));
    world.sleep(in_seconds(1));
    EXPECT_FALSE(client.query("UPDATE account SET balance = 2").has_value());
    EXPECT_EQ(TestCluster::fails(client, "ROLLBACK TO a").sqlstate, "3B001");
    EXPECT_EQ(TestCluster::ok(client, "ROLLBACK").tag, "ROLLBACK");
    EXPECT_GE(world.probe("savepoint/lost"), 1U);
    EXPECT_EQ(balances(client), "1|100;2|100;3|100;4|100");
  });
}

TEST(CoordinatorBlocks, ModesReachTheNodes) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "100");
    TestCluster::ok(other, "UPDATE account SET balance = 5 WHERE id = 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "100");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 6 WHERE id = 1").sqlstate, "40001");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SET TRANSACTION READ ONLY");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 6 WHERE id = 1").sqlstate, "25006");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SELECT * FROM account");
    EXPECT_EQ(TestCluster::fails(client, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").sqlstate, "25001");
    TestCluster::ok(client, "ROLLBACK");
    TestCluster::ok(client, "SET default_transaction_read_only = on");
    EXPECT_EQ(TestCluster::fails(client, "UPDATE account SET balance = 6 WHERE id = 1").sqlstate, "25006");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "5");
    TestCluster::ok(client, "BEGIN READ WRITE");
    EXPECT_EQ(TestCluster::ok(client, "UPDATE account SET balance = 6 WHERE id = 1").tag, "UPDATE 1");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT balance FROM account WHERE id = 1"), "6");
  });
}

TEST(CoordinatorBlocks, ACancelReachesTheNodesThatWork) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(other, "BEGIN");
    TestCluster::ok(other, "UPDATE account SET balance = 0 WHERE id = 1");
    const sim::Time began = world.simulation().now();
    ASSERT_TRUE(client.send_query("UPDATE account SET balance = 9").has_value());
    world.sleep(milliseconds(200));
    ASSERT_TRUE(pgwire::request_cancel(world.client_host(), client.cancel_key()).has_value());
    const auto answer = client.receive_result();
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().sqlstate, "57014");
    EXPECT_LT(world.simulation().now() - began, in_seconds(2));
    TestCluster::ok(other, "COMMIT");
    EXPECT_EQ(balances(client), "1|0;2|100;3|100;4|100");

    ASSERT_TRUE(client.send_query("SELECT pg_sleep(100)").has_value());
    world.sleep(milliseconds(50));
    const std::string pid = std::to_string(client.backend_process_id());
    EXPECT_EQ(TestCluster::rows(other, "SELECT pg_cancel_backend(" + pid + ")"), "t");
    EXPECT_EQ(client.receive_result().error().sqlstate, "57014");
    EXPECT_EQ(TestCluster::rows(client, "SELECT pg_backend_pid()"), pid);
  });
}

TEST(CoordinatorBlocks, ATerminatedSessionEndsEverywhere) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    const std::string pid = std::to_string(client.backend_process_id());
    EXPECT_EQ(TestCluster::rows(other, "SELECT pg_terminate_backend(" + pid + ")"), "t");
    world.sleep(milliseconds(50));
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "57P01");
    EXPECT_EQ(TestCluster::ok(other, "UPDATE account SET balance = balance + 1").tag, "UPDATE 4");
  });
}

TEST(CoordinatorBlocks, IdleTransactionsEnd) {
  with_accounts([](TestCluster& world, Client& client, Client& other) {
    TestCluster::ok(client, "SET idle_in_transaction_session_timeout = '1s'");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "UPDATE account SET balance = 0");
    world.sleep(milliseconds(1500));
    EXPECT_EQ(TestCluster::ok(other, "UPDATE account SET balance = balance + 1").tag, "UPDATE 4");
    EXPECT_EQ(TestCluster::fails(client, "SELECT 1").sqlstate, "25P03");
  });
}

TEST(CoordinatorBlocks, LockTableHoldsForEveryCoordinator) {
  TestCluster world(small_cluster(2, 2));
  ASSERT_TRUE(world.run([&] {
    auto client = world.connect();
    world.create_accounts(client, 4);
    auto follower = world.connect("cn2");
    EXPECT_EQ(TestCluster::fails(client, "LOCK TABLE account").sqlstate, "25P01");
    for (Client* locking : {&client, &follower}) {
      Client& other = locking == &client ? follower : client;
      TestCluster::ok(*locking, "BEGIN");
      TestCluster::ok(*locking, "LOCK TABLE account");
      TestCluster::ok(other, "SET lock_timeout = '100ms'");
      EXPECT_EQ(TestCluster::fails(other, "SELECT * FROM account WHERE id = 1").sqlstate, "55P03");
      TestCluster::ok(*locking, "UPDATE account SET balance = balance + 1 WHERE id = 1");
      TestCluster::ok(*locking, "COMMIT");
      TestCluster::ok(other, "SELECT * FROM account WHERE id = 1");
    }
  }));
}

TEST(CoordinatorBlocks, WhatIsRolledBackIsForgotten) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SAVEPOINT a");
    TestCluster::ok(client, "SELECT undistribute_table('account')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "4");
    TestCluster::ok(client, "ROLLBACK TO a");
    TestCluster::ok(client, "INSERT INTO account VALUES (77, 77)");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 77"), "77");
    // A transaction that is refused at its end.
    TestCluster::ok(client, "CREATE TABLE n (a integer, b integer)");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "SELECT create_distributed_table('n', 'a')");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM n"), "0");
    EXPECT_EQ(TestCluster::fails(client, "PREPARE TRANSACTION 'x'").sqlstate, "0A000");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "INSERT INTO n VALUES (1)");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(client, "SELECT * FROM n"), "1|");
  });
}

TEST(CoordinatorBlocks, ALockedTableKeepsNobodyFromDistributingOthers) {
  with_accounts([](TestCluster&, Client& client, Client& other) {
    TestCluster::ok(client, "CREATE TABLE n (a integer, b integer)");
    TestCluster::ok(client, "BEGIN");
    TestCluster::ok(client, "LOCK TABLE account IN SHARE MODE");
    EXPECT_EQ(TestCluster::rows(client, "SELECT count(*) FROM account"), "4");
    TestCluster::ok(other, "SELECT create_distributed_table('n', 'a')");
    TestCluster::ok(client, "INSERT INTO n VALUES (2)");
    TestCluster::ok(client, "COMMIT");
    EXPECT_EQ(TestCluster::rows(other, "SELECT * FROM n"), "2|");
  });
}

TEST(CoordinatorBlocks, ATableOfAQueryIsOfThisCoordinator) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    EXPECT_EQ(TestCluster::ok(client, "CREATE TABLE copied AS SELECT * FROM account WHERE id > 1").tag, "SELECT 3");
    EXPECT_EQ(TestCluster::rows(client, "SELECT sum(balance) FROM copied"), "300");
    TestCluster::ok(client, "CREATE SCHEMA s");
    TestCluster::ok(client, "SELECT polar_cluster_schema_distribute('s')");
    EXPECT_EQ(TestCluster::fails(client, "CREATE TABLE s.x AS SELECT 1 AS a").sqlstate, "0A000");
  });
}

TEST(CoordinatorBlocks, WhatCannotBeDistributedIsRefused) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    TestCluster::ok(client, "CREATE TABLE u (id integer PRIMARY KEY, v integer UNIQUE)");
    EXPECT_EQ(TestCluster::fails(client, "SELECT create_distributed_table('u', 'id')").sqlstate, "0A000");
    // As a table of the coordinator itself it works.
    TestCluster::ok(client, "CREATE INDEX u_v ON u (v, id)");
    TestCluster::ok(client, "INSERT INTO u VALUES (1, 1)");
    EXPECT_EQ(TestCluster::ok(client, "INSERT INTO u VALUES (2, 1) ON CONFLICT (v) DO NOTHING").tag, "INSERT 0 0");
    TestCluster::ok(client, "TRUNCATE u");
    TestCluster::ok(client, "CREATE SEQUENCE s");
    EXPECT_EQ(TestCluster::rows(client, "SELECT nextval('s'), nextval('s')"), "1|2");
    EXPECT_EQ(TestCluster::ok(client, "INSERT INTO account VALUES (100 + nextval('s'), 0)").tag, "INSERT 0 1");
    EXPECT_EQ(TestCluster::ok(client, "VACUUM").tag, "VACUUM");
    EXPECT_EQ(TestCluster::ok(client, "CHECKPOINT").tag, "CHECKPOINT");
  });
}

TEST(CoordinatorBlocks, TheKeysNameIsThatOfTheWholeTable) {
  with_accounts([](TestCluster&, Client& client, Client&) {
    EXPECT_EQ(TestCluster::ok(client,
                              "INSERT INTO account VALUES (1, 5) ON CONFLICT ON CONSTRAINT account_pkey "
                              "DO UPDATE SET balance = account.balance + excluded.balance")
                  .tag,
              "INSERT 0 1");
    EXPECT_EQ(TestCluster::rows(client, "SELECT balance FROM account WHERE id = 1"), "105");
    EXPECT_EQ(
        TestCluster::fails(client, "INSERT INTO account VALUES (1, 5) ON CONFLICT ON CONSTRAINT k DO NOTHING").sqlstate,
        "42704");
  });
}

// What PostgreSQL's implicit transaction blocks do.
TEST(CoordinatorBlocks, APipelineIsOneTransactionOnAllNodes) {
  with_accounts([](TestCluster& world, Client& client, Client&) {
    MessageClient pipelined(world);
    EXPECT_EQ(pipelined.pipeline({"UPDATE account SET balance = 1 WHERE id = 1",
                                  "UPDATE account SET balance = 2 WHERE id = 2", "INSERT INTO account VALUES (1, 0)"}),
              "23505 I");
    EXPECT_EQ(balances(client), "1|100;2|100;3|100;4|100");
    EXPECT_EQ(pipelined.pipeline(
                  {"UPDATE account SET balance = 1 WHERE id = 1", "UPDATE account SET balance = 2 WHERE id IN (2, 3)"}),
              "UPDATE 2 I");
    EXPECT_EQ(balances(client), "1|1;2|2;3|2;4|100");
    EXPECT_EQ(pipelined.pipeline({"UPDATE account SET balance = 3 WHERE id = 1", "BEGIN", "DELETE FROM account"}),
              "DELETE 4 T");
    EXPECT_EQ(pipelined.simple("ROLLBACK"), "ROLLBACK I");
    EXPECT_EQ(balances(client), "1|1;2|2;3|2;4|100");
  });
}

TEST(CoordinatorBlocks, StatementsOfTheProtocolAndOfPrepareAreTheSame) {
  with_accounts([](TestCluster& world, Client&, Client&) {
    MessageClient client(world);
    EXPECT_EQ(client.describe("SELECT balance FROM account WHERE id = $1", "one"), " I");
    EXPECT_EQ(client.simple("EXECUTE one(2)"), "SELECT 1 I");
    EXPECT_EQ(client.simple("EXECUTE one"), "42601 I");
    EXPECT_EQ(client.simple("PREPARE one AS SELECT 1"), "42P05 I");
    EXPECT_EQ(client.simple("DEALLOCATE one"), "DEALLOCATE I");
    EXPECT_EQ(client.describe("SELECT 1", "one"), " I");
    EXPECT_EQ(client.simple("DEALLOCATE ALL"), "DEALLOCATE ALL I");
    EXPECT_EQ(client.execute_prepared("one"), "26000 I");
    EXPECT_EQ(client.simple("PREPARE two AS DELETE FROM account WHERE id = 4"), "PREPARE I");
    EXPECT_EQ(client.execute_prepared("two"), "DELETE 1 I");
    EXPECT_EQ(client.simple("DISCARD ALL"), "DISCARD ALL I");
    EXPECT_EQ(client.execute_prepared("two"), "26000 I");
  });
}

// Whoever was told the columns does not ask again.
TEST(CoordinatorBlocks, APreparedStatementKeepsItsColumns) {
  with_accounts([](TestCluster& world, Client& other, Client&) {
    MessageClient client(world);
    TestCluster::ok(other, "CREATE TABLE wide (a integer)");
    EXPECT_EQ(client.describe("SELECT * FROM wide", "all"), " I");
    EXPECT_EQ(client.execute_prepared("all"), "SELECT 0 I");
    TestCluster::ok(other, "ALTER TABLE wide ADD b text");
    EXPECT_EQ(client.execute_prepared("all"), "0A000 I");
    EXPECT_EQ(client.pipeline({"SELECT * FROM wide"}), "SELECT 0 I");
    TestCluster::ok(other, "ALTER TABLE wide DROP b");
    EXPECT_EQ(client.execute_prepared("all"), "SELECT 0 I");
  });
}

TEST(CoordinatorBlocks, SeveralStatementsOfOneMessageAreOneTransaction) {
  TestCluster world;
  ASSERT_TRUE(world.run([&] {
    pgwire::Client client = world.connect();
    world.create_accounts(client, 2);
    const auto outcome = [&](std::string_view sql) {
      const pgwire::ClientResult result = client.simple_query(sql);
      if (!result) return result.error().sqlstate;
      std::string text = result->tag;
      for (const ErrorFields& notice : result->notices) text += " / " + notice.message;
      return text;
    };
    const auto ids = [&] { return TestCluster::rows(client, "SELECT id FROM account ORDER BY id"); };
    const std::string none = " / there is no transaction in progress";
    EXPECT_EQ(outcome("ALTER TABLE account ADD COLUMN x int; INSERT INTO account VALUES (3, 3, 3); SELECT 1 / 0"),
              "22012");
    EXPECT_EQ(outcome("INSERT INTO account VALUES (3, 3, 3)"), "42601") << "there is no x";
    EXPECT_EQ(outcome("INSERT INTO account VALUES (3, 3); COMMIT; INSERT INTO account VALUES (4, 4), (3, 3)"), "23505");
    EXPECT_EQ(ids(), "1;2;3");
    EXPECT_EQ(outcome("INSERT INTO account VALUES (4, 4); ROLLBACK"), "ROLLBACK" + none);
    EXPECT_EQ(outcome("INSERT INTO account VALUES (4, 4); COMMIT"), "COMMIT" + none);
    EXPECT_EQ(outcome("INSERT INTO account VALUES (5, 5); BEGIN; INSERT INTO account VALUES (6, 6)"), "INSERT 0 1");
    EXPECT_EQ(client.status(), TransactionStatus::in_transaction);
    EXPECT_EQ(outcome("SAVEPOINT s; DELETE FROM account; ROLLBACK TO s"), "ROLLBACK");
    EXPECT_EQ(ids(), "1;2;3;4;5;6");
    EXPECT_EQ(outcome("ROLLBACK; INSERT INTO account VALUES (7, 7); BEGIN; ROLLBACK"), "ROLLBACK");
    EXPECT_EQ(ids(), "1;2;3;4") << "BEGIN makes what is there the client's";
    EXPECT_EQ(outcome("INSERT INTO account VALUES (8, 8); SAVEPOINT s"), "25P01");
    EXPECT_EQ(outcome("INSERT INTO account VALUES (8, 8); VACUUM account"), "25001");
    EXPECT_EQ(outcome("SELECT id FROM account; BEGIN ISOLATION LEVEL REPEATABLE READ"), "25001");
    EXPECT_EQ(client.status(), TransactionStatus::idle);
    EXPECT_EQ(
        outcome("CREATE TABLE u (id int); SELECT create_distributed_table('u', 'id'); INSERT INTO u VALUES (1), (2); "
                "SET LOCAL statement_timeout = 0; LOCK TABLE u; UPDATE u SET id = id WHERE id = 1"),
        "UPDATE 1");
    EXPECT_EQ(ids(), "1;2;3;4");
    EXPECT_EQ(outcome("CREATE TABLE own (id int)"), "CREATE TABLE");
    EXPECT_EQ(outcome("INSERT INTO own VALUES (1); PREPARE TRANSACTION 'p'"), "PREPARE TRANSACTION" + none);
    EXPECT_EQ(TestCluster::rows(client, "SELECT id FROM own"), "");
    EXPECT_EQ(outcome("COMMIT PREPARED 'p'; SELECT 1"), "25001");
    EXPECT_EQ(outcome("COMMIT PREPARED 'p'"), "COMMIT PREPARED");
    EXPECT_EQ(TestCluster::rows(client, "SELECT id FROM own"), "1");
  }));
}

}  // namespace
}  // namespace polarsim::engine
