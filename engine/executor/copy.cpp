#include "engine/executor/copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/copy_parts.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

const char* kind_name(query::Relation::Kind kind) {
  return kind == query::Relation::Kind::sequence ? "sequence" : "view";
}

}  // namespace

query::RelationPtr open_copied(const syntax::Copy& statement, const CopyInputs& inputs) {
  const syntax::TableName& table = statement.table;
  const auto lock = statement.from ? syntax::TableLockMode::row_exclusive : syntax::TableLockMode::access_share;
  query::RelationPtr relation = inputs.relations.open(table.schema, table.name, lock);
  if (relation == nullptr) {
    if (!table.schema.empty() && !inputs.relations.has_schema(table.schema))
      throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", table.schema));
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}{}{}\" does not exist", table.schema,
                                                          table.schema.empty() ? "" : ".", table.name));
  }
  using Kind = query::Relation::Kind;
  // Tables that are computed here are tables of the catalog in PostgreSQL.
  if (relation->kind == Kind::table || (relation->kind == Kind::system_view && !statement.from)) return relation;
  if (relation->kind == Kind::system_view || relation->is_system) {
    throw SqlError(sqlstate::insufficient_privilege,
                   fmt::format("permission denied: \"{}\" is a system catalog", relation->name));
  }
  std::string hint;
  if (relation->kind == Kind::view) {
    hint = statement.from ? "To enable copying to a view, provide an INSTEAD OF INSERT trigger."
                          : "Try the COPY (SELECT ...) TO variant.";
  }
  throw SqlError(sqlstate::wrong_object_type,
                 fmt::format("cannot copy {} {} \"{}\"", statement.from ? "to" : "from", kind_name(relation->kind),
                             relation->name),
                 "", std::move(hint));
}

query::Relation relation_of(const std::vector<query::OutputName>& columns) {
  query::Relation relation;
  for (const query::OutputName& column : columns) relation.columns.emplace_back().name = column.name;
  return relation;
}

std::vector<std::size_t> copied_columns(const query::Relation& relation, const std::vector<std::string>& names) {
  std::vector<std::size_t> columns;
  if (names.empty()) {
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      if (!relation.columns[i].dropped && relation.columns[i].generated == nullptr) columns.push_back(i);
    }
    return columns;
  }
  for (const std::string& name : names) {
    const int number = relation.find(name);
    if (number == 0) {
      const std::string of = relation.name.empty() ? "" : fmt::format(" of relation \"{}\"", relation.name);
      throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\"{} does not exist", name, of));
    }
    const auto column = static_cast<std::size_t>(number) - 1;
    if (relation.columns[column].generated != nullptr) {
      throw SqlError(sqlstate::invalid_column_reference, fmt::format("column \"{}\" is a generated column", name),
                     "Generated columns cannot be used in COPY.");
    }
    if (std::find(columns.begin(), columns.end(), column) != columns.end())
      throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", name));
    columns.push_back(column);
  }
  return columns;
}

std::vector<bool> forced_columns(const query::Relation& relation, const std::vector<std::size_t>& copied,
                                 const std::vector<std::string>& names, const char* option) {
  std::vector<bool> forced(copied.size(), false);
  if (names.empty()) return forced;
  for (const std::size_t column : copied_columns(relation, names)) {
    const auto found = std::find(copied.begin(), copied.end(), column);
    if (found == copied.end()) {
      throw SqlError(sqlstate::invalid_column_reference,
                     fmt::format("{} column \"{}\" not referenced by COPY", option, relation.columns[column].name));
    }
    forced[static_cast<std::size_t>(found - copied.begin())] = true;
  }
  return forced;
}

QueryResult copy(const syntax::Copy& statement, const CopyInputs& inputs) {
  if (statement.program) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("COPY {} PROGRAM is not supported", statement.from ? "FROM" : "TO"));
  }
  if (statement.file.empty() && inputs.stream == nullptr) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("COPY {} is not supported here", statement.from ? "FROM STDIN" : "TO STDOUT"));
  }
  QueryResult result;
  result.tag = fmt::format("COPY {}", statement.from ? copy_from(statement, inputs) : copy_to(statement, inputs));
  return result;
}

}  // namespace polarsim::engine::executor
