// Numbers: text forms, operators, functions, casts and aggregates. Expected results were taken from PostgreSQL 15.20.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/types/cast.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {
namespace {

using enum TypeId;

template <typename Action>
std::string outcome(Action action) {
  try {
    return action();
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().message + (error.fields().detail.empty() ? "" : " | ") +
           error.fields().detail;
  }
}

std::string shown(const Value& value, TypeId type) {
  return value.is_null() ? "NULL" : output_value(value, type, CallContext());
}
Value read(const std::string& text, Type type) {
  return text == "NULL" ? Value::null() : input_value(text, type, CallContext());
}
std::string reread(const std::string& text, Type type) {
  return outcome([&] { return shown(read(text, type), type.id); });
}
std::string call(const char* name, const std::vector<TypeId>& types, const std::vector<std::string>& texts) {
  return outcome([&]() -> std::string {
    const FunctionEntry* entry = find_function(name, types);
    if (entry == nullptr) return "no such function";
    std::vector<Value> arguments;
    for (std::size_t i = 0; i < types.size(); ++i) arguments.push_back(read(texts[i], types[i]));
    const CallContext context;
    return shown(entry->scalar({arguments, {}, entry->result, context}), entry->result);
  });
}
std::string operation(const std::string& left, TypeId left_type, const char* symbol, const std::string& right,
                      TypeId right_type) {
  return outcome([&]() -> std::string {
    const OperatorEntry* entry = find_operator(symbol, left_type, right_type);
    if (entry == nullptr) return "no such operator";
    const std::vector<Value> arguments = {read(left, left_type), read(right, right_type)};
    const CallContext context;
    return shown(entry->function({arguments, {}, entry->result, context}), entry->result);
  });
}
std::string cast(const std::string& text, TypeId from, TypeId into) {
  return outcome([&]() -> std::string {
    const CastEntry* entry = find_cast(from, into);
    if (entry == nullptr) return "no such cast";
    const std::vector<Value> arguments = {read(text, from)};
    const CallContext context;
    return shown(entry->function != nullptr ? entry->function({arguments, {}, into, context}) : arguments[0], into);
  });
}
std::string aggregate(const char* name, TypeId type, const std::vector<std::string>& texts) {
  return outcome([&]() -> std::string {
    const std::vector<TypeId> types = {type};
    const FunctionEntry* entry = find_function(name, types);
    if (entry == nullptr) return "no such aggregate";
    const auto state = entry->aggregate(std::vector<Type>{type}, entry->result);
    const CallContext context;
    for (const std::string& text : texts) {
      const std::vector<Value> arguments = {read(text, type)};
      state->add({arguments, {}, entry->result, context});
    }
    return shown(state->result(context), entry->result);
  });
}

TEST(Integers, AreReadAsPostgresReadsThem) {
  EXPECT_EQ(reread(" +12 ", int4), "12");
  EXPECT_EQ(reread("-9223372036854775808", int8), "-9223372036854775808");
  EXPECT_EQ(reread("x", int4), "22P02 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(reread("32768", int2), "22003 value \"32768\" is out of range for type smallint");
  EXPECT_EQ(reread("99999999999 x", int4), "22003 value \"99999999999 x\" is out of range for type integer");
  EXPECT_EQ(reread("-1", oid), "4294967295");
  EXPECT_EQ(reread("4294967296", oid), "22003 value \"4294967296\" is out of range for type oid");
}

TEST(Integers, OverflowIsAnError) {
  EXPECT_EQ(operation("2147483647", int4, "+", "1", int4), "22003 integer out of range");
  EXPECT_EQ(operation("2147483647", int4, "+", "1", int8), "2147483648");
  EXPECT_EQ(operation("-32768", int2, "/", "-1", int2), "22003 smallint out of range");
  EXPECT_EQ(operation("-2147483648", int4, "%", "-1", int4), "0");
  EXPECT_EQ(operation("1", int8, "/", "0", int2), "22012 division by zero");
  EXPECT_EQ(operation("1", int2, "<<", "17", int4), "0");
  EXPECT_EQ(operation("1", int4, "<<", "33", int4), "2");
  EXPECT_EQ(call("gcd", {int4, int4}, {"-2147483648", "0"}), "22003 integer out of range");
  EXPECT_EQ(cast("2.5", numeric, int4), "3");
  EXPECT_EQ(cast("2.5", float8, int4), "2");
  EXPECT_EQ(cast("NaN", numeric, int8), "0A000 cannot convert NaN to bigint");
  EXPECT_EQ(cast("-1", int4, oid), "4294967295");
}

TEST(Floats, AreWrittenShortest) {
  EXPECT_EQ(reread("1e15", float8), "1e+15");
  EXPECT_EQ(reread("100000", float8), "100000");
  EXPECT_EQ(reread("0.00001", float8), "1e-05");
  EXPECT_EQ(reread("1e23", float8), "9.999999999999999e+22");
  EXPECT_EQ(reread("5e-324", float8), "5e-324");
  EXPECT_EQ(reread("1e6", float4), "1e+06");
  EXPECT_EQ(reread("8589934592", float4), "8.589935e+09");
  EXPECT_EQ(reread("-0", float8), "-0");
  EXPECT_EQ(reread("-inf", float8), "-Infinity");
  EXPECT_EQ(reread("0x1p-3", float8), "0.125");
  EXPECT_EQ(reread("1e400 x", float8), "22003 \"1e400\" is out of range for type double precision");
  EXPECT_EQ(reread("1e40 x", float4), "22003 \"1e40 x\" is out of range for type real");
  EXPECT_EQ(reread("", float8), "22P02 invalid input syntax for type double precision: \"\"");
}

TEST(Floats, MathematicsIsPostgres) {
  EXPECT_EQ(operation("1e308", float8, "*", "10", float8), "22003 value out of range: overflow");
  EXPECT_EQ(operation("1e-300", float8, "*", "1e-300", float8), "22003 value out of range: underflow");
  EXPECT_EQ(operation("NaN", float8, "=", "NaN", float8), "t");
  EXPECT_EQ(operation("NaN", float8, ">", "Infinity", float8), "t");
  EXPECT_EQ(call("round", {float8}, {"2.5"}), "2");
  EXPECT_EQ(call("sind", {float8}, {"30"}), "0.5");
  EXPECT_EQ(call("tand", {float8}, {"45"}), "1");
  EXPECT_EQ(call("acosd", {float8}, {"0.5"}), "60");
  EXPECT_EQ(call("ln", {float8}, {"0"}), "2201E cannot take logarithm of zero");
  EXPECT_EQ(call("sqrt", {float8}, {"-1"}), "2201F cannot take square root of a negative number");
  EXPECT_EQ(call("width_bucket", {float8, float8, float8, int4}, {"5.35", "0.024", "10.06", "5"}), "3");
}

TEST(Numerics, KeepTheirScale) {
  EXPECT_EQ(reread("1e-5", numeric), "0.00001");
  EXPECT_EQ(reread(" -.50 ", numeric), "-0.50");
  EXPECT_EQ(reread("1e 5", numeric), "100000");
  EXPECT_EQ(reread("1e400000000000", numeric), "22003 value overflows numeric format");
  EXPECT_EQ(operation("1.10", numeric, "*", "2.0", numeric), "2.200");
  EXPECT_EQ(operation("1", numeric, "/", "3", numeric), "0.33333333333333333333");
  EXPECT_EQ(operation("10000", numeric, "/", "3", numeric), "3333.3333333333333333");
  EXPECT_EQ(operation("5.5", numeric, "%", "-2", numeric), "1.5");
  EXPECT_EQ(call("sqrt", {numeric}, {"2"}), "1.414213562373095");
  EXPECT_EQ(call("sqrt", {numeric}, {"0.99999999999999999999541"}), "0.99999999999999999999770");
  EXPECT_EQ(call("sqrt", {numeric}, {"1e-16383"}), "0." + std::string(1000, '0'));
  EXPECT_EQ(call("exp", {numeric}, {"1"}), "2.7182818284590452");
  EXPECT_EQ(call("ln", {numeric}, {"2"}), "0.6931471805599453");
  EXPECT_EQ(call("log", {numeric, numeric}, {"2", "8"}), "3.0000000000000000");
  EXPECT_EQ(call("power", {numeric, numeric}, {"2", "0.5"}), "1.4142135623730950");
  EXPECT_EQ(call("power", {numeric, numeric}, {"2", "3"}), "8.0000000000000000");
  EXPECT_EQ(call("power", {numeric, numeric}, {"0", "-1"}), "2201F zero raised to a negative power is undefined");
  EXPECT_EQ(call("factorial", {int8}, {"20"}), "2432902008176640000");
  EXPECT_EQ(call("lcm", {numeric, numeric}, {"-0.5", "0.3"}), "1.5");
  EXPECT_EQ(call("scale", {numeric}, {"NaN"}), "NULL");
  EXPECT_EQ(cast("1e23", float8, numeric), "100000000000000000000000");
}

TEST(Numerics, KeepToTheirModifier) {
  const auto typed = [](std::int64_t precision, std::int64_t scale) {
    return Type(numeric, type_modifier(numeric, std::vector{precision, scale}));
  };
  EXPECT_EQ(reread("1.25", typed(3, 1)), "1.3");
  EXPECT_EQ(reread("1250", typed(2, -2)), "1300");
  EXPECT_EQ(
      reread("99.96", typed(3, 1)),
      "22003 numeric field overflow | A field with precision 3, scale 1 must round to an absolute value less than "
      "10^2.");
  EXPECT_EQ(reread("inf", typed(3, 1)),
            "22003 numeric field overflow | A field with precision 3, scale 1 cannot hold an infinite value.");
}

TEST(NumberAggregates, HavePostgresTypes) {
  EXPECT_EQ(aggregate("sum", int4, {"2147483647", "1"}), "2147483648");
  EXPECT_EQ(aggregate("sum", int8, {"9223372036854775807", "1"}), "9223372036854775808");
  EXPECT_EQ(aggregate("sum", numeric, {"1.5", "Infinity", "-Infinity"}), "NaN");
  EXPECT_EQ(aggregate("avg", int4, {"1", "2"}), "1.5000000000000000");
  EXPECT_EQ(aggregate("avg", int4, {}), "NULL");
  EXPECT_EQ(aggregate("stddev", int8, {"1", "2", "4"}), "1.5275252316519467");
  EXPECT_EQ(aggregate("stddev_pop", int8, {"-4382219", "9223372036854775806"}), "4611686018429579012");
  EXPECT_EQ(aggregate("variance", float8, {"1", "2", "4"}), "2.3333333333333335");
  EXPECT_EQ(aggregate("var_samp", numeric, {"1"}), "NULL");
  EXPECT_EQ(aggregate("bit_xor", int2, {"5", "3"}), "6");
}

}  // namespace
}  // namespace polarsim::engine
