// The stacks of tasks, for whoever runs on them and recurses deeply.
#pragma once

#include <cstddef>

namespace polarsim::sim {

// Of the running task's stack, the lowest byte that it may use. Null outside tasks, on the operating system's stack.
const char* running_stack_end();

// Tasks of schedulers made from now on have stacks of at least so many bytes (four times as many under
// AddressSanitizer), whatever their options say. A page of a stack costs memory once it has been touched.
void want_stack_bytes(std::size_t bytes);
std::size_t wanted_stack_bytes();

}  // namespace polarsim::sim
