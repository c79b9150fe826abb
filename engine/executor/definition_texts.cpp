#include "engine/executor/definition_texts.h"

#include <algorithm>
#include <variant>

#include "engine/catalog/describe.h"
#include "engine/executor/relation_shape.h"
#include "engine/executor/relations.h"
#include "engine/executor/system_views.h"
#include "engine/query/analysis.h"
#include "engine/query/deparse.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/query/no_relations.h"
#include "engine/syntax/parser.h"
#include "engine/types/quote.h"

namespace polarsim::engine::executor {

namespace {

// The grammar runs on the scheduler's stack.
syntax::Select parse(Database& database, const std::string& text) {
  std::vector<syntax::StatementPtr> parsed;
  database.host().scheduler().on_scheduler_stack([&] { parsed = syntax::parse(text); });
  return std::get<syntax::Select>(parsed.at(0)->body);
}

query::ExpressionPtr analyse(Database& database, const CallContext& call, const std::string& text,
                             const query::Relation& shape) {
  const syntax::Select select = parse(database, "SELECT " + text);
  query::NoRelations none;
  return query::analyse_over_relation(select.items.at(0).expression, shape, TypeId::none, "transform expressions",
                                      {none, call, nullptr, false});
}

}  // namespace

std::string expression_column_name(Database& database, const std::string& expression) {
  const syntax::Select select = parse(database, "SELECT " + expression);
  const std::string name = query::figure_column_name(*select.items.at(0).expression);
  return name == "?column?" ? "expr" : name;
}

std::vector<int> expression_columns(Database& database, const CallContext& call, const std::string& expression,
                                    const catalog::Definition& table) {
  std::vector<int> columns;
  query::walk(analyse(database, call, expression, shape_of(table)), [&](const query::Expression& node, int levels) {
    const auto* const column = node.as<query::Column>();
    const bool is_new = column != nullptr && column->levels_up == levels && column->column > 0 &&
                        std::ranges::find(columns, column->column) == columns.end();
    if (is_new) columns.push_back(column->column);
    return true;
  });
  return columns;
}

std::string renamed_expression(Database& database, const CallContext& call, const std::string& expression,
                               const catalog::Definition& before, const catalog::Definition& after) {
  if (expression.empty()) return expression;
  const query::Relation shape = shape_of(after);
  return query::deparse(*analyse(database, call, expression, shape_of(before)), &shape);
}

std::string DefinitionTexts::name_of(const catalog::Definition& relation) const {
  const std::string name = quote_identifier(relation.name);
  const auto found = database_.catalog().find(&transaction_, search_path_, relation.name);
  const bool hidden = !found || found->description->schema != relation.schema;
  return hidden ? quote_identifier(relation.schema) + "." + name : name;
}

std::string DefinitionTexts::view(const catalog::Relation& view, bool pretty) const {
  const catalog::Definition& definition = *view.description;
  const syntax::Select select = parse(database_, definition.view.query);
  RelationCache cache(database_);
  CatalogRelations relations(database_, cache, transaction_, search_path_);
  auto query = std::make_shared<query::Query>(*query::analyse(select, {relations, call_, nullptr, false}));
  std::size_t next = 0;
  for (query::Target& target : query->targets) {
    if (!target.hidden && next < definition.columns.size()) target.name = definition.columns[next++].name;
  }
  query::DeparseOptions options;
  options.pretty = pretty;
  options.call = &call_;
  options.is_visible = [&](const query::Relation& relation) {
    if (relation.kind == query::Relation::Kind::system_view) return relation.schema == catalog::system_schema;
    const auto found = database_.catalog().find(&transaction_, search_path_, relation.name);
    return found && found->id == relation.id;
  };
  return query::deparse(*query, options) + ";";
}

std::string DefinitionTexts::expression(const std::string& text, const catalog::Definition* table, bool pretty) const {
  // What is kept is what is shown, unless it has a relation's number in it.
  const bool has_numbers = text.find("::reg") != std::string::npos;
  if (text.empty() || (!pretty && !has_numbers)) return text;
  const query::Relation shape = table != nullptr ? shape_of(*table) : query::Relation();
  const query::ExpressionPtr analysed = analyse(database_, call_, text, shape);
  query::DeparseOptions options;
  options.pretty = pretty;
  options.call = &call_;
  return query::deparse(*analysed, &shape, options);
}

catalog::Definition DefinitionTexts::rewritten(const catalog::Definition& index, const catalog::Definition& table,
                                               bool pretty) const {
  catalog::Definition made = index;
  for (catalog::IndexProperties::Key& key : made.index.keys)
    key.expression = expression(key.expression, &table, pretty);
  made.index.predicate = expression(made.index.predicate, &table, pretty);
  return made;
}

std::string DefinitionTexts::index(const catalog::Definition& index, const catalog::Definition& table,
                                   bool pretty) const {
  return catalog::index_text(rewritten(index, table, pretty), table, pretty ? name_of(table) : std::string());
}

std::string DefinitionTexts::index_key(const catalog::Definition& index, const catalog::Definition& table, int number,
                                       bool pretty) const {
  return catalog::index_key_text(rewritten(index, table, pretty), table, number);
}

std::string DefinitionTexts::relation_name(catalog::RelationId id) const {
  const auto relation = database_.catalog().find(&transaction_, id);
  return relation ? name_of(*relation->description) : std::to_string(id);
}

std::string DefinitionTexts::constraint(catalog::RelationId id, bool pretty) const {
  const catalog::Catalog& catalog = database_.catalog();
  for (const catalog::Relation& relation : catalog.relations(&transaction_)) {
    const catalog::Definition& definition = *relation.description;
    if (definition.index.constraint && catalog::constraint_id(relation.id) == id) {
      const auto table = catalog.find(&transaction_, definition.index.table);
      return catalog::key_constraint_text(definition, *table->description);
    }
    for (const catalog::Check& check : definition.checks) {
      if (check.id != id) continue;
      catalog::Check shown = check;
      shown.condition = expression(check.condition, &definition, pretty);
      return catalog::check_text(shown);
    }
    for (const catalog::ForeignKey& key : definition.foreign_keys) {
      if (key.id != id) continue;
      const auto referenced = catalog.find(&transaction_, key.referenced);
      return catalog::foreign_key_text(key, definition, *referenced->description, relation_name(key.referenced));
    }
  }
  return {};
}

}  // namespace polarsim::engine::executor
