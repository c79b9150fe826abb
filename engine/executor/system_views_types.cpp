// What types can do: pg_type, pg_proc, pg_operator, pg_cast, pg_collation, pg_language, from the tables of
// engine/types. Functions, operators and casts have numbers of their own (types/object_numbers.h).
#include <string_view>

#include "engine/executor/system_views_catalog.h"
#include "engine/executor/system_views_families.h"
#include "engine/types/cast.h"
#include "engine/types/object_numbers.h"

namespace polarsim::engine::executor {

namespace {

constexpr std::int64_t language_internal = 12;

Row type_row(const TypeInfo& type) {
  const TypeLayout layout = layout_of(type);
  // A name can be subscripted like an array of bytes.
  const TypeId element = type.id == TypeId::name ? TypeId::char_byte : type.element;
  return {oid_of(type.id),
          Value::text(type.name),
          Value::integer(system_schema_oid),
          Value::integer(role_oid),
          Value::integer(type.length),
          flag(layout.by_value),
          character(is_pseudo_type(type.id) || type.id == TypeId::unknown ? 'p' : 'b'),
          character(static_cast<char>(type.category)),
          flag(type.preferred),
          flag(true),
          character(','),
          number(0),  // typrelid
          number(0),  // typsubscript
          oid_of(element),
          oid_of(type.array),
          number(number_of(type.id, TypeFunction::input)),
          number(number_of(type.id, TypeFunction::output)),
          number(number_of(type.id, TypeFunction::receive)),
          number(number_of(type.id, TypeFunction::send)),
          number(0),  // typmodin
          number(0),  // typmodout
          number(0),  // typanalyze
          character(layout.alignment),
          character(layout.storage),
          flag(false),         // typnotnull
          number(0),           // typbasetype
          Value::integer(-1),  // typtypmod
          number(0),           // typndims
          Value::integer(layout.collation),
          Value::null(),   // typdefaultbin
          Value::null(),   // typdefault
          Value::null()};  // typacl
}

std::vector<Row> type_rows(const SystemViewInputs&) {
  std::vector<Row> rows;
  for (const TypeInfo& type : all_types()) rows.push_back(type_row(type));
  return rows;
}

Value texts(std::vector<Value> values) { return Value::array(Array(TypeId::text, std::move(values))); }

TypeId variadic_element(const FunctionEntry& function) {
  if (!function.variadic || function.arguments.empty()) return TypeId::none;
  const TypeId last = function.arguments.back();
  if (last == TypeId::any) return last;
  if (last == TypeId::any_array) return TypeId::any_element;
  if (last == TypeId::any_compatible_array) return TypeId::any_compatible;
  return type_info(last).element;
}

// proallargtypes, proargmodes and proargnames.
struct Parameters {
  Value types = Value::null();
  Value modes = Value::null();
  Value names = Value::null();
};

Parameters parameters_of(const FunctionEntry& function) {
  std::vector<Value> types;
  std::vector<Value> modes;
  std::vector<Value> names;
  for (std::size_t i = 0; i < function.arguments.size(); ++i) {
    const bool last_of_variadic = function.variadic && i + 1 == function.arguments.size();
    types.push_back(oid_of(function.arguments[i]));
    modes.push_back(character(last_of_variadic ? 'v' : 'i'));
    names.push_back(Value::text(i < function.argument_names.size() ? function.argument_names[i] : ""));
  }
  for (const OutputParameter& output : function.outputs) {
    types.push_back(oid_of(output.type));
    modes.push_back(character('o'));
    names.push_back(Value::text(output.name));
  }
  Parameters made;
  if (function.variadic || !function.outputs.empty()) {
    made.types = Value::array(Array(TypeId::oid, std::move(types)));
    made.modes = Value::array(Array(TypeId::char_byte, std::move(modes)));
  }
  if (!function.argument_names.empty() || !function.outputs.empty()) made.names = texts(std::move(names));
  return made;
}

Row function_row(const FunctionEntry& function) {
  const bool is_set = function.kind == FunctionKind::set;
  const bool is_aggregate = function.kind == FunctionKind::aggregate;
  std::vector<Value> argument_types;
  for (const TypeId type : function.arguments) argument_types.push_back(oid_of(type));
  std::string defaults;
  for (const char* value : function.defaults) defaults += (defaults.empty() ? "" : ", ") + std::string(value);
  Parameters parameters = parameters_of(function);
  // The few that are elsewhere are named with their schema.
  const std::string_view name = function.name;
  const std::size_t dot = name.find('.');
  return {number(number_of(function)),
          Value::text(dot == std::string_view::npos ? name : name.substr(dot + 1)),
          Value::integer(dot == std::string_view::npos ? system_schema_oid : information_schema_oid),
          Value::integer(role_oid),
          Value::integer(language_internal),
          Value::floating(1),
          Value::floating(is_set ? 1000 : 0),
          oid_of(variadic_element(function)),
          number(0),  // prosupport
          character(is_set ? 'f' : static_cast<char>(function.kind)),
          flag(false),  // prosecdef
          flag(false),  // proleakproof
          flag(function.strict && !is_aggregate),
          flag(is_set),
          character(static_cast<char>(function.volatility)),
          character('s'),  // proparallel
          number(function.arguments.size()),
          number(function.defaults.size()),
          oid_of(function.result),
          vector_of(TypeId::oid, std::move(argument_types)),
          std::move(parameters.types),
          std::move(parameters.modes),
          std::move(parameters.names),
          text_or_null(defaults),
          Value::null(),  // protrftypes
          Value::text(is_aggregate ? "aggregate_dummy" : name),
          Value::null(),   // probin
          Value::null(),   // prosqlbody
          Value::null(),   // proconfig
          Value::null()};  // proacl
}

// Arguments and results that are texts or internal have types that cannot be named here.
Row io_function_row(std::uint32_t id) {
  constexpr std::int64_t cstring = 2275;
  constexpr std::int64_t internal = 2281;
  const IoFunction function = io_function(id);
  const bool reads = function.function == TypeFunction::input || function.function == TypeFunction::receive;
  const std::int64_t foreign = function.function == TypeFunction::receive ? internal : cstring;
  const Value type = oid_of(function.type);
  const Value name = Value::text(io_function_name(id));
  Value result = reads ? type : Value::integer(cstring);
  if (function.function == TypeFunction::send) result = oid_of(TypeId::bytea);
  return {number(id),
          name,
          Value::integer(system_schema_oid),
          Value::integer(role_oid),
          Value::integer(language_internal),
          Value::floating(1),
          Value::floating(0),
          number(0),  // provariadic
          number(0),  // prosupport
          character('f'),
          flag(false),
          flag(false),
          flag(true),
          flag(false),
          character('i'),
          character('s'),
          number(1),
          number(0),
          std::move(result),
          vector_of(TypeId::oid, {reads ? Value::integer(foreign) : type}),
          Value::null(),
          Value::null(),
          Value::null(),
          Value::null(),
          Value::null(),
          name,
          Value::null(),
          Value::null(),
          Value::null(),
          Value::null()};
}

std::vector<Row> function_rows(const SystemViewInputs&) {
  std::vector<Row> rows;
  for (const FunctionEntry& function : all_functions()) rows.push_back(function_row(function));
  const auto last = first_io_function_number + static_cast<std::uint32_t>(all_types().size() * 4);
  for (std::uint32_t id = first_io_function_number; id < last; ++id) {
    if (!io_function_name(id).empty()) rows.push_back(io_function_row(id));
  }
  return rows;
}

Value operator_number(const char* symbol, TypeId left, TypeId right) {
  const OperatorEntry* const found = symbol == nullptr ? nullptr : find_operator(symbol, left, right);
  return number(found == nullptr ? 0 : number_of(*found));
}

Value function_number(std::string_view name, std::span<const TypeId> arguments) {
  const FunctionEntry* const found = find_function(name, arguments);
  return number(found == nullptr ? 0 : number_of(*found));
}

Row operator_row(const OperatorEntry& entry) {
  const bool is_prefix = entry.left == TypeId::none;
  const std::vector<TypeId> operands =
      is_prefix ? std::vector<TypeId>{entry.right} : std::vector<TypeId>{entry.left, entry.right};
  return {number(number_of(entry)),
          Value::text(entry.symbol),
          Value::integer(system_schema_oid),
          Value::integer(role_oid),
          character(is_prefix ? 'l' : 'b'),
          flag(entry.hashable),  // oprcanmerge
          flag(entry.hashable),
          oid_of(entry.left),
          oid_of(entry.right),
          oid_of(entry.result),
          operator_number(entry.commutator, entry.right, entry.left),
          operator_number(entry.negator, entry.left, entry.right),
          function_number(entry.function_name, operands),
          number(0),   // oprrest
          number(0)};  // oprjoin
}

std::vector<Row> operator_rows(const SystemViewInputs&) {
  std::vector<Row> rows;
  for (const OperatorEntry& entry : all_operators()) rows.push_back(operator_row(entry));
  return rows;
}

// Four bytes to PostgreSQL, and so the same to one another; here their ranges are checked.
bool is_like_oid(TypeId type) {
  switch (type) {
    case TypeId::int4:
    case TypeId::oid:
    case TypeId::regclass:
    case TypeId::regnamespace:
    case TypeId::regproc:
    case TypeId::regtype:
      return true;
    default:
      return false;
  }
}

bool is_relabelled(TypeId source, TypeId target) {
  if (source == TypeId::int8 || target == TypeId::int8) return source == target;
  if (source == target || (is_like_oid(source) && is_like_oid(target))) return true;
  const CastEntry* const cast = find_cast(source, target);
  return cast != nullptr && cast->function == nullptr;
}

// PostgreSQL's pg_cast.castmethod: binary-coercible, by output and input functions, or by a function.
char cast_method(const CastEntry& cast) {
  if (is_relabelled(cast.source, cast.target)) return 'b';
  const auto is_json = [](TypeId type) { return type == TypeId::json || type == TypeId::jsonb; };
  return is_json(cast.source) && is_json(cast.target) ? 'i' : 'f';
}

// The function of pg_proc that a cast calls. Where there is none for its types, it is called for types whose values are
// the same: boolean becomes varchar by text(boolean).
Value cast_function(const CastEntry& cast) {
  if (cast_method(cast) != 'f') return number(0);
  const FunctionEntry* for_like_types = nullptr;
  for (const FunctionEntry& function : all_functions()) {
    if (function.arguments.size() != 1 || function.scalar == nullptr) continue;
    const TypeId argument = function.arguments.front();
    if (argument == cast.source && function.scalar == cast.function && function.result == cast.target) {
      return number(number_of(function));
    }
    const TypeInfo* const result = find_type(function.result);
    const bool converts = result != nullptr && std::string_view(result->name) == function.name;
    const bool takes_padded = argument == TypeId::text && cast.source == TypeId::bpchar;
    if (!converts || !is_relabelled(function.result, cast.target)) continue;
    if (!is_relabelled(cast.source, argument) && !takes_padded) continue;
    const bool of_numbers = function.result == TypeId::oid || argument == TypeId::oid;
    if (for_like_types == nullptr || of_numbers) for_like_types = &function;
  }
  return number(for_like_types == nullptr ? 0 : number_of(*for_like_types));
}

std::vector<Row> cast_rows(const SystemViewInputs&) {
  std::vector<Row> rows;
  // Below what users make, by which pg_dump tells them.
  constexpr std::uint32_t first_number = 10035;
  std::uint32_t next = first_number;
  for (const CastEntry& cast : all_casts()) {
    rows.push_back({number(next), oid_of(cast.source), oid_of(cast.target), cast_function(cast),
                    character(static_cast<char>(cast.context)), character(cast_method(cast))});
    ++next;
  }
  return rows;
}

Row collation_row(std::int64_t id, const char* name, char provider, const char* locale) {
  const Value text = locale == nullptr ? Value::null() : Value::text(locale);
  return {Value::integer(id),
          Value::text(name),
          Value::integer(system_schema_oid),
          Value::integer(role_oid),
          character(provider),
          flag(true),
          Value::integer(-1),
          text,
          text,
          Value::null(),
          Value::null()};
}

// All there are: text is compared byte by byte.
std::vector<Row> collation_rows(const SystemViewInputs&) {
  return {collation_row(100, "default", 'd', nullptr), collation_row(950, "C", 'c', "C"),
          collation_row(951, "POSIX", 'c', "POSIX")};
}

std::vector<Row> language_rows(const SystemViewInputs&) {
  return {{Value::integer(language_internal), Value::text("internal"), Value::integer(role_oid), flag(false),
           flag(false), number(0), number(0), number(0), Value::null()}};
}

}  // namespace

void add_type_views(std::vector<SystemView>& to) {
  const std::string schema = catalog::system_schema;
  to.push_back(make_view(
      1247, schema, "pg_type",
      "oid oid, typname name, typnamespace oid, typowner oid, typlen int2, typbyval bool, typtype char, "
      "typcategory char, typispreferred bool, typisdefined bool, typdelim char, typrelid oid, typsubscript regproc, "
      "typelem oid, typarray oid, typinput regproc, typoutput regproc, typreceive regproc, typsend regproc, "
      "typmodin regproc, typmodout regproc, typanalyze regproc, typalign char, typstorage char, typnotnull bool, "
      "typbasetype oid, typtypmod int4, typndims int4, typcollation oid, typdefaultbin text, typdefault text, "
      "typacl _text",
      type_rows));
  to.push_back(make_view(
      1255, schema, "pg_proc",
      "oid oid, proname name, pronamespace oid, proowner oid, prolang oid, procost float4, prorows float4, "
      "provariadic oid, prosupport regproc, prokind char, prosecdef bool, proleakproof bool, proisstrict bool, "
      "proretset bool, provolatile char, proparallel char, pronargs int2, pronargdefaults int2, prorettype oid, "
      "proargtypes oidvector, proallargtypes _oid, proargmodes _char, proargnames _text, proargdefaults text, "
      "protrftypes _oid, prosrc text, probin text, prosqlbody text, proconfig _text, proacl _text",
      function_rows));
  to.push_back(make_view(
      2617, schema, "pg_operator",
      "oid oid, oprname name, oprnamespace oid, oprowner oid, oprkind char, oprcanmerge bool, oprcanhash bool, "
      "oprleft oid, oprright oid, oprresult oid, oprcom oid, oprnegate oid, oprcode regproc, oprrest regproc, "
      "oprjoin regproc",
      operator_rows));
  to.push_back(make_view(2605, schema, "pg_cast",
                         "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext char, castmethod char",
                         cast_rows));
  to.push_back(make_view(
      3456, schema, "pg_collation",
      "oid oid, collname name, collnamespace oid, collowner oid, collprovider char, collisdeterministic bool, "
      "collencoding int4, collcollate text, collctype text, colliculocale text, collversion text",
      collation_rows));
  to.push_back(make_view(
      2612, schema, "pg_language",
      "oid oid, lanname name, lanowner oid, lanispl bool, lanpltrusted bool, lanplcallfoid oid, laninline oid, "
      "lanvalidator oid, lanacl _text",
      language_rows));
}

}  // namespace polarsim::engine::executor
