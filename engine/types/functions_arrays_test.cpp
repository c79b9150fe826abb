// Expected texts are those of PostgreSQL 15.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/types/array.h"
#include "engine/types/array_access.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "engine/types/order.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {
namespace {

using enum TypeId;

const CallContext context;

template <typename Make>
std::string or_error(Make make) {
  try {
    return make();
  } catch (const SqlError& error) {
    const std::string& detail = error.fields().detail;
    return fmt::format("{} {}{}{}", error.sqlstate(), error.fields().message, detail.empty() ? "" : " | ", detail);
  }
}

Value value_of(const char* text, TypeId type) { return text == nullptr ? Value() : input_value(text, type, context); }
std::string shown(const Value& value, TypeId type) {
  return value.is_null() ? "NULL" : output_value(value, type, context);
}
std::string reread(const char* text, TypeId type) {
  return or_error([&] { return shown(value_of(text, type), type); });
}

// Calls the function that has these arguments in the catalog, of integers.
std::string call(const char* name, const std::vector<TypeId>& arguments, const std::vector<const char*>& texts,
                 TypeId result = int4_array) {
  return or_error([&]() -> std::string {
    const FunctionEntry* const entry = find_function(name, arguments);
    if (entry == nullptr) return "no such function";
    std::vector<Value> values;
    std::vector<Type> types;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const bool is_array_type = arguments[i] == any_array || arguments[i] == any_compatible_array;
      types.emplace_back(is_array_type ? int4_array : is_polymorphic(arguments[i]) ? int4 : arguments[i]);
      values.push_back(value_of(texts[i], types.back().id));
    }
    const FunctionCall made{values, types, result, context, entry};
    if (entry->kind != FunctionKind::set) return shown(entry->scalar(made), result);
    std::string rows;
    Row row;
    for (const auto all = entry->set(made); all->next(row);) rows += (rows.empty() ? "" : " ") + shown(row[0], result);
    return rows;
  });
}

TEST(Arrays, HaveTextForms) {
  EXPECT_EQ(reread(" {1, NULL ,2 } ", int4_array), "{1,NULL,2}");
  EXPECT_EQ(reread("{ \"a b\" , c d ,\"null\",null,\"\",\"x\\\"y\", a\\ }", text_array),
            "{\"a b\",\"c d\",\"null\",NULL,\"\",\"x\\\"y\",\"a \"}");
  EXPECT_EQ(reread("{}", int4_array), "{}");
  EXPECT_EQ(reread("{{1,2},{3,4}}", int4_array), "{{1,2},{3,4}}");
  EXPECT_EQ(reread("[0:1][-1:-1]={{1},{2}}", int4_array), "[0:1][-1:-1]={{1},{2}}");
  EXPECT_EQ(reread("[1:2]={1,2}", int4_array), "{1,2}");
  EXPECT_EQ(reread("{{1},{{2}}}", int4_array), "{{{1}},{{2}}}");
  EXPECT_EQ(reread("1 2", int2vector), "1 2");
}

TEST(Arrays, RefuseMalformedTexts) {
  const auto malformed = [](const char* text) { return reread(text, int4_array); };
  EXPECT_EQ(malformed("1"),
            "22P02 malformed array literal: \"1\" | Array value must start with \"{\" or dimension "
            "information.");
  EXPECT_EQ(malformed("{1"), "22P02 malformed array literal: \"{1\" | Unexpected end of input.");
  EXPECT_EQ(malformed("{1}}"), "22P02 malformed array literal: \"{1}}\" | Junk after closing right brace.");
  EXPECT_EQ(malformed("{1,}"), "22P02 malformed array literal: \"{1,}\" | Unexpected \"}\" character.");
  EXPECT_EQ(malformed("{{1},{2,3}}"),
            "22P02 malformed array literal: \"{{1},{2,3}}\" | Multidimensional arrays must "
            "have sub-arrays with matching dimensions.");
  EXPECT_EQ(malformed("[1:3]={1,2}"),
            "22P02 malformed array literal: \"[1:3]={1,2}\" | Specified array dimensions do "
            "not match array contents.");
  EXPECT_EQ(malformed("[2:1]={1}"), "2202E upper bound cannot be less than lower bound");
  EXPECT_EQ(malformed("{{{{{{{1}}}}}}}"), "54000 number of array dimensions (7) exceeds the maximum allowed (6)");
  EXPECT_EQ(malformed("{x}"), "22P02 invalid input syntax for type integer: \"x\"");
}

