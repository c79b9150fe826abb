// Calls of operators, functions and aggregates that engine/types offers.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "engine/types/quote.h"
#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using namespace engine;
using T = TypeId;
using Names = std::set<std::string_view>;

bool can_be_made(T type) {
  static const std::set<T> types = [] {
    std::set<T> made(generated_types().begin(), generated_types().end());
    made.insert({T::oid, T::name, T::int8_array});
    return made;
  }();
  return types.contains(type) || type == T::any || is_polymorphic(type);
}

// Their numbers say how long the answer is, or how long it takes.
bool wants_small_numbers(std::string_view name) {
  static const Names names{"repeat",        "lpad", "rpad", "generate_series", "array_fill", "factorial", "numeric_fac",
                           "numeric_power", "pow",  "exp",  "numeric_exp",     "dexp",       "power",     "^"};
  return names.contains(name);
}

// They tell of the session, of how rows are stored, or of chance; or take internal numbers.
bool is_excluded(const FunctionEntry& entry) {
  static const Names names{"current_setting", "version", "now", "statement_timestamp", "transaction_timestamp",
                           "current_database", "current_catalog", "current_schema", "current_schemas", "format_type",
                           "jsonb_cmp", "txid_status", "convert", "convert_from", "convert_to", "length_in_encoding",
                           "to_ascii", "obj_description", "col_description", "shobj_description", "age",
                           "getdatabaseencoding", "inet_client_addr", "row_security_active", "current_query",
                           // They want internal numbers, or a row.
                           "interval", "json_populate_record", "jsonb_populate_record", "json_populate_recordset",
                           "jsonb_populate_recordset"};
  const std::string_view name = entry.name;
  return entry.volatility == Volatility::volatile_function || names.contains(name) || name.starts_with("pg_") ||
         name.starts_with("txid_") || name.starts_with("current_") || name.starts_with("local") ||
         name.starts_with("to_reg") || name.starts_with("has_") || name.ends_with("_user");
}

// They cannot fail, whatever the arguments.
bool is_total(const FunctionEntry& entry) {
  static const Names names{"length",
                           "char_length",
                           "character_length",
                           "octet_length",
                           "bit_length",
                           "upper",
                           "lower",
                           "initcap",
                           "btrim",
                           "ltrim",
                           "rtrim",
                           "reverse",
                           "md5",
                           "concat",
                           "concat_ws",
                           "left",
                           "right",
                           "replace",
                           "translate",
                           "strpos",
                           "starts_with",
                           "ascii",
                           "quote_literal",
                           "quote_ident",
                           "quote_nullable",
                           "sign",
                           "floor",
                           "ceil",
                           "ceiling",
                           "justify_days",
                           "justify_hours",
                           "array_length",
                           "array_ndims",
                           "array_lower",
                           "array_upper",
                           "cardinality",
                           "array_remove",
                           "array_replace",
                           "array_to_string",
                           "array_dims",
                           "jsonb_typeof",
                           "json_typeof",
                           "jsonb_extract_path",
                           "jsonb_extract_path_text",
                           "to_json",
                           "to_jsonb",
                           "jsonb_build_array",
                           "json_build_array",
                           "num_nulls",
                           "num_nonnulls",
                           "isfinite",
                           "sha256",
                           "to_hex",
                           "jsonb_strip_nulls",
                           "jsonb_pretty",
                           "array_to_json",
                           "string_to_array",
                           "jsonb_concat",
                           "textcat",
                           "text_larger",
                           "hashtext",
                           "hashint4",
                           "date_larger",
                           "jsonb_exists",
                           "scale",
                           "min_scale",
                           "trim_scale"};
  // The length of a text in an encoding fails if there is no such.
  const bool of_encoding = std::string_view(entry.name) == "length" && entry.arguments.size() > 1;
  return names.contains(entry.name) && !of_encoding;
}

