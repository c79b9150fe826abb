// Expressions of a wanted type: columns, literals, CASE and its like, conditions, subqueries.
#include <fmt/format.h>

#include "engine/types/cast.h"
#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

constexpr const char* comparisons[] = {"=", "<>", "<", "<=", ">", ">="};

bool has_equality(T type) { return type != T::json; }

}  // namespace

T StatementGenerator::any_type() { return choices_.one_of(generated_types()); }

T StatementGenerator::canonical_type() {
  static const std::vector<T> types{T::int4, T::text, T::int8, T::boolean, T::date, T::timestamp, T::int2, T::uuid};
  return choices_.one_of(types);
}

std::string StatementGenerator::value(T wanted, const Place& place, int depth, bool bare) {
  if (choices_.one_in(150)) wanted = any_type();
  if (depth <= 0) return leaf(wanted, place, bare);
  switch (choices_.weighted({36, 20, 20, 5, 6, 6, 3, 6, 6, 3, 1})) {
    case 0:
      return leaf(wanted, place, bare);
    case 1:
      return operation(wanted, place, depth);
    case 2:
      return call(wanted, place, depth);
    case 3:
      return case_expression(wanted, place, depth - 1);
    case 4:
      return conditional(wanted, place, depth - 1);
    case 5:
      return cast(wanted, place, depth - 1);
    case 6:
      return place.subqueries ? scalar_subquery(wanted, place, depth - 1) : leaf(wanted, place, bare);
    case 7:
      return special(wanted, place, depth - 1);
    case 9: {
      const std::string matched = pattern_call(wanted, place, depth - 1);
      return matched.empty() ? leaf(wanted, place, bare) : matched;
    }
    case 10: {
      const std::string row = of_whole_row(wanted, place);
      return row.empty() ? leaf(wanted, place, bare) : row;
    }
    default:
      if (place.aggregated != nullptr) return aggregate(wanted, place);
      if (place.windows) return window_call(wanted, place);
      return leaf(wanted, place, bare);
  }
}

const StatementGenerator::ScopeColumn* StatementGenerator::column_of(T wanted, const Place& place) {
  std::vector<const ScopeColumn*> found;
  const bool converted = choices_.percent(10);
  const Scope* scope = place.scope;
  while (scope->outer != nullptr && choices_.percent(25)) scope = scope->outer;
  for (const ScopeColumn& column : scope->columns) {
    if (column.type.id == wanted) found.push_back(&column);
    if (converted && engine::find_conversion(column.type.id, wanted, engine::CastContext::implicit).possible())
      found.push_back(&column);
  }
  return found.empty() ? nullptr : choices_.one_of(found);
}

// Without its qualifier sometimes, where that is clear.
std::string StatementGenerator::column_text(const ScopeColumn& column, const Place& place) {
  if (column.qualifier.empty() || !choices_.percent(20)) return column.text();
  std::size_t named = 0;
  for (const Scope* scope = place.scope; scope != nullptr; scope = scope->outer) {
    for (const ScopeColumn& other : scope->columns) named += other.name == column.name ? 1U : 0U;
  }
  return named == 1 ? column.name : column.text();
}

std::string StatementGenerator::leaf(T wanted, const Place& place, bool bare) {
  if (choices_.percent(70)) {
    if (const ScopeColumn* column = column_of(wanted, place)) return column_text(*column, place);
  }
  if (has_parameters_ && parameters_.size() < 4 && choices_.one_in(4)) {
    parameters_.push_back(wanted);
    return fmt::format("${}", parameters_.size());
  }
  switch (choices_.weighted({60, 25, 5, 10})) {
    case 0:
      return typed_literal(wanted, choices_, place.careful());
    case 1:
      return bare ? bare_literal(wanted, choices_, place.careful()) : typed_literal(wanted, choices_, place.careful());
    case 2:
      return bare ? "NULL" : "NULL::" + written_type(wanted);
    default:
      return "NULL::" + written_type(wanted);
  }
}

std::string StatementGenerator::list_of(T wanted, const Place& place, int depth, std::size_t count) {
  std::string list = value(wanted, place, depth, false);
  for (; count > 1; --count) list += ", " + value(wanted, place, depth);
  return list;
}

