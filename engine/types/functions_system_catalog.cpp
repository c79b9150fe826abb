#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/families.h"
#include "engine/types/functions_system.h"
#include "engine/types/keywords.h"
#include "engine/types/object_numbers.h"

// What psql and drivers ask of the catalogs about expressions, functions and encodings (PostgreSQL's ruleutils.c,
// mbutils.c and namespace.c).
namespace polarsim::engine::families {
namespace {

// By number (src/include/mb/pg_wchar.h): the encodings there are, of which databases here have UTF8.
constexpr std::array<std::string_view, 42> encodings{
    "SQL_ASCII",     "EUC_JP",  "EUC_CN",  "EUC_KR",  "EUC_TW",     "EUC_JIS_2004", "UTF8",
    "MULE_INTERNAL", "LATIN1",  "LATIN2",  "LATIN3",  "LATIN4",     "LATIN5",       "LATIN6",
    "LATIN7",        "LATIN8",  "LATIN9",  "LATIN10", "WIN1256",    "WIN1258",      "WIN866",
    "WIN874",        "KOI8R",   "WIN1251", "WIN1252", "ISO_8859_5", "ISO_8859_6",   "ISO_8859_7",
    "ISO_8859_8",    "WIN1250", "WIN1253", "WIN1254", "WIN1255",    "WIN1257",      "KOI8U",
    "SJIS",          "BIG5",    "GBK",     "UHC",     "GB18030",    "JOHAB",        "SHIFT_JIS_2004"};
// Their other names, as simple_name() has them.
constexpr std::pair<std::string_view, std::string_view> encoding_aliases[] = {
    {"abc", "win1258"},      {"alt", "win866"},       {"iso88591", "latin1"},  {"iso885910", "latin6"},
    {"iso885913", "latin7"}, {"iso885914", "latin8"}, {"iso885915", "latin9"}, {"iso885916", "latin10"},
    {"iso88592", "latin2"},  {"iso88593", "latin3"},  {"iso88594", "latin4"},  {"iso88599", "latin5"},
    {"koi8", "koi8r"},       {"mskanji", "sjis"},     {"shiftjis", "sjis"},    {"tcvn", "win1258"},
    {"tcvn5712", "win1258"}, {"unicode", "utf8"},     {"vscii", "win1258"},    {"win", "win1251"},
    {"win932", "sjis"},      {"win936", "gbk"},       {"win949", "uhc"},       {"win950", "big5"}};

// Letters and digits alone count, in any case.
std::string simple_name(std::string_view name) {
  std::string simple;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') simple += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) simple += c;
  }
  return simple;
}

Value encoding_name(const FunctionCall& call) {
  const std::int64_t number = call[0].as_integer();
  const bool known = number >= 0 && number < static_cast<std::int64_t>(encodings.size());
  return Value::text(known ? encodings[static_cast<std::size_t>(number)] : "");
}

Value encoding_number(const FunctionCall& call) {
  std::string wanted = simple_name(call[0].as_text());
  if (wanted.starts_with("windows") && wanted.size() > 7) wanted.erase(3, 4);
  for (const auto& [alias, name] : encoding_aliases) {
    if (wanted == alias) wanted = name;
  }
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    if (simple_name(encodings[i]) == wanted) return Value::integer(static_cast<std::int64_t>(i));
  }
  return Value::integer(-1);
}

