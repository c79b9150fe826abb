// Says in words what would otherwise be a bare "Segmentation fault": that a task's stack was too small.
//
// To be called once by a program's main(), on the thread that will run simulations. A bad memory access within the
// guard of a task's stack then prints one line to standard error, such as
//
//   polarsim: task 17 "dn1/wal-writer" overflowed its 256 KiB stack
//
// before whatever would have happened without it: usually the end of the process, with a core dump. Other bad accesses
// are left alone. A stack that is guarded by a canary (StackGuard) prints the same line without this function, but only
// when its task ends.
//
// Not noticed: a frame so large that its first access lies beyond the guard (64 KiB); an overflow inside a system call,
// which returns EFAULT instead. Under AddressSanitizer, which has a handler of its own that names the overflow, this
// function does nothing.
#pragma once

namespace polarsim::sim {

// True if the report is in place. Calling it again has no effect.
bool install_stack_overflow_report();

}  // namespace polarsim::sim
