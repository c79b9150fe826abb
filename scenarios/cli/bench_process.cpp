#include "scenarios/cli/bench_process.h"

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace polarsim::scenarios::cli {

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double in_own_process(const std::function<double()>& measure) {
  int ends[2];
  if (::pipe(ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    // What the parent's allocator keeps would be used again without being seen.
    ::malloc_trim(0);
    double result = 0;
    try {
      result = measure();
    } catch (...) {
      ::_exit(1);
    }
    const bool told = ::write(ends[1], &result, sizeof(result)) == sizeof(result);
    ::_exit(told ? 0 : 1);
  }
  // Else the read below would wait for ever when the child says nothing.
  ::close(ends[1]);
  double result = 0;
  if (child < 0 || ::read(ends[0], &result, sizeof(result)) != sizeof(result)) result = 0;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return result;
}

}  // namespace polarsim::scenarios::cli
