#include "scenarios/cli/postgres/types_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/order.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

namespace polarsim::scenarios::cli::test {

using namespace engine;

namespace {

using T = TypeId;

constexpr std::string_view needs_session = "without a session";

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += c;
    result += c;
  }
  return result + "'";
}

std::string catalog_name(TypeId type) { return fmt::format("pg_catalog.\"{}\"", type_info(type).name); }

// Makes ours of what computes it; none if only a session can.
std::optional<Outcome> outcome_of(const std::function<Outcome()>& compute) {
  try {
    return compute();
  } catch (const SqlError& error) {
    if (error.fields().message.find(needs_session) != std::string::npos) return std::nullopt;
    return Outcome::error(error.sqlstate(), error.fields().message, error.fields().detail, error.fields().hint);
  } catch (const std::logic_error& error) {
    return Outcome::error("a defect", error.what());
  }
}

Outcome outcome_of(const Value& value, TypeId type, const CallContext& context) {
  return value.is_null() ? Outcome() : Outcome::value(output_value(value, type, context));
}

std::string value_query(const std::string& expression) {
  return fmt::format("select num_nulls(x) = 1, format('%s', x) from (select {} as x offset 0) as q", expression);
}

// Their numbers say how long the answer is or how often something is done.
bool wants_small_numbers(std::string_view name) {
  static const std::set<std::string_view> names{
      "repeat",        "lpad", "rpad", "generate_series", "array_fill", "factorial", "date_bin", "power",
      "numeric_power", "pow",  "exp",  "numeric_exp",     "dexp",       "round",     "trunc",    "^"};
  return names.contains(name);
}

// They tell of the time, of the session or of chance, or cannot be called by name.
bool is_incomparable(const FunctionEntry& entry) {
  static const std::set<std::string_view> names{"now",      "statement_timestamp", "transaction_timestamp",
                                                "pg_sleep", "clock_timestamp",     "timeofday"};
  return entry.volatility == Volatility::volatile_function || entry.kind == FunctionKind::window ||
         names.contains(entry.name);
}

bool is_polymorphic_or_any(TypeId type) { return type == T::any || is_polymorphic(type); }

}  // namespace

bool has_text_form(TypeId type) {
  if (type == T::none || is_polymorphic_or_any(type)) return false;
  try {
    output_value(Value::text(""), type, CallContext());
  } catch (const SqlError& error) {
    if (error.sqlstate() == sqlstate::internal_error) return false;
  } catch (const std::logic_error&) {
  }
  return true;
}

std::string name_of(const FunctionEntry& entry) {
  std::string arguments;
  for (const TypeId type : entry.arguments) arguments += (arguments.empty() ? "" : ",") + std::string(type_name(type));
  return fmt::format("{} {}({})", entry.kind == FunctionKind::aggregate ? "aggregate" : "function", entry.name,
                     arguments);
}

std::string name_of(const OperatorEntry& entry) {
  if (entry.left == T::none) return fmt::format("operator {} {}", entry.symbol, type_name(entry.right));
  return fmt::format("operator {} {} {}", type_name(entry.left), entry.symbol, type_name(entry.right));
}

// A function's types where its polymorphic ones have been chosen.
struct TypesCalls::Signature {
  std::vector<TypeId> arguments;
  TypeId result = T::none;
  bool variadic_array = false;  // the last argument is written VARIADIC
};

struct TypesCalls::Arguments {
  std::vector<std::string> literals;
  std::vector<Type> types;
  std::vector<std::function<Value()>> makers;  // in the order of the literals, since the first wrong one counts

  std::vector<Value> values() const {
    std::vector<Value> made;
    for (const auto& make : makers) made.push_back(make());
    return made;
  }
  std::string list() const { return fmt::format("{}", fmt::join(literals, ", ")); }
};

TypeId TypesCalls::any_type() {
  static const std::vector<TypeId> usable = [] {
    std::vector<TypeId> types;
    for (const TypeId type : {T::int4, T::text, T::boolean, T::numeric, T::float8, T::int8, T::date, T::timestamp,
                              T::jsonb, T::uuid, T::interval, T::bytea, T::varchar}) {
      if (has_text_form(type) && has_text_form(type_info(type).array)) types.push_back(type);
    }
    if (types.empty()) types = {T::int4, T::text};
    return types;
  }();
  return usable[random_.below(usable.size())];
}