// "default", "C" and "POSIX".
Value collation_is_visible(const FunctionCall& call) {
  const std::int64_t number = call[0].as_integer();
  return number == 100 || number == 950 || number == 951 ? Value::boolean(true) : Value::null();
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

// "name=value" taken apart; without "=" there is no value.
class Options final : public FunctionRows {
 public:
  explicit Options(const FunctionCall& call) : options_(call[0]) {
    for (const Value& element : options_.as_array().elements()) {
      if (element.is_null())
        throw SqlError(sqlstate::null_value_not_allowed, "null array element not allowed in this context");
    }
  }
  bool next(Row& row) override {
    const auto& elements = options_.as_array().elements();
    if (at_ == elements.size()) return false;
    const std::string_view option = elements[at_++].as_text();
    const std::size_t equals = option.find('=');
    row = {Value::text(option.substr(0, equals)),
           equals == std::string_view::npos ? Value::null() : Value::text(option.substr(equals + 1))};
    return true;
  }

 private:
  const Value options_;
  std::size_t at_ = 0;
};
std::unique_ptr<FunctionRows> options(const FunctionCall& call) { return std::make_unique<Options>(call); }

// Tables have no partitions.
class NoRows final : public FunctionRows {
 public:
  bool next(Row&) override { return false; }
};
std::unique_ptr<FunctionRows> no_rows(const FunctionCall&) { return std::make_unique<NoRows>(); }

class Keywords final : public FunctionRows {
 public:
  bool next(Row& row) override {
    if (next_ == all_keywords().size()) return false;
    const Keyword& keyword = all_keywords()[next_++];
    const char code = static_cast<char>(keyword.category);
    row = {Value::text(keyword.word), Value::text(std::string_view(&code, 1)), Value::boolean(keyword.bare_label),
           Value::text(description(keyword.category)),
           Value::text(keyword.bare_label ? "can be bare label" : "requires AS")};
    return true;
  }

 private:
  static const char* description(Keyword::Category category) {
    switch (category) {
      case Keyword::Category::unreserved:
        return "unreserved";
      case Keyword::Category::column_name:
        return "unreserved (cannot be function or type name)";
      case Keyword::Category::type_or_function_name:
        return "reserved (can be function or type name)";
      case Keyword::Category::reserved:
        return "reserved";
    }
    return "";
  }
  std::size_t next_ = 0;
};
std::unique_ptr<FunctionRows> keyword_rows(const FunctionCall&) { return std::make_unique<Keywords>(); }

// What an object's owner, and everybody, may do before anything is granted. There is no type for an entry of such a
// list: it is a text.
Value default_privileges(const FunctionCall& call) {
  struct Defaults {
    char kind;
    const char* owner;
    const char* everybody;
  };
  static constexpr Defaults all[] = {{'c', "", ""},   {'r', "arwdDxt", ""}, {'s', "rwU", ""}, {'d', "CTc", "Tc"},
                                     {'f', "X", "X"}, {'l', "U", "U"},      {'L', "rw", ""},  {'n', "UC", ""},
                                     {'p', "sA", ""}, {'t', "C", ""},       {'F', "U", ""},   {'S', "U", ""},
                                     {'T', "U", "U"}};
  const std::string_view kind = call[0].as_text();
  for (const Defaults& each : all) {
    if (kind.size() != 1 || kind[0] != each.kind) continue;
    const Value owner = session_of(call).call(*find_function("pg_get_userbyid", std::vector{TypeId::oid}),
                                              {.arguments = call.arguments.subspan(1),
                                               .types = {},
                                               .result = TypeId::name,
                                               .context = call.context,
                                               .function = nullptr});
    std::vector<Value> entries;
    if (*each.everybody != '\0') entries.push_back(Value::text(fmt::format("={}/{}", each.everybody, owner.as_text())));
    if (*each.owner != '\0')
      entries.push_back(Value::text(fmt::format("{}={}/{}", owner.as_text(), each.owner, owner.as_text())));
    return Value::array(Array(TypeId::text, std::move(entries)));
  }
  throw SqlError(sqlstate::internal_error, fmt::format("unrecognized objtype abbreviation: {}", kind));
}

void add_expressions(Entries& to) {
  using enum TypeId;
  constexpr Volatility stable = Volatility::stable;
  for (const char* name : {"pg_get_ruledef", "pg_get_triggerdef"}) {
    to.functions.push_back(system_function(name, {oid}, text, stable, always_null));
    to.functions.push_back(system_function(name, {oid, boolean}, text, stable, always_null));
  }
  for (const char* name : {"pg_get_statisticsobjdef_columns", "pg_get_partkeydef", "pg_get_partition_constraintdef"}) {
    to.functions.push_back(system_function(name, {oid}, text, stable, always_null));
  }
  to.functions.push_back(system_function("pg_tablespace_location", {oid}, text, stable, empty_text));
  to.functions.push_back(
      system_function("acldefault", {char_byte, oid}, text_array, Volatility::immutable, default_privileges));
  to.functions.push_back({.name = "pg_options_to_table",
                          .arguments = {text_array},
                          .result = record,
                          .kind = FunctionKind::set,
                          .volatility = stable,
                          .argument_names = {"options_array"},
                          .outputs = {{"option_name", text}, {"option_value", text}},
                          .set = options});
  to.functions.push_back(
      {.name = "pg_get_keywords",
       .result = record,
       .kind = FunctionKind::set,
       .volatility = stable,
       .outputs =
           {{"word", text}, {"catcode", char_byte}, {"barelabel", boolean}, {"catdesc", text}, {"baredesc", text}},
       .set = keyword_rows});
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
  to.functions.push_back(system_function("pg_char_to_encoding", {name}, int4, stable, encoding_number));
  to.functions.push_back(system_function("pg_function_is_visible", {oid}, boolean, stable, function_is_visible));
  to.functions.push_back(system_function("pg_operator_is_visible", {oid}, boolean, stable, operator_is_visible));
  to.functions.push_back(system_function("pg_type_is_visible", {oid}, boolean, stable, type_is_visible));
  to.functions.push_back(system_function("pg_collation_is_visible", {oid}, boolean, stable, collation_is_visible));
  for (const char* none :
       {"pg_opclass_is_visible", "pg_opfamily_is_visible", "pg_conversion_is_visible", "pg_statistics_obj_is_visible",
        "pg_ts_config_is_visible", "pg_ts_dict_is_visible", "pg_ts_parser_is_visible", "pg_ts_template_is_visible"}) {
    to.functions.push_back(system_function(none, {oid}, boolean, stable, always_null));
  }
  to.functions.push_back(system_function("pg_get_function_arguments", {oid}, text, stable, function_arguments<true>));
  to.functions.push_back(
      system_function("pg_get_function_identity_arguments", {oid}, text, stable, function_arguments<false>));
  to.functions.push_back(system_function("pg_get_function_result", {oid}, text, stable, function_result));
  to.functions.push_back(system_function("pg_get_function_sqlbody", {oid}, text, stable, always_null));
}

}  // namespace polarsim::engine::families
