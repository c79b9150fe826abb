#include "engine/commands/renamed_views.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/query/analysis.h"
#include "engine/query/expression_walk.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::commands {

namespace {

// Null for what has no name in the catalog.
const query::Relation* named_by(const query::RangeTableEntry& entry) {
  if (const auto* table = std::get_if<query::TableSource>(&entry.source)) return table->relation.get();
  if (const auto* system = std::get_if<query::SystemViewSource>(&entry.source)) return system->relation.get();
  if (const auto* subquery = std::get_if<query::SubquerySource>(&entry.source)) return subquery->view.get();
  return nullptr;
}

}  // namespace

RenamedViews::RenamedViews(CommandContext& context, std::map<RelationId, query::RelationName> names)
    : context_(context), names_(std::move(names)) {
  query::DeparseOptions style;
  style.is_visible = [](const query::Relation&) { return false; };
  style.rename = [this](const query::Relation& relation) {
    const auto found = names_.find(relation.id);
    return found == names_.end() ? query::RelationName{relation.schema, relation.name} : found->second;
  };
  for (const Relation& view : context_.catalog().relations(&context_.transaction)) {
    const auto& uses = view.description->view.uses;
    if (std::none_of(uses.begin(), uses.end(), [this](RelationId used) { return names_.contains(used); })) continue;
    std::vector<syntax::StatementPtr> parsed;
    context_.database.host().scheduler().on_scheduler_stack(
        [&] { parsed = syntax::parse(view.description->view.query); });
    const auto& select = std::get<syntax::Select>(parsed.at(0)->body);
    texts_[view.id] = query::deparse(*with_new_aliases(query::analyse(select, context_.analysis())), style);
  }
}

// A relation without an alias goes by its own name.
query::QueryPtr RenamedViews::with_new_aliases(const query::QueryPtr& query) const {
  const auto inner = [this](const query::QueryPtr& each) { return with_new_aliases(each); };
  const std::function<query::ExpressionPtr(const query::ExpressionPtr&)> look =
      [&](const query::ExpressionPtr& expression) { return query::map_children(expression, look, inner); };
  auto own = std::make_shared<query::Query>(*query::map_query(query, look, inner));
  for (query::RangeTableEntry& entry : own->entries) {
    const query::Relation* const relation = named_by(entry);
    if (relation == nullptr || entry.alias_written || entry.alias != relation->name) continue;
    if (const auto found = names_.find(relation->id); found != names_.end()) entry.alias = found->second.name;
  }
  return own;
}

void RenamedViews::write() const {
  for (const auto& [id, text] : texts_) {
    Definition changed = *context_.catalog().find(&context_.transaction, id)->description;
    changed.view.query = text;
    context_.catalog().alter(context_.transaction, id, std::move(changed));
  }
}

}  // namespace polarsim::engine::commands
