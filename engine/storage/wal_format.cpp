#include "engine/storage/wal_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "engine/storage/bytes.h"
#include "engine/storage/crc32c.h"
#include "engine/storage/little_endian.h"

namespace polarsim::engine::storage {

namespace {

constexpr std::string_view path_prefix = "wal/";
constexpr std::size_t number_digits = 8;

constexpr std::size_t crc_at = 0, length_at = 4, lsn_at = 8, durable_lsn_at = 16, previous_crc_at = 24, epoch_at = 28,
                      kind_at = 32;

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

void encode(std::string& to, WalRecordHeader& header, std::string_view payload) {
  header.payload_length = static_cast<std::uint32_t>(payload.size());
  const std::size_t begin = to.size();
  const std::uint64_t total = header.total_bytes();
  // Grows as push_back does: reserving just what is needed would copy the buffer for every record.
  if (to.capacity() < begin + total) to.reserve(std::max(begin + total, 2 * to.capacity()));
  to.resize(begin + wal_record_header_bytes, '\0');
  char* const fields = to.data() + begin;
  store(fields + length_at, header.payload_length);
  store(fields + lsn_at, header.lsn);
  store(fields + durable_lsn_at, header.durable_lsn);
  store(fields + previous_crc_at, header.previous_crc);
  store(fields + epoch_at, header.epoch);
  store(fields + kind_at, header.kind);
  to.append(payload);
  to.resize(begin + total, '\0');
  header.crc = crc32c(std::string_view(to).substr(begin + sizeof header.crc));
  store(to.data() + begin + crc_at, header.crc);
}

std::optional<WalRecordHeader> decode_record(std::string_view bytes, Lsn lsn) {
  if (bytes.size() < wal_record_header_bytes) return std::nullopt;
  const char* const fields = bytes.data();
  WalRecordHeader header;
  header.lsn = load<std::uint64_t>(fields + lsn_at);
  if (header.lsn != lsn) return std::nullopt;
  header.crc = load<std::uint32_t>(fields + crc_at);
  header.payload_length = load<std::uint32_t>(fields + length_at);
  header.durable_lsn = load<std::uint64_t>(fields + durable_lsn_at);
  header.previous_crc = load<std::uint32_t>(fields + previous_crc_at);
  header.epoch = load<std::uint32_t>(fields + epoch_at);
  header.kind = load<std::uint8_t>(fields + kind_at);
  if (header.total_bytes() > bytes.size()) return std::nullopt;
  if (header.crc != crc32c(bytes.substr(sizeof header.crc, header.total_bytes() - sizeof header.crc)))
    return std::nullopt;
  return header;
}

std::optional<WalFlippedBit> find_flipped_bit(std::string_view bytes, Lsn lsn, std::uint32_t previous_crc) {
  if (bytes.size() < wal_record_header_bytes) return std::nullopt;
  WalRecordHeader found;
  found.crc = load<std::uint32_t>(bytes.data());
  found.payload_length = load<std::uint32_t>(bytes.data() + length_at);
  const auto as_if_flipped = [&](std::uint64_t bit, std::uint64_t total) -> std::optional<WalFlippedBit> {
    std::string repaired(bytes.substr(0, total));
    repaired[bit / 8] = static_cast<char>(static_cast<unsigned char>(repaired[bit / 8]) ^ (1U << (bit % 8)));
    const auto header = decode_record(repaired, lsn);
    if (!header || header->previous_crc != previous_crc) return std::nullopt;
    return WalFlippedBit{bit, *header};
  };
  if (const std::uint64_t total = found.total_bytes(); total <= bytes.size()) {
    const std::string_view covered = bytes.substr(sizeof found.crc, total - sizeof found.crc);
    const std::uint32_t difference = found.crc ^ crc32c(covered);
    if (std::has_single_bit(difference)) {
      if (auto flipped = as_if_flipped(static_cast<std::uint64_t>(std::countr_zero(difference)), total)) return flipped;
    }
    if (const auto bit = crc32c_flipped_bit(covered.size(), difference)) {
      if (auto flipped = as_if_flipped(8 * sizeof found.crc + *bit, total)) return flipped;
    }
  }
  // A flip in the length changes what the checksum is computed of.
  if (load<Lsn>(bytes.data() + lsn_at) != lsn) return std::nullopt;
  if (load<std::uint32_t>(bytes.data() + previous_crc_at) != previous_crc) return std::nullopt;
  for (std::uint64_t bit = 0; bit < 8 * sizeof found.payload_length; ++bit) {
    WalRecordHeader other;
    other.payload_length = found.payload_length ^ 1U << bit;
    if (other.total_bytes() > bytes.size()) continue;
    if (auto flipped = as_if_flipped(8 * length_at + bit, other.total_bytes())) return flipped;
  }
  return std::nullopt;
}

}  // namespace polarsim::engine::storage
