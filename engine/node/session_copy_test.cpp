// COPY from a client's statement to a node's tables and back, over the protocol.
#include <gtest/gtest.h>

#include <functional>

#include "engine/node/node_test_support.h"
#include "engine/pgwire/client.h"
#include "engine/pgwire/server.h"

namespace polarsim::engine {
namespace {

using testing::TestNode;

class Chunks final : public CopySource {
 public:
  explicit Chunks(std::vector<std::string> chunks) : chunks_(std::move(chunks)) {}
  bool read(std::string& chunk) override {
    if (at_ == chunks_.size()) return false;
    chunk = chunks_[at_++];
    return true;
  }

 private:
  std::vector<std::string> chunks_;
  std::size_t at_ = 0;
};
class Lines final : public CopySink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

void with_client(const std::function<void(pgwire::Client&)>& body) {
  testing::with_node([&](TestNode& node) {
    constexpr std::uint16_t port = 5432;
    syntax::StatementCache cache = make_statement_cache(node.host().scheduler(), 100);
    const pgwire::SessionFactory factory = [&](const pgwire::SessionRequest&) { return node.instance().connect(); };
    node.spawn([&] { pgwire::serve(node.host(), node.config(), port, factory, cache); });
    node.sleep_ms(1);
    auto client = pgwire::Client::connect(node.host(), {node.host().name(), port});
    ASSERT_TRUE(client);
    body(*client);
    // The session ends before what it runs on.
    client->close();
    node.sleep_ms(1000);
  });
}

std::string copy_in(pgwire::Client& client, std::string_view sql, std::vector<std::string> chunks) {
  Chunks source(std::move(chunks));
  const auto result = client.copy_in(sql, source);
  if (result) return result->tag;
  return result.error().sqlstate + " " + result.error().message + " / " + result.error().context;
}
std::string copy_out(pgwire::Client& client, std::string_view sql) {
  Lines lines;
  const auto result = client.copy_out(sql, lines);
  return result ? lines.text + result->tag : result.error().sqlstate + " " + result.error().message;
}

TEST(SessionCopy, RowsGoInAndComeOut) {
  with_client([](pgwire::Client& client) {
    ASSERT_TRUE(client.simple_query("CREATE TABLE t (a int PRIMARY KEY, b text)"));
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"1\tone\n2", "\ttw", "o\n3\t\\N\n"}), "COPY 3");
    EXPECT_EQ(copy_out(client, "COPY t TO STDOUT (format csv)"), "1,one\n2,two\n3,\nCOPY 3");
    EXPECT_EQ(copy_out(client, "COPY (SELECT max(a) FROM t) TO STDOUT"), "3\nCOPY 1");
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"4\tx\n", "1\ty\n", "5\tz\n"}),
              "23505 duplicate key value violates unique constraint \"t_pkey\" / COPY t, line 2");
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"4\tx\n", "five\ty\n", "5\tz\n"}),
              "22P02 invalid input syntax for type integer: \"five\" / COPY t, line 2, column a: \"five\"");
    EXPECT_EQ(client.simple_query("SELECT count(*) FROM t")->rows.at(0).at(0).as_integer(), 3);
    // By the extended protocol, too; there nobody has rows.
    const auto refused = client.query("COPY t FROM STDIN");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sqlstate, "57014");
    EXPECT_EQ(refused.error().context, "COPY t, line 1");
    EXPECT_EQ(client.query("COPY t TO STDOUT")->tag, "COPY 3");
  });
}

TEST(SessionCopy, BelongsToItsTransaction) {
  with_client([](pgwire::Client& client) {
    ASSERT_TRUE(client.simple_query("CREATE TABLE t (a int)"));
    ASSERT_TRUE(client.simple_query("BEGIN"));
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"1\n"}), "COPY 1");
    EXPECT_EQ(copy_out(client, "COPY t TO STDOUT"), "1\nCOPY 1") << "the next command sees the rows";
    ASSERT_TRUE(client.simple_query("ROLLBACK"));
    EXPECT_EQ(copy_out(client, "COPY t TO STDOUT"), "COPY 0");

    ASSERT_TRUE(client.simple_query("BEGIN"));
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"x\n"}).substr(0, 5), "22P02");
    EXPECT_EQ(client.status(), TransactionStatus::failed);
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"1\n"}).substr(0, 5), "25P02");
    ASSERT_TRUE(client.simple_query("ROLLBACK"));

    ASSERT_TRUE(client.simple_query("BEGIN READ ONLY"));
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN", {"1\n"}),
              "25006 cannot execute COPY FROM in a read-only transaction / ");
    ASSERT_TRUE(client.simple_query("ROLLBACK"));
    ASSERT_TRUE(client.simple_query("BEGIN READ ONLY"));
    EXPECT_EQ(copy_out(client, "COPY (INSERT INTO t VALUES (1) RETURNING a) TO STDOUT"),
              "25006 cannot execute INSERT in a read-only transaction");
    ASSERT_TRUE(client.simple_query("ROLLBACK"));

    // A table that is new may be filled with FREEZE.
    ASSERT_TRUE(client.simple_query("BEGIN"));
    ASSERT_TRUE(client.simple_query("TRUNCATE t"));
    EXPECT_EQ(copy_in(client, "COPY t FROM STDIN (FREEZE)", {"7\n8\n"}), "COPY 2");
    ASSERT_TRUE(client.simple_query("COMMIT"));
    EXPECT_EQ(copy_out(client, "COPY t TO STDOUT (FORMAT text)"), "7\n8\nCOPY 2");
  });
}

}  // namespace
}  // namespace polarsim::engine