std::vector<TypeId> TypesCalls::record_types() {
  std::vector<TypeId> types = record_types_;
  if (random_.one_in(10)) types[random_.below(types.size())] = any_type();
  if (random_.one_in(10)) types.push_back(any_type());
  return types;
}

bool TypesCalls::resolve(const FunctionEntry& entry, Signature& signature) {
  const TypeId element = any_type();
  const TypeId compatible = any_type();
  const auto concrete = [&](TypeId type) {
    switch (type) {
      case T::any_element:
      case T::any_nonarray:
        return element;
      case T::any_array:
        return type_info(element).array;
      case T::any_compatible:
      case T::any_compatible_nonarray:
        return compatible;
      case T::any_compatible_array:
        return type_info(compatible).array;
      case T::any:
        return any_type();
      default:
        return type;
    }
  };
  record_types_.clear();
  for (std::size_t left = 1 + random_.below(3); left > 0; --left) record_types_.push_back(any_type());
  for (const TypeId type : entry.arguments) signature.arguments.push_back(concrete(type));
  if (entry.aggregate_kind == AggregateKind::hypothetical) {
    // As many direct arguments as there are columns.
    if (random_.one_in(2)) signature.arguments.push_back(any_type());
    const std::vector<TypeId> columns = signature.arguments;
    signature.arguments.insert(signature.arguments.end(), columns.begin(), columns.end());
  } else if (entry.variadic && entry.arguments.back() == T::any) {
    signature.variadic_array = random_.one_in(4);
    if (signature.variadic_array) {
      signature.arguments.back() = type_info(signature.arguments.back()).array;
    } else {
      for (std::size_t more = random_.below(3); more > 0; --more) signature.arguments.push_back(any_type());
    }
  } else {
    signature.variadic_array = entry.variadic;
  }
  signature.result = concrete(entry.result);
  const auto usable = [](TypeId type) {
    return type == T::record || (has_text_form(type) && type_info(type).element != T::record);
  };
  return std::ranges::all_of(signature.arguments, usable) && has_text_form(signature.result);
}

TypesCalls::Arguments TypesCalls::make_arguments(const std::vector<TypeId>& types, bool small_numbers,
                                                 std::size_t null_one_in) {
  Arguments arguments;
  for (const TypeId type : types) {
    arguments.types.emplace_back(type);
    if (null_one_in != 0 && random_.one_in(null_one_in)) {
      arguments.literals.push_back("NULL::" + catalog_name(type));
      arguments.makers.push_back([] { return Value::null(); });
      continue;
    }
    if (type == T::record) {
      const Arguments fields = make_arguments(record_types(), small_numbers, 5);
      // Without the cast, a comparison of two would be one of their fields.
      arguments.literals.push_back("row(" + fields.list() + ")::record");
      arguments.makers.push_back([fields] {
        std::vector<Record::Field> made;
        for (const Value& value : fields.values())
          made.push_back({fmt::format("f{}", made.size() + 1), fields.types[made.size()], value});
        return Value::record(Record(std::move(made)));
      });
      continue;
    }
    std::string text = random_.value(type);
    const TypeInfo& info = type_info(type);
    if (small_numbers && info.category == TypeCategory::numeric) text = fmt::format("{}", int(random_.below(40)) - 10);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (small_numbers && type == T::int4_array && std::ranges::count_if(text, is_digit) > 5)
      text = fmt::format("{{{},{}}}", random_.below(20), random_.below(20));
    arguments.literals.push_back(quoted(text) + "::" + catalog_name(type));
    arguments.makers.push_back([this, text, type] { return input_value(text, type, context_); });
  }
  return arguments;
}

std::optional<TypesCall> TypesCalls::of_function(const FunctionEntry& entry) {
  Signature signature;
  if (is_incomparable(entry) || !resolve(entry, signature)) return std::nullopt;
  switch (entry.kind) {
    case FunctionKind::scalar:
      return of_scalar(entry, signature);
    case FunctionKind::set:
      return of_set(entry, signature);
    case FunctionKind::aggregate:
      return entry.aggregate_kind == AggregateKind::normal ? of_aggregate(entry, signature)
                                                           : of_ordered_set(entry, signature);
    case FunctionKind::window:
      break;
  }
  return std::nullopt;
}

