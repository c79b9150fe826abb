#include "engine/distribution/flatten.h"

#include "engine/distribution/columns.h"
#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::JoinTree;
using query::JoinTreePtr;
using query::QueryPtr;

void collect(const JoinTreePtr& tree, std::vector<JoinTreePtr>& leaves, std::vector<ExpressionPtr>& conditions) {
  if (tree->is_leaf()) return leaves.push_back(tree);
  collect(tree->left, leaves, conditions);
  collect(tree->right, leaves, conditions);
  add_conjuncts(tree->condition, conditions);
}

// Columns of joins are replaced by what they are made of.
QueryPtr without_join_columns(const QueryPtr& query) {
  DeepRewrite rewrite;
  rewrite.expression = [&](const ExpressionPtr& expression, int depth) -> ExpressionPtr {
    const auto* column = expression->as<query::Column>();
    if (column == nullptr || column->levels_up != depth) return nullptr;
    const auto* join = std::get_if<query::JoinSource>(&query->entries[static_cast<std::size_t>(column->entry)].source);
    if (join == nullptr) return nullptr;
    if (column->column <= 0) {
      throw SqlError(sqlstate::feature_not_supported, "whole rows of joins of distributed tables are not supported");
    }
    const ExpressionPtr& made = join->columns.at(static_cast<std::size_t>(column->column - 1));
    // It stands so many queries further inside now.
    const ExpressionPtr moved = query::rewrite(made, [&](const ExpressionPtr& part, int levels) -> ExpressionPtr {
      const auto* own = part->as<query::Column>();
      if (own == nullptr || own->levels_up != levels) return nullptr;
      query::Column deeper = *own;
      deeper.levels_up += depth;
      return query::make_expression(deeper, part->type, part->position);
    });
    return rewrite_deep(moved, rewrite, depth);
  };
  return rewrite_deep(query, rewrite);
}

}  // namespace

QueryPtr without_joins(const QueryPtr& query) {
  auto bare = std::make_shared<query::Query>(*query);
  std::vector<JoinTreePtr> leaves;
  std::vector<ExpressionPtr> conditions;
  for (const JoinTreePtr& tree : query->from) collect(tree, leaves, conditions);
  add_conjuncts(query->where, conditions);
  bare->from = std::move(leaves);
  bare->where = conjunction_of(std::move(conditions));
  QueryPtr rewritten = without_join_columns(bare);
  auto result = std::make_shared<query::Query>(*rewritten);
  // The joins' entries stay in their places, so that the others keep their numbers; they have no columns any more.
  for (query::RangeTableEntry& entry : result->entries) {
    if (auto* join = std::get_if<query::JoinSource>(&entry.source)) {
      join->columns.clear();
      entry.columns.clear();
    }
  }
  return result;
}

std::vector<int> leaves_of(const query::Query& query) {
  std::vector<int> leaves;
  for (const JoinTreePtr& tree : query.from) leaves.push_back(tree->entry);
  return leaves;
}

ExpressionPtr conjunction_of(std::vector<ExpressionPtr> conditions) {
  if (conditions.empty()) return nullptr;
  if (conditions.size() == 1) return conditions[0];
  return query::make_expression(query::Logical{query::Logical::Kind::conjunction, std::move(conditions)},
                                TypeId::boolean);
}

}  // namespace polarsim::engine::distribution
