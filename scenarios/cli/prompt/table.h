// Tables as psql 15 prints them, byte for byte: aligned, wrapped, unaligned, csv, html and asciidoc.
//
// Pure: a table and a style give a text. Source of the layouts: the documentation of psql, \pset, and PostgreSQL 15's
// fe_utils/print.c; tests compare them with the real psql.
//
// Not made: latex, latex-longtable, troff-ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::scenarios::cli::prompt {

enum class TableFormat : std::uint8_t { aligned, asciidoc, csv, html, unaligned, wrapped };
enum class Expanded : std::uint8_t { off, on, automatic };
enum class LineStyle : std::uint8_t { ascii, old_ascii, unicode };

// \pset
struct TableStyle {
  TableFormat format = TableFormat::aligned;
  Expanded expanded = Expanded::off;
  unsigned border = 1;
  bool tuples_only = false;
  bool default_footer = true;  // "(3 rows)"
  bool numeric_locale = false;
  LineStyle line_style = LineStyle::ascii;
  // Of the unicode style: double lines instead of single ones.
  bool double_border = false;
  bool double_column = false;
  bool double_header = false;
  std::string field_separator = "|";  // unaligned; a NUL byte is a string of one byte
  std::string record_separator = "\n";
  char csv_separator = ',';
  std::string table_attributes;      // html
  std::size_t columns = 0;           // width for wrapped and for expanded auto; 0: `terminal_columns`
  std::size_t terminal_columns = 0;  // of where the table goes to; 0: unknown
};

struct Table {
  std::optional<std::string> title;
  std::vector<std::string> headers;
  std::vector<bool> right;         // for each column: numbers, shown at its right end
  std::vector<std::string> cells;  // row by row
  // Instead of the default footer, which is the number of rows.
  std::vector<std::string> footers;
  bool default_footer = true;
  // Rows that earlier pieces of the same table had, and whether others follow: expanded rows are numbered, headers and
  // footers printed once.
  std::size_t rows_before = 0;
  bool starts = true;
  bool stops = true;

  std::size_t rows_without_columns = 0;
  std::size_t rows() const { return headers.empty() ? rows_without_columns : cells.size() / headers.size(); }
};

std::string print_table(const Table& table, const TableStyle& style);

// Digits in groups of three: 1234.5 -> 1,234.5. Other texts as they are.
std::string with_grouped_digits(const std::string& number);

// For the printers: a table of a format each. Expanded is decided by print_table(), but for aligned ones.
std::string print_aligned(const Table& table, const TableStyle& style);
std::string print_aligned_expanded(const Table& table, const TableStyle& style);
std::string print_unaligned(const Table& table, const TableStyle& style);
std::string print_csv(const Table& table, const TableStyle& style);
std::string print_html(const Table& table, const TableStyle& style);
std::string print_asciidoc(const Table& table, const TableStyle& style);
// What stands below a table: its own footers, or the number of rows.
std::vector<std::string> footers_of(const Table& table, const TableStyle& style);
// How wide aligned output may be; 0: as wide as it gets.
std::size_t output_columns(const TableStyle& style);

// The pieces that aligned tables are drawn with.
struct RuleGlyphs {
  std::string horizontal, left, middle, right;
};
struct LineGlyphs {
  RuleGlyphs top, header, bottom;
  RuleGlyphs data;  // of lines with text; horizontal is empty
  std::string middle_newline, middle_wrap, middle_blank;
  std::string header_newline_left, header_newline_right;
  std::string newline_left, newline_right;
  std::string wrap_left, wrap_right;
  bool wrap_right_border = true;  // the mark of a continued cell stands at its right
};
LineGlyphs glyphs_of(const TableStyle& style);

}  // namespace polarsim::scenarios::cli::prompt
