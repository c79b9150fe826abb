#include "engine/commands/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/commands/sequences.h"

namespace polarsim::engine::commands {

namespace {

using Kind = syntax::Constraint::Kind;

// serial is no type but a way to write several clauses; it is one only where it is not qualified or an array.
std::optional<TypeId> serial_type(const syntax::TypeName& type) {
  if (!type.schema.empty() || type.array_dimensions != 0 || !type.modifiers.empty()) return std::nullopt;
  if (type.name == "serial" || type.name == "serial4") return TypeId::int4;
  if (type.name == "bigserial" || type.name == "serial8") return TypeId::int8;
  if (type.name == "smallserial" || type.name == "serial2") return TypeId::int2;
  return std::nullopt;
}

// NULL and NOT NULL, and that nothing is said twice.
class ColumnClauses {
 public:
  ColumnClauses(const syntax::ColumnDefinition& column, const std::string& table) : column_(column), table_(table) {
    for (const syntax::Constraint& constraint : column.constraints) add(constraint);
  }
  bool not_null() const { return not_null_.value_or(false); }
  const syntax::Constraint* identity() const { return identity_; }
  bool has_value() const { return value_ != nullptr; }
  bool is_generated() const { return value_ != nullptr && value_->kind == Kind::generated; }

 private:
  void add(const syntax::Constraint& constraint) {
    switch (constraint.kind) {
      case Kind::not_null:
      case Kind::null:
        add_null(constraint.kind == Kind::not_null);
        break;
      case Kind::default_value:
        if (value_ != nullptr && value_->kind == Kind::default_value) refuse("multiple default values specified for");
        if (value_ != nullptr) refuse("both default and generation expression specified for");
        if (identity_ != nullptr) refuse("both default and identity specified for");
        value_ = &constraint;
        break;
      case Kind::generated:
        if (value_ != nullptr && value_->kind == Kind::generated) refuse("multiple generation clauses specified for");
        if (value_ != nullptr) refuse("both default and generation expression specified for");
        if (identity_ != nullptr) refuse("both identity and generation expression specified for");
        value_ = &constraint;
        break;
      case Kind::identity:
        if (identity_ != nullptr) refuse("multiple identity specifications for");
        if (value_ != nullptr) {
          refuse(value_->kind == Kind::generated ? "both identity and generation expression specified for"
                                                 : "both default and identity specified for");
        }
        identity_ = &constraint;
        add_null(true);
        break;
      default:
        break;
    }
  }
  void add_null(bool wanted) {
    if (not_null_ && *not_null_ != wanted) refuse("conflicting NULL/NOT NULL declarations for");
    not_null_ = wanted;
  }
  [[noreturn]] void refuse(std::string_view what) const {
    throw SqlError(sqlstate::syntax_error, fmt::format("{} column \"{}\" of table \"{}\"", what, column_.name, table_));
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
  *default_text = nextval_text(context, sequence);
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

void require_new_column(const Definition& definition, std::string_view name) {
  if (definition.find_column(name) != 0)
    throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", name));
  // Those of views hide nothing.
  if (definition.kind == RelationKind::view) return;
  static constexpr std::array system{"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
  if (std::find(system.begin(), system.end(), name) != system.end()) {
    throw SqlError(sqlstate::duplicate_column,
                   fmt::format("column name \"{}\" conflicts with a system column name", name));
  }
}

PendingColumn add_column(CommandContext& context, TableInMaking& table, const syntax::ColumnDefinition& definition,
                         NameChooser& names) {
  require_new_column(table.definition, definition.name);
  const ColumnClauses clauses(definition, table.definition.name);
  catalog::Column column;
  column.name = definition.name;
  column.not_null = clauses.not_null();
  // Until settle_column() knows better: other generated columns must not be made of it.
  if (clauses.is_generated()) column.generated_text = "NULL";
  PendingColumn pending;
  if (const std::optional<TypeId> serial = serial_type(definition.type)) {
    if (clauses.has_value()) {
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("multiple default values specified for column \"{}\" of table \"{}\"", definition.name,
                                 table.definition.name));
    }
    column.type = *serial;
    column.not_null = true;
    pending.sequence = make_owned_sequence(context, table, definition.name, *serial, names, &column.default_text);
  } else {
    column.type = query::resolve_type(definition.type);
    if (is_pseudo_type(column.type.id) || column.type.id == TypeId::unknown || column.type.id == TypeId::record) {
      throw SqlError(
          sqlstate::invalid_table_definition,
          fmt::format("column \"{}\" has pseudo-type {}", definition.name, engine::type_name(column.type.id)));
    }
  }
  check_collation(definition.collation, column.type);
  check_column_count(table.definition.columns.size() + 1);
  table.definition.columns.push_back(std::move(column));
  pending.number = static_cast<int>(table.definition.columns.size());
  if (clauses.identity() != nullptr)
    pending = make_identity(context, table, pending.number, *clauses.identity(), names);
  return pending;
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

void settle_column(CommandContext& context, TableInMaking& table, const syntax::ColumnDefinition& definition,
                   const PendingColumn& pending, NameChooser& names) {
  const auto column = [&]() -> catalog::Column& {
    return table.definition.columns[static_cast<std::size_t>(pending.number - 1)];
  };
  for (const syntax::Constraint& constraint : definition.constraints) {
    switch (constraint.kind) {
      case Kind::default_value:
        column().default_text = stored_default(context, table.definition, column(), constraint.expression);
        break;
      case Kind::generated:
        column().generated_text = stored_expression(context, table.definition, constraint.expression, column().type,
                                                    "column generation expressions", column().name);
        break;
      case Kind::check:
      case Kind::primary_key:
      case Kind::unique:
      case Kind::foreign_key:
        add_constraint(context, table, constraint, definition.name, names);
        break;
      case Kind::not_null:
      case Kind::null:
      case Kind::identity:
        break;
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
