// Which shards a condition leaves.
#include <algorithm>

#include "engine/distribution/locator.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;

// The value is known before there is a row, and is the same wherever it is asked for.
bool is_value(const ExpressionPtr& expression) {
  bool value = !query::contains_volatility(expression, Volatility::volatile_function);
  query::walk(expression, [&](const query::Expression& each, int) {
    if (each.as<query::Column>() || each.as<query::Subquery>() || each.as<query::Aggregate>() ||
        each.as<query::WindowCall>() || each.as<query::GroupingCall>() || each.as<query::CaseOperand>()) {
      value = false;
    }
    return value;
  });
  return value;
}

bool is_false_or_null(const ExpressionPtr& expression) {
  const auto* constant = expression->as<query::Constant>();
  return constant != nullptr && (constant->value.is_null() || !constant->value.as_boolean());
}

}  // namespace

void Locator::restrict(const Location& location, const std::vector<ExpressionPtr>& conjuncts, const Level& level) {
  if (!location.sharded) return;
  ShardChoicePtr choice = choice_at(location.component);
  for (const ExpressionPtr& conjunct : conjuncts) choice = both_choices(choice, choice_of(conjunct, location, level));
  choice_at(location.component) = choice;
}

ShardChoicePtr Locator::choice_of(const ExpressionPtr& condition, const Location& location, const Level& level) const {
  if (is_false_or_null(condition)) return no_shards();
  const auto is_key = [&](const ExpressionPtr& expression) {
    const auto column = column_of(expression, level);
    return column && std::any_of(location.keys.begin(), location.keys.end(),
                                 [&](const KeyColumn& key) { return key.column == *column; });
  };
  if (const auto* logical = condition->as<query::Logical>()) {
    if (logical->kind == query::Logical::Kind::negation) return all_shards();
    const bool all = logical->kind == query::Logical::Kind::conjunction;
    ShardChoicePtr choice = all ? all_shards() : no_shards();
    for (const ExpressionPtr& argument : logical->arguments) {
      const ShardChoicePtr own = choice_of(argument, location, level);
      choice = all ? both_choices(choice, own) : either_choice(choice, own);
    }
    return choice;
  }
  if (const auto* call = condition->as<query::OperatorCall>()) {
    if (!is_hashed_equality(*call)) return all_shards();
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const ExpressionPtr& value = call->arguments[1 - side];
      if (is_value(value) && is_key(call->arguments[side])) {
        return shard_of_value(value, operand_type(*call, 1 - side));
      }
    }
    return all_shards();
  }
  const auto* comparison = condition->as<query::ArrayComparison>();
  if (comparison == nullptr || comparison->all || std::string_view(comparison->function->symbol) != "=" ||
      !hashes_alike(comparison->function->left, comparison->function->right) || !is_value(comparison->array) ||
      !is_key(comparison->left)) {
    return all_shards();
  }
  auto choice = std::make_shared<ShardChoice>();
  choice->kind = ShardChoice::Kind::any_of;
  choice->value = comparison->array;
  choice->type = comparison->function->right;
  return choice;
}

}  // namespace polarsim::engine::distribution
