#include "engine/query/expression_walk.h"

#include <gtest/gtest.h>

namespace polarsim::engine::query {
namespace {

ExpressionPtr column(int entry, int number, int levels_up = 0) {
  return make_expression(Column{entry, number, levels_up}, TypeId::int4);
}
ExpressionPtr constant(std::int64_t value) { return make_expression(Constant{Value::integer(value)}, TypeId::int4); }
ExpressionPtr operation(const char* symbol, ExpressionPtr left, ExpressionPtr right) {
  const OperatorEntry* entry = find_operator(symbol, left->type.id, right->type.id);
  return make_expression(OperatorCall{entry, {std::move(left), std::move(right)}}, entry->result);
}
QueryPtr query_of(ExpressionPtr where) {
  auto query = std::make_shared<Query>();
  query->where = std::move(where);
  return query;
}

JoinTreePtr leaf(int entry) {
  auto tree = std::make_shared<JoinTree>();
  tree->entry = entry;
  return tree;
}

TEST(ExpressionWalk, MappingNothingGivesTheSameNode) {
  const ExpressionPtr sum = operation("+", column(0, 1), constant(1));
  EXPECT_EQ(map_children(sum, [](const ExpressionPtr& child) { return child; }), sum);
  EXPECT_EQ(rewrite(sum, [](const ExpressionPtr&, int) { return ExpressionPtr(); }), sum);
}

TEST(ExpressionWalk, RewritingCopiesThePathOnly) {
  const ExpressionPtr kept = operation("*", column(0, 2), constant(3));
  const ExpressionPtr sum = operation("+", operation("+", column(0, 1), constant(1)), kept);
  const ExpressionPtr changed = rewrite(sum, [](const ExpressionPtr& each, int) {
    const auto* found = each->as<Column>();
    return found && found->column == 1 ? constant(7) : ExpressionPtr();
  });
  EXPECT_NE(changed, sum);
  EXPECT_EQ(changed->as<OperatorCall>()->arguments[1], kept);
  EXPECT_TRUE(equal(changed, operation("+", operation("+", constant(7), constant(1)), kept)));
  EXPECT_FALSE(equal(changed, sum));
}

TEST(ExpressionWalk, LevelsAreCountedThroughQueries) {
  const QueryPtr inner = query_of(operation("=", column(0, 1), column(0, 5, 1)));
  const ExpressionPtr exists = make_expression(Subquery{Subquery::Kind::exists, inner, {}, {}}, TypeId::boolean);
  EXPECT_TRUE(uses_columns(exists));
  const ExpressionPtr moved = rewrite(exists, [](const ExpressionPtr& each, int levels) {
    const auto* found = each->as<Column>();
    return found && found->levels_up == levels ? column(found->entry + 1, found->column, levels) : ExpressionPtr();
  });
  EXPECT_TRUE(equal(moved->as<Subquery>()->query->where, operation("=", column(0, 1), column(1, 5, 1))));
  EXPECT_FALSE(
      uses_columns(make_expression(Subquery{Subquery::Kind::exists, query_of(column(0, 1)), {}, {}}, TypeId::boolean)));
}

TEST(ExpressionWalk, ConditionsOfJoinsAreRewritten) {
  auto join = std::make_shared<JoinTree>();
  join->left = leaf(0);
  join->right = leaf(1);
  join->condition = operation("=", column(0, 1), column(1, 1));
  auto query = std::make_shared<Query>();
  query->from.push_back(join);
  int columns = 0;
  walk(*query, [&](const Expression& each, int) {
    columns += each.as<Column>() != nullptr ? 1 : 0;
    return true;
  });
  EXPECT_EQ(columns, 2);
  const QueryPtr changed = rewrite(QueryPtr(query), [](const ExpressionPtr& each, int) {
    return each->as<Column>() ? constant(1) : ExpressionPtr();
  });
  EXPECT_TRUE(equal(changed->from[0]->condition, operation("=", constant(1), constant(1))));
  EXPECT_EQ(changed->from[0]->left, join->left);
}

TEST(ExpressionWalk, VolatilityIsThatOfTheWorstCall) {
  EXPECT_FALSE(contains_volatility(operation("+", column(0, 1), constant(1)), Volatility::stable));
  const FunctionEntry* random = find_function("random", {});
  ASSERT_NE(random, nullptr);
  const ExpressionPtr call = make_expression(Call{random, {}}, TypeId::float8);
  EXPECT_TRUE(contains_volatility(call, Volatility::volatile_function));
  const ExpressionPtr now = make_expression(ValueFunction{}, TypeId::date);
  EXPECT_TRUE(contains_volatility(now, Volatility::stable));
  EXPECT_FALSE(contains_volatility(now, Volatility::volatile_function));
}

}  // namespace
}  // namespace polarsim::engine::query
