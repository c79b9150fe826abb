// Entries of the range table (PostgreSQL's addRangeTableEntry() and its kin, src/backend/parser/parse_relation.c).
#include <fmt/format.h>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

using Kind = syntax::Expression::Kind;

int add_entry(RangeTableEntry entry, QueryScope& scope) {
  scope.query.entries.push_back(std::move(entry));
  return static_cast<int>(scope.query.entries.size()) - 1;
}

bool uses_neighbours(const std::vector<ExpressionPtr>& expressions) {
  for (const ExpressionPtr& expression : expressions) {
    if (uses_columns(expression)) return true;
  }
  return false;
}

[[noreturn]] void throw_missing_relation(const syntax::TableName& name, QueryScope& scope) {
  if (!name.schema.empty()) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}.{}\" does not exist", name.schema, name.name))
        .at(name.position);
  }
  ErrorFields error{
      sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", name.name), "", "", "", name.position};
  for (QueryScope* around = &scope; around != nullptr; around = around->parent()) {
    for (const std::string_view later : around->later_common_tables) {
      if (later != name.name) continue;
      error.detail = fmt::format(
          "There is a WITH item named \"{}\", but it cannot be referenced from this part of the query.", name.name);
      error.hint = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.";
    }
  }
  throw SqlError(std::move(error));
}

std::vector<OutputName> columns_of(const Relation& relation) {
  std::vector<OutputName> columns;
  columns.reserve(relation.columns.size());
  for (const RelationColumn& column : relation.columns) {
    columns.push_back({column.dropped ? std::string() : column.name, column.type});
  }
  return columns;
}

// --- functions ---

struct FunctionColumns {
  std::vector<OutputName> columns;
  std::string name;
};

void check_definitions(const FunctionEntry* function, const Expression& call,
                       const std::vector<syntax::ColumnDefinitionItem>& definitions) {
  const bool has_outputs = function != nullptr && !function->outputs.empty();
  if (definitions.empty()) {
    if (call.type.id == TypeId::record && !has_outputs && call.as<RowConstructor>() == nullptr) {
      throw SqlError(sqlstate::syntax_error, "a column definition list is required for functions returning \"record\"")
          .at(call.position);
    }
    return;
  }
  if (has_outputs && call.type.id == TypeId::record) {
    throw SqlError(sqlstate::syntax_error, "a column definition list is redundant for a function with OUT parameters")
        .at(definitions[0].position);
  }
  if (call.type.id != TypeId::record) {
    throw SqlError(sqlstate::syntax_error,
                   "a column definition list is only allowed for functions returning \"record\"")
        .at(definitions[0].position);
  }
}

FunctionColumns columns_of_call(const Expression& call, const syntax::Expression& written, std::string_view alias,
                                bool single, const std::vector<syntax::ColumnDefinitionItem>& definitions) {
  const auto* node = call.as<Call>();
  const FunctionEntry* function = node == nullptr ? nullptr : node->function;
  check_definitions(function, call, definitions);
  FunctionColumns result;
  result.name = figure_column_name(written, &call);
  if (!definitions.empty()) {
    for (const syntax::ColumnDefinitionItem& definition : definitions) {
      for (const OutputName& earlier : result.columns) {
        if (earlier.name == definition.name) {
          throw SqlError(sqlstate::duplicate_column,
                         fmt::format("column name \"{}\" specified more than once", definition.name));
        }
      }
      result.columns.push_back({definition.name, resolve_type(*definition.type)});
    }
  } else if (function != nullptr && function->outputs.size() > 1) {
    for (const OutputParameter& output : function->outputs) result.columns.push_back({output.name, output.type});
  } else {
    std::string name = result.name;
    if (function != nullptr && function->outputs.size() == 1) {
      name = function->outputs[0].name;
    } else if (single && !alias.empty()) {
      name = alias;
    }
    Type type = call.type;
    if (type.id == TypeId::record && function != nullptr && !function->outputs.empty()) {
      type = function->outputs[0].type;
    }
    result.columns.push_back({std::move(name), type});
  }
  return result;
}

[[noreturn]] void throw_not_at_top(int position) {
  throw SqlError(sqlstate::feature_not_supported, "set-returning functions must appear at top level of FROM")
      .at(position);
}

ExpressionPtr analyse_function(const syntax::ExpressionPtr& call, QueryScope& scope) {
  const int before = scope.set_functions_met;
  ExpressionPtr expression = analyse_in(scope, Clause::from_function, call);
  const int met = scope.set_functions_met - before;
  if (met > 0) {
    const auto* node = expression->as<Call>();
    const bool top = node != nullptr && node->function->kind == FunctionKind::set;
    if (!top) throw_not_at_top(scope.last_set_function_position);
    if (met > 1) throw_not_at_top(scope.previous_set_function_position);
  }
  return settle_unknown(std::move(expression), scope);
}

