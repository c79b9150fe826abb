// The plain contents of a block of a trace file; see trace_file.h for the format. Private to sim.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace.h"

namespace polarsim::sim {

// Replaces `plain` by the block's events from number `begin` on, with the names from number `first_name` on.
void encode_block(const std::deque<std::string>& names, std::size_t first_name, const TraceBlock& block,
                  std::size_t begin, std::string& plain);

// Appends `count` events and the block's new names; null if the contents are well-formed, else what is wrong with them,
// and then `names` and `events` are as before. No event may have an id below `lowest_id`.
const char* decode_block(std::string_view plain, std::size_t count, TraceId lowest_id, std::vector<std::string>& names,
                         std::vector<TraceEvent>& events);

}  // namespace polarsim::sim
