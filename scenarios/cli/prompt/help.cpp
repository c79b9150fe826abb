// \?, \h and \copyright.
#include <algorithm>
#include <cctype>

#include "scenarios/cli/prompt/backslash.h"
#include "scenarios/cli/prompt/sql_help.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

constexpr const char* commands_text = R"(General
  \copyright             licence of this program
  \crosstabview [COLUMNS] execute query and display result in crosstab
  \errverbose            show most recent error message at maximum verbosity
  \g [(OPTIONS)] [FILE]  execute query (and send result to file or |pipe);
                         \g with no arguments is equivalent to a semicolon
  \gdesc                 describe result of query, without executing it
  \gexec                 execute query, then execute each value in its result
  \gset [PREFIX]         execute query and store result in variables
  \gx [(OPTIONS)] [FILE] as \g, but forces expanded output mode
  \q                     quit
  \watch [SEC] [c=N]     execute query every SEC seconds of simulated time, N times or until interrupted

Help
  \? [commands]          show help on backslash commands
  \? variables           show help on special variables
  \h [NAME]              help on syntax of SQL commands, * for all commands

Query Buffer
  \e [FILE] [LINE]       edit the query buffer (or file) with $EDITOR
  \p                     show the contents of the query buffer
  \r                     reset (clear) the query buffer
  \s [FILE]              display history or save it to file
  \w FILE                write query buffer to file

Input/Output
  \copy ...              perform SQL COPY with data stream to this machine
  \echo [-n] [STRING]    write string to standard output (-n for no newline)
  \i FILE                execute commands from file
  \ir FILE               as \i, but relative to location of current script
  \o [FILE]              send all query results to file or |pipe
  \qecho [-n] [STRING]   write string to \o output stream (-n for no newline)
  \warn [-n] [STRING]    write string to standard error (-n for no newline)

Conditional
  \if EXPR               begin conditional block
  \elif EXPR             alternative within current conditional block
  \else                  final alternative within current conditional block
  \endif                 end conditional block

Informational
  (options: S = show system objects, + = additional detail)
  \d[S+]                 list tables, views, and sequences
  \d[S+]  NAME           describe table, view, sequence, or index
  \df[S+] [PATRN]        list functions
  \di[S+] [PATTERN]      list indexes
  \dm[S+] [PATTERN]      list materialized views
  \dn[S+] [PATTERN]      list schemas
  \ds[S+] [PATTERN]      list sequences
  \dt[S+] [PATTERN]      list tables
  \dv[S+] [PATTERN]      list views
  \l[+]   [PATTERN]      list databases
  \sv[+]  VIEWNAME       show a view's definition

Formatting
  \a                     toggle between unaligned and aligned output mode
  \C [STRING]            set table title, or unset if none
  \f [STRING]            show or set field separator for unaligned query output
  \H                     toggle HTML output mode
  \pset [NAME [VALUE]]   set table output option; without NAME, list them
  \t [on|off]            show only rows
  \T [STRING]            set HTML <table> tag attributes, or unset if none
  \x [on|off|auto]       toggle expanded output

Connection
  \c NODE                connect to another node of the cluster
  \c [DBNAME|- USER|- NODE|- PORT|-]
                         connect anew
  \conninfo              display information about current connection
  \encoding [ENCODING]   show client encoding; it is always UTF8

Operating System
  \cd [DIR]              change the current working directory
  \getenv PSQLVAR ENVVAR fetch environment variable
  \setenv NAME [VALUE]   set or unset environment variable
  \timing [on|off]       toggle timing of commands: simulated and real time
  \! [COMMAND]           execute command in shell or start interactive shell

Variables
  \prompt [TEXT] NAME    prompt user to set variable
  \set [NAME [VALUE]]    set variable, or list all if no parameters
  \unset NAME            unset (delete) variable
)";

constexpr const char* variables_text = R"(List of specially treated variables

  AUTOCOMMIT             if set, successful SQL commands are automatically committed
  DBNAME                 the currently connected database name
  ECHO                   controls what input is written to standard output [all, errors, none, queries]
  ECHO_HIDDEN            if set, display queries executed by backslash commands; noexec does not execute them
  ENCODING               current client character set encoding
  ERROR                  true if last query failed, else false
  HISTCONTROL            controls command history [ignorespace, ignoredups, ignoreboth]
  HISTFILE               file name used to store the command history
  HISTSIZE               maximum number of commands to store in the command history
  HOST                   the currently connected node
  IGNOREEOF              number of EOFs needed to terminate an interactive session
  LASTOID                value of the last affected OID
  LAST_ERROR_MESSAGE     message of last error
  LAST_ERROR_SQLSTATE    SQLSTATE of last error
  ON_ERROR_ROLLBACK      if set, an error doesn't stop a transaction (uses implicit savepoints)
  ON_ERROR_STOP          stop batch execution after error
  PORT                   server port of the current connection
  PROMPT1                specifies the standard prompt
  PROMPT2                specifies the prompt used when a statement continues from a previous line
  PROMPT3                specifies the prompt used during COPY ... FROM STDIN
  QUIET                  run quietly
  ROW_COUNT              number of rows returned or affected by last query
  SERVER_VERSION_NAME    server's version
  SERVER_VERSION_NUM     the same as a number
  SHOW_ALL_RESULTS       show all results of a combined query instead of only the last
  SHOW_CONTEXT           controls display of message context fields [never, errors, always]
  SINGLELINE             if set, end of line terminates SQL commands
  SQLSTATE               SQLSTATE of last query, or "00000" if no error
  USER                   the currently connected database user
  VERBOSITY              controls verbosity of error reports [default, verbose, terse, sqlstate]
)";

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string names_of_statements() {
  std::string text = "Available help:\n";
  for (const SqlHelp& help : sql_help()) text += std::string("  ") + help.name + "\n";
  return text;
}

}  // namespace

CommandResult command_help_commands(CommandCall& call) {
  const auto topic = call.argument(ArgumentKind::normal, true);
  call.session.say(topic && topic->starts_with("v") ? variables_text : commands_text);
  return CommandResult::done;
}

CommandResult command_help_sql(CommandCall& call) {
  const std::string typed = call.scanner.argument(ArgumentKind::whole_line, true).value_or("");
  const std::string wanted = upper(typed);
  if (wanted.empty()) {
    call.session.say(names_of_statements());
    return CommandResult::done;
  }
  std::string text;
  for (const SqlHelp& help : sql_help()) {
    if (wanted != "*" && !std::string_view(help.name).starts_with(wanted)) continue;
    text += std::string("Command:     ") + help.name + "\nDescription: " + help.summary + "\nSyntax:\n" + help.syntax +
            "\n\n";
  }
  if (text.empty()) {
    text = "No help available for \"" + typed + "\".\nTry \\h with no arguments to see available help.\n";
  }
  call.session.say(text);
  return CommandResult::done;
}

CommandResult command_copyright(CommandCall& call) {
  call.session.say("polarsim: Apache License 2.0\n");
  return CommandResult::done;
}

}  // namespace polarsim::scenarios::cli::prompt