TEST(Arrays, AreOrderedByElementsThenDimensions) {
  const auto compared = [](const char* a, const char* b) {
    return compare_values(value_of(a, int4_array), value_of(b, int4_array), int4_array);
  };
  EXPECT_LT(compared("{1,2}", "{1,3}"), 0);
  EXPECT_LT(compared("{1,2}", "{1,NULL}"), 0);
  EXPECT_LT(compared("{1}", "{1,1}"), 0);
  EXPECT_LT(compared("{1,2}", "{{1},{2}}"), 0);
  EXPECT_LT(compared("{1}", "[2:2]={1}"), 0);
  EXPECT_EQ(compared("{1,NULL}", "{1,NULL}"), 0);
  const auto contains = [](const char* a, const char* b) {
    const Value values[] = {value_of(a, int4_array), value_of(b, int4_array)};
    return find_operator("@>", any_array, any_array)->function({values, {}, boolean, context}).as_boolean();
  };
  EXPECT_TRUE(contains("{1,2,3}", "{3,1,1}"));
  EXPECT_TRUE(contains("{1}", "{}"));
  EXPECT_FALSE(contains("{1,NULL}", "{NULL}"));
}

TEST(Arrays, GrowAndShrink) {
  constexpr TypeId array = any_compatible_array;
  constexpr TypeId element = any_compatible;
  EXPECT_EQ(call("array_append", {array, element}, {"[5:6]={1,2}", "3"}), "[5:7]={1,2,3}");
  EXPECT_EQ(call("array_append", {array, element}, {nullptr, nullptr}), "{NULL}");
  EXPECT_EQ(call("array_append", {array, element}, {"{{1}}", "2"}),
            "22000 argument must be empty or one-dimensional array");
  EXPECT_EQ(call("array_prepend", {element, array}, {"0", "[5:6]={1,2}"}), "[5:7]={0,1,2}");
  EXPECT_EQ(call("array_cat", {array, array}, {"{1,2}", "{{3,4}}"}), "{{1,2},{3,4}}");
  EXPECT_EQ(call("array_cat", {array, array}, {"{{1,2}}", "{3}"}),
            "2202E cannot concatenate incompatible arrays | Arrays with differing dimensions are not compatible for "
            "concatenation.");
  EXPECT_EQ(call("array_fill", {any_element, int4_array, int4_array}, {"7", "{2,1}", "{0,1}"}), "[0:1][1:1]={{7},{7}}");
  EXPECT_EQ(call("array_fill", {any_element, int4_array}, {"7", "{-1}"}),
            "54000 array size exceeds the maximum allowed (134217727)");
  EXPECT_EQ(call("array_remove", {array, element}, {"[0:3]={1,NULL,2,NULL}", nullptr}), "[0:1]={1,2}");
  EXPECT_EQ(call("array_replace", {array, element, element}, {"{{1,2},{2,3}}", "2", nullptr}), "{{1,NULL},{NULL,3}}");
  EXPECT_EQ(call("trim_array", {any_array, int4}, {"[0:2]={1,2,3}", "1"}), "{1,2}");
  EXPECT_EQ(call("trim_array", {any_array, int4}, {"{1}", "2"}),
            "2202E number of elements to trim must be between 0 and 1");
  EXPECT_EQ(call("array_position", {array, element}, {"[2:4]={7,8,8}", "8"}, int4), "3");
  EXPECT_EQ(call("array_positions", {array, element}, {"{8,NULL,8}", "8"}), "{1,3}");
  EXPECT_EQ(call("array_dims", {any_array}, {"[0:0][1:2]={{1,2}}"}, text), "[0:0][1:2]");
  EXPECT_EQ(call("array_upper", {any_array, int4}, {"[0:2]={1,2,3}", "1"}, int4), "2");
}

