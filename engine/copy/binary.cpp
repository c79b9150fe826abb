#include "engine/copy/binary.h"

#include <fmt/format.h>

namespace polarsim::engine::copy {

namespace {

constexpr std::string_view signature("PGCOPY\n\xff\r\n\0", 11);
constexpr std::size_t header_bytes = signature.size() + 8;
constexpr std::uint32_t with_oids = 1U << 16;
constexpr std::uint32_t critical_flags = 0xFFFF0000U;

void put(std::string& to, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) to.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}

[[noreturn]] void fail_header(const char* message) { throw SqlError(bad_copy_file_format, message); }

}  // namespace

// --- reading ---

void BinaryReader::feed(std::string_view bytes) {
  const std::size_t consumed = in_row_ ? row_ : next_row_;
  buffer_.erase(0, consumed);
  row_ -= std::min(row_, consumed);
  next_row_ -= std::min(next_row_, consumed);
  buffer_.append(bytes);
}

std::uint32_t BinaryReader::integer(std::size_t position, std::size_t bytes) const {
  std::uint32_t value = 0;
  for (const char c : std::string_view(buffer_).substr(position, bytes))
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// False if it is not complete yet.
bool BinaryReader::read_header() {
  const std::string_view bytes = buffer_;
  if (bytes.size() < signature.size() ? finished_ : !bytes.starts_with(signature))
    fail_header("COPY file signature not recognized");
  if (bytes.size() < header_bytes) {
    if (!finished_) return false;
    fail_header(bytes.size() < header_bytes - 4 ? "invalid COPY file header (missing flags)"
                                                : "invalid COPY file header (missing length)");
  }
  const std::uint32_t flags = integer(signature.size(), 4);
  if ((flags & with_oids) != 0) fail_header("invalid COPY file header (WITH OIDS)");
  if ((flags & critical_flags) != 0) fail_header("unrecognized critical flags in COPY file header");
  const auto extension = static_cast<std::int32_t>(integer(signature.size() + 4, 4));
  if (extension < 0) fail_header("invalid COPY file header (missing length)");
  if (!has(header_bytes, static_cast<std::size_t>(extension))) {
    if (!finished_) return false;
    fail_header("invalid COPY file header (wrong length)");
  }
  next_row_ = header_bytes + static_cast<std::size_t>(extension);
  header_due_ = false;
  return true;
}

RowReader::Outcome BinaryReader::next() {
  if (ended_) return Outcome::end;
  if (header_due_ && !read_header()) return Outcome::hungry;
  if (!in_row_) {
    in_row_ = true;
    row_ = next_row_;
    ++line_;
  }
  if (!has(row_, 2)) {
    ended_ = finished_;
    return ended_ ? Outcome::end : Outcome::hungry;
  }
  const auto count = static_cast<std::int16_t>(integer(row_, 2));
  if (count == -1) return read_end();
  if (count < 0 || static_cast<std::size_t>(count) != columns_.size())
    fail(fmt::format("row field count is {}, expected {}", count, columns_.size()));
  if (!read_fields()) return Outcome::hungry;
  in_row_ = false;
  return Outcome::row;
}

// Behind the trailer nothing may come.
RowReader::Outcome BinaryReader::read_end() {
  if (has(row_, 3)) fail("received copy data after EOF marker");
  ended_ = finished_;
  return ended_ ? Outcome::end : Outcome::hungry;
}

// False if more bytes may complete them. What ends before it should has fewer fields.
bool BinaryReader::read_fields() {
  fields_.clear();
  std::size_t at = row_ + 2;
  broken_ = "unexpected EOF in COPY data";
  while (fields_.size() < columns_.size()) {
    if (!has(at, 4)) return finished_;
    const auto length = static_cast<std::int32_t>(integer(at, 4));
    if (length < -1) {
      broken_ = "invalid field size";
      return true;
    }
    at += 4;
    const std::size_t bytes = length == -1 ? 0 : static_cast<std::size_t>(length);
    if (!has(at, bytes)) return finished_;
    fields_.push_back({std::string_view(buffer_).substr(at, bytes), length == -1});
    at += bytes;
  }
  next_row_ = at;
  return true;
}

void BinaryReader::fail(std::string message) const {
  throw SqlError(ErrorFields{bad_copy_file_format, std::move(message), "", "", context(), 0});
}

void BinaryReader::throw_missing(std::size_t column) const {
  throw SqlError(ErrorFields{bad_copy_file_format, broken_, "", "", context_of_field(column), 0});
}

std::string BinaryReader::context_of_field(std::size_t column) const {
  return fmt::format("{}, column {}", context_of_line(line_), columns_.at(column));
}

// --- writing ---

void BinaryWriter::header(std::string& out, std::span<const std::string> /*names*/) {
  out += signature;
  put(out, 0, 4);  // flags
  put(out, 0, 4);  // bytes of an extension
}

void BinaryWriter::begin_field(std::string& out) {
  if (!in_row_) put(out, static_cast<std::uint32_t>(columns_), 2);
  in_row_ = true;
}

void BinaryWriter::field(std::string& out, std::string_view bytes) {
  begin_field(out);
  put(out, static_cast<std::uint32_t>(bytes.size()), 4);
  out += bytes;
}

void BinaryWriter::null(std::string& out) {
  begin_field(out);
  put(out, 0xFFFFFFFFU, 4);
}

void BinaryWriter::end_row(std::string& out) {
  if (!in_row_) begin_field(out);
  in_row_ = false;
}

void BinaryWriter::trailer(std::string& out) { put(out, 0xFFFFU, 2); }

}  // namespace polarsim::engine::copy
