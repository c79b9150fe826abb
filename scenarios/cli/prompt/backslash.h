// Backslash commands: which there are, and what each does.
//
// Source of their behaviour: the documentation of psql 15, "Meta-Commands", and its bin/psql/command.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/cli/prompt/session.h"
#include "scenarios/cli/prompt/statement_scanner.h"
#include "scenarios/cli/prompt/statements.h"

namespace polarsim::scenarios::cli::prompt {

enum class CommandResult : std::uint8_t {
  unknown,  // there is no such command
  done,
  failed,     // which has been said
  send,       // the statement that has been typed is to be sent
  terminate,  // leave this input
  edited,     // the statement is to be scanned anew
};

// A command where it stands: what precedes it in the input, and its arguments, which it takes from the scanner.
struct CommandCall {
  Session& session;
  StatementScanner& scanner;
  Conditions& conditions;
  std::string& statement;  // typed so far, not yet sent
  std::string& previous;   // sent last
  Delivery& delivery;      // of the next statement
  std::string name;

  std::optional<std::string> argument(ArgumentKind kind = ArgumentKind::normal, bool strip_semicolons = true) {
    return scanner.argument(kind, strip_semicolons);
  }
};

// Reads a command's name and arguments, after ScanStop::backslash, and does it.
CommandResult run_backslash_command(Session& session, StatementScanner& scanner, Conditions& conditions,
                                    std::string& statement, std::string& previous, Delivery& delivery);
// All names, for completion.
std::vector<std::string> backslash_commands();

// --- the commands, by family ---
CommandResult command_if(CommandCall& call);
CommandResult command_elif(CommandCall& call);
CommandResult command_else(CommandCall& call);
CommandResult command_endif(CommandCall& call);

CommandResult command_g(CommandCall& call);
CommandResult command_gdesc(CommandCall& call);
CommandResult command_gexec(CommandCall& call);
CommandResult command_gset(CommandCall& call);
CommandResult command_crosstab(CommandCall& call);
CommandResult command_watch(CommandCall& call);
CommandResult command_p(CommandCall& call);
CommandResult command_r(CommandCall& call);
CommandResult command_w(CommandCall& call);
CommandResult command_edit(CommandCall& call);

CommandResult command_echo(CommandCall& call);
CommandResult command_set(CommandCall& call);
CommandResult command_unset(CommandCall& call);
CommandResult command_prompt(CommandCall& call);
CommandResult command_setenv(CommandCall& call);
CommandResult command_getenv(CommandCall& call);

CommandResult command_connect(CommandCall& call);
CommandResult command_conninfo(CommandCall& call);
CommandResult command_encoding(CommandCall& call);
CommandResult command_errverbose(CommandCall& call);
CommandResult command_timing(CommandCall& call);

CommandResult command_quit(CommandCall& call);
CommandResult command_include(CommandCall& call);
CommandResult command_output(CommandCall& call);
CommandResult command_copy(CommandCall& call);
CommandResult command_cd(CommandCall& call);
CommandResult command_shell(CommandCall& call);
CommandResult command_history(CommandCall& call);

CommandResult command_help_commands(CommandCall& call);  // \?
CommandResult command_help_sql(CommandCall& call);       // \h
CommandResult command_copyright(CommandCall& call);

CommandResult command_pset(CommandCall& call);
CommandResult command_display(CommandCall& call);  // \a, \C, \f, \H, \t, \T, \x

CommandResult command_describe(CommandCall& call);    // \d...
CommandResult command_list(CommandCall& call);        // \l
CommandResult command_privileges(CommandCall& call);  // \z
CommandResult command_show_view(CommandCall& call);   // \sv

}  // namespace polarsim::scenarios::cli::prompt
