#include "engine/txn/toast.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/storage/crc32c.h"
#include "engine/storage/value_codec.h"
#include "engine/txn/row_locks.h"
#include "engine/types/error.h"

namespace polarsim::engine::txn {

namespace {

using storage::ExternalColumns;
using storage::ToastPointer;

// Four chunks fill a page: what a quarter of it leaves beside line pointer, tuple header and the other columns.
constexpr std::size_t chunk_bytes = 1980;
// A pointer would be no shorter.
constexpr std::size_t shortest_moved = 32;

// A chunk's columns.
constexpr std::size_t bytes_after = 0, next_chunk = 1, chunk_text = 2, chunk_columns = 3;

Value to_value(Tid tid) { return Value::integer(static_cast<std::int64_t>(std::uint64_t{tid.block} << 16 | tid.item)); }

Tid to_tid(std::int64_t value) {
  return {static_cast<storage::BlockNumber>(value >> 16), static_cast<std::uint16_t>(value & 0xFFFF)};
}

struct Chunk {
  std::uint64_t after = 0;
  Tid next;
  std::string text;
};

// Empty if the tuple is no chunk.
std::optional<Chunk> to_chunk(std::span<const char> tuple) {
  ExternalColumns external;
  const Row row = storage::decode_tuple(tuple, external);
  if (row.size() != chunk_columns || !external.empty() || !row[bytes_after].is_integer() || !row[chunk_text].is_text())
    return std::nullopt;
  Chunk chunk;
  chunk.after = static_cast<std::uint64_t>(row[bytes_after].as_integer());
  if (row[next_chunk].is_integer()) chunk.next = to_tid(row[next_chunk].as_integer());
  chunk.text = row[chunk_text].as_text();
  return chunk;
}

// How long the value would be out of line; 0 if it has to stay in the row.
std::size_t bytes_out_of_line(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::short_text:
    case Value::Kind::long_text:
      return value.as_text().size();
    case Value::Kind::numeric:
    case Value::Kind::json:
    case Value::Kind::array:
    case Value::Kind::record:
      return storage::encoded_size(value);
    default:
      return 0;
  }
}

[[noreturn]] void damaged(const char* why) {
  throw SqlError(sqlstate::data_corrupted, "long value is damaged", std::string("It ") + why + ".");
}

Value to_value(const ToastPointer& pointer, const std::string& bytes) {
  if (!pointer.encoded) return Value::text(bytes);
  std::span<const char> rest(bytes);
  return storage::take_encoded(rest, damaged);
}

// The column of the longest value that still lies in the row; its number of columns if none is worth moving.
std::size_t longest_inline(const Row& row, const ExternalColumns& external) {
  std::size_t longest = row.size(), length = shortest_moved;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (external[i]) continue;
    const std::size_t bytes = bytes_out_of_line(row[i]);
    if (bytes <= length) continue;
    longest = i;
    length = bytes;
  }
  return longest;
}

}  // namespace

ExternalColumns Toast::store(Transaction& transaction, const Row& row, const ExternalColumns& old) {
  if (storage::tuple_bytes(row) <= tuple_bytes_target) return {};
  ExternalColumns external(row.size());
  for (std::size_t i = 0; i < std::min(row.size(), old.size()); ++i)
    if (old[i] && holds(*old[i], row[i])) external[i] = old[i];
  while (relation_ != 0 && storage::tuple_bytes(row, external) > tuple_bytes_target) {
    const std::size_t column = longest_inline(row, external);
    if (column == row.size()) break;
    const bool encoded = !row[column].is_text();
    const std::string bytes = encoded ? storage::encode_value(row[column]) : std::string();
    external[column] = write(transaction, encoded ? std::string_view(bytes) : row[column].as_text());
    external[column]->encoded = encoded;
  }
  if (const std::size_t bytes = storage::tuple_bytes(row, external); bytes > storage::tuple_bytes_max)
    throw SqlError(sqlstate::program_limit_exceeded, "row is too big: size " + std::to_string(bytes) +
                                                         ", maximum size " + std::to_string(storage::tuple_bytes_max));
  if (std::none_of(external.begin(), external.end(), [](const auto& pointer) { return pointer.has_value(); }))
    external.clear();
  return external;
}

