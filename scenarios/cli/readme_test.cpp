// Documents show what the program prints today: every block that begins with `$ ./polarsim ...` is run and compared.
//
// A line `...` in a block stands for any lines. What differs from run to run by nature (real time, addresses) is not
// compared. With POLARSIM_UPDATE_README set, blocks without such lines are written anew instead.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* prompt = "$ ./polarsim ";

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string masked(std::string line) {
  static const std::regex real_time(R"(in [0-9.]+ s on this machine \([0-9.]+ times real time\))");
  static const std::regex address(R"(((first|second) run: task 1 waits until) [0-9]+ ns)");
  line = std::regex_replace(line, real_time, "in some time");
  return std::regex_replace(line, address, "$1 some ns");
}

// Whether the actual lines are the shown ones, with `...` for any number of them.
bool matches(const Lines& shown, std::size_t i, const Lines& actual, std::size_t j) {
  for (; i < shown.size(); ++i, ++j) {
    if (shown[i] == "...") {
      for (std::size_t next = j; next <= actual.size(); ++next) {
        if (matches(shown, i + 1, actual, next)) return true;
      }
      return false;
    }
    if (j == actual.size() || masked(shown[i]) != masked(actual[j])) return false;
  }
  return j == actual.size();
}

// As it prints where the commands of documents are typed: in the checkout.
std::string as_in_the_checkout(std::string text) {
  const auto replace = [&text](const std::string& what, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
      text.replace(at, what.size(), with);
  };
  replace(POLARSIM_BINARY, "./polarsim");
  replace(POLARSIM_SOURCE_DIR "/", "");
  return text;
}

std::vector<std::string> arguments_of(const std::string& command) {
  std::istringstream stream(command.substr(std::string(prompt).size()));
  std::vector<std::string> arguments{std::istream_iterator<std::string>(stream), {}};
  for (std::string& argument : arguments) {
    if (argument.starts_with("scenarios/") || argument.starts_with("checkers/"))
      argument = POLARSIM_SOURCE_DIR "/" + argument;
  }
  return arguments;
}

void compare_blocks(const std::string& document, int least_blocks) {
  const std::string path = POLARSIM_SOURCE_DIR "/" + document;
  const bool update = std::getenv("POLARSIM_UPDATE_README") != nullptr;
  const Lines readme = lines_of(content_of(path));
  Lines updated;
  int blocks = 0;
  for (std::size_t at = 0; at < readme.size(); ++at) {
    updated.push_back(readme[at]);
    if (!readme[at].starts_with(prompt)) continue;
    ++blocks;
    const auto end = std::find(readme.begin() + static_cast<std::ptrdiff_t>(at), readme.end(), "```");
    const Lines shown(readme.begin() + static_cast<std::ptrdiff_t>(at) + 1, end);
    const Workplace place;
    const Outcome outcome = place.run(arguments_of(readme[at]));
    const Lines actual = lines_of(as_in_the_checkout(outcome.out));
    const bool shortened = std::find(shown.begin(), shown.end(), "...") != shown.end();
    const bool same = matches(shown, 0, actual, 0);
    const bool replaced = update && !shortened && !same;
    if (!replaced) {
      EXPECT_TRUE(same) << readme[at] << "\nprints now:\n" << outcome.out << outcome.error;
    }
    const Lines& kept = replaced ? actual : shown;
    updated.insert(updated.end(), kept.begin(), kept.end());
    at += shown.size();
  }
  EXPECT_GE(blocks, least_blocks) << document << " has lost its examples";
  if (!update) return;
  std::string text;
  for (const std::string& line : updated) text += line + "\n";
  write_text(path, text);
}

TEST(Readme, ShowsWhatTheProgramPrintsToday) { compare_blocks("README.md", 4); }

TEST(Documents, OfCheckersShowWhatTheProgramPrintsToday) { compare_blocks("docs/checkers.md", 1); }

}  // namespace
}  // namespace polarsim::scenarios::cli::test
