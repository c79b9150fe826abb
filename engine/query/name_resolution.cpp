#include <fmt/format.h>

#include "engine/query/expression_walk.h"
#include "engine/query/named_relation.h"
#include "engine/query/record_fields.h"
#include "engine/query/scope.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

// Whether the entry's rows lie in a table and have system columns.
const Relation* table_of(const RangeTableEntry& entry) {
  if (const auto* table = std::get_if<TableSource>(&entry.source)) return table->relation.get();
  return nullptr;
}

void check_lateral(const NamespaceItem& item, const Query& query, int position) {
  if (!item.lateral_only || item.lateral_ok) return;
  ErrorFields error{sqlstate::invalid_column_reference,
                    fmt::format("invalid reference to FROM-clause entry for table \"{}\"",
                                item.name.empty() ? "unnamed_join" : item.name),
                    "",
                    "",
                    "",
                    position};
  if (item.entry == query.result_entry) {
    error.hint = fmt::format(
        "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.", item.name);
  } else {
    error.detail = "The combining JOIN type must be INNER or LEFT for a LATERAL reference.";
  }
  throw SqlError(std::move(error));
}

// Tables of the catalog that are computed have it as their last column, marked as dropped; 0: there is none.
int hidden_tableoid(const RangeTableEntry& entry) {
  const auto* view = std::get_if<SystemViewSource>(&entry.source);
  if (view == nullptr || view->relation->columns.empty()) return 0;
  const RelationColumn& last = view->relation->columns.back();
  return last.dropped && last.name == "tableoid" ? static_cast<int>(view->relation->columns.size()) : 0;
}

void check_system_column(Clause clause, std::string_view name, int number, int position) {
  if (clause == Clause::check_constraint && number != system_column_tableoid) {
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("system column \"{}\" reference in check constraint is invalid", name))
        .at(position);
  }
  if (clause == Clause::generated_column && number != system_column_tableoid) {
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("cannot use system column \"{}\" in column generation expression", name))
        .at(position);
  }
  if (clause == Clause::copy_where) {
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("system column \"{}\" reference in COPY FROM WHERE condition is invalid", name))
        .at(position);
  }
}

[[noreturn]] void throw_ambiguous(std::string_view name, int position) {
  throw SqlError(sqlstate::ambiguous_column, fmt::format("column reference \"{}\" is ambiguous", name)).at(position);
}

}  // namespace

QueryScope& QueryScope::around(int levels_up) {
  QueryScope* scope = this;
  for (int i = 0; i < levels_up; ++i) scope = scope->parent_;
  return *scope;
}

NamespaceItem& QueryScope::add_item(int entry, bool columns_visible) {
  NamespaceItem& item = names.emplace_back();
  item.entry = entry;
  item.name = query.entries[static_cast<std::size_t>(entry)].alias;
  item.columns_visible = columns_visible;
  return item;
}

int QueryScope::find_in_item(const NamespaceItem& item, std::string_view column, int position) {
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(item.entry)];
  const std::size_t count = item.columns < 0 ? entry.columns.size() : static_cast<std::size_t>(item.columns);
  int found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (entry.columns[i].name != column || column.empty()) continue;
    if (found != 0) throw_ambiguous(column, position);
    found = static_cast<int>(i) + 1;
  }
  if (found == 0 && column == "tableoid") found = hidden_tableoid(entry);
  if (found != 0 || table_of(entry) == nullptr || item.entry == excluded_entry) return found;
  const SystemColumn* system = find_system_column(column);
  if (system == nullptr) return 0;
  check_system_column(clause, column, system->number, position);
  return system->number;
}

std::optional<FoundColumn> QueryScope::find_column(std::string_view name, int position, bool this_level_only) {
  int levels_up = 0;
  for (QueryScope* scope = this; scope != nullptr; scope = scope->parent_, ++levels_up) {
    std::optional<FoundColumn> found;
    for (const NamespaceItem& item : scope->names) {
      if (!item.columns_visible || (item.lateral_only && !scope->lateral_active)) continue;
      const int column = scope->find_in_item(item, name, position);
      if (column == 0) continue;
      if (found) throw_ambiguous(name, position);
      check_lateral(item, scope->query, position);
      found = FoundColumn{&item, column, levels_up};
    }
    if (found || this_level_only) return found;
  }
  return std::nullopt;
}

