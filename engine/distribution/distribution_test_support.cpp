#include "engine/distribution/distribution_test_support.h"

#include <fmt/format.h>

#include "engine/distribution/entries.h"
#include "engine/query/deparse.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

constexpr const char* definitions = R"(
  CREATE TABLE a (id int PRIMARY KEY, v int, s text);
  CREATE TABLE b (id int, w int, s text);
  CREATE TABLE tgt (id int, v int, s text);
  CREATE TABLE nc (k int, v int);
  CREATE TABLE txt (k text, v int);
  CREATE TABLE r (id int PRIMARY KEY, name text);
  CREATE TABLE loc (id int, v int);
  CREATE TABLE one (x int, y int);
  CREATE TABLE two (x int, y int);
  CREATE TABLE given (id int DEFAULT 3, v float8 DEFAULT random(), at timestamptz DEFAULT now());
  CREATE TABLE serial_key (id int DEFAULT trunc(random() * 10)::int, v int);
  CREATE TABLE r2 (id int, name text);
)";

TableDistributionPtr hashed(std::int64_t first_shard, int column, TypeId type, int colocation) {
  auto table = std::make_shared<TableDistribution>();
  table->column = column;
  table->type = type;
  table->colocation_id = colocation;
  for (int i = 0; i < 4; ++i) {
    Shard shard;
    shard.id = first_shard + i;
    shard.low = static_cast<std::int32_t>(std::numeric_limits<std::int32_t>::min() + i * (std::int64_t{1} << 30));
    shard.high = static_cast<std::int32_t>(shard.low + ((std::int64_t{1} << 30) - 1));
    shard.groups = {1 + i % 2};
    table->shards.push_back(std::move(shard));
  }
  return table;
}

TableDistributionPtr whole(Method method, std::int64_t shard_id, int colocation, std::vector<int> groups) {
  auto table = std::make_shared<TableDistribution>();
  table->method = method;
  table->colocation_id = colocation;
  Shard shard;
  shard.id = shard_id;
  shard.groups = std::move(groups);
  table->shards.push_back(std::move(shard));
  return table;
}

class RowsOfTasks final : public query::CustomRows {
 public:
  const char* name() const override { return "tasks"; }
  std::string call() const override { return "tasks()"; }
};

std::string text_of(const query::QueryPtr& merge) {
  const query::QueryPtr named =
      map_entries(merge, [](const query::RangeTableEntry& entry) -> std::optional<query::RangeTableEntry> {
        const auto* custom = std::get_if<query::CustomSource>(&entry.source);
        if (custom == nullptr || !custom->rows->call().empty()) return std::nullopt;
        query::RangeTableEntry made = entry;
        made.source = query::CustomSource{std::make_shared<RowsOfTasks>()};
        return made;
      });
  query::DeparseOptions options;
  options.qualify_always = true;
  return query::deparse(*named, options);
}

std::string joined(const std::vector<std::int64_t>& numbers) { return fmt::format("{}", fmt::join(numbers, "+")); }

void describe(const DistributedPlan& plan, const StatementValues& values, const std::string& indent,
              std::string& lines) {
  lines += plan.generic ? "" : " (for these values)";
  lines += "\n";
  for (const Subplan& subplan : plan.subplans) {
    lines += fmt::format("{}{}: {}", indent, subplan.name, to_string(subplan.plan->tier));
    if (subplan.partition) {
      lines +=
          fmt::format(", by column {} to {} partitions", subplan.partition->column, subplan.partition->ranges.size());
    }
    describe(*subplan.plan, values, indent + "  ", lines);
  }
  if (plan.job) {
    const std::vector<Task> tasks = make_tasks(*plan.job, values);
    for (const Task& task : tasks) {
      lines += fmt::format("{}{} on {}: {}", indent, joined(task.shards), fmt::join(task.groups, ","), *task.sql);
      if (tasks.size() > 1 && !plan.job->rows) lines += fmt::format(" ({} tasks)", tasks.size());
      lines += "\n";
      // Those of several rows are all different.
      if (!plan.job->rows) break;
    }
    if (tasks.empty()) lines += indent + "no tasks\n";
  }
  if (plan.merge) lines += fmt::format("{}merge: {}\n", indent, text_of(plan.merge));
}

}  // namespace

ClusterTables::ClusterTables() : relations_(definitions) {
  tables_["a"] = hashed(102000, 1, TypeId::int4, 1);
  tables_["b"] = hashed(102004, 1, TypeId::int4, 1);
  tables_["tgt"] = hashed(102008, 1, TypeId::int4, 1);
  tables_["nc"] = hashed(102012, 1, TypeId::int4, 2);
  tables_["txt"] = hashed(102016, 1, TypeId::text, 3);
  tables_["r"] = whole(Method::reference, 102020, 4, {0, 1, 2});
  tables_["one"] = whole(Method::single_shard, 102021, 5, {2});
  tables_["two"] = whole(Method::single_shard, 102022, 5, {2});
  tables_["r2"] = whole(Method::reference, 102023, 4, {0, 1, 2});
  tables_["given"] = hashed(102024, 1, TypeId::int4, 1);
  tables_["serial_key"] = hashed(102028, 1, TypeId::int4, 1);
}

TableDistributionPtr ClusterTables::find(const query::Relation& relation) {
  const auto found = tables_.find(relation.name);
  return found == tables_.end() ? nullptr : found->second;
}

DistributedPlanPtr distributed(std::string_view text, ClusterTables& tables, const PlanOptions& options) {
  std::vector<Type> types = options.parameter_types;
  const query::QueryPtr query = query::analyse_text(text, tables.relations(), &types);
  PlanNumbers numbers;
  const CallContext call;
  return plan_distributed(query, {tables, call, options.settings, numbers, options.parameters});
}

std::string described(const DistributedPlan& plan, const StatementValues& values) {
  std::string lines = to_string(plan.tier);
  describe(plan, values, "", lines);
  return lines;
}

std::string described(std::string_view text, ClusterTables& tables, const PlanOptions& options) {
  try {
    const CallContext call;
    return described(*distributed(text, tables, options),
                     {call, options.values.empty() ? options.parameters : options.values});
  } catch (const SqlError& error) {
    std::string line = "!" + error.fields().sqlstate + " " + error.fields().message;
    if (!error.fields().detail.empty()) line += " DETAIL " + error.fields().detail;
    if (!error.fields().hint.empty()) line += " HINT " + error.fields().hint;
    return line + "\n";
  }
}

}  // namespace polarsim::engine::distribution
