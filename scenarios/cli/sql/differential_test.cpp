// Random scripts of statements, played on a node and on a PostgreSQL 15, which must answer the same: rows, their
// columns' names and types, tags, errors with all their fields. What is known to differ is in known_differences.tsv.
//
// A script that differs is made shorter and simpler by RapidCheck (RC_PARAMS="seed=..." repeats a run). In the
// environment, POLARSIM_SQL_SCRIPTS says how many scripts there are, and POLARSIM_SQL_SURVEY=SEED lists the
// differences of so many scripts instead of stopping at the first: one example of each kind.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/sql/comparison.h"
#include "scenarios/cli/sql/postgres_connection.h"
#include "scenarios/cli/sql/statement_generator.h"
#include "scenarios/sql/node_connection.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr std::size_t scripts_by_default = 150;
constexpr std::uint64_t default_seed = 15;
constexpr std::size_t statements_of_script = 50;
constexpr std::size_t choices_of_statement = 400;

using Numbers = std::vector<std::uint16_t>;
// What each statement is drawn from.
struct Script : std::vector<Numbers> {
  using std::vector<Numbers>::vector;
};

// What counts are the statements, which the failure has.
void showValue(const Script& script, std::ostream& stream) { stream << script.size() << " statements"; }

Script make_script(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Script script(statements_of_script);
  for (Numbers& numbers : script) {
    numbers.resize(choices_of_statement);
    for (std::uint16_t& number : numbers) number = static_cast<std::uint16_t>(random());
  }
  return script;
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Difference {
  std::string text;
  std::string kind;  // which others are like it
};

struct Played {
  std::vector<std::string> statements;
  std::vector<Difference> differences;
};

bool only_reads(const std::string& statement) {
  return statement.starts_with("SELECT") || statement.starts_with("WITH") || statement.starts_with("VALUES") ||
         statement.starts_with('(');
}

// Without what is quoted and without numbers.
std::string shape_of(const std::string& text) {
  std::string shape;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && std::isdigit(static_cast<unsigned char>(c)) == 0) shape += c;
  }
  return shape;
}

class Stage {
 public:
  Stage()
      : theirs_(make_postgres_connection(server_.connection())), known_(POLARSIM_SQL_DATA "/known_differences.tsv") {
    theirs_->run("set client_min_messages to error");
  }

  // A difference ends the script if what comes after it would start from different tables, or `stop_at_first`.
  Played play(const Script& script, bool stop_at_first) {
    theirs_->run("drop schema public cascade");
    theirs_->run("create schema public");
    ours_ = sql::make_node_connection();
    GeneratedSchema schema;
    Played played;
    for (const Numbers& numbers : script) {
      Choices choices(numbers);
      const GeneratedStatement statement = StatementGenerator(choices, schema).statement();
      played.statements.push_back(statement.text);
      note(statement.text + ";");
      const sql::Answer theirs = theirs_->run(statement.text);
      const sql::Answer ours = ours_->run(statement.text);
      ++statements_;
      if (theirs.error) ++errors_[theirs.error->sqlstate + " " + shape_of(theirs.error->message)];
      const std::string differs = difference_between(ours, theirs, statement.ordered_by);
      if (!differs.empty()) {
        const bool known = known_.find(statement.text, ours, theirs) != nullptr;
        if (known) ++known_differences_;
        if (!known) played.differences.push_back(describe(differs, statement.text, ours, theirs));
        if (!only_reads(statement.text) || (stop_at_first && !known)) return played;
      }
      if (!theirs.error && statement.effect) statement.effect(schema);
    }
    return played;
  }
  std::string summary() const {
    std::size_t errors = 0;
    for (const auto& [message, count] : errors_) errors += count;
    return fmt::format("{} statements, {} of them errors, {} known differences", statements_, errors,
                       known_differences_);
  }
  // What errors there were, with how often.
  std::string errors() const {
    std::string text;
    for (const auto& [message, count] : errors_) text += fmt::format("{:6} {}\n", count, message);
    return text;
  }
  void log_to(const std::string& path) { log_.open(path); }
  void note(const std::string& text) {
    if (log_.is_open()) log_ << text << std::endl;
  }

 private:
  static Difference describe(const std::string& differs, const std::string& statement, const sql::Answer& ours,
                             const sql::Answer& theirs) {
    Difference made;
    made.text = fmt::format("{} differ\n{};\n--- ours\n{}\n--- theirs\n{}\n", differs, statement, sql::to_string(ours),
                            sql::to_string(theirs));
    made.kind = differs + (ours.error ? " " + ours.error->sqlstate + shape_of(ours.error->message) : "") +
                (theirs.error ? " " + theirs.error->sqlstate + shape_of(theirs.error->message) : "");
    return made;
  }

  PostgresServer server_;
  std::unique_ptr<sql::Connection> theirs_;
  std::unique_ptr<sql::Connection> ours_;
  KnownDifferences known_;
  std::ofstream log_;
  std::size_t statements_ = 0;
  std::map<std::string, std::size_t> errors_;
  std::size_t known_differences_ = 0;
};

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

TEST(SqlAgainstPostgres, RandomStatementsAnswerTheSame) {
  if (std::getenv("POLARSIM_SQL_SURVEY") != nullptr) GTEST_SKIP() << "POLARSIM_SQL_SURVEY asks for a survey instead";
  Stage stage;
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  parameters.maxSuccess = static_cast<int>(number_from_environment("POLARSIM_SQL_SCRIPTS", scripts_by_default));
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
  std::cout << stage.summary() << '\n';
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << message.str();
}

TEST(SqlAgainstPostgres, Survey) {
  if (std::getenv("POLARSIM_SQL_SURVEY") == nullptr) GTEST_SKIP() << "POLARSIM_SQL_SURVEY asks for none";
  Stage stage;
  if (const char* const path = std::getenv("POLARSIM_SQL_LOG")) stage.log_to(path);
  const std::uint64_t seed = number_from_environment("POLARSIM_SQL_SURVEY", 1);
  struct Kind {
    std::size_t count = 0;
    std::string shortest;
    std::uint64_t script = 0;
  };
  std::map<std::string, Kind> kinds;
  for (std::uint64_t i = 0; i < number_from_environment("POLARSIM_SQL_SCRIPTS", scripts_by_default); ++i) {
    stage.note(fmt::format("-- script {}", i));
    for (Difference& difference : stage.play(make_script(seed * 1'000'000 + i), false).differences) {
      Kind& kind = kinds[difference.kind];
      if (kind.count++ != 0 && difference.text.size() >= kind.shortest.size()) continue;
      kind.shortest = std::move(difference.text);
      kind.script = i;
    }
  }
  for (const auto& [name, kind] : kinds)
    std::cout << fmt::format("===== {} times (script {}): {}\n{}", kind.count, kind.script, name, kind.shortest);
  std::cout << stage.errors();
  std::cout << stage.summary() << ", " << kinds.size() << " kinds\n";
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