bool is_total(const OperatorEntry& entry) {
  static const Names partial{"/", "%", "^", "~", "!~", "~*", "!~*", "|/", "||/", "@", "#-", "@?", "@@", "!!"};
  if (partial.contains(entry.symbol)) return false;
  // Taking an index out of what is no array, numbers of dates out of range.
  if (std::string_view(entry.symbol) == "-" && entry.left == T::jsonb) return false;
  // Rows that are inserted one by one may have the greatest numbers.
  static const Names arithmetic{"+", "-", "*"};
  const bool integers = entry.left == T::int2 || entry.left == T::int4;
  if (integers && arithmetic.contains(entry.symbol) && (entry.right == T::int2 || entry.right == T::int4)) return false;
  if (entry.result == T::date) return false;
  const bool of_date = entry.left == T::date || entry.right == T::date;
  if (of_date && (entry.left == T::int4 || entry.right == T::int4)) return false;
  if (std::string_view(entry.symbol) == "*" && (entry.left == T::int2 || entry.left == T::interval)) return false;
  return true;
}

// What is stable and sees no row is computed by a coordinator before anything else, even if PostgreSQL computes it
// never.
template <typename Entry>
bool may_fail_early(const Entry& entry) {
  return entry.volatility == Volatility::stable && !is_total(entry);
}

template <typename Entry>
using ByResult = std::map<T, std::vector<const Entry*>>;

template <typename Entry>
struct Index {
  ByResult<Entry> all;
  ByResult<Entry> total;

  void add(const Entry& entry, std::span<const T> arguments) {
    if (!can_be_made(entry.result) || !std::ranges::all_of(arguments, can_be_made)) return;
    std::vector<T> results{entry.result};
    if (is_polymorphic(entry.result)) {
      const bool array = entry.result == T::any_array || entry.result == T::any_compatible_array;
      results = array ? std::vector<T>{T::int4_array, T::text_array} : generated_types();
    }
    for (const T result : results) {
      std::vector<const Entry*>& known = all[result];
      if (!known.empty() && known.back() == &entry) continue;
      known.push_back(&entry);
      if (is_total(entry)) total[result].push_back(&entry);
    }
  }
};

const Index<FunctionEntry>& functions() {
  static const Index<FunctionEntry> made = [] {
    Index<FunctionEntry> index;
    for (const FunctionEntry& entry : all_functions()) {
      if (entry.kind == FunctionKind::scalar && !is_excluded(entry)) index.add(entry, entry.arguments);
    }
    return index;
  }();
  return made;
}

const Index<OperatorEntry>& operators() {
  static const Index<OperatorEntry> made = [] {
    Index<OperatorEntry> index;
    for (const OperatorEntry& entry : all_operators()) {
      std::vector<T> operands{entry.right};
      if (entry.left != T::none) operands.push_back(entry.left);
      index.add(entry, operands);
    }
    return index;
  }();
  return made;
}

template <typename Entry>
const Entry* pick(const Index<Entry>& index, T wanted, bool careful, Choices& choices) {
  const ByResult<Entry>& by_result = careful ? index.total : index.all;
  const auto found = by_result.find(wanted);
  return found == by_result.end() || found->second.empty() ? nullptr : choices.one_of(found->second);
}

}  // namespace

// Types where the polymorphic ones have been chosen.
struct StatementGenerator::Signature {
  std::vector<T> arguments;
};

bool StatementGenerator::resolve(std::span<const T> arguments, T result, T wanted, Signature& signature) {
  static const std::vector<T> elements{T::int4, T::text, T::numeric, T::int8};
  T element = choices_.one_of(elements);
  if (result == T::any_array || result == T::any_compatible_array) element = type_info(wanted).element;
  if (result == T::any_element || result == T::any_nonarray || result == T::any_compatible ||
      result == T::any_compatible_nonarray)
    element = wanted;
  for (const T type : arguments) {
    T made = type;
    if (type == T::any) made = any_type();
    if (type == T::any_array || type == T::any_compatible_array) made = type_info(element).array;
    if (is_polymorphic(type) && made == type) made = element;
    if (made == T::none || !can_be_made(made)) return false;
    signature.arguments.push_back(made);
  }
  return true;
}

