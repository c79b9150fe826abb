// The real Elle beside our checkers, at every level. The environment variable POLARSIM_ELLE_CLASSPATH names it (see
// docs/checkers.md); POLARSIM_ELLE_VERDICTS adds a folder of histories: list-append/ and rw-register/.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "checkers/checkers.h"
#include "checkers/elle/second_opinion.h"
#include "scenarios/elle_process.h"

namespace polarsim::scenarios {
namespace {

namespace fs = std::filesystem;
using checkers::Agreement;

const char* classpath() { return std::getenv("POLARSIM_ELLE_CLASSPATH"); }

ElleProcessOptions real_elle() {
  ElleProcessOptions options;
  const std::string clojure =
      ":/usr/share/java/clojure.jar:/usr/share/java/spec.alpha.jar:"
      "/usr/share/java/core.specs.alpha.jar";
  options.command = {"java", "-Djava.awt.headless=true", "-cp", classpath() + clojure, "clojure.main"};
  options.script = checkers::elle_bridge_script();
  options.wall_seconds = [] {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  };
  return options;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Every model that a level can be asked about through Elle, once.
std::set<std::string> models() {
  std::set<std::string> names;
  for (const std::string& level : checkers::known_levels()) names.insert(checkers::elle_model_of(level));
  return names;
}

struct Tally {
  std::map<std::string, int> by_agreement;
  std::map<std::string, int> reasons;  // of what is neither agreement nor disagreement
};

void compare(ElleProcess& elle, const fs::path& file, const std::string& checker, const std::string& model,
             const checkers::RegisterOptions& options, Tally& tally) {
  const auto history = checkers::read_history(content_of(file), file.filename().string());
  ASSERT_TRUE(history) << history.error().message;
  const checkers::Verdict verdict = checker == "list-append" ? checkers::check_list_append(*history, {model})
                                                             : checkers::check_rw_register(*history, {model}, options);
  const auto own = checkers::own_opinion(verdict, model, options);
  const auto answer = elle.answer_to({0, checker, model, options, file.string()});
  const checkers::SecondOpinion second = checkers::compare_with_elle(own, answer);
  ++tally.by_agreement[to_string(second.agreement)];
  EXPECT_NE(second.agreement, Agreement::disagreed) << file << ": " << second.explanation;
  if (second.agreement == Agreement::agreed) return;
  ++tally.reasons[second.explanation.substr(0, second.explanation.find(": polarsim says")).substr(0, 120)];
}

void print(const std::string& what, const Tally& tally) {
  std::printf("%s:", what.c_str());
  for (const auto& [name, count] : tally.by_agreement) std::printf(" %d %s", count, name.c_str());
  std::printf("\n");
  for (const auto& [reason, count] : tally.reasons) std::printf("  %d times: %s\n", count, reason.c_str());
}

std::vector<fs::path> histories_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".edn") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class RealElle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (classpath() == nullptr) GTEST_SKIP() << "POLARSIM_ELLE_CLASSPATH names no Elle";
    elle_ = std::make_unique<ElleProcess>(real_elle());
    const auto started = elle_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  std::unique_ptr<ElleProcess> elle_;
};

// The small histories that come along, at every model.
TEST_F(RealElle, AgreesOnTheFixtures) {
  const fs::path folder = fs::absolute("checkers/fixtures");
  std::istringstream rows(content_of(folder / "expectations.tsv"));
  std::set<std::pair<std::string, std::string>> histories;
  std::string line;
  std::getline(rows, line);
  while (std::getline(rows, line)) {
    std::istringstream fields(line);
    std::string file, checker;
    std::getline(fields, file, '\t');
    std::getline(fields, checker, '\t');
    if (checkers::elle_judges(checker)) histories.emplace(file, checker);
  }
  EXPECT_GE(histories.size(), 10U);
  Tally tally;
  for (const auto& [file, checker] : histories) {
    for (const std::string& model : models()) compare(*elle_, folder / file, checker, model, {}, tally);
  }
  print("fixtures", tally);
  EXPECT_GT(tally.by_agreement["agreed"], 500);
}

TEST_F(RealElle, AgreesOnAFolderOfHistories) {
  const char* folder = std::getenv("POLARSIM_ELLE_VERDICTS");
  if (folder == nullptr) GTEST_SKIP() << "POLARSIM_ELLE_VERDICTS names no folder of histories";
  const char* all = std::getenv("POLARSIM_ELLE_ALL_MODELS");
  std::set<std::string> wanted = {"read-uncommitted",   "read-committed", "repeatable-read",
                                  "snapshot-isolation", "serializable",   "strong-session-serializable",
                                  "strict-serializable"};
  if (all != nullptr) wanted = models();
  Tally lists;
  for (const fs::path& file : histories_in(fs::path(folder) / "list-append")) {
    for (const std::string& model : wanted) compare(*elle_, file, "list-append", model, {}, lists);
  }
  print("list-append", lists);
  const std::pair<const char*, checkers::RegisterOptions> variants[] = {
      {"nothing", {.wfr_keys = false}},
      {"wfr-keys", {}},
      {"sequential-keys", {.wfr_keys = false, .sequential_keys = true}},
      {"linearizable-keys", {.wfr_keys = false, .linearizable_keys = true}},
      {"all", {.wfr_keys = true, .sequential_keys = true, .linearizable_keys = true}},
  };
  for (const auto& [name, options] : variants) {
    Tally registers;
    for (const fs::path& file : histories_in(fs::path(folder) / "rw-register")) {
      for (const std::string& model : wanted) compare(*elle_, file, "rw-register", model, options, registers);
    }
    print(std::string("rw-register, inferred from ") + name, registers);
  }
}

}  // namespace
}  // namespace polarsim::scenarios
