// The real Elle as a process of its own: one JVM that loads Elle once and answers one request after another. What is
// asked and answered: checkers/elle/second_opinion.h.
//
// Whatever becomes of the process - it cannot start, dies, hangs, runs out of memory, or prints what is no answer - the
// request under way is answered with why Elle gave no verdict, in one line, and the next one starts a new process;
// after three in a row that gave no answer at all no more is started.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "checkers/elle/second_opinion.h"
#include "scenarios/scenario.h"

namespace polarsim::scenarios {

struct ElleProcessOptions {
  std::vector<std::string> command;  // program, which is looked for in PATH, and arguments
  std::string script;                // passed to the program as a file, whose path is the last argument; empty: none
  double start_seconds = 180;        // of wall time, until it says that it is ready
  double answer_seconds = 900;       // until it has answered a request
  // Wall time and the wish to stop come from outside, because nothing here may read a clock or handle signals.
  std::function<double()> wall_seconds;  // monotonic; required
  std::function<bool()> interrupted = [] { return false; };
};

class ElleProcess {
 public:
  explicit ElleProcess(ElleProcessOptions options);
  ~ElleProcess();  // ends the process
  ElleProcess(const ElleProcess&) = delete;
  ElleProcess& operator=(const ElleProcess&) = delete;

  // Starts the process and waits until it is ready. The error says in one line why it is not; empty if interrupted.
  tl::expected<void, InputError> start();
  // What Elle calls its version; empty: it does not know.
  const std::string& version() const { return version_; }

  // Asks, and waits for the answer; gives the reason "interrupted" if that happens first.
  checkers::ElleAnswer answer_to(checkers::ElleRequest request);

  // The same in two steps, for whoever has other things to wait for. One request at a time.
  bool busy() const { return request_.has_value(); }
  void ask(checkers::ElleRequest request);
  // Readable when pump() has something to do, which it also has a few times a second, for the limits; -1: no process.
  int descriptor() const { return output_; }
  // Takes what the process has said, without waiting. The answer, once it is there.
  std::optional<checkers::ElleAnswer> pump();

 private:
  void launch();
  void send();
  void end();
  std::optional<std::string> take_line();
  std::optional<checkers::ElleAnswer> give_up(const std::string& reason);
  std::string cause_of_death();
  std::string last_words() const;
  void wait_a_little() const;

  ElleProcessOptions options_;
  pid_t process_ = -1;
  int input_ = -1;   // what we write
  int output_ = -1;  // what we read
  int errors_ = -1;  // an anonymous file that takes the process's stderr
  bool ready_ = false;
  std::string version_;
  std::string received_;
  double deadline_ = 0;
  std::optional<checkers::ElleRequest> request_;
  std::int64_t last_id_ = 0;
  int failures_ = 0;         // processes in a row that ended before they had answered anything
  std::string last_reason_;  // of the last of them
};

}  // namespace polarsim::scenarios
