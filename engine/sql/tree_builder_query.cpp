#include <algorithm>
#include <utility>

#include "engine/sql/error.h"
#include "engine/sql/tree_builder.h"

namespace polarsim::engine::sql {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw SqlError(sqlstate::feature_not_supported, what + " is not supported");
}

// The elements of a list field; none if the field is absent.
std::vector<raw::element> elements(raw::object fields, std::string_view key) {
  std::vector<raw::element> out;
  raw::array list;
  if (fields[key].get(list) == simdjson::SUCCESS) {
    for (const raw::element item : list) out.push_back(item);
  }
  return out;
}

bool is_star(raw::element field) { return raw::Node(field).kind == "A_Star"; }

LockStrength lock_strength(std::string_view name) {
  if (name == "LCS_FORKEYSHARE") return LockStrength::key_share;
  if (name == "LCS_FORSHARE") return LockStrength::share;
  if (name == "LCS_FORNOKEYUPDATE") return LockStrength::no_key_update;
  return LockStrength::update;
}

LockWait lock_wait(std::string_view name) {
  if (name == "LockWaitError") return LockWait::nowait;
  if (name == "LockWaitSkip") return LockWait::skip_locked;
  return LockWait::block;
}

}  // namespace

TableName TreeBuilder::table_name(raw::object fields) const {
  allow_fields(fields, {"schemaname", "relname", "inh", "relpersistence", "alias", "location"},
               {{"catalogname", "a cross-database reference"}});
  TableName table;
  table.schema = raw::text_of(fields, "schemaname");
  table.name = raw::text_of(fields, "relname");
  table.position = position_of(fields);
  raw::object alias;
  if (fields["alias"].get(alias) == simdjson::SUCCESS) {
    if (raw::has(alias, "colnames")) refuse("a list of column aliases");
    table.alias = raw::text_of(alias, "aliasname");
  }
  return table;
}

ExpressionPtr TreeBuilder::optional_expression(raw::object fields, std::string_view key) {
  if (!raw::has(fields, key)) return nullptr;
  return expression(fields[key], 1);
}

