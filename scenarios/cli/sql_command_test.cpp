// `polarsim sql` as a user sees it: piped input, options, statuses, and a terminal.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/program_under_test.h"

namespace polarsim::scenarios::cli::test {
namespace {

using namespace std::string_literals;

class SqlCommand : public ::testing::Test {
 protected:
  Outcome sql(std::vector<std::string> arguments, const std::string& input = "") {
    write_text(place_ / "input", input);
    arguments.insert(arguments.begin(), "sql");
    return place_.wait_for(place_.start(arguments, "input"));
  }
  void expect_refused(const std::vector<std::string>& arguments, const std::string& says) {
    const Outcome outcome = sql(arguments);
    EXPECT_EQ(outcome.status, 2) << says;
    EXPECT_EQ(outcome.error_lines(), 1U) << outcome.error;
    EXPECT_TRUE(outcome.error.starts_with("polarsim: ")) << outcome.error;
    EXPECT_NE(outcome.error.find(says), std::string::npos) << "should say " << says << "\nsays " << outcome.error;
    EXPECT_EQ(outcome.out, "");
  }
  Workplace place_;
};

TEST_F(SqlCommand, AnswersPipedStatements) {
  const Outcome outcome = sql({},
                              "CREATE TABLE fruit (id integer PRIMARY KEY, name text);\n"
                              "SELECT create_distributed_table('fruit', 'id');\n"
                              "INSERT INTO fruit VALUES (1, 'apple'), (2, NULL), (10, E'pear\\nquince');\n"
                              "\\pset null (none)\n"
                              "SELECT id, name FROM fruit\n"
                              "ORDER BY id;\n"
                              "SELECT nothing FROM fruit;\n"
                              "SELECT 1/0\n");
  EXPECT_EQ(outcome.out,
            "CREATE TABLE\n"
            " create_distributed_table \n"
            "--------------------------\n"
            " \n"
            "(1 row)\n"
            "\n"
            "INSERT 0 3\n"
            "Null display is \"(none)\".\n"
            " id |  name  \n"
            "----+--------\n"
            "  1 | apple\n"
            "  2 | (none)\n"
            " 10 | pear  +\n"
            "    | quince\n"
            "(3 rows)\n"
            "\n");
  EXPECT_EQ(outcome.error,
            "ERROR:  column \"nothing\" does not exist\n"
            "LINE 1: SELECT nothing FROM fruit;\n"
            "               ^\n"
            "ERROR:  division by zero\n");
  EXPECT_EQ(outcome.status, 0);
}

TEST_F(SqlCommand, EndsWithPsqlsStatuses) {
  EXPECT_EQ(sql({"-c", "SELECT 1"}).status, 0);
  EXPECT_EQ(sql({"-c", "SELECT nope"}).status, 1);
  EXPECT_EQ(sql({"-f", "missing.sql"}).status, 1);
  EXPECT_EQ(sql({"-v", "ON_ERROR_STOP=1"}, "SELECT nope;\n\\echo on\n").status, 3);
  EXPECT_EQ(sql({}, "SELECT nope;\n\\echo on\n").status, 0);
  EXPECT_EQ(sql({}, "\\c nowhere\n").status, 2) << "a name that is no node is a database, of which there is one";
  EXPECT_EQ(sql({}, "\\c - - nowhere\nSELECT 1;\n").status, 2) << "the connection is lost";
}

TEST_F(SqlCommand, RefusesBadArgumentsWithOneLine) {
  expect_refused({"--nodes", "3"}, "--nodes");
  expect_refused({"stray"}, "stray");
  expect_refused({"--data-nodes", "0"}, "--data-nodes: expected a whole number");
  expect_refused({"--coordinators", "many"}, "--coordinators");
  expect_refused({"--seed", "-1"}, "--seed");
  expect_refused({"--node", "dn9"}, "--node: this cluster has no node \"dn9\"; it has cn1, dn1, dn2");
  expect_refused({"--scenario", "no-such-scenario"}, "no scenario is called \"no-such-scenario\"");
  expect_refused({"--set", "cluster.shard_count=0"}, "cluster.shard_count");
  expect_refused({"--plant", "no-such-bug"}, "no bug is called");
  expect_refused({"-v", "ON_ERROR_STOP=perhaps"}, "ON_ERROR_STOP");
  expect_refused({"-v", "a b=1"}, "invalid variable name: \"a b\"");
  expect_refused({"-P", "format=sculpture"}, "-P: allowed formats are");
  expect_refused({"-P", "nothing=1"}, "-P: unknown option: nothing");
  expect_refused({"--against", "host=/nowhere port=1", "--seed", "2"}, "--seed");
  EXPECT_EQ(sql({"--against", "host=/nowhere port=1"}).status, 2);
}

TEST_F(SqlCommand, GoesToOtherNodes) {
  const Outcome outcome = sql({"--coordinators", "2", "--data-nodes", "3", "--node", "cn2"},
                              "\\conninfo\n\\c dn3\n\\conninfo\n\\c cn1\n\\echo :HOST\nSELECT 1 AS one;\n");
  EXPECT_EQ(outcome.error, "");
  EXPECT_NE(outcome.out.find("as user \"polar\" on host \"cn2\" at port \"5432\".\nYou are now connected"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("on host \"dn3\" at port \"5432\".\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\ncn1\n one \n"), std::string::npos) << outcome.out;
}

TEST_F(SqlCommand, DescribesWhatANodeHas) {
  const Outcome outcome = sql({"--node", "dn1"},
                              "CREATE TABLE fruit (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'apple');\n"
                              "CREATE INDEX by_name ON fruit (name);\n\\d fruit\n\\di by*\n\\d nothing\n\\dn\n");
  EXPECT_EQ(outcome.error, "Did not find any relation named \"nothing\".\n");
  EXPECT_EQ(outcome.out,
            "CREATE TABLE\n"
            "CREATE INDEX\n"
            "                  Table \"public.fruit\"\n"
            " Column |  Type   | Collation | Nullable |    Default    \n"
            "--------+---------+-----------+----------+---------------\n"
            " id     | integer |           | not null | \n"
            " name   | text    |           | not null | 'apple'::text\n"
            "Indexes:\n"
            "    \"fruit_pkey\" PRIMARY KEY, btree (id)\n"
            "    \"by_name\" btree (name)\n"
            "\n"
            "            List of relations\n"
            " Schema |  Name   | Type  | Owner | Table \n"
            "--------+---------+-------+-------+-------\n"
            " public | by_name | index | polar | fruit\n"
            "(1 row)\n"
            "\n"
            "      List of schemas\n"
            "  Name  |       Owner       \n"
            "--------+-------------------\n"
            " public | pg_database_owner\n"
            "(1 row)\n"
            "\n");
}

TEST_F(SqlCommand, SimulatedTimeIsNotRealTime) {
  const Outcome outcome = sql({}, "\\timing\nSELECT pg_sleep(7200);\n\\timing\nSELECT 1 \\watch 1800 c=3\n");
  EXPECT_NE(outcome.out.find("Time: 72000"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(" (02:00:00.00"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(" ms real\n"), std::string::npos) << outcome.out;
  // Statements after two, two and a half and three hours.
  for (const char* time :
       {" 02:00:00 2026 (every 1800s)", " 02:30:00 2026 (every 1800s)", " 03:00:00 2026 (every 1800s)"}) {
    EXPECT_NE(outcome.out.find(time), std::string::npos) << time << "\n" << outcome.out;
  }
}

TEST_F(SqlCommand, WhatFollowsARefusedCopyIsReadAsStatements) {
  const Outcome outcome = sql({"-A", "-t"},
                              "CREATE TABLE t (a integer);\nCOPY t FROM STDIN (DELIMITER 'ab'); SELECT 1;\n"
                              "SELECT 2;\nCOPY t (nope) FROM STDIN;\n5\n\\.\n;\nSELECT 3;\n"
                              "COPY t FROM STDIN;\n7\n\\.\nSELECT a FROM t;\n");
  EXPECT_EQ(outcome.out, "CREATE TABLE\n1\n2\n3\nCOPY 1\n7\n");
  EXPECT_NE(outcome.error.find("invalid command \\."), std::string::npos) << outcome.error;
  EXPECT_NE(outcome.error.find("syntax error at or near \"5\""), std::string::npos) << outcome.error;
}

TEST_F(SqlCommand, TypesAreDescribedWithTheirModifiers) {
  const Outcome outcome = sql({"-A", "-t"},
                              "CREATE TABLE t (a numeric(5,2), b varchar(7), c timestamp(3)[], d int);\n"
                              "SELECT 1::numeric(5,2), 'a'::char(3), t.*, a + 1 FROM t \\gdesc\n");
  EXPECT_EQ(outcome.out,
            "CREATE TABLE\nnumeric|numeric(5,2)\nbpchar|character(3)\na|numeric(5,2)\nb|character varying(7)\n"
            "c|timestamp(3) without time zone[]\nd|integer\n?column?|numeric\n");
}

TEST_F(SqlCommand, FilesOfANodeComeFromAndGoToTheClient) {
  // As docs/prompt.md says.
  const std::string there = place_ / "there.csv";
  const std::string back = place_ / "back.csv";
  write_text(there, "id,data\n1,one\n2,\"two, too\"\n");
  const Outcome outcome =
      sql({"-A", "-t"},
          "CREATE TABLE lines (line text);\nCREATE TABLE t (id integer, data text);\n"
          "\\copy lines from '" +
              there +
              "' (format csv, delimiter e'\\x01', quote e'\\x02')\n"
              "COPY lines TO '/path/to/data.csv' (format csv, delimiter e'\\x01', quote e'\\x02');\n"
              "COPY t FROM '/path/to/data.csv' WITH CSV HEADER;\n"
              "COPY t TO '/tmp/out.csv' WITH CSV HEADER;\nTRUNCATE lines;\n"
              "COPY lines FROM '/tmp/out.csv' (format csv, delimiter e'\\x01', quote e'\\x02');\n"
              "\\copy lines to '" +
              back + "' (format csv, delimiter e'\\x01', quote e'\\x02')\n");
  EXPECT_EQ(outcome.out,
            "CREATE TABLE\nCREATE TABLE\nCOPY 3\nCOPY 3\nCOPY 2\nCOPY 2\nTRUNCATE TABLE\nCOPY 3\nCOPY 3\n");
  EXPECT_EQ(content_of(back), content_of(there));
}

TEST_F(SqlCommand, OutlivesCommandsThatReadNoMore) {
  const Outcome outcome = sql({},
                              "SELECT i AS n FROM generate_series(1, 100000) i \\g |head -1\n"
                              "\\o |head -1\n"
                              "SELECT i AS m FROM generate_series(1, 100000) i;\n"
                              "\\o\n"
                              "\\copy (SELECT i FROM generate_series(1, 100000) i) to program 'head -1'\n"
                              "\\copy (SELECT 1) to program 'exit 3'\n"
                              "\\copy (SELECT 1) to '/dev/full'\n"
                              "SELECT 1 \\g /dev/full\n"
                              "COPY (SELECT 1) TO STDOUT \\g /dev/full\n"
                              "SELECT 1 \\w /dev/full\n"
                              "\\r\n"
                              "\\pset tuples_only\n"
                              "SELECT 'alive';\n");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.out.ends_with(" alive\n\n")) << outcome.out;
  EXPECT_NE(outcome.out.find("   n    \n"), std::string::npos) << outcome.out;
  for (const char* said :
       {"could not print result table: Broken pipe\n", "could not write COPY data: Broken pipe\n",
        "exit 3: child process exited with exit code 3\n", "could not write COPY data: No space left on device\n",
        "could not print result table: No space left on device\n", "/dev/full: No space left on device\n"}) {
    EXPECT_NE(outcome.error.find(said), std::string::npos) << said << "\nsays\n" << outcome.error;
  }
  // A script that is to stop at errors stops at these.
  EXPECT_EQ(sql({"-v", "ON_ERROR_STOP=1"}, "\\copy (SELECT 1) to '/dev/full'\nSELECT 'not reached';\n").out,
            "COPY 1\n");
  // Whoever reads our own output ends us, as every filter.
  EXPECT_EQ(::system(("'" POLARSIM_BINARY "' sql -c 'SELECT generate_series(1, 100000)' | head -1 > " +
                      place_ / "head" + "; test -s " + place_ / "head")
                         .c_str()),
            0);
}

TEST_F(SqlCommand, WhatIsDescribedLeavesNothingBehind) {
  EXPECT_EQ(sql({}, "SELECT \\gdesc\nCREATE TABLE t (a int);\nSELECT FROM t \\gdesc\nINSERT INTO t VALUES (1);\n").out,
            "The command has no result, or the result has no columns.\nCREATE TABLE\n"
            "The command has no result, or the result has no columns.\nINSERT 0 1\n");
}

TEST_F(SqlCommand, IsRepeatable) {
  const std::string input =
      "CREATE TABLE t (a integer);\nSELECT pg_sleep(0.5);\n\\timing\n\\conninfo\nSELECT random();\n";
  const auto simulated = [](std::string text) {
    const std::size_t real = text.find(" simulated, ");
    return real == std::string::npos ? text : text.erase(real, text.find('\n', real) - real);
  };
  EXPECT_EQ(simulated(sql({"--seed", "5"}, input).out), simulated(sql({"--seed", "5"}, input).out));
}

TEST_F(SqlCommand, TakesAScenariosTables) {
  const Outcome outcome = sql({"--scenario", "bank", "-A", "-t", "-c", "SELECT count(*) FROM accounts"});
  EXPECT_EQ(outcome.error, "");
  EXPECT_GT(std::stoi("0" + outcome.out), 1) << outcome.out;
}

TEST_F(SqlCommand, AnInterruptCancelsTheStatement) {
  // Nobody will ever end this wait: the transaction that holds the lock is prepared.
  write_text(place_ / "input",
             "CREATE TABLE t (a integer);\nBEGIN;\nLOCK TABLE t;\nPREPARE TRANSACTION 'holds';\n\\echo waiting\n"
             "SELECT * FROM t;\nSELECT 'not reached';\n");
  const pid_t process = place_.start({"sql", "--node", "dn1"}, "input");
  for (int i = 0; i < 500 && content_of(place_ / ".stdout").find("waiting") == std::string::npos; ++i) ::usleep(20'000);
  ::usleep(200'000);
  ::kill(process, SIGINT);
  const Outcome outcome = place_.wait_for(process);
  EXPECT_NE(outcome.error.find("Cancel request sent\nERROR:  canceling statement due to user request\n"),
            std::string::npos)
      << outcome.error;
  EXPECT_EQ(outcome.out.find("not reached"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.status, 3);
}

// The program at a terminal.
class Terminal {
 public:
  explicit Terminal(const std::string& home, const std::vector<std::string>& arguments) {
    process_ = ::forkpty(&descriptor_, nullptr, nullptr, nullptr);
    if (process_ != 0) return;
    ::setenv("HOME", home.c_str(), 1);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("POLARSIM_HISTORY");
    std::vector<char*> argv{const_cast<char*>(POLARSIM_BINARY), const_cast<char*>("sql")};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(POLARSIM_BINARY, argv.data());
    ::_exit(127);
  }
  ~Terminal() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    ::close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // What is shown up to the given text, or all of so many seconds.
  std::string read_until(const std::string& text, int seconds = 20) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    std::string shown;
    while (shown.find(text) == std::string::npos && std::chrono::steady_clock::now() < deadline) {
      pollfd ready{descriptor_, POLLIN, 0};
      if (::poll(&ready, 1, 100) <= 0) continue;
      char buffer[4096];
      const ssize_t count = ::read(descriptor_, buffer, sizeof buffer);
      if (count <= 0) break;
      shown.append(buffer, static_cast<std::size_t>(count));
    }
    return shown;
  }
  // The keys are typed when the editor reads them one by one. Before that the terminal still collects lines, and would
  // take a control key for its own: what it says of itself can be asked at this end, too.
  std::string type(const std::string& keys, const std::string& until) {
    termios modes{};
    for (int turn = 0; turn < 2000; ++turn) {
      if (::tcgetattr(descriptor_, &modes) == 0 && (modes.c_lflag & ICANON) == 0) break;
      ::poll(nullptr, 0, 10);
    }
    EXPECT_EQ(::write(descriptor_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    const std::string shown = read_until(until);
    EXPECT_NE(shown.find(until), std::string::npos)
        << "typed " << keys << "\nwaits for " << until << "\nshown " << shown;
    return shown;
  }
  int wait() {
    int status = 0;
    for (int tenths = 0; ::waitpid(process_, &status, WNOHANG) == 0; ++tenths) {
      if (tenths == 200) return -1;  // it does not end: the destructor kills it
      ::poll(nullptr, 0, 100);
    }
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  int descriptor_ = -1;
  pid_t process_ = 0;
};

TEST_F(SqlCommand, AtATerminal) {
  {
    Terminal terminal(place_ / "", {});
    EXPECT_NE(terminal.read_until("polar=# ").find("1 coordinator, 2 data nodes, seed 1; you are at cn1"),
              std::string::npos);
    terminal.type("SELECT 6 *\n", "polar-# ");
    terminal.type("(7\n", "polar(# ");
    terminal.type(")\n", "polar-# ");
    EXPECT_NE(terminal.type(";\n", "polar=# ").find("       42\r\n(1 row)"), std::string::npos);
    terminal.type("SELECT 'open\n", "polar'# ");
    terminal.type("\x03", "polar=# ");
    terminal.type("SELECT \"open\n", "polar\"# ");
    terminal.type("\x03", "polar=# ");
    terminal.type("SELECT $$open\n", "polar$# ");
    terminal.type("\x03", "polar=# ");
    terminal.type("/* open\n", "polar*# ");
    terminal.type("*/\n", "polar-# ");
    terminal.type("\\r\n", "polar=# ");
    terminal.type("BEGIN;\n", "polar=*# ");
    EXPECT_NE(terminal.type("SELECT nope;\n", "polar=!# ").find("LINE 1: SELECT nope;\r\n               ^"),
              std::string::npos);
    terminal.type("ROLLBACK;\n", "polar=# ");
    terminal.type("\\conni\t\n", "You are connected to database");
    terminal.type("sel\t'日本' AS x;\n", " 日本\r\n(1 row)");
    terminal.type("\\set PROMPT1 '%m %# '\n", "cn1 # ");
    terminal.type("\\nonsense\n", "Try \\? for help.");
    terminal.type("\x04", "\\q");
    EXPECT_EQ(terminal.wait(), 0);
  }
  // The next time, what was typed is there.
  Terminal terminal(place_ / "", {});
  terminal.read_until("polar=# ");
  terminal.type("\x1b[A\x1b[A\x1b[A", "'日本' AS x;");
  terminal.type("\n", " 日本\r\n(1 row)");
  terminal.type("\\q\n", "\\q");
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(SqlCommand, ErrorsAndInterruptsAtATerminal) {
  write_text(place_ / "editor", "#!/bin/sh\necho 'SELECT 77' > \"$1\"\n");
  ::chmod((place_ / "editor").c_str(), 0755);
  Terminal terminal(place_ / "", {});
  terminal.read_until("polar=# ");
  terminal.type("\\set PROMPT1 '%l> '\n", "1> ");
  // Two lines of a statement do not count for the next one.
  terminal.type("SELECT 10 +\n", "polar-# ");
  EXPECT_NE(terminal.type("1;\n", "1> ").find("11"), std::string::npos);
  // With ON_ERROR_STOP the rest of the line is left out, and the session goes on.
  terminal.type("\\set ON_ERROR_STOP 1\n", "1> ");
  const std::string stopped = terminal.type("SELECT 1/0; SELECT 20 + 2;\n", "1> ");
  EXPECT_NE(stopped.find("division by zero"), std::string::npos) << stopped;
  EXPECT_EQ(stopped.find("22"), std::string::npos) << stopped;
  EXPECT_NE(terminal.type("SELECT 30 + 3;\n", "1> ").find("33"), std::string::npos);
  // What came from an editor and has no end is shown.
  terminal.type("\\setenv EDITOR " + place_ / "editor" + "\n", "1> ");
  terminal.type("\\e\n", "> SELECT 77\r\npolar-# ");
  EXPECT_NE(terminal.type(";\n", "1> ").find("       77\r\n(1 row)"), std::string::npos);
  // An interrupt of what is typed for COPY is for the server no reason to cancel anything, now or later.
  terminal.type("CREATE TABLE t (a int);\n", "1> ");
  terminal.type("COPY t FROM STDIN;\n", ">> ");
  terminal.type("1\n", ">> ");
  const std::string interrupted = terminal.type("\x03", "1> ");
  EXPECT_NE(interrupted.find("ERROR:  COPY from stdin failed: canceled by user"), std::string::npos) << interrupted;
  const std::string after = interrupted + terminal.type("SELECT 40 + 4;\n", "(1 row)") + terminal.type("\\c\n", "1> ");
  EXPECT_EQ(after.find("Cancel request"), std::string::npos) << after;
  terminal.type("\\unset PROMPT1\n", "\r\n");
  EXPECT_EQ(terminal.type("\\echo done\n", "\ndone\r\n").find("polar"), std::string::npos);
  terminal.type("\\q\n", "\\q");
  EXPECT_EQ(terminal.wait(), 0);
}

// psql and pg_dump of this machine, at a port of it.
class RealClients : public SqlCommand {
 protected:
  void SetUp() override {
    server_ = place_.start({"sql", "--listen", "0", "--data-nodes", "2"});
    const std::string before = "listening at port ";
    for (int i = 0; i < 600 && port_.empty(); ++i) {
      ::usleep(100'000);
      const std::string said = content_of(place_ / ".stdout");
      const std::size_t at = said.find(before);
      if (at == std::string::npos || said.back() != '\n') continue;
      port_ = said.substr(at + before.size(), said.find(' ', at + before.size()) - at - before.size());
    }
    ASSERT_FALSE(port_.empty()) << content_of(place_ / ".stderr");
  }
  void TearDown() override {
    ::kill(server_, SIGINT);
    EXPECT_EQ(place_.wait_for(server_).status, 0);
  }
  void start_anew() {
    TearDown();
    port_.clear();
    SetUp();
  }
  // What the client prints, errors too.
  std::string run(const std::string& program, const std::string& arguments) const {
    return run_at("127.0.0.1 -p " + port_, program, arguments);
  }
  std::string run_at(const std::string& host, const std::string& program, const std::string& arguments) const {
    const std::string out = place_ / "client";
    const std::string command = "timeout 60 /usr/lib/postgresql/15/bin/" + program + " -h " + host + " -U polar " +
                                arguments + " > " + out + " 2>&1 < /dev/null";
    const int status = std::system(command.c_str());
    return (status == 0 ? "" : "status " + std::to_string(WEXITSTATUS(status)) + "\n") + content_of(out);
  }
  std::string psql(const std::string& arguments) const { return run("psql", "-X -A -t -d postgres " + arguments); }

  pid_t server_ = -1;
  std::string port_;
};

TEST_F(RealClients, PsqlWorks) {
  EXPECT_EQ(psql("-c 'CREATE TABLE t (a int PRIMARY KEY, b text)' -c \"SELECT create_distributed_table('t', 'a')\""
                 " -c \"INSERT INTO t VALUES (1, 'x'), (2, NULL)\" -c 'SELECT * FROM t ORDER BY a'"),
            "CREATE TABLE\n\nINSERT 0 2\n1|x\n2|\n");
  EXPECT_EQ(psql("-c 'SELECT nothing'"),
            "status 1\nERROR:  column \"nothing\" does not exist\nLINE 1: SELECT nothing\n               ^\n");
  EXPECT_EQ(run("psql", "-d nowhere -c 'SELECT 1'"),
            "status 2\npsql: error: connection to server at \"127.0.0.1\", port " + port_ +
                " failed: FATAL:  database \"nowhere\" does not exist\n");
  EXPECT_EQ(psql("-c 'SHOW application_name'"), "psql\n");
  EXPECT_EQ(psql("-c 'SET TIME ZONE LOCAL' -c 'SET work_mem = DEFAULT' -c 'RESET work_mem'"), "SET\nSET\nRESET\n");
  const std::string copied = place_ / "rows.csv";
  write_text(copied, "3,c\n4,d\n");
  EXPECT_EQ(psql("-c \"\\copy t from '" + copied + "' csv\" -c 'SELECT count(*) FROM t'"), "COPY 2\n4\n");
}

// One that pg_dump wrote, without what differs from dump to dump.
std::string without_changing_lines(const std::string& dump) {
  std::istringstream lines(dump);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const bool changes = line.starts_with("\\restrict") || line.starts_with("\\unrestrict") ||
                         line.starts_with("-- Dumped from") || line.starts_with("SET default_table_access_method");
    if (!changes) kept += line + "\n";
  }
  return kept;
}

// A dump has tables, not how they are distributed: shards are left out, and rows are those of the whole table.
TEST_F(RealClients, PgDumpWritesWhatClustersAndPostgresqlRead) {
  write_text(place_ / "tables.sql", R"(
CREATE SCHEMA s;
CREATE TABLE plain (id serial PRIMARY KEY, v text DEFAULT 'x', n numeric(10,2) CHECK (n > 0), t timestamptz);
CREATE TABLE s.other (id int REFERENCES plain ON DELETE CASCADE, a int[], "Odd ""name" text, UNIQUE (id));
CREATE SEQUENCE s.sq START 5 INCREMENT 2;
CREATE TABLE counted (id int DEFAULT nextval('s.sq'), twice int GENERATED ALWAYS AS (1 + 1) STORED);
CREATE TABLE ids (id int GENERATED BY DEFAULT AS IDENTITY (START WITH 7), d date) WITH (fillfactor = 70);
CREATE VIEW s.v AS SELECT p.id, o.a FROM plain p JOIN s.other o USING (id);
CREATE VIEW grouped AS SELECT id, v FROM plain GROUP BY id;
CREATE TABLE d (id bigint PRIMARY KEY, v text NOT NULL, g int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE r (id int PRIMARY KEY, w text);
CREATE TABLE d2 (id bigint REFERENCES d, x int CONSTRAINT known REFERENCES r, PRIMARY KEY (id));
SELECT create_reference_table('r');
SELECT create_distributed_table('d', 'id');
SELECT create_distributed_table('d2', 'id');
CREATE INDEX by_v ON d (v DESC, lower(v)) WHERE id > 10;
CREATE UNIQUE INDEX ON r (w) INCLUDE (id);
CREATE VIEW s.all_of_d AS SELECT d.id, r.w FROM d JOIN d2 USING (id) JOIN r ON r.id = d2.x;
INSERT INTO plain (v, n) VALUES ('a', 1), (E'b\t\\', 2.5), (NULL, NULL);
INSERT INTO s.other VALUES (1, '{1,NULL}', 'o');
INSERT INTO d (id, v) VALUES (1, 'one'), (2, E'two\nlines');
INSERT INTO r VALUES (1, 'r');
INSERT INTO d2 VALUES (1, 1);
INSERT INTO counted DEFAULT VALUES;
INSERT INTO ids (d) VALUES ('2026-11-27');
COMMENT ON TABLE d IS 'distributed';
COMMENT ON COLUMN d.v IS 'a column''s';
)");
  const std::string restored = "-v ON_ERROR_STOP=1 -q ";
  ASSERT_EQ(psql(restored + "-f " + (place_ / "tables.sql")), "\n\n\n");
  const std::string schema = run("pg_dump", "--schema-only postgres");
  EXPECT_NE(schema.find("CREATE TABLE public.d2 (\n    id bigint NOT NULL,\n    x integer\n);"), std::string::npos)
      << schema;
  EXPECT_EQ(schema.find("_1020"), std::string::npos) << schema;
  EXPECT_EQ(schema.find("COPY"), std::string::npos) << schema;
  const std::string dump = run("pg_dump", "postgres");
  ASSERT_FALSE(dump.starts_with("status")) << dump;
  EXPECT_NE(dump.find("COPY public.d (id, v, g) FROM stdin;\n1\tone\t1\n2\ttwo\\nlines\t2\n"), std::string::npos)
      << dump;
  write_text(place_ / "dump.sql", dump);

  // On another cluster, and on a PostgreSQL, it gives the same again.
  start_anew();
  EXPECT_EQ(psql(restored + "-o /dev/null -f " + (place_ / "dump.sql")), "");
  EXPECT_EQ(without_changing_lines(run("pg_dump", "postgres")), without_changing_lines(dump));
  const PostgresServer server;
  EXPECT_EQ(run_at(server.folder(), "psql", "-q -U postgres -d postgres -c 'CREATE ROLE polar SUPERUSER LOGIN'"), "");
  EXPECT_EQ(run_at(server.folder(), "psql", "-X -d postgres -o /dev/null " + restored + "-f " + (place_ / "dump.sql")),
            "");
  EXPECT_EQ(without_changing_lines(run_at(server.folder(), "pg_dump", "postgres")), without_changing_lines(dump));
}

constexpr const char* two_tables =
    "CREATE TABLE d (id bigint PRIMARY KEY, v text);\n"
    "CREATE TABLE e (id bigint REFERENCES d, g int GENERATED BY DEFAULT AS IDENTITY, PRIMARY KEY (id, g));\n"
    "SELECT create_distributed_table('d', 'id');\nSELECT create_distributed_table('e', 'id');\n"
    "INSERT INTO d SELECT g, 'row ' || g FROM generate_series(1, 100) g;\nINSERT INTO e SELECT id FROM d;\n"
    "CREATE VIEW both_of_them AS SELECT d.v, e.g FROM d JOIN e USING (id);\n";

// The formats of pg_restore: into the same cluster, in place of what is there, and into a PostgreSQL.
TEST_F(RealClients, ArchivesOfPgDumpAreRestored) {
  write_text(place_ / "tables.sql", two_tables);
  ASSERT_EQ(psql("-q -o /dev/null -v ON_ERROR_STOP=1 -f " + (place_ / "tables.sql")), "");
  const std::string count = "-c 'SELECT count(*), sum(g), min(v) FROM both_of_them'";
  ASSERT_EQ(psql(count), "100|5050|row 1\n");
  const PostgresServer server;
  EXPECT_EQ(run_at(server.folder(), "psql", "-q -U postgres -d postgres -c 'CREATE ROLE polar SUPERUSER LOGIN'"), "");
  for (const std::string format : {"c", "d", "t"}) {
    const std::string archive = place_ / ("archive." + format);
    ASSERT_EQ(run("pg_dump", "-F" + format + " -f " + archive + " postgres"), "") << format;
    EXPECT_EQ(run("pg_restore", "--clean -d postgres " + archive), "") << format;
    EXPECT_EQ(psql(count), "100|5050|row 1\n") << format;
    EXPECT_EQ(run_at(server.folder(), "pg_restore", "--clean --if-exists -d postgres " + archive), "") << format;
    EXPECT_EQ(run_at(server.folder(), "psql", "-X -A -t -d postgres " + count), "100|5050|row 1\n") << format;
  }
}

TEST_F(RealClients, PartsOfADumpAndAllOfTheClusterAreWritten) {
  write_text(place_ / "tables.sql", two_tables);
  ASSERT_EQ(psql("-q -o /dev/null -v ON_ERROR_STOP=1 -f " + (place_ / "tables.sql")), "");
  const std::string one = run("pg_dump", "-t public.e postgres");
  EXPECT_NE(one.find("CREATE TABLE public.e ("), std::string::npos) << one;
  EXPECT_EQ(one.find("CREATE TABLE public.d ("), std::string::npos) << one;
  EXPECT_NE(one.find("COPY public.e"), std::string::npos) << one;
  const std::string rows = run("pg_dump", "--data-only postgres");
  EXPECT_EQ(rows.find("CREATE"), std::string::npos) << rows;
  EXPECT_NE(rows.find("100\trow 100\n"), std::string::npos) << rows;
  // A pattern without a schema means the catalog, too, which can be locked.
  EXPECT_EQ(run("pg_dump", "-t 'pg_default_a*' postgres").find("does not exist"), std::string::npos);

  const std::string all = run("pg_dumpall", "");
  EXPECT_FALSE(all.starts_with("status")) << all;
  EXPECT_NE(all.find("CREATE ROLE polar;\nALTER ROLE polar WITH SUPERUSER"), std::string::npos) << all;
  EXPECT_NE(all.find("COPY public.d"), std::string::npos) << all;
  // What PostgreSQL has in place of what is not there.
  EXPECT_NE(run("pg_dump", "--inserts postgres").find("DECLARE CURSOR is not supported"), std::string::npos);
  EXPECT_EQ(run("vacuumdb", "-q -z postgres"), "");
}

// Its tables are distributed, and its sums stay what they have to be.
TEST_F(RealClients, PgbenchFindsNothingToComplainAbout) {
  const auto bench = [this](const std::string& arguments) { return run("pgbench", arguments + " postgres"); };
  const std::string made = bench("-i -q --foreign-keys");
  ASSERT_FALSE(made.starts_with("status")) << made;
  ASSERT_FALSE(psql("-c 'DROP TABLE pgbench_history, pgbench_accounts, pgbench_tellers, pgbench_branches'").empty());
  ASSERT_FALSE(bench("-i -q -n").starts_with("status"));
  for (const char* const table : {"accounts', 'aid", "branches', 'bid", "tellers', 'tid", "history', 'aid"})
    psql(std::string("-c \"SELECT create_distributed_table('pgbench_") + table + "')\"");
  for (const char* const mode : {"simple", "extended", "prepared"}) {
    for (const char* const script : {"tpcb-like", "select-only"}) {
      const std::string said = bench(std::string("-n -c 4 -t 10 -M ") + mode + " -b " + script);
      EXPECT_NE(said.find("processed: 40/40\nnumber of failed transactions: 0"), std::string::npos) << said;
    }
  }
  EXPECT_EQ(
      psql("-c 'SELECT a = h, t = h, b = h, n FROM (SELECT sum(abalance) AS a FROM pgbench_accounts) x,"
           " (SELECT sum(tbalance) AS t FROM pgbench_tellers) y, (SELECT sum(bbalance) AS b FROM pgbench_branches) z,"
           " (SELECT sum(delta) AS h, count(*) AS n FROM pgbench_history) u'"),
      "t|t|t|120\n");
  write_text(place_ / "custom.sql",
             "\\set aid random(1, 1000)\n\\startpipeline\nSELECT 1;\n"
             "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n\\endpipeline\n"
             "SELECT abalance AS bal FROM pgbench_accounts WHERE aid = :aid \\gset\n\\if :bal > 100000\nSELECT :bal;\n"
             "\\endif\n");
  const std::string said = bench("-n -M extended -c 3 -t 5 -f " + (place_ / "custom.sql"));
  EXPECT_NE(said.find("processed: 15/15\nnumber of failed transactions: 0"), std::string::npos) << said;
}

// A client that sends no more still reads what it has asked for.
TEST_F(RealClients, AHalfClosedClientIsAnswered) {
  const std::string start = "user\0polar\0database\0postgres\0\0"s;
  const std::string text = "SELECT pg_sleep(0.01), 'answered'"s;
  const auto length = [](std::size_t size) { return std::string{'\0', '\0', '\0', static_cast<char>(size)}; };
  std::string bytes = length(start.size() + 8) + "\0\3\0\0"s + start;
  bytes += "Q" + length(text.size() + 5) + text + "\0"s;
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port_)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::send(client, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  ASSERT_EQ(::shutdown(client, SHUT_WR), 0);
  std::string answer;
  char piece[4096];
  for (ssize_t count = 0; (count = ::recv(client, piece, sizeof piece, 0)) > 0;)
    answer.append(piece, static_cast<std::size_t>(count));
  ::close(client);
  EXPECT_NE(answer.find("answered"), std::string::npos);
  EXPECT_NE(answer.find("SELECT 1"), std::string::npos);
  EXPECT_EQ(psql("-c 'SELECT 1'"), "1\n");
}

TEST_F(RealClients, ManyAtOnce) {
  ASSERT_EQ(psql("-c 'CREATE TABLE t (a int PRIMARY KEY, n int)' -c \"SELECT create_distributed_table('t', 'a')\""
                 " -c 'INSERT INTO t SELECT g, 0 FROM generate_series(1, 5) g'"),
            "CREATE TABLE\n\nINSERT 0 5\n");
  write_text(place_ / "count.sql", "\\set a random(1, 5)\nUPDATE t SET n = n + 1 WHERE a = :a;\n");
  const std::string said = run("pgbench", "-n -c 150 -t 2 -f " + (place_ / "count.sql") + " postgres");
  EXPECT_NE(said.find("processed: 300/300\nnumber of failed transactions: 0"), std::string::npos) << said;
  EXPECT_EQ(psql("-c 'SELECT sum(n) FROM t'"), "300\n");
}

TEST_F(RealClients, PsqlsDescriptionsAreAnswered) {
  psql(
      "-c 'CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 1 CHECK (b > 0::text), c serial) WITH (fillfactor = 70)'"
      " -c 'CREATE VIEW v AS SELECT a FROM t' -c 'CREATE INDEX ON t (b)'");
  for (const char* const command :
       {"\\d",   "\\d t",     "\\d+ t", "\\d v", "\\d+ v", "\\d t_pkey", "\\d t_c_seq", "\\dt+",
        "\\di+", "\\dv+",     "\\ds+",  "\\dm",  "\\dn+",  "\\l+",       "\\du+",       "\\df",
        "\\dT+", "\\dx",      "\\dp",   "\\dfn", "\\dft",  "\\dfa",      "\\sv v",      "\\dL",
        "\\da",  "\\dconfig", "\\dC",   "\\do",  "\\db",   "\\dd",       "\\dE"}) {
    const std::string said = psql(std::string("-c '") + command + "'");
    EXPECT_EQ(said.find("ERROR"), std::string::npos) << command << "\n" << said;
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
