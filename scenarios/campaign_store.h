// Campaign results in SQLite: one row a seed.
//
//   CREATE TABLE run (
//     scenario        TEXT    NOT NULL,  -- its name
//     configuration   TEXT    NOT NULL,  -- 16 hex digits over the scenario's text, overrides and planted bugs
//     seed            INTEGER NOT NULL,
//     verdict         TEXT    NOT NULL,  -- passed, failed, unknown, crashed
//     signature       TEXT    NOT NULL,  -- groups failures that look alike; empty when passed
//     checker         TEXT    NOT NULL,  -- the first that did not say valid; 'process' for a crash
//     explanation     TEXT    NOT NULL,
//     digest          TEXT    NOT NULL,  -- 32 hex digits; empty for a crash
//     virtual_time_ns INTEGER NOT NULL,
//     wall_ms         INTEGER NOT NULL,
//     transactions    INTEGER NOT NULL,
//     faults          INTEGER NOT NULL,  -- that struck
//     seen            TEXT    NOT NULL,  -- JSON list of anomalies and exposures by name
//     probes          TEXT    NOT NULL,  -- JSON list of states reached
//     capsule         TEXT    NOT NULL,  -- folder; empty if none was kept for this seed
//     build           TEXT    NOT NULL,  -- version, compiler, build type
//     PRIMARY KEY (scenario, configuration, seed)
//   ) STRICT, WITHOUT ROWID;
//
// The file is in WAL mode, so that it can be read while a campaign writes. PRAGMA user_version is the format's version,
// PRAGMA application_id says that the file is ours.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "scenarios/campaign.h"

struct sqlite3;
struct sqlite3_stmt;

namespace polarsim::scenarios {

class CampaignStore {
 public:
  // Opens or makes the file; an empty name keeps everything in memory. Refuses files of another kind or version.
  static tl::expected<CampaignStore, InputError> open(const std::string& file);
  CampaignStore(CampaignStore&& other) noexcept;
  CampaignStore& operator=(CampaignStore&&) = delete;
  ~CampaignStore();

  // Rows of one scenario and configuration with first <= seed <= last, by seed.
  tl::expected<std::vector<SeedResult>, InputError> load(const std::string& scenario, const std::string& configuration,
                                                         std::uint64_t first, std::uint64_t last);
  // Rows of one call are one transaction: all are kept, or none.
  tl::expected<void, InputError> add(const std::string& configuration, const std::string& build,
                                     const std::vector<SeedResult>& results);
  tl::expected<void, InputError> clear_capsule(const std::string& scenario, const std::string& configuration,
                                               std::uint64_t seed);

 private:
  CampaignStore(sqlite3* database, std::string file) : database_(database), file_(std::move(file)) {}
  tl::expected<void, InputError> set_up();
  tl::expected<void, InputError> execute(const char* sql);
  InputError error(const char* what) const;
  sqlite3* database_;
  std::string file_;
};

// Names what decides a run besides its seed: 16 hexadecimal digits.
std::string configuration_of(const CampaignScenario& scenario, const std::vector<engine::PlantedBug>& planted);

}  // namespace polarsim::scenarios
