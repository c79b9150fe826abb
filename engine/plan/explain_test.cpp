#include "engine/plan/explain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/plan/plan_test_support.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

std::string explained(std::string_view text) {
  ExplainContext context;
  context.options.costs = false;
  if (text.starts_with("V ")) {
    context.options.verbose = true;
    text.remove_prefix(2);
  }
  std::string result;
  for (const std::string& line : explain(*planned(text), context)) result += line + "\n";
  return result;
}

struct Sample {
  const char* statement;
  const char* plan;
};
class Explain : public testing::TestWithParam<Sample> {};

// What PostgreSQL 15 printed, with EXPLAIN (COSTS OFF) and, where there is a V, VERBOSE.
TEST_P(Explain, IsWhatPostgresPrints) {
  try {
    EXPECT_EQ(explained(GetParam().statement), GetParam().plan) << GetParam().statement;
  } catch (const SqlError& error) {
    FAIL() << GetParam().statement << ": " << error.what();
  }
}
INSTANTIATE_TEST_SUITE_P(
    Samples, Explain,
    testing::Values(Sample{"SELECT 1", "Result\n"},
                    Sample{"SELECT 1 WHERE false",
                           "Result\n"
                           "  One-Time Filter: false\n"},
                    Sample{"SELECT * FROM t WHERE a = 5",
                           "Index Scan using t_pkey on t\n"
                           "  Index Cond: (a = 5)\n"},
                    Sample{"SELECT b + 1 FROM t WHERE a = 5 AND c = 'x'",
                           "Index Scan using t_pkey on t\n"
                           "  Index Cond: (a = 5)\n"
                           "  Filter: (c = 'x'::text)\n"},
                    Sample{"SELECT * FROM t x WHERE b = 3 OR c LIKE 'a%'",
                           "Seq Scan on t x\n"
                           "  Filter: ((b = 3) OR (c ~~ 'a%'::text))\n"},
                    Sample{"SELECT * FROM t ORDER BY a DESC LIMIT 3",
                           "Limit\n"
                           "  ->  Index Scan Backward using t_pkey on t\n"},
                    Sample{"SELECT c FROM t ORDER BY b DESC, c NULLS FIRST",
                           "Sort\n"
                           "  Sort Key: b DESC, c NULLS FIRST\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT c FROM t ORDER BY b + 1",
                           "Sort\n"
                           "  Sort Key: ((b + 1))\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT a FROM t WHERE a > 5 AND a < 10",
                           "Index Only Scan using t_pkey on t\n"
                           "  Index Cond: ((a > 5) AND (a < 10))\n"},
                    Sample{"SELECT a FROM t WHERE 5 = a",
                           "Index Only Scan using t_pkey on t\n"
                           "  Index Cond: (a = 5)\n"},
                    Sample{"SELECT * FROM t WHERE a IN (1, 2, 3)",
                           "Index Scan using t_pkey on t\n"
                           "  Index Cond: (a = ANY ('{1,2,3}'::integer[]))\n"},
                    Sample{"SELECT * FROM t WHERE a = $1",
                           "Index Scan using t_pkey on t\n"
                           "  Index Cond: (a = $1)\n"},
                    Sample{"SELECT * FROM t JOIN u ON t.a = u.t_a",
                           "Hash Join\n"
                           "  Hash Cond: (u.t_a = t.a)\n"
                           "  ->  Seq Scan on u\n"
                           "  ->  Hash\n"
                           "        ->  Seq Scan on t\n"},
                    Sample{"SELECT t.c, u.v FROM t JOIN u ON t.a = u.t_a WHERE t.a < 3 AND t.a > 1",
                           "Nested Loop\n"
                           "  ->  Index Scan using t_pkey on t\n"
                           "        Index Cond: ((a < 3) AND (a > 1))\n"
                           "  ->  Index Scan using u_t_a on u\n"
                           "        Index Cond: (t_a = t.a)\n"},
                    Sample{"SELECT * FROM s LEFT JOIN t ON t.b = s.x AND t.c <> 'q' WHERE s.y > 5",
                           "Hash Right Join\n"
                           "  Hash Cond: (t.b = s.x)\n"
                           "  ->  Seq Scan on t\n"
                           "        Filter: (c <> 'q'::text)\n"
                           "  ->  Hash\n"
                           "        ->  Seq Scan on s\n"
                           "              Filter: (y > 5)\n"},
                    Sample{"SELECT * FROM s a JOIN s b ON a.x < b.y",
                           "Nested Loop\n"
                           "  Join Filter: (a.x < b.y)\n"
                           "  ->  Seq Scan on s a\n"
                           "  ->  Materialize\n"
                           "        ->  Seq Scan on s b\n"},
                    Sample{"SELECT * FROM s x FULL JOIN s z ON x.x = z.y",
                           "Hash Full Join\n"
                           "  Hash Cond: (x.x = z.y)\n"
                           "  ->  Seq Scan on s x\n"
                           "  ->  Hash\n"
                           "        ->  Seq Scan on s z\n"},
                    Sample{"SELECT * FROM s LEFT JOIN t ON t.a = s.x WHERE t.b IS NULL OR t.b = s.y",
                           "Hash Right Join\n"
                           "  Hash Cond: (t.a = s.x)\n"
                           "  Filter: ((t.b IS NULL) OR (t.b = s.y))\n"
                           "  ->  Seq Scan on t\n"
                           "  ->  Hash\n"
                           "        ->  Seq Scan on s\n"},
                    Sample{"SELECT count(*), sum(b) FROM t",
                           "Aggregate\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT b, count(*) FROM t GROUP BY b HAVING count(*) > 1 ORDER BY 2 DESC",
                           "Sort\n"
                           "  Sort Key: (count(*)) DESC\n"
                           "  ->  HashAggregate\n"
                           "        Group Key: b\n"
                           "        Filter: (count(*) > 1)\n"
                           "        ->  Seq Scan on t\n"},
                    Sample{"SELECT b + 1, max(c) FROM t GROUP BY b + 1",
                           "HashAggregate\n"
                           "  Group Key: (b + 1)\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT b, c, count(*), grouping(b) FROM t GROUP BY ROLLUP (b, c)",
                           "MixedAggregate\n"
                           "  Hash Key: b, c\n"
                           "  Hash Key: b\n"
                           "  Group Key: ()\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT b, c, count(*) FROM t GROUP BY GROUPING SETS ((b), (c))",
                           "HashAggregate\n"
                           "  Hash Key: b\n"
                           "  Hash Key: c\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT b, string_agg(c, ',' ORDER BY a) FROM t GROUP BY b",
                           "GroupAggregate\n"
                           "  Group Key: b\n"
                           "  ->  Sort\n"
                           "        Sort Key: b\n"
                           "        ->  Seq Scan on t\n"},
                    Sample{"SELECT a, rank() OVER (PARTITION BY b ORDER BY c) FROM t",
                           "WindowAgg\n"
                           "  ->  Sort\n"
                           "        Sort Key: b, c\n"
                           "        ->  Seq Scan on t\n"},
                    Sample{"SELECT x, sum(y) OVER (ORDER BY x) r FROM s ORDER BY 2",
                           "Sort\n"
                           "  Sort Key: (sum(y) OVER (?))\n"
                           "  ->  WindowAgg\n"
                           "        ->  Sort\n"
                           "              Sort Key: x\n"
                           "              ->  Seq Scan on s\n"},
                    Sample{"SELECT DISTINCT b FROM t",
                           "HashAggregate\n"
                           "  Group Key: b\n"
                           "  ->  Seq Scan on t\n"},
                    Sample{"SELECT DISTINCT ON (b) b, c FROM t ORDER BY b, c DESC",
                           "Unique\n"
                           "  ->  Sort\n"
                           "        Sort Key: b, c DESC\n"
                           "        ->  Seq Scan on t\n"},
                    Sample{"SELECT generate_series(1, 3)",
                           "ProjectSet\n"
                           "  ->  Result\n"},
                    Sample{"SELECT a FROM t UNION SELECT id FROM u",
                           "HashAggregate\n"
                           "  Group Key: t.a\n"
                           "  ->  Append\n"
                           "        ->  Seq Scan on t\n"
                           "        ->  Seq Scan on u\n"},
                    Sample{"SELECT a FROM t UNION ALL SELECT id FROM u",
                           "Append\n"
                           "  ->  Seq Scan on t\n"
                           "  ->  Seq Scan on u\n"},
                    Sample{"SELECT x FROM s INTERSECT SELECT y FROM s",
                           "HashSetOp Intersect\n"
                           "  ->  Append\n"
                           "        ->  Subquery Scan on \"*SELECT* 1\"\n"
                           "              ->  Seq Scan on s\n"
                           "        ->  Subquery Scan on \"*SELECT* 2\"\n"
                           "              ->  Seq Scan on s s_1\n"},
                    Sample{"SELECT x FROM s EXCEPT ALL SELECT y FROM s",
                           "HashSetOp Except All\n"
                           "  ->  Append\n"
                           "        ->  Subquery Scan on \"*SELECT* 1\"\n"
                           "              ->  Seq Scan on s\n"
                           "        ->  Subquery Scan on \"*SELECT* 2\"\n"
                           "              ->  Seq Scan on s s_1\n"},
                    Sample{
                        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r",
                        "CTE Scan on r\n"
                        "  CTE r\n"
                        "    ->  Recursive Union\n"
                        "          ->  Result\n"
                        "          ->  WorkTable Scan on r r_1\n"
                        "                Filter: (n < 10)\n"},
                    Sample{"WITH q AS MATERIALIZED (SELECT x FROM s) SELECT * FROM q a JOIN q b ON a.x = b.x",
                           "Hash Join\n"
                           "  Hash Cond: (a.x = b.x)\n"
                           "  CTE q\n"
                           "    ->  Seq Scan on s\n"
                           "  ->  CTE Scan on q a\n"
                           "  ->  Hash\n"
                           "        ->  CTE Scan on q b\n"},
                    Sample{"SELECT * FROM s WHERE x = (SELECT max(b) FROM t)",
                           "Seq Scan on s\n"
                           "  Filter: (x = $0)\n"
                           "  InitPlan 1 (returns $0)\n"
                           "    ->  Aggregate\n"
                           "          ->  Seq Scan on t\n"},
                    Sample{"SELECT * FROM s WHERE y = 1 OR x = (SELECT b FROM t WHERE a = 3)",
                           "Seq Scan on s\n"
                           "  Filter: ((y = 1) OR (x = $0))\n"
                           "  InitPlan 1 (returns $0)\n"
                           "    ->  Index Scan using t_pkey on t\n"
                           "          Index Cond: (a = 3)\n"},
                    Sample{"SELECT x, (SELECT count(*) FROM u WHERE u.t_a = s.x) FROM s",
                           "Seq Scan on s\n"
                           "  SubPlan 1\n"
                           "    ->  Aggregate\n"
                           "          ->  Index Only Scan using u_t_a on u\n"
                           "                Index Cond: (t_a = s.x)\n"},
                    Sample{"SELECT * FROM s WHERE x NOT IN (SELECT b FROM t)",
                           "Seq Scan on s\n"
                           "  Filter: (NOT (hashed SubPlan 1))\n"
                           "  SubPlan 1\n"
                           "    ->  Seq Scan on t\n"},
                    Sample{"SELECT * FROM s WHERE EXISTS (SELECT 1 FROM u WHERE u.id = s.x AND u.v <> 'q') OR y = 4",
                           "Seq Scan on s\n"
                           "  Filter: ((SubPlan 1) OR (y = 4))\n"
                           "  SubPlan 1\n"
                           "    ->  Index Scan using u_pkey on u\n"
                           "          Index Cond: (id = s.x)\n"
                           "          Filter: (v <> 'q'::text)\n"},
                    Sample{"SELECT * FROM s WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.b = s.x)",
                           "Hash Anti Join\n"
                           "  Hash Cond: (s.x = t.b)\n"
                           "  ->  Seq Scan on s\n"
                           "  ->  Hash\n"
                           "        ->  Seq Scan on t\n"},
                    Sample{"SELECT * FROM t WHERE b IN (SELECT x FROM s)",
                           "Hash Semi Join\n"
                           "  Hash Cond: (t.b = s.x)\n"
                           "  ->  Seq Scan on t\n"
                           "  ->  Hash\n"
                           "        ->  Seq Scan on s\n"},
                    Sample{"SELECT * FROM generate_series(1, 10) g WHERE g > 3",
                           "Function Scan on generate_series g\n"
                           "  Filter: (g > 3)\n"},
                    Sample{"SELECT * FROM s, generate_series(1, s.y) g",
                           "Nested Loop\n"
                           "  ->  Seq Scan on s\n"
                           "  ->  Function Scan on generate_series g\n"},
                    Sample{"SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(i, w) WHERE i > 1",
                           "Values Scan on \"*VALUES*\"\n"
                           "  Filter: (column1 > 1)\n"},
                    Sample{"SELECT * FROM (SELECT x, y FROM s ORDER BY y LIMIT 5) q WHERE x > 2",
                           "Subquery Scan on q\n"
                           "  Filter: (q.x > 2)\n"
                           "  ->  Limit\n"
                           "        ->  Sort\n"
                           "              Sort Key: s.y\n"
                           "              ->  Seq Scan on s\n"},
                    Sample{"SELECT q.b, q.n, s.y FROM (SELECT b, count(*) n FROM t GROUP BY b) q JOIN s ON s.x = q.b",
                           "Hash Join\n"
                           "  Hash Cond: (s.x = t.b)\n"
                           "  ->  Seq Scan on s\n"
                           "  ->  Hash\n"
                           "        ->  HashAggregate\n"
                           "              Group Key: t.b\n"
                           "              ->  Seq Scan on t\n"},
                    Sample{"SELECT q.b, q.n FROM (SELECT b, count(*) n FROM t GROUP BY b) q WHERE q.b > 3 AND q.n > 4",
                           "HashAggregate\n"
                           "  Group Key: t.b\n"
                           "  Filter: (count(*) > 4)\n"
                           "  ->  Seq Scan on t\n"
                           "        Filter: (b > 3)\n"},
                    Sample{"INSERT INTO t VALUES (1, 2, 'x')",
                           "Insert on t\n"
                           "  ->  Result\n"},
                    Sample{"INSERT INTO t (a, c) VALUES (1, 'x'), (2, 'y')",
                           "Insert on t\n"
                           "  ->  Values Scan on \"*VALUES*\"\n"},
                    Sample{"INSERT INTO t (a) SELECT x FROM s",
                           "Insert on t\n"
                           "  ->  Seq Scan on s\n"},
                    Sample{"INSERT INTO t VALUES (1, 2, 'x') ON CONFLICT (a) DO UPDATE SET b = t.b + excluded.b WHERE "
                           "t.b < excluded.b",
                           "Insert on t\n"
                           "  Conflict Resolution: UPDATE\n"
                           "  Conflict Arbiter Indexes: t_pkey\n"
                           "  Conflict Filter: (t.b < excluded.b)\n"
                           "  ->  Result\n"},
                    Sample{"INSERT INTO t VALUES (1, 2, 'x') ON CONFLICT DO NOTHING",
                           "Insert on t\n"
                           "  Conflict Resolution: NOTHING\n"
                           "  ->  Result\n"},
                    Sample{"UPDATE t SET b = b + 1 WHERE a = 7",
                           "Update on t\n"
                           "  ->  Index Scan using t_pkey on t\n"
                           "        Index Cond: (a = 7)\n"},
                    Sample{"UPDATE t z SET b = 1 FROM s WHERE s.x = z.a AND s.y < 10",
                           "Update on t z\n"
                           "  ->  Nested Loop\n"
                           "        ->  Seq Scan on s\n"
                           "              Filter: (y < 10)\n"
                           "        ->  Index Scan using t_pkey on t z\n"
                           "              Index Cond: (a = s.x)\n"},
                    Sample{"DELETE FROM t WHERE b = 3",
                           "Delete on t\n"
                           "  ->  Seq Scan on t\n"
                           "        Filter: (b = 3)\n"},
                    Sample{"SELECT * FROM t WHERE b = 1 FOR UPDATE",
                           "LockRows\n"
                           "  ->  Seq Scan on t\n"
                           "        Filter: (b = 1)\n"},
                    Sample{"WITH d AS (DELETE FROM t WHERE b = 1 RETURNING a) SELECT count(*) FROM d",
                           "Aggregate\n"
                           "  CTE d\n"
                           "    ->  Delete on t\n"
                           "          ->  Seq Scan on t\n"
                           "                Filter: (b = 1)\n"
                           "  ->  CTE Scan on d\n"},
                    Sample{"SELECT * FROM s WHERE y = 2 AND $1 > 3",
                           "Result\n"
                           "  One-Time Filter: ($1 > 3)\n"
                           "  ->  Seq Scan on s\n"
                           "        Filter: (y = 2)\n"},
                    Sample{"SELECT count(*) FILTER (WHERE x > 3), count(DISTINCT y) FROM s",
                           "Aggregate\n"
                           "  ->  Seq Scan on s\n"},
                    Sample{"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM s",
                           "Aggregate\n"
                           "  ->  Seq Scan on s\n"},
                    Sample{"SELECT CASE WHEN x > 1 THEN 2 ELSE 3 END FROM s ORDER BY 1",
                           "Sort\n"
                           "  Sort Key: (CASE WHEN (x > 1) THEN 2 ELSE 3 END)\n"
                           "  ->  Seq Scan on s\n"},
                    Sample{"V SELECT t.c, u.v FROM t JOIN u ON t.a = u.t_a WHERE t.a = 2",
                           "Nested Loop\n"
                           "  Output: t.c, u.v\n"
                           "  ->  Index Scan using t_pkey on public.t\n"
                           "        Output: t.a, t.b, t.c\n"
                           "        Index Cond: (t.a = 2)\n"
                           "  ->  Index Scan using u_t_a on public.u\n"
                           "        Output: u.id, u.t_a, u.v\n"
                           "        Index Cond: (u.t_a = 2)\n"},
                    Sample{"V SELECT * FROM generate_series(1, 10) g",
                           "Function Scan on pg_catalog.generate_series g\n"
                           "  Output: g\n"
                           "  Function Call: generate_series(1, 10)\n"},
                    Sample{"V SELECT x + 1, y FROM s ORDER BY x",
                           "Sort\n"
                           "  Output: ((x + 1)), y, x\n"
                           "  Sort Key: s.x\n"
                           "  ->  Seq Scan on public.s\n"
                           "        Output: (x + 1), y, x\n"},
                    Sample{"V SELECT x, (SELECT count(*) FROM u WHERE u.t_a = s.x) FROM s",
                           "Seq Scan on public.s\n"
                           "  Output: s.x, (SubPlan 1)\n"
                           "  SubPlan 1\n"
                           "    ->  Aggregate\n"
                           "          Output: count(*)\n"
                           "          ->  Index Only Scan using u_t_a on public.u\n"
                           "                Output: u.t_a\n"
                           "                Index Cond: (u.t_a = s.x)\n"},
                    Sample{"V DELETE FROM t WHERE a = 3 RETURNING b",
                           "Delete on public.t\n"
                           "  Output: b\n"
                           "  ->  Index Scan using t_pkey on public.t\n"
                           "        Output: ctid\n"
                           "        Index Cond: (t.a = 3)\n"},
                    Sample{"V SELECT * FROM s WHERE x = (SELECT max(b) FROM t)",
                           "Seq Scan on public.s\n"
                           "  Output: s.x, s.y\n"
                           "  Filter: (s.x = $0)\n"
                           "  InitPlan 1 (returns $0)\n"
                           "    ->  Aggregate\n"
                           "          Output: max(t.b)\n"
                           "          ->  Seq Scan on public.t\n"
                           "                Output: t.a, t.b, t.c\n"}));

