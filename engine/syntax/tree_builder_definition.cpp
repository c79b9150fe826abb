#include <algorithm>
#include <utility>

#include "engine/syntax/parser.h"
#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

using Kind = Constraint::Kind;

bool is_temporary(raw::object relation) { return raw::text_of(relation, "relpersistence") == "t"; }
bool is_unlogged(raw::object relation) { return raw::text_of(relation, "relpersistence") == "u"; }

Constraint::Action action(std::string_view code) {
  if (code == "r") return Constraint::Action::restrict;
  if (code == "c") return Constraint::Action::cascade;
  if (code == "n") return Constraint::Action::set_null;
  if (code == "d") return Constraint::Action::set_default;
  return Constraint::Action::no_action;
}

[[noreturn]] void syntax_error(const std::string& message, int position) {
  throw SqlError(sqlstate::syntax_error, message).at(position);
}

bool can_be_deferrable(Kind kind) {
  return kind == Kind::primary_key || kind == Kind::unique || kind == Kind::foreign_key;
}

// DEFERRABLE and the like of a column's constraint come after it, as nodes of their own; as PostgreSQL's
// transformConstraintAttrs() has it.
class ColumnAttributes {
 public:
  // True if the node was one.
  bool take(std::string_view kind, int position, std::vector<Constraint>& constraints) {
    if (!kind.starts_with("CONSTR_ATTR_")) {
      deferrability_seen_ = initially_seen_ = false;
      return false;
    }
    kind.remove_prefix(12);
    const bool about_deferrability = kind.ends_with("DEFERRABLE");
    const bool set = kind == "DEFERRABLE" || kind == "DEFERRED";
    const std::string clause = about_deferrability ? (set ? "DEFERRABLE" : "NOT DEFERRABLE")
                                                   : (set ? "INITIALLY DEFERRED" : "INITIALLY IMMEDIATE");
    if (constraints.empty() || !can_be_deferrable(constraints.back().kind)) {
      syntax_error("misplaced " + clause + " clause", position);
    }
    Constraint& constraint = constraints.back();
    if (std::exchange(about_deferrability ? deferrability_seen_ : initially_seen_, true)) {
      syntax_error(about_deferrability ? "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed"
                                       : "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed",
                   position);
    }
    if (about_deferrability) {
      constraint.deferrable = set;
      if (!set && initially_seen_ && constraint.initially_deferred) contradiction(position);
    } else {
      constraint.initially_deferred = set;
      if (set && !deferrability_seen_) constraint.deferrable = true;
      if (set && !constraint.deferrable) contradiction(position);
    }
    return true;
  }

 private:
  [[noreturn]] static void contradiction(int position) {
    syntax_error("constraint declared INITIALLY DEFERRED must be DEFERRABLE", position);
  }
  bool deferrability_seen_ = false;
  bool initially_seen_ = false;
};

}  // namespace

void TreeBuilder::foreign_key(raw::object fields, Constraint& into) {
  into.kind = Kind::foreign_key;
  into.columns = raw::strings_of(fields, "fk_attrs");
  into.referenced = table_name(fields["pktable"]);
  into.referenced_columns = raw::strings_of(fields, "pk_attrs");
  into.match_full = raw::text_of(fields, "fk_matchtype") == "f";
  into.on_update = action(raw::text_of(fields, "fk_upd_action"));
  into.on_delete = action(raw::text_of(fields, "fk_del_action"));
  into.on_delete_columns = raw::strings_of(fields, "fk_del_set_cols");
}

