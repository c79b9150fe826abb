#include "engine/executor/row_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/storage/value_codec.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

constexpr const char* disk_full = "53100";
constexpr std::size_t buffer_bytes = std::size_t{64} << 10;
const std::string temporary_directory = "pgsql_tmp";

[[noreturn]] void disk_failed(const char* what, sim::DiskError error) {
  throw SqlError(error == sim::DiskError::no_space ? disk_full : sqlstate::io_error,
                 fmt::format("could not {} temporary file: {}", what, sim::to_string(error)));
}

[[noreturn]] void damaged(const char* why) {
  throw SqlError(sqlstate::data_corrupted, "temporary file is damaged", std::string("A row ") + why + ".");
}

}  // namespace

// --- files ---

// The name is free again at once, so one is enough for all files: opening and removing do not block.
TemporaryFile::TemporaryFile(sim::Host& host) {
  sim::Disk& disk = host.disk();
  const auto made = disk.make_directory(temporary_directory);
  if (!made && made.error() != sim::DiskError::exists) disk_failed("create", made.error());
  const std::string path = temporary_directory + "/rows";
  auto file = disk.open(path, sim::OpenMode::create, {.direct = false, .truncate = true});
  if (!file) disk_failed("create", file.error());
  file_ = *file;
  if (const auto removed = disk.remove(path); !removed) disk_failed("create", removed.error());
}

void TemporaryFile::append(std::string_view bytes) {
  if (const auto written = file_.write_all(size_, bytes); !written) disk_failed("write", written.error());
  size_ += bytes.size();
}

void TemporaryFile::read(std::uint64_t offset, std::size_t count, std::string& into) const {
  into.clear();
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
  const auto read = file_.read(offset, wanted, into);
  if (!read) disk_failed("read", read.error());
  if (*read != wanted) damaged("is cut off");
}

// --- rows as bytes ---

std::size_t memory_of(const Value& value) {
  if (value.kind() < Value::Kind::long_text) return sizeof(Value);
  constexpr std::size_t payload_overhead = 32;
  return sizeof(Value) + payload_overhead + storage::encoded_size(value);
}

std::size_t memory_of(RowView row) {
  std::size_t bytes = 0;
  for (const Value& value : row) bytes += memory_of(value);
  return bytes;
}

void append_row(std::string& to, RowView row) {
  std::size_t bytes = 0;
  for (const Value& value : row) bytes += storage::encoded_size(value);
  const std::size_t start = to.size();
  to.resize(start + bytes);
  char* at = to.data() + start;
  for (const Value& value : row) at = storage::put_encoded(at, value);
}

void take_row(std::span<const char>& from, std::size_t width, Row& row) {
  row.clear();
  for (std::size_t i = 0; i < width; ++i) row.push_back(storage::take_encoded(from, damaged));
}

// --- the store ---

void RowStore::append(RowView row) {
  ++size_;
  if (!file_) {
    memory_bytes_ += memory_of(row);
    if (memory_bytes_ <= memory_limit_ || memory_rows_ == 0) {
      memory_.insert(memory_.end(), row.begin(), row.end());
      ++memory_rows_;
      return;
    }
    file_.emplace(*host_);
  }
  offsets_.push_back(file_->size() + unwritten_.size());
  append_row(unwritten_, row);
  if (unwritten_.size() >= buffer_bytes) flush();
}

void RowStore::flush() {
  file_->append(unwritten_);
  unwritten_.clear();
}

void RowStore::clear() {
  memory_.clear();
  offsets_.clear();
  unwritten_.clear();
  file_.reset();
  size_ = memory_rows_ = 0;
  memory_bytes_ = 0;
}

RowView RowStore::read(std::uint64_t number, Cursor& cursor) const {
  const std::size_t index = static_cast<std::size_t>(number - memory_rows_);
  const std::uint64_t begin = offsets_[index];
  const std::uint64_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : file_->size() + unwritten_.size();
  std::span<const char> bytes;
  if (begin >= file_->size()) {
    bytes = std::span<const char>(unwritten_).subspan(static_cast<std::size_t>(begin - file_->size()));
  } else {
    const std::uint64_t cached_end = cursor.buffer_offset_ + cursor.buffer_.size();
    if (begin < cursor.buffer_offset_ || end > cached_end) {
      cursor.buffer_offset_ = begin;
      file_->read(begin, std::max<std::size_t>(buffer_bytes, static_cast<std::size_t>(end - begin)), cursor.buffer_);
    }
    bytes = std::span<const char>(cursor.buffer_).subspan(static_cast<std::size_t>(begin - cursor.buffer_offset_));
  }
  take_row(bytes, width_, cursor.row_);
  return cursor.row_;
}

// --- the spool: each row after its length ---

namespace {
constexpr std::size_t spool_buffer_bytes = std::size_t{8} << 10;
using RowLength = std::uint32_t;
}  // namespace

void RowSpool::append(RowView row) {
  ++size_;
  const std::size_t begin = buffer_.size();
  buffer_.resize(begin + sizeof(RowLength));
  append_row(buffer_, row);
  const auto length = static_cast<RowLength>(buffer_.size() - begin - sizeof(RowLength));
  std::memcpy(buffer_.data() + begin, &length, sizeof length);
  if (buffer_.size() < spool_buffer_bytes) return;
  if (!file_) file_.emplace(*host_);
  file_->append(buffer_);
  buffer_.clear();
}

// Whether the buffer has so many more bytes, after it was filled again.
bool RowSpool::has(std::size_t bytes) {
  if (buffer_.size() - position_ >= bytes) return true;
  if (!file_ || file_position_ == file_->size()) return false;
  std::string more;
  file_->read(file_position_, std::max(bytes, buffer_bytes), more);
  file_position_ += more.size();
  buffer_.erase(0, position_);
  buffer_ += more;
  position_ = 0;
  return buffer_.size() >= bytes;
}

bool RowSpool::next(Row& row) {
  if (!std::exchange(reading_, true) && file_) {
    file_->append(buffer_);
    buffer_.clear();
  }
  if (given_ == size_) return false;
  RowLength length = 0;
  if (!has(sizeof length)) damaged("is cut off");
  std::memcpy(&length, buffer_.data() + position_, sizeof length);
  position_ += sizeof length;
  if (!has(length)) damaged("is cut off");
  std::span<const char> bytes(buffer_.data() + position_, length);
  take_row(bytes, width_, row);
  position_ += length;
  ++given_;
  return true;
}

}  // namespace polarsim::engine::executor
