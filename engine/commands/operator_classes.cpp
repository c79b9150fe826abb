#include "engine/commands/operator_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/types/error.h"

namespace polarsim::engine::commands {

namespace {

struct OperatorClass {
  std::string_view name;
  TypeId input;  // none: a type that there is none of here
  // Whether an index has it for columns of the type without saying so.
  bool usual = true;
};

// varchar has no class of its own: its values are taken as texts.
constexpr OperatorClass classes[] = {
    {"array_ops", TypeId::any_array},
    {"bit_ops", TypeId::none},
    {"bool_ops", TypeId::boolean},
    {"bpchar_ops", TypeId::bpchar},
    {"bpchar_pattern_ops", TypeId::bpchar, false},
    {"bytea_ops", TypeId::bytea},
    {"char_ops", TypeId::char_byte},
    {"cidr_ops", TypeId::none},
    {"date_ops", TypeId::date},
    {"enum_ops", TypeId::none},
    {"float4_ops", TypeId::float4},
    {"float8_ops", TypeId::float8},
    {"inet_ops", TypeId::none},
    {"int2_ops", TypeId::int2},
    {"int4_ops", TypeId::int4},
    {"int8_ops", TypeId::int8},
    {"interval_ops", TypeId::interval},
    {"jsonb_ops", TypeId::jsonb},
    {"macaddr8_ops", TypeId::none},
    {"macaddr_ops", TypeId::none},
    {"money_ops", TypeId::none},
    {"multirange_ops", TypeId::none},
    {"name_ops", TypeId::name},
    {"numeric_ops", TypeId::numeric},
    {"oid_ops", TypeId::oid},
    {"oidvector_ops", TypeId::oidvector},
    {"pg_lsn_ops", TypeId::none},
    {"range_ops", TypeId::none},
    {"record_image_ops", TypeId::record, false},
    {"record_ops", TypeId::record},
    {"text_ops", TypeId::text},
    {"text_pattern_ops", TypeId::text, false},
    {"tid_ops", TypeId::none},
    {"time_ops", TypeId::time},
    {"timestamp_ops", TypeId::timestamp},
    {"timestamptz_ops", TypeId::timestamptz},
    {"timetz_ops", TypeId::none},
    {"tsquery_ops", TypeId::none},
    {"tsvector_ops", TypeId::none},
    {"uuid_ops", TypeId::uuid},
    {"varbit_ops", TypeId::none},
    {"varchar_ops", TypeId::text, false},
    {"varchar_pattern_ops", TypeId::text, false},
    {"xid8_ops", TypeId::xid8},
};

bool accepts(TypeId input, TypeId type) {
  if (input == type) return true;
  if (input == TypeId::text) return type == TypeId::varchar;
  if (input == TypeId::oid)
    return type == TypeId::regclass || type == TypeId::regtype || type == TypeId::regproc ||
           type == TypeId::regnamespace;
  return input == TypeId::any_array && type_info(type).element != TypeId::none &&
         type_info(type).category == TypeCategory::array;
}

}  // namespace

std::string settle_operator_class(const std::string& written, Type type) {
  if (written.empty()) return {};
  const auto* const found = std::find_if(std::begin(classes), std::end(classes),
                                         [&](const OperatorClass& candidate) { return candidate.name == written; });
  if (found == std::end(classes)) {
    throw SqlError(sqlstate::undefined_object,
                   fmt::format("operator class \"{}\" does not exist for access method \"btree\"", written));
  }
  if (!accepts(found->input, type.id)) {
    throw SqlError(sqlstate::datatype_mismatch,
                   fmt::format("operator class \"{}\" does not accept data type {}", written, type_name(type.id)));
  }
  return found->usual ? std::string() : written;
}

}  // namespace polarsim::engine::commands
