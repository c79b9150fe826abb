#include "engine/plan/build.h"

#include <algorithm>
#include <bit>

#include "engine/plan/conditions.h"
#include "engine/plan/estimate.h"
#include "engine/types/error.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

int find_output(const std::vector<ExpressionPtr>& outputs, const ExpressionPtr& expression) {
  const auto* column = expression->as<Column>();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i]) continue;
    if (column) {
      const auto* other = outputs[i]->as<Column>();
      if (other && other->entry == column->entry && other->column == column->column &&
          other->levels_up == column->levels_up) {
        return static_cast<int>(i) + 1;
      }
    } else if (!outputs[i]->as<query::Constant>() && query::equal(outputs[i], expression)) {
      return static_cast<int>(i) + 1;
    }
  }
  return 0;
}

bool can_compute(const Plan& plan) {
  return !plan.as<Materialize>() && !plan.as<Sort>() && !plan.as<Unique>() && !plan.as<LockRows>() &&
         !plan.as<Limit>() && !plan.as<Append>() && !plan.as<SetOperation>() && !plan.as<RecursiveUnion>() &&
         !plan.as<ProjectSet>() && !plan.as<ModifyTable>();
}

// --- paths ---

class PathBuilder {
 public:
  explicit PathBuilder(Level& level) : level_(level) {}

  Stage build(const PathPtr& path) {
    Stage stage = build_node(*path);
    stage.plan->cost = path->cost;
    stage.order = path->order;
    return stage;
  }
  const std::vector<OuterValue>& rest() const { return outer_values_; }

 private:
  Stage build_node(const Path& path) {
    switch (path.kind) {
      case Path::Kind::scan:
      case Path::Kind::index_scan:
        return build_scan(path);
      case Path::Kind::nested_loop:
      case Path::Kind::hash_join:
      case Path::Kind::merge_join:
        return build_join(path);
      case Path::Kind::sort:
        return build_sort(path);
      case Path::Kind::materialize:
        return make_stage(Materialize{}, narrowed(path.left->relids, build(path.left)));
      case Path::Kind::nothing:
        return build_nothing(path);
      default:
        throw SqlError(sqlstate::internal_error, "a path cannot be made a plan");
    }
  }

  std::vector<const Condition*> ordered(const std::vector<const Condition*>& conditions) const {
    std::vector<ExpressionPtr> expressions;
    for (const Condition* condition : conditions) expressions.push_back(condition->expression);
    std::vector<const Condition*> result;
    for (const std::size_t position : order_by_cost(level_, expressions)) result.push_back(conditions[position]);
    return result;
  }

  Placement inside(const std::vector<ExpressionPtr>& first, const std::vector<ExpressionPtr>& second) {
    return {first, second, &level_.statement, &outer_values_};
  }

  Stage build_scan(const Path& path) {
    BaseRelation& base = level_.bases[static_cast<std::size_t>(path.base)];
    Stage stage;
    stage.plan = std::make_shared<Plan>();
    for (const auto& value : base.subquery_parameters) {
      const bool known = std::any_of(outer_values_.begin(), outer_values_.end(),
                                     [&](const OuterValue& other) { return other.parameter == value.first; });
      if (!known) outer_values_.push_back({value.second, value.first});
    }
    if (base.subquery) {
      *stage.plan = *base.subquery->plan;
      stage.seen = base.subquery->seen;
    } else if (path.kind == Path::Kind::index_scan) {
      stage.seen = base.subquery_outputs;
      IndexScan scan{base.relation, path.index, {}, path.backward, path.index_only, base.system_columns, {}};
      for (const IndexCondition& found : path.bounds) {
        IndexScan::Bound bound = found.bound;
        const std::vector<ExpressionPtr> none;
        if (bound.value) bound.value = place(bound.value, inside(none, none));
        bound.condition = place(with_rows_made(base, bound.condition), inside(stage.seen, none));
        scan.bounds.push_back(std::move(bound));
      }
      stage.plan->node = std::move(scan);
    } else {
      stage.seen = base.subquery_outputs;
      stage.plan->node = SeqScan{base.relation, base.system_columns, {}};
    }
    stage.plan->alias = base.name;
    for (const auto& column : level_.query.entries[static_cast<std::size_t>(base.entry)].columns) {
      stage.plan->names.push_back(column.name);
    }
    stage.plan->entry = base.number;
    stage.outputs = stage.seen;
    const std::vector<ExpressionPtr> none;
    for (const Condition* condition : ordered(path.conditions)) {
      stage.plan->conditions.push_back(place(with_rows_made(base, condition->expression), inside(stage.seen, none)));
    }
    if (auto* scan = std::get_if<SeqScan>(&stage.plan->node)) scan->columns_read = columns_read(base, *stage.plan);
    if (auto* scan = std::get_if<IndexScan>(&stage.plan->node)) scan->columns_read = columns_read(base, *stage.plan);
    add_whole_row(base, relid(path.base), stage);
    return stage;
  }

