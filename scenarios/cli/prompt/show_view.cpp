// \sv: the statement that makes a view (exec_command_sf_sv() in psql's command.c).
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "scenarios/cli/prompt/backslash.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// A view's number, or nothing if there is no such relation, which has been said.
std::optional<std::string> relation_number(Session& session, const std::string& name) {
  const auto answer = ask(session, "SELECT " + quoted_literal(name) + "::pg_catalog.regclass::pg_catalog.oid", true);
  return answer && answer->rows == 1 ? answer->values[0] : std::nullopt;
}

std::string with_line_numbers(std::string_view text) {
  std::string numbered;
  for (int line = 1; !text.empty(); ++line) {
    const std::string_view rest = text.substr(0, text.find('\n'));
    numbered += fmt::format("{:<7} {}\n", line, rest);
    text.remove_prefix(std::min(text.size(), rest.size() + 1));
  }
  return numbered;
}

}  // namespace

CommandResult command_show_view(CommandCall& call) {
  Session& session = call.session;
  const auto name = call.argument(ArgumentKind::whole_line, false);
  if (!name || name->empty()) {
    session.error("view name is required");
    return CommandResult::failed;
  }
  const auto number = relation_number(session, *name);
  if (!number) return CommandResult::failed;
  const auto answer =
      ask(session,
          "SELECT n.nspname, c.relname, c.relkind, pg_catalog.pg_get_viewdef(c.oid, true),\n"
          "  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)\n"
          "FROM pg_catalog.pg_class c\n  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
          "WHERE c.oid = " +
              *number);
  if (!answer || answer->rows != 1) return CommandResult::failed;
  const auto value = [&](std::size_t column) { return answer->values[column].value_or(""); };
  if (value(2) != "v") {
    session.error(fmt::format("\"{}.{}\" is not a view", value(0), value(1)));
    return CommandResult::failed;
  }
  std::string definition = value(3);
  if (definition.ends_with(';')) definition.pop_back();
  const std::string text = fmt::format("CREATE OR REPLACE VIEW {} AS\n{}\n", value(4), definition);
  session.say(call.name.ends_with('+') ? with_line_numbers(text) : text);
  return CommandResult::done;
}

}  // namespace polarsim::scenarios::cli::prompt
