#include "engine/distribution/repartition.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/distribution/columns.h"
#include "engine/distribution/entries.h"
#include "engine/distribution/flatten.h"
#include "engine/distribution/job.h"
#include "engine/distribution/merge.h"
#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::Query;
using query::QueryPtr;

// A column of the joined tables, by their entries' numbers.
using EntryColumn = std::pair<int, int>;

// Tables that lie together, or that have been brought together.
struct Island {
  std::vector<int> entries;
  // SELECT of the columns that the rest needs, and which they are. Null: of the tables, still to be made.
  QueryPtr query;
  DistributedPlanPtr plan;  // of the query, if it is one over repartitioned rows
  std::vector<EntryColumn> columns;
};

// column = column of two islands.
struct JoinCondition {
  EntryColumn left;
  EntryColumn right;
  Type left_type;
  Type right_type;
};

std::vector<Partitioning::Range> ranges_of(int partitions) {
  std::vector<Partitioning::Range> ranges;
  const std::int64_t step = (std::int64_t{1} << 32) / partitions;
  for (int i = 0; i < partitions; ++i) {
    const std::int64_t low = std::numeric_limits<std::int32_t>::min() + i * step;
    const std::int64_t high = i + 1 == partitions ? std::numeric_limits<std::int32_t>::max() : low + step - 1;
    ranges.push_back({static_cast<std::int32_t>(low), static_cast<std::int32_t>(high)});
  }
  return ranges;
}

query::JoinTreePtr leaf(int entry) {
  auto tree = std::make_shared<query::JoinTree>();
  tree->entry = entry;
  return tree;
}

class Repartitioner {
 public:
  Repartitioner(const QueryPtr& query, const DistributionInputs& inputs, SubplanList& subplans, DistributedPlan& plan)
      : query_(without_joins(query)),
        level_{query_.get(), nullptr, 0},
        inputs_(inputs),
        subplans_(subplans),
        plan_(plan) {
    add_conjuncts(query_->where, conditions_);
  }

  void run() {
    find_islands();
    if (!inputs_.settings.enable_repartition_joins) refuse();
    Island joined = std::move(islands_[0]);
    islands_.erase(islands_.begin());
    while (!islands_.empty()) {
      const auto [next, condition] = next_island(joined);
      Island other = std::move(islands_[next]);
      islands_.erase(islands_.begin() + static_cast<std::ptrdiff_t>(next));
      join(joined, other, condition);
    }
  }

 private:
  TableDistributionPtr sharded(int entry) const {
    const auto* table = std::get_if<query::TableSource>(&query_->entries[static_cast<std::size_t>(entry)].source);
    TableDistributionPtr distribution = table ? inputs_.source.find(*table->relation) : nullptr;
    if (distribution && distribution->is_reference()) return nullptr;
    return distribution;
  }

  std::optional<JoinCondition> join_condition(const ExpressionPtr& condition) const {
    const auto* call = condition->as<query::OperatorCall>();
    if (call == nullptr || !is_hashed_equality(*call)) {
      return std::nullopt;
    }
    const auto left = column_of(call->arguments[0], level_);
    const auto right = column_of(call->arguments[1], level_);
    if (!left || !right || left->entry == right->entry || !sharded(left->entry) || !sharded(right->entry)) {
      return std::nullopt;
    }
    return JoinCondition{{left->entry, left->column},
                         {right->entry, right->column},
                         without_relabel(call->arguments[0])->type,
                         without_relabel(call->arguments[1])->type};
  }

  // --- what lies together ---

  void find_islands() {
    Equalities equalities;
    for (const ExpressionPtr& condition : conditions_) {
      if (const auto own = join_condition(condition)) {
        equalities.add({0, own->left.first, own->left.second}, {0, own->right.first, own->right.second});
      }
    }
    for (const int entry : leaves_of(*query_)) {
      const TableDistributionPtr distribution = sharded(entry);
      if (!distribution) continue;
      Island* place = nullptr;
      for (Island& island : islands_) {
        const TableDistributionPtr other = sharded(island.entries[0]);
        if (other->colocation_id != distribution->colocation_id || other->method != distribution->method) continue;
        for (const int member : island.entries) {
          if (distribution->method == Method::single_shard ||
              equalities.same({0, entry, distribution->column}, {0, member, sharded(member)->column})) {
            place = &island;
          }
        }
      }
      if (place == nullptr) place = &islands_.emplace_back();
      place->entries.push_back(entry);
    }
  }

