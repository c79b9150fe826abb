// The commands. Each prints to stdout, reports unusable input by throwing UsageError, and returns the exit status.
#pragma once

#include <string>
#include <vector>

#include "scenarios/cli/options.h"

namespace polarsim::scenarios::cli {

int run_command(const RunOptions& options);
int replay_command(const ReplayOptions& options);
int trace_command(const TraceOptions& options);
int inspect_command(const InspectOptions& options);
int check_command(const CheckOptions& options);
// The names that `check --model` takes.
std::vector<std::string> check_models();
int list_command(const ListOptions& options);
int campaign_command(const CampaignCommandOptions& options);
int bench_command(const BenchOptions& options);
int isolation_command(const IsolationOptions& options);
int sql_command(const SqlOptions& options);
int elle_command(const ElleOptions& options);

}  // namespace polarsim::scenarios::cli
