// What all formats of COPY have in common: bytes to fields and fields to bytes, row by row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/error.h"

namespace polarsim::engine::copy {

struct Field {
  std::string_view text;  // or the bytes of a binary form
  bool is_null = false;
  friend bool operator==(const Field&, const Field&) = default;
};

// Bytes, fed in pieces of any size, to the fields of rows. Nothing is allocated for a field. Errors have PostgreSQL's
// texts and context.
class RowReader {
 public:
  virtual ~RowReader() = default;

  // More bytes. Fields given before are then gone.
  virtual void feed(std::string_view bytes) = 0;
  // There are no more bytes.
  virtual void finish() = 0;

  enum class Outcome : std::uint8_t { row, hungry, end };
  // The next row; or `hungry`: the row is not complete, feed() or finish(). Throws SqlError; the reader is then of no
  // further use.
  virtual Outcome next() = 0;
  // Of the row; valid until the next call of next() or feed(). At most as many as there are columns. If there are
  // fewer, throw_missing() says so for the first column that has none, when its turn has come.
  std::span<const Field> fields() const { return fields_; }
  [[noreturn]] virtual void throw_missing(std::size_t column) const = 0;

  // The number of the line (of the row, where there are no lines), from 1, that is being read or was read last; of a
  // row over several lines, the last one's.
  std::uint64_t line() const { return line_; }
  // Bytes of the row.
  virtual std::size_t line_bytes() const = 0;
  // The context of an error at this point, at a field of the row, and at a row read before.
  virtual std::string context() const = 0;
  virtual std::string context_of_field(std::size_t column) const = 0;
  // 'COPY t, line 2'
  std::string context_of_line(std::uint64_t line) const;

 protected:
  // `relation`: its name, for contexts.
  explicit RowReader(std::string relation) : relation_(std::move(relation)) {}
  const std::string relation_;
  std::vector<Field> fields_;
  std::uint64_t line_ = 0;
};

// Fields to bytes; each function appends to `out`. A row is as many calls of field() and null() as there are columns,
// then end_row(). The header comes before all rows, the trailer after them.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void header(std::string& out, std::span<const std::string> names) = 0;
  virtual void field(std::string& out, std::string_view text) = 0;
  virtual void null(std::string& out) = 0;
  virtual void end_row(std::string& out) = 0;
  virtual void trailer(std::string& out) = 0;
};

// The error with one more line of context, outermost.
[[noreturn]] void throw_in_context(const SqlError& error, const std::string& context);

// PostgreSQL's ERRCODE_BAD_COPY_FILE_FORMAT.
inline constexpr const char* bad_copy_file_format = "22P04";

}  // namespace polarsim::engine::copy
