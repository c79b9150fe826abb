#include "scenarios/cli/prompt/crosstab.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "scenarios/cli/prompt/statements.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

struct Problem {
  std::string message;
};

constexpr std::size_t columns_max = 1600;

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// In double quotes as it is, otherwise in lower case (dequote_downcase_identifier()).
std::string identifier(const std::string& written) {
  std::string name;
  bool quoted = false;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const char c = written[i];
    if (c == '"') {
      if (quoted && i + 1 < written.size() && written[i + 1] == '"') {
        name += written[++i];
      } else {
        quoted = !quoted;
      }
    } else {
      name += !quoted && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return name;
}

std::size_t column_of(const Answer& answer, const std::string& written) {
  const std::size_t count = answer.columns.size();
  if (is_digits(written)) {
    const int number = std::atoi(written.c_str());
    if (number < 1 || static_cast<std::size_t>(number) > count)
      throw Problem{fmt::format("column number {} is out of range 1..{}", number, count)};
    return static_cast<std::size_t>(number) - 1;
  }
  const std::string name = identifier(written);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < count; ++i) {
    if (answer.columns[i].name != name) continue;
    if (found) throw Problem{fmt::format("ambiguous column name: \"{}\"", name)};
    found = i;
  }
  if (!found) throw Problem{fmt::format("column name not found: \"{}\"", name)};
  return *found;
}

// Which columns of the answer are what.
struct Fields {
  std::size_t row = 0;
  std::size_t column = 1;
  std::size_t cell = 2;
  std::optional<std::size_t> order;
};

Fields fields_of(const Answer& answer, const CrosstabColumns& wanted) {
  if (answer.columns.size() < 3) throw Problem{"query must return at least three columns"};
  Fields fields;
  if (wanted[0]) fields.row = column_of(answer, *wanted[0]);
  if (wanted[1]) fields.column = column_of(answer, *wanted[1]);
  if (fields.row == fields.column) throw Problem{"vertical and horizontal headers must be different columns"};
  if (wanted[2]) {
    fields.cell = column_of(answer, *wanted[2]);
  } else {
    if (answer.columns.size() != 3)
      throw Problem{"data column must be specified when query returns more than three columns"};
    fields.cell = 3 - fields.row - fields.column;
  }
  if (wanted[3]) fields.order = column_of(answer, *wanted[3]);
  return fields;
}

// The values of a header, in the order of their first appearance, and where each stands.
class Header {
 public:
  void add(const AnswerValue& value, const AnswerValue& order) {
    if (!places_.emplace(value, values_.size()).second) return;
    values_.push_back(value);
    orders_.push_back(order);
  }
  // By numbers; what is none counts as 0.
  void sort_by_order() {
    const auto number = [](const AnswerValue& text) {
      if (!text) return 0;
      const std::string_view digits = std::string_view(*text).substr(text->starts_with('-') ? 1 : 0);
      return is_digits(digits) ? std::atoi(text->c_str()) : 0;
    };
    // By the number, and among equals by name.
    std::vector<std::pair<int, const AnswerValue*>> sorted;
    for (const auto& [value, place] : places_) sorted.emplace_back(number(orders_[place]), &value);
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : *a.second < *b.second;
    });
    std::vector<AnswerValue> values;
    for (const auto& [order, value] : sorted) values.push_back(*value);
    values_ = std::move(values);
    for (std::size_t i = 0; i < values_.size(); ++i) places_.at(values_[i]) = i;
  }
  std::size_t place(const AnswerValue& value) const { return places_.at(value); }
  const std::vector<AnswerValue>& values() const { return values_; }

 private:
  std::map<AnswerValue, std::size_t> places_;
  std::vector<AnswerValue> values_;
  std::vector<AnswerValue> orders_;
};

Table pivoted(const Answer& answer, const Fields& fields, const std::string& null_text) {
  const auto value = [&](std::size_t row, std::size_t field) -> const AnswerValue& {
    return answer.values[row * answer.columns.size() + field];
  };
  Header rows;
  Header columns;
  for (std::size_t i = 0; i < answer.rows; ++i) {
    columns.add(value(i, fields.column), fields.order ? value(i, *fields.order) : std::nullopt);
    if (columns.values().size() > columns_max)
      throw Problem{fmt::format("maximum number of columns ({}) exceeded", columns_max)};
    rows.add(value(i, fields.row), std::nullopt);
  }
  if (fields.order) columns.sort_by_order();

  Table table;
  table.headers.push_back(answer.columns[fields.row].name);
  table.right.push_back(is_shown_right(answer.columns[fields.row].type));
  for (const AnswerValue& header : columns.values()) {
    table.headers.push_back(header.value_or(null_text));
    table.right.push_back(is_shown_right(answer.columns[fields.cell].type));
  }
  const std::size_t width = table.headers.size();
  std::vector<AnswerValue> cells(rows.values().size() * width);
  for (std::size_t i = 0; i < rows.values().size(); ++i) cells[i * width] = rows.values()[i].value_or(null_text);
  for (std::size_t i = 0; i < answer.rows; ++i) {
    const AnswerValue& row = value(i, fields.row);
    const AnswerValue& column = value(i, fields.column);
    AnswerValue& cell = cells[rows.place(row) * width + 1 + columns.place(column)];
    if (cell) {
      const auto shown = [&](const AnswerValue& name) {
        return name.value_or(null_text.empty() ? "(null)" : null_text);
      };
      throw Problem{fmt::format("query result contains multiple data values for row \"{}\", column \"{}\"", shown(row),
                                shown(column))};
    }
    cell = value(i, fields.cell).value_or(null_text);
  }
  for (AnswerValue& cell : cells) table.cells.push_back(std::move(cell).value_or(""));
  return table;
}

}  // namespace

Crosstab make_crosstab(const Answer& answer, const CrosstabColumns& wanted, const std::string& null_text) {
  try {
    return {pivoted(answer, fields_of(answer, wanted), null_text), ""};
  } catch (const Problem& problem) {
    return {{}, "\\crosstabview: " + problem.message};
  }
}

}  // namespace polarsim::scenarios::cli::prompt
