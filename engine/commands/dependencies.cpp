#include "engine/commands/dependencies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "engine/catalog/describe.h"

namespace polarsim::engine::commands {

namespace {

constexpr const char* dependent_objects_still_exist = "2BP01";

// After the defaults, of which there are no more than columns.
constexpr std::size_t check_part = std::size_t{1} << 32;
constexpr std::size_t foreign_key_part = std::size_t{2} << 32;

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

// What is made with a table gets its number before the table does.
Removal::Age Removal::age_of(const Relation& table, RelationId part_id, std::size_t part) {
  return {std::max(table.id, part_id), part_id < table.id ? part + part_id : 0};
}

void Removal::add(const Relation& relation) {
  named_.insert(relation.id);
  collect(relation);
}

void Removal::collect_dependent(const Relation& relation, const std::string& on) {
  if (doomed_ids_.contains(relation.id)) return;
  collect(relation);
  dependents_.push_back({relation.id, described(relation), on, false});
}

Removal::Child Removal::foreign_key(const Relation& table, const catalog::ForeignKey& key, const std::string& on) {
  return {age_of(table, key.id, foreign_key_part), [this, table, name = key.name, on] {
            if (doomed_ids_.contains(table.id) || !foreign_keys_.insert({table.id, name}).second) return;
            add_part(table, fmt::format("constraint {} on table {}", name, shown_name(context_, *table.description)),
                     on);
          }};
}

void Removal::add_part(const Relation& table, std::string what, const std::string& on) {
  lock(table);
  dependents_.push_back({table.id, std::move(what), on, true});
}

void Removal::add_expressions(const Relation& table, RelationId named, const std::string& on, Children& children) {
  const Definition& definition = *table.description;
  const std::string name = shown_name(context_, definition);
  for (std::size_t i = 0; i < definition.columns.size(); ++i) {
    const catalog::Column& column = definition.columns[i];
    const std::pair<RelationId, int> place{table.id, static_cast<int>(i) + 1};
    if (columns_.contains(place) || !catalog::named_relations(column.default_text).contains(named)) continue;
    // A default has no number of its own; it came with its table, or later.
    children.emplace(
        Age{table.id, i + 1},
        [this, table, place, on, what = fmt::format("default value for column {} of table {}", column.name, name)] {
          if (!doomed_ids_.contains(table.id) && defaults_.insert(place).second) add_part(table, what, on);
        });
  }
  for (const catalog::Check& check : definition.checks) {
    if (!catalog::named_relations(check.condition).contains(named)) continue;
    children.emplace(
        age_of(table, check.id, check_part),
        [this, table, on, check_name = check.name, what = fmt::format("constraint {} on table {}", check.name, name)] {
          if (!doomed_ids_.contains(table.id) && checks_.insert({table.id, check_name}).second)
            add_part(table, what, on);
        });
  }
}

void Removal::collect(const Relation& relation) {
  if (!doomed_ids_.insert(relation.id).second) return;
  lock(relation);
  lock_referenced(context_, relation.id, relation.description->foreign_keys);
  const std::string on = described(relation);
  Children children;
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    const Definition& definition = *other.description;
    if (relation.description->kind == RelationKind::schema) {
      // An index goes with its table, an owned sequence with its column.
      const bool by_itself = definition.kind != RelationKind::index && definition.sequence.owner == 0;
      if (definition.schema == relation.description->name && by_itself)
        children.emplace(Age{other.id, 0}, [this, other, on] { collect_dependent(other, on); });
      continue;
    }
    if (definition.kind == RelationKind::table) add_expressions(other, relation.id, on, children);
    if (definition.kind == RelationKind::view && uses(definition.view, relation.id))
      children.emplace(Age{other.id, 0}, [this, other, on] { collect_dependent(other, on); });
    if (definition.kind == RelationKind::sequence && definition.sequence.owner == relation.id)
      children.emplace(Age{other.id, 0}, [this, other] { collect(other); });
    for (const catalog::ForeignKey& key : definition.foreign_keys) {
      if (key.referenced == relation.id && other.id != relation.id && !named_.contains(other.id))
        children.insert(foreign_key(other, key, on));
    }
  }
  for (const auto& [id, visit] : children) visit();
  doomed_.push_back(relation);
}

void Removal::add_dependents_of_column(const Relation& table, int column, const std::vector<int>& made_of_it) {
  const std::string& name = table.description->columns[static_cast<std::size_t>(column - 1)].name;
  const std::string on = fmt::format("column {} of {}", name, described(table));
  columns_.insert({table.id, column});
  Children children;
  for (const int made : made_of_it) {
    const std::string& made_name = table.description->columns[static_cast<std::size_t>(made - 1)].name;
    children.emplace(Age{table.id, static_cast<std::size_t>(made)},
                     [this, table, made, on, what = fmt::format("column {} of {}", made_name, described(table))] {
                       add_dependents_of_column(table, made);
                       dependents_.push_back({table.id, what, on, true});
                     });
  }
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    const Definition& definition = *other.description;
    if (definition.kind == RelationKind::view && definition.view.uses_column(table.id, column))
      children.emplace(Age{other.id, 0}, [this, other, on] { collect_dependent(other, on); });
    if (definition.kind == RelationKind::sequence && definition.sequence.owner == table.id &&
        definition.sequence.owner_column == column) {
      named_.insert(other.id);
      children.emplace(Age{other.id, 0}, [this, other] { collect(other); });
    }
    for (const catalog::ForeignKey& key : definition.foreign_keys) {
      const auto& to = key.referenced_columns;
      if (key.referenced == table.id && other.id != table.id && std::find(to.begin(), to.end(), column) != to.end())
        children.insert(foreign_key(other, key, on));
    }
  }
  for (const auto& [id, visit] : children) visit();
}