NamespaceItem* QueryScope::find_item(std::string_view schema, std::string_view name, int position, int* levels_up) {
  int levels = 0;
  for (QueryScope* scope = this; scope != nullptr; scope = scope->parent_, ++levels) {
    NamespaceItem* found = nullptr;
    for (NamespaceItem& item : scope->names) {
      if (!item.table_visible || (item.lateral_only && !scope->lateral_active)) continue;
      if (schema.empty()) {
        if (item.name != name) continue;
      } else {
        const RangeTableEntry& entry = scope->query.entries[static_cast<std::size_t>(item.entry)];
        const Relation* relation = named_relation(entry);
        if (relation == nullptr || entry.alias_written || relation->name != name || relation->schema != schema)
          continue;
      }
      if (found != nullptr) {
        throw SqlError("42P09", fmt::format("table reference \"{}\" is ambiguous", name)).at(position);
      }
      check_lateral(item, scope->query, position);
      found = &item;
    }
    if (found != nullptr) {
      if (levels_up != nullptr) *levels_up = levels;
      return found;
    }
    if (levels_up == nullptr) break;
  }
  return nullptr;
}

ExpressionPtr QueryScope::make_column(const FoundColumn& found, int position) {
  const QueryScope& owner = around(found.levels_up);
  Column column{found.item->entry, found.column, found.levels_up};
  if (found.column > 0 && found.item->references != nullptr) {
    const Column& reference = found.item->references->at(static_cast<std::size_t>(found.column) - 1);
    column.entry = reference.entry;
    column.column = reference.column;
  }
  if (column.column < 0) return make_expression(column, system_column(column.column).type, position);
  const auto& columns = owner.query.entries[static_cast<std::size_t>(column.entry)].columns;
  return make_expression(column, columns[static_cast<std::size_t>(column.column) - 1].type, position);
}

ExpressionPtr QueryScope::make_whole_row(const NamespaceItem& item, int levels_up, int position) {
  const QueryScope& owner = around(levels_up);
  const RangeTableEntry& entry = owner.query.entries[static_cast<std::size_t>(item.entry)];
  // A function that gives one value of a plain type is that value, as PostgreSQL's scalar functions in FROM are.
  if (const auto* function = std::get_if<FunctionSource>(&entry.source);
      function != nullptr && entry.columns.size() == 1 && function->functions.size() == 1 &&
      function->functions[0].call->type.id != TypeId::record) {
    return make_expression(Column{item.entry, 1, levels_up}, entry.columns[0].type, position);
  }
  if (item.columns >= 0) {
    RowConstructor row;
    for (int i = 0; i < item.columns; ++i) {
      row.fields.push_back(make_column(FoundColumn{&item, i + 1, levels_up}, position));
      row.names.push_back(entry.columns[static_cast<std::size_t>(i)].name);
    }
    return make_expression(std::move(row), TypeId::record, position);
  }
  return make_expression(Column{item.entry, Column::whole_row, levels_up}, TypeId::record, position);
}

void QueryScope::expand_item(const NamespaceItem& item, int levels_up, int position, std::vector<Target>& targets) {
  const RangeTableEntry& entry = around(levels_up).query.entries[static_cast<std::size_t>(item.entry)];
  const std::size_t count = item.columns < 0 ? entry.columns.size() : static_cast<std::size_t>(item.columns);
  for (std::size_t i = 0; i < count; ++i) {
    if (entry.columns[i].name.empty()) continue;
    Target& target = targets.emplace_back();
    target.expression = make_column(FoundColumn{&item, static_cast<int>(i) + 1, levels_up}, position);
    target.name = entry.columns[i].name;
  }
}

std::vector<Target> QueryScope::expand_star(const syntax::Expression& reference) {
  std::vector<Target> targets;
  const std::vector<std::string>& path = reference.path;
  if (path.empty()) {
    bool any = false;
    for (const NamespaceItem& item : names) {
      if (!item.columns_visible) continue;
      if (item.lateral_only) continue;
      any = true;
      expand_item(item, 0, reference.position, targets);
    }
    if (!any) {
      throw SqlError(sqlstate::syntax_error, "SELECT * with no tables specified is not valid").at(reference.position);
    }
    return targets;
  }
  if (path.size() > 3) {
    std::string name = fmt::format("{}", fmt::join(path, "."));
    throw SqlError(sqlstate::syntax_error, fmt::format("improper qualified name (too many dotted names): {}.*", name))
        .at(reference.position);
  }
  if (path.size() == 3) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("cross-database references are not implemented: {}.*", fmt::join(path, ".")))
        .at(reference.position);
  }
  const std::string_view schema = path.size() == 2 ? std::string_view(path[0]) : std::string_view();
  int levels_up = 0;
  const NamespaceItem* item = find_item(schema, path.back(), reference.position, &levels_up);
  if (item == nullptr) throw_missing_table(schema, path.back(), reference.position);
  expand_item(*item, levels_up, reference.position, targets);
  return targets;
}

