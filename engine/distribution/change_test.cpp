// Plans of INSERT, UPDATE and DELETE: fixtures/changes.txt has statements, and what becomes of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "engine/distribution/distribution_test_support.h"
#include "engine/distribution/explain.h"
#include "engine/types/error.h"
#include "engine/types/random.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::distribution {
namespace {

// Of random() alone.
class Randomness final : public SessionServices {
 public:
  Value call(const FunctionEntry&, const FunctionCall&) override { return {}; }
  RandomSequence& random_sequence() override { return sequence_; }
  std::uint64_t random_bits() override { return sequence_.next(); }
  std::string object_name(TypeId, std::uint32_t oid) override { return std::to_string(oid); }
  std::uint32_t object_number(TypeId, std::string_view) override { return 0; }

 private:
  RandomSequence sequence_{1};
};

struct Case {
  std::string statement;
  std::vector<Type> types;
  std::vector<Value> values;
  bool planned_with_values = false;
  std::string expected;
};

Value value_of(std::string_view text, Type type) {
  return text == "NULL" ? Value::null() : input_value(text, type.id, CallContext{});
}

// "> statement", "$ type text" for each parameter of the run or "@ type text" for those that the plan is made for; what
// follows is expected.
std::vector<Case> read_cases(const char* path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("--") || line.empty()) continue;
    if (line.starts_with("> ")) {
      cases.emplace_back().statement = line.substr(2);
    } else if (cases.empty()) {
      continue;
    } else if (line.starts_with("$ ") || line.starts_with("@ ")) {
      Case& last = cases.back();
      const std::size_t space = line.find(' ', 2);
      const std::string name = line.substr(2, space - 2);
      last.types.emplace_back(name == "text" ? TypeId::text : name == "int8" ? TypeId::int8 : TypeId::int4);
      last.values.push_back(value_of(line.substr(space + 1), last.types.back()));
      last.planned_with_values = line[0] == '@';
    } else {
      cases.back().expected += line + "\n";
    }
  }
  return cases;
}

std::string result_of(const Case& test) {
  ClusterTables tables;
  Randomness randomness;
  CallContext call;
  call.session = &randomness;
  PlanOptions options;
  options.parameter_types = test.types;
  if (test.planned_with_values) options.parameters = test.values;
  try {
    const DistributedPlanPtr plan = distributed(test.statement, tables, options);
    std::string lines = described(*plan, {call, test.values});
    if (const char* method = insert_select_method(*plan)) lines += fmt::format("INSERT/SELECT method: {}\n", method);
    return lines;
  } catch (const SqlError& error) {
    std::string line = "!" + error.fields().sqlstate + " " + error.fields().message;
    if (!error.fields().detail.empty()) line += " DETAIL " + error.fields().detail;
    if (!error.fields().hint.empty()) line += " HINT " + error.fields().hint;
    return line + "\n";
  }
}

TEST(Change, plans_are_as_expected) {
  const std::vector<Case> cases = read_cases("engine/distribution/fixtures/changes.txt");
  EXPECT_GT(cases.size(), 100U);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.statement);
    EXPECT_EQ(result_of(test), test.expected);
  }
}

std::string explained(std::string_view text, bool analyze = false) {
  ClusterTables tables;
  const DistributedPlanPtr plan = distributed(text, tables);
  const CallContext call;
  const plan::PlannerSettings settings;
  const plan::PlannerInputs planner{call, settings};
  plan::ExplainOptions options;
  options.analyze = analyze;
  const DistributedExplainContext context{
      options,
      false,
      planner,
      {call, {}},
      [](int group) { return "host=dn" + std::to_string(group); },
      [](const Task& task) { return std::vector<std::string>{"Plan of " + std::to_string(task.shards.at(0))}; }};
  std::string lines;
  for (const std::string& line : explain(*plan, context)) lines += line + "\n";
  return lines;
}

TEST(Change, explain_shows_the_method_of_insert_select) {
  EXPECT_EQ(explained("INSERT INTO tgt SELECT v, id, s FROM a"),
            "Custom Scan (PolarCluster INSERT ... SELECT)  (cost=0.00..0.00 rows=0 width=0)\n"
            "  INSERT/SELECT method: repartition\n"
            "  ->  Custom Scan (PolarCluster Adaptive)  (cost=0.00..0.00 rows=100000 width=40)\n"
            "        Task Count: 4\n"
            "        Tasks Shown: One of 4\n"
            "        ->  Task\n"
            "              Node: host=dn1\n"
            "              ->  Plan of 102000\n");
  EXPECT_NE(
      explained("INSERT INTO tgt SELECT v, id, s FROM a LIMIT 1").find("INSERT/SELECT method: pull to coordinator"),
      std::string::npos);
  EXPECT_THROW(explained("INSERT INTO tgt SELECT v, id, s FROM a", true), SqlError);
}