Constraint TreeBuilder::constraint(raw::object fields) {
  const std::string_view kind = raw::text_of(fields, "contype");
  Constraint out;
  out.name = raw::text_of(fields, "conname");
  out.position = position_of(fields);
  out.deferrable = raw::flag_of(fields, "deferrable");
  out.initially_deferred = raw::flag_of(fields, "initdeferred");
  out.not_valid = raw::flag_of(fields, "skip_validation");
  out.no_inherit = raw::flag_of(fields, "is_no_inherit");
  if (kind == "CONSTR_NOTNULL") {
    out.kind = Kind::not_null;
  } else if (kind == "CONSTR_NULL") {
    out.kind = Kind::null;
  } else if (kind == "CONSTR_DEFAULT" || kind == "CONSTR_CHECK" || kind == "CONSTR_GENERATED") {
    out.kind = kind == "CONSTR_DEFAULT" ? Kind::default_value : kind == "CONSTR_CHECK" ? Kind::check : Kind::generated;
    out.expression = optional_expression(fields, "raw_expr");
  } else if (kind == "CONSTR_IDENTITY") {
    out.kind = Kind::identity;
    out.identity_always = raw::text_of(fields, "generated_when") == "a";
    out.sequence = sequence_options(fields, "options");
  } else if (kind == "CONSTR_PRIMARY" || kind == "CONSTR_UNIQUE") {
    out.kind = kind == "CONSTR_PRIMARY" ? Kind::primary_key : Kind::unique;
    take_tablespace(fields, "indexspace");
    out.columns = raw::strings_of(fields, "keys");
    out.including = raw::strings_of(fields, "including");
    out.using_index = raw::text_of(fields, "indexname");
    out.nulls_not_distinct = raw::flag_of(fields, "nulls_not_distinct");
    out.parameters = parameters(fields, "options");
  } else if (kind == "CONSTR_FOREIGN") {
    foreign_key(fields, out);
  } else {
    refuse(kind == "CONSTR_EXCLUSION" ? "EXCLUDE" : "this kind of constraint", out.position);
  }
  return out;
}

void TreeBuilder::column_constraints(raw::object fields, ColumnDefinition& column) {
  ColumnAttributes attributes;
  raw::for_each(fields, "constraints", [&](raw::element element) {
    const raw::object written = raw::Node(element).fields;
    if (attributes.take(raw::text_of(written, "contype"), position_of(written), column.constraints)) return;
    column.constraints.push_back(constraint(written));
  });
}

// COLLATE; empty: not written.
std::string TreeBuilder::collation(raw::object fields, int* position) const {
  raw::object clause;
  if (fields["collClause"].get(clause) != simdjson::SUCCESS) return {};
  if (position != nullptr) *position = position_of(clause);
  std::vector<std::string> names = object_name(clause, "collname", position_of(clause));
  if (!names.front().empty() && names.front() != "pg_catalog")
    refuse("a collation of another schema", position_of(clause));
  return std::move(names.back());
}

// There are those that initdb makes. What is in pg_default is where it would be without the clause.
void TreeBuilder::take_tablespace(raw::object fields, std::string_view key) const {
  const std::string_view name = raw::text_of(fields, key);
  if (name.empty() || name == "pg_default") return;
  if (name == "pg_global") {
    throw SqlError(sqlstate::invalid_parameter_value, "only shared relations can be placed in pg_global tablespace");
  }
  throw SqlError(sqlstate::undefined_object, "tablespace \"" + std::string(name) + "\" does not exist");
}

OnCommit TreeBuilder::on_commit(raw::object fields, std::string_view key, raw::object relation) const {
  const std::string_view name = raw::text_of(fields, key);
  if (!name.empty() && name != "ONCOMMIT_NOOP" && !is_temporary(relation))
    throw SqlError(sqlstate::invalid_table_definition, "ON COMMIT can only be used on temporary tables");
  if (name == "ONCOMMIT_DELETE_ROWS") return OnCommit::delete_rows;
  if (name == "ONCOMMIT_DROP") return OnCommit::drop;
  return OnCommit::preserve_rows;
}

ColumnDefinition TreeBuilder::column_definition(raw::object fields) {
  allow_fields(fields, {"colname", "typeName", "is_local", "collClause", "constraints", "location"},
               {{"compression", "COMPRESSION"}, {"storage_name", "STORAGE"}, {"fdwoptions", "OPTIONS of a column"}});
  ColumnDefinition out;
  out.name = raw::text_of(fields, "colname");
  out.position = position_of(fields);
  out.type = type_name(fields["typeName"]);
  out.collation = collation(fields, &out.collation_position);
  column_constraints(fields, out);
  return out;
}

CreateTable::Like TreeBuilder::like_clause(raw::object fields) const {
  // CREATE_TABLE_LIKE_... of PostgreSQL's parsenodes.h, from the lowest bit.
  static constexpr const char* parts[] = {"comments", "compression", "constraints", "defaults", "generated",
                                          "identity", "indexes",     "statistics",  "storage"};
  constexpr std::int64_t all = 0x7fffffff;
  CreateTable::Like out;
  out.table = table_name(fields["relation"]);
  const std::int64_t options = raw::integer_of(fields, "options");
  if (options == all) {
    out.including.emplace_back("all");
    return out;
  }
  for (std::size_t i = 0; i < std::size(parts); ++i) {
    if ((options >> i & 1) != 0) out.including.emplace_back(parts[i]);
  }
  return out;
}