void QueryScope::check_conflicts(std::span<const NamespaceItem> left, std::span<const NamespaceItem> right) const {
  const auto bare_table = [&](const NamespaceItem& item) -> const Relation* {
    const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(item.entry)];
    return entry.alias_written ? nullptr : named_relation(entry);
  };
  for (const NamespaceItem& later : right) {
    if (!later.table_visible) continue;
    for (const NamespaceItem& earlier : left) {
      if (!earlier.table_visible || earlier.name != later.name) continue;
      // Tables of different schemas may have one name.
      const Relation* a = bare_table(earlier);
      const Relation* b = bare_table(later);
      if (a != nullptr && b != nullptr && a->id != b->id) continue;
      throw SqlError("42712", fmt::format("table name \"{}\" specified more than once", later.name));
    }
  }
}

// t.* where one value is wanted: the whole row.
ExpressionPtr QueryScope::starred_row(const syntax::Expression& reference) {
  const std::vector<std::string>& path = reference.path;
  const std::string_view schema = path.size() > 1 ? std::string_view(path[path.size() - 2]) : std::string_view();
  int levels_up = 0;
  const NamespaceItem* item = find_item(schema, path.back(), reference.position, &levels_up);
  if (item == nullptr) throw_missing_table(schema, path.back(), reference.position);
  return make_whole_row(*item, levels_up, reference.position);
}

ExpressionPtr QueryScope::column(const syntax::Expression& reference) {
  const int position = reference.position;
  if (clause == Clause::column_default) {
    throw SqlError(sqlstate::feature_not_supported, "cannot use column reference in DEFAULT expression").at(position);
  }
  const std::vector<std::string>& path = reference.path;
  if (reference.kind == syntax::Expression::Kind::star) return starred_row(reference);
  if (path.empty()) {
    if (const auto found = find_column(reference.name, position)) return make_column(*found, position);
    int levels_up = 0;
    if (const NamespaceItem* item = find_item({}, reference.name, position, &levels_up)) {
      return make_whole_row(*item, levels_up, position);
    }
    throw_missing_column({}, reference.name, position);
  }
  if (path.size() > 3) {
    throw SqlError(sqlstate::syntax_error, fmt::format("improper qualified name (too many dotted names): {}.{}",
                                                       fmt::join(path, "."), reference.name))
        .at(position);
  }
  if (path.size() == 3) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cross-database references are not implemented: {}.{}",
                                                                fmt::join(path, "."), reference.name))
        .at(position);
  }
  const std::string_view schema = path.size() == 2 ? std::string_view(path[0]) : std::string_view();
  int levels_up = 0;
  const NamespaceItem* item = find_item(schema, path.back(), position, &levels_up);
  if (item == nullptr) throw_missing_table(schema, path.back(), position);
  const int column = around(levels_up).find_in_item(*item, reference.name, position);
  if (column == 0) throw_missing_column(path.back(), reference.name, position);
  return make_column(FoundColumn{item, column, levels_up}, position);
}

std::vector<ExpressionPtr> QueryScope::star(const syntax::Expression& reference) {
  std::vector<ExpressionPtr> expressions;
  for (Target& target : expand_star(reference)) expressions.push_back(std::move(target.expression));
  return expressions;
}

std::vector<OutputName> QueryScope::row_fields(const Column& whole_row) {
  return fields_of_column(around(whole_row.levels_up).query, whole_row);
}

std::string QueryScope::row_name(const Column& whole_row) {
  return around(whole_row.levels_up).query.entries[static_cast<std::size_t>(whole_row.entry)].alias;
}

RelationPtr QueryScope::row_table(const Column& whole_row) {
  const Query& owner = around(whole_row.levels_up).query;
  const auto* table = std::get_if<TableSource>(&owner.entries[static_cast<std::size_t>(whole_row.entry)].source);
  return table == nullptr ? nullptr : table->relation;
}

RelationPtr QueryScope::find_relation(std::string_view schema, std::string_view name) {
  return context().relations.open(schema, name, syntax::TableLockMode::access_share);
}

bool QueryScope::has_schema(std::string_view name) { return context().relations.has_schema(name); }

}  // namespace polarsim::engine::query