  // By the scan itself, and by what is above it.
  ColumnsRead columns_read(const BaseRelation& base, const Plan& scan) const {
    const std::size_t columns = base.relation->columns.size();
    std::vector<bool> read;
    const auto add = [&](const Column& column) {
      // Of a whole row, all. System columns stand behind the table's.
      if (column.column == Column::whole_row) read.assign(columns, true);
      if (column.column <= 0 || static_cast<std::size_t>(column.column) > columns) return;
      const auto length = static_cast<std::size_t>(column.column);
      if (length > read.size()) read.resize(length);
      read[length - 1] = true;
    };
    const auto add_all = [&](const ExpressionPtr& expression) {
      query::walk(expression, [&](const query::Expression& part, int /*levels*/) {
        if (const auto* column = part.as<Column>()) add(*column);
        return true;
      });
    };
    for (const ExpressionPtr& used : base.columns_used) add(*used->as<Column>());
    for (const ExpressionPtr& condition : scan.conditions) add_all(condition);
    if (const auto* index = scan.as<IndexScan>()) {
      for (const IndexScan::Bound& bound : index->bounds) add_all(bound.condition);
    }
    if (std::count(read.begin(), read.end(), true) == static_cast<std::ptrdiff_t>(columns)) return std::nullopt;
    return read;
  }

