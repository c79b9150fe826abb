#include "engine/catalog/old_definition.h"

#include <utility>
#include <variant>

#include "engine/sql/error.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::catalog {

namespace {

// What that engine cannot read becomes a call that it refuses whenever the default is needed.
sql::ExpressionPtr old_expression(const std::string& text) {
  try {
    const std::vector<sql::StatementPtr> parsed = sql::parse("SELECT " + text);
    return std::get<sql::Select>(parsed.at(0)->body).items.at(0).expression;
  } catch (const SqlError&) {
    sql::Expression unreadable;
    unreadable.kind = sql::Expression::Kind::function;
    unreadable.name = "polar_default_of_newer_kind";
    return std::make_shared<const sql::Expression>(std::move(unreadable));
  }
}

}  // namespace

TableDefinition old_table_definition(const Definition& definition) {
  TableDefinition result;
  result.schema = definition.schema;
  result.name = definition.name;
  for (const Column& column : definition.columns) {
    sql::ColumnInfo info;
    info.name = column.name;
    info.type = column.type.id;
    info.not_null = column.not_null;
    if (!column.default_text.empty()) {
      info.default_value = old_expression(column.default_text);
    }
    result.columns.push_back(std::move(info));
  }
  return result;
}

IndexDefinition old_definition(const Definition& index) {
  IndexDefinition result;
  result.name = index.name;
  for (const IndexProperties::Key& key : index.index.keys) result.columns.push_back(key.column - 1);
  result.unique = index.index.unique;
  result.primary = index.index.primary;
  return result;
}

Definition new_definition(const TableDefinition& table) {
  Definition result;
  result.schema = table.schema;
  result.name = table.name;
  for (const sql::ColumnInfo& info : table.columns) {
    Column column;
    column.name = info.name;
    column.type = info.type;
    column.not_null = info.not_null;
    if (info.default_value != nullptr) column.default_text = sql::deparse(*info.default_value);
    result.columns.push_back(std::move(column));
  }
  return result;
}

Definition new_definition(const IndexDefinition& index, RelationId id, const Definition& table) {
  Definition result;
  result.kind = RelationKind::index;
  result.schema = table.schema;
  result.name = index.name;
  result.index.table = id;
  for (const int column : index.columns) {
    IndexProperties::Key key;
    key.column = column + 1;
    key.type = table.columns.at(static_cast<std::size_t>(column)).type;
    result.index.keys.push_back(std::move(key));
  }
  result.index.unique = index.unique;
  result.index.primary = index.primary;
  result.index.constraint = index.primary;
  return result;
}

}  // namespace polarsim::engine::catalog
