#include "engine/distribution/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/distribution/insert_rows.h"
#include "engine/distribution/job.h"
#include "engine/distribution/task_texts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/fold.h"
#include "engine/query/program.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using Positions = std::vector<std::size_t>;

const JobTable* table_of_choice(const Job& job, std::size_t choice) {
  for (const JobTable& table : job.tables) {
    if (!table.distribution->is_reference() && table.choice == choice) return &table;
  }
  return nullptr;
}

const Shard& shard_of(const JobTable& table, const Positions& positions) {
  const std::size_t position = table.distribution->is_reference() ? 0 : positions[table.choice];
  return table.distribution->shards.at(position);
}

bool has_no_shard(const JobTable& table, const Positions& positions) {
  return !table.distribution->is_reference() && positions[table.choice] == nowhere;
}

// The nodes that have everything, in the order of the first table that is not everywhere.
std::vector<int> groups_of(const Job& job, const Positions& positions) {
  std::vector<int> groups;
  bool first = true;
  for (const bool of_references : {false, true}) {
    for (const JobTable& table : job.tables) {
      if (table.distribution->is_reference() != of_references) continue;
      if (has_no_shard(table, positions)) continue;
      const std::vector<int>& own = shard_of(table, positions).groups;
      if (first) {
        groups = own;
        first = false;
        continue;
      }
      std::erase_if(groups, [&](int group) { return std::find(own.begin(), own.end(), group) == own.end(); });
    }
  }
  return groups;
}

std::shared_ptr<const std::vector<Value>> parameters_of(const Job& job, const StatementValues& values) {
  auto parameters = std::make_shared<std::vector<Value>>();
  parameters->reserve(job.parameters.size());
  for (const ParameterSource& source : job.parameters) {
    if (source.value && values.only_shown && query::contains_volatility(source.value, Volatility::volatile_function)) {
      parameters->push_back(Value::null());
      continue;
    }
    if (source.value) {
      parameters->push_back(
          query::Program::compile(source.value).run({{}, {}, values.parameters, nullptr}, values.call));
      continue;
    }
    const auto index = static_cast<std::size_t>(source.statement_parameter - 1);
    if (index >= values.parameters.size()) {
      throw SqlError(sqlstate::undefined_parameter, fmt::format("there is no parameter ${}", index + 1));
    }
    parameters->push_back(values.parameters[index]);
  }
  return parameters;
}

class TaskMaker {
 public:
  TaskMaker(const Job& job, const StatementValues& values) : job_(job), values_(values) {}

  std::vector<Task> run() {
    if (job_.rows) {
      add_rows();
    } else if (job_.partitions > 0) {
      for (int i = 0; i < job_.partitions; ++i) add_partition(i);
    } else if (job_.choices.empty()) {
      add({});
    } else if (job_.router) {
      add_routed();
    } else {
      const JobTable* table = table_of_choice(job_, 0);
      for (const std::size_t position : chosen_shards(*job_.choices[0], *table->distribution, values_)) add({position});
      // Its only shard groups for itself, and groups of no rows are a row.
      if (tasks_.empty() && table->distribution->method == Method::single_shard &&
          job_.query->command == query::Command::select && job_.query->grouped)
        add_on_coordinator({nowhere});
    }
    if (tasks_.empty()) compute_constants();
    return std::move(tasks_);
  }

 private:
  // No node is asked for anything, but constants are computed before rows are looked for: what fails there is the
  // statement's error.
  void compute_constants() {
    const query::Command command = job_.query->command;
    if (command == query::Command::select) return;
    query::fold(job_.query, {values_.call, parameters(), false, command == query::Command::insert});
  }

  Positions routed_positions() {
    Positions positions;
    for (std::size_t i = 0; i < job_.choices.size(); ++i) {
      const std::optional<std::size_t> position =
          chosen_shard(*job_.choices[i], *table_of_choice(job_, i)->distribution, values_of_choices());
      if (!position && job_.inserts && !values_.only_shown) throw null_in_distribution_column();
      positions.push_back(position.value_or(job_.inserts ? 0 : nowhere));
    }
    return positions;
  }

  void add_routed() {
    Positions positions = routed_positions();
    if (job_.writes) {
      if (job_.query->command == query::Command::select) {
        // Any shard does: the conditions of what it changes hold nowhere.
        std::replace(positions.begin(), positions.end(), nowhere, std::size_t{0});
      } else if (changes_nothing(positions)) {
        return;
      }
    } else if (std::all_of(positions.begin(), positions.end(), [](std::size_t each) { return each == nowhere; })) {
      return add_on_coordinator(positions);
    }
    add(positions);
  }

  // Whether the conditions of the changed table's rows hold in no shard.
  bool changes_nothing(const Positions& positions) const {
    const auto& entry = job_.query->entries[static_cast<std::size_t>(job_.query->result_entry)];
    const auto* changed = std::get_if<query::TableSource>(&entry.source);
    return std::any_of(job_.tables.begin(), job_.tables.end(), [&](const JobTable& table) {
      return changed != nullptr && table.relation->id == changed->relation->id && has_no_shard(table, positions);
    });
  }