  query::RowConstructor row_of(const BaseRelation& base, int entry) const {
    query::RowConstructor row;
    const auto& columns = level_.query.entries[static_cast<std::size_t>(base.entry)].columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name.empty() && (base.relation || base.subquery->plan->as<SystemViewScan>())) continue;
      row.fields.push_back(make_expression(Column{entry, static_cast<int>(i) + 1, 0}, columns[i].type));
      row.names.push_back(columns[i].name);
    }
    return row;
  }

  // A scan whose rows are kept gives only what is wanted above it (CP_SMALL_TLIST of PostgreSQL's createplan.c).
  Stage narrowed(Relids scanned, Stage stage) {
    if (stage.plan->entry < 0 || !stage.plan->targets.empty()) return stage;
    std::vector<ExpressionPtr> needed;
    std::vector<std::string> names;
    // In the order in which the query uses them.
    for (const auto& use : level_.column_uses) {
      if (position_of(stage, use.column) == 0 || !is_needed(use.column, scanned)) continue;
      needed.push_back(use.column);
      names.push_back(name_of(use.column));
    }
    if (needed.empty() || needed.size() == stage.outputs.size()) return stage;
    return project(level_, std::move(stage), needed, names);
  }

  // What a scan looks at itself is before its targets: its whole row is not there yet.
  ExpressionPtr with_rows_made(const BaseRelation& base, const ExpressionPtr& expression) const {
    return query::rewrite(expression, [&](const ExpressionPtr& part, int levels) -> ExpressionPtr {
      const auto* column = part->as<Column>();
      if (!column || levels != 0 || column->entry != base.entry || column->column != Column::whole_row) return nullptr;
      return make_expression(row_of(base, base.entry), part->type, part->position);
    });
  }

  // The whole row is made where it is read, so that an outer join above makes it NULL.
  void add_whole_row(const BaseRelation& base, Relids scanned, Stage& stage) {
    const auto whole = std::find_if(base.columns_used.begin(), base.columns_used.end(), [](const ExpressionPtr& used) {
      return used->as<Column>()->column == Column::whole_row;
    });
    if (whole == base.columns_used.end() || !is_needed(*whole, scanned)) return;
    query::RowConstructor row = row_of(base, 0);
    std::erase(stage.outputs, nullptr);
    for (std::size_t i = 0; i < stage.outputs.size(); ++i) {
      stage.plan->targets.push_back({make_expression(Column{0, static_cast<int>(i) + 1, 0}, stage.seen[i]->type), ""});
    }
    stage.plan->targets.push_back({make_expression(std::move(row), (*whole)->type), ""});
    stage.outputs.push_back(*whole);
  }

  // No rows, with the columns that these relations would have.
  Stage build_nothing(const Path& path) {
    Stage stage;
    stage.plan = std::make_shared<Plan>();
    stage.plan->node = Result{};
    stage.plan->one_time_conditions = {make_boolean(false)};
    for (std::size_t i = 0; i < level_.bases.size(); ++i) {
      if (!overlaps(relid(static_cast<int>(i)), path.relids)) continue;
      for (const ExpressionPtr& used : level_.bases[i].columns_used) {
        stage.plan->targets.push_back({make_expression(query::Constant{}, used->type), ""});
        stage.outputs.push_back(used);
      }
    }
    if (stage.outputs.empty()) {
      stage.plan->targets.push_back({make_boolean(true), ""});
      stage.outputs.push_back(nullptr);
    }
    return stage;
  }

  Stage build_join(const Path& path) {
    Stage left = build(path.left);
    const std::vector<OuterValue> before = std::move(outer_values_);
    outer_values_.clear();
    Stage right = build(path.right);
    if (path.kind == Path::Kind::hash_join) right = narrowed(path.right->relids, std::move(right));
    Stage stage;
    stage.plan = std::make_shared<Plan>();
    stage.plan->children = {left.plan, right.plan};
    stage.seen = left.outputs;
    stage.seen_right = right.outputs;
    std::vector<OuterValue> from_right = std::move(outer_values_);
    outer_values_ = before;
    if (path.kind == Path::Kind::nested_loop) {
      NestedLoop loop;
      loop.type = path.type;
      const std::vector<ExpressionPtr> none;
      for (OuterValue& value : from_right) {
        if (is_available(value.expression, path.left->relids)) {
          loop.parameters.push_back({value.parameter, place(value.expression, inside(left.outputs, none))});
        } else {
          add_outer_value(std::move(value));
        }
      }
      for (const Condition* condition : ordered(path.conditions)) loop.condition.push_back(place_in(stage, condition));
      stage.plan->node = std::move(loop);
    } else {
      for (OuterValue& value : from_right) add_outer_value(std::move(value));
      if (path.kind == Path::Kind::merge_join) {
        stage.plan->node = build_merge_join(path, left, right, stage);
      } else {
        stage.plan->node = build_hash_join(path, left, right, stage);
      }
    }
    for (const Condition* condition : ordered(path.filters))
      stage.plan->conditions.push_back(place_in(stage, condition));
    add_join_targets(path, stage);
    return stage;
  }

  bool is_available(const ExpressionPtr& expression, Relids relids) const {
    const Relids used = level_.relids_of(expression);
    return is_subset(used, relids);
  }
  void add_outer_value(OuterValue value) {
    const bool known = std::any_of(outer_values_.begin(), outer_values_.end(),
                                   [&](const OuterValue& other) { return other.parameter == value.parameter; });
    if (!known) outer_values_.push_back(std::move(value));
  }
  ExpressionPtr place_in(const Stage& stage, const Condition* condition) {
    return place(condition->expression, inside(stage.seen, stage.seen_right));
  }

  // A key of a hash or merge join, in terms of either side, and as it is shown.
  struct JoinKey {
    ExpressionPtr left;
    ExpressionPtr right;
    ExpressionPtr shown;
    TypeId type = TypeId::none;
  };
  std::vector<JoinKey> join_keys(const Path& path, const Stage& left, const Stage& right, const Stage& stage) {
    std::vector<JoinKey> keys;
    const std::vector<ExpressionPtr> none;
    for (const Condition* key : path.keys) {
      const auto& call = *key->expression->as<query::OperatorCall>();
      const bool straight = is_subset(key->left, path.left->relids);
      const ExpressionPtr& left_key = call.arguments[straight ? 0 : 1];
      const ExpressionPtr& right_key = call.arguments[straight ? 1 : 0];
      JoinKey made;
      made.left = place(left_key, inside(left.outputs, none));
      made.right = place(right_key, inside(right.outputs, none));
      made.type = shared_type(left_key->type.id, right_key->type.id);
      ExpressionPtr shown = key->expression;
      if (!straight) {
        const auto* commuted = find_operator("=", call.function->right, call.function->left);
        if (commuted) shown = make_expression(query::OperatorCall{commuted, {left_key, right_key}}, TypeId::boolean);
      }
      made.shown = place(shown, inside(stage.seen, stage.seen_right));
      keys.push_back(std::move(made));
    }
    return keys;
  }

  HashJoin build_hash_join(const Path& path, const Stage& left, const Stage& right, const Stage& stage) {
    HashJoin join;
    join.type = path.type;
    for (JoinKey& key : join_keys(path, left, right, stage)) {
      join.left_keys.push_back(std::move(key.left));
      join.right_keys.push_back(std::move(key.right));
      join.key_types.push_back(key.type);
      join.hash_conditions.push_back(std::move(key.shown));
    }
    for (const Condition* condition : ordered(path.conditions)) join.condition.push_back(place_in(stage, condition));
    return join;
  }

  MergeJoin build_merge_join(const Path& path, const Stage& left, const Stage& right, const Stage& stage) {
    MergeJoin join;
    join.type = path.type;
    for (JoinKey& key : join_keys(path, left, right, stage)) {
      const OrderItem& item = path.merge_order[join.order.size()];
      join.left_keys.push_back(std::move(key.left));
      join.right_keys.push_back(std::move(key.right));
      join.order.push_back({0, key.type, item.descending, item.nulls_first});
      join.merge_conditions.push_back(std::move(key.shown));
    }
    for (const Condition* condition : ordered(path.conditions)) join.condition.push_back(place_in(stage, condition));
    return join;
  }

  // What is sorted by is computed below. A column is sorted by as it is, where what it is compared as has the same
  // order (strip_relabel()).
  Stage build_sort(const Path& path) {
    Stage child = narrowed(path.left->relids, build(path.left));
    std::vector<ExpressionPtr> expressions;
    for (const ExpressionPtr& key : path.sort_keys) {
      const ExpressionPtr stripped = strip_relabel(key);
      expressions.push_back(stripped->as<Column>() ? stripped : key);
    }
    child = extend(level_, std::move(child), expressions);
    Sort sort;
    for (std::size_t i = 0; i < expressions.size(); ++i) {
      const OrderItem& item = path.order[i];
      sort.keys.push_back(
          {position_of(child, expressions[i]), expressions[i]->type.id, item.descending, item.nulls_first});
    }
    return make_stage(std::move(sort), child);
  }

  // What is still wanted above. Of a semi join that may be a column of its right side, which is equal to one of the
  // left; of an anti join that was a left join, one that is NULL.
  void add_join_targets(const Path& path, Stage& stage) {
    auto add = [&](const std::vector<ExpressionPtr>& outputs, int side) {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (!is_needed(outputs[i], path.relids)) continue;
        stage.plan->targets.push_back(
            {make_expression(Column{side, static_cast<int>(i) + 1, 0}, outputs[i]->type), name_of(outputs[i])});
        stage.outputs.push_back(outputs[i]);
      }
    };
    add(stage.seen, 0);
    add(stage.seen_right, 1);
    // A row without columns is a row still.
    if (stage.plan->targets.empty()) {
      stage.plan->targets.push_back({make_boolean(true), ""});
      stage.outputs.push_back(nullptr);
    }
  }
  bool is_needed(const ExpressionPtr& output, Relids joined) const {
    const auto* column = output ? output->as<Column>() : nullptr;
    if (!column) return false;
    for (const auto& use : level_.column_uses) {
      const auto* used = use.column->as<Column>();
      if (used->entry != column->entry || used->column != column->column) continue;
      return use.above_joins || !is_subset(use.needed, joined);
    }
    return false;
  }
  std::string name_of(const ExpressionPtr& output) const {
    const auto* column = output->as<Column>();
    if (!column || column->column <= 0) return "";
    return level_.query.entries[static_cast<std::size_t>(column->entry)]
        .columns[static_cast<std::size_t>(column->column - 1)]
        .name;
  }

  Level& level_;
  std::vector<OuterValue> outer_values_;
};

}  // namespace

