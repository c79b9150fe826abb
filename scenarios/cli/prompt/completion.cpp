#include "scenarios/cli/prompt/completion.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "scenarios/cli/prompt/backslash.h"
#include "scenarios/cli/prompt/pset.h"
#include "scenarios/cli/prompt/sql_help.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

// Words in statements, beside those that statements begin with.
constexpr const char* keywords[] = {"ALL",
                                    "AND",
                                    "AS",
                                    "ASC",
                                    "BETWEEN",
                                    "BY",
                                    "CASCADE",
                                    "CASE",
                                    "CAST",
                                    "CHECK",
                                    "COLUMN",
                                    "CONFLICT",
                                    "CONSTRAINT",
                                    "CROSS",
                                    "CURRENT",
                                    "DEFAULT",
                                    "DESC",
                                    "DISTINCT",
                                    "DO",
                                    "ELSE",
                                    "END",
                                    "EXCEPT",
                                    "EXISTS",
                                    "FALSE",
                                    "FILTER",
                                    "FOR",
                                    "FOREIGN",
                                    "FROM",
                                    "FULL",
                                    "GROUP",
                                    "HAVING",
                                    "IN",
                                    "INDEX",
                                    "INNER",
                                    "INTERSECT",
                                    "INTO",
                                    "IS",
                                    "JOIN",
                                    "KEY",
                                    "LATERAL",
                                    "LEFT",
                                    "LIKE",
                                    "LIMIT",
                                    "NOT",
                                    "NOTHING",
                                    "NOWAIT",
                                    "NULL",
                                    "NULLS",
                                    "OFFSET",
                                    "ON",
                                    "ONLY",
                                    "OR",
                                    "ORDER",
                                    "OUTER",
                                    "OVER",
                                    "PARTITION",
                                    "PRIMARY",
                                    "RECURSIVE",
                                    "REFERENCES",
                                    "RETURNING",
                                    "RIGHT",
                                    "SEQUENCE",
                                    "SCHEMA",
                                    "SET",
                                    "SHARE",
                                    "SKIP",
                                    "SOME",
                                    "TABLE",
                                    "THEN",
                                    "TO",
                                    "TRANSACTION",
                                    "TRUE",
                                    "UNION",
                                    "UNIQUE",
                                    "UPDATE",
                                    "USING",
                                    "VALUES",
                                    "VIEW",
                                    "WHEN",
                                    "WHERE",
                                    "WINDOW",
                                    "WITH",
                                    "WORK",
                                    "create_distributed_table",
                                    "create_reference_table"};

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> beginning_with(const std::string& word, const std::vector<std::string>& all) {
  std::vector<std::string> found;
  for (const std::string& candidate : all) {
    if (upper(candidate).starts_with(upper(word))) found.push_back(candidate);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<std::string> words_of_sql() {
  std::vector<std::string> words;
  for (const char* word : keywords) words.emplace_back(word);
  for (const SqlHelp& help : sql_help()) {
    std::istringstream parts(help.name);
    for (std::string part; parts >> part;) words.push_back(part);
  }
  return words;
}

std::vector<std::string> variable_names(const Session& session) {
  std::vector<std::string> names;
  for (const auto& [name, value] : session.variables.all()) names.push_back(name);
  return names;
}

// Arguments of a backslash command; none if they are not known.
std::vector<std::string> arguments_of(const Session& session, const std::string& command, const std::string& before) {
  if (command == "c" || command == "connect") return session.server.nodes();
  if (command == "set" || command == "unset" || command == "prompt") return variable_names(session);
  if (command == "h" || command == "help") return words_of_sql();
  if (command == "pset") {
    if (before.find("format") != std::string::npos) return table_format_names();
    return display_names();
  }
  if (command == "x") return {"on", "off", "auto"};
  if (command == "t" || command == "timing") return {"on", "off"};
  return {};
}

}  // namespace

std::vector<std::string> completions(const Session& session, const std::string& line, std::size_t start) {
  const std::string word = line.substr(std::min(start, line.size()));
  const std::string before = line.substr(0, start);
  if (word.starts_with('\\')) {
    std::vector<std::string> commands;
    for (const std::string& name : backslash_commands()) commands.push_back("\\" + name);
    std::vector<std::string> found;
    // Upper and lower case are different commands.
    for (const std::string& command : commands) {
      if (command.starts_with(word)) found.push_back(command);
    }
    return found;
  }
  if (word.starts_with(':')) {
    const std::size_t name = word.find_first_not_of(":'\"");
    const std::string sign = word.substr(0, name);
    std::vector<std::string> found;
    for (const std::string& variable : variable_names(session)) {
      if (!variable.starts_with(name == std::string::npos ? "" : word.substr(name))) continue;
      const bool quoted = sign.ends_with('\'') || sign.ends_with('"');
      found.push_back(sign + variable + (quoted ? sign.substr(sign.size() - 1) : ""));
    }
    return found;
  }
  if (before.starts_with('\\')) {
    const std::size_t end = before.find_first_of(" \t");
    return beginning_with(word, arguments_of(session, before.substr(1, end - 1), before));
  }
  std::vector<std::string> found = beginning_with(word, words_of_sql());
  // As the word has been begun.
  if (!word.empty() && std::islower(static_cast<unsigned char>(word[0])) != 0) {
    for (std::string& candidate : found) {
      for (char& c : candidate) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return found;
}

}  // namespace polarsim::scenarios::cli::prompt
