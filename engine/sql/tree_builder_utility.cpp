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
  if (kind == "CONSTR_UNIQUE") return "a UNIQUE constraint";
  if (kind == "CONSTR_CHECK") return "a CHECK constraint";
  if (kind == "CONSTR_FOREIGN") return "a FOREIGN KEY constraint";
  if (kind == "CONSTR_GENERATED" || kind == "CONSTR_IDENTITY") return "a GENERATED column";
  if (kind == "CONSTR_EXCLUSION") return "an EXCLUDE constraint";
  return "a deferrable constraint";
}

std::string as_text(std::string_view view) { return std::string(view); }

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
  } else if (kind != "CONSTR_NULL") {
    refuse(constraint_name(kind));
  }
}

void TreeBuilder::table_constraint(raw::object fields, CreateTable& into) const {
  const std::string_view kind = raw::text_of(fields, "contype");
  if (kind != "CONSTR_PRIMARY") refuse(constraint_name(kind));
  allow_fields(fields, {"contype", "conname", "location", "keys"},
               {{"including", "INCLUDE"},
                {"deferrable", "a deferrable constraint"},
                {"initdeferred", "a deferrable constraint"}});
  if (!into.primary_key.empty()) {
    SqlError error(sqlstate::invalid_table_definition,
                   "multiple primary keys for table \"" + into.table.name + "\" are not allowed");
    error.at(position_of(fields));
    throw error;
  }
  into.primary_key_name = raw::text_of(fields, "conname");
  for (const raw::element key : raw::array(fields["keys"])) {
    into.primary_key.emplace_back(raw::text_of(raw::Node(key).fields, "sval"));
  }
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

// The key's columns exist, once each, and are NOT NULL from here on.
void TreeBuilder::finish_primary_key(CreateTable& table) const {
  for (std::size_t i = 0; i < table.primary_key.size(); ++i) {
    const std::string& name = table.primary_key[i];
    const auto begin = table.primary_key.begin();
    if (std::find(begin, begin + static_cast<std::ptrdiff_t>(i), name) != begin + static_cast<std::ptrdiff_t>(i)) {
      throw SqlError(sqlstate::duplicate_column, "column \"" + name + "\" appears twice in primary key constraint");
    }
    const auto column =
        std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& c) { return c.name == name; });
    if (column == table.columns.end()) {
      throw SqlError(sqlstate::undefined_column, "column \"" + name + "\" named in key does not exist");
    }
    column->not_null = true;
  }
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
  finish_primary_key(out);
  return out;
}

DropTable TreeBuilder::drop_table(raw::object fields) const {
  if (raw::text_of(fields, "removeType") != "OBJECT_TABLE") refuse("DROP of anything but a table");
  // CASCADE and RESTRICT are the same here: nothing can depend on a table.
  allow_fields(fields, {"objects", "removeType", "behavior", "missing_ok"});
  DropTable out;
  out.if_exists = raw::flag_of(fields, "missing_ok");
  for (const raw::element object : raw::array(fields["objects"])) {
    std::vector<std::string> names;
    for (const raw::element part : raw::array(raw::Node(object).fields["items"])) {
      names.emplace_back(raw::text_of(raw::Node(part).fields, "sval"));
    }
    if (names.size() > 2) refuse("a cross-database reference");
    TableName table;
    table.name = names.back();
    if (names.size() == 2) table.schema = names.front();
    out.tables.push_back(std::move(table));
  }
  return out;
}

TransactionControl TreeBuilder::transaction(raw::object fields) const {
  using ControlKind = TransactionControl::Kind;
  static constexpr std::pair<std::string_view, ControlKind> kinds[] = {
      {"TRANS_STMT_BEGIN", ControlKind::begin},
      {"TRANS_STMT_START", ControlKind::begin},
      {"TRANS_STMT_COMMIT", ControlKind::commit},
      {"TRANS_STMT_ROLLBACK", ControlKind::rollback},
      {"TRANS_STMT_PREPARE", ControlKind::prepare},
      {"TRANS_STMT_COMMIT_PREPARED", ControlKind::commit_prepared},
      {"TRANS_STMT_ROLLBACK_PREPARED", ControlKind::rollback_prepared},
  };
  const std::string_view kind = raw::text_of(fields, "kind");
  const auto* const known =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& entry) { return entry.first == kind; });
  if (known == std::end(kinds)) refuse("a savepoint");
  allow_fields(fields, {"kind", "gid", "options"}, {{"chain", "AND CHAIN"}});
  TransactionControl out;
  out.kind = known->second;
  out.gid = raw::text_of(fields, "gid");
  raw::array options;
  if (fields["options"].get(options) == simdjson::SUCCESS) {
    for (const raw::element option : options) {
      const raw::object named = raw::Node(option).fields;
      const std::string_view name = raw::text_of(named, "defname");
      if (name == "transaction_isolation") {
        out.isolation = setting_text(raw::Node(named["arg"]).fields);
      } else if (raw::integer_of(raw::object(raw::Node(named["arg"]).fields["ival"]), "ival") != 0) {
        refuse(name == "transaction_read_only" ? "READ ONLY" : "DEFERRABLE");
      }
    }
  }
  return out;
}

std::string TreeBuilder::setting_text(raw::object fields) const {
  raw::object wrapped;
  if (fields["sval"].get(wrapped) == simdjson::SUCCESS) return as_text(raw::text_of(wrapped, "sval"));
  if (fields["fval"].get(wrapped) == simdjson::SUCCESS) return as_text(raw::text_of(wrapped, "fval"));
  if (fields["ival"].get(wrapped) != simdjson::SUCCESS) refuse("this kind of setting");
  const std::int64_t value = raw::integer_of(wrapped, "ival");
  return std::to_string(value != 0 ? value : reread_integer(fields));
}

StatementBody TreeBuilder::set_variable(raw::object fields) const {
  const std::string_view kind = raw::text_of(fields, "kind");
  SetVariable out;
  out.name = raw::text_of(fields, "name");
  out.local = raw::flag_of(fields, "is_local");
  if (kind == "VAR_RESET_ALL") {
    out.name = "all";
    out.reset = true;
    return out;
  }
  if (kind == "VAR_SET_DEFAULT" || kind == "VAR_RESET") {
    out.reset = true;
    return out;
  }
  if (kind == "VAR_SET_CURRENT") refuse("SET ... FROM CURRENT");
  if (kind == "VAR_SET_MULTI") {
    const bool session = out.name == "SESSION CHARACTERISTICS";
    if (!session && out.name != "TRANSACTION") refuse("SET " + out.name);
    for (const raw::element option : raw::array(fields["args"])) {
      const raw::object named = raw::Node(option).fields;
      if (raw::text_of(named, "defname") != "transaction_isolation")
        refuse("a transaction mode other than the isolation level");
      out.value = setting_text(raw::Node(named["arg"]).fields);
    }
    out.name = session ? "default_transaction_isolation" : "transaction_isolation";
    out.local = !session;
    return out;
  }
  bool first = true;
  for (const raw::element argument : raw::array(fields["args"])) {
    const raw::Node value(argument);
    if (value.kind != "A_Const") refuse("this kind of setting");
    if (!first) out.value += ", ";
    first = false;
    out.value += setting_text(value.fields);
  }
  return out;
}

}  // namespace polarsim::engine::sql