std::vector<SelectItem> TreeBuilder::select_items(raw::object fields, std::string_view key) {
  std::vector<SelectItem> items;
  for (const raw::element target : elements(fields, key)) {
    const raw::object target_fields = raw::Node(target).fields;
    const raw::Node value{raw::element(target_fields["val"])};
    SelectItem item;
    item.alias = raw::text_of(target_fields, "name");
    item.position = position_of(target_fields);
    const std::vector<raw::element> names =
        value.kind == "ColumnRef" ? elements(value.fields, "fields") : std::vector<raw::element>();
    if (!names.empty() && is_star(names.back())) {
      if (names.size() > 1) item.star_table = raw::text_of(raw::Node(names[names.size() - 2]).fields, "sval");
    } else {
      item.expression = expression(target_fields["val"], 1);
    }
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<OrderItem> TreeBuilder::order_items(raw::object fields) {
  std::vector<OrderItem> items;
  for (const raw::element element : elements(fields, "sortClause")) {
    const raw::object sort = raw::Node(element).fields;
    const std::string_view direction = raw::text_of(sort, "sortby_dir");
    if (direction == "SORTBY_USING") refuse("ORDER BY ... USING");
    OrderItem item;
    item.descending = direction == "SORTBY_DESC";
    const std::string_view nulls = raw::text_of(sort, "sortby_nulls");
    item.nulls_first = nulls == "SORTBY_NULLS_FIRST" || (nulls != "SORTBY_NULLS_LAST" && item.descending);
    item.expression = expression(sort["node"], 1);
    items.push_back(std::move(item));
  }
  return items;
}

void TreeBuilder::locking(raw::object fields, Select& into) const {
  for (const raw::element element : elements(fields, "lockingClause")) {
    const raw::object clause = raw::Node(element).fields;
    for (const raw::element relation : elements(clause, "lockedRels")) {
      const raw::object named = raw::Node(relation).fields;
      const std::string name(raw::text_of(named, "relname"));
      if (!into.from || into.from->reference() != name) {
        SqlError error(sqlstate::undefined_table,
                       "relation \"" + name + "\" in FOR UPDATE clause not found in FROM clause");
        error.at(position_of(named));
        throw error;
      }
    }
    // Of several clauses the strongest lock and the least patient wait win.
    into.lock = std::max(into.lock, lock_strength(raw::text_of(clause, "strength")));
    const LockWait wait = lock_wait(raw::text_of(clause, "waitPolicy"));
    if (into.lock_wait != LockWait::nowait && wait != LockWait::block) into.lock_wait = wait;
  }
}

Select TreeBuilder::select(raw::object fields) {
  if (raw::text_of(fields, "op") != "SETOP_NONE") refuse("UNION, INTERSECT or EXCEPT");
  allow_fields(fields,
               {"distinctClause", "targetList", "fromClause", "whereClause", "groupClause", "havingClause",
                "sortClause", "limitOffset", "limitCount", "limitOption", "lockingClause", "op"},
               {{"withClause", "WITH"},
                {"windowClause", "WINDOW"},
                {"valuesLists", "VALUES as a statement"},
                {"intoClause", "SELECT INTO"},
                {"groupDistinct", "GROUP BY DISTINCT"}});
  if (raw::text_of(fields, "limitOption") == "LIMIT_OPTION_WITH_TIES") refuse("WITH TIES");
  Select out;
  const std::vector<raw::element> distinct = elements(fields, "distinctClause");
  out.distinct = !distinct.empty();
  for (const raw::element element : distinct) {
    // Plain DISTINCT is a list of one empty node.
    if (!raw::Node(element).kind.empty()) refuse("DISTINCT ON");
  }
  const std::vector<raw::element> from = elements(fields, "fromClause");
  if (from.size() > 1) refuse("a join");
  if (!from.empty()) {
    const raw::Node source(from.front());
    if (source.kind == "JoinExpr") refuse("a join");
    if (source.kind == "RangeSubselect") refuse("a subquery in FROM");
    if (source.kind == "RangeFunction") refuse("a function in FROM");
    if (source.kind != "RangeVar") refuse(std::string(source.kind) + " in FROM");
    out.from = table_name(source.fields);
  }
  out.items = select_items(fields, "targetList");
  out.where = optional_expression(fields, "whereClause");
  for (const raw::element key : elements(fields, "groupClause")) {
    if (raw::Node(key).kind == "GroupingSet") refuse("a grouping set");
    out.group_by.push_back(expression(key, 1));
  }
  out.having = optional_expression(fields, "havingClause");
  out.order_by = order_items(fields);
  out.limit = optional_expression(fields, "limitCount");
  out.offset = optional_expression(fields, "limitOffset");
  locking(fields, out);
  return out;
}

std::vector<Assignment> TreeBuilder::assignments(raw::object fields) {
  std::vector<Assignment> out;
  for (const raw::element target : elements(fields, "targetList")) {
    const raw::object named = raw::Node(target).fields;
    allow_fields(named, {"name", "val", "location"}, {{"indirection", "assignment to a part of a column"}});
    Assignment assignment;
    assignment.column = raw::text_of(named, "name");
    assignment.position = position_of(named);
    if (raw::Node(named["val"]).kind != "SetToDefault") assignment.value = expression(named["val"], 1);
    out.push_back(std::move(assignment));
  }
  return out;
}

OnConflict TreeBuilder::on_conflict(raw::object fields) {
  OnConflict out;
  if (raw::text_of(fields, "action") == "ONCONFLICT_UPDATE") out.action = OnConflict::Action::update;
  raw::object inference;
  if (fields["infer"].get(inference) == simdjson::SUCCESS) {
    allow_fields(inference, {"indexElems", "conname", "location"},
                 {{"whereClause", "ON CONFLICT with a partial index"}});
    out.constraint = raw::text_of(inference, "conname");
    for (const raw::element element : elements(inference, "indexElems")) {
      const raw::object column = raw::Node(element).fields;
      allow_fields(column, {"name", "ordering", "nulls_ordering"}, {{"expr", "ON CONFLICT with an expression"}});
      out.target.emplace_back(raw::text_of(column, "name"));
    }
  }
  if (out.action == OnConflict::Action::update && out.target.empty() && out.constraint.empty()) {
    SqlError error(sqlstate::syntax_error, "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                   "", "For example, ON CONFLICT (column_name).");
    error.at(position_of(fields));
    throw error;
  }
  in_on_conflict_ = true;
  out.assignments = assignments(fields);
  out.where = optional_expression(fields, "whereClause");
  in_on_conflict_ = false;
  return out;
}

void TreeBuilder::values_rows(raw::object select_fields, Insert& into) {
  if (!raw::has(select_fields, "valuesLists")) refuse("INSERT ... SELECT");
  allow_fields(select_fields, {"valuesLists", "limitOption", "op"},
               {{"sortClause", "ORDER BY after VALUES"},
                {"limitCount", "LIMIT after VALUES"},
                {"limitOffset", "OFFSET after VALUES"},
                {"withClause", "WITH"}});
  for (const raw::element list : elements(select_fields, "valuesLists")) {
    std::vector<ExpressionPtr> row;
    for (const raw::element value : elements(raw::Node(list).fields, "items")) {
      row.push_back(raw::Node(value).kind == "SetToDefault" ? nullptr : expression(value, 1));
    }
    if (!into.rows.empty() && row.size() != into.rows.front().size()) {
      SqlError error(sqlstate::syntax_error, "VALUES lists must all be the same length");
      if (!row.empty() && row.front()) error.at(row.front()->position);
      throw error;
    }
    into.rows.push_back(std::move(row));
  }
}

Insert TreeBuilder::insert(raw::object fields) {
  allow_fields(fields, {"relation", "cols", "selectStmt", "onConflictClause", "returningList", "override"},
               {{"withClause", "WITH"}});
  if (raw::text_of(fields, "override") != "OVERRIDING_NOT_SET") refuse("OVERRIDING");
  Insert out;
  out.table = table_name(fields["relation"]);
  for (const raw::element column : elements(fields, "cols")) {
    const raw::object named = raw::Node(column).fields;
    allow_fields(named, {"name", "location"}, {{"indirection", "insertion into a part of a column"}});
    out.columns.emplace_back(raw::text_of(named, "name"));
  }
  if (raw::has(fields, "selectStmt")) values_rows(raw::Node(fields["selectStmt"]).fields, out);
  if (raw::has(fields, "onConflictClause")) out.on_conflict = on_conflict(fields["onConflictClause"]);
  out.returning = select_items(fields, "returningList");
  return out;
}

Update TreeBuilder::update(raw::object fields) {
  allow_fields(fields, {"relation", "targetList", "whereClause", "returningList"},
               {{"withClause", "WITH"}, {"fromClause", "UPDATE ... FROM"}});
  Update out;
  out.table = table_name(fields["relation"]);
  out.assignments = assignments(fields);
  out.where = optional_expression(fields, "whereClause");
  out.returning = select_items(fields, "returningList");
  return out;
}

Delete TreeBuilder::delete_from(raw::object fields) {
  allow_fields(fields, {"relation", "whereClause", "returningList"},
               {{"withClause", "WITH"}, {"usingClause", "DELETE ... USING"}});
  Delete out;
  out.table = table_name(fields["relation"]);
  out.where = optional_expression(fields, "whereClause");
  out.returning = select_items(fields, "returningList");
  return out;
}

}  // namespace polarsim::engine::sql
