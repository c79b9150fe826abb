#include <gtest/gtest.h>

#include "engine/query/expression_walk.h"
#include "engine/query/program.h"
#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::query {
namespace {

using enum TypeId;

// "[0:1]={{1,2},{3,NULL}}" as a value. Only arrays of integers, and without a look at what is not well formed.
Value read_integers(std::string_view written) {
  std::vector<Array::Dimension> dimensions;
  std::vector<Value> elements;
  std::string_view bounds;
  if (const std::size_t equals = written.find('='); equals != std::string_view::npos) {
    bounds = written.substr(0, equals);
    written.remove_prefix(equals + 1);
  }
  std::size_t depth = 0;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '{') {
      if (++depth > dimensions.size()) dimensions.push_back({1, 1});
    } else if (written[i] == '}') {
      --depth;
    } else if (written[i] == ',') {
      // Only the first of a dimension's members is counted.
      const bool first = depth == dimensions.size()
                             ? static_cast<std::int32_t>(elements.size()) == dimensions[depth - 1].length
                             : true;
      if (first) ++dimensions[depth - 1].length;
    } else {
      const std::size_t end = written.find_first_of(",}", i);
      const std::string_view element = written.substr(i, end - i);
      elements.push_back(element == "NULL" ? Value() : input_value(element, int4, {}));
      i = end - 1;
    }
  }
  if (elements.empty()) return Value::array(Array(int4));
  if (!bounds.empty()) dimensions[0].lower_bound = std::stoi(std::string(bounds.substr(1)));
  return Value::array(Array(int4, std::move(dimensions), std::move(elements)));
}

void append_integers(std::string& to, const Array& array, std::size_t depth, std::size_t& next) {
  to += '{';
  for (std::int32_t i = 0; i < array.dimensions()[depth].length; ++i) {
    if (i > 0) to += ',';
    if (depth + 1 < array.dimensions().size()) {
      append_integers(to, array, depth + 1, next);
    } else {
      const Value& element = array.elements()[next++];
      to += element.is_null() ? "NULL" : std::to_string(element.as_integer());
    }
  }
  to += '}';
}
std::string written_integers(const Array& array) {
  if (array.empty()) return "{}";
  std::string written;
  const Array::Dimension& first = array.dimensions()[0];
  if (first.lower_bound != 1)
    written =
        "[" + std::to_string(first.lower_bound) + ":" + std::to_string(first.lower_bound + first.length - 1) + "]=";
  std::size_t next = 0;
  append_integers(written, array, 0, next);
  return written;
}

ExpressionPtr literal(std::string_view written, TypeId type) {
  if (written == "NULL") return make_expression(Constant{Value()}, type);
  return make_expression(Constant{type == int4_array ? read_integers(written) : input_value(written, type, {})}, type);
}
ExpressionPtr number(std::int64_t value) { return make_expression(Constant{Value::integer(value)}, int4); }
ExpressionPtr column(int position, TypeId type) { return make_expression(Column{0, position, 0}, type); }

std::string run(const ExpressionPtr& expression, const Row& first = {}) {
  try {
    const CallContext context;
    const Value value = Program::compile(expression).run({first, {}, {}, nullptr}, context);
    if (value.is_array()) return written_integers(value.as_array());
    return value.is_null() ? "NULL" : output_value(value, expression->type.id, context);
  } catch (const SqlError& error) {
    return error.sqlstate() + " " + error.fields().message;
  }
}

std::string compare(std::string_view left, const char* symbol, bool all, std::string_view array) {
  const OperatorEntry* entry = find_operator(symbol, int4, int4);
  const ExpressionPtr constant =
      make_expression(ArrayComparison{entry, all, literal(left, int4), literal(array, int4_array)}, boolean);
  // The same over columns, which are never hashed.
  const Row row{literal(left, int4)->as<Constant>()->value, literal(array, int4_array)->as<Constant>()->value};
  const ExpressionPtr columns =
      make_expression(ArrayComparison{entry, all, column(1, int4), column(2, int4_array)}, boolean);
  EXPECT_EQ(run(constant), run(columns, row)) << left << symbol << array;
  return run(constant);
}

TEST(ProgramArrays, AnyAndAllKnowNulls) {
  EXPECT_EQ(compare("1", "=", false, "{1,2,NULL}"), "t");
  EXPECT_EQ(compare("3", "=", false, "{1,2,NULL}"), "NULL");
  EXPECT_EQ(compare("3", "=", false, "{1,2}"), "f");
  EXPECT_EQ(compare("3", "=", false, "{}"), "f");
  EXPECT_EQ(compare("NULL", "=", false, "{}"), "f");
  EXPECT_EQ(compare("NULL", "=", true, "{}"), "t");
  EXPECT_EQ(compare("NULL", "=", false, "{1}"), "NULL");
  EXPECT_EQ(compare("1", "=", false, "NULL"), "NULL");
  EXPECT_EQ(compare("1", "<>", true, "{2,3}"), "t");
  EXPECT_EQ(compare("1", "<>", true, "{2,NULL}"), "NULL");
  EXPECT_EQ(compare("2", "<>", true, "{2,NULL}"), "f");
  EXPECT_EQ(compare("2", ">", true, "{0,1}"), "t");
}