// unnest(a, b) is unnest(a) and unnest(b) side by side.
std::vector<syntax::FromFunction::Item> single_calls(const syntax::FromFunction& function) {
  std::vector<syntax::FromFunction::Item> items;
  for (const syntax::FromFunction::Item& item : function.functions) {
    const syntax::Expression& call = *item.call;
    if (call.kind != Kind::function || call.name != "unnest" || call.arguments.size() < 2 || call.call != nullptr ||
        call.star || call.distinct || !item.columns.empty()) {
      items.push_back(item);
      continue;
    }
    for (const syntax::ExpressionPtr& argument : call.arguments) {
      syntax::Expression single = call;
      single.arguments = {argument};
      items.push_back({std::make_shared<const syntax::Expression>(std::move(single)), {}});
    }
  }
  return items;
}

}  // namespace

void rename_columns(std::vector<OutputName>& columns, const std::vector<std::string>& aliases, std::string_view alias) {
  if (aliases.empty()) return;
  std::size_t next = 0;
  std::size_t available = 0;
  for (OutputName& column : columns) {
    if (column.name.empty()) continue;
    ++available;
    if (next < aliases.size()) column.name = aliases[next++];
  }
  if (aliases.size() > available) {
    throw SqlError(sqlstate::invalid_column_reference,
                   fmt::format("table \"{}\" has {} columns available but {} columns specified", alias, available,
                               aliases.size()));
  }
}

RelationPtr open_relation(const syntax::TableName& name, syntax::TableLockMode lock, QueryScope& scope) {
  RelationPtr relation = scope.context().relations.open(name.schema, name.name, lock);
  if (relation == nullptr) throw_missing_relation(name, scope);
  return relation;
}

int add_relation_entry(const RelationPtr& relation, const syntax::TableName& name, syntax::TableLockMode lock,
                       QueryScope& scope) {
  RangeTableEntry entry;
  entry.alias = name.reference();
  entry.alias_written = !name.alias.empty();
  entry.columns = columns_of(*relation);
  rename_columns(entry.columns, name.column_aliases, entry.alias);
  switch (relation->kind) {
    case Relation::Kind::table:
      entry.source = TableSource{relation, lock};
      break;
    case Relation::Kind::view:
      entry.source = SubquerySource{analyse_view(*relation, scope), false, relation};
      break;
    case Relation::Kind::sequence:
    case Relation::Kind::system_view:
      entry.source = SystemViewSource{relation};
      break;
  }
  return add_entry(std::move(entry), scope);
}

int add_subquery_entry(QueryPtr query, std::string_view alias, const std::vector<std::string>& column_aliases,
                       bool lateral, QueryScope& scope) {
  RangeTableEntry entry;
  entry.alias = alias;
  entry.alias_written = true;
  entry.columns = output_columns(*query);
  rename_columns(entry.columns, column_aliases, alias);
  entry.source = SubquerySource{std::move(query), lateral};
  return add_entry(std::move(entry), scope);
}

int add_values_entry(std::vector<std::vector<ExpressionPtr>> rows, const std::vector<Type>& types, QueryScope& scope) {
  RangeTableEntry entry;
  entry.alias = "*VALUES*";
  for (const Type& type : types) entry.columns.push_back({fmt::format("column{}", entry.columns.size() + 1), type});
  bool lateral = false;
  for (const std::vector<ExpressionPtr>& row : rows) {
    if (!lateral && !scope.query.entries.empty()) lateral = uses_neighbours(row);
  }
  entry.source = ValuesSource{std::move(rows), lateral};
  return add_entry(std::move(entry), scope);
}

int add_function_entry(const syntax::FromFunction& function, const syntax::FromItem& item, QueryScope& scope) {
  const Restore<bool> lateral_active(scope.lateral_active, true);
  const std::vector<syntax::FromFunction::Item> calls = single_calls(function);
  FunctionSource source;
  source.with_ordinality = function.with_ordinality;
  source.lateral = function.lateral;
  RangeTableEntry entry;
  entry.alias = item.alias;
  entry.alias_written = !item.alias.empty();
  if (!function.columns.empty() && calls.size() > 1) {
    throw SqlError(sqlstate::syntax_error, "ROWS FROM() with multiple functions cannot have a column definition list",
                   "", "Put a separate column definition list for each function inside ROWS FROM().")
        .at(function.columns[0].position);
  }
  if (!function.columns.empty() && function.with_ordinality) {
    throw SqlError(sqlstate::syntax_error, "WITH ORDINALITY cannot be used with a column definition list", "",
                   "Put the column definition list inside ROWS FROM().")
        .at(function.columns[0].position);
  }
  for (const syntax::FromFunction::Item& call : calls) {
    ExpressionPtr expression = analyse_function(call.call, scope);
    FunctionColumns columns = columns_of_call(*expression, *call.call, item.alias, calls.size() == 1,
                                              call.columns.empty() ? function.columns : call.columns);
    if (entry.alias.empty()) entry.alias = columns.name;
    source.lateral = source.lateral || uses_columns(expression);
    source.functions.push_back({std::move(expression), static_cast<int>(columns.columns.size())});
    for (OutputName& column : columns.columns) entry.columns.push_back(std::move(column));
  }
  if (function.with_ordinality) entry.columns.push_back({"ordinality", TypeId::int8});
  rename_columns(entry.columns, item.column_aliases, entry.alias);
  entry.source = std::move(source);
  return add_entry(std::move(entry), scope);
}

}  // namespace polarsim::engine::query
