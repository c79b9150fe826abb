#include "engine/distribution/select.h"

#include <algorithm>

#include "engine/distribution/entries.h"
#include "engine/distribution/job.h"
#include "engine/distribution/locator.h"
#include "engine/distribution/merge.h"
#include "engine/distribution/repartition.h"
#include "engine/distribution/sequence_calls.h"
#include "engine/distribution/subplans.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::Query;
using query::QueryPtr;

bool reads_shards(const Query& query, const DistributionInputs& inputs) {
  bool found = false;
  for_each_entry(query, [&](const query::RangeTableEntry& entry) {
    const auto* table = std::get_if<query::TableSource>(&entry.source);
    const TableDistributionPtr distribution = table == nullptr ? nullptr : inputs.source.find(*table->relation);
    found = found || (distribution != nullptr && !distribution->is_reference());
  });
  return found;
}

// --- one task for everything ---

class Router {
 public:
  Router(const QueryPtr& query, const DistributionInputs& inputs)
      : query_(query), inputs_(inputs), locator_(inputs, true) {}

  RoutedQuery run() {
    if (changes_data(*query_)) return {};
    locator_.locate(*query_);
    const std::vector<int> roots = locator_.roots();
    if (roots.empty()) return without_shards();
    if (locator_.has_local_tables() || calls_sequences(*query_)) return {};
    return roots.size() == 1 ? with_one_choice(roots[0]) : with_many_choices(roots);
  }

 private:
  RoutedQuery made(std::vector<ShardChoicePtr> choices, const ChoiceOfTable& choice_of) {
    JobOptions options;
    options.router = true;
    result_.job = make_job(query_, std::move(choices), choice_of, inputs_, options);
    return result_;
  }

  RoutedQuery without_shards() {
    JobOptions options;
    options.router = true;
    options.on_coordinator = locator_.has_local_tables() || !locator_.has_reference_tables();
    result_.job = make_job(query_, {}, {}, inputs_, options);
    return result_;
  }

  // The positions, if the values that they depend on are known.
  std::optional<std::vector<std::size_t>> positions(const Locator::Component& component) {
    const bool depends = depends_on_values(*component.choice);
    if (depends && inputs_.parameters.empty()) return std::nullopt;
    if (depends) result_.generic = false;
    return chosen_shards(*component.choice, *component.table, {inputs_.call, inputs_.parameters});
  }

  RoutedQuery with_one_choice(int root) {
    const Locator::Component& component = locator_.component(root);
    if (!is_single(*component.choice)) {
      if (component.choice->kind == ShardChoice::Kind::all && component.table->shards.size() > 1) return {};
      const auto known = positions(component);
      if (!known || known->size() > 1) return {};
    }
    ChoiceOfTable choice_of;
    for (const auto& [relation, own] : locator_.tables()) choice_of[relation] = 0;
    return made({component.choice}, choice_of);
  }

  // Each set of tables that lie together has one shard, and one node has them all.
  RoutedQuery with_many_choices(const std::vector<int>& roots) {
    if (const auto same = all_same(roots)) return *same;
    if (could_be_single(roots) && inputs_.parameters.empty()) {
      result_.settled = false;
      return result_;
    }
    std::vector<ShardChoicePtr> choices;
    std::vector<std::size_t> chosen;
    std::vector<int> groups;
    for (const int root : roots) {
      const Locator::Component& component = locator_.component(root);
      const auto known = positions(component);
      if (!known || known->size() != 1) return {};
      const std::vector<int>& own = component.table->shards[known->front()].groups;
      if (choices.empty()) groups = own;
      std::erase_if(groups, [&](int group) { return std::find(own.begin(), own.end(), group) == own.end(); });
      choices.push_back(component.choice);
      chosen.push_back(known->front());
    }
    if (groups.empty()) return {};
    ChoiceOfTable choice_of;
    std::vector<ShardChoicePtr> used;
    std::map<std::uint32_t, std::size_t> position_of;
    for (const auto& [relation, root] : locator_.tables()) {
      const auto choice = static_cast<std::size_t>(std::find(roots.begin(), roots.end(), root) - roots.begin());
      const auto [place, is_new] = position_of.emplace(relation, chosen[choice]);
      // One text calls one table by one name.
      if (!is_new && place->second != chosen[choice]) return {};
      if (!is_new) continue;
      choice_of[relation] = used.size();
      used.push_back(choices[choice]);
    }
    return made(std::move(used), choice_of);
  }

