// What COPY's options mean (PostgreSQL's ProcessCopyOptions(), src/backend/commands/copy.c).
#pragma once

#include <string>
#include <vector>

#include "engine/syntax/ast.h"

namespace polarsim::engine::copy {

enum class Format : std::uint8_t { text, csv, binary };
// `match`: the first line must have the columns' names.
enum class Header : std::uint8_t { none, present, match };

struct Options {
  Format format = Format::text;
  Header header = Header::none;
  bool freeze = false;
  char delimiter = '\t';
  std::string null = "\\N";
  char quote = '"';
  char escape = '"';
  // Columns by name; whether they exist is not known here.
  bool force_quote_all = false;
  std::vector<std::string> force_quote;
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
};

// Throws SqlError with PostgreSQL's texts and positions: 42601 "option \"x\" not recognized", 22023 "COPY format
// \"xml\" not recognized", 0A000 "COPY quote available only in CSV mode". Refused with 0A000, unlike there:
// encodings other than UTF-8, CONVERT_SELECTIVELY.
Options read_options(const std::vector<syntax::Parameter>& options, bool from);

}  // namespace polarsim::engine::copy
