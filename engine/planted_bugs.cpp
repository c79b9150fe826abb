#include "engine/planted_bugs.h"

#include <array>

namespace polarsim::engine {

namespace {

constexpr std::array<PlantedBugInfo, 5> registry{{
    {PlantedBug::two_pc_skip_commit_record_flush, "2pc-skip-commit-record-flush",
     "the coordinator sends COMMIT PREPARED without having flushed its commit record",
     "Greenplum pull 9940: half-committed distributed transactions lost by a crash"},
    {PlantedBug::two_pc_commit_prepared_before_local_commit, "2pc-commit-prepared-before-local-commit",
     "the coordinator sends COMMIT PREPARED before its own commit, the commit point",
     "Greenplum issue 12199: nodes disagree after a crash between commit record and broadcast"},
    {PlantedBug::locks_released_at_prepare, "locks-released-at-prepare",
     "a data node releases row locks at PREPARE TRANSACTION instead of at the decision",
     "Greenplum issue 17134: row locks released before the global commit"},
    {PlantedBug::prepared_lost_on_restart, "prepared-lost-on-restart",
     "a data node forgets prepared transactions when it recovers from a crash",
     "Vitess pull 16553: prepared transactions lost by a restart"},
    {PlantedBug::recheck_skipped, "recheck-skipped",
     "after waiting for a row lock, an UPDATE works on the row version of its old snapshot",
     "PostgreSQL's EvalPlanQual left out: the lost update that Read Committed forbids"},
}};

}  // namespace

std::span<const PlantedBugInfo> planted_bugs() { return registry; }

std::optional<PlantedBug> find_planted_bug(std::string_view name) {
  for (const PlantedBugInfo& info : registry) {
    if (info.name == name) return info.bug;
  }
  return std::nullopt;
}

}  // namespace polarsim::engine
