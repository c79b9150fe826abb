// Parsed statements by their text: a node parses each text once.
//
// Which entry is dropped depends only on the order of the calls. Errors are not kept: a bad text is parsed anew each
// time.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/sql/ast.h"
#include "sim/scheduler.h"

namespace polarsim::engine::sql {

class StatementCache {
 public:
  // Keeps the `capacity` texts used last; 0 keeps none. The scheduler must outlive the cache.
  StatementCache(sim::Scheduler& scheduler, std::size_t capacity) : scheduler_(scheduler), capacity_(capacity) {}
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  // As sql::parse, on the scheduler's stack when called by a task. Does not block. Throws what sql::parse throws.
  std::vector<StatementPtr> parse(std::string_view text);

  std::size_t size() const { return entries_.size(); }
  std::size_t hits() const { return hits_; }
  std::size_t misses() const { return misses_; }

 private:
  using Entry = std::pair<std::string, std::vector<StatementPtr>>;

  sim::Scheduler& scheduler_;
  std::size_t capacity_;
  std::list<Entry> entries_;                                        // the one used last comes first
  std::map<std::string_view, std::list<Entry>::iterator> by_text_;  // keys point into entries_
  std::size_t hits_ = 0;
  std::size_t misses_ = 0;
};

}  // namespace polarsim::engine::sql
