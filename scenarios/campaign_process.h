// One seed of a campaign in a process of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>

#include "checkers/elle/second_opinion.h"
#include "scenarios/campaign.h"

namespace polarsim::scenarios {

// What a seed's process leaves.
struct FinishedSeed {
  SeedResult result;
  // For the real Elle, if the scenario wants it: our verdicts, and the folder that holds the history. That is the
  // capsule, or one of its own, which whoever takes this must remove or make a capsule of.
  std::vector<checkers::OwnOpinion> opinions;
  std::string folder;
};

// A started process. Movable; destroying it kills the process if it still runs.
class SeedProcess {
 public:
  // Forks. The caller must have one thread only. Throws std::system_error if the machine has no process or descriptor
  // left. The child writes a capsule unless its signature is in `known_signatures`.
  SeedProcess(const CampaignOptions& options, const CampaignScenario& scenario, std::uint64_t seed,
              const std::set<std::string>& known_signatures);
  SeedProcess(SeedProcess&& other) noexcept;
  SeedProcess& operator=(SeedProcess&& other) noexcept;
  ~SeedProcess();

  // Readable when there is something for pump() to do.
  int descriptor() const { return pipe_; }
  std::uint64_t seed() const { return seed_; }
  double started_at() const { return started_at_; }
  // Takes what the process has written; true when it has ended.
  bool pump();
  // Ends it for having run too long: its result will be "crashed: timeout".
  void time_out();
  // After pump() said true: what came of it, never an error.
  FinishedSeed finish(double now);

 private:
  void swap(SeedProcess& other) noexcept;
  std::string last_words() const;

  std::string scenario_;
  std::uint64_t seed_ = 0;
  double started_at_ = 0;
  pid_t process_ = -1;
  int pipe_ = -1;
  int output_ = -1;  // an anonymous file that takes the process's stdout and stderr
  bool timed_out_ = false;
  std::string received_;
};

// Where a seed's run lies while Elle looks at it, if it is no capsule.
std::string folder_for_elle(const std::string& out, const std::string& scenario, std::uint64_t seed);

// The row for a run that came to its end; `capsule` is left empty.
SeedResult seed_result_of(const reports::RunSummary& summary);

}  // namespace polarsim::scenarios
