#include "engine/storage/wal_format.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/storage/bytes.h"
#include "engine/storage/crc32c.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::string_view path_prefix = "wal/";
constexpr std::size_t number_digits = 8;

}  // namespace

std::uint64_t WalRecordHeader::total_bytes() const {
  const std::uint64_t unpadded = wal_record_header_bytes + payload_length;
  return (unpadded + wal_alignment - 1) / wal_alignment * wal_alignment;
}

std::string wal_segment_path(std::uint64_t number) { return fmt::format("{}{:08}", path_prefix, number); }

std::optional<std::uint64_t> wal_segment_number(std::string_view path) {
  if (!path.starts_with(path_prefix)) return std::nullopt;
  path.remove_prefix(path_prefix.size());
  if (path.size() < number_digits) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
  if (error != std::errc() || end != path.data() + path.size() || number == 0) return std::nullopt;
  return number;
}

std::string encode(const WalSegmentHeader& header) {
  ByteWriter body;
  body.number(header.number)
      .number(header.first_lsn)
      .number(header.previous_crc)
      .number(header.epoch)
      .number(std::uint64_t{0});
  ByteWriter whole;
  whole.number(wal_magic).number(wal_format_version).number(crc32c(body.bytes()));
  return whole.bytes() + body.bytes();
}

std::optional<WalSegmentHeader> decode_segment_header(std::string_view file) {
  if (file.size() < wal_segment_header_bytes) return std::nullopt;
  ByteReader reader(file.substr(0, wal_segment_header_bytes));
  if (reader.number<std::uint64_t>() != wal_magic) return std::nullopt;
  if (reader.number<std::uint32_t>() != wal_format_version) return std::nullopt;
  const auto crc = reader.number<std::uint32_t>();
  if (crc != crc32c(file.substr(16, wal_segment_header_bytes - 16))) return std::nullopt;
  WalSegmentHeader header;
  header.number = reader.number<std::uint64_t>();
  header.first_lsn = reader.number<std::uint64_t>();
  header.previous_crc = reader.number<std::uint32_t>();
  header.epoch = reader.number<std::uint32_t>();
  return header;
}

std::string encode(WalRecordHeader& header, std::string_view payload) {
  header.payload_length = static_cast<std::uint32_t>(payload.size());
  ByteWriter fields;
  fields.number(header.payload_length).number(header.lsn).number(header.durable_lsn).number(header.previous_crc);
  fields.number(header.epoch).number(header.kind);
  std::string record(sizeof header.crc, '\0');
  record.reserve(header.total_bytes());
  record += fields.bytes();
  record.resize(wal_record_header_bytes, '\0');
  record += payload;
  record.resize(header.total_bytes(), '\0');
  header.crc = crc32c(std::string_view(record).substr(sizeof header.crc));
  record.replace(0, sizeof header.crc, ByteWriter().number(header.crc).bytes());
  return record;
}

std::optional<WalRecordHeader> decode_record(std::string_view bytes, Lsn lsn) {
  if (bytes.size() < wal_record_header_bytes) return std::nullopt;
  ByteReader reader(bytes.substr(0, wal_record_header_bytes));
  WalRecordHeader header;
  header.crc = reader.number<std::uint32_t>();
  header.payload_length = reader.number<std::uint32_t>();
  header.lsn = reader.number<std::uint64_t>();
  header.durable_lsn = reader.number<std::uint64_t>();
  header.previous_crc = reader.number<std::uint32_t>();
  header.epoch = reader.number<std::uint32_t>();
  header.kind = reader.number<std::uint8_t>();
  if (header.lsn != lsn || header.total_bytes() > bytes.size()) return std::nullopt;
  if (header.crc != crc32c(bytes.substr(sizeof header.crc, header.total_bytes() - sizeof header.crc)))
    return std::nullopt;
  return header;
}

}  // namespace polarsim::engine::storage
