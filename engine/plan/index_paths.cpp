// B-tree index scans (PostgreSQL's optimizer/path/indxpath.c; costs of utils/adt/selfuncs.c, btcostestimate()).
#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/plan/conditions.h"
#include "engine/plan/estimate.h"
#include "engine/plan/paths.h"
#include "engine/query/analysis.h"
#include "engine/query/no_relations.h"
#include "engine/types/array.h"

namespace polarsim::engine::plan {
namespace {

using Comparison = IndexScan::Bound::Comparison;

bool is_key(const BaseRelation& base, const query::RelationIndex::Key& key, const ExpressionPtr& expression) {
  const ExpressionPtr stripped = strip_relabel(expression);
  const auto* column = stripped->as<Column>();
  return column && key.column > 0 && column->levels_up == 0 && column->entry == base.entry &&
         column->column == key.column;
}

bool comparison_of_symbol(std::string_view symbol, Comparison& comparison) {
  if (symbol == "=") {
    comparison = Comparison::equal;
  } else if (symbol == "<") {
    comparison = Comparison::less;
  } else if (symbol == "<=") {
    comparison = Comparison::less_equal;
  } else if (symbol == ">") {
    comparison = Comparison::greater;
  } else if (symbol == ">=") {
    comparison = Comparison::greater_equal;
  } else {
    return false;
  }
  return true;
}

class IndexMatcher {
 public:
  IndexMatcher(Level& level, const BaseRelation& base, int id) : level_(level), base_(base), self_(relid(id)) {}

  std::optional<IndexCondition> match(const Condition& condition, const query::RelationIndex::Key& key,
                                      std::size_t position) const {
    IndexCondition found;
    found.source = &condition;
    found.bound.key = position;
    found.bound.condition = condition.expression;
    const ExpressionPtr& expression = condition.expression;
    if (const auto* call = expression->as<query::OperatorCall>()) {
      if (call->arguments.size() != 2) return std::nullopt;
      const bool left = is_key(base_, key, call->arguments[0]);
      if (!left && !is_key(base_, key, call->arguments[1])) return std::nullopt;
      const ExpressionPtr& value = call->arguments[left ? 1 : 0];
      if (!is_value(value) || !fits(key, value->type.id)) return std::nullopt;
      std::string_view symbol = call->function->symbol;
      if (!left) {
        if (call->function->commutator == nullptr) return std::nullopt;
        symbol = call->function->commutator;
      }
      if (!comparison_of_symbol(symbol, found.bound.comparison)) return std::nullopt;
      found.bound.value = value;
      if (!left) {
        const auto* commuted = find_operator(symbol, call->function->right, call->function->left);
        if (commuted == nullptr) return std::nullopt;
        found.bound.condition =
            query::make_expression(query::OperatorCall{commuted, {call->arguments[1], value}}, TypeId::boolean);
      }
      return found;
    }
    if (const auto* array = expression->as<query::ArrayComparison>()) {
      if (array->all || std::string_view(array->function->symbol) != "=" || !is_key(base_, key, array->left) ||
          !is_value(array->array) || !fits(key, array->function->right)) {
        return std::nullopt;
      }
      found.bound.comparison = Comparison::in_array;
      found.bound.value = array->array;
      return found;
    }
    const auto* test = expression->as<query::NullTest>();
    if (test == nullptr || !is_key(base_, key, test->argument)) return std::nullopt;
    found.bound.comparison = test->negated ? Comparison::is_not_null : Comparison::is_null;
    return found;
  }

 private:
  bool is_value(const ExpressionPtr& value) const {
    return !overlaps(level_.relids_of(value), self_) &&
           !query::contains_volatility(value, Volatility::volatile_function);
  }
  bool fits(const query::RelationIndex::Key& key, TypeId value) const {
    const TypeId column = base_.relation->columns[static_cast<std::size_t>(key.column - 1)].type.id;
    return shared_type(column, value) != TypeId::none;
  }

