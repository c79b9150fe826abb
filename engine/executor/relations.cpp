#include "engine/executor/relations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <variant>

#include "engine/executor/system_views.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor {

namespace {

syntax::ExpressionPtr parse_expression(const std::string& text) {
  const std::vector<syntax::StatementPtr> parsed = syntax::parse("SELECT " + text);
  return std::get<syntax::Select>(parsed.at(0)->body).items.at(0).expression;
}

syntax::ExpressionPtr parse_unless_empty(const std::string& text) {
  return text.empty() ? nullptr : parse_expression(text);
}

query::RelationColumn describe_column(const catalog::Column& column) {
  query::RelationColumn described;
  described.name = column.name;
  described.type = column.type;
  described.not_null = column.not_null;
  described.default_value = parse_unless_empty(column.default_text);
  described.generated = parse_unless_empty(column.generated_text);
  described.dropped = column.dropped;
  if (column.identity == catalog::Column::Identity::always)
    described.identity = query::RelationColumn::Identity::always;
  if (column.identity == catalog::Column::Identity::by_default)
    described.identity = query::RelationColumn::Identity::by_default;
  return described;
}

query::RelationIndex describe_index(const catalog::Index& index) {
  const catalog::IndexProperties& properties = index.description->index;
  query::RelationIndex described;
  described.id = index.id;
  described.name = index.description->name;
  for (const catalog::IndexProperties::Key& key : properties.keys) {
    query::RelationIndex::Key made;
    made.column = key.column;
    made.expression = parse_unless_empty(key.expression);
    // The tree itself is ascending with NULLs last, whatever was written.
    described.keys.push_back(std::move(made));
  }
  described.unique = properties.unique;
  described.primary = properties.primary;
  described.nulls_not_distinct = properties.nulls_not_distinct;
  described.constraint = properties.constraint;
  described.predicate = parse_unless_empty(properties.predicate);
  return described;
}

query::Relation::Kind kind_of(catalog::RelationKind kind) {
  if (kind == catalog::RelationKind::view) return query::Relation::Kind::view;
  return kind == catalog::RelationKind::sequence ? query::Relation::Kind::sequence : query::Relation::Kind::table;
}

void describe_statistics(const catalog::Definition& definition, query::Relation& described) {
  if (!definition.statistics) return;
  described.statistics.resize(definition.columns.size());
  for (const catalog::ColumnStatistics& known : definition.statistics->columns) {
    const auto position = static_cast<std::size_t>(known.column) - 1;
    const auto value_of = [&, type = Type(definition.columns.at(position).type.id)](const std::string& text) {
      return input_value(text, type, CallContext{});
    };
    query::ColumnStatistics& made = described.statistics.at(position).emplace();
    made.null_fraction = known.null_fraction;
    made.distinct = known.distinct;
    made.average_width = known.average_width;
    std::transform(known.most_common.begin(), known.most_common.end(), std::back_inserter(made.most_common), value_of);
    made.most_common_frequencies.assign(known.most_common_frequencies.begin(), known.most_common_frequencies.end());
    std::transform(known.histogram.begin(), known.histogram.end(), std::back_inserter(made.histogram), value_of);
    made.correlation = known.correlation;
  }
}

// How many rows a table has that has grown to so many pages since it was counted; -1: it never was.
double rows_in(const std::optional<catalog::TableStatistics>& counted, double pages) {
  if (!counted || counted->rows < 0 || counted->pages <= 0) return -1;
  return std::rint(counted->rows / counted->pages * pages);
}

// Runs the grammar: on the scheduler's stack.
query::Relation describe_definition(const catalog::Relation& relation, const catalog::Table* table) {
  const catalog::Definition& definition = *relation.description;
  query::Relation described;
  described.id = relation.id;
  described.schema = definition.schema;
  described.name = definition.name;
  described.kind = kind_of(definition.kind);
  for (const catalog::Column& column : definition.columns) described.columns.push_back(describe_column(column));
  if (definition.kind == catalog::RelationKind::sequence) {
    for (const auto& [name, type] : {std::pair("last_value", TypeId::int8), std::pair("log_cnt", TypeId::int8),
                                     std::pair("is_called", TypeId::boolean)}) {
      query::RelationColumn& column = described.columns.emplace_back();
      column.name = name;
      column.type = type;
    }
  }
  for (const catalog::Check& check : definition.checks)
    described.checks.push_back({check.name, parse_expression(check.condition)});
  describe_statistics(definition, described);
  // They are looked at in the order of their names (CheckConstraintFetch(), relcache.c).
  std::sort(described.checks.begin(), described.checks.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  if (definition.kind == catalog::RelationKind::view) {
    const std::vector<syntax::StatementPtr> parsed = syntax::parse(definition.view.query);
    described.view = std::make_shared<const syntax::Select>(std::get<syntax::Select>(parsed.at(0)->body));
  }
  if (table != nullptr) {
    described.is_system = table->is_system();
    for (const catalog::Index& index : table->indexes) described.indexes.push_back(describe_index(index));
  }
  return described;
}

}  // namespace

txn::LockMode lock_mode(syntax::TableLockMode mode) {
  using From = syntax::TableLockMode;
  using To = txn::LockMode;
  switch (mode) {
    case From::access_share:
      return To::access_share;
    case From::row_share:
      return To::row_share;
    case From::row_exclusive:
      return To::row_exclusive;
    case From::share_update_exclusive:
      return To::share_update_exclusive;
    case From::share:
      return To::share;
    case From::share_row_exclusive:
      return To::share_row_exclusive;
    case From::exclusive:
      return To::exclusive;
    case From::access_exclusive:
      break;
  }
  return To::access_exclusive;
}

bool RelationCache::is_current(const Entry& entry, const catalog::Relation& relation,
                               const catalog::Table* table) const {
  if (entry.definition != relation.description) return false;
  if (table == nullptr) return true;
  const bool same_indexes =
      std::equal(entry.indexes.begin(), entry.indexes.end(), table->indexes.begin(), table->indexes.end(),
                 [](const catalog::DefinitionPtr& a, const catalog::Index& b) { return a == b.description; });
  const auto pages = static_cast<double>(database_.files().block_count(relation.file));
  return same_indexes && pages <= entry.relation->pages * 1.2 && pages >= entry.relation->pages * 0.8;
}

query::RelationPtr RelationCache::describe(const txn::Transaction* reader, const catalog::Relation& relation) {
  catalog::TablePtr table;
  if (relation.description->kind == catalog::RelationKind::table)
    table = database_.catalog().find_table(reader, relation.id);
  Entry& entry = entries_[relation.id];
  if (entry.relation != nullptr && is_current(entry, relation, table.get())) return entry.relation;
  auto described = std::make_shared<query::Relation>();
  database_.host().scheduler().on_scheduler_stack([&] { *described = describe_definition(relation, table.get()); });
  if (table != nullptr) {
    described->pages = static_cast<double>(database_.files().block_count(relation.file));
    described->rows = rows_in(relation.description->statistics, described->pages);
  }
  entry = {relation.description, {}, described};
  if (table != nullptr) {
    for (const catalog::Index& index : table->indexes) entry.indexes.push_back(index.description);
  }
  return described;
}

query::RelationPtr CatalogRelations::open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) {
  if (const SystemView* const view = find_system_view(schema, name)) return view->relation;
  const auto found = database_.catalog().open(transaction_, search_path_, schema, name, lock_mode(lock));
  if (!found) return nullptr;
  const catalog::RelationKind kind = found->description->kind;
  if (kind == catalog::RelationKind::index) {
    throw SqlError(sqlstate::wrong_object_type, fmt::format("cannot open relation \"{}\"", name),
                   "This operation is not supported for indexes.");
  }
  return cache_.describe(&transaction_, *found);
}

bool CatalogRelations::has_schema(std::string_view name) const {
  return name == information_schema || database_.catalog().schema_id(&transaction_, name) != 0;
}

}  // namespace polarsim::engine::executor
