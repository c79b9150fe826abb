// The rows of COPY FROM in the formats text and csv (PostgreSQL's CopyReadLineText() and
// CopyReadAttributes*(), src/backend/commands/copyfromparse.c).
//
// Lines end in LF, CR LF or CR, whichever ends the first one, and the others are refused (22P04). A line that holds
// nothing but \. ends the data. In CSV a quoted field may hold line ends. Bytes must be UTF-8. Errors have PostgreSQL's
// texts, and its context: 'COPY t, line 2: "..."'.
//
// Nothing is allocated for a field.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/copy/options.h"
#include "engine/copy/rows.h"

namespace polarsim::engine::copy {

// How a column is read, by options.
struct ColumnInput {
  std::string name;
  bool force_not_null = false;
  bool force_null = false;
};

class Reader final : public RowReader {
 public:
  // Where the bytes come from: after \. a client has nothing more to say, a file goes on if something stood before it.
  enum class Origin : std::uint8_t { client, file };
  Reader(const Options& options, std::string relation, std::vector<ColumnInput> columns, Origin origin);

  void feed(std::string_view bytes) override;
  void finish() override { finished_ = true; }
  // 22P04 "extra data after last expected column".
  Outcome next() override;
  // 22P04 "missing data for column \"b\"".
  [[noreturn]] void throw_missing(std::size_t column) const override;
  std::size_t line_bytes() const override { return line_end_ - line_begin_; }
  // 'COPY t, line 2: "1,x"', of a line that is not complete 'COPY t, line 2'.
  std::string context() const override;
  // 'COPY t, line 2, column a: "x"', 'COPY t, line 2, column a: null input'.
  std::string context_of_field(std::size_t column) const override;

 private:
  enum class LineEnds : std::uint8_t { unknown, lf, crlf, cr };
  // `last`: the data have ended with the line, which may be empty.
  enum class Scan : std::uint8_t { line, hungry, last };

  void begin_line();
  Scan scan_text();
  Scan scan_csv();
  Scan end_line(std::size_t end, std::size_t next);
  Scan end_data(std::size_t end, std::size_t next);
  Scan wait_at(std::size_t at);
  Scan carriage_return(std::size_t at);
  Scan line_feed(std::size_t at);
  bool sees_end_marker(std::size_t at) const;
  bool is_end_marker(std::size_t at, std::size_t& behind) const;
  char at(std::size_t position) const { return position < buffer_.size() ? buffer_[position] : '\0'; }
  void verify_line();

  void split();
  void split_plain(std::string_view line);
  void split_text(std::string_view line);
  void split_csv(std::string_view line);
  std::size_t unescape(std::string_view line, std::size_t at, char*& to, bool& verify) const;
  void add(std::string_view raw, std::string_view text, bool quoted = false);
  void force_nulls();
  void check_header();
  [[noreturn]] void fail(const char* sqlstate, std::string message, const char* hint = "") const;
  [[noreturn]] void fail_format(std::string message, const char* hint = "") const;

  const Options options_;
  const bool csv_;
  const std::vector<ColumnInput> columns_;
  const Origin origin_;
  std::array<bool, 256> special_{};  // bytes that scanning a line stops at
  bool forces_nulls_ = false;

  std::string buffer_;
  bool finished_ = false;
  bool ended_ = false;
  LineEnds line_ends_ = LineEnds::unknown;

  // The line under way: from line_begin_, looked at up to scanned_.
  bool in_line_ = false;
  bool line_valid_ = false;
  std::size_t line_begin_ = 0;
  std::size_t line_end_ = 0;
  std::size_t scanned_ = 0;
  std::size_t next_line_ = 0;
  std::uint64_t first_line_ = 0;  // the number of its first line
  char counted_line_end_ = '\n';  // what counts as a line inside quotes
  bool in_quote_ = false;
  bool last_was_escape_ = false;
  bool plain_ = true;  // has neither escapes nor quotes
  bool header_due_ = false;

  std::string unescaped_;
};

}  // namespace polarsim::engine::copy
