// Lines and their errors; fields are cut in reader_fields.cpp.
#include "engine/copy/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/types/utf8.h"

namespace polarsim::engine::copy {

namespace {

constexpr std::uint64_t in_every_byte(std::uint64_t byte) { return byte * 0x0101010101010101ULL; }

// No byte is zero or above 0x7f.
bool is_plain_ascii(std::string_view bytes) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    // A byte below 0x80 gets its highest bit by subtracting one only if it is zero, or borrows from one that is.
    if (((word | (word - in_every_byte(1))) & in_every_byte(0x80)) != 0) return false;
  }
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), [](char c) { return c > '\0'; });
}

// PostgreSQL's limit_printout_length().
std::string shown(std::string_view text) {
  constexpr std::size_t shown_bytes_max = 100;
  if (text.size() <= shown_bytes_max) return std::string(text);
  return std::string(utf8::prefix_of_bytes(text, shown_bytes_max)) + "...";
}

}  // namespace

void throw_in_context(const SqlError& error, const std::string& context) {
  ErrorFields fields = error.fields();
  if (!fields.context.empty()) fields.context += '\n';
  fields.context += context;
  throw SqlError(std::move(fields));
}

Reader::Reader(const Options& options, std::string relation, std::vector<ColumnInput> columns, Origin origin)
    : RowReader(std::move(relation)),
      options_(options),
      csv_(options.format == Format::csv),
      columns_(std::move(columns)),
      origin_(origin),
      header_due_(options.header != Header::none) {
  for (const char c : {'\n', '\r', '\\'}) special_[static_cast<unsigned char>(c)] = true;
  if (csv_) {
    special_[static_cast<unsigned char>(options_.quote)] = true;
    special_[static_cast<unsigned char>(options_.escape)] = true;
  }
  forces_nulls_ = std::any_of(columns_.begin(), columns_.end(),
                              [](const ColumnInput& column) { return column.force_null || column.force_not_null; });
}

void Reader::feed(std::string_view bytes) {
  const std::size_t consumed = in_line_ ? line_begin_ : next_line_;
  buffer_.erase(0, consumed);
  line_begin_ -= std::min(line_begin_, consumed);
  line_end_ -= std::min(line_end_, consumed);
  scanned_ -= std::min(scanned_, consumed);
  next_line_ -= std::min(next_line_, consumed);
  if (!in_line_) line_valid_ = false;
  buffer_.append(bytes);
}

Reader::Outcome Reader::next() {
  while (!ended_) {
    if (!in_line_) begin_line();
    const Scan scan = csv_ ? scan_csv() : scan_text();
    if (scan == Scan::hungry) return Outcome::hungry;
    in_line_ = false;
    verify_line();
    line_valid_ = true;
    if (header_due_) {
      header_due_ = false;
      if (options_.header == Header::match) check_header();
      if (scan == Scan::last) break;
      continue;
    }
    if (scan == Scan::last && line_begin_ == line_end_) break;
    split();
    return Outcome::row;
  }
  ended_ = true;
  return Outcome::end;
}

void Reader::begin_line() {
  in_line_ = true;
  line_valid_ = false;
  line_begin_ = scanned_ = next_line_;
  first_line_ = ++line_;
  counted_line_end_ = line_ends_ == LineEnds::lf ? '\n' : '\r';
  in_quote_ = false;
  last_was_escape_ = false;
  plain_ = true;
}

// --- the end of a line ---

Reader::Scan Reader::wait_at(std::size_t position) {
  scanned_ = position;
  return Scan::hungry;
}

Reader::Scan Reader::end_line(std::size_t end, std::size_t next) {
  line_end_ = end;
  next_line_ = next;
  return Scan::line;
}

Reader::Scan Reader::end_data(std::size_t end, std::size_t next) {
  line_end_ = end;
  next_line_ = next;
  // A file in which something stands before \. goes on behind it, as in PostgreSQL: it looks for the end of the data
  // in lines that are otherwise empty only.
  ended_ = origin_ == Origin::client || end == line_begin_;
  return Scan::last;
}

Reader::Scan Reader::line_feed(std::size_t position) {
  if (line_ends_ == LineEnds::cr || line_ends_ == LineEnds::crlf) {
    if (csv_) fail_format("unquoted newline found in data", "Use quoted CSV field to represent newline.");
    fail_format("literal newline found in data", "Use \"\\n\" to represent newline.");
  }
  line_ends_ = LineEnds::lf;
  return end_line(position, position + 1);
}

// The byte behind it, if there is one, is there.
Reader::Scan Reader::carriage_return(std::size_t position) {
  const bool may_be_crlf = line_ends_ == LineEnds::unknown || line_ends_ == LineEnds::crlf;
  if (may_be_crlf && at(position + 1) == '\n') {
    line_ends_ = LineEnds::crlf;
    return end_line(position, position + 2);
  }
  if (line_ends_ == LineEnds::crlf || line_ends_ == LineEnds::lf) {
    if (csv_) {
      fail_format("unquoted carriage return found in data", "Use quoted CSV field to represent carriage return.");
    }
    fail_format("literal carriage return found in data", "Use \"\\r\" to represent carriage return.");
  }
  line_ends_ = LineEnds::cr;
  return end_line(position, position + 1);
}

// --- the end of the data ---

