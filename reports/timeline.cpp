#include "reports/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace polarsim::reports {

namespace {

constexpr double width = 1120;
constexpr double left = 70;  // room for labels
constexpr double plot_width = width - left - 10;
constexpr std::size_t bins = 220;
constexpr double histogram_height = 90;
constexpr double row_height = 14;

const char* class_of(OperationEnd end) {
  switch (end) {
    case OperationEnd::ok:
      return "ok";
    case OperationEnd::fail:
      return "fail";
    case OperationEnd::unknown:
      return "unknown";
  }
  return "unknown";
}

// A span of virtual time laid over the width of the plot.
struct Scale {
  std::int64_t from_ns;
  std::int64_t to_ns;
  double x(std::int64_t time_ns) const {
    const double share = static_cast<double>(time_ns - from_ns) / static_cast<double>(to_ns - from_ns);
    return left + plot_width * std::clamp(share, 0.0, 1.0);
  }
};

Scale scale_of(std::int64_t from_ns, std::int64_t to_ns) { return Scale{from_ns, std::max(to_ns, from_ns + 1)}; }

Scale whole_run(const RunReport& report) {
  std::int64_t end_ns = report.summary.virtual_time_ns;
  for (const OperationSpan& operation : report.operations) end_ns = std::max(end_ns, operation.end_ns);
  for (const FaultSpan& fault : report.faults) end_ns = std::max(end_ns, fault.end_ns);
  return scale_of(0, end_ns);
}

std::string axis(const Scale& scale, double y) {
  std::string svg;
  constexpr int ticks = 8;
  for (int tick = 0; tick <= ticks; ++tick) {
    const std::int64_t time_ns = scale.from_ns + (scale.to_ns - scale.from_ns) / ticks * tick;
    const double x = scale.x(time_ns);
    const char* anchor = tick == ticks ? "end" : tick == 0 ? "start" : "middle";
    svg += fmt::format("<line class='tick' x1='{0:.1f}' y1='{1:.1f}' x2='{0:.1f}' y2='{2:.1f}'/>", x, y, y + 4);
    svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'>{:.3f} s</text>\n", x, y + 15, anchor,
                       static_cast<double>(time_ns) * 1e-9);
  }
  return svg;
}

std::string draw_faults(const RunReport& report, const Scale& scale, double& y, std::size_t& shown) {
  shown = std::min(report.faults.size(), faults_drawn);
  std::string svg;
  for (std::size_t i = 0; i < shown; ++i) {
    const FaultSpan& fault = report.faults[i];
    const double x = scale.x(fault.start_ns);
    const double bar = std::max(scale.x(fault.end_ns) - x, 3.0);
    // The caption goes where there is room: to the right of the bar, or to its left near the end of the run.
    const bool on_left = x + bar > left + plot_width * 0.7;
    const double caption_x = on_left ? x - 4 : x + bar + 4;
    svg += fmt::format("<rect class='fault' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}'/>", x, y, bar,
                       row_height - 4);
    svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>\n", caption_x, y + row_height - 5,
                       on_left ? "end" : "start", escaped(fault.text));
    y += row_height;
  }
  if (shown > 0) y += 8;
  return svg;
}

std::string draw_histogram(const RunReport& report, const Scale& scale, double& y) {
  std::array<std::array<std::size_t, 3>, bins> counts{};
  for (const OperationSpan& operation : report.operations) {
    const double share = (scale.x(operation.end_ns) - left) / plot_width;
    const auto bin = std::min(static_cast<std::size_t>(share * bins), bins - 1);
    ++counts[bin][static_cast<std::size_t>(operation.end)];
  }
  std::size_t highest = 1;
  for (const auto& bin : counts) highest = std::max(highest, bin[0] + bin[1] + bin[2]);
  std::string svg = fmt::format("<text x='0' y='{:.1f}'>operations</text><text x='0' y='{:.1f}'>up to {}</text>\n",
                                y + 11, y + 24, highest);
  constexpr double bin_width = plot_width / bins;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    double bottom = y + histogram_height;
    for (std::size_t end = 0; end < 3; ++end) {
      if (counts[bin][end] == 0) continue;
      const double height = histogram_height * static_cast<double>(counts[bin][end]) / static_cast<double>(highest);
      bottom -= height;
      svg += fmt::format("<rect class='{}' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}'/>\n",
                         class_of(static_cast<OperationEnd>(end)), left + bin_width * static_cast<double>(bin), bottom,
                         bin_width - 0.6, height);
    }
  }
  y += histogram_height;
  svg += axis(scale, y);
  y += 26;
  return svg;
}

