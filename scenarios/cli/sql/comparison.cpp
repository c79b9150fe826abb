#include "scenarios/cli/sql/comparison.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace polarsim::scenarios::cli::test {
namespace {

std::vector<std::string> sorted_rows(const sql::Answer& answer) {
  std::vector<std::string> rows;
  for (const sql::AnswerRow& row : answer.rows) rows.push_back(sql::to_string(row));
  std::ranges::sort(rows);
  return rows;
}

// Of COPY TO STDOUT.
std::vector<std::string> sorted_lines(const sql::Answer& answer) {
  std::vector<std::string> lines = answer.copied.value_or(std::vector<std::string>());
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> order_of(const sql::Answer& answer, const std::vector<std::size_t>& columns) {
  std::vector<std::string> keys;
  for (const sql::AnswerRow& row : answer.rows) {
    sql::AnswerRow key;
    for (const std::size_t column : columns) key.push_back(column < row.size() ? row[column] : std::nullopt);
    keys.push_back(sql::to_string(key));
  }
  return keys;
}

}  // namespace

std::string difference_between(const sql::Answer& ours, const sql::Answer& theirs,
                               const std::vector<std::size_t>& ordered_by) {
  if (ours.error || theirs.error) {
    if (ours.error == theirs.error) return "";
    return "errors";
  }
  if (ours.tag != theirs.tag) return "tags";
  if (ours.has_rows != theirs.has_rows) return "whether there are rows";
  if (ours.columns != theirs.columns) return "columns";
  if (sorted_lines(ours) != sorted_lines(theirs)) return "what is copied";
  if (sorted_rows(ours) != sorted_rows(theirs)) return "rows";
  if (order_of(ours, ordered_by) != order_of(theirs, ordered_by)) return "order";
  return "";
}

bool is_of_several_rows(const std::string& statement) {
  if (statement.starts_with("INSERT"))
    return statement.find("), (") != std::string::npos || statement.find("SELECT") != std::string::npos;
  return statement.find(" FROM ") != std::string::npos || statement.find("VALUES") != std::string::npos ||
         !statement.starts_with("SELECT");
}

std::string difference_of_cluster(const std::string& statement, const sql::Answer& ours, const sql::Answer& theirs,
                                  const std::vector<std::size_t>& ordered_by) {
  if (ours.error && theirs.error) {
    const auto of_a_row = [](const sql::AnswerError& error) {
      return error.sqlstate.starts_with("22") || error.sqlstate.starts_with("23") || error.sqlstate == "21000" ||
             error.sqlstate.starts_with("54") || error.message.find(" not supported for type ") != std::string::npos;
    };
    bool same = ours.error->sqlstate == theirs.error->sqlstate;
    // docs/differences.md, sqlstates: of rows that shards refuse.
    if (statement.starts_with("COPY ") && ours.error->sqlstate == "XX000" && of_a_row(*theirs.error)) same = true;
    return same || (is_of_several_rows(statement) && of_a_row(*ours.error) && of_a_row(*theirs.error)) ? "" : "errors";
  }
  return difference_between(ours, theirs, ordered_by);
}

KnownDifferences::KnownDifferences(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::size_t number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    if (text.empty() || text.front() == '#') continue;
    std::istringstream fields(text);
    Line line;
    std::getline(fields, line.statement, '\t');
    std::getline(fields, line.ours, '\t');
    std::getline(fields, line.theirs, '\t');
    std::getline(fields, line.reason, '\t');
    if (line.reason.empty() || (line.ours == "-" && line.theirs == "-"))
      throw std::runtime_error(path + ":" + std::to_string(number) +
                               ": expected statement, ours, theirs and reason, and not - for both answers");
    lines_.push_back(std::move(line));
  }
}

const std::string* KnownDifferences::find(const std::string& statement, const sql::Answer& ours,
                                          const sql::Answer& theirs) const {
  const auto has = [](const std::string& text, const std::string& part) {
    return part == "-" || text.find(part) != std::string::npos;
  };
  for (const Line& line : lines_) {
    if (has(statement, line.statement) && has(sql::to_string(ours), line.ours) &&
        has(sql::to_string(theirs), line.theirs))
      return &line.reason;
  }
  return nullptr;
}

}  // namespace polarsim::scenarios::cli::test
