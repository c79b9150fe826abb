#include "engine/sql/binder.h"

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"

namespace polarsim::engine::sql {
namespace {

using Kind = Expression::Kind;

[[noreturn]] void fail(const char* state, std::string message, int position, std::string hint = "") {
  SqlError error(state, std::move(message), "", std::move(hint));
  error.at(position);
  throw error;
}

bool is_integer_type(TypeId type) { return type == TypeId::int4 || type == TypeId::int8; }

}  // namespace

bool same_in_query(const Expression& a, const Expression& b) {
  if (a.kind != b.kind || a.type != b.type || a.index != b.index || a.negated != b.negated || a.star != b.star ||
      a.distinct != b.distinct || a.name != b.name || !(a.value == b.value)) {
    return false;
  }
  return std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    [](const ExpressionPtr& x, const ExpressionPtr& y) { return same_in_query(*x, *y); });
}

int Binder::Typed::position() const {
  int first = node->position;
  for (const Expression* next = node;;) {
    const bool starts_with_operand = next->kind == Kind::operation || next->kind == Kind::cast ||
                                     next->kind == Kind::is_null || next->kind == Kind::in_list ||
                                     next->kind == Kind::logical_and || next->kind == Kind::logical_or;
    if (!starts_with_operand) return first;
    next = next->arguments[0].get();
    if (next->position > 0 && (first == 0 || next->position < first)) first = next->position;
  }
}

int Binder::append(Operation operation, int change, TypeId type, int operand, int first) {
  node_->code.push_back({operation, type, operand, first});
  height_ += change;
  node_->stack_size = std::max(node_->stack_size, height_);
  return here() - 1;
}

int Binder::push_constant(Value value) {
  node_->constants.push_back(std::move(value));
  return append(Operation::push_constant, 1, TypeId::unknown, static_cast<int>(node_->constants.size()) - 1);
}

void Binder::land(const std::vector<int>& jumps) {
  for (const int jump : jumps) node_->code[static_cast<std::size_t>(jump)].operand = here();
}

BoundExpression Binder::finish(Typed value) {
  resolve(value, TypeId::text);
  node_->type = value.type;
  return BoundExpression(node_);
}

Binder::Typed Binder::emit(const Expression& node) {
  if (options_.group_by == nullptr || covered_ || inside_aggregate_ || !covers(node)) return emit_kind(node);
  covered_ = true;
  const Typed value = emit_kind(node);
  covered_ = false;
  return value;
}

Binder::Typed Binder::emit_kind(const Expression& node) {
  switch (node.kind) {
    case Kind::constant:
      return constant(node);
    case Kind::parameter:
      return parameter(node);
    case Kind::column:
      return column(node);
    case Kind::excluded:
      return excluded(node);
    case Kind::operation:
      return operation(node);
    case Kind::logical_and:
    case Kind::logical_or:
      return logical(node);
    case Kind::logical_not: {
      Typed value = emit(*node.arguments[0]);
      require_boolean(value, "argument of NOT");
      append(Operation::logical_not, 0);
      return result(TypeId::boolean, node);
    }
    case Kind::is_null:
      return is_null(node);
    case Kind::in_list:
      return in_list(node);
    case Kind::case_when:
      return case_when(node);
    case Kind::coalesce:
      return coalesce(node);
    case Kind::cast: {
      Typed value = emit(*node.arguments[0]);
      cast_explicitly(value, node.type, node.position);
      return result(node.type, node);
    }
    case Kind::function:
      return function(node);
  }
  fail(sqlstate::internal_error, "unrecognized node type", node.position);
}

Binder::Typed Binder::constant(const Expression& node) {
  const int instruction = push_constant(node.value);
  return {node.type, node.type == TypeId::unknown ? instruction : -1, &node};
}

