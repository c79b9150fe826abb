#include "reports/exposure.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/html.h"

namespace polarsim::reports {

namespace {

constexpr double width = 720;
constexpr double height = 300;
constexpr double left = 60;
constexpr double right = 60;
constexpr double top = 40;
constexpr double bottom = 50;
constexpr double plot_width = width - left - right;
constexpr double plot_height = height - top - bottom;

double per_million(const ExposureReport::Group& group) {
  return group.reads == 0 ? 0 : static_cast<double>(group.fractured) * 1e6 / static_cast<double>(group.reads);
}

// Of each 1000 transactions of the window: how many reads saw half of one.
double per_thousand(const ExposureReport::Window& window) {
  return window.commits == 0 ? 0 : static_cast<double>(window.fractured) * 1e3 / static_cast<double>(window.commits);
}

std::string time_text(std::int64_t time_ns) {
  if (time_ns >= 1'000'000'000) return fmt::format("{:.3g} s", static_cast<double>(time_ns) * 1e-9);
  if (time_ns >= 1'000'000) return fmt::format("{:.3g} ms", static_cast<double>(time_ns) * 1e-6);
  return fmt::format("{:.3g} us", static_cast<double>(time_ns) * 1e-3);
}

std::string text(double x, double y, const char* anchor, const std::string& what) {
  return fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>\n", x, y, anchor, escaped(what));
}

}  // namespace

std::string to_json(const ExposureReport& report) {
  nlohmann::ordered_json document;
  document["groups"] = nlohmann::ordered_json::array();
  for (const ExposureReport::Group& group : report.groups) {
    document["groups"].push_back({{"name", group.name},
                                  {"reads", group.reads},
                                  {"fractured", group.fractured},
                                  {"per_million", per_million(group)},
                                  {"commits", group.commits}});
  }
  document["visibility_window_ns"] = {
      {"p50", report.p50_ns}, {"p90", report.p90_ns}, {"p99", report.p99_ns}, {"max", report.max_ns}};
  document["windows"] = nlohmann::ordered_json::array();
  for (const ExposureReport::Window& window : report.windows) {
    document["windows"].push_back(
        {{"up_to_ns", window.up_to_ns}, {"commits", window.commits}, {"fractured", window.fractured}});
  }
  document["atomic_after_healing_ns"] = nullptr;
  if (report.atomic_after_healing_ns) document["atomic_after_healing_ns"] = *report.atomic_after_healing_ns;
  return document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string draw_exposure(const ExposureReport& report) {
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}' viewBox='0 0 {0} {1}' font-family='sans-serif' "
      "font-size='11'>\n",
      width, height);
  svg += text(left, 16, "start", "Visibility windows of transactions on several nodes, and reads that saw half of one");
  if (report.windows.empty()) {
    return svg + text(width / 2, height / 2, "middle", "no transaction committed on several nodes") + "</svg>\n";
  }
  std::uint64_t most = 1;
  double worst = 1;
  for (const ExposureReport::Window& window : report.windows) {
    most = std::max(most, window.commits);
    worst = std::max(worst, per_thousand(window));
  }
  const double bar = plot_width / static_cast<double>(report.windows.size());
  std::string line;
  for (std::size_t i = 0; i < report.windows.size(); ++i) {
    const ExposureReport::Window& window = report.windows[i];
    const double x = left + bar * static_cast<double>(i);
    const double bar_height = plot_height * static_cast<double>(window.commits) / static_cast<double>(most);
    svg += fmt::format(
        "<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' fill='#4c8fd6'><title>up to {}: {} transactions, "
        "{} "
        "fractured reads</title></rect>\n",
        x + 1, top + plot_height - bar_height, std::max(bar - 2, 1.0), bar_height, time_text(window.up_to_ns),
        window.commits, window.fractured);
    svg += text(x + bar / 2, top + plot_height + 14, "middle", time_text(window.up_to_ns));
    if (window.commits == 0) continue;
    line += fmt::format("{}{:.1f},{:.1f}", line.empty() ? "" : " ", x + bar / 2,
                        top + plot_height * (1 - per_thousand(window) / worst));
  }
  svg += fmt::format("<polyline points='{}' fill='none' stroke='#c0504d' stroke-width='2'/>\n", line);
  svg += fmt::format("<path d='M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}V{1:.1f}' fill='none' stroke='#666'/>\n", left, top,
                     top + plot_height, left + plot_width);
  svg += text(left - 4, top + 4, "end", fmt::format("{}", most)) + text(left - 4, top + plot_height, "end", "0");
  svg += text(left + plot_width + 4, top + 4, "start", fmt::format("{:.3g}", worst)) +
         text(left + plot_width + 4, top + plot_height, "start", "0");
  svg += text(left, top - 8, "start", "transactions (bars)") +
         text(left + plot_width, top - 8, "end", "fractured reads for 1000 of them (line)");
  svg += text(left + plot_width / 2, height - 14, "middle",
              fmt::format("window up to; half of all up to {}, 99 per cent up to {}, the longest {}",
                          time_text(report.p50_ns), time_text(report.p99_ns), time_text(report.max_ns)));
  return svg + "</svg>\n";
}

}  // namespace polarsim::reports
