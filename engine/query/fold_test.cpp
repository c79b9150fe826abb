#include "engine/query/fold.h"

#include <gtest/gtest.h>

#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {
namespace {

using enum TypeId;

ExpressionPtr number(std::int64_t value) { return make_expression(Constant{Value::integer(value)}, int4); }
ExpressionPtr null_of(TypeId type) { return make_expression(Constant{}, type); }
ExpressionPtr truth(bool value) { return make_expression(Constant{Value::boolean(value)}, boolean); }
ExpressionPtr column(int position, TypeId type = int4) { return make_expression(Column{0, position, 0}, type); }
ExpressionPtr operation(const char* symbol, ExpressionPtr left, ExpressionPtr right) {
  const OperatorEntry* entry = find_operator(symbol, left->type.id, right->type.id);
  EXPECT_NE(entry, nullptr) << symbol;
  return make_expression(OperatorCall{entry, {std::move(left), std::move(right)}}, entry->result);
}
ExpressionPtr all_of(std::vector<ExpressionPtr> arguments) {
  return make_expression(Logical{Logical::Kind::conjunction, std::move(arguments)}, boolean);
}
ExpressionPtr any_of(std::vector<ExpressionPtr> arguments) {
  return make_expression(Logical{Logical::Kind::disjunction, std::move(arguments)}, boolean);
}
ExpressionPtr no(ExpressionPtr argument) {
  return make_expression(Logical{Logical::Kind::negation, {std::move(argument)}}, boolean);
}
ExpressionPtr fails() { return operation("=", operation("/", number(1), number(0)), number(1)); }
ExpressionPtr is_null(ExpressionPtr argument, bool negated = false) {
  return make_expression(NullTest{std::move(argument), negated}, boolean);
}

void expect_folds(const ExpressionPtr& from, const ExpressionPtr& to) {
  const CallContext context;
  const ExpressionPtr folded = fold(from, {context, {}, false});
  EXPECT_TRUE(equal(folded, to)) << "of kind " << folded->node.index();
  // What is folded once stays.
  EXPECT_EQ(fold(folded, {context, {}, false}), folded);
}

TEST(Fold, CallsOfConstants) {
  expect_folds(operation("+", number(2), operation("*", number(3), number(4))), number(14));
  expect_folds(operation("+", column(1), operation("+", number(3), number(4))), operation("+", column(1), number(7)));
  expect_folds(operation("+", column(1), null_of(int4)), null_of(int4));
  expect_folds(operation("=", column(1), number(1)), operation("=", column(1), number(1)));
  const CallContext context;
  EXPECT_THROW(fold(fails(), {context, {}, false}), SqlError);
}

TEST(Fold, VolatileFunctionsStay) {
  const ExpressionPtr random = make_expression(Call{find_function("random", {}), {}}, float8);
  expect_folds(random, random);
  const ExpressionPtr today = make_expression(ValueFunction{}, date);
  expect_folds(today, today);
  const CallContext context;
  EXPECT_NE(fold(today, {context, {}, true})->as<Constant>(), nullptr);
  EXPECT_EQ(fold(random, {context, {}, true}), random);
}

TEST(Fold, Parameters) {
  const ExpressionPtr sum = operation("+", make_expression(Parameter{1, false}, int4), number(1));
  const Row values{Value::integer(41)};
  const CallContext context;
  EXPECT_TRUE(equal(fold(sum, {context, values, false}), number(42)));
  EXPECT_EQ(fold(sum, {context, {}, false}), sum);
}

TEST(Fold, LogicLosesWhatCannotMatter) {
  const ExpressionPtr a = operation("=", column(1), number(1));
  const ExpressionPtr b = operation("=", column(2), number(1));
  expect_folds(all_of({truth(true), a, truth(true)}), a);
  expect_folds(all_of({a, truth(false), fails()}), truth(false));
  expect_folds(any_of({truth(true), fails()}), truth(true));
  expect_folds(any_of({a, null_of(boolean), b}), any_of({a, b, null_of(boolean)}));
  expect_folds(all_of({a, all_of({b, truth(true)})}), all_of({a, b}));
  expect_folds(all_of({truth(true)}), truth(true));
  expect_folds(any_of({null_of(boolean), truth(false)}), null_of(boolean));
}

TEST(Fold, NotIsPushedDown) {
  const ExpressionPtr equals = operation("=", column(1), number(1));
  const ExpressionPtr differs = operation("<>", column(1), number(1));
  const ExpressionPtr flag = column(3, boolean);
  expect_folds(no(equals), differs);
  expect_folds(no(no(flag)), flag);
  expect_folds(no(all_of({equals, flag})), any_of({differs, no(flag)}));
  expect_folds(no(is_null(column(1))), is_null(column(1), true));
  expect_folds(operation("=", flag, truth(false)), no(flag));
  expect_folds(operation("<>", truth(false), flag), flag);
  expect_folds(no(any_of({no(equals), flag})), all_of({equals, no(flag)}));
}

TEST(Fold, CaseAndCoalesceLoseWhatCannotBeReached) {
  const auto choice = [](ExpressionPtr operand, std::vector<Case::Branch> branches, ExpressionPtr otherwise) {
    return make_expression(Case{std::move(operand), std::move(branches), std::move(otherwise)}, int4);
  };
  const ExpressionPtr a = operation("=", column(1), number(1));
  expect_folds(
      choice(nullptr, {{truth(false), operation("/", number(1), number(0))}, {a, number(2)}, {truth(true), number(3)}},
             number(4)),
      choice(nullptr, {{a, number(2)}}, number(3)));
  const ExpressionPtr operand = make_expression(CaseOperand{}, int4);
  expect_folds(choice(number(3), {{operation("=", operand, number(3)), column(1)}}, number(7)), column(1));
  expect_folds(choice(number(4), {{operation("=", operand, number(3)), column(1)}}, number(7)), number(7));
  const auto coalesce = [](std::vector<ExpressionPtr> arguments) {
    return make_expression(Coalesce{std::move(arguments)}, int4);
  };
  expect_folds(coalesce({null_of(int4), column(1), number(1), operation("/", number(1), number(0))}),
               coalesce({column(1), number(1)}));
  expect_folds(coalesce({null_of(int4), number(1)}), number(1));
  expect_folds(coalesce({null_of(int4)}), null_of(int4));
  const CallContext context;
  EXPECT_THROW(fold(coalesce({column(1), operation("/", number(1), number(0))}), {context, {}, false}), SqlError);
}

TEST(Fold, RowsAreTestedByField) {
  const auto row = [](std::vector<ExpressionPtr> fields) {
    return make_expression(RowConstructor{std::move(fields), {}}, record);
  };
  expect_folds(is_null(row({column(1), number(1)}), true), is_null(column(1), true));
  expect_folds(is_null(row({column(1), number(1)})), truth(false));
  expect_folds(is_null(row({column(1), column(2)})), all_of({is_null(column(1)), is_null(column(2))}));
  expect_folds(make_expression(FieldSelection{row({column(1), number(2)}), 2}, int4), number(2));
}

TEST(Fold, EverywhereInAQuery) {
  auto inner = std::make_shared<Query>();
  inner->where = operation("=", column(1), operation("+", number(1), number(1)));
  auto query = std::make_shared<Query>();
  query->where = make_expression(Subquery{Subquery::Kind::exists, inner, {}, {}}, boolean);
  query->limit = operation("+", number(1), number(2));
  const CallContext context;
  const QueryPtr folded = fold(QueryPtr(query), {context, {}, false});
  EXPECT_TRUE(equal(folded->limit, number(3)));
  EXPECT_TRUE(equal(folded->where->as<Subquery>()->query->where, operation("=", column(1), number(2))));
  EXPECT_EQ(fold(folded, {context, {}, false}), folded);
}

}  // namespace
}  // namespace polarsim::engine::query