Binder::Typed Binder::parameter(const Expression& node) {
  const auto index = static_cast<std::size_t>(node.index);
  const TypeId declared =
      index <= options_.parameter_types.size() ? options_.parameter_types[index - 1] : TypeId::unknown;
  const TypeId type = declared != TypeId::unknown ? declared : node.type;
  const int instruction = append(Operation::push_parameter, 1, type, node.index - 1);
  Typed value{type, type == TypeId::unknown ? instruction : -1, &node};
  if (node.type != TypeId::unknown) cast_explicitly(value, node.type, node.position);
  return value;
}

Binder::Typed Binder::column(const Expression& node) {
  const TableShape* table = options_.table;
  if (!node.table.empty() && (table == nullptr || table->name != node.table)) {
    fail(sqlstate::undefined_table, "missing FROM-clause entry for table \"" + node.table + "\"", node.position);
  }
  const int index = table != nullptr ? table->find(node.name) : -1;
  if (index < 0) {
    const std::string name = node.table.empty() ? "\"" + node.name + "\"" : node.table + "." + node.name;
    fail(sqlstate::undefined_column, "column " + name + " does not exist", node.position);
  }
  if (options_.excluded_allowed && node.table.empty()) {
    fail(sqlstate::ambiguous_column, "column reference \"" + node.name + "\" is ambiguous", node.position);
  }
  require_grouped(node);
  append(Operation::push_column, 1, TypeId::unknown, index);
  return result(table->columns[static_cast<std::size_t>(index)].type, node);
}

Binder::Typed Binder::excluded(const Expression& node) {
  if (!options_.excluded_allowed || options_.table == nullptr) {
    fail(sqlstate::undefined_table, "missing FROM-clause entry for table \"excluded\"", node.position);
  }
  const int index = options_.table->find(node.name);
  if (index < 0) fail(sqlstate::undefined_column, "column excluded." + node.name + " does not exist", node.position);
  append(Operation::push_excluded, 1, TypeId::unknown, index);
  return result(options_.table->columns[static_cast<std::size_t>(index)].type, node);
}

bool Binder::covers(const Expression& node) const {
  // A constant is never looked up: ORDER BY and GROUP BY positions have been resolved before.
  if (node.kind == Kind::constant || node.kind == Kind::parameter) return false;
  const auto& keys = *options_.group_by;
  return std::any_of(keys.begin(), keys.end(), [&](const ExpressionPtr& key) { return same_in_query(*key, node); });
}

void Binder::require_grouped(const Expression& node) const {
  if (options_.group_by == nullptr || covered_ || inside_aggregate_) return;
  const TableShape& table = *options_.table;
  const auto grouped = [&](int key_column) {
    const std::string& name = table.columns[static_cast<std::size_t>(key_column)].name;
    return std::any_of(options_.group_by->begin(), options_.group_by->end(),
                       [&](const ExpressionPtr& key) { return key->kind == Kind::column && key->name == name; });
  };
  if (!table.primary_key.empty() && std::all_of(table.primary_key.begin(), table.primary_key.end(), grouped)) return;
  fail(sqlstate::grouping_error,
       "column \"" + table.name + "." + node.name +
           "\" must appear in the GROUP BY clause or be used in an aggregate function",
       node.position);
}

Binder::Typed Binder::logical(const Expression& node) {
  const bool conjunction = node.kind == Kind::logical_and;
  push_constant(Value::boolean(conjunction));
  std::vector<int> jumps;
  for (const ExpressionPtr& argument : node.arguments) {
    Typed value = emit(*argument);
    require_boolean(value, conjunction ? "argument of AND" : "argument of OR");
    jumps.push_back(append(conjunction ? Operation::and_step : Operation::or_step, -1));
  }
  land(jumps);
  return result(TypeId::boolean, node);
}

