#include <gtest/gtest.h>

#include "engine/plan/prepare.h"

namespace polarsim::engine::plan {
namespace {

using query::make_expression;

ExpressionPtr column(int entry, int number) { return make_expression(Column{entry, number, 0}, TypeId::int4); }
ExpressionPtr equality(const ExpressionPtr& left, const ExpressionPtr& right) {
  const auto* entry = find_operator("=", TypeId::int4, TypeId::int4);
  return make_expression(query::OperatorCall{entry, {left, right}}, TypeId::boolean);
}

// Table 0 LEFT (or FULL) JOIN table 1 ON 0.1 = 1.1, with conditions above.
class ReduceOuterJoins : public testing::Test {
 protected:
  PlanJoin reduced(PlanJoin type, std::vector<ExpressionPtr> conditions) {
    level_.query.entries.resize(2);
    join_ = std::make_shared<JoinNode>();
    join_->kind = JoinNode::Kind::join;
    join_->type = type;
    join_->conditions = {equality(column(0, 1), column(1, 1))};
    for (int entry = 0; entry < 2; ++entry) {
      auto leaf = std::make_shared<JoinNode>();
      leaf->kind = JoinNode::Kind::leaf;
      leaf->entry = entry;
      join_->items.push_back(leaf);
    }
    level_.tree = std::make_shared<JoinNode>();
    level_.tree->items = {join_};
    level_.tree->conditions = std::move(conditions);
    reduce_outer_joins(level_);
    return join_->type;
  }

  CallContext call_;
  PlannerSettings settings_;
  PlannerInputs inputs_{call_, settings_};
  StatementState statement_{inputs_};
  Level level_{statement_, nullptr};
  JoinNodePtr join_;
};

TEST_F(ReduceOuterJoins, StayWithoutConditionOnTheNullableSide) {
  EXPECT_EQ(reduced(PlanJoin::left, {}), PlanJoin::left);
  EXPECT_EQ(reduced(PlanJoin::left, {equality(column(0, 2), column(0, 1))}), PlanJoin::left);
}

TEST_F(ReduceOuterJoins, StrictConditionMakesThemInner) {
  EXPECT_EQ(reduced(PlanJoin::left, {equality(column(1, 2), column(0, 2))}), PlanJoin::inner);
  EXPECT_EQ(reduced(PlanJoin::full, {equality(column(1, 2), column(0, 2))}), PlanJoin::inner);
}

TEST_F(ReduceOuterJoins, FullJoinKeepsTheSideThatIsWanted) {
  EXPECT_EQ(reduced(PlanJoin::full, {equality(column(1, 2), column(1, 1))}), PlanJoin::left);
  EXPECT_EQ(join_->items[0]->entry, 1) << "the side whose rows are all kept comes first";
}

TEST_F(ReduceOuterJoins, NullOfAJoinedColumnMakesAnAntiJoinAndNeedsNoTest) {
  EXPECT_EQ(reduced(PlanJoin::left, {make_expression(query::NullTest{column(1, 1), false}, TypeId::boolean)}),
            PlanJoin::anti);
  EXPECT_TRUE(level_.tree->conditions.empty());
}

TEST_F(ReduceOuterJoins, NullOfAnotherColumnSaysNothing) {
  EXPECT_EQ(reduced(PlanJoin::left, {make_expression(query::NullTest{column(1, 2), false}, TypeId::boolean)}),
            PlanJoin::left);
  EXPECT_EQ(level_.tree->conditions.size(), 1U);
}

TEST(NonnullableEntries, AlternativesCountWhereAllDo) {
  const ExpressionPtr a = equality(column(0, 1), column(1, 1));
  const ExpressionPtr b = equality(column(1, 2), column(1, 1));
  const ExpressionPtr either =
      make_expression(query::Logical{query::Logical::Kind::disjunction, {a, b}}, TypeId::boolean);
  std::vector<char> entries(2, 0);
  add_nonnullable_entries(either, true, entries);
  EXPECT_EQ(entries, (std::vector<char>{0, 1}));
}

}  // namespace
}  // namespace polarsim::engine::plan
