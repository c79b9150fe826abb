// Parsed statements by their text: a node parses each text once.
//
// Which entry is dropped depends only on the order of the calls. Errors are not kept: a bad text is parsed anew each
// time.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/syntax/ast.h"

namespace polarsim::engine::syntax {

class StatementCache {
 public:
  // Calls its argument on a deep stack, and throws on what that throws.
  using RunDeep = std::function<void(const std::function<void()>&)>;

  // Keeps the `capacity` texts used last; 0 keeps none.
  StatementCache(RunDeep run_deep, std::size_t capacity) : run_deep_(std::move(run_deep)), capacity_(capacity) {}
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  // As syntax::parse, on the deep stack. Does not block. Throws what syntax::parse throws.
  std::vector<StatementPtr> parse(std::string_view text);

  std::size_t size() const { return entries_.size(); }
  std::size_t hits() const { return hits_; }
  std::size_t misses() const { return misses_; }

 private:
  using Entry = std::pair<std::string, std::vector<StatementPtr>>;

  RunDeep run_deep_;
  std::size_t capacity_;
  std::list<Entry> entries_;  // the one used last comes first
  // Keys point into entries_. Only ever looked up: its order is nobody's business.
  boost::unordered_flat_map<std::string_view, std::list<Entry>::iterator> by_text_;
  std::size_t hits_ = 0;
  std::size_t misses_ = 0;
};

}  // namespace polarsim::engine::syntax
