#include "engine/syntax/statement_cache.h"

#include "engine/syntax/parser.h"

namespace polarsim::engine::syntax {

std::vector<StatementPtr> StatementCache::parse(std::string_view text) {
  if (const auto known = by_text_.find(text); known != by_text_.end()) {
    ++hits_;
    entries_.splice(entries_.begin(), entries_, known->second);
    return known->second->second;
  }
  ++misses_;
  std::vector<StatementPtr> statements;
  run_deep_([&] { statements = syntax::parse(text); });
  if (capacity_ == 0) return statements;
  if (entries_.size() == capacity_) {
    by_text_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(std::string(text), statements);
  by_text_.emplace(entries_.front().first, entries_.begin());
  return statements;
}

}  // namespace polarsim::engine::syntax
