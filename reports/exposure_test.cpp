#include "reports/exposure.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace polarsim::reports {
namespace {

ExposureReport sample() {
  ExposureReport report;
  report.groups = {{"two-nodes", 8, 1, 4}, {"one-shard", 0, 0, 0}};
  report.windows = {{50'000, 3, 0}, {100'000, 0, 0}, {200'000, 1, 1}};
  report.p50_ns = 40'000;
  report.p99_ns = report.max_ns = 150'000;
  return report;
}

TEST(Exposure, IsOneJsonObject) {
  ExposureReport report = sample();
  nlohmann::json document = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(document["groups"][0]["per_million"], 125'000);
  EXPECT_EQ(document["groups"][1]["per_million"], 0);
  EXPECT_EQ(document["visibility_window_ns"]["max"], 150'000);
  EXPECT_EQ(document["windows"][2]["fractured"], 1);
  EXPECT_TRUE(document["atomic_after_healing_ns"].is_null());
  report.atomic_after_healing_ns = 0;
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["atomic_after_healing_ns"], 0);
}

TEST(Exposure, ThePictureHasABarForEachWindowAndALineThroughThoseThatOccurred) {
  const std::string svg = draw_exposure(sample());
  std::size_t bars = 0;
  for (std::size_t at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) ++bars;
  EXPECT_EQ(bars, 3U);
  // The highest rate is at the top of the plot, none at its bottom.
  EXPECT_NE(svg.find("<polyline points='160.0,250.0 560.0,40.0'"), std::string::npos) << svg;
  EXPECT_TRUE(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
}

TEST(Exposure, WithoutTransactionsOnSeveralNodesThePictureSaysSo) {
  EXPECT_NE(draw_exposure({}).find("no transaction committed on several nodes"), std::string::npos);
}

}  // namespace
}  // namespace polarsim::reports