std::string StatementGenerator::case_expression(T wanted, const Place& place, int depth) {
  std::string text = "CASE";
  const bool simple = choices_.percent(30);
  const T compared = canonical_type();
  if (simple) text += " " + value(compared, place, depth, false);
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    text += " WHEN " + (simple ? value(compared, place, depth) : condition(place, depth));
    text += " THEN " + value(wanted, place, depth, left != 1);
  }
  if (choices_.percent(70)) text += " ELSE " + value(wanted, place, depth);
  return text + " END";
}

std::string StatementGenerator::conditional(T wanted, const Place& place, int depth) {
  switch (choices_.below(3)) {
    case 0:
      return fmt::format("COALESCE({})", list_of(wanted, place, depth, 1 + choices_.below(3)));
    case 1:
      if (!has_equality(wanted)) return leaf(wanted, place, false);
      return fmt::format("NULLIF({}, {})", value(wanted, place, depth, false), value(wanted, place, depth));
    default:
      // Which of several equal values is given is not said, but it is the first.
      if (!has_equality(wanted)) return leaf(wanted, place, false);
      return fmt::format("{}({})", choices_.one_in(2) ? "GREATEST" : "LEAST",
                         list_of(wanted, place, depth, 1 + choices_.below(3)));
  }
}

std::string StatementGenerator::cast(T wanted, const Place& place, int depth) {
  const T source = any_type();
  // What is stable fails early on a cluster: texts that become dates.
  const bool careful = place.careful() || clustered_;
  const auto context = careful ? engine::CastContext::implicit : engine::CastContext::explicit_only;
  const bool possible = engine::find_conversion(source, wanted, context).possible() || wanted == T::text;
  const T taken = possible ? source : wanted;
  std::string type = written_type(wanted);
  if (wanted == T::varchar && choices_.percent(40)) type = "varchar(2)";
  if (wanted == T::bpchar) type = "char(3)";
  if (wanted == T::numeric && choices_.percent(40)) type = careful ? "numeric(30,2)" : "numeric(5,1)";
  if (wanted == T::timestamp && choices_.percent(20)) type = "timestamp(0)";
  const std::string inner = value(taken, place, depth);
  return choices_.percent(50) ? fmt::format("CAST({} AS {})", inner, type) : fmt::format("({})::{}", inner, type);
}

// What has a syntax of its own.
std::string StatementGenerator::special(T wanted, const Place& place, int depth) {
  switch (wanted) {
    case T::boolean:
      return condition(place, depth);
    case T::numeric: {
      static const std::vector<const char*> fields{"year",  "month",   "day",  "hour",    "minute", "second", "dow",
                                                   "epoch", "quarter", "week", "isoyear", "doy",    "century"};
      const T source = choices_.one_of(std::vector<T>{T::timestamp, T::date, T::interval, T::timestamptz});
      const bool partial = source == T::date || source == T::interval;
      return fmt::format("extract({} FROM {})",
                         partial && place.careful() ? fields[choices_.below(3)] : choices_.one_of(fields),
                         value(source, place, depth, false));
    }
    case T::text:
      switch (choices_.below(5)) {
        case 0:
          return fmt::format("substring({} FROM {})", value(T::text, place, depth, false), 1 + choices_.below(4));
        case 1:
          return fmt::format("substring({} FROM {} FOR {})", value(T::text, place, depth, false), choices_.below(4),
                             choices_.below(4));
        case 2:
          return fmt::format("trim({} FROM {})",
                             choices_.one_of(std::vector<const char*>{"both ' '", "leading 'a'", "trailing"}),
                             value(T::text, place, depth, false));
        case 3:
          return fmt::format("overlay({} PLACING {} FROM {})", value(T::text, place, depth, false),
                             value(T::text, place, depth, false), 1 + choices_.below(3));
        default:
          return fmt::format("({})::text COLLATE \"C\"", value(T::text, place, 0, false));
      }
    case T::int4:
      switch (choices_.below(3)) {
        case 0:
          return fmt::format("position({} IN {})", value(T::text, place, depth, false),
                             value(T::text, place, depth, false));
        case 1:
          return fmt::format("({})[{}]", value(T::int4_array, place, depth, false), 1 + choices_.below(3));
        default:
          return fmt::format("- {}", leaf(T::int4, place, false));
      }
    case T::int4_array:
    case T::text_array: {
      const T element = engine::type_info(wanted).element;
      if (choices_.percent(60)) return fmt::format("ARRAY[{}]", list_of(element, place, depth, 1 + choices_.below(3)));
      const std::size_t low = choices_.below(3);
      return fmt::format("({})[{}:{}]", value(wanted, place, depth, false), low, low + choices_.below(3));
    }
    case T::timestamptz:
    case T::timestamp:
      return fmt::format("({} AT TIME ZONE {})",
                         value(wanted == T::timestamp ? T::timestamptz : T::timestamp, place, depth, false),
                         choices_.one_of(std::vector<const char*>{"'UTC'", "'Europe/Berlin'", "'+05'"}));
    case T::jsonb:
      return fmt::format("({})['{}']", value(T::jsonb, place, depth, false), choices_.one_in(2) ? "b" : "a");
    default:
      return leaf(wanted, place, false);
  }
}

