// Variables, and what is said with them.
#include <cstdio>
#include <cstdlib>

#include "scenarios/cli/prompt/backslash.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

CommandResult refuse(CommandCall& call, const std::string& message) {
  call.session.error(message);
  return CommandResult::failed;
}

CommandResult missing_argument(CommandCall& call) {
  return refuse(call, "\\" + call.name + ": missing required argument");
}

}  // namespace

CommandResult command_echo(CommandCall& call) {
  std::string text;
  bool line_end = true, first = true;
  char quote = '\0';
  while (const auto word = call.scanner.argument(ArgumentKind::normal, false, &quote)) {
    if (first && line_end && quote == '\0' && *word == "-n") {
      line_end = false;
      continue;
    }
    text += (first ? "" : " ") + *word;
    first = false;
  }
  if (line_end) text += '\n';
  if (call.name == "echo") {
    call.session.say(text);
  } else if (call.name == "qecho") {
    call.session.out(text);
    call.session.output.flush();
  } else {
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return CommandResult::done;
}

CommandResult command_set(CommandCall& call) {
  const auto name = call.argument(ArgumentKind::normal, false);
  if (!name) {
    std::string list;
    for (const auto& [variable, value] : call.session.variables.all()) {
      if (value) list += variable + " = '" + *value + "'\n";
    }
    call.session.say(list);
    return CommandResult::done;
  }
  std::string value;
  while (const auto part = call.argument(ArgumentKind::normal, false)) value += *part;
  try {
    call.session.variables.set(*name, value);
  } catch (const Variables::Refusal& refusal) {
    return refuse(call, refusal.message);
  }
  return CommandResult::done;
}

CommandResult command_unset(CommandCall& call) {
  const auto name = call.argument(ArgumentKind::normal, false);
  if (!name) return missing_argument(call);
  try {
    call.session.variables.unset(*name);
  } catch (const Variables::Refusal& refusal) {
    return refuse(call, refusal.message);
  }
  return CommandResult::done;
}

CommandResult command_prompt(CommandCall& call) {
  const auto first = call.argument(ArgumentKind::normal, false);
  if (!first) return missing_argument(call);
  const auto second = call.argument(ArgumentKind::normal, false);
  const std::string name = second ? *second : *first;
  const std::string question = second ? *first : "";
  Input& input = *call.session.standard_input;
  if (!input.interactive()) call.session.say(question);
  try {
    const auto line = input.next_line(question);
    if (!line) return refuse(call, "\\" + call.name + ": could not read value for variable");
    call.session.variables.set(name, *line);
  } catch (const Variables::Refusal& refusal) {
    return refuse(call, "\\" + call.name + ": " + refusal.message);
  }
  return CommandResult::done;
}

CommandResult command_setenv(CommandCall& call) {
  const auto name = call.argument(ArgumentKind::normal, false);
  const auto value = call.argument(ArgumentKind::normal, false);
  if (!name) return missing_argument(call);
  if (name->find('=') != std::string::npos) {
    return refuse(call, "\\" + call.name + ": environment variable name must not contain \"=\"");
  }
  if (value) {
    ::setenv(name->c_str(), value->c_str(), 1);
  } else {
    ::unsetenv(name->c_str());
  }
  return CommandResult::done;
}

CommandResult command_getenv(CommandCall& call) {
  const auto name = call.argument(ArgumentKind::normal, false);
  const auto variable = call.argument(ArgumentKind::normal, false);
  if (!name || !variable) return missing_argument(call);
  const char* const value = std::getenv(variable->c_str());
  try {
    if (value != nullptr) call.session.variables.set(*name, value);
  } catch (const Variables::Refusal& refusal) {
    return refuse(call, refusal.message);
  }
  return CommandResult::done;
}

}  // namespace polarsim::scenarios::cli::prompt
