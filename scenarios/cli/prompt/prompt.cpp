#include "scenarios/cli/prompt/prompt.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/prompt/completion.h"
#include "scenarios/cli/prompt/interrupts.h"
#include "scenarios/cli/prompt/line_editor.h"
#include "scenarios/cli/prompt/main_loop.h"
#include "scenarios/cli/prompt/pset.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

std::string history_file(const Session& session) {
  if (const auto named = session.variables.get("HISTFILE")) return *named;
  if (const char* const named = std::getenv("POLARSIM_HISTORY")) return named;
  const char* const home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.polarsim_history";
}

void apply_options(Session& session, const PromptOptions& options) {
  // Nobody wants to hear of these.
  session.settings.quiet = true;
  for (const auto& [name, value] : options.display) {
    DisplaySettings display = display_of(session);
    const std::string problem = change_display(display, name, value);
    if (!problem.empty()) throw UsageError("-P: " + problem.substr(problem.starts_with("\\pset: ") ? 7 : 0));
    change_display(session, name, value);
  }
  session.settings.quiet = false;
  session.variables.set("VERSION", options.version);
  try {
    if (options.quiet) session.variables.set("QUIET", "on");
    for (const auto& [name, value] : options.variables) {
      if (value) {
        session.variables.set(name, *value);
      } else {
        session.variables.unset(name);
      }
    }
  } catch (const Variables::Refusal& refusal) {
    throw UsageError("-v: " + refusal.message);
  }
}

int run_actions(Session& session, const PromptOptions& options) {
  int status = prompt_status::success;
  for (const PromptOptions::Action& action : options.actions) {
    status = action.is_file ? run_file(session, action.text) : run_command_text(session, action.text);
    if (status != prompt_status::success && session.settings.on_error_stop) break;
    if (session.connection == nullptr) return prompt_status::connection_lost;
  }
  return status;
}

}  // namespace

bool on_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

int run_prompt(Server& server, const PromptOptions& options) {
  Session session(server);
  session.on_terminal = on_terminal();
  session.style.terminal_columns = ::isatty(STDOUT_FILENO) == 1 ? terminal_columns() : 0;
  apply_options(session, options);
  interrupts::catch_them();
  FileInput standard_input(stdin);
  session.standard_input = &standard_input;
  try {
    session.connection = server.connect(options.connect_to);
  } catch (const ConnectionLost& lost) {
    print_error(lost.message);
    return prompt_status::connection_lost;
  }
  session.note_connection();
  if (!options.actions.empty()) return run_actions(session, options);
  session.names_program = false;
  if (!session.on_terminal) return main_loop(session, standard_input);
  LineEditor editor(session, history_file(session), [&session](const std::string& line, std::size_t start) {
    return completions(session, line, start);
  });
  session.standard_input = &editor;
  if (!session.settings.quiet) session.say(options.greeting);
  return main_loop(session, editor);
}

}  // namespace polarsim::scenarios::cli::prompt
