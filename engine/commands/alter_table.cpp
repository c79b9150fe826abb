// ALTER TABLE (PostgreSQL's src/backend/commands/tablecmds.c).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/commands/dependencies.h"
#include "engine/commands/indexes.h"
#include "engine/commands/sequences.h"
#include "engine/commands/storage_parameters.h"
#include "engine/commands/table_columns.h"
#include "engine/commands/table_rewrite.h"
#include "engine/executor/index_keys.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/deparse.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/syntax/parser.h"
#include "engine/types/quote.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::commands {

namespace {

using Action = syntax::AlterTable::Action;

// When an action is done: PostgreSQL sorts those of a statement into passes (AT_PASS_DROP and its like), so that what
// is dropped makes room for what is added, and constraints are over the columns as they will be.
int pass_of(const Action& action) {
  switch (action.kind) {
    case Action::Kind::drop_column:
    case Action::Kind::drop_constraint:
    case Action::Kind::drop_default:
    case Action::Kind::drop_not_null:
    case Action::Kind::drop_identity:
    case Action::Kind::drop_expression:
      return 0;
    case Action::Kind::set_type:
      return 1;
    case Action::Kind::add_column:
      return 2;
    case Action::Kind::set_not_null:
      return 3;
    case Action::Kind::add_constraint: {
      const auto kind = action.constraint->kind;
      return kind == syntax::Constraint::Kind::primary_key || kind == syntax::Constraint::Kind::unique ? 4 : 5;
    }
    case Action::Kind::set_default:
    case Action::Kind::add_identity:
      return 5;
    case Action::Kind::validate_constraint:
    case Action::Kind::set_parameters:
    case Action::Kind::reset_parameters:
    case Action::Kind::owner:
      return 6;
  }
  return 6;
}

// One statement's changes of one table.
class TableChange {
 public:
  TableChange(CommandContext& context, catalog::TablePtr table)
      : context_(context), id_(table->id), names_(context, table->description->schema) {}

  void run(const Action& action) {
    switch (action.kind) {
      case Action::Kind::add_column:
        return add_column_action(action);
      case Action::Kind::drop_column:
        return drop_column(action);
      case Action::Kind::set_default:
      case Action::Kind::drop_default:
        return set_default(action);
      case Action::Kind::set_not_null:
        return set_not_null(action.column);
      case Action::Kind::drop_not_null:
        return drop_not_null(action.column);
      case Action::Kind::set_type:
        return set_type(action);
      case Action::Kind::add_constraint:
        return add_constraint_action(*action.constraint);
      case Action::Kind::drop_constraint:
        return drop_constraint(action);
      case Action::Kind::validate_constraint:
        return validate_constraint(action.column);
      case Action::Kind::add_identity:
        return add_identity(action);
      case Action::Kind::drop_identity:
        return drop_identity(action);
      case Action::Kind::drop_expression:
        return drop_expression(action);
      case Action::Kind::set_parameters:
      case Action::Kind::reset_parameters:
      case Action::Kind::owner:
        return;  // change_property()
    }
  }

  // Whether the rows that are there keep to what is new, once all actions are done.
  void check_existing_rows() {
    const catalog::TablePtr current = table();
    for (const int column : new_not_null_) check_no_nulls(context_, *current, column);
    for (const catalog::Check& check : current->description->checks) {
      if (check.validated && std::ranges::find(new_checks_, check.name) != new_checks_.end())
        check_rows(context_, *current, check);
    }
    for (const catalog::ForeignKey& key : current->description->foreign_keys) {
      if (key.validated && std::ranges::find(new_foreign_keys_, key.name) != new_foreign_keys_.end())
        check_references(context_, *current, key);
    }
  }

 private:
  catalog::TablePtr table() const { return context_.catalog().find_table(&context_.transaction, id_); }
  Definition definition() const { return *table()->description; }
  void change(Definition definition) { context_.catalog().alter(context_.transaction, id_, std::move(definition)); }

