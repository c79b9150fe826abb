#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "engine/sql/tree_builder.h"

namespace polarsim::engine::sql {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw SqlError(sqlstate::feature_not_supported, what + " is not supported");
}

std::string constraint_name(std::string_view kind) {
  if (kind == "CONSTR_CHECK") return "a CHECK constraint";
  if (kind == "CONSTR_FOREIGN") return "a FOREIGN KEY constraint";
  if (kind == "CONSTR_GENERATED" || kind == "CONSTR_IDENTITY") return "a GENERATED column";
  if (kind == "CONSTR_EXCLUSION") return "an EXCLUDE constraint";
  return "a deferrable constraint";
}

}  // namespace

void TreeBuilder::column_constraint(raw::object fields, ColumnDefinition& column, CreateTable& into) {
  const std::string_view kind = raw::text_of(fields, "contype");
  if (kind == "CONSTR_NOTNULL") {
    column.not_null = true;
  } else if (kind == "CONSTR_DEFAULT") {
    column.default_value = expression(fields["raw_expr"], 1);
  } else if (kind == "CONSTR_PRIMARY") {
    if (!into.primary_key.empty()) {
      SqlError error(sqlstate::invalid_table_definition,
                     "multiple primary keys for table \"" + into.table.name + "\" are not allowed");
      error.at(position_of(fields));
      throw error;
    }
    into.primary_key.push_back(column.name);
    into.primary_key_name = raw::text_of(fields, "conname");
  } else if (kind == "CONSTR_UNIQUE") {
    allow_fields(fields, {"contype", "conname", "location"},
                 {{"including", "INCLUDE"},
                  {"deferrable", "a deferrable constraint"},
                  {"initdeferred", "a deferrable constraint"},
                  {"nulls_not_distinct", "NULLS NOT DISTINCT"},
                  {"indexname", "USING INDEX"},
                  {"options", "WITH (...) for an index"},
                  {"indexspace", "TABLESPACE"}});
    into.unique.push_back({std::string(raw::text_of(fields, "conname")), {column.name}});
  } else if (kind != "CONSTR_NULL") {
    refuse(constraint_name(kind));
  }
}

void TreeBuilder::table_constraint(raw::object fields, CreateTable& into) const {
  const std::string_view kind = raw::text_of(fields, "contype");
  if (kind != "CONSTR_PRIMARY" && kind != "CONSTR_UNIQUE") refuse(constraint_name(kind));
  allow_fields(fields, {"contype", "conname", "location", "keys"},
               {{"including", "INCLUDE"},
                {"deferrable", "a deferrable constraint"},
                {"initdeferred", "a deferrable constraint"},
                {"nulls_not_distinct", "NULLS NOT DISTINCT"},
                {"indexname", "USING INDEX"},
                {"options", "WITH (...) for an index"},
                {"indexspace", "TABLESPACE"}});
  std::vector<std::string> columns;
  for (const raw::element key : raw::array(fields["keys"])) {
    columns.emplace_back(raw::text_of(raw::Node(key).fields, "sval"));
  }
  if (kind == "CONSTR_UNIQUE") {
    into.unique.push_back({std::string(raw::text_of(fields, "conname")), std::move(columns)});
    return;
  }
  if (!into.primary_key.empty()) {
    SqlError error(sqlstate::invalid_table_definition,
                   "multiple primary keys for table \"" + into.table.name + "\" are not allowed");
    error.at(position_of(fields));
    throw error;
  }
  into.primary_key_name = raw::text_of(fields, "conname");
  into.primary_key = std::move(columns);
}

void TreeBuilder::column_definition(raw::object fields, CreateTable& into) {
  allow_fields(fields, {"colname", "typeName", "is_local", "constraints", "location"},
               {{"collClause", "COLLATE"}, {"compression", "COMPRESSION"}, {"fdwoptions", "OPTIONS"}});
  ColumnDefinition column;
  column.name = raw::text_of(fields, "colname");
  column.type = type_of(fields["typeName"]);
  for (const ColumnDefinition& earlier : into.columns) {
    if (earlier.name == column.name) {
      throw SqlError(sqlstate::duplicate_column, "column \"" + column.name + "\" specified more than once");
    }
  }
  raw::array constraints;
  if (fields["constraints"].get(constraints) == simdjson::SUCCESS) {
    for (const raw::element constraint : constraints) column_constraint(raw::Node(constraint).fields, column, into);
  }
  into.columns.push_back(std::move(column));
}

