#include <algorithm>

#include "engine/query/program_step.h"
#include "engine/types/datetime.h"
#include "engine/types/error.h"
#include "engine/types/record.h"
#include "engine/types/time_zone.h"

namespace polarsim::engine::query::steps {
namespace {

bool is_false(const Value& value) { return !value.is_null() && !value.as_boolean(); }
bool is_true(const Value& value) { return !value.is_null() && value.as_boolean(); }

template <bool negated>
const Step* plain_null_test(const Step& step, Frame& frame) {
  frame.slots[step.target] = Value::boolean(frame[step.left].is_null() != negated);
  return step.next();
}

// ROW(...) IS NULL: all fields are; IS NOT NULL: none is. Fields that are rows themselves are not looked into.
template <bool negated>
const Step* row_null_test(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  bool holds = false;
  if (value.is_null()) {
    holds = !negated;
  } else {
    const std::vector<Record::Field>& fields = value.as_record().fields();
    holds = std::all_of(fields.begin(), fields.end(), [](const auto& each) { return each.value.is_null() != negated; });
  }
  frame.slots[step.target] = Value::boolean(holds);
  return step.next();
}

template <BooleanTest::Kind kind>
const Step* tested(const Step& step, Frame& frame) {
  using enum BooleanTest::Kind;
  const Value& value = frame[step.left];
  bool holds = false;
  if constexpr (kind == is_true) holds = steps::is_true(value);
  if constexpr (kind == is_not_true) holds = !steps::is_true(value);
  if constexpr (kind == is_false) holds = steps::is_false(value);
  if constexpr (kind == is_not_false) holds = !steps::is_false(value);
  if constexpr (kind == is_unknown) holds = value.is_null();
  if constexpr (kind == is_not_unknown) holds = !value.is_null();
  frame.slots[step.target] = Value::boolean(holds);
  return step.next();
}

Value time_value(const ValueFunctionDetails& details, const CallContext& context) {
  using enum ValueFunction::Kind;
  const std::int64_t now = transaction_time(context);
  const std::int32_t precision = details.function.precision;
  if (details.function.kind == current_timestamp) return Value::integer(round_timestamp(now, precision));
  const std::int64_t local = timestamp_from_timestamptz(now, session_time_zone(context));
  switch (details.function.kind) {
    case current_date:
      return Value::integer(date_from_timestamp(local));
    case local_timestamp:
      return Value::integer(round_timestamp(local, precision));
    case local_time: {
      const std::int64_t midnight = timestamp_from_date(date_from_timestamp(local));
      return Value::integer(round_fraction(local - midnight, precision));
    }
    default:
      throw SqlError(sqlstate::feature_not_supported, "type time with time zone is not supported");
  }
}

}  // namespace

const Step* end(const Step&, Frame&) { return nullptr; }

const Step* copy(const Step& step, Frame& frame) {
  frame.slots[step.target] = frame[step.left];
  return step.next();
}

const Step* jump(const Step& step, Frame&) { return step.jumped(); }

const Step* call_unary(const Step& step, Frame& frame) {
  const auto& details = step.as<CallDetails>();
  const Value& argument = frame[step.left];
  if (argument.is_null() && details.strict) {
    frame.slots[step.target] = Value();
    return step.next();
  }
  frame.slots[step.target] = details.function(
      {{&argument, 1}, details.types, details.result, frame.context, details.entry, details.variadic_array});
  return step.next();
}

const Step* call(const Step& step, Frame& frame) {
  const auto& details = step.as<CallDetails>();
  for (const CallDetails::Load& load : details.loads) frame.slots[load.to] = frame[load.from];
  const std::span<const Value> arguments(frame.slots + details.first, details.types.size());
  if (details.strict) {
    for (const Value& argument : arguments) {
      if (argument.is_null()) {
        frame.slots[step.target] = Value();
        return step.next();
      }
    }
  }
  frame.slots[step.target] = details.function(
      {arguments, details.types, details.result, frame.context, details.entry, details.variadic_array});
  return step.next();
}

const Step* conjunction_first(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  const bool decided = is_false(value);
  frame.slots[step.target] = value;
  return decided ? step.jumped() : step.next();
}

const Step* conjunction_next(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  if (value.is_null()) {
    frame.slots[step.target] = Value();
  } else if (!value.as_boolean()) {
    frame.slots[step.target] = Value::boolean(false);
    return step.jumped();
  }
  return step.next();
}

const Step* disjunction_first(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  const bool decided = is_true(value);
  frame.slots[step.target] = value;
  return decided ? step.jumped() : step.next();
}

const Step* disjunction_next(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  if (value.is_null()) {
    frame.slots[step.target] = Value();
  } else if (value.as_boolean()) {
    frame.slots[step.target] = Value::boolean(true);
    return step.jumped();
  }
  return step.next();
}

const Step* negation(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  frame.slots[step.target] = value.is_null() ? Value() : Value::boolean(!value.as_boolean());
  return step.next();
}

const Step* jump_unless_true(const Step& step, Frame& frame) {
  return is_true(frame[step.left]) ? step.next() : step.jumped();
}

const Step* jump_unless_null(const Step& step, Frame& frame) {
  const Value& value = frame[step.left];
  const bool found = !value.is_null();
  frame.slots[step.target] = value;
  return found ? step.jumped() : step.next();
}

Step::Run null_test(bool negated, bool of_row) {
  if (of_row) return negated ? row_null_test<true> : row_null_test<false>;
  return negated ? plain_null_test<true> : plain_null_test<false>;
}

Step::Run boolean_test(BooleanTest::Kind kind) {
  using enum BooleanTest::Kind;
  switch (kind) {
    case is_true:
      return tested<is_true>;
    case is_not_true:
      return tested<is_not_true>;
    case is_false:
      return tested<is_false>;
    case is_not_false:
      return tested<is_not_false>;
    case is_unknown:
      return tested<is_unknown>;
    case is_not_unknown:
      return tested<is_not_unknown>;
  }
  return nullptr;
}

const Step* distinct_nulls(const Step& step, Frame& frame) {
  const bool left = frame[step.left].is_null();
  const bool right = frame[step.right].is_null();
  if (!left && !right) return step.next();
  frame.slots[step.target] = Value::boolean(left == right);
  return step.jumped();
}

const Step* null_if(const Step& step, Frame& frame) {
  frame.slots[step.target] = is_true(frame[step.right]) ? Value() : frame[step.left];
  return step.next();
}

const Step* min_max(const Step& step, Frame& frame) {
  const auto& details = step.as<MinMaxDetails>();
  const Value& value = frame[step.left];
  if (value.is_null()) return step.next();
  Value& best = frame.slots[step.target];
  if (!best.is_null()) {
    const int order = details.compare(value, best);
    if (details.greatest ? order <= 0 : order >= 0) return step.next();
  }
  best = value;
  return step.next();
}

const Step* convert(const Step& step, Frame& frame) {
  const auto& details = step.as<ConvertDetails>();
  const Value& value = frame[step.left];
  frame.slots[step.target] =
      details.modify ? convert_and_modify(details.conversion, value, details.source, details.target, details.by_cast,
                                          frame.context)
                     : engine::convert(details.conversion, value, details.source, details.target, frame.context);
  return step.next();
}

const Step* row(const Step& step, Frame& frame) {
  const auto& details = step.as<RowDetails>();
  std::vector<Record::Field> fields;
  fields.reserve(details.fields.size());
  for (std::size_t i = 0; i < details.fields.size(); ++i)
    fields.push_back({details.names[i], details.types[i], frame[details.fields[i]]});
  frame.slots[step.target] = Value::record(Record(std::move(fields)));
  return step.next();
}

const Step* field(const Step& step, Frame& frame) {
  const Value& record = frame[step.left];
  const std::size_t field = step.as<FieldDetails>().field;
  if (record.is_null()) {
    frame.slots[step.target] = Value();
    return step.next();
  }
  const std::vector<Record::Field>& fields = record.as_record().fields();
  if (field >= fields.size())
    throw SqlError(sqlstate::internal_error, "attribute number " + std::to_string(field + 1) +
                                                 " exceeds number of columns " + std::to_string(fields.size()));
  Value value = fields[field].value;
  frame.slots[step.target] = std::move(value);
  return step.next();
}

const Step* row_columns_equal(const Step& step, Frame& frame) {
  const Value& equal = frame[step.left];
  if (equal.is_null()) {
    frame.slots[step.target] = Value();
    return step.jumped();
  }
  return equal.as_boolean() ? &step + 3 : step.next();
}

const Step* plan_parameter(const Step& step, Frame& frame) {
  if (frame.inputs.subplans == nullptr)
    throw SqlError(sqlstate::internal_error, "a parameter of a plan was asked for without a plan");
  frame.slots[step.target] = frame.inputs.subplans->parameter(static_cast<int>(step.left.index));
  return step.next();
}

namespace {

class LeftOfSubplan final : public LeftSide {
 public:
  LeftOfSubplan(const SubplanDetails& details, Frame& frame) : details_(details), frame_(frame) {}