  Level& level_;
  const BaseRelation& base_;
  Relids self_;
};

bool is_equality(Comparison comparison) {
  return comparison == Comparison::equal || comparison == Comparison::in_array || comparison == Comparison::is_null;
}

struct IndexSize {
  double pages = 1;
  double height = 0;
};
IndexSize size_of(const Level& level, const BaseRelation& base, const query::RelationIndex& index) {
  int width = 0;
  for (const auto& key : index.keys) {
    if (key.column > 0) {
      const Type type = base.relation->columns[static_cast<std::size_t>(key.column - 1)].type;
      width += width_of(level, query::make_expression(Column{base.entry, key.column, 0}, type));
    } else {
      width += 16;
    }
  }
  const double per_page = std::floor(8152 * 0.9 / (std::ceil((8 + width) / 8.0) * 8 + 4));
  const double leaves = std::max(1.0, std::ceil(base.tuples / per_page));
  IndexSize size;
  size.pages = leaves + 1;
  for (double pages = leaves; pages > 1; pages = std::ceil(pages / per_page)) {
    size.height += 1;
    if (pages > per_page) size.pages += std::ceil(pages / per_page);
  }
  if (leaves > 1) size.pages += 1;
  return size;
}

class IndexPathMaker {
 public:
  IndexPathMaker(Level& level, int base, JoinRelation& relation)
      : level_(level), id_(base), base_(level.bases[static_cast<std::size_t>(base)]), relation_(relation) {}

  void run() {
    join_candidates_ = equalities_with_others(level_, id_);
    for (const Condition* condition : base_.join_conditions) {
      const bool movable = !overlaps(condition->kept, relid(id_)) &&
                           (!condition->pushed_down || condition->required == condition->relids) &&
                           overlaps(condition->relids, relid(id_)) && !waits_for_outer_join(*condition);
      if (movable) join_candidates_.push_back(condition);
    }
    const auto& indexes = base_.relation->indexes;
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      if (!is_usable(indexes[i])) continue;
      add_paths(i, base_.lateral);
      for (const Relids outer : outer_sets(indexes[i])) add_paths(i, outer | base_.lateral);
    }
  }

 private:
  // A condition above an outer join that makes this relation's columns NULL sees those NULLs.
  bool waits_for_outer_join(const Condition& condition) const {
    if (!condition.pushed_down) return false;
    return std::any_of(level_.special_joins.begin(), level_.special_joins.end(), [&](const SpecialJoin& join) {
      if (join.type == PlanJoin::semi) return false;
      const bool right = overlaps(join.written_right, relid(id_)) && !is_subset(condition.relids, join.written_right);
      const bool left = join.type == PlanJoin::full && overlaps(join.written_left, relid(id_)) &&
                        !is_subset(condition.relids, join.written_left);
      return right || left;
    });
  }

  // A partial index has all rows that are wanted only if the query asks for its predicate.
  bool is_usable(const query::RelationIndex& index) {
    if (!index.predicate) return true;
    query::NoRelations none;
    const query::AnalysisContext context{none, level_.statement.inputs.call, nullptr, false};
    ExpressionPtr predicate =
        query::analyse_over_relation(index.predicate, *base_.relation, TypeId::boolean, "index predicates", context);
    predicate = query::rewrite(predicate, [&](const ExpressionPtr& e, int) -> ExpressionPtr {
      const auto* column = e->as<Column>();
      return column ? query::make_expression(Column{base_.entry, column->column, 0}, e->type) : nullptr;
    });
    std::vector<ExpressionPtr> parts;
    add_conjuncts(predicate, parts);
    return std::all_of(parts.begin(), parts.end(), [&](const ExpressionPtr& part) {
      return std::any_of(base_.conditions.begin(), base_.conditions.end(), [&](const Condition* condition) {
        return query::equal(condition->expression, part) || implies_not_null(condition->expression, part);
      });
    });
  }
  bool implies_not_null(const ExpressionPtr& condition, const ExpressionPtr& part) const {
    const auto* test = part->as<query::NullTest>();
    const auto* call = condition->as<query::OperatorCall>();
    if (test == nullptr || !test->negated || call == nullptr || !call->function->strict) return false;
    return std::any_of(call->arguments.begin(), call->arguments.end(), [&](const ExpressionPtr& argument) {
      return query::equal(strip_relabel(argument), test->argument);
    });
  }

  // Sets of relations that conditions of this index could get values from.
  std::vector<Relids> outer_sets(const query::RelationIndex& index) const {
    const IndexMatcher matcher(level_, base_, id_);
    std::vector<Relids> sets;
    for (const Condition* condition : join_candidates_) {
      for (std::size_t key = 0; key < index.keys.size(); ++key) {
        if (!matcher.match(*condition, index.keys[key], key)) continue;
        const Relids outer = condition->relids & ~relid(id_);
        if (std::find(sets.begin(), sets.end(), outer) == sets.end()) sets.push_back(outer);
        break;
      }
    }
    const std::size_t single = std::min<std::size_t>(sets.size(), 6);
    for (std::size_t i = 0; i < single; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Relids both = sets[i] | sets[j];
        if (std::find(sets.begin(), sets.end(), both) == sets.end()) sets.push_back(both);
      }
    }
    return sets;
  }

