#include <gtest/gtest.h>

#include "engine/types/array.h"
#include "engine/types/call_test_support.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/json.h"
#include "engine/types/operator.h"
#include "engine/types/order.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine::test {
namespace {

const CallContext context;

std::string input_error(TypeId type, const std::string& text) {
  try {
    input_value(text, type, context);
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().detail + " | " + error.fields().context;
  }
  return "none";
}

TEST(Json, InputTellsWhatIsWrongAndWhere) {
  const struct {
    TypeId type;
    std::string text;
    std::string error;
  } cases[] = {
      {TypeId::json, "{\"a\":1 b}", "22P02 Token \"b\" is invalid. | JSON data, line 1: {\"a\":1 b..."},
      {TypeId::json, "{\"a\":\"\\u00zz\"}",
       "22P02 \"\\u\" must be followed by four hexadecimal digits. | JSON data, line 1: {\"a\":\"\\u00z..."},
      {TypeId::jsonb, "[\"\\ud83d\"]",
       "22P02 Unicode low surrogate must follow a high surrogate. | JSON data, line 1: [\"\\ud83d\"..."},
      {TypeId::jsonb, "[\"\\u0000\"]", "22P05 \\u0000 cannot be converted to text. | JSON data, line 1: [\"\\u0000..."},
      {TypeId::json, "[\"\\u0000\", \"\\ud83d\"]", "none"},
      {TypeId::json, "[\"ab\nc\"]", "22P02 Character with value 0x0a must be escaped. | JSON data, line 1: [\"ab"},
      {TypeId::json, "", "22P02 The input string ended unexpectedly. | JSON data, line 1: "},
      {TypeId::json, "[1 2]", "22P02 Expected \",\" or \"]\", but found \"2\". | JSON data, line 1: [1 2..."},
      {TypeId::json, "{1:2}", "22P02 Expected string or \"}\", but found \"1\". | JSON data, line 1: {1..."},
      {TypeId::json, "{\"a\":1,}", "22P02 Expected string, but found \"}\". | JSON data, line 1: {\"a\":1,}"},
      {TypeId::json, "1 2", "22P02 Expected end of input, but found \"2\". | JSON data, line 1: 1 2"},
      {TypeId::json, "01", "22P02 Token \"01\" is invalid. | JSON data, line 1: 01"},
      {TypeId::json, "\"abc", "22P02 Token \"\"abc\" is invalid. | JSON data, line 1: \"abc"},
      {TypeId::json, "\"\\x\"", "22P02 Escape sequence \"\\x\" is invalid. | JSON data, line 1: \"\\x..."},
      {TypeId::jsonb, "[\xC3\xA9]", "22P02 Token \"\xC3\xA9\" is invalid. | JSON data, line 1: [\xC3\xA9..."},
      {TypeId::jsonb, "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1, \"b\": x, \"c\":  3}",
       "22P02 Token \"x\" is invalid. | JSON data, line 1: ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1, \"b\": x..."},
  };
  for (const auto& one : cases) EXPECT_EQ(input_error(one.type, one.text), one.error) << one.text;
}

TEST(Json, DocumentsAreOrderedAndHashedAsValues) {
  const std::vector<std::string> ascending{"[]",   "null",  "\"\"",       "\"a\"",        "-1",
                                           "1.50", "false", "true",       "[1]",          "[1, null]",
                                           "[[]]", "{}",    "{\"b\": 1}", "{\"b\": 1.1}", "{\"a\": 1, \"b\": 0}"};
  std::vector<Json> documents;
  for (const std::string& text : ascending) documents.push_back(Json::parse(text));
  // Containers are ordered by their size first.
  std::swap(documents[9], documents[10]);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    for (std::size_t j = 0; j < documents.size(); ++j) {
      EXPECT_EQ(Json::compare(documents[i], documents[j]), i < j   ? -1
                                                           : i > j ? 1
                                                                   : 0)
          << documents[i].to_string() << " and " << documents[j].to_string();
    }
  }
  EXPECT_EQ(Json::parse("[1.0]").hash(), Json::parse("[1]").hash());
  EXPECT_EQ(Json::parse("{}").hash(), 0U);
  EXPECT_EQ(Json::compare(Json::parse("[1.0]"), Json::parse("[1]")), 0);
  EXPECT_NE(Json::parse("[1.0]"), Json::parse("[1]"));
}

TEST(Json, TooDeepANestingIsRefused) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(Json::parse(nested(Json::depth_max - 1)).to_string(), nested(Json::depth_max - 1));
  EXPECT_THROW(Json::parse(nested(Json::depth_max)), SqlError);
  EXPECT_THROW(input_value(nested(Json::depth_max), TypeId::json, context), SqlError);
  Json json;
  const auto wrap = [&json] {
    for (std::size_t i = 0; i < Json::depth_max; ++i) json = Json(Json::Elements{json});
  };
  EXPECT_THROW(wrap(), SqlError);
}

