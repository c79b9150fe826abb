#include <memory>

#include "engine/types/error.h"
#include "engine/types/functions_json.h"
#include "engine/types/json.h"
#include "engine/types/json_conversion.h"

// json_agg, json_object_agg and the like (PostgreSQL's json.c, jsonb.c).
namespace polarsim::engine::families {
namespace {

class JsonArray final : public AggregateState {
 public:
  explicit JsonArray(Type type) : type_(type) {}
  void add(const FunctionCall& call) override {
    text_ += text_.empty() ? "[" : ", ";
    if (text_.size() > 1 && !call[0].is_null() && is_structured_in_json(type_.id)) text_ += "\n ";
    append_as_json(text_, call[0], type_, call.context);
  }
  Value result(const CallContext&) const override { return text_.empty() ? Value::null() : Value::text(text_ + "]"); }

 private:
  const Type type_;
  std::string text_;
};

class JsonbArray final : public AggregateState {
 public:
  explicit JsonbArray(Type type) : type_(type) {}
  void add(const FunctionCall& call) override {
    any_ = true;
    elements_.push_back(as_json(call[0], type_, call.context));
  }
  Value result(const CallContext&) const override { return any_ ? Value::json(Json(elements_)) : Value::null(); }

 private:
  const Type type_;
  bool any_ = false;
  Json::Elements elements_;
};

void require_key(const FunctionCall& call) {
  if (call[0].is_null()) throw SqlError(sqlstate::invalid_parameter_value, "field name must not be null");
}

class JsonObject final : public AggregateState {
 public:
  explicit JsonObject(std::span<const Type> types) : key_(types[0]), value_(types[1]) {}
  void add(const FunctionCall& call) override {
    require_key(call);
    text_ += text_.empty() ? "{ " : ", ";
    append_as_json_key(text_, call[0], key_, call.context);
    text_ += " : ";
    append_as_json(text_, call[1], value_, call.context);
  }
  Value result(const CallContext&) const override { return text_.empty() ? Value::null() : Value::text(text_ + " }"); }

 private:
  const Type key_;
  const Type value_;
  std::string text_;
};

class JsonbObject final : public AggregateState {
 public:
  explicit JsonbObject(std::span<const Type> types) : key_(types[0]), value_(types[1]) {}
  void add(const FunctionCall& call) override {
    require_key(call);
    any_ = true;
    std::string key = as_json_key(call[0], key_, call.context);
    members_.push_back({std::move(key), as_json(call[1], value_, call.context)});
  }
  Value result(const CallContext&) const override { return any_ ? Value::json(Json(members_)) : Value::null(); }

 private:
  const Type key_;
  const Type value_;
  bool any_ = false;
  Json::Members members_;
};

template <typename State>
std::unique_ptr<AggregateState> array_state(std::span<const Type> types, Type) {
  return std::make_unique<State>(types[0]);
}
template <typename State>
std::unique_ptr<AggregateState> object_state(std::span<const Type> types, Type) {
  return std::make_unique<State>(types);
}

FunctionEntry aggregate(const char* name, std::vector<TypeId> arguments, TypeId result, Volatility volatility,
                        AggregateFunction function) {
  return {.name = name,
          .arguments = std::move(arguments),
          .result = result,
          .kind = FunctionKind::aggregate,
          .volatility = volatility,
          .strict = false,
          .aggregate = function};
}

}  // namespace

void add_json_aggregates(Entries& to) {
  using enum TypeId;
  constexpr Volatility is_stable = Volatility::stable;
  add_functions(to,
                {
                    aggregate("json_agg", {any_element}, json, is_stable, array_state<JsonArray>),
                    aggregate("jsonb_agg", {any_element}, jsonb, is_stable, array_state<JsonbArray>),
                    aggregate("json_object_agg", {any, any}, json, is_stable, object_state<JsonObject>),
                    // The catalog of PostgreSQL 15 has it so.
                    aggregate("jsonb_object_agg", {any, any}, jsonb, Volatility::immutable, object_state<JsonbObject>),
                });
}

}  // namespace polarsim::engine::families