// Whether the bytes from a backslash on are enough to tell whether they are \. and a line end.
bool Reader::sees_end_marker(std::size_t position) const {
  if (finished_) return true;
  if (position + 1 >= buffer_.size()) return false;
  if (at(position + 1) != '.') return true;
  if (position + 2 >= buffer_.size()) return false;
  return line_ends_ != LineEnds::crlf || position + 3 < buffer_.size();
}

bool Reader::is_end_marker(std::size_t position, std::size_t& behind) const {
  if (at(position + 1) != '.') return false;
  behind = position + 2;
  const char* mismatch = "end-of-copy marker does not match previous newline style";
  const char* corrupt = "end-of-copy marker corrupt";
  if (line_ends_ == LineEnds::crlf) {
    const char c = at(behind++);
    if (c != '\r') {
      if (csv_) return false;
      fail_format(c == '\n' ? mismatch : corrupt);
    }
  }
  const char c = at(behind++);
  if (c != '\r' && c != '\n') {
    if (csv_) return false;
    fail_format(corrupt);
  }
  const bool lf_expected = line_ends_ == LineEnds::lf || line_ends_ == LineEnds::crlf;
  if ((lf_expected && c != '\n') || (line_ends_ == LineEnds::cr && c != '\r')) fail_format(mismatch);
  return true;
}

// --- lines ---

Reader::Scan Reader::scan_text() {
  std::size_t position = scanned_;
  const std::size_t size = buffer_.size();
  while (true) {
    while (position < size && !special_[static_cast<unsigned char>(buffer_[position])]) ++position;
    if (position == size) return finished_ ? end_data(size, size) : wait_at(position);
    const char c = buffer_[position];
    if (c == '\n') return line_feed(position);
    if (c == '\r') {
      if (position + 1 == size && !finished_) return wait_at(position);
      return carriage_return(position);
    }
    plain_ = false;
    if (!sees_end_marker(position)) return wait_at(position);
    std::size_t behind = 0;
    if (is_end_marker(position, behind)) return end_data(position, behind);
    // What is behind a backslash stands for itself, be it a line end or another backslash.
    position = std::min(position + 2, size);
  }
}

Reader::Scan Reader::scan_csv() {
  std::size_t position = scanned_;
  const std::size_t size = buffer_.size();
  const char quote = options_.quote;
  const char escape = options_.escape;
  while (true) {
    while (position < size && !special_[static_cast<unsigned char>(buffer_[position])]) {
      last_was_escape_ = false;
      ++position;
    }
    if (position == size) return finished_ ? end_data(size, size) : wait_at(position);
    const char c = buffer_[position];
    // Nothing is changed before what has to be looked at is there.
    const bool may_be_marker = c == '\\' && position == line_begin_;
    if (may_be_marker && !sees_end_marker(position)) return wait_at(position);
    if (c == '\r' && position + 1 == size && !finished_) return wait_at(position);
    if (c == quote || c == escape) plain_ = false;
    // If quote and escape are the same, a doubled one leaves and enters the quotes again, to the same effect.
    if (escape != quote && in_quote_ && c == escape) last_was_escape_ = !last_was_escape_;
    if (c == quote && !last_was_escape_) in_quote_ = !in_quote_;
    if (escape == quote || c != escape) last_was_escape_ = false;
    if (in_quote_ && c == counted_line_end_) ++line_;
    if (!in_quote_ && c == '\r') return carriage_return(position);
    if (!in_quote_ && c == '\n') return line_feed(position);
    std::size_t behind = 0;
    if (may_be_marker && is_end_marker(position, behind)) return end_data(position, behind);
    ++position;
  }
}

void Reader::verify_line() {
  std::string_view rest = std::string_view(buffer_).substr(line_begin_, next_line_ - line_begin_);
  if (is_plain_ascii(rest)) return;
  // An error is to tell the number of the line in which it is.
  const std::uint64_t last_line = line_;
  line_ = first_line_;
  try {
    while (!rest.empty()) {
      const std::size_t end = rest.find(counted_line_end_);
      const std::string_view piece = rest.substr(0, end == std::string_view::npos ? end : end + 1);
      utf8::verify(piece);
      rest.remove_prefix(piece.size());
      ++line_;
    }
  } catch (const SqlError& error) {
    throw_in_context(error, context());
  }
  line_ = last_line;
}

// --- errors ---

void Reader::fail(const char* sqlstate, std::string message, const char* hint) const {
  throw SqlError(ErrorFields{sqlstate, std::move(message), "", hint, context(), 0});
}
void Reader::fail_format(std::string message, const char* hint) const {
  fail(bad_copy_file_format, std::move(message), hint);
}

void Reader::throw_missing(std::size_t column) const {
  fail_format(fmt::format("missing data for column \"{}\"", columns_.at(column).name));
}

std::string RowReader::context_of_line(std::uint64_t line) const {
  return fmt::format("COPY {}, line {}", relation_, line);
}

std::string Reader::context() const {
  std::string text = context_of_line(line_);
  if (!line_valid_) return text;
  const std::string_view line = std::string_view(buffer_).substr(line_begin_, line_end_ - line_begin_);
  return text + ": \"" + shown(line) + '"';
}

std::string Reader::context_of_field(std::size_t column) const {
  std::string text = fmt::format("{}, column {}: ", context_of_line(line_), columns_.at(column).name);
  const Field& field = fields_.at(column);
  return field.is_null ? text + "null input" : text + '"' + shown(field.text) + '"';
}

}  // namespace polarsim::engine::copy
