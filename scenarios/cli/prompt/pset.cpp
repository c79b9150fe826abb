#include "scenarios/cli/prompt/pset.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <iterator>

#include "scenarios/cli/prompt/backslash.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

using Value = std::optional<std::string>;

const std::vector<std::string> format_names{"aligned", "asciidoc", "csv", "html", "unaligned", "wrapped"};
const std::vector<std::string> pager_names{"off", "on", "always"};
const std::string newline = "\n";
const std::string zero_byte(1, '\0');

std::string on_off(bool on) { return on ? "on" : "off"; }
std::string single_double(bool twice) { return twice ? "double" : "single"; }

std::string expanded_name(Expanded expanded) {
  return expanded == Expanded::automatic ? "auto" : on_off(expanded == Expanded::on);
}

std::string line_style_name(LineStyle style) {
  return style == LineStyle::unicode ? "unicode" : style == LineStyle::old_ascii ? "old-ascii" : "ascii";
}

std::string format_name(TableFormat format) { return format_names[static_cast<std::size_t>(format)]; }

// As a value of \pset.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "\\'";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool begins(const std::string& whole, const std::string& text) {
  return text.size() <= whole.size() && std::equal(text.begin(), text.end(), whole.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

int number_of(const Value& value) { return std::atoi(value->c_str()); }

// Sets a switch, or turns it over.
std::string change_switch(bool& on, const std::string& name, const Value& value) {
  on = value ? boolean_value(*value, name) : !on;
  return "";
}

std::string change_unicode(bool& twice, const std::string& what, const Value& value) {
  if (!value) return "";
  if (begins("single", *value) || begins("double", *value)) {
    twice = begins("double", *value);
    return "";
  }
  return "\\pset: allowed Unicode " + what + " line styles are single, double";
}

std::string change_format(TableFormat& format, const Value& value) {
  if (!value) return "";
  std::size_t found = format_names.size();
  for (std::size_t i = 0; i < format_names.size(); ++i) {
    if (!begins(format_names[i], *value)) continue;
    if (found < format_names.size()) {
      return "\\pset: ambiguous abbreviation \"" + *value + "\" matches both \"" + format_names[found] + "\" and \"" +
             format_names[i] + "\"";
    }
    found = i;
  }
  if (found == format_names.size()) {
    return "\\pset: allowed formats are aligned, asciidoc, csv, html, unaligned, wrapped";
  }
  format = static_cast<TableFormat>(found);
  return "";
}

std::string change_line_style(LineStyle& style, const Value& value) {
  if (!value) return "";
  if (begins("ascii", *value)) {
    style = LineStyle::ascii;
  } else if (begins("old-ascii", *value)) {
    style = LineStyle::old_ascii;
  } else if (begins("unicode", *value)) {
    style = LineStyle::unicode;
  } else {
    return "\\pset: allowed line styles are ascii, old-ascii, unicode";
  }
  return "";
}

std::string change_expanded(Expanded& expanded, const std::string& name, const Value& value) {
  if (!value) {
    expanded = expanded == Expanded::off ? Expanded::on : Expanded::off;
  } else if (*value == "auto") {
    expanded = Expanded::automatic;
  } else if (const auto on = boolean_of(*value)) {
    expanded = *on ? Expanded::on : Expanded::off;
  } else {
    return "unrecognized value \"" + *value + "\" for \"" + name + "\"\nAvailable values are: on, off, auto.";
  }
  return "";
}

std::string change_pager(std::size_t& pager, const std::string& name, const Value& value) {
  if (!value) {
    pager = pager == 1 ? 0 : 1;
  } else if (*value == "always") {
    pager = 2;
  } else if (const auto on = boolean_of(*value)) {
    pager = *on ? 1 : 0;
  } else {
    return "unrecognized value \"" + *value + "\" for \"" + name + "\"\nAvailable values are: on, off, always.";
  }
  return "";
}

std::string change_csv_separator(char& separator, const Value& value) {
  if (!value) return "";
  if (value->size() != 1) return "\\pset: csv_fieldsep must be a single one-byte character";
  if ((*value)[0] == '"' || (*value)[0] == '\n' || (*value)[0] == '\r') {
    return "\\pset: csv_fieldsep cannot be a double quote, a newline, or a carriage return";
  }
  separator = (*value)[0];
  return "";
}

struct Setting {
  const char* name;
  const char* other_name;  // null: none
  std::function<std::string(DisplaySettings&, const std::string& name, const Value&)> change;
  std::function<std::string(const DisplaySettings&)> value;     // in the list
  std::function<std::string(const DisplaySettings&)> sentence;  // "Border style is 1."
  // A value given is taken over without a word.
  bool silent_with_value = false;
};

std::string separator_sentence(const char* what, const std::string& separator) {
  if (separator == zero_byte) return std::string(what) + " is zero byte.";
  if (separator == newline && std::string(what) == "Record separator") return "Record separator is <newline>.";
  return std::string(what) + " is \"" + separator + "\".";
}

// The value, or how things are without one.
std::string text_or_unset(const char* what, bool set, const std::string& text, const char* verb, const char* unset) {
  return set ? std::string(what) + " " + verb + " \"" + text + "\"." : std::string(what) + " " + unset + ".";
}

// clang-format off
const std::vector<Setting>& settings() {
  using D = DisplaySettings;
  static const std::vector<Setting> all{
      {"border", nullptr,
       [](D& d, const std::string&, const Value& v) { if (v) d.style.border = static_cast<unsigned>(std::max(0, number_of(v))); return std::string(); },
       [](const D& d) { return std::to_string(d.style.border); },
       [](const D& d) { return "Border style is " + std::to_string(d.style.border) + "."; }},
      {"columns", nullptr,
       [](D& d, const std::string&, const Value& v) { if (v) d.style.columns = static_cast<std::size_t>(std::max(0, number_of(v))); return std::string(); },
       [](const D& d) { return std::to_string(d.style.columns); },
       [](const D& d) { return d.style.columns == 0 ? "Target width is unset." : "Target width is " + std::to_string(d.style.columns) + "."; }},
      {"csv_fieldsep", nullptr,
       [](D& d, const std::string&, const Value& v) { return change_csv_separator(d.style.csv_separator, v); },
       [](const D& d) { return quoted(std::string(1, d.style.csv_separator)); },
       [](const D& d) { return std::string("Field separator for CSV is \"") + d.style.csv_separator + "\"."; }},
      {"expanded", "x",
       [](D& d, const std::string& n, const Value& v) { return change_expanded(d.style.expanded, n, v); },
       [](const D& d) { return expanded_name(d.style.expanded); },
       [](const D& d) { return d.style.expanded == Expanded::automatic ? "Expanded display is used automatically." : "Expanded display is " + expanded_name(d.style.expanded) + "."; }},
      {"fieldsep", nullptr,
       [](D& d, const std::string&, const Value& v) { if (v) d.style.field_separator = *v; return std::string(); },
       [](const D& d) { return quoted(d.style.field_separator == zero_byte ? "" : d.style.field_separator); },
       [](const D& d) { return separator_sentence("Field separator", d.style.field_separator); }},
      {"fieldsep_zero", nullptr,
       [](D& d, const std::string&, const Value&) { d.style.field_separator = zero_byte; return std::string(); },
       [](const D& d) { return on_off(d.style.field_separator == zero_byte); },
       [](const D& d) { return separator_sentence("Field separator", d.style.field_separator); }},
      {"footer", nullptr,
       [](D& d, const std::string& n, const Value& v) { return change_switch(d.style.default_footer, n, v); },
       [](const D& d) { return on_off(d.style.default_footer); },
       [](const D& d) { return "Default footer is " + on_off(d.style.default_footer) + "."; }, true},
      {"format", nullptr,
       [](D& d, const std::string&, const Value& v) { return change_format(d.style.format, v); },
       [](const D& d) { return format_name(d.style.format); },
       [](const D& d) { return "Output format is " + format_name(d.style.format) + "."; }},
      {"linestyle", nullptr,
       [](D& d, const std::string&, const Value& v) { return change_line_style(d.style.line_style, v); },
       [](const D& d) { return line_style_name(d.style.line_style); },
       [](const D& d) { return "Line style is " + line_style_name(d.style.line_style) + "."; }},
      {"null", nullptr,
       [](D& d, const std::string&, const Value& v) { if (v) d.null_text = *v; return std::string(); },
       [](const D& d) { return quoted(d.null_text); },
       [](const D& d) { return "Null display is \"" + d.null_text + "\"."; }},
      {"numericlocale", nullptr,
       [](D& d, const std::string& n, const Value& v) { return change_switch(d.style.numeric_locale, n, v); },
       [](const D& d) { return on_off(d.style.numeric_locale); },
       [](const D& d) { return "Locale-adjusted numeric output is " + on_off(d.style.numeric_locale) + "."; }, true},
      {"pager", nullptr,
       [](D& d, const std::string& n, const Value& v) { return change_pager(d.pager, n, v); },
       [](const D& d) { return std::to_string(d.pager); },
       [](const D& d) { return std::string(d.pager == 0 ? "Pager usage is off." : d.pager == 1 ? "Pager is used for long output." : "Pager is always used."); }},
      {"pager_min_lines", nullptr,
       [](D& d, const std::string&, const Value& v) { if (v) d.pager_min_lines = static_cast<std::size_t>(std::max(0, number_of(v))); return std::string(); },
       [](const D& d) { return std::to_string(d.pager_min_lines); },
       [](const D& d) { return "Pager won't be used for less than " + std::to_string(d.pager_min_lines) + (d.pager_min_lines == 1 ? " line." : " lines."); }},
      {"recordsep", nullptr,
       [](D& d, const std::string&, const Value& v) { if (v) d.style.record_separator = *v; return std::string(); },
       [](const D& d) { return quoted(d.style.record_separator == zero_byte ? "" : d.style.record_separator); },
       [](const D& d) { return separator_sentence("Record separator", d.style.record_separator); }},
      {"recordsep_zero", nullptr,
       [](D& d, const std::string&, const Value&) { d.style.record_separator = zero_byte; return std::string(); },
       [](const D& d) { return on_off(d.style.record_separator == zero_byte); },
       [](const D& d) { return separator_sentence("Record separator", d.style.record_separator); }},
      {"tableattr", "T",
       [](D& d, const std::string&, const Value& v) { d.style.table_attributes = v.value_or(""); return std::string(); },
       [](const D& d) { return d.style.table_attributes.empty() ? "" : quoted(d.style.table_attributes); },
       [](const D& d) { return text_or_unset("Table attributes", !d.style.table_attributes.empty(), d.style.table_attributes, "are", "unset"); }},
      {"title", "C",
       [](D& d, const std::string&, const Value& v) { d.title = v; return std::string(); },
       [](const D& d) { return d.title ? quoted(*d.title) : ""; },
       [](const D& d) { return text_or_unset("Title", d.title.has_value(), d.title.value_or(""), "is", "is unset"); }},
      {"tuples_only", "t",
       [](D& d, const std::string& n, const Value& v) { return change_switch(d.style.tuples_only, n, v); },
       [](const D& d) { return on_off(d.style.tuples_only); },
       [](const D& d) { return "Tuples only is " + on_off(d.style.tuples_only) + "."; }, true},
      {"unicode_border_linestyle", nullptr,
       [](D& d, const std::string&, const Value& v) { return change_unicode(d.style.double_border, "border", v); },
       [](const D& d) { return single_double(d.style.double_border); },
       [](const D& d) { return "Unicode border line style is \"" + single_double(d.style.double_border) + "\"."; }},
      {"unicode_column_linestyle", nullptr,
       [](D& d, const std::string&, const Value& v) { return change_unicode(d.style.double_column, "column", v); },
       [](const D& d) { return single_double(d.style.double_column); },
       [](const D& d) { return "Unicode column line style is \"" + single_double(d.style.double_column) + "\"."; }},
      {"unicode_header_linestyle", nullptr,
       [](D& d, const std::string&, const Value& v) { return change_unicode(d.style.double_header, "header", v); },
       [](const D& d) { return single_double(d.style.double_header); },
       [](const D& d) { return "Unicode header line style is \"" + single_double(d.style.double_header) + "\"."; }},
  };
  return all;
}
// clang-format on

const Setting* find_setting(const std::string& name) {
  if (name == "vertical") return find_setting("expanded");
  const auto found = std::find_if(settings().begin(), settings().end(), [&](const Setting& setting) {
    return name == setting.name || (setting.other_name != nullptr && name == setting.other_name);
  });
  return found == settings().end() ? nullptr : &*found;
}

}  // namespace

