// Reads lines, and does what they say.
#pragma once

#include <cstdio>
#include <string>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

// A file, or whatever else is no terminal. Does not close it.
class FileInput : public Input {
 public:
  explicit FileInput(std::FILE* file) : file_(file) {}
  std::optional<std::string> next_line(const std::string& prompt) override;
  std::optional<std::string> history() const override { return ""; }

 private:
  std::FILE* file_;
};

// Until the input ends, \q, or an error with ON_ERROR_STOP; the status as prompt_status says.
int main_loop(Session& session, Input& input);
// -f and \i: "-" is stdin.
int run_file(Session& session, const std::string& path);
// -c: a command that begins with a backslash, or statements, sent as they are.
int run_command_text(Session& session, const std::string& text);

}  // namespace polarsim::scenarios::cli::prompt
