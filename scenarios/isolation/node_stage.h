// One node on one simulated host, new for each case. Deterministic: the same case gives the same answers.
//
// A statement that has not ended, and nothing else has, for `quiet` of virtual time counts as waiting. That is far more
// than a statement on the few rows of a case takes, and far less than a deadlock_timeout.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/config.h"
#include "scenarios/isolation/stage.h"
#include "sim/scheduler.h"

namespace polarsim::scenarios::isolation {

struct NodeStageOptions {
  engine::NodeConfig node;
  std::uint64_t seed = 1;
  sim::SchedulingPolicy policy = sim::SchedulingPolicy::fifo;
  sim::Duration quiet{20'000'000};
};

std::unique_ptr<Stage> make_node_stage(const NodeStageOptions& options = {});

}  // namespace polarsim::scenarios::isolation