ExpressionPtr place(const ExpressionPtr& expression, const Placement& placement) {
  if (expression == nullptr) return nullptr;
  return query::rewrite(expression, [&](const ExpressionPtr& part, int levels) -> ExpressionPtr {
    if (levels != 0 || part->as<query::Constant>()) return nullptr;
    if (const int found = find_output(placement.first, part)) {
      return make_expression(Column{0, found, 0}, part->type, part->position);
    }
    if (const int found = find_output(placement.second, part)) {
      return make_expression(Column{1, found, 0}, part->type, part->position);
    }
    if (!part->as<Column>() && !part->as<query::Aggregate>() && !part->as<query::WindowCall>() &&
        !part->as<query::GroupingCall>() && !part->as<query::Subquery>()) {
      return nullptr;
    }
    if (!part->as<Column>() || !placement.outer_values) {
      throw SqlError(sqlstate::internal_error, "an expression of a plan is not computed by what is below");
    }
    for (const OuterValue& value : *placement.outer_values) {
      if (query::equal(value.expression, part)) {
        return make_expression(query::Parameter{value.parameter, true}, part->type, part->position);
      }
    }
    const int parameter = placement.statement->parameters++;
    placement.outer_values->push_back({part, parameter});
    return make_expression(query::Parameter{parameter, true}, part->type, part->position);
  });
}

