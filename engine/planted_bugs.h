// Planted bugs: named, one-line, off-by-default defects that measure how good campaigns are at finding real ones.
//
// Engine code asks `planted.on(PlantedBug::x)` at the one place where the defect sits. The list is the only registry.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace polarsim::engine {

enum class PlantedBug : std::uint8_t {
  two_pc_skip_commit_record_flush,
  two_pc_commit_prepared_before_local_commit,
  locks_released_at_prepare,
  prepared_lost_on_restart,
  recheck_skipped,
  wal_flush_skipped_at_commit,
  redo_not_idempotent,
  torn_page_not_detected,
  unique_check_without_wait,
  recheck_set_but_not_where,
  vacuum_removes_visible_row,
  checkpoint_drops_prepared,
  savepoint_rollback_releases_locks_early,
  snapshot_before_lock_wait,
};

// What is certain to find a planted bug; others may find it, too.
enum class FoundBy : std::uint8_t {
  campaigns,     // of the scenarios bank and commit-crash
  crash_matrix,  // engine/node/crash_matrix_test.cpp
  isolation,     // cases of scenarios/isolation, and random statements against a model (engine/node/model)
};
const char* to_string(FoundBy found_by);  // "campaigns", "crash matrix", "isolation tests"

struct PlantedBugInfo {
  PlantedBug bug;
  std::string_view name;  // "2pc-skip-commit-record-flush"
  FoundBy found_by;
  std::string_view summary;  // what is wrong when it is on
  std::string_view source;   // the real bug it is modelled on
};

std::span<const PlantedBugInfo> planted_bugs();
std::optional<PlantedBug> find_planted_bug(std::string_view name);

class PlantedBugs {
 public:
  void turn_on(PlantedBug bug) { on_.set(static_cast<std::size_t>(bug)); }
  bool on(PlantedBug bug) const { return on_.test(static_cast<std::size_t>(bug)); }

 private:
  std::bitset<64> on_;
};

}  // namespace polarsim::engine
