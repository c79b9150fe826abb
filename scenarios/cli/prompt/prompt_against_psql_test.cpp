// The scripts of the folder `scripts`, typed at psql 15 and at `polarsim sql --against` the same server: what both
// print is the same, byte for byte, on both channels, and so is the status.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/program_under_test.h"
#include "scenarios/cli/prompt/prompt_test_support.h"

namespace polarsim::scenarios::cli::prompt::test {
namespace {

namespace fs = std::filesystem;

const std::string scripts = POLARSIM_SOURCE_DIR "/scenarios/cli/prompt/scripts";
constexpr const char* database = "scratch";

cli::test::PostgresServer& server() {
  static cli::test::PostgresServer one;
  return one;
}

void make_fresh_database() {
  const ProgramOutcome outcome =
      run_program(psql_command(server().folder(), "postgres", {"-q"}),
                  "DROP DATABASE IF EXISTS scratch;\nCREATE DATABASE scratch TEMPLATE template0;\n");
  ASSERT_EQ(outcome.status, 0) << outcome.error;
}

// Both begin their messages with their own name.
std::string with_our_name(const std::string& text) {
  return std::regex_replace(text, std::regex("(^|\n)psql:"), "$1polarsim:");
}

std::vector<std::string> our_command(const std::vector<std::string>& options) {
  std::vector<std::string> command{POLARSIM_BINARY, "sql", "--against",
                                   "host=" + server().folder() + " user=postgres dbname=" + database};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

// The first lines in which two texts differ.
std::string difference(const std::string& expected, const std::string& found) {
  const auto [a, b] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  if (a == expected.end() && b == found.end()) return "";
  const auto excerpt = [](const std::string& text, std::size_t at) {
    const std::size_t from = text.rfind('\n', at > 120 ? at - 120 : 0);
    return text.substr(from == std::string::npos ? 0 : from + 1, 400);
  };
  return "psql:\n" + excerpt(expected, static_cast<std::size_t>(a - expected.begin())) + "\npolarsim:\n" +
         excerpt(found, static_cast<std::size_t>(b - found.begin()));
}

void compare(const std::vector<std::string>& options, const std::string& input) {
  const cli::test::Workplace theirs_place, ours_place;
  for (const cli::test::Workplace* place : {&theirs_place, &ours_place}) {
    for (const auto& file : fs::directory_iterator(scripts)) {
      fs::copy_file(file.path(), *place / file.path().filename().string());
    }
  }
  make_fresh_database();
  const ProgramOutcome theirs =
      run_program(psql_command(server().folder(), database, options), input, theirs_place / "");
  make_fresh_database();
  const ProgramOutcome ours = run_program(our_command(options), input, ours_place / "");
  EXPECT_EQ(difference(theirs.out, ours.out), "");
  EXPECT_EQ(difference(with_our_name(theirs.error), ours.error), "");
  EXPECT_EQ(theirs.status, ours.status);
}

class PromptAgainstPsql : public ::testing::TestWithParam<std::string> {};

TEST_P(PromptAgainstPsql, FromStdin) { compare({}, cli::test::content_of(scripts + "/" + GetParam())); }

TEST_P(PromptAgainstPsql, FromAFile) { compare({"-f", GetParam()}, ""); }

std::vector<std::string> script_names() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(scripts)) {
    if (file.path().extension() == ".sql") names.push_back(file.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Scripts, PromptAgainstPsql, ::testing::ValuesIn(script_names()),
                         [](const auto& tested) { return tested.param.substr(0, tested.param.find('.')); });

TEST(PromptOptionsAgainstPsql, DoTheSame) {
  const std::vector<std::vector<std::string>> cases{
      {"-c", "select 1 as a, null as b"},
      {"-c", "select 1; select 2", "-c", "\\echo x", "-c", "\\nope", "-c", "select 3"},
      {"-c", "select 1/0"},
      {"-c", "\\nope"},
      {"-c", "select nope", "-c", "select 2"},
      {"-v", "ON_ERROR_STOP=1", "-c", "select nope", "-c", "select 2"},
      {"-c", "select 1", "-f", "included.txt", "-c", "select 2"},
      {"-v", "ON_ERROR_STOP=1", "-f", "included.txt"},
      {"-f", "missing.sql"},
      {"-f", "missing.sql", "-c", "select 1"},
      {"-f", "."},
      {"-A", "-t", "-c", "select 1 as a, 'x' as b"},
      {"-A", "-F", ",", "-c", "select 1 as a, 'x' as b"},
      {"-x", "-c", "select 1 as a, 'x' as b"},
      {"-q", "-c", "create table t (a int)", "-c", "select 1"},
      {"--csv", "-c", "select 1 as a, 'x,y' as b"},
      {"-P", "format=unaligned", "-P", "null=NULL", "-P", "footer", "-c", "select null as a"},
      {"-a", "-f", "included.txt"},
      {"-e", "-c", "select 1", "-f", "included.txt"},
      {"-v", "a=1", "-v", "b=", "-v", "c", "-c", "\\echo :a :b :c"},
      {"-c", ""},
      {"-f", "-"},
  };
  for (const std::vector<std::string>& options : cases) {
    std::string shown;
    for (const std::string& option : options) shown += " " + option;
    SCOPED_TRACE(shown);
    compare(options, "select 'from stdin';\n\\nope\n");
  }
}

TEST(PromptOptionsAgainstPsql, StatusesOfScripts) {
  for (const char* input :
       {"", "select 1", "select nope;", "\\set ON_ERROR_STOP on\nselect nope;\nselect 1;\n",
        "\\set ON_ERROR_STOP on\n\\nope\nselect 1;\n", "\\q\nselect 1;\n", "\\if true\n",
        "\\set ON_ERROR_STOP on\n\\if true\n", "\\c nowhere\nselect 1;\n",
        "select pg_terminate_backend(pg_backend_pid());\nselect 1;\n", "\\i included.txt\nselect 2;",
        "\\set ON_ERROR_STOP on\n\\i included.txt\nselect 2;", "select 'unterminated", "\xef\xbb\xbfselect 1;\n"}) {
    SCOPED_TRACE(input);
    compare({}, input);
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::prompt::test
