#include <algorithm>
#include <optional>
#include <utility>

#include "engine/syntax/statement_names.h"
#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

using ActionKind = AlterTable::Action::Kind;

std::optional<ObjectKind> find_kind(std::string_view name) {
  static constexpr std::pair<std::string_view, ObjectKind> kinds[] = {
      {"OBJECT_TABLE", ObjectKind::table},       {"OBJECT_INDEX", ObjectKind::index},
      {"OBJECT_SEQUENCE", ObjectKind::sequence}, {"OBJECT_VIEW", ObjectKind::view},
      {"OBJECT_SCHEMA", ObjectKind::schema},     {"OBJECT_MATVIEW", ObjectKind::materialized_view},
      {"OBJECT_DATABASE", ObjectKind::database}, {"OBJECT_ROLE", ObjectKind::role},
      {"OBJECT_TYPE", ObjectKind::type},         {"OBJECT_EXTENSION", ObjectKind::extension},
  };
  for (const auto& [written, kind] : kinds) {
    if (written == name) return kind;
  }
  return std::nullopt;
}

ObjectKind kind_of(std::string_view name, std::string_view statement) {
  if (const std::optional<ObjectKind> kind = find_kind(name)) return *kind;
  refuse(std::string(statement) + ' ' + object_kind_name(name));
}

bool cascades(raw::object fields) { return raw::text_of(fields, "behavior") == "DROP_CASCADE"; }

// What ALTER TABLE cannot do here, by the words PostgreSQL's own messages use (tablecmds.c).
std::string_view action_name(std::string_view subtype) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"AT_SetStatistics", "ALTER COLUMN ... SET STATISTICS"},
      {"AT_SetOptions", "ALTER COLUMN ... SET"},
      {"AT_ResetOptions", "ALTER COLUMN ... RESET"},
      {"AT_SetStorage", "ALTER COLUMN ... SET STORAGE"},
      {"AT_SetCompression", "ALTER COLUMN ... SET COMPRESSION"},
      {"AT_SetIdentity", "ALTER COLUMN ... SET GENERATED"},
      {"AT_AlterConstraint", "ALTER CONSTRAINT"},
      {"AT_ClusterOn", "CLUSTER ON"},
      {"AT_DropCluster", "SET WITHOUT CLUSTER"},
      {"AT_SetLogged", "SET LOGGED"},
      {"AT_SetUnLogged", "SET UNLOGGED"},
      {"AT_SetAccessMethod", "SET ACCESS METHOD"},
      {"AT_SetTableSpace", "SET TABLESPACE"},
      {"AT_EnableTrig", "ENABLE TRIGGER"},
      {"AT_EnableAlwaysTrig", "ENABLE ALWAYS TRIGGER"},
      {"AT_EnableReplicaTrig", "ENABLE REPLICA TRIGGER"},
      {"AT_DisableTrig", "DISABLE TRIGGER"},
      {"AT_EnableTrigAll", "ENABLE TRIGGER ALL"},
      {"AT_DisableTrigAll", "DISABLE TRIGGER ALL"},
      {"AT_EnableTrigUser", "ENABLE TRIGGER USER"},
      {"AT_DisableTrigUser", "DISABLE TRIGGER USER"},
      {"AT_EnableRule", "ENABLE RULE"},
      {"AT_EnableAlwaysRule", "ENABLE ALWAYS RULE"},
      {"AT_EnableReplicaRule", "ENABLE REPLICA RULE"},
      {"AT_DisableRule", "DISABLE RULE"},
      {"AT_AddInherit", "INHERIT"},
      {"AT_DropInherit", "NO INHERIT"},
      {"AT_AddOf", "OF"},
      {"AT_DropOf", "NOT OF"},
      {"AT_ReplicaIdentity", "REPLICA IDENTITY"},
      {"AT_EnableRowSecurity", "ENABLE ROW LEVEL SECURITY"},
      {"AT_DisableRowSecurity", "DISABLE ROW LEVEL SECURITY"},
      {"AT_ForceRowSecurity", "FORCE ROW LEVEL SECURITY"},
      {"AT_NoForceRowSecurity", "NO FORCE ROW LEVEL SECURITY"},
      {"AT_GenericOptions", "OPTIONS"},
      {"AT_AttachPartition", "ATTACH PARTITION"},
      {"AT_DetachPartition", "DETACH PARTITION"},
      {"AT_DetachPartitionFinalize", "DETACH PARTITION ... FINALIZE"},
  };
  for (const auto& [written, name] : names) {
    if (written == subtype) return name;
  }
  return subtype;
}