  void add_paths(std::size_t index_number, Relids outer) {
    const query::RelationIndex& index = base_.relation->indexes[index_number];
    const IndexMatcher matcher(level_, base_, id_);
    auto path = std::make_shared<Path>();
    path->kind = Path::Kind::index_scan;
    path->relids = relid(id_);
    path->base = id_;
    path->index = index_number;
    path->required_outer = outer;
    std::vector<const Condition*> usable = base_.conditions;
    if (outer != base_.lateral) {
      for (const Condition* condition : join_candidates_) {
        if (!is_subset(condition->relids, outer | relid(id_))) continue;
        const bool repeated = std::any_of(path->enforced.begin(), path->enforced.end(), [&](const Condition* other) {
          return other == condition || (other->of_class >= 0 && other->of_class == condition->of_class);
        });
        if (!repeated) path->enforced.push_back(condition);
      }
      usable.insert(usable.end(), path->enforced.begin(), path->enforced.end());
    }
    bool uses_outer = false;
    for (std::size_t key = 0; key < index.keys.size(); ++key) {
      bool any = false;
      bool equality = false;
      for (const Condition* condition : usable) {
        auto found = matcher.match(*condition, index.keys[key], key);
        if (!found) continue;
        any = true;
        equality |= is_equality(found->bound.comparison);
        uses_outer |= condition->relids != relid(id_);
        path->bounds.push_back(std::move(*found));
      }
      if (!any || !equality) break;
    }
    if (outer != base_.lateral && !uses_outer) return;
    for (const Condition* condition : usable) {
      const bool in_index = std::any_of(path->bounds.begin(), path->bounds.end(), [&](const IndexCondition& bound) {
        return bound.source == condition && !bound.lossy;
      });
      if (!in_index) path->conditions.push_back(condition);
    }
    path->index_only = is_covered(index);
    finish(*path, index, usable, false);
  }

  bool is_covered(const query::RelationIndex& index) const {
    if (!base_.system_columns.empty() || index.predicate) return false;
    return std::all_of(base_.columns_used.begin(), base_.columns_used.end(), [&](const ExpressionPtr& used) {
      return std::any_of(index.keys.begin(), index.keys.end(),
                         [&](const auto& key) { return is_key(base_, key, used); });
    });
  }

  Order order_of(const query::RelationIndex& index, bool backward) const {
    Order order;
    for (const auto& key : index.keys) {
      int id = -1;
      for (std::size_t i = 0; i < level_.classes.size() && id < 0; ++i) {
        for (const auto& member : level_.classes[i].members) {
          if (is_key(base_, key, member.expression)) id = static_cast<int>(i);
        }
      }
      if (id < 0) break;
      if (is_constant_class(level_, id)) continue;
      const OrderItem item{id, key.descending != backward, key.nulls_first != backward};
      const bool repeated =
          std::any_of(order.begin(), order.end(), [&](const OrderItem& o) { return o.equivalence == id; });
      if (!repeated) order.push_back(item);
    }
    return order;
  }

  void finish(Path& path, const query::RelationIndex& index, const std::vector<const Condition*>& usable, bool) {
    const bool ordered_scan = std::none_of(path.bounds.begin(), path.bounds.end(), [](const IndexCondition& bound) {
      return bound.bound.comparison == Comparison::in_array && bound.bound.key > 0;
    });
    path.order = ordered_scan ? order_of(index, false) : Order{};
    if (path.bounds.empty() && path.order.empty() && !path.index_only) return;
    cost(path, index, usable);
    add_path(relation_, std::make_shared<Path>(path));
    if (path.order.empty()) return;
    path.backward = true;
    path.order = order_of(index, true);
    add_path(relation_, std::make_shared<Path>(path));
  }

