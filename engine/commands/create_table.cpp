// CREATE TABLE (PostgreSQL's src/backend/parser/parse_utilcmd.c, src/backend/commands/tablecmds.c).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/commands/constraints.h"
#include "engine/commands/indexes.h"
#include "engine/commands/sequences.h"
#include "engine/commands/storage_parameters.h"
#include "engine/commands/table_columns.h"

namespace polarsim::engine::commands {

namespace {

void refuse_what_is_not_supported(const syntax::CreateTable& create) {
  if (create.temporary) throw SqlError(sqlstate::feature_not_supported, "temporary tables are not supported");
  if (create.unlogged) throw SqlError(sqlstate::feature_not_supported, "unlogged tables are not supported");
}

bool includes(const syntax::CreateTable::Like& like, std::string_view what) {
  const auto& including = like.including;
  return std::find(including.begin(), including.end(), what) != including.end() ||
         std::find(including.begin(), including.end(), "all") != including.end();
}

// Of all that makes relations, this alone tells where the name of a missing schema is.
std::string schema_for_table(const CommandContext& context, const syntax::TableName& name) {
  try {
    return schema_for_new(context, name);
  } catch (SqlError& error) {
    if (error.fields().sqlstate != sqlstate::invalid_schema_name) throw;
    throw error.at(name.position);
  }
}

class TableCreation {
 public:
  TableCreation(CommandContext& context, const syntax::CreateTable& create)
      : context_(context), create_(create), names_(context, schema_for_table(context, create.table)) {
    table_.definition.schema = schema_for_table(context, create.table);
    table_.definition.name = create.table.name;
    names_.reserve(create.table.name);
  }

  // In PostgreSQL's order, which decides what is told of several errors: transformCreateStmt(), the sequences,
  // DefineRelation(), and then keys, what LIKE copies, and foreign keys, each by a statement of its own.
  RelationId run() {
    auto like = create_.like.begin();
    std::vector<ErrorFields> warnings;
    for (std::size_t i = 0; i <= create_.columns.size(); ++i) {
      for (; like != create_.like.end() && like->columns_before == i; ++like) copy_columns(*like);
      if (i < create_.columns.size()) columns_.push_back(add_column(table_, create_.columns[i], warnings));
    }
    tell_of_types(context_, std::move(warnings));
    collect_constraints();
    const std::vector<WrittenKey> keys = settle_keys(table_.definition, std::move(keys_));
    for (PendingColumn& column : columns_) make_sequence_of(context_, table_, column, names_);
    define();
    for (const WrittenKey& key : keys) add_constraint(context_, table_, key.constraint, key.columns, names_);
    for (const auto& [copied, other] : likes_) copy_constraints(*copied, *other);
    for (const auto& [constraint, columns] : foreign_keys_)
      add_constraint(context_, table_, constraint, columns, names_);
    return make();
  }

 private:
  // By kinds, in the order in which they are written.
  void collect_constraints() {
    std::multimap<int, WrittenKey> all;  // by their positions
    for (const syntax::ColumnDefinition& column : create_.columns) {
      for (const syntax::Constraint& constraint : column.constraints)
        all.insert({constraint.position, {constraint, {column.name}}});
    }
    for (const syntax::Constraint& constraint : create_.constraints)
      all.insert({constraint.position, {constraint, constraint.columns}});
    for (auto& [position, each] : all) {
      using Kind = syntax::Constraint::Kind;
      const Kind kind = each.constraint.kind;
      if (kind == Kind::primary_key || kind == Kind::unique) keys_.push_back(std::move(each));
      if (kind == Kind::check) checks_.push_back(std::move(each));
      if (kind == Kind::foreign_key) foreign_keys_.push_back(std::move(each));
    }
  }

  // The table itself: PostgreSQL's DefineRelation().
  void define() {
    table_.definition.options = storage_parameters(RelationKind::table, create_.parameters);
    check_repeated_columns(table_.definition);
    if (!create_.access_method.empty() && create_.access_method != "heap") {
      throw SqlError(sqlstate::undefined_object,
                     fmt::format("access method \"{}\" does not exist", create_.access_method));
    }
    check_columns(table_.definition);
    if (context_.catalog().find_in_schema(&context_.transaction, table_.definition.schema, table_.definition.name))
      throw_exists(table_.definition.name);
    // Defaults and checks may name every column, so they come after them all.
    for (std::size_t i = 0; i < columns_.size(); ++i) settle_value(context_, table_, create_.columns[i], columns_[i]);
    for (const auto& [check, columns] : checks_) add_constraint(context_, table_, check, columns, names_);
  }

  void copy_columns(const syntax::CreateTable::Like& like) {
    if (!find(context_, like.table)) {
      throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(like.table)))
          .at(like.table.position);
    }
    const catalog::TablePtr other = open_table(context_, like.table, LockMode::access_share);
    for (catalog::Column column : other->description->columns) {
      if (column.dropped) continue;
      if (!includes(like, "defaults")) column.default_text.clear();
      if (!includes(like, "generated")) column.generated_text.clear();
      const auto identity = std::exchange(column.identity, catalog::Column::Identity::none);
      if (identity != catalog::Column::Identity::none) column.default_text.clear();
      column.missing.reset();
      if (!includes(like, "comments")) column.comment.clear();
      table_.definition.columns.push_back(std::move(column));
      if (identity != catalog::Column::Identity::none && includes(like, "identity")) copy_identity(*other, identity);
    }
    likes_.emplace_back(&like, other);
  }

