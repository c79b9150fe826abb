// Rows that are kept: in memory up to a limit, the rest in a temporary file of the host's disk (PostgreSQL's
// tuplestore.c).
//
// A temporary file has no name once it is open, so that nothing is left of it when its owner goes or the host crashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor/executor.h"
#include "sim/host.h"

namespace polarsim::engine::executor {

class TemporaryFile {
 public:
  explicit TemporaryFile(sim::Host& host);
  // Both block; throw SqlError 53100 if the disk is full, 58030 if it fails.
  void append(std::string_view bytes);
  void read(std::uint64_t offset, std::size_t count, std::string& into) const;
  std::uint64_t size() const { return size_; }

 private:
  sim::File file_;
  std::uint64_t size_ = 0;
};

// What a value takes in memory, about.
std::size_t memory_of(const Value& value);
std::size_t memory_of(RowView row);
// Rows as bytes: values of value_codec.h, one after the other.
void append_row(std::string& to, RowView row);
// Takes a row of that width off the front.
void take_row(std::span<const char>& from, std::size_t width, Row& row);

class RowStore {
 public:
  RowStore(sim::Host& host, std::size_t width, std::size_t memory_bytes)
      : host_(&host), width_(width), memory_limit_(memory_bytes) {}

  void append(RowView row);
  void clear();
  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t width() const { return width_; }
  bool on_disk() const { return file_.has_value(); }
  std::uint64_t bytes() const { return memory_bytes_ + (file_ ? file_->size() : 0); }

  // A place from which rows are read; several may read one store.
  class Cursor {
   private:
    friend class RowStore;
    Row row_;
    std::string buffer_;
    std::uint64_t buffer_offset_ = 0;
  };
  // The row of this number, counted from 0. Valid until the cursor is used again or the store is changed. Blocks if it
  // is on disk.
  RowView at(std::uint64_t number, Cursor& cursor) const {
    if (number < memory_rows_) return {memory_.data() + number * width_, width_};
    return read(number, cursor);
  }

 private:
  RowView read(std::uint64_t number, Cursor& cursor) const;
  void flush();

  sim::Host* host_;
  std::size_t width_;
  std::size_t memory_limit_;
  std::uint64_t size_ = 0;
  std::vector<Value> memory_;
  std::uint64_t memory_rows_ = 0;
  std::size_t memory_bytes_ = 0;
  // Rows from memory_rows_ on: where they begin; those at the end are not written yet.
  std::vector<std::uint64_t> offsets_;
  std::optional<TemporaryFile> file_;
  std::string unwritten_;
};

// Rows that are written one after the other and then read once, in that order. But for a small buffer they are in a
// temporary file.
class RowSpool {
 public:
  RowSpool(sim::Host& host, std::size_t width) : host_(&host), width_(width) {}

  void append(RowView row);
  // After the last append. False at the end.
  bool next(Row& row);
  bool empty() const { return size_ == 0; }
  std::uint64_t bytes() const { return (file_ ? file_->size() : 0) + buffer_.size(); }

 private:
  bool has(std::size_t bytes);

  sim::Host* host_;
  std::size_t width_;
  std::uint64_t size_ = 0;
  std::optional<TemporaryFile> file_;
  std::string buffer_;  // while rows are written: the last ones; then: what has been read
  // Of reading.
  bool reading_ = false;
  std::uint64_t given_ = 0;
  std::size_t position_ = 0;         // in the buffer
  std::uint64_t file_position_ = 0;  // of what has not been read
};

}  // namespace polarsim::engine::executor