  // PostgreSQL has forgotten the statement's text when it looks at these expressions.
  template <typename Work>
  static void without_position(const Work& work) {
    try {
      work();
    } catch (SqlError& error) {
      throw error.at(0);
    }
  }

  int require_column(const Definition& definition, const std::string& name) const {
    const int number = definition.find_column(name);
    if (number == 0 && is_system_column(name))
      throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot alter system column \"{}\"", name));
    if (number == 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" of relation \"{}\" does not exist", name, definition.name));
    }
    return number;
  }
  static catalog::Column& column_of(Definition& definition, int number) {
    return definition.columns[static_cast<std::size_t>(number - 1)];
  }

  TableInMaking in_making() const {
    TableInMaking making;
    making.definition = definition();
    making.id = id_;
    for (const catalog::Check& check : making.definition.checks) making.constraint_names.push_back(check.name);
    for (const catalog::ForeignKey& key : making.definition.foreign_keys) making.constraint_names.push_back(key.name);
    const catalog::TablePtr current = table();
    for (const catalog::Index& index : current->indexes) {
      if (index.description->index.constraint) making.constraint_names.push_back(index.description->name);
    }
    return making;
  }

  // Stores what was made and fills indexes.
  void finish(TableInMaking making, std::size_t checks_before, std::size_t keys_before) {
    for (catalog::ForeignKey& key : making.definition.foreign_keys) {
      if (key.referenced == 0) key.referenced = id_;
    }
    change(making.definition);
    for (Definition& index : making.indexes) {
      index.index.table = id_;
      if (index.index.primary) {
        for (const auto& key : index.index.keys) new_not_null_.push_back(key.column);
      }
      make_index(context_, std::move(index));
    }
    for (std::size_t i = checks_before; i < making.definition.checks.size(); ++i)
      new_checks_.push_back(making.definition.checks[i].name);
    for (std::size_t i = keys_before; i < making.definition.foreign_keys.size(); ++i)
      new_foreign_keys_.push_back(making.definition.foreign_keys[i].name);
  }

  void add_column_action(const Action& action) {
    TableInMaking making = in_making();
    const syntax::ColumnDefinition& written = *action.definition;
    if (making.definition.find_column(written.name) != 0) {
      const std::string exists =
          fmt::format("column \"{}\" of relation \"{}\" already exists", written.name, making.definition.name);
      if (!action.if_not_exists) throw SqlError(sqlstate::duplicate_column, exists);
      context_.notice_existing(sqlstate::duplicate_column, exists);
      return;
    }
    const std::size_t checks = making.definition.checks.size();
    const std::size_t keys = making.definition.foreign_keys.size();
    require_new_column(making.definition, written.name);
    PendingColumn pending = add_column(making, written);
    make_sequence_of(context_, making, pending, names_);
    check_column_count(making.definition.columns.size());
    refuse_pseudo_type(column_of(making.definition, pending.number));
    without_position([&] { settle_value(context_, making, written, pending); });
    add_constraints_of(making, written);
    fill_new_column(making.definition, pending.number);
    finish(std::move(making), checks, keys);
    finish_column(context_, id_, pending);
  }

  // Keys before checks, foreign keys last.
  void add_constraints_of(TableInMaking& making, const syntax::ColumnDefinition& written) {
    using Kind = syntax::Constraint::Kind;
    const std::vector<std::string> column{written.name};
    std::vector<WrittenKey> keys;
    for (const syntax::Constraint& constraint : written.constraints) {
      if (constraint.kind == Kind::primary_key || constraint.kind == Kind::unique) keys.push_back({constraint, column});
    }
    for (const WrittenKey& key : settle_keys(making.definition, std::move(keys)))
      add_constraint(context_, making, key.constraint, column, names_);
    for (const Kind kind : {Kind::check, Kind::foreign_key}) {
      for (const syntax::Constraint& constraint : written.constraints) {
        if (constraint.kind != kind) continue;
        without_position([&] { add_constraint(context_, making, constraint, column, names_); });
      }
    }
  }

  // Rows that are there get the default: told once for all of them if it is the same for all, else written into each.
  void fill_new_column(Definition& changed, int number) {
    catalog::Column& column = column_of(changed, number);
    const bool generated = !column.generated_text.empty();
    const std::string& text = generated ? column.generated_text : column.default_text;
    if (text.empty()) {
      if (column.not_null) require_no_rows(changed, number);
      return;
    }
    query::Program program =
        executor::compile_stored(text, changed, column.type, context_.analysis(), context_.database.host().scheduler());
    if (!generated && !is_volatile(text, changed, column.type)) {
      const Value value = program.run({}, context_.call);
      if (!value.is_null()) column.missing = output_value(value, column.type.id, CallContext{});
      if (value.is_null() && column.not_null) require_no_rows(changed, number);
      return;
    }
    change(changed);
    std::vector<NewColumn> columns;
    columns.push_back({number, std::move(program)});
    rewrite(context_, *table(), *table(), std::move(columns));
  }

  bool is_volatile(const std::string& text, const Definition& changed, Type type) const {
    const syntax::ExpressionPtr expression = parsed(text);
    const query::Relation shape = executor::shape_of(changed);
    return query::contains_volatility(
        query::analyse_over_relation(expression, shape, type, "DEFAULT expressions", context_.analysis()),
        Volatility::volatile_function);
  }

  void require_no_rows(const Definition& changed, int number) {
    for_each_row(context_, *table(), [&](std::span<const Value>) {
      throw SqlError(sqlstate::not_null_violation,
                     fmt::format("column \"{}\" of relation \"{}\" contains null values",
                                 changed.columns[static_cast<std::size_t>(number - 1)].name, changed.name));
    });
  }

  void drop_column(const Action& action) {
    Definition changed = definition();
    const int number = changed.find_column(action.column);
    if (number == 0 && is_system_column(action.column))
      throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot drop system column \"{}\"", action.column));
    if (number == 0) {
      if (!action.if_exists) require_column(changed, action.column);
      context_.notice(
          fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping", action.column, changed.name));
      return;
    }
    const Relation relation = *context_.catalog().find(&context_.transaction, id_);
    const std::string what = column_called(changed, number);
    std::vector<int> doomed = columns_made_of(changed, number);
    Removal removal(context_);
    removal.add_dependents_of_column(relation, number, doomed);
    doomed.insert(doomed.begin(), number);
    removal.run(action.cascade, what);
    for (const int each : doomed) erase_column(each);
  }

  std::string column_called(const Definition& described, int number) const {
    return fmt::format("column {} of table {}", described.columns[static_cast<std::size_t>(number - 1)].name,
                       shown_name(context_, described));
  }

  syntax::ExpressionPtr parsed(const std::string& text) const {
    syntax::ExpressionPtr expression;
    context_.database.host().scheduler().on_scheduler_stack([&] {
      const auto statements = syntax::parse(fmt::format("SELECT {}", text));
      expression = std::get<syntax::Select>(statements.at(0)->body).items.at(0).expression;
    });
    return expression;
  }

  // The generated columns that use it. They are never made of each other.
  std::vector<int> columns_made_of(const Definition& described, int number) const {
    std::vector<int> made;
    for (std::size_t i = 0; i < described.columns.size(); ++i) {
      const catalog::Column& column = described.columns[i];
      if (column.dropped || column.generated_text.empty()) continue;
      if (columns_in(column.generated_text, column.type).contains(number)) made.push_back(static_cast<int>(i) + 1);
    }
    return made;
  }

  void erase_column(int number) {
    const catalog::TablePtr current = table();
    for (const catalog::Index& index : current->indexes) {
      if (names_column(*index.description, number)) context_.catalog().drop(context_.transaction, index.id);
    }
    Definition changed = definition();
    std::erase_if(changed.checks,
                  [&](const catalog::Check& check) { return columns_of(changed, check).contains(number); });
    std::erase_if(changed.foreign_keys, [&](const catalog::ForeignKey& key) {
      const bool from = std::find(key.columns.begin(), key.columns.end(), number) != key.columns.end();
      const auto& to = key.referenced_columns;
      return from || (key.referenced == id_ && std::find(to.begin(), to.end(), number) != to.end());
    });
    catalog::Column& column = column_of(changed, number);
    forget_statistics(changed, number);
    column = catalog::Column{};
    column.name = fmt::format("........pg.dropped.{}........", number);
    column.type = TypeId::int4;
    column.dropped = true;
    change(std::move(changed));
  }

  static void forget_statistics(Definition& changed, int number) {
    if (!changed.statistics) return;
    std::erase_if(changed.statistics->columns, [number](const auto& known) { return known.column == number; });
  }

  bool names_column(const Definition& index, int number) const {
    const auto& keys = index.index.keys;
    const auto& included = index.index.included;
    if (std::find(included.begin(), included.end(), number) != included.end()) return true;
    for (const auto& key : keys) {
      if (key.column == number) return true;
      if (key.column == 0 && columns_in(key.expression, key.type).contains(number)) return true;
    }
    return !index.index.predicate.empty() && columns_in(index.index.predicate, TypeId::boolean).contains(number);
  }

  std::set<int> columns_in(const std::string& text, Type type) const {
    const syntax::ExpressionPtr expression = parsed(text);
    return columns_used(query::analyse_over_relation(expression, executor::shape_of(definition()), type,
                                                     "stored expressions", context_.analysis()));
  }
  std::set<int> columns_of(const Definition&, const catalog::Check& check) const {
    return columns_in(check.condition, TypeId::boolean);
  }

  void set_default(const Action& action) {
    Definition changed = definition();
    const int number = require_column(changed, action.column);
    catalog::Column& column = column_of(changed, number);
    const bool drops = action.kind == Action::Kind::drop_default;
    if (column.identity != catalog::Column::Identity::none) {
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("column \"{}\" of relation \"{}\" is an identity column", action.column, changed.name),
                     "", drops ? "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead." : "");
    }
    if (!column.generated_text.empty()) {
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("column \"{}\" of relation \"{}\" is a generated column", action.column, changed.name),
                     "", drops ? "Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead." : "");
    }
    if (action.kind == Action::Kind::drop_default) {
      column.default_text.clear();
    } else {
      without_position([&] { column.default_text = stored_default(context_, changed, column, action.expression); });
    }
    change(std::move(changed));
  }

  void add_identity(const Action& action) {
    constexpr const char* not_in_state = sqlstate::object_not_in_prerequisite_state;
    TableInMaking making = in_making();
    const int number = require_column(making.definition, action.column);
    const catalog::Column& column = column_of(making.definition, number);
    const auto refuse = [&](const char* what) {
      throw SqlError(not_in_state,
                     fmt::format("column \"{}\" of relation \"{}\" {}", column.name, making.definition.name, what));
    };
    require_identity_type(column.type);
    if (!column.not_null) refuse("must be declared NOT NULL before identity can be added");
    if (column.identity != catalog::Column::Identity::none) refuse("is already an identity column");
    if (!column.default_text.empty()) refuse("already has a default value");
    const PendingColumn pending = make_identity(context_, making, number, *action.constraint, names_);
    change(std::move(making.definition));
    finish_column(context_, id_, pending);
  }

  // The sequence goes with the property.
  void drop_identity(const Action& action) {
    Definition changed = definition();
    const int number = require_column(changed, action.column);
    catalog::Column& column = column_of(changed, number);
    if (column.identity == catalog::Column::Identity::none) {
      return not_so(action, fmt::format("column \"{}\" of relation \"{}\" is not an identity column", action.column,
                                        changed.name));
    }
    column.identity = catalog::Column::Identity::none;
    column.default_text.clear();
    change(std::move(changed));
    for (const Relation& sequence : sequences_of(number)) context_.catalog().drop(context_.transaction, sequence.id);
  }

  std::vector<Relation> sequences_of(int column) const {
    std::vector<Relation> owned = context_.catalog().relations(&context_.transaction);
    std::erase_if(owned, [&](const Relation& other) {
      const catalog::SequenceProperties& sequence = other.description->sequence;
      return sequence.owner != id_ || sequence.owner_column != column;
    });
    return owned;
  }

  // An identity column's sequence has the type of the column.
  void set_type_of_identity(int column, const syntax::TypeName& type) {
    syntax::SequenceOptions options;
    options.type = type;
    for (const Relation& sequence : sequences_of(column)) {
      context_.database.locks().acquire(context_.backend(), context_.transaction.level().locks,
                                        txn::LockTag::of_relation(sequence.id), LockMode::share_row_exclusive);
      change_sequence(context_, sequence, options);
    }
  }

  void drop_expression(const Action& action) {
    Definition changed = definition();
    catalog::Column& column = column_of(changed, require_column(changed, action.column));
    if (column.generated_text.empty()) {
      return not_so(action, fmt::format("column \"{}\" of relation \"{}\" is not a stored generated column",
                                        action.column, changed.name));
    }
    column.generated_text.clear();
    change(std::move(changed));
  }

  void not_so(const Action& action, const std::string& message) const {
    if (!action.if_exists) throw SqlError(sqlstate::object_not_in_prerequisite_state, message);
    context_.notice(message + ", skipping");
  }

  void set_not_null(const std::string& name) {
    Definition changed = definition();
    const int number = require_column(changed, name);
    if (!column_of(changed, number).not_null) new_not_null_.push_back(number);
    column_of(changed, number).not_null = true;
    change(std::move(changed));
  }

  void drop_not_null(const std::string& name) {
    Definition changed = definition();
    const int number = require_column(changed, name);
    if (column_of(changed, number).identity != catalog::Column::Identity::none) {
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("column \"{}\" of relation \"{}\" is an identity column", name, changed.name));
    }
    const catalog::TablePtr current = table();
    for (const catalog::Index& index : current->indexes) {
      if (index.description->index.primary && names_column(*index.description, number)) {
        throw SqlError(sqlstate::invalid_table_definition, fmt::format("column \"{}\" is in a primary key", name));
      }
    }
    column_of(changed, number).not_null = false;
    change(std::move(changed));
  }

  static Type type_of(const Action& action) {
    Type type;
    without_position([&] { type = query::resolve_type(*action.type); });
    return type;
  }

  void set_type(const Action& action) {
    Definition changed = definition();
    if (action.expression != nullptr) {
      query::analyse_over_relation(action.expression, executor::shape_of(changed), TypeId::none,
                                   "transform expressions", context_.analysis());
    }
    const int number = require_column(changed, action.column);
    if (column_of(changed, number).identity != catalog::Column::Identity::none) {
      require_identity_type(type_of(action));
      set_type_of_identity(number, *action.type);
    }
    if (!column_of(changed, number).generated_text.empty() && action.expression != nullptr) {
      throw SqlError("42611", "cannot specify USING when altering type of generated column",
                     fmt::format("Column \"{}\" is a generated column.", action.column));
    }
    const Type type = type_of(action);
    check_collation(action.collation, type);
    catalog::Column retyped = column_of(changed, number);
    retyped.type = type;
    refuse_pseudo_type(retyped);
    std::vector<NewColumn> columns;
    columns.push_back({number, conversion(changed, number, type, action.expression)});
    catalog::Column& column = column_of(changed, number);
    column.type = type;
    column.missing.reset();
    forget_statistics(changed, number);
    if (!column.default_text.empty()) column.default_text = converted_default(changed, number);
    refuse_generated_of(changed, number);
    refuse_views_of(changed, number);
    const catalog::TablePtr before = table();
    // The rows are read with the old definition and written with the new one.
    for (const catalog::Index& index : before->indexes) {
      if (names_column(*index.description, number))
        context_.catalog().alter(context_.transaction, index.id, retyped_index(context_, changed, *index.description));
    }
    change(std::move(changed));
    const std::vector<catalog::ReferencingKey> keys = comparable_keys_of(number);
    try {
      // Whether there still is something to call for the new type is known before any row is looked at.
      renew_checks();
      rewrite(context_, *before, *table(), std::move(columns));
      for (const catalog::Check& check : definition().checks) {
        if (check.validated) check_rows(context_, *table(), check);
      }
    } catch (SqlError& error) {
      // What is wrong with an expression of the catalog is nowhere in the statement.
      throw error.at(0);
    }
    for (const auto& [referencing, description, key] : keys) {
      if (key->validated)
        check_references(context_, *context_.catalog().find_table(&context_.transaction, referencing), *key);
    }
  }

  // The foreign keys that lead to the column or from it; they can still be.
  std::vector<catalog::ReferencingKey> comparable_keys_of(int number) {
    std::vector<catalog::ReferencingKey> found;
    std::vector<catalog::ReferencingKey> keys = context_.catalog().referencing(&context_.transaction, id_);
    const catalog::DefinitionPtr own = table()->description;
    for (const catalog::ForeignKey& key : own->foreign_keys) keys.push_back({id_, own, &key});
    for (const auto& [referencing, description, key] : keys) {
      const auto names = [number](const std::vector<int>& columns) {
        return std::find(columns.begin(), columns.end(), number) != columns.end();
      };
      const bool from = referencing == id_ && names(key->columns);
      if (!from && !(key->referenced == id_ && names(key->referenced_columns))) continue;
      for (const RelationId other : {referencing, key->referenced}) {
        context_.database.locks().acquire(context_.backend(), context_.transaction.level().locks,
                                          txn::LockTag::of_relation(other), LockMode::share_row_exclusive);
      }
      const catalog::TablePtr referenced = context_.catalog().find_table(&context_.transaction, key->referenced);
      check_comparable(*description, *referenced->description, *key);
      found.push_back({referencing, description, key});
    }
    return found;
  }

  void refuse_generated_of(const Definition& changed, int number) const {
    for (const int made : columns_made_of(changed, number)) {
      throw SqlError(sqlstate::feature_not_supported, "cannot alter type of a column used by a generated column",
                     fmt::format("Column \"{}\" is used by generated column \"{}\".",
                                 changed.columns[static_cast<std::size_t>(number - 1)].name,
                                 changed.columns[static_cast<std::size_t>(made - 1)].name));
    }
  }

  void refuse_views_of(const Definition& changed, int number) const {
    for (const Relation& other : context_.catalog().relations(&context_.transaction)) {
      if (!other.description->view.uses_column(id_, number)) continue;
      throw SqlError(
          sqlstate::feature_not_supported, "cannot alter type of a column used by a view or rule",
          fmt::format("rule _RETURN on view {} depends on column \"{}\"", shown_name(context_, *other.description),
                      changed.columns[static_cast<std::size_t>(number - 1)].name));
    }
  }

  query::Program conversion(const Definition& changed, int number, Type type,
                            const syntax::ExpressionPtr& written) const {
    const query::Relation shape = executor::shape_of(changed);
    const catalog::Column& column = changed.columns[static_cast<std::size_t>(number - 1)];
    syntax::ExpressionPtr expression = written;
    if (expression == nullptr) {
      if (!find_conversion(column.type.id, type.id, CastContext::assignment).possible()) {
        throw SqlError(
            sqlstate::datatype_mismatch,
            fmt::format("column \"{}\" cannot be cast automatically to type {}", column.name, type_name(type.id)), "",
            column.generated_text.empty() ? fmt::format("You might need to specify \"USING {}::{}\".",
                                                        quote_identifier(column.name), format_type(type))
                                          : "");
      }
      syntax::Expression reference;
      reference.kind = syntax::Expression::Kind::column;
      reference.name = column.name;
      expression = std::make_shared<const syntax::Expression>(std::move(reference));
    }
    const query::ExpressionPtr transform = query::analyse_over_relation(
        expression, shape, type, "transform expressions", context_.analysis(), column.name);
    return query::Program::compile(query::with_rows_made(transform, shape));
  }

  std::string converted_default(const Definition& changed, int number) const {
    const catalog::Column& column = changed.columns[static_cast<std::size_t>(number - 1)];
    const syntax::ExpressionPtr expression = parsed(column.default_text);
    try {
      return stored_default(context_, changed, column, expression);
    } catch (const SqlError& error) {
      if (error.sqlstate() != sqlstate::datatype_mismatch) throw;
      throw SqlError(sqlstate::datatype_mismatch,
                     fmt::format("default for column \"{}\" cannot be cast automatically to type {}", column.name,
                                 type_name(column.type.id)));
    }
  }

  // Their conditions have other conversions now.
  void renew_checks() {
    Definition changed = definition();
    if (changed.checks.empty()) return;
    for (catalog::Check& check : changed.checks) {
      check.condition =
          stored_expression(context_, changed, parsed(check.condition), TypeId::boolean, "check constraints");
    }
    change(std::move(changed));
  }

  void add_constraint_action(const syntax::Constraint& constraint) {
    TableInMaking making = in_making();
    const std::size_t checks = making.definition.checks.size();
    const std::size_t keys = making.definition.foreign_keys.size();
    if (constraint.kind == syntax::Constraint::Kind::check) {
      without_position([&] { add_constraint(context_, making, constraint, constraint.columns, names_); });
    } else {
      add_constraint(context_, making, constraint, constraint.columns, names_);
    }
    finish(std::move(making), checks, keys);
  }

  void drop_constraint(const Action& action) {
    Definition changed = definition();
    const std::string& name = action.column;
    const auto named = [&](const auto& constraint) { return constraint.name == name; };
    std::vector<catalog::ForeignKey> keys = changed.foreign_keys;
    std::erase_if(keys, [&](const catalog::ForeignKey& key) { return key.name != name; });
    lock_referenced(context_, id_, keys);
    if (std::erase_if(changed.checks, named) + std::erase_if(changed.foreign_keys, named) != 0) {
      change(std::move(changed));
      return;
    }
    const catalog::TablePtr current = table();
    for (const catalog::Index& index : current->indexes) {
      if (!index.description->index.constraint || index.description->name != name) continue;
      Removal removal(context_);
      removal.add_dependents_of_key(*context_.catalog().find(&context_.transaction, id_), index.id);
      removal.run(action.cascade, fmt::format("constraint {} on table {}", name, shown_name(context_, changed)));
      context_.catalog().drop(context_.transaction, index.id);
      return;
    }
    const std::string missing = fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, changed.name);
    if (!action.if_exists) throw SqlError(sqlstate::undefined_object, missing);
    context_.notice(missing + ", skipping");
  }

  void validate_constraint(const std::string& name) {
    Definition changed = definition();
    for (catalog::Check& check : changed.checks) {
      if (check.name != name) continue;
      check_rows(context_, *table(), check);
      check.validated = true;
      return change(std::move(changed));
    }
    for (catalog::ForeignKey& key : changed.foreign_keys) {
      if (key.name != name) continue;
      check_references(context_, *table(), key);
      key.validated = true;
      return change(std::move(changed));
    }
    const catalog::TablePtr current = table();
    for (const catalog::Index& index : current->indexes) {
      if (index.description->name != name || !index.description->index.constraint) continue;
      throw SqlError(sqlstate::wrong_object_type,
                     fmt::format("constraint \"{}\" of relation \"{}\" is not a foreign key or check constraint", name,
                                 changed.name));
    }
    throw SqlError(sqlstate::undefined_object,
                   fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, changed.name));
  }

  CommandContext& context_;
  RelationId id_;
  NameChooser names_;
  std::vector<int> new_not_null_;
  std::vector<std::string> new_checks_;
  std::vector<std::string> new_foreign_keys_;
};

