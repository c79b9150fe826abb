#include "engine/commands/renamed_views.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "engine/query/deparse.h"
#include "engine/query/expression_walk.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::commands {

namespace {

// A query with the names that its relations get.
class RenamedQuery {
 public:
  explicit RenamedQuery(const RenamedRelations& renamed) : renamed_(renamed) {}

  query::QueryPtr rename(const query::QueryPtr& query) {
    const query::QueryPtr mapped = query::map_query(
        query, [this](const query::ExpressionPtr& each) { return rename(each); },
        [this](const query::QueryPtr& inner) { return rename(inner); });
    auto copy = std::make_shared<query::Query>(*mapped);
    std::set<std::string> joined;
    for (const query::RangeTableEntry& entry : copy->entries) {
      if (const auto* join = std::get_if<query::JoinSource>(&entry.source))
        joined.insert(join->using_columns.begin(), join->using_columns.end());
    }
    for (query::RangeTableEntry& entry : copy->entries) {
      if (auto* table = std::get_if<query::TableSource>(&entry.source)) rename(table->relation, entry, joined);
      auto* subquery = std::get_if<query::SubquerySource>(&entry.source);
      if (subquery != nullptr && subquery->view != nullptr) {
        rename(subquery->view, entry, joined);
        subquery->query = with_names_of(*subquery->view, *subquery->query);
      }
      if (auto* system = std::get_if<query::SystemViewSource>(&entry.source)) rename(system->relation, entry, joined);
    }
    return copy;
  }

 private:
  query::ExpressionPtr rename(const query::ExpressionPtr& expression) {
    const query::ExpressionPtr mapped = query::map_children(
        expression, [this](const query::ExpressionPtr& child) { return rename(child); },
        [this](const query::QueryPtr& inner) { return rename(inner); });
    const auto* row = mapped->as<query::RowConstructor>();
    if (row == nullptr || row->relation == nullptr || !renamed_.contains(row->relation->id)) return mapped;
    query::RowConstructor changed = *row;
    changed.relation = with_names(*row->relation, renamed_.at(row->relation->id));
    changed.names.clear();
    for (const query::RelationColumn& column : changed.relation->columns) {
      if (!column.dropped) changed.names.push_back(column.name);
    }
    return query::make_expression(std::move(changed), mapped->type, mapped->position);
  }

  static query::QueryPtr with_names_of(const query::Relation& view, const query::Query& query) {
    auto copy = std::make_shared<query::Query>(query);
    std::size_t next = 0;
    for (query::Target& target : copy->targets) {
      if (!target.hidden && next < view.columns.size()) target.name = view.columns[next++].name;
    }
    return copy;
  }

  // What tables are joined by has a name that USING says, which becomes an alias.
  void rename(query::RelationPtr& relation, query::RangeTableEntry& entry, const std::set<std::string>& joined) const {
    const auto found = renamed_.find(relation->id);
    if (found == renamed_.end()) return;
    const Definition& after = found->second;
    if (!entry.alias_written) entry.alias = after.name;
    // A list of aliases may have given a column another name, which stays.
    for (std::size_t i = 0; i < std::min(after.columns.size(), relation->columns.size()); ++i) {
      const std::string& name = relation->columns[i].name;
      if (i < entry.columns.size() && entry.columns[i].name == name && !joined.contains(name))
        entry.columns[i].name = after.columns[i].name;
    }
    relation = with_names(*relation, after);
  }
  static query::RelationPtr with_names(const query::Relation& relation, const Definition& after) {
    auto changed = std::make_shared<query::Relation>(relation);
    changed->schema = after.schema;
    changed->name = after.name;
    for (std::size_t i = 0; i < std::min(after.columns.size(), changed->columns.size()); ++i)
      changed->columns[i].name = after.columns[i].name;
    return changed;
  }

  const RenamedRelations& renamed_;
};

syntax::Select parse_view(const CommandContext& context, const Definition& view) {
  std::vector<syntax::StatementPtr> parsed;
  context.database.host().scheduler().on_scheduler_stack([&] { parsed = syntax::parse(view.view.query); });
  return std::get<syntax::Select>(parsed.at(0)->body);
}

}  // namespace

std::map<RelationId, std::string> queries_of_views(const CommandContext& context, const RenamedRelations& renamed) {
  std::map<RelationId, std::string> queries;
  query::DeparseOptions style;
  style.is_visible = [](const query::Relation&) { return false; };
  style.read_again = true;
  for (const Relation& relation : context.catalog().relations(&context.transaction)) {
    const auto& uses = relation.description->view.uses;
    if (std::none_of(uses.begin(), uses.end(), [&](RelationId used) { return renamed.contains(used); })) continue;
    const syntax::Select select = parse_view(context, *relation.description);
    const query::QueryPtr query = query::analyse(select, context.analysis());
    queries[relation.id] = query::deparse(*RenamedQuery(renamed).rename(query), style);
  }
  return queries;
}

void set_queries(CommandContext& context, const std::map<RelationId, std::string>& queries) {
  for (const auto& [id, query] : queries) {
    Definition view = *context.catalog().find(&context.transaction, id)->description;
    view.view.query = query;
    context.catalog().alter(context.transaction, id, std::move(view));
  }
}

void rename_relations(CommandContext& context, const RenamedRelations& renamed) {
  const std::map<RelationId, std::string> queries = queries_of_views(context, renamed);
  for (const auto& [id, definition] : renamed) {
    if (!context.catalog().alter(context.transaction, id, definition)) throw_exists(definition.name);
  }
  set_queries(context, queries);
}

}  // namespace polarsim::engine::commands