// The numbers are the averages of a run; a node that was never run has none.
TEST(ExplainAnalyze, NumbersAreOfOneRun) {
  NodeMeasurement twice;
  twice.startup_ms = 1;
  twice.total_ms = 3;
  twice.rows = 20;
  twice.loops = 2;
  twice.rows_removed_by_filter = 8;
  twice.lines = {"Buckets: 1024  Batches: 1  Memory Usage: 9kB"};
  ExplainContext context;
  context.options.analyze = true;
  context.options.costs = false;
  context.measurement = [&](const Plan& plan) { return plan.as<HashJoin>() || plan.alias == "s" ? &twice : nullptr; };
  const PlannedStatementPtr statement = planned("SELECT * FROM s JOIN t ON t.b = s.x WHERE s.y > 5");
  ASSERT_TRUE(statement->plan->as<HashJoin>());
  const std::vector<std::string> lines = explain(*statement, context);
  auto has = [&](const std::string& line) { return std::find(lines.begin(), lines.end(), line) != lines.end(); };
  EXPECT_EQ(lines[0], "Hash Join (actual time=0.500..1.500 rows=10 loops=2)");
  EXPECT_TRUE(has("  ->  Seq Scan on t (never executed)"));
  EXPECT_TRUE(has("  ->  Hash (actual time=1.500..1.500 rows=10 loops=2)"));
  EXPECT_TRUE(has("        Buckets: 1024  Batches: 1  Memory Usage: 9kB"));
  EXPECT_TRUE(has("        ->  Seq Scan on s (actual time=0.500..1.500 rows=10 loops=2)"));
  EXPECT_TRUE(has("              Rows Removed by Filter: 4"));
}

TEST(ExplainCosts, FollowTheName) {
  const ExplainContext context;
  PlannedStatement statement = *planned("SELECT * FROM s");
  auto scan = std::make_shared<Plan>(*statement.plan);
  scan->cost = {0, 2.25, 100, 8};
  statement.plan = scan;
  EXPECT_EQ(explain(statement, context), std::vector<std::string>{"Seq Scan on s  (cost=0.00..2.25 rows=100 width=8)"});
}

}  // namespace
}  // namespace polarsim::engine::plan
