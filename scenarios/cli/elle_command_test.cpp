// Second opinions as a user asks for them. Java, Maven and the real Elle are played by small shell programs, except
// where POLARSIM_ELLE_CLASSPATH names the real one.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// A variable of the environment, for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

constexpr const char* good_history =
    "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 1, :time 2, :process 0, :type :ok, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 2, :time 3, :process 0, :type :invoke, :f :txn, :value [[:r 1 nil]]}\n"
    "{:index 3, :time 4, :process 0, :type :ok, :f :txn, :value [[:r 1 [1]]]}\n";
// Reads what a failed transaction appended: G1a.
constexpr const char* bad_history =
    "{:index 0, :time 1, :process 0, :type :invoke, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 1, :time 2, :process 0, :type :fail, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 2, :time 3, :process 0, :type :invoke, :f :txn, :value [[:r 1 nil] [:append 1 2]]}\n"
    "{:index 3, :time 4, :process 0, :type :ok, :f :txn, :value [[:r 1 [1]] [:append 1 2]]}\n";

constexpr const char* says_valid = "echo \"{:id $id, :valid? true, :anomaly-types [], :not [], :also-not []}\"";
constexpr const char* says_invalid =
    "echo \"{:id $id, :valid? false, :anomaly-types [:G1c], :not [:read-committed], :also-not []}\"";

class ElleCommandTest : public ::testing::Test {
 protected:
  ElleCommandTest()
      : classpath_("POLARSIM_ELLE_CLASSPATH", ""),
        cache_("XDG_CACHE_HOME", place_ / "cache"),
        java_("JAVA_HOME", place_ / "jdk"),
        path_("PATH", (place_ / "bin") + ":/usr/bin:/bin") {
    fs::create_directories(place_ / "jdk/bin");
    fs::create_directories(place_ / "bin");
    write_text(place_ / "elle.jar", "not looked into");
    write_text(place_ / "good.edn", good_history);
    write_text(place_ / "bad.edn", bad_history);
    write_text(place_ / "small.toml",
               "description = \"small\"\n[run]\nduration_s = 1\n[workload]\nname = \"append\"\nclients = 2\n"
               "[check]\nelle = true\ncheckers = [{name = \"list-append\"}]\n");
  }
  void program(const std::string& name, const std::string& text) const {
    write_text(place_ / name, "#!/bin/sh\n" + text);
    fs::permissions(place_ / name, fs::perms::all);
  }
  // A Java that plays Elle: it answers each request by these shell commands, with the request in $line and its number
  // in $id. What it was started with goes to the file "started".
  void java(const std::string& answer) const {
    program("jdk/bin/java", "echo \"$@\" >> " + (place_ / "started") +
                                "\neval script=\\${$#}\ngrep -q elle.list-append \"$script\" || exit 9\n"
                                "echo '{:ready true, :version \"9.9\"}'\nwhile read -r line; do\nid=${line#'{:id '}\n"
                                "id=${id%%,*}\n" +
                                answer + "\ndone\n");
  }
  void java_that_is_not_ready(const std::string& commands) const { program("jdk/bin/java", commands); }
  Outcome with_elle(const std::vector<std::string>& arguments) const {
    const Variable named("POLARSIM_ELLE_CLASSPATH", place_ / "elle.jar");
    return place_.run(arguments);
  }
  Outcome check(const std::string& history) const {
    return with_elle({"check", history, "--model", "list-append", "--elle"});
  }
  std::set<std::string> content_of_cache() const {
    std::set<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(place_ / "cache", ignored)) {
      if (!entry.is_directory()) names.insert(fs::relative(entry.path(), place_ / "cache").string());
    }
    return names;
  }
  // Nothing of a failed installation may be left but folders above it.
  void expect_nothing_installed(const Outcome& outcome, const std::string& says) const {
    EXPECT_EQ(outcome.status, 2) << outcome.out;
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_NE(outcome.error.find(says), std::string::npos) << outcome.error;
    EXPECT_EQ(content_of_cache(), std::set<std::string>{});
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(place_ / "cache/polarsim/elle", ignored))
      ADD_FAILURE() << entry.path() << " is left";
  }

  Workplace place_;

 private:
  Variable classpath_, cache_, java_, path_;
};

