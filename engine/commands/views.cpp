// CREATE VIEW and CREATE SCHEMA (PostgreSQL's src/backend/commands/view.c, schemacmds.c).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "engine/catalog/describe.h"
#include "engine/commands/storage_parameters.h"
#include "engine/commands/table_columns.h"
#include "engine/node/session_services.h"
#include "engine/query/deparse.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::commands {

namespace {

// Tables, sequences and views that the query reads, at any depth; of a view that it uses only the view itself.
void collect_relations(const query::Query& query, std::set<RelationId>& found) {
  const auto look = [&](const query::Query& inner) { collect_relations(inner, found); };
  for (const query::RangeTableEntry& entry : query.entries) {
    if (const auto* table = std::get_if<query::TableSource>(&entry.source)) found.insert(table->relation->id);
    const auto* system = std::get_if<query::SystemViewSource>(&entry.source);
    if (system != nullptr && system->relation->kind == query::Relation::Kind::sequence)
      found.insert(system->relation->id);
    if (const auto* subquery = std::get_if<query::SubquerySource>(&entry.source)) {
      if (subquery->view != nullptr) {
        found.insert(subquery->view->id);
      } else {
        look(*subquery->query);
      }
    }
  }
  for (const query::CommonTable& table : query.common_tables) look(*table.query);
  query::for_each_expression(query, [&](const query::ExpressionPtr& expression) {
    query::contains(expression, [&](const query::Expression& node) {
      if (const auto* subquery = node.as<query::Subquery>()) look(*subquery->query);
      return false;
    });
  });
}

// The relations as they would be without one table's primary key.
class WithoutKey final : public query::RelationSource {
 public:
  WithoutKey(query::RelationSource& all, RelationId table) : all_(all), table_(table) {}
  query::RelationPtr open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) override {
    query::RelationPtr found = all_.open(schema, name, lock);
    if (found == nullptr || found->id != table_) return found;
    auto keyless = std::make_shared<query::Relation>(*found);
    for (query::RelationIndex& index : keyless->indexes) index.primary = false;
    return keyless;
  }
  bool has_schema(std::string_view name) const override { return all_.has_schema(name); }

 private:
  query::RelationSource& all_;
  RelationId table_;
};

// Whether the query inside is what a view selects.
bool is_view(const query::Query& query, const query::QueryPtr& inner) {
  return std::any_of(query.entries.begin(), query.entries.end(), [&](const query::RangeTableEntry& entry) {
    const auto* subquery = std::get_if<query::SubquerySource>(&entry.source);
    return subquery != nullptr && subquery->query == inner && subquery->view != nullptr;
  });
}

// Tables whose columns are grouped, at any depth: each with the index of its primary key.
void collect_grouped_keys(const query::Query& query, std::map<RelationId, RelationId>& found) {
  if (!query.group_by.empty()) {
    for (const query::RangeTableEntry& entry : query.entries) {
      const auto* table = std::get_if<query::TableSource>(&entry.source);
      if (table == nullptr) continue;
      for (const query::RelationIndex& index : table->relation->indexes) {
        if (index.primary) found[table->relation->id] = index.id;
      }
    }
  }
  const auto look = [&](const query::QueryPtr& inner) {
    if (!is_view(query, inner)) collect_grouped_keys(*inner, found);
  };
  query::for_each_query(query, look);
  query::walk(query, [&](const query::Expression& node, int) {
    if (const auto* subquery = node.as<query::Subquery>()) look(subquery->query);
    return true;
  });
}

// The primary keys without which the query would be none: it groups by them, and names other columns of their tables.
std::vector<RelationId> needed_keys(const CommandContext& context, const syntax::Select& select,
                                    const query::Query& query) {
  std::map<RelationId, RelationId> grouped;
  collect_grouped_keys(query, grouped);
  std::vector<RelationId> needed;
  for (const auto& [table, index] : grouped) {
    WithoutKey without(context.relations, table);
    try {
      query::analyse(select, {without, context.call, nullptr, false});
    } catch (const SqlError& error) {
      if (error.fields().sqlstate != sqlstate::grouping_error) throw;
      needed.push_back(index);
    }
  }
  return needed;
}

// The columns of tables and views that the query names, at any depth. The columns of a join are named where something
// else names them, but for merged ones.
class ColumnUses {
 public:
  void look(const query::Query& query) {
    around_.push_back(&query);
    query::Query own = query;
    for (query::RangeTableEntry& entry : own.entries) {
      if (auto* join = std::get_if<query::JoinSource>(&entry.source)) join->columns.resize(join->using_columns.size());
    }
    query::for_each_expression(own, [&](const query::ExpressionPtr& each) { look(each); });
    query::for_each_query(query, [&](const query::QueryPtr& inner) {
      if (!is_view(query, inner)) look(*inner);
    });
    around_.pop_back();
  }
  std::vector<RelationId> taken() const {
    std::vector<RelationId> pairs;
    for (const auto& [relation, column] : found_) {
      pairs.push_back(relation);
      pairs.push_back(static_cast<RelationId>(column));
    }
    return pairs;
  }

