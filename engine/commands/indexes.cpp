#include "engine/commands/indexes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/catalog/describe.h"
#include "engine/commands/constraints.h"
#include "engine/commands/operator_classes.h"
#include "engine/commands/storage_parameters.h"
#include "engine/commands/table_columns.h"
#include "engine/executor/index_keys.h"
#include "engine/executor/relation_shape.h"
#include "engine/query/deparse.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/query/fold.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::commands {

namespace {

using executor::IndexKeys;
using storage::BTree;
using storage::Tid;
using KeyOwner = txn::Heap::KeyOwner;

// Goes through the finished index: versions with one key lie beside each other.
class UniquenessCheck {
 public:
  UniquenessCheck(CommandContext& context, const catalog::Table& table, const catalog::Index& index, IndexKeys& keys)
      : context_(context), table_(table), index_(index), keys_(keys) {}

  void run() {
    BTree::Scan scan = context_.database.tree(index_).scan({});
    std::string key;
    bool first = true;
    for (std::vector<BTree::Entry> entries; scan.next(entries);) {
      for (const BTree::Entry& entry : entries) {
        context_.backend().check_interrupts();
        if (first || entry.key != key) {
          key = entry.key;
          seen_live_ = false;
          first = false;
        }
        check(entry.tid);
      }
    }
  }

 private:
  void check(Tid tid) {
    Row row;
    const auto counts = [&](const Row& version) {
      row = version;
      catalog::complete_row(table_, row);
      return keys_.must_be_unique(keys_.values(row, context_.call));
    };
    const KeyOwner owner = context_.database.heap().find_key_owner(context_.transaction, table_.heap, {tid}, counts);
    if (owner.state == KeyOwner::State::none) return;
    if (!std::exchange(seen_live_, true)) return;
    const std::string shown = keys_.description(keys_.values(row, context_.call), context_.call);
    throw SqlError(sqlstate::unique_violation,
                   fmt::format("could not create unique index \"{}\"", index_.description->name),
                   fmt::format("Key {} is duplicated.", shown))
        .about({.schema = table_.description->schema,
                .table = table_.description->name,
                .constraint = index_.description->name});
  }

  CommandContext& context_;
  const catalog::Table& table_;
  const catalog::Index& index_;
  IndexKeys& keys_;
  bool seen_live_ = false;
};

void fill(CommandContext& context, const catalog::Table& table, const catalog::Index& index) {
  IndexKeys keys(table.description, index.description, context.analysis(), context.database.host().scheduler());
  BTree& tree = context.database.tree(index);
  tree.create();
  const txn::ActiveSnapshot keeps_vacuum_away(context.database.transactions(), context.transaction);
  context.database.heap().for_each_version(table.heap, [&](Tid tid, const storage::TupleHeader&, const Row& version) {
    context.backend().check_interrupts();
    Row row = version;
    catalog::complete_row(table, row);
    if (keys.holds(row, context.call)) tree.insert(keys.key(keys.values(row, context.call)), tid);
  });
  if (index.description->index.unique) UniquenessCheck(context, table, index, keys).run();
}

catalog::Index index_of(const catalog::Table& table, RelationId id) {
  for (const catalog::Index& index : table.indexes) {
    if (index.id == id) return index;
  }
  throw SqlError(sqlstate::internal_error, "an index is not among those of its table");
}

// --- CREATE INDEX ---

void require_btree(const syntax::CreateIndex& create) {
  if (create.method == "btree") return;
  const auto known = {"hash", "gist", "gin", "spgist", "brin"};
  if (std::find(known.begin(), known.end(), create.method) == known.end())
    throw SqlError(sqlstate::undefined_object, fmt::format("access method \"{}\" does not exist", create.method));
  throw SqlError(sqlstate::feature_not_supported, fmt::format("access method \"{}\" is not supported", create.method));
}

// A definition without the line breaks that people are shown, which positions in it do not count.
std::string on_one_line(const std::string& text) {
  std::string line;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '\n') {
      while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
      if (!line.ends_with('(')) line += ' ';
      continue;
    }
    line += c;
  }
  return line;
}

