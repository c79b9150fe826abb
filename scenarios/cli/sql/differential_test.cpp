// Random scripts of statements, played on a node, or on a cluster whose tables are distributed, and on a PostgreSQL 15,
// which must answer the same: rows, their columns' names and types, tags, errors with all their fields (of a cluster:
// the SQLSTATE alone). What is known to differ is in known_differences.tsv.
//
// A script that differs is made shorter and simpler by RapidCheck (RC_PARAMS="seed=..." repeats a run). In the
// environment, POLARSIM_SQL_SCRIPTS says how many scripts there are, and POLARSIM_SQL_SURVEY=SEED lists the
// differences of so many scripts instead of stopping at the first: an example of each kind. POLARSIM_SQL_FIRST is the
// number of its first script, POLARSIM_SQL_LOG a file for its statements, POLARSIM_SQL_EXAMPLES how many are shown.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>

#include "scenarios/cli/sql/stage.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr std::size_t scripts_by_default = 400;
constexpr std::size_t cluster_scripts_by_default = 260;
constexpr std::uint64_t default_seed = 15;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

rc::Seq<Script> simpler(const Script& script) {
  std::vector<Script> made;
  // Without a part of the statements, the last first.
  for (std::size_t length = script.size(); length >= 1; length /= 2) {
    for (std::size_t start = script.size(); start > 0; start -= std::min(start, length)) {
      Script shorter = script;
      const std::size_t from = start - std::min(start, length);
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(from),
                    shorter.begin() + static_cast<std::ptrdiff_t>(start));
      if (!shorter.empty()) made.push_back(std::move(shorter));
    }
  }
  for (std::size_t i = 0; i < script.size(); ++i) {
    const std::size_t size = script[i].size();
    for (std::size_t length = size; length >= 1; length /= 2) {
      Script cut = script;
      cut[i].resize(size - length);
      made.push_back(std::move(cut));
    }
    for (std::size_t at = 0; at < std::min<std::size_t>(size, 60); ++at) {
      if (script[i][at] == 0) continue;
      Script lower = script;
      lower[i][at] = 0;
      made.push_back(lower);
      Script without = script;
      without[i].erase(without[i].begin() + static_cast<std::ptrdiff_t>(at));
      made.push_back(std::move(without));
      lower[i][at] = script[i][at] / 2;
      made.push_back(std::move(lower));
    }
  }
  return rc::seq::fromContainer(std::move(made));
}

rc::Gen<Script> any_script() {
  const auto seeds = rc::gen::resize(rc::kNominalSize, rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()));
  return rc::gen::shrink(rc::gen::map(seeds, make_script), simpler);
}

void expect_no_difference(Target target, std::size_t scripts) {
  Stage stage(target);
  if (const char* const path = std::getenv("POLARSIM_SQL_LOG")) stage.log_to(path);
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  parameters.maxSuccess = static_cast<int>(number_from_environment("POLARSIM_SQL_SCRIPTS", scripts));
  // The same in every run, unless somebody asks for another.
  if (std::getenv("RC_PARAMS") == nullptr) parameters.seed = default_seed;
  const auto result = rc::detail::checkTestable(
      [&] {
        // Not shown as an argument: what counts is its statements.
        const Script script = *any_script();
        const Played played = stage.play(script, true);
        if (played.differences.empty()) return;
        std::string text;
        for (const std::string& statement : played.statements) text += statement + ";\n";
        RC_FAIL(text + "\n" + played.differences.front().text);
      },
      rc::detail::TestMetadata(), parameters);
  std::cout << "seed " << parameters.seed << ", " << stage.summary() << '\n';
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << message.str();
}

void survey(Target target, std::size_t scripts) {
  Stage stage(target);
  if (const char* const path = std::getenv("POLARSIM_SQL_LOG")) stage.log_to(path);
  const std::uint64_t seed = number_from_environment("POLARSIM_SQL_SURVEY", 1);
  const std::uint64_t first = number_from_environment("POLARSIM_SQL_FIRST", 0);
  // Texts by their length, with the number of the script.
  struct Kind {
    std::size_t count = 0;
    std::multimap<std::size_t, std::pair<std::uint64_t, std::string>> shortest;
  };
  const std::uint64_t examples = number_from_environment("POLARSIM_SQL_EXAMPLES", 1);
  std::map<std::string, Kind> kinds;
  for (std::uint64_t i = first; i < first + number_from_environment("POLARSIM_SQL_SCRIPTS", scripts); ++i) {
    stage.note(fmt::format("-- script {}", i));
    for (Difference& difference : stage.play(make_script(seed * 1'000'000 + i), false).differences) {
      Kind& kind = kinds[difference.kind];
      ++kind.count;
      const std::size_t length = difference.text.size();
      kind.shortest.emplace(length, std::pair(i, std::move(difference.text)));
      if (kind.shortest.size() > examples) kind.shortest.erase(std::prev(kind.shortest.end()));
    }
  }
  for (const auto& [name, kind] : kinds) {
    std::cout << fmt::format("===== {} times: {}\n", kind.count, name);
    for (const auto& [length, example] : kind.shortest)
      std::cout << fmt::format("(script {}) {}\n", example.first, example.second);
  }
  std::cout << stage.errors();
  std::cout << "seed " << seed << ", " << kinds.size() << " kinds of differences; " << stage.summary() << '\n';
}

bool asks_for_survey() { return std::getenv("POLARSIM_SQL_SURVEY") != nullptr; }

TEST(SqlAgainstPostgres, RandomStatementsAnswerTheSame) {
  if (asks_for_survey()) GTEST_SKIP() << "POLARSIM_SQL_SURVEY asks for a survey instead";
  expect_no_difference(Target::node, scripts_by_default);
}

TEST(SqlAgainstPostgres, RandomStatementsOnAClusterAnswerTheSame) {
  if (asks_for_survey()) GTEST_SKIP() << "POLARSIM_SQL_SURVEY asks for a survey instead";
  expect_no_difference(Target::cluster, cluster_scripts_by_default);
}

TEST(SqlAgainstPostgres, Survey) {
  if (!asks_for_survey()) GTEST_SKIP() << "POLARSIM_SQL_SURVEY asks for none";
  survey(Target::node, scripts_by_default);
}

TEST(SqlAgainstPostgres, SurveyOfACluster) {
  if (!asks_for_survey()) GTEST_SKIP() << "POLARSIM_SQL_SURVEY asks for none";
  survey(Target::cluster, cluster_scripts_by_default);
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