TEST(ProgramArrays, LongListsAreHashedAndSayTheSame) {
  const char* without_null = "{1,2,3,4,5,6,7,8,9,10,11,12,1}";
  const char* with_null = "{1,2,3,4,5,6,7,8,9,10,11,NULL}";
  for (const char* left : {"-1", "1", "7", "12", "13", "NULL"}) {
    for (const char* array : {without_null, with_null}) {
      compare(left, "=", false, array);
      compare(left, "<>", true, array);
      compare(left, "=", true, array);
    }
  }
  EXPECT_EQ(compare("12", "=", false, without_null), "t");
  EXPECT_EQ(compare("12", "=", false, with_null), "NULL");
  EXPECT_EQ(compare("13", "<>", true, without_null), "t");
  EXPECT_EQ(compare("NULL", "<>", true, without_null), "NULL");
}

ExpressionPtr array_of(std::vector<ExpressionPtr> elements, bool nested = false) {
  return make_expression(ArrayConstructor{std::move(elements), nested}, int4_array);
}

TEST(ProgramArrays, ConstructorsNest) {
  EXPECT_EQ(run(array_of({number(1), literal("NULL", int4), number(3)})), "{1,NULL,3}");
  EXPECT_EQ(run(array_of({})), "{}");
  EXPECT_EQ(run(array_of({literal("{1,2}", int4_array), literal("{3,4}", int4_array)}, true)), "{{1,2},{3,4}}");
  EXPECT_EQ(run(array_of({literal("{1,2}", int4_array), literal("{3}", int4_array)}, true)),
            "2202E multidimensional arrays must have array expressions with matching dimensions");
  EXPECT_EQ(run(array_of({literal("{}", int4_array), literal("NULL", int4_array)}, true)), "{}");
  EXPECT_EQ(run(array_of({literal("{1}", int4_array), literal("NULL", int4_array)}, true)),
            "2202E multidimensional arrays must have array expressions with matching dimensions");
  EXPECT_EQ(run(array_of({literal("{{{{{{1}}}}}}", int4_array)}, true)),
            "54000 number of array dimensions (7) exceeds the maximum allowed (6)");
}

Subscript::Index at(std::int64_t index) { return {nullptr, number(index), false}; }
Subscript::Index slice(std::string_view lower, std::string_view upper) {
  return {lower.empty() ? nullptr : literal(lower, int4), upper.empty() ? nullptr : literal(upper, int4), true};
}
std::string part(std::string_view array, std::vector<Subscript::Index> indexes) {
  bool slices = false;
  for (const auto& each : indexes) slices |= each.slice;
  return run(make_expression(Subscript{literal(array, int4_array), std::move(indexes)}, slices ? int4_array : int4));
}

TEST(ProgramArrays, SubscriptsAndSlices) {
  EXPECT_EQ(part("{10,20,30}", {at(2)}), "20");
  EXPECT_EQ(part("{10,20,30}", {at(0)}), "NULL");
  EXPECT_EQ(part("[0:2]={10,20,30}", {at(0)}), "10");
  EXPECT_EQ(part("{{1,2},{3,4}}", {at(2), at(1)}), "3");
  EXPECT_EQ(part("{{1,2},{3,4}}", {at(2)}), "NULL");
  EXPECT_EQ(part("{10,20,30}", {{nullptr, literal("NULL", int4), false}}), "NULL");
  EXPECT_EQ(part("{10,20,30}", {slice("2", "3")}), "{20,30}");
  EXPECT_EQ(part("{10,20,30}", {slice("", "2")}), "{10,20}");
  EXPECT_EQ(part("{10,20,30}", {slice("2", "")}), "{20,30}");
  EXPECT_EQ(part("{10,20,30}", {slice("-5", "1")}), "{10}");
  EXPECT_EQ(part("{10,20,30}", {slice("4", "9")}), "{}");
  EXPECT_EQ(part("{{1,2},{3,4},{5,6}}", {slice("2", "3")}), "{{3,4},{5,6}}");
  EXPECT_EQ(part("{{1,2},{3,4},{5,6}}", {slice("2", "3"), at(1)}), "{{3},{5}}");
  EXPECT_EQ(part("[5:7]={1,2,3}", {slice("6", "7")}), "{2,3}");
  EXPECT_EQ(part("{1,2}", {slice("NULL", "2")}), "NULL");
}

std::string assign(std::string_view array, std::vector<Subscript::Index> indexes, std::string_view value) {
  bool slices = false;
  for (const auto& each : indexes) slices |= each.slice;
  const ExpressionPtr source = literal(value, slices ? int4_array : int4);
  return run(make_expression(SubscriptAssignment{literal(array, int4_array), std::move(indexes), source}, int4_array));
}