  void cost(Path& path, const query::RelationIndex& index, const std::vector<const Condition*>& usable) {
    const PlannerSettings& settings = level_.settings();
    std::vector<const Condition*> bounding;
    double scans = 1;
    std::size_t equal_keys = 0;
    std::size_t seen_keys = 0;
    for (const IndexCondition& bound : path.bounds) {
      bounding.push_back(bound.source);
      if (bound.bound.comparison == Comparison::equal && bound.bound.key + 1 > seen_keys) {
        ++equal_keys;
        seen_keys = bound.bound.key + 1;
      }
      if (bound.bound.comparison == Comparison::in_array) {
        double items = 10;
        if (const auto* made = bound.bound.value->as<query::ArrayConstructor>()) {
          items = static_cast<double>(made->elements.size());
        } else if (const auto* constant = bound.bound.value->as<query::Constant>();
                   constant && constant->value.is_array()) {
          items = static_cast<double>(constant->value.as_array().elements().size());
        }
        scans *= std::max(1.0, items);
      }
    }
    const double tuples = std::max(1.0, base_.tuples);
    const double part = selectivity(level_, bounding, nullptr);
    const bool one_row = index.unique && equal_keys == index.keys.size();
    double index_tuples = one_row ? 1 : std::max(1.0, std::rint(part * tuples / scans));
    const IndexSize size = size_of(level_, base_, index);
    const double loops = loop_count(path.required_outer);
    double index_pages = std::max(1.0, std::ceil(index_tuples * size.pages / tuples));
    double index_total = 0;
    if (loops * scans > 1) {
      const double fetched = index_pages_fetched(index_pages * loops * scans, size.pages, size.pages);
      index_total = fetched * settings.random_page_cost / loops;
    } else {
      index_total = index_pages * settings.random_page_cost;
    }
    const double operators = settings.cpu_operator_cost * static_cast<double>(bounding.size());
    index_total += index_tuples * scans * (settings.cpu_index_tuple_cost + operators);
    double descent = std::ceil(std::log2(std::max(2.0, tuples))) * settings.cpu_operator_cost;
    descent += (size.height + 1) * 50 * settings.cpu_operator_cost;
    descent *= scans;
    index_total += descent;

    const double fetched = whole_rows(part * tuples);
    const double table_pages = std::max(1.0, base_.pages);
    double most = 0;
    double least = 0;
    if (loops > 1) {
      most = index_pages_fetched(fetched * loops, table_pages, size.pages) * settings.random_page_cost / loops;
      least = index_pages_fetched(std::ceil(part * table_pages) * loops, table_pages, size.pages) *
              settings.random_page_cost / loops;
    } else {
      most = index_pages_fetched(fetched, table_pages, size.pages) * settings.random_page_cost;
      const double pages = std::ceil(part * table_pages);
      least = pages > 0 ? settings.random_page_cost + (pages - 1) * settings.seq_page_cost : 0;
    }
    const double correlation = correlation_of(index);
    const double io = most + correlation * correlation * (least - most);
    const EvaluationCost rest = evaluation_cost(level_, path.conditions);
    path.cost.startup = descent + rest.startup;
    path.cost.total =
        path.cost.startup + (index_total - descent) + io + (settings.cpu_tuple_cost + rest.per_row) * fetched;
    if (!settings.enable_indexscan) {
      path.cost.startup += 1e10;
      path.cost.total += 1e10;
    }
    path.cost.width = relation_.width;
    path.cost.rows =
        path.enforced.empty() ? relation_.rows : whole_rows(base_.tuples * selectivity(level_, usable, nullptr));
  }

  double correlation_of(const query::RelationIndex& index) const {
    const int column = index.keys[0].column;
    const auto& statistics = base_.relation->statistics;
    if (column <= 0 || static_cast<std::size_t>(column) > statistics.size()) return 0;
    const auto& known = statistics[static_cast<std::size_t>(column - 1)];
    if (!known) return 0;
    return index.keys.size() > 1 ? known->correlation * 0.75 : known->correlation;
  }

  // How often a parameterised scan is run: once for each row of the smallest relation it depends on.
  double loop_count(Relids outer) const {
    double loops = 0;
    for (std::size_t i = 0; i < level_.bases.size(); ++i) {
      if (!overlaps(outer, relid(static_cast<int>(i))) || !level_.bases[i].rows_of) continue;
      const double rows = level_.bases[i].rows_of->rows;
      if (loops == 0 || rows < loops) loops = rows;
    }
    return std::max(1.0, loops);
  }

  Level& level_;
  int id_;
  const BaseRelation& base_;
  JoinRelation& relation_;
  std::vector<const Condition*> join_candidates_;
};

}  // namespace

void make_index_paths(Level& level, int base, JoinRelation& relation) { IndexPathMaker(level, base, relation).run(); }

}  // namespace polarsim::engine::plan
