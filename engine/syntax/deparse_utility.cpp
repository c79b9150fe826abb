#include <utility>

#include "engine/syntax/deparse_writer.h"

namespace polarsim::engine::syntax {
namespace {

const char* kind_text(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::table:
      break;
    case ObjectKind::index:
      return "INDEX";
    case ObjectKind::sequence:
      return "SEQUENCE";
    case ObjectKind::view:
      return "VIEW";
    case ObjectKind::materialized_view:
      return "MATERIALIZED VIEW";
    case ObjectKind::schema:
      return "SCHEMA";
    case ObjectKind::function:
      return "FUNCTION";
    case ObjectKind::type:
      return "TYPE";
    case ObjectKind::database:
      return "DATABASE";
    case ObjectKind::role:
      return "ROLE";
    case ObjectKind::extension:
      return "EXTENSION";
  }
  return "TABLE";
}

const char* lock_mode_text(TableLockMode mode) {
  static constexpr const char* texts[] = {
      "ACCESS SHARE", "ROW SHARE",           "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
      "SHARE",        "SHARE ROW EXCLUSIVE", "EXCLUSIVE",     "ACCESS EXCLUSIVE"};
  return texts[static_cast<std::size_t>(mode)];
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

void Writer::role(const std::string& text) {
  if (text == "current_user" || text == "session_user" || text == "current_role") {
    out_ += upper(text);
  } else {
    name(text);
  }
}

void Writer::write(const Drop& drop) {
  out_ += std::string("DROP ") + kind_text(drop.kind) + ' ';
  if (drop.concurrently) out_ += "CONCURRENTLY ";
  if (drop.if_exists) out_ += "IF EXISTS ";
  separated(drop.objects, [&](const TableName& object) {
    if (drop.kind == ObjectKind::role) return role(object.name);
    qualified(object.schema, object.name);
  });
  if (drop.cascade) out_ += " CASCADE";
}

void Writer::action(const AlterTable::Action& action) {
  using Kind = AlterTable::Action::Kind;
  const auto alter_column = [&](std::string_view what) {
    out_ += "ALTER COLUMN ";
    name(action.column);
    out_ += what;
  };
  const auto named = [&](std::string_view what) {
    out_ += what;
    if (action.if_exists) out_ += "IF EXISTS ";
    name(action.column);
    if (action.cascade) out_ += " CASCADE";
  };
  switch (action.kind) {
    case Kind::add_column:
      out_ += action.if_not_exists ? "ADD COLUMN IF NOT EXISTS " : "ADD COLUMN ";
      return column(*action.definition);
    case Kind::drop_column:
      return named("DROP COLUMN ");
    case Kind::set_default:
      alter_column(" SET DEFAULT ");
      return expression(*action.expression);
    case Kind::drop_default:
      return alter_column(" DROP DEFAULT");
    case Kind::set_not_null:
      return alter_column(" SET NOT NULL");
    case Kind::drop_not_null:
      return alter_column(" DROP NOT NULL");
    case Kind::set_type:
      alter_column(" TYPE ");
      type(*action.type);
      if (!action.collation.empty()) {
        out_ += " COLLATE ";
        name(action.collation);
      }
      clause(" USING ", action.expression);
      if (action.cascade) out_ += " CASCADE";
      return;
    case Kind::add_constraint:
      out_ += "ADD ";
      return constraint(*action.constraint, false);
    case Kind::drop_constraint:
      return named("DROP CONSTRAINT ");
    case Kind::validate_constraint:
      return named("VALIDATE CONSTRAINT ");
    case Kind::set_parameters:
      return parameters(action.parameters, "SET ");
    case Kind::reset_parameters:
      return parameters(action.parameters, "RESET ");
    case Kind::owner:
      out_ += "OWNER TO ";
      return role(action.column);
    case Kind::add_identity:
      alter_column(" ADD ");
      return constraint(*action.constraint, true);
    case Kind::drop_identity:
      return alter_column(action.if_exists ? " DROP IDENTITY IF EXISTS" : " DROP IDENTITY");
    case Kind::drop_expression:
      return alter_column(action.if_exists ? " DROP EXPRESSION IF EXISTS" : " DROP EXPRESSION");
  }
}

void Writer::write(const AlterTable& alter) {
  out_ += std::string("ALTER ") + kind_text(alter.kind) + ' ';
  if (alter.if_exists) out_ += "IF EXISTS ";
  table(alter.table);
  out_ += ' ';
  separated(alter.actions, [&](const AlterTable::Action& item) { action(item); });
}

void Writer::write(const Rename& rename) {
  out_ += std::string("ALTER ") + kind_text(rename.kind) + ' ';
  if (rename.if_exists) out_ += "IF EXISTS ";
  table(rename.object);
  out_ += " RENAME ";
  if (rename.what != Rename::What::object) {
    out_ += rename.what == Rename::What::column ? "COLUMN " : "CONSTRAINT ";
    name(rename.old_name);
    out_ += ' ';
  }
  out_ += "TO ";
  name(rename.new_name);
}

void Writer::write(const AlterSchema& alter) {
  out_ += std::string("ALTER ") + kind_text(alter.kind) + ' ';
  if (alter.if_exists) out_ += "IF EXISTS ";
  table(alter.object);
  out_ += " SET SCHEMA ";
  name(alter.schema);
}

void Writer::write(const RefreshMaterializedView& refresh) {
  out_ += "REFRESH MATERIALIZED VIEW ";
  if (refresh.concurrently) out_ += "CONCURRENTLY ";
  table(refresh.view);
  if (!refresh.with_data) out_ += " WITH NO DATA";
}

void Writer::write(const Truncate& truncate) {
  out_ += "TRUNCATE TABLE ";
  separated(truncate.tables, [&](const TableName& item) { table(item); });
  if (truncate.restart_identity) out_ += " RESTART IDENTITY";
  if (truncate.cascade) out_ += " CASCADE";
}

void Writer::write(const Comment& comment) {
  out_ += "COMMENT ON ";
  out_ += comment.column.empty() ? kind_text(comment.kind) : "COLUMN";
  out_ += ' ';
  qualified(comment.object.schema, comment.object.name);
  if (!comment.column.empty()) {
    out_ += '.';
    name(comment.column);
  }
  out_ += " IS ";
  if (comment.text) {
    literal(*comment.text);
  } else {
    out_ += "NULL";
  }
}

void Writer::write(const Copy& copy) {
  out_ += "COPY ";
  if (copy.table.name.empty()) {
    out_ += '(';
    body(copy.query);
    out_ += ')';
  } else {
    table(copy.table);
    bracketed_names(copy.columns);
  }
  out_ += copy.from ? " FROM " : " TO ";
  if (copy.program) out_ += "PROGRAM ";
  if (copy.file.empty()) {
    out_ += copy.from ? "STDIN" : "STDOUT";
  } else {
    literal(copy.file);
  }
  if (!copy.options.empty()) {
    out_ += " WITH (";
    separated(copy.options, [&](const Parameter& option) { parameter(option, " "); });
    out_ += ')';
  }
  clause(" WHERE ", copy.where);
}

void Writer::write(const Explain& explain) {
  out_ += "EXPLAIN ";
  if (!explain.options.empty()) {
    out_ += '(';
    separated(explain.options, [&](const Parameter& option) { parameter(option, " "); });
    out_ += ") ";
  }
  std::visit([&](const auto& inner) { write(inner); }, explain.statement->body);
}

void Writer::write(const Prepare& prepare) {
  out_ += "PREPARE ";
  name(prepare.name);
  if (!prepare.types.empty()) {
    out_ += " (";
    separated(prepare.types, [&](const TypeName& item) { type(item); });
    out_ += ')';
  }
  out_ += " AS ";
  std::visit([&](const auto& inner) { write(inner); }, prepare.statement->body);
}

void Writer::write(const Execute& execute) {
  out_ += "EXECUTE ";
  name(execute.name);
  if (execute.parameters.empty()) return;
  out_ += " (";
  expressions(execute.parameters);
  out_ += ')';
}

void Writer::write(const Deallocate& deallocate) {
  out_ += "DEALLOCATE ";
  if (deallocate.name.empty()) {
    out_ += "ALL";
  } else {
    name(deallocate.name);
  }
}

void Writer::write(const LockTable& lock) {
  out_ += "LOCK TABLE ";
  separated(lock.tables, [&](const TableName& item) { table(item); });
  out_ += std::string(" IN ") + lock_mode_text(lock.mode) + " MODE";
  if (lock.nowait) out_ += " NOWAIT";
}

void Writer::write(const Vacuum& vacuum) {
  out_ += vacuum.vacuum ? "VACUUM" : "ANALYZE";
  std::vector<std::string_view> options;
  if (vacuum.full) options.emplace_back("FULL");
  if (vacuum.freeze) options.emplace_back("FREEZE");
  if (vacuum.verbose) options.emplace_back("VERBOSE");
  if (vacuum.vacuum && vacuum.analyze) options.emplace_back("ANALYZE");
  if (vacuum.skip_locked) options.emplace_back("SKIP_LOCKED");
  if (!options.empty()) {
    out_ += " (";
    separated(options, [&](std::string_view option) { out_ += option; });
    out_ += ')';
  }
  if (!vacuum.tables.empty()) out_ += ' ';
  separated(vacuum.tables, [&](const TableName& item) {
    if (item.only) out_ += "ONLY ";
    qualified(item.schema, item.name);
    bracketed_names(item.column_aliases);
  });
}

void Writer::write(const Checkpoint& /*checkpoint*/) { out_ += "CHECKPOINT"; }

void Writer::write(const Discard& discard) {
  switch (discard.what) {
    case Discard::What::all:
      out_ += "DISCARD ALL";
      return;
    case Discard::What::plans:
      out_ += "DISCARD PLANS";
      return;
    case Discard::What::sequences:
      out_ += "DISCARD SEQUENCES";
      return;
    case Discard::What::temporary:
      out_ += "DISCARD TEMPORARY";
      return;
  }
}

void Writer::modes(const TransactionModes& modes) {
  if (!modes.isolation.empty()) out_ += " ISOLATION LEVEL " + upper(modes.isolation);
  if (modes.read_only) out_ += *modes.read_only ? " READ ONLY" : " READ WRITE";
  if (modes.deferrable) out_ += *modes.deferrable ? " DEFERRABLE" : " NOT DEFERRABLE";
}

void Writer::write(const TransactionControl& control) {
  using Kind = TransactionControl::Kind;
  const auto prepared = [&](std::string_view words) {
    out_ += words;
    literal(control.gid);
  };
  const auto savepoint = [&](std::string_view words) {
    out_ += words;
    name(control.savepoint);
  };
  switch (control.kind) {
    case Kind::begin:
      out_ += control.start ? "START TRANSACTION" : "BEGIN";
      return modes(control.modes);
    case Kind::commit:
      out_ += "COMMIT";
      return;
    case Kind::rollback:
      out_ += "ROLLBACK";
      return;
    case Kind::prepare:
      return prepared("PREPARE TRANSACTION ");
    case Kind::commit_prepared:
      return prepared("COMMIT PREPARED ");
    case Kind::rollback_prepared:
      return prepared("ROLLBACK PREPARED ");
    case Kind::savepoint:
      return savepoint("SAVEPOINT ");
    case Kind::rollback_to:
      return savepoint("ROLLBACK TO SAVEPOINT ");
    case Kind::release:
      return savepoint("RELEASE SAVEPOINT ");
  }
}

void Writer::write(const SetTransaction& set) {
  out_ += set.session ? "SET SESSION CHARACTERISTICS AS TRANSACTION" : "SET TRANSACTION";
  modes(set.modes);
}

// The parts of a setting's name are identifiers.
void Writer::setting(std::string_view text) {
  for (std::size_t point = text.find('.'); point != std::string_view::npos; point = text.find('.')) {
    name(text.substr(0, point));
    out_ += '.';
    text.remove_prefix(point + 1);
  }
  name(text);
}

void Writer::write(const SetVariable& set) {
  if (set.reset && set.value.empty()) {
    out_ += "RESET ";
    if (set.name == "all") {
      out_ += "ALL";
    } else {
      setting(set.name);
    }
    return;
  }
  out_ += set.local ? "SET LOCAL " : "SET ";
  setting(set.name);
  out_ += " TO ";
  if (set.reset) {
    out_ += "DEFAULT";
    return;
  }
  separated(set.values, [&](const std::string& value) { literal(value); });
}

void Writer::write(const ShowVariable& show) {
  out_ += "SHOW ";
  if (show.name == "all") {
    out_ += "ALL";
  } else {
    setting(show.name);
  }
}

}  // namespace polarsim::engine::syntax
