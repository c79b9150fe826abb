// Questions about conditions that the planner's parts share (PostgreSQL's src/backend/optimizer/util/clauses.c).
#include <algorithm>

#include "engine/plan/level.h"

namespace polarsim::engine::plan {
namespace {

using query::Logical;

// What all alternatives have in common.
void intersect(std::vector<char>& all, const std::vector<char>& one) {
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(all[i] != 0 && one[i] != 0);
}

void add_common(const std::vector<ExpressionPtr>& arguments, bool top, std::vector<char>& entries) {
  std::vector<char> common(entries.size(), 1);
  for (const ExpressionPtr& argument : arguments) {
    std::vector<char> one(entries.size(), 0);
    add_nonnullable_entries(argument, top, one);
    intersect(common, one);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<char>(entries[i] != 0 || common[i] != 0);
}

bool tests_true_or_false(query::BooleanTest::Kind kind) {
  using Kind = query::BooleanTest::Kind;
  return kind == Kind::is_true || kind == Kind::is_false || kind == Kind::is_not_unknown;
}

}  // namespace

Relids Level::relids_of(const ExpressionPtr& expression) const {
  Relids result = 0;
  if (expression == nullptr) return result;
  query::walk(expression, [&](const Expression& node, int levels) {
    if (const auto* column = node.as<Column>(); column != nullptr && column->levels_up == levels) {
      const int base = base_of_entry[static_cast<std::size_t>(column->entry)];
      if (base >= 0) result |= relid(base);
    }
    return true;
  });
  return result;
}

ExpressionPtr make_boolean(bool value) {
  return query::make_expression(query::Constant{Value::boolean(value)}, TypeId::boolean);
}

bool is_true_constant(const ExpressionPtr& expression) {
  const auto* constant = node_of<query::Constant>(expression);
  return constant != nullptr && constant->value.is_boolean() && constant->value.as_boolean();
}

bool is_false_constant(const ExpressionPtr& expression) {
  const auto* constant = node_of<query::Constant>(expression);
  return constant != nullptr &&
         (constant->value.is_null() || (constant->value.is_boolean() && !constant->value.as_boolean()));
}

ExpressionPtr make_conjunction(std::vector<ExpressionPtr> conditions) {
  if (conditions.empty()) return nullptr;
  if (conditions.size() == 1) return conditions.front();
  return query::make_expression(Logical{Logical::Kind::conjunction, std::move(conditions)}, TypeId::boolean);
}

void add_conjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& list) {
  if (condition == nullptr || is_true_constant(condition)) return;
  const auto* logical = condition->as<Logical>();
  if (logical == nullptr || logical->kind != Logical::Kind::conjunction) {
    list.push_back(condition);
    return;
  }
  for (const ExpressionPtr& argument : logical->arguments) add_conjuncts(argument, list);
}

void add_nonnullable_entries(const ExpressionPtr& condition, bool top, std::vector<char>& entries) {
  if (condition == nullptr) return;
  if (const auto* column = condition->as<Column>()) {
    if (column->levels_up == 0) entries[static_cast<std::size_t>(column->entry)] = 1;
  } else if (const auto* call = condition->as<query::Call>()) {
    if (!call->function->strict || call->function->kind != FunctionKind::scalar || call->variadic_array) return;
    for (const auto& argument : call->arguments) add_nonnullable_entries(argument, false, entries);
  } else if (const auto* operation = condition->as<query::OperatorCall>()) {
    if (!operation->function->strict) return;
    for (const auto& argument : operation->arguments) add_nonnullable_entries(argument, false, entries);
  } else if (const auto* convert = condition->as<query::Convert>()) {
    add_nonnullable_entries(convert->argument, false, entries);
  } else if (const auto* array = condition->as<query::ArrayComparison>()) {
    // Of an empty array the result is false, not NULL, which is enough where a condition has to be true.
    if (array->function->strict && !array->all && top) add_nonnullable_entries(array->left, false, entries);
  } else if (const auto* logical = condition->as<Logical>()) {
    if (logical->kind == Logical::Kind::negation) {
      add_nonnullable_entries(logical->arguments.front(), false, entries);
    } else if (logical->kind == Logical::Kind::conjunction && top) {
      for (const auto& argument : logical->arguments) add_nonnullable_entries(argument, true, entries);
    } else {
      add_common(logical->arguments, top, entries);
    }
  } else if (const auto* test = condition->as<query::NullTest>()) {
    if (top && test->negated && test->argument->type.id != TypeId::record) {
      add_nonnullable_entries(test->argument, false, entries);
    }
  } else if (const auto* boolean = condition->as<query::BooleanTest>()) {
    if (top && tests_true_or_false(boolean->kind)) add_nonnullable_entries(boolean->argument, false, entries);
  }
}

bool is_strict_in(const ExpressionPtr& condition, const std::vector<char>& entries) {
  std::vector<char> found(entries.size(), 0);
  add_nonnullable_entries(condition, true, found);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] != 0 && found[i] != 0) return true;
  }
  return false;
}

bool is_strict_throughout(const ExpressionPtr& expression) {
  return !query::contains(expression, [](const Expression& node) {
    if (const auto* call = node.as<query::Call>()) {
      return !call->function->strict || call->function->kind != FunctionKind::scalar || call->variadic_array;
    }
    if (const auto* operation = node.as<query::OperatorCall>()) return !operation->function->strict;
    return !node.as<Column>() && !node.as<query::Constant>() && !node.as<query::Parameter>() &&
           !node.as<query::Convert>();
  });
}

bool returns_set(const ExpressionPtr& expression) {
  return query::contains(expression, [](const Expression& node) {
    const auto* call = node.as<query::Call>();
    return call != nullptr && call->function->kind == FunctionKind::set;
  });
}

std::vector<query::OutputName> output_names(const Query& query) {
  std::vector<query::OutputName> names;
  for (const query::Target& target : query.command == query::Command::select ? query.targets : query.returning) {
    if (!target.hidden) names.push_back({target.name, target.expression->type});
  }
  return names;
}

ExpressionPtr strip_relabel(const ExpressionPtr& expression) {
  ExpressionPtr result = expression;
  while (const auto* convert = node_of<query::Convert>(result)) {
    if (convert->conversion.kind != Conversion::Kind::relabel) break;
    // Its blanks count no more, or count now: what is equal, and what comes first, is not the same.
    if ((result->type.id == TypeId::bpchar) != (convert->argument->type.id == TypeId::bpchar)) break;
    result = convert->argument;
  }
  return result;
}

}  // namespace polarsim::engine::plan