namespace {

// The columns of a key exist, once each.
void check_key(CreateTable& table, const std::vector<std::string>& key, const char* kind) {
  for (auto name = key.begin(); name != key.end(); ++name) {
    if (std::find(key.begin(), name, *name) != name) {
      throw SqlError(sqlstate::duplicate_column, "column \"" + *name + "\" appears twice in " + kind + " constraint");
    }
    const auto column =
        std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& c) { return c.name == *name; });
    if (column == table.columns.end()) {
      throw SqlError(sqlstate::undefined_column, "column \"" + *name + "\" named in key does not exist");
    }
  }
}

}  // namespace

// Checks the keys; makes the primary key's columns NOT NULL; leaves out, as PostgreSQL does, a constraint that says
// nothing new, whose name goes to the one that said it if that has none.
void TreeBuilder::finish_keys(CreateTable& table) const {
  check_key(table, table.primary_key, "primary key");
  for (ColumnDefinition& column : table.columns) {
    const auto& key = table.primary_key;
    if (std::find(key.begin(), key.end(), column.name) != key.end()) column.not_null = true;
  }
  std::vector<UniqueConstraint> kept;
  for (UniqueConstraint& constraint : table.unique) {
    check_key(table, constraint.columns, "unique");
    std::string* earlier = nullptr;
    if (constraint.columns == table.primary_key) earlier = &table.primary_key_name;
    for (UniqueConstraint& other : kept) {
      if (other.columns == constraint.columns) earlier = &other.name;
    }
    if (earlier == nullptr) {
      kept.push_back(std::move(constraint));
    } else if (earlier->empty()) {
      *earlier = std::move(constraint.name);
    }
  }
  table.unique = std::move(kept);
}

CreateTable TreeBuilder::create_table(raw::object fields) {
  allow_fields(fields, {"relation", "tableElts", "oncommit", "if_not_exists"},
               {{"inhRelations", "INHERITS"},
                {"partbound", "PARTITION OF"},
                {"partspec", "PARTITION BY"},
                {"options", "WITH (...) for a table"},
                {"tablespacename", "TABLESPACE"},
                {"accessMethod", "USING for a table"},
                {"ofTypename", "OF type"}});
  CreateTable out;
  const raw::object relation = fields["relation"];
  if (raw::text_of(relation, "relpersistence") == "t") refuse("a temporary table");
  if (raw::text_of(relation, "relpersistence") == "u") refuse("an unlogged table");
  out.table = table_name(relation);
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  raw::array definitions;
  if (fields["tableElts"].get(definitions) == simdjson::SUCCESS) {
    for (const raw::element element : definitions) {
      const raw::Node node(element);
      if (node.kind == "ColumnDef") {
        column_definition(node.fields, out);
      } else if (node.kind == "Constraint") {
        table_constraint(node.fields, out);
      } else {
        refuse("LIKE in CREATE TABLE");
      }
    }
  }
  finish_keys(out);
  return out;
}

StatementBody TreeBuilder::drop(raw::object fields) const {
  allow_fields(fields, {"objects", "removeType", "behavior", "missing_ok"}, {{"concurrent", "CONCURRENTLY"}});
  const std::string_view kind = raw::text_of(fields, "removeType");
  std::vector<TableName> dropped;
  for (const raw::element object : raw::array(fields["objects"])) {
    raw::array parts;
    // The name of a schema or a role is not a list.
    if (raw::Node(object).fields["items"].get(parts) != simdjson::SUCCESS) refuse("DROP of this kind of object");
    std::vector<std::string> names;
    for (const raw::element part : parts) names.emplace_back(raw::text_of(raw::Node(part).fields, "sval"));
    if (names.size() > 2) refuse("a cross-database reference");
    TableName name;
    name.name = names.back();
    if (names.size() == 2) name.schema = names.front();
    dropped.push_back(std::move(name));
  }
  const bool if_exists = raw::flag_of(fields, "missing_ok");
  if (kind == "OBJECT_TABLE") return DropTable{std::move(dropped), if_exists};
  if (kind == "OBJECT_INDEX") return DropIndex{std::move(dropped), if_exists};
  if (kind == "OBJECT_SEQUENCE") return DropSequence{std::move(dropped), if_exists};
  refuse("DROP of anything but a table, an index or a sequence");
}

