#include "checkers/branches.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace polarsim::checkers {

namespace {

// Operations by the :index of their invocation. In most histories that is its position.
class OperationNumbers {
 public:
  OperationNumbers(const History& history, const Operations& operations)
      : history_(history), at_(history.events.size(), no_vertex) {
    for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
      const auto position = static_cast<std::size_t>(operations.list[v].invoked);
      at_[position] = v;
      const std::int64_t index = history.events[position].index;
      if (index != operations.list[v].invoked) elsewhere_.emplace(index, v);
    }
  }
  std::uint32_t find(std::int64_t index) const {
    const auto position = static_cast<std::size_t>(index);
    if (position < at_.size() && history_.events[position].index == index) return at_[position];
    const auto found = elsewhere_.find(index);
    return found == elsewhere_.end() ? no_vertex : found->second;
  }

 private:
  const History& history_;
  std::vector<std::uint32_t> at_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> elsewhere_;
};

}  // namespace

Branches::Branches(const ClusterLog& log, const History& history, const Operations& operations)
    : first_(operations.list.size(), no_vertex) {
  if (log.branches.empty()) return;
  branches_.reserve(log.branches.size());
  next_.reserve(log.branches.size());
  const OperationNumbers numbers(history, operations);
  for (const ClusterLog::BranchEvent& event : log.branches) {
    const std::uint32_t v = numbers.find(event.operation);
    if (v == no_vertex) continue;
    std::uint32_t place = first_[v];
    while (place != no_vertex && branches_[place].node != event.node) place = next_[place];
    if (place == no_vertex) {
      place = static_cast<std::uint32_t>(branches_.size());
      branches_.push_back({v, event.node, {}, {}, {}});
      next_.push_back(first_[v]);
      first_[v] = place;
    }
    using Kind = ClusterLog::BranchEvent::Kind;
    Branch& branch = branches_[place];
    Moment& moment = event.kind == Kind::prepare  ? branch.prepare
                     : event.kind == Kind::commit ? branch.commit
                                                  : branch.abort;
    if (!moment) moment = event.moment;
    if (event.kind == Kind::prepare) prepared_.push_back({event.gid, v});
  }
}

const Branch* Branches::find(std::uint32_t operation, std::uint32_t node) const {
  for (std::uint32_t place = first_[operation]; place != no_vertex; place = next_[place]) {
    if (branches_[place].node == node) return &branches_[place];
  }
  return nullptr;
}

std::uint32_t Branches::prepared_as(std::string_view gid) const {
  const auto found =
      std::find_if(prepared_.begin(), prepared_.end(), [&](const auto& one) { return one.first == gid; });
  return found == prepared_.end() ? no_vertex : found->second;
}

std::string time_text(std::int64_t time_ns) {
  const std::int64_t microseconds = time_ns / 1000;
  std::string fraction = std::to_string(microseconds % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::to_string(microseconds / 1'000'000) + "." + fraction + " s";
}

}  // namespace polarsim::checkers