TEST(ProgramArrays, Assignments) {
  EXPECT_EQ(assign("{1,2,3}", {at(2)}, "9"), "{1,9,3}");
  EXPECT_EQ(assign("{1,2,3}", {at(2)}, "NULL"), "{1,NULL,3}");
  EXPECT_EQ(assign("{1,2,3}", {at(5)}, "9"), "{1,2,3,NULL,9}");
  EXPECT_EQ(assign("{1,2,3}", {at(-1)}, "9"), "[-1:3]={9,NULL,1,2,3}");
  EXPECT_EQ(assign("NULL", {at(2)}, "9"), "[2:2]={9}");
  EXPECT_EQ(assign("NULL", {at(1), at(1)}, "9"), "{{9}}");
  EXPECT_EQ(assign("{{1,2},{3,4}}", {at(2), at(1)}, "9"), "{{1,2},{9,4}}");
  EXPECT_EQ(assign("{{1,2},{3,4}}", {at(3), at(1)}, "9"), "2202E array subscript out of range");
  EXPECT_EQ(assign("{{1,2},{3,4}}", {at(3)}, "9"), "2202E wrong number of array subscripts");
  EXPECT_EQ(assign("{1}", {{nullptr, literal("NULL", int4), false}}, "9"),
            "22004 array subscript in assignment must not be null");
  EXPECT_EQ(assign("{1,2,3,4}", {slice("2", "3")}, "{8,9}"), "{1,8,9,4}");
  EXPECT_EQ(assign("{1,2,3,4}", {slice("2", "3")}, "{8}"), "2202E source array too small");
  EXPECT_EQ(assign("{1,2,3,4}", {slice("3", "2")}, "{8}"), "2202E upper bound cannot be less than lower bound");
  EXPECT_EQ(assign("{1,2}", {slice("4", "5")}, "{8,9}"), "{1,2,NULL,8,9}");
  EXPECT_EQ(assign("NULL", {slice("2", "3")}, "{8,9}"), "[2:3]={8,9}");
  EXPECT_EQ(assign("NULL", {slice("2", "")}, "{8,9}"), "2202E array slice subscript must provide both boundaries");
  EXPECT_EQ(assign("{1,2}", {slice("1", "2")}, "NULL"), "{1,2}");
  EXPECT_EQ(assign("{1}", {at(2000000000)}, "9"), "54000 array size exceeds the maximum allowed (134217727)");
}

std::string json_part(std::string_view json, std::vector<std::pair<const char*, TypeId>> path) {
  std::vector<Subscript::Index> indexes;
  for (const auto& [each, type] : path) indexes.push_back({nullptr, literal(each, type), false});
  return run(make_expression(Subscript{literal(json, jsonb), std::move(indexes)}, jsonb));
}
std::string json_assign(std::string_view json, std::vector<std::pair<const char*, TypeId>> path,
                        std::string_view value) {
  std::vector<Subscript::Index> indexes;
  for (const auto& [each, type] : path) indexes.push_back({nullptr, literal(each, type), false});
  return run(
      make_expression(SubscriptAssignment{literal(json, jsonb), std::move(indexes), literal(value, jsonb)}, jsonb));
}

TEST(ProgramArrays, SubscriptsOfJson) {
  EXPECT_EQ(json_part(R"({"a": {"b": [1, 2]}})", {{"a", text}, {"b", text}, {"-1", int4}}), "2");
  EXPECT_EQ(json_part(R"({"a": 1})", {{"b", text}}), "NULL");
  EXPECT_EQ(json_part(R"([1, 2])", {{"x", text}}), "NULL");
  EXPECT_EQ(json_part(R"([1, 2])", {{"1", text}}), "2");
  EXPECT_EQ(json_part("5", {{"0", int4}}), "NULL");
  EXPECT_EQ(json_assign(R"({"a": 1})", {{"b", text}}, "2"), R"({"a": 1, "b": 2})");
  EXPECT_EQ(json_assign(R"({"a": 1})", {{"a", text}}, "NULL"), R"({"a": null})");
  EXPECT_EQ(json_assign("NULL", {{"1", int4}, {"x", text}}, "2"), R"([null, {"x": 2}])");
  EXPECT_EQ(json_assign("NULL", {{"x", text}}, "2"), R"({"x": 2})");
  EXPECT_EQ(json_assign("[1]", {{"3", int4}}, "2"), "[1, null, null, 2]");
  EXPECT_EQ(json_assign("[1]", {{"-1", int4}}, "2"), "[2]");
  EXPECT_EQ(json_assign("[1]", {{"-3", int4}}, "2"), "22023 path element at position 1 is out of range: -3");
  EXPECT_EQ(json_assign("[1]", {{"x", text}}, "2"), "22P02 path element at position 1 is not an integer: \"x\"");
  EXPECT_EQ(json_assign(R"({"a": 1})", {{"a", text}, {"b", text}}, "2"), "22023 cannot replace existing key");
  EXPECT_EQ(json_assign("5", {{"a", text}}, "2"), "22023 cannot replace existing key");
}

}  // namespace
}  // namespace polarsim::engine::query
