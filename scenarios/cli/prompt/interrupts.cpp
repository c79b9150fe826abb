#include "scenarios/cli/prompt/interrupts.h"

#include <signal.h>

namespace polarsim::scenarios::cli::prompt::interrupts {

namespace {

volatile sig_atomic_t count = 0;
bool some_taken = false;
constexpr int patience = 3;

void on_interrupt(int number) {
  count = count + 1;
  if (count < patience) return;
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

void catch_them() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);  // without SA_RESTART, so that reading a line ends
}

bool pending() { return count > 0; }

bool take() {
  const bool came = count > 0;
  count = 0;
  some_taken = some_taken || came;
  return came;
}

bool taken() {
  const bool some = some_taken;
  some_taken = false;
  return some;
}

}  // namespace polarsim::scenarios::cli::prompt::interrupts
