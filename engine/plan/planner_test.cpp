#include <gtest/gtest.h>

#include "engine/plan/plan_test_support.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

class EveryColumnExists : public testing::TestWithParam<const char*> {};
TEST_P(EveryColumnExists, InThePlan) {
  try {
    EXPECT_EQ(broken_column(*planned(GetParam())), "") << shape(GetParam());
  } catch (const SqlError& error) {
    FAIL() << GetParam() << ": " << error.what();
  }
}
INSTANTIATE_TEST_SUITE_P(
    Planner, EveryColumnExists,
    testing::Values(
        "SELECT 1", "SELECT * FROM t", "SELECT b + 1 FROM t WHERE a = 5 AND c = 'x'", "SELECT 1 WHERE false",
        "SELECT * FROM t WHERE false", "SELECT t.c, u.v FROM t JOIN u ON t.a = u.t_a WHERE u.id < 10",
        "SELECT * FROM t LEFT JOIN u ON t.a = u.t_a AND u.v = 'x' WHERE t.b = 3",
        "SELECT t FROM s LEFT JOIN t ON t.a = s.x", "SELECT * FROM t FULL JOIN s ON t.a = s.x",
        "SELECT count(*), sum(b) FROM t", "SELECT b, count(*) FROM t GROUP BY b HAVING count(*) > 1 ORDER BY 2 DESC",
        "SELECT b + 1, max(c) FROM t GROUP BY b + 1 ORDER BY b + 1", "SELECT a, c, count(*) FROM t GROUP BY a",
        "SELECT b, c, count(*), grouping(b) FROM t GROUP BY ROLLUP (b, c)",
        "SELECT string_agg(c, ',' ORDER BY b) FROM t GROUP BY a",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY b) FROM t",
        "SELECT a, rank() OVER (PARTITION BY b ORDER BY c), sum(a) OVER () FROM t",
        "SELECT b, sum(count(*)) OVER (ORDER BY b) FROM t GROUP BY b", "SELECT DISTINCT b FROM t ORDER BY b",
        "SELECT DISTINCT ON (b) b, c FROM t ORDER BY b, c DESC", "SELECT c FROM t ORDER BY b LIMIT 10 OFFSET 5",
        "SELECT generate_series(1, b), a FROM t ORDER BY a", "SELECT generate_series(1, 3) + 1 ORDER BY 1",
        "SELECT a FROM t UNION SELECT id FROM u ORDER BY 1", "SELECT a FROM t UNION ALL SELECT 1.5",
        "SELECT a FROM t INTERSECT SELECT id FROM u", "SELECT b FROM t EXCEPT ALL SELECT x FROM s ORDER BY 1 LIMIT 3",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r",
        "WITH q AS MATERIALIZED (SELECT a FROM t) SELECT * FROM q x JOIN q y ON x.a = y.a",
        "WITH q AS (SELECT a, b FROM t) SELECT a FROM q WHERE b = 1",
        "SELECT * FROM t WHERE a = (SELECT max(t_a) FROM u)",
        "SELECT a, (SELECT count(*) FROM u WHERE u.t_a = t.a) FROM t", "SELECT * FROM t WHERE b IN (SELECT x FROM s)",
        "SELECT * FROM t WHERE b NOT IN (SELECT x FROM s)",
        "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.t_a = t.a AND u.v = t.c)",
        "SELECT * FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.t_a = t.a)",
        "SELECT * FROM t, LATERAL (SELECT v FROM u WHERE u.t_a = t.a ORDER BY id LIMIT 2) l",
        "SELECT * FROM s, generate_series(1, s.y) g",
        "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(i, w) JOIN t ON a = i",
        "SELECT array(SELECT x FROM s WHERE s.y > t.a) FROM t",
        "SELECT b, (SELECT sum(t.a) FROM s LIMIT 1) FROM t GROUP BY b",
        "SELECT * FROM t a, t b, t c, u d, u e, s f, s g, s h, s i WHERE a.a = b.a AND c.a = d.t_a AND d.id = e.id",
        "INSERT INTO t VALUES (1, 2, 'x') RETURNING a, ctid", "INSERT INTO t (a, c) VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO t (a) SELECT id FROM u ORDER BY v LIMIT 5",
        "INSERT INTO t VALUES (1, 2, 'x') ON CONFLICT (a) DO UPDATE SET b = t.b + excluded.b WHERE t.b < 5 RETURNING *",
        "INSERT INTO s VALUES (1, 2)", "UPDATE t SET b = b + 1 WHERE a = 7 RETURNING b, b + 1, t",
        "UPDATE t SET (b, c) = (SELECT x, 'q' FROM s WHERE s.y = t.a LIMIT 1)",
        "UPDATE s SET y = u.id FROM u, (SELECT max(a) m FROM t) q WHERE u.t_a = s.x AND q.m = u.id RETURNING u.v, s.*",
        "DELETE FROM t USING u WHERE u.t_a = t.a RETURNING t.*, u.v", "DELETE FROM t WHERE a IN (SELECT x FROM s)",
        "SELECT * FROM t WHERE b = 1 FOR UPDATE",
        "SELECT t.* FROM t JOIN s ON s.x = t.a ORDER BY c LIMIT 1 FOR UPDATE OF t",
        "WITH d AS (DELETE FROM t WHERE b = 1 RETURNING a) SELECT count(*) FROM d", "SELECT * FROM t WHERE a = $1",
        "SELECT x FROM s WHERE y = ANY ($1::int[])"));

TEST(Planner, KeyIsLookedUp) { EXPECT_EQ(shape("SELECT * FROM t WHERE a = 5"), "Index Scan t"); }
TEST(Planner, AggregateReadsAll) { EXPECT_EQ(shape("SELECT sum(b) FROM t"), "Aggregate(Seq Scan t)"); }
TEST(Planner, FewRowsFindTheirPartnersByIndex) {
  EXPECT_EQ(shape("SELECT * FROM t JOIN u ON t.a = u.t_a WHERE t.a < 3 AND t.a > 1"),
            "Nested Loop Inner(Index Scan t, Index Scan u)");
}
TEST(Planner, ManyRowsAreHashed) {
  EXPECT_EQ(shape("SELECT * FROM t JOIN u ON t.a = u.t_a"), "Hash Inner(Seq Scan u, Seq Scan t)");
}
TEST(Planner, OrderByKeyWithLimitReadsTheIndex) {
  EXPECT_EQ(shape("SELECT * FROM t ORDER BY a LIMIT 3"), "Limit(Index Scan t)");
  EXPECT_EQ(shape("SELECT * FROM t ORDER BY a DESC LIMIT 3"), "Limit(Index Scan t Backward)");
}
TEST(Planner, UnknownSubqueryIsComputedOnce) {
  EXPECT_EQ(shape("SELECT * FROM s WHERE x = (SELECT max(b) FROM t)"), "Seq Scan s | InitPlan: Aggregate(Seq Scan t)");
}

}  // namespace
}  // namespace polarsim::engine::plan
