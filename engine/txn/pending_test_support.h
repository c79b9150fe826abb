// For tests: something that runs beside the caller, and may be left waiting.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "sim/host.h"

namespace polarsim::engine::txn::testing {

class Pending {
 public:
  Pending() = default;
  // Starts `body` as a task of the host, and gives it that long to finish or to get stuck.
  Pending(sim::Host& host, std::function<std::string()> body, sim::Duration head_start) : host_(&host) {
    task_ = host.spawn("pending", [outcome = outcome_, body = std::move(body)] { *outcome = body(); });
    host.scheduler().sleep_for(head_start);
  }
  bool done() const { return task_.finished(); }
  // Waits for the end. "cut off" if the task was cancelled.
  std::string outcome() const {
    host_->scheduler().join(task_);
    return *outcome_;
  }
  void cancel() const { host_->scheduler().cancel(task_); }

 private:
  sim::Host* host_ = nullptr;
  sim::TaskRef task_;
  std::shared_ptr<std::string> outcome_ = std::make_shared<std::string>("cut off");
};

}  // namespace polarsim::engine::txn::testing
