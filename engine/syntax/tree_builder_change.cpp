#include <fmt/ranges.h>

#include <utility>

#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {

std::vector<Expression::Subscript> TreeBuilder::target_subscripts(raw::object fields) {
  std::vector<Expression::Subscript> subscripts;
  raw::for_each(fields, "indirection", [&](raw::element part) {
    const raw::Node node(part);
    if (node.kind != "A_Indices") refuse("assignment to a field of a column", position_of(fields));
    subscripts.push_back(subscript_of(node.fields));
  });
  return subscripts;
}

std::vector<Assignment> TreeBuilder::assignments(raw::object fields) {
  std::vector<Assignment> out;
  ExpressionPtr shared;
  raw::for_each(fields, "targetList", [&](raw::element target) {
    const raw::object named = raw::Node(target).fields;
    Assignment assignment;
    assignment.column = raw::text_of(named, "name");
    assignment.position = position_of(named);
    assignment.subscripts = target_subscripts(named);
    const raw::element value = named["val"];
    if (const raw::Node node(value); node.kind == "MultiAssignRef") {
      // The tree repeats the source for every column of the list.
      assignment.source_index = static_cast<int>(raw::integer_of(node.fields, "colno")) - 1;
      assignment.source_count = static_cast<int>(raw::integer_of(node.fields, "ncolumns"));
      if (assignment.source_index == 0) shared = expression(node.fields["source"]);
      assignment.value = shared;
    } else {
      assignment.value = expression(value);
    }
    out.push_back(std::move(assignment));
  });
  return out;
}

IndexElement TreeBuilder::index_element(raw::object fields) {
  allow_fields(fields, {"name", "expr", "collation", "opclass", "ordering", "nulls_ordering"},
               {{"opclassopts", "an operator class with parameters"}});
  // Names of the catalog's schema mean the same without it.
  const auto name_of = [&](std::string_view key) {
    const std::vector<std::string> names = raw::strings_of(fields, key);
    return names.size() == 2 && names.front() == "pg_catalog" ? names.back() : fmt::format("{}", fmt::join(names, "."));
  };
  IndexElement out;
  out.column = raw::text_of(fields, "name");
  out.expression = optional_expression(fields, "expr");
  out.collation = name_of("collation");
  out.operator_class = name_of("opclass");
  const std::string_view order = raw::text_of(fields, "ordering");
  const std::string_view nulls = raw::text_of(fields, "nulls_ordering");
  out.order_written = order != "SORTBY_DEFAULT" || nulls != "SORTBY_NULLS_DEFAULT";
  out.descending = order == "SORTBY_DESC";
  out.nulls_first = nulls == "SORTBY_NULLS_DEFAULT" ? out.descending : nulls == "SORTBY_NULLS_FIRST";
  return out;
}

OnConflict TreeBuilder::on_conflict(raw::object fields) {
  OnConflict out;
  out.position = position_of(fields);
  if (raw::text_of(fields, "action") == "ONCONFLICT_UPDATE") out.action = OnConflict::Action::update;
  raw::object inference;
  if (fields["infer"].get(inference) == simdjson::SUCCESS) {
    out.target_position = position_of(inference);
    out.constraint = raw::text_of(inference, "conname");
    raw::for_each(inference, "indexElems",
                  [&](raw::element element) { out.target.push_back(index_element(raw::Node(element).fields)); });
    out.target_where = optional_expression(inference, "whereClause");
  }
  if (out.action == OnConflict::Action::update && out.target.empty() && out.constraint.empty()) {
    throw SqlError(sqlstate::syntax_error, "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                   "", "For example, ON CONFLICT (column_name).")
        .at(out.position);
  }
  out.assignments = assignments(fields);
  out.where = optional_expression(fields, "whereClause");
  return out;
}

Insert TreeBuilder::insert(raw::object fields) {
  const Level level(*this);
  allow_fields(fields,
               {"relation", "cols", "selectStmt", "onConflictClause", "returningList", "withClause", "override"});
  Insert out;
  out.with = with_clause(fields);
  out.table = table_name(fields["relation"]);
  raw::for_each(fields, "cols", [&](raw::element column) {
    const raw::object named = raw::Node(column).fields;
    Insert::Column target;
    target.name = raw::text_of(named, "name");
    target.position = position_of(named);
    target.subscripts = target_subscripts(named);
    out.columns.push_back(std::move(target));
  });
  raw::element source;
  if (fields["selectStmt"].get(source) == simdjson::SUCCESS) out.source = select_pointer(source);
  const std::string_view overriding = raw::text_of(fields, "override");
  if (overriding == "OVERRIDING_USER_VALUE") out.overriding = Overriding::user_value;
  if (overriding == "OVERRIDING_SYSTEM_VALUE") out.overriding = Overriding::system_value;
  raw::object conflict;
  if (fields["onConflictClause"].get(conflict) == simdjson::SUCCESS) out.on_conflict = on_conflict(conflict);
  out.returning = select_items(fields, "returningList");
  return out;
}

Update TreeBuilder::update(raw::object fields) {
  const Level level(*this);
  allow_fields(fields, {"relation", "targetList", "whereClause", "fromClause", "returningList", "withClause"});
  Update out;
  out.with = with_clause(fields);
  out.table = table_name(fields["relation"]);
  out.assignments = assignments(fields);
  out.from = from_items(fields, "fromClause");
  out.where = optional_expression(fields, "whereClause");
  out.returning = select_items(fields, "returningList");
  return out;
}

Delete TreeBuilder::delete_from(raw::object fields) {
  const Level level(*this);
  allow_fields(fields, {"relation", "usingClause", "whereClause", "returningList", "withClause"});
  Delete out;
  out.with = with_clause(fields);
  out.table = table_name(fields["relation"]);
  out.using_items = from_items(fields, "usingClause");
  out.where = optional_expression(fields, "whereClause");
  out.returning = select_items(fields, "returningList");
  return out;
}

}  // namespace polarsim::engine::syntax
