#include "engine/node/plan_cache.h"

#include <utility>

namespace polarsim::engine {

query::RelationPtr RecordingRelations::open(std::string_view schema, std::string_view name,
                                            syntax::TableLockMode lock) {
  query::RelationPtr relation = source_.open(schema, name, lock);
  if (relation != nullptr) opened_.push_back({std::string(schema), std::string(name), lock, relation});
  return relation;
}

StatementPlanPtr PlanCache::find(const syntax::StatementPtr& statement) {
  const auto found = by_statement_.find(statement.get());
  if (found == by_statement_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return *found->second;
}

void PlanCache::keep(StatementPlanPtr plan) {
  const syntax::Statement* const key = plan->statement.get();
  if (const auto found = by_statement_.find(key); found != by_statement_.end()) {
    *found->second = std::move(plan);
    return;
  }
  if (entries_.size() == capacity_) {
    by_statement_.erase(entries_.back()->statement.get());
    entries_.pop_back();
  }
  entries_.push_front(std::move(plan));
  by_statement_.emplace(key, entries_.begin());
}

void PlanCache::clear() {
  by_statement_.clear();
  entries_.clear();
}

}  // namespace polarsim::engine
