#include "checkers/branches.h"

namespace polarsim::checkers {

Branches::Branches(const ClusterLog& log, const History& history, const Operations& operations)
    : first_(operations.list.size(), no_vertex) {
  if (log.branches.empty()) return;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> numbers;
  numbers.reserve(operations.list.size());
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    numbers.emplace(history.events[static_cast<std::size_t>(operations.list[v].invoked)].index, v);
  }
  for (const ClusterLog::BranchEvent& event : log.branches) {
    const auto number = numbers.find(event.operation);
    if (number == numbers.end()) continue;
    const std::uint32_t v = number->second;
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
    if (!event.gid.empty()) gids_.emplace(event.gid, v);
  }
}

const Branch* Branches::find(std::uint32_t operation, std::uint32_t node) const {
  for (std::uint32_t place = first_[operation]; place != no_vertex; place = next_[place]) {
    if (branches_[place].node == node) return &branches_[place];
  }
  return nullptr;
}

std::uint32_t Branches::prepared_as(std::string_view gid) const {
  const auto found = gids_.find(gid);
  return found == gids_.end() ? no_vertex : found->second;
}

std::string time_text(std::int64_t time_ns) {
  const std::int64_t microseconds = time_ns / 1000;
  std::string fraction = std::to_string(microseconds % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::to_string(microseconds / 1'000'000) + "." + fraction + " s";
}

}  // namespace polarsim::checkers
