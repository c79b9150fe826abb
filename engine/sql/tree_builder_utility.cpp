#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "engine/sql/tree_builder.h"

namespace polarsim::engine::sql {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw SqlError(sqlstate::feature_not_supported, what + " is not supported");
}

std::string as_text(std::string_view view) { return std::string(view); }

}  // namespace

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
      {"TRANS_STMT_SAVEPOINT", ControlKind::savepoint},
      {"TRANS_STMT_ROLLBACK_TO", ControlKind::rollback_to},
      {"TRANS_STMT_RELEASE", ControlKind::release},
  };
  const std::string_view kind = raw::text_of(fields, "kind");
  const auto* const known =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& entry) { return entry.first == kind; });
  if (known == std::end(kinds)) refuse("this kind of transaction control");
  allow_fields(fields, {"kind", "gid", "options", "savepoint_name"}, {{"chain", "AND CHAIN"}});
  TransactionControl out;
  out.kind = known->second;
  out.gid = raw::text_of(fields, "gid");
  out.savepoint = raw::text_of(fields, "savepoint_name");
  raw::array options;
  if (fields["options"].get(options) == simdjson::SUCCESS) out.modes = transaction_modes(options);
  return out;
}

// NOT DEFERRABLE and, as only a serializable transaction could be deferred, DEFERRABLE mean nothing.
TransactionModes TreeBuilder::transaction_modes(raw::array options) const {
  TransactionModes modes;
  for (const raw::element option : options) {
    const raw::object named = raw::Node(option).fields;
    const std::string_view name = raw::text_of(named, "defname");
    const raw::object value = raw::Node(named["arg"]).fields;
    if (name == "transaction_isolation") {
      modes.isolation = setting_text(value);
    } else if (name == "transaction_read_only") {
      modes.read_only = raw::integer_of(raw::object(value["ival"]), "ival") != 0;
    }
  }
  return modes;
}

std::vector<TableName> TreeBuilder::table_names(raw::object fields) const {
  std::vector<TableName> names;
  for (const raw::element relation : raw::array(fields["relations"]))
    names.push_back(table_name(raw::Node(relation).fields));
  return names;
}

// No sequence belongs to a table, and nothing refers to one: RESTART IDENTITY and CASCADE have nothing to do.
Truncate TreeBuilder::truncate(raw::object fields) const {
  allow_fields(fields, {"relations", "restart_seqs", "behavior"});
  return Truncate{table_names(fields)};
}

LockTable TreeBuilder::lock_table(raw::object fields) const {
  allow_fields(fields, {"relations", "mode", "nowait"});
  LockTable out;
  out.tables = table_names(fields);
  // The grammar's numbers are those of PostgreSQL's lockdefs.h, from AccessShareLock, 1, to AccessExclusiveLock, 8.
  const std::int64_t mode = raw::integer_of(fields, "mode");
  if (mode < 1 || mode > 8) refuse("this mode of LOCK TABLE");
  out.mode = static_cast<TableLockMode>(mode - 1);
  out.nowait = raw::flag_of(fields, "nowait");
  return out;
}

Vacuum TreeBuilder::vacuum(raw::object fields) const {
  allow_fields(fields, {"options", "rels", "is_vacuumcmd"});
  Vacuum out;
  out.vacuum = raw::flag_of(fields, "is_vacuumcmd");
  raw::array list;
  if (fields["options"].get(list) == simdjson::SUCCESS) {
    for (const raw::element option : list) {
      const raw::object named = raw::Node(option).fields;
      const std::string name(raw::text_of(named, "defname"));
      bool on = true;
      raw::element given;
      if (named["arg"].get(given) == simdjson::SUCCESS) {
        const raw::Node value(given);
        if (value.kind != "String") refuse("this value of the option " + name);
        on = from_text(raw::text_of(value.fields, "sval"), TypeId::boolean).as_boolean();
      }
      if (name == "freeze") {
        out.freeze = on;
      } else if (name == "analyze") {
        out.analyze = on;
      } else if (name != "verbose" && on) {
        refuse(std::string(out.vacuum ? "VACUUM" : "ANALYZE") + " with the option " + name);
      }
    }
  }
  if (fields["rels"].get(list) == simdjson::SUCCESS) {
    for (const raw::element relation : list) {
      const raw::object named = raw::Node(relation).fields;
      allow_fields(named, {"relation"}, {{"va_cols", "ANALYZE of some columns"}});
      out.tables.push_back(table_name(named["relation"]));
    }
  }
  return out;
}

Discard TreeBuilder::discard(raw::object fields) const {
  const std::string_view target = raw::text_of(fields, "target");
  if (target == "DISCARD_PLANS") return Discard{Discard::What::plans};
  if (target == "DISCARD_SEQUENCES") return Discard{Discard::What::sequences};
  if (target == "DISCARD_TEMP") return Discard{Discard::What::temporary};
  return Discard{Discard::What::all};
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
    return SetTransaction{session, transaction_modes(fields["args"])};
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