std::string StatementGenerator::operation(T wanted, const Place& place, int depth) {
  const OperatorEntry* entry = pick(operators(), wanted, place.careful(), choices_);
  if (entry == nullptr || (clustered_ && may_fail_early(*entry))) return leaf(wanted, place, false);
  Signature signature;
  std::vector<T> operands{entry->right};
  if (entry->left != T::none) operands.insert(operands.begin(), entry->left);
  if (!resolve(operands, entry->result, wanted, signature)) return leaf(wanted, place, false);
  const bool small = wants_small_numbers(entry->symbol);
  const auto operand = [&](std::size_t i, bool bare) {
    if (small) return typed_literal(signature.arguments[i], choices_, true);
    return value(signature.arguments[i], place, depth - 1, bare);
  };
  if (entry->left == T::none) return fmt::format("({} {})", entry->symbol, operand(0, false));
  const bool left_bare = choices_.percent(30);
  const std::string left = operand(0, left_bare);
  return fmt::format("({} {} {})", left, entry->symbol, operand(1, !left_bare));
}

std::string StatementGenerator::call(T wanted, const Place& place, int depth) {
  const FunctionEntry* entry = pick(functions(), wanted, place.careful(), choices_);
  if (entry == nullptr || (clustered_ && may_fail_early(*entry))) return leaf(wanted, place, false);
  // Their second argument is a modifier, as the catalog keeps it.
  const std::string_view name = entry->name;
  if ((name == "varchar" || name == "bpchar") && entry->arguments.size() > 1) return leaf(wanted, place, false);
  Signature signature;
  if (!resolve(entry->arguments, entry->result, wanted, signature)) return leaf(wanted, place, false);
  std::vector<T>& types = signature.arguments;
  bool array_written = false;
  if (entry->variadic) {
    array_written = entry->arguments.back() != T::any && choices_.one_in(4);
    if (!array_written) {
      const T element = entry->arguments.back() == T::any ? T::none : type_info(types.back()).element;
      types.pop_back();
      for (std::size_t left = 1 + choices_.below(3); left > 0; --left)
        types.push_back(element == T::none ? any_type() : element);
    }
  }
  for (std::size_t left = entry->defaults.size(); left > 0 && choices_.one_in(2); --left) types.pop_back();
  const bool small = wants_small_numbers(entry->name);
  std::string list;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i != 0) list += ", ";
    if (array_written && i + 1 == types.size()) list += "VARIADIC ";
    const bool number = type_info(types[i]).category == TypeCategory::numeric;
    list += small && number ? typed_literal(types[i], choices_, true) : value(types[i], place, depth - 1);
  }
  return fmt::format("{}({})", quote_identifier(entry->name), list);
}

