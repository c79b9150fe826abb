// A row version on a heap page: a header with who made it, who ended or locks it and where the next version is, then
// the values (PostgreSQL's HeapTupleHeader, src/include/access/htup_details.h).
//
//     0  u32 xmin      the transaction (or subtransaction) that inserted it; invalid_xid: killed (super-deleted)
//     4  u32 xmax      deleted, updated or locked it; 0: nobody; with xmax_is_multi a MultiXactId
//     8  u32 cmin     12  u32 cmax    commands of these transactions (no combo ids: both have room)
//    16  u32, 20 u16  ctid: itself, or the version that replaced it
//    22  u16 infomask 24  u16 number of columns 26  u16 bytes of the header, bitmap included
//    28  a bit per column, set for NULLs, padded to 4 bytes; then the values that are not NULL:
//        u8 tag, bytes: value_codec.h; 5 a text stored out of line, 12 another value (ToastPointer)
//
// Values describe themselves: a page can be read without the catalog.
//
// There are no hint bits: what became of a transaction is asked of the commit log every time. Only freezing leaves a
// mark (xmin_frozen), and says so in the WAL.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/storage/page.h"
#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine::storage {

namespace infomask {
inline constexpr std::uint16_t xmin_frozen = 0x0001;  // older than everybody; xmin is kept for people
inline constexpr std::uint16_t xmax_is_multi = 0x0002;
inline constexpr std::uint16_t xmax_lock_only = 0x0004;  // xmax locks, but did not update or delete
inline constexpr std::uint16_t lock_key_share = 0x0008;  // strength of xmax's lock, unless it is a multixact
inline constexpr std::uint16_t lock_share = 0x0010;
inline constexpr std::uint16_t lock_no_key_update = 0x0020;
inline constexpr std::uint16_t lock_update = 0x0040;
inline constexpr std::uint16_t keys_updated = 0x0080;  // xmax deleted it or changed its key
inline constexpr std::uint16_t has_external = 0x0100;  // some value is out of line
inline constexpr std::uint16_t speculative = 0x0200;   // an INSERT ... ON CONFLICT that has not been confirmed
inline constexpr std::uint16_t updated = 0x0400;       // made by an update
}  // namespace infomask

struct TupleHeader {
  Xid xmin = invalid_xid;
  Xid xmax = invalid_xid;
  CommandId cmin = 0;
  CommandId cmax = 0;
  Tid ctid;
  std::uint16_t infomask = 0;
  bool has(std::uint16_t bits) const { return (infomask & bits) != 0; }
  friend bool operator==(const TupleHeader&, const TupleHeader&) = default;
};

// A text, or the bytes of another value (value_codec.h), in the table's toast relation: chunks linked by Tid
// (txn/toast.h).
struct ToastPointer {
  Tid first;
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
  bool encoded = false;  // another value than a text
  friend bool operator==(const ToastPointer&, const ToastPointer&) = default;
};

inline constexpr std::size_t tuple_header_size = 28;
// The longest tuple a page holds.
inline constexpr std::size_t tuple_bytes_max = page_size - page_header_size - line_pointer_size;

// `external[i]`, where set, takes the place of the value in column i.
using ExternalColumns = std::vector<std::optional<ToastPointer>>;

// Which of a row's columns, by position, a reader asks for; columns beyond its end are not asked for. Null: all of
// them.
using WantedColumns = std::vector<bool>;

// How long the tuple would be.
std::size_t tuple_bytes(std::span<const Value> row, std::span<const std::optional<ToastPointer>> external = {});
std::string encode_tuple(const TupleHeader& header, std::span<const Value> row,
                         std::span<const std::optional<ToastPointer>> external = {});
// The same, at the end of `to`.
void append_tuple(std::string& to, const TupleHeader& header, std::span<const Value> row,
                  std::span<const std::optional<ToastPointer>> external = {});
// Both throw SqlError XX001 if the bytes are too short to be a tuple.
TupleHeader read_tuple_header(std::span<const char> tuple);
void write_tuple_header(std::span<char> tuple, const TupleHeader& header);
// Throws SqlError XX001 if the bytes are no tuple. Columns stored out of line are NULL in the row and set in
// `external`, which is empty if there are none.
Row decode_tuple(std::span<const char> tuple, ExternalColumns& external);
// The same, in place of what `row` held. Columns that are not wanted are NULL, whatever they hold (as a slot that
// PostgreSQL deforms only as far as needed); what lies behind the last one that is wanted is not even looked at.
void decode_tuple(std::span<const char> tuple, Row& row, ExternalColumns& external,
                  const WantedColumns* wanted = nullptr);

}  // namespace polarsim::engine::storage
