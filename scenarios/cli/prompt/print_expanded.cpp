#include <algorithm>

#include "scenarios/cli/prompt/table.h"
#include "scenarios/cli/prompt/text_width.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

using Cell = std::vector<TextLine>;

std::string blanks(std::size_t count) { return std::string(count, ' '); }

// A record as two columns: names and values.
class ExpandedPrinter {
 public:
  ExpandedPrinter(const Table& table, const TableStyle& style)
      : table_(table),
        style_(style),
        glyphs_(glyphs_of(style)),
        border_(std::min(style.border, 2U)),
        old_(style.line_style == LineStyle::old_ascii) {
    for (const std::string& header : table.headers) {
      headers_.push_back(lines_of_cell(header));
      measure(headers_.back(), name_width_, names_have_lines_);
    }
    for (const std::string& cell : table.cells) measure(lines_of_cell(cell), value_width_, values_have_lines_);
    fit();
  }

  std::string print() {
    if (table_.cells.empty() && table_.starts && table_.stops) return print_nothing();
    if (table_.starts && table_.title && !style_.tuples_only) out_ += *table_.title + "\n";
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      print_record_line(row);
      for (std::size_t i = 0; i < headers_.size(); ++i) {
        print_field(headers_[i], lines_of_cell(table_.cells[row * headers_.size() + i]));
      }
    }
    if (table_.stops) print_end();
    return std::move(out_);
  }

 private:
  static void measure(const Cell& cell, std::size_t& width, bool& has_lines) {
    for (const TextLine& line : cell) width = std::max(width, line.width);
    if (cell.size() > 1) has_lines = true;
  }

  std::string print_nothing() {
    if (!style_.tuples_only) {
      for (const std::string& footer : footers_of(table_, style_)) out_ += footer + "\n";
    }
    return std::move(out_) + "\n";
  }

  // Columns beside name and value: borders, blanks, and the marks of lines that go on.
  std::size_t spacer_width() const {
    std::size_t width = 7;
    if (border_ == 0) {
      width = names_have_lines_ ? 2 : 1;
    } else if (border_ == 1) {
      width = names_have_lines_ && old_ ? 4 : 3;
    }
    if (values_have_lines_ && border_ < 2 && !old_) ++width;
    return width;
  }

  std::size_t record_line_width() const {
    if (style_.tuples_only) return 0;
    const std::size_t digits = table_.rows() > 0 ? std::to_string(table_.rows()).size() : 0;
    return digits + (border_ == 0 ? 9 : border_ == 1 ? 12 : 15);
  }

  // Makes room for the lines between records, and wraps values if they are to be.
  void fit() {
    const std::size_t limit = style_.format == TableFormat::wrapped ? output_columns(style_) : 0;
    const std::size_t record_line = record_line_width();
    while (true) {
      const std::size_t beside = name_width_ + spacer_width();
      const std::size_t natural = std::max(beside + value_width_, record_line);
      const std::size_t least = std::max(beside + 3, record_line);
      const std::size_t width = (limit == 0 || limit >= natural ? natural : std::max(limit, least)) - beside;
      if (width < value_width_ && !values_have_lines_ && border_ < 2 && !old_) {
        // There will be marks, which need a column.
        values_have_lines_ = true;
        continue;
      }
      value_width_ = width;
      return;
    }
  }

  void print_record_line(std::size_t row) {
    const bool first = row == 0 && table_.starts;
    const std::size_t name_width = name_width_ + (border_ < 2 && names_have_lines_ && old_ ? 1 : 0);
    const RuleGlyphs& rule = first ? glyphs_.top : glyphs_.header;
    if (!style_.tuples_only) {
      print_rule(rule, table_.rows_before + row + 1, name_width);
    } else if (!first || border_ == 2) {
      print_rule(rule, 0, name_width);
    }
  }

  // `record`: 0 for none.
  void print_rule(const RuleGlyphs& rule, std::size_t record, std::size_t name_width) {
    const std::string& stroke = border_ > 0 ? rule.horizontal : blank_;
    if (border_ == 2) out_ += rule.left;
    if (border_ > 0) out_ += rule.horizontal;
    std::string label;
    if (record > 0) {
      label = border_ == 0 ? "* Record " + std::to_string(record) : "[ RECORD " + std::to_string(record) + " ]";
      out_ += label;
    }
    auto drawn = static_cast<std::ptrdiff_t>(label.size()) + (border_ != 2 ? 1 : 0);
    const auto names = static_cast<std::ptrdiff_t>(name_width);
    for (std::ptrdiff_t i = drawn; i < names; ++i) out_ += stroke;
    drawn -= names;
    // What the label has not already covered.
    const auto unless_covered = [&](const std::string& text) {
      if (drawn-- <= 0) out_ += text;
    };
    if (border_ > 0) {
      unless_covered(rule.horizontal);
      unless_covered(rule.middle);
      unless_covered(rule.horizontal);
    } else {
      unless_covered(" ");
    }
    for (auto i = std::max<std::ptrdiff_t>(drawn, 0); i < static_cast<std::ptrdiff_t>(value_width_); ++i)
      out_ += stroke;
    if (border_ == 2) out_ += rule.horizontal + rule.right;
    out_ += '\n';
  }

  // How far a value has been printed. At its end it stays at the end of the last line, so that the divider of further
  // lines of the name is that of a wrapped value: as psql draws it.
  struct Progress {
    std::size_t line = 0;
    std::size_t bytes = 0;
    bool done = false;
  };

  void print_field(const Cell& name, const Cell& value) {
    std::size_t name_line = 0;
    Progress at;
    while (name_line < name.size() || !at.done) {
      if (border_ == 2) out_ += glyphs_.data.left;
      print_name(name, name_line);
      if (border_ > 0) {
        out_ += at.bytes > 0 ? glyphs_.middle_wrap : at.line == 0 ? glyphs_.data.middle : glyphs_.middle_newline;
      }
      if (!at.done) {
        print_value(value, at);
      } else if (border_ == 2) {
        out_ += blanks(value_width_) + "  " + glyphs_.data.right;
      }
      out_ += '\n';
    }
  }

  void print_name(const Cell& name, std::size_t& line) {
    const bool mark_at_left = names_have_lines_ && old_;
    const bool mark_at_right = names_have_lines_ && !old_;
    if (line >= name.size()) {
      std::size_t width = name_width_ + border_;
      if (border_ < 2 && mark_at_left) ++width;
      if (border_ == 0 && mark_at_right) ++width;
      // At least one blank, as printf's "%*s" of a blank gives.
      out_ += blanks(std::max<std::size_t>(width, 1));
      return;
    }
    if (border_ == 2 || mark_at_left) out_ += line > 0 ? glyphs_.header_newline_left : blank_;
    out_ += name[line].text + blanks(name_width_ - name[line].width);
    ++line;
    if (border_ > 0 || mark_at_right) out_ += line < name.size() ? glyphs_.header_newline_right : blank_;
  }

  void print_value(const Cell& value, Progress& at) {
    const bool marks = border_ > 1 || (values_have_lines_ && !old_);
    const std::string_view rest = std::string_view(value[at.line].text).substr(at.bytes);
    out_ += at.bytes == 0 ? blank_ : glyphs_.wrap_left;
    const Fitting part = fitting_part(rest, value_width_);
    out_ += rest.substr(0, part.bytes);
    at.bytes += part.bytes;
    const std::string missing = blanks(value_width_ - std::min(value_width_, part.width));
    if (part.bytes < rest.size()) {
      if (marks) out_ += missing + glyphs_.wrap_right;
    } else if (at.line + 1 < value.size()) {
      if (marks) out_ += missing + glyphs_.newline_right;
      ++at.line;
      at.bytes = 0;
    } else {
      if (border_ > 1) out_ += missing + " ";
      at.done = true;
    }
    if (border_ == 2) out_ += glyphs_.data.right;
  }

  void print_end() {
    if (border_ == 2) print_rule(glyphs_.bottom, 0, name_width_);
    if (!style_.tuples_only && !table_.footers.empty()) {
      if (border_ < 2) out_ += '\n';
      for (const std::string& footer : table_.footers) out_ += footer + "\n";
    }
    out_ += '\n';
  }

  const Table& table_;
  const TableStyle& style_;
  const LineGlyphs glyphs_;
  const unsigned border_;
  const bool old_;
  const std::string blank_ = " ";
  std::vector<Cell> headers_;
  std::size_t name_width_ = 0;
  std::size_t value_width_ = 0;
  bool names_have_lines_ = false;
  bool values_have_lines_ = false;
  std::string out_;
};

}  // namespace

std::string print_aligned_expanded(const Table& table, const TableStyle& style) {
  return ExpandedPrinter(table, style).print();
}

}  // namespace polarsim::scenarios::cli::prompt
