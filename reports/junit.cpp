#include "reports/junit.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/html.h"

namespace polarsim::reports {

namespace {

std::string render_case(const JunitCase& entry) {
  std::string xml = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", escaped(entry.suite),
                                escaped(entry.name), entry.seconds);
  if (entry.result == JunitCase::Result::passed) return xml + "/>\n";
  const char* element = entry.result == JunitCase::Result::failed ? "failure" : "error";
  return xml + fmt::format(">\n      <{0} message=\"{1}\">{2}</{0}>\n    </testcase>\n", element,
                           escaped(entry.signature), escaped(entry.explanation));
}

}  // namespace

std::string render_junit(const std::vector<JunitCase>& cases) {
  std::vector<std::string> suites;
  for (const JunitCase& entry : cases) {
    if (std::find(suites.begin(), suites.end(), entry.suite) == suites.end()) suites.push_back(entry.suite);
  }
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const std::string& suite : suites) {
    std::string body;
    int tests = 0, failures = 0, errors = 0;
    double seconds = 0;
    for (const JunitCase& entry : cases) {
      if (entry.suite != suite) continue;
      ++tests;
      failures += entry.result == JunitCase::Result::failed ? 1 : 0;
      errors += entry.result == JunitCase::Result::error ? 1 : 0;
      seconds += entry.seconds;
      body += render_case(entry);
    }
    xml += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\">\n{}  </testsuite>\n",
        escaped(suite), tests, failures, errors, seconds, body);
  }
  return xml + "</testsuites>\n";
}

}  // namespace polarsim::reports
