#include "sim/trace_perfetto.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace polarsim::sim {
namespace {

// Length of the well-formed UTF-8 sequence at the front (Unicode 15, table 3-7); 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  // Overlong forms, surrogates and what lies past U+10FFFF differ from the others in the second byte only.
  const std::uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char first = text.front();
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (first == '"' || first == '\\') {
      out += {'\\', first};
    } else if (static_cast<unsigned char>(first) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(first));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + "\"";
}

// Microseconds with three decimals, exact.
std::string microseconds(std::int64_t count_ns) {
  const std::uint64_t size =
      count_ns < 0 ? 0 - static_cast<std::uint64_t>(count_ns) : static_cast<std::uint64_t>(count_ns);
  return fmt::format("{}{}.{:03}", count_ns < 0 ? "-" : "", size / 1000, size % 1000);
}

class PerfettoWriter {
 public:
  PerfettoWriter(std::ostream& out, const std::vector<TraceEvent>& events) : out_(out), events_(events) {}

  void write() {
    out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
    for (const TraceEvent& event : events_) {
      if (event.verb == TraceVerb::spawn) task_names_[event.a] = event.text;
    }
    for (const TraceEvent& event : events_) put_event(event);
    if (!events_.empty()) {
      // What still waits, waits until the end.
      for (const auto& [task, block] : blocked_) put_wait(*block, events_.back().time);
    }
    put_metadata();
    out_ << "\n]}\n";
  }

 private:
  void put(std::string_view fields) {
    out_ << (first_ ? "\n{" : ",\n{") << fields << '}';
    first_ = false;
  }

  std::size_t process(const std::string& host) {
    return processes_.try_emplace(host, processes_.size() + 1).first->second;
  }

  std::string place(const TraceEvent& event) {
    const std::size_t number = process(event.host);
    threads_.emplace(number, event.task);
    return fmt::format("\"pid\":{},\"tid\":{}", number, event.task);
  }

  static std::string arguments(const TraceEvent& event) {
    return fmt::format("\"args\":{{\"id\":{},\"parent\":{},\"what\":{}}}", event.id, event.parent,
                       quoted(describe(event)));
  }

  const TraceEvent* find(TraceId id) const {
    if (events_.empty() || id < events_.front().id || id > events_.back().id) return nullptr;
    const auto found = std::lower_bound(events_.begin(), events_.end(), id,
                                        [](const TraceEvent& event, TraceId wanted) { return event.id < wanted; });
    return found != events_.end() && found->id == id ? &*found : nullptr;
  }

  void put_slice(const TraceEvent& event, std::string_view name, std::int64_t start_ns, std::int64_t length_ns) {
    put(fmt::format("\"ph\":\"X\",\"cat\":\"{}\",\"name\":{},\"ts\":{},\"dur\":{},{},{}", to_string(event.kind),
                    quoted(name), microseconds(start_ns), microseconds(std::max<std::int64_t>(length_ns, 0)),
                    place(event), arguments(event)));
  }

  void put_instant(const TraceEvent& event) {
    put(fmt::format("\"ph\":\"i\",\"s\":\"t\",\"cat\":\"{}\",\"name\":{},\"ts\":{},{},{}", to_string(event.kind),
                    quoted(event.verb == TraceVerb::note ? event.text : to_string(event.verb)),
                    microseconds(nanoseconds(event.time)), place(event), arguments(event)));
  }

  void put_wait(const TraceEvent& block, Time until) {
    // Times that a file made up may be further apart than a duration can say.
    const std::int64_t start = nanoseconds(block.time);
    const std::int64_t latest = start > 0 ? nanoseconds(never) : start + nanoseconds(never);
    put_slice(block, block.name, start, std::clamp(nanoseconds(until), start, latest) - start);
  }

  void count_in_flight(const TraceEvent& event, std::int64_t sender_change, const std::string& sender) {
    std::int64_t& in_flight = in_flight_[sender];
    in_flight += sender_change;
    put(fmt::format("\"ph\":\"C\",\"name\":\"bytes in flight\",\"ts\":{},\"pid\":{},\"args\":{{\"bytes\":{}}}",
                    microseconds(nanoseconds(event.time)), process(sender), in_flight));
  }

  void put_flow(const TraceEvent& send, const TraceEvent& deliver) {
    for (const TraceEvent* end : {&send, &deliver}) {
      put(fmt::format("\"ph\":\"{}\",\"bp\":\"e\",\"cat\":\"message\",\"name\":\"message\",\"id\":{},\"ts\":{},{}",
                      end == &send ? 's' : 'f', send.id, microseconds(nanoseconds(end->time)), place(*end)));
    }
  }

  // Bytes of an event that a file made up must not overflow the sum.
  static std::int64_t bytes_of(const TraceEvent& event) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(event.b, 1'000'000'000));
  }

  void put_event(const TraceEvent& event) {
    const std::int64_t now = nanoseconds(event.time);
    switch (event.verb) {
      case TraceVerb::block:
        blocked_[event.task] = &event;
        return;
      case TraceVerb::run:
        if (const auto wait = blocked_.extract(event.task); !wait.empty()) put_wait(*wait.mapped(), event.time);
        return put_instant(event);
      case TraceVerb::end: {
        const auto length = static_cast<std::int64_t>(
            std::min<std::uint64_t>(event.a, static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0))));
        const TraceEvent* begin = find(event.parent);
        return put_slice(begin != nullptr ? *begin : event, event.name, now - length, length);
      }
      case TraceVerb::send:
        put_slice(event, event.name, now, 0);
        return count_in_flight(event, bytes_of(event), event.host);
      case TraceVerb::deliver: {
        put_slice(event, event.name, now, 0);
        const TraceEvent* send = find(event.parent);
        if (send == nullptr || send->verb != TraceVerb::send) return;
        put_flow(*send, event);
        return count_in_flight(event, -bytes_of(*send), send->host);
      }
      default:
        return put_instant(event);
    }
  }

  void put_metadata() {
    for (const auto& [host, number] : processes_) {
      put(fmt::format("\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{},\"args\":{{\"name\":{}}}", number,
                      quoted(host.empty() ? "(no host)" : host)));
    }
    for (const auto& [number, task] : threads_) {
      const auto known = task_names_.find(task);
      std::string name = task == 0 ? "kernel" : fmt::format("#{}", task);
      if (known != task_names_.end()) name += " " + known->second;
      put(fmt::format("\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":{}}}", number,
                      task, quoted(name)));
    }
  }

  std::ostream& out_;
  const std::vector<TraceEvent>& events_;
  bool first_ = true;
  std::map<std::string, std::size_t> processes_;
  std::set<std::pair<std::size_t, std::uint64_t>> threads_;
  std::map<std::uint64_t, std::string> task_names_;
  std::map<std::uint64_t, const TraceEvent*> blocked_;  // by task
  std::map<std::string, std::int64_t> in_flight_;       // bytes, by host
};

}  // namespace

void write_perfetto(std::ostream& out, const std::vector<TraceEvent>& events) { PerfettoWriter(out, events).write(); }

}  // namespace polarsim::sim
