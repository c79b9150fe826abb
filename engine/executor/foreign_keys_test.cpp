// Foreign keys where two sessions meet: what each waits for, and what it finds then. As a PostgreSQL 15 does it.
#include <gtest/gtest.h>

#include <functional>

#include "engine/executor/executor_sql_test_support.h"

namespace polarsim::engine::executor::testing {
namespace {

using engine::testing::TestNode;

const std::string not_present =
    "!ERROR 23503: insert or update on table \"c\" violates foreign key constraint "
    "\"c_p_fkey\" / Key (p)=(1) is not present in table \"p\".";
const std::string still_referenced =
    "!ERROR 23503: update or delete on table \"p\" violates foreign key constraint "
    "\"c_p_fkey\" on table \"c\" / Key (id)=(1) is still referenced from table \"c\".";
const std::string concurrent_update = "!ERROR 40001: could not serialize access due to concurrent update";

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : ";") + line;
  return text;
}

struct Sessions {
  explicit Sessions(TestNode& on) : node(on), first(on), second(on) {}

  std::string run(SqlRunner& session, const char* sql) const { return joined(session.run(sql)); }
  // The second session's statement is to be stuck until `release` has been done by the first; then its answer.
  std::string waits(const char* sql, const std::function<void()>& release) {
    std::string answer;
    const sim::TaskRef task = node.spawn([&] { answer = run(second, sql); });
    node.sleep_ms(10);
    EXPECT_EQ(answer, "") << sql;
    release();
    node.join({task});
    return answer;
  }

  TestNode& node;
  SqlRunner first;
  SqlRunner second;
};

void with_sessions(const char* action, const std::function<void(Sessions&)>& body) {
  engine::testing::with_node([&](TestNode& node) {
    Sessions sessions(node);
    sessions.run(sessions.first, "CREATE TABLE p (id int PRIMARY KEY, name text)");
    sessions.run(sessions.first,
                 (std::string("CREATE TABLE c (n int PRIMARY KEY, p int REFERENCES p ") + action + ")").c_str());
    sessions.run(sessions.first, "INSERT INTO p VALUES (1, 'one'), (2, 'two')");
    body(sessions);
  });
}

TEST(ForeignKeys, AnInsertWaitsForWhoDeletesItsParent) {
  with_sessions("", [](Sessions& sessions) {
    for (const bool commits : {false, true}) {
      sessions.first.begin();
      EXPECT_EQ(sessions.run(sessions.first, "DELETE FROM p WHERE id = 1"), "DELETE 1");
      const std::string answer = sessions.waits("INSERT INTO c VALUES (1, 1)", [&] {
        if (commits) {
          sessions.first.commit();
        } else {
          sessions.first.rollback();
        }
      });
      EXPECT_EQ(answer, commits ? not_present : "INSERT 0 1");
      sessions.run(sessions.second, "DELETE FROM c");
    }
  });
}

TEST(ForeignKeys, ADeleteWaitsForWhoInsertsAChild) {
  with_sessions("", [](Sessions& sessions) {
    for (const bool commits : {true, false}) {
      sessions.first.begin();
      EXPECT_EQ(sessions.run(sessions.first, "INSERT INTO c VALUES (1, 1)"), "INSERT 0 1");
      const std::string answer = sessions.waits("DELETE FROM p WHERE id = 1", [&] {
        if (commits) {
          sessions.first.commit();
        } else {
          sessions.first.rollback();
        }
      });
      EXPECT_EQ(answer, commits ? still_referenced : "DELETE 1");
      sessions.run(sessions.second, "DELETE FROM c");
    }
  });
}

