#include "checkers/exposure.h"

#include <algorithm>
#include <map>

#include "checkers/cluster_statements.h"
#include "checkers/meter_history.h"

namespace polarsim::checkers {

namespace {

constexpr std::int64_t narrowest_ns = 50'000;  // the bound of the first bin; each next one is twice as wide

struct Window {
  std::int64_t length_ns = 0;
  std::uint64_t fractured = 0;
};

std::int64_t percentile(const std::vector<Window>& sorted, std::size_t per_cent) {
  if (sorted.empty()) return 0;
  return sorted[(sorted.size() * per_cent + 99) / 100 - 1].length_ns;
}

void set_windows(Exposure& exposure, std::vector<Window> windows) {
  std::sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) { return a.length_ns < b.length_ns; });
  exposure.p50_ns = percentile(windows, 50);
  exposure.p90_ns = percentile(windows, 90);
  exposure.p99_ns = percentile(windows, 99);
  exposure.max_ns = percentile(windows, 100);
  for (const Window& window : windows) {
    if (exposure.windows.empty()) exposure.windows.push_back({narrowest_ns, 0, 0});
    while (exposure.windows.back().up_to_ns < window.length_ns)
      exposure.windows.push_back({exposure.windows.back().up_to_ns * 2, 0, 0});
    ++exposure.windows.back().commits;
    exposure.windows.back().fractured += window.fractured;
  }
}

std::optional<std::int64_t> atomic_after_healing(const ClusterLog& log, const Branches& branches) {
  if (!log.healed_ns) return std::nullopt;
  std::int64_t last_ns = *log.healed_ns;
  for (const Branch& branch : branches.all()) {
    if (branch.still_prepared()) return std::nullopt;
    const Moment& end = branch.commit ? branch.commit : branch.abort;
    // What was prepared before the faults ended; later ones are no leftovers.
    if (branch.prepare && branch.prepare.time_ns <= *log.healed_ns) last_ns = std::max(last_ns, end.time_ns);
  }
  return last_ns - *log.healed_ns;
}

void measure_lists(const History& history, ClusterLog& log, Exposure& exposure) {
  const Operations operations = collect_operations(history);
  if (!operations.problem.empty()) return;
  const ListAppendIndex index(operations);
  if (!index.problem().empty()) return;
  const Branches branches(log, history, operations);
  exposure.atomic_after_healing_ns = atomic_after_healing(log, branches);
  ClusterHistory cluster{history, operations, index, log, branches, {}};
  place_keys(cluster, {});
  Findings unused(operations);
  const StatementReport report = check_statements(cluster, ReadYourWrites::unless_pending, unused);
  ExposureGroup group;
  group.name = "transactions";
  group.reads = report.transactions_over_nodes;
  group.fractured = report.missed_parts.size();
  std::map<std::uint32_t, std::uint64_t> missed;
  for (const std::uint32_t writer : report.missed_parts) ++missed[writer];
  std::vector<Window> windows;
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    std::size_t nodes = 0;
    std::int64_t first_ns = 0, last_ns = 0;
    for (std::uint32_t place = branches.first_of(v); place != no_vertex; place = branches.next_of(place)) {
      const Moment& commit = branches.all()[place].commit;
      if (!commit) continue;
      first_ns = nodes == 0 ? commit.time_ns : std::min(first_ns, commit.time_ns);
      last_ns = std::max(last_ns, commit.time_ns);
      ++nodes;
    }
    if (nodes < 2) continue;
    ++group.commits;
    const auto found = missed.find(v);
    windows.push_back({last_ns - first_ns, found == missed.end() ? 0 : found->second});
  }
  exposure.groups.push_back(std::move(group));
  set_windows(exposure, std::move(windows));
}

void measure_meter(const History& history, ClusterLog& log, Exposure& exposure) {
  const auto meter = read_meter_history(history, log);
  if (!meter) return;
  // The total is what most sums show: a reader that is fractured more often than not measures nothing.
  std::map<std::int64_t, std::uint64_t> values;
  for (const MeterHistory::Sum& sum : meter->sums) ++values[sum.value];
  std::int64_t total = 0;
  std::uint64_t most = 0;
  for (const auto& [value, number] : values) {
    if (number > most) total = value;
    most = std::max(most, number);
  }
  std::map<std::string, ExposureGroup> groups;
  std::map<std::int64_t, std::uint64_t> missed;
  for (const MeterHistory::Sum& sum : meter->sums) {
    const MeterHistory::Transfer* const transfer = meter->straddled_by(sum);
    // Where one case ends and the next begins, a sum may meet the last transfer of the former.
    if (sum.final || (transfer != nullptr && transfer->group != sum.group)) continue;
    ExposureGroup& group = groups[std::string(sum.group)];
    ++group.reads;
    if (sum.value == total) continue;
    ++group.fractured;
    if (transfer != nullptr) ++missed[transfer->index];
  }
  std::vector<Window> windows;
  for (const MeterHistory::Transfer& transfer : meter->transfers) {
    ++groups[std::string(transfer.group)].commits;
    if (transfer.nodes < 2) continue;
    const auto found = missed.find(transfer.index);
    windows.push_back({transfer.window_ns(), found == missed.end() ? 0 : found->second});
  }
  for (auto& [name, group] : groups) {
    group.name = name;
    exposure.groups.push_back(std::move(group));
  }
  set_windows(exposure, std::move(windows));
}

}  // namespace

Exposure measure_exposure(const History& history) {
  Exposure exposure;
  auto log = read_cluster_log(history);
  if (!log) return exposure;
  const bool sums =
      std::any_of(history.events.begin(), history.events.end(), [](const Event& event) { return event.f == "sum"; });
  sums ? measure_meter(history, *log, exposure) : measure_lists(history, *log, exposure);
  return exposure;
}

}  // namespace polarsim::checkers
