// Simple subqueries in FROM are merged with the query around them (PostgreSQL's pull_up_subqueries(), prepjointree.c).
//
// PostgreSQL marks what comes from below an outer join or goes into grouping sets (PlaceHolderVar), so that it becomes
// NULL there. Here such a subquery is merged only if its columns are plain columns, else it stays a Subquery Scan.
#include <algorithm>

#include "engine/plan/prepare.h"
#include "engine/query/fold.h"
#include "engine/query/unused_outputs.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

// Of a query, or of an expression in one.
template <typename Inside>
bool has_outer_reference(const Inside& inside) {
  bool found = false;
  query::walk(inside, [&](const Expression& node, int levels) {
    if (const auto* column = node.as<Column>()) found |= column->levels_up > levels;
    return !found;
  });
  return found;
}

// Whether an outer join, or something below it, looks at the query around: above the join, where that query could be
// looked at after merging, its conditions would mean something else (jointree_contains_lateral_outer_refs()).
bool looks_out_below_outer_join(const Level& level, const JoinNode& node, bool below = false) {
  below = below || (node.kind == JoinNode::Kind::join && node.type != PlanJoin::inner);
  if (below) {
    for (const ExpressionPtr& condition : node.conditions) {
      if (has_outer_reference(condition)) return true;
    }
    if (node.entry >= 0) {
      Query only;
      only.entries.push_back(level.query.entries[static_cast<std::size_t>(node.entry)]);
      if (has_outer_reference(only)) return true;
    }
  }
  return std::any_of(node.items.begin(), node.items.end(),
                     [&](const JoinNodePtr& item) { return looks_out_below_outer_join(level, *item, below); });
}

bool has_relations(const JoinNode& node) {
  return node.entry >= 0 || std::any_of(node.items.begin(), node.items.end(),
                                        [](const JoinNodePtr& item) { return has_relations(*item); });
}

bool is_simple(const Query& query) {
  if (query.command != query::Command::select || query.set_operation || query.grouped || !query.windows.empty() ||
      query.has_set_functions || !query.order_by.empty() || query.distinct || !query.distinct_on.empty() ||
      query.limit || query.offset || !query.row_marks.empty() || !query.common_tables.empty() || query.having) {
    return false;
  }
  return std::none_of(query.targets.begin(), query.targets.end(), [](const query::Target& target) {
    return query::contains_volatility(target.expression, Volatility::volatile_function);
  });
}

class SubqueryPuller {
 public:
  explicit SubqueryPuller(Level& level) : level_(level) {}

  // `nullable`: an outer join may make its rows NULL; `in_list`: it may become no relation at all; `below_outer`: it is
  // a side of an outer join, at any depth.
  void visit(JoinNodePtr& node, bool nullable, bool in_list, bool below_outer) {
    switch (node->kind) {
      case JoinNode::Kind::leaf:
        pull(node, nullable, in_list, below_outer);
        break;
      case JoinNode::Kind::list:
        for (JoinNodePtr& item : node->items) {
          const bool others = std::any_of(node->items.begin(), node->items.end(), [&](const JoinNodePtr& other) {
            return other != item && has_relations(*other);
          });
          visit(item, nullable, in_list || others, below_outer);
        }
        break;
      case JoinNode::Kind::join: {
        const bool left_nullable = node->type == PlanJoin::full;
        const bool right_nullable = node->type == PlanJoin::full || node->type == PlanJoin::left;
        const bool outer = node->type != PlanJoin::inner;
        visit(node->items[0], nullable || left_nullable, false, below_outer || outer);
        visit(node->items[1], nullable || right_nullable, false, below_outer || outer);
        break;
      }
    }
  }

 private:
  void pull(JoinNodePtr& node, bool nullable, bool in_list, bool below_outer) {
    const int entry = node->entry;
    const auto* source =
        std::get_if<query::SubquerySource>(&level_.query.entries[static_cast<std::size_t>(entry)].source);
    if (source == nullptr || !is_simple(*source->query)) return;
    const QueryPtr subquery = source->query;
    if (below_outer && source->lateral && has_outer_reference(*subquery)) return;
    // Without relations of its own it can only stand in a list of others, or alone.
    const bool may_be_empty = in_list && !nullable;
    if (subquery->from.empty() && !may_be_empty) return;
    // So do grouping sets with what they leave out.
    const bool keeps_columns = nullable || !level_.query.grouping_sets.empty();
    if (keeps_columns && !targets_are_columns(*subquery)) return;
    if (nullable && uses_whole_row(entry)) return;

    Level inner(level_.statement, &level_);
    prepare(inner, subquery);
    // What it was made of may have been merged with it by now.
    if (!has_relations(*inner.tree) && !may_be_empty) return;
    if (source->lateral && looks_out_below_outer_join(inner, *inner.tree)) return;
    if (keeps_columns) {
      for (const query::Target& target : inner.query.targets) {
        if (target.expression->as<Column>() == nullptr) return;
      }
    }
    const int offset = static_cast<int>(level_.query.entries.size());
    move_in(inner, numbers_of_entries(inner, offset));
    level_.query.has_subqueries |= inner.query.has_subqueries;
    for (auto& added : inner.query.entries) level_.query.entries.push_back(std::move(added));
    replace_columns(entry, inner.query.targets);
    node = inner.tree;
    if (node->items.size() == 1 && node->conditions.empty()) node = node->items.front();
  }

