// The trace: what happened, for people and tools. It never influences a run and is not part of the digest.
//
// Events are kept in memory up to a bound; past it the oldest are dropped and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <ostream>
#include <string>
#include <string_view>

#include "sim/time.h"

namespace polarsim::sim {

enum class TraceKind : std::uint8_t { message, io, task, host, fault, probe, log };
const char* to_string(TraceKind kind);

struct TraceEvent {
  Time time;
  TraceKind kind;
  std::string host;
  std::string text;
};

struct TraceOptions {
  bool enabled = false;
  std::size_t capacity = 200'000;  // events
};

class Trace {
 public:
  explicit Trace(TraceOptions options) : options_(options) {}
  bool enabled() const { return options_.enabled; }
  void add(Time time, TraceKind kind, std::string_view host, std::string text);
  const std::deque<TraceEvent>& events() const { return events_; }
  std::uint64_t dropped() const { return dropped_; }
  // One line an event: seconds with nine decimals, kind, host, text.
  void write_text(std::ostream& out) const;

 private:
  TraceOptions options_;
  std::deque<TraceEvent> events_;
  std::uint64_t dropped_ = 0;
};

}  // namespace polarsim::sim
