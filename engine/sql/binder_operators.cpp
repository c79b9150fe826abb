#include <algorithm>
#include <string>
#include <utility>

#include "engine/sql/binder.h"
#include "engine/sql/error.h"

namespace polarsim::engine::sql {
namespace {

struct NamedOperation {
  std::string_view name;
  Operation operation;
};

constexpr NamedOperation arithmetic_operators[] = {
    {"+", Operation::add},    {"-", Operation::subtract}, {"*", Operation::multiply},
    {"/", Operation::divide}, {"%", Operation::modulo},
};
constexpr NamedOperation comparison_operators[] = {
    {"=", Operation::equal},
    {"<>", Operation::not_equal},
    {"<", Operation::less},
    {"<=", Operation::less_or_equal},
    {">", Operation::greater},
    {">=", Operation::greater_or_equal},
    {"IS DISTINCT FROM", Operation::distinct},
    {"IS NOT DISTINCT FROM", Operation::not_distinct},
};

template <std::size_t count>
const NamedOperation* find(const NamedOperation (&table)[count], std::string_view name) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& entry) { return entry.name == name; });
  return found == std::end(table) ? nullptr : found;
}

bool is_integer_type(TypeId type) { return type == TypeId::int4 || type == TypeId::int8; }

bool is_text_like(TypeId type) { return type == TypeId::text || type == TypeId::unknown; }

std::string signature(TypeId left, std::string_view name, TypeId right) {
  return std::string(type_name(left)) + ' ' + std::string(name) + ' ' + type_name(right);
}

// The type all have in common, taking `subject` first; unknown if there is none.
TypeId item_type(TypeId subject, const std::vector<Binder::Typed>& items) {
  TypeId common = subject;
  for (const Binder::Typed& item : items) {
    if (item.type == TypeId::unknown || item.type == common) continue;
    if (common == TypeId::unknown) {
      common = item.type;
    } else if (is_integer_type(common) && is_integer_type(item.type)) {
      common = TypeId::int8;
    } else {
      return TypeId::unknown;
    }
  }
  return common == TypeId::unknown ? TypeId::text : common;
}

}  // namespace

void throw_no_operator(const std::string& signature, bool binary, int position) {
  SqlError error(
      sqlstate::undefined_function, "operator does not exist: " + signature, "",
      binary ? "No operator matches the given name and argument types. You might need to add explicit type casts."
             : "No operator matches the given name and argument type. You might need to add an explicit type cast.");
  error.at(position);
  throw error;
}

void throw_operator_not_unique(const std::string& signature, int position) {
  SqlError error(sqlstate::ambiguous_function, "operator is not unique: " + signature, "",
                 "Could not choose a best candidate operator. You might need to add explicit type casts.");
  error.at(position);
  throw error;
}

Binder::Typed Binder::operation(const Expression& node) {
  if (node.arguments.size() == 1) return unary(node);
  Typed left = emit(*node.arguments[0]);
  Typed right = emit(*node.arguments[1]);
  if (const NamedOperation* known = find(arithmetic_operators, node.name))
    return arithmetic(node, known->operation, left, right);
  if (const NamedOperation* known = find(comparison_operators, node.name)) {
    const bool keyword = known->operation == Operation::distinct || known->operation == Operation::not_distinct;
    return comparison(node, keyword ? "=" : known->name, known->operation, left, right);
  }
  if (node.name == "||") {
    // text || anything and anything || text: the other side is written as a cast to text would.
    if (!is_text_like(left.type) && !is_text_like(right.type)) {
      throw_no_operator(signature(left.type, node.name, right.type), true, node.position);
    }
    resolve(left, TypeId::text);
    resolve(right, TypeId::text);
    append(Operation::concatenate, -1);
    return result(TypeId::text, node);
  }
  if (node.name == "~~" || node.name == "!~~") {
    if (!is_text_like(left.type) || !is_text_like(right.type)) {
      throw_no_operator(signature(left.type, node.name, right.type), true, node.position);
    }
    resolve(left, TypeId::text);
    resolve(right, TypeId::text);
    append(node.name == "~~" ? Operation::like : Operation::not_like, -1);
    return result(TypeId::boolean, node);
  }
  throw_no_operator(signature(left.type, node.name, right.type), true, node.position);
}

Binder::Typed Binder::unary(const Expression& node) {
  if (node.name.starts_with("IS ")) return boolean_test(node);
  const Typed value = emit(*node.arguments[0]);
  const std::string text = node.name + ' ' + type_name(value.type);
  const bool known = node.name == "-" || node.name == "+";
  if (known && value.type == TypeId::unknown) throw_operator_not_unique(text, node.position);
  if (!known || !is_integer_type(value.type)) throw_no_operator(text, false, node.position);
  if (node.name == "-") append(Operation::negate, 0, value.type);
  return result(value.type, node);
}