// The index's expressions as they are understood, before anything else of it is looked at: PostgreSQL's
// transformIndexStmt().
struct IndexExpressions {
  query::ExpressionPtr predicate;
  std::vector<query::ExpressionPtr> keys;  // null for plain columns
};

IndexExpressions expressions_of(const CommandContext& context, const Definition& table,
                                const syntax::CreateIndex& create) {
  const query::Relation shape = executor::shape_of(table);
  IndexExpressions found;
  if (create.where != nullptr) {
    found.predicate =
        query::analyse_over_relation(create.where, shape, TypeId::boolean, "index predicates", context.analysis());
  }
  for (const syntax::IndexElement& element : create.elements) {
    found.keys.push_back(element.expression == nullptr
                             ? nullptr
                             : query::analyse_over_relation(element.expression, shape, TypeId::none,
                                                            "index expressions", context.analysis()));
  }
  return found;
}

void require_immutable(const CommandContext& context, const query::ExpressionPtr& expression, std::string_view what) {
  if (query::contains_volatility(query::fold(expression, {context.call, {}}), Volatility::stable))
    throw SqlError("42P17", fmt::format("functions in {} must be marked IMMUTABLE", what));
}

// Their values change without anybody's telling.
void refuse_system_columns(const query::ExpressionPtr& expression) {
  if (expression == nullptr) return;
  const std::set<int> used = columns_used(expression);
  if (!used.empty() && *used.begin() < 0)
    throw SqlError(sqlstate::feature_not_supported, "index creation on system columns is not supported");
}

// A key of the index, and what it is called in the name that is made up for it.
std::pair<catalog::IndexProperties::Key, std::string> key_of(const CommandContext& context, const Definition& table,
                                                             const syntax::IndexElement& element,
                                                             const query::ExpressionPtr& expression) {
  catalog::IndexProperties::Key key;
  key.descending = element.descending;
  key.nulls_first = element.nulls_first;
  std::string name = element.column;
  if (expression == nullptr) {
    key.column = table.find_column(element.column);
    if (key.column == 0 && !is_system_column(element.column))
      throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" does not exist", element.column));
    // What is made of a system column is refused at last.
    if (key.column == 0) return {std::move(key), std::move(name)};
    key.type = table.columns[static_cast<std::size_t>(key.column - 1)].type;
  } else {
    require_immutable(context, expression, "index expression");
    key.type = expression->type;
    const auto* column = expression->as<query::Column>();
    if (column != nullptr && column->column > 0) {
      key.column = column->column;
    } else {
      const query::Relation shape = executor::shape_of(table);
      key.expression = query::deparse(*expression, &shape);
    }
    name = query::figure_column_name(*element.expression);
    if (name == "?column?") name = "expr";
  }
  check_collation(element.collation, key.type);
  const std::string_view usual = key.type.id == TypeId::name ? "C" : "default";
  if (element.collation != usual) key.collation = element.collation;
  key.operator_class = settle_operator_class(element.operator_class, key.type);
  require_index_order(key.type);
  return {std::move(key), std::move(name)};
}

}  // namespace

void require_index_order(Type type) {
  if (type.id != TypeId::unknown && query::less_of(type.id) != nullptr) return;
  throw SqlError(
      sqlstate::undefined_object,
      fmt::format("data type {} has no default operator class for access method \"btree\"", format_type(type)), "",
      "You must specify an operator class for the index or define a default operator class for the data type.");
}

void make_index(CommandContext& context, Definition definition) {
  const RelationId table_id = definition.index.table;
  const std::string name = definition.name;
  const RelationId id = context.catalog().create(context.transaction, std::move(definition));
  if (id == 0) throw_exists(name);
  const catalog::TablePtr table = context.catalog().find_table(&context.transaction, table_id);
  fill(context, *table, index_of(*table, id));
}

