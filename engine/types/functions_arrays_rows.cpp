// Rows of arrays, and series of numbers (PostgreSQL's arrayfuncs.c, int.c, int8.c, numeric.c).
#include "engine/types/error.h"
#include "engine/types/functions_arrays.h"
#include "engine/types/number_functions.h"

namespace polarsim::engine::families {
namespace {

class Elements final : public FunctionRows {
 public:
  explicit Elements(const FunctionCall& call) : array_(call[0]) {}
  bool next(Row& row) override {
    const std::vector<Value>& elements = array_.as_array().elements();
    if (at_ == elements.size()) return false;
    row.assign(1, elements[at_++]);
    return true;
  }

 private:
  const Value array_;
  std::size_t at_ = 0;
};

// From first to last by steps that are not zero, as long as numbers do not overflow.
class Integers final : public FunctionRows {
 public:
  Integers(std::int64_t first, std::int64_t last, std::int64_t step) : next_(first), last_(last), step_(step) {}
  bool next(Row& row) override {
    if (ended_ || (step_ > 0 ? next_ > last_ : next_ < last_)) return false;
    row.assign(1, Value::integer(next_));
    ended_ = __builtin_add_overflow(next_, step_, &next_);
    return true;
  }

 private:
  std::int64_t next_;
  std::int64_t last_;
  std::int64_t step_;
  bool ended_ = false;
};

class Numerics final : public FunctionRows {
 public:
  Numerics(Numeric first, Numeric last, Numeric step)
      : next_(std::move(first)), last_(std::move(last)), step_(std::move(step)), falls_(step_.is_negative()) {}
  bool next(Row& row) override {
    const int order = Numeric::compare(next_, last_);
    if (falls_ ? order < 0 : order > 0) return false;
    row.assign(1, Value::numeric(next_));
    next_ = next_ + step_;
    return true;
  }

 private:
  Numeric next_;
  Numeric last_;
  Numeric step_;
  bool falls_;
};

template <typename Rows, typename... Arguments>
std::unique_ptr<FunctionRows> rows_of(Arguments&&... arguments) {
  return std::make_unique<Rows>(std::forward<Arguments>(arguments)...);
}

std::unique_ptr<FunctionRows> unnest(const FunctionCall& call) { return rows_of<Elements>(call); }

std::unique_ptr<FunctionRows> subscripts(const FunctionCall& call) {
  const std::vector<Array::Dimension>& dimensions = call[0].as_array().dimensions();
  const std::int64_t wanted = call[1].as_integer();
  if (wanted < 1 || wanted > static_cast<std::int64_t>(dimensions.size())) return rows_of<Integers>(1, 0, 1);
  const Array::Dimension& dimension = dimensions[static_cast<std::size_t>(wanted) - 1];
  const std::int64_t first = dimension.lower_bound;
  const std::int64_t last = first + dimension.length - 1;
  const bool backwards = call.size() > 2 && call[2].as_boolean();
  return backwards ? rows_of<Integers>(last, first, -1) : rows_of<Integers>(first, last, 1);
}

[[noreturn]] void throw_no_step() { throw SqlError(sqlstate::invalid_parameter_value, "step size cannot equal zero"); }

std::unique_ptr<FunctionRows> integer_series(const FunctionCall& call) {
  const std::int64_t step = call.size() > 2 ? call[2].as_integer() : 1;
  if (step == 0) throw_no_step();
  return rows_of<Integers>(call[0].as_integer(), call[1].as_integer(), step);
}

const Numeric& finite(const Value& value, const char* what) {
  const Numeric& number = value.as_numeric();
  if (number.is_finite()) return number;
  throw SqlError(sqlstate::invalid_parameter_value,
                 std::string(what) + (number.is_nan() ? " cannot be NaN" : " cannot be infinity"));
}

std::unique_ptr<FunctionRows> numeric_series(const FunctionCall& call) {
  const Numeric& first = finite(call[0], "start value");
  const Numeric& last = finite(call[1], "stop value");
  Numeric step(1);
  if (call.size() > 2) {
    step = finite(call[2], "step size");
    if (Numeric::compare(step, Numeric()) == 0) throw_no_step();
  }
  return rows_of<Numerics>(first, last, step);
}

FunctionEntry table(const char* name, std::vector<TypeId> arguments, TypeId result, SetFunction function) {
  return {
      .name = name, .arguments = std::move(arguments), .result = result, .kind = FunctionKind::set, .set = function};
}

// Elements of a vector, each with its place, from 1.
class NumberedElements final : public FunctionRows {
 public:
  explicit NumberedElements(const FunctionCall& call) : array_(call[0]) {}
  bool next(Row& row) override {
    const auto& elements = array_.as_array().elements();
    if (at_ == elements.size()) return false;
    row.assign(1, elements[at_++]);
    row.push_back(Value::integer(static_cast<std::int64_t>(at_)));
    return true;
  }

 private:
  const Value array_;
  std::size_t at_ = 0;
};

// In PostgreSQL a function in SQL of arrays of all types (src/backend/catalog/information_schema.sql).
FunctionEntry expand_array(TypeId array, TypeId element) {
  return {.name = "information_schema._pg_expandarray",
          .arguments = {array},
          .result = TypeId::record,
          .kind = FunctionKind::set,
          .outputs = {{"x", element}, {"n", TypeId::int4}},
          .set = [](const FunctionCall& call) { return rows_of<NumberedElements>(call); }};
}

}  // namespace

void add_array_rows(Entries& to) {
  using enum TypeId;
  to.functions.push_back(table("unnest", {any_array}, any_element, unnest));
  to.functions.push_back(table("generate_subscripts", {any_array, int4, boolean}, int4, subscripts));
  to.functions.push_back(table("generate_subscripts", {any_array, int4}, int4, subscripts));
  to.functions.push_back(expand_array(int2vector, int2));
  to.functions.push_back(expand_array(oidvector, oid));
  to.functions.push_back(expand_array(int2_array, int2));
}

void add_series(Entries& to) {
  for (const TypeId type : {TypeId::int4, TypeId::int8, TypeId::numeric}) {
    const SetFunction series = type == TypeId::numeric ? numeric_series : integer_series;
    to.functions.push_back(table("generate_series", {type, type, type}, type, series));
    to.functions.push_back(table("generate_series", {type, type}, type, series));
  }
}

}  // namespace polarsim::engine::families
