#include <utility>

#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"

namespace polarsim::engine::syntax {
namespace {

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

// The bits of a frame (FRAMEOPTION_... in PostgreSQL's parsenodes.h).
void take_frame(std::int64_t bits, WindowSpecification& into) {
  using Mode = WindowSpecification::Mode;
  using Bound = WindowSpecification::Bound;
  using Exclusion = WindowSpecification::Exclusion;
  into.frame_written = (bits & 0x1) != 0;
  if (!into.frame_written) return;
  into.mode = (bits & 0x4) != 0 ? Mode::rows : (bits & 0x8) != 0 ? Mode::groups : Mode::range;
  into.start = (bits & 0x20) != 0    ? Bound::unbounded_preceding
               : (bits & 0x80) != 0  ? Bound::unbounded_following
               : (bits & 0x200) != 0 ? Bound::current_row
               : (bits & 0x800) != 0 ? Bound::preceding
                                     : Bound::following;
  into.end = (bits & 0x40) != 0     ? Bound::unbounded_preceding
             : (bits & 0x100) != 0  ? Bound::unbounded_following
             : (bits & 0x400) != 0  ? Bound::current_row
             : (bits & 0x1000) != 0 ? Bound::preceding
                                    : Bound::following;
  into.exclusion = (bits & 0x8000) != 0    ? Exclusion::current_row
                   : (bits & 0x10000) != 0 ? Exclusion::group
                   : (bits & 0x20000) != 0 ? Exclusion::ties
                                           : Exclusion::nothing;
}

SetOperator set_operator(std::string_view name) {
  if (name == "SETOP_UNION") return SetOperator::union_of;
  if (name == "SETOP_INTERSECT") return SetOperator::intersect;
  if (name == "SETOP_EXCEPT") return SetOperator::except;
  return SetOperator::none;
}

int first_position(const Select& select) {
  if (select.left) return select.left->position;
  if (!select.values.empty()) return select.values.front().empty() ? 0 : select.values.front().front()->position;
  return select.items.empty() ? 0 : select.items.front().position;
}

}  // namespace

std::vector<SelectItem> TreeBuilder::select_items(raw::object fields, std::string_view key) {
  std::vector<SelectItem> items;
  items.reserve(raw::size_of(fields, key));
  raw::for_each(fields, key, [&](raw::element target) {
    const raw::object target_fields = raw::Node(target).fields;
    SelectItem item;
    item.alias = raw::text_of(target_fields, "name");
    item.position = position_of(target_fields);
    item.expression = expression(target_fields["val"]);
    items.push_back(std::move(item));
  });
  return items;
}

std::vector<OrderItem> TreeBuilder::order_items(raw::object fields, std::string_view key) {
  std::vector<OrderItem> items;
  raw::for_each(fields, key, [&](raw::element element) {
    const raw::object sort = raw::Node(element).fields;
    const std::string_view direction = raw::text_of(sort, "sortby_dir");
    const std::string_view nulls = raw::text_of(sort, "sortby_nulls");
    OrderItem item;
    item.descending = direction == "SORTBY_DESC";
    item.nulls_written = nulls != "SORTBY_NULLS_DEFAULT";
    item.nulls_first = item.nulls_written ? nulls == "SORTBY_NULLS_FIRST" : item.descending;
    if (direction == "SORTBY_USING") {
      std::vector<std::string> names = object_name(sort, "useOp", position_of(sort));
      item.using_schema = std::move(names.front());
      item.using_operator = std::move(names.back());
      item.using_position = position_of(sort);
    }
    item.expression = expression(sort["node"]);
    items.push_back(std::move(item));
  });
  return items;
}

WindowSpecification TreeBuilder::window(raw::object fields) {
  WindowSpecification out;
  out.name = raw::text_of(fields, "name");
  out.reference = raw::text_of(fields, "refname");
  out.partition_by = expressions(fields, "partitionClause");
  out.order_by = order_items(fields, "orderClause");
  take_frame(raw::integer_of(fields, "frameOptions"), out);
  out.start_offset = optional_expression(fields, "startOffset");
  out.end_offset = optional_expression(fields, "endOffset");
  out.position = position_of(fields);
  return out;
}

void TreeBuilder::locking(raw::object fields, Select& into) const {
  raw::for_each(fields, "lockingClause", [&](raw::element element) {
    const raw::object clause = raw::Node(element).fields;
    LockingClause out;
    out.strength = lock_strength(raw::text_of(clause, "strength"));
    out.wait = lock_wait(raw::text_of(clause, "waitPolicy"));
    out.of = table_names(clause, "lockedRels");
    into.locking.push_back(std::move(out));
  });
}

SelectPtr TreeBuilder::select_pointer(raw::element wrapped) {
  const raw::Node node(wrapped);
  if (node.kind != "SelectStmt") refuse("a subquery of kind " + std::string(node.kind));
  return std::make_shared<const Select>(select(node.fields));
}

void TreeBuilder::grouping(raw::object fields, Select& into) {
  into.group_by = expressions(fields, "groupClause");
  into.group_distinct = raw::flag_of(fields, "groupDistinct");
  into.having = optional_expression(fields, "havingClause");
}

// All of it that a set operation does not have.
void TreeBuilder::select_clauses(raw::object fields, Select& into) {
  raw::for_each(fields, "distinctClause", [&](raw::element element) {
    into.distinct = true;
    // Plain DISTINCT is a list of one null pointer.
    if (!raw::Node(element).kind.empty()) into.distinct_on.push_back(expression(element));
  });
  into.items = select_items(fields, "targetList");
  into.from = from_items(fields, "fromClause");
  into.where = optional_expression(fields, "whereClause");
  grouping(fields, into);
  raw::for_each(fields, "windowClause",
                [&](raw::element element) { into.windows.push_back(window(raw::Node(element).fields)); });
  raw::for_each(fields, "valuesLists",
                [&](raw::element list) { into.values.push_back(expressions(raw::Node(list).fields, "items")); });
}

Select TreeBuilder::select(raw::object fields) {
  const Level level(*this);
  allow_fields(fields, {"distinctClause", "targetList",    "fromClause",  "whereClause", "groupClause", "groupDistinct",
                        "havingClause",   "windowClause",  "valuesLists", "sortClause",  "limitOffset", "limitCount",
                        "limitOption",    "lockingClause", "withClause",  "op",          "all",         "larg",
                        "rarg",           "intoClause"});
  const bool leaf = raw::text_of(fields, "op") == "SETOP_NONE";
  raw::object into;
  if (fields["intoClause"].get(into) == simdjson::SUCCESS && !into_allowed_) {
    throw SqlError(sqlstate::syntax_error, "SELECT ... INTO is not allowed here").at(position_of(into["rel"]));
  }
  // WITH is read after the flag is used up: nothing in it may have INTO.
  const bool into_follows = !leaf && into_allowed_;
  into_allowed_ = false;
  Select out;
  out.with = with_clause(fields);
  into_allowed_ = into_follows;
  out.set_operator = set_operator(raw::text_of(fields, "op"));
  if (out.set_operator != SetOperator::none) {
    out.set_all = raw::flag_of(fields, "all");
    out.left = std::make_shared<const Select>(select(fields["larg"]));
    out.right = std::make_shared<const Select>(select(fields["rarg"]));
  } else {
    select_clauses(fields, out);
  }
  out.order_by = order_items(fields, "sortClause");
  out.limit = optional_expression(fields, "limitCount");
  out.offset = optional_expression(fields, "limitOffset");
  out.with_ties = raw::text_of(fields, "limitOption") == "LIMIT_OPTION_WITH_TIES";
  locking(fields, out);
  out.position = first_position(out);
  return out;
}

CommonTableBody TreeBuilder::table_body(raw::element wrapped) {
  const Level level(*this);
  const raw::Node node(wrapped);
  CommonTableBody out;
  if (node.kind == "SelectStmt") {
    out.select = std::make_shared<const Select>(select(node.fields));
  } else if (node.kind == "InsertStmt") {
    out.insert = std::make_shared<const Insert>(insert(node.fields));
  } else if (node.kind == "UpdateStmt") {
    out.update = std::make_shared<const Update>(update(node.fields));
  } else if (node.kind == "DeleteStmt") {
    out.removal = std::make_shared<const Delete>(delete_from(node.fields));
  } else {
    refuse(node.kind == "MergeStmt" ? "MERGE in this place" : "this kind of statement in this place");
  }
  return out;
}

WithPtr TreeBuilder::with_clause(raw::object fields) {
  raw::object clause;
  if (fields["withClause"].get(clause) != simdjson::SUCCESS) return nullptr;
  With out;
  out.recursive = raw::flag_of(clause, "recursive");
  raw::for_each(clause, "ctes", [&](raw::element element) {
    const raw::object table_fields = raw::Node(element).fields;
    allow_fields(table_fields, {"ctename", "aliascolnames", "ctematerialized", "ctequery", "location"},
                 {{"search_clause", "SEARCH in WITH RECURSIVE"}, {"cycle_clause", "CYCLE in WITH RECURSIVE"}});
    CommonTable table;
    table.name = raw::text_of(table_fields, "ctename");
    table.columns = raw::strings_of(table_fields, "aliascolnames");
    const std::string_view materialized = raw::text_of(table_fields, "ctematerialized");
    if (materialized == "CTEMaterializeAlways") table.materialized = true;
    if (materialized == "CTEMaterializeNever") table.materialized = false;
    table.position = position_of(table_fields);
    table.body = table_body(table_fields["ctequery"]);
    out.tables.push_back(std::move(table));
  });
  return std::make_shared<const With>(std::move(out));
}

}  // namespace polarsim::engine::syntax