  std::optional<RoutedQuery> all_same(const std::vector<int>& roots) {
    const Locator::Component& first = locator_.component(roots[0]);
    if (first.choice->kind != ShardChoice::Kind::one) return std::nullopt;
    for (const int root : roots) {
      const Locator::Component& other = locator_.component(root);
      if (other.table->colocation_id != first.table->colocation_id || !is_same_single(*first.choice, *other.choice)) {
        return std::nullopt;
      }
    }
    ChoiceOfTable choice_of;
    for (const auto& [relation, own] : locator_.tables()) choice_of[relation] = 0;
    return made({first.choice}, choice_of);
  }

  // Whether values that are not known yet decide.
  bool could_be_single(const std::vector<int>& roots) const {
    bool depends = false;
    for (const int root : roots) {
      const Locator::Component& component = locator_.component(root);
      if (depends_on_values(*component.choice)) {
        depends = true;
      } else if (chosen_shards(*component.choice, *component.table, {inputs_.call, {}}).size() != 1) {
        return false;
      }
    }
    return depends;
  }

  const QueryPtr& query_;
  const DistributionInputs& inputs_;
  Locator locator_;
  RoutedQuery result_;
};

// --- the other ways ---

class SelectPlanner {
 public:
  SelectPlanner(QueryPtr query, const DistributionInputs& inputs)
      : query_(std::move(query)), inputs_(inputs), plan_(std::make_shared<DistributedPlan>()) {
    plan_->id = inputs_.numbers.next();
    plan_->columns = query::output_columns(*query_);
  }

  DistributedPlanPtr run() {
    if (route() || !plan_->generic) return plan_;
    SubplanList subplans(inputs_, plan_->id);
    const QueryPtr written = query_;
    query_ = without_unused_subqueries(inline_common_tables(query_));
    // What is left, without what nobody asks for, may need one task only, or no shard.
    if (query_ != written && (route() || !plan_->generic)) return plan_;
    query_ = replace_common_tables(query_, subplans, inputs_);
    while (const Query* found = find_query_of_sequences(*query_)) query_ = replace_subquery(query_, found, subplans);
    const Location location = locate(subplans);
    if (plan_->job || !plan_->generic) return finished(subplans);
    push_down(location, subplans);
    return finished(subplans);
  }

 private:
  DistributedPlanPtr finished(SubplanList& subplans) {
    plan_->generic = plan_->generic && subplans.generic();
    plan_->subplans = subplans.take();
    return plan_;
  }

  // Whether one task does it all.
  bool route() {
    RoutedQuery routed = route_query(query_, inputs_);
    plan_->generic = routed.generic && routed.settled;
    if (!routed.job) return false;
    plan_->tier = Tier::router;
    plan_->job = std::move(routed.job);
    return true;
  }

  // Parts become subplans until the rest can be pushed down, or needs one task only.
  Location locate(SubplanList& subplans) {
    for (;;) {
      if (!subplans.empty() && (route() || !plan_->generic)) return {};
      Locator locator(inputs_, false);
      const Location location = locator.locate(*query_);
      if (!locator.problem()) {
        if (!location.sharded || location.failed || query_->set_operation) throw complex_joins_error();
        refuse_locks();
        tables_ = locator.tables();
        choice_ = locator.component(locator.root_of(location.component)).choice;
        return location;
      }
      const Problem& problem = *locator.problem();
      const QueryPtr before = query_;
      switch (problem.kind) {
        case Problem::Kind::error:
          throw *problem.error;
        case Problem::Kind::subquery:
          if (locks_subquery(*problem.query)) refuse_locks();
          query_ = replace_subquery(query_, problem.query, subplans);
          break;
        case Problem::Kind::entry:
          // Rows of other tables may be locked, once one task is found for them.
          if (locks_entry(*problem.query, problem.entry)) refuse_locks();
          query_ = replace_entry(query_, problem.query, problem.entry, subplans);
          break;
        case Problem::Kind::repartition:
          // Copies of rows cannot be locked.
          refuse_locks();
          repartition(query_, inputs_, subplans, *plan_);
          return {};
      }
      // What is in the way cannot be taken out.
      if (query_ == before) throw complex_joins_error();
    }
  }

