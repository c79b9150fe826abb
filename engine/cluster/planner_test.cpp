// Planning as a pure function: which statements go where.
#include "engine/cluster/planner.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/cluster/select_plan.h"
#include "engine/sql/hash.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::cluster {
namespace {

DistributedTable make_table(int shard_count) {
  DistributedTable table;
  table.definition.schema = "public";
  table.definition.name = "t";
  const auto add = [&table](const char* name, TypeId type) {
    sql::ColumnInfo column;
    column.name = name;
    column.type = type;
    table.definition.columns.push_back(std::move(column));
  };
  add("id", TypeId::int4);
  add("data", TypeId::text);
  for (int i = 0; i < shard_count; ++i) {
    const sql::HashRange range = sql::shard_range(i, shard_count);
    table.shards.push_back(Shard{first_shard_id + i, range.low, range.high, 1 + i % 2});
  }
  return table;
}

sql::StatementPtr parse_one(const std::string& text) { return sql::parse(text).at(0); }

std::vector<std::size_t> prune(const DistributedTable& table, const std::string& where,
                               const std::vector<Value>& parameters = {}) {
  const auto statement = parse_one("DELETE FROM t WHERE " + where);
  return prune_shards(table, "t", std::get<sql::Delete>(statement->body).where, StatementInputs{parameters, 0});
}

using Shards = std::vector<std::size_t>;

// Shards of 4, from a real cluster: 1 -> 0, 2 -> 3, 3 -> 1, 4 -> 1, 6 -> 2.
TEST(Pruning, RecognisesWhatFixesTheDistributionColumn) {
  const DistributedTable table = make_table(4);
  EXPECT_EQ(prune(table, "id = 1"), Shards{0});
  EXPECT_EQ(prune(table, "2 = t.id AND data = 'x'"), Shards{3});
  EXPECT_EQ(prune(table, "id = '6'"), Shards{2});
  EXPECT_EQ(prune(table, "id = $1", {Value::text("6")}), Shards{2});
  EXPECT_EQ(prune(table, "id = 3 + 1"), Shards{1});
  EXPECT_EQ(prune(table, "id IN (1, 3, 4)"), (Shards{0, 1}));
  EXPECT_EQ(prune(table, "id = 1 OR id = 2"), (Shards{0, 3}));
  EXPECT_EQ(prune(table, "(id = 1 OR id = 2) AND id IN (2, 6)"), Shards{3});
  EXPECT_EQ(prune(table, "id = 1 AND id = 2").size(), 1U) << "nothing matches, but one shard has to say so";
  EXPECT_EQ(prune(table, "id = NULL").size(), 1U);
}

TEST(Pruning, LeavesAllShardsOtherwise) {
  const DistributedTable table = make_table(4);
  for (const char* where : {"data = 'x'", "id > 1", "id <> 1", "NOT id = 1", "id = 1 OR data = 'x'", "id + 0 = 1",
                            "id NOT IN (1)", "id = length(data)", "id IN (1, length(data))", "id = 5000000000",
                            "id IS NULL", "CASE WHEN id = 1 THEN true END"}) {
    EXPECT_EQ(prune(table, where).size(), 4U) << where;
  }
}

RC_GTEST_PROP(Pruning, FindsTheShardThatTheRowWasSentTo, ()) {
  const DistributedTable table = make_table(*rc::gen::inRange(1, 70));
  const auto id = *rc::gen::arbitrary<std::int32_t>();
  const auto insert = parse_one("INSERT INTO t VALUES ($1, 'x')");
  const std::vector<Value> parameters{Value::text(std::to_string(id))};
  const auto tasks = plan_insert(table, std::get<sql::Insert>(insert->body), StatementInputs{parameters, 0});
  RC_ASSERT(tasks.size() == 1U);
  const auto shards = prune(table, "id = $1", parameters);
  RC_ASSERT(shards.size() == 1U);
  RC_ASSERT(tasks[0].sql.find(" public." + table.shard_name(shards[0]) + " ") != std::string::npos);
  RC_ASSERT(tasks[0].group_id == table.shards[shards[0]].group_id);
  const std::int32_t hash = sql::hash_value(Value::integer(id), TypeId::int4);
  RC_ASSERT(table.shards[shards[0]].low <= hash);
  RC_ASSERT(hash <= table.shards[shards[0]].high);
}

TEST(Planner, GroupsTheRowsOfAnInsertByShard) {
  const DistributedTable table = make_table(4);
  const auto insert = parse_one(
      "INSERT INTO t (data, id) VALUES ('a', 1), ($2, $1), ('c', 4) ON CONFLICT (id) DO UPDATE SET data = $3 RETURNING "
      "id");
  const std::vector<Value> parameters{Value::text("3"), Value::text("b"), Value::text("z")};
  const auto tasks = plan_insert(table, std::get<sql::Insert>(insert->body), StatementInputs{parameters, 0});
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].group_id, 1);
  EXPECT_EQ(tasks[0].parameters, (std::vector<Value>{Value::integer(1), Value::text("a"), Value::text("z")}));
  EXPECT_EQ(tasks[1].group_id, 2);
  EXPECT_EQ(tasks[1].parameters, (std::vector<Value>{Value::integer(3), Value::text("b"), Value::integer(4),
                                                     Value::text("c"), Value::text("z")}));
  const auto sent = parse_one(tasks[1].sql);
  EXPECT_EQ(sent->parameters, 5);
  EXPECT_EQ(std::get<sql::Insert>(sent->body).table.name, "t_102009");
  EXPECT_EQ(std::get<sql::Insert>(sent->body).rows.size(), 2U);
}

