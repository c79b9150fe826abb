// Commands about files, other programs, and leaving.
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "scenarios/cli/prompt/backslash.h"
#include "scenarios/cli/prompt/copy.h"
#include "scenarios/cli/prompt/main_loop.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

CommandResult missing_argument(CommandCall& call) {
  call.session.error("\\" + call.name + ": missing required argument");
  return CommandResult::failed;
}

// "~" and "~/x" by HOME.
std::string expanded_path(const std::string& path) {
  const char* const home = std::getenv("HOME");
  if (home == nullptr || (path != "~" && !path.starts_with("~/"))) return path;
  return home + path.substr(1);
}

std::string beside(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

}  // namespace

CommandResult command_quit(CommandCall& /*call*/) { return CommandResult::terminate; }

CommandResult command_include(CommandCall& call) {
  const auto argument = call.argument(ArgumentKind::normal, true);
  if (!argument) return missing_argument(call);
  std::string path = expanded_path(*argument);
  const bool relative = call.name == "ir" || call.name == "include_relative";
  if (relative) path = beside(call.session.input_file, path);
  return run_file(call.session, path) == prompt_status::success ? CommandResult::done : CommandResult::failed;
}

CommandResult command_output(CommandCall& call) {
  const auto target = call.scanner.argument(ArgumentKind::file_or_pipe, true);
  const std::string problem =
      call.session.output.open(target && !target->starts_with('|') ? expanded_path(*target) : target.value_or(""));
  if (problem.empty()) return CommandResult::done;
  call.session.error(problem);
  return CommandResult::failed;
}

CommandResult command_copy(CommandCall& call) {
  const auto arguments = call.scanner.argument(ArgumentKind::whole_line, true);
  return copy_command(call.session, arguments.value_or("")) ? CommandResult::done : CommandResult::failed;
}

CommandResult command_cd(CommandCall& call) {
  const auto argument = call.argument(ArgumentKind::normal, true);
  const char* const home = std::getenv("HOME");
  const std::string folder = argument ? expanded_path(*argument) : home != nullptr ? home : "/";
  if (::chdir(folder.c_str()) == 0) return CommandResult::done;
  call.session.error("\\" + call.name + ": could not change directory to \"" + folder + "\": " + std::strerror(errno));
  return CommandResult::failed;
}

CommandResult command_shell(CommandCall& call) {
  const std::string command = call.scanner.argument(ArgumentKind::whole_line).value_or("");
  const char* const shell = std::getenv("SHELL");
  call.session.output.flush();
  std::fflush(stdout);
  const int status = std::system(
      command.empty() ? (std::string("exec ") + (shell != nullptr ? shell : "/bin/sh")).c_str() : command.c_str());
  if (status != -1 && !(WIFEXITED(status) && WEXITSTATUS(status) == 127)) return CommandResult::done;
  call.session.error("\\!: failed");
  return CommandResult::failed;
}

CommandResult command_history(CommandCall& call) {
  const auto argument = call.argument(ArgumentKind::normal, true);
  const auto history = call.session.standard_input->history();
  if (!history) {
    call.session.error("history is not supported by this input");
    return CommandResult::failed;
  }
  if (!argument) {
    call.session.say(*history);
    return CommandResult::done;
  }
  const std::string path = expanded_path(*argument);
  Output file;
  bool saved = file.open(path).empty();
  if (saved) {
    file.write(*history);
    saved = file.close();
  }
  if (!saved) {
    call.session.error("could not save history to file \"" + path + "\": " + std::strerror(errno));
    return CommandResult::failed;
  }
  if (!call.session.settings.quiet) call.session.say("Wrote history to file \"" + path + "\".\n");
  return CommandResult::done;
}

}  // namespace polarsim::scenarios::cli::prompt
