// Whole transactions, as the workloads run them.
#include <vector>

#include "scenarios/cli/arguments.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/runner.h"

namespace polarsim::scenarios::cli {

std::vector<Measurement> bench_append() {
  // Without faults and pauses, so that the time goes into transactions.
  const Scenario scenario =
      load_scenario_argument("append", {"cluster.coordinators=2", "cluster.data_nodes=4", "faults.profile=\"none\"",
                                        "workload.pause_ms=0", "run.duration_s=10"});
  RunRequest request;
  request.progress = [](sim::Time) {
    if (interrupted()) throw Interrupted{};
  };
  const double start = processor_seconds();
  const RunRecord record = run_scenario(scenario, request);
  const double used = processor_seconds() - start;
  const auto transactions = static_cast<double>(record.transactions_ok);
  return {{"engine/append", transactions / used, "transactions/core-s",
           "committed by clients of the append workload, 2 CN and 4 DN, judging included"},
          {"engine/append-events", static_cast<double>(record.scheduler_events) / used, "events/core-s",
           "scheduler events in the same run"},
          {"engine/append-speedup", sim::seconds(record.virtual_time) / used, "times",
           "virtual time over processor time in the same run"},
          {"engine/append-digest", 100 * static_cast<double>(record.digest_records) * digest_record_seconds() / used,
           "%", "of the processor time of the same run is the digest", "<= 5"}};
}

}  // namespace polarsim::scenarios::cli
