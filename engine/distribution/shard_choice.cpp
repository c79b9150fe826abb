#include "engine/distribution/shard_choice.h"

#include <algorithm>

#include "engine/query/expression_walk.h"
#include "engine/query/program.h"
#include "engine/types/array.h"

namespace polarsim::engine::distribution {
namespace {

using Kind = ShardChoice::Kind;
using Positions = std::vector<std::size_t>;

ShardChoicePtr make_choice(Kind kind, std::vector<ShardChoicePtr> arguments = {}) {
  auto choice = std::make_shared<ShardChoice>();
  choice->kind = kind;
  choice->arguments = std::move(arguments);
  return choice;
}

// The value of an expression that sees no row; the constant's or parameter's own place if it is one.
const Value& value_of(const query::ExpressionPtr& expression, const StatementValues& values, Value& storage) {
  if (const auto* constant = expression->as<query::Constant>()) return constant->value;
  if (const auto* parameter = expression->as<query::Parameter>()) {
    const auto index = static_cast<std::size_t>(parameter->index - 1);
    if (index < values.parameters.size()) return values.parameters[index];
  }
  storage = query::Program::compile(expression).run({{}, {}, values.parameters, nullptr}, values.call);
  return storage;
}

bool same_value(const ShardChoice& a, const ShardChoice& b) {
  return a.kind == b.kind && a.type == b.type && query::equal(a.value, b.value) &&
         !query::contains_volatility(a.value, Volatility::volatile_function);
}

std::optional<std::size_t> position_of(const Value& value, TypeId type, const TableDistribution& table) {
  if (value.is_null()) return std::nullopt;
  if (table.method != Method::hash) return 0;
  return shard_position(table, hash_of(value, type));
}

Positions positions_of_array(const ShardChoice& choice, const TableDistribution& table, const StatementValues& values) {
  Value storage;
  const Value& array = value_of(choice.value, values, storage);
  Positions positions;
  if (array.is_null()) return positions;
  for (const Value& element : array.as_array().elements()) {
    if (const auto position = position_of(element, choice.type, table)) positions.push_back(*position);
  }
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  return positions;
}

Positions every_position(const TableDistribution& table) {
  Positions positions(table.shards.size());
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = i;
  return positions;
}

void add_arguments(Kind kind, const ShardChoicePtr& choice, std::vector<ShardChoicePtr>& arguments) {
  if (choice->kind == kind) {
    arguments.insert(arguments.end(), choice->arguments.begin(), choice->arguments.end());
  } else {
    arguments.push_back(choice);
  }
}

}  // namespace

ShardChoicePtr all_shards() {
  static const ShardChoicePtr choice = make_choice(Kind::all);
  return choice;
}

ShardChoicePtr no_shards() {
  static const ShardChoicePtr choice = make_choice(Kind::none);
  return choice;
}

ShardChoicePtr shard_of_value(query::ExpressionPtr value, TypeId type) {
  auto choice = std::make_shared<ShardChoice>();
  choice->kind = Kind::one;
  choice->value = std::move(value);
  choice->type = type;
  return choice;
}

ShardChoicePtr only_shard() {
  static const ShardChoicePtr choice =
      shard_of_value(query::make_expression(query::Constant{Value::boolean(true)}, TypeId::boolean), TypeId::boolean);
  return choice;
}

ShardChoicePtr both_choices(const ShardChoicePtr& a, const ShardChoicePtr& b) {
  if (a->kind == Kind::all || b->kind == Kind::none || a == b) return b;
  if (b->kind == Kind::all || a->kind == Kind::none) return a;
  if (a->value && same_value(*a, *b)) return a;
  std::vector<ShardChoicePtr> arguments;
  add_arguments(Kind::conjunction, a, arguments);
  add_arguments(Kind::conjunction, b, arguments);
  return make_choice(Kind::conjunction, std::move(arguments));
}

ShardChoicePtr either_choice(const ShardChoicePtr& a, const ShardChoicePtr& b) {
  if (a->kind == Kind::none || b->kind == Kind::all || a == b) return b;
  if (b->kind == Kind::none || a->kind == Kind::all) return a;
  if (a->value && same_value(*a, *b)) return a;
  std::vector<ShardChoicePtr> arguments;
  add_arguments(Kind::disjunction, a, arguments);
  add_arguments(Kind::disjunction, b, arguments);
  return make_choice(Kind::disjunction, std::move(arguments));
}

bool is_single(const ShardChoice& choice) {
  switch (choice.kind) {
    case Kind::none:
    case Kind::one:
      return true;
    case Kind::conjunction:
      return std::any_of(choice.arguments.begin(), choice.arguments.end(),
                         [](const ShardChoicePtr& each) { return is_single(*each); });
    default:
      return false;
  }
}

bool is_same_single(const ShardChoice& a, const ShardChoice& b) {
  if (a.kind == Kind::none || b.kind == Kind::none) return is_single(a) && is_single(b);
  return a.kind == Kind::one && same_value(a, b);
}

bool depends_on_values(const ShardChoice& choice) {
  if (choice.value) {
    bool found = query::contains_volatility(choice.value, Volatility::stable);
    query::walk(choice.value, [&](const query::Expression& each, int) {
      found = found || each.as<query::Parameter>() || each.as<query::ValueFunction>();
      return !found;
    });
    return found;
  }
  return std::any_of(choice.arguments.begin(), choice.arguments.end(),
                     [](const ShardChoicePtr& each) { return depends_on_values(*each); });
}

std::vector<std::size_t> chosen_shards(const ShardChoice& choice, const TableDistribution& table,
                                       const StatementValues& values) {
  switch (choice.kind) {
    case Kind::all:
      return every_position(table);
    case Kind::none:
      return {};
    case Kind::one: {
      Value storage;
      const auto position = position_of(value_of(choice.value, values, storage), choice.type, table);
      return position ? Positions{*position} : Positions{};
    }
    case Kind::any_of:
      return positions_of_array(choice, table, values);
    case Kind::conjunction:
    case Kind::disjunction:
      break;
  }
  Positions positions = chosen_shards(*choice.arguments[0], table, values);
  for (std::size_t i = 1; i < choice.arguments.size(); ++i) {
    const Positions other = chosen_shards(*choice.arguments[i], table, values);
    Positions together;
    if (choice.kind == Kind::conjunction) {
      std::set_intersection(positions.begin(), positions.end(), other.begin(), other.end(),
                            std::back_inserter(together));
    } else {
      std::set_union(positions.begin(), positions.end(), other.begin(), other.end(), std::back_inserter(together));
    }
    positions = std::move(together);
  }
  return positions;
}

std::optional<std::size_t> chosen_shard(const ShardChoice& choice, const TableDistribution& table,
                                        const StatementValues& values) {
  if (choice.kind == Kind::one) {
    Value storage;
    return position_of(value_of(choice.value, values, storage), choice.type, table);
  }
  const Positions positions = chosen_shards(choice, table, values);
  if (positions.empty()) return std::nullopt;
  return positions[0];
}

}  // namespace polarsim::engine::distribution
