#include "scenarios/cli/prompt/broken_pipes.h"

#include <signal.h>

namespace polarsim::scenarios::cli::prompt {

namespace {

int living = 0;
struct sigaction before {};

}  // namespace

BrokenPipesTolerated::BrokenPipesTolerated() {
  if (living++ > 0) return;
  struct sigaction ignoring {};
  ignoring.sa_handler = SIG_IGN;
  ::sigemptyset(&ignoring.sa_mask);
  ::sigaction(SIGPIPE, &ignoring, &before);
}

BrokenPipesTolerated::~BrokenPipesTolerated() {
  if (--living == 0) ::sigaction(SIGPIPE, &before, nullptr);
}

}  // namespace polarsim::scenarios::cli::prompt
