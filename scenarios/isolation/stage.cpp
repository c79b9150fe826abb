#include "scenarios/isolation/stage.h"

#include <fmt/format.h>

#include <algorithm>

namespace polarsim::scenarios::isolation {

std::string to_string(const Answer& answer) {
  if (answer.failed()) return fmt::format("error {} {}", answer.sqlstate, answer.message);
  if (!answer.has_rows) return answer.tag;
  return rows_text(answer.rows);
}

std::string rows_text(const std::vector<std::string>& rows) {
  if (rows.empty()) return "no rows";
  std::string text = "rows";
  for (const std::string& row : rows) text += " [" + row + "]";
  return text;
}

std::vector<std::string> split_statements(const std::string& text) {
  std::vector<std::string> statements;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find(';', start), text.size());
    const std::size_t first = text.find_first_not_of(" \n\t", start);
    if (first < end) statements.push_back(text.substr(first, end - first));
    start = end + 1;
  }
  return statements;
}

}  // namespace polarsim::scenarios::isolation
