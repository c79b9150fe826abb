// Reads dates, times and timestamps in all forms that PostgreSQL reads with DateStyle ISO, MDY
// (src/backend/utils/adt/datetime.c: DecodeDateTime, DecodeTimeOnly).
//
// Special words ("now", "today") mean the transaction's start in the session's time zone.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/types/function.h"

namespace polarsim::engine {

// How often this thread has read a word that stands for the time ("now", "today"): who wants to know whether a value is
// one of this transaction alone looks before and after.
std::uint64_t clock_words_read();

// As in datetime.h; timestamps and times are not rounded yet. Throws SqlError 22007, 22008, 22009, 22023.
std::int64_t read_date(std::string_view text, const CallContext& context);
std::int64_t read_time(std::string_view text, const CallContext& context);
std::int64_t read_timestamp(std::string_view text, const CallContext& context);
std::int64_t read_timestamptz(std::string_view text, const CallContext& context);

// "+5", "-08:30", "+0530": seconds east of Greenwich. Throws DateTimeFailure (datetime_fields.h).
std::int32_t read_zone_offset(std::string_view text);

}  // namespace polarsim::engine