  static bool has(const Island& island, int entry) {
    return std::find(island.entries.begin(), island.entries.end(), entry) != island.entries.end();
  }

  std::pair<std::size_t, JoinCondition> next_island(const Island& joined) const {
    for (std::size_t i = 0; i < islands_.size(); ++i) {
      for (const ExpressionPtr& condition : conditions_) {
        auto own = join_condition(condition);
        if (!own) continue;
        if (has(joined, own->right.first)) {
          std::swap(own->left, own->right);
          std::swap(own->left_type, own->right_type);
        }
        if (has(joined, own->left.first) && has(islands_[i], own->right.first)) return {i, *own};
      }
    }
    refuse();
  }

  [[noreturn]] void refuse() const {
    bool equality = false;
    bool other = false;
    for (const ExpressionPtr& condition : conditions_) {
      std::set<int> entries;
      query::walk(condition, [&](const query::Expression& each, int levels) {
        const auto* column = each.as<query::Column>();
        if (column && column->levels_up == levels && sharded(column->entry)) entries.insert(column->entry);
        return true;
      });
      if (entries.size() < 2) continue;
      (join_condition(condition) ? equality : other) = true;
    }
    if (equality && !inputs_.settings.enable_repartition_joins) {
      throw SqlError(sqlstate::internal_error, "the query contains a join that requires repartitioning", "",
                     "Set polar_cluster.enable_repartition_joins to on to enable repartitioning");
    }
    if (other) {
      throw SqlError(sqlstate::feature_not_supported,
                     "complex joins are only supported when all distributed tables are joined on their distribution "
                     "columns with equal operator");
    }
    throw SqlError(sqlstate::feature_not_supported, "cannot perform distributed planning on this query",
                   "Cartesian products are currently unsupported");
  }

  // --- queries of islands ---

  // Whether the condition looks at nothing but these entries.
  static bool is_within(const ExpressionPtr& condition, const std::vector<int>& entries) {
    bool within = !query::contains_volatility(condition, Volatility::volatile_function);
    query::walk(condition, [&](const query::Expression& each, int levels) {
      const auto* column = each.as<query::Column>();
      if (each.as<query::Subquery>()) within = false;
      if (column && column->levels_up == levels) {
        within =
            within && column->column > 0 && std::find(entries.begin(), entries.end(), column->entry) != entries.end();
      }
      return within;
    });
    return within;
  }

  std::vector<EntryColumn> needed_columns(const std::vector<int>& entries) const {
    std::vector<EntryColumn> columns;
    for (const int entry : entries) {
      for (const int column : used_columns(*query_, entry)) columns.emplace_back(entry, column);
    }
    return columns;
  }

  const query::OutputName& named(EntryColumn column) const {
    return query_->entries[static_cast<std::size_t>(column.first)].columns[static_cast<std::size_t>(column.second - 1)];
  }

  // SELECT columns FROM the tables, with the conditions on them.
  void make_query(Island& island) const {
    if (island.query) return;
    auto query = std::make_shared<Query>();
    std::map<int, int> place;
    for (const int entry : island.entries) {
      place[entry] = static_cast<int>(query->entries.size());
      query->from.push_back(leaf(place[entry]));
      query->entries.push_back(query_->entries[static_cast<std::size_t>(entry)]);
    }
    const auto moved = [&](const ExpressionPtr& expression) {
      return query::rewrite(expression, [&](const ExpressionPtr& part, int) -> ExpressionPtr {
        const auto* column = part->as<query::Column>();
        if (column == nullptr) return nullptr;
        return query::make_expression(query::Column{place.at(column->entry), column->column, 0}, part->type);
      });
    };
    std::vector<ExpressionPtr> own;
    for (const ExpressionPtr& condition : conditions_) {
      if (is_within(condition, island.entries) && query::uses_columns(condition)) own.push_back(moved(condition));
    }
    query->where = conjunction_of(std::move(own));
    island.columns = needed_columns(island.entries);
    for (const EntryColumn& column : island.columns) {
      query::Target target;
      target.expression =
          query::make_expression(query::Column{place.at(column.first), column.second, 0}, named(column).type);
      target.name = named(column).name;
      query->targets.push_back(std::move(target));
    }
    island.query = std::move(query);
  }

