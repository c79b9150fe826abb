#include <algorithm>
#include <utility>

#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"

namespace polarsim::engine::syntax {
namespace {

// Settings whose value is a list of identifiers (PostgreSQL's GUC_LIST_QUOTE).
bool is_identifier_list(std::string_view setting) {
  static constexpr std::string_view names[] = {"search_path",
                                               "temp_tablespaces",
                                               "session_preload_libraries",
                                               "shared_preload_libraries",
                                               "local_preload_libraries",
                                               "unix_socket_directories"};
  return std::find(std::begin(names), std::end(names), setting) != std::end(names);
}

[[noreturn]] void unrecognized(std::string_view statement, const Parameter& option) {
  throw SqlError(sqlstate::syntax_error, "unrecognized " + std::string(statement) + " option \"" + option.name + '"')
      .at(option.position);
}

}  // namespace

Copy TreeBuilder::copy(raw::object fields) {
  Copy out;
  raw::object relation;
  if (fields["relation"].get(relation) == simdjson::SUCCESS) out.table = table_name(relation);
  raw::element query;
  if (fields["query"].get(query) == simdjson::SUCCESS) {
    const raw::Node node(query);
    if (node.kind == "SelectStmt" && raw::has(node.fields, "intoClause")) {
      throw SqlError(sqlstate::feature_not_supported, "COPY (SELECT INTO) is not supported");
    }
    out.query = table_body(query);
  }
  out.columns = raw::strings_of(fields, "attlist");
  out.from = raw::flag_of(fields, "is_from");
  out.program = raw::flag_of(fields, "is_program");
  out.file = raw::text_of(fields, "filename");
  out.options = parameters(fields, "options");
  out.where = optional_expression(fields, "whereClause");
  return out;
}

Explain TreeBuilder::explain(raw::object fields) {
  Explain out;
  out.options = parameters(fields, "options");
  out.statement = nested_statement(fields, "query");
  return out;
}

Prepare TreeBuilder::prepare(raw::object fields) {
  Prepare out;
  out.name = raw::text_of(fields, "name");
  raw::for_each(fields, "argtypes", [&](raw::element type) { out.types.push_back(type_name(raw::Node(type).fields)); });
  out.statement = nested_statement(fields, "query");
  if (std::holds_alternative<CreateTableAs>(out.statement->body)) {
    throw SqlError("42P14", "utility statements cannot be prepared");
  }
  // The parameters are those of the statement inside.
  parameters_ = 0;
  return out;
}

Execute TreeBuilder::execute(raw::object fields) {
  Execute out;
  out.name = raw::text_of(fields, "name");
  out.parameters = expressions(fields, "params");
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
  out.start = kind == "TRANS_STMT_START";
  out.gid = raw::text_of(fields, "gid");
  out.savepoint = raw::text_of(fields, "savepoint_name");
  out.modes = transaction_modes(fields, "options");
  return out;
}

TransactionModes TreeBuilder::transaction_modes(raw::object fields, std::string_view key) const {
  TransactionModes modes;
  raw::for_each(fields, key, [&](raw::element option) {
    const raw::object named = raw::Node(option).fields;
    const std::string_view name = raw::text_of(named, "defname");
    const raw::object value = raw::Node(named["arg"]).fields;
    if (name == "transaction_isolation") {
      modes.isolation = setting_text(value);
    } else {
      const bool on = raw::integer_of(raw::object(value["ival"]), "ival") != 0;
      (name == "transaction_read_only" ? modes.read_only : modes.deferrable) = on;
    }
  });
  return modes;
}

LockTable TreeBuilder::lock_table(raw::object fields) const {
  allow_fields(fields, {"relations", "mode", "nowait"});
  LockTable out;
  out.tables = table_names(fields, "relations");
  // The grammar's numbers are those of PostgreSQL's lockdefs.h, from AccessShareLock, 1, to AccessExclusiveLock, 8.
  const std::int64_t mode = raw::integer_of(fields, "mode");
  if (mode < 1 || mode > 8) refuse("this mode of LOCK TABLE");
  out.mode = static_cast<TableLockMode>(mode - 1);
  out.nowait = raw::flag_of(fields, "nowait");
  return out;
}

Vacuum TreeBuilder::vacuum(raw::object fields) {
  Vacuum out;
  out.vacuum = raw::flag_of(fields, "is_vacuumcmd");
  const std::string_view statement = out.vacuum ? "VACUUM" : "ANALYZE";
  for (const Parameter& option : parameters(fields, "options")) {
    static constexpr std::string_view not_supported[] = {"disable_page_skipping", "index_cleanup", "process_toast",
                                                         "truncate", "parallel"};
    if (option.name == "verbose") {
      out.verbose = option_flag(option);
    } else if (option.name == "skip_locked") {
      out.skip_locked = option_flag(option);
    } else if (!out.vacuum) {
      unrecognized(statement, option);
    } else if (option.name == "freeze") {
      out.freeze = option_flag(option);
    } else if (option.name == "analyze") {
      out.analyze = option_flag(option);
    } else if (option.name == "full") {
      out.full = option_flag(option);
    } else if (std::find(std::begin(not_supported), std::end(not_supported), option.name) != std::end(not_supported)) {
      refuse("VACUUM with the option " + option.name, option.position);
    } else {
      unrecognized(statement, option);
    }
  }
  raw::for_each(fields, "rels", [&](raw::element relation) {
    const raw::object named = raw::Node(relation).fields;
    out.tables.push_back(table_name(named["relation"]));
    out.tables.back().column_aliases = raw::strings_of(named, "va_cols");
  });
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
  if (fields["sval"].get(wrapped) == simdjson::SUCCESS) return std::string(raw::text_of(wrapped, "sval"));
  if (fields["fval"].get(wrapped) == simdjson::SUCCESS) return std::string(raw::text_of(wrapped, "fval"));
  if (fields["ival"].get(wrapped) != simdjson::SUCCESS) refuse("this kind of setting");
  const std::int64_t value = raw::integer_of(wrapped, "ival");
  return std::to_string(value != 0 ? value : reread_integer(raw::integer_of(fields, "location")));
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
    if (kind == "VAR_SET_DEFAULT") out.value = "DEFAULT";
    return out;
  }
  if (kind == "VAR_SET_CURRENT") refuse("SET ... FROM CURRENT");
  if (kind == "VAR_SET_MULTI") {
    const bool session = out.name == "SESSION CHARACTERISTICS";
    if (!session && out.name != "TRANSACTION") refuse("SET " + out.name);
    return SetTransaction{session, transaction_modes(fields, "args")};
  }
  const bool identifiers = is_identifier_list(out.name);
  raw::for_each(fields, "args", [&](raw::element argument) {
    const raw::Node value(argument);
    if (value.kind != "A_Const") refuse("an interval as the value of a setting");
    out.values.push_back(setting_text(value.fields));
    if (out.values.size() > 1) out.value += ", ";
    out.value += identifiers ? quote_identifier(out.values.back()) : out.values.back();
  });
  return out;
}

}  // namespace polarsim::engine::syntax