namespace {

bool any_null(const std::vector<Value>& values) { return std::ranges::any_of(values, &Value::is_null); }

}  // namespace

std::optional<TypesCall> TypesCalls::of_scalar(const FunctionEntry& entry, const Signature& signature) {
  Arguments arguments = make_arguments(signature.arguments, wants_small_numbers(entry.name), entry.strict ? 40 : 8);
  if (signature.variadic_array) arguments.literals.back() = "VARIADIC " + arguments.literals.back();
  TypesCall call;
  call.entry = name_of(entry);
  call.expression = fmt::format("pg_catalog.\"{}\"({})", entry.name, arguments.list());
  call.query = value_query(call.expression);
  const auto ours = outcome_of([&] {
    const std::vector<Value> values = arguments.values();
    if (entry.strict && any_null(values)) return Outcome();
    const bool variadic = signature.variadic_array && entry.arguments.back() == T::any;
    return outcome_of(entry.scalar({values, arguments.types, signature.result, context_, &entry, variadic}),
                      signature.result, context_);
  });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

std::optional<TypesCall> TypesCalls::of_set(const FunctionEntry& entry, const Signature& signature) {
  constexpr std::size_t rows_max = 2000;
  const Arguments arguments = make_arguments(signature.arguments, true, 20);
  std::vector<TypeId> columns;
  for (const OutputParameter& output : entry.outputs) columns.push_back(output.type);
  if (columns.empty()) columns.push_back(signature.result);
  // Rows of any columns cannot be called for without naming these.
  if (!std::ranges::all_of(columns, has_text_form) || columns.front() == T::record) return std::nullopt;
  std::string names;
  std::string row;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names += fmt::format("c{}, ", i);
    row += fmt::format("{}case when num_nulls(c{}) = 1 then 'NULL' else format('%s', c{}) end",
                       i == 0 ? "" : " || '|' || ", i, i);
  }
  TypesCall call;
  call.entry = name_of(entry);
  call.expression =
      fmt::format("pg_catalog.\"{}\"({}{})", entry.name, signature.variadic_array ? "VARIADIC " : "", arguments.list());
  call.query =
      fmt::format("select false, coalesce(string_agg({}, E'\\n' order by n), '') from {} with ordinality as t({}n)",
                  row, call.expression, names);
  bool too_long = false;
  const auto ours = outcome_of([&] {
    const std::vector<Value> values = arguments.values();
    std::string text;
    if (entry.strict && any_null(values)) return Outcome::value(text);
    const auto rows = entry.set({values, arguments.types, signature.result, context_, &entry, false});
    Row each;
    for (std::size_t count = 0; rows->next(each); ++count) {
      if (count > 0) text += '\n';
      for (std::size_t i = 0; i < each.size(); ++i)
        text += (i == 0 ? "" : "|") + (each[i].is_null() ? "NULL" : output_value(each[i], columns.at(i), context_));
      if (count > rows_max) {
        too_long = true;
        break;
      }
    }
    return Outcome::value(text);
  });
  if (!ours || too_long) return std::nullopt;
  call.ours = *ours;
  return call;
}