ToastPointer Toast::write(Transaction& transaction, std::string_view text) {
  storage::TupleHeader header;
  header.xmin = transaction.level().xid;
  header.cmin = transaction.command;
  ToastPointer pointer;
  pointer.length = text.size();
  pointer.crc = storage::crc32c(text);
  Row chunk(chunk_columns);
  const std::size_t chunks = (text.size() + chunk_bytes - 1) / chunk_bytes;
  for (std::size_t i = chunks; i-- > 0;) {
    transaction.backend->check_interrupts();
    const std::size_t start = i * chunk_bytes;
    const std::size_t length = std::min(chunk_bytes, text.size() - start);
    chunk[bytes_after] = Value::integer(static_cast<std::int64_t>(text.size() - start - length));
    chunk[next_chunk] = pointer.first ? to_value(pointer.first) : Value::null();
    chunk[chunk_text] = Value::text(text.substr(start, length));
    TupleRecord record(false, chunk, {});
    pointer.first = heap_.place(relation_, record, header);
  }
  return pointer;
}

std::optional<std::string> Toast::read(const ToastPointer& pointer, std::string& reason) {
  std::string text;
  Tid at = pointer.first;
  while (at) {
    const Heap::Version version = heap_.look(relation_, at);
    std::optional<Chunk> chunk;
    if (version) chunk = to_chunk(version.tuple);
    if (!chunk || text.size() + chunk->text.size() + chunk->after != pointer.length || chunk->text.empty()) {
      reason = "The chunk at (" + std::to_string(at.block) + "," + std::to_string(at.item) + ") is missing.";
      return std::nullopt;
    }
    text += chunk->text;
    at = chunk->next;
  }
  if (text.size() == pointer.length && storage::crc32c(text) == pointer.crc) return text;
  reason = "Its checksum is wrong.";
  return std::nullopt;
}

bool Toast::holds(const ToastPointer& pointer, const Value& value) {
  if (value.is_null() || value.is_text() == pointer.encoded) return false;
  const std::string encoded = pointer.encoded ? storage::encode_value(value) : std::string();
  const std::string_view bytes = pointer.encoded ? encoded : value.as_text();
  if (bytes.size() != pointer.length || storage::crc32c(bytes) != pointer.crc) return false;
  std::string reason;
  return read(pointer, reason) == bytes;
}

void Toast::fetch(Row& row, const ExternalColumns& external) {
  for (std::size_t i = 0; i < external.size(); ++i) {
    if (!external[i]) continue;
    std::string reason;
    std::optional<std::string> text = read(*external[i], reason);
    if (!text)
      throw SqlError(sqlstate::data_corrupted, "long value in relation " + std::to_string(relation_) + " is damaged",
                     reason);
    row[i] = to_value(*external[i], *text);
  }
}

bool Toast::try_fetch(Row& row, const ExternalColumns& external) {
  for (std::size_t i = 0; i < external.size(); ++i) {
    if (!external[i]) continue;
    std::string reason;
    std::optional<std::string> text = read(*external[i], reason);
    if (!text) return false;
    row[i] = to_value(*external[i], *text);
  }
  return true;
}

void Toast::remove(Transaction& transaction, const ExternalColumns& external, const ExternalColumns& kept) {
  for (std::size_t i = 0; i < external.size(); ++i) {
    if (!external[i] || (i < kept.size() && kept[i] == external[i])) continue;
    Tid at = external[i]->first;
    while (at) {
      transaction.backend->check_interrupts();
      const Heap::Version version = heap_.look(relation_, at);
      const std::optional<Chunk> chunk = version ? to_chunk(version.tuple) : std::nullopt;
      if (!chunk) break;  // whoever reads it will hear of the damage
      storage::TupleHeader header = version.header;
      // Nobody but who ends the row ends its chunks, so what may be here is an end that was rolled back.
      clear_xmax(header);
      add_holder(heap_.transactions_, header, transaction.level().xid, syntax::LockStrength::update, true);
      header.cmax = transaction.command;
      change_header(heap_.transactions_.log(), heap_record::remove, version.ref, at.item, header);
      at = chunk->next;
    }
  }
}

}  // namespace polarsim::engine::txn