TEST_F(ElleCommandTest, CheckTellsThatElleAgrees) {
  java(says_valid);
  const Outcome outcome = check("good.edn");
  EXPECT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  EXPECT_NE(outcome.out.find("\n  Elle 9.9 agrees: valid at read-committed\n"), std::string::npos) << outcome.out;
  const std::string started = content_of(place_ / "started");
  EXPECT_NE(started.find(" -cp " + (place_ / "elle.jar")), std::string::npos) << started;
  EXPECT_NE(started.find(" clojure.main /proc/self/fd/"), std::string::npos) << started;

  const Json object =
      Json::parse(with_elle({"check", "good.edn", "--model", "list-append", "--level", "MAV", "--elle", "--json"}).out);
  EXPECT_EQ(object.at("elle"), Json::parse(R"({"agreement": "agreed", "version": "9.9", "model": "read-committed",
    "valid": true, "anomalies": [], "not": [], "also_not": [], "explanation": "agrees: valid at read-committed"})"));
  EXPECT_FALSE(Json::parse(place_.run({"check", "good.edn", "--model", "list-append", "--json"}).out).contains("elle"));
}

TEST_F(ElleCommandTest, EllesFileIsTheHistory) {
  java("file=${line#*:file \\\"}\nfile=${file%%\\\"*}\ncp \"$file\" " + (place_ / "seen.edn") + "\n" + says_valid);
  EXPECT_NE(check("good.edn").status, 2);
  EXPECT_NE(content_of(place_ / "seen.edn").find(":value [[:r 1 [1]]]"), std::string::npos);
  // What is no EDN reaches Elle as EDN.
  write_text(place_ / "lines.json",
             "{\"index\":0,\"time\":1,\"process\":0,\"type\":\"invoke\",\"f\":\"txn\",\"value\":"
             "[[\"append\",7,1]]}\n");
  EXPECT_NE(check("lines.json").status, 2);
  EXPECT_NE(content_of(place_ / "seen.edn").find(":value [[:append 7 1]]"), std::string::npos);
}

TEST_F(ElleCommandTest, AContradictionHasAnExitStatusOfItsOwn) {
  java(says_invalid);
  Outcome outcome = check("good.edn");
  EXPECT_EQ(outcome.status, 4) << outcome.error;
  EXPECT_NE(outcome.out.find("Elle 9.9 elle-disagreement: polarsim says valid, Elle says invalid (G1c)"),
            std::string::npos)
      << outcome.out;
  java(says_valid);
  outcome = check("bad.edn");
  EXPECT_EQ(outcome.status, 4);
  EXPECT_NE(outcome.out.find("elle-disagreement: polarsim says invalid (G1a"), std::string::npos) << outcome.out;
}

TEST_F(ElleCommandTest, WhatBecomesOfElleLeavesOurVerdict) {
  java("echo 'java.lang.OutOfMemoryError: Java heap space' >&2\nexit 3");
  for (const auto& [history, status] : {std::pair("good.edn", 0), std::pair("bad.edn", 1)}) {
    const Outcome outcome = check(history);
    EXPECT_EQ(outcome.status, status) << outcome.error;
    EXPECT_NE(outcome.out.find("Elle 9.9 gave no verdict: its process ran out of memory: java.lang.OutOfMemoryError: "
                               "Java heap space\n"),
              std::string::npos)
        << outcome.out;
  }
}

TEST_F(ElleCommandTest, WithoutElleNothingBegins) {
  const std::string both = "elle: the real Elle is not here: `polarsim elle install` downloads release 0.2.7 into " +
                           (place_ / "cache/polarsim/elle/0.2.7") +
                           ", and POLARSIM_ELLE_CLASSPATH names one that is there already";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"check", "good.edn", "--model", "list-append", "--elle"},
        {"run", "small.toml"},
        {"campaign", "small.toml", "--seeds", "1..2"},
        {"elle", "status"}}) {
    const Outcome outcome = place_.run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments[0];
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_NE(outcome.error.find(both), std::string::npos) << outcome.error;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_FALSE(fs::exists(place_ / "runs"));
}

