#include "engine/commands/dependencies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace polarsim::engine::commands {

namespace {

constexpr const char* dependent_objects_still_exist = "2BP01";

bool uses(const catalog::ViewProperties& view, RelationId id) {
  return std::find(view.uses.begin(), view.uses.end(), id) != view.uses.end();
}

}  // namespace

std::string Removal::described(const Relation& relation) const {
  return fmt::format("{} {}", catalog::to_string(relation.description->kind),
                     shown_name(context_, *relation.description));
}

void Removal::lock(const Relation& relation) {
  if (relation.description->kind == RelationKind::schema) return;
  context_.database.locks().acquire(context_.backend(), context_.transaction.level().locks,
                                    txn::LockTag::of_relation(relation.id), LockMode::access_exclusive);
}

void Removal::add(const Relation& relation) {
  named_.insert(relation.id);
  collect(relation, true);
}

void Removal::add_view(const Relation& view, const std::string& on) {
  if (doomed_ids_.contains(view.id)) return;
  dependents_.push_back({view.id, described(view), on});
  collect(view, false);
}

void Removal::add_foreign_key(const Relation& table, const catalog::ForeignKey& key, const std::string& on) {
  if (doomed_ids_.contains(table.id) || !foreign_keys_.insert({table.id, key.name}).second) return;
  lock(table);
  dependents_.push_back(
      {table.id, fmt::format("constraint {} on table {}", key.name, shown_name(context_, *table.description)), on});
}

void Removal::collect(const Relation& relation, bool named) {
  if (!doomed_ids_.insert(relation.id).second) return;
  lock(relation);
  doomed_.push_back(relation);
  lock_referenced(context_, relation.id, relation.description->foreign_keys);
  const std::string on = described(relation);
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    const Definition& definition = *other.description;
    if (relation.description->kind == RelationKind::schema) {
      // An index goes with its table, an owned sequence with its column.
      const bool by_itself = definition.kind != RelationKind::index && definition.sequence.owner == 0;
      if (definition.schema != relation.description->name || !by_itself || doomed_ids_.contains(other.id)) continue;
      dependents_.push_back({other.id, described(other), on});
      collect(other, false);
      continue;
    }
    if (definition.kind == RelationKind::view && uses(definition.view, relation.id)) add_view(other, on);
    if (definition.kind == RelationKind::sequence && definition.sequence.owner == relation.id) collect(other, named);
    for (const catalog::ForeignKey& key : definition.foreign_keys) {
      if (key.referenced == relation.id && other.id != relation.id && !named_.contains(other.id))
        add_foreign_key(other, key, on);
    }
  }
}

void Removal::add_dependents_of_column(const Relation& table, int column) {
  const std::string& name = table.description->columns[static_cast<std::size_t>(column - 1)].name;
  const std::string on = fmt::format("column {} of {}", name, described(table));
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    const Definition& definition = *other.description;
    if (definition.kind == RelationKind::view && definition.view.uses_column(table.id, column)) add_view(other, on);
    if (definition.kind == RelationKind::sequence && definition.sequence.owner == table.id &&
        definition.sequence.owner_column == column) {
      named_.insert(other.id);
      collect(other, true);
    }
    for (const catalog::ForeignKey& key : definition.foreign_keys) {
      const auto& to = key.referenced_columns;
      if (key.referenced == table.id && other.id != table.id && std::find(to.begin(), to.end(), column) != to.end())
        add_foreign_key(other, key, on);
    }
  }
}

void Removal::add_dependents_of_key(const Relation& table, const Definition& index) {
  std::vector<int> columns;
  for (const auto& key : index.index.keys) columns.push_back(key.column);
  std::sort(columns.begin(), columns.end());
  const std::string on = fmt::format("index {}", shown_name(context_, index));
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    for (const catalog::ForeignKey& key : other.description->foreign_keys) {
      std::vector<int> to = key.referenced_columns;
      std::sort(to.begin(), to.end());
      if (key.referenced == table.id && to == columns) add_foreign_key(other, key, on);
    }
  }
}

void Removal::report(bool cascade, const std::string& what) const {
  std::vector<std::string> lines;
  for (const Dependent& dependent : dependents_) {
    // What the statement names, too, is no surprise.
    if (named_.contains(dependent.relation)) continue;
    lines.push_back(cascade ? "drop cascades to " + dependent.what
                            : fmt::format("{} depends on {}", dependent.what, dependent.on));
  }
  if (lines.empty()) return;
  const std::string all = fmt::format("{}", fmt::join(lines, "\n"));
  if (!cascade) {
    throw SqlError(dependent_objects_still_exist,
                   fmt::format("cannot drop {} because other objects depend on it", what), all,
                   "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (lines.size() == 1) return context_.notice(all);
  context_.notice(fmt::format("drop cascades to {} other objects", lines.size()), all);
}

void Removal::run(bool cascade, const std::string& what) {
  report(cascade, doomed_.size() > 1 && named_.size() > 1 ? "desired object(s)" : what);
  for (const auto& [table, name] : foreign_keys_) {
    if (doomed_ids_.contains(table)) continue;
    Definition changed = *context_.catalog().find(&context_.transaction, table)->description;
    std::erase_if(changed.foreign_keys,
                  [&, key_name = name](const catalog::ForeignKey& key) { return key.name == key_name; });
    context_.catalog().alter(context_.transaction, table, std::move(changed));
  }
  // What depends goes before what it depends on; indexes go with their tables.
  for (auto relation = doomed_.rbegin(); relation != doomed_.rend(); ++relation)
    context_.catalog().drop(context_.transaction, relation->id);
}

}  // namespace polarsim::engine::commands
