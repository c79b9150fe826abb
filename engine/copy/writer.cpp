#include "engine/copy/writer.h"

#include <algorithm>

namespace polarsim::engine::copy {

namespace {

std::size_t index(char c) { return static_cast<unsigned char>(c); }

}  // namespace

Writer::Writer(const Options& options, std::vector<bool> force_quote)
    : options_(options), force_quote_(std::move(force_quote)) {
  constexpr std::string_view controls = "\b\f\n\r\t\v";
  constexpr std::string_view letters = "bfnrtv";
  for (std::size_t i = 0; i < controls.size(); ++i) escapes_[index(controls[i])] = letters[i];
  char& of_delimiter = escapes_[index(options_.delimiter)];
  if (of_delimiter == '\0') of_delimiter = options_.delimiter;
  escapes_[index('\\')] = '\\';
  for (const char c : {options_.delimiter, options_.quote, '\n', '\r'}) quoted_for_[index(c)] = true;
}

void Writer::begin_field(std::string& out) {
  if (column_++ > 0) out += options_.delimiter;
}

void Writer::null(std::string& out) {
  begin_field(out);
  out += options_.null;
}

void Writer::field(std::string& out, std::string_view text) {
  begin_field(out);
  if (options_.format == Format::text) {
    text_field(out, text);
  } else {
    csv_field(out, text, force_quote_[column_ - 1] || needs_quotes(text));
  }
}

void Writer::end_row(std::string& out) {
  out += '\n';
  column_ = 0;
}

void Writer::header(std::string& out, std::span<const std::string> names) {
  if (options_.header == Header::none) return;
  for (const std::string& name : names) {
    begin_field(out);
    if (options_.format == Format::text) {
      text_field(out, name);
    } else {
      csv_field(out, name, needs_quotes(name));
    }
  }
  end_row(out);
}

void Writer::text_field(std::string& out, std::string_view text) const {
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escape = escapes_[index(text[i])];
    if (escape == '\0') continue;
    out.append(text.substr(written, i - written));
    out += '\\';
    out += escape;
    written = i + 1;
  }
  out.append(text.substr(written));
}

bool Writer::needs_quotes(std::string_view text) const {
  // What would be read as NULL, or as the end of the data where it is alone on its line.
  if (text == options_.null || (force_quote_.size() == 1 && text == "\\.")) return true;
  return std::any_of(text.begin(), text.end(), [&](char c) { return quoted_for_[index(c)]; });
}

void Writer::csv_field(std::string& out, std::string_view text, bool quoted) const {
  if (!quoted) {
    out += text;
    return;
  }
  out += options_.quote;
  for (const char c : text) {
    if (c == options_.quote || c == options_.escape) out += options_.escape;
    out += c;
  }
  out += options_.quote;
}

}  // namespace polarsim::engine::copy
