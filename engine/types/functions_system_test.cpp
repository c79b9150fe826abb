#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/types/array.h"
#include "engine/types/cast.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "engine/types/order.h"
#include "engine/types/random.h"
#include "engine/types/text_form.h"

// Results with a PostgreSQL counterpart were taken from a real PostgreSQL 15.
namespace polarsim::engine {
namespace {

const CallContext no_session;

std::string read_and_shown(std::string_view text, TypeId type) {
  try {
    return output_value(input_value(text, type, no_session), type, no_session);
  } catch (const SqlError& error) {
    return error.what();
  }
}

TEST(Boolean, ReadsWhatPostgresReads) {
  for (const char* text : {"t", "TRUE", " tr ", "y", "yes", "on", "1", "\tye\n"})
    EXPECT_EQ(read_and_shown(text, TypeId::boolean), "t") << text;
  for (const char* text : {"f", "False", "n", "no", "of", "off", "0"})
    EXPECT_EQ(read_and_shown(text, TypeId::boolean), "f") << text;
  for (const char* text : {"", "o", "x", "truee", "10", "t f"}) {
    EXPECT_EQ(read_and_shown(text, TypeId::boolean),
              "22P02: invalid input syntax for type boolean: \"" + std::string(text) + "\"");
  }
}

TEST(Regtype, ReadsNamesOfTheGrammarAndOfTheCatalog) {
  for (const char* text : {"int", "integer", "INT4", "23", "pg_catalog.int4", "\"int4\"", " int "})
    EXPECT_EQ(read_and_shown(text, TypeId::regtype), "integer") << text;
  EXPECT_EQ(read_and_shown("varchar(5)", TypeId::regtype), "character varying");
  EXPECT_EQ(read_and_shown("timestamp(3) with time zone", TypeId::regtype), "timestamp with time zone");
  EXPECT_EQ(read_and_shown("int4[3][]", TypeId::regtype), "integer[]");
  EXPECT_EQ(read_and_shown("_int4", TypeId::regtype), "integer[]");
  EXPECT_EQ(read_and_shown("char", TypeId::regtype), "character");
  EXPECT_EQ(read_and_shown("\"char\"", TypeId::regtype), "\"char\"");
  EXPECT_EQ(read_and_shown("0", TypeId::regtype), "-");
  EXPECT_EQ(read_and_shown("99999", TypeId::regtype), "99999");
  EXPECT_EQ(read_and_shown("nosuch", TypeId::regtype), "42704: type \"nosuch\" does not exist");
  EXPECT_EQ(read_and_shown("", TypeId::regtype), "42601: invalid type name \"\"");
}

TEST(TransactionNumbers, AreReadAsCDoes) {
  EXPECT_EQ(read_and_shown("-1", TypeId::xid), "4294967295");
  EXPECT_EQ(read_and_shown("4294967296", TypeId::xid), "0");
  EXPECT_EQ(read_and_shown("abc", TypeId::xid), "0");
  EXPECT_EQ(read_and_shown(" 7 x", TypeId::xid), "7");
  EXPECT_EQ(read_and_shown("0x10", TypeId::xid), "16");
  EXPECT_EQ(read_and_shown("010", TypeId::xid), "8");
  EXPECT_EQ(read_and_shown("-1", TypeId::xid8), "18446744073709551615");
}

TEST(RandomSequence, IsThatOfPostgres) {
  RandomSequence half = RandomSequence::from_fraction(0.5);
  EXPECT_EQ(half.next_fraction(), 0.9851677175347999);
  EXPECT_EQ(half.next_fraction(), 0.825301858027981);
  EXPECT_EQ(half.next_fraction(), 0.12974610012450416);
  EXPECT_EQ(RandomSequence::from_fraction(-1).next_fraction(), 0.725656831544149);
}

// What the functions of a session ask, written down.
class RecordingSession final : public SessionServices {
 public:
  Value call(const FunctionEntry& function, const FunctionCall& call) override {
    asked += std::string(function.name) + "/" + std::to_string(call.size()) + " ";
    return Value::integer(7);
  }
  RandomSequence& random_sequence() override { return sequence; }
  std::uint64_t random_bits() override { return 0xFFFFFFFFFFFFFFFFU; }
  std::string object_name(TypeId, std::uint32_t oid) override { return "object" + std::to_string(oid); }
  std::uint32_t object_number(TypeId, std::string_view name) override {
    return static_cast<std::uint32_t>(name.size());
  }