// ORDER BY a canonical value, for aggregates that keep an order: ties are the same values only if that is all there is.
std::string StatementGenerator::aggregate_call(T wanted, const Place& place, bool as_window) {
  const Scope* rows = as_window ? place.scope : place.aggregated;
  Place inner{rows, nullptr, false, false};
  const auto argument = [&](T type) { return value(type, inner, 1, false); };
  const char* const distinct = !as_window && choices_.one_in(5) ? "DISTINCT " : "";
  std::vector<const ScopeColumn*> exact;
  std::vector<const ScopeColumn*> canonical;
  for (const ScopeColumn& column : rows->columns) {
    if (column.exact && column.type.id == wanted) exact.push_back(&column);
    if (column.canonical && column.type.id == wanted) canonical.push_back(&column);
  }
  const bool has_extremes = (is_canonical(wanted) || !canonical.empty()) && wanted != T::boolean && wanted != T::uuid &&
                            wanted != T::bytea && wanted != T::name;
  if (has_extremes && choices_.one_in(2)) {
    const std::string extreme = is_canonical(wanted) ? argument(wanted) : choices_.one_of(canonical)->text();
    return fmt::format("{}({})", choices_.one_in(2) ? "max" : "min", extreme);
  }
  switch (wanted) {
    case T::int8:
      switch (choices_.below(4)) {
        case 0:
          return "count(*)";
        case 1:
          return fmt::format("count({}{})", distinct, argument(canonical_type()));
        default:
          return fmt::format("sum({}{})", distinct, argument(choices_.one_in(3) ? T::int2 : T::int4));
      }
    case T::numeric: {
      static const std::vector<const char*> names{"sum",     "avg",        "stddev",  "variance",
                                                  "var_pop", "stddev_pop", "var_samp"};
      const T type = choices_.one_of(std::vector<T>{T::int8, T::numeric, T::int8});
      return fmt::format("{}({}{})", choices_.one_of(names), type == T::numeric ? "" : distinct, argument(type));
    }
    case T::float4:
    case T::float8:
      if (exact.empty()) break;
      return fmt::format("{}({})", wanted == T::float8 && choices_.one_in(2) ? "avg" : "sum",
                         choices_.one_of(exact)->text());
    case T::boolean:
      return fmt::format("{}({})", choices_.one_of(std::vector<const char*>{"bool_and", "bool_or", "every"}),
                         argument(T::boolean));
    case T::int4:
    case T::int2:
      return fmt::format("{}({})", choices_.one_in(2) ? "bit_or" : "bit_and", argument(wanted));
    case T::interval:
      return fmt::format("{}({})", choices_.one_in(2) ? "sum" : "avg", argument(T::interval));
    case T::text: {
      if (as_window) break;
      const std::string what = argument(T::text);
      return fmt::format("string_agg({}{}, ',' ORDER BY {}{})", distinct, what, what,
                         *distinct == 0 && choices_.one_in(2) ? " DESC NULLS LAST" : "");
    }
    case T::int4_array:
    case T::text_array: {
      if (as_window) break;
      const std::string what = argument(type_info(wanted).element);
      return fmt::format("array_agg({}{} ORDER BY {})", distinct, what, what);
    }
    case T::jsonb: {
      if (as_window) break;
      const std::string what = argument(canonical_type());
      return fmt::format("jsonb_agg({} ORDER BY {})", what, what);
    }
    case T::json: {
      if (as_window) break;
      const std::string what = argument(canonical_type());
      return fmt::format("json_agg({}{} ORDER BY {})", distinct, what, what);
    }
    default:
      break;
  }
  return "";
}

std::string StatementGenerator::aggregate(T wanted, const Place& place) {
  std::string call = choices_.one_in(4) ? ordered_set_call(wanted, place) : "";
  if (call.empty() && wanted == T::int4 && choices_.one_in(3)) return grouping_call(place);
  if (call.empty()) call = aggregate_call(wanted, place, false);
  if (call.empty()) return leaf(wanted, place, false);
  Place inner{place.aggregated, nullptr, false, false};
  if (choices_.one_in(5)) call += fmt::format(" FILTER (WHERE {})", condition(inner, 1));
  return call;
}

// Columns that determine the place of a row, or what is canonical.
std::string StatementGenerator::ordered_text(const Place& place) {
  std::vector<const ScopeColumn*> canonical;
  for (const ScopeColumn& column : place.scope->columns) {
    if (column.canonical) canonical.push_back(&column);
  }
  if (canonical.empty()) return "";
  std::string text = choices_.one_of(canonical)->text();
  if (choices_.one_in(3)) text += " DESC";
  if (choices_.one_in(4)) text += choices_.one_in(2) ? " NULLS FIRST" : " NULLS LAST";
  return text;
}

}  // namespace polarsim::scenarios::cli::test
