// Formats without layout: unaligned, csv, html, asciidoc.
#include <cctype>

#include "scenarios/cli/prompt/table.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// Rows of an unaligned table are separated, not ended, by the record separator; the last one ends with a line feed,
// unless the separator is a NUL byte.
class Records {
 public:
  explicit Records(const TableStyle& style) : style_(style) {}
  std::string& next() {
    if (some_) out_ += style_.record_separator;
    some_ = true;
    return out_;
  }
  std::string finish(bool last) {
    if (!last || !some_) return std::move(out_);
    return std::move(out_) + (style_.record_separator == std::string(1, '\0') ? style_.record_separator : "\n");
  }

 private:
  const TableStyle& style_;
  std::string out_;
  bool some_ = false;
};

std::string unaligned_rows(const Table& table, const TableStyle& style) {
  Records records(style);
  if (table.starts && !style.tuples_only) {
    if (table.title) records.next() += *table.title;
    std::string& out = records.next();
    for (std::size_t i = 0; i < table.headers.size(); ++i) {
      if (i > 0) out += style.field_separator;
      out += table.headers[i];
    }
  }
  for (std::size_t row = 0; !table.headers.empty() && row < table.rows(); ++row) {
    std::string& out = records.next();
    for (std::size_t i = 0; i < table.headers.size(); ++i) {
      if (i > 0) out += style.field_separator;
      out += table.cells[row * table.headers.size() + i];
    }
  }
  if (table.stops && !style.tuples_only) {
    for (const std::string& footer : footers_of(table, style)) records.next() += footer;
  }
  return records.finish(table.stops);
}

std::string unaligned_records(const Table& table, const TableStyle& style) {
  Records records(style);
  if (table.starts && table.title && !style.tuples_only) records.next() += *table.title;
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const std::size_t column = i % table.headers.size();
    // An empty line between records; what is before the first counts as one of the title.
    if (column == 0 && (i > 0 || !table.starts || (table.title && !style.tuples_only))) records.next();
    records.next() += table.headers[column] + style.field_separator + table.cells[i];
  }
  if (table.stops && !style.tuples_only) {
    if (!table.footers.empty()) {
      records.next();
      for (const std::string& footer : table.footers) records.next() += footer;
    }
  }
  return records.finish(table.stops);
}

std::string csv_field(const std::string& text, char separator) {
  const std::string special = std::string("\"\n\r") + separator;
  // A line "\." alone would end the data of COPY.
  if (text.find_first_of(special) == std::string::npos && text != "\\.") return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string html_text(const std::string& text) {
  std::string out;
  bool leading = true;
  for (const char c : text) {
    if (c != ' ') leading = false;
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\n':
        out += "<br />\n";
        break;
      case '"':
        out += "&quot;";
        break;
      case ' ':
        out += leading ? "&nbsp;" : " ";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_cell(const Table& table, std::size_t index) {
  const std::string& cell = table.cells[index];
  const std::string text = cell.find_first_not_of(" \t") == std::string::npos ? "&nbsp; " : html_text(cell);
  return std::string("align=\"") + (table.right[index % table.headers.size()] ? "right" : "left") + "\">" + text +
         "</td>\n";
}

std::string html_begin(const Table& table, const TableStyle& style) {
  std::string out = "<table border=\"" + std::to_string(style.border) + "\"";
  if (!style.table_attributes.empty()) out += " " + style.table_attributes;
  out += ">\n";
  if (table.title && !style.tuples_only) out += "  <caption>" + html_text(*table.title) + "</caption>\n";
  return out;
}

std::string html_end(const std::vector<std::string>& footers, const TableStyle& style) {
  std::string out = "</table>\n";
  if (!style.tuples_only && !footers.empty()) {
    out += "<p>";
    for (const std::string& footer : footers) out += html_text(footer) + "<br />\n";
    out += "</p>";
  }
  return out + "\n";
}

std::string html_rows(const Table& table, const TableStyle& style) {
  std::string out;
  if (table.starts) {
    out += html_begin(table, style);
    if (!style.tuples_only) {
      out += "  <tr>\n";
      for (const std::string& header : table.headers) {
        out += "    <th align=\"center\">" + html_text(header) + "</th>\n";
      }
      out += "  </tr>\n";
    }
  }
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    if (i % table.headers.size() == 0) out += "  <tr valign=\"top\">\n";
    out += "    <td " + html_cell(table, i);
    if ((i + 1) % table.headers.size() == 0) out += "  </tr>\n";
  }
  if (table.stops) out += html_end(footers_of(table, style), style);
  return out;
}

std::string html_records(const Table& table, const TableStyle& style) {
  std::string out;
  if (table.starts) out += html_begin(table, style);
  std::size_t record = table.rows_before;
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const std::size_t column = i % table.headers.size();
    if (column == 0) {
      ++record;
      out += style.tuples_only
                 ? "\n  <tr><td colspan=\"2\">&nbsp;</td></tr>\n"
                 : "\n  <tr><td colspan=\"2\" align=\"center\">Record " + std::to_string(record) + "</td></tr>\n";
    }
    out += "  <tr valign=\"top\">\n    <th>" + html_text(table.headers[column]) + "</th>\n    <td " +
           html_cell(table, i) + "  </tr>\n";
  }
  if (table.stops) out += html_end(table.footers, style);
  return out;
}

std::string asciidoc_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

bool only_blanks(const std::string& text) { return text.find_first_not_of(" \t") == std::string::npos; }

std::string asciidoc_borders(const TableStyle& style) {
  if (style.border == 0) return ",frame=\"none\",grid=\"none\"";
  if (style.border == 1) return ",frame=\"none\"";
  return style.border == 2 ? ",frame=\"all\",grid=\"all\"" : "";
}

std::string asciidoc_footers(const std::vector<std::string>& footers, const TableStyle& style) {
  if (style.tuples_only || footers.empty()) return "";
  std::string out = "\n....\n";
  for (const std::string& footer : footers) out += footer + "\n";
  return out + "....\n";
}

std::string asciidoc_rows(const Table& table, const TableStyle& style) {
  std::string out;
  if (table.starts) {
    out += "\n";
    if (table.title && !style.tuples_only) out += "." + *table.title + "\n";
    out += std::string("[") + (style.tuples_only ? "" : "options=\"header\",") + "cols=\"";
    for (std::size_t i = 0; i < table.headers.size(); ++i) {
      if (i > 0) out += ",";
      out += table.right[i] ? ">l" : "<l";
    }
    out += "\"" + asciidoc_borders(style) + "]\n|====\n";
    if (!style.tuples_only) {
      for (std::size_t i = 0; i < table.headers.size(); ++i) {
        out += std::string(i > 0 ? " " : "") + "^l|" + asciidoc_text(table.headers[i]);
      }
      out += "\n";
    }
  }
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const bool last = (i + 1) % table.headers.size() == 0;
    out += i % table.headers.size() == 0 ? "|" : " |";
    if (only_blanks(table.cells[i])) {
      if (!last) out += " ";
    } else {
      out += asciidoc_text(table.cells[i]);
    }
    if (last) out += "\n";
  }
  out += "|====\n";
  return table.stops ? out + asciidoc_footers(footers_of(table, style), style) : out;
}