  static bool locks_entry(const Query& level, int entry) {
    return std::any_of(level.row_marks.begin(), level.row_marks.end(),
                       [&](const query::RowMark& mark) { return mark.entry == entry; });
  }

  bool locks_subquery(const Query& subquery) const {
    bool found = locks_rows(subquery);
    for_each_query_within(*query_, [&](const Query& level) {
      for (std::size_t i = 0; i < level.entries.size(); ++i) {
        const auto* source = std::get_if<query::SubquerySource>(&level.entries[i].source);
        found =
            found || (source != nullptr && source->query.get() == &subquery && locks_entry(level, static_cast<int>(i)));
      }
    });
    return found;
  }

  void refuse_locks() const {
    if (!locks_rows(*query_)) return;
    throw SqlError(sqlstate::feature_not_supported, "could not run distributed query with FOR UPDATE/SHARE commands",
                   "", "Consider using an equality filter on the distributed table's partition column.");
  }

  void push_down(const Location& location, SubplanList& subplans) {
    query_ = without_loose_subqueries(query_, subplans);
    SplitQuery split = split_query(query_, location);
    ChoiceOfTable choice_of;
    for (const auto& [relation, own] : tables_) choice_of[relation] = 0;
    plan_->tier = Tier::pushed_down;
    plan_->job = make_job(split.worker, {choice_}, choice_of, inputs_);
    if (split.merge) plan_->merge = with_rows(split.merge, plan_->job);
  }

  // Subqueries that see no row of the query, in clauses that the coordinator may have to compute: their values are
  // found first.
  static QueryPtr without_loose_subqueries(QueryPtr query, SubplanList& subplans) {
    const bool computed_here = query->grouped || !query->windows.empty();
    for (bool again = true; again;) {
      again = false;
      const Query* found = nullptr;
      const auto look = [&](const query::ExpressionPtr& expression) {
        if (!expression) return;
        for_each_subquery(expression, [&](const query::Subquery& subquery) {
          if (!found && !is_correlated(*subquery.query) && reads_tables(*subquery.query)) found = subquery.query.get();
        });
      };
      look(query->limit);
      look(query->offset);
      if (computed_here) {
        look(query->having);
        for (const query::Target& target : query->targets) look(target.expression);
      }
      if (!found) break;
      query = replace_subquery(query, found, subplans);
      again = true;
    }
    return query;
  }

  static bool reads_tables(const Query& query) {
    bool found = false;
    for_each_entry(query, [&](const query::RangeTableEntry& entry) {
      found = found || std::holds_alternative<query::TableSource>(entry.source) ||
              std::holds_alternative<query::SystemViewSource>(entry.source);
    });
    return found;
  }

  QueryPtr query_;
  const DistributionInputs& inputs_;
  std::shared_ptr<DistributedPlan> plan_;
  std::multimap<std::uint32_t, int> tables_;
  ShardChoicePtr choice_;
};

}  // namespace

RoutedQuery route_query(const QueryPtr& query, const DistributionInputs& inputs) { return Router(query, inputs).run(); }

DistributedPlanPtr with_targets(const DistributedPlanPtr& plan, const std::vector<query::Target>& targets,
                                const char* alias) {
  if (!plan->job && !plan->merge) return plan;
  auto query = std::make_shared<Query>();
  query::RangeTableEntry entry;
  entry.source = query::SubquerySource{merge_query(*plan)};
  entry.alias = alias;
  entry.alias_written = true;
  entry.columns = plan->columns;
  query->entries.push_back(std::move(entry));
  auto tree = std::make_shared<query::JoinTree>();
  tree->entry = 0;
  query->from.push_back(std::move(tree));
  query->targets = targets;
  auto copy = std::make_shared<DistributedPlan>(*plan);
  copy->merge = std::move(query);
  copy->columns = query::output_columns(*copy->merge);
  return copy;
}

DistributedPlanPtr plan_select(const QueryPtr& query, const DistributionInputs& inputs) {
  if (reads_shards(*query, inputs)) {
    if (const auto split = split_sequence_targets(query))
      return with_targets(SelectPlanner(split->query, inputs).run(), split->targets, "sequence_subquery");
  }
  return SelectPlanner(query, inputs).run();
}

}  // namespace polarsim::engine::distribution
