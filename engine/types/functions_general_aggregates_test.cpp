#include <gtest/gtest.h>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {
namespace {

using enum TypeId;

const CallContext context;

Value value_of(TypeId type, const char* text) { return text == nullptr ? Value() : input_value(text, type, context); }

const FunctionEntry& aggregate_named(const char* name, const std::vector<TypeId>& arguments) {
  for (const FunctionEntry* entry : functions_named(name)) {
    if (entry->kind == FunctionKind::aggregate && entry->arguments == arguments) return *entry;
  }
  throw std::logic_error("no such aggregate");
}

using Rows = std::vector<std::vector<Value>>;

Value aggregated(const FunctionEntry& entry, const std::vector<Type>& types, Type result, const Rows& rows,
                 const std::vector<Value>& direct = {}, const std::vector<AggregateOrder>& order = {{}}) {
  const auto state = entry.aggregate(types, result);
  for (const std::vector<Value>& row : rows) {
    bool has_null = false;
    for (const Value& value : row) has_null = has_null || value.is_null();
    if (!entry.strict || !has_null) state->add({row, types, result, context, &entry});
  }
  state->begin_ordered_set(direct, order);
  return state->result(context);
}

Rows rows_of(TypeId type, const std::vector<const char*>& texts) {
  Rows rows;
  for (const char* text : texts) rows.push_back({value_of(type, text)});
  return rows;
}

TEST(GeneralAggregates, CountsAndExtremes) {
  const Rows rows = rows_of(int4, {"3", nullptr, "-1", "2"});
  EXPECT_EQ(aggregated(aggregate_named("count", {}), {}, int8, rows), Value::integer(4));
  EXPECT_EQ(aggregated(aggregate_named("count", {any}), {int4}, int8, rows), Value::integer(3));
  EXPECT_EQ(aggregated(aggregate_named("max", {int4}), {int4}, int4, rows), Value::integer(3));
  EXPECT_EQ(aggregated(aggregate_named("min", {int4}), {int4}, int4, rows), Value::integer(-1));
  EXPECT_EQ(aggregated(aggregate_named("min", {int4}), {int4}, int4, {}), Value());
  const Rows same = rows_of(numeric, {"1.0", "1.00"});
  EXPECT_EQ(aggregated(aggregate_named("max", {numeric}), {numeric}, numeric, same), value_of(numeric, "1.00"));
  const Rows flags = rows_of(boolean, {"t", nullptr, "f"});
  EXPECT_EQ(aggregated(aggregate_named("bool_and", {boolean}), {boolean}, boolean, flags), Value::boolean(false));
  EXPECT_EQ(aggregated(aggregate_named("bool_or", {boolean}), {boolean}, boolean, flags), Value::boolean(true));
  EXPECT_EQ(aggregated(aggregate_named("every", {boolean}), {boolean}, boolean, {}), Value());
}

TEST(GeneralAggregates, CollectValues) {
  const Value collected =
      aggregated(aggregate_named("array_agg", {any_nonarray}), {int4}, int4_array, rows_of(int4, {"1", nullptr}));
  EXPECT_EQ(collected, Value::array(Array(int4, {Value::integer(1), Value()})));
  const Value nested =
      aggregated(aggregate_named("array_agg", {any_array}), {int4_array}, int4_array, {{collected}, {collected}});
  EXPECT_EQ(nested, Value::array(Array(int4, {{2, 1}, {2, 1}}, {Value::integer(1), {}, Value::integer(1), {}})));
  EXPECT_THROW(aggregated(aggregate_named("array_agg", {any_array}), {int4_array}, int4_array, {{collected}, {nested}}),
               SqlError);
  const Rows parts{{Value::text("a"), Value::text("-")},
                   {Value(), Value::text("+")},
                   {Value::text("b"), Value()},
                   {Value::text("c"), Value::text("*")}};
  EXPECT_EQ(aggregated(aggregate_named("string_agg", {text, text}), {text, text}, text, parts), Value::text("ab*c"));
}

TEST(OrderedSetAggregates, FindPercentiles) {
  const Rows rows = rows_of(float8, {"1", "2", "4", "8", nullptr});
  const auto continuous = [&](const char* fraction) {
    return aggregated(aggregate_named("percentile_cont", {float8, float8}), {float8, float8}, float8, rows,
                      {value_of(float8, fraction)});
  };
  EXPECT_EQ(continuous("0.5"), Value::floating(3));
  EXPECT_EQ(continuous("1"), Value::floating(8));
  EXPECT_EQ(continuous(nullptr), Value());
  EXPECT_THROW(continuous("1.5"), SqlError);
  EXPECT_EQ(aggregated(aggregate_named("percentile_disc", {float8, any_element}), {float8, float8}, float8, rows,
                       {value_of(float8, "0.6")}),
            Value::floating(4));
  const Value several = aggregated(aggregate_named("percentile_cont", {float8_array, interval}),
                                   {float8_array, interval}, interval_array, rows_of(interval, {"1 day", "3 days"}),
                                   {Value::array(Array(float8, {Value::floating(0.5), Value()}))});
  EXPECT_EQ(several, Value::array(Array(interval, {value_of(interval, "2 days"), Value()})));
  EXPECT_EQ(aggregated(aggregate_named("mode", {any_element}), {int4}, int4, rows_of(int4, {"1", "2", "2", "3", "3"})),
            Value::integer(2));
}

TEST(OrderedSetAggregates, RankHypotheticalRows) {
  const auto ranked = [](const char* name, Type result, const Rows& rows, const char* hypothetical,
                         AggregateOrder order) {
    return aggregated(aggregate_named(name, {any}), {int4, int4}, result, rows, {value_of(int4, hypothetical)},
                      {order});
  };
  const Rows rising = rows_of(int4, {"1", "2", "2", "5", nullptr});
  EXPECT_EQ(ranked("rank", int8, rising, "5", {}), Value::integer(4));
  EXPECT_EQ(ranked("dense_rank", int8, rising, "5", {}), Value::integer(3));
  EXPECT_EQ(ranked("percent_rank", float8, rising, "2", {}), Value::floating(0.2));
  EXPECT_EQ(ranked("cume_dist", float8, rising, "2", {}), Value::floating(4 / 6.0));
  EXPECT_EQ(ranked("rank", int8, rising, nullptr, {}), Value::integer(5));
  const Rows falling = rows_of(int4, {nullptr, "5", "2"});
  EXPECT_EQ(ranked("rank", int8, falling, "3", {.descending = true, .nulls_first = true}), Value::integer(3));
}

}  // namespace
}  // namespace polarsim::engine
