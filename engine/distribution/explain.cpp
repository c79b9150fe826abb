#include "engine/distribution/explain.h"

#include <fmt/format.h>

#include <numeric>

#include "engine/query/analysis.h"
#include "engine/query/deparse.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using Lines = std::vector<std::string>;

// A plan below something else: "->  Seq Scan on a", and what belongs to it.
void append_below(Lines& lines, const Lines& plan, const std::string& indent) {
  for (std::size_t i = 0; i < plan.size(); ++i) lines.push_back(indent + (i == 0 ? "->  " : "    ") + plan[i]);
}

class Explainer {
 public:
  Explainer(const DistributedPlan& plan, const Subplan* subplan, const DistributedExplainContext& context)
      : plan_(plan), subplan_(subplan), context_(context) {
    if (context.measured) measured_ = context.measured(subplan);
  }

  Lines run() {
    if (const char* method = insert_select_method(plan_)) return through_results(method);
    plan::PlannedStatementPtr local;
    if (context_.local_plan) local = context_.local_plan(subplan_);
    if (!local) local = plan::plan_query(merge_query(plan_), context_.planner);
    if (plan_.job) {
      // The rows of tasks have a name of their own.
      auto qualified = std::make_shared<plan::PlannedStatement>(*local);
      qualified->qualify_columns = true;
      local = std::move(qualified);
    }
    plan::ExplainContext explain;
    explain.options = context_.options;
    if (measured_) explain.measurement = measured_->nodes;
    explain.custom = [this](const plan::CustomScan& scan, const plan::ExplainOptions&) {
      return dynamic_cast<const TaskRows*>(&scan) ? below_scan() : Lines();
    };
    Lines lines = plan::explain(*local, explain);
    // The relative does not guess what a router's task will give; changes without RETURNING give nothing.
    const bool unknown = plan_.job && (plan_.job->router || (plan_.job->writes && plan_.columns.empty()));
    if (context_.options.costs && unknown && !plan_.merge && !lines.empty()) {
      const std::size_t from = lines[0].find("  (cost=");
      const std::size_t to = lines[0].find(')', from);
      if (from != std::string::npos) lines[0].replace(from, to + 1 - from, std::string(no_costs));
    }
    return lines;
  }

 private:
  static constexpr std::string_view no_costs = "  (cost=0.00..0.00 rows=0 width=0)";

  // INSERT ... SELECT whose rows do not stay where they are.
  Lines through_results(const char* method) const {
    if (context_.options.analyze) {
      throw SqlError(sqlstate::internal_error,
                     fmt::format("EXPLAIN ANALYZE is currently not supported for INSERT ... SELECT commands {}",
                                 plan_.tier == Tier::repartitioned ? "with repartitioning" : "via coordinator"));
    }
    Lines lines{fmt::format("Custom Scan (PolarCluster INSERT ... SELECT){}", context_.options.costs ? no_costs : "")};
    lines.push_back(fmt::format("  INSERT/SELECT method: {}", method));
    const Subplan& select = plan_.subplans.back();
    append_below(lines, Explainer(*select.plan, &select, context_).run(), "  ");
    return lines;
  }

  Lines below_scan() const {
    Lines lines;
    const bool repartitioned = plan_.tier == Tier::repartitioned;
    for (const Subplan& subplan : plan_.subplans) {
      if (repartitioned && subplan.partition) continue;
      lines.push_back("->  Distributed Subplan " + subplan.name);
      append_below(lines, Explainer(*subplan.plan, &subplan, context_).run(), "      ");
    }
    const std::vector<Task> tasks = measured_ ? measured_->tasks : make_tasks(*plan_.job, context_.values);
    lines.push_back(fmt::format("Task Count: {}", tasks.size()));
    if (measured_ && brings_rows()) {
      lines.push_back(fmt::format("Tuple data received from nodes: {}", size_text(total(measured_->bytes))));
    }
    if (repartitioned) {
      lines.emplace_back("Tasks Shown: None, not supported for re-partition queries");
      for (const Subplan& subplan : plan_.subplans) {
        if (subplan.partition) add_map_merge(lines, subplan);
      }
      return lines;
    }
    const std::size_t shown = context_.all_tasks ? tasks.size() : std::min<std::size_t>(tasks.size(), 1);
    lines.push_back(shown == tasks.size() ? "Tasks Shown: All" : fmt::format("Tasks Shown: One of {}", tasks.size()));
    for (std::size_t i = 0; i < shown; ++i) add_task(lines, tasks[i], i);
    return lines;
  }

  // Rows that are sent to where they are joined.
  void add_map_merge(Lines& lines, const Subplan& subplan) const {
    const std::size_t maps =
        subplan.plan->job ? make_tasks(*subplan.plan->job, context_.values).size() : std::size_t{1};
    lines.emplace_back("->  MapMergeJob");
    lines.push_back(fmt::format("      Map Task Count: {}", maps));
    lines.push_back(fmt::format("      Merge Task Count: {}", subplan.partition->ranges.size()));
    for (const Subplan& inner : subplan.plan->subplans) {
      if (!inner.partition) continue;
      Lines below;
      add_map_merge(below, inner);
      for (const std::string& line : below) lines.push_back("      " + line);
    }
  }

  void add_task(Lines& lines, const Task& task, std::size_t number) const {
    lines.emplace_back("->  Task");
    if (context_.options.verbose) lines.push_back("      Query: " + *task.sql);
    if (measured_ && brings_rows() && number < measured_->bytes.size()) {
      lines.push_back(fmt::format("      Tuple data received from node: {}", size_text(measured_->bytes[number])));
    }
    lines.push_back("      Node: " + context_.node(task.groups.front()));
    const bool is_measured = measured_ && number < measured_->plans.size();
    append_below(lines, is_measured ? measured_->plans[number] : context_.task_plan(task), "      ");
  }

  // Changes without RETURNING do not.
  bool brings_rows() const { return !query::output_columns(*plan_.job->query).empty(); }

  static std::uint64_t total(const std::vector<std::uint64_t>& bytes) {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
  }

  // PostgreSQL's pg_size_pretty().
  static std::string size_text(std::uint64_t bytes) {
    static constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
    constexpr std::uint64_t limit = 10 * 1024;
    if (bytes < limit) return fmt::format("{} bytes", bytes);
    std::uint64_t half_units = bytes >> 9;
    std::size_t unit = 1;
    while (half_units >= 20 * 1024 - 1 && unit + 1 < std::size(units)) {
      half_units >>= 10;
      ++unit;
    }
    return fmt::format("{} {}", (half_units + 1) / 2, units[unit]);
  }

  const DistributedPlan& plan_;
  const Subplan* subplan_;
  const DistributedExplainContext& context_;
  const DistributedMeasurements* measured_ = nullptr;
};

}  // namespace

std::vector<std::string> explain(const DistributedPlan& plan, const DistributedExplainContext& context) {
  return Explainer(plan, nullptr, context).run();
}

}  // namespace polarsim::engine::distribution
