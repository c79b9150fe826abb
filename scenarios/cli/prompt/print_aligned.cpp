#include <algorithm>
#include <numeric>

#include "scenarios/cli/prompt/table.h"
#include "scenarios/cli/prompt/text_width.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

using Cell = std::vector<TextLine>;

std::size_t width_of(const Cell& cell) {
  std::size_t width = 0;
  for (const TextLine& line : cell) width = std::max(width, line.width);
  return width;
}

std::string blanks(std::size_t count) { return std::string(count, ' '); }

// Why a cell goes on in the next line of its row.
enum class Continued : std::uint8_t { no, newline, wrap };

class AlignedPrinter {
 public:
  AlignedPrinter(const Table& table, const TableStyle& style)
      : table_(table),
        style_(style),
        glyphs_(glyphs_of(style)),
        border_(std::min(style.border, 2U)),
        columns_(table.headers.size()) {
    for (const std::string& header : table.headers) headers_.push_back(lines_of_cell(header));
    for (const Cell& header : headers_) header_widths_.push_back(width_of(header));
    widths_ = header_widths_;
    measure_cells();
    const std::size_t between = border_ == 0   ? columns_
                                : border_ == 1 ? columns_ * 3 - (columns_ > 0 ? 1 : 0)
                                               : columns_ * 3 + 1;
    total_ = std::accumulate(widths_.begin(), widths_.end(), between);
    header_total_ = std::accumulate(header_widths_.begin(), header_widths_.end(), between);
    full_widths_ = widths_;
  }

  // Expanded auto: whether the table is too wide for its place.
  bool too_wide() const {
    const std::size_t limit = output_columns(style_);
    return style_.expanded == Expanded::automatic && limit > 0 && columns_ > 1 &&
           (limit < header_total_ || limit < total_);
  }

  void wrap_to_fit() {
    const std::size_t limit = output_columns(style_);
    if (style_.format != TableFormat::wrapped || limit == 0 || limit < header_total_) return;
    while (total_ > limit) {
      const std::size_t column = column_to_narrow();
      if (column == columns_) return;
      --widths_[column];
      --total_;
    }
  }

  std::string print() {
    if (table_.starts) {
      print_title();
      if (!style_.tuples_only) print_headers();
    }
    for (std::size_t row = 0; columns_ > 0 && row < table_.rows(); ++row) print_row(row);
    if (table_.stops) print_end();
    return std::move(out_);
  }

 private:
  void measure_cells() {
    std::vector<std::size_t> sums(columns_, 0);
    for (std::size_t i = 0; i < table_.cells.size(); ++i) {
      const std::size_t width = width_of(lines_of_cell(table_.cells[i]));
      widths_[i % columns_] = std::max(widths_[i % columns_], width);
      sums[i % columns_] += width;
    }
    averages_ = sums;
    for (std::size_t& average : averages_) average = table_.rows() > 0 ? average / table_.rows() : 0;
  }

  // The one whose widest cell stands out most: narrowing it wraps the fewest cells. `columns_` if none can be.
  std::size_t column_to_narrow() const {
    std::size_t worst = columns_;
    double worst_ratio = 0;
    for (std::size_t i = 0; i < columns_; ++i) {
      if (averages_[i] == 0 || widths_[i] <= header_widths_[i]) continue;
      const double ratio = static_cast<double>(widths_[i]) / static_cast<double>(averages_[i]) +
                           static_cast<double>(full_widths_[i]) * 0.01;
      if (ratio <= worst_ratio) continue;
      worst_ratio = ratio;
      worst = i;
    }
    return worst;
  }

  void print_title() {
    if (!table_.title || style_.tuples_only) return;
    const std::size_t width = width_of(lines_of_cell(*table_.title));
    if (width < total_) out_ += blanks((total_ - width) / 2);
    out_ += *table_.title + "\n";
  }

  void print_rule(const RuleGlyphs& rule) {
    if (border_ == 1) {
      out_ += rule.horizontal;
    } else if (border_ == 2) {
      out_ += rule.left + rule.horizontal;
    }
    for (std::size_t i = 0; i < columns_; ++i) {
      for (std::size_t drawn = 0; drawn < widths_[i]; ++drawn) out_ += rule.horizontal;
      if (i + 1 == columns_) break;
      out_ += border_ == 0 ? std::string(" ") : rule.horizontal + rule.middle + rule.horizontal;
    }
    if (border_ == 2) {
      out_ += rule.horizontal + rule.right;
    } else if (border_ == 1) {
      out_ += rule.horizontal;
    }
    out_ += '\n';
  }

  void print_headers() {
    if (border_ == 2) print_rule(glyphs_.top);
    std::size_t lines = 0;
    for (const Cell& header : headers_) lines = std::max(lines, header.size());
    for (std::size_t line = 0; line < lines; ++line) {
      if (border_ == 2) out_ += glyphs_.data.left;
      for (std::size_t i = 0; i < columns_; ++i) print_header_cell(i, line);
      if (border_ == 2) out_ += glyphs_.data.right;
      out_ += '\n';
    }
    print_rule(glyphs_.header);
  }

