#include "engine/distribution/worker_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {

using query::ExpressionPtr;

namespace {

ExpressionPtr column_of_rows(std::size_t position, Type type) {
  return query::make_expression(query::Column{0, static_cast<int>(position) + 1, 0}, type);
}

}  // namespace

ExpressionPtr WorkerColumns::column(const ExpressionPtr& expression, const std::string& preferred) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (query::equal(targets_[i].expression, expression)) return column_of_rows(i, expression->type);
  }
  return new_column(expression, preferred);
}

ExpressionPtr WorkerColumns::new_column(const ExpressionPtr& expression, const std::string& preferred) {
  query::Target target;
  target.expression = expression;
  target.name = preferred.empty() ? fmt::format("worker_column_{}", targets_.size() + 1) : preferred;
  targets_.push_back(std::move(target));
  return column_of_rows(targets_.size() - 1, expression->type);
}

ExpressionPtr WorkerColumns::group(const ExpressionPtr& expression, const std::string& preferred) {
  ExpressionPtr made = column(expression, preferred);
  const int target = made->as<query::Column>()->column - 1;
  if (std::find(groups_.begin(), groups_.end(), target) == groups_.end()) groups_.push_back(target);
  return made;
}

void WorkerColumns::finish(query::Query& worker) const {
  worker.targets = targets_;
  worker.group_by = groups_;
  // Rows count even if nothing of them is wanted.
  if (!worker.targets.empty()) return;
  query::Target target;
  target.expression = query::make_expression(query::Constant{Value::integer(1)}, TypeId::int4);
  target.name = "worker_column_1";
  worker.targets.push_back(std::move(target));
}

query::RangeTableEntry WorkerColumns::entry() const {
  query::RangeTableEntry entry;
  entry.alias = "remote_scan";
  entry.alias_written = true;
  const auto is_taken = [&](const std::string& name) {
    return std::any_of(entry.columns.begin(), entry.columns.end(),
                       [&](const auto& column) { return column.name == name; });
  };
  for (const query::Target& target : targets_) {
    std::string name = target.name;
    for (int i = 1; is_taken(name); ++i) name = fmt::format("{}_{}", target.name, i);
    entry.columns.push_back({std::move(name), target.expression->type});
  }
  if (entry.columns.empty()) entry.columns.push_back({"worker_column_1", TypeId::int4});
  return entry;
}

}  // namespace polarsim::engine::distribution