std::vector<ExpressionPtr> place(const std::vector<ExpressionPtr>& expressions, const Placement& placement) {
  std::vector<ExpressionPtr> placed;
  placed.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) placed.push_back(place(expression, placement));
  return placed;
}

Stage build_path(Level& level, const PathPtr& path) {
  PathBuilder builder(level);
  Stage stage = builder.build(path);
  if (!builder.rest().empty()) throw SqlError(sqlstate::internal_error, "a join hands no value to its side");
  return stage;
}

Stage make_stage(Plan::Node node, const Stage& child) {
  Stage stage;
  stage.plan = std::make_shared<Plan>();
  stage.plan->node = std::move(node);
  stage.plan->children = {child.plan};
  stage.plan->cost = child.plan->cost;
  stage.seen = stage.outputs = child.outputs;
  stage.order = child.order;
  return stage;
}

Stage project(Level& level, Stage stage, const std::vector<ExpressionPtr>& wanted,
              const std::vector<std::string>& names) {
  const bool same = !wanted.empty() && stage.outputs.size() == wanted.size() &&
                    std::equal(wanted.begin(), wanted.end(), stage.outputs.begin(),
                               [](const auto& a, const auto& b) { return query::equal(a, b); });
  if (same && !can_compute(*stage.plan)) return stage;
  const bool has_whole_row = !stage.plan->targets.empty() && stage.plan->entry >= 0;
  if (!can_compute(*stage.plan) || has_whole_row) stage = make_stage(Result{}, stage);
  std::vector<PlanTarget> targets;
  EvaluationCost cost;
  int width = 0;
  const Placement placement{stage.seen, stage.seen_right};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    targets.push_back({place(wanted[i], placement), i < names.size() ? names[i] : std::string()});
    const EvaluationCost one = evaluation_cost(level, wanted[i]);
    cost.startup += one.startup;
    cost.per_row += one.per_row;
    width += width_of(level, wanted[i]);
  }
  if (targets.empty()) targets.push_back({make_boolean(true), ""});
  stage.plan->targets = std::move(targets);
  stage.outputs = wanted;
  if (wanted.empty()) stage.outputs.push_back(nullptr);
  stage.plan->cost.startup += cost.startup;
  stage.plan->cost.total += cost.startup + cost.per_row * stage.plan->cost.rows;
  stage.plan->cost.width = width;
  return stage;
}

Stage extend(Level& level, Stage stage, const std::vector<ExpressionPtr>& wanted) {
  std::vector<ExpressionPtr> all;
  for (const ExpressionPtr& output : stage.outputs) {
    if (output) all.push_back(output);
  }
  const std::size_t before = all.size();
  for (const ExpressionPtr& expression : wanted) {
    if (find_output(all, expression) == 0) all.push_back(expression);
  }
  if (all.size() == before) return stage;
  return project(level, std::move(stage), all, {});
}

int position_of(const Stage& stage, const ExpressionPtr& expression) {
  const int found = find_output(stage.outputs, expression);
  if (found != 0) return found;
  for (std::size_t i = 0; i < stage.outputs.size(); ++i) {
    if (stage.outputs[i] && query::equal(stage.outputs[i], expression)) return static_cast<int>(i) + 1;
  }
  return 0;
}

Stage sort_stage(const Level& level, const Stage& stage, std::vector<SortKey> keys, double limit_rows) {
  Stage sorted = make_stage(Sort{std::move(keys)}, stage);
  sorted.plan->cost = sort_cost(level.settings(), stage.plan->cost, limit_rows);
  return sorted;
}

}  // namespace polarsim::engine::plan