Binder::Typed Binder::case_when(const Expression& node) {
  std::vector<Typed> results;
  std::vector<int> to_end;
  std::size_t i = 0;
  for (; i + 1 < node.arguments.size(); i += 2) {
    Typed condition = emit(*node.arguments[i]);
    require_boolean(condition, "argument of CASE/WHEN");
    const int to_next = append(Operation::jump_unless_true, -1);
    results.push_back(emit(*node.arguments[i + 1]));
    to_end.push_back(append(Operation::jump, -1));
    land({to_next});
  }
  if (i < node.arguments.size()) {
    // PostgreSQL looks at the ELSE branch first when it chooses the type.
    results.insert(results.begin(), emit(*node.arguments[i]));
  } else {
    push_constant(Value::null());
  }
  land(to_end);
  return result(common_type(results, "CASE"), node);
}

Binder::Typed Binder::coalesce(const Expression& node) {
  std::vector<Typed> values;
  std::vector<int> jumps;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    values.push_back(emit(*node.arguments[i]));
    if (i + 1 < node.arguments.size()) jumps.push_back(append(Operation::jump_unless_null, -1));
  }
  land(jumps);
  return result(common_type(values, "COALESCE"), node);
}

Binder::Typed Binder::is_null(const Expression& node) {
  Typed value = emit(*node.arguments[0]);
  resolve(value, TypeId::text);
  append(node.negated ? Operation::is_not_null : Operation::is_null, 0);
  return result(TypeId::boolean, node);
}

TypeId Binder::common_type(std::vector<Typed>& values, std::string_view what) {
  TypeId common = TypeId::unknown;
  for (const Typed& value : values) {
    if (value.type == TypeId::unknown || value.type == common) continue;
    if (common == TypeId::unknown) {
      common = value.type;
    } else if (is_integer_type(common) && is_integer_type(value.type)) {
      common = TypeId::int8;
    } else {
      fail(sqlstate::datatype_mismatch,
           std::string(what) + " types " + type_name(common) + " and " + type_name(value.type) + " cannot be matched",
           value.position());
    }
  }
  if (common == TypeId::unknown) common = TypeId::text;
  for (Typed& value : values) resolve(value, common);
  return common;
}

void Binder::resolve(Typed& value, TypeId type) {
  if (value.type != TypeId::unknown) return;
  Instruction& instruction = node_->code[static_cast<std::size_t>(value.unresolved)];
  if (instruction.operation == Operation::push_parameter) {
    instruction.type = type;
  } else {
    Value& literal = node_->constants[static_cast<std::size_t>(instruction.operand)];
    try {
      if (!literal.is_null()) literal = from_text(literal.as_text(), type);
    } catch (SqlError& error) {
      error.at(value.position());
      throw;
    }
  }
  value.type = type;
  value.unresolved = -1;
}

void Binder::cast_explicitly(Typed& value, TypeId type, int position) {
  resolve(value, type);
  const TypeId from = value.type;
  value.type = type;
  if (from == type || (from == TypeId::int4 && type == TypeId::int8)) return;
  if (type == TypeId::text) {
    append(Operation::cast_to_text, 0);
  } else if (from == TypeId::text) {
    append(Operation::cast_text, 0, type);
  } else if (from == TypeId::int8 && type == TypeId::int4) {
    append(Operation::cast_integer, 0, type);
  } else if (from == TypeId::int4 && type == TypeId::boolean) {
    append(Operation::integer_to_boolean, 0);
  } else if (from == TypeId::boolean && type == TypeId::int4) {
    append(Operation::boolean_to_integer, 0);
  } else {
    fail(sqlstate::cannot_coerce, std::string("cannot cast type ") + type_name(from) + " to " + type_name(type),
         position);
  }
}

bool Binder::cast_for_assignment(Typed& value, TypeId type) {
  resolve(value, type);
  const bool allowed =
      value.type == type || type == TypeId::text || (is_integer_type(value.type) && is_integer_type(type));
  if (allowed) cast_explicitly(value, type, value.position());
  return allowed;
}

void Binder::require_boolean(Typed& value, std::string_view what) {
  resolve(value, TypeId::boolean);
  if (value.type == TypeId::boolean) return;
  fail(sqlstate::datatype_mismatch, std::string(what) + " must be type boolean, not type " + type_name(value.type),
       value.position());
}

}  // namespace polarsim::engine::sql
