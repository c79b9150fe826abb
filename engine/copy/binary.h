// FORMAT binary: a signature, then for each row the number of its fields and every field with its length (PostgreSQL's
// documentation of COPY, "Binary Format"; CopyReadBinaryAttribute(), CopyOneRowTo()). What is in a field is
// engine/types/binary_form.h.
#pragma once

#include "engine/copy/rows.h"

namespace polarsim::engine::copy {

class BinaryReader final : public RowReader {
 public:
  BinaryReader(std::string relation, std::vector<std::string> columns)
      : RowReader(std::move(relation)), columns_(std::move(columns)) {}

  void feed(std::string_view bytes) override;
  void finish() override { finished_ = true; }
  Outcome next() override;
  [[noreturn]] void throw_missing(std::size_t column) const override;
  std::size_t line_bytes() const override { return next_row_ - row_; }
  std::string context() const override { return context_of_line(line_); }
  std::string context_of_field(std::size_t column) const override;

 private:
  bool read_header();
  Outcome read_end();
  bool read_fields();
  bool has(std::size_t position, std::size_t count) const { return buffer_.size() - position >= count; }
  std::uint32_t integer(std::size_t position, std::size_t bytes) const;
  [[noreturn]] void fail(std::string message) const;

  const std::vector<std::string> columns_;
  std::string buffer_;
  bool finished_ = false;
  bool header_due_ = true;
  bool in_row_ = false;
  bool ended_ = false;
  std::size_t row_ = 0;
  std::size_t next_row_ = 0;
  const char* broken_ = "";  // what is wrong with the first field that is missing
};

class BinaryWriter final : public RowWriter {
 public:
  explicit BinaryWriter(std::size_t columns) : columns_(columns) {}
  void header(std::string& out, std::span<const std::string> names) override;
  void field(std::string& out, std::string_view bytes) override;
  void null(std::string& out) override;
  void end_row(std::string& out) override;
  void trailer(std::string& out) override;

 private:
  void begin_field(std::string& out);
  const std::size_t columns_;
  bool in_row_ = false;
};

}  // namespace polarsim::engine::copy
