#include <array>
#include <limits>
#include <memory>
#include <optional>

#include "engine/sql/bound_node.h"
#include "engine/sql/error.h"
#include "engine/sql/functions.h"

namespace polarsim::engine::sql {
namespace {

bool fits_int4(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
}

// A parameter as the type analysis chose for it, whatever form it was bound in.
Value convert_parameter(const Value& value, TypeId type) {
  if (value.is_null()) return value;
  switch (type) {
    case TypeId::boolean:
      if (value.is_boolean()) return value;
      break;
    case TypeId::int4:
      if (value.is_integer() && fits_int4(value.as_integer())) return value;
      break;
    case TypeId::int8:
      if (value.is_integer()) return value;
      break;
    default:
      if (value.is_text()) return value;
      break;
  }
  return from_text(to_text(value), type);
}

bool parameter_has_form(const Value& value, TypeId type) {
  if (type == TypeId::int8) return value.is_integer();
  return type == TypeId::text && value.is_text();
}

std::int64_t divide(std::int64_t a, std::int64_t b, TypeId type) {
  if (b == 0) throw SqlError(sqlstate::division_by_zero, "division by zero");
  if (b == -1) {
    std::int64_t result = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &result)) throw_out_of_range(type);
    return result;
  }
  return a / b;
}

std::int64_t modulo(std::int64_t a, std::int64_t b) {
  if (b == 0) throw SqlError(sqlstate::division_by_zero, "division by zero");
  return b == -1 ? 0 : a % b;
}

Value arithmetic(Operation operation, TypeId type, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case Operation::add:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Operation::subtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Operation::multiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Operation::divide:
      result = divide(a, b, type);
      break;
    default:
      result = modulo(a, b);
      break;
  }
  if (overflow || (type == TypeId::int4 && !fits_int4(result))) throw_out_of_range(type);
  return Value::integer(result);
}

std::string text_of_cast(const Value& value) {
  if (value.is_boolean()) return value.as_boolean() ? "true" : "false";
  return to_text(value);
}

