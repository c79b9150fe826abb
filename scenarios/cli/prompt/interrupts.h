// Ctrl-C while a prompt is open: it ends what is under way, not the program.
#pragma once

namespace polarsim::scenarios::cli::prompt::interrupts {

// From now on SIGINT is counted. When three have come and nobody has taken notice, the program ends as it would without
// this: the cluster is then busy in one step that cannot be left.
void catch_them();
// Whether there was one since the last take().
bool pending();
// The same, and forgets it.
bool take();
// Whether any was taken since the last call: something has been cut short.
bool taken();

}  // namespace polarsim::scenarios::cli::prompt::interrupts