std::optional<ActionKind> find_action(std::string_view subtype) {
  static constexpr std::pair<std::string_view, ActionKind> kinds[] = {
      {"AT_AddColumn", ActionKind::add_column},
      {"AT_DropColumn", ActionKind::drop_column},
      {"AT_SetNotNull", ActionKind::set_not_null},
      {"AT_DropNotNull", ActionKind::drop_not_null},
      {"AT_AlterColumnType", ActionKind::set_type},
      {"AT_AddConstraint", ActionKind::add_constraint},
      {"AT_DropConstraint", ActionKind::drop_constraint},
      {"AT_ValidateConstraint", ActionKind::validate_constraint},
      {"AT_SetRelOptions", ActionKind::set_parameters},
      {"AT_ResetRelOptions", ActionKind::reset_parameters},
      {"AT_ChangeOwner", ActionKind::owner},
      {"AT_AddIdentity", ActionKind::add_identity},
      {"AT_DropIdentity", ActionKind::drop_identity},
      {"AT_DropExpression", ActionKind::drop_expression},
      {"AT_ColumnDefault", ActionKind::set_default},
  };
  for (const auto& [written, kind] : kinds) {
    if (written == subtype) return kind;
  }
  return std::nullopt;
}

}  // namespace

std::string TreeBuilder::role_name(raw::object fields) const {
  const std::string_view type = raw::text_of(fields, "roletype");
  if (type == "ROLESPEC_CURRENT_USER") return "current_user";
  if (type == "ROLESPEC_SESSION_USER") return "session_user";
  if (type == "ROLESPEC_CURRENT_ROLE") return "current_role";
  if (type == "ROLESPEC_PUBLIC") refuse("the role PUBLIC in this place", position_of(fields));
  return std::string(raw::text_of(fields, "rolename"));
}

// A list of names, or one, or a type.
TableName TreeBuilder::named_object(raw::element wrapped) const {
  const raw::Node node(wrapped);
  TableName out;
  if (node.kind == "String") {
    out.name = raw::text_of(node.fields, "sval");
    return out;
  }
  if (node.kind == "TypeName") {
    TypeName type = type_name(node.fields);
    if (type.array_dimensions > 0 || !type.modifiers.empty()) refuse("a type with modifiers in this place");
    out.schema = std::move(type.schema);
    out.name = std::move(type.name);
    out.position = type.position;
    return out;
  }
  if (node.kind != "List") refuse("an object of kind " + std::string(node.kind) + " in this place");
  std::vector<std::string> names = object_name(node.fields, "items", 0);
  out.schema = std::move(names.front());
  out.name = std::move(names.back());
  return out;
}

Drop TreeBuilder::drop(const raw::Node& node) const {
  Drop out;
  const raw::object fields = node.fields;
  out.if_exists = raw::flag_of(fields, "missing_ok");
  if (node.kind == "DropdbStmt") {
    if (raw::size_of(fields, "options") > 0) refuse("DROP DATABASE WITH");
    out.kind = ObjectKind::database;
    out.objects.emplace_back().name = raw::text_of(fields, "dbname");
    return out;
  }
  if (node.kind == "DropRoleStmt") {
    out.kind = ObjectKind::role;
    raw::for_each(fields, "roles",
                  [&](raw::element role) { out.objects.emplace_back().name = role_name(raw::Node(role).fields); });
    return out;
  }
  out.kind = kind_of(raw::text_of(fields, "removeType"), "DROP");
  raw::for_each(fields, "objects", [&](raw::element object) { out.objects.push_back(named_object(object)); });
  out.cascade = cascades(fields);
  out.concurrently = raw::flag_of(fields, "concurrent");
  return out;
}

AlterTable::Action TreeBuilder::alter_action(raw::object fields) {
  const std::string_view subtype = raw::text_of(fields, "subtype");
  const std::optional<ActionKind> kind = find_action(subtype);
  if (!kind) refuse("ALTER TABLE ... " + std::string(action_name(subtype)));
  AlterTable::Action out;
  out.kind = *kind;
  out.column = raw::text_of(fields, "name");
  out.cascade = cascades(fields);
  const bool missing_ok = raw::flag_of(fields, "missing_ok");
  (out.kind == ActionKind::add_column ? out.if_not_exists : out.if_exists) = missing_ok;
  raw::element definition;
  const bool defined = fields["def"].get(definition) == simdjson::SUCCESS;
  switch (out.kind) {
    case ActionKind::add_column:
      out.definition = column_definition(raw::Node(definition).fields);
      break;
    case ActionKind::set_default:
      if (defined) {
        out.expression = expression(definition);
      } else {
        out.kind = ActionKind::drop_default;
      }
      break;
    case ActionKind::set_type: {
      const raw::object column = raw::Node(definition).fields;
      out.collation = collation(column);
      out.type = type_name(column["typeName"]);
      out.expression = optional_expression(column, "raw_default");
      break;
    }
    case ActionKind::add_constraint:
    case ActionKind::add_identity:
      out.constraint = constraint(raw::Node(definition).fields);
      break;
    case ActionKind::set_parameters:
    case ActionKind::reset_parameters:
      out.parameters = parameters(raw::Node(definition).fields, "items");
      break;
    case ActionKind::owner:
      out.column = role_name(fields["newowner"]);
      break;
    default:
      break;
  }
  return out;
}