bool holds(Operation operation, int order) {
  switch (operation) {
    case Operation::equal:
      return order == 0;
    case Operation::not_equal:
      return order != 0;
    case Operation::less:
      return order < 0;
    case Operation::less_or_equal:
      return order <= 0;
    case Operation::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

const Value null_value;

// Values on the stack are borrowed from the row, the constants and so on where they can be, and owned where they were
// computed.
struct Slot {
  const Value* value = nullptr;
  Value own;

  void borrow(const Value& other) { value = &other; }
  void set(Value computed) {
    own = std::move(computed);
    value = &own;
  }
};

class Machine {
 public:
  Machine(const BoundNode& program, const EvaluationContext& context, Slot* stack)
      : program_(program), context_(context), stack_(stack) {}

  Value run() {
    const std::size_t end = program_.code.size();
    while (next_ < end) step(program_.code[next_++]);
    // Whichever way the jumps went, exactly the result is left.
    if (height_ != 1) throw SqlError(sqlstate::internal_error, "expression program left an unbalanced stack");
    return *stack_[0].value;
  }

 private:
  Slot& top(int below = 0) { return stack_[height_ - 1 - below]; }
  Slot& push() { return stack_[height_++]; }
  void drop(int count = 1) { height_ -= count; }
  void go_to(int instruction) { next_ = static_cast<std::size_t>(instruction); }

  void step(const Instruction& instruction) {
    switch (instruction.operation) {
      case Operation::push_constant:
        return push().borrow(program_.constants[static_cast<std::size_t>(instruction.operand)]);
      case Operation::push_column:
        return push().borrow(context_.row[static_cast<std::size_t>(instruction.operand)]);
      case Operation::push_excluded:
        return push().borrow(context_.excluded[static_cast<std::size_t>(instruction.operand)]);
      case Operation::push_aggregate:
        return push().borrow(context_.aggregates[static_cast<std::size_t>(instruction.operand)]);
      case Operation::push_parameter:
        return push_parameter(instruction);
      case Operation::distinct:
      case Operation::not_distinct:
      case Operation::null_if:
        return null_aware(instruction.operation);
      case Operation::is_null:
        return replace(Value::boolean(top().value->is_null()));
      case Operation::is_not_null:
        return replace(Value::boolean(!top().value->is_null()));
      case Operation::jump:
        return go_to(instruction.operand);
      case Operation::jump_unless_true:
        if (!is_true(*top().value)) go_to(instruction.operand);
        return drop();
      case Operation::jump_unless_null:
        if (top().value->is_null()) return drop();
        return go_to(instruction.operand);
      case Operation::and_step:
        return logical_step(false, instruction.operand);
      case Operation::or_step:
        return logical_step(true, instruction.operand);
      case Operation::in_step:
        fold_item(*top(2).value, top(1), *top().value);
        drop();
        if (is_true(*top().value)) go_to(instruction.operand);
        return;
      case Operation::in_items:
        return in_items(instruction.operand);
      case Operation::in_constants:
        return in_constants(instruction.first, instruction.operand);
      case Operation::in_finish:
        return in_finish(instruction.operand == 1);
      case Operation::greatest:
      case Operation::least:
        return extreme(instruction);
      case Operation::call:
        return call(instruction);
      default:
        break;
    }
    is_strict_binary(instruction.operation) ? strict_binary(instruction) : strict_unary(instruction);
  }

  static bool is_strict_binary(Operation operation) {
    return operation >= Operation::add && operation <= Operation::not_like;
  }

  static bool is_true(const Value& value) { return !value.is_null() && value.as_boolean(); }

  void replace(Value value) { top().set(std::move(value)); }
  void replace_by_null() { top().borrow(null_value); }

  void push_parameter(const Instruction& instruction) {
    const auto index = static_cast<std::size_t>(instruction.operand);
    if (index >= context_.parameters.size()) {
      throw SqlError(sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(index + 1));
    }
    const Value& given = context_.parameters[index];
    if (given.is_null() || parameter_has_form(given, instruction.type)) return push().borrow(given);
    Value converted = convert_parameter(given, instruction.type);
    push().set(std::move(converted));
  }

  void strict_binary(const Instruction& instruction) {
    const Value& left = *top(1).value;
    const Value& right = *top().value;
    if (left.is_null() || right.is_null()) {
      drop();
      return replace_by_null();
    }
    Value value = binary(instruction, left, right);
    drop();
    replace(std::move(value));
  }

  static Value binary(const Instruction& instruction, const Value& left, const Value& right) {
    switch (instruction.operation) {
      case Operation::add:
      case Operation::subtract:
      case Operation::multiply:
      case Operation::divide:
      case Operation::modulo:
        return arithmetic(instruction.operation, instruction.type, left.as_integer(), right.as_integer());
      case Operation::concatenate: {
        std::string text = text_of_cast(left);
        text += text_of_cast(right);
        return Value::text(std::move(text));
      }
      case Operation::like:
        return Value::boolean(matches_like(left.as_text(), right.as_text()));
      case Operation::not_like:
        return Value::boolean(!matches_like(left.as_text(), right.as_text()));
      default:
        return Value::boolean(holds(instruction.operation, compare(left, right)));
    }
  }

  void null_aware(Operation operation) {
    const Value& left = *top(1).value;
    const Value& right = *top().value;
    if (operation == Operation::null_if) {
      const bool equal = !left.is_null() && !right.is_null() && compare(left, right) == 0;
      drop();
      if (equal) replace_by_null();
      return;
    }
    const bool distinct =
        left.is_null() || right.is_null() ? left.is_null() != right.is_null() : compare(left, right) != 0;
    drop();
    replace(Value::boolean(distinct == (operation == Operation::distinct)));
  }

  void strict_unary(const Instruction& instruction) {
    const Value& value = *top().value;
    if (!value.is_null()) replace(unary(instruction, value));
  }

  static Value unary(const Instruction& instruction, const Value& value) {
    switch (instruction.operation) {
      case Operation::negate:
        return arithmetic(Operation::subtract, instruction.type, 0, value.as_integer());
      case Operation::logical_not:
        return Value::boolean(!value.as_boolean());
      case Operation::cast_to_text:
        return Value::text(text_of_cast(value));
      case Operation::cast_text:
        return from_text(value.as_text(), instruction.type);
      case Operation::boolean_to_integer:
        return Value::integer(value.as_boolean() ? 1 : 0);
      case Operation::integer_to_boolean:
        return Value::boolean(value.as_integer() != 0);
      default:
        break;
    }
    if (instruction.type == TypeId::int4 && !fits_int4(value.as_integer())) throw_out_of_range(instruction.type);
    return value;
  }

  // `decisive` is the value that settles the outcome: false for AND, true for OR. NULL makes an undecided outcome NULL.
  void logical_step(bool decisive, int target) {
    const Value& value = *top().value;
    const bool null = value.is_null();
    const bool decided = !null && value.as_boolean() == decisive;
    drop();
    if (null) replace_by_null();
    if (!decided) return;
    replace(Value::boolean(decisive));
    go_to(target);
  }

  static void fold_item(const Value& subject, Slot& outcome, const Value& item) {
    if (is_true(*outcome.value)) return;
    if (subject.is_null() || item.is_null()) return outcome.borrow(null_value);
    if (compare(subject, item) == 0) outcome.set(Value::boolean(true));
  }

  void in_items(int count) {
    Slot outcome;
    outcome.set(Value::boolean(false));
    const Value& subject = *top(count).value;
    for (int i = count - 1; i >= 0; --i) fold_item(subject, outcome, *top(i).value);
    drop(count);
    push().set(*outcome.value);
  }

  void in_constants(int first, int count) {
    const Value& subject = *top().value;
    Slot& outcome = push();
    outcome.set(Value::boolean(false));
    for (int i = first; i < first + count; ++i)
      fold_item(subject, outcome, program_.constants[static_cast<std::size_t>(i)]);
  }

  void in_finish(bool negated) {
    Value outcome = *top().value;
    if (negated && !outcome.is_null()) outcome = Value::boolean(!outcome.as_boolean());
    drop();
    replace(std::move(outcome));
  }

  // NULLs are passed over; the result is NULL only if all are.
  void extreme(const Instruction& instruction) {
    const int count = instruction.operand;
    const bool greatest = instruction.operation == Operation::greatest;
    const Value* best = nullptr;
    for (int i = count - 1; i >= 0; --i) {
      const Value& value = *top(i).value;
      if (value.is_null()) continue;
      const int order = best == nullptr ? 0 : compare(value, *best);
      if (best == nullptr || (greatest ? order > 0 : order < 0)) best = &value;
    }
    Value result = best == nullptr ? null_value : *best;
    drop(count - 1);
    replace(std::move(result));
  }

  void call(const Instruction& instruction) {
    const int count = instruction.operand;
    std::array<const Value*, 4> arguments{};
    bool any_null = false;
    for (int i = 0; i < count; ++i) {
      arguments[static_cast<std::size_t>(i)] = top(count - 1 - i).value;
      any_null = any_null || arguments[static_cast<std::size_t>(i)]->is_null();
    }
    const ScalarFunction& function = scalar_functions()[static_cast<std::size_t>(instruction.first)];
    if (any_null) {
      drop(count - 1);
      return replace_by_null();
    }
    const std::span<const Value* const> given(arguments.data(), static_cast<std::size_t>(count));
    Value result = function.evaluate != nullptr ? function.evaluate(given) : call_session(function, given);
    drop(count - 1);
    replace(std::move(result));
  }

  Value call_session(const ScalarFunction& function, std::span<const Value* const> arguments) const {
    if (context_.session != nullptr) return context_.session->call(function.session, arguments);
    throw SqlError(sqlstate::feature_not_supported,
                   "function " + std::string(function.name) + "() is not supported in this place");
  }

  const BoundNode& program_;
  const EvaluationContext& context_;
  Slot* stack_;
  int height_ = 0;
  std::size_t next_ = 0;
};

constexpr int small_stack = 8;

}  // namespace

Value evaluate(const BoundExpression& expression, const EvaluationContext& context) {
  const BoundNode& program = *expression.root();
  if (program.stack_size <= small_stack) {
    std::array<Slot, small_stack> stack;
    return Machine(program, context, stack.data()).run();
  }
  std::vector<Slot> stack(static_cast<std::size_t>(program.stack_size));
  return Machine(program, context, stack.data()).run();
}

bool evaluate_condition(const BoundExpression& expression, const EvaluationContext& context) {
  const Value value = evaluate(expression, context);
  return !value.is_null() && value.as_boolean();
}

}  // namespace polarsim::engine::sql
