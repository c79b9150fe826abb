#include "engine/syntax/statement_names.h"

#include <utility>

namespace polarsim::engine::syntax {
namespace {

constexpr std::pair<std::string_view, std::string_view> names[] = {
    {"AlterCollationStmt", "ALTER COLLATION"},
    {"AlterDatabaseRefreshCollStmt", "ALTER DATABASE"},
    {"AlterDatabaseSetStmt", "ALTER DATABASE"},
    {"AlterDatabaseStmt", "ALTER DATABASE"},
    {"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES"},
    {"AlterDomainStmt", "ALTER DOMAIN"},
    {"AlterEnumStmt", "ALTER TYPE"},
    {"AlterEventTrigStmt", "ALTER EVENT TRIGGER"},
    {"AlterExtensionContentsStmt", "ALTER EXTENSION"},
    {"AlterExtensionStmt", "ALTER EXTENSION"},
    {"AlterFdwStmt", "ALTER FOREIGN DATA WRAPPER"},
    {"AlterForeignServerStmt", "ALTER SERVER"},
    {"AlterFunctionStmt", "ALTER FUNCTION"},
    {"AlterOpFamilyStmt", "ALTER OPERATOR FAMILY"},
    {"AlterOperatorStmt", "ALTER OPERATOR"},
    {"AlterPolicyStmt", "ALTER POLICY"},
    {"AlterPublicationStmt", "ALTER PUBLICATION"},
    {"AlterRoleSetStmt", "ALTER ROLE"},
    {"AlterRoleStmt", "ALTER ROLE"},
    {"AlterStatsStmt", "ALTER STATISTICS"},
    {"AlterSubscriptionStmt", "ALTER SUBSCRIPTION"},
    {"AlterSystemStmt", "ALTER SYSTEM"},
    {"AlterTableMoveAllStmt", "ALTER TABLE ALL IN TABLESPACE"},
    {"AlterTableSpaceOptionsStmt", "ALTER TABLESPACE"},
    {"AlterTSConfigurationStmt", "ALTER TEXT SEARCH CONFIGURATION"},
    {"AlterTSDictionaryStmt", "ALTER TEXT SEARCH DICTIONARY"},
    {"AlterTypeStmt", "ALTER TYPE"},
    {"AlterUserMappingStmt", "ALTER USER MAPPING"},
    {"CallStmt", "CALL"},
    {"ClosePortalStmt", "CLOSE"},
    {"ClusterStmt", "CLUSTER"},
    {"CompositeTypeStmt", "CREATE TYPE"},
    {"ConstraintsSetStmt", "SET CONSTRAINTS"},
    {"CreateAmStmt", "CREATE ACCESS METHOD"},
    {"CreateCastStmt", "CREATE CAST"},
    {"CreateConversionStmt", "CREATE CONVERSION"},
    {"CreateDomainStmt", "CREATE DOMAIN"},
    {"CreateEnumStmt", "CREATE TYPE"},
    {"CreateEventTrigStmt", "CREATE EVENT TRIGGER"},
    {"CreateExtensionStmt", "CREATE EXTENSION"},
    {"CreateFdwStmt", "CREATE FOREIGN DATA WRAPPER"},
    {"CreateForeignServerStmt", "CREATE SERVER"},
    {"CreateForeignTableStmt", "CREATE FOREIGN TABLE"},
    {"CreateOpClassStmt", "CREATE OPERATOR CLASS"},
    {"CreateOpFamilyStmt", "CREATE OPERATOR FAMILY"},
    {"CreatePLangStmt", "CREATE LANGUAGE"},
    {"CreatePolicyStmt", "CREATE POLICY"},
    {"CreatePublicationStmt", "CREATE PUBLICATION"},
    {"CreateRangeStmt", "CREATE TYPE"},
    {"CreateStatsStmt", "CREATE STATISTICS"},
    {"CreateSubscriptionStmt", "CREATE SUBSCRIPTION"},
    {"CreateTableSpaceStmt", "CREATE TABLESPACE"},
    {"CreateTransformStmt", "CREATE TRANSFORM"},
    {"CreateTrigStmt", "CREATE TRIGGER"},
    {"CreateUserMappingStmt", "CREATE USER MAPPING"},
    {"CreatedbStmt", "CREATE DATABASE"},
    {"DeclareCursorStmt", "DECLARE CURSOR"},
    {"DoStmt", "DO"},
    {"DropOwnedStmt", "DROP OWNED"},
    {"DropSubscriptionStmt", "DROP SUBSCRIPTION"},
    {"DropTableSpaceStmt", "DROP TABLESPACE"},
    {"DropUserMappingStmt", "DROP USER MAPPING"},
    {"ImportForeignSchemaStmt", "IMPORT FOREIGN SCHEMA"},
    {"ListenStmt", "LISTEN"},
    {"LoadStmt", "LOAD"},
    {"MergeStmt", "MERGE"},
    {"NotifyStmt", "NOTIFY"},
    {"ReassignOwnedStmt", "REASSIGN OWNED"},
    {"ReindexStmt", "REINDEX"},
    {"RuleStmt", "CREATE RULE"},
    {"SecLabelStmt", "SECURITY LABEL"},
    {"UnlistenStmt", "UNLISTEN"},
};

std::string alter(const raw::Node& node, std::string_view key) {
  return "ALTER " + object_kind_name(raw::text_of(node.fields, key));
}

}  // namespace

std::string object_kind_name(std::string_view kind) {
  static constexpr std::pair<std::string_view, std::string_view> irregular[] = {
      {"OBJECT_MATVIEW", "MATERIALIZED VIEW"},
      {"OBJECT_TABCONSTRAINT", "TABLE CONSTRAINT"},
      {"OBJECT_DOMCONSTRAINT", "DOMAIN CONSTRAINT"},
      {"OBJECT_EVENT_TRIGGER", "EVENT TRIGGER"},
      {"OBJECT_FDW", "FOREIGN DATA WRAPPER"},
      {"OBJECT_FOREIGN_SERVER", "SERVER"},
      {"OBJECT_LARGEOBJECT", "LARGE OBJECT"},
      {"OBJECT_OPCLASS", "OPERATOR CLASS"},
      {"OBJECT_OPFAMILY", "OPERATOR FAMILY"},
      {"OBJECT_STATISTIC_EXT", "STATISTICS"},
      {"OBJECT_TSCONFIGURATION", "TEXT SEARCH CONFIGURATION"},
      {"OBJECT_TSDICTIONARY", "TEXT SEARCH DICTIONARY"},
      {"OBJECT_TSPARSER", "TEXT SEARCH PARSER"},
      {"OBJECT_TSTEMPLATE", "TEXT SEARCH TEMPLATE"},
      {"OBJECT_ATTRIBUTE", "TYPE"},
  };
  for (const auto& [written, name] : irregular) {
    if (written == kind) return std::string(name);
  }
  if (kind.starts_with("OBJECT_")) kind.remove_prefix(7);
  std::string name(kind);
  for (char& c : name) {
    if (c == '_') c = ' ';
  }
  return name;
}

std::string statement_name(const raw::Node& node) {
  for (const auto& [kind, name] : names) {
    if (kind == node.kind) return std::string(name);
  }
  if (node.kind == "GrantStmt" || node.kind == "GrantRoleStmt") {
    return raw::flag_of(node.fields, "is_grant") ? "GRANT" : "REVOKE";
  }
  if (node.kind == "FetchStmt") return raw::flag_of(node.fields, "ismove") ? "MOVE" : "FETCH";
  if (node.kind == "CreateFunctionStmt") {
    return raw::flag_of(node.fields, "is_procedure") ? "CREATE PROCEDURE" : "CREATE FUNCTION";
  }
  if (node.kind == "CreateRoleStmt") {
    const std::string_view type = raw::text_of(node.fields, "stmt_type");
    return type == "ROLESTMT_USER" ? "CREATE USER" : type == "ROLESTMT_GROUP" ? "CREATE GROUP" : "CREATE ROLE";
  }
  if (node.kind == "DefineStmt") return "CREATE " + object_kind_name(raw::text_of(node.fields, "kind"));
  if (node.kind == "AlterOwnerStmt") return alter(node, "objectType") + " ... OWNER TO";
  if (node.kind == "AlterObjectDependsStmt") return alter(node, "objectType") + " ... DEPENDS ON EXTENSION";
  return "this statement (" + std::string(node.kind) + ")";
}

}  // namespace polarsim::engine::syntax
