#include "engine/distribution/columns.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "engine/distribution/table.h"

namespace polarsim::engine::distribution {

std::vector<ColumnId> Equalities::closure(ColumnId column) const {
  std::vector<ColumnId> found{column};
  std::set<ColumnId> known{column};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto partners = partners_.find(found[i]);
    if (partners == partners_.end()) continue;
    for (const ColumnId& to : partners->second) {
      if (known.insert(to).second) found.push_back(to);
    }
  }
  return found;
}

bool Equalities::same(ColumnId a, ColumnId b) const {
  const std::vector<ColumnId> all = closure(a);
  return std::find(all.begin(), all.end(), b) != all.end();
}

namespace {

// Blanks at the end count in the hash of a text, and not for the equality of bpchar.
bool is_padded(TypeId type) { return type == TypeId::bpchar || type == TypeId::bpchar_array; }

}  // namespace

const query::ExpressionPtr& without_relabel(const query::ExpressionPtr& expression) {
  const query::ExpressionPtr* current = &expression;
  while (const auto* conversion = (*current)->as<query::Convert>()) {
    // A modifier that has to be enforced may change the value.
    if (conversion->conversion.kind != Conversion::Kind::relabel) break;
    if (is_padded((*current)->type.id) != is_padded(conversion->argument->type.id)) break;
    if ((*current)->type.modifier != no_modifier && (*current)->type.modifier != conversion->argument->type.modifier) {
      break;
    }
    current = &conversion->argument;
  }
  return *current;
}

std::optional<ColumnId> column_of(const query::ExpressionPtr& expression, const Level& level, int levels) {
  const query::ExpressionPtr& bare = without_relabel(expression);
  const auto* column = bare->as<query::Column>();
  if (column == nullptr || column->column <= 0 || column->levels_up < levels) return std::nullopt;
  const Level* owner = level.around(column->levels_up - levels);
  if (owner == nullptr) return std::nullopt;
  const query::RangeTableEntry& entry = owner->query->entries[static_cast<std::size_t>(column->entry)];
  if (const auto* join = std::get_if<query::JoinSource>(&entry.source)) {
    const auto index = static_cast<std::size_t>(column->column - 1);
    if (index < join->columns.size()) {
      if (const auto inner = column_of(join->columns[index], *owner)) return inner;
    }
  }
  return ColumnId{owner->number, column->entry, column->column};
}

void add_conjuncts(const query::ExpressionPtr& condition, std::vector<query::ExpressionPtr>& conjuncts) {
  if (!condition) return;
  const auto* logical = condition->as<query::Logical>();
  if (logical == nullptr || logical->kind != query::Logical::Kind::conjunction) return conjuncts.push_back(condition);
  for (const query::ExpressionPtr& argument : logical->arguments) add_conjuncts(argument, conjuncts);
}

TypeId operand_type(const query::OperatorCall& call, std::size_t side) {
  const TypeId taken = side == 0 ? call.function->left : call.function->right;
  return is_polymorphic(taken) ? call.arguments[side]->type.id : taken;
}

bool is_hashed_equality(const query::OperatorCall& call) {
  return call.arguments.size() == 2 && std::string_view(call.function->symbol) == "=" &&
         hashes_alike(operand_type(call, 0), operand_type(call, 1));
}

}  // namespace polarsim::engine::distribution
