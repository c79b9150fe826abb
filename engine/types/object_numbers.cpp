#include "engine/types/object_numbers.h"

#include <array>

#include "engine/types/error.h"

namespace polarsim::engine {

namespace {

constexpr std::uint32_t kinds = 4;

bool is_plain_array(const TypeInfo& type) {
  return type.category == TypeCategory::array && type.id != TypeId::int2vector && type.id != TypeId::oidvector;
}

// PostgreSQL's older types have no underscore before the function's name.
bool has_underscore(const TypeInfo& type) {
  using enum TypeId;
  for (const TypeId each :
       {date, time, timestamp, timestamptz, interval, numeric, uuid, json, jsonb, record, void_type})
    if (type.id == each) return true;
  return is_plain_array(type) || (type.category == TypeCategory::pseudo && type.id != unknown);
}

bool has_binary_form(const TypeInfo& type) {
  using enum TypeId;
  const bool pseudo = type.category == TypeCategory::pseudo;
  return !pseudo || type.id == any_array || type.id == any_compatible_array || type.id == record ||
         type.id == void_type || is_plain_array(type);
}

std::string name_of(const TypeInfo& type, TypeFunction function) {
  static constexpr std::array<const char*, kinds> suffixes{"in", "out", "recv", "send"};
  const char* const stem = is_plain_array(type) ? "array" : type.name;
  return std::string(stem) + (has_underscore(type) ? "_" : "") + suffixes[static_cast<std::size_t>(function)];
}

}  // namespace

std::uint32_t number_of(TypeId type, TypeFunction function) {
  const auto types = all_types();
  const bool binary = function == TypeFunction::receive || function == TypeFunction::send;
  for (std::uint32_t i = 0; i < types.size(); ++i) {
    // All arrays share those of the first one.
    const bool found = types[i].id == type || (is_plain_array(types[i]) && is_plain_array(type_info(type)));
    if (!found) continue;
    if (binary && !has_binary_form(types[i])) return 0;
    return first_io_function_number + i * kinds + static_cast<std::uint32_t>(function);
  }
  return 0;
}

std::uint32_t io_function_number(std::string_view name) {
  for (const TypeInfo& type : all_types()) {
    for (const TypeFunction function :
         {TypeFunction::input, TypeFunction::output, TypeFunction::receive, TypeFunction::send}) {
      if (name_of(type, function) == name) return number_of(type.id, function);
    }
  }
  return 0;
}

std::string io_function_name(std::int64_t number) {
  const std::int64_t position = number - first_io_function_number;
  if (position < 0 || position >= static_cast<std::int64_t>(all_types().size() * kinds)) return {};
  const IoFunction function = io_function(number);
  return number_of(function.type, function.function) == number ? name_of(type_info(function.type), function.function)
                                                               : std::string();
}

IoFunction io_function(std::int64_t number) {
  const auto position = static_cast<std::size_t>(number - first_io_function_number);
  if (position >= all_types().size() * kinds) throw SqlError(sqlstate::internal_error, "there is no such function");
  return {all_types()[position / kinds].id, static_cast<TypeFunction>(position % kinds)};
}

}  // namespace polarsim::engine