std::optional<TypesCall> TypesCalls::of_aggregate(const FunctionEntry& entry, const Signature& signature) {
  std::vector<Arguments> rows;
  for (std::size_t left = random_.below(6); left > 0; --left)
    rows.push_back(make_arguments(signature.arguments, false, 6));
  std::string columns = "o";
  std::string arguments;
  std::string no_rows = "0";
  for (std::size_t i = 0; i < signature.arguments.size(); ++i) {
    columns += fmt::format(", a{}", i);
    arguments += fmt::format("{}a{}", i == 0 ? "" : ", ", i);
    no_rows += ", NULL::" + catalog_name(signature.arguments[i]);
  }
  std::string values;
  for (std::size_t i = 0; i < rows.size(); ++i)
    values += fmt::format("{}({}{}{})", i == 0 ? "" : ", ", i, arguments.empty() ? "" : ", ", rows[i].list());
  if (values.empty()) values = fmt::format("({})", no_rows);
  TypesCall call;
  call.entry = name_of(entry);
  call.expression = fmt::format("pg_catalog.\"{}\"({}) from (values {}) as v({}){}", entry.name,
                                arguments.empty() ? "*" : arguments + " order by o", values, columns,
                                rows.empty() ? " where false" : "");
  call.query = fmt::format("select num_nulls(x) = 1, format('%s', x) from (select {}) as q(x)", call.expression);
  const auto ours = outcome_of([&] {
    std::vector<std::vector<Value>> made;
    for (const Arguments& row : rows) made.push_back(row.values());
    std::vector<Type> types(signature.arguments.begin(), signature.arguments.end());
    const auto state = entry.aggregate(types, signature.result);
    for (const std::vector<Value>& row : made) {
      if (!entry.strict || !any_null(row)) state->add({row, types, signature.result, context_, &entry, false});
    }
    return outcome_of(state->result(context_), signature.result, context_);
  });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

namespace {

// Sorted as the server sorts so few rows: equal ones stay in their order.
void sort_rows(std::vector<std::vector<Value>>& rows, std::span<const Type> types,
               const std::vector<AggregateOrder>& orders) {
  const auto is_before = [&](const std::vector<Value>& a, const std::vector<Value>& b) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (a[i].is_null() != b[i].is_null()) return a[i].is_null() == orders[i].nulls_first;
      if (a[i].is_null()) continue;
      const int order = compare_values(a[i], b[i], types[i].id);
      if (order != 0) return (order < 0) != orders[i].descending;
    }
    return false;
  };
  for (std::size_t sorted = 1; sorted < rows.size(); ++sorted) {
    for (std::size_t at = sorted; at > 0 && is_before(rows[at], rows[at - 1]); --at) std::swap(rows[at], rows[at - 1]);
  }
}

}  // namespace

std::optional<TypesCall> TypesCalls::of_ordered_set(const FunctionEntry& entry, const Signature& signature) {
  const std::size_t direct_count =
      entry.aggregate_kind == AggregateKind::hypothetical ? signature.arguments.size() / 2 : entry.direct_arguments;
  const auto split = signature.arguments.begin() + static_cast<std::ptrdiff_t>(direct_count);
  const std::vector<TypeId> columns(split, signature.arguments.end());
  Arguments direct = make_arguments({signature.arguments.begin(), split}, false, 12);
  if (entry.aggregate_kind == AggregateKind::ordered_set && direct_count == 1 && random_.below(8) > 0) {
    // A fraction that means something.
    const bool is_list = is_array(direct.types[0].id);
    const TypeId type = direct.types[0].id;
    const std::string fraction = fmt::format("{}", static_cast<double>(random_.below(17)) / 16);
    const std::string text = is_list ? "{" + fraction + ",NULL,1}" : fraction;
    direct.literals[0] = quoted(text) + "::" + catalog_name(type);
    direct.makers[0] = [this, text, type] { return input_value(text, type, context_); };
  }
  std::vector<Arguments> rows;
  for (std::size_t left = random_.below(6); left > 0; --left) rows.push_back(make_arguments(columns, false, 6));
  std::vector<AggregateOrder> orders;
  std::string names, order_by, no_rows;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    orders.push_back({random_.one_in(3), random_.one_in(3)});
    const char* const separator = i == 0 ? "" : ", ";
    names += fmt::format("{}a{}", separator, i);
    order_by += fmt::format("{}a{}{} nulls {}", separator, i, orders[i].descending ? " desc" : "",
                            orders[i].nulls_first ? "first" : "last");
    no_rows += separator + ("NULL::" + catalog_name(columns[i]));
  }
  std::string values;
  for (const Arguments& row : rows) values += fmt::format("{}({})", values.empty() ? "" : ", ", row.list());
  if (values.empty()) values = fmt::format("({})", no_rows);
  TypesCall call;
  call.entry = name_of(entry);
  call.expression = fmt::format("pg_catalog.\"{}\"({}) within group (order by {}) from (values {}) as v({}){}",
                                entry.name, direct.list(), order_by, values, names, rows.empty() ? " where false" : "");
  call.query = fmt::format("select num_nulls(x) = 1, format('%s', x) from (select {}) as q(x)", call.expression);
  const auto ours = outcome_of([&] {
    const std::vector<Value> given = direct.values();
    std::vector<std::vector<Value>> made;
    for (const Arguments& row : rows) made.push_back(row.values());
    const std::vector<Type> types(signature.arguments.begin(), signature.arguments.end());
    const std::span<const Type> column_types = std::span(types).subspan(direct_count);
    sort_rows(made, column_types, orders);
    const auto state = entry.aggregate(types, signature.result);
    for (const std::vector<Value>& row : made) state->add({row, column_types, signature.result, context_, &entry});
    state->begin_ordered_set(given, orders);
    return outcome_of(state->result(context_), signature.result, context_);
  });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

