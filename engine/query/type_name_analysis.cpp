#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "engine/query/analysis.h"
#include "engine/query/type_resolution.h"

// Types as they are written (PostgreSQL's src/backend/parser/parse_type.c).
namespace polarsim::engine::query {
namespace {

// What PostgreSQL has and this engine has not.
constexpr std::array<std::string_view, 46> unsupported = {
    "aclitem",
    "bit",
    "box",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "datemultirange",
    "daterange",
    "inet",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "nummultirange",
    "numrange",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "refcursor",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regoper",
    "regoperator",
    "regprocedure",
    "regrole",
    "tid",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "varbit",
    "xml",
};

std::string written_name(const syntax::TypeName& name) {
  std::string text = name.schema.empty() || name.schema == "pg_catalog" ? "" : name.schema + ".";
  text += name.name;
  return name.array_dimensions > 0 ? text + "[]" : text;
}

// What type_modifier() takes for less than was written (PostgreSQL's anytimestamp_typmod_check() and its like).
void warn_of_precision(TypeId type, const syntax::TypeName& name, std::vector<ErrorFields>& notices) {
  const TypeId of = element_type(type) != TypeId::none ? element_type(type) : type;
  const bool is_interval = of == TypeId::interval;
  if (!is_interval && of != TypeId::time && of != TypeId::timestamp && of != TypeId::timestamptz) return;
  if (name.modifiers.size() != (is_interval ? 2U : 1U) || name.modifiers.back() <= 6) return;
  const char* what = is_interval ? "INTERVAL" : of == TypeId::time ? "TIME" : "TIMESTAMP";
  const char* zone = of == TypeId::timestamptz ? " WITH TIME ZONE" : "";
  notices.push_back({sqlstate::invalid_parameter_value,
                     std::string(what) + "(" + std::to_string(name.modifiers.back()) + ")" + zone +
                         " precision reduced to maximum allowed, 6",
                     "", "", "", name.position});
}

}  // namespace

Type resolve_type(const syntax::TypeName& name, std::vector<ErrorFields>* notices) {
  const bool system = name.schema.empty() || name.schema == "pg_catalog";
  const TypeInfo* info = system ? find_type(name.name) : nullptr;
  if (info == nullptr && system && std::ranges::find(unsupported, name.name) != unsupported.end()) {
    throw_error(sqlstate::feature_not_supported, "type " + name.name + " is not supported", name.position);
  }
  const TypeId type = info == nullptr ? TypeId::none : name.array_dimensions > 0 ? info->array : info->id;
  if (type == TypeId::none)
    throw_error(sqlstate::undefined_object, "type \"" + written_name(name) + "\" does not exist", name.position);
  if (notices != nullptr) warn_of_precision(type, name, *notices);
  try {
    return {type, type_modifier(type, name.modifiers)};
  } catch (SqlError& error) {
    error.at(name.position);
    throw;
  }
}

}  // namespace polarsim::engine::query
