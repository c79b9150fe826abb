// Calls of window functions, definitions of windows, the WINDOW clause and frames.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

using T = engine::TypeId;

enum Mode : std::size_t { range_of_peers, range_by_value, groups, rows };

// Types that RANGE with an offset takes.
bool has_ranges(T type) {
  switch (type) {
    case T::int2:
    case T::int4:
    case T::int8:
    case T::numeric:
    case T::date:
    case T::time:
    case T::timestamp:
    case T::timestamptz:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string StatementGenerator::window_call(T wanted, const Place& place) {
  const bool keyed = place.scope->keyed;
  Place inner{place.scope, nullptr, false, false};
  std::string call;
  bool total = false;
  bool aggregates = false;
  if (keyed && choices_.one_in(2)) {
    const std::string argument = value(wanted, inner, 1, false);
    static const std::vector<const char*> forms{"lag({})",        "lead({})",         "first_value({})",
                                                "last_value({})", "nth_value({}, 2)", "lag({}, 2)"};
    call = fmt::format(fmt::runtime(choices_.one_of(forms)), argument);
    total = true;
  } else if (wanted == T::int8) {
    static const std::vector<const char*> peers{"rank()", "dense_rank()", "count(*)"};
    total = keyed && choices_.one_in(2);
    call = total ? "row_number()" : choices_.one_of(peers);
  } else if (wanted == T::float8) {
    call = choices_.one_in(2) ? "percent_rank()" : "cume_dist()";
  } else if (wanted == T::int4 && keyed) {
    call = "ntile(2)";
    total = true;
  } else if (place.aggregated != nullptr && choices_.one_in(2)) {
    // An aggregate of the groups' rows, and over the groups.
    if (wanted == T::numeric) {
      const char* const inner_call = choices_.one_in(2) ? "count(*)" : "sum(1)";
      call = fmt::format("{}({})", choices_.one_in(2) ? "sum" : "avg", inner_call);
      aggregates = true;
    }
  }
  if (call.empty()) {
    call = aggregate_call(wanted, inner, true);
    if (call.empty()) return leaf(wanted, place, false);
    aggregates = true;
  }
  if (aggregates && choices_.one_in(5)) call += fmt::format(" FILTER (WHERE {})", condition(inner, 1));
  return fmt::format("{} OVER {}", call, over(place, total));
}

// A definition, a name, or a definition that goes on from a name.
std::string StatementGenerator::over(const Place& place, bool total) {
  std::vector<const NamedWindow*> usable;
  if (place.named != nullptr) {
    for (const NamedWindow& window : *place.named) {
      if (window.total || !total) usable.push_back(&window);
    }
  }
  if (usable.empty() || choices_.percent(35)) {
    NamedWindow made;
    return "(" + window_definition(place, total, made) + ")";
  }
  const NamedWindow& window = *choices_.one_of(usable);
  if (window.framed || choices_.one_in(2)) return window.name;
  NamedWindow made = window;
  const std::string order = window.ordered ? "" : window_order(place, false, made);
  const std::string framed = frame(made);
  return fmt::format("({}{}{})", window.name, order.empty() ? "" : " ORDER BY " + order,
                     framed.empty() ? "" : " " + framed);
}

std::string StatementGenerator::window_order(const Place& place, bool total, NamedWindow& made) {
  std::vector<const ScopeColumn*> canonical;
  for (const ScopeColumn& column : place.scope->columns) {
    if (column.canonical) canonical.push_back(&column);
  }
  std::string order;
  made.range = T::none;
  if (!canonical.empty() && (choices_.percent(80) || total)) {
    const ScopeColumn& column = *choices_.one_of(canonical);
    order = column.text();
    made.range = column.type;
    if (choices_.one_in(3)) order += " DESC";
    if (choices_.one_in(4)) order += choices_.one_in(2) ? " NULLS FIRST" : " NULLS LAST";
  }
  made.total = false;
  if (place.scope->keyed && (total || choices_.one_in(3))) {
    for (const std::string& key : place.scope->keys) order += (order.empty() ? "" : ", ") + key;
    made.total = true;
    made.range = T::none;
  }
  made.ordered = !order.empty();
  made.total = made.total && (made.ordered || place.scope->keys.empty());
  return order;
}

std::string StatementGenerator::window_definition(const Place& place, bool total, NamedWindow& made) {
  std::string text;
  if (choices_.one_in(3)) {
    std::vector<std::string> canonical;
    for (const ScopeColumn& column : place.scope->columns) {
      if (column.canonical) canonical.push_back(column.text());
    }
    if (!canonical.empty()) text += "PARTITION BY " + choices_.one_of(canonical);
    if (!canonical.empty() && choices_.one_in(5)) text += ", " + choices_.one_of(canonical);
  }
  const std::string order = choices_.percent(70) || total ? window_order(place, total, made) : "";
  if (!order.empty()) text += (text.empty() ? "ORDER BY " : " ORDER BY ") + order;
  const std::string framed = choices_.one_in(2) ? frame(made) : "";
  if (!framed.empty()) text += (text.empty() ? "" : " ") + framed;
  made.framed = !framed.empty();
  return text;
}

std::string StatementGenerator::frame_offset(std::size_t mode, engine::Type range) {
  if (mode != range_by_value) return std::to_string(choices_.below(4));
  switch (range.id) {
    case T::int2:
    case T::int4:
    case T::int8:
      return std::to_string(choices_.below(6));
    case T::numeric:
      return choices_.one_in(2) ? "1.5" : "2";
    case T::time:
      return "'02:30'::interval";
    default:
      return choices_.one_in(2) ? "'1 mon'::interval" : "'40 days'::interval";
  }
}

// Empty sometimes. Which peers are in a frame of rows, is not determined.
std::string StatementGenerator::frame(const NamedWindow& window) {
  const std::size_t mode = choices_.weighted({30, window.ordered && has_ranges(window.range.id) ? 40U : 0U,
                                              window.ordered ? 25U : 0U, window.total && window.ordered ? 30U : 0U});
  static const std::vector<const char*> names{"RANGE", "RANGE", "GROUPS", "ROWS"};
  struct Bound {
    std::size_t place = 0;  // from the partition's start to its end
    std::string text;
  };
  const bool offsets = mode != range_of_peers;
  const auto bound = [&](std::size_t least) {
    const std::size_t place = std::max(least, offsets ? choices_.below(5) : 2 * choices_.below(3));
    switch (place) {
      case 0:
        return Bound{place, "UNBOUNDED PRECEDING"};
      case 1:
        return Bound{place, frame_offset(mode, window.range) + " PRECEDING"};
      case 2:
        return Bound{place, "CURRENT ROW"};
      case 3:
        return Bound{place, frame_offset(mode, window.range) + " FOLLOWING"};
      default:
        return Bound{place, "UNBOUNDED FOLLOWING"};
    }
  };
  Bound start = bound(0);
  if (start.place == 4) start = {0, "UNBOUNDED PRECEDING"};
  std::string text = names[mode];
  if (start.place <= 2 && choices_.one_in(4)) {
    text += " " + start.text;
  } else {
    Bound end = bound(start.place);
    if (end.place == 0) end = {2, "CURRENT ROW"};
    text += " BETWEEN " + start.text + " AND " + end.text;
  }
  static const std::vector<const char*> excluded{
      "", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP", " EXCLUDE NO OTHERS"};
  return text + choices_.one_of(excluded);
}

// WINDOW w1 AS (...), w2 AS (w1 ...); empty sometimes.
std::string StatementGenerator::window_clause(const Place& place, std::vector<NamedWindow>& named) {
  std::string text;
  for (std::size_t left = choices_.below(4); left > 0; --left) {
    NamedWindow made;
    std::string definition;
    if (!named.empty() && !named.back().framed && choices_.one_in(2)) {
      const NamedWindow& base = named.back();
      made = base;
      const std::string order = base.ordered ? "" : window_order(place, false, made);
      definition = base.name + (order.empty() ? "" : " ORDER BY " + order);
      const std::string framed = choices_.one_in(2) ? frame(made) : "";
      if (!framed.empty()) definition += " " + framed;
      made.framed = !framed.empty();
    } else {
      definition = window_definition(place, choices_.one_in(2), made);
    }
    made.name = fmt::format("win{}", ++aliases_);
    text += fmt::format("{}{} AS ({})", text.empty() ? " WINDOW " : ", ", made.name, definition);
    named.push_back(made);
  }
  return text;
}

}  // namespace polarsim::scenarios::cli::test