std::string StatementGenerator::condition(const Place& place, int depth) {
  if (depth <= 0) return predicate(place, 0);
  switch (choices_.weighted({60, 10, 10, 8, 12})) {
    case 0:
      return predicate(place, depth);
    case 1:
      return fmt::format("({} AND {})", condition(place, depth - 1), condition(place, depth - 1));
    case 2:
      return fmt::format("({} OR {})", condition(place, depth - 1), condition(place, depth - 1));
    case 3:
      return fmt::format("(NOT {})", condition(place, depth - 1));
    default:
      return place.subqueries ? subquery_condition(place, depth - 1) : predicate(place, depth);
  }
}

std::string StatementGenerator::predicate(const Place& place, int depth) {
  T type = any_type();
  // Mostly over what is there.
  const Scope& scope = *place.scope;
  if (!scope.columns.empty() && choices_.percent(75)) type = choices_.one_of(scope.columns).type.id;
  if (!has_equality(type)) type = T::int4;
  const int inner = depth - 1;
  const auto side = [&](bool bare) { return value(type, place, inner, bare); };
  const char* const negation = choices_.one_in(3) ? "NOT " : "";
  switch (choices_.weighted({45, 10, 8, 8, 8, 6, 6, 5, 4, 4})) {
    case 0:
      return fmt::format("({} {} {})", side(false), choices_.one_of(comparisons), side(true));
    case 1:
      return fmt::format("({} IS {}NULL)", side(false), negation);
    case 2:
      return fmt::format("({} IS {}DISTINCT FROM {})", side(false), negation, side(true));
    case 3:
      return fmt::format("({} {}BETWEEN {}{} AND {})", side(false), negation, choices_.one_in(4) ? "SYMMETRIC " : "",
                         side(true), side(true));
    case 4:
      return fmt::format("({} {}IN ({}))", side(false), negation, list_of(type, place, inner, 1 + choices_.below(4)));
    case 5:
      return pattern_condition(place, inner);
    case 6: {
      const T element = choices_.one_in(2) ? T::text : T::int4;
      return fmt::format("({} {} {}({}))", value(element, place, inner, false), choices_.one_of(comparisons),
                         choices_.one_in(2) ? "ALL" : "ANY",
                         value(engine::type_info(element).array, place, inner, false));
    }
    case 7:
      return fmt::format("({} IS {}{})", value(T::boolean, place, inner, false), negation,
                         choices_.one_of(std::vector<const char*>{"TRUE", "FALSE", "UNKNOWN"}));
    case 8: {
      const T other = canonical_type();
      return fmt::format("(({}, {}) {} ({}, {}))", side(false), value(other, place, inner, false),
                         choices_.one_of(comparisons), side(false), value(other, place, inner, false));
    }
    default:
      return value(T::boolean, place, inner, false);
  }
}

}  // namespace polarsim::scenarios::cli::test
