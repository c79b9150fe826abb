// Views become what they select (PostgreSQL's src/backend/rewrite/rewriteHandler.c).
#include <fmt/format.h>

#include <algorithm>

#include "engine/query/analysis_parts.h"
#include "engine/query/expression_walk.h"
#include "engine/query/locking.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

// Why rows of the view do not stand for rows of one table; null: they do.
const char* why_not_updatable(const Query& query) {
  if (query.distinct || !query.distinct_on.empty()) return "Views containing DISTINCT are";
  if (!query.group_by.empty() || !query.grouping_sets.empty()) return "Views containing GROUP BY are";
  if (query.having != nullptr) return "Views containing HAVING are";
  if (query.set_operation != nullptr) return "Views containing UNION, INTERSECT, or EXCEPT are";
  if (!query.common_tables.empty()) return "Views containing WITH are";
  if (query.limit != nullptr || query.offset != nullptr) return "Views containing LIMIT or OFFSET are";
  if (query.grouped) return "Views that return aggregate functions are";
  if (has_window_calls(query)) return "Views that return window functions are";
  if (query.has_set_functions) return "Views that return set-returning functions are";
  const char* several = "Views that do not select from a single table or view are";
  if (query.from.size() != 1 || !query.from[0]->is_leaf()) return several;
  const RangeTableEntry& entry = query.entries[static_cast<std::size_t>(query.from[0]->entry)];
  const auto* subquery = std::get_if<SubquerySource>(&entry.source);
  if (std::holds_alternative<TableSource>(entry.source)) return nullptr;
  return subquery != nullptr && subquery->view != nullptr ? nullptr : several;
}

}  // namespace

void refuse_view(const Relation& view, std::string_view verb, QueryScope& scope) {
  if (view.kind != Relation::Kind::view && view.kind != Relation::Kind::system_view) return;
  const char* reason = "Views that do not select from a single table or view are";
  if (view.kind == Relation::Kind::view) reason = why_not_updatable(*analyse_view(view, scope));
  if (reason == nullptr) {
    throw SqlError(sqlstate::feature_not_supported, fmt::format("cannot {} view \"{}\"", verb, view.name),
                   "Views are not automatically updatable in this engine.");
  }
  const bool insert = verb == "insert into";
  const bool update = verb == "update";
  throw SqlError("55000", fmt::format("cannot {} view \"{}\"", verb, view.name),
                 fmt::format("{} not automatically updatable.", reason),
                 fmt::format("To enable {} the view, provide an INSTEAD OF {} trigger or an unconditional ON {} DO "
                             "INSTEAD rule.",
                             insert   ? "inserting into"
                             : update ? "updating"
                                      : "deleting from",
                             insert   ? "INSERT"
                             : update ? "UPDATE"
                                      : "DELETE",
                             insert   ? "INSERT"
                             : update ? "UPDATE"
                                      : "DELETE"));
}

QueryPtr analyse_view(const Relation& view, QueryScope& scope) {
  std::vector<std::uint32_t> views = scope.statement().views;
  if (std::find(views.begin(), views.end(), view.id) != views.end()) {
    throw SqlError("42P17", fmt::format("infinite recursion detected in rules for relation \"{}\"", view.name));
  }
  views.push_back(view.id);
  const AnalysisContext& outer = scope.context();
  const AnalysisContext context{outer.relations, outer.call, nullptr, false};
  StatementState statement{context, std::move(views)};
  QueryScope inner(statement, nullptr);
  try {
    MutableQueryPtr query = analyse_select(*view.view, inner);
    std::size_t next = 0;
    for (Target& target : query->targets) {
      if (!target.hidden && next < view.columns.size()) target.name = view.columns[next++].name;
    }
    return query;
  } catch (const SqlError& error) {
    // Positions are of the view's text, which is not the statement's.
    ErrorFields fields = error.fields();
    fields.position = 0;
    throw SqlError(std::move(fields));
  }
}

}  // namespace polarsim::engine::query
