#include "checkers/meter_history.h"

#include <algorithm>
#include <charconv>

namespace polarsim::checkers {

namespace {

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

class MeterReader {
 public:
  MeterReader(const History& history, ClusterLog& log) : history_(history), log_(log) {}

  tl::expected<MeterHistory, std::string> run() {
    for (const History::Pair& pair : history_.pairs()) {
      const Event& invocation = history_.events[static_cast<std::size_t>(pair.invoke)];
      if (invocation.f == "transfer") groups_.emplace(invocation.index, unquoted(invocation.field("case")));
      if (invocation.f != "sum" || pair.completion < 0) continue;
      const std::string problem = add_sum(invocation, history_.events[static_cast<std::size_t>(pair.completion)]);
      if (!problem.empty()) return tl::unexpected(problem);
    }
    add_transfers();
    return std::move(meter_);
  }

 private:
  std::string add_sum(const Event& invocation, const Event& completion) {
    if (completion.type != EventType::ok) return {};
    MeterHistory::Sum sum;
    sum.index = completion.index;
    sum.group = unquoted(invocation.field("case"));
    sum.final = completion.field("final?") == "true" || invocation.field("final?") == "true";
    const auto* value = std::get_if<Opaque>(&completion.value);
    const std::string_view text = value == nullptr ? std::string_view() : std::string_view(value->edn);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sum.value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
      return "op " + std::to_string(completion.index) + ": sum: expected an integer, found " +
             (text.empty() ? std::string("none") : std::string(text.substr(0, 60)));
    }
    if (const auto read = read_snapshots(completion, log_, snapshots_); !read) return read.error();
    sum.observed = !snapshots_.empty();
    for (const SnapshotAt& snapshot : snapshots_) {
      sum.observed = sum.observed && static_cast<bool>(snapshot.moment);
      const std::int64_t at_ns = snapshot.moment.time_ns;
      if (sum.first_ns == 0 || at_ns < sum.first_ns) sum.first_ns = at_ns;
      sum.last_ns = std::max(sum.last_ns, at_ns);
    }
    meter_.sums.push_back(sum);
    return {};
  }

  void add_transfers() {
    boost::unordered_flat_map<std::int64_t, std::size_t> places;
    for (const ClusterLog::BranchEvent& event : log_.branches) {
      if (event.kind != ClusterLog::BranchEvent::Kind::commit) continue;
      const auto group = groups_.find(event.operation);
      if (group == groups_.end()) continue;
      const auto [place, added] = places.try_emplace(event.operation, meter_.transfers.size());
      if (added) meter_.transfers.push_back({event.operation, group->second, 0, event.moment.time_ns, 0});
      MeterHistory::Transfer& transfer = meter_.transfers[place->second];
      ++transfer.nodes;
      transfer.last_ns = event.moment.time_ns;
    }
  }

  const History& history_;
  ClusterLog& log_;
  MeterHistory meter_;
  boost::unordered_flat_map<std::int64_t, std::string_view> groups_;  // by :index of the invocation
  std::vector<SnapshotAt> snapshots_;
};

}  // namespace

const MeterHistory::Transfer* MeterHistory::straddled_by(const Sum& sum) const {
  const auto after =
      std::upper_bound(transfers.begin(), transfers.end(), sum.last_ns,
                       [](std::int64_t time_ns, const Transfer& transfer) { return time_ns < transfer.first_ns; });
  if (after == transfers.begin()) return nullptr;
  const Transfer& transfer = *(after - 1);
  return transfer.last_ns >= sum.first_ns ? &transfer : nullptr;
}

tl::expected<MeterHistory, std::string> read_meter_history(const History& history, ClusterLog& log) {
  return MeterReader(history, log).run();
}

}  // namespace polarsim::checkers
