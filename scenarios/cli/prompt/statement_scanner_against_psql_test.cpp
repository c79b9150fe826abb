// Random texts, cut into statements by StatementScanner and by psql 15, which prints what it sends.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/prompt/prompt_test_support.h"
#include "scenarios/cli/prompt/session.h"
#include "scenarios/cli/prompt/statement_scanner.h"

namespace polarsim::scenarios::cli::prompt::test {
namespace {

constexpr int texts = 200;

const std::map<std::string, std::string> variables{
    {"v", "42"}, {"s", "it's; \\ x"}, {"open", "'("}, {"again", ":again ;"}, {"two", "1; 2"}};

// Nothing that a server could carry out: each statement fails, so that only statements are printed.
std::string random_text(std::uint64_t seed) {
  static const char* const pieces[] = {"'",
                                       "'",
                                       "''",
                                       "\"",
                                       "\"\"",
                                       "$$",
                                       "$a$",
                                       "$b$",
                                       "$1",
                                       "$",
                                       "--",
                                       "-- x;\n",
                                       "/*",
                                       "*/",
                                       "/* ;",
                                       "(",
                                       ")",
                                       "(;)",
                                       ";",
                                       ";",
                                       ";\n",
                                       "\\;",
                                       "\\:",
                                       "\n",
                                       "\n",
                                       " ",
                                       "\t",
                                       "E'",
                                       "e'\\'",
                                       "B'",
                                       "X'0'",
                                       "U&'",
                                       "u&\"",
                                       "N'",
                                       "xE'",
                                       "nope",
                                       "é",
                                       "a$a$",
                                       "1",
                                       "1$a$",
                                       "1e'",
                                       "1.5e3",
                                       ".5",
                                       ":v",
                                       ":'v'",
                                       ":\"v\"",
                                       ":s",
                                       ":'s'",
                                       ":\"s\"",
                                       ":open",
                                       ":again",
                                       ":two",
                                       ":nix",
                                       ":'nix'",
                                       ":{?v}",
                                       ":{?nix}",
                                       "::v",
                                       ":=",
                                       ":",
                                       "create function",
                                       "create or replace procedure",
                                       "begin",
                                       "case",
                                       "end",
                                       "or",
                                       "\\\\;",
                                       "+",
                                       "<>-- \n"};
  std::mt19937_64 random(seed);
  std::string text;
  for (int i = 0; i < 25; ++i) {
    const std::string piece = pieces[std::uniform_int_distribution<std::size_t>(0, std::size(pieces) - 1)(random)];
    // A backslash command is not what is looked at here.
    if (piece == "\\\\;") continue;
    text += piece;
    if (random() % 3 == 0) text += " ";
  }
  return text;
}

// As the prompt's loop does it, without commands.
std::string statements_of(const std::string& text) {
  ScannerServices services;
  services.variable = [](const std::string& name, QuotedAs quoted) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    if (quoted == QuotedAs::plain) return found->second;
    return quoted == QuotedAs::literal ? quoted_literal(found->second) : quoted_identifier(found->second);
  };
  services.command_output = [](const std::string&) { return std::string(); };
  services.warn = services.error = [](const std::string&) {};
  StatementScanner scanner(services);
  std::string statement, printed;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() && !scanner.in_quote()) continue;
    if (!statement.empty()) statement += '\n';
    scanner.set_line(line);
    while (true) {
      const ScanStop stop = scanner.scan(statement);
      if (stop == ScanStop::backslash) return printed + "(a command)";
      if (stop != ScanStop::semicolon) break;
      printed += statement + "\n";
      statement.clear();
    }
  }
  return statement.empty() ? printed : printed + statement + "\n";
}

TEST(StatementScannerAgainstPsql, RandomTexts) {
  cli::test::PostgresServer server;
  std::vector<std::string> options{"-q", "-e"};
  for (const auto& [name, value] : variables) options.insert(options.end(), {"-v", name + "=" + value});
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= texts; ++seed) {
    const std::string text = random_text(seed);
    const std::string ours = statements_of(text);
    if (ours.ends_with("(a command)")) continue;
    const ProgramOutcome psql = run_program(psql_command(server.folder(), "postgres", options), text);
    EXPECT_EQ(psql.out, ours) << "seed " << seed << "\n" << text;
    ++compared;
  }
  EXPECT_GT(compared, texts / 2);
}

}  // namespace
}  // namespace polarsim::scenarios::cli::prompt::test
