// \pset: how answers are printed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

struct DisplaySettings {
  TableStyle style;
  std::string null_text;
  std::optional<std::string> title;
  std::size_t pager = 0;
  std::size_t pager_min_lines = 0;
};

DisplaySettings display_of(const Session& session);

// Changes one setting; without a value most are switched over, shown or reset. What is wrong, or empty.
std::string change_display(DisplaySettings& display, const std::string& name, const std::optional<std::string>& value);
// The same for a session, which says what is wrong, and, unless it is quiet, how it is now. False if it is wrong.
bool change_display(Session& session, const std::string& name, const std::optional<std::string>& value);

std::vector<std::string> display_names();
std::vector<std::string> table_format_names();

}  // namespace polarsim::scenarios::cli::prompt
