// Elle's process, played by small shell programs: what it answers, and every way in which it can fail to.
#include "scenarios/elle_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <string>

namespace polarsim::scenarios {
namespace {

using checkers::ElleAnswer;
using checkers::Validity;

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

const std::string ready = "echo '{:ready true, :version \"0.2.7\"}'\n";
// Takes a request apart: $line and $id.
const std::string take = "read -r line || exit 0\nid=${line#'{:id '}\nid=${id%%,*}\n";
const std::string valid = "echo \"{:id $id, :valid? true, :anomaly-types [], :not [], :also-not []}\"\n";

ElleProcessOptions playing(const std::string& script) {
  ElleProcessOptions options;
  options.command = {"/bin/sh"};
  options.script = script;
  options.wall_seconds = seconds_now;
  options.start_seconds = options.answer_seconds = 60;
  return options;
}

std::string why_not(const std::string& script) {
  ElleProcess elle(playing(script));
  const auto started = elle.start();
  return started ? "it started" : started.error().message;
}

const checkers::ElleRequest request{0, "list-append", "serializable", {}, "/tmp/history.edn"};

TEST(ElleProcess, AnswersOneRequestAfterAnotherFromOneProcess) {
  ElleProcess elle(
      playing(ready + "n=0\nwhile :; do\n" + take +
              "n=$((n+1))\necho \"{:id $id, :valid? false, :anomaly-types [:G$n], :not [], :also-not []}\"\n"
              "done\n"));
  ASSERT_TRUE(elle.start());
  EXPECT_EQ(elle.version(), "0.2.7");
  for (int i = 1; i <= 5; ++i) {
    const ElleAnswer answer = elle.answer_to(request);
    EXPECT_EQ(answer.validity, Validity::invalid);
    EXPECT_EQ(answer.anomalies, std::vector<std::string>{"G" + std::to_string(i)});
  }
}

TEST(ElleProcess, GetsTheRequestAsOneLine) {
  ElleProcess elle(
      playing(ready + take + "echo \"{:id $id, :error \\\"$(printf %s \"$line\" | tr '\"' \"'\")\\\"}\"\n"));
  ASSERT_TRUE(elle.start());
  EXPECT_EQ(elle.answer_to(request).reason,
            "{:id 1, :model 'list-append', :file '/tmp/history.edn', :options {:consistency-models [:serializable], "
            ":cycle-search-timeout 10000}}");
}

TEST(ElleProcess, SaysWhyItCannotBegin) {
  EXPECT_EQ(why_not("echo 'Could not find it' >&2\nexit 1"), "its process ended with status 1: Could not find it");
  EXPECT_EQ(why_not("echo noise >&2\necho 'Error: no main class' >&2\necho '  at x' >&2\nexit 1"),
            "its process ended with status 1: Error: no main class");
  EXPECT_EQ(why_not("exit 0"), "its process ended with status 0");
  EXPECT_EQ(why_not("kill -9 $$"), "its process was ended by SIGKILL");
  EXPECT_EQ(why_not("echo '{:failed \"no Elle on the class path\"}'\nsleep 60"), "no Elle on the class path");
  EXPECT_EQ(why_not("echo Hello\nsleep 60"), "expected the greeting of Elle's bridge, found: Hello");
  ElleProcessOptions missing = playing("");
  missing.command = {"/nowhere/java"};
  EXPECT_EQ(ElleProcess(missing).start().error().message,
            "its process ended with status 127: cannot start /nowhere/java: No such file or directory");
  ElleProcessOptions hanging = playing("sleep 60");
  hanging.start_seconds = 0.2;
  EXPECT_EQ(ElleProcess(hanging).start().error().message, "Elle was not ready within 0 s");
}

// What one request gets that Elle does not survive, and that the next one is answered by a new process.
std::string reason_and_recovery(const std::string& misdeed, double answer_seconds = 60) {
  const std::string mark = "/tmp/polarsim-elle-test-" + std::to_string(::getpid());
  ::unlink(mark.c_str());
  ElleProcessOptions options =
      playing(ready + take + "if [ -e " + mark + " ]; then " + valid + "sleep 60; fi\n: > " + mark + "\n" + misdeed);
  options.answer_seconds = answer_seconds;
  ElleProcess elle(options);
  EXPECT_TRUE(elle.start());
  const ElleAnswer answer = elle.answer_to(request);
  EXPECT_EQ(answer.validity, Validity::unknown);
  const ElleAnswer next = elle.answer_to(request);
  EXPECT_EQ(next.validity, Validity::valid) << next.reason;
  ::unlink(mark.c_str());
  return answer.reason;
}

TEST(ElleProcess, OutlivesEveryEndOfAJvm) {
  EXPECT_EQ(reason_and_recovery("exit 7"), "its process ended with status 7");
  EXPECT_EQ(reason_and_recovery("kill -SEGV $$"), "its process was ended by SIGSEGV");
  EXPECT_EQ(reason_and_recovery("echo 'Terminating due to java.lang.OutOfMemoryError: Java heap space' >&2\nexit 3"),
            "its process ran out of memory: Terminating due to java.lang.OutOfMemoryError: Java heap space");
  EXPECT_EQ(reason_and_recovery("sleep 60", 0.3), "Elle did not answer within 0 s");
  EXPECT_EQ(reason_and_recovery("echo 'WARNING: something'\nsleep 60"),
            "expected an answer of Elle's bridge, found: WARNING: something");
  EXPECT_EQ(reason_and_recovery("echo '{:id 99, :error \"x\"}'\nsleep 60"),
            "its process answered what was not asked: {:id 99, :error \"x\"}");
  EXPECT_EQ(reason_and_recovery("head -c 3000000 /dev/zero\nsleep 60"),
            "its process said too much without ending a line");
  EXPECT_EQ(reason_and_recovery("printf '{:id 1, :valid? tr'\nexit 0"), "its process ended with status 0");
}

TEST(ElleProcess, AnErrorOfEllesIsAnAnswerAndNoEnd) {
  ElleProcess elle(
      playing(ready + take + "echo \"{:id $id, :error \\\"duplicate appends\\\"}\"\n" + take + valid + take));
  ASSERT_TRUE(elle.start());
  EXPECT_EQ(elle.answer_to(request).reason, "duplicate appends");
  EXPECT_EQ(elle.answer_to(request).validity, Validity::valid);
}

TEST(ElleProcess, MayEndBetweenTwoRequests) {
  ElleProcess elle(playing(ready + take + valid));
  ASSERT_TRUE(elle.start());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(elle.answer_to(request).validity, Validity::valid) << i;
    ::usleep(100'000);  // until it has ended
  }
}

TEST(ElleProcess, IsGivenUpAfterThreeFailuresInARow) {
  const std::string count = "/tmp/polarsim-elle-starts-" + std::to_string(::getpid());
  ::unlink(count.c_str());
  ElleProcess elle(playing("echo x >> " + count + "\n" + ready + take + "exit 5"));
  ASSERT_TRUE(elle.start());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(elle.answer_to(request).reason, "its process ended with status 5");
  EXPECT_EQ(elle.answer_to(request).reason, "its process ended with status 5; not started again");
  EXPECT_EQ(elle.answer_to(request).reason, "its process ended with status 5; not started again");
  FILE* file = std::fopen(count.c_str(), "r");
  ASSERT_NE(file, nullptr);
  std::fseek(file, 0, SEEK_END);
  EXPECT_EQ(std::ftell(file), 6);  // three lines
  std::fclose(file);
  ::unlink(count.c_str());
}

TEST(ElleProcess, CanBeWaitedForAmongOtherThings) {
  ElleProcess elle(playing("sleep 0.2\n" + ready + take + "sleep 0.2\n" + valid + "sleep 60"));
  EXPECT_FALSE(elle.busy());
  EXPECT_FALSE(elle.pump());
  elle.ask(request);  // starts the process
  EXPECT_TRUE(elle.busy());
  EXPECT_GE(elle.descriptor(), 0);
  int rounds = 0;
  for (;; ++rounds) {
    const auto answer = elle.pump();
    if (!answer) {
      ::usleep(10'000);
      continue;
    }
    EXPECT_EQ(answer->validity, Validity::valid);
    break;
  }
  EXPECT_GT(rounds, 2);
  EXPECT_FALSE(elle.busy());
}

TEST(ElleProcess, IsLeftWhenTheUserHasEnough) {
  ElleProcessOptions options = playing(ready + take + "sleep 60");
  bool stop = false;
  options.interrupted = [&stop] { return stop; };
  ElleProcess elle(options);
  ASSERT_TRUE(elle.start());
  stop = true;
  EXPECT_EQ(elle.answer_to(request).reason, "interrupted");
  EXPECT_EQ(elle.start().error().message, "");
}

TEST(ElleProcess, EndsWithItsOwner) {
  const std::string file = "/tmp/polarsim-elle-pid-" + std::to_string(::getpid());
  pid_t process = 0;
  {
    ElleProcess elle(playing("echo $$ > " + file + "\n" + ready + "sleep 60"));
    ASSERT_TRUE(elle.start());
    FILE* stream = std::fopen(file.c_str(), "r");
    ASSERT_NE(stream, nullptr);
    ASSERT_EQ(std::fscanf(stream, "%d", &process), 1);
    std::fclose(stream);
    EXPECT_EQ(::kill(process, 0), 0);
  }
  EXPECT_NE(::kill(process, 0), 0);
  ::unlink(file.c_str());
}

}  // namespace
}  // namespace polarsim::scenarios