Definition retyped_index(const CommandContext& context, const Definition& table, const Definition& index) {
  std::vector<syntax::StatementPtr> parsed;
  context.database.host().scheduler().on_scheduler_stack(
      [&] { parsed = syntax::parse(on_one_line(catalog::index_text(index, table))); });
  const IndexExpressions expressions =
      expressions_of(context, table, std::get<syntax::CreateIndex>(parsed.at(0)->body));
  const query::Relation shape = executor::shape_of(table);
  Definition retyped = index;
  if (expressions.predicate != nullptr) {
    require_immutable(context, expressions.predicate, "index predicate");
    retyped.index.predicate = query::deparse(*expressions.predicate, &shape);
  }
  for (std::size_t i = 0; i < retyped.index.keys.size(); ++i) {
    catalog::IndexProperties::Key& key = retyped.index.keys[i];
    if (key.column != 0) {
      key.type = table.columns[static_cast<std::size_t>(key.column - 1)].type;
    } else {
      require_immutable(context, expressions.keys.at(i), "index expression");
      key.type = expressions.keys[i]->type;
      key.expression = query::deparse(*expressions.keys[i], &shape);
    }
    key.operator_class = settle_operator_class(key.operator_class, key.type);
    require_index_order(key.type);
  }
  return retyped;
}

void refill_index(CommandContext& context, const catalog::Table& table, const catalog::Index& index) {
  fill(context, table, index);
}

std::string create_index(CommandContext& context, const syntax::CreateIndex& create) {
  if (create.concurrently)
    throw SqlError(sqlstate::feature_not_supported, "CREATE INDEX CONCURRENTLY is not supported");
  const std::optional<catalog::Relation> relation = find(context, create.table);
  if (relation && relation->description->kind != RelationKind::table) {
    const bool view = relation->description->kind == RelationKind::view;
    throw SqlError(sqlstate::wrong_object_type,
                   fmt::format("cannot create index on relation \"{}\"", create.table.name),
                   fmt::format("This operation is not supported for {}.", view ? "views" : "sequences"));
  }
  const catalog::TablePtr table = open_table(context, create.table, LockMode::share);
  context.database.visit_append_point();
  Definition index;
  index.kind = RelationKind::index;
  index.schema = table->description->schema;
  index.index.table = table->id;
  index.index.unique = create.unique;
  index.index.nulls_not_distinct = create.nulls_not_distinct;
  // What is told of several errors is a matter of PostgreSQL's order.
  const Definition& definition = *table->description;
  const IndexExpressions expressions = expressions_of(context, definition, create);
  check_key_count(create.elements.size() + create.including.size());
  require_btree(create);
  if (expressions.predicate != nullptr) {
    require_immutable(context, expressions.predicate, "index predicate");
    const query::Relation shape = executor::shape_of(definition);
    index.index.predicate = query::deparse(*expressions.predicate, &shape);
  }
  index.options = storage_parameters(RelationKind::index, create.parameters);
  std::vector<std::string> names;
  bool has_system_columns = false;
  for (std::size_t i = 0; i < create.elements.size(); ++i) {
    auto [key, name] = key_of(context, definition, create.elements[i], expressions.keys[i]);
    has_system_columns |= key.column == 0 && key.expression.empty();
    index.index.keys.push_back(std::move(key));
    names.push_back(std::move(name));
  }
  for (const std::string& column : create.including) {
    const int number = definition.find_column(column);
    has_system_columns |= number == 0 && is_system_column(column);
    if (number == 0 && !is_system_column(column))
      throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" does not exist", column));
    index.index.included.push_back(number);
    names.push_back(column);
  }
  if (has_system_columns)
    throw SqlError(sqlstate::feature_not_supported, "index creation on system columns is not supported");
  for (const query::ExpressionPtr& key : expressions.keys) refuse_system_columns(key);
  refuse_system_columns(expressions.predicate);
  index.name = create.name;
  if (index.name.empty()) index.name = NameChooser(context, index.schema).choose(definition.name, names, "idx");
  if (create.if_not_exists) {
    syntax::TableName name;
    name.schema = index.schema;
    name.name = index.name;
    if (find(context, name)) {
      context.notice_existing(sqlstate::duplicate_table, fmt::format("relation \"{}\" already exists", index.name));
      return "CREATE INDEX";
    }
  }
  make_index(context, std::move(index));
  return "CREATE INDEX";
}

}  // namespace polarsim::engine::commands
