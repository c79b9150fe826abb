// Lines to fields.
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "engine/copy/reader.h"
#include "engine/types/utf8.h"

namespace polarsim::engine::copy {

namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }
std::optional<int> hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

void Reader::split() {
  const std::string_view line = std::string_view(buffer_).substr(line_begin_, line_end_ - line_begin_);
  fields_.clear();
  // A table without columns has one row for each empty line.
  if (columns_.empty()) {
    if (!line.empty()) fail_format("extra data after last expected column");
    return;
  }
  if (plain_) {
    split_plain(line);
  } else if (csv_) {
    split_csv(line);
  } else {
    split_text(line);
  }
  if (fields_.size() > columns_.size()) fail_format("extra data after last expected column");
  if (forces_nulls_) force_nulls();
}

void Reader::add(std::string_view raw, std::string_view text, bool quoted) {
  const bool is_null = !quoted && raw == options_.null;
  fields_.push_back({is_null ? std::string_view() : text, is_null});
}

void Reader::force_nulls() {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].is_null) {
      if (columns_[i].force_not_null) fields_[i] = {options_.null, false};
    } else if (columns_[i].force_null && fields_[i].text == options_.null) {
      fields_[i] = {{}, true};
    }
  }
}

// Without escapes and quotes, fields are what stands between the delimiters.
void Reader::split_plain(std::string_view line) {
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    const void* found = std::memchr(at, options_.delimiter, static_cast<std::size_t>(end - at));
    const char* field_end = found == nullptr ? end : static_cast<const char*>(found);
    const std::string_view field(at, static_cast<std::size_t>(field_end - at));
    add(field, field);
    if (found == nullptr) return;
    at = field_end + 1;
  }
}

// An escape sequence, from behind its backslash; returns where it ends. What stands for a byte that may make the field
// invalid asks for a check.
std::size_t Reader::unescape(std::string_view line, std::size_t at, char*& to, bool& verify) const {
  char c = line[at++];
  if (is_octal(c)) {
    int value = c - '0';
    for (int digits = 1; digits < 3 && at < line.size() && is_octal(line[at]); ++digits)
      value = value * 8 + (line[at++] - '0');
    c = static_cast<char>(value & 0xFF);
    verify = verify || c <= '\0';
  } else if (c == 'x' && at < line.size() && hexadecimal(line[at])) {
    int value = *hexadecimal(line[at++]);
    if (at < line.size() && hexadecimal(line[at])) value = value * 16 + *hexadecimal(line[at++]);
    c = static_cast<char>(value);
    verify = verify || c <= '\0';
  } else {
    constexpr std::string_view letters = "bfnrtv";
    constexpr std::string_view controls = "\b\f\n\r\t\v";
    const std::size_t letter = letters.find(c);
    if (letter != std::string_view::npos) c = controls[letter];
  }
  *to++ = c;
  return at;
}

void Reader::split_text(std::string_view line) {
  unescaped_.resize(line.size());
  char* to = unescaped_.data();
  std::size_t at = 0;
  while (true) {
    const std::size_t raw_begin = at;
    std::size_t raw_end = at;
    const char* const field_begin = to;
    bool delimited = false;
    bool verify = false;
    while (true) {
      raw_end = at;
      if (at == line.size()) break;
      const char c = line[at++];
      if (c == options_.delimiter) {
        delimited = true;
        break;
      }
      if (c != '\\') {
        *to++ = c;
      } else if (at == line.size()) {
        break;  // a backslash at the very end stands for nothing
      } else {
        at = unescape(line, at, to, verify);
      }
    }
    const std::string_view field(field_begin, static_cast<std::size_t>(to - field_begin));
    add(line.substr(raw_begin, raw_end - raw_begin), field);
    if (verify && !fields_.back().is_null) {
      try {
        utf8::verify(field);
      } catch (const SqlError& error) {
        throw_in_context(error, context());
      }
    }
    if (!delimited) return;
  }
}

void Reader::split_csv(std::string_view line) {
  unescaped_.resize(line.size());
  char* to = unescaped_.data();
  std::size_t at = 0;
  while (true) {
    const std::size_t raw_begin = at;
    std::size_t raw_end = at;
    const char* const field_begin = to;
    bool delimited = false;
    bool quoted = false;
    bool in_quote = false;
    while (true) {
      raw_end = at;
      if (at == line.size()) {
        if (in_quote) fail_format("unterminated CSV quoted field");
        break;
      }
      const char c = line[at++];
      if (in_quote) {
        const char following = at < line.size() ? line[at] : '\0';
        if (c == options_.escape && at < line.size() && (following == options_.escape || following == options_.quote)) {
          *to++ = following;
          ++at;
        } else if (c == options_.quote) {
          in_quote = false;
        } else {
          *to++ = c;
        }
      } else if (c == options_.delimiter) {
        delimited = true;
        break;
      } else if (c == options_.quote) {
        quoted = true;
        in_quote = true;
      } else {
        *to++ = c;
      }
    }
    add(line.substr(raw_begin, raw_end - raw_begin),
        std::string_view(field_begin, static_cast<std::size_t>(to - field_begin)), quoted);
    if (!delimited) return;
  }
}

void Reader::check_header() {
  const std::string_view line = std::string_view(buffer_).substr(line_begin_, line_end_ - line_begin_);
  fields_.clear();
  if (csv_) {
    split_csv(line);
  } else {
    split_text(line);
  }
  if (fields_.size() != columns_.size()) {
    fail_format(
        fmt::format("wrong number of fields in header line: got {}, expected {}", fields_.size(), columns_.size()));
  }
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const std::string& expected = columns_[i].name;
    if (!fields_[i].is_null && fields_[i].text == expected) continue;
    const std::string got =
        fields_[i].is_null ? fmt::format("null value (\"{}\")", options_.null) : fmt::format("\"{}\"", fields_[i].text);
    fail_format(
        fmt::format("column name mismatch in header line field {}: got {}, expected \"{}\"", i + 1, got, expected));
  }
}

}  // namespace polarsim::engine::copy
