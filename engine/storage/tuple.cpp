#include "engine/storage/tuple.h"

#include <algorithm>
#include <utility>

#include "engine/storage/value_codec.h"
#include "engine/types/error.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::size_t xmin_at = 0, xmax_at = 4, cmin_at = 8, cmax_at = 12, ctid_block_at = 16, ctid_item_at = 20,
                      infomask_at = 22, columns_at = 24, header_bytes_at = 26;
constexpr std::size_t tag_bytes = 1;
constexpr std::size_t toast_pointer_bytes = 4 + 2 + 8 + 4;

// The header with its bitmap of NULLs.
constexpr std::size_t header_bytes_of(std::size_t columns) { return tuple_header_size + (columns + 31) / 32 * 4; }

[[noreturn]] void damaged(const char* why) {
  throw SqlError(sqlstate::data_corrupted, "row version is damaged", std::string("The tuple ") + why + ".");
}

bool is_external(std::span<const std::optional<ToastPointer>> external, std::size_t column) {
  return column < external.size() && external[column].has_value();
}

std::size_t value_bytes(const Value& value) { return value.is_null() ? 0 : encoded_size(value); }

char* put_pointer(char* to, const ToastPointer& pointer) {
  *to = static_cast<char>(pointer.encoded ? ValueTag::external_encoded : ValueTag::external_text);
  to += tag_bytes;
  store(to, pointer.first.block);
  store(to + 4, pointer.first.item);
  store(to + 6, pointer.length);
  store(to + 14, pointer.crc);
  return to + toast_pointer_bytes;
}

ToastPointer get_pointer(const char* from) {
  ToastPointer pointer;
  pointer.first = {load<std::uint32_t>(from), load<std::uint16_t>(from + 4)};
  pointer.length = load<std::uint64_t>(from + 6);
  pointer.crc = load<std::uint32_t>(from + 14);
  return pointer;
}

// Takes values off the front of a tuple's data, never beyond its end.
class ValueReader {
 public:
  explicit ValueReader(std::span<const char> rest) : rest_(rest) {}

  // Sets `pointer` instead of the value if that is out of line.
  Value next(std::optional<ToastPointer>& pointer) {
    const ValueTag tag = front();
    if (!is_external(tag)) return take_encoded(rest_, damaged);
    pointer = get_pointer(rest_.data() + tag_bytes);
    pointer->encoded = tag == ValueTag::external_encoded;
    rest_ = rest_.subspan(tag_bytes + toast_pointer_bytes);
    return Value::null();
  }
  void skip() {
    if (is_external(front())) {
      rest_ = rest_.subspan(tag_bytes + toast_pointer_bytes);
    } else {
      skip_encoded(rest_, damaged);
    }
  }
  bool at_end() const { return rest_.empty(); }

 private:
  ValueTag front() const {
    if (rest_.empty()) damaged("ends within a value");
    const auto tag = static_cast<ValueTag>(rest_.front());
    if (tag == ValueTag::null) damaged("has a value of unknown type");
    if (is_external(tag) && rest_.size() < tag_bytes + toast_pointer_bytes) damaged("ends within a value");
    return tag;
  }
  static bool is_external(ValueTag tag) { return tag == ValueTag::external_text || tag == ValueTag::external_encoded; }

  std::span<const char> rest_;
};

}  // namespace

std::size_t tuple_bytes(std::span<const Value> row, std::span<const std::optional<ToastPointer>> external) {
  std::size_t bytes = header_bytes_of(row.size());
  for (std::size_t i = 0; i < row.size(); ++i)
    bytes += is_external(external, i) ? tag_bytes + toast_pointer_bytes : value_bytes(row[i]);
  return bytes;
}