void Removal::add_dependents_of_key(const Relation& table, RelationId index) {
  const auto columns_of = [](const Definition& definition) {
    std::vector<int> columns;
    for (const auto& key : definition.index.keys) columns.push_back(key.column);
    std::sort(columns.begin(), columns.end());
    return columns;
  };
  const catalog::TablePtr owner = context_.catalog().find_table(&context_.transaction, table.id);
  const auto found = std::find_if(owner->indexes.begin(), owner->indexes.end(),
                                  [index](const catalog::Index& each) { return each.id == index; });
  if (found == owner->indexes.end()) return;
  const Definition& key_index = *found->description;
  const std::vector<int> columns = columns_of(key_index);
  // Of several keys of the same columns, foreign keys lead to the one that was first.
  const bool leads_here =
      key_index.index.unique && key_index.index.predicate.empty() &&
      std::none_of(owner->indexes.begin(), owner->indexes.end(), [&](const catalog::Index& each) {
        const catalog::IndexProperties& other = each.description->index;
        return each.id < index && other.unique && other.predicate.empty() && columns_of(*each.description) == columns;
      });
  const std::string name = shown_name(context_, key_index);
  const std::string table_name = shown_name(context_, *table.description);
  Children children;
  for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
    if (other.description->kind == RelationKind::view && uses(other.description->view, index)) {
      const std::string on = fmt::format("constraint {} on table {}", key_index.name, table_name);
      children.emplace(Age{other.id, 0}, [this, other, on] { collect_dependent(other, on); });
    }
    if (!leads_here) continue;
    for (const catalog::ForeignKey& key : other.description->foreign_keys) {
      std::vector<int> to = key.referenced_columns;
      std::sort(to.begin(), to.end());
      if (key.referenced == table.id && to == columns) children.insert(foreign_key(other, key, "index " + name));
    }
  }
  for (const auto& [id, visit] : children) visit();
}

void Removal::report(bool cascade, const std::string& what) const {
  std::vector<std::string> lines;
  for (auto each = dependents_.rbegin(); each != dependents_.rend(); ++each) {
    const Dependent& dependent = *each;
    // What the statement names, too, is no surprise; nor is what a table takes along.
    if (named_.contains(dependent.relation)) continue;
    if (dependent.is_part && doomed_ids_.contains(dependent.relation)) continue;
    lines.push_back(cascade ? "drop cascades to " + dependent.what
                            : fmt::format("{} depends on {}", dependent.what, dependent.on));
  }
  if (lines.empty()) return;
  constexpr std::size_t most_told = 100;
  const std::size_t told = std::min(lines.size(), most_told);
  std::string all =
      fmt::format("{}", fmt::join(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(told), "\n"));
  if (const std::size_t others = lines.size() - told; others > 0)
    all += fmt::format("\nand {} other object{} (see server log for list)", others, others == 1 ? "" : "s");
  if (!cascade) {
    throw SqlError(dependent_objects_still_exist,
                   what.empty() ? "cannot drop desired object(s) because other objects depend on them"
                                : fmt::format("cannot drop {} because other objects depend on it", what),
                   all, "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (lines.size() == 1) return context_.notice(all);
  context_.notice(fmt::format("drop cascades to {} other objects", lines.size()), all);
}

void Removal::take_parts_off() const {
  const auto change = [this](RelationId table, const auto& what) {
    if (doomed_ids_.contains(table)) return;
    Definition changed = *context_.catalog().find(&context_.transaction, table)->description;
    what(changed);
    context_.catalog().alter(context_.transaction, table, std::move(changed));
  };
  for (const auto& [table, name] : foreign_keys_) {
    change(table, [&key_name = name](Definition& changed) {
      std::erase_if(changed.foreign_keys, [&](const catalog::ForeignKey& key) { return key.name == key_name; });
    });
  }
  for (const auto& [table, name] : checks_) {
    change(table, [&check_name = name](Definition& changed) {
      std::erase_if(changed.checks, [&](const catalog::Check& check) { return check.name == check_name; });
    });
  }
  for (const auto& [table, column] : defaults_) {
    change(table, [number = column](Definition& changed) {
      changed.columns[static_cast<std::size_t>(number - 1)].default_text.clear();
    });
  }
}

void Removal::run(bool cascade, const std::string& what) {
  report(cascade, what);
  take_parts_off();
  // Indexes go with their tables.
  for (const Relation& relation : doomed_) context_.catalog().drop(context_.transaction, relation.id);
}

}  // namespace polarsim::engine::commands