 private:
  void look(const query::ExpressionPtr& expression) {
    if (expression == nullptr) return;
    if (const auto* column = expression->as<query::Column>()) add(*column);
    if (const auto* selection = expression->as<query::FieldSelection>()) {
      // Of a row of a table it is the column that is named.
      const auto* row = selection->record->as<query::Column>();
      if (row != nullptr && row->column == query::Column::whole_row)
        add({row->entry, selection->field, row->levels_up});
    }
    query::for_each_child(*expression, [&](const query::ExpressionPtr& child) { look(child); });
    if (const auto* subquery = expression->as<query::Subquery>()) look(*subquery->query);
  }
  void add(const query::Column& column) {
    const auto up = static_cast<std::size_t>(column.levels_up);
    if (column.column < 1 || up >= around_.size()) return;
    const query::Query& owner = *around_[around_.size() - 1 - up];
    const query::RangeTableEntry& entry = owner.entries[static_cast<std::size_t>(column.entry)];
    if (const auto* table = std::get_if<query::TableSource>(&entry.source))
      found_.insert({table->relation->id, column.column});
    if (const auto* subquery = std::get_if<query::SubquerySource>(&entry.source); subquery && subquery->view != nullptr)
      found_.insert({subquery->view->id, column.column});
  }

  // Fields are those of the columns that are still there, which alone have names.
  void add_field(const query::Column& row, int field) {
    const auto up = static_cast<std::size_t>(row.levels_up);
    if (up >= around_.size()) return;
    const query::Query& owner = *around_[around_.size() - 1 - up];
    const auto& columns = owner.entries[static_cast<std::size_t>(row.entry)].columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].name.empty() && --field == 0) add({row.entry, static_cast<int>(i) + 1, row.levels_up});
    }
  }

  std::vector<const query::Query*> around_;  // innermost last
  std::set<std::pair<RelationId, int>> found_;
};

// Whether it is certain that a record, or an array of some, is no row of a table or view: those have a type in
// PostgreSQL, all others have the pseudo-type.
bool has_pseudo_type(const query::Query& query, const query::Expression& record) {
  if (const auto* column = record.as<query::Column>()) {
    if (column->levels_up > 0) return false;
    const auto& source = query.entries[static_cast<std::size_t>(column->entry)].source;
    const auto* subquery = std::get_if<query::SubquerySource>(&source);
    if (column->column == query::Column::whole_row) {
      return !std::holds_alternative<query::TableSource>(source) &&
             !std::holds_alternative<query::SystemViewSource>(source) && (subquery == nullptr || !subquery->view);
    }
    if (subquery == nullptr) return false;
    int number = 0;
    for (const query::Target& target : subquery->query->targets) {
      if (!target.hidden && ++number == column->column) return has_pseudo_type(*subquery->query, *target.expression);
    }
    return false;
  }
  if (const auto* row = record.as<query::RowConstructor>())
    return row->relation == nullptr && (row->names.empty() || row->names[0] == "f1");
  if (const auto* call = record.as<query::Call>()) return call->function->result == TypeId::record;
  if (const auto* choice = record.as<query::Case>()) return has_pseudo_type(query, *choice->branches[0].result);
  if (const auto* choice = record.as<query::Coalesce>()) return has_pseudo_type(query, *choice->arguments[0]);
  if (const auto* choice = record.as<query::MinMax>()) return has_pseudo_type(query, *choice->arguments[0]);
  if (const auto* choice = record.as<query::NullIf>()) return has_pseudo_type(query, *choice->left);
  if (const auto* array = record.as<query::ArrayConstructor>())
    return array->elements.empty() || has_pseudo_type(query, *array->elements[0]);
  return false;
}

void check_row_types(const query::Query& query, const Definition& view) {
  std::size_t at = 0;
  for (const query::Target& target : query.targets) {
    if (target.hidden) continue;
    const catalog::Column& column = view.columns[at++];
    const TypeId type = column.type.id;
    const bool record = type == TypeId::record || type == TypeId::record_array;
    if (record ? !has_pseudo_type(query, *target.expression) : !is_pseudo_type(type)) continue;
    throw SqlError(sqlstate::invalid_table_definition,
                   fmt::format("column \"{}\" has pseudo-type {}", column.name, type_name(type)));
  }
}

