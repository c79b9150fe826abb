// What is refused of definitions of distributed tables: the checks of ddl_rewrite.h (the relative's
// ErrorIfUnsupportedAlterTableStmt() in commands/table.c, commands/foreign_constraint.c, commands/index.c).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/cluster/ddl_rewrite.h"
#include "engine/types/error.h"

namespace polarsim::engine::cluster {

namespace {

using catalog::Column;
using catalog::Definition;
using catalog::ForeignKey;
using distribution::Method;
using distribution::TableDistribution;
using syntax::AlterTable;
using syntax::Constraint;
using Action = AlterTable::Action;

constexpr const char* one_at_a_time = "You can issue each subcommand separately";

[[noreturn]] void refuse(std::string message, std::string detail = {}, std::string hint = {}) {
  throw SqlError(sqlstate::feature_not_supported, std::move(message), std::move(detail), std::move(hint));
}

bool is_serial(const syntax::TypeName& type) {
  static constexpr std::array names{"smallserial", "serial2", "serial", "serial4", "bigserial", "serial8"};
  return type.schema.empty() && type.array_dimensions == 0 &&
         std::find(names.begin(), names.end(), type.name) != names.end();
}

bool counts(const syntax::ExpressionPtr& expression) { return calls_function(expression, "nextval"); }

class AlterTableCheck {
 public:
  AlterTableCheck(const AlterTable& alter, const Definition& table, const TableDistribution& distribution)
      : alter_(alter), table_(table), distribution_(distribution) {}

  void run() const {
    for (const Action& action : alter_.actions) check(action);
  }

 private:
  void check(const Action& action) const {
    switch (action.kind) {
      case Action::Kind::add_column:
        return check_new_column(*action.definition);
      case Action::Kind::set_default:
        refuse_distribution_column(action.column);
        if (counts(action.expression) && several()) {
          refuse("cannot execute ALTER COLUMN COLUMN .. SET DEFAULT nextval('..') command with other subcommands", {},
                 one_at_a_time);
        }
        return;
      case Action::Kind::drop_default:
      case Action::Kind::drop_column:
      case Action::Kind::drop_not_null:
        return refuse_distribution_column(action.column);
      case Action::Kind::set_type:
        return check_type(action);
      case Action::Kind::add_constraint:
        if (several()) refuse("cannot execute ADD CONSTRAINT command with other subcommands", {}, one_at_a_time);
        return;
      case Action::Kind::set_not_null:
      case Action::Kind::drop_constraint:
      case Action::Kind::validate_constraint:
      case Action::Kind::set_parameters:
      case Action::Kind::reset_parameters:
      case Action::Kind::owner:
        return;
      case Action::Kind::add_identity:
      case Action::Kind::drop_identity:
      case Action::Kind::drop_expression:
        refuse("alter table command is currently unsupported",
               "Only ADD|DROP COLUMN, SET|DROP NOT NULL, SET|DROP DEFAULT, ADD|DROP|VALIDATE CONSTRAINT, SET (), "
               "RESET (), ENABLE|DISABLE|NO FORCE|FORCE ROW LEVEL SECURITY, ATTACH|DETACH PARTITION and TYPE "
               "subcommands are supported.");
    }
  }

  void check_new_column(const syntax::ColumnDefinition& column) const {
    if (is_serial(column.type)) {
      refuse(
          "cannot execute ADD COLUMN commands involving serial pseudotypes when metadata is synchronized to workers");
    }
    for (const Constraint& constraint : column.constraints) {
      if (constraint.kind == Constraint::Kind::identity) {
        refuse(
            "cannot execute ADD COLUMN commands involving identity columns when metadata is synchronized to workers");
      }
      if (constraint.kind != Constraint::Kind::default_value) continue;
      if (counts(constraint.expression) && (several() || column.constraints.size() > 1)) {
        refuse("cannot execute ADD COLUMN .. DEFAULT nextval('..') command with other subcommands/constraints", {},
               one_at_a_time);
      }
      // Every copy would have values of its own.
      if (distribution_.is_reference() && calls_volatile_function(constraint.expression)) {
        refuse("cannot execute ADD COLUMN commands involving a volatile default on reference tables", {},
               "You can first call ALTER TABLE .. ADD COLUMN without a default, then set the default by ALTER TABLE .. "
               "ALTER COLUMN .. SET DEFAULT");
      }
    }
  }

  void check_type(const Action& action) const {
    refuse_distribution_column(action.column);
    const int number = table_.find_column(action.column);
    if (number == 0) return;
    const Column& column = table_.columns[static_cast<std::size_t>(number - 1)];
    if (column.identity != Column::Identity::none) {
      throw SqlError(sqlstate::internal_error, "cannot execute ALTER COLUMN command involving identity column");
    }
    if (column.default_text.starts_with("nextval(")) {
      throw SqlError(sqlstate::internal_error,
                     "cannot execute ALTER COLUMN TYPE .. command because the column involves a default coming from a "
                     "sequence");
    }
    // Every copy of a row would have another value; the rows of a statement have the same time.
    if (asks_node(action.expression) || (distribution_.is_reference() && calls_volatile_function(action.expression))) {
      refuse("cannot execute ALTER COLUMN TYPE .. USING command because each node would compute other values", {},
             "You can first call ALTER TABLE .. ALTER COLUMN .. TYPE, then UPDATE.");
    }
  }

