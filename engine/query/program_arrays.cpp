// ANY and ALL over arrays, and ARRAY[...] (PostgreSQL's ExecEvalScalarArrayOp, ExecEvalHashedScalarArrayOp and
// ExecEvalArrayExpr in src/backend/executor/execExprInterp.c).
#include <bit>

#include "engine/query/program_step.h"
#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/order.h"

namespace polarsim::engine::query::steps {

struct ArrayComparisonDetails final : StepDetails {
  ScalarFunction function = nullptr;
  std::array<Type, 2> types;
  Type result;
  bool strict = true;
  bool all = false;

  // Of a constant array, for `= ANY` and `<> ALL`: positions of elements (plus one), by their hashes.
  Value array;
  std::vector<std::uint32_t> buckets;
  TypeId element = TypeId::none;
  Comparison compare = nullptr;
  bool has_null = false;
};

namespace {

// PostgreSQL's MIN_ARRAY_SIZE_FOR_HASHED_SAOP.
constexpr std::size_t hashed_from = 9;

bool is_integer(TypeId type) { return type == TypeId::int2 || type == TypeId::int4 || type == TypeId::int8; }

bool can_hash(const ArrayComparison& comparison, const Value* array) {
  const OperatorEntry& entry = *comparison.function;
  const std::string_view wanted = comparison.all ? "<>" : "=";
  if (array == nullptr || array->is_null() || array->as_array().elements().size() < hashed_from) return false;
  if (entry.symbol != wanted || !entry.strict || !is_ordered(entry.left)) return false;
  return entry.left == entry.right || (is_integer(entry.left) && is_integer(entry.right));
}

void fill_buckets(ArrayComparisonDetails& details) {
  const std::vector<Value>& elements = details.array.as_array().elements();
  details.buckets.assign(std::bit_ceil(elements.size() * 2), 0);
  const std::size_t mask = details.buckets.size() - 1;
  for (std::uint32_t i = 0; i < elements.size(); ++i) {
    if (elements[i].is_null()) {
      details.has_null = true;
      continue;
    }
    std::size_t bucket = hash_value(elements[i], details.element) & mask;
    while (details.buckets[bucket] != 0) bucket = (bucket + 1) & mask;
    details.buckets[bucket] = i + 1;
  }
}

bool is_among(const ArrayComparisonDetails& details, const Value& value) {
  const std::vector<Value>& elements = details.array.as_array().elements();
  const std::size_t mask = details.buckets.size() - 1;
  for (std::size_t bucket = hash_value(value, details.element) & mask; details.buckets[bucket] != 0;
       bucket = (bucket + 1) & mask) {
    if (details.compare(value, elements[details.buckets[bucket] - 1]) == 0) return true;
  }
  return false;
}

Value compare_with_all(const ArrayComparisonDetails& details, const Value& left, const Array& array,
                       const CallContext& context) {
  // Without elements the answer does not depend on what is on the left, which may then be NULL.
  if (array.empty()) return Value::boolean(details.all);
  if (left.is_null() && details.strict) return Value();
  bool unknown = false;
  std::array<Value, 2> arguments{left, Value()};
  for (const Value& element : array.elements()) {
    if (element.is_null() && details.strict) {
      unknown = true;
      continue;
    }
    arguments[1] = element;
    const Value answer = details.function({arguments, details.types, details.result, context, nullptr, false});
    if (answer.is_null()) {
      unknown = true;
    } else if (answer.as_boolean() != details.all) {
      return answer;
    }
  }
  return unknown ? Value() : Value::boolean(details.all);
}

[[noreturn]] void throw_dimensions_differ() {
  throw SqlError(sqlstate::array_subscript_error,
                 "multidimensional arrays must have array expressions with matching dimensions");
}

Value array_of_arrays(const ArrayDetails& details, const Frame& frame) {
  std::vector<Array::Dimension> dimensions;
  std::vector<Value> elements;
  bool has_empty = false;
  for (const Operand operand : details.elements) {
    const Value& value = frame[operand];
    if (value.is_null() || value.as_array().empty()) {
      has_empty = true;
      continue;
    }
    const Array& inner = value.as_array();
    if (dimensions.empty()) {
      if (inner.dimensions().size() >= array_dimensions_max)
        throw SqlError(sqlstate::program_limit_exceeded,
                       "number of array dimensions (" + std::to_string(inner.dimensions().size() + 1) +
                           ") exceeds the maximum allowed (" + std::to_string(array_dimensions_max) + ")");
      dimensions = inner.dimensions();
    } else if (dimensions != inner.dimensions()) {
      throw_dimensions_differ();
    }
    elements.insert(elements.end(), inner.elements().begin(), inner.elements().end());
  }
  if (dimensions.empty()) return Value::array(Array(details.element));
  if (has_empty) throw_dimensions_differ();
  dimensions.insert(dimensions.begin(), {static_cast<std::int32_t>(details.elements.size()), 1});
  return Value::array(Array(details.element, std::move(dimensions), std::move(elements)));
}

}  // namespace

std::unique_ptr<StepDetails> array_comparison_details(const ArrayComparison& comparison, const Value* constant,
                                                      Step::Run* run) {
  auto details = std::make_unique<ArrayComparisonDetails>();
  const OperatorEntry& entry = *comparison.function;
  details->function = entry.function;
  details->types = {Type(entry.left), Type(entry.right)};
  details->result = entry.result;
  details->strict = entry.strict;
  details->all = comparison.all;
  *run = array_comparison;
  if (can_hash(comparison, constant)) {
    details->array = *constant;
    details->element = entry.left;
    details->compare = comparison_of(entry.left);
    fill_buckets(*details);
    *run = hashed_array_comparison;
  }
  return details;
}

const Step* array_comparison(const Step& step, Frame& frame) {
  const Value& array = frame[step.right];
  frame.slots[step.target] = array.is_null() ? Value()
                                             : compare_with_all(step.as<ArrayComparisonDetails>(), frame[step.left],
                                                                array.as_array(), frame.context);
  return step.next();
}

const Step* hashed_array_comparison(const Step& step, Frame& frame) {
  const auto& details = step.as<ArrayComparisonDetails>();
  const Value& left = frame[step.left];
  if (left.is_null()) {
    frame.slots[step.target] = Value();
  } else if (is_among(details, left)) {
    frame.slots[step.target] = Value::boolean(!details.all);
  } else {
    frame.slots[step.target] = details.has_null ? Value() : Value::boolean(details.all);
  }
  return step.next();
}

const Step* array(const Step& step, Frame& frame) {
  const auto& details = step.as<ArrayDetails>();
  if (details.nested) {
    frame.slots[step.target] = array_of_arrays(details, frame);
    return step.next();
  }
  std::vector<Value> elements;
  elements.reserve(details.elements.size());
  for (const Operand operand : details.elements) elements.push_back(frame[operand]);
  frame.slots[step.target] = Value::array(Array(details.element, std::move(elements)));
  return step.next();
}

}  // namespace polarsim::engine::query::steps
