#include "engine/commands/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/commands/sequences.h"

namespace polarsim::engine::commands {

namespace {

using Kind = syntax::Constraint::Kind;

// serial is no type but a way to write several clauses; it is one only where it is not qualified.
std::optional<TypeId> serial_type(const syntax::TypeName& type) {
  if (!type.schema.empty() || !type.modifiers.empty()) return std::nullopt;
  std::optional<TypeId> counted;
  if (type.name == "serial" || type.name == "serial4") counted = TypeId::int4;
  if (type.name == "bigserial" || type.name == "serial8") counted = TypeId::int8;
  if (type.name == "smallserial" || type.name == "serial2") counted = TypeId::int2;
  if (counted && type.array_dimensions != 0) {
    throw SqlError(sqlstate::feature_not_supported, "array of serial is not implemented").at(type.position);
  }
  return counted;
}

// NULL and NOT NULL, and that nothing is said twice.
class ColumnClauses {
 public:
  ColumnClauses(const syntax::ColumnDefinition& column, const std::string& table) : column_(column), table_(table) {
    for (const syntax::Constraint& constraint : column.constraints) add(constraint);
  }
  bool not_null() const { return not_null_.value_or(false); }
  const syntax::Constraint* identity() const { return identity_; }
  // What serial stands for comes after all that is written, and has no position.
  void refuse_for_serial() const {
    const syntax::Constraint nowhere;
    if (identity_ != nullptr) refuse("both default and identity specified for", nowhere);
    if (is_generated()) refuse("both default and generation expression specified for", nowhere);
    if (value_ != nullptr) refuse("multiple default values specified for", nowhere);
    if (not_null_ && !*not_null_) refuse("conflicting NULL/NOT NULL declarations for", nowhere);
  }
  bool is_generated() const { return value_ != nullptr && value_->kind == Kind::generated; }

 private:
  void add(const syntax::Constraint& constraint) {
    switch (constraint.kind) {
      case Kind::not_null:
      case Kind::null:
        add_null(constraint.kind == Kind::not_null, constraint);
        break;
      case Kind::default_value:
        if (value_ != nullptr && value_->kind == Kind::default_value)
          refuse("multiple default values specified for", constraint);
        if (value_ != nullptr) refuse("both default and generation expression specified for", constraint);
        if (identity_ != nullptr) refuse("both default and identity specified for", constraint);
        value_ = &constraint;
        break;
      case Kind::generated:
        if (value_ != nullptr && value_->kind == Kind::generated)
          refuse("multiple generation clauses specified for", constraint);
        if (value_ != nullptr) refuse("both default and generation expression specified for", constraint);
        if (identity_ != nullptr) refuse("both identity and generation expression specified for", constraint);
        value_ = &constraint;
        break;
      case Kind::identity:
        if (identity_ != nullptr) refuse("multiple identity specifications for", constraint);
        if (value_ != nullptr) {
          refuse(value_->kind == Kind::generated ? "both identity and generation expression specified for"
                                                 : "both default and identity specified for",
                 constraint);
        }
        identity_ = &constraint;
        add_null(true, constraint);
        break;
      default:
        break;
    }
  }
  void add_null(bool wanted, const syntax::Constraint& constraint) {
    if (not_null_ && *not_null_ != wanted) refuse("conflicting NULL/NOT NULL declarations for", constraint);
    not_null_ = wanted;
  }
  [[noreturn]] void refuse(std::string_view what, const syntax::Constraint& constraint) const {
    throw SqlError(sqlstate::syntax_error, fmt::format("{} column \"{}\" of table \"{}\"", what, column_.name, table_))
        .at(constraint.position);
  }

