// The checker of the workload meter: which of its statements were fractured, and whether each of them may have been.
#include <map>

#include "checkers/branches.h"
#include "checkers/checkers.h"
#include "checkers/meter_history.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t examples_at_most = 4;

std::string sum_text(const MeterHistory::Sum& sum, std::int64_t total) {
  return "op " + std::to_string(sum.index) + " (" + std::string(sum.group) + ") saw a total of " +
         std::to_string(sum.value) + ", and it is " + std::to_string(total);
}

}  // namespace

Verdict check_anomaly_meter(const History& history, const MeterOptions& options) {
  Verdict verdict;
  verdict.checker = "anomaly-meter";
  const auto refused = [&](std::string reason) {
    verdict.validity = Validity::unknown;
    verdict.reason = std::move(reason);
    return verdict;
  };
  auto log = read_cluster_log(history);
  if (!log) return refused(log.error());
  const auto meter = read_meter_history(history, *log);
  if (!meter) return refused(meter.error());
  verdict.operations_checked = meter->sums.size();
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t undecided = 0;
  const auto add = [&](std::vector<Anomaly>& to, const std::string& name, std::string text, std::int64_t operation) {
    if (++counts[name] <= examples_at_most) to.push_back({name, std::move(text), {operation}});
  };
  for (const MeterHistory::Sum& sum : meter->sums) {
    if (sum.value == options.total) continue;
    const std::string text = sum_text(sum, options.total);
    const MeterHistory::Transfer* const transfer = meter->straddled_by(sum);
    if (sum.final) {
      add(verdict.anomalies, "unexcused-fractured-read", text + ", though nothing was under way.", sum.index);
    } else if (options.whole_cases.contains(std::string(sum.group)) &&
               (transfer == nullptr || transfer->group == sum.group)) {
      add(verdict.anomalies, "unexcused-fractured-read", text + "; in this case all rows are seen by one snapshot.",
          sum.index);
    } else if (!sum.observed) {
      ++undecided;
      add(verdict.exposures, "fractured-read", text + ".", sum.index);
    } else if (transfer == nullptr) {
      add(verdict.anomalies, "unexcused-fractured-read",
          text + "; its snapshots were taken from " + time_text(sum.first_ns) + " to " + time_text(sum.last_ns) +
              ", and no transaction committed meanwhile.",
          sum.index);
    } else {
      add(verdict.exposures, "fractured-read",
          text + "; its snapshots were taken from " + time_text(sum.first_ns) + " to " + time_text(sum.last_ns) +
              ", and op " + std::to_string(transfer->index) + " committed from " + time_text(transfer->first_ns) +
              " to " + time_text(transfer->last_ns) + ".",
          sum.index);
    }
  }
  verdict.counts.assign(counts.begin(), counts.end());
  if (!verdict.anomalies.empty()) {
    verdict.validity = Validity::invalid;
  } else if (undecided > 0) {
    return refused("of " + std::to_string(undecided) + " fractured reads the history does not tell the snapshots");
  } else if (meter->sums.empty()) {
    return refused("the history has no sums");
  }
  return verdict;
}

}  // namespace polarsim::checkers
