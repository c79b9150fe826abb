#include "sim/trace.h"

#include <fmt/format.h>

namespace polarsim::sim {

const char* to_string(TraceKind kind) {
  switch (kind) {
    case TraceKind::message:
      return "message";
    case TraceKind::io:
      return "io";
    case TraceKind::task:
      return "task";
    case TraceKind::host:
      return "host";
    case TraceKind::fault:
      return "fault";
    case TraceKind::probe:
      return "probe";
    case TraceKind::log:
      return "log";
  }
  return "unknown";
}

void Trace::add(Time time, TraceKind kind, std::string_view host, std::string text) {
  if (!options_.enabled) return;
  if (options_.capacity == 0) {
    ++dropped_;
    return;
  }
  if (events_.size() == options_.capacity) {
    events_.pop_front();
    ++dropped_;
  }
  events_.push_back(TraceEvent{time, kind, std::string(host), std::move(text)});
}

void Trace::write_text(std::ostream& out) const {
  for (const TraceEvent& event : events_) {
    const std::int64_t total = nanoseconds(event.time);
    out << fmt::format("{}.{:09} {} {} {}\n", total / 1'000'000'000, total % 1'000'000'000, to_string(event.kind),
                       event.host.empty() ? "-" : event.host, event.text);
  }
}

}  // namespace polarsim::sim
