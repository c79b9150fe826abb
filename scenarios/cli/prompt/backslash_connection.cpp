// Commands about the connection.
#include <algorithm>
#include <vector>

#include "scenarios/cli/prompt/backslash.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

std::string place_of(const ConnectionInfo& info) {
  if (!info.host.empty() && info.host[0] == '/')
    return "via socket in \"" + info.host + "\" at port \"" + info.port + "\"";
  return "on host \"" + info.host + "\" at port \"" + info.port + "\"";
}

// \c node, \c database user node port; "-" is as before.
ConnectionInfo wanted_connection(CommandCall& call) {
  std::vector<std::string> words;
  while (words.size() < 4) {
    const auto word = call.argument(ArgumentKind::normal, true);
    if (!word) break;
    words.push_back(*word == "-" ? "" : *word);
  }
  ConnectionInfo wanted = call.session.last_connection;
  const std::vector<std::string> nodes = call.session.server.nodes();
  if (words.size() == 1 && std::find(nodes.begin(), nodes.end(), words[0]) != nodes.end()) {
    wanted.host = words[0];
    return wanted;
  }
  std::string* const fields[] = {&wanted.database, &wanted.user, &wanted.host, &wanted.port};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].empty()) *fields[i] = words[i];
  }
  return wanted;
}

}  // namespace

CommandResult command_connect(CommandCall& call) {
  Session& session = call.session;
  const ConnectionInfo before = session.last_connection;
  const ConnectionInfo wanted = wanted_connection(call);
  try {
    session.connection = session.server.connect(wanted);
  } catch (const ConnectionLost& lost) {
    if (session.interactive) {
      session.info(lost.message);
      session.info(session.connection != nullptr ? "Previous connection kept" : "No connection");
    } else {
      session.error("\\connect: " + lost.message);
      // What follows was meant for the other server.
      session.connection.reset();
      session.note_connection();
    }
    return CommandResult::failed;
  }
  session.note_connection();
  if (session.settings.quiet) return CommandResult::done;
  const ConnectionInfo now = session.connection->info();
  const bool elsewhere = now.host != before.host || now.port != before.port;
  session.say("You are now connected to database \"" + now.database + "\" as user \"" + now.user + "\"" +
              (elsewhere ? " " + place_of(now) : "") + ".\n");
  return CommandResult::done;
}

CommandResult command_conninfo(CommandCall& call) {
  const Session& session = call.session;
  if (session.connection == nullptr) {
    call.session.say("You are currently not connected to a database.\n");
    return CommandResult::done;
  }
  const ConnectionInfo info = session.connection->info();
  call.session.say("You are connected to database \"" + info.database + "\" as user \"" + info.user + "\" " +
                   place_of(info) + ".\n");
  return CommandResult::done;
}

CommandResult command_encoding(CommandCall& call) {
  const auto name = call.argument(ArgumentKind::normal, false);
  if (!name) {
    call.session.say(call.session.variables.get("ENCODING").value_or("UTF8") + "\n");
    return CommandResult::done;
  }
  std::string plain;
  for (const char c : *name) {
    if (c != '-' && c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (plain == "utf8" || plain == "unicode") return CommandResult::done;
  // Widths and positions are counted in UTF-8, and nothing else.
  call.session.error(*name + ": invalid encoding name or conversion procedure not found");
  return CommandResult::failed;
}

CommandResult command_errverbose(CommandCall& call) {
  const auto& last = call.session.last_error;
  if (!last) {
    call.session.say("There is no previous error.\n");
  } else {
    call.session.error(shown_report(last->report, last->statement, Verbosity::verbose, ShowContext::always));
  }
  return CommandResult::done;
}

CommandResult command_timing(CommandCall& call) {
  const auto value = call.argument(ArgumentKind::normal, false);
  Session& session = call.session;
  CommandResult result = CommandResult::done;
  try {
    session.timing = value ? boolean_value(*value, "\\timing") : !session.timing;
  } catch (const Variables::Refusal& refusal) {
    session.error(refusal.message);
    result = CommandResult::failed;
  }
  if (!session.settings.quiet) session.say(session.timing ? "Timing is on.\n" : "Timing is off.\n");
  return result;
}

}  // namespace polarsim::scenarios::cli::prompt
