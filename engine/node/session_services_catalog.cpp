// Settings, names and definitions of objects, as functions of a session: a part of LocalServices.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/executor/definition_texts.h"
#include "engine/executor/system_views.h"
#include "engine/executor/system_views_catalog.h"
#include "engine/node/session_services.h"
#include "engine/syntax/object_names.h"
#include "engine/types/array.h"
#include "engine/types/object_numbers.h"
#include "engine/types/quote.h"

namespace polarsim::engine {

// --- settings ---

Value LocalServices::current_setting(const FunctionCall& call) {
  try {
    return Value::text(session_.setting(call[0].as_text()));
  } catch (const SqlError& error) {
    const bool missing_ok = call.size() > 1 && call[1].as_boolean();
    if (missing_ok && error.sqlstate() == sqlstate::undefined_object) return Value::null();
    throw;
  }
}

Value LocalServices::set_config(const FunctionCall& call) {
  if (call[0].is_null()) throw SqlError(sqlstate::null_value_not_allowed, "SET requires parameter name");
  const std::string_view value = call[1].is_null() ? std::string_view() : call[1].as_text();
  session_.set(call[0].as_text(), value, !call[2].is_null() && call[2].as_boolean());
  return Value::text(session_.setting(call[0].as_text()));
}

Value LocalServices::version(const FunctionCall&) { return Value::text("PostgreSQL 15.0 (polarsim)"); }
Value LocalServices::current_database(const FunctionCall&) { return Value::text(database_name); }
Value LocalServices::current_query(const FunctionCall&) { return Value::text(session_.query()); }
Value LocalServices::encoding(const FunctionCall&) { return Value::text("UTF8"); }
Value LocalServices::current_user(const FunctionCall&) { return Value::text(role_name); }

Value LocalServices::current_schema(const FunctionCall&) {
  const std::vector<std::string> path = session_.search_path();
  return path.empty() ? Value::null() : Value::text(path.front());
}

Value LocalServices::current_schemas(const FunctionCall& call) {
  std::vector<Value> names;
  const std::vector<std::string> path = session_.search_path();
  const bool implicit = call[0].as_boolean();
  if (implicit && std::find(path.begin(), path.end(), catalog::system_schema) == path.end())
    names.push_back(Value::text(catalog::system_schema));
  for (const std::string& schema : path) names.push_back(Value::text(schema));
  return Value::array(Array(TypeId::name, std::move(names)));
}

// --- names ---

std::optional<catalog::Relation> LocalServices::find_relation(std::int64_t id) const {
  auto found = database_.catalog().find(session_.transaction(), static_cast<storage::RelationId>(id));
  if (found && found->description->kind == catalog::RelationKind::schema) return std::nullopt;
  return found;
}

std::optional<catalog::Relation> LocalServices::find_by_name(std::string_view written) const {
  const syntax::TableName name = syntax::parse_relation_name(written);
  const catalog::Catalog& catalog = database_.catalog();
  if (name.schema.empty()) return catalog.find(session_.transaction(), session_.search_path(), name.name);
  return catalog.find_in_schema(session_.transaction(), name.schema, name.name);
}

bool LocalServices::is_visible(const catalog::Relation& relation) const {
  const auto found =
      database_.catalog().find(session_.transaction(), session_.search_path(), relation.description->name);
  return found && found->id == relation.id;
}

std::string LocalServices::relation_name(std::uint32_t id) const {
  if (const executor::SystemView* const view = executor::find_system_view(id)) {
    const std::string name = quote_identifier(view->relation->name);
    return view->relation->schema == catalog::system_schema ? name : view->relation->schema + "." + name;
  }
  const auto relation = find_relation(id);
  if (!relation) return fmt::to_string(id);
  const std::string name = quote_identifier(relation->description->name);
  return is_visible(*relation) ? name : quote_identifier(relation->description->schema) + "." + name;
}

std::string LocalServices::object_name(TypeId type, std::uint32_t oid) {
  if (type == TypeId::regclass) return relation_name(oid);
  if (type == TypeId::regnamespace) {
    const auto found = database_.catalog().find(session_.transaction(), oid);
    if (oid == executor::information_schema_oid) return executor::information_schema;
    const bool schema = found && found->description->kind == catalog::RelationKind::schema;
    return schema ? quote_identifier(found->description->name) : fmt::to_string(oid);
  }
  if (type != TypeId::regproc) return fmt::to_string(oid);
  if (const FunctionEntry* const function = function_of_number(oid)) return function->name;
  const std::string name = io_function_name(oid);
  return name.empty() ? fmt::to_string(oid) : name;
}

std::uint32_t LocalServices::relation_number(std::string_view name) const {
  const syntax::TableName written = syntax::parse_relation_name(name);
  if (const auto* const view = executor::find_system_view(written.schema, written.name)) return view->relation->id;
  if (const auto found = find_by_name(name)) return found->id;
  const bool schema_exists = written.schema.empty() || schema_number(written.schema) != 0;
  if (!schema_exists)
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", written.schema));
  const std::string shown = written.schema.empty() ? written.name : written.schema + "." + written.name;
  throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", shown));
}

std::uint32_t LocalServices::schema_number(std::string_view name) const {
  if (name == executor::information_schema) return executor::information_schema_oid;
  return database_.catalog().schema_id(session_.transaction(), name);
}

std::uint32_t LocalServices::object_number(TypeId type, std::string_view name) {
  if (type == TypeId::regclass) return relation_number(name);
  if (type == TypeId::regnamespace) {
    const std::string schema = syntax::parse_relation_name(name).name;
    if (const std::uint32_t id = schema_number(schema); id != 0) return id;
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", schema));
  }
  const std::string function = syntax::parse_relation_name(name).name;
  const auto functions = functions_named(function);
  if (functions.size() == 1) return number_of(*functions.front());
  if (const std::uint32_t number = io_function_number(function); number != 0 && functions.empty()) return number;
  if (!functions.empty()) {
    throw SqlError(sqlstate::ambiguous_function, fmt::format("more than one function named \"{}\"", name));
  }
  throw SqlError(sqlstate::undefined_function, fmt::format("function \"{}\" does not exist", name));
}

// NULL for what does not exist, or is not the only one of its name; errors for what is no name.
Value LocalServices::to_object(const FunctionCall& call) {
  try {
    return Value::integer(object_number(call.result.id, call[0].as_text()));
  } catch (const SqlError& error) {
    for (const char* missing : {sqlstate::undefined_table, sqlstate::invalid_schema_name, sqlstate::undefined_function,
                                sqlstate::ambiguous_function}) {
      if (error.sqlstate() == missing) return Value::null();
    }
    throw;
  }
}

Value LocalServices::table_is_visible(const FunctionCall& call) {
  const std::int64_t id = call[0].as_integer();
  if (const auto* const view = executor::find_system_view(static_cast<std::uint32_t>(id)))
    return Value::boolean(view->relation->schema == catalog::system_schema);
  const auto relation = find_relation(id);
  if (!relation) return Value::null();
  // The relative hides shards from clients the same way (worker_shard_visibility.c).
  return Value::boolean(is_visible(*relation) && !(session_.is_shard && session_.is_shard(relation->id)));
}

Value LocalServices::is_known_shard(const FunctionCall& call) {
  return Value::boolean(session_.is_shard && session_.is_shard(static_cast<std::uint32_t>(call[0].as_integer())));
}

Value LocalServices::user_by_id(const FunctionCall& call) {
  return Value::text(call[0].as_integer() == executor::database_owner_oid ? executor::database_owner : role_name);
}

// --- sizes ---

Value LocalServices::relation_size(const FunctionCall& call) {
  const auto relation = find_relation(call[0].as_integer());
  if (!relation) return Value::null();
  const auto bytes_of = [&](storage::RelationId file) -> std::int64_t {
    if (file == 0) return 0;
    return static_cast<std::int64_t>(database_.files().block_count(file)) *
           static_cast<std::int64_t>(storage::page_size);
  };
  const std::string_view function = call.function->name;
  std::int64_t bytes = 0;
  if (function != "pg_indexes_size") bytes += bytes_of(relation->file);
  if (function == "pg_table_size" || function == "pg_total_relation_size") bytes += bytes_of(relation->toast);
  if (function == "pg_indexes_size" || function == "pg_total_relation_size") {
    if (const catalog::TablePtr table = database_.catalog().find_table(session_.transaction(), relation->id)) {
      for (const catalog::Index& index : table->indexes) bytes += bytes_of(index.file);
    }
  }
  return Value::integer(bytes);
}

// Of what has no pages: NULL.
Value LocalServices::relation_filenode(const FunctionCall& call) {
  const auto relation = find_relation(call[0].as_integer());
  return relation && relation->file != 0 ? Value::integer(relation->file) : Value::null();
}

// Of the one database: what its relations take.
Value LocalServices::database_size(const FunctionCall&) {
  std::int64_t blocks = 0;
  for (const storage::RelationId file : database_.catalog().files_in_use())
    blocks += static_cast<std::int64_t>(database_.files().block_count(file));
  return Value::integer(blocks * static_cast<std::int64_t>(storage::page_size));
}

// Ordinary tables outside the catalog.
Value LocalServices::is_publishable(const FunctionCall& call) {
  if (executor::find_system_view(static_cast<std::uint32_t>(call[0].as_integer())) != nullptr)
    return Value::boolean(false);
  const auto relation = find_relation(call[0].as_integer());
  if (!relation) return Value::null();
  return Value::boolean(relation->description->kind == catalog::RelationKind::table &&
                        relation->id >= catalog::Table::first_normal_relation);
}

// --- definitions ---

Value LocalServices::index_definition(const FunctionCall& call) {
  const auto index = find_relation(call[0].as_integer());
  if (!index || index->description->kind != catalog::RelationKind::index) return Value::null();
  const auto table = find_relation(index->description->index.table);
  const std::int64_t column = call.size() > 1 ? call[1].as_integer() : 0;
  const bool pretty = call.size() > 2 && call[2].as_boolean();
  const std::vector<std::string> path = session_.search_path();
  const executor::DefinitionTexts texts(database_, transaction(), call.context, path);
  if (column == 0) return Value::text(texts.index(*index->description, *table->description, pretty));
  return Value::text(texts.index_key(*index->description, *table->description, static_cast<int>(column), pretty));
}

Value LocalServices::constraint_definition(const FunctionCall& call) {
  const std::vector<std::string> path = session_.search_path();
  const executor::DefinitionTexts texts(database_, transaction(), call.context, path);
  const std::string text =
      texts.constraint(static_cast<storage::RelationId>(call[0].as_integer()), call.size() > 1 && call[1].as_boolean());
  return text.empty() ? Value::null() : Value::text(text);
}

Value LocalServices::view_definition(const FunctionCall& call) {
  const auto view = call[0].is_text() ? find_by_name(call[0].as_text()) : find_relation(call[0].as_integer());
  if (!view && call[0].is_text()) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", call[0].as_text()));
  }
  if (!view || view->description->kind != catalog::RelationKind::view) return Value::null();
  const std::vector<std::string> path = session_.search_path();
  const executor::DefinitionTexts texts(database_, transaction(), call.context, path);
  return Value::text(texts.view(*view, call.size() > 1 && call[1].as_boolean()));
}

