#include "engine/commands/storage_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/types/text_form.h"

namespace polarsim::engine::commands {

namespace {

enum class ValueKind : std::uint8_t { boolean, integer, real, word };

struct KnownParameter {
  std::string_view name;
  RelationKind of;
  ValueKind kind = ValueKind::boolean;
  double least = 0;
  double most = 0;
  std::string_view words{};  // "a b c"
  std::string_view told{};   // the same, as the DETAIL has them
};

constexpr double integer_max = std::numeric_limits<std::int32_t>::max();
constexpr auto table = RelationKind::table;
constexpr auto index = RelationKind::index;
constexpr auto view = RelationKind::view;

// reloptions.c: boolRelOpts, intRelOpts, realRelOpts, enumRelOpts, for heaps, B-trees and views.
constexpr KnownParameter known_parameters[] = {
    {"autovacuum_enabled", table},
    {"user_catalog_table", table},
    {"vacuum_truncate", table},
    {"fillfactor", table, ValueKind::integer, 10, 100},
    {"autovacuum_vacuum_threshold", table, ValueKind::integer, 0, integer_max},
    {"autovacuum_vacuum_insert_threshold", table, ValueKind::integer, -1, integer_max},
    {"autovacuum_analyze_threshold", table, ValueKind::integer, 0, integer_max},
    {"autovacuum_vacuum_cost_limit", table, ValueKind::integer, 1, 10000},
    {"autovacuum_freeze_min_age", table, ValueKind::integer, 0, 1000000000},
    {"autovacuum_multixact_freeze_min_age", table, ValueKind::integer, 0, 1000000000},
    {"autovacuum_freeze_max_age", table, ValueKind::integer, 100000, 2000000000},
    {"autovacuum_multixact_freeze_max_age", table, ValueKind::integer, 10000, 2000000000},
    {"autovacuum_freeze_table_age", table, ValueKind::integer, 0, 2000000000},
    {"autovacuum_multixact_freeze_table_age", table, ValueKind::integer, 0, 2000000000},
    {"log_autovacuum_min_duration", table, ValueKind::integer, -1, integer_max},
    {"toast_tuple_target", table, ValueKind::integer, 128, 8160},
    {"parallel_workers", table, ValueKind::integer, 0, 1024},
    {"autovacuum_vacuum_cost_delay", table, ValueKind::real, 0, 100},
    {"autovacuum_vacuum_scale_factor", table, ValueKind::real, 0, 100},
    {"autovacuum_vacuum_insert_scale_factor", table, ValueKind::real, 0, 100},
    {"autovacuum_analyze_scale_factor", table, ValueKind::real, 0, 100},
    {"vacuum_index_cleanup", table, ValueKind::word, 0, 0, " auto on off true false yes no 1 0 ",
     "Valid values are \"on\", \"off\", and \"auto\"."},
    {"fillfactor", index, ValueKind::integer, 10, 100},
    {"deduplicate_items", index},
    {"vacuum_cleanup_index_scale_factor", index, ValueKind::real, 0, 1e10},
    {"security_barrier", view},
    {"security_invoker", view},
    {"check_option", view, ValueKind::word, 0, 0, " local cascaded ", "Valid values are \"local\" and \"cascaded\"."},
};

[[noreturn]] void refuse(std::string message, std::string detail = {}) {
  throw SqlError(sqlstate::invalid_parameter_value, std::move(message), std::move(detail));
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// As PostgreSQL's defGetString() has it: a parameter without a value is on.
std::string text_of(const syntax::Parameter& parameter) {
  if (parameter.value == nullptr) return "true";
  const syntax::Expression& value = *parameter.value;
  if (value.kind != syntax::Expression::Kind::constant)
    throw SqlError(sqlstate::feature_not_supported, "this value of a storage parameter is not supported");
  return value.value.is_text() ? std::string(value.value.as_text())
                               : output_value(value.value, value.type, CallContext{});
}

bool is_boolean(const std::string& text) {
  try {
    input_value(text, TypeId::boolean, {});
    return true;
  } catch (const SqlError&) {
    return false;
  }
}

// A number that may have a fraction; integers are rounded, as parse_int() does.
bool read_number(std::string_view text, double& number) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

void check_value(const KnownParameter& known, const std::string& text) {
  double number = 0;
  const auto check_bounds = [&](const std::string& least, const std::string& most) {
    if (number >= known.least && number <= known.most) return;
    refuse(fmt::format("value {} out of bounds for option \"{}\"", text, known.name),
           fmt::format("Valid values are between \"{}\" and \"{}\".", least, most));
  };
  switch (known.kind) {
    case ValueKind::boolean:
      if (!is_boolean(text)) refuse(fmt::format("invalid value for boolean option \"{}\": {}", known.name, text));
      return;
    case ValueKind::integer:
      if (!read_number(text, number) || number > integer_max || number < -integer_max)
        refuse(fmt::format("invalid value for integer option \"{}\": {}", known.name, text));
      return check_bounds(fmt::format("{:.0f}", known.least), fmt::format("{:.0f}", known.most));
    case ValueKind::real:
      if (!read_number(text, number))
        refuse(fmt::format("invalid value for floating point option \"{}\": {}", known.name, text));
      return check_bounds(fmt::format("{:f}", known.least), fmt::format("{:f}", known.most));
    case ValueKind::word:
      if (known.words.find(' ' + lower(text) + ' ') == std::string_view::npos)
        refuse(fmt::format("invalid value for enum option \"{}\": {}", known.name, text), std::string(known.told));
      return;
  }
}

const KnownParameter& find_known(RelationKind kind, const std::string& name) {
  for (const KnownParameter& known : known_parameters) {
    if (known.of == kind && known.name == name) return known;
  }
  refuse(fmt::format("unrecognized parameter \"{}\"", name));
}

// Whether the parameter is one to keep.
bool is_kept(RelationKind kind, const syntax::Parameter& parameter) {
  if (const std::size_t dot = parameter.name.find('.'); dot != std::string::npos) {
    const std::string space = parameter.name.substr(0, dot);
    if (space != "toast" || kind != table) refuse(fmt::format("unrecognized parameter namespace \"{}\"", space));
    throw SqlError(sqlstate::feature_not_supported, "storage parameters of TOAST tables are not supported");
  }
  if (parameter.name.find('=') != std::string::npos)
    refuse(fmt::format("invalid option name \"{}\": must not contain \"=\"", parameter.name));
  if (parameter.name != "oids" || kind != table) return true;
  if (lower(text_of(parameter)) == "true" || lower(text_of(parameter)) == "on" || text_of(parameter) == "1")
    throw SqlError(sqlstate::feature_not_supported, "tables declared WITH OIDS are not supported");
  return false;
}

std::string name_in(const std::string& option) { return option.substr(0, option.find('=')); }

}  // namespace

std::vector<std::string> storage_parameters(RelationKind kind, const std::vector<syntax::Parameter>& written) {
  Definition made;
  made.kind = kind;
  std::vector<std::string> options;
  for (const syntax::Parameter& parameter : written) {
    if (!is_kept(kind, parameter)) continue;
    const auto same = [&](const std::string& option) { return name_in(option) == parameter.name; };
    const bool twice = std::any_of(options.begin(), options.end(), same);
    const KnownParameter& known = find_known(kind, parameter.name);
    if (twice) refuse(fmt::format("parameter \"{}\" specified more than once", parameter.name));
    const std::string text = text_of(parameter);
    check_value(known, text);
    if (kind == view && known.name == "check_option")
      throw SqlError(sqlstate::feature_not_supported, "WITH CHECK OPTION is not supported");
    options.push_back(parameter.name + '=' + text);
  }
  return options;
}

void set_storage_parameters(Definition& relation, const std::vector<syntax::Parameter>& written) {
  const std::vector<std::string> options = storage_parameters(relation.kind, written);
  std::erase_if(relation.options, [&](const std::string& old) {
    return std::any_of(options.begin(), options.end(),
                       [&](const std::string& option) { return name_in(option) == name_in(old); });
  });
  relation.options.insert(relation.options.end(), options.begin(), options.end());
}

void reset_storage_parameters(Definition& relation, const std::vector<syntax::Parameter>& written) {
  for (const syntax::Parameter& parameter : written) {
    if (parameter.value != nullptr)
      throw SqlError(sqlstate::syntax_error, "RESET must not include values for parameters");
    std::erase_if(relation.options, [&](const std::string& option) { return name_in(option) == parameter.name; });
  }
}

}  // namespace polarsim::engine::commands
