#include "engine/types/call_test_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::test {
namespace {

const CallContext context;

struct Arguments {
  std::vector<TypeId> types;
  std::vector<Type> full_types;
  std::vector<Value> values;
  bool has_null = false;

  explicit Arguments(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      const TypeId type = find_type(std::string_view(text).substr(0, equals))->id;
      types.push_back(type);
      full_types.emplace_back(type);
      values.push_back(equals == std::string::npos ? Value() : value(type, text.substr(equals + 1)));
      has_null = has_null || values.back().is_null();
    }
  }
  static Value value(TypeId type, const std::string& text) { return input_value(text, type, context); }
};

std::string shown(const Value& value, TypeId type) {
  if (value.is_null()) return "NULL";
  if (value.is_boolean()) return value.as_boolean() ? "t" : "f";
  if (!value.is_array()) return output_value(value, type, context);
  std::string result;
  for (const Value& element : value.as_array().elements()) {
    if (!result.empty()) result += ',';
    result += element.is_null() ? "NULL" : fmt::format("<{}>", output_value(element, TypeId::text, context));
  }
  return fmt::format("{{{}}}", result);
}

std::string or_error(const std::function<std::string()>& make) {
  try {
    return make();
  } catch (const SqlError& error) {
    return fmt::format("ERROR {}: {}", error.sqlstate(), error.fields().message);
  }
}

const FunctionEntry* function_for(std::string_view name, const std::vector<TypeId>& types) {
  if (const FunctionEntry* entry = find_function(name, types)) return entry;
  for (const FunctionEntry* entry : functions_named(name)) {
    if (entry->variadic && entry->arguments.back() == TypeId::any && entry->arguments.size() <= types.size())
      return entry;
  }
  return nullptr;
}

std::string rows_of(const FunctionEntry& entry, const FunctionCall& call) {
  std::string result;
  Row row;
  const std::unique_ptr<FunctionRows> rows = entry.set(call);
  for (bool is_first = true; rows->next(row); is_first = false) {
    if (!is_first) result += " | ";
    result += shown(row[0], entry.result);
  }
  return result;
}

}  // namespace

std::string call_function(std::string_view name, const std::vector<std::string>& arguments) {
  return or_error([&]() -> std::string {
    const Arguments given(arguments);
    const FunctionEntry* entry = function_for(name, given.types);
    if (!entry) return "no such function";
    const bool is_set = entry->kind == FunctionKind::set;
    if (entry->strict && given.has_null) return is_set ? "" : "NULL";
    const FunctionCall call{given.values, given.full_types, entry->result, context, entry};
    return is_set ? rows_of(*entry, call) : shown(entry->scalar(call), entry->result);
  });
}

std::string call_operator(std::string_view symbol, const std::vector<std::string>& arguments) {
  return or_error([&]() -> std::string {
    const Arguments given(arguments);
    const OperatorEntry* entry = find_operator(symbol, given.types[0], given.types[1]);
    if (!entry) return "no such operator";
    if (entry->strict && given.has_null) return "NULL";
    return shown(entry->function({given.values, given.full_types, entry->result, context}), entry->result);
  });
}

void expect_calls(const std::vector<Call>& calls) {
  for (const Call& one : calls) {
    SCOPED_TRACE(one.name + " " + ::testing::PrintToString(one.arguments));
    const bool is_function = std::isalpha(static_cast<unsigned char>(one.name.front())) != 0;
    EXPECT_EQ(is_function ? call_function(one.name, one.arguments) : call_operator(one.name, one.arguments),
              one.result);
  }
}

}  // namespace polarsim::engine::test
