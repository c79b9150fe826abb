// The picture of a run as inline SVG: faults, then how many operations ended and how, then single operations in lanes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reports/html.h"

namespace polarsim::reports {

struct Timeline {
  std::string svg;
  std::size_t operations_shown = 0;
  std::size_t faults_shown = 0;
};

Timeline draw_timeline(const RunReport& report);

// Which operations to draw one by one, as ascending positions in `report.operations`.
std::vector<std::size_t> choose_operations(const RunReport& report, std::size_t limit);

}  // namespace polarsim::reports