TEST_F(ElleCommandTest, SaysWhatIsMissing) {
  const auto refused = [&](const std::string& says) {
    const Outcome outcome = place_.run({"elle", "status"});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_NE(outcome.error.find(says), std::string::npos) << outcome.error;
  };
  {
    const Variable named("POLARSIM_ELLE_CLASSPATH", "/nowhere/elle.jar");
    refused("POLARSIM_ELLE_CLASSPATH: /nowhere/elle.jar is not there");
  }
  {
    const Variable named("POLARSIM_ELLE_CLASSPATH", ":");
    refused("POLARSIM_ELLE_CLASSPATH: names no jar and no folder");
  }
  const Variable named("POLARSIM_ELLE_CLASSPATH", place_ / "elle.jar");
  {
    const Variable no_java("PATH", place_ / "bin");
    refused("there is no program java; install Debian's package default-jre-headless");
  }
  java_that_is_not_ready("echo 'Error: Could not find or load main class clojure.main' >&2\nexit 1");
  refused(
      "cannot start what POLARSIM_ELLE_CLASSPATH has: its process ended with status 1: Error: Could not find or load "
      "main class clojure.main; install Debian's package clojure");
  java_that_is_not_ready("echo '{:failed \"java.io.FileNotFoundException: Could not locate elle/list_append\"}'");
  refused("Could not locate elle/list_append");
}

TEST_F(ElleCommandTest, ARunIsTheSameWithAndWithoutElle) {
  java(says_valid);
  const Outcome with = with_elle({"run", "small.toml", "--seed", "5", "--json"});
  ASSERT_EQ(with.status, 0) << with.error << with.out;
  const Outcome without =
      place_.run({"run", "small.toml", "--seed", "5", "--json", "--set", "check.elle=false", "--out", "other"});
  ASSERT_EQ(without.status, 0) << without.error;
  Json a = Json::parse(with.out), b = Json::parse(without.out);
  EXPECT_EQ(a.at("elle"), Json::parse(R"([{"checker": "list-append", "model": "read-committed", "agreement": "agreed",
                                           "explanation": "agrees: valid at read-committed"}])"));
  EXPECT_FALSE(b.contains("elle"));
  EXPECT_EQ(a.at("digest"), b.at("digest"));
  EXPECT_EQ(a.at("checks"), b.at("checks"));
  EXPECT_FALSE(fs::exists(place_ / "runs/small-5/elle.json"));
  EXPECT_EQ(place_.run({"replay", "runs/small-5"}).status, 0);  // without Elle
}

