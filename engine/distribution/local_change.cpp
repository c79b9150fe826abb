// Changes of tables that this node alone has, by statements that use distributed ones: what those give is computed
// first, or is where the rows of an INSERT come from.
#include "engine/distribution/change.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/insert_source.h"
#include "engine/distribution/outside_tables.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::Query;
using query::QueryPtr;

bool subqueries_use_distributed_tables(const query::ExpressionPtr& expression, DistributionSource& source) {
  bool found = false;
  if (!expression) return found;
  for_each_subquery(expression, [&](const query::Subquery& subquery) {
    found = found || uses_distributed_tables(*subquery.query, source);
  });
  return found;
}

// Whether nothing but the rows' source has distributed tables.
bool only_source_is_distributed(const Query& insert, DistributionSource& source) {
  bool others = false;
  for (const query::Target& target : insert.returning) {
    others = others || subqueries_use_distributed_tables(target.expression, source);
  }
  if (insert.on_conflict) {
    for (const query::Target& target : insert.on_conflict->assignments) {
      others = others || subqueries_use_distributed_tables(target.expression, source);
    }
    others = others || subqueries_use_distributed_tables(insert.on_conflict->where, source);
  }
  return !others;
}

// INSERT of the rows of a distributed SELECT.
DistributedPlanPtr insert_rows_of(const QueryPtr& insert, const DistributionInputs& inputs) {
  const DistributedPlanPtr select = plan_distributed(source_rows(*insert), inputs);
  if (!select->job && !select->merge) return select;
  auto plan = std::make_shared<DistributedPlan>(*select);
  auto query = std::make_shared<Query>(*insert);
  query->common_tables.clear();
  query->has_changing_common_tables = false;
  query->entries[static_cast<std::size_t>(query->from[0]->entry)].source = query::SubquerySource{merge_query(*select)};
  plan->command = insert->command;
  plan->columns = query::output_columns(*insert);
  plan->merge = std::move(query);
  return plan;
}

// The query, this one or one inside it, with a distributed table of its own.
const Query* find_level(const Query& query, DistributionSource& source, int& entry) {
  for (std::size_t i = 0; i < query.entries.size(); ++i) {
    const auto* table = std::get_if<query::TableSource>(&query.entries[i].source);
    if (table == nullptr || source.find(*table->relation) == nullptr) continue;
    entry = static_cast<int>(i);
    return &query;
  }
  const Query* found = nullptr;
  for_each_query_within(query, [&](const Query& inner) {
    if (!found && &inner != &query) found = find_level(inner, source, entry);
  });
  return found;
}

}  // namespace

DistributedPlanPtr plan_local_change(const QueryPtr& query, const DistributionInputs& inputs) {
  const auto is_outside = [&](const Query& inner) { return uses_distributed_tables(inner, inputs.source); };
  if (has_source_query(*query) && only_source_is_distributed(*query, inputs.source)) {
    return insert_rows_of(query, inputs);
  }
  auto plan = std::make_shared<DistributedPlan>();
  plan->id = inputs.numbers.next();
  plan->command = query->command;
  plan->columns = query::output_columns(*query);
  SubplanList subplans(inputs, plan->id);
  QueryPtr changed = replace_common_tables(inline_common_tables(query), subplans, inputs);
  changed = replace_outside_queries(changed, true, is_outside, subplans);
  int entry = 0;
  while (const Query* level = find_level(*changed, inputs.source, entry)) {
    changed = replace_entry(changed, level, entry, subplans);
  }
  plan->merge = std::move(changed);
  plan->generic = subplans.generic();
  plan->subplans = subplans.take();
  return plan;
}

}  // namespace polarsim::engine::distribution