TEST(Planner, WritesBulkLoadsAsLiterals) {
  const DistributedTable table = make_table(1);
  std::string text = "INSERT INTO t VALUES (0, 'it''s')";
  for (int i = 1; i < 2000; ++i) text += ", (" + std::to_string(i) + ", NULL)";
  const auto tasks = plan_insert(table, std::get<sql::Insert>(parse_one(text)->body), StatementInputs{});
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_TRUE(tasks[0].parameters.empty());
  EXPECT_EQ(std::get<sql::Insert>(parse_one(tasks[0].sql)->body).rows.size(), 2000U);
}

TEST(Planner, SendsOnlyTheParametersThatAreUsed) {
  const DistributedTable table = make_table(2);
  const auto select = parse_one("SELECT count(*) + $1 FROM t WHERE data = $2");
  const std::vector<Value> parameters{Value::text("1"), Value::text("x")};
  const SelectPlan plan = plan_select(table, std::get<sql::Select>(select->body), StatementInputs{parameters, 0});
  EXPECT_EQ(plan.method, SelectMethod::pulled_rows);
  ASSERT_EQ(plan.tasks.size(), 2U);
  EXPECT_EQ(plan.tasks[0].parameters, std::vector<Value>{Value::text("x")});
  EXPECT_EQ(plan.tasks[0].sql, sql::deparse(*parse_one("SELECT id FROM public.t_102008 AS t WHERE data = $1")));
}

TEST(Planner, PushesWhatChangesNothing) {
  const DistributedTable table = make_table(2);
  const auto first_task = [&table](const std::string& text) {
    const auto select = parse_one(text);
    return plan_select(table, std::get<sql::Select>(select->body), StatementInputs{}).tasks.at(0).sql;
  };
  const auto same = [](const std::string& text) { return sql::deparse(*parse_one(text)); };
  EXPECT_EQ(first_task("SELECT id FROM t ORDER BY id LIMIT 2 OFFSET 3"),
            same("SELECT id FROM public.t_102008 AS t ORDER BY id LIMIT 5::bigint"));
  EXPECT_EQ(first_task("SELECT length(data) AS id FROM t ORDER BY id LIMIT 2"),
            same("SELECT id, data FROM public.t_102008 AS t"))
      << "id is the output column here";
  EXPECT_EQ(first_task("SELECT DISTINCT data FROM t LIMIT 2"), same("SELECT data FROM public.t_102008 AS t"));
  EXPECT_EQ(first_task("SELECT count(*), max(id) FROM t WHERE id > 3"),
            same("SELECT count(*), max(id) FROM public.t_102008 AS t WHERE id > 3"));
  EXPECT_EQ(first_task("SELECT count(DISTINCT data) FROM t"), same("SELECT data FROM public.t_102008 AS t"));
}

}  // namespace
}  // namespace polarsim::engine::cluster
