// Named places where a fault may strike, and named states worth visiting.
//
// A program under test calls host.fault_point("wal/flush") where an error could happen and host.reached("2pc/prepared")
// where a state is worth counting. Nothing happens unless a schedule has armed the point. Names are "area/event", lower
// case, and are declared by use: the registry counts every name it has seen.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/time.h"

namespace polarsim::sim {

class Host;

enum class FaultOutcome : std::uint8_t {
  none,
  fail,  // the caller must behave as if the operation had failed
};

// What an armed point does when its turn comes.
struct FaultAction {
  enum class Kind : std::uint8_t { crash, fail, delay, pause } kind = Kind::crash;
  Duration delay{0};          // for delay: how long the caller sleeps; for pause: how long the host is paused; 0:
                              // until someone resumes it
  Duration restart_after{0};  // for crash: when the host boots again; 0: someone else will
};

class FaultPoints {
 public:
  // Arms `point` on `host` ("" for any host): the `occurrence`-th visit from now (1 is the next) takes the action,
  // once. If several actions fall on the same visit, the one armed first is taken and each other waits for the next
  // visit.
  void arm(std::string point, std::string host, std::uint64_t occurrence, FaultAction action);
  void disarm_all();
  // Called through Host::fault_point. Counts the visit and returns the action to take, if any.
  std::optional<FaultAction> visit(std::string_view point, std::string_view host);

  struct Armed {
    std::string point, host;
    std::uint64_t remaining;  // 1: the next visit
    FaultAction action;
  };
  // What has not been taken yet, in order of arming.
  const std::vector<Armed>& armed() const { return armed_; }

  // Visits by name, over all hosts, since the start of the run.
  std::map<std::string, std::uint64_t, std::less<>> visits() const;
  // The same by host, for one point; a point that was not visited has none.
  const std::map<std::string, std::uint64_t, std::less<>>& visits_by_host(std::string_view point) const;
  std::uint64_t taken() const { return taken_; }

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  std::vector<Armed> armed_;
  std::map<std::string, Counts, std::less<>> visits_;  // by point and host
  std::uint64_t taken_ = 0;
};

class Probes {
 public:
  void reached(std::string_view name) { ++counts_[std::string(name)]; }
  const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace polarsim::sim