  const std::vector<Value>& parameters() {
    if (!parameters_) parameters_ = parameters_of(job_, values_);
    return *parameters_;
  }
  StatementValues values_of_choices() {
    if (!job_.inserts) return values_;
    return {values_.call, parameters(), values_.only_shown};
  }

  Task make_task() {
    parameters();
    Task task;
    task.parameters = parameters_;
    task.writes = job_.writes;
    task.locks = job_.locks;
    return task;
  }

  void add(const Positions& positions) {
    Task task = make_task();
    for (const JobTable& table : job_.tables) {
      if (has_no_shard(table, positions)) continue;
      const std::int64_t id = shard_of(table, positions).id;
      if (std::find(task.shards.begin(), task.shards.end(), id) == task.shards.end()) task.shards.push_back(id);
    }
    task.groups = job_.tables.empty() ? std::vector<int>{job_.own_group} : groups_of(job_, positions);
    // What all nodes have is read here.
    const bool here = std::find(task.groups.begin(), task.groups.end(), job_.own_group) != task.groups.end();
    if (job_.on_coordinator || (positions.empty() && here && !job_.writes && !job_.locks)) {
      task.groups = {job_.own_group};
    }
    if (task.groups.empty()) {
      throw SqlError(sqlstate::feature_not_supported, "found no worker with all shard placements");
    }
    task.sql = job_.texts->text(job_, positions);
    if (job_.partition_by_shard) task.partition = static_cast<int>(positions.at(0));
    tasks_.push_back(std::move(task));
  }

  void add_rows() {
    const JobTable& table = *table_of_choice(job_, 0);
    for (RowsOfShard& rows :
         rows_by_shard(job_, *table.distribution, {values_.call, parameters(), values_.only_shown})) {
      const Shard& shard = table.distribution->shards[rows.position];
      Task task;
      task.shards = {shard.id};
      task.groups = shard.groups;
      task.parameters = std::make_shared<const std::vector<Value>>();
      task.writes = true;
      task.sql = std::make_shared<const std::string>(std::move(rows.sql));
      tasks_.push_back(std::move(task));
    }
  }

  void add_on_coordinator(const Positions& nothing) {
    Task task = make_task();
    task.groups = {job_.own_group};
    task.writes = task.locks = false;
    task.sql = job_.texts->text(job_, nothing);
    tasks_.push_back(std::move(task));
  }

  void add_partition(int partition) {
    Task task = make_task();
    for (const JobTable& table : job_.tables) task.shards.push_back(table.distribution->shards.at(0).id);
    std::vector<int> groups = job_.tables.empty() ? job_.all_groups : groups_of(job_, {});
    const auto nodes = static_cast<int>(groups.size());
    task.groups = {groups.at(static_cast<std::size_t>(partition % nodes))};
    task.partition = partition;
    task.sql = std::make_shared<const std::string>(task_text(job_, {}, partition));
    tasks_.push_back(std::move(task));
  }

  const Job& job_;
  const StatementValues& values_;
  std::shared_ptr<const std::vector<Value>> parameters_;
  std::vector<Task> tasks_;
};

}  // namespace

const char* to_string(Tier tier) {
  static constexpr const char* names[] = {"local", "router", "pushed down", "repartitioned", "pull to coordinator"};
  return names[static_cast<std::size_t>(tier)];
}

bool has_changing_subplans(const DistributedPlan& plan) {
  return std::any_of(plan.subplans.begin(), plan.subplans.end(), [](const Subplan& subplan) {
    return subplan.plan->command != query::Command::select || has_changing_subplans(*subplan.plan);
  });
}

const char* insert_select_method(const DistributedPlan& plan) {
  if (plan.command != query::Command::insert || !plan.job || !plan.job->inserts) return nullptr;
  if (plan.tier == Tier::repartitioned) return "repartition";
  return plan.tier == Tier::pulled ? "pull to coordinator" : nullptr;
}

std::string IntermediateResult::call() const {
  return fmt::format("read_intermediate_result('{}'::text, 'binary'::text)", result_);
}

std::vector<Task> make_tasks(const Job& job, const StatementValues& values) { return TaskMaker(job, values).run(); }

std::optional<RoutedTask> route(const Job& job, const StatementValues& values) {
  if (!job.router || job.choices.size() != 1 || !job.same_parameters) return std::nullopt;
  const JobTable& table = job.tables[0];
  if (table.distribution->is_reference()) return std::nullopt;
  const std::optional<std::size_t> position = chosen_shard(*job.choices[0], *table.distribution, values);
  if (!position) return std::nullopt;
  const Shard& shard = table.distribution->shards[*position];
  return RoutedTask{shard.id, &shard.groups, &job.texts->text_at(job, *position), job.parameters.size()};
}

}  // namespace polarsim::engine::distribution
