// Plans of SELECT: a file of statements with what is run where. Each was compared with PostgreSQL 15: its tasks, its
// intermediate results and its merge, run over shards, gave the rows that the statement gives over whole tables.
#include <gtest/gtest.h>

#include <fstream>

#include "engine/distribution/distribution_test_support.h"
#include "engine/distribution/explain.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

struct Sample {
  std::string statement;
  std::string expected;
  DistributionSettings settings;
};

std::vector<Sample> samples() {
  std::ifstream file("engine/distribution/fixtures/select_plans.txt");
  std::vector<Sample> samples;
  DistributionSettings settings;
  for (std::string line; std::getline(file, line);) {
    if (line == "+repartition") {
      settings.enable_repartition_joins = true;
    } else if (line == "+single") {
      settings.enable_single_hash_repartition_joins = true;
    } else if (line.starts_with("  ")) {
      samples.back().expected += line.substr(2) + "\n";
    } else if (!line.empty() && !line.starts_with("--")) {
      samples.push_back({line, "", settings});
    }
  }
  return samples;
}

TEST(Select, plans_are_as_in_the_file) {
  ClusterTables tables;
  const std::vector<Sample> all = samples();
  ASSERT_GT(all.size(), 200U);
  for (const Sample& sample : all) {
    PlanOptions options;
    options.settings = sample.settings;
    options.values = {Value::integer(1), Value::integer(2)};
    EXPECT_EQ(described(sample.statement, tables, options), sample.expected) << sample.statement;
  }
}

// --- prepared statements ---

class Prepared : public ::testing::Test {
 protected:
  std::string run(const DistributedPlan& plan, std::vector<Value> values) {
    std::string texts;
    for (const Task& task : make_tasks(*plan.job, {call_, values})) {
      texts += std::to_string(task.shards.empty() ? 0 : task.shards[0]) + ": " + *task.sql + "\n";
    }
    return texts;
  }
  ClusterTables tables_;
  CallContext call_;
};

TEST_F(Prepared, a_shard_is_found_when_the_value_is_known) {
  const DistributedPlanPtr plan = distributed("SELECT v FROM a WHERE id = $1", tables_);
  EXPECT_TRUE(plan->generic);
  const char* text = ": SELECT a.v FROM public.a_10200";
  EXPECT_TRUE(run(*plan, {Value::integer(1)}).starts_with(std::string("102000") + text + "0"));
  EXPECT_TRUE(run(*plan, {Value::integer(2)}).starts_with(std::string("102003") + text + "3"));
  // NULL is in no shard.
  EXPECT_EQ(run(*plan, {Value()}),
            "0: SELECT a.v FROM (SELECT NULL::integer AS id, NULL::integer AS v, NULL::text AS s WHERE false) a WHERE "
            "(a.id = $1::integer)\n");
}

TEST_F(Prepared, a_routed_task_keeps_its_text) {
  const DistributedPlanPtr plan = distributed("SELECT v FROM a WHERE id = $1 AND v > $2", tables_);
  const std::vector<Value> values{Value::integer(1), Value::integer(7)};
  const auto first = route(*plan->job, {call_, values});
  const auto second = route(*plan->job, {call_, values});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->shard, 102000);
  EXPECT_EQ(first->parameters, 2U);
  EXPECT_EQ(first->sql->get(), second->sql->get());
  EXPECT_EQ(*first->groups, std::vector<int>{1});
  const std::vector<Value> null{Value(), Value::integer(7)};
  EXPECT_FALSE(route(*plan->job, {call_, null}));
}

TEST_F(Prepared, parameters_are_numbered_anew_where_some_are_not_used) {
  PlanOptions options;
  options.parameter_types = {TypeId::int4, TypeId::int4, TypeId::int4, TypeId::int4, TypeId::int8};
  const DistributedPlanPtr plan = distributed(
      "SELECT s FROM (SELECT $1::int x, s, id FROM a WHERE v = $3) q WHERE id = $2 AND "
      "$2 > 0 LIMIT $5",
      tables_, options);
  EXPECT_FALSE(plan->job->same_parameters);
  const std::vector<Value> values{Value::integer(10), Value::integer(2), Value::integer(30), Value::integer(40),
                                  Value::integer(50)};
  const std::vector<Task> tasks = make_tasks(*plan->job, {call_, values});
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].shards, std::vector<std::int64_t>{102003});
  EXPECT_EQ(tasks[0].parameters->size(), 4U);
  EXPECT_FALSE(route(*plan->job, {call_, values}));
}

TEST_F(Prepared, what_is_the_same_for_all_tasks_is_computed_once) {
  const DistributedPlanPtr plan = distributed("SELECT id FROM a WHERE v > $1 AND now() > '2020-01-01'", tables_);
  ASSERT_EQ(plan->job->parameters.size(), 2U);
  EXPECT_EQ(plan->job->parameters[0].statement_parameter, 1);
  EXPECT_NE(plan->job->parameters[1].value, nullptr);
}