// Expressions are kept as texts. The relation is that whose columns they name; 0 if they name none.
Value LocalServices::expression_definition(const FunctionCall& call) {
  const auto table = find_relation(call[1].as_integer());
  if (!table && call[1].as_integer() != 0) return Value::null();
  const std::vector<std::string> path = session_.search_path();
  const executor::DefinitionTexts texts(database_, transaction(), call.context, path);
  return Value::text(texts.expression(std::string(call[0].as_text()), table ? table->description.get() : nullptr,
                                      call.size() > 2 && call[2].as_boolean()));
}

Value LocalServices::object_description(const FunctionCall& call) {
  const auto found =
      database_.catalog().find(session_.transaction(), static_cast<storage::RelationId>(call[0].as_integer()));
  if (!found) return Value::null();
  const std::string comment = executor::comment_of(*found->description);
  const bool is_schema = found->description->kind == catalog::RelationKind::schema;
  const bool asked_elsewhere = call.size() > 1 && call[1].as_text() != (is_schema ? "pg_namespace" : "pg_class");
  return asked_elsewhere || comment.empty() ? Value::null() : Value::text(comment);
}

Value LocalServices::column_description(const FunctionCall& call) {
  const auto relation = find_relation(call[0].as_integer());
  const std::int64_t number = call[1].as_integer();
  if (!relation || number < 1 || number > static_cast<std::int64_t>(relation->description->columns.size()))
    return Value::null();
  const std::string& comment = relation->description->columns[static_cast<std::size_t>(number - 1)].comment;
  return comment.empty() ? Value::null() : Value::text(comment);
}

