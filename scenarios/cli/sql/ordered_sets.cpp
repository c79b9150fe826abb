// Aggregates over sorted lists: WITHIN GROUP, and those whose ORDER BY decides what they give.
#include <fmt/format.h>

#include "scenarios/cli/sql/literals.h"
#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

const std::vector<const char*> directions{"", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"};

}  // namespace

std::string StatementGenerator::ordered_set_call(T wanted, const Place& place) {
  const Place inner{place.aggregated, nullptr, false, false};
  static const std::vector<const char*> fractions{"0.5", "0", "1", "0.25", "0.99", "NULL"};
  if ((wanted == T::int8 || wanted == T::float8) && choices_.percent(70)) return hypothetical_call(wanted, place);
  if (wanted == T::json || wanted == T::jsonb) return object_call(wanted, place);
  const T element = engine::type_info(wanted).element;
  if (element != T::none && is_canonical(element) && choices_.one_in(2))
    return fmt::format("percentile_disc(ARRAY[{}, {}]) WITHIN GROUP (ORDER BY {}{})", choices_.one_of(fractions),
                       "0.75", value(element, inner, 1, false), choices_.one_of(directions));
  if (wanted == T::float8 || wanted == T::interval) {
    std::vector<std::string> exact;
    for (const ScopeColumn& column : place.aggregated->columns) {
      if (column.type.id == T::int4 || column.type.id == T::int2 || column.exact) exact.push_back(column.text());
    }
    if (wanted == T::interval) exact = {value(T::interval, inner, 1, false)};
    if (exact.empty()) return "";
    return fmt::format("percentile_cont({}) WITHIN GROUP (ORDER BY {}{})", choices_.one_of(fractions),
                       choices_.one_of(exact), choices_.one_of(directions));
  }
  if (!is_canonical(wanted)) return "";
  const std::string sorted = value(wanted, inner, 1, false) + choices_.one_of(directions);
  if (choices_.one_in(2)) return fmt::format("mode() WITHIN GROUP (ORDER BY {})", sorted);
  return fmt::format("percentile_disc({}) WITHIN GROUP (ORDER BY {})", choices_.one_of(fractions), sorted);
}

// Where a row would stand.
std::string StatementGenerator::hypothetical_call(T wanted, const Place& place) {
  const Place inner{place.aggregated, nullptr, false, false};
  static const std::vector<const char*> ranks{"rank", "dense_rank"};
  static const std::vector<const char*> parts{"percent_rank", "cume_dist"};
  std::string arguments;
  std::string order;
  for (std::size_t left = 1 + choices_.below(2); left > 0; --left) {
    const T type = canonical_type();
    arguments += (arguments.empty() ? "" : ", ") + typed_literal(type, choices_, true);
    order += (order.empty() ? "" : ", ") + value(type, inner, 1, false) + choices_.one_of(directions);
  }
  return fmt::format("{}({}) WITHIN GROUP (ORDER BY {})", choices_.one_of(wanted == T::int8 ? ranks : parts), arguments,
                     order);
}

// Keys are not NULL, and the last of several rows with one key counts.
std::string StatementGenerator::object_call(T wanted, const Place& place) {
  const Place inner{place.aggregated, nullptr, false, false};
  const std::string key = fmt::format("COALESCE({}, 'none')", value(T::text, inner, 1, false));
  const std::string what = value(canonical_type(), inner, 1, false);
  return fmt::format("{}_object_agg({}, {} ORDER BY {}, {})", wanted == T::json ? "json" : "jsonb", key, what, key,
                     what);
}

}  // namespace polarsim::scenarios::cli::test