  const Value& at(std::size_t column) override {
    Value& value = frame_.slots[details_.left + column];
    Program* const program = details_.when_asked[column].get();
    if (program == nullptr) return value;
    if (computed_.empty()) computed_.resize(details_.when_asked.size());
    if (!computed_[column]) value = program->run(frame_.inputs, frame_.context);
    computed_[column] = true;
    return value;
  }
  void begin_row() override {
    if (computed_.empty()) return;
    for (const std::uint32_t column : details_.volatile_columns) computed_[column] = false;
  }

 private:
  const SubplanDetails& details_;
  Frame& frame_;
  std::vector<bool> computed_;
};

}  // namespace

const Step* subplan(const Step& step, Frame& frame) {
  const auto& details = step.as<SubplanDetails>();
  if (frame.inputs.subplans == nullptr)
    throw SqlError(sqlstate::internal_error, "a subplan was asked for without a plan");
  LeftOfSubplan left(details, frame);
  frame.slots[step.target] = frame.inputs.subplans->run(
      details.subplan, {frame.slots + details.arguments, details.subplan.arguments.size()}, left);
  return step.next();
}

const Step* value_function(const Step& step, Frame& frame) {
  const auto& details = step.as<ValueFunctionDetails>();
  if (details.entry == nullptr) {
    frame.slots[step.target] = time_value(details, frame.context);
    return step.next();
  }
  frame.slots[step.target] = details.entry->scalar({{}, {}, details.type, frame.context, details.entry, false});
  return step.next();
}

}  // namespace polarsim::engine::query::steps
