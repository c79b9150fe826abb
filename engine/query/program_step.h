// What a program is made of. Private to the program_*.cpp files.
//
// A program is a list of steps and a list of slots. A step reads operands, which are slots, columns of the rows or
// parameters of the statement, writes one slot, and names the step after it: the next, or where it jumps to. Constants
// lie in slots of their own that no step writes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/query/program.h"

namespace polarsim::engine::query {

enum class Base : std::uint32_t { first, second, slots, parameters };
struct Operand {
  Base base = Base::slots;
  std::uint32_t index = 0;
  friend bool operator==(const Operand&, const Operand&) = default;
};

// One run.
struct Frame {
  std::array<const Value*, 4> bases;
  Value* slots;
  const ProgramInputs& inputs;
  const CallContext& context;

  const Value& operator[](Operand operand) const {
    return bases[static_cast<std::size_t>(operand.base)][operand.index];
  }
};

// What only some kinds of steps need to know.
struct StepDetails {
  virtual ~StepDetails() = default;
};

struct Step {
  // Null: the end.
  using Run = const Step* (*)(const Step& step, Frame& frame);
  Run run = nullptr;
  Operand left = {};
  Operand right = {};
  std::uint32_t target = 0;
  std::int32_t jump = 0;  // where to, counted from this step
  ScalarFunction function = nullptr;
  const StepDetails* details = nullptr;

  const Step* next() const { return this + 1; }
  const Step* jumped() const { return this + jump; }
  template <typename Details>
  const Details& as() const {
    return static_cast<const Details&>(*details);
  }
};

// A call of a function with its arguments in consecutive slots.
struct CallDetails final : StepDetails {
  ScalarFunction function = nullptr;
  const FunctionEntry* entry = nullptr;  // null: an operator or a cast
  std::vector<Type> types;
  Type result;
  bool strict = true;
  bool variadic_array = false;
  std::uint32_t first = 0;  // slot
  // What has to be copied to its slot before.
  struct Load {
    Operand from;
    std::uint32_t to = 0;
  };
  std::vector<Load> loads;
};

struct Program::Implementation {
  std::vector<Step> steps;
  std::vector<Value> slots;
  std::vector<std::unique_ptr<StepDetails>> details;
  Operand result;
  bool result_is_temporary = false;  // a slot that is written anew by every run
  // How much the inputs must have.
  std::uint32_t first_size = 0;
  std::uint32_t second_size = 0;
  std::uint32_t parameters_size = 0;
};

// --- kinds of steps (program_steps.cpp) ---

namespace steps {

const Step* end(const Step& step, Frame& frame);
const Step* copy(const Step& step, Frame& frame);  // left to target
const Step* jump(const Step& step, Frame& frame);
// Without details: the function and its operands are in the step; strict.
const Step* call_unary(const Step& step, Frame& frame);
const Step* call(const Step& step, Frame& frame);

// target = left, or what it is together with the target, which holds what came before; jumps when that decides.
const Step* conjunction_first(const Step& step, Frame& frame);
const Step* conjunction_next(const Step& step, Frame& frame);
const Step* disjunction_first(const Step& step, Frame& frame);
const Step* disjunction_next(const Step& step, Frame& frame);
const Step* negation(const Step& step, Frame& frame);
const Step* jump_unless_true(const Step& step, Frame& frame);
const Step* jump_unless_null(const Step& step, Frame& frame);  // also copies left to target

Step::Run null_test(bool negated, bool of_row);
Step::Run boolean_test(BooleanTest::Kind kind);
// Where left or right is NULL: target = whether both are; jumps.
const Step* distinct_nulls(const Step& step, Frame& frame);
const Step* null_if(const Step& step, Frame& frame);  // target = NULL if right is true, else left
struct MinMaxDetails final : StepDetails {
  int (*compare)(const Value& a, const Value& b) = nullptr;
  bool greatest = false;
};
const Step* min_max(const Step& step, Frame& frame);  // target = the better of target and left

struct ConvertDetails final : StepDetails {
  Conversion conversion;
  Type source;
  Type target;
  bool modify = false;
  bool by_cast = false;
};
const Step* convert(const Step& step, Frame& frame);

struct RowDetails final : StepDetails {
  std::vector<Operand> fields;
  std::vector<std::string> names;
  std::vector<Type> types;
};
const Step* row(const Step& step, Frame& frame);
struct FieldDetails final : StepDetails {
  std::size_t field = 0;
};
const Step* field(const Step& step, Frame& frame);
// left: whether the columns so far are equal. NULL is the answer: jumps. True goes on to the next columns, after two
// steps that answer by the operator itself if it is false.
const Step* row_columns_equal(const Step& step, Frame& frame);

const Step* plan_parameter(const Step& step, Frame& frame);  // left.index: which
struct SubplanDetails final : StepDetails {
  Subplan subplan;
  std::uint32_t arguments = 0;  // slots
  std::uint32_t left = 0;
  // Those of the left side that are computed when they are asked for; others are in their slots.
  std::vector<std::unique_ptr<Program>> when_asked;
  std::vector<std::uint32_t> volatile_columns;  // among them
};
const Step* subplan(const Step& step, Frame& frame);

struct ValueFunctionDetails final : StepDetails {
  ValueFunction function;
  const FunctionEntry* entry = nullptr;  // of the session
  Type type;
};
const Step* value_function(const Step& step, Frame& frame);

}  // namespace steps

// --- of arrays (program_arrays.cpp) ---

namespace steps {

struct ArrayComparisonDetails;  // left operator ANY (right)
const Step* array_comparison(const Step& step, Frame& frame);
const Step* hashed_array_comparison(const Step& step, Frame& frame);
// `constant`: the array, if it is known. Also chooses the kind of step.
std::unique_ptr<StepDetails> array_comparison_details(const ArrayComparison& comparison, const Value* constant,
                                                      Step::Run* run);

struct ArrayDetails final : StepDetails {
  std::vector<Operand> elements;
  TypeId element = TypeId::none;
  bool nested = false;
};
const Step* array(const Step& step, Frame& frame);

struct SubscriptDetails final : StepDetails {
  struct Index {
    Operand lower;
    Operand upper;
    bool has_lower = false;
    bool has_upper = false;
  };
  std::vector<Index> indexes;
  bool slice = false;
  bool json = false;
  std::vector<Type> types;  // of upper, for json
  TypeId element = TypeId::none;
};
const Step* subscript(const Step& step, Frame& frame);         // of left
const Step* subscript_assign(const Step& step, Frame& frame);  // right into left

}  // namespace steps

// The step for an operator or function of two arguments that has one of its own (program_fast_steps.cpp): comparisons
// and arithmetic of integers, floats and texts. Null if there is none. The step's function is what is called where the
// answer is an error.
Step::Run fast_binary_step(const char* symbol, TypeId left, TypeId right);

}  // namespace polarsim::engine::query
