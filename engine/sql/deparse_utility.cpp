#include "engine/sql/deparse_utility.h"

#include <string_view>

#include "engine/sql/parser.h"

namespace polarsim::engine::sql {
namespace {

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Settings of extensions have two parts: polar_cluster.shard_count.
std::string setting_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return quote_identifier(name);
  return quote_identifier(name.substr(0, dot)) + '.' + setting_name(name.substr(dot + 1));
}

std::string text_of(const TableName& name) {
  return (name.schema.empty() ? "" : quote_identifier(name.schema) + '.') + quote_identifier(name.name);
}

std::string text_of(const std::vector<TableName>& names) {
  std::string out;
  for (const TableName& name : names) out += (out.empty() ? "" : ", ") + text_of(name);
  return out;
}

std::string text_of(const TransactionModes& modes) {
  std::string out;
  if (!modes.isolation.empty()) out += " ISOLATION LEVEL " + upper(modes.isolation);
  if (modes.read_only) out += *modes.read_only ? " READ ONLY" : " READ WRITE";
  return out;
}

std::string drop_text(const char* kind, bool if_exists, const std::vector<TableName>& names) {
  return std::string("DROP ") + kind + (if_exists ? " IF EXISTS " : " ") + text_of(names);
}

const char* mode_name(TableLockMode mode) {
  switch (mode) {
    case TableLockMode::access_share:
      return "ACCESS SHARE";
    case TableLockMode::row_share:
      return "ROW SHARE";
    case TableLockMode::row_exclusive:
      return "ROW EXCLUSIVE";
    case TableLockMode::share_update_exclusive:
      return "SHARE UPDATE EXCLUSIVE";
    case TableLockMode::share:
      return "SHARE";
    case TableLockMode::share_row_exclusive:
      return "SHARE ROW EXCLUSIVE";
    case TableLockMode::exclusive:
      return "EXCLUSIVE";
    case TableLockMode::access_exclusive:
      break;
  }
  return "ACCESS EXCLUSIVE";
}

}  // namespace

std::string utility_text(const CreateIndex& create) {
  std::string out = create.unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
  if (create.if_not_exists) out += "IF NOT EXISTS ";
  if (!create.name.empty()) out += quote_identifier(create.name) + ' ';
  out += "ON " + text_of(create.table) + " (";
  for (std::size_t i = 0; i < create.columns.size(); ++i)
    out += (i > 0 ? ", " : "") + quote_identifier(create.columns[i]);
  return out + ')';
}

std::string utility_text(const CreateSequence& create) {
  std::string out = create.if_not_exists ? "CREATE SEQUENCE IF NOT EXISTS " : "CREATE SEQUENCE ";
  out += text_of(create.sequence);
  if (create.type != TypeId::int8) out += std::string(" AS ") + type_name(create.type);
  if (create.start) out += " START " + std::to_string(*create.start);
  if (create.increment) out += " INCREMENT " + std::to_string(*create.increment);
  if (create.minimum) out += " MINVALUE " + std::to_string(*create.minimum);
  if (create.maximum) out += " MAXVALUE " + std::to_string(*create.maximum);
  if (create.cycle) out += " CYCLE";
  return out;
}

std::string utility_text(const DropTable& drop) { return drop_text("TABLE", drop.if_exists, drop.tables); }
std::string utility_text(const DropIndex& drop) { return drop_text("INDEX", drop.if_exists, drop.indexes); }
std::string utility_text(const DropSequence& drop) { return drop_text("SEQUENCE", drop.if_exists, drop.sequences); }

std::string utility_text(const Truncate& truncate) { return "TRUNCATE TABLE " + text_of(truncate.tables); }

std::string utility_text(const LockTable& lock) {
  return "LOCK TABLE " + text_of(lock.tables) + " IN " + mode_name(lock.mode) + " MODE" +
         (lock.nowait ? " NOWAIT" : "");
}

std::string utility_text(const Vacuum& vacuum) {
  std::string out = vacuum.vacuum ? "VACUUM" : "ANALYZE";
  if (vacuum.freeze || vacuum.analyze) {
    out += vacuum.freeze ? " (FREEZE" : " (ANALYZE";
    out += vacuum.freeze && vacuum.analyze ? ", ANALYZE)" : ")";
  }
  if (!vacuum.tables.empty()) out += ' ' + text_of(vacuum.tables);
  return out;
}

std::string utility_text(const Checkpoint& /*checkpoint*/) { return "CHECKPOINT"; }

std::string utility_text(const Discard& discard) {
  switch (discard.what) {
    case Discard::What::plans:
      return "DISCARD PLANS";
    case Discard::What::sequences:
      return "DISCARD SEQUENCES";
    case Discard::What::temporary:
      return "DISCARD TEMP";
    case Discard::What::all:
      break;
  }
  return "DISCARD ALL";
}

std::string utility_text(const TransactionControl& control) {
  using ControlKind = TransactionControl::Kind;
  switch (control.kind) {
    case ControlKind::begin:
      return "BEGIN" + text_of(control.modes);
    case ControlKind::commit:
      return "COMMIT";
    case ControlKind::rollback:
      return "ROLLBACK";
    case ControlKind::prepare:
      return "PREPARE TRANSACTION " + quote_literal(control.gid);
    case ControlKind::commit_prepared:
      return "COMMIT PREPARED " + quote_literal(control.gid);
    case ControlKind::rollback_prepared:
      return "ROLLBACK PREPARED " + quote_literal(control.gid);
    case ControlKind::savepoint:
      return "SAVEPOINT " + quote_identifier(control.savepoint);
    case ControlKind::rollback_to:
      return "ROLLBACK TO SAVEPOINT " + quote_identifier(control.savepoint);
    case ControlKind::release:
      return "RELEASE SAVEPOINT " + quote_identifier(control.savepoint);
  }
  return "";
}

std::string utility_text(const SetTransaction& set) {
  return (set.session ? "SET SESSION CHARACTERISTICS AS TRANSACTION" : "SET TRANSACTION") + text_of(set.modes);
}

std::string utility_text(const SetVariable& set) {
  if (set.reset && !set.local) return set.name == "all" ? "RESET ALL" : "RESET " + setting_name(set.name);
  return (set.local ? "SET LOCAL " : "SET ") + setting_name(set.name) + " TO " +
         (set.reset ? "DEFAULT" : quote_literal(set.value));
}

std::string utility_text(const ShowVariable& show) {
  return show.name == "all" ? "SHOW ALL" : "SHOW " + setting_name(show.name);
}

}  // namespace polarsim::engine::sql
