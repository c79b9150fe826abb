#include "engine/cluster/distributed_execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

// So that no message becomes too large.
constexpr std::size_t values_of_a_message = 20'000;

class StoredRows final : public executor::CustomRowSource::Rows {
 public:
  explicit StoredRows(const std::vector<Row>& rows) : rows_(rows) {}
  bool next(executor::RowView& row) override {
    if (at_ == rows_.size()) return false;
    row = rows_[at_++];
    return true;
  }

 private:
  const std::vector<Row>& rows_;
  std::size_t at_ = 0;
};

// Of "UPDATE 3" and the like.
std::uint64_t count_of(const std::string& tag) {
  const std::size_t blank = tag.rfind(' ');
  std::uint64_t count = 0;
  if (blank != std::string::npos) std::from_chars(tag.data() + blank + 1, tag.data() + tag.size(), count);
  return count;
}

std::string tag_of(query::Command command, std::uint64_t count) {
  switch (command) {
    case query::Command::insert:
      return fmt::format("INSERT 0 {}", count);
    case query::Command::update:
      return fmt::format("UPDATE {}", count);
    case query::Command::remove:
      return fmt::format("DELETE {}", count);
    case query::Command::select:
      break;
  }
  return fmt::format("SELECT {}", count);
}

std::vector<ResultColumn> columns_of(const distribution::DistributedPlan& plan) {
  std::vector<ResultColumn> columns;
  for (const query::OutputName& column : plan.columns) columns.push_back({column.name, column.type});
  return columns;
}

// Texts of another session's settings would mean something else here.
const CallContext plain_settings;

Row as_texts(const Row& row, const std::vector<ResultColumn>& columns) {
  Row texts;
  for (std::size_t i = 0; i < row.size(); ++i) {
    texts.push_back(row[i].is_null() ? Value::null()
                                     : Value::text(output_value(row[i], columns[i].type.id, plain_settings)));
  }
  return texts;
}

}  // namespace

bool needs_block(const distribution::DistributedPlan& plan, const distribution::StatementValues& values) {
  const bool lends = !plan.subplans.empty();
  if (lends) return true;
  if (plan.job == nullptr || !plan.job->writes) return false;
  if (const auto routed = route(*plan.job, values); routed && routed->groups->size() == 1) return false;
  const std::vector<distribution::Task> tasks = make_tasks(*plan.job, values);
  return tasks.size() > 1 || (tasks.size() == 1 && tasks[0].groups.size() > 1);
}

QueryResult DistributedExecution::run(const distribution::DistributedPlan& plan) {
  for (const distribution::Subplan& subplan : plan.subplans) run_subplan(subplan);
  QueryResult result;
  if (plan.job != nullptr) result = run_job(*plan.job, plan);
  if (plan.merge == nullptr) return result;
  merged_job_ = plan.job.get();
  job_rows_ = std::move(result.rows);
  const std::vector<ErrorFields> notices = std::move(result.notices);
  result = place_.local.run_here(place_.local.plan_here(plan.merge), values_.parameters, this);
  result.notices.insert(result.notices.end(), notices.begin(), notices.end());
  job_rows_.clear();
  return result;
}

std::unique_ptr<executor::CustomRowSource::Rows> DistributedExecution::open(const plan::CustomScan& scan) {
  if (const auto* tasks = dynamic_cast<const distribution::TaskRows*>(&scan)) {
    if (tasks->job().get() != merged_job_) throw SqlError(sqlstate::internal_error, "these tasks were not run");
    return std::make_unique<StoredRows>(job_rows_);
  }
  const auto& intermediate = dynamic_cast<const distribution::IntermediateResult&>(scan);
  return std::make_unique<StoredRows>(results_.at(intermediate.result()).parts.at(0));
}

// --- subplans ---

void DistributedExecution::run_subplan(const distribution::Subplan& subplan) {
  QueryResult rows = run(*subplan.plan);
  Intermediate result;
  result.columns = std::move(rows.columns);
  if (!subplan.partition) {
    result.parts.push_back(std::move(rows.rows));
  } else {
    const distribution::Partitioning& split = *subplan.partition;
    result.partitioned = true;
    result.parts.resize(split.ranges.size());
    const auto column = static_cast<std::size_t>(split.column) - 1;
    for (Row& row : rows.rows) {
      if (row[column].is_null()) {
        if (split.null_error.empty()) continue;
        throw SqlError(sqlstate::null_value_not_allowed, split.null_error);
      }
      const std::int32_t hash = distribution::hash_of(row[column], split.type);
      const auto range = std::find_if(split.ranges.begin(), split.ranges.end(),
                                      [&](const auto& part) { return part.low <= hash && hash <= part.high; });
      if (range == split.ranges.end()) throw SqlError(sqlstate::internal_error, "a hash is in no partition");
      result.parts[static_cast<std::size_t>(range - split.ranges.begin())].push_back(std::move(row));
    }
  }
  results_[subplan.name] = std::move(result);
}