TEST(JsonFunctions, Access) {
  expect_calls({
      {"->", {"jsonb=5", "int4=0"}, "5"},
      {"->", {"json=5", "int4=0"}, "NULL"},
      {"->", {"json=[1,2]", "int4=-1"}, "2"},
      {"->>", {"jsonb={\"a\":null,\"b\":\"x\",\"b\":\"y\"}", "text=b"}, "y"},
      {"json_typeof", {"json= 5"}, "number"},
      {"jsonb_typeof", {"jsonb=[]"}, "array"},
      {"json_array_length", {"json={}"}, "ERROR 22023: cannot get array length of a non-array"},
      {"jsonb_array_length", {"jsonb=1"}, "ERROR 22023: cannot get array length of a scalar"},
      {"json_object_keys", {"json={\"b\":1,\"a\":2,\"b\":3}"}, "b | a | b"},
      {"jsonb_object_keys", {"jsonb={\"b\":1,\"a\":2,\"b\":3}"}, "a | b"},
      {"json_object_keys", {"json=[]"}, "ERROR 22023: cannot call json_object_keys on an array"},
      {"json_each", {"json=[]"}, "ERROR 22023: cannot deconstruct an array as an object"},
      {"jsonb_each", {"jsonb=[]"}, "ERROR 22023: cannot call jsonb_each on a non-object"},
      {"json_array_elements", {"json=[1 , {\"a\":  1}]"}, "1 | {\"a\":  1}"},
      {"json_array_elements_text", {"json=[null,\"a\",[1, 2],true]"}, "NULL | a | [1, 2] | true"},
      {"jsonb_array_elements", {"jsonb={}"}, "ERROR 22023: cannot extract elements from an object"},
      {"?", {"jsonb=\"a\"", "text=a"}, "t"},
      {"@>", {"jsonb=[1,[2,3]]", "jsonb=[[3]]"}, "t"},
      {"@>", {"jsonb=[1,2]", "jsonb=1"}, "t"},
      {"@>", {"jsonb=1", "jsonb=[1]"}, "f"},
      {"<@", {"jsonb={\"a\":{}}", "jsonb={\"a\":{\"b\":1},\"c\":2}"}, "t"},
  });
}

TEST(JsonFunctions, Changes) {
  expect_calls({
      {"||", {"jsonb=1", "jsonb={\"a\":1}"}, "[1, {\"a\": 1}]"},
      {"||", {"jsonb={\"a\":1}", "jsonb={\"a\":2}"}, "{\"a\": 2}"},
      {"-", {"jsonb=[\"a\",1]", "text=a"}, "[1]"},
      {"-", {"jsonb=[1,2]", "int4=-1"}, "[1]"},
      {"-", {"jsonb=1", "int4=1"}, "ERROR 22023: cannot delete from scalar"},
      {"-", {"jsonb={\"a\":1}", "int4=1"}, "ERROR 22023: cannot delete from object using integer index"},
      {"jsonb_pretty", {"jsonb={\"a\":[1,{}]}"}, "{\n    \"a\": [\n        1,\n        {\n        }\n    ]\n}"},
      {"json_strip_nulls",
       {"json={\"a\":null,\"b\":[null, 1 ,{\"c\":null}],\"d\":\"\\u00e9\"}"},
       "{\"b\":[null,1,{}],\"d\":\"é\"}"},
      {"jsonb_strip_nulls", {"jsonb={\"a\":null,\"b\":[null,{\"c\":null}]}"}, "{\"b\": [null, {}]}"},
      {"int4", {"jsonb=1.5"}, "2"},
      {"int4", {"jsonb=\"a\""}, "ERROR 22023: cannot cast jsonb string to type integer"},
      {"bool", {"jsonb=null"}, "ERROR 22023: cannot cast jsonb null to type boolean"},
  });
  const auto text_array = [](std::vector<Value> texts) { return Value::array(Array(TypeId::text, std::move(texts))); };
  const auto set = [&](const char* function, const std::string& json, std::vector<Value> path, bool option) {
    const FunctionEntry* entry = functions_named(function)[0];
    const std::vector<Value> arguments{Value::json(Json::parse(json)), text_array(std::move(path)),
                                       Value::json(Json::parse("0")), Value::boolean(option)};
    return entry->scalar({arguments, {}, entry->result, context, entry}).as_json().to_string();
  };
  EXPECT_EQ(set("jsonb_set", "[1, {\"a\": 2}]", {Value::text("1"), Value::text("a")}, false), "[1, {\"a\": 0}]");
  EXPECT_EQ(set("jsonb_set", "{}", {Value::text("a")}, true), "{\"a\": 0}");
  EXPECT_EQ(set("jsonb_set", "[1]", {Value::text("-5")}, true), "[0, 1]");
  EXPECT_EQ(set("jsonb_insert", "[1, 2]", {Value::text("-1")}, true), "[1, 2, 0]");
  EXPECT_EQ(set("jsonb_insert", "[1, 2]", {Value::text("-1")}, false), "[1, 0, 2]");
  EXPECT_THROW(set("jsonb_insert", "{\"a\": 1}", {Value::text("a")}, false), SqlError);
  EXPECT_THROW(set("jsonb_set", "[1]", {Value::text("a")}, false), SqlError);
  EXPECT_THROW(set("jsonb_set", "[1]", {Value::null()}, false), SqlError);
}

