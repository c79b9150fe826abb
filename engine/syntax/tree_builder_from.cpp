#include <utility>

#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

void take_alias(raw::object fields, std::string& alias, std::vector<std::string>& columns) {
  raw::object written;
  if (fields["alias"].get(written) != simdjson::SUCCESS) return;
  alias = raw::text_of(written, "aliasname");
  columns = raw::strings_of(written, "colnames");
}

JoinKind join_kind(std::string_view name) {
  if (name == "JOIN_LEFT") return JoinKind::left;
  if (name == "JOIN_RIGHT") return JoinKind::right;
  if (name == "JOIN_FULL") return JoinKind::full;
  return JoinKind::inner;
}

}  // namespace

TableName TreeBuilder::table_name(raw::object fields) const {
  TableName table;
  table.position = position_of(fields);
  table.schema = raw::text_of(fields, "schemaname");
  table.name = raw::text_of(fields, "relname");
  if (const std::string_view database = raw::text_of(fields, "catalogname"); !database.empty()) {
    throw SqlError(sqlstate::feature_not_supported, "cross-database references are not implemented: \"" +
                                                        std::string(database) + "." + table.schema + "." + table.name +
                                                        '"')
        .at(table.position);
  }
  table.only = !raw::flag_of(fields, "inh");
  take_alias(fields, table.alias, table.column_aliases);
  return table;
}

std::vector<TableName> TreeBuilder::table_names(raw::object fields, std::string_view key) const {
  std::vector<TableName> names;
  raw::for_each(fields, key, [&](raw::element item) { names.push_back(table_name(raw::Node(item).fields)); });
  return names;
}

std::vector<FromItemPtr> TreeBuilder::from_items(raw::object fields, std::string_view key) {
  std::vector<FromItemPtr> items;
  raw::for_each(fields, key, [&](raw::element item) { items.push_back(from_item(item)); });
  return items;
}

FromItemPtr TreeBuilder::from_item(raw::element wrapped) {
  const Level level(*this);
  const raw::Node node(wrapped);
  if (node.kind == "JoinExpr") return join(node.fields);
  if (node.kind == "RangeFunction") return from_function(node.fields);
  FromItem item;
  if (node.kind == "RangeVar") {
    TableName table = table_name(node.fields);
    item.position = table.position;
    item.source = std::move(table);
  } else if (node.kind == "RangeSubselect") {
    FromSubquery subquery;
    subquery.lateral = raw::flag_of(node.fields, "lateral");
    subquery.query = select_pointer(node.fields["subquery"]);
    item.position = subquery.query->position;
    item.source = std::move(subquery);
    take_alias(node.fields, item.alias, item.column_aliases);
  } else if (node.kind == "RangeTableSample") {
    refuse("TABLESAMPLE", position_of(node.fields));
  } else if (node.kind == "RangeTableFunc") {
    refuse("XMLTABLE", position_of(node.fields));
  } else {
    refuse(std::string(node.kind) + " in FROM");
  }
  return std::make_shared<const FromItem>(std::move(item));
}

FromItemPtr TreeBuilder::join(raw::object fields) {
  FromJoin join;
  join.kind = join_kind(raw::text_of(fields, "jointype"));
  join.natural = raw::flag_of(fields, "isNatural");
  join.left = from_item(fields["larg"]);
  join.right = from_item(fields["rarg"]);
  join.using_columns = raw::strings_of(fields, "usingClause");
  raw::object alias;
  if (fields["join_using_alias"].get(alias) == simdjson::SUCCESS) join.using_alias = raw::text_of(alias, "aliasname");
  join.condition = optional_expression(fields, "quals");
  if (join.kind == JoinKind::inner && !join.natural && join.using_columns.empty() && !join.condition) {
    join.kind = JoinKind::cross;
  }
  FromItem item;
  item.position = join.left->position;
  item.source = std::move(join);
  take_alias(fields, item.alias, item.column_aliases);
  return std::make_shared<const FromItem>(std::move(item));
}

std::vector<ColumnDefinitionItem> TreeBuilder::column_list(raw::object fields, std::string_view key) const {
  std::vector<ColumnDefinitionItem> columns;
  raw::for_each(fields, key, [&](raw::element item) {
    const raw::object column = raw::Node(item).fields;
    allow_fields(column, {"colname", "typeName", "is_local", "location"}, {{"collClause", "COLLATE in this place"}});
    columns.push_back({std::string(raw::text_of(column, "colname")),
                       std::make_shared<const TypeName>(type_name(column["typeName"])), position_of(column)});
  });
  return columns;
}

FromItemPtr TreeBuilder::from_function(raw::object fields) {
  FromFunction function;
  function.lateral = raw::flag_of(fields, "lateral");
  function.with_ordinality = raw::flag_of(fields, "ordinality");
  function.rows_from = raw::flag_of(fields, "is_rowsfrom");
  function.columns = column_list(fields, "coldeflist");
  FromItem item;
  raw::for_each(fields, "functions", [&](raw::element list) {
    // A call and its list of columns, which may be a null pointer.
    FromFunction::Item out;
    raw::for_each(raw::Node(list).fields, "items", [&](raw::element part) {
      if (!out.call) {
        out.call = expression(part);
      } else if (const raw::Node columns(part); columns.kind == "List") {
        out.columns = column_list(columns.fields, "items");
      }
    });
    if (function.functions.empty()) item.position = out.call->position;
    function.functions.push_back(std::move(out));
  });
  item.source = std::move(function);
  take_alias(fields, item.alias, item.column_aliases);
  return std::make_shared<const FromItem>(std::move(item));
}

}  // namespace polarsim::engine::syntax