bool is_property(Action::Kind kind) {
  return kind == Action::Kind::owner || kind == Action::Kind::set_parameters || kind == Action::Kind::reset_parameters;
}

// Owner and storage parameters, which any kind of relation has.
void change_property(CommandContext& context, RelationId id, const Action& action) {
  if (action.kind == Action::Kind::owner) return require_role(action.column);
  Definition changed = *context.catalog().find(&context.transaction, id)->description;
  if (action.kind == Action::Kind::set_parameters) {
    set_storage_parameters(changed, action.parameters);
  } else {
    reset_storage_parameters(changed, action.parameters);
  }
  context.catalog().alter(context.transaction, id, std::move(changed));
}

const char* tag_of(syntax::ObjectKind kind) {
  switch (kind) {
    case syntax::ObjectKind::table:
      return "ALTER TABLE";
    case syntax::ObjectKind::index:
      return "ALTER INDEX";
    case syntax::ObjectKind::view:
      return "ALTER VIEW";
    case syntax::ObjectKind::sequence:
      return "ALTER SEQUENCE";
    case syntax::ObjectKind::schema:
      return "ALTER SCHEMA";
    default:
      throw SqlError(sqlstate::feature_not_supported, "ALTER of this kind of object is not supported");
  }
}

void alter_schema_owner(const CommandContext& context, const syntax::AlterTable& alter) {
  if (context.catalog().schema_id(&context.transaction, alter.table.name) == 0)
    throw SqlError(sqlstate::invalid_schema_name, fmt::format("schema \"{}\" does not exist", alter.table.name));
  for (const Action& action : alter.actions) require_role(action.column);
}

