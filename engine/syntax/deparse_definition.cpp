#include <utility>

#include "engine/syntax/deparse_writer.h"

namespace polarsim::engine::syntax {
namespace {

using Kind = Constraint::Kind;

const char* action_text(Constraint::Action action) {
  switch (action) {
    case Constraint::Action::no_action:
      break;
    case Constraint::Action::restrict:
      return "RESTRICT";
    case Constraint::Action::cascade:
      return "CASCADE";
    case Constraint::Action::set_null:
      return "SET NULL";
    case Constraint::Action::set_default:
      return "SET DEFAULT";
  }
  return "NO ACTION";
}

// Lower-case letters, digits and underscores: what can stand for itself where every keyword is a name, too.
bool is_plain_word(std::string_view word) {
  if (word.empty() || (word.front() >= '0' && word.front() <= '9')) return false;
  for (const char c : word) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

void Writer::parameter(const Parameter& parameter, std::string_view separator) {
  const std::size_t point = parameter.name.find('.');
  const std::string_view space = std::string_view(parameter.name).substr(0, point == std::string::npos ? 0 : point);
  const std::string_view word = point == std::string::npos ? std::string_view(parameter.name)
                                                           : std::string_view(parameter.name).substr(point + 1);
  for (const std::string_view part : {space, word}) {
    if (part.empty()) continue;
    if (is_plain_word(part)) {
      out_ += part;
    } else {
      name(part);
    }
    if (part.data() == space.data() && !space.empty()) out_ += '.';
  }
  if (!parameter.value) return;
  out_ += separator;
  if (parameter.value->kind == Expression::Kind::row) {
    out_ += '(';
    separated(parameter.value->arguments, [&](const ExpressionPtr& item) { name(item->value.as_text()); });
    out_ += ')';
    return;
  }
  expression(*parameter.value);
}

void Writer::parameters(const std::vector<Parameter>& list, std::string_view keyword) {
  if (list.empty()) return;
  out_ += keyword;
  out_ += '(';
  separated(list, [&](const Parameter& item) { parameter(item, " = "); });
  out_ += ')';
}

void Writer::sequence_options(const SequenceOptions& options) {
  const auto number = [&](std::string_view keyword, const std::optional<std::int64_t>& value) {
    if (!value) return;
    out_ += keyword;
    out_ += std::to_string(*value);
  };
  if (options.type) {
    out_ += " AS ";
    type(*options.type);
  }
  if (!options.name.empty()) {
    out_ += " SEQUENCE NAME ";
    path(options.name);
  }
  number(" START WITH ", options.start);
  number(" INCREMENT BY ", options.increment);
  number(" MINVALUE ", options.minimum);
  if (options.no_minimum) out_ += " NO MINVALUE";
  number(" MAXVALUE ", options.maximum);
  if (options.no_maximum) out_ += " NO MAXVALUE";
  number(" CACHE ", options.cache);
  if (options.cycle) out_ += *options.cycle ? " CYCLE" : " NO CYCLE";
  number(" RESTART WITH ", options.restart);
  if (options.restart_at_start) out_ += " RESTART";
  if (!options.owned_by.empty()) {
    out_ += " OWNED BY ";
    if (options.owned_by.size() == 1 && options.owned_by.front() == "none") {
      out_ += "NONE";
    } else {
      path(options.owned_by);
    }
  }
}

void Writer::foreign_key(const Constraint& constraint, bool of_column) {
  if (!of_column) {
    out_ += "FOREIGN KEY";
    bracketed_names(constraint.columns);
    out_ += ' ';
  }
  out_ += "REFERENCES ";
  table(constraint.referenced);
  bracketed_names(constraint.referenced_columns);
  if (constraint.match_full) out_ += " MATCH FULL";
  if (constraint.on_delete != Constraint::Action::no_action) {
    out_ += std::string(" ON DELETE ") + action_text(constraint.on_delete);
    bracketed_names(constraint.on_delete_columns);
  }
  if (constraint.on_update != Constraint::Action::no_action) {
    out_ += std::string(" ON UPDATE ") + action_text(constraint.on_update);
  }
}

void Writer::constraint_body(const Constraint& constraint, bool of_column) {
  switch (constraint.kind) {
    case Kind::not_null:
      out_ += "NOT NULL";
      return;
    case Kind::null:
      out_ += "NULL";
      return;
    case Kind::default_value:
      // The grammar takes only a restricted expression here, but anything in brackets.
      out_ += "DEFAULT ";
      return operand(*constraint.expression);
    case Kind::check:
      out_ += "CHECK ";
      return bracketed(*constraint.expression);
    case Kind::primary_key:
    case Kind::unique:
      out_ += constraint.kind == Kind::primary_key ? "PRIMARY KEY" : "UNIQUE";
      if (constraint.nulls_not_distinct) out_ += " NULLS NOT DISTINCT";
      bracketed_names(constraint.columns);
      if (!constraint.including.empty()) {
        out_ += " INCLUDE";
        bracketed_names(constraint.including);
      }
      parameters(constraint.parameters, " WITH ");
      if (!constraint.using_index.empty()) {
        out_ += " USING INDEX ";
        name(constraint.using_index);
      }
      return;
    case Kind::foreign_key:
      return foreign_key(constraint, of_column);
    case Kind::identity: {
      out_ += constraint.identity_always ? "GENERATED ALWAYS AS IDENTITY" : "GENERATED BY DEFAULT AS IDENTITY";
      Writer options;
      options.sequence_options(constraint.sequence);
      const std::string text = options.take();
      if (!text.empty()) out_ += " (" + text.substr(1) + ')';
      return;
    }
    case Kind::generated:
      out_ += "GENERATED ALWAYS AS ";
      bracketed(*constraint.expression);
      out_ += " STORED";
      return;
  }
}

void Writer::constraint(const Constraint& constraint, bool of_column) {
  if (!constraint.name.empty()) {
    out_ += "CONSTRAINT ";
    name(constraint.name);
    out_ += ' ';
  }
  constraint_body(constraint, of_column);
  if (constraint.no_inherit) out_ += " NO INHERIT";
  if (constraint.deferrable) out_ += " DEFERRABLE";
  if (constraint.initially_deferred) out_ += " INITIALLY DEFERRED";
  if (constraint.not_valid) out_ += " NOT VALID";
}

void Writer::column(const ColumnDefinition& definition) {
  name(definition.name);
  out_ += ' ';
  type(definition.type);
  if (!definition.collation.empty()) {
    out_ += " COLLATE ";
    name(definition.collation);
  }
  for (const Constraint& part : definition.constraints) {
    out_ += ' ';
    constraint(part, true);
  }
}

void Writer::table_tail(OnCommit on_commit, const std::string& access_method, const std::vector<Parameter>& list) {
  if (!access_method.empty()) {
    out_ += " USING ";
    name(access_method);
  }
  parameters(list, " WITH ");
  if (on_commit == OnCommit::delete_rows) out_ += " ON COMMIT DELETE ROWS";
  if (on_commit == OnCommit::drop) out_ += " ON COMMIT DROP";
}

void Writer::write(const CreateTable& create) {
  out_ += create.temporary ? "CREATE TEMPORARY TABLE " : create.unlogged ? "CREATE UNLOGGED TABLE " : "CREATE TABLE ";
  if (create.if_not_exists) out_ += "IF NOT EXISTS ";
  table(create.table);
  out_ += " (";
  bool first = true;
  const auto comma = [&] {
    if (!std::exchange(first, false)) out_ += ", ";
  };
  std::size_t next_like = 0;
  for (std::size_t i = 0; i <= create.columns.size(); ++i) {
    for (; next_like < create.like.size() && create.like[next_like].columns_before == i; ++next_like) {
      comma();
      out_ += "LIKE ";
      table(create.like[next_like].table);
      for (const std::string& part : create.like[next_like].including) out_ += " INCLUDING " + upper(part);
    }
    if (i == create.columns.size()) break;
    comma();
    column(create.columns[i]);
  }
  for (const Constraint& part : create.constraints) {
    comma();
    constraint(part, false);
  }
  out_ += ')';
  table_tail(create.on_commit, create.access_method, create.parameters);
}

void Writer::write(const CreateTableAs& create) {
  out_ += create.temporary ? "CREATE TEMPORARY " : create.unlogged ? "CREATE UNLOGGED " : "CREATE ";
  out_ += create.materialized_view ? "MATERIALIZED VIEW " : "TABLE ";
  if (create.if_not_exists) out_ += "IF NOT EXISTS ";
  table(create.table);
  bracketed_names(create.columns);
  table_tail(create.on_commit, create.access_method, create.parameters);
  out_ += " AS ";
  write(*create.query);
  if (!create.with_data) out_ += " WITH NO DATA";
}

void Writer::write(const CreateIndex& create) {
  out_ += create.unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
  if (create.concurrently) out_ += "CONCURRENTLY ";
  if (create.if_not_exists) out_ += "IF NOT EXISTS ";
  if (!create.name.empty()) {
    name(create.name);
    out_ += ' ';
  }
  out_ += "ON ";
  table(create.table);
  if (create.method != "btree") {
    out_ += " USING ";
    name(create.method);
  }
  out_ += " (";
  separated(create.elements, [&](const IndexElement& element) { index_element(element); });
  out_ += ')';
  if (!create.including.empty()) {
    out_ += " INCLUDE";
    bracketed_names(create.including);
  }
  if (create.nulls_not_distinct) out_ += " NULLS NOT DISTINCT";
  parameters(create.parameters, " WITH ");
  if (!create.tablespace.empty()) {
    out_ += " TABLESPACE ";
    name(create.tablespace);
  }
  clause(" WHERE ", create.where);
}

void Writer::write(const CreateSequence& create) {
  out_ += create.temporary ? "CREATE TEMPORARY SEQUENCE " : "CREATE SEQUENCE ";
  if (create.if_not_exists) out_ += "IF NOT EXISTS ";
  table(create.sequence);
  sequence_options(create.options);
}

void Writer::write(const AlterSequence& alter) {
  out_ += alter.if_exists ? "ALTER SEQUENCE IF EXISTS " : "ALTER SEQUENCE ";
  table(alter.sequence);
  sequence_options(alter.options);
}

void Writer::write(const CreateView& create) {
  out_ += create.or_replace ? "CREATE OR REPLACE " : "CREATE ";
  out_ += create.temporary ? "TEMPORARY VIEW " : "VIEW ";
  table(create.view);
  bracketed_names(create.columns);
  parameters(create.parameters, " WITH ");
  out_ += " AS ";
  write(*create.query);
  if (create.check_option) out_ += create.check_option_local ? " WITH LOCAL CHECK OPTION" : " WITH CHECK OPTION";
}

void Writer::write(const CreateSchema& create) {
  out_ += create.if_not_exists ? "CREATE SCHEMA IF NOT EXISTS" : "CREATE SCHEMA";
  if (!create.name.empty()) {
    out_ += ' ';
    name(create.name);
  }
  if (create.owner.empty()) return;
  out_ += " AUTHORIZATION ";
  role(create.owner);
}

}  // namespace polarsim::engine::syntax
