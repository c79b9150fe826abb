#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::sql {

std::string to_string(const AnswerError& error) {
  std::string text = "ERROR " + error.sqlstate + ": " + error.message;
  if (!error.detail.empty()) text += "\nDETAIL: " + error.detail;
  if (!error.hint.empty()) text += "\nHINT: " + error.hint;
  if (error.position != 0) text += "\nat character " + std::to_string(error.position);
  if (!error.about.empty()) text += "\nabout " + error.about;
  return text;
}

std::string to_string(const AnswerRow& row) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i != 0) text += '|';
    text += row[i] ? *row[i] : "NULL";
  }
  return text;
}

std::string to_string(const Answer& answer) {
  if (answer.error) return to_string(*answer.error);
  std::string text;
  for (const AnswerColumn& column : answer.columns) {
    if (!text.empty()) text += ", ";
    text += column.name + " " + std::to_string(column.type_oid);
  }
  if (answer.has_rows) text += '\n';
  for (const AnswerRow& row : answer.rows) text += to_string(row) + "\n";
  return text + answer.tag;
}

}  // namespace polarsim::scenarios::sql
