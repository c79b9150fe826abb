#include "engine/query/column_origins.h"

namespace polarsim::engine::query {

namespace {

// A query and those around it, inwards from the outermost one.
using Levels = std::vector<const Query*>;

const std::vector<Target>& outputs_of(const Query& query) {
  return query.command == Command::select ? query.targets : query.returning;
}

// Of the output of this number, from 1; null if there is none.
const Expression* output(const Query& query, int number) {
  for (const Target& target : outputs_of(query)) {
    if (!target.hidden && --number == 0) return target.expression.get();
  }
  return nullptr;
}

ColumnOrigin of_relation(const RelationPtr& relation, int number) {
  return {relation->id, static_cast<std::int16_t>(number)};
}

// Goes down from subquery to subquery, with one column at each: there may be a thousand of them, one inside the other.
ColumnOrigin origin_of(const Expression* expression, Levels levels) {
  for (;;) {
    // What several queries give together is of none of them.
    if (expression == nullptr || levels.back()->set_operation != nullptr) return {};
    const auto* column = expression->as<Column>();
    if (column == nullptr) return {};
    levels.resize(levels.size() - static_cast<std::size_t>(column->levels_up));
    const RangeTableEntry& entry = levels.back()->entries[static_cast<std::size_t>(column->entry)];
    if (const auto* table = std::get_if<TableSource>(&entry.source))
      return of_relation(table->relation, column->column);
    if (const auto* view = std::get_if<SystemViewSource>(&entry.source))
      return of_relation(view->relation, column->column);
    if (const auto* subquery = std::get_if<SubquerySource>(&entry.source)) {
      if (subquery->view != nullptr) return of_relation(subquery->view, column->column);
      levels.push_back(subquery->query.get());
    } else if (const auto* common = std::get_if<CommonTableSource>(&entry.source)) {
      if (common->recursive_reference) return {};
      levels.resize(levels.size() - static_cast<std::size_t>(common->levels_up));
      levels.push_back(levels.back()->common_tables[static_cast<std::size_t>(common->table)].query.get());
    } else {
      return {};
    }
    expression = output(*levels.back(), column->column);
  }
}

}  // namespace

std::vector<ColumnOrigin> column_origins(const Query& query) {
  std::vector<ColumnOrigin> origins;
  for (const Target& target : outputs_of(query)) {
    if (!target.hidden) origins.push_back(origin_of(target.expression.get(), {&query}));
  }
  return origins;
}

}  // namespace polarsim::engine::query