TEST_F(Prepared, several_values_leave_several_shards) {
  const DistributedPlanPtr plan = distributed("SELECT v FROM a WHERE id IN ($1, $2)", tables_);
  EXPECT_TRUE(plan->generic);
  EXPECT_EQ(make_tasks(*plan->job, {call_, std::vector<Value>{Value::integer(1), Value::integer(2)}}).size(), 2U);
  EXPECT_EQ(make_tasks(*plan->job, {call_, std::vector<Value>{Value::integer(1), Value::integer(5)}}).size(), 1U);
}

TEST_F(Prepared, where_only_values_can_tell_the_plan_waits_for_them) {
  const char* text = "SELECT a.v, b.w FROM a, b WHERE a.id = $1 AND b.id = $2";
  const DistributedPlanPtr unknown = distributed(text, tables_);
  EXPECT_FALSE(unknown->generic);
  PlanOptions options;
  options.parameters = {Value::integer(1), Value::integer(5)};
  const DistributedPlanPtr known = distributed(text, tables_, options);
  EXPECT_FALSE(known->generic);
  EXPECT_EQ(known->tier, Tier::router);
  options.parameters = {Value::integer(1), Value::integer(2)};
  EXPECT_THROW(distributed(text, tables_, options), SqlError);
}

// --- EXPLAIN ---

std::string explained(std::string_view text, plan::ExplainOptions explain_options, bool all_tasks = false) {
  ClusterTables tables;
  const DistributedPlanPtr plan = distributed(text, tables);
  const CallContext call;
  const plan::PlannerSettings settings;
  const plan::PlannerInputs planner{call, settings};
  DistributedExplainContext context{
      explain_options,
      all_tasks,
      planner,
      {call, {}},
      [](int group) { return "host=dn" + std::to_string(group) + " port=5432 dbname=postgres"; },
      [](const Task& task) {
        return std::vector<std::string>{"Seq Scan on t_" + std::to_string(task.shards.empty() ? 0 : task.shards[0]),
                                        "  Filter: (v = 1)"};
      }};
  std::string lines;
  for (const std::string& line : explain(*plan, context)) lines += line + "\n";
  return lines;
}

TEST(Explain, shows_a_routers_task) {
  plan::ExplainOptions options;
  EXPECT_EQ(explained("SELECT * FROM a WHERE id = 1", options),
            "Custom Scan (PolarCluster Adaptive)  (cost=0.00..0.00 rows=0 width=0)\n"
            "  Task Count: 1\n"
            "  Tasks Shown: All\n"
            "  ->  Task\n"
            "        Node: host=dn1 port=5432 dbname=postgres\n"
            "        ->  Seq Scan on t_102000\n"
            "              Filter: (v = 1)\n");
}

TEST(Explain, shows_one_of_many_tasks_below_the_merge) {
  plan::ExplainOptions options;
  options.verbose = true;
  EXPECT_EQ(explained("SELECT count(*) FROM a", options),
            "Aggregate  (cost=250.00..250.01 rows=1 width=8)\n"
            "  Output: COALESCE((sum(remote_scan.count))::bigint, '0'::bigint)\n"
            "  ->  Custom Scan (PolarCluster Adaptive)  (cost=0.00..0.00 rows=100000 width=8)\n"
            "        Output: remote_scan.count\n"
            "        Task Count: 4\n"
            "        Tasks Shown: One of 4\n"
            "        ->  Task\n"
            "              Query: SELECT count(*) AS count FROM public.a_102000 a\n"
            "              Node: host=dn1 port=5432 dbname=postgres\n"
            "              ->  Seq Scan on t_102000\n"
            "                    Filter: (v = 1)\n");
  options.verbose = false;
  options.costs = false;
  EXPECT_EQ(explained("SELECT * FROM a WHERE id IN (1, 2)", options, true),
            "Custom Scan (PolarCluster Adaptive)\n"
            "  Task Count: 2\n"
            "  Tasks Shown: All\n"
            "  ->  Task\n"
            "        Node: host=dn1 port=5432 dbname=postgres\n"
            "        ->  Seq Scan on t_102000\n"
            "              Filter: (v = 1)\n"
            "  ->  Task\n"
            "        Node: host=dn2 port=5432 dbname=postgres\n"
            "        ->  Seq Scan on t_102003\n"
            "              Filter: (v = 1)\n");
}

TEST(Explain, shows_subplans_first) {
  plan::ExplainOptions options;
  options.costs = false;
  EXPECT_EQ(explained("SELECT * FROM a WHERE v = (SELECT max(v) FROM a)", options),
            "Custom Scan (PolarCluster Adaptive)\n"
            "  ->  Distributed Subplan 1_1\n"
            "        ->  Aggregate\n"
            "              ->  Custom Scan (PolarCluster Adaptive)\n"
            "                    Task Count: 4\n"
            "                    Tasks Shown: One of 4\n"
            "                    ->  Task\n"
            "                          Node: host=dn1 port=5432 dbname=postgres\n"
            "                          ->  Seq Scan on t_102000\n"
            "                                Filter: (v = 1)\n"
            "  Task Count: 4\n"
            "  Tasks Shown: One of 4\n"
            "  ->  Task\n"
            "        Node: host=dn1 port=5432 dbname=postgres\n"
            "        ->  Seq Scan on t_102000\n"
            "              Filter: (v = 1)\n");
}

}  // namespace
}  // namespace polarsim::engine::distribution