CreateIndex TreeBuilder::create_index(raw::object fields) const {
  allow_fields(fields, {"idxname", "relation", "accessMethod", "indexParams", "unique", "if_not_exists"},
               {{"indexIncludingParams", "INCLUDE"},
                {"whereClause", "a partial index"},
                {"options", "WITH (...) for an index"},
                {"tableSpace", "TABLESPACE"},
                {"concurrent", "CONCURRENTLY"},
                {"nulls_not_distinct", "NULLS NOT DISTINCT"}});
  const std::string method(raw::text_of(fields, "accessMethod"));
  if (method != "btree") refuse("access method \"" + method + "\"");
  CreateIndex out;
  out.name = raw::text_of(fields, "idxname");
  out.table = table_name(fields["relation"]);
  out.unique = raw::flag_of(fields, "unique");
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  for (const raw::element element : raw::array(fields["indexParams"])) {
    const raw::object column = raw::Node(element).fields;
    allow_fields(column, {"name", "ordering", "nulls_ordering"},
                 {{"expr", "an index on an expression"},
                  {"collation", "COLLATE"},
                  {"opclass", "an operator class"},
                  {"opclassopts", "an operator class"}});
    if (raw::text_of(column, "ordering") == "SORTBY_DESC") refuse("a descending index");
    if (raw::text_of(column, "nulls_ordering") == "SORTBY_NULLS_FIRST") refuse("NULLS FIRST in an index");
    out.columns.emplace_back(raw::text_of(column, "name"));
  }
  return out;
}

// A number of an option, such as the 5 of START WITH 5.
std::int64_t TreeBuilder::option_integer(raw::object option) const {
  const raw::Node value{raw::element(option["arg"])};
  if (value.kind == "Integer") {
    const std::int64_t number = raw::integer_of(value.fields, "ival");
    return number != 0 ? number : reread_integer(option);
  }
  return from_text(raw::text_of(value.fields, "fval"), TypeId::int8).as_integer();
}

CreateSequence TreeBuilder::create_sequence(raw::object fields) const {
  allow_fields(fields, {"sequence", "options", "if_not_exists"});
  CreateSequence out;
  const raw::object relation = fields["sequence"];
  if (raw::text_of(relation, "relpersistence") == "t") refuse("a temporary sequence");
  if (raw::text_of(relation, "relpersistence") == "u") refuse("an unlogged sequence");
  out.sequence = table_name(relation);
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  raw::array options;
  if (fields["options"].get(options) != simdjson::SUCCESS) return out;
  std::vector<std::string_view> seen;
  for (const raw::element element : options) {
    const raw::object option = raw::Node(element).fields;
    const std::string_view name = raw::text_of(option, "defname");
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      throw SqlError(sqlstate::syntax_error, "conflicting or redundant options").at(position_of(option));
    }
    seen.push_back(name);
    const bool given = raw::has(option, "arg");  // not so for NO MINVALUE and NO MAXVALUE
    if (name == "as") {
      out.type = type_of(raw::Node(option["arg"]).fields);
      if (out.type != TypeId::int4 && out.type != TypeId::int8) {
        throw SqlError(sqlstate::invalid_parameter_value, "sequence type must be smallint, integer, or bigint");
      }
    } else if (name == "start") {
      out.start = option_integer(option);
    } else if (name == "increment") {
      out.increment = option_integer(option);
    } else if (name == "minvalue") {
      if (given) out.minimum = option_integer(option);
    } else if (name == "maxvalue") {
      if (given) out.maximum = option_integer(option);
    } else if (name == "cycle") {
      out.cycle = raw::flag_of(raw::Node(option["arg"]).fields, "boolval");
    } else if (name == "cache") {
      const std::int64_t cache = option_integer(option);
      if (cache <= 0) {
        throw SqlError(sqlstate::invalid_parameter_value,
                       "CACHE (" + std::to_string(cache) + ") must be greater than zero");
      }
    } else if (name == "owned_by") {
      // NONE is a list of one name, a column one of at least two.
      if (raw::array(raw::Node(option["arg"]).fields["items"]).size() > 1) refuse("OWNED BY");
    } else {
      refuse("the option " + std::string(name) + " of a sequence");
    }
  }
  return out;
}

}  // namespace polarsim::engine::sql
