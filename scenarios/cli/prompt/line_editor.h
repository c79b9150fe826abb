// Lines that somebody types, with editing, history and completion, by libedit.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

// What the word that begins at `start` of `line` could become. Empty: nothing fits.
using Completer = std::function<std::vector<std::string>(const std::string& line, std::size_t start)>;

// There may be one.
class LineEditor : public Input {
 public:
  // History is read from the file; "" for none.
  LineEditor(Session& session, std::string history_file, Completer completer);
  // Writes the history.
  ~LineEditor() override;
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  std::optional<std::string> next_line(const std::string& prompt) override;
  bool interactive() const override { return true; }
  void remember(const std::string& statement) override;
  std::optional<std::string> history() const override;

 private:
  Session& session_;
  std::string history_file_;
  std::string last_remembered_;
};

}  // namespace polarsim::scenarios::cli::prompt