void DistributedExecution::send_results(const distribution::Job& job, const distribution::Task& task, int group) {
  for (const std::string& name : job.results) {
    const Intermediate& result = results_.at(name);
    if (!result.partitioned) {
      if (!std::exchange(sent_[{group, name}], true)) send_rows(group, name, result, result.parts.at(0));
      continue;
    }
    const std::string part = fmt::format("{}_{}", name, task.partition);
    if (!std::exchange(sent_[{group, part}], true))
      send_rows(group, part, result, result.parts.at(static_cast<std::size_t>(task.partition)));
  }
}

void DistributedExecution::send_rows(int group, const std::string& name, const Intermediate& result,
                                     const std::vector<Row>& rows) {
  const std::size_t width = std::max<std::size_t>(result.columns.size(), 1);
  static const std::string text =
      "SELECT pg_catalog.store_intermediate_result($1::text, $2::integer, $3::text[], $4::boolean)";
  bool append = false;
  for (std::size_t at = 0; at < rows.size() || !append; append = true) {
    std::vector<Value> values;
    for (; at < rows.size() && values.size() + width <= values_of_a_message; ++at) {
      for (Value& value : as_texts(rows[at], result.columns)) values.push_back(std::move(value));
    }
    const Value array = Value::array(Array(TypeId::text, std::move(values)));
    const std::vector<Value> parameters{Value::text(name), Value::integer(static_cast<std::int64_t>(width)),
                                        Value::text(output_value(array, TypeId::text_array, plain_settings)),
                                        Value::text(append ? "t" : "f")};
    if (group == place_.coordinator.group_id()) {
      place_.local.run_here(StatementRequest{place_.coordinator.statements().parse(text).at(0), text, parameters});
      continue;
    }
    place_.executor.run(place_.metadata, {Task{group, text, parameters}}, true, place_.begin);
  }
}

// --- tasks ---

QueryResult DistributedExecution::run_job(const distribution::Job& job, const distribution::DistributedPlan& plan) {
  return run_tasks(job, make_tasks(job, values_), plan);
}

QueryResult DistributedExecution::run_here(const distribution::Task& task, std::span<const Value> parameters) {
  return place_.local.run_here(
      StatementRequest{place_.coordinator.statements().parse(*task.sql).at(0), *task.sql, parameters});
}

std::vector<Value> DistributedExecution::wire_parameters(const distribution::Job& job,
                                                         const std::vector<Value>& values) const {
  std::vector<Value> texts;
  texts.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null()) {
      texts.push_back(Value::null());
      continue;
    }
    const distribution::ParameterSource& source = job.parameters.at(i);
    const TypeId type = source.value != nullptr ? source.value->type.id
                                                : types_[static_cast<std::size_t>(source.statement_parameter) - 1].id;
    texts.push_back(type == TypeId::text ? values[i] : Value::text(output_value(values[i], type, plain_settings)));
  }
  return texts;
}

QueryResult DistributedExecution::run_tasks(const distribution::Job& job, const std::vector<distribution::Task>& tasks,
                                            const distribution::DistributedPlan& plan) {
  const int own = place_.coordinator.group_id();
  std::vector<Task> remote;
  std::vector<std::pair<const distribution::Task*, bool>> local;  // and whether its answer counts
  std::vector<bool> counts;                                       // of the remote ones
  std::vector<Value> parameters;
  // All tasks have the same ones: those with rows of their own have none.
  if (!tasks.empty()) parameters = wire_parameters(job, *tasks[0].parameters);
  for (const distribution::Task& task : tasks) {
    const std::size_t copies = task.writes ? task.groups.size() : 1;
    for (std::size_t copy = 0; copy < copies; ++copy) {
      const int group = task.groups[copy];
      send_results(job, task, group);
      if (group == own) {
        local.emplace_back(&task, copy == 0);
      } else {
        remote.push_back(Task{group, *task.sql, parameters, task.writes, task.locks});
        counts.push_back(copy == 0);
      }
    }
  }
  QueryResult result;
  result.columns = columns_of(plan);
  std::uint64_t count = 0;
  const auto add = [&](QueryResult&& part, bool counted) {
    for (ErrorFields& notice : part.notices) result.notices.push_back(std::move(notice));
    if (!counted) return;
    count += count_of(part.tag);
    for (Row& row : part.rows) result.rows.push_back(std::move(row));
  };
  for (const auto& [task, counted] : local) add(run_here(*task, parameters), counted);
  if (!remote.empty()) {
    std::vector<QueryResult> parts = place_.executor.run(place_.metadata, remote, place_.in_block, place_.begin);
    for (std::size_t i = 0; i < parts.size(); ++i) add(std::move(parts[i]), counts[i]);
  }
  result.tag = tag_of(plan.command, plan.command == query::Command::select ? result.rows.size() : count);
  return result;
}

}  // namespace polarsim::engine::cluster
