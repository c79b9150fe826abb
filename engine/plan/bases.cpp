// The relations of a query and their joins (PostgreSQL's optimizer/path/allpaths.c and plan/planmain.c).
#include <algorithm>
#include <bit>

#include "engine/plan/conditions.h"
#include "engine/plan/custom_rows.h"
#include "engine/plan/estimate.h"
#include "engine/plan/level_planner.h"
#include "engine/plan/paths.h"
#include "engine/plan/prepare.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

class JoinPlanner {
 public:
  explicit JoinPlanner(Level& level) : level_(level) {}

  Stage run(const std::vector<ExpressionPtr>& above, const std::vector<query::SortClause>* order) {
    distribute_conditions(level_);
    if (level_.bases.empty()) return without_relations();
    // Like set_dummy_rel_pathlist(): a subquery that is never asked is not planned, so that nothing in it fails.
    if (level_.bases.size() == 1 && never() && subquery_of(level_.bases.front()) != nullptr) {
      fold_flat_union(level_, *subquery_of(level_.bases.front())->query);
      return without_rows(above);
    }
    for (BaseRelation& base : level_.bases) {
      base.never = base.conditions.size() == 1 && is_false_constant(base.conditions.front()->expression);
      if (!base.never && subquery_of(base) != nullptr) push_conditions(level_, base);
    }
    remove_unused_outputs(level_);
    for (std::size_t i = 0; i < level_.bases.size(); ++i) plan_source(static_cast<int>(i));
    collect_columns(above);
    for (BaseRelation& base : level_.bases) finish_base(base);
    const Order wanted = order ? wanted_order(*order) : Order{};
    level_.query_order = order ? wanted : order_of_distinct_rows();
    const std::size_t rounds = level_.bases.size() > 1 ? 2 : 1;
    // The second time the sizes of all are known, and with them how often a parameterised scan is run.
    for (std::size_t round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < level_.bases.size(); ++i) make_scan_paths(level_, static_cast<int>(i));
    }
    const JoinRelationPtr joined = search_joins(level_);
    if (joined->never) return without_rows(build_path(level_, joined->cheapest_total));
    Stage stage = build_path(level_, choose(*joined, wanted));
    return with_one_time_conditions(std::move(stage));
  }

 private:
  Stage without_relations() {
    Stage stage;
    stage.plan = std::make_shared<Plan>();
    stage.plan->node = Result{};
    stage.plan->cost = {0, level_.settings().cpu_tuple_cost, 1, 0};
    level_.never = never();
    stage.plan->one_time_conditions =
        level_.never ? std::vector{make_boolean(false)} : ordered_by_cost(level_, level_.one_time_conditions);
    return stage;
  }

  const query::SubquerySource* subquery_of(const BaseRelation& base) const {
    return std::get_if<query::SubquerySource>(&level_.query.entries[static_cast<std::size_t>(base.entry)].source);
  }

  // For whoever asks for these expressions' columns.
  Stage without_rows(const std::vector<ExpressionPtr>& above) {
    collect_columns(above);
    Stage stage;
    stage.outputs = level_.bases.front().columns_used;
    stage.plan = std::make_shared<Plan>();
    return without_rows(std::move(stage));
  }

  bool never() const {
    return std::any_of(level_.one_time_conditions.begin(), level_.one_time_conditions.end(),
                       [](const ExpressionPtr& condition) { return is_false_constant(condition); });
  }

  Stage with_one_time_conditions(Stage stage) {
    if (level_.one_time_conditions.empty()) return stage;
    if (never()) return without_rows(std::move(stage));
    Stage gated = make_stage(Result{}, stage);
    gated.plan->one_time_conditions = level_.one_time_conditions;
    return gated;
  }

  Stage without_rows(Stage stage) {
    level_.never = true;
    Stage gated;
    gated.plan = std::make_shared<Plan>();
    gated.outputs = gated.seen = stage.outputs;
    for (const ExpressionPtr& output : stage.outputs) {
      const Type type = output ? output->type : Type(TypeId::boolean);
      gated.plan->targets.push_back({make_expression(query::Constant{}, type), ""});
    }
    gated.plan->cost.rows = 0;
    // What is above looks at its columns by position: it is one node more.
    gated.plan->node = Result{};
    gated.plan->one_time_conditions = {make_boolean(false)};
    return make_stage(Result{}, gated);
  }

  Order wanted_order(const std::vector<query::SortClause>& clauses) {
    Order order;
    for (const query::SortClause& clause : clauses) {
      const ExpressionPtr& expression = level_.query.targets[static_cast<std::size_t>(clause.target)].expression;
      if (level_.relids_of(expression) == 0) {
        if (expression->as<query::Constant>()) continue;
        return {};
      }
      const int id = class_of(level_, expression);
      if (is_constant_class(level_, id)) continue;
      const bool repeated =
          std::any_of(order.begin(), order.end(), [&](const OrderItem& item) { return item.equivalence == id; });
      if (!repeated) order.push_back({id, clause.descending, clause.nulls_first});
    }
    return order;
  }

  // DISTINCT ON sorts, if the rows do not happen to be in its order.
  Order order_of_distinct_rows() {
    const Query& query = level_.query;
    if (query.distinct_on.empty() || query.grouped || !query.windows.empty()) return {};
    return wanted_order(query.order_by.size() > query.distinct_on.size() ? query.order_by : query.distinct_on);
  }

  PathPtr choose(const JoinRelation& joined, const Order& wanted) {
    if (!joined.cheapest_total) {
      throw SqlError("0A000", "lateral references that no join provides are not supported");
    }
    const double fraction = level_.tuple_fraction;
    PathPtr any = cheapest_for(joined, {}, fraction);
    if (wanted.empty()) return any;
    const PathPtr ordered = cheapest_for(joined, wanted, fraction);
    if (!ordered) return joined.cheapest_total;
    const PathPtr sorted = make_sort_path(level_, joined.cheapest_total, wanted, level_.limit_tuples);
    auto cost = [&](const Path& path) {
      const double rows = std::max(1.0, path.cost.rows);
      const double part = fraction <= 0 || fraction >= rows ? 1 : fraction < 1 ? fraction : fraction / rows;
      return path.cost.startup + part * (path.cost.total - path.cost.startup);
    };
    return cost(*ordered) <= cost(*sorted) ? ordered : joined.cheapest_total;
  }

  // --- sources other than tables ---

  void plan_source(int id) {
    BaseRelation& base = level_.bases[static_cast<std::size_t>(id)];
    const query::RangeTableEntry& entry = level_.query.entries[static_cast<std::size_t>(base.entry)];
    base.name = level_.statement.scan_names[static_cast<std::size_t>(base.number)];
    for (std::size_t i = 0; i < entry.columns.size(); ++i) {
      base.subquery_outputs.push_back(
          make_expression(Column{base.entry, static_cast<int>(i) + 1, 0}, entry.columns[i].type));
    }
    if (const auto* table = std::get_if<query::TableSource>(&entry.source)) {
      base.relation = table->relation;
      estimate_size(level_, base);
      return;
    }
    auto stage = std::make_shared<Stage>();
    stage->plan = std::make_shared<Plan>();
    base.subquery = stage;
    stage->seen = stage->outputs = base.subquery_outputs;
    base.tuples = 1000;
    if (const auto* subquery = std::get_if<query::SubquerySource>(&entry.source)) {
      if (!base.never) plan_subquery(base, *subquery, *stage);
    } else if (const auto* function = std::get_if<query::FunctionSource>(&entry.source)) {
      FunctionScan scan{*function, entry.columns};
      for (auto& item : scan.source.functions) item.call = with_parameters(base, item.call);
      stage->plan->node = std::move(scan);
    } else if (const auto* values = std::get_if<query::ValuesSource>(&entry.source)) {
      ValuesScan scan{values->rows};
      for (auto& row : scan.rows) {
        for (ExpressionPtr& value : row) value = with_parameters(base, value);
      }
      base.tuples = static_cast<double>(values->rows.size());
      stage->plan->node = std::move(scan);
    } else if (const auto* view = std::get_if<query::SystemViewSource>(&entry.source)) {
      stage->plan->node = SystemViewScan{view->relation};
      base.tuples = 100;
    } else if (const auto* custom = std::get_if<query::CustomSource>(&entry.source)) {
      stage->plan->node = Custom{custom->rows};
      if (const auto* estimate = dynamic_cast<const EstimatedCustomRows*>(custom->rows.get())) {
        base.tuples = estimate->estimated_rows();
      }
    } else if (const auto* common = std::get_if<query::CommonTableSource>(&entry.source)) {
      plan_common_table(base, *common, *stage);
    } else {
      throw SqlError(sqlstate::internal_error, "a join tree's leaf is no relation");
    }
    stage->plan->cost.rows = base.tuples;
  }

  void plan_subquery(BaseRelation& base, const query::SubquerySource& source, Stage& stage) {
    PlannedLevel planned = plan_level(level_.statement, &level_, source.query);
    base.never = planned.never;
    const std::vector<Level::OuterParameter> values = take_outer(level_, std::move(planned.outer));
    if (planned.never) return;
    for (const auto& outer : values) {
      const ExpressionPtr value = replace_outer_and_subqueries(level_, outer.expression);
      base.subquery_parameters.push_back({outer.parameter, value});
      base.lateral |= level_.relids_of(value);
    }
    stage.plan->node = SubqueryScan{};
    stage.plan->children = {planned.stage.plan};
    add_unnamed(stage, planned.stage.outputs.size());
    stage.plan->cost = planned.stage.cost();
    base.tuples = std::max(1.0, planned.stage.cost().rows);
  }

  // What a query only sorts by is in its rows, too, behind what it shows: whoever adds columns to them must know.
  static void add_unnamed(Stage& stage, std::size_t columns) {
    if (columns <= stage.outputs.size()) return;
    stage.outputs.resize(columns);
    stage.seen = stage.outputs;
  }

  void plan_common_table(BaseRelation& base, const query::CommonTableSource& source, Stage& stage) {
    const Level* owner = &level_;
    for (int up = 0; up < source.levels_up; ++up) owner = owner->outer;
    const auto& state = owner->common_tables[static_cast<std::size_t>(source.table)];
    base.tuples = std::max(1.0, state.rows);
    if (source.recursive_reference) {
      stage.plan->node = WorkTableScan{state.work_table};
    } else {
      stage.plan->node = CommonTableScan{state.subplan};
      add_unnamed(stage, state.columns);
    }
    if (source.recursive_reference ? state.work_table < 0 : state.subplan < 0) {
      throw SqlError(sqlstate::internal_error, "a common table is used before it is planned");
    }
  }

  // Columns of neighbours become parameters that a nested loop sets.
  ExpressionPtr with_parameters(BaseRelation& base, const ExpressionPtr& expression) {
    return query::rewrite(expression, [&](const ExpressionPtr& part, int) -> ExpressionPtr {
      if (!part->as<Column>()) return nullptr;
      base.lateral |= level_.relids_of(part);
      for (const auto& known : base.subquery_parameters) {
        if (query::equal(known.second, part)) {
          return make_expression(query::Parameter{known.first, true}, part->type, part->position);
        }
      }
      const int parameter = level_.statement.parameters++;
      base.subquery_parameters.push_back({parameter, part});
      return make_expression(query::Parameter{parameter, true}, part->type, part->position);
    });
  }

  // --- columns ---

  void use(const ExpressionPtr& expression, bool above, Relids needed) {
    if (!expression) return;
    query::walk(expression, [&](const Expression& node, int levels) {
      const auto* column = node.as<Column>();
      if (!column || column->levels_up != levels) return true;
      const int base = level_.base_of_entry[static_cast<std::size_t>(column->entry)];
      if (base < 0) return true;
      auto found = std::find_if(level_.column_uses.begin(), level_.column_uses.end(), [&](const auto& known) {
        const auto* other = known.column->template as<Column>();
        return other->entry == column->entry && other->column == column->column;
      });
      if (found == level_.column_uses.end()) {
        level_.column_uses.push_back(
            {make_expression(Column{column->entry, column->column, 0}, node.type), base, false, 0});
        found = level_.column_uses.end() - 1;
      }
      found->above_joins |= above;
      found->needed |= needed;
      return true;
    });
  }

  void collect_columns(const std::vector<ExpressionPtr>& above) {
    for (const ExpressionPtr& expression : above) use(expression, true, 0);
    for (const Condition& condition : level_.all_conditions) {
      if (!condition.moved) use(condition.expression, false, condition.required);
    }
    for (const EquivalenceClass& equivalence : level_.classes) {
      // What is equal to a constant is compared with that, by conditions that are made already.
      if (equivalence.members.size() < 2 || equivalence.has_constant) continue;
      Relids all = 0;
      for (const auto& member : equivalence.members) all |= member.relids;
      for (const auto& member : equivalence.members) use(member.expression, false, all);
    }
    for (std::size_t i = 0; i < level_.bases.size(); ++i) {
      for (const auto& value : level_.bases[i].subquery_parameters) {
        use(value.second, false, relid(static_cast<int>(i)) | level_.bases[i].lateral);
      }
    }
    for (const auto& used : level_.column_uses) {
      level_.bases[static_cast<std::size_t>(used.base)].columns_used.push_back(used.column);
    }
    for (BaseRelation& base : level_.bases) {
      std::sort(base.columns_used.begin(), base.columns_used.end(), [](const ExpressionPtr& a, const ExpressionPtr& b) {
        return a->as<Column>()->column < b->as<Column>()->column;
      });
    }
  }

  // The system columns follow the table's own.
  void finish_base(BaseRelation& base) {
    for (const ExpressionPtr& used : base.columns_used) {
      if (used->as<Column>()->column >= 0) continue;
      if (base.subquery) {
        throw SqlError("0A000", "system columns of what is not a table are not supported");
      }
      base.system_columns.push_back(used->as<Column>()->column);
      base.subquery_outputs.push_back(used);
    }
  }

  Level& level_;
};

}  // namespace

Stage plan_joins(Level& level, const std::vector<ExpressionPtr>& above, const std::vector<query::SortClause>* order) {
  return JoinPlanner(level).run(above, order);
}

}  // namespace polarsim::engine::plan
