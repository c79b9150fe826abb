// A span of time as PostgreSQL has it: months, days and microseconds, which do not turn into each other by themselves
// (src/include/datatype/timestamp.h).
#pragma once

#include <cstdint>

namespace polarsim::engine {

class Interval {
 public:
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t microseconds = 0;
  // Of the three parts; SQL's `=` compares spans (30 days a month): order.h.
  friend bool operator==(const Interval&, const Interval&) = default;
};

}  // namespace polarsim::engine
