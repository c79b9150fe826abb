// Rows, parameters and settings between a session and the protocol. Private to the backend.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/node/session.h"
#include "engine/pgwire/message.h"

namespace polarsim::engine::pgwire {

// Format codes of Bind: none (all are text), one for all, or one for each; 1 is binary.
using Formats = std::vector<std::int16_t>;

// Throws 22023 "unsupported format code: 2".
void check_formats(const Formats& formats);
inline bool is_binary(const Formats& formats, std::size_t position) {
  if (formats.empty()) return false;
  return (formats.size() == 1 ? formats.front() : formats.at(position)) == 1;
}

RowDescription describe_columns(const std::vector<ResultColumn>& columns, const Formats& formats);
// What a message may hold (PostgreSQL's MaxAllocSize).
inline constexpr std::size_t most_row_bytes = 0x3fffffff;
// A row as the formats want it. 54000 "out of memory" if it is no message (enlargeStringInfo(),
// src/common/stringinfo.c).
void write_row(const Row& row, const std::vector<ResultColumn>& columns, const Formats& formats,
               const CallContext& context, DataRow& to, std::size_t most_bytes = most_row_bytes);
// A parameter in binary form, as the text that says the same. Throws what read_binary() throws, 22P03 with the number
// of the parameter.
Value read_parameter(std::string_view bytes, TypeId type, std::size_t number, const CallContext& context);

// The settings in the startup message's "options": "-c name=value --other=value". Throws 42601 for other options.
std::vector<std::pair<std::string, std::string>> startup_options(std::string_view text);

}  // namespace polarsim::engine::pgwire
