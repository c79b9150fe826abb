// How much of the permitted anomalies a run has shown to its clients, as plain data, as exposure.json, and as a picture
// (exposure.svg, also a part of report.html).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace polarsim::reports {

struct ExposureReport {
  struct Group {
    std::string name;
    std::uint64_t reads = 0;  // that could have been fractured
    std::uint64_t fractured = 0;
    std::uint64_t commits = 0;
  };
  // Transactions by their visibility window, the time from their first commit on a node to their last.
  struct Window {
    std::int64_t up_to_ns = 0;  // and above the one before
    std::uint64_t commits = 0;
    std::uint64_t fractured = 0;  // reads that saw half of one of them
  };
  std::vector<Group> groups;
  std::vector<Window> windows;
  std::int64_t p50_ns = 0, p90_ns = 0, p99_ns = 0, max_ns = 0;  // of the windows
  std::optional<std::int64_t> atomic_after_healing_ns;          // nothing: not known
};

// One object; keys are named after the fields, with `per_million` in each group. Ends in a newline.
std::string to_json(const ExposureReport& report);
// Fractured reads by commit skew: for each window of time the transactions with such a window (bars) and how many reads
// of each 1000 of them were fractured (line). A whole SVG document.
std::string draw_exposure(const ExposureReport& report);

}  // namespace polarsim::reports
