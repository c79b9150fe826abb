// The rows of COPY FROM: bytes, fed in pieces of any size, to fields (PostgreSQL's CopyReadLineText() and
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
#include "engine/sql/error.h"

namespace polarsim::engine::copy {

struct Field {
  std::string_view text;
  bool is_null = false;
  friend bool operator==(const Field&, const Field&) = default;
};

// How a column is read, by options.
struct ColumnInput {
  std::string name;
  bool force_not_null = false;
  bool force_null = false;
};

class Reader {
 public:
  // Where the bytes come from: after \. a client has nothing more to say, a file goes on if something stood before it.
  enum class Origin : std::uint8_t { client, file };
  // `relation`: its name, for contexts.
  Reader(const Options& options, std::string relation, std::vector<ColumnInput> columns, Origin origin);

  // More bytes. Fields given before are then gone.
  void feed(std::string_view bytes);
  // There are no more bytes.
  void finish() { finished_ = true; }

  enum class Outcome : std::uint8_t { row, hungry, end };
  // The next row; or `hungry`: the row is not complete, feed() or finish(). Throws SqlError; the reader is then of no
  // further use.
  Outcome next();
  // Of the row; valid until the next call of next() or feed(). At most as many as there are columns: 22P04 "extra data
  // after last expected column" otherwise. If there are fewer, throw_missing() says so for the first column that has
  // none, when its turn has come.
  std::span<const Field> fields() const { return fields_; }
  [[noreturn]] void throw_missing(std::size_t column) const;

  // The number of the line, from 1, that is being read or was read last; of a row over several lines, the last one's.
  std::uint64_t line() const { return line_; }
  // Bytes of the row's line.
  std::size_t line_bytes() const { return line_end_ - line_begin_; }
  // The context of an error at this point: 'COPY t, line 2: "1,x"', of a line that is not complete 'COPY t, line 2'.
  std::string context() const;
  // 'COPY t, line 2, column a: "x"', 'COPY t, line 2, column a: null input'.
  std::string context_of_field(std::size_t column) const;
  // 'COPY t, line 2', of a row read before.
  std::string context_of_line(std::uint64_t line) const;

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
  const std::string relation_;
  const std::vector<ColumnInput> columns_;
  const Origin origin_;
  std::array<bool, 256> special_{};  // bytes that scanning a line stops at
  bool forces_nulls_ = false;

  std::string buffer_;
  bool finished_ = false;
  bool ended_ = false;
  LineEnds line_ends_ = LineEnds::unknown;
  std::uint64_t line_ = 0;

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

  std::vector<Field> fields_;
  std::string unescaped_;
};

// The error with one more line of context, outermost.
[[noreturn]] void throw_in_context(const SqlError& error, const std::string& context);

}  // namespace polarsim::engine::copy
