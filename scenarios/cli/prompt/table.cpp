#include "scenarios/cli/prompt/table.h"

#include <cctype>

namespace polarsim::scenarios::cli::prompt {

namespace {

LineGlyphs ascii_glyphs() {
  const RuleGlyphs rule{"-", "+", "+", "+"};
  LineGlyphs glyphs;
  glyphs.top = glyphs.header = glyphs.bottom = rule;
  glyphs.data = {"", "|", "|", "|"};
  glyphs.middle_newline = glyphs.middle_wrap = glyphs.middle_blank = "|";
  glyphs.header_newline_left = " ";
  glyphs.header_newline_right = "+";
  glyphs.newline_left = " ";
  glyphs.newline_right = "+";
  glyphs.wrap_left = ".";
  glyphs.wrap_right = ".";
  return glyphs;
}

LineGlyphs old_ascii_glyphs() {
  LineGlyphs glyphs = ascii_glyphs();
  glyphs.middle_newline = ":";
  glyphs.middle_wrap = ";";
  glyphs.middle_blank = " ";
  glyphs.header_newline_left = "+";
  glyphs.header_newline_right = " ";
  glyphs.newline_left = glyphs.newline_right = " ";
  glyphs.wrap_left = glyphs.wrap_right = " ";
  glyphs.wrap_right_border = false;
  return glyphs;
}

LineGlyphs unicode_glyphs(const TableStyle& style) {
  const bool border = style.double_border, column = style.double_column, header = style.double_header;
  const auto pick = [](bool first, bool second, const char* none, const char* only_second, const char* only_first,
                       const char* both) {
    if (first) return std::string(second ? both : only_first);
    return std::string(second ? only_second : none);
  };
  LineGlyphs glyphs;
  glyphs.data = {"", border ? "║" : "│", column ? "║" : "│", border ? "║" : "│"};
  // Where the outer lines meet: (horizontal, vertical) single or double.
  glyphs.top = {border ? "═" : "─", border ? "╔" : "┌", pick(border, column, "┬", "╥", "╤", "╦"), border ? "╗" : "┐"};
  glyphs.bottom = {border ? "═" : "─", border ? "╚" : "└", pick(border, column, "┴", "╨", "╧", "╩"),
                   border ? "╝" : "┘"};
  glyphs.header = {header ? "═" : "─", pick(header, border, "├", "╟", "╞", "╠"),
                   pick(header, column, "┼", "╫", "╪", "╬"), pick(header, border, "┤", "╢", "╡", "╣")};
  glyphs.middle_newline = glyphs.middle_wrap = glyphs.middle_blank = column ? "║" : "│";
  glyphs.header_newline_left = " ";
  glyphs.header_newline_right = "↵";
  glyphs.newline_left = " ";
  glyphs.newline_right = "↵";
  glyphs.wrap_left = glyphs.wrap_right = "…";
  return glyphs;
}

}  // namespace

LineGlyphs glyphs_of(const TableStyle& style) {
  switch (style.line_style) {
    case LineStyle::old_ascii:
      return old_ascii_glyphs();
    case LineStyle::unicode:
      return unicode_glyphs(style);
    case LineStyle::ascii:
      break;
  }
  return ascii_glyphs();
}

std::size_t output_columns(const TableStyle& style) {
  return style.columns > 0 ? style.columns : style.terminal_columns;
}

std::vector<std::string> footers_of(const Table& table, const TableStyle& style) {
  if (!table.footers.empty() || !table.default_footer || !style.default_footer) return table.footers;
  const std::size_t rows = table.rows_before + table.rows();
  return {"(" + std::to_string(rows) + (rows == 1 ? " row)" : " rows)")};
}

std::string with_grouped_digits(const std::string& number) {
  const std::size_t first = number.find_first_not_of("+-");
  if (first == std::string::npos) return number;
  std::size_t end = first;
  while (end < number.size() && std::isdigit(static_cast<unsigned char>(number[end])) != 0) ++end;
  if (end == first) return number;
  std::string grouped = number.substr(0, first);
  for (std::size_t i = first; i < end; ++i) {
    grouped += number[i];
    if (i + 1 < end && (end - i - 1) % 3 == 0) grouped += ',';
  }
  return grouped + number.substr(end);
}

std::string print_table(const Table& table, const TableStyle& style) {
  switch (style.format) {
    case TableFormat::asciidoc:
      return print_asciidoc(table, style);
    case TableFormat::csv:
      return print_csv(table, style);
    case TableFormat::html:
      return print_html(table, style);
    case TableFormat::unaligned:
      return print_unaligned(table, style);
    case TableFormat::aligned:
    case TableFormat::wrapped:
      break;
  }
  // So that a piece of a larger table looks like the others, only the whole of one is turned for lack of space.
  const bool turned = style.expanded == Expanded::on;
  return turned ? print_aligned_expanded(table, style) : print_aligned(table, style);
}

}  // namespace polarsim::scenarios::cli::prompt