Value LocalServices::no_description(const FunctionCall&) { return Value::null(); }

// The one role owns everything: what is looked at is whether there is such a thing. NULL for a number that is none.
Value LocalServices::has_privilege(const FunctionCall& call) {
  const std::string_view function = call.function->name;
  const bool of_column = function == "has_column_privilege";
  const bool names_role = !of_column && call.size() == 3 && call[0].is_text();
  if (names_role && call[0].as_text() != role_name)
    throw SqlError(sqlstate::undefined_object, fmt::format("role \"{}\" does not exist", call[0].as_text()));
  const Value& object = call[of_column ? 0 : call.size() - 2];
  if (of_column || function == "has_table_privilege" || function == "has_sequence_privilege" ||
      function == "has_any_column_privilege") {
    const std::int64_t id = object.is_text() ? relation_number(object.as_text()) : object.as_integer();
    const auto relation = find_relation(id);
    if (executor::find_system_view(static_cast<std::uint32_t>(id)) != nullptr) return Value::boolean(true);
    if (!relation) return Value::null();
    const bool has_column =
        !of_column || !call[1].is_text() || relation->description->find_column(call[1].as_text()) > 0;
    if (has_column) return Value::boolean(true);
    throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                                           call[1].as_text(), relation->description->name));
  }
  if (function == "has_schema_privilege" && object.is_text() && schema_number(object.as_text()) == 0) {
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", object.as_text()));
  }
  if (function == "has_database_privilege" && object.is_text() && object.as_text() != database_name)
    throw SqlError("3D000", fmt::format("database \"{}\" does not exist", object.as_text()));
  return Value::boolean(true);
}

}  // namespace polarsim::engine
