#include "engine/distribution/reference_change.h"

#include <algorithm>
#include <string_view>

#include "engine/distribution/change_checks.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/job.h"
#include "engine/distribution/outside_tables.h"
#include "engine/distribution/select.h"
#include "engine/query/analysis.h"

namespace polarsim::engine::distribution {
namespace {

using query::Query;
using query::QueryPtr;

class ReferenceChangePlanner {
 public:
  ReferenceChangePlanner(QueryPtr query, const TableDistribution& table, const DistributionInputs& inputs)
      : query_(std::move(query)), table_(table), inputs_(inputs) {}

  DistributedPlanPtr run() {
    auto plan = std::make_shared<DistributedPlan>();
    plan->id = inputs_.numbers.next();
    plan->command = query_->command;
    plan->columns = query::output_columns(*query_);
    SubplanList subplans(inputs_, plan->id);
    query_ = replace_common_tables(query_, subplans, inputs_);
    query_ = replace_outside_queries(
        query_, false, [&](const Query& inner) { return reads_elsewhere(inner) || depends_on_order(inner); }, subplans);
    replace_sources(subplans);
    replace_local_tables(subplans);
    check_assignments_and_condition(*query_, table_);
    check_volatility(*query_);
    refuse_other_tables();
    JobOptions options;
    options.router = true;
    plan->tier = Tier::router;
    plan->job = make_job(query_, {}, {}, inputs_, options);
    plan->generic = subplans.generic();
    plan->subplans = subplans.take();
    return plan;
  }

 private:
  enum class Kind : std::uint8_t { reference, sharded, local };
  Kind kind_of(const query::TableSource& source) const {
    const TableDistributionPtr distribution = inputs_.source.find(*source.relation);
    if (!distribution) return Kind::local;
    return distribution->is_reference() ? Kind::reference : Kind::sharded;
  }

  bool reads_elsewhere(const Query& query) const {
    bool found = false;
    for_each_entry(query, [&](const query::RangeTableEntry& entry) {
      const auto* table = std::get_if<query::TableSource>(&entry.source);
      found = found || (table != nullptr && kind_of(*table) != Kind::reference) ||
              std::holds_alternative<query::SystemViewSource>(entry.source);
    });
    return found;
  }

  // A query in FROM that is more than a choice of rows.
  static bool is_computed(const Query& query) {
    return depends_on_order(query) || query.distinct || query.grouped || query.set_operation;
  }

  void replace_sources(SubplanList& subplans) {
    for (bool again = true; again;) {
      again = false;
      for (const query::RangeTableEntry& entry : query_->entries) {
        const auto* source = std::get_if<query::SubquerySource>(&entry.source);
        if (source == nullptr || is_correlated(*source->query)) continue;
        const bool computed = is_computed(*source->query);
        bool ordered = false;
        for_each_query_within(*source->query, [&](const Query& each) { ordered = ordered || depends_on_order(each); });
        if (!(computed && reads_elsewhere(*source->query)) && !ordered) continue;
        query_ = replace_subquery(query_, source->query.get(), subplans);
        again = true;
        break;
      }
    }
  }

  // Only this node has them; the relative refuses those that are joined.
  void replace_local_tables(SubplanList& subplans) {
    for (bool again = true; again;) {
      const Query* level = nullptr;
      int number = 0;
      for_each_query_within(*query_, [&](const Query& each) {
        for (std::size_t i = 0; i < each.entries.size() && level == nullptr; ++i) {
          const auto* source = std::get_if<query::TableSource>(&each.entries[i].source);
          if (source == nullptr || kind_of(*source) != Kind::local) continue;
          level = &each;
          number = static_cast<int>(i);
        }
      });
      again = level != nullptr;
      if (again) query_ = replace_entry(query_, level, number, subplans);
    }
  }

  void refuse_other_tables() const {
    for_each_entry(*query_, [&](const query::RangeTableEntry& entry) {
      const auto* table = std::get_if<query::TableSource>(&entry.source);
      if (table == nullptr || kind_of(*table) != Kind::sharded) return;
      if (route_query(query_, inputs_).job) {
        throw SqlError(sqlstate::feature_not_supported,
                       "cannot perform select on a distributed table and modify a reference table");
      }
      // The relative's text ends in a space.
      throw SqlError(sqlstate::feature_not_supported,
                     "only reference tables may be queried when targeting a reference table with multi shard "
                     "UPDATE/DELETE queries with multiple tables ");
    });
  }

  QueryPtr query_;
  const TableDistribution& table_;
  const DistributionInputs& inputs_;
};

// Whatever the order of their rows is, their value is the same.
bool is_free_of_order(const query::Aggregate& aggregate) {
  static constexpr std::string_view names[] = {"count", "min",     "max",    "bool_and", "bool_or",
                                               "every", "bit_and", "bit_or", "bit_xor"};
  const std::string_view name = aggregate.function->name;
  if (std::find(std::begin(names), std::end(names), name) != std::end(names)) return true;
  if (name != "sum" && name != "avg") return false;
  const TypeId type = aggregate.arguments[0]->type.id;
  return type != TypeId::float4 && type != TypeId::float8;
}

}  // namespace

bool depends_on_order(const Query& query) {
  if (query.limit || query.offset || !query.distinct_on.empty() || !query.windows.empty()) return true;
  bool depends = false;
  query::for_each_expression(query, [&](const query::ExpressionPtr& expression) {
    depends = depends || query::contains(expression, [](const query::Expression& each) {
                const auto* aggregate = each.as<query::Aggregate>();
                return aggregate != nullptr && !is_free_of_order(*aggregate);
              });
  });
  return depends;
}

DistributedPlanPtr plan_reference_change(const QueryPtr& query, const TableDistribution& table,
                                         const DistributionInputs& inputs) {
  return ReferenceChangePlanner(query, table, inputs).run();
}

}  // namespace polarsim::engine::distribution