  static int position_of(const Island& island, EntryColumn column) {
    const auto found = std::find(island.columns.begin(), island.columns.end(), column);
    return static_cast<int>(found - island.columns.begin()) + 1;
  }

  QueryPtr sent(const Island& island, EntryColumn by, Type type, int partitions) {
    Partitioning partitioning{position_of(island, by), type.id, ranges_of(partitions)};
    if (island.plan) return subplans_.make_of(island.plan, std::move(partitioning));
    return subplans_.make_partitioned(island.query, std::move(partitioning));
  }

  // --- joins ---

  void join(Island& joined, Island& other, const JoinCondition& condition) {
    if (islands_.empty() && inputs_.settings.enable_single_hash_repartition_joins) {
      if (join_in_place(joined, other, condition.left, condition.right, condition.right_type)) return;
      if (join_in_place(other, joined, condition.right, condition.left, condition.left_type)) return;
    }
    make_query(joined);
    make_query(other);
    const int partitions =
        inputs_.settings.repartition_join_bucket_count_per_node * static_cast<int>(inputs_.source.groups().size());
    Island left = joined;
    Island right = other;
    left.plan = right.plan = nullptr;
    left.query = sent(joined, condition.left, condition.left_type, partitions);
    right.query = sent(other, condition.right, condition.right_type, partitions);
    if (islands_.empty()) return finish({left, right}, {}, nullptr, partitions);
    joined = together(left, right, partitions);
  }

  // The rows of a join of two, for a further one. It is a plan of its own.
  Island together(const Island& left, const Island& right, int partitions) {
    Island made;
    made.entries = left.entries;
    made.entries.insert(made.entries.end(), right.entries.begin(), right.entries.end());
    std::vector<ExpressionPtr> own;
    for (const ExpressionPtr& condition : conditions_) {
      if (is_within(condition, made.entries) && query::uses_columns(condition)) own.push_back(condition);
    }
    auto query = std::make_shared<Query>();
    query->where = conjunction_of(std::move(own));
    made.columns = needed_columns(made.entries);
    for (const EntryColumn& column : made.columns) {
      query::Target target;
      target.expression = query::make_expression(query::Column{column.first, column.second, 0}, named(column).type);
      target.name = named(column).name;
      query->targets.push_back(std::move(target));
    }
    made.query = over_islands(*query, {left, right}, {});
    auto plan = std::make_shared<DistributedPlan>();
    plan->tier = Tier::repartitioned;
    plan->columns = query::output_columns(*made.query);
    JobOptions options;
    options.partitions = partitions;
    plan->job = make_job(made.query, {}, {}, inputs_, options);
    made.plan = std::move(plan);
    return made;
  }

  // One side stays where it is, the rows of the other are sent to its shards.
  bool join_in_place(Island& staying, Island& moving, EntryColumn kept, EntryColumn by, Type type) {
    if (staying.query || moving.plan) return false;
    const TableDistributionPtr distribution = sharded(kept.first);
    if (distribution->method != Method::hash || distribution->column != kept.second) return false;
    make_query(moving);
    Partitioning partitioning{position_of(moving, by), type.id, {}};
    for (const Shard& shard : distribution->shards) partitioning.ranges.push_back({shard.low, shard.high});
    Island sent_rows = moving;
    sent_rows.query = subplans_.make_partitioned(moving.query, std::move(partitioning));
    finish({sent_rows}, staying.entries, distribution, 0);
    return true;
  }

