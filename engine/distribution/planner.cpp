#include "engine/distribution/planner.h"

#include "engine/distribution/change.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/select.h"
#include "engine/distribution/table_numbers.h"
#include "engine/query/analysis.h"
#include "engine/query/fold.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {

namespace {

// What comes back from nodes are texts, and the text of a row does not tell its fields.
void refuse_rows_as_values(const DistributedPlan& plan) {
  const auto refuse = [](const std::vector<query::OutputName>& columns) {
    for (const query::OutputName& column : columns) {
      if (column.type.id != TypeId::record && column.type.id != TypeId::record_array) continue;
      throw SqlError(sqlstate::feature_not_supported,
                     "rows as values in the results of distributed queries are not supported", "",
                     "Name their fields, or make json of them by row_to_json().");
    }
  };
  if (plan.job == nullptr) return;
  if (plan.merge == nullptr) return refuse(plan.columns);
  for_each_entry(*plan.merge, [&](const query::RangeTableEntry& entry) {
    if (std::holds_alternative<query::CustomSource>(entry.source)) refuse(entry.columns);
  });
}

}  // namespace

bool uses_distributed_tables(const query::Query& query, DistributionSource& source) {
  bool found = false;
  for_each_entry(query, [&](const query::RangeTableEntry& entry) {
    const auto* table = std::get_if<query::TableSource>(&entry.source);
    found = found || (table != nullptr && source.find(*table->relation) != nullptr);
  });
  return found;
}

namespace {

// What fails among the constants of an INSERT's rows is the statement's error, before any row is looked at; each
// shard's task has some of the rows alone.
void compute_constants_of_rows(const query::Query& insert, const CallContext& call) {
  for (const query::RangeTableEntry& entry : insert.entries) {
    const auto* values = std::get_if<query::ValuesSource>(&entry.source);
    if (values == nullptr) continue;
    for (const auto& row : values->rows) {
      for (const query::ExpressionPtr& value : row) query::fold(value, {call, {}});
    }
  }
}

}  // namespace

DistributedPlanPtr plan_distributed(const query::QueryPtr& query, const DistributionInputs& inputs) {
  if (!uses_distributed_tables(*query, inputs.source)) {
    auto plan = std::make_shared<DistributedPlan>();
    plan->command = query->command;
    plan->merge = query;
    plan->columns = query::output_columns(*query);
    return plan;
  }
  if (query->command == query::Command::insert) compute_constants_of_rows(*query, inputs.call);
  const query::QueryPtr folded =
      query::fold(with_table_numbers(query, inputs.source), {inputs.call, {}, false, true, true, true});
  DistributedPlanPtr plan =
      folded->command == query::Command::select ? plan_select(folded, inputs) : plan_change(folded, inputs);
  refuse_rows_as_values(*plan);
  return plan;
}

query::QueryPtr merge_query(const DistributedPlan& plan) {
  if (plan.merge) return plan.merge;
  auto query = std::make_shared<query::Query>();
  query::RangeTableEntry entry;
  entry.source = query::CustomSource{std::make_shared<TaskRows>(plan.job)};
  entry.alias = "remote_scan";
  entry.alias_written = true;
  entry.columns = plan.columns;
  query->entries.push_back(std::move(entry));
  auto tree = std::make_shared<query::JoinTree>();
  tree->entry = 0;
  query->from.push_back(std::move(tree));
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    query::Target target;
    target.expression = std::make_shared<const query::Expression>(
        query::Expression{query::Column{0, static_cast<int>(i) + 1, 0}, plan.columns[i].type, 0});
    target.name = plan.columns[i].name;
    query->targets.push_back(std::move(target));
  }
  return query;
}

}  // namespace polarsim::engine::distribution
