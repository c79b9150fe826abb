// The statement cache of a node: its texts are parsed on the scheduler's stack (syntax/parser.h says why).
#pragma once

#include <cstddef>
#include <functional>

#include "engine/syntax/statement_cache.h"
#include "sim/scheduler.h"

namespace polarsim::engine {

// The scheduler must outlive the cache. Outside a task parsing just runs.
inline syntax::StatementCache make_statement_cache(sim::Scheduler& scheduler, std::size_t capacity) {
  return syntax::StatementCache(
      [&scheduler](const std::function<void()>& parse) { scheduler.on_scheduler_stack(parse); }, capacity);
}

}  // namespace polarsim::engine