std::string asciidoc_records(const Table& table, const TableStyle& style) {
  std::string out;
  if (table.starts) {
    out += "\n";
    if (table.title && !style.tuples_only) out += "." + *table.title + "\n";
    out += "[cols=\"h,l\"" + asciidoc_borders(style) + "]\n|====\n";
  }
  std::size_t record = table.rows_before;
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const std::size_t column = i % table.headers.size();
    if (column == 0) {
      ++record;
      out += style.tuples_only ? "2+|\n" : "2+^|Record " + std::to_string(record) + "\n";
    }
    out += "<l|" + asciidoc_text(table.headers[column]) + " " + (table.right[column] ? ">l" : "<l") + "|";
    out += (only_blanks(table.cells[i]) ? " " : asciidoc_text(table.cells[i])) + "\n";
  }
  out += "|====\n";
  return table.stops ? out + asciidoc_footers(table.footers, style) : out;
}

}  // namespace

std::string print_unaligned(const Table& table, const TableStyle& style) {
  return style.expanded == Expanded::on ? unaligned_records(table, style) : unaligned_rows(table, style);
}

std::string print_csv(const Table& table, const TableStyle& style) {
  const char separator = style.csv_separator;
  std::string out;
  if (style.expanded == Expanded::on) {
    for (std::size_t i = 0; i < table.cells.size(); ++i) {
      out += csv_field(table.headers[i % table.headers.size()], separator) + separator +
             csv_field(table.cells[i], separator) + "\n";
    }
    return out;
  }
  const auto line = [&](const std::vector<std::string>& texts, std::size_t first) {
    for (std::size_t i = 0; i < table.headers.size(); ++i) {
      if (i > 0) out += separator;
      out += csv_field(texts[first + i], separator);
    }
    out += '\n';
  };
  if (table.starts && !style.tuples_only) line(table.headers, 0);
  for (std::size_t row = 0; !table.headers.empty() && row < table.rows(); ++row)
    line(table.cells, row * table.headers.size());
  return out;
}

std::string print_html(const Table& table, const TableStyle& style) {
  return style.expanded == Expanded::on ? html_records(table, style) : html_rows(table, style);
}

std::string print_asciidoc(const Table& table, const TableStyle& style) {
  return style.expanded == Expanded::on ? asciidoc_records(table, style) : asciidoc_rows(table, style);
}

}  // namespace polarsim::scenarios::cli::prompt
