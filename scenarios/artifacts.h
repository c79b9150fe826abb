// The folder of a run: run.json, schedule.json, history.edn, report.html, trace.bin when a trace was kept (see
// trace_output.h), decisions.bin when the decisions were, and elle.json when the real Elle contradicted a checker
// (elle_opinions.h).
//
// The folder of a failing run is its capsule: all that a replay needs. Two runs of the same binary, scenario and seed
// write the same bytes. Each file appears whole or not at all (temporary file, fsync, rename), and run.json appears
// last: a folder with a run.json is complete.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/planted_bugs.h"
#include "faults/schedule.h"
#include "reports/html.h"
#include "reports/run_summary.h"
#include "scenarios/input_file.h"
#include "scenarios/runner.h"
#include "scenarios/scenario.h"
#include "scenarios/trace_output.h"

namespace polarsim::scenarios {

// The artifact's view of a run. `overrides` are those that were applied to the scenario's text.
reports::RunSummary summarise(const Scenario& scenario, const std::vector<std::string>& overrides,
                              const RunRecord& record, const reports::BuildInfo& build);
// Everything that report.html shows.
reports::RunReport make_report(const reports::RunSummary& summary, const RunRecord& record,
                               const std::string& replay_command);

// Makes the folder and its parents, and proves by writing a file that results can be kept there. The error is one line.
tl::expected<void, InputError> prepare_folder(const std::string& folder);
// Replaces what an earlier run left in the folder. `trace`, if given, becomes its trace.bin.
tl::expected<void, InputError> write_run_folder(const std::string& folder, const reports::RunSummary& summary,
                                                const RunRecord& record, const std::string& replay_command,
                                                TraceOutput* trace = nullptr);

// Removes the files that write_run_folder() makes, and the folder if nothing else is in it.
void remove_run_folder(const std::string& folder);

// One file, whole or not at all.
tl::expected<void, InputError> write_file(const std::string& path, std::string_view bytes);

// What a replay needs, read from a run's folder.
struct Capsule {
  std::string folder;
  reports::RunSummary summary;
  Scenario scenario;
  std::vector<engine::PlantedBug> planted;
  faults::Schedule schedule;
  bool schedule_edited = false;  // its faults are not those of the recorded run; the layout of the file does not matter
};

// `path` is the folder or the run.json in it. Strict; the error is one line that names file and key, e.g.
// "runs/x/run.json: ladder: expected a list, found 3".
tl::expected<Capsule, InputError> read_capsule(const std::string& path);

// How a replayed run differs from the recorded one in digest, ladder and verdict: one line each, the most telling
// first. Empty if they agree. `prefix` compares only the rungs that both have: for a replay that was stopped before its
// end.
std::vector<std::string> differences(const reports::RunSummary& recorded, const reports::RunSummary& replayed,
                                     bool prefix = false);

}  // namespace polarsim::scenarios
