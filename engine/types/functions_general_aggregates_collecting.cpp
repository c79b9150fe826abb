// Aggregates that keep all their values: array_agg() and string_agg() (PostgreSQL's array_userfuncs.c, arrayfuncs.c and
// varlena.c).
#include <fmt/format.h>

#include <string>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/functions_general_aggregates.h"
#include "engine/types/functions_texts.h"

namespace polarsim::engine::families {
namespace {

// NULLs are elements, too; no rows make NULL.
class ElementsToArray final : public AggregateState {
 public:
  ElementsToArray(std::span<const Type> types, Type) : element_(types[0].id) {}
  void add(const FunctionCall& call) override { elements_.push_back(call[0]); }
  Value result(const CallContext&) const override {
    return elements_.empty() ? Value::null() : Value::array(Array(element_, elements_));
  }

 private:
  TypeId element_;
  std::vector<Value> elements_;
};

// Arrays of the same dimensions become the rows of one with a dimension more.
class ArraysToArray final : public AggregateState {
 public:
  ArraysToArray(std::span<const Type> types, Type) : element_(type_info(types[0].id).element) {}
  void add(const FunctionCall& call) override {
    if (call[0].is_null()) throw SqlError(sqlstate::null_value_not_allowed, "cannot accumulate null arrays");
    const Array& array = call[0].as_array();
    if (count_ == 0) {
      require_room_for(array);
      dimensions_ = array.dimensions();
    } else if (array.dimensions() != dimensions_) {
      throw SqlError(sqlstate::array_subscript_error, "cannot accumulate arrays of different dimensionality");
    }
    elements_.insert(elements_.end(), array.elements().begin(), array.elements().end());
    ++count_;
  }
  Value result(const CallContext&) const override {
    if (count_ == 0) return Value::null();
    std::vector<Array::Dimension> dimensions{{count_, 1}};
    dimensions.insert(dimensions.end(), dimensions_.begin(), dimensions_.end());
    return Value::array(Array(element_, std::move(dimensions), elements_));
  }

 private:
  static void require_room_for(const Array& array) {
    if (array.empty()) throw SqlError(sqlstate::array_subscript_error, "cannot accumulate empty arrays");
    if (array.dimensions().size() < array_dimensions_max) return;
    throw SqlError(sqlstate::program_limit_exceeded,
                   fmt::format("number of array dimensions ({}) exceeds the maximum allowed ({})",
                               array.dimensions().size() + 1, array_dimensions_max));
  }

  TypeId element_;
  std::vector<Array::Dimension> dimensions_;
  std::vector<Value> elements_;
  std::int32_t count_ = 0;
};

// A delimiter stands before its own value, so that the first one is never seen. NULL values are left out, NULL
// delimiters are empty.
class Joined final : public AggregateState {
 public:
  void add(const FunctionCall& call) override {
    if (call[0].is_null()) return;
    if (any_ && !call[1].is_null()) append(call[1].as_text());
    any_ = true;
    append(call[0].as_text());
  }
  Value result(const CallContext&) const override { return any_ ? Value::text(text_) : Value::null(); }

 private:
  void append(std::string_view part) {
    check_room(text_.size(), part.size());
    text_ += part;
  }

  std::string text_;
  bool any_ = false;
};

}  // namespace

void add_collecting_aggregates(Entries& to) {
  using enum TypeId;
  to.functions.push_back(
      aggregate_function("array_agg", {any_nonarray}, any_array, false, make_aggregate_state<ElementsToArray>));
  to.functions.push_back(
      aggregate_function("array_agg", {any_array}, any_array, false, make_aggregate_state<ArraysToArray>));
  to.functions.push_back(aggregate_function("string_agg", {text, text}, text, false, make_aggregate_state<Joined>));
  to.functions.push_back(aggregate_function("string_agg", {bytea, bytea}, bytea, false, make_aggregate_state<Joined>));
}

}  // namespace polarsim::engine::families