  static bool targets_are_columns(const Query& query) {
    return std::all_of(query.targets.begin(), query.targets.end(), [](const query::Target& target) {
      const auto* column = target.expression->as<Column>();
      return column != nullptr && column->levels_up == 0 && column->column != Column::whole_row;
    });
  }

  bool uses_whole_row(int entry) {
    bool found = false;
    rewrite_level(level_, [&](const ExpressionPtr& expression, int levels) -> ExpressionPtr {
      const auto* column = expression->as<Column>();
      found |= column != nullptr && column->levels_up == levels && column->entry == entry &&
               column->column == Column::whole_row;
      return nullptr;
    });
    return found;
  }

  static void add_tree_entries(JoinNode& node, std::vector<int>& entries) {
    if (node.entry >= 0) entries.push_back(node.entry);
    for (JoinNodePtr& item : node.items) add_tree_entries(*item, entries);
  }

  // What the inner query's entries are to be called, by what they are: those that subqueries left behind that were
  // merged with it are dropped, so that many of them, one inside the other, are no matter.
  static std::vector<int> numbers_of_entries(Level& inner, int offset) {
    std::vector<int> used;
    add_tree_entries(*inner.tree, used);
    std::sort(used.begin(), used.end());
    std::vector<int> numbers(inner.query.entries.size(), -1);
    std::vector<query::RangeTableEntry> entries;
    for (const int entry : used) {
      numbers[static_cast<std::size_t>(entry)] = offset + static_cast<int>(entries.size());
      entries.push_back(std::move(inner.query.entries[static_cast<std::size_t>(entry)]));
    }
    inner.query.entries = std::move(entries);
    return numbers;
  }

  // The inner query's entries get these numbers; what was outside it is now at its own level.
  static void move_in(Level& inner, const std::vector<int>& numbers) {
    shift_tree(*inner.tree, numbers);
    auto move = [&](const ExpressionPtr& expression) {
      ExpressionPtr moved = query::rewrite(expression, [&](const ExpressionPtr& e, int levels) -> ExpressionPtr {
        const auto* column = e->as<Column>();
        if (column == nullptr || column->levels_up != levels) return nullptr;
        Column copy = *column;
        copy.entry = numbers[static_cast<std::size_t>(copy.entry)];
        return make_expression(copy, e->type, e->position);
      });
      return shift_levels(moved, -1, 1);
    };
    auto before = std::make_shared<const Query>(std::move(inner.query));
    QueryPtr moved = query::rewrite(QueryPtr(before), [&](const ExpressionPtr& e, int levels) -> ExpressionPtr {
      const auto* column = e->as<Column>();
      if (column == nullptr || column->levels_up != levels) return nullptr;
      Column copy = *column;
      copy.entry = numbers[static_cast<std::size_t>(copy.entry)];
      return make_expression(copy, e->type, e->position);
    });
    inner.query = *shift_levels(moved, -1, 1);
    auto visit = [&](auto& self, JoinNode& node) -> void {
      for (ExpressionPtr& condition : node.conditions) condition = move(condition);
      for (JoinNodePtr& item : node.items) self(self, *item);
    };
    visit(visit, *inner.tree);
  }

  static void shift_tree(JoinNode& node, const std::vector<int>& numbers) {
    if (node.entry >= 0) node.entry = numbers[static_cast<std::size_t>(node.entry)];
    for (JoinNodePtr& item : node.items) shift_tree(*item, numbers);
  }

  void replace_columns(int entry, const std::vector<query::Target>& targets) {
    const std::vector<query::OutputName> names = level_.query.entries[static_cast<std::size_t>(entry)].columns;
    // The subquery itself is gone; what is left of it must not be looked at.
    level_.query.entries[static_cast<std::size_t>(entry)].source = query::JoinSource{};
    rewrite_level(level_, [&](const ExpressionPtr& expression, int levels) -> ExpressionPtr {
      const auto* column = expression->as<Column>();
      if (column == nullptr || column->levels_up != levels || column->entry != entry) return nullptr;
      if (column->column != Column::whole_row) {
        return shift_levels(targets[static_cast<std::size_t>(column->column - 1)].expression, levels, 0);
      }
      query::RowConstructor row;
      for (std::size_t i = 0; i < names.size(); ++i) {
        row.fields.push_back(shift_levels(targets[i].expression, levels, 0));
        row.names.push_back(names[i].name);
      }
      return make_expression(std::move(row), TypeId::record, expression->position);
    });
  }

  Level& level_;
};

}  // namespace

void fold_flat_union(Level& level, const Query& query) {
  if (!query::is_flat_union(query)) return;
  const PlannerInputs& inputs = level.statement.inputs;
  for (const query::RangeTableEntry& entry : query.entries) {
    const auto* part = std::get_if<query::SubquerySource>(&entry.source);
    if (part == nullptr || !is_simple(*part->query) || part->query->where || part->query->from.size() > 1) continue;
    if (!part->query->from.empty() && !part->query->from.front()->is_leaf()) continue;
    for (const query::Target& target : part->query->targets)
      query::fold(target.expression, {inputs.call, inputs.parameters, false, false});
  }
}

void pull_up_subqueries(Level& level) {
  const auto& entries = level.query.entries;
  const bool any = std::any_of(entries.begin(), entries.end(), [](const query::RangeTableEntry& entry) {
    return std::holds_alternative<query::SubquerySource>(entry.source);
  });
  if (any) SubqueryPuller(level).visit(level.tree, false, true, false);
}

}  // namespace polarsim::engine::plan