  const syntax::ColumnDefinition& column_;
  const std::string& table_;
  std::optional<bool> not_null_;
  const syntax::Constraint* value_ = nullptr;
  const syntax::Constraint* identity_ = nullptr;
};

RelationId make_owned_sequence(CommandContext& context, const TableInMaking& table, const std::string& column,
                               TypeId type, NameChooser& names, std::string* default_text,
                               syntax::SequenceOptions options = {}) {
  Definition sequence;
  sequence.kind = RelationKind::sequence;
  sequence.schema = table.definition.schema;
  sequence.name = options.name.empty() ? names.choose(table.definition.name, {column}, "seq") : options.name.back();
  syntax::TypeName type_name;
  type_name.schema = catalog::system_schema;
  type_name.name = type_info(type).name;
  options.type = type_name;
  sequence.sequence = sequence_properties(options);
  const RelationId id = make_sequence(context, sequence);
  *default_text = nextval_text(id);
  return id;
}

}  // namespace

namespace {

void check_count(std::size_t columns, std::size_t most, const char* message) {
  constexpr const char* too_many_columns = "54011";
  if (columns > most) throw SqlError(too_many_columns, message);
}

}  // namespace

void check_column_count(std::size_t columns) { check_count(columns, 1600, "tables can have at most 1600 columns"); }

void check_key_count(std::size_t columns) { check_count(columns, 32, "cannot use more than 32 columns in an index"); }

namespace {

[[noreturn]] void throw_repeated(std::string_view column) {
  throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", column));
}

void refuse_system_column(std::string_view name) {
  if (!is_system_column(name)) return;
  throw SqlError(sqlstate::duplicate_column,
                 fmt::format("column name \"{}\" conflicts with a system column name", name));
}

}  // namespace

bool is_system_column(std::string_view name) {
  static constexpr std::array system{"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
  return std::find(system.begin(), system.end(), name) != system.end();
}

void require_new_column(const Definition& definition, std::string_view name) {
  if (definition.find_column(name) != 0) throw_repeated(name);
  // Those of views hide nothing.
  if (definition.kind != RelationKind::view) refuse_system_column(name);
}

void refuse_pseudo_type(const catalog::Column& column) {
  if (!is_pseudo_type(column.type.id) && column.type.id != TypeId::unknown && column.type.id != TypeId::record) return;
  throw SqlError(sqlstate::invalid_table_definition,
                 fmt::format("column \"{}\" has pseudo-type {}", column.name, engine::type_name(column.type.id)));
}

void check_repeated_columns(const Definition& table) {
  check_column_count(table.columns.size());
  std::set<std::string_view> names;
  for (const catalog::Column& column : table.columns) {
    if (!names.insert(column.name).second) throw_repeated(column.name);
  }
}

void check_columns(const Definition& table) {
  for (const catalog::Column& column : table.columns) refuse_system_column(column.name);
  for (const catalog::Column& column : table.columns) refuse_pseudo_type(column);
}

PendingColumn add_column(TableInMaking& table, const syntax::ColumnDefinition& definition,
                         std::vector<ErrorFields>& warnings) {
  catalog::Column column;
  column.name = definition.name;
  PendingColumn pending;
  const std::optional<TypeId> serial = serial_type(definition.type);
  pending.serial = serial.has_value();
  column.type = serial ? Type(*serial) : query::resolve_type(definition.type, &warnings);
  check_collation(definition.collation, column.type, definition.collation_position);
  const ColumnClauses clauses(definition, table.definition.name);
  if (serial) clauses.refuse_for_serial();
  column.not_null = serial.has_value() || clauses.not_null();
  // Until settle_value() knows better: other generated columns must not be made of it.
  if (clauses.is_generated()) column.generated_text = "NULL";
  pending.identity = clauses.identity();
  table.definition.columns.push_back(std::move(column));
  pending.number = static_cast<int>(table.definition.columns.size());
  return pending;
}

void tell_of_types(const CommandContext& context, std::vector<ErrorFields> warnings) {
  context.notices.insert(context.notices.end(), warnings.begin(), warnings.end());
  for (ErrorFields& warning : warnings) {
    warning.position = 0;
    context.notices.push_back(std::move(warning));
  }
}

void make_sequence_of(CommandContext& context, TableInMaking& table, PendingColumn& pending, NameChooser& names) {
  if (pending.identity != nullptr) {
    pending.sequence = make_identity(context, table, pending.number, *pending.identity, names).sequence;
  } else if (pending.serial) {
    catalog::Column& column = table.definition.columns[static_cast<std::size_t>(pending.number - 1)];
    pending.sequence = make_owned_sequence(context, table, column.name, column.type.id, names, &column.default_text);
  }
}

void require_identity_type(Type type) {
  if (type.id != TypeId::int2 && type.id != TypeId::int4 && type.id != TypeId::int8)
    throw SqlError(sqlstate::invalid_parameter_value, "identity column type must be smallint, integer, or bigint");
}

PendingColumn make_identity(CommandContext& context, TableInMaking& table, int number,
                            const syntax::Constraint& identity, NameChooser& names) {
  catalog::Column& column = table.definition.columns[static_cast<std::size_t>(number - 1)];
  const TypeId type = column.type.id;
  require_identity_type(type);
  column.identity =
      identity.identity_always ? catalog::Column::Identity::always : catalog::Column::Identity::by_default;
  PendingColumn pending;
  pending.number = number;
  pending.sequence =
      make_owned_sequence(context, table, column.name, type, names, &column.default_text, identity.sequence);
  return pending;
}

void settle_value(const CommandContext& context, TableInMaking& table, const syntax::ColumnDefinition& definition,
                  const PendingColumn& pending) {
  catalog::Column& column = table.definition.columns[static_cast<std::size_t>(pending.number - 1)];
  for (const syntax::Constraint& constraint : definition.constraints) {
    if (constraint.kind == Kind::default_value) {
      column.default_text = stored_default(context, table.definition, column, constraint.expression);
    } else if (constraint.kind == Kind::generated) {
      column.generated_text = stored_expression(context, table.definition, constraint.expression, column.type,
                                                "column generation expressions", column.name);
    }
  }
}

void finish_column(CommandContext& context, RelationId table, const PendingColumn& pending) {
  if (pending.sequence == 0) return;
  Definition sequence = *context.catalog().find(&context.transaction, pending.sequence)->description;
  sequence.sequence.owner = table;
  sequence.sequence.owner_column = pending.number;
  context.catalog().alter(context.transaction, pending.sequence, std::move(sequence));
}

}  // namespace polarsim::engine::commands
