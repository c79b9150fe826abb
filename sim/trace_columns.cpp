#include "sim/trace_columns.h"

#include <array>
#include <limits>
#include <utility>

#include "sim/assert.h"

namespace polarsim::sim {
namespace {

enum Column : std::size_t { new_names, times, types, hosts, names, parents, tasks, a, b, sizes, texts, column_count };

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Differences wrap around, so that any two numbers have one.
void put_difference(std::string& out, std::uint64_t value, std::uint64_t before) {
  const std::uint64_t difference = value - before;
  put_varint(out, (difference << 1) ^ (0 - (difference >> 63)));
}

// Takes values off the front; once it has failed, everything is zero and bad() stays true.
class Source {
 public:
  Source() = default;
  explicit Source(std::string_view bytes) : bytes_(bytes) {}
  bool bad() const { return bad_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    bad_ = true;
    return 0;
  }
  std::uint64_t difference(std::uint64_t before) {
    const std::uint64_t coded = varint();
    return before + ((coded >> 1) ^ (0 - (coded & 1)));
  }
  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one.front());
  }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size()) {
      bad_ = true;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view bytes_;
  bool bad_ = false;
};

// The last a and b of each type of event.
struct LastNumbers {
  std::array<std::array<std::uint64_t, 2>, 256> of_type{};
};

}  // namespace

void encode_block(const std::deque<std::string>& all_names, std::size_t first_name, const TraceBlock& block,
                  std::size_t begin, std::string& plain) {
  static_assert(trace_kinds <= 16 && trace_verbs <= 16, "a type is one byte");
  std::array<std::string, column_count> columns;
  for (std::size_t i = first_name; i < all_names.size(); ++i) {
    put_varint(columns[new_names], all_names[i].size());
    columns[new_names] += all_names[i];
  }
  LastNumbers last;
  std::uint64_t last_time = 0, last_task = 0;
  for (std::size_t i = begin; i < block.records.size(); ++i) {
    const TraceRecord& event = block.records[i];
    const TraceId id = block.first_id + i;
    POLARSIM_ASSERT(event.parent < id, "an event was caused by a later one");
    const auto time = static_cast<std::uint64_t>(nanoseconds(event.time));
    put_difference(columns[times], time, std::exchange(last_time, time));
    const auto type =
        static_cast<std::uint8_t>(static_cast<unsigned>(event.kind) | (static_cast<unsigned>(event.verb) << 4));
    columns[types].push_back(static_cast<char>(type));
    put_varint(columns[hosts], event.host);
    put_varint(columns[names], event.name);
    put_varint(columns[parents], event.parent == 0 ? 0 : id - event.parent);
    put_difference(columns[tasks], event.task, std::exchange(last_task, event.task));
    put_difference(columns[a], event.a, std::exchange(last.of_type[type][0], event.a));
    put_difference(columns[b], event.b, std::exchange(last.of_type[type][1], event.b));
    put_varint(columns[sizes], event.text_bytes);
    columns[texts].append(block.texts, event.text_offset, event.text_bytes);
  }
  plain.clear();
  put_varint(plain, block.first_id + begin);
  for (const std::string& column : columns) {
    put_varint(plain, column.size());
    plain += column;
  }
}

namespace {

// Null, or what is wrong.
const char* decode_events(std::array<Source, column_count>& columns, std::size_t count, TraceId first_id,
                          const std::vector<std::string>& all_names, std::vector<TraceEvent>& events) {
  LastNumbers last;
  std::uint64_t last_time = 0, last_task = 0;
  for (std::size_t i = 0; i < count; ++i) {
    TraceEvent event;
    event.id = first_id + i;
    last_time = columns[times].difference(last_time);
    event.time = Time(Duration(static_cast<std::int64_t>(last_time)));
    const std::uint8_t type = columns[types].byte();
    if ((type & 15) >= trace_kinds || (type >> 4) >= trace_verbs) return "an event of an unknown type";
    event.kind = static_cast<TraceKind>(type & 15);
    event.verb = static_cast<TraceVerb>(type >> 4);
    const std::uint64_t host = columns[hosts].varint();
    const std::uint64_t name = columns[names].varint();
    if (host >= all_names.size() || name >= all_names.size()) return "a name that is not in the table";
    event.host = all_names[host];
    event.name = all_names[name];
    const std::uint64_t distance = columns[parents].varint();
    if (distance >= event.id) return "an event without its parent";
    event.parent = distance == 0 ? 0 : event.id - distance;
    last_task = columns[tasks].difference(last_task);
    event.task = last_task;
    event.a = last.of_type[type][0] = columns[a].difference(last.of_type[type][0]);
    event.b = last.of_type[type][1] = columns[b].difference(last.of_type[type][1]);
    event.text = columns[texts].take(columns[sizes].varint());
    events.push_back(std::move(event));
  }
  return nullptr;
}

}  // namespace

const char* decode_block(std::string_view plain, std::size_t count, TraceId lowest_id,
                         std::vector<std::string>& all_names, std::vector<TraceEvent>& events) {
  Source source(plain);
  const TraceId first_id = source.varint();
  std::array<Source, column_count> columns;
  for (Source& column : columns) column = Source(source.take(source.varint()));
  if (source.bad() || !source.empty()) return "columns that do not fit the block";
  if (first_id < lowest_id || first_id > std::numeric_limits<TraceId>::max() / 2) return "events out of order";
  // Every event has a byte of type, which bounds what the count can make us reserve.
  if (columns[types].size() != count) return "a number of events that is not that of the block";
  const std::size_t names_before = all_names.size();
  const std::size_t events_before = events.size();
  while (!columns[new_names].empty() && !columns[new_names].bad()) {
    all_names.emplace_back(columns[new_names].take(columns[new_names].varint()));
  }
  events.reserve(events_before + count);
  const char* problem = decode_events(columns, count, first_id, all_names, events);
  for (const Source& column : columns) {
    if (problem == nullptr && (column.bad() || !column.empty())) problem = "a column of the wrong length";
  }
  if (problem != nullptr) {
    all_names.resize(names_before);
    events.resize(events_before);
  }
  return problem;
}

}  // namespace polarsim::sim