CreateTable TreeBuilder::create_table(raw::object fields) {
  allow_fields(fields,
               {"relation", "tableElts", "oncommit", "if_not_exists", "options", "accessMethod", "tablespacename"},
               {{"inhRelations", raw::has(fields, "partbound") ? "PARTITION OF" : "INHERITS"},
                {"partbound", "PARTITION OF"},
                {"partspec", "PARTITION BY"},
                {"ofTypename", "OF type"}});
  CreateTable out;
  const raw::object relation = fields["relation"];
  out.table = table_name(relation);
  out.temporary = is_temporary(relation);
  out.unlogged = is_unlogged(relation);
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  out.on_commit = on_commit(fields, "oncommit", relation);
  take_tablespace(fields, "tablespacename");
  out.access_method = raw::text_of(fields, "accessMethod");
  out.parameters = parameters(fields, "options");
  raw::for_each(fields, "tableElts", [&](raw::element element) {
    const raw::Node node(element);
    if (node.kind == "ColumnDef") {
      out.columns.push_back(column_definition(node.fields));
    } else if (node.kind == "Constraint") {
      out.constraints.push_back(constraint(node.fields));
    } else if (node.kind == "TableLikeClause") {
      out.like.push_back(like_clause(node.fields));
      out.like.back().columns_before = out.columns.size();
    } else {
      refuse(std::string(node.kind) + " in CREATE TABLE");
    }
  });
  return out;
}

void TreeBuilder::into_clause(raw::object fields, CreateTableAs& out) {
  allow_fields(fields, {"rel", "colNames", "accessMethod", "options", "onCommit", "skipData", "tableSpaceName"});
  const raw::object relation = fields["rel"];
  out.table = table_name(relation);
  out.temporary = is_temporary(relation);
  out.unlogged = is_unlogged(relation);
  out.columns = raw::strings_of(fields, "colNames");
  out.with_data = !raw::flag_of(fields, "skipData");
  out.on_commit = on_commit(fields, "onCommit", relation);
  take_tablespace(fields, "tableSpaceName");
  out.access_method = raw::text_of(fields, "accessMethod");
  out.parameters = parameters(fields, "options");
}

CreateTableAs TreeBuilder::select_into(raw::object select_fields, raw::object into_fields) {
  CreateTableAs out;
  into_clause(into_fields, out);
  into_allowed_ = true;
  out.query = std::make_shared<const Select>(select(select_fields));
  return out;
}

CreateTableAs TreeBuilder::create_table_as(raw::object fields) {
  CreateTableAs out;
  into_clause(fields["into"], out);
  out.materialized_view = raw::text_of(fields, "objtype") == "OBJECT_MATVIEW";
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  if (raw::Node(fields["query"]).kind == "ExecuteStmt") refuse("CREATE TABLE ... AS EXECUTE");
  out.query = select_pointer(fields["query"]);
  return out;
}

CreateIndex TreeBuilder::create_index(raw::object fields) {
  allow_fields(fields, {"idxname", "relation", "accessMethod", "indexParams", "indexIncludingParams", "options",
                        "whereClause", "unique", "nulls_not_distinct", "concurrent", "if_not_exists", "tableSpace"});
  take_tablespace(fields, "tableSpace");
  CreateIndex out;
  out.tablespace = raw::text_of(fields, "tableSpace");
  out.name = raw::text_of(fields, "idxname");
  out.table = table_name(fields["relation"]);
  out.method = raw::text_of(fields, "accessMethod");
  raw::for_each(fields, "indexParams",
                [&](raw::element element) { out.elements.push_back(index_element(raw::Node(element).fields)); });
  raw::for_each(fields, "indexIncludingParams", [&](raw::element element) {
    const raw::object included = raw::Node(element).fields;
    if (raw::has(included, "expr")) {
      throw SqlError(sqlstate::feature_not_supported, "expressions are not supported in included columns");
    }
    out.including.emplace_back(raw::text_of(included, "name"));
  });
  out.where = optional_expression(fields, "whereClause");
  out.parameters = parameters(fields, "options");
  out.unique = raw::flag_of(fields, "unique");
  out.nulls_not_distinct = raw::flag_of(fields, "nulls_not_distinct");
  out.concurrently = raw::flag_of(fields, "concurrent");
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  return out;
}

