// The trace: what happened and why, for people and tools. It never influences a run and is not part of the digest.
//
// An event has a time, a kind, a host, the task that it happened in (0: none, the machine itself), and a parent: the
// event that caused it. The parent of
//
//   task spawn      is what the spawner was doing
//   task run        is the event that made the task runnable: its spawn, a delivery, a timer, what its waker was doing
//   task block, finish, and whatever else a task does   is the `run` that it happened in
//   timer fire      is where the timer was set; for the deadline of a wait, the `block`
//   message deliver is its `send`, and what a delivery wakes descends from it
//   io end          is its `begin`
//
// so that following parents from any event leads back to the start of the run (parent 0).
//
// Off, which is the default, an event costs one branch; callers build no text. On, it costs a fixed record: names are
// interned once, free text is copied into an arena. Events are kept in memory up to a bound; past it the oldest are
// dropped and counted. With a sink (trace_file.h) every event also goes there before it is dropped, so that a run of
// any length can be traced to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/time.h"

namespace polarsim::sim {

// Numbers are part of trace files: append, never renumber.
enum class TraceKind : std::uint8_t { message, io, task, host, fault, probe, log, timer };
const char* to_string(TraceKind kind);

// What the fields of an event hold:
//   note                                     text
//   spawn   a: id of the new task            text: its name
//   run, finish                              (task)
//   block   name: what it waits for
//   fire                                     a timer
//   send, deliver   name: link and segment   a: flow, b: bytes      text: what is wrong with it
//   begin   name: operation                  a: offset, b: bytes, text: path
//   end     name: operation                  a: nanoseconds it took
// Numbers are part of trace files: append, never renumber.
enum class TraceVerb : std::uint8_t { note, spawn, run, block, finish, fire, send, deliver, begin, end };
const char* to_string(TraceVerb verb);
inline constexpr std::uint8_t trace_kinds = 8;
inline constexpr std::uint8_t trace_verbs = 10;

// Events are numbered from 1 in the order in which they happened; 0 is none.
using TraceId = std::uint64_t;
// An interned string; 0 is the empty one.
using TraceName = std::uint32_t;

// An event as it is kept.
struct TraceRecord {
  Time time;
  TraceId parent = 0;
  std::uint64_t task = 0;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  TraceName host = 0;
  TraceName name = 0;
  std::uint32_t text_offset = 0;  // in the block's texts
  std::uint32_t text_bytes = 0;
  TraceKind kind = TraceKind::log;
  TraceVerb verb = TraceVerb::note;
};

struct TraceBlock {
  TraceId first_id = 1;
  std::vector<TraceRecord> records;
  std::string texts;
};

// An event as it is read.
struct TraceEvent {
  Time time;
  TraceKind kind;
  std::string host;
  std::string text;
  TraceVerb verb = TraceVerb::note;
  std::string name{};
  TraceId id = 0;
  TraceId parent = 0;
  std::uint64_t task = 0;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  friend bool operator==(const TraceEvent&, const TraceEvent&) = default;
};

// The event for people, without its time, kind and host.
std::string describe(const TraceEvent& event);
// One line an event: seconds with nine decimals, kind, host ("-" for none), description with control characters as
// blanks.
void write_text(std::ostream& out, const std::vector<TraceEvent>& events);

struct TraceOptions {
  bool enabled = false;
  std::size_t capacity = 200'000;  // events
};

// Takes events in order, a block or a part of one at a time.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // `names` by TraceName; it only ever grows. The records are those from number `begin` of the block on.
  virtual void write(const std::deque<std::string>& names, const TraceBlock& block, std::size_t begin) = 0;
};

class Trace {
 public:
  static constexpr std::size_t block_events = 4096;
  static constexpr std::size_t block_text_bytes = 1024 * 1024;

  explicit Trace(TraceOptions options);
  ~Trace();
  Trace(Trace&&) noexcept;
  Trace& operator=(Trace&&) noexcept;
  bool enabled() const { return options_.enabled; }

  // --- recording; all of it without effect when the trace is off ---
  // A note. `host` may be empty.
  TraceId add(Time time, TraceKind kind, std::string_view host, std::string_view text);
  // An event in the present context: `parent` and `task` of the record are filled in unless they are set.
  TraceId record(TraceRecord event, std::string_view text = {});
  TraceName name(std::string_view text);
  // What is being done: what new events descend from, and the task that does it. Kept by the scheduler.
  struct Context {
    TraceId cause = 0;
    std::uint64_t task = 0;
  };
  const Context& context() const { return context_; }
  void set_context(const Context& context) { context_ = context; }
  // What follows, until the context changes, is an effect of this event.
  void set_cause(TraceId cause) { context_.cause = cause; }
  // Every event from now on goes to `sink` too; null ends that. The sink must outlive this.
  void stream_to(TraceSink* sink);
  // Hands the sink what it has not seen yet.
  void flush();

  // --- reading ---
  // What is still in memory, oldest first.
  std::vector<TraceEvent> events() const;
  std::size_t size() const { return kept_; }
  std::uint64_t dropped() const { return dropped_; }
  // Gives all that is in memory to `sink`.
  void copy_to(TraceSink& sink) const;
  void write_text(std::ostream& out) const;

 private:
  TraceBlock& block_for(std::size_t text_bytes);
  void drop_oldest();

  TraceOptions options_;
  Context context_;
  TraceId next_id_ = 1;
  std::deque<std::unique_ptr<TraceBlock>> blocks_;
  std::unique_ptr<TraceBlock> spare_;
  std::size_t front_dropped_ = 0;  // records of the first block that no longer count
  std::size_t kept_ = 0;
  std::uint64_t dropped_ = 0;
  TraceSink* sink_ = nullptr;
  std::size_t streamed_ = 0;  // records of the last block that the sink has seen
  std::deque<std::string> names_;
  struct NameIds;
  std::unique_ptr<NameIds> name_ids_;
};

}  // namespace polarsim::sim