TEST(ForeignKeys, OnlyAChangeOfTheKeyIsInTheWay) {
  with_sessions("", [](Sessions& sessions) {
    sessions.first.begin();
    EXPECT_EQ(sessions.run(sessions.first, "UPDATE p SET name = 'uno'"), "UPDATE 2");
    EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (1, 1)"), "INSERT 0 1");
    EXPECT_EQ(sessions.run(sessions.second, "DELETE FROM c"), "DELETE 1");
    EXPECT_EQ(sessions.run(sessions.first, "UPDATE p SET id = 10 WHERE id = 1"), "UPDATE 1");
    EXPECT_EQ(sessions.waits("INSERT INTO c VALUES (1, 1)", [&] { sessions.first.commit(); }), not_present);
    EXPECT_GE(sessions.node.reached("foreign-key/referenced-key-changed") +
                  sessions.node.reached("foreign-key/referenced-row-gone"),
              1U);
    EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (1, 10)"), "INSERT 0 1");
    // Two children of one parent are no reason to wait, either.
    sessions.first.begin();
    EXPECT_EQ(sessions.run(sessions.first, "INSERT INTO c VALUES (2, 2)"), "INSERT 0 1");
    EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (3, 2)"), "INSERT 0 1");
  });
}

TEST(ForeignKeys, ACascadeLooksAgainAtAChildThatHasMovedAway) {
  with_sessions("ON DELETE CASCADE", [](Sessions& sessions) {
    sessions.run(sessions.first, "INSERT INTO c VALUES (1, 1), (2, 1)");
    sessions.first.begin();
    EXPECT_EQ(sessions.run(sessions.first, "UPDATE c SET p = 2 WHERE n = 1"), "UPDATE 1");
    EXPECT_EQ(sessions.waits("DELETE FROM p WHERE id = 1", [&] { sessions.first.commit(); }), "DELETE 1");
    EXPECT_EQ(sessions.run(sessions.second, "SELECT * FROM c"), "1|2");
  });
}

TEST(ForeignKeys, RepeatableReadSeesParentsByItsOwnSnapshot) {
  with_sessions("", [](Sessions& sessions) {
    sessions.run(sessions.first, "DELETE FROM p WHERE id = 1");
    sessions.second.begin(txn::IsolationLevel::repeatable_read);
    EXPECT_EQ(sessions.run(sessions.second, "SELECT count(*) FROM p"), "1");
    sessions.run(sessions.first, "INSERT INTO p VALUES (1, 'new')");
    EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (1, 1)"), not_present);

    sessions.second.begin(txn::IsolationLevel::repeatable_read);
    EXPECT_EQ(sessions.run(sessions.second, "SELECT count(*) FROM p"), "2");
    sessions.run(sessions.first, "DELETE FROM p WHERE id = 1");
    EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (1, 1)"), concurrent_update);
  });
}

TEST(ForeignKeys, RepeatableReadMissesNoChildren) {
  for (const char* const action : {"", "ON DELETE RESTRICT", "ON DELETE CASCADE", "ON DELETE SET NULL"}) {
    with_sessions(action, [&](Sessions& sessions) {
      sessions.second.begin(txn::IsolationLevel::repeatable_read);
      EXPECT_EQ(sessions.run(sessions.second, "SELECT count(*) FROM c"), "0");
      sessions.run(sessions.first, "INSERT INTO c VALUES (1, 1)");
      const bool refuses = std::string_view(action).empty() || std::string_view(action) == "ON DELETE RESTRICT";
      EXPECT_EQ(sessions.run(sessions.second, "DELETE FROM p WHERE id = 1"),
                refuses ? still_referenced : concurrent_update)
          << action;

      // What it sees, it may change.
      sessions.second.begin(txn::IsolationLevel::repeatable_read);
      EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (2, 2)"), "INSERT 0 1");
      EXPECT_EQ(sessions.run(sessions.second, "DELETE FROM p WHERE id = 1"), refuses ? still_referenced : "DELETE 1")
          << action;
    });
  }
}

TEST(ForeignKeys, TwoWhoShareAParentAndChangeItAreADeadlock) {
  with_sessions("", [](Sessions& sessions) {
    sessions.first.begin();
    sessions.second.begin();
    EXPECT_EQ(sessions.run(sessions.first, "INSERT INTO c VALUES (1, 1)"), "INSERT 0 1");
    EXPECT_EQ(sessions.run(sessions.second, "INSERT INTO c VALUES (2, 1)"), "INSERT 0 1");
    std::string other;
    const std::string answer = sessions.waits("UPDATE p SET id = 8 WHERE id = 1", [&] {
      other = sessions.run(sessions.first, "UPDATE p SET id = 9 WHERE id = 1");
    });
    const bool first_failed = other.starts_with("!ERROR 40P01");
    EXPECT_NE(first_failed, answer.starts_with("!ERROR 40P01")) << answer << other;
  });
}