// OR REPLACE may add columns at the end, and change nothing about those before.
void check_replaced_columns(const Definition& before, const Definition& after) {
  constexpr const char* invalid_table_definition = sqlstate::invalid_table_definition;
  if (after.columns.size() < before.columns.size())
    throw SqlError(invalid_table_definition, "cannot drop columns from view");
  for (std::size_t i = 0; i < before.columns.size(); ++i) {
    const catalog::Column& was = before.columns[i];
    const catalog::Column& is = after.columns[i];
    if (was.name != is.name) {
      throw SqlError(invalid_table_definition,
                     fmt::format("cannot change name of view column \"{}\" to \"{}\"", was.name, is.name), "",
                     "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (was.type != is.type) {
      throw SqlError(invalid_table_definition,
                     fmt::format("cannot change data type of view column \"{}\" from {} to {}", was.name,
                                 format_type(was.type), format_type(is.type)));
    }
  }
  std::set<std::string_view> names;
  for (const catalog::Column& column : after.columns) {
    if (!names.insert(column.name).second) {
      throw SqlError(sqlstate::duplicate_column,
                     fmt::format("column \"{}\" of relation \"{}\" already exists", column.name, before.name));
    }
  }
}

}  // namespace

std::string create_view(CommandContext& context, const syntax::CreateView& create) {
  if (create.temporary) throw SqlError(sqlstate::feature_not_supported, "temporary views are not supported");
  if (create.check_option) throw SqlError(sqlstate::feature_not_supported, "WITH CHECK OPTION is not supported");
  const query::QueryPtr query = query::analyse(*create.query, context.analysis_of_written());
  const std::vector<query::OutputName> outputs = query::output_columns(*query);
  if (create.columns.size() > outputs.size())
    throw SqlError(sqlstate::syntax_error, "CREATE VIEW specifies more column names than columns");
  Definition view;
  view.kind = RelationKind::view;
  view.schema = schema_for_new(context, create.view);
  view.name = create.view.name;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    catalog::Column column;
    column.name = i < create.columns.size() ? create.columns[i] : outputs[i].name;
    column.type = outputs[i].type;
    view.columns.push_back(std::move(column));
  }
  syntax::TableName name = create.view;
  name.schema = view.schema;
  const std::optional<Relation> existing = open(context, name, LockMode::access_exclusive);
  if (existing && create.or_replace) {
    if (existing->description->kind != RelationKind::view)
      throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not a view", create.view.name));
    check_replaced_columns(*existing->description, view);
    view.options = storage_parameters(RelationKind::view, create.parameters);
  } else {
    view.options = storage_parameters(RelationKind::view, create.parameters);
    check_repeated_columns(view);
    check_row_types(*query, view);
    if (existing) throw_exists(view.name);
  }
  // Views inside keep their names, so that they may change.
  query::DeparseOptions style;
  style.is_visible = [](const query::Relation&) { return false; };
  style.read_again = true;
  view.view.query = query::deparse(*query, style);
  std::set<RelationId> uses;
  collect_relations(*query, uses);
  for (const RelationId key : needed_keys(context, *create.query, *query)) uses.insert(key);
  for (const RelationId named : catalog::named_relations(view.view.query)) {
    if (named >= catalog::Table::first_normal_relation && context.catalog().find(&context.transaction, named))
      uses.insert(named);
  }
  view.view.uses.assign(uses.begin(), uses.end());
  ColumnUses columns;
  columns.look(*query);
  view.view.columns = columns.taken();

  if (existing) {
    context.catalog().alter(context.transaction, existing->id, std::move(view));
    return "CREATE VIEW";
  }
  const std::string shown = view.name;
  if (context.catalog().create(context.transaction, std::move(view)) == 0) throw_exists(shown);
  return "CREATE VIEW";
}

std::string create_schema(CommandContext& context, const syntax::CreateSchema& create) {
  constexpr const char* duplicate_schema = "42P06";
  constexpr const char* reserved_name = "42939";
  if (!create.owner.empty()) require_role(create.owner);
  const bool by_word =
      create.owner == "current_user" || create.owner == "session_user" || create.owner == "current_role";
  std::string name = !create.name.empty() ? create.name : by_word ? role_name : create.owner;
  if (name.starts_with("pg_")) {
    throw SqlError(reserved_name, fmt::format("unacceptable schema name \"{}\"", name),
                   "The prefix \"pg_\" is reserved for system schemas.");
  }
  if (create.if_not_exists && context.catalog().schema_id(&context.transaction, name) != 0) {
    context.notice_existing(duplicate_schema, fmt::format("schema \"{}\" already exists", name));
    return "CREATE SCHEMA";
  }
  Definition schema;
  schema.kind = RelationKind::schema;
  schema.name = name;
  if (context.catalog().create(context.transaction, std::move(schema)) == 0)
    throw SqlError(duplicate_schema, fmt::format("schema \"{}\" already exists", name));
  return "CREATE SCHEMA";
}

}  // namespace polarsim::engine::commands
