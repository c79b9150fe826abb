// An outer join whose NULL rows a condition above refuses is an inner one; a left join of which only the NULL rows are
// wanted is an anti join (PostgreSQL's reduce_outer_joins(), prepjointree.c).
#include <algorithm>

#include "engine/plan/prepare.h"

namespace polarsim::engine::plan {
namespace {

using Entries = std::vector<char>;

void add_leaves(const JoinNode& node, Entries& entries) {
  if (node.kind == JoinNode::Kind::leaf) entries[static_cast<std::size_t>(node.entry)] = 1;
  for (const auto& item : node.items) add_leaves(*item, entries);
}
bool overlap(const Entries& a, const Entries& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != 0 && b[i] != 0) return true;
  }
  return false;
}
void merge(Entries& a, const Entries& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] != 0 || b[i] != 0);
}
bool has_outer_join(const JoinNode& node) {
  if (node.kind == JoinNode::Kind::join && (node.type == PlanJoin::left || node.type == PlanJoin::full)) return true;
  return std::any_of(node.items.begin(), node.items.end(),
                     [](const JoinNodePtr& item) { return has_outer_join(*item); });
}

// Columns that conditions above force to be NULL (x IS NULL), with where they stand.
struct ForcedNull {
  int entry;
  int column;
};
void add_forced_nulls(const std::vector<ExpressionPtr>& conditions, std::vector<ForcedNull>& list) {
  for (const ExpressionPtr& condition : conditions) {
    const auto* test = condition->as<query::NullTest>();
    if (test == nullptr || test->negated) continue;
    const auto* column = test->argument->as<Column>();
    if (column != nullptr && column->levels_up == 0 && column->column != Column::whole_row) {
      list.push_back({column->entry, column->column});
    }
  }
}

// Whether the condition is not true where this column is NULL.
bool is_strict_in_column(const ExpressionPtr& condition, const ForcedNull& wanted, std::size_t entries) {
  // All other columns of the expression are taken for constants, so that only this one's NULL can matter.
  ExpressionPtr alone = query::rewrite(condition, [&](const ExpressionPtr& e, int levels) -> ExpressionPtr {
    const auto* column = e->as<Column>();
    if (column == nullptr ||
        (column->levels_up == levels && column->entry == wanted.entry && column->column == wanted.column)) {
      return nullptr;
    }
    return query::make_expression(query::Parameter{1, false}, e->type);
  });
  Entries found(entries, 0);
  add_nonnullable_entries(alone, true, found);
  return found[static_cast<std::size_t>(wanted.entry)] != 0;
}

class Reducer {
 public:
  explicit Reducer(std::size_t entries) : entries_(entries) {}

  void visit(JoinNode& node, const Entries& nonnullable, const std::vector<ForcedNull>& forced) {
    if (node.kind == JoinNode::Kind::leaf) return;
    if (node.kind == JoinNode::Kind::list) {
      Entries here = nonnullable;
      std::vector<ForcedNull> nulls = forced;
      for (const auto& condition : node.conditions) add_nonnullable_entries(condition, true, here);
      add_forced_nulls(node.conditions, nulls);
      for (JoinNodePtr& item : node.items) visit(*item, here, nulls);
      return;
    }
    visit_join(node, nonnullable, forced);
  }
  const std::vector<Entries>& anti_sides() const { return anti_sides_; }

 private:
  Entries leaves(const JoinNode& node) const {
    Entries result(entries_, 0);
    add_leaves(node, result);
    return result;
  }

  void visit_join(JoinNode& node, const Entries& nonnullable, const std::vector<ForcedNull>& forced) {
    if (node.type == PlanJoin::full) {
      const bool left_kept = overlap(nonnullable, leaves(*node.items[0]));
      const bool right_kept = overlap(nonnullable, leaves(*node.items[1]));
      if (left_kept && right_kept) {
        node.type = PlanJoin::inner;
      } else if (left_kept) {
        node.type = PlanJoin::left;
      } else if (right_kept) {
        std::swap(node.items[0], node.items[1]);
        node.type = PlanJoin::left;
      }
    } else if (node.type == PlanJoin::left && overlap(nonnullable, leaves(*node.items[1]))) {
      node.type = PlanJoin::inner;
    }
    Entries own(entries_, 0);
    for (const auto& condition : node.conditions) add_nonnullable_entries(condition, true, own);
    if (node.type == PlanJoin::left) reduce_to_anti(node, forced);

    const std::vector<ForcedNull> none;
    std::vector<ForcedNull> own_nulls;
    add_forced_nulls(node.conditions, own_nulls);
    if (node.type == PlanJoin::inner || node.type == PlanJoin::semi) {
      Entries both = nonnullable;
      merge(both, own);
      own_nulls.insert(own_nulls.end(), forced.begin(), forced.end());
      for (JoinNodePtr& item : node.items) visit(*item, both, own_nulls);
    } else if (node.type == PlanJoin::full) {
      for (JoinNodePtr& item : node.items) visit(*item, Entries(entries_, 0), none);
    } else {
      visit(*node.items[0], nonnullable, forced);
      visit(*node.items[1], own, own_nulls);
    }
  }

  void reduce_to_anti(JoinNode& node, const std::vector<ForcedNull>& forced) {
    const Entries right = leaves(*node.items[1]);
    for (const ForcedNull& null : forced) {
      if (right[static_cast<std::size_t>(null.entry)] == 0) continue;
      for (const auto& condition : node.conditions) {
        if (!is_strict_in_column(condition, null, entries_)) continue;
        node.type = PlanJoin::anti;
        anti_sides_.push_back(right);
        return;
      }
    }
  }

  std::size_t entries_;
  std::vector<Entries> anti_sides_;
};

// x IS NULL says nothing more above an anti join from whose right side x comes (check_redundant_nullability_qual());
// among the anti join's own conditions it says which rows match.
void drop_null_tests(JoinNode& node, const std::vector<Entries>& anti_sides) {
  if (node.kind == JoinNode::Kind::join && node.type != PlanJoin::inner) return;
  std::erase_if(node.conditions, [&](const ExpressionPtr& condition) {
    std::vector<ForcedNull> nulls;
    add_forced_nulls({condition}, nulls);
    return !nulls.empty() && std::any_of(anti_sides.begin(), anti_sides.end(), [&](const Entries& side) {
      return side[static_cast<std::size_t>(nulls.front().entry)] != 0;
    });
  });
  if (node.kind == JoinNode::Kind::list) {
    for (JoinNodePtr& item : node.items) drop_null_tests(*item, anti_sides);
  }
}

}  // namespace

void reduce_outer_joins(Level& level) {
  if (!has_outer_join(*level.tree)) return;
  Reducer reducer(level.query.entries.size());
  reducer.visit(*level.tree, Entries(level.query.entries.size(), 0), {});
  if (!reducer.anti_sides().empty()) drop_null_tests(*level.tree, reducer.anti_sides());
}

}  // namespace polarsim::engine::plan
