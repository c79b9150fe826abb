#include "scenarios/cli/prompt/backslash.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>

namespace polarsim::scenarios::cli::prompt {

namespace {

struct Entry {
  const char* name;
  CommandResult (*run)(CommandCall&);
  ArgumentKind arguments = ArgumentKind::normal;  // how they are passed over in a branch that is not executed
};

constexpr Entry entries[] = {
    {"if", command_if},
    {"elif", command_elif},
    {"else", command_else},
    {"endif", command_endif},
    {"g", command_g, ArgumentKind::file_or_pipe},
    {"gx", command_g, ArgumentKind::file_or_pipe},
    {"gdesc", command_gdesc},
    {"gexec", command_gexec},
    {"gset", command_gset},
    {"crosstabview", command_crosstab},
    {"watch", command_watch},
    {"p", command_p},
    {"print", command_p},
    {"r", command_r},
    {"reset", command_r},
    {"w", command_w, ArgumentKind::file_or_pipe},
    {"write", command_w, ArgumentKind::file_or_pipe},
    {"e", command_edit},
    {"edit", command_edit},
    {"echo", command_echo},
    {"qecho", command_echo},
    {"warn", command_echo},
    {"set", command_set},
    {"unset", command_unset},
    {"prompt", command_prompt},
    {"setenv", command_setenv},
    {"getenv", command_getenv},
    {"c", command_connect},
    {"connect", command_connect},
    {"conninfo", command_conninfo},
    {"encoding", command_encoding},
    {"errverbose", command_errverbose},
    {"timing", command_timing},
    {"q", command_quit},
    {"quit", command_quit},
    {"i", command_include},
    {"include", command_include},
    {"ir", command_include},
    {"include_relative", command_include},
    {"o", command_output, ArgumentKind::file_or_pipe},
    {"out", command_output, ArgumentKind::file_or_pipe},
    {"copy", command_copy, ArgumentKind::whole_line},
    {"cd", command_cd},
    {"!", command_shell, ArgumentKind::whole_line},
    {"s", command_history},
    {"?", command_help_commands},
    {"h", command_help_sql, ArgumentKind::whole_line},
    {"help", command_help_sql, ArgumentKind::whole_line},
    {"copyright", command_copyright},
    {"pset", command_pset},
    {"a", command_display},
    {"C", command_display},
    {"f", command_display},
    {"H", command_display},
    {"html", command_display},
    {"t", command_display},
    {"T", command_display},
    {"x", command_display},
    {"l", command_list},
    {"list", command_list},
    {"l+", command_list},
    {"list+", command_list},
    {"z", command_privileges},
    {"sv", command_show_view, ArgumentKind::whole_line},
    {"sv+", command_show_view, ArgumentKind::whole_line},
};

// What psql has beside, and this prompt does not.
constexpr const char* missing[] = {"bind",    "ef",        "ev",       "lo_export", "lo_import",
                                   "lo_list", "lo_unlink", "password", "sf",        "sf+"};

// Of all names, psql finds this one in any case (exec_command(), src/bin/psql/command.c).
bool is_copy(const std::string& name) {
  static constexpr std::string_view lower = "copy";
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

const Entry* find_entry(const std::string& written) {
  const std::string name = is_copy(written) ? "copy" : written;
  const auto* const found =
      std::find_if(std::begin(entries), std::end(entries), [&](const Entry& entry) { return name == entry.name; });
  return found == std::end(entries) ? nullptr : found;
}

bool is_branching(const std::string& name) {
  return name == "if" || name == "elif" || name == "else" || name == "endif";
}

CommandResult dispatch(CommandCall& call) {
  const Entry* const entry = find_entry(call.name);
  const bool describes = entry == nullptr && call.name[0] == 'd';
  if (entry == nullptr && !describes) return CommandResult::unknown;
  if (call.conditions.active() || is_branching(call.name)) {
    return describes ? command_describe(call) : entry->run(call);
  }
  // The arguments have to be passed over, since another command may follow them.
  const ArgumentKind kind = describes ? ArgumentKind::normal : entry->arguments;
  while (call.scanner.argument(kind, false)) {
  }
  return CommandResult::done;
}

}  // namespace

std::vector<std::string> backslash_commands() {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.emplace_back(entry.name);
  for (const char* name :
       {"d", "d+", "dt", "di", "dv", "dm", "ds", "dn", "df", "dT", "du", "dg", "dx", "dp", "dconfig"})
    names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

CommandResult run_backslash_command(Session& session, StatementScanner& scanner, Conditions& conditions,
                                    std::string& statement, std::string& previous, Delivery& delivery) {
  CommandCall call{session, scanner, conditions, statement, previous, delivery, scanner.command_name()};
  if (session.interactive && !conditions.active() && !is_branching(call.name)) {
    session.warn("\\" + call.name + " command ignored; use \\endif or Ctrl-C to exit current \\if block");
  }
  CommandResult result = call.name.empty() ? CommandResult::unknown : dispatch(call);
  if (result == CommandResult::unknown) {
    const bool known = std::find(std::begin(missing), std::end(missing), call.name) != std::end(missing);
    session.error(known ? "\\" + call.name + " is a command of psql that polarsim does not have"
                        : "invalid command \\" + call.name);
    if (session.interactive) session.hint("Try \\? for help.");
    result = CommandResult::failed;
  }
  if (result == CommandResult::failed) {
    scanner.argument(ArgumentKind::whole_line);
  } else {
    while (const auto extra = scanner.argument(ArgumentKind::normal)) {
      if (conditions.active()) session.warn("\\" + call.name + ": extra argument \"" + *extra + "\" ignored");
    }
  }
  scanner.end_command();
  return result;
}

namespace {

using Branch = Conditions::Branch;

// Keeps what has been typed of a statement, when a branch begins.
void note_statement(CommandCall& call) {
  call.conditions.levels.back().statement_length = call.statement.size();
  call.conditions.levels.back().parentheses = call.scanner.parentheses();
}

// Takes back what a branch that was not executed has added to the statement.
void drop_branch_text(CommandCall& call) {
  const Conditions::Level& level = call.conditions.levels.back();
  if (call.statement.size() > level.statement_length) call.statement.resize(level.statement_length);
  call.scanner.set_parentheses(level.parentheses);
}

std::string rest_of_arguments(CommandCall& call) {
  std::string text;
  while (const auto word = call.argument(ArgumentKind::normal, false)) text += (text.empty() ? "" : " ") + *word;
  return text;
}

bool holds(CommandCall& call, const char* name) {
  const std::string text = rest_of_arguments(call);
  const auto value = boolean_of(text);
  if (!value) {
    call.session.error("unrecognized value \"" + text + "\" for \"" + name + "\": Boolean expected");
  }
  return value.value_or(false);
}

CommandResult refuse(CommandCall& call, const char* why) {
  call.session.error("\\" + call.name + ": " + why);
  return CommandResult::failed;
}

}  // namespace

CommandResult command_if(CommandCall& call) {
  const bool outer = call.conditions.active();
  const bool taken = outer && holds(call, "\\if expression");
  call.conditions.levels.push_back({!outer ? Branch::ignored : taken ? Branch::taken : Branch::not_taken, 0, 0});
  note_statement(call);
  if (!outer) rest_of_arguments(call);
  return CommandResult::done;
}

CommandResult command_elif(CommandCall& call) {
  if (call.conditions.levels.empty()) return refuse(call, "no matching \\if");
  switch (call.conditions.levels.back().branch) {
    case Branch::taken:
      note_statement(call);
      call.conditions.levels.back().branch = Branch::done;
      rest_of_arguments(call);
      break;
    case Branch::not_taken:
      drop_branch_text(call);
      // Variables in the expression have their values.
      call.conditions.levels.back().branch = Branch::taken;
      if (!holds(call, "\\elif expression")) call.conditions.levels.back().branch = Branch::not_taken;
      break;
    case Branch::done:
    case Branch::ignored:
      drop_branch_text(call);
      rest_of_arguments(call);
      break;
    case Branch::else_taken:
    case Branch::else_not_taken:
      return refuse(call, "cannot occur after \\else");
  }
  return CommandResult::done;
}

CommandResult command_else(CommandCall& call) {
  if (call.conditions.levels.empty()) return refuse(call, "no matching \\if");
  Branch& branch = call.conditions.levels.back().branch;
  switch (branch) {
    case Branch::taken:
      note_statement(call);
      branch = Branch::else_not_taken;
      break;
    case Branch::not_taken:
      drop_branch_text(call);
      branch = Branch::else_taken;
      break;
    case Branch::done:
    case Branch::ignored:
      drop_branch_text(call);
      branch = Branch::else_not_taken;
      break;
    case Branch::else_taken:
    case Branch::else_not_taken:
      return refuse(call, "cannot occur after \\else");
  }
  return CommandResult::done;
}

CommandResult command_endif(CommandCall& call) {
  if (call.conditions.levels.empty()) return refuse(call, "no matching \\if");
  if (!call.conditions.active()) drop_branch_text(call);
  call.conditions.levels.pop_back();
  return CommandResult::done;
}

}  // namespace polarsim::scenarios::cli::prompt
