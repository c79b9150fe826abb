#include "engine/catalog/sequence_counting.h"

#include <limits>

#include "engine/types/error.h"

namespace polarsim::engine::catalog {
namespace {

struct Range {
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  bool holds(std::int64_t value) const { return lowest <= value && value <= highest; }
};

template <typename Integer>
Range range_of() {
  return {std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};
}

Range range_of(TypeId type) {
  if (type == TypeId::int2) return range_of<std::int16_t>();
  return type == TypeId::int4 ? range_of<std::int32_t>() : range_of<std::int64_t>();
}

[[noreturn]] void refuse(const std::string& message) { throw SqlError(sqlstate::invalid_parameter_value, message); }

std::string bound(const char* what, std::int64_t value) {
  return std::string(what) + " (" + std::to_string(value) + ")";
}

}  // namespace

SequenceParameters sequence_parameters(const SequenceRequest& request) {
  SequenceParameters out;
  out.cycle = request.cycle;
  out.increment = request.increment.value_or(1);
  if (out.increment == 0) refuse("INCREMENT must not be zero");
  const bool up = out.increment > 0;
  const Range range = range_of(request.type);
  const std::string of_type = std::string(" is out of range for sequence data type ") + type_name(request.type);
  out.maximum = request.maximum.value_or(up ? range.highest : -1);
  if (!range.holds(out.maximum)) refuse(bound("MAXVALUE", out.maximum) + of_type);
  out.minimum = request.minimum.value_or(up ? 1 : range.lowest);
  if (!range.holds(out.minimum)) refuse(bound("MINVALUE", out.minimum) + of_type);
  if (out.minimum >= out.maximum)
    refuse(bound("MINVALUE", out.minimum) + " must be less than " + bound("MAXVALUE", out.maximum));
  out.start = request.start.value_or(up ? out.minimum : out.maximum);
  if (out.start < out.minimum)
    refuse(bound("START value", out.start) + " cannot be less than " + bound("MINVALUE", out.minimum));
  if (out.start > out.maximum)
    refuse(bound("START value", out.start) + " cannot be greater than " + bound("MAXVALUE", out.maximum));
  return out;
}

SequenceState next_state(const SequenceParameters& parameters, const SequenceState& state, std::string_view name) {
  if (!state.is_called) return {state.last_value, true};
  const bool up = parameters.increment > 0;
  std::int64_t next = 0;
  const bool overflow = __builtin_add_overflow(state.last_value, parameters.increment, &next);
  if (!overflow && (up ? next <= parameters.maximum : next >= parameters.minimum)) return {next, true};
  if (parameters.cycle) return {up ? parameters.minimum : parameters.maximum, true};
  throw SqlError(sqlstate::sequence_generator_limit_exceeded,
                 std::string("nextval: reached ") + (up ? "maximum" : "minimum") + " value of sequence \"" +
                     std::string(name) + "\" (" + std::to_string(up ? parameters.maximum : parameters.minimum) + ")");
}

SequenceState set_state(const SequenceParameters& parameters, std::int64_t value, bool is_called,
                        std::string_view name) {
  if (value < parameters.minimum || value > parameters.maximum) {
    throw SqlError(sqlstate::numeric_value_out_of_range,
                   "setval: value " + std::to_string(value) + " is out of bounds for sequence \"" + std::string(name) +
                       "\" (" + std::to_string(parameters.minimum) + ".." + std::to_string(parameters.maximum) + ")");
  }
  return {value, is_called};
}

}  // namespace polarsim::engine::catalog