TEST(Arrays, GiveRows) {
  EXPECT_EQ(call("unnest", {any_array}, {"{{1,NULL},{3,4}}"}, int4), "1 NULL 3 4");
  EXPECT_EQ(call("generate_subscripts", {any_array, int4, boolean}, {"[0:2]={1,2,3}", "1", "t"}, int4), "2 1 0");
  EXPECT_EQ(call("generate_series", {int4, int4, int4}, {"2147483640", "2147483647", "5"}, int4),
            "2147483640 2147483645");
  EXPECT_EQ(call("generate_series", {int8, int8}, {"9223372036854775806", "9223372036854775807"}, int8),
            "9223372036854775806 9223372036854775807");
  EXPECT_EQ(call("generate_series", {numeric, numeric, numeric}, {"1", "0", "-0.5"}, numeric), "1 0.5 0.0");
  EXPECT_EQ(call("generate_series", {int4, int4, int4}, {"1", "2", "0"}, int4), "22023 step size cannot equal zero");
}

TEST(ArrayAccess, ReadsAndReplacesParts) {
  const auto array = [](const char* text) { return value_of(text, int4_array).as_array(); };
  const auto text = [](auto make) { return or_error([&] { return shown(Value::array(make()), int4_array); }); };
  const auto with = [&](const char* given, std::vector<std::int32_t> at) {
    return text([&] { return array_with_element(array(given), at, Value::integer(9)); });
  };
  EXPECT_EQ(array_element(array("{{1,2},{3,4}}"), std::vector{2, 1}), Value::integer(3));
  EXPECT_EQ(array_element(array("{1}"), std::vector{2}), Value());
  EXPECT_EQ(text([&] {
              return array_slice(array("{{1,2},{3,4}}"), std::vector<ArraySlice>{{2, 7}, {{}, 1}});
            }),
            "{{3}}");
  EXPECT_EQ(with("{1}", {4}), "{1,NULL,NULL,9}");
  EXPECT_EQ(with("{1}", {-1}), "[-1:1]={9,NULL,1}");
  EXPECT_EQ(with("{}", {2, 3}), "[2:2][3:3]={{9}}");
  EXPECT_EQ(with("{{1}}", {1, 2}), "2202E array subscript out of range");
  EXPECT_EQ(with("{1}", {1, 2}), "2202E wrong number of array subscripts");
  const auto with_slice = [&](const char* given, std::vector<ArraySlice> at, const char* source) {
    return text([&] { return array_with_slice(array(given), at, array(source)); });
  };
  EXPECT_EQ(with_slice("{1,2,3}", {{2, 4}}, "{7,8,9,10}"), "{1,7,8,9}");
  EXPECT_EQ(with_slice("{{1,2},{3,4}}", {{{}, {}}, {2, 2}}, "{8,9}"), "{{1,8},{3,9}}");
  EXPECT_EQ(with_slice("{1,2}", {{1, 2}}, "{7}"), "2202E source array too small");
  EXPECT_EQ(with_slice("{}", {{1, {}}}, "{7}"),
            "2202E array slice subscript must provide both boundaries | When assigning to a slice of an empty array "
            "value, slice boundaries must be fully specified.");
}

TEST(Records, HaveTextFormsAndAnOrder) {
  const auto row = [](std::vector<std::pair<TypeId, const char*>> fields) {
    std::vector<Record::Field> made;
    for (const auto& [type, given] : fields) made.push_back({"", type, value_of(given, type)});
    return Value::record(Record(std::move(made)));
  };
  EXPECT_EQ(shown(row({{int4, "1"}, {text, nullptr}, {text, ""}, {text, "a\"b\\(,"}}), record),
            "(1,,\"\",\"a\"\"b\\\\(,\")");
  const auto compared = [](const Value& a, const Value& b) {
    return or_error([&] { return std::to_string(compare_values(a, b, record)); });
  };
  EXPECT_EQ(compared(row({{int4, "1"}, {int4, "2"}}), row({{int4, "1"}, {int4, nullptr}})), "-1");
  EXPECT_EQ(compared(row({{int4, "1"}}), row({{text, "1"}})),
            "42804 cannot compare dissimilar column types integer and text at record column 1");
  EXPECT_EQ(compared(row({{int4, "1"}}), row({{int4, "1"}, {int4, "1"}})),
            "42804 cannot compare record types with different numbers of columns");
  EXPECT_TRUE(row_is_null(row({{int4, nullptr}})));
  EXPECT_FALSE(row_is_null(row({{int4, nullptr}, {int4, "1"}})));
  EXPECT_FALSE(row_is_not_null(row({{int4, nullptr}, {int4, "1"}})));
}

}  // namespace
}  // namespace polarsim::engine