  void refuse_distribution_column(const std::string& column) const {
    if (distribution_.column == 0 || table_.find_column(column) != distribution_.column) return;
    throw SqlError(sqlstate::internal_error, "cannot execute ALTER TABLE command involving partition column");
  }
  bool several() const { return alter_.actions.size() > 1; }

  const AlterTable& alter_;
  const Definition& table_;
  const TableDistribution& distribution_;
};

// Where a number is; -1: nowhere.
int position_of(const std::vector<int>& columns, int column) {
  const auto found = std::find(columns.begin(), columns.end(), column);
  return column == 0 || found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

bool defaults(ForeignKey::Action action) { return action == ForeignKey::Action::set_default; }
bool nulls_or_defaults(ForeignKey::Action action) { return action == ForeignKey::Action::set_null || defaults(action); }

void check_actions_on_distribution_column(const ForeignKey& key) {
  if (nulls_or_defaults(key.on_delete)) {
    refuse("cannot create foreign key constraint",
           "SET NULL or SET DEFAULT is not supported in ON DELETE operation when distribution key is included in the "
           "foreign key constraint");
  }
  if (nulls_or_defaults(key.on_update) || key.on_update == ForeignKey::Action::cascade) {
    refuse("cannot create foreign key constraint",
           "SET NULL, SET DEFAULT or CASCADE is not supported in ON UPDATE operation when distribution key included in "
           "the foreign constraint.");
  }
}

// Shards have no defaults: what their foreign keys would set is NULL.
void check_set_default(const Definition& table, const ForeignKey& key) {
  if (!defaults(key.on_delete) && !defaults(key.on_update)) return;
  for (const int number : key.columns) {
    const std::string& text = table.columns.at(static_cast<std::size_t>(number - 1)).default_text;
    if (text.starts_with("nextval(")) {
      throw SqlError(sqlstate::internal_error,
                     "cannot create foreign key constraint since PolarCluster does not support ON DELETE / UPDATE SET "
                     "DEFAULT actions on the columns that default to sequences");
    }
    if (!text.empty()) {
      refuse("cannot create foreign key constraint",
             "ON DELETE and ON UPDATE SET DEFAULT are not supported on distributed tables for columns with a default.");
    }
  }
}

}  // namespace

void check_alter_table(const AlterTable& alter, const Definition& table, const TableDistribution& distribution) {
  AlterTableCheck(alter, table, distribution).run();
}

void check_create_index(const syntax::CreateIndex& create, const Definition& table,
                        const TableDistribution& distribution) {
  if (!create.tablespace.empty())
    refuse("specifying tablespaces with CREATE INDEX statements is currently unsupported");
  if (!create.unique || distribution.method != Method::hash) return;
  const std::string& wanted = table.columns.at(static_cast<std::size_t>(distribution.column - 1)).name;
  const bool included =
      std::any_of(create.elements.begin(), create.elements.end(),
                  [&wanted](const syntax::IndexElement& element) { return element.column == wanted; });
  if (!included) refuse("creating unique indexes on non-partition columns is currently unsupported");
}

void check_unique_index(const Definition& index, const Definition& table, int column) {
  if (!index.index.unique || column == 0) return;
  const auto& keys = index.index.keys;
  if (std::any_of(keys.begin(), keys.end(), [column](const auto& key) { return key.column == column; })) return;
  refuse(fmt::format("cannot create constraint on \"{}\"", table.name),
         "Distributed relations cannot have UNIQUE, EXCLUDE, or PRIMARY KEY constraints that do not include the "
         "partition column (with an equality operator if EXCLUDE).");
}

void check_foreign_key(const KeyEnd& table, const ForeignKey& key, const KeyEnd& referenced) {
  const bool itself = table.id == referenced.id;
  const TableDistribution& from = *table.distribution;
  const TableDistribution* to = itself ? table.distribution : referenced.distribution;
  if (to == nullptr) {
    throw SqlError(
        sqlstate::invalid_table_definition,
        fmt::format("referenced table \"{}\" must be a distributed table or a reference table", referenced.table->name),
        "To enforce foreign keys, the referencing and referenced rows need to be stored on the same node.",
        fmt::format("You could use SELECT create_reference_table('{}') to replicate the referenced table to all nodes "
                    "or consider dropping the foreign key",
                    referenced.table->name));
  }
  check_set_default(*table.table, key);
  if (from.is_reference()) {
    if (to->is_reference()) return;
    refuse(
        "cannot create foreign key constraint since foreign keys from reference tables and local tables to distributed "
        "tables are not supported",
        "Reference tables and local tables can only have foreign keys to reference tables and local tables");
  }
  if (!to->is_reference() && (from.colocation_id == 0 || from.colocation_id != to->colocation_id)) {
    refuse(
        "cannot create foreign key constraint since relations are not colocated or not referencing a reference table",
        "A distributed table can only have foreign keys if it is referencing another colocated hash distributed table "
        "or a reference table");
  }
  const int position = position_of(key.columns, from.column);
  if (position >= 0) check_actions_on_distribution_column(key);
  if (to->method != Method::hash) return;
  if (position < 0 || position != position_of(key.referenced_columns, to->column)) {
    refuse("cannot create foreign key constraint",
           "Foreign keys are supported in two cases, either in between two colocated tables including partition column "
           "in the same ordinal in the both tables or from distributed to reference tables");
  }
}

}  // namespace polarsim::engine::cluster