  std::string asked;
  RandomSequence sequence{1};
};

Value call(const char* name, const std::vector<TypeId>& types, const std::vector<Value>& values,
           const CallContext& context, bool variadic_array = false) {
  const FunctionEntry* entry = find_function(name, types);
  if (entry == nullptr) throw std::logic_error(name);
  const std::vector<Type> full_types(types.begin(), types.end());
  return entry->scalar({values, full_types, entry->result, context, entry, variadic_array});
}

TEST(SessionFunctions, AreAskedOfTheSession) {
  RecordingSession session;
  CallContext context;
  context.session = &session;
  EXPECT_EQ(call("nextval", {TypeId::regclass}, {Value::integer(1)}, context), Value::integer(7));
  call("pg_advisory_lock", {TypeId::int4, TypeId::int4}, {Value::integer(1), Value::integer(2)}, context);
  EXPECT_EQ(session.asked, "nextval/1 pg_advisory_lock/2 ");
  EXPECT_EQ(input_value("abc", TypeId::regclass, context), Value::integer(3));
  EXPECT_EQ(output_value(Value::integer(9), TypeId::regclass, context), "object9");
  EXPECT_THROW(call("lastval", {}, {}, no_session), SqlError);
}

TEST(SystemFunctions, TakeRandomnessFromTheSession) {
  RecordingSession session;
  CallContext context;
  context.session = &session;
  call("setseed", {TypeId::float8}, {Value::floating(0.5)}, context);
  EXPECT_EQ(call("random", {}, {}, context), Value::floating(0.9851677175347999));
  const Value uuid = call("gen_random_uuid", {}, {}, context);
  EXPECT_EQ(output_value(uuid, TypeId::uuid, context), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_THROW(call("setseed", {TypeId::float8}, {Value::floating(2)}, context), SqlError);
}

TEST(SystemFunctions, TellOfValuesAndTypes) {
  EXPECT_EQ(call("num_nulls", {TypeId::any}, {Value::null(), Value::integer(1)}, no_session), Value::integer(1));
  const Value array = Value::array(Array(TypeId::int4, {Value::integer(1), Value::integer(2), Value::null()}));
  EXPECT_EQ(call("num_nulls", {TypeId::any}, {array}, no_session), Value::integer(0));
  EXPECT_EQ(call("num_nonnulls", {TypeId::any}, {array}, no_session, true), Value::integer(2));
  EXPECT_EQ(call("num_nulls", {TypeId::any}, {Value::null()}, no_session, true), Value::null());
  EXPECT_EQ(call("format_type", {TypeId::oid, TypeId::int4}, {Value::integer(1043), Value::integer(9)}, no_session),
            Value::text("character varying(5)"));
  EXPECT_EQ(call("format_type", {TypeId::oid, TypeId::int4}, {Value::integer(1042), Value::null()}, no_session),
            Value::text("character"));
}

std::string size_of(const char* text, TypeId type) {
  const std::vector<Type> types{type};
  const std::vector<Value> values{input_value(text, type, no_session)};
  const FunctionEntry* entry = find_function("pg_column_size", std::vector{TypeId::any});
  return output_value(entry->scalar({values, types, TypeId::int4, no_session}), TypeId::int4, no_session);
}

TEST(SystemFunctions, TellHowLongValuesAreInMemory) {
  EXPECT_EQ(size_of("1", TypeId::int4), "4");
  EXPECT_EQ(size_of("abc", TypeId::text), "7");
  EXPECT_EQ(size_of("abc", TypeId::unknown), "4");
  EXPECT_EQ(size_of("t", TypeId::boolean), "1");
  EXPECT_EQ(size_of("x", TypeId::name), "64");
  EXPECT_EQ(size_of("1.5", TypeId::numeric), "10");
  EXPECT_EQ(size_of("0.0", TypeId::numeric), "6");
  EXPECT_EQ(size_of("NaN", TypeId::numeric), "6");
  EXPECT_EQ(size_of("123456789.123", TypeId::numeric), "14");
}

TEST(SystemFunctions, ShowSizesForPeople) {
  const auto pretty = [](const char* number, TypeId type) {
    return std::string(call("pg_size_pretty", {type}, {input_value(number, type, no_session)}, no_session).as_text());
  };
  EXPECT_EQ(pretty("10239", TypeId::int8), "10239 bytes");
  EXPECT_EQ(pretty("10240", TypeId::int8), "10 kB");
  EXPECT_EQ(pretty("-20971519", TypeId::int8), "-20 MB");
  EXPECT_EQ(pretty("9223372036854775807", TypeId::int8), "8192 PB");
  EXPECT_EQ(pretty("1.5", TypeId::numeric), "1.5 bytes");
  EXPECT_EQ(pretty("20971519.5", TypeId::numeric), "20 MB");
}

TEST(Tables, HaveNoEntryTwice) {
  std::set<std::tuple<std::string, std::vector<TypeId>>> functions;
  for (const FunctionEntry& entry : all_functions())
    EXPECT_TRUE(functions.emplace(entry.name, entry.arguments).second) << entry.name;
  std::set<std::tuple<std::string, TypeId, TypeId>> operators;
  for (const OperatorEntry& entry : all_operators())
    EXPECT_TRUE(operators.emplace(entry.symbol, entry.left, entry.right).second) << entry.symbol;
  std::set<std::tuple<TypeId, TypeId>> casts;
  for (const CastEntry& entry : all_casts()) {
    EXPECT_TRUE(casts.emplace(entry.source, entry.target).second)
        << type_name(entry.source) << " to " << type_name(entry.target);
  }
}

TEST(Tables, CommutatorsAndNegatorsExist) {
  for (const OperatorEntry& entry : all_operators()) {
    if (entry.commutator != nullptr) {
      EXPECT_NE(find_operator(entry.commutator, entry.right, entry.left), nullptr) << entry.function_name;
    }
    if (entry.negator != nullptr) {
      EXPECT_NE(find_operator(entry.negator, entry.left, entry.right), nullptr) << entry.function_name;
    }
  }
}

TEST(Order, ComparesAndHashesByType) {
  EXPECT_LT(compare_values(Value::boolean(false), Value::boolean(true), TypeId::boolean), 0);
  EXPECT_EQ(compare_values(Value::text("a "), Value::text("a"), TypeId::bpchar), 0);
  EXPECT_GT(compare_values(Value::integer(-1), Value::integer(1), TypeId::xid8), 0);
  EXPECT_TRUE(is_ordered(TypeId::text));
  EXPECT_FALSE(is_ordered(TypeId::xid));
  EXPECT_THROW(comparison_of(TypeId::xid), SqlError);
  EXPECT_EQ(hash_value(Value::text("a"), TypeId::text), hash_value(Value::text("a"), TypeId::varchar));
}

}  // namespace
}  // namespace polarsim::engine
