// Commands that end before they have read all that is written to them.
#pragma once

namespace polarsim::scenarios::cli::prompt {

// While one of these lives, writing to such a command fails (EPIPE) and does not end the program, and with it the
// cluster. Otherwise the program does end when nobody reads its stdout, as every filter does. Make it after the command
// has been started, which would inherit it.
class BrokenPipesTolerated {
 public:
  BrokenPipesTolerated();
  ~BrokenPipesTolerated();
  BrokenPipesTolerated(const BrokenPipesTolerated&) = delete;
  BrokenPipesTolerated& operator=(const BrokenPipesTolerated&) = delete;
};

}  // namespace polarsim::scenarios::cli::prompt