// ALTER VIEW, SCHEMA, ... OWNER TO, but for tables, whose grammar has it among ALTER TABLE's.
AlterTable TreeBuilder::alter_owner(const raw::Node& node) const {
  const std::string_view kind = raw::text_of(node.fields, "objectType");
  if (kind != "OBJECT_SCHEMA") refuse(statement_name(node));
  AlterTable out;
  out.kind = ObjectKind::schema;
  out.table = named_object(node.fields["object"]);
  AlterTable::Action& action = out.actions.emplace_back();
  action.kind = ActionKind::owner;
  action.column = role_name(node.fields["newowner"]);
  return out;
}

AlterTable TreeBuilder::alter_table(raw::object fields) {
  AlterTable out;
  out.kind = kind_of(raw::text_of(fields, "objtype"), "ALTER");
  if (out.kind == ObjectKind::type) refuse("ALTER TYPE");
  out.table = table_name(fields["relation"]);
  out.if_exists = raw::flag_of(fields, "missing_ok");
  raw::for_each(fields, "cmds", [&](raw::element command) {
    const raw::object action = raw::Node(command).fields;
    // SET WITHOUT OIDS: no table has had any for long.
    if (raw::text_of(action, "subtype") != "AT_DropOids") out.actions.push_back(alter_action(action));
  });
  return out;
}

Rename TreeBuilder::rename(raw::object fields) const {
  Rename out;
  std::string_view kind = raw::text_of(fields, "renameType");
  out.new_name = raw::text_of(fields, "newname");
  out.if_exists = raw::flag_of(fields, "missing_ok");
  if (kind == "OBJECT_COLUMN" || kind == "OBJECT_TABCONSTRAINT") {
    out.what = kind == "OBJECT_COLUMN" ? Rename::What::column : Rename::What::constraint;
    out.old_name = raw::text_of(fields, "subname");
    kind = kind == "OBJECT_COLUMN" ? raw::text_of(fields, "relationType") : "OBJECT_TABLE";
  }
  out.kind = kind_of(kind, "ALTER");
  raw::object relation;
  raw::element object;
  if (fields["relation"].get(relation) == simdjson::SUCCESS) {
    out.object = table_name(relation);
  } else if (fields["object"].get(object) == simdjson::SUCCESS) {
    out.object = named_object(object);
  } else {
    out.object.name = raw::text_of(fields, "subname");
  }
  return out;
}

AlterSchema TreeBuilder::alter_schema(raw::object fields) const {
  AlterSchema out;
  out.kind = kind_of(raw::text_of(fields, "objectType"), "ALTER");
  raw::object relation;
  if (fields["relation"].get(relation) == simdjson::SUCCESS) {
    out.object = table_name(relation);
  } else {
    out.object = named_object(fields["object"]);
  }
  out.schema = raw::text_of(fields, "newschema");
  out.if_exists = raw::flag_of(fields, "missing_ok");
  return out;
}

Comment TreeBuilder::comment(raw::object fields) const {
  Comment out;
  const std::string_view kind = raw::text_of(fields, "objtype");
  std::string_view text;
  if (fields["comment"].get(text) == simdjson::SUCCESS) out.text = std::string(text);
  if (kind != "OBJECT_COLUMN") {
    out.kind = kind_of(kind, "COMMENT ON");
    out.object = named_object(fields["object"]);
    return out;
  }
  std::vector<std::string> names = raw::strings_of(raw::Node(fields["object"]).fields, "items");
  if (names.size() < 2) throw SqlError(sqlstate::syntax_error, "column name must be qualified");
  if (names.size() > 3) refuse("a column of another database");
  out.column = std::move(names.back());
  out.object.name = std::move(names[names.size() - 2]);
  if (names.size() == 3) out.object.schema = std::move(names.front());
  return out;
}

RefreshMaterializedView TreeBuilder::refresh(raw::object fields) const {
  RefreshMaterializedView out;
  out.view = table_name(fields["relation"]);
  out.concurrently = raw::flag_of(fields, "concurrent");
  out.with_data = !raw::flag_of(fields, "skipData");
  return out;
}

Truncate TreeBuilder::truncate(raw::object fields) const {
  Truncate out;
  out.tables = table_names(fields, "relations");
  out.restart_identity = raw::flag_of(fields, "restart_seqs");
  out.cascade = cascades(fields);
  return out;
}

}  // namespace polarsim::engine::syntax
