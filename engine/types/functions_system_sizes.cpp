#include <fmt/format.h>

#include "engine/types/functions_system.h"
#include "engine/types/numeric.h"

// Sizes for people (PostgreSQL's src/backend/utils/adt/dbsize.c).
namespace polarsim::engine::families {
namespace {

struct SizeUnit {
  const char* name;
  std::int64_t limit;  // a size below it is told in this unit
  bool halved;         // the size is counted in halves of the unit, so that it can be rounded
  int bits;            // of the unit
};
constexpr SizeUnit units[] = {
    {"bytes", 10 * 1024, false, 0},  {"kB", 20 * 1024 - 1, true, 10}, {"MB", 20 * 1024 - 1, true, 20},
    {"GB", 20 * 1024 - 1, true, 30}, {"TB", 20 * 1024 - 1, true, 40}, {"PB", 20 * 1024 - 1, true, 50},
};
constexpr std::size_t last_unit = std::size(units) - 1;

// From one unit to the next.
int shift_after(std::size_t unit) {
  return units[unit + 1].bits - units[unit].bits - int{units[unit + 1].halved} + int{units[unit].halved};
}

Value pretty_int8(const FunctionCall& call) {
  std::int64_t size = call[0].as_integer();
  for (std::size_t i = 0;; ++i) {
    // Of the lowest number there is no absolute value.
    if (i == last_unit || (size > -units[i].limit && size < units[i].limit)) {
      if (units[i].halved) size = (size + (size < 0 ? -1 : 1)) / 2;
      return Value::text(fmt::format("{} {}", size, units[i].name));
    }
    size /= std::int64_t{1} << shift_after(i);
  }
}

Value pretty_numeric(const FunctionCall& call) {
  Numeric size = call[0].as_numeric();
  for (std::size_t i = 0;; ++i) {
    if (i == last_unit || Numeric::compare(size.absolute(), Numeric(units[i].limit)) < 0) {
      if (units[i].halved) {
        const bool positive = Numeric::compare(size, Numeric(std::int64_t{0})) >= 0;
        size = Numeric::divide_truncating(size + Numeric(std::int64_t{positive ? 1 : -1}), Numeric(std::int64_t{2}));
      }
      return Value::text(fmt::format("{} {}", size.to_string(), units[i].name));
    }
    size = Numeric::divide_truncating(size, Numeric(std::int64_t{1} << shift_after(i)));
  }
}

}  // namespace

void add_system_sizes(Entries& to) {
  using enum TypeId;
  constexpr Volatility immutable = Volatility::immutable;
  to.functions.push_back(system_function("pg_size_pretty", {int8}, text, immutable, pretty_int8));
  to.functions.push_back(system_function("pg_size_pretty", {numeric}, text, immutable, pretty_numeric));
}

}  // namespace polarsim::engine::families