TEST_F(ElleCommandTest, ARunThatElleContradictsKeepsItAndSaysHowToAskAgain) {
  java(says_invalid);
  const Outcome outcome = with_elle({"run", "small.toml", "--seed", "5"});
  EXPECT_EQ(outcome.status, 4) << outcome.error;
  EXPECT_NE(outcome.out.find("  elle          on list-append: elle-disagreement: polarsim says valid"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find(" check runs/small-5/history.edn --model list-append --level read-committed --elle\n"),
            std::string::npos)
      << outcome.out;
  const Json kept = Json::parse(content_of(place_ / "runs/small-5/elle.json"));
  EXPECT_EQ(kept.at("elle_version"), "9.9");
  EXPECT_EQ(kept.at("opinions")[0].at("agreement"), "elle-disagreement");
  EXPECT_EQ(kept.at("opinions")[0].at("polarsim").at("verdict"), "valid");
  EXPECT_EQ(kept.at("opinions")[0].at("elle").at("anomalies"), Json::parse(R"(["G1c"])"));
  EXPECT_EQ(with_elle({"check", "runs/small-5/history.edn", "--model", "list-append", "--elle"}).status, 4);
  EXPECT_EQ(place_.run({"replay", "runs/small-5"}).status, 0);
  // The next run of that seed takes it away again.
  java(says_valid);
  EXPECT_EQ(with_elle({"run", "small.toml", "--seed", "5"}).status, 0);
  EXPECT_FALSE(fs::exists(place_ / "runs/small-5/elle.json"));
  java(says_invalid);
  EXPECT_EQ(with_elle({"run", "small.toml", "--seed", "5", "--no-artifacts"}).status, 4);
}

TEST_F(ElleCommandTest, ACampaignAsksOneElle) {
  java(says_valid);
  Outcome outcome = with_elle({"campaign", "small.toml", "--seeds", "1..5", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.error << outcome.out;
  EXPECT_EQ(Json::parse(outcome.out).at("elle"),
            Json::parse(R"({"agreed": 5, "differ_as_known": 0, "disagreed": 0, "no_verdict": 0, "remarks": {}})"));
  const std::string started = content_of(place_ / "started");
  EXPECT_EQ(std::count(started.begin(), started.end(), '\n'), 1);

  java(says_invalid);
  outcome = with_elle({"campaign", "small.toml", "--seeds", "1..5", "--json", "--junit", "results.xml"});
  EXPECT_EQ(outcome.status, 4) << outcome.error;
  const Json campaign = Json::parse(outcome.out);
  ASSERT_EQ(campaign.at("failures").size(), 1U);
  EXPECT_EQ(campaign.at("failures")[0].at("signature"), "elle-disagreement:list-append");
  EXPECT_EQ(campaign.at("failures")[0].at("checker"), "elle");
  EXPECT_EQ(campaign.at("failures")[0].at("capsule"), "runs/small-1");
  EXPECT_NE(content_of(place_ / "results.xml").find("elle-disagreement"), std::string::npos);

  const Outcome text = with_elle({"campaign", "small.toml", "--seeds", "1..5"});
  EXPECT_NE(text.out.find("the real Elle on 5 histories: 0 agreed, 0 differ as documented, 5 contradicted, 0 without a "
                          "verdict"),
            std::string::npos)
      << text.out;
}

constexpr const char* good_maven =
    "for argument; do case $argument in -DoutputDirectory=*) folder=${argument#*=};; esac; done\n"
    "grep -q '<artifactId>elle</artifactId><version>0.2.7</version>' pom.xml || exit 8\n"
    "mkdir -p repository \"$folder\"\necho half > repository/x.part\n"
    "echo elle > \"$folder/elle-0.2.7.jar\"\necho clojure > \"$folder/clojure-1.12.5.jar\"\n";

TEST_F(ElleCommandTest, InstallsOnceAndTellsWhatIsThere) {
  java(says_valid);
  program("bin/mvn", good_maven);
  const Outcome outcome = place_.run({"elle", "install"});
  ASSERT_EQ(outcome.status, 0) << outcome.error;
  const std::string folder = place_ / "cache/polarsim/elle/0.2.7";
  EXPECT_EQ(outcome.out, "Elle 9.9 is installed in " + folder + "\n");
  const std::string base = "polarsim/elle/0.2.7/";
  EXPECT_EQ(content_of_cache(), (std::set<std::string>{base + "SHA256SUMS", base + "jars/clojure-1.12.5.jar",
                                                       base + "jars/elle-0.2.7.jar"}));
  EXPECT_EQ(std::system(("cd " + folder + " && sha256sum --check --strict --quiet SHA256SUMS").c_str()), 0);
  fs::remove(place_ / "bin/mvn");
  EXPECT_EQ(place_.run({"elle", "install"}).out, outcome.out);
  const Outcome status = place_.run({"elle", "status"});
  EXPECT_EQ(status.status, 0) << status.error;
  EXPECT_EQ(status.out, "Elle 9.9 is here and answers: " + folder + ", 2 entries on its class path\n");
  EXPECT_EQ(place_.run({"check", "good.edn", "--model", "list-append", "--elle"}).status, 0);

  write_text(folder + "/jars/elle-0.2.7.jar", "Elle");
  Outcome damaged = place_.run({"elle", "status"});
  EXPECT_EQ(damaged.status, 2);
  EXPECT_NE(damaged.error.find("jars/elle-0.2.7.jar: is not what was installed"), std::string::npos) << damaged.error;
  fs::remove(folder + "/jars/elle-0.2.7.jar");
  damaged = place_.run({"elle", "status"});
  EXPECT_NE(damaged.error.find("jars/elle-0.2.7.jar: is not there any more"), std::string::npos) << damaged.error;
  EXPECT_EQ(damaged.error_lines(), 1U);
}

TEST_F(ElleCommandTest, InstallsWholeOrNotAtAll) {
  java(says_valid);
  program("bin/mvn", std::string(good_maven) +
                         "echo '[INFO] Downloading'\necho '[ERROR] Could not transfer it: Unknown host'\nexit 1\n");
  expect_nothing_installed(
      place_.run({"elle", "install"}),
      "Maven could not download Elle 0.2.7, and nothing was installed: Could not transfer it: Unknown "
      "host");
  program("bin/mvn", "kill -9 $$");
  expect_nothing_installed(place_.run({"elle", "install"}), "Maven could not download Elle 0.2.7");
  program("bin/mvn", "exit 0");
  expect_nothing_installed(place_.run({"elle", "install"}), "Maven brought no jar");
  program("bin/mvn", good_maven);
  java_that_is_not_ready("echo '{:failed \"it is broken\"}'");
  expect_nothing_installed(place_.run({"elle", "install"}),
                           "what Maven brought does not work, and nothing was installed");
  const Variable only_ours("PATH", place_ / "bin");
  fs::remove(place_ / "bin/mvn");
  expect_nothing_installed(place_.run({"elle", "install"}), "there is no program mvn; install Debian's package maven");
}

TEST_F(ElleCommandTest, AnInterruptedInstallationLeavesNothing) {
  java(says_valid);
  program("bin/mvn", "mkdir -p jars\necho half > jars/elle-0.2.7.jar\n: > " + (place_ / "begun") + "\nexec sleep 60\n");
  const pid_t process = place_.start({"elle", "install"});
  for (int i = 0; i < 1000 && !fs::exists(place_ / "begun"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_EQ(::kill(process, SIGINT), 0);
  const Outcome outcome = place_.wait_for(process);
  EXPECT_EQ(outcome.status, 1) << outcome.error;
  EXPECT_EQ(content_of_cache(), std::set<std::string>{});
}

// Elle's release is compiled for a newer Java than Debian 12 has.
TEST_F(ElleCommandTest, CompilesEllesClassesForAnOlderJava) {
  const std::string play =
      "classpath=\nfor argument; do [ \"$last\" = -cp ] && classpath=$argument; last=$argument; done\n"
      "case $classpath in */classes:*) ;; *) echo '{:failed "
      "\"java.lang.UnsupportedClassVersionError: elle/BitRels\"}'; exit 0;; esac\n"
      "echo '{:ready true, :version \"9.9\"}'\nread -r line\n";
  java_that_is_not_ready(play);
  program("bin/mvn", good_maven);
  program("bin/jar", "mkdir elle\necho source > elle/BitRels.java\n");
  program("bin/javac",
          "for argument; do source=$argument; done\n[ -f \"$source\" ] || exit 7\nmkdir -p classes/elle\n"
          "echo class > classes/elle/BitRels.class\n");
  ASSERT_EQ(place_.run({"elle", "install"}).status, 0) << content_of(place_ / ".stderr");
  const std::string base = "polarsim/elle/0.2.7/";
  EXPECT_EQ(content_of_cache(),
            (std::set<std::string>{base + "SHA256SUMS", base + "classes/elle/BitRels.class",
                                   base + "jars/clojure-1.12.5.jar", base + "jars/elle-0.2.7.jar"}));
  EXPECT_EQ(place_.run({"elle", "status"}).status, 0);

  fs::remove_all(place_ / "cache");
  program("bin/javac", "echo 'BitRels.java:3: error: no such class' >&2\nexit 1\n");
  expect_nothing_installed(place_.run({"elle", "install"}), "BitRels.java:3: error: no such class");
}

// The whole way, with the real one.
class RealElleCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::getenv("POLARSIM_ELLE_CLASSPATH") == nullptr) GTEST_SKIP() << "POLARSIM_ELLE_CLASSPATH names no Elle";
    write_text(place_ / "good.edn", good_history);
    write_text(place_ / "bad.edn", bad_history);
  }
  Workplace place_;
};

TEST_F(RealElleCommandTest, AgreesWithCheckRunAndCampaign) {
  EXPECT_EQ(place_.run({"elle", "status"}).status, 0);
  const Outcome good = place_.run({"check", "good.edn", "--model", "list-append", "--level", "serializable", "--elle"});
  EXPECT_EQ(good.status, 0) << good.out << good.error;
  EXPECT_NE(good.out.find(" agrees: valid at serializable"), std::string::npos) << good.out;
  const Outcome bad = place_.run({"check", "bad.edn", "--model", "list-append", "--elle"});
  EXPECT_EQ(bad.status, 1) << bad.out << bad.error;
  EXPECT_NE(bad.out.find(" agrees: invalid at read-committed"), std::string::npos) << bad.out;
  const Outcome campaign = place_.run({"campaign", "append", "register", "--seeds", "1..2", "--set", "check.elle=true",
                                       "--set", "run.duration_s=5", "--json"});
  EXPECT_EQ(campaign.status, 0) << campaign.error << campaign.out;
  EXPECT_EQ(Json::parse(campaign.out).at("elle").at("agreed"), 4) << campaign.out;
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
