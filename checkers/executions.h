// From histories to executions (execution.h): which transactions committed, and what they read from each other.
//
// Part of an execution are the transactions that were acknowledged, in the order of their processes, and those of
// unknown outcome that others have seen, each as a session of its own, because the process that asked for it had no
// answer to wait for. Of reads, those are left out that are wrong at any level and reported by themselves: of values
// that nobody wrote, that an aborted or unfinished transaction wrote, or that contradict the transaction's own writes.
#pragma once

#include <cstdint>
#include <vector>

#include "checkers/execution.h"
#include "checkers/list_append_index.h"
#include "checkers/operations.h"
#include "checkers/register_index.h"

namespace polarsim::checkers {

// Keys have the numbers that Operations gives them.
struct NumberedExecution {
  Execution execution;
  std::vector<std::uint32_t> operations;  // by transaction: its place in Operations::list
};

NumberedExecution execution_of(const Operations& operations, const ListAppendIndex& index);
NumberedExecution execution_of(const Operations& operations, const RegisterIndex& index);

}  // namespace polarsim::checkers