// ALTER TABLE may name any of them.
void require_kind(const Relation& relation, syntax::ObjectKind kind) {
  const RelationKind is = relation.description->kind;
  const auto refuse = [&](const char* what) {
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not {}", relation.description->name, what));
  };
  if (kind == syntax::ObjectKind::view && is != RelationKind::view) refuse("a view");
  if (kind == syntax::ObjectKind::index && is != RelationKind::index) refuse("an index");
  if (kind == syntax::ObjectKind::sequence && is != RelationKind::sequence) refuse("a sequence");
}

}  // namespace

std::string alter_table(CommandContext& context, const syntax::AlterTable& alter) {
  const std::string tag = tag_of(alter.kind);
  if (alter.kind == syntax::ObjectKind::schema) {
    alter_schema_owner(context, alter);
    return tag;
  }
  for (const Action& action : alter.actions) {
    if (action.kind == Action::Kind::owner) require_role(action.column);
  }
  if (alter.if_exists && !find(context, alter.table)) {
    context.notice(fmt::format("relation \"{}\" does not exist, skipping", alter.table.name));
    return tag;
  }
  context.database.visit_append_point();
  if (std::all_of(alter.actions.begin(), alter.actions.end(),
                  [](const Action& action) { return is_property(action.kind); })) {
    const std::optional<Relation> found = open(context, alter.table, LockMode::access_exclusive);
    if (!found) {
      throw SqlError(sqlstate::undefined_table,
                     fmt::format("relation \"{}\" does not exist", written_name(alter.table)))
          .at(alter.table.position);
    }
    require_kind(*found, alter.kind);
    refuse_catalog(context, *found);
    for (const Action& action : alter.actions) change_property(context, found->id, action);
    return tag;
  }
  if (alter.kind != syntax::ObjectKind::table) tag_of(syntax::ObjectKind::type);
  const catalog::TablePtr table = open_table(context, alter.table, LockMode::access_exclusive);
  TableChange change(context, table);
  std::multimap<int, const Action*> passes;
  for (const Action& action : alter.actions) passes.emplace(pass_of(action), &action);
  for (const auto& [pass, action] : passes) {
    if (is_property(action->kind)) {
      change_property(context, table->id, *action);
    } else {
      change.run(*action);
    }
  }
  change.check_existing_rows();
  return tag;
}

}  // namespace polarsim::engine::commands