TEST(JsonFunctions, Making) {
  expect_calls({
      {"json_build_object", {"text=a", "int4=1", "bool=t", "float8=NaN"}, "{\"a\" : 1, \"true\" : \"NaN\"}"},
      {"jsonb_build_object",
       {"text=a", "timestamptz=2000-01-01 00:00:00.5"},
       "{\"a\": \"2000-01-01T00:00:00.5+00:00\"}"},
      {"json_build_array", {"json= [1]", "numeric=1.50", "text"}, "[ [1], 1.50, null]"},
      {"json_build_object", {"text", "int4=1"}, "ERROR 22023: argument 1 cannot be null"},
      {"jsonb_build_object", {"text=a"}, "ERROR 22023: argument list must have even number of elements"},
      {"jsonb_build_object",
       {"jsonb=1", "int4=1"},
       "ERROR 22023: key value must be scalar, not array, composite, or json"},
  });
}

TEST(JsonFunctions, Aggregates) {
  const auto aggregated = [](const char* name, const std::vector<std::vector<Value>>& rows, std::vector<Type> types) {
    const FunctionEntry* entry = functions_named(name)[0];
    const auto state = entry->aggregate(types, entry->result);
    for (const auto& row : rows) state->add({row, types, entry->result, context, entry});
    const Value result = state->result(context);
    return result.is_null() ? "NULL" : output_value(result, entry->result, context);
  };
  EXPECT_EQ(aggregated("json_agg", {}, {TypeId::int4}), "NULL");
  EXPECT_EQ(aggregated("json_agg", {{Value::integer(1)}, {Value::null()}}, {TypeId::int4}), "[1, null]");
  const Value array = Value::array(Array(TypeId::int4, {Value::integer(1)}));
  EXPECT_EQ(aggregated("json_agg", {{array}, {array}, {Value::null()}}, {TypeId::int4_array}), "[[1], \n [1], null]");
  const std::vector<std::vector<Value>> pairs{{Value::integer(1), array}, {Value::integer(1), Value::null()}};
  EXPECT_EQ(aggregated("json_object_agg", pairs, {TypeId::int4, TypeId::int4_array}), "{ \"1\" : [1], \"1\" : null }");
  EXPECT_EQ(aggregated("jsonb_object_agg", pairs, {TypeId::int4, TypeId::int4_array}), "{\"1\": null}");
}

TEST(JsonFunctions, Records) {
  const std::vector<RequestedColumn> columns{
      {"a", TypeId::text}, {"b", TypeId::int4_array}, {"c", {TypeId::varchar, 7}}, {"d", TypeId::jsonb}};
  const auto record = [&](const char* name, const std::string& document) -> std::string {
    const FunctionEntry* entry = functions_named(name)[0];
    try {
      const std::vector<Value> arguments{input_value(document, entry->arguments[0], context)};
      const FunctionCall call{arguments, {}, entry->result, context, entry, false, columns};
      std::string shown;
      const Value result = entry->scalar(call);
      for (const Record::Field& field : result.as_record().fields()) {
        if (!shown.empty()) shown += " ";
        if (field.value.is_null()) {
          shown += "NULL";
        } else if (field.value.is_array()) {
          for (const Value& each : field.value.as_array().elements())
            shown += each.is_null() ? "<>" : "<" + std::to_string(each.as_integer()) + ">";
        } else {
          shown += output_value(field.value, field.type.id, context);
        }
      }
      return shown;
    } catch (const SqlError& error) {
      return error.fields().message + " | " + error.fields().hint;
    }
  };
  for (const char* name : {"json_to_record", "jsonb_to_record"}) {
    EXPECT_EQ(record(name, "{\"a\":1,\"b\":[1,\"2\",null],\"c\":\"x\"}"), "1 <1><2><> x NULL");
    EXPECT_EQ(record(name, "{\"d\":\"x\",\"b\":[[1],[2]]}"), "NULL <1><2> NULL \"x\"");
    EXPECT_EQ(record(name, "[1]"), "cannot call populate_composite on an array | ");
    EXPECT_EQ(record(name, "{\"b\":1}"), "expected JSON array | See the value of key \"b\".");
    EXPECT_EQ(record(name, "{\"b\":[[1],2]}"), "expected JSON array | See the array element [1] of key \"b\".");
    EXPECT_EQ(record(name, "{\"c\":\"abcd\"}"), "value too long for type character varying(3) | ");
  }
}

}  // namespace
}  // namespace polarsim::engine::test
