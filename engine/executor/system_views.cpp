#include "engine/executor/system_views.h"

#include <algorithm>
#include <utility>

#include "engine/executor/system_views_families.h"
#include "sim/assert.h"

namespace polarsim::engine::executor {

namespace {

std::vector<SystemView> make_views() {
  std::vector<SystemView> views;
  add_activity_views(views);
  std::sort(views.begin(), views.end(),
            [](const SystemView& a, const SystemView& b) { return a.relation->id < b.relation->id; });
  return views;
}

}  // namespace

SystemView make_view(std::uint32_t id, std::string schema, std::string name, const ViewColumns& columns,
                     std::vector<Row> (*rows)(const SystemViewInputs& inputs)) {
  auto relation = std::make_shared<query::Relation>();
  relation->id = id;
  relation->schema = std::move(schema);
  relation->name = std::move(name);
  relation->kind = query::Relation::Kind::system_view;
  relation->is_system = true;
  for (const auto& [column_name, type] : columns) {
    query::RelationColumn column;
    column.name = column_name;
    column.type = type;
    relation->columns.push_back(std::move(column));
  }
  return {std::move(relation), rows};
}

const std::vector<SystemView>& system_views() {
  static const std::vector<SystemView> views = make_views();
  return views;
}

const SystemView* find_system_view(std::string_view schema, std::string_view name) {
  const std::string_view wanted = schema.empty() ? std::string_view(catalog::system_schema) : schema;
  for (const SystemView& view : system_views()) {
    if (view.relation->name == name && view.relation->schema == wanted) return &view;
  }
  return nullptr;
}

const SystemView& system_view(std::uint32_t id) {
  const auto& views = system_views();
  const auto found = std::lower_bound(views.begin(), views.end(), id, [](const SystemView& view, std::uint32_t wanted) {
    return view.relation->id < wanted;
  });
  POLARSIM_ASSERT(found != views.end() && found->relation->id == id, "no such system view");
  return *found;
}

}  // namespace polarsim::engine::executor
