#include "engine/planted_bugs.h"

#include <array>

namespace polarsim::engine {

namespace {

constexpr std::array<PlantedBugInfo, 14> registry{{
    {PlantedBug::two_pc_skip_commit_record_flush, "2pc-skip-commit-record-flush", FoundBy::campaigns,
     "the coordinator sends COMMIT PREPARED without having flushed its commit record",
     "Greenplum pull 9940: half-committed distributed transactions lost by a crash"},
    {PlantedBug::two_pc_commit_prepared_before_local_commit, "2pc-commit-prepared-before-local-commit",
     FoundBy::campaigns, "the coordinator sends COMMIT PREPARED before its own commit, the commit point",
     "Greenplum issue 12199: nodes disagree after a crash between commit record and broadcast"},
    {PlantedBug::locks_released_at_prepare, "locks-released-at-prepare", FoundBy::campaigns,
     "a data node releases row locks at PREPARE TRANSACTION instead of at the decision",
     "Greenplum issue 17134: row locks released before the global commit"},
    {PlantedBug::prepared_lost_on_restart, "prepared-lost-on-restart", FoundBy::campaigns,
     "a data node forgets prepared transactions when it recovers from a crash",
     "Vitess pull 16553: prepared transactions lost by a restart"},
    {PlantedBug::recheck_skipped, "recheck-skipped", FoundBy::campaigns,
     "after waiting for a row lock, an UPDATE works on the row version of its old snapshot",
     "PostgreSQL's EvalPlanQual left out: the lost update that Read Committed forbids"},
    {PlantedBug::wal_flush_skipped_at_commit, "wal-flush-skipped-at-commit", FoundBy::crash_matrix,
     "a client is told of its commit before the commit record has been flushed",
     "PostgreSQL with synchronous_commit = off, taken for on"},
    {PlantedBug::redo_not_idempotent, "redo-not-idempotent", FoundBy::crash_matrix,
     "redo applies a change to a page that has it already",
     "the comparison of a page's LSN with the record's that PostgreSQL's XLogReadBufferForRedo makes, left out"},
    {PlantedBug::torn_page_not_detected, "torn-page-not-detected", FoundBy::crash_matrix,
     "a page is taken as it is read, without looking at its checksum",
     "PostgreSQL without data_checksums on a disk that tears pages"},
    {PlantedBug::unique_check_without_wait, "unique-check-without-wait", FoundBy::isolation,
     "a unique index does not wait for an open transaction that inserts or deletes the same key",
     "Postgres-XC issue 255: two visible rows with one primary key"},
    {PlantedBug::recheck_set_but_not_where, "recheck-set-but-not-where", FoundBy::isolation,
     "after waiting for a row lock, an UPDATE computes its values from the newest version but does not test WHERE "
     "again",
     "half of PostgreSQL's EvalPlanQual left out: rows that no longer qualify are changed"},
    {PlantedBug::vacuum_removes_visible_row, "vacuum-removes-visible-row", FoundBy::isolation,
     "vacuum removes row versions that an open snapshot still shows",
     "PostgreSQL 14.0 to 14.3: CREATE INDEX CONCURRENTLY's snapshot ignored by the horizon of pruning"},
    {PlantedBug::checkpoint_drops_prepared, "checkpoint-drops-prepared", FoundBy::crash_matrix,
     "a checkpoint forgets to write the transactions that are prepared",
     "Greenplum pull 9940: a checkpoint record that left out transactions in doubt"},
    {PlantedBug::savepoint_rollback_releases_locks_early, "savepoint-rollback-releases-locks-early", FoundBy::isolation,
     "ROLLBACK TO SAVEPOINT also gives up locks that were taken before the savepoint",
     "PostgreSQL before 9.3: a row locked before a savepoint and again after it lost both locks by the rollback"},
    {PlantedBug::snapshot_before_lock_wait, "snapshot-before-lock-wait", FoundBy::isolation,
     "a statement takes its snapshot before it waits for its table's lock",
     "Citus issue 1398: no new snapshot after a lock, so that committed writes are lost"},
}};

}  // namespace

const char* to_string(FoundBy found_by) {
  switch (found_by) {
    case FoundBy::campaigns:
      return "campaigns";
    case FoundBy::crash_matrix:
      return "crash matrix";
    case FoundBy::isolation:
      return "isolation tests";
  }
  return "?";
}

std::span<const PlantedBugInfo> planted_bugs() { return registry; }

std::optional<PlantedBug> find_planted_bug(std::string_view name) {
  for (const PlantedBugInfo& info : registry) {
    if (info.name == name) return info.bug;
  }
  return std::nullopt;
}

}  // namespace polarsim::engine
