#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "engine/types/families.h"
#include "engine/types/functions_system.h"
#include "engine/types/object_numbers.h"

// What psql and drivers ask of the catalogs about expressions, functions and encodings (PostgreSQL's ruleutils.c,
// mbutils.c and namespace.c).
namespace polarsim::engine::families {
namespace {

Value encoding_name(const FunctionCall& call) {
  constexpr std::int64_t sql_ascii = 0;
  constexpr std::int64_t utf8 = 6;
  const std::int64_t encoding = call[0].as_integer();
  return Value::text(encoding == utf8 ? "UTF8" : encoding == sql_ascii ? "SQL_ASCII" : "");
}

// Everything there is lies in pg_catalog, which is always searched first. NULL for what does not exist.
Value function_is_visible(const FunctionCall& call) {
  return function_of_number(call[0].as_integer()) != nullptr ? Value::boolean(true) : Value::null();
}
Value operator_is_visible(const FunctionCall& call) {
  return operator_of_number(call[0].as_integer()) != nullptr ? Value::boolean(true) : Value::null();
}
Value type_is_visible(const FunctionCall& call) {
  const std::int64_t number = call[0].as_integer();
  const bool exists = number > 0 && find_type(static_cast<TypeId>(number)) != nullptr;
  return exists ? Value::boolean(true) : Value::null();
}

// Of objects of which there are none.
Value always_null(const FunctionCall&) { return Value::null(); }
Value empty_text(const FunctionCall&) { return Value::text(""); }

std::string arguments_text(const FunctionEntry& function, bool with_defaults) {
  std::string text;
  const std::size_t count = function.arguments.size();
  const std::size_t first_default = count - function.defaults.size();
  const auto add = [&](std::string_view mode, std::string_view name, TypeId type) {
    if (!text.empty()) text += ", ";
    text += mode;
    if (!name.empty()) text += fmt::format("{} ", name);
    text += type_name(type);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const bool of_group = function.kind == FunctionKind::aggregate &&
                          function.aggregate_kind != AggregateKind::normal && i == function.direct_arguments;
    if (of_group) text += text.empty() ? "ORDER BY " : " ORDER BY ";
    const char* const name = i < function.argument_names.size() ? function.argument_names[i] : "";
    const std::string before = of_group ? std::exchange(text, std::string()) : std::string();
    add(function.variadic && i + 1 == count ? "VARIADIC " : "", name, function.arguments[i]);
    text = before + text;
    if (with_defaults && i >= first_default) text += fmt::format(" DEFAULT {}", function.defaults[i - first_default]);
  }
  for (const OutputParameter& output : function.outputs) {
    if (with_defaults) add("OUT ", output.name, output.type);
  }
  return text;
}

template <bool with_defaults>
Value function_arguments(const FunctionCall& call) {
  const FunctionEntry* const function = function_of_number(call[0].as_integer());
  return function != nullptr ? Value::text(arguments_text(*function, with_defaults)) : Value::null();
}

Value function_result(const FunctionCall& call) {
  const FunctionEntry* const function = function_of_number(call[0].as_integer());
  if (function == nullptr) return Value::null();
  const std::string type = type_name(function->result);
  return Value::text(function->kind == FunctionKind::set ? "SETOF " + type : type);
}

// Tables have no partitions.
class NoRows final : public FunctionRows {
 public:
  bool next(Row&) override { return false; }
};
std::unique_ptr<FunctionRows> no_rows(const FunctionCall&) { return std::make_unique<NoRows>(); }

void add_expressions(Entries& to) {
  using enum TypeId;
  constexpr Volatility stable = Volatility::stable;
  for (const char* name : {"pg_get_ruledef", "pg_get_triggerdef"}) {
    to.functions.push_back(system_function(name, {oid}, text, stable, always_null));
    to.functions.push_back(system_function(name, {oid, boolean}, text, stable, always_null));
  }
  to.functions.push_back(system_function("pg_get_statisticsobjdef_columns", {oid}, text, stable, always_null));
  to.functions.push_back(system_function("pg_tablespace_location", {oid}, text, stable, empty_text));
  to.functions.push_back({.name = "pg_partition_ancestors",
                          .arguments = {regclass},
                          .result = regclass,
                          .kind = FunctionKind::set,
                          .argument_names = {"partitionid"},
                          .outputs = {{"relid", regclass}},
                          .set = no_rows});
}

}  // namespace

void add_system_catalog(Entries& to) {
  using enum TypeId;
  constexpr Volatility stable = Volatility::stable;
  add_expressions(to);
  to.functions.push_back(system_function("pg_encoding_to_char", {int4}, name, stable, encoding_name));
  to.functions.push_back(system_function("pg_function_is_visible", {oid}, boolean, stable, function_is_visible));
  to.functions.push_back(system_function("pg_operator_is_visible", {oid}, boolean, stable, operator_is_visible));
  to.functions.push_back(system_function("pg_type_is_visible", {oid}, boolean, stable, type_is_visible));
  for (const char* none : {"pg_opclass_is_visible", "pg_opfamily_is_visible", "pg_collation_is_visible",
                           "pg_conversion_is_visible", "pg_statistics_obj_is_visible"}) {
    to.functions.push_back(system_function(none, {oid}, boolean, stable, always_null));
  }
  to.functions.push_back(system_function("pg_get_function_arguments", {oid}, text, stable, function_arguments<true>));
  to.functions.push_back(
      system_function("pg_get_function_identity_arguments", {oid}, text, stable, function_arguments<false>));
  to.functions.push_back(system_function("pg_get_function_result", {oid}, text, stable, function_result));
  to.functions.push_back(system_function("pg_get_function_sqlbody", {oid}, text, stable, always_null));
}

}  // namespace polarsim::engine::families
