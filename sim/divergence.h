// Where two runs of one program part: for programs that should be deterministic and are not.
//
// Two child processes run the program side by side and compare their digests at every rung of the ladder. At the first
// rung that differs, both give up what they have absorbed since the last rung that agreed, and the first record that
// differs is the answer, with the stacks of both processes at that record. So the answer is that of one pair of runs,
// also where every pair parts elsewhere (a wall clock).
//
// The second process is disturbed, so that what usually happens to be the same is not: its heap is fragmented and
// shifted, fresh and freed heap memory is filled with a pattern (glibc's M_PERTURB), and its fibers' stacks are
// painted. A program that depends on the order of addresses or reads memory that it has not written will part from its
// twin. What this does not disturb: the operating system's own stack, static data, and anything outside the process.
//
// A simulation without a ladder is compared at its end only, and all its records are kept until then.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/digest.h"
#include "sim/simulation.h"
#include "sim/stack_trace.h"

namespace polarsim::sim {

// One record of one of the two runs.
struct WitnessedRecord {
  std::uint64_t number = 0;  // from 1
  DigestRecord record;
  Time time = time_zero;
  std::string text;    // Simulation::describe()
  std::string task;    // that was running; empty on the scheduler's own stack
  StackFrames frames;  // of this process: the children are its copies
};

struct Divergence {
  // The record that differs in each run. Empty: this run had ended before, and `ending` says how.
  std::optional<WitnessedRecord> first, second;
  std::string first_ending, second_ending;
  // Both processes died, and in the same way: where they parted, if they did, is not known.
  bool died_alike = false;
  // Up to eight records before it, which both runs have in common; their frames are left out.
  std::vector<WitnessedRecord> before;

  // For a person: what differs, what came before, and both stacks. Many lines.
  std::string text() const;
};

// A program makes its simulation, calls `witness` with it before it runs it, and runs it.
using WitnessedProgram = std::function<void(const std::function<void(Simulation&)>& witness)>;

struct DivergenceOptions {
  // Records before this one are known to agree: their stacks need not be captured, which saves most of the time.
  std::uint64_t known_equal = 0;
};

// Nothing if the two runs were the same. An exception that leaves the program is an end of its run like another.
// Throws std::runtime_error if the operating system gives no process or pipe.
std::optional<Divergence> find_divergence(const WitnessedProgram& program, const DivergenceOptions& options = {});

// Does to this process what find_divergence() does to the second of its children, for as long as it lives. Costs a few
// megabytes, and time in every allocation. It does nothing in builds with AddressSanitizer, which has its own heap.
void disturb_memory();

}  // namespace polarsim::sim