DisplaySettings display_of(const Session& session) {
  return {session.style, session.null_text, session.title, session.pager, session.pager_min_lines};
}

std::string change_display(DisplaySettings& display, const std::string& name, const Value& value) {
  const Setting* const setting = find_setting(name);
  if (setting == nullptr) return "\\pset: unknown option: " + name;
  try {
    return setting->change(display, name, value);
  } catch (const Variables::Refusal& refusal) {
    return refusal.message;
  }
}

bool change_display(Session& session, const std::string& name, const Value& value) {
  DisplaySettings display = display_of(session);
  const std::string problem = change_display(display, name, value);
  if (!problem.empty()) {
    session.error(problem);
    return false;
  }
  session.style = display.style;
  session.null_text = display.null_text;
  session.title = display.title;
  session.pager = display.pager;
  session.pager_min_lines = display.pager_min_lines;
  const Setting* const setting = find_setting(name);
  if (!session.settings.quiet && !(value && setting->silent_with_value)) {
    session.say(setting->sentence(display) + "\n");
  }
  return true;
}

std::vector<std::string> display_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings()) names.emplace_back(setting.name);
  return names;
}

std::vector<std::string> table_format_names() { return format_names; }

CommandResult command_pset(CommandCall& call) {
  const auto name = call.argument(ArgumentKind::normal, false);
  const auto value = call.argument(ArgumentKind::normal, false);
  if (!name) {
    const DisplaySettings display = display_of(call.session);
    std::string list;
    for (const Setting& setting : settings()) {
      std::string line = setting.name;
      line.resize(25, ' ');
      list += line + setting.value(display) + "\n";
    }
    call.session.say(list);
    return CommandResult::done;
  }
  return change_display(call.session, *name, value) ? CommandResult::done : CommandResult::failed;
}

CommandResult command_display(CommandCall& call) {
  const auto value = call.name == "a" || call.name == "H" || call.name == "html"
                         ? std::nullopt
                         : call.argument(ArgumentKind::normal, call.name == "x" || call.name == "t");
  const TableFormat format = call.session.style.format;
  std::string name = call.name;
  std::optional<std::string> argument = value;
  if (call.name == "a") {
    name = "format";
    argument = format == TableFormat::aligned ? "unaligned" : "aligned";
  } else if (call.name == "H" || call.name == "html") {
    name = "format";
    argument = format == TableFormat::html ? "aligned" : "html";
  } else if (call.name == "f") {
    name = "fieldsep";
  }
  return change_display(call.session, name, argument) ? CommandResult::done : CommandResult::failed;
}

}  // namespace polarsim::scenarios::cli::prompt
