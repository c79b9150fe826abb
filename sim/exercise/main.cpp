// Exercises the simulated machine with random worlds.
//
//   sim_exercise --seeds A..B [--twice] [--jobs N] [--counts]
//
// Prints a line "seed digest" for each seed, in order. --twice runs each seed again in the same process, where the heap
// has moved in between: the digests must agree. --jobs spreads the seeds over N processes. --counts adds how often each
// kind of action happened, over all seeds. Exit status: 0 all held; 1 a promise was broken, a run could not be
// repeated, or a process died; 2 unusable arguments. It stops at the first seed that fails; with --jobs, at the first
// of each process.
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/exercise/world.h"

namespace polarsim::sim::exercise {
namespace {

constexpr std::uint64_t ladder_interval = 256;

struct Arguments {
  std::uint64_t first = 1, last = 0;
  std::uint64_t jobs = 1;
  bool twice = false;
  bool counts = false;
};

struct Outcome {
  Digest128 digest;
  std::vector<Digest128> ladder;
  std::optional<InvariantViolation> violation;
  std::map<std::string, std::uint64_t> counts;
};

Outcome run_seed(std::uint64_t seed) {
  World world(seed, ladder_interval);
  world.run();
  Simulation& simulation = world.simulation();
  return {simulation.digest().value(), simulation.digest().ladder(), simulation.violation(), world.counts()};
}

// Blocks of odd sizes, half of them given back: what is allocated next lies elsewhere than it did before.
class HeapShift {
 public:
  explicit HeapShift(std::uint64_t seed) {
    RandomStream random("exercise/heap", seed, nullptr);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t size = 1 + random.below(3000);
      blocks_.push_back(std::make_unique<char[]>(size));
    }
    for (auto& block : blocks_) {
      if (random.chance(0.5)) block.reset();
    }
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
};

// Where two runs of a seed part, for a person.
std::string first_difference(const Outcome& a, const Outcome& b) {
  for (std::size_t rung = 0; rung < a.ladder.size() && rung < b.ladder.size(); ++rung) {
    if (a.ladder[rung] == b.ladder[rung]) continue;
    return "rung " + std::to_string(rung) + " of the ladder, records " + std::to_string(rung * ladder_interval) +
           " to " + std::to_string((rung + 1) * ladder_interval - 1);
  }
  return "the records after rung " + std::to_string(std::min(a.ladder.size(), b.ladder.size()));
}

void print_counts(const std::map<std::string, std::uint64_t>& counts, std::FILE* out) {
  for (const auto& [what, times] : counts) {
    std::fprintf(out, "count %llu %s\n", static_cast<unsigned long long>(times), what.c_str());
  }
}

// The first seed of `arguments`, and every `jobs`-th after it. Returns the exit status.
int run_share(const Arguments& arguments, std::uint64_t first, std::uint64_t stride, std::FILE* out) {
  std::map<std::string, std::uint64_t> counts;
  for (std::uint64_t seed = first; seed <= arguments.last; seed += stride) {
    const Outcome outcome = run_seed(seed);
    std::fprintf(out, "%llu %s\n", static_cast<unsigned long long>(seed), outcome.digest.hex().c_str());
    std::fflush(out);
    if (outcome.violation) {
      std::fprintf(out, "FAILED seed %llu at %.9f s: %s: %s\n", static_cast<unsigned long long>(seed),
                   seconds(outcome.violation->time - time_zero), outcome.violation->name.c_str(),
                   outcome.violation->detail.c_str());
      return 1;
    }
    for (const auto& [what, times] : outcome.counts) counts[what] += times;
    if (!arguments.twice) continue;
    const HeapShift shift(seed);
    const Outcome again = run_seed(seed);
    if (again.digest == outcome.digest) continue;
    std::fprintf(out, "FAILED seed %llu: not the same when run again, first in %s\n",
                 static_cast<unsigned long long>(seed), first_difference(outcome, again).c_str());
    return 1;
  }
  if (arguments.counts) print_counts(counts, out);
  return 0;
}

struct Job {
  pid_t process = -1;
  std::FILE* out = nullptr;
};

Job start_job(const Arguments& arguments, std::uint64_t first) {
  Job job;
  job.out = std::tmpfile();
  if (job.out == nullptr) return job;
  std::fflush(nullptr);
  job.process = fork();
  if (job.process == 0) {
    const int status = run_share(arguments, first, arguments.jobs, job.out);
    std::fflush(job.out);
    _exit(status);
  }
  return job;
}

// One line of each job in turn, which puts the seeds in order again.
void print_in_turn(const std::vector<Job>& jobs) {
  std::size_t ended = 0;
  std::vector<bool> over(jobs.size(), false);
  std::map<std::string, std::uint64_t> counts;  // of all jobs together
  std::string line(4096, '\0');
  for (const Job& job : jobs) std::rewind(job.out);
  while (ended < jobs.size()) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (over[i]) continue;
      if (std::fgets(line.data(), static_cast<int>(line.size()), jobs[i].out) == nullptr) {
        over[i] = true;
        ++ended;
        continue;
      }
      unsigned long long times = 0;
      int text_at = 0;
      if (std::sscanf(line.c_str(), "count %llu %n", &times, &text_at) != 1) {
        std::fputs(line.c_str(), stdout);
        continue;
      }
      std::string what = line.c_str() + text_at;
      what.pop_back();  // the line's end
      counts[what] += times;
    }
  }
  print_counts(counts, stdout);
}

int run_jobs(const Arguments& arguments) {
  std::vector<Job> jobs;
  int status = 0;
  for (std::uint64_t i = 0; i < arguments.jobs; ++i) {
    jobs.push_back(start_job(arguments, arguments.first + i));
    if (jobs.back().process > 0) continue;
    std::fprintf(stderr, "sim_exercise: no process could be started\n");
    return 1;
  }
  std::vector<std::string> deaths;
  for (const Job& job : jobs) {
    int how = 0;
    waitpid(job.process, &how, 0);
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) continue;
    status = 1;
    if (WIFSIGNALED(how)) deaths.push_back("a process was ended by signal " + std::to_string(WTERMSIG(how)));
  }
  print_in_turn(jobs);
  for (const std::string& death : deaths) std::printf("FAILED: %s, in the seed after its last line\n", death.c_str());
  return status;
}

bool parse_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Arguments> parse(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    if (words[i] == "--twice") {
      arguments.twice = true;
    } else if (words[i] == "--counts") {
      arguments.counts = true;
    } else if (words[i] == "--jobs" && !last) {
      if (!parse_number(words[++i], arguments.jobs) || arguments.jobs == 0 || arguments.jobs > 256) return std::nullopt;
    } else if (words[i] == "--seeds" && !last) {
      const std::string_view range = words[++i];
      const std::size_t dots = range.find("..");
      if (dots == range.npos || !parse_number(range.substr(0, dots), arguments.first)) return std::nullopt;
      if (!parse_number(range.substr(dots + 2), arguments.last)) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  if (arguments.first > arguments.last) return std::nullopt;
  return arguments;
}

}  // namespace
}  // namespace polarsim::sim::exercise

int main(int argc, char** argv) {
  using namespace polarsim::sim::exercise;
  const auto arguments = parse({argv + 1, argv + argc});
  if (!arguments) {
    std::fprintf(stderr, "usage: sim_exercise --seeds A..B [--twice] [--jobs N] [--counts]\n");
    return 2;
  }
  if (arguments->jobs > 1) return run_jobs(*arguments);
  return run_share(*arguments, arguments->first, 1, stdout);
}