void append_tuple(std::string& to, const TupleHeader& header, std::span<const Value> row,
                  std::span<const std::optional<ToastPointer>> external) {
  const std::size_t start = to.size();
  const std::size_t bytes = tuple_bytes(row, external);
  const std::size_t header_bytes = header_bytes_of(row.size());
  to.resize(start + bytes);
  char* const tuple = to.data() + start;
  write_tuple_header({tuple, bytes}, header);
  store(tuple + columns_at, static_cast<std::uint16_t>(row.size()));
  store(tuple + header_bytes_at, static_cast<std::uint16_t>(header_bytes));
  char* at = tuple + header_bytes;
  bool any_external = false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (is_external(external, i)) {
      at = put_pointer(at, *external[i]);
      any_external = true;
    } else if (row[i].is_null()) {
      tuple[tuple_header_size + i / 8] |= static_cast<char>(1u << (i % 8));
    } else {
      at = put_encoded(at, row[i]);
    }
  }
  if (any_external) store(tuple + infomask_at, static_cast<std::uint16_t>(header.infomask | infomask::has_external));
}

std::string encode_tuple(const TupleHeader& header, std::span<const Value> row,
                         std::span<const std::optional<ToastPointer>> external) {
  std::string tuple;
  append_tuple(tuple, header, row, external);
  return tuple;
}

TupleHeader read_tuple_header(std::span<const char> tuple) {
  if (tuple.size() < tuple_header_size) damaged("is shorter than its header");
  const char* const from = tuple.data();
  TupleHeader header;
  header.xmin = load<std::uint32_t>(from + xmin_at);
  header.xmax = load<std::uint32_t>(from + xmax_at);
  header.cmin = load<std::uint32_t>(from + cmin_at);
  header.cmax = load<std::uint32_t>(from + cmax_at);
  header.ctid = {load<std::uint32_t>(from + ctid_block_at), load<std::uint16_t>(from + ctid_item_at)};
  header.infomask = load<std::uint16_t>(from + infomask_at);
  return header;
}

void write_tuple_header(std::span<char> tuple, const TupleHeader& header) {
  if (tuple.size() < tuple_header_size) damaged("is shorter than its header");
  char* const to = tuple.data();
  store(to + xmin_at, header.xmin);
  store(to + xmax_at, header.xmax);
  store(to + cmin_at, header.cmin);
  store(to + cmax_at, header.cmax);
  store(to + ctid_block_at, header.ctid.block);
  store(to + ctid_item_at, header.ctid.item);
  store(to + infomask_at, header.infomask);
}

Row decode_tuple(std::span<const char> tuple, ExternalColumns& external) {
  Row row;
  decode_tuple(tuple, row, external);
  return row;
}

void decode_tuple(std::span<const char> tuple, Row& row, ExternalColumns& external, const WantedColumns* wanted) {
  external.clear();
  if (tuple.size() < tuple_header_size) damaged("is shorter than its header");
  const std::size_t columns = load<std::uint16_t>(tuple.data() + columns_at);
  const std::size_t header_bytes = load<std::uint16_t>(tuple.data() + header_bytes_at);
  if (header_bytes != header_bytes_of(columns) || header_bytes > tuple.size()) damaged("has a header of wrong length");
  ValueReader reader(tuple.subspan(header_bytes));
  const std::size_t read = wanted == nullptr ? columns : std::min(columns, wanted->size());
  row.clear();
  row.reserve(columns);
  for (std::size_t i = 0; i < read; ++i) {
    const auto nulls = static_cast<unsigned char>(tuple[tuple_header_size + i / 8]);
    if ((nulls >> (i % 8) & 1u) != 0) {
      row.emplace_back();
      continue;
    }
    if (wanted != nullptr && !(*wanted)[i]) {
      reader.skip();
      row.emplace_back();
      continue;
    }
    std::optional<ToastPointer> pointer;
    row.push_back(reader.next(pointer));
    if (pointer) {
      external.resize(columns);
      external[i] = pointer;
    }
  }
  row.resize(columns);
  if (wanted == nullptr && !reader.at_end()) damaged("is longer than its values");
}

}  // namespace polarsim::engine::storage