  // PostgreSQL's expandTableLikeClause().
  void copy_constraints(const syntax::CreateTable::Like& like, const catalog::Table& other) {
    if (includes(like, "constraints")) {
      for (const catalog::Check& check : other.description->checks) {
        if (std::find(table_.constraint_names.begin(), table_.constraint_names.end(), check.name) !=
            table_.constraint_names.end()) {
          throw SqlError(sqlstate::duplicate_object, fmt::format("constraint \"{}\" for relation \"{}\" already exists",
                                                                 check.name, table_.definition.name));
        }
        table_.constraint_names.push_back(check.name);
        table_.definition.checks.push_back(check);
        table_.definition.checks.back().id = context_.database.transactions().new_relation_id();
      }
    }
    if (includes(like, "indexes")) copy_indexes(other, includes(like, "comments"));
  }

  // The last column counts as that of the other table does, by a sequence of its own.
  void copy_identity(const catalog::Table& other, catalog::Column::Identity identity) {
    const auto number = static_cast<int>(table_.definition.columns.size());
    const int original = other.description->find_column(table_.definition.columns.back().name);
    syntax::Constraint written;
    written.kind = syntax::Constraint::Kind::identity;
    written.identity_always = identity == catalog::Column::Identity::always;
    for (const Relation& relation : context_.catalog().relations(&context_.transaction)) {
      const catalog::SequenceProperties& sequence = relation.description->sequence;
      if (sequence.owner != other.id || sequence.owner_column != original) continue;
      written.sequence.start = sequence.parameters.start;
      written.sequence.increment = sequence.parameters.increment;
      written.sequence.minimum = sequence.parameters.minimum;
      written.sequence.maximum = sequence.parameters.maximum;
      written.sequence.cycle = sequence.parameters.cycle;
    }
    identities_.push_back(make_identity(context_, table_, number, written, names_));
  }

  void copy_indexes(const catalog::Table& other, bool with_comments) {
    for (const catalog::Index& index : other.indexes) {
      const auto is_primary = [](const Definition& made) { return made.index.primary; };
      if (index.description->index.primary && std::any_of(table_.indexes.begin(), table_.indexes.end(), is_primary)) {
        throw SqlError(sqlstate::invalid_table_definition,
                       fmt::format("multiple primary keys for table \"{}\" are not allowed", table_.definition.name));
      }
      Definition copy = *index.description;
      copy.schema = table_.definition.schema;
      if (!with_comments) copy.comment.clear();
      std::vector<std::string> columns;
      for (auto& key : copy.index.keys) {
        if (key.column == 0) {
          columns.emplace_back("expr");
          continue;
        }
        const std::string& name = other.description->columns.at(static_cast<std::size_t>(key.column - 1)).name;
        columns.push_back(name);
        key.column = table_.definition.find_column(name);
      }
      const std::vector<std::string> none;
      copy.name = names_.choose(table_.definition.name, copy.index.primary ? none : columns,
                                copy.index.primary      ? "pkey"
                                : copy.index.constraint ? "key"
                                                        : "idx");
      table_.indexes.push_back(std::move(copy));
    }
  }

  RelationId make() {
    const std::string name = table_.definition.name;
    std::vector<catalog::ForeignKey> keys = table_.definition.foreign_keys;
    const RelationId id = context_.catalog().create(context_.transaction, table_.definition);
    if (id == 0) throw_exists(name);
    // A key to the table itself could not be told where it leads.
    const auto to_itself = [](const catalog::ForeignKey& key) { return key.referenced == 0; };
    if (std::any_of(keys.begin(), keys.end(), to_itself)) {
      for (catalog::ForeignKey& key : table_.definition.foreign_keys) {
        if (to_itself(key)) key.referenced = id;
      }
      context_.catalog().alter(context_.transaction, id, table_.definition);
    }
    for (PendingColumn& column : columns_) finish_column(context_, id, column);
    for (PendingColumn& column : identities_) finish_column(context_, id, column);
    for (Definition& index : table_.indexes) {
      index.index.table = id;
      make_index(context_, std::move(index));
    }
    return id;
  }

  CommandContext& context_;
  const syntax::CreateTable& create_;
  NameChooser names_;
  TableInMaking table_;
  std::vector<PendingColumn> columns_;
  std::vector<PendingColumn> identities_;  // of columns that LIKE has copied
  std::vector<std::pair<const syntax::CreateTable::Like*, catalog::TablePtr>> likes_;
  std::vector<WrittenKey> keys_;
  std::vector<WrittenKey> checks_;
  std::vector<WrittenKey> foreign_keys_;
};

}  // namespace

std::string create_table(CommandContext& context, const syntax::CreateTable& create) {
  refuse_what_is_not_supported(create);
  context.database.visit_append_point();
  if (create.if_not_exists) {
    syntax::TableName name = create.table;
    name.schema = schema_for_table(context, create.table);
    if (find(context, name)) {
      context.notice_existing(sqlstate::duplicate_table,
                              fmt::format("relation \"{}\" already exists", create.table.name));
      return "CREATE TABLE";
    }
  }
  TableCreation(context, create).run();
  return "CREATE TABLE";
}

}  // namespace polarsim::engine::commands
