#include "sim/trace.h"

#include <fmt/format.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <limits>

#include "sim/assert.h"
#include "sim/digest.h"

namespace polarsim::sim {

static_assert(sizeof(TraceRecord) == 64, "an event fits a cache line");

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
    case TraceKind::timer:
      return "timer";
  }
  return "unknown";
}

const char* to_string(TraceVerb verb) {
  switch (verb) {
    case TraceVerb::note:
      return "note";
    case TraceVerb::spawn:
      return "spawn";
    case TraceVerb::run:
      return "run";
    case TraceVerb::block:
      return "block";
    case TraceVerb::finish:
      return "finish";
    case TraceVerb::fire:
      return "fire";
    case TraceVerb::send:
      return "send";
    case TraceVerb::deliver:
      return "deliver";
    case TraceVerb::begin:
      return "begin";
    case TraceVerb::end:
      return "end";
  }
  return "unknown";
}

std::string describe(const TraceEvent& event) {
  switch (event.verb) {
    case TraceVerb::note:
      return event.text;
    case TraceVerb::spawn:
      return fmt::format("spawn #{} {}", event.a, event.text);
    case TraceVerb::run:
    case TraceVerb::finish:
      return fmt::format("{} #{}", to_string(event.verb), event.task);
    case TraceVerb::block:
      return fmt::format("block #{} {}", event.task, event.name);
    case TraceVerb::fire:
      return fmt::format("fire, set by {}", event.parent);
    case TraceVerb::send:
    case TraceVerb::deliver:
      return fmt::format("{} {} flow {} {} B{}{}", to_string(event.verb), event.name, event.a, event.b,
                         event.text.empty() ? "" : " ", event.text);
    case TraceVerb::begin:
      return fmt::format("{} {} at {} {} B", event.name, event.text, event.a, event.b);
    case TraceVerb::end:
      return fmt::format("{} done in {} ns", event.name, event.a);
  }
  return event.text;
}

namespace {

// What programs log may hold anything; an event is one line.
std::string on_one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

void write_text(std::ostream& out, const std::vector<TraceEvent>& events) {
  for (const TraceEvent& event : events) {
    const std::int64_t total = nanoseconds(event.time);
    out << fmt::format("{}.{:09} {} {} {}\n", total / 1'000'000'000, total % 1'000'000'000, to_string(event.kind),
                       event.host.empty() ? "-" : event.host, on_one_line(describe(event)));
  }
}

struct Trace::NameIds {
  struct Hash {
    std::size_t operator()(std::string_view text) const { return stable_hash(text); }
  };
  boost::unordered_flat_map<std::string_view, TraceName, Hash> ids;  // views into names_
};

Trace::Trace(TraceOptions options) : options_(options), name_ids_(std::make_unique<NameIds>()) {
  names_.emplace_back();
}

Trace::~Trace() = default;
Trace::Trace(Trace&&) noexcept = default;
Trace& Trace::operator=(Trace&&) noexcept = default;

// --- recording ---

TraceName Trace::name(std::string_view text) {
  if (!options_.enabled || text.empty()) return 0;
  const auto found = name_ids_->ids.find(text);
  if (found != name_ids_->ids.end()) return found->second;
  const auto id = static_cast<TraceName>(names_.size());
  names_.emplace_back(text);
  name_ids_->ids.emplace(names_.back(), id);
  return id;
}

TraceId Trace::add(Time time, TraceKind kind, std::string_view host, std::string_view text) {
  if (!options_.enabled) return 0;
  TraceRecord event;
  event.time = time;
  event.kind = kind;
  event.host = name(host);
  return record(event, text);
}

TraceId Trace::record(TraceRecord event, std::string_view text) {
  if (!options_.enabled) return 0;
  if (event.parent == 0) event.parent = context_.cause;
  if (event.task == 0) event.task = context_.task;
  text = text.substr(0, block_text_bytes);
  TraceBlock& block = block_for(text.size());
  event.text_offset = static_cast<std::uint32_t>(block.texts.size());
  event.text_bytes = static_cast<std::uint32_t>(text.size());
  block.texts += text;
  block.records.push_back(event);
  ++kept_;
  if (kept_ > options_.capacity) drop_oldest();
  return next_id_++;
}

TraceBlock& Trace::block_for(std::size_t text_bytes) {
  if (!blocks_.empty()) {
    TraceBlock& last = *blocks_.back();
    if (last.records.size() < block_events && last.texts.size() + text_bytes <= block_text_bytes) return last;
    flush();
  }
  std::unique_ptr<TraceBlock> block = std::move(spare_);
  if (!block) {
    block = std::make_unique<TraceBlock>();
    block->records.reserve(block_events);
  }
  block->first_id = next_id_;
  streamed_ = 0;
  blocks_.push_back(std::move(block));
  return *blocks_.back();
}

void Trace::drop_oldest() {
  --kept_;
  ++dropped_;
  // The last block is being filled and stays, even if nothing in it counts any more.
  while (blocks_.size() > 1 && front_dropped_ == blocks_.front()->records.size()) {
    spare_ = std::move(blocks_.front());
    spare_->records.clear();
    spare_->texts.clear();
    blocks_.pop_front();
    front_dropped_ = 0;
  }
  ++front_dropped_;
}

void Trace::stream_to(TraceSink* sink) {
  flush();
  sink_ = sink;
  streamed_ = blocks_.empty() ? 0 : blocks_.back()->records.size();
}

void Trace::flush() {
  if (blocks_.empty()) return;
  const std::size_t filled = blocks_.back()->records.size();
  if (sink_ != nullptr && streamed_ < filled) sink_->write(names_, *blocks_.back(), streamed_);
  streamed_ = filled;
}

// --- reading ---

std::vector<TraceEvent> Trace::events() const {
  std::vector<TraceEvent> events;
  events.reserve(kept_);
  std::size_t skip = front_dropped_;
  for (const auto& block : blocks_) {
    for (std::size_t i = skip; i < block->records.size(); ++i) {
      const TraceRecord& record = block->records[i];
      TraceEvent event;
      event.time = record.time;
      event.kind = record.kind;
      event.host = names_[record.host];
      event.text = block->texts.substr(record.text_offset, record.text_bytes);
      event.verb = record.verb;
      event.name = names_[record.name];
      event.id = block->first_id + i;
      event.parent = record.parent;
      event.task = record.task;
      event.a = record.a;
      event.b = record.b;
      events.push_back(std::move(event));
    }
    skip = 0;
  }
  return events;
}

void Trace::copy_to(TraceSink& sink) const {
  std::size_t skip = front_dropped_;
  for (const auto& block : blocks_) {
    if (skip < block->records.size()) sink.write(names_, *block, skip);
    skip = 0;
  }
}

void Trace::write_text(std::ostream& out) const { sim::write_text(out, events()); }

}  // namespace polarsim::sim
