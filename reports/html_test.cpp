#include "reports/html.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/junit.h"
#include "reports/timeline.h"

namespace polarsim::reports {
namespace {

RunReport report_of(std::size_t operations) {
  RunReport report;
  report.summary.scenario = "a<b";
  report.summary.verdict = Outcome::invalid;
  report.summary.virtual_time_ns = 10'000'000'000;
  report.replay_command = "polarsim replay 'runs/a<b-1'";
  CheckSummary check;
  check.name = "list-append";
  check.verdict = Outcome::invalid;
  check.anomalies = {{"G1c", "T1 -> T2 & back", {2001}}};
  report.summary.checks = {check};
  for (std::size_t i = 0; i < operations; ++i) {
    OperationSpan operation;
    operation.invoke_index = static_cast<std::int64_t>(2 * i);
    operation.index = operation.invoke_index + 1;
    operation.start_ns = static_cast<std::int64_t>(i) * 1'000'000;
    operation.end_ns = operation.start_ns + 5'000'000;
    operation.end = static_cast<OperationEnd>(i % 3);
    operation.text = "[:append \"x\" 1]";
    report.operations.push_back(operation);
  }
  report.faults = {{1'000'000'000, 4'000'000'000, "crash dn2 for 3 s"}};
  return report;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Html, IsSelfContainedAndEscaped) {
  const std::string html = render_html(report_of(10));
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_NE(html.find("a&lt;b, seed 0"), std::string::npos);
  EXPECT_EQ(html.find("a<b"), std::string::npos);
  EXPECT_NE(html.find("T1 -&gt; T2 &amp; back"), std::string::npos);
  EXPECT_NE(html.find("crash dn2 for 3 s"), std::string::npos);
}

TEST(Html, PutsThePictureOfAnAnomalyBelowItsText) {
  RunReport report = report_of(10);
  report.pictures = {{"<svg id='first'></svg>"}};
  const std::string html = render_html(report);
  const std::size_t text = html.find("T1 -&gt; T2 &amp; back");
  const std::size_t picture = html.find("<svg id='first'></svg>");
  ASSERT_NE(picture, std::string::npos);
  EXPECT_LT(text, picture);
}

TEST(Html, AnEmptyRunStillMakesAPage) {
  const std::string html = render_html(RunReport{});
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

TEST(Timeline, DrawsEveryOperationOfASmallRun) {
  const Timeline timeline = draw_timeline(report_of(100));
  EXPECT_EQ(timeline.operations_shown, 100U);
  EXPECT_EQ(count_of(timeline.svg, "<title>"), 100U);
  EXPECT_EQ(count_of(timeline.svg, "class='fault'"), 1U);
}

TEST(Timeline, OfALargeRunItDrawsTheNamedOperationAndItsNeighbours) {
  const RunReport report = report_of(5000);
  const std::vector<std::size_t> chosen = choose_operations(report, operations_drawn);
  EXPECT_LE(chosen.size(), operations_drawn);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_TRUE(std::binary_search(chosen.begin(), chosen.end(), 1000U));
  EXPECT_TRUE(std::binary_search(chosen.begin(), chosen.end(), 999U));
  EXPECT_FALSE(std::binary_search(chosen.begin(), chosen.end(), 4000U));
  EXPECT_EQ(count_of(draw_timeline(report).svg, " named'"), 1U);
}

TEST(Timeline, WithoutNamedOperationsItDrawsTheBeginning) {
  RunReport report = report_of(5000);
  report.summary.checks.clear();
  const std::vector<std::size_t> chosen = choose_operations(report, operations_drawn);
  ASSERT_FALSE(chosen.empty());
  EXPECT_EQ(chosen.front(), 0U);
}

TEST(Junit, CountsAndEscapes) {
  const std::vector<JunitCase> cases{
      {JunitCase::Result::passed, "bank", "seed 1", 0.5, "", ""},
      {JunitCase::Result::failed, "bank", "seed 2", 0.25, "bank:bank-total", "799 < 800 \x01"},
      {JunitCase::Result::error, "append", "seed 1", 1, "crashed: SIGSEGV", ""},
  };
  const std::string xml = render_junit(cases);
  EXPECT_NE(xml.find("<testsuite name=\"bank\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.750\">"),
            std::string::npos)
      << xml;
  EXPECT_NE(xml.find("<testsuite name=\"append\" tests=\"1\" failures=\"0\" errors=\"1\""), std::string::npos);
  EXPECT_NE(xml.find("<failure message=\"bank:bank-total\">799 &lt; 800 \xEF\xBF\xBD</failure>"), std::string::npos);
  EXPECT_NE(xml.find("<error message=\"crashed: SIGSEGV\"></error>"), std::string::npos);
}

}  // namespace
}  // namespace polarsim::reports
