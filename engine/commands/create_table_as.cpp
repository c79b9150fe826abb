// CREATE TABLE AS, without its rows (PostgreSQL's src/backend/commands/createas.c).
#include <fmt/format.h>

#include "engine/commands/objects.h"
#include "engine/syntax/parser.h"
#include "sim/scheduler.h"

namespace polarsim::engine::commands {

namespace {

// The type as the grammar reads it. A literal without a type is text by now.
syntax::TypeName name_of(Type type) {
  if (type == TypeId::unknown) type = TypeId::text;
  const std::vector<syntax::StatementPtr> parsed = syntax::parse("SELECT NULL::" + format_type(type));
  return *std::get<syntax::Select>(parsed.at(0)->body).items.at(0).expression->type_name;
}

}  // namespace

bool exists(const CommandContext& context, const syntax::TableName& name) {
  syntax::TableName made = name;
  made.schema = schema_for_new(context, name);
  return find(context, made).has_value();
}

syntax::CreateTable table_for(const CommandContext& context, const syntax::CreateTableAs& create,
                              const std::vector<query::OutputName>& columns) {
  if (create.columns.size() > columns.size())
    throw SqlError(sqlstate::syntax_error, "too many column names were specified");
  syntax::CreateTable table;
  table.table = create.table;
  table.table.position = 0;  // told by CREATE TABLE alone
  table.temporary = create.temporary;
  table.unlogged = create.unlogged;
  table.access_method = create.access_method;
  table.parameters = create.parameters;
  context.database.host().scheduler().on_scheduler_stack([&] {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      syntax::ColumnDefinition column;
      column.name = i < create.columns.size() ? create.columns[i] : columns[i].name;
      column.type = name_of(columns[i].type);
      table.columns.push_back(std::move(column));
    }
  });
  return table;
}

}  // namespace polarsim::engine::commands
