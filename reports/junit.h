// Results of a campaign as JUnit XML, for continuous-integration servers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace polarsim::reports {

struct JunitCase {
  enum class Result : std::uint8_t { passed, failed, error } result = Result::passed;
  std::string suite;  // the scenario
  std::string name;   // "seed 7"
  double seconds = 0;
  std::string signature;  // of a failure or error, on one line
  std::string explanation;
};

// One <testsuite> for each suite, in order of first appearance.
std::string render_junit(const std::vector<JunitCase>& cases);

}  // namespace polarsim::reports