TEST(Change, explain_shows_the_tasks_of_changes) {
  EXPECT_EQ(explained("UPDATE a SET v = 1"),
            "Custom Scan (PolarCluster Adaptive)  (cost=0.00..0.00 rows=0 width=0)\n"
            "  Task Count: 4\n"
            "  Tasks Shown: One of 4\n"
            "  ->  Task\n"
            "        Node: host=dn1\n"
            "        ->  Plan of 102000\n");
}

TEST(Change, rows_without_a_shard_have_an_error) {
  ClusterTables tables;
  const auto repartitioned = distributed("INSERT INTO tgt SELECT v, id, s FROM a", tables);
  EXPECT_EQ(repartitioned->subplans.at(0).partition.value().null_error, "the partition column value cannot be NULL");
  const auto pulled = distributed("INSERT INTO tgt SELECT v, id, s FROM a LIMIT 1", tables);
  EXPECT_EQ(pulled->subplans.at(0).partition.value().null_error,
            "the partition column of table public.tgt cannot be NULL");
}

const std::vector<Value>& parameters_of(const Task& task) { return *task.parameters; }

TEST(Change, values_are_computed_once) {
  ClusterTables tables;
  Randomness randomness;
  CallContext call;
  call.session = &randomness;
  const auto plan = distributed("INSERT INTO serial_key (v) VALUES (random()::int + 1)", tables);
  const std::vector<Task> tasks = make_tasks(*plan->job, {call, {}});
  ASSERT_EQ(tasks.size(), 1U);
  ASSERT_EQ(parameters_of(tasks[0]).size(), 2U);
  // The key that the shard was chosen by is the one that is sent.
  const TableDistributionPtr table = plan->job->tables[0].distribution;
  const std::size_t position = shard_position(*table, parameters_of(tasks[0])[0]).value();
  EXPECT_EQ(tasks[0].shards, std::vector<std::int64_t>{table->shards[position].id});
}

TEST(Change, an_insert_of_parameters_is_routed_without_anything_new) {
  ClusterTables tables;
  const CallContext call;
  PlanOptions options;
  options.parameter_types = {TypeId::int4, TypeId::int4, TypeId::text};
  const auto plan = distributed("INSERT INTO a VALUES ($1, $2, $3)", tables, options);
  EXPECT_TRUE(plan->generic);
  const std::vector<Value> values{Value::integer(1), Value::integer(2), Value::text("x")};
  const std::optional<RoutedTask> task = route(*plan->job, {call, values});
  ASSERT_TRUE(task.has_value());
  EXPECT_EQ(task->shard, 102000);
  EXPECT_EQ(task->parameters, 3U);
  EXPECT_EQ(**task->sql, "INSERT INTO public.a_102000 (id, v, s) VALUES ($1::integer,$2::integer,$3::text)");
  // In whatever order they are used.
  const auto reversed = distributed("INSERT INTO a (s, v, id) VALUES ($3, $2, $1)", tables, options);
  EXPECT_TRUE(route(*reversed->job, {call, values}).has_value());
  const std::vector<Value> none{Value::null(), Value::integer(2), Value::text("x")};
  EXPECT_FALSE(route(*plan->job, {call, none}).has_value());
  EXPECT_THROW(make_tasks(*plan->job, {call, none}), SqlError);
}

TEST(Change, texts_of_several_rows_have_no_parameters_left) {
  ClusterTables tables;
  const CallContext call;
  PlanOptions options;
  options.parameter_types = {TypeId::int4, TypeId::int4};
  const auto plan = distributed(
      "INSERT INTO a (id, v) VALUES ($1, 5), (9, $1) ON CONFLICT (id) DO UPDATE SET v = a.v + $2 WHERE a.v > $1 "
      "RETURNING v + $2",
      tables, options);
  const std::vector<Value> values{Value::integer(1), Value::integer(77)};
  for (const Task& task : make_tasks(*plan->job, {call, values})) {
    EXPECT_TRUE(parameters_of(task).empty());
    EXPECT_EQ(task.sql->find('$'), std::string::npos) << *task.sql;
    EXPECT_NE(task.sql->find("77"), std::string::npos) << *task.sql;
  }
}

}  // namespace
}  // namespace polarsim::engine::distribution
