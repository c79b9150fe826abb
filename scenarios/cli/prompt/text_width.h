// How wide a text is on a terminal, and the lines it is shown as.
//
// Texts are UTF-8; a byte that begins no character counts as a character of its own. Widths are psql's (sources:
// PostgreSQL 15 fe_utils/mbprint.c, common/wchar.c), so that tables come out as psql draws them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::scenarios::cli::prompt {

// Bytes of the character that `text` begins with; 0 at its end.
std::size_t character_bytes(std::string_view text);
// Columns of the character that `text` begins with: 0, 1 or 2; -1 for what controls the terminal.
int character_width(std::string_view text);
// Of a text without line breaks; controlling characters count as none.
std::size_t text_width(std::string_view text);

struct TextLine {
  std::string text;
  std::size_t width = 0;
};

// The lines of a cell: cut at line feeds, tabs as blanks up to the next multiple of 8, other controlling characters
// visible ("\r", "\x07"). At least one line.
std::vector<TextLine> lines_of_cell(std::string_view text);

// The longest beginning of `text` that is not wider than `width`, but at least one character (if there is one).
struct Fitting {
  std::size_t bytes = 0;
  std::size_t width = 0;
};
Fitting fitting_part(std::string_view text, std::size_t width);

}  // namespace polarsim::scenarios::cli::prompt
