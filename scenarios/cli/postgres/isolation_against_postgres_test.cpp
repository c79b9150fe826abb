// PostgreSQL 15 does what the isolation files say that it does.
#include <gtest/gtest.h>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/postgres/postgres_stage.h"
#include "scenarios/isolation/isolation_file.h"
#include "scenarios/isolation/isolation_files.h"
#include "scenarios/isolation/play.h"

namespace polarsim::scenarios::cli::test {
namespace {

using isolation::Case;
using isolation::CaseResult;
using isolation::IsolationFile;

// A slow moment of the machine can spoil a case that counts time; PostgreSQL is the judge, so it may try again.
CaseResult play_patiently(const Case& played, const std::string& path, isolation::Stage& stage) {
  CaseResult result = isolation::play(played, path, stage);
  for (int more = played.timed() ? 3 : 0; more > 0 && !result.passed(); --more) {
    result = isolation::play(played, path, stage);
  }
  return result;
}

TEST(IsolationAgainstPostgres, EveryFileTellsTheTruth) {
  const PostgresServer server;
  const auto stage = make_postgres_stage({server.connection(), false});
  std::size_t cases = 0;
  for (const std::string& path : isolation::isolation_files()) {
    const auto file = isolation::load_isolation_file(path);
    ASSERT_TRUE(file) << file.error().message;
    for (const Case& played : file->cases) {
      const CaseResult result = play_patiently(played, path, *stage);
      ++cases;
      std::string transcript;
      for (const std::string& line : result.transcript) transcript += line + "\n";
      EXPECT_TRUE(result.passed()) << played.name << "\n" << transcript << result.difference;
    }
  }
  EXPECT_GT(cases, 200U);
}

// What is wrong on purpose must not pass: else nothing that passes means anything.
TEST(IsolationAgainstPostgres, AWrongFileIsFoundOut) {
  const PostgresServer server;
  const auto stage = make_postgres_stage({server.connection(), false});
  const auto file = isolation::load_isolation_file("scenarios/isolation/fixtures/wrong.toml");
  ASSERT_TRUE(file) << file.error().message;
  for (const Case& played : file->cases) {
    EXPECT_FALSE(isolation::play(played, "wrong.toml", *stage).passed()) << played.name;
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