std::optional<TypesCall> TypesCalls::of_operator(const OperatorEntry& entry) {
  FunctionEntry as_function{.name = entry.symbol, .arguments = {}, .result = entry.result};
  if (entry.left != T::none) as_function.arguments.push_back(entry.left);
  as_function.arguments.push_back(entry.right);
  Signature signature;
  if (!resolve(as_function, signature)) return std::nullopt;
  const Arguments arguments =
      make_arguments(signature.arguments, wants_small_numbers(entry.symbol), entry.strict ? 40 : 8);
  TypesCall call;
  call.entry = name_of(entry);
  call.expression = fmt::format("{} operator(pg_catalog.{}) {}", entry.left == T::none ? "" : arguments.literals[0],
                                entry.symbol, arguments.literals.back());
  call.query = value_query(call.expression);
  const auto ours = outcome_of([&] {
    const std::vector<Value> values = arguments.values();
    if (entry.strict && any_null(values)) return Outcome();
    return outcome_of(entry.function({values, arguments.types, signature.result, context_}), signature.result,
                      context_);
  });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

std::optional<TypesCall> TypesCalls::of_conversion(TypeId source, TypeId target) {
  const TypeId element = is_array(target) ? type_info(target).element : target;
  Type modified(target);
  if (random_.one_in(2)) {
    const auto number = [&](std::size_t lowest, std::size_t highest) {
      return static_cast<std::int64_t>(lowest + random_.below(highest - lowest + 1));
    };
    std::vector<std::int64_t> modifier;
    if (element == T::varchar || element == T::bpchar) modifier = {number(1, 8)};
    if (element == T::numeric) modifier = {number(1, 12), number(0, 8)};
    if (element == T::time || element == T::timestamp || element == T::timestamptz) modifier = {number(0, 6)};
    modified.modifier = type_modifier(element, modifier);
  }
  const Arguments arguments = make_arguments({source}, false, 50);
  TypesCall call;
  call.entry = fmt::format("cast {} -> {}", type_name(source), type_name(target));
  call.expression = fmt::format("cast({} as {})", arguments.literals[0],
                                modified.modifier == no_modifier ? catalog_name(target) : format_type(modified));
  call.query = value_query(call.expression);
  const auto ours = outcome_of([&] {
    const Value value = arguments.values()[0];
    const Conversion conversion = find_conversion(source, target, CastContext::explicit_only);
    if (!conversion.possible()) {
      return Outcome::error(sqlstate::cannot_coerce,
                            fmt::format("cannot cast type {} to {}", type_name(source), type_name(target)));
    }
    return outcome_of(convert_and_modify(conversion, value, source, modified, true, context_), target, context_);
  });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

std::optional<TypesCall> TypesCalls::of_input(TypeId type) {
  const std::string text = random_.doubtful_value(type);
  TypesCall call;
  call.entry = fmt::format("input {}", type_name(type));
  call.expression = quoted(text) + "::" + catalog_name(type);
  call.query = value_query(call.expression);
  const auto ours = outcome_of([&] { return outcome_of(input_value(text, type, context_), type, context_); });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

std::optional<TypesCall> TypesCalls::of_order(TypeId type) {
  const Arguments arguments = make_arguments({type, type}, false, 0);
  TypesCall call;
  call.entry = fmt::format("order {}", type_name(type));
  call.expression = fmt::format("case when {0} < {1} then -1 when {0} = {1} then 0 else 1 end", arguments.literals[0],
                                arguments.literals[1]);
  call.query = value_query(call.expression);
  const auto ours = outcome_of([&] {
    const std::vector<Value> values = arguments.values();
    const int order = compare_values(values[0], values[1], type);
    if (order == 0 && hash_value(values[0], type) != hash_value(values[1], type))
      return Outcome::value("equal, with different hashes");
    return Outcome::value(order < 0 ? "-1" : order > 0 ? "1" : "0");
  });
  if (!ours) return std::nullopt;
  call.ours = *ours;
  return call;
}

}  // namespace polarsim::scenarios::cli::test
