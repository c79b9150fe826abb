#include "sim/swizzle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/assert.h"
#include "sim/network.h"

namespace polarsim::sim {
namespace {

struct Outage {
  Time from, to;
};

bool earlier(const SwizzleStep& a, const SwizzleStep& b) {
  return std::tie(a.at, a.kind, a.link) < std::tie(b.at, b.kind, b.link);
}

void spread(std::map<DirectedLink, Outage>& outages, const DirectedLink& link, const Outage& outage) {
  const auto [place, added] = outages.emplace(link, outage);
  if (added) return;
  place->second.from = std::min(place->second.from, outage.from);
  place->second.to = std::max(place->second.to, outage.to);
}

}  // namespace

std::vector<SwizzleStep> draw_swizzle(RandomStream& stream, std::vector<std::string> hosts,
                                      const SwizzleOptions& options) {
  POLARSIM_ASSERT(!hosts.empty(), "nobody to clog");
  const std::vector<std::string> all = hosts;
  stream.shuffle(hosts);
  const std::uint64_t count = 1 + stream.below(hosts.size());
  hosts.resize(static_cast<std::size_t>(count));
  std::map<DirectedLink, Outage> outages;
  for (const std::string& host : hosts) {
    const Duration clogs_after = stream.between(Duration(0), options.clogging);
    const Duration opens_after = stream.between(Duration(0), options.unclogging);
    const Time clogs = deadline_after(options.start, clogs_after);
    const Time opens = deadline_after(options.start, options.clogging + options.pause + opens_after);
    for (const std::string& other : all) {
      if (other == host) continue;
      spread(outages, {host, other}, {clogs, opens});
      spread(outages, {other, host}, {clogs, opens});
    }
  }
  std::vector<SwizzleStep> steps;
  steps.reserve(2 * outages.size());
  for (const auto& [link, outage] : outages) {
    steps.push_back({SwizzleStep::Kind::clog, outage.from, link});
    steps.push_back({SwizzleStep::Kind::unclog, outage.to, link});
  }
  std::sort(steps.begin(), steps.end(), earlier);
  return steps;
}

std::string text(const std::vector<SwizzleStep>& steps) {
  std::string result;
  for (const SwizzleStep& step : steps) {
    const std::int64_t at = nanoseconds(step.at);
    result += fmt::format("{}.{:09} {} {}\n", at / 1'000'000'000, at % 1'000'000'000,
                          step.kind == SwizzleStep::Kind::clog ? "clog" : "unclog", text(step.link));
  }
  return result;
}

Swizzle::Swizzle(Network& network, Scheduler& scheduler, std::vector<SwizzleStep> steps)
    : network_(network), scheduler_(scheduler), steps_(std::move(steps)) {
  std::sort(steps_.begin(), steps_.end(), earlier);
  ends_.resize(steps_.size(), never);
  std::map<DirectedLink, Time> next_unclog;
  for (std::size_t step = steps_.size(); step-- > 0;) {
    const auto end = next_unclog.find(steps_[step].link);
    if (end != next_unclog.end()) ends_[step] = end->second;
    if (steps_[step].kind == SwizzleStep::Kind::unclog) next_unclog[steps_[step].link] = steps_[step].at;
  }
  take_due_steps();
}

Swizzle::~Swizzle() { stop(); }

// The network ends a clog by itself, so that an unclog needs no deed of its own and cannot end what another fault has
// clogged for longer.
void Swizzle::take_due_steps() {
  timer_ = 0;
  while (next_ < steps_.size() && steps_[next_].at <= scheduler_.now()) {
    const SwizzleStep& step = steps_[next_];
    if (step.kind == SwizzleStep::Kind::clog) network_.clog(step.link.from, step.link.to, ends_[next_]);
    ++next_;
  }
  if (next_ == steps_.size()) return;
  timer_ = scheduler_.call_at(steps_[next_].at, [this] { take_due_steps(); });
}

void Swizzle::stop() {
  if (timer_ != 0) scheduler_.cancel_timer(timer_);
  timer_ = 0;
  for (std::size_t taken = 0; taken < next_; ++taken) {
    const DirectedLink& link = steps_[taken].link;
    if (steps_[taken].kind != SwizzleStep::Kind::clog || ends_[taken] <= scheduler_.now()) continue;
    if (network_.clogged_until(link.from, link.to) == ends_[taken]) network_.unclog(link.from, link.to);
  }
  next_ = steps_.size();
}

}  // namespace polarsim::sim