Binder::Typed Binder::arithmetic(const Expression& node, Operation operation, Typed left, Typed right) {
  const std::string text = signature(left.type, node.name, right.type);
  if (left.type == TypeId::unknown && right.type == TypeId::unknown) throw_operator_not_unique(text, node.position);
  const TypeId other = left.type == TypeId::unknown ? right.type : left.type;
  if (is_integer_type(other)) {
    resolve(left, other);
    resolve(right, other);
  }
  if (!is_integer_type(left.type) || !is_integer_type(right.type)) throw_no_operator(text, true, node.position);
  const TypeId type = left.type == TypeId::int8 || right.type == TypeId::int8 ? TypeId::int8 : TypeId::int4;
  append(operation, -1, type);
  return result(type, node);
}

void Binder::match_comparison(std::string_view name, int position, Typed& left, Typed& right) {
  if (left.type == TypeId::unknown && right.type == TypeId::unknown) resolve(left, TypeId::text);
  resolve(left, right.type);
  resolve(right, left.type);
  if (left.type == right.type || (is_integer_type(left.type) && is_integer_type(right.type))) return;
  throw_no_operator(signature(left.type, name, right.type), true, position);
}

Binder::Typed Binder::comparison(const Expression& node, std::string_view name, Operation operation, Typed left,
                                 Typed right) {
  match_comparison(name, node.position, left, right);
  append(operation, -1);
  return result(TypeId::boolean, node);
}

TypeId Binder::in_array(const std::vector<ExpressionPtr>& items, TypeId subject) {
  const int first_instruction = here();
  std::vector<Instruction>& code = node_->code;
  std::vector<Typed> values;
  for (const ExpressionPtr& item : items) values.push_back(emit(*item));
  const auto count = static_cast<int>(values.size());
  const TypeId common = item_type(subject, values);
  for (Typed& value : values) {
    if (common != TypeId::unknown) resolve(value, common);
  }
  const auto begin = code.begin() + first_instruction;
  const auto is_constant = [](const Instruction& step) { return step.operation == Operation::push_constant; };
  if (common != TypeId::unknown && !std::all_of(begin, code.end(), is_constant)) {
    append(Operation::in_items, 1 - count, TypeId::unknown, count);
    return common;
  }
  // A long list of constants needs no stack: they lie side by side already.
  const int first = begin->operand;
  code.erase(begin, code.end());
  height_ -= count;
  if (common != TypeId::unknown) append(Operation::in_constants, 1, TypeId::unknown, count, first);
  return common;
}

// As PostgreSQL: the items that depend on no column form an array, which is evaluated as a whole, if there are several
// and they have a type in common with the subject; all others are compared one by one.
Binder::Typed Binder::in_list(const Expression& node) {
  std::vector<ExpressionPtr> fixed;
  std::vector<ExpressionPtr> others;
  for (std::size_t i = 1; i < node.arguments.size(); ++i) {
    (is_row_independent(node.arguments[i]) ? fixed : others).push_back(node.arguments[i]);
  }
  Typed subject = emit(*node.arguments[0]);
  if (subject.type == TypeId::unknown && !others.empty()) {
    node_->code.pop_back();
    --height_;
    return in_chain(node);
  }
  const TypeId common = fixed.size() > 1 ? in_array(fixed, subject.type) : TypeId::unknown;
  if (common == TypeId::unknown) {
    if (subject.type == TypeId::unknown) {
      node_->code.pop_back();
      --height_;
      return in_chain(node);
    }
    push_constant(Value::boolean(false));
    others.assign(node.arguments.begin() + 1, node.arguments.end());
  }
  resolve(subject, common);
  std::vector<int> jumps;
  for (const ExpressionPtr& argument : others) {
    Typed item = emit(*argument);
    match_comparison(node.negated ? "<>" : "=", node.position, subject, item);
    jumps.push_back(append(Operation::in_step, -1));
  }
  land(jumps);
  append(Operation::in_finish, -1, TypeId::unknown, node.negated ? 1 : 0);
  return result(TypeId::boolean, node);
}

// A bare literal or parameter as the subject takes its type from each item anew.
Binder::Typed Binder::in_chain(const Expression& node) {
  push_constant(Value::boolean(false));
  std::vector<int> jumps;
  for (std::size_t i = 1; i < node.arguments.size(); ++i) {
    Typed subject = emit(*node.arguments[0]);
    Typed item = emit(*node.arguments[i]);
    match_comparison(node.negated ? "<>" : "=", node.position, subject, item);
    append(Operation::equal, -1);
    jumps.push_back(append(Operation::or_step, -1));
  }
  land(jumps);
  if (node.negated) append(Operation::logical_not, 0);
  return result(TypeId::boolean, node);
}

// x IS TRUE is x IS NOT DISTINCT FROM true, for booleans only; and so on.
Binder::Typed Binder::boolean_test(const Expression& node) {
  Typed value = emit(*node.arguments[0]);
  require_boolean(value, "argument of " + node.name);
  const bool unknown = node.name.ends_with("UNKNOWN");
  push_constant(unknown ? Value::null() : Value::boolean(node.name.ends_with("TRUE")));
  append(node.name.starts_with("IS NOT") ? Operation::distinct : Operation::not_distinct, -1);
  return result(TypeId::boolean, node);
}

}  // namespace polarsim::engine::sql