  // The query over the rows of islands, tables that stay, and whatever else is joined.
  QueryPtr over_islands(const Query& query, const std::vector<Island>& islands, const std::vector<int>& staying) const {
    auto result = std::make_shared<Query>();
    *result = query;
    result->entries.clear();
    result->from.clear();
    std::map<int, int> place;
    std::map<EntryColumn, EntryColumn> column_of_rows;
    for (const Island& island : islands) {
      const int number = static_cast<int>(result->entries.size());
      query::RangeTableEntry entry;
      entry.source = query::SubquerySource{island.query};
      entry.alias = fmt::format("repartitioned_{}", number + 1);
      entry.alias_written = true;
      for (std::size_t i = 0; i < island.columns.size(); ++i) {
        const EntryColumn column = island.columns[i];
        column_of_rows[column] = {number, static_cast<int>(i) + 1};
        entry.columns.push_back({fmt::format("column{}", i + 1), named(column).type});
      }
      result->entries.push_back(std::move(entry));
      result->from.push_back(leaf(number));
    }
    for (const int entry : leaves_of(*query_)) {
      const bool stays = std::find(staying.begin(), staying.end(), entry) != staying.end();
      if (sharded(entry) && !stays) continue;
      if (&query != query_.get()) continue;  // a join of islands alone
      place[entry] = static_cast<int>(result->entries.size());
      result->from.push_back(leaf(place[entry]));
      result->entries.push_back(query_->entries[static_cast<std::size_t>(entry)]);
    }
    return with_columns_moved(result, place, column_of_rows);
  }

  static QueryPtr with_columns_moved(const std::shared_ptr<Query>& query, const std::map<int, int>& place,
                                     const std::map<EntryColumn, EntryColumn>& column_of_rows) {
    DeepRewrite rewrite;
    rewrite.expression = [&](const ExpressionPtr& expression, int depth) -> ExpressionPtr {
      const auto* column = expression->as<query::Column>();
      if (column == nullptr || column->levels_up != depth) return nullptr;
      query::Column moved = *column;
      if (const auto found = place.find(column->entry); found != place.end()) {
        moved.entry = found->second;
      } else {
        const auto rows = column_of_rows.find({column->entry, column->column});
        if (rows == column_of_rows.end()) {
          throw SqlError(sqlstate::feature_not_supported,
                         "whole rows of tables whose rows are repartitioned are not supported");
        }
        moved.entry = rows->second.first;
        moved.column = rows->second.second;
      }
      return query::make_expression(moved, expression->type, expression->position);
    };
    // What is read by islands' own queries has its own columns.
    std::vector<query::RangeTableEntry> entries = std::exchange(query->entries, {});
    auto result = std::make_shared<Query>(*rewrite_deep(query, rewrite));
    result->entries = std::move(entries);
    return result;
  }

  // --- the plan ---

  void finish(const std::vector<Island>& islands, const std::vector<int>& staying,
              const TableDistributionPtr& distribution, int partitions) {
    const QueryPtr joined = over_islands(*query_, islands, staying);
    Location location;
    location.sharded = true;
    location.windows_by_key = joined->windows.empty();
    const SplitQuery split = split_query(joined, location);
    plan_.tier = Tier::repartitioned;
    JobOptions options;
    options.partitions = partitions;
    std::vector<ShardChoicePtr> choices;
    ChoiceOfTable choice_of;
    if (distribution) {
      choices.push_back(all_shards());
      for (const int entry : staying) {
        const auto& source = std::get<query::TableSource>(query_->entries[static_cast<std::size_t>(entry)].source);
        choice_of[source.relation->id] = 0;
      }
    }
    plan_.job = make_job(split.worker, std::move(choices), choice_of, inputs_, options);
    if (split.merge) plan_.merge = with_rows(split.merge, plan_.job);
  }

  const QueryPtr query_;
  const Level level_;
  const DistributionInputs& inputs_;
  SubplanList& subplans_;
  DistributedPlan& plan_;
  std::vector<ExpressionPtr> conditions_;
  std::vector<Island> islands_;
};

}  // namespace

void repartition(const QueryPtr& query, const DistributionInputs& inputs, SubplanList& subplans,
                 DistributedPlan& plan) {
  Repartitioner(query, inputs, subplans, plan).run();
}

}  // namespace polarsim::engine::distribution