std::set<std::int64_t> named_operations(const RunSummary& summary) {
  std::set<std::int64_t> indexes;
  for (const CheckSummary& check : summary.checks) {
    for (const Finding& finding : check.anomalies) indexes.insert(finding.operations.begin(), finding.operations.end());
  }
  return indexes;
}

// Anomalies may lie far apart in time; a picture of all would show none of them well.
std::set<std::int64_t> operations_of_first_anomaly(const RunSummary& summary) {
  for (const CheckSummary& check : summary.checks) {
    for (const Finding& finding : check.anomalies) {
      if (!finding.operations.empty()) return {finding.operations.begin(), finding.operations.end()};
    }
  }
  return {};
}

bool is_named(const OperationSpan& operation, const std::set<std::int64_t>& indexes) {
  return indexes.contains(operation.index) || indexes.contains(operation.invoke_index);
}

// Lanes hold operations that do not overlap; each operation takes the first lane that is free when it starts.
std::string draw_lanes(const RunReport& report, const std::vector<std::size_t>& chosen, double& y) {
  if (chosen.empty()) return "";
  std::int64_t from_ns = report.operations[chosen.front()].start_ns;
  std::int64_t to_ns = from_ns + 1;
  for (const std::size_t position : chosen) to_ns = std::max(to_ns, report.operations[position].end_ns);
  const Scale scale = scale_of(from_ns, to_ns);
  const std::set<std::int64_t> named = named_operations(report.summary);
  std::vector<double> lane_ends;
  std::string svg;
  for (const std::size_t position : chosen) {
    const OperationSpan& operation = report.operations[position];
    const double x = scale.x(operation.start_ns);
    const double bar = std::max(scale.x(operation.end_ns) - x, 1.5);
    const auto free_lane = std::find_if(lane_ends.begin(), lane_ends.end(), [&](double end) { return end <= x; });
    const auto lane = static_cast<std::size_t>(free_lane - lane_ends.begin());
    if (free_lane == lane_ends.end()) lane_ends.push_back(0);
    lane_ends[lane] = x + bar;
    svg += fmt::format(
        "<rect class='{}{}' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}'><title>{}</title></rect>\n",
        class_of(operation.end), is_named(operation, named) ? " named" : "", x,
        y + row_height * static_cast<double>(lane), bar, row_height - 4,
        escaped(fmt::format("#{} process {}, {:.6f} s to {:.6f} s: {}", operation.index, operation.process,
                            static_cast<double>(operation.start_ns) * 1e-9,
                            static_cast<double>(operation.end_ns) * 1e-9, operation.text)));
  }
  svg = fmt::format("<text x='0' y='{:.1f}'>single</text><text x='0' y='{:.1f}'>operations</text>\n", y + 9, y + 22) +
        svg;
  y += row_height * static_cast<double>(std::max<std::size_t>(lane_ends.size(), 2));
  svg += axis(scale, y);
  y += 22;
  return svg;
}

}  // namespace

std::vector<std::size_t> choose_operations(const RunReport& report, std::size_t limit) {
  const std::size_t count = report.operations.size();
  std::set<std::size_t> picture;
  const std::set<std::int64_t> wanted = operations_of_first_anomaly(report.summary);
  for (std::size_t position = 0; position < count && picture.size() < limit; ++position) {
    if (count <= limit || is_named(report.operations[position], wanted)) picture.insert(position);
  }
  if (count <= limit) return {picture.begin(), picture.end()};
  // Around them (or at the start, if there is no anomaly) neighbours are added by distance; more than some hundred of
  // them would hide what the picture is about.
  if (picture.empty()) picture.insert(0);
  const std::vector<std::size_t> centres(picture.begin(), picture.end());
  const std::size_t full = std::min(limit, picture.size() + 300);
  for (std::size_t distance = 1; picture.size() < full && distance < count; ++distance) {
    for (const std::size_t centre : centres) {
      if (picture.size() < full && centre >= distance) picture.insert(centre - distance);
      if (picture.size() < full && centre + distance < count) picture.insert(centre + distance);
    }
  }
  return {picture.begin(), picture.end()};
}

Timeline draw_timeline(const RunReport& report) {
  Timeline timeline;
  const Scale scale = whole_run(report);
  const std::vector<std::size_t> chosen = choose_operations(report, operations_drawn);
  double y = 4;
  std::string body = draw_faults(report, scale, y, timeline.faults_shown);
  body += draw_histogram(report, scale, y);
  body += draw_lanes(report, chosen, y);
  timeline.operations_shown = chosen.size();
  timeline.svg = fmt::format(
      "<svg viewBox='0 0 {:.0f} {:.0f}' role='img' aria-label='Faults and operations over virtual time'>\n{}</svg>\n",
      width, y + 4, body);
  return timeline;
}

}  // namespace polarsim::reports
