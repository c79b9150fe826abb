// Sends statements and shows their answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/cli/prompt/crosstab.h"
#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

// What is to be done with the answer to the next statement, if not what \pset says.
struct Delivery {
  std::optional<std::string> target;     // \g FILE, \g |COMMAND
  std::optional<TableStyle> style;       // \gx, \g (name=value ...)
  std::optional<std::string> null_text;  // the same
  std::optional<std::string> title;
  std::optional<std::string> variables;     // \gset PREFIX
  std::optional<CrosstabColumns> crosstab;  // \crosstabview
  bool execute_cells = false;               // \gexec
  bool describe = false;                    // \gdesc
  // Local files of \copy: see copy.h. None: what COPY ... FROM STDIN and TO STDOUT say.
  const CopyHandlers* copy = nullptr;
};

// True if all went well. Says what went wrong.
bool send_statement(Session& session, const std::string& statement, const Delivery& delivery = {});

// For queries of the prompt's own, such as those of \d: shown with ECHO_HIDDEN. None if it failed, which has been said.
// `briefly`: of an error its message alone.
std::optional<Answer> ask(Session& session, const std::string& query, bool briefly = false);

// The rows of an answer as a table.
Table table_of(const Session& session, const Answer& answer, const std::string& null_text);
// Prints where answers go, in the session's style.
void print_to_output(Session& session, const Table& table);

// Whether values of this type are shown at the right: numbers.
bool is_shown_right(std::uint32_t type);
// "Time: 1.234 ms".
std::string shown_time(double seconds);

}  // namespace polarsim::scenarios::cli::prompt
