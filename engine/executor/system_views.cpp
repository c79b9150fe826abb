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
  add_relation_views(views);
  add_constraint_views(views);
  add_type_views(views);
  add_server_views(views);
  add_convenience_views(views);
  add_information_schema_views(views);
  add_information_schema_constraints(views);
  add_wait_views(views);
  add_empty_views(views);
  std::sort(views.begin(), views.end(),
            [](const SystemView& a, const SystemView& b) { return a.relation->id < b.relation->id; });
  return views;
}

// By name, and by schema within one.
using Name = std::pair<std::string_view, std::string_view>;
std::vector<std::pair<Name, const SystemView*>> make_names() {
  std::vector<std::pair<Name, const SystemView*>> names;
  for (const SystemView& view : system_views()) names.push_back({{view.relation->name, view.relation->schema}, &view});
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return names;
}

void add_tableoid(query::Relation& relation) {
  if (relation.id >= first_view_of_catalog) return;
  query::RelationColumn column;
  column.name = "tableoid";
  column.type = TypeId::oid;
  column.dropped = true;
  relation.columns.push_back(std::move(column));
}

TypeId column_type(std::string_view name) {
  const TypeInfo* const info = find_type(name);
  POLARSIM_ASSERT(info != nullptr, "no such type");
  return info->id;
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
  add_tableoid(*relation);
  return {std::move(relation), rows};
}

SystemView make_view(std::uint32_t id, std::string schema, std::string name, std::string_view columns,
                     std::vector<Row> (*rows)(const SystemViewInputs& inputs)) {
  SystemView view = make_view(id, std::move(schema), std::move(name), ViewColumns{}, rows);
  auto relation = std::make_shared<query::Relation>(*view.relation);
  relation->columns.clear();
  while (!columns.empty()) {
    const std::string_view column = columns.substr(0, columns.find(','));
    columns.remove_prefix(std::min(columns.size(), column.size() + 2));
    const std::size_t blank = column.find(' ');
    query::RelationColumn made;
    made.name = column.substr(0, blank);
    made.type = column_type(column.substr(blank + 1));
    relation->columns.push_back(std::move(made));
  }
  add_tableoid(*relation);
  view.relation = std::move(relation);
  return view;
}

const std::vector<SystemView>& system_views() {
  static const std::vector<SystemView> views = make_views();
  return views;
}

const SystemView* find_system_view(std::string_view schema, std::string_view name) {
  static const auto names = make_names();
  const Name wanted{name, schema.empty() ? std::string_view(catalog::system_schema) : schema};
  const auto found =
      std::lower_bound(names.begin(), names.end(), wanted, [](const auto& a, const Name& b) { return a.first < b; });
  return found != names.end() && found->first == wanted ? found->second : nullptr;
}

const SystemView* find_system_view(std::uint32_t id) {
  const auto& views = system_views();
  const auto found = std::lower_bound(views.begin(), views.end(), id, [](const SystemView& view, std::uint32_t wanted) {
    return view.relation->id < wanted;
  });
  return found != views.end() && found->relation->id == id ? &*found : nullptr;
}

const SystemView& system_view(std::uint32_t id) {
  const SystemView* const found = find_system_view(id);
  POLARSIM_ASSERT(found != nullptr, "no such system view");
  return *found;
}

}  // namespace polarsim::engine::executor
