#include "scenarios/cli/prompt/text_width.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "scenarios/cli/prompt/text_width_tables.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

std::size_t bytes_by_lead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if ((lead & 0xe0) == 0xc0) return 2;
  if ((lead & 0xf0) == 0xe0) return 3;
  if ((lead & 0xf8) == 0xf0) return 4;
  return 1;
}

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 2:
      return ((byte(0) & 0x1f) << 6) | (byte(1) & 0x3f);
    case 3:
      return ((byte(0) & 0x0f) << 12) | ((byte(1) & 0x3f) << 6) | (byte(2) & 0x3f);
    case 4:
      return ((byte(0) & 0x07) << 18) | ((byte(1) & 0x3f) << 12) | ((byte(2) & 0x3f) << 6) | (byte(3) & 0x3f);
    default:
      return byte(0);
  }
}

template <std::size_t Size>
bool is_in(const CharacterRange (&ranges)[Size], std::uint32_t point) {
  const CharacterRange* const after =
      std::upper_bound(std::begin(ranges), std::end(ranges), point,
                       [](std::uint32_t value, const CharacterRange& range) { return value < range.first; });
  return after != std::begin(ranges) && point <= std::prev(after)->last;
}

// What is shown for a character that would control the terminal.
std::string visible(std::string_view character) {
  char text[16];
  if (character.size() == 1) {
    std::snprintf(text, sizeof text, "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(character[0])));
  } else {
    std::snprintf(text, sizeof text, "\\u%04X", static_cast<unsigned>(code_point(character)));
  }
  return text;
}

void append(TextLine& line, std::string_view text, std::size_t width) {
  line.text += text;
  line.width += width;
}

}  // namespace

std::size_t character_bytes(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t bytes = bytes_by_lead(static_cast<unsigned char>(text[0]));
  return bytes <= text.size() ? bytes : 1;
}

int character_width(std::string_view text) {
  if (text.empty()) return 0;
  const std::uint32_t point = code_point(text.substr(0, character_bytes(text)));
  if (point == 0) return 0;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return -1;
  if (is_in(combining_characters, point)) return 0;
  return is_in(wide_characters, point) ? 2 : 1;
}

std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    width += static_cast<std::size_t>(std::max(0, character_width(text)));
    text.remove_prefix(character_bytes(text));
  }
  return width;
}

std::vector<TextLine> lines_of_cell(std::string_view text) {
  std::vector<TextLine> lines(1);
  while (!text.empty()) {
    const std::string_view character = text.substr(0, character_bytes(text));
    text.remove_prefix(character.size());
    if (character == "\n") {
      lines.emplace_back();
    } else if (character == "\r") {
      append(lines.back(), "\\r", 2);
    } else if (character == "\t") {
      const std::size_t blanks = 8 - lines.back().width % 8;
      append(lines.back(), std::string(blanks, ' '), blanks);
    } else if (const int width = character_width(character); width < 0) {
      const std::string shown = visible(character);
      append(lines.back(), shown, shown.size());
    } else {
      append(lines.back(), character, static_cast<std::size_t>(width));
    }
  }
  return lines;
}

Fitting fitting_part(std::string_view text, std::size_t width) {
  Fitting part;
  while (part.bytes < text.size()) {
    const std::string_view rest = text.substr(part.bytes);
    const auto columns = static_cast<std::size_t>(std::max(0, character_width(rest)));
    if (part.bytes > 0 && part.width + columns > width) break;
    part.width += columns;
    part.bytes += character_bytes(rest);
  }
  return part;
}

}  // namespace polarsim::scenarios::cli::prompt
