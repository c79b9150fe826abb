// What this program is: goes into artifacts, so that a replay knows whether it compares like with like.
#pragma once

#include <string>

#include "reports/run_summary.h"

namespace polarsim::scenarios::cli {

reports::BuildInfo build_info();
std::string version_text();
// The source tree this program was built from; it may be gone by now.
std::string source_folder();

}  // namespace polarsim::scenarios::cli