  void print_header_cell(std::size_t column, std::size_t line) {
    const Cell& header = headers_[column];
    if (border_ != 0 || (!glyphs_.wrap_right_border && column > 0)) {
      out_ += line > 0 ? glyphs_.header_newline_left : " ";
    }
    if (line < header.size()) {
      const std::size_t spare = widths_[column] - header[line].width;
      out_ += blanks(spare / 2) + header[line].text + blanks((spare + 1) / 2);
    } else {
      out_ += blanks(widths_[column]);
    }
    if (border_ != 0 || glyphs_.wrap_right_border) {
      out_ += line + 1 < header.size() ? glyphs_.header_newline_right : " ";
    }
    if (border_ != 0 && column + 1 < columns_) out_ += glyphs_.data.middle;
  }

  // How far a cell of the current row has been printed.
  struct Progress {
    Cell lines;
    std::size_t line = 0;
    std::size_t bytes = 0;  // of that line
    Continued continued = Continued::no;
    bool done() const { return line >= lines.size(); }
  };

  void print_row(std::size_t row) {
    std::vector<Progress> cells(columns_);
    for (std::size_t i = 0; i < columns_; ++i) cells[i].lines = lines_of_cell(table_.cells[row * columns_ + i]);
    bool more = true;
    while (more) {
      more = false;
      if (border_ == 2) out_ += glyphs_.data.left;
      for (std::size_t i = 0; i < columns_; ++i) {
        print_piece(i, cells);
        more = more || !cells[i].done();
      }
      if (border_ == 2) out_ += glyphs_.data.right;
      out_ += '\n';
    }
  }

  void print_piece(std::size_t column, std::vector<Progress>& cells) {
    Progress& cell = cells[column];
    const bool last = column + 1 == columns_;
    const bool blanks_at_end = border_ == 2 || !last;
    if (border_ != 0) {
      out_ += cell.continued == Continued::wrap      ? glyphs_.wrap_left
              : cell.continued == Continued::newline ? glyphs_.newline_left
                                                     : std::string(" ");
    }
    std::size_t missing = widths_[column];
    const bool right = table_.right[column];
    if (cell.done()) {
      if (blanks_at_end) out_ += blanks(missing);
      cell.continued = Continued::no;
    } else {
      const std::string_view rest = std::string_view(cell.lines[cell.line].text).substr(cell.bytes);
      const Fitting part = fitting_part(rest, widths_[column]);
      missing -= std::min(missing, part.width);
      if (right) out_ += blanks(missing);
      out_ += rest.substr(0, part.bytes);
      advance(cell, part.bytes, rest.size());
      if (!right && (blanks_at_end || cell.continued != Continued::no)) out_ += blanks(missing);
    }
    if (cell.continued != Continued::no) {
      out_ += cell.continued == Continued::wrap ? glyphs_.wrap_right : glyphs_.newline_right;
    } else if (blanks_at_end) {
      out_ += ' ';
    }
    if (border_ != 0 && !last) out_ += divider_before(cells[column + 1]);
  }

  static void advance(Progress& cell, std::size_t printed, std::size_t rest) {
    if (printed < rest) {
      cell.bytes += printed;
      cell.continued = Continued::wrap;
      return;
    }
    cell.bytes = 0;
    ++cell.line;
    cell.continued = cell.done() ? Continued::no : Continued::newline;
  }

  const std::string& divider_before(const Progress& next) const {
    if (next.continued == Continued::wrap) return glyphs_.middle_wrap;
    if (next.continued == Continued::newline) return glyphs_.middle_newline;
    return next.done() ? glyphs_.middle_blank : glyphs_.data.middle;
  }

  void print_end() {
    if (border_ == 2) print_rule(glyphs_.bottom);
    if (!style_.tuples_only) {
      for (const std::string& footer : footers_of(table_, style_)) out_ += footer + "\n";
    }
    out_ += '\n';
  }

  const Table& table_;
  const TableStyle& style_;
  const LineGlyphs glyphs_;
  const unsigned border_;
  const std::size_t columns_;
  std::vector<Cell> headers_;
  std::vector<std::size_t> header_widths_;
  std::vector<std::size_t> averages_;
  std::vector<std::size_t> full_widths_;  // before wrapping
  std::vector<std::size_t> widths_;
  std::size_t total_ = 0;
  std::size_t header_total_ = 0;
  std::string out_;
};

}  // namespace

std::string print_aligned(const Table& table, const TableStyle& style) {
  AlignedPrinter printer(table, style);
  printer.wrap_to_fit();
  if (printer.too_wide()) return print_aligned_expanded(table, style);
  return printer.print();
}

}  // namespace polarsim::scenarios::cli::prompt