SequenceOptions TreeBuilder::sequence_options(raw::object fields, std::string_view key) const {
  SequenceOptions out;
  std::vector<std::string_view> seen;
  raw::for_each(fields, key, [&](raw::element element) {
    const raw::object option = raw::Node(element).fields;
    const std::string_view name = raw::text_of(option, "defname");
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      syntax_error("conflicting or redundant options", position_of(option));
    }
    seen.push_back(name);
    const bool given = raw::has(option, "arg");
    if (name == "as") {
      out.type = type_name(raw::Node(option["arg"]).fields);
    } else if (name == "start") {
      out.start = option_integer(option);
    } else if (name == "increment") {
      out.increment = option_integer(option);
    } else if (name == "minvalue" || name == "maxvalue") {
      const bool minimum = name == "minvalue";
      if (given) {
        (minimum ? out.minimum : out.maximum) = option_integer(option);
      } else {
        (minimum ? out.no_minimum : out.no_maximum) = true;
      }
    } else if (name == "cycle") {
      out.cycle = raw::flag_of(raw::Node(option["arg"]).fields, "boolval");
    } else if (name == "cache") {
      out.cache = option_integer(option);
    } else if (name == "restart") {
      if (given) {
        out.restart = option_integer(option);
      } else {
        out.restart_at_start = true;
      }
    } else if (name == "owned_by") {
      out.owned_by = raw::strings_of(raw::Node(option["arg"]).fields, "items");
    } else if (name == "sequence_name") {
      out.name = raw::strings_of(raw::Node(option["arg"]).fields, "items");
    } else {
      refuse("the option " + std::string(name) + " of a sequence", position_of(option));
    }
  });
  return out;
}

CreateSequence TreeBuilder::create_sequence(raw::object fields) const {
  allow_fields(fields, {"sequence", "options", "if_not_exists"});
  CreateSequence out;
  const raw::object relation = fields["sequence"];
  if (is_unlogged(relation)) refuse("an unlogged sequence");
  out.sequence = table_name(relation);
  out.temporary = is_temporary(relation);
  out.options = sequence_options(fields, "options");
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  return out;
}

AlterSequence TreeBuilder::alter_sequence(raw::object fields) const {
  allow_fields(fields, {"sequence", "options", "missing_ok"});
  AlterSequence out;
  out.sequence = table_name(fields["sequence"]);
  out.options = sequence_options(fields, "options");
  out.if_exists = raw::flag_of(fields, "missing_ok");
  return out;
}

CreateView TreeBuilder::create_view(raw::object fields) {
  allow_fields(fields, {"view", "aliases", "query", "replace", "options", "withCheckOption"});
  CreateView out;
  const raw::object view = fields["view"];
  if (is_unlogged(view)) syntax_error("views cannot be unlogged because they do not have storage", 0);
  out.view = table_name(view);
  out.temporary = is_temporary(view);
  out.columns = raw::strings_of(fields, "aliases");
  const raw::object query = raw::Node(fields["query"]).fields;
  raw::object into;
  if (query["intoClause"].get(into) == simdjson::SUCCESS) {
    throw SqlError(sqlstate::feature_not_supported, "views must not contain SELECT INTO");
  }
  out.query = select_pointer(fields["query"]);
  out.text = deparse(*out.query);
  out.or_replace = raw::flag_of(fields, "replace");
  out.parameters = parameters(fields, "options");
  const std::string_view check = raw::text_of(fields, "withCheckOption");
  out.check_option = check == "LOCAL_CHECK_OPTION" || check == "CASCADED_CHECK_OPTION";
  out.check_option_local = check == "LOCAL_CHECK_OPTION";
  return out;
}

CreateSchema TreeBuilder::create_schema(raw::object fields) const {
  allow_fields(fields, {"schemaname", "authrole", "if_not_exists"},
               {{"schemaElts", "CREATE SCHEMA with definitions inside"}});
  CreateSchema out;
  out.name = raw::text_of(fields, "schemaname");
  out.if_not_exists = raw::flag_of(fields, "if_not_exists");
  raw::object role;
  if (fields["authrole"].get(role) == simdjson::SUCCESS) out.owner = role_name(role);
  return out;
}

}  // namespace polarsim::engine::syntax