TEST(ForeignKeys, DeferredOnesAreCheckedAtTheEnd) {
  with_sessions("DEFERRABLE INITIALLY DEFERRED", [](Sessions& sessions) {
    SqlRunner& sql = sessions.first;
    sql.begin();
    EXPECT_EQ(sessions.run(sql, "DELETE FROM p WHERE id = 1"), "DELETE 1");
    EXPECT_EQ(sessions.run(sql, "INSERT INTO c VALUES (1, 1), (2, 3)"), "INSERT 0 2");
    EXPECT_EQ(sessions.run(sql, "UPDATE c SET p = 1"), "UPDATE 2");
    EXPECT_EQ(sessions.run(sql, "INSERT INTO p VALUES (1, 'again')"), "INSERT 0 1");
    EXPECT_EQ(joined(sql.commit()), "");
    EXPECT_EQ(sessions.run(sql, "INSERT INTO c VALUES (3, 1)"), "INSERT 0 1");
    EXPECT_EQ(sessions.run(sql, "DELETE FROM p WHERE id = 1"), still_referenced);
    sql.begin();
    EXPECT_EQ(sessions.run(sql, "UPDATE p SET id = 5 WHERE id = 1"), "UPDATE 1");
    EXPECT_EQ(sessions.run(sql, "SELECT count(*) FROM c"), "3");
    EXPECT_EQ(joined(sql.commit()), still_referenced);
    EXPECT_EQ(sessions.run(sql, "SELECT id FROM p ORDER BY id"), "1;2");

    // A row that was inserted and then changed elsewhere is still to be checked; one that has gone is not.
    sessions.run(sql, "DELETE FROM c");
    sessions.run(sql, "DELETE FROM p WHERE id = 1");
    sql.begin();
    EXPECT_EQ(sessions.run(sql, "INSERT INTO c VALUES (1, 1), (2, 1)"), "INSERT 0 2");
    EXPECT_EQ(sessions.run(sql, "UPDATE c SET n = n + 10"), "UPDATE 2");
    EXPECT_EQ(sessions.run(sql, "DELETE FROM c WHERE n = 11"), "DELETE 1");
    EXPECT_EQ(joined(sql.commit()), not_present);
    sql.begin();
    EXPECT_EQ(sessions.run(sql, "INSERT INTO c VALUES (1, 1)"), "INSERT 0 1");
    EXPECT_EQ(sessions.run(sql, "DROP TABLE c"), "DROP TABLE");
    EXPECT_EQ(joined(sql.commit()), "");
  });
  with_sessions("ON DELETE CASCADE INITIALLY DEFERRED", [](Sessions& sessions) {
    SqlRunner& sql = sessions.first;
    sessions.run(sql, "INSERT INTO c VALUES (1, 1)");
    sql.begin();
    EXPECT_EQ(sessions.run(sql, "DELETE FROM p WHERE id = 1"), "DELETE 1");
    EXPECT_EQ(sessions.run(sql, "SELECT count(*) FROM c"), "0") << "actions are not put off";
    EXPECT_EQ(joined(sql.commit()), "");
  });
}

TEST(ForeignKeys, AKeyThatIsDroppedWaitsForWhoReliesOnIt) {
  with_sessions("", [](Sessions& sessions) {
    sessions.run(sessions.first, "INSERT INTO c VALUES (1, 1)");
    sessions.first.begin();
    EXPECT_EQ(sessions.run(sessions.first, "DELETE FROM p WHERE id = 2"), "DELETE 1");
    EXPECT_EQ(sessions.waits("ALTER TABLE c DROP CONSTRAINT c_p_fkey", [&] { sessions.first.commit(); }),
              "ALTER TABLE");
    EXPECT_EQ(sessions.run(sessions.first, "DELETE FROM p"), "DELETE 1");
  });
}

}  // namespace
}  // namespace polarsim::engine::executor::testing
