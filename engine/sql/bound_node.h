// What analysis makes of an expression: a program for a small stack machine. Private to analysis and evaluation.
//
// A program is flat, so that evaluating or destroying an expression needs no recursion, however deep its tree was.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/sql/analyze.h"

namespace polarsim::engine::sql {

enum class Operation : std::uint8_t {
  // Push one value; `operand` says which.
  push_constant,
  push_column,
  push_excluded,
  push_parameter,  // converted to `type`
  push_aggregate,
  // Replace the two topmost values by the result; NULL if either is. Arithmetic checks the range of `type`.
  add,
  subtract,
  multiply,
  divide,
  modulo,
  concatenate,
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  like,
  not_like,
  // The same, but NULL is a value like any other.
  distinct,
  not_distinct,
  null_if,
  // Replace the topmost value; NULL stays NULL except for the tests for it.
  negate,
  logical_not,
  is_null,
  is_not_null,
  cast_to_text,  // booleans become 'true' and 'false'
  cast_text,     // text to `type`, by the type's input rules
  cast_integer,  // to `type`, int4 or int8, checking the range
  boolean_to_integer,
  integer_to_boolean,
  // Control. `operand` is the instruction to go on with.
  jump,              // the values below stay: the branches of a CASE each leave one result
  jump_unless_true,  // pops the condition
  jump_unless_null,  // keeps the value if it jumps, else pops it
  and_step,          // pops a value and folds it into the one below; jumps once the outcome is false
  or_step,
  in_step,  // the stack holds subject, outcome, item: pops the item; jumps once the outcome is true
  // Membership: the stack holds the subject and `operand` items; leaves subject and outcome.
  in_items,
  in_constants,  // the items are `operand` constants from `first`
  in_finish,     // subject and outcome become the outcome; negated if `operand` is 1
  // Replace the `operand` topmost values.
  greatest,
  least,
  call,  // of the scalar function `first`
};

struct Instruction {
  Operation operation = Operation::push_constant;
  TypeId type = TypeId::unknown;
  int operand = 0;
  int first = 0;
};

struct BoundNode {
  std::vector<Instruction> code;
  std::vector<Value> constants;
  TypeId type = TypeId::unknown;
  int stack_size = 0;  // values on the stack at most
  bool has_aggregate = false;
};

}  // namespace polarsim::engine::sql
