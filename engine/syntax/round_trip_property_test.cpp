// For any tree of an expression or a query: writing it and reading it back changes nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "engine/syntax/equality.h"
#include "engine/syntax/parser.h"
#include "engine/types/numeric.h"

namespace polarsim::engine::syntax {
namespace {

using Kind = Expression::Kind;

// At full size always: inRange would draw only small numbers in the first cases.
int pick(int count) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, count)); }
bool coin() { return pick(2) == 0; }

std::string one_of(std::initializer_list<const char*> texts) {
  return texts.begin()[pick(static_cast<int>(texts.size()))];
}

std::string name() {
  return one_of(
      {"a", "b", "select", "Mixed Case", "q\"q", "left", "rollup", "ż", "between", "x.y", "row", "current_user"});
}

std::vector<std::string> names(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back(name());
  return out;
}

ExpressionPtr expression(int depth);
SelectPtr query(int depth);

std::vector<ExpressionPtr> expressions(int depth, int least, int more = 2) {
  std::vector<ExpressionPtr> out;
  for (int i = least + pick(more + 1); i > 0; --i) out.push_back(expression(depth));
  return out;
}

TypeNamePtr type() {
  TypeName out;
  switch (pick(4)) {
    case 0:
      out.name = name();
      break;
    case 1:
      out.schema = name();
      out.name = name();
      out.modifiers = {pick(10), pick(10) - 5};
      break;
    case 2:
      out.schema = "pg_catalog";
      out.name = one_of({"int4", "bool", "float8", "timestamptz", "interval", "numeric", "varchar", "bpchar"});
      break;
    default:
      out.schema = "pg_catalog";
      out.name = one_of({"timestamp", "numeric", "varchar", "time", "bpchar", "interval", "bit"});
      out.modifiers = {1 + pick(5)};
  }
  out.array_dimensions = pick(3);
  return std::make_shared<const TypeName>(std::move(out));
}

OrderItem order_item(int depth) {
  OrderItem item;
  item.expression = expression(depth);
  if (pick(4) == 0) {
    item.using_operator = one_of({"<", ">", "~<~"});
    if (coin()) item.using_schema = name();
  } else {
    item.descending = coin();
  }
  item.nulls_written = coin();
  item.nulls_first = item.nulls_written ? coin() : item.descending;
  return item;
}

WindowSpecification window(int depth) {
  using Bound = WindowSpecification::Bound;
  WindowSpecification out;
  if (coin()) out.reference = name();
  if (coin()) out.partition_by = expressions(depth, 1);
  if (coin()) out.order_by.push_back(order_item(depth));
  if (coin()) return out;
  out.frame_written = true;
  out.mode = static_cast<WindowSpecification::Mode>(pick(3));
  // Never a frame that ends before it starts.
  out.start = coin() ? Bound::unbounded_preceding : Bound::preceding;
  out.end = std::vector{Bound::preceding, Bound::current_row, Bound::following,
                        Bound::unbounded_following}[static_cast<std::size_t>(pick(4))];
  if (out.start == Bound::preceding) out.start_offset = expression(depth);
  if (out.end == Bound::preceding || out.end == Bound::following) out.end_offset = expression(depth);
  out.exclusion = static_cast<WindowSpecification::Exclusion>(pick(4));
  return out;
}

void constant(Expression& node) {
  node.kind = Kind::constant;
  switch (pick(5)) {
    case 0:
      node.value = Value::integer(pick(2001) - 1000);
      node.type = TypeId::int4;
      return;
    case 1:
      node.value = Value::integer((coin() ? 1 : -1) * (std::int64_t{1} << (32 + pick(30))));
      node.type = TypeId::int8;
      return;
    case 2:
      node.value =
          Value::numeric(Numeric::parse(one_of({"1.50", "-0.001", "0.0", "100000000000000000000", "5", "-7"})));
      node.type = TypeId::numeric;
      return;
    case 3:
      node.value = Value::boolean(coin());
      node.type = TypeId::boolean;
      return;
    default:
      if (coin()) node.value = Value::text(one_of({"x", "", "it's", "a\\b", "--", "/*", "ł", "$$"}));
  }
}

ExpressionPtr leaf() {
  Expression node;
  switch (pick(5)) {
    case 0:
      node.kind = Kind::parameter;
      node.index = 1 + pick(5);
      break;
    case 1:
      node.kind = Kind::value_function;
      node.name = one_of({"current_date", "current_timestamp", "localtime", "current_user", "current_schema"});
      node.index = node.name == "current_timestamp" || node.name == "localtime" ? pick(4) - 1 : -1;
      break;
    case 2:
      constant(node);
      break;
    default:
      node.kind = Kind::column;
      node.path = names(pick(3));
      node.name = name();
  }
  return std::make_shared<const Expression>(std::move(node));
}

void function(Expression& node, int depth) {
  if (coin()) node.schema = name();
  node.name = name();
  if (pick(5) == 0) {
    node.star = true;
  } else {
    node.arguments = expressions(depth, 0);
  }
  node.distinct = !node.arguments.empty() && pick(4) == 0;
  CallDetails details;
  if (!node.arguments.empty() && pick(3) == 0) {
    details.order_by.push_back(order_item(depth));
    details.within_group = !node.distinct && coin();
  }
  // The grammar takes VARIADIC neither with DISTINCT nor with WITHIN GROUP.
  details.variadic = !node.arguments.empty() && !node.distinct && !details.within_group && pick(4) == 0;
  if (pick(4) == 0) details.filter = expression(depth);
  if (pick(3) == 0) {
    details.over = coin() ? window(depth) : WindowSpecification();
    if (coin()) {
      details.over = WindowSpecification();
      details.over->name = name();
    }
  }
  if (!details.order_by.empty() || details.variadic || details.filter || details.over) {
    node.call = std::make_shared<const CallDetails>(std::move(details));
  }
}

// No chain of its own kind, which the grammar would flatten.
std::vector<ExpressionPtr> chain(Kind kind, int depth) {
  std::vector<ExpressionPtr> out;
  while (out.size() < 2 || coin()) {
    ExpressionPtr part = expression(depth);
    if (part->kind != kind) out.push_back(std::move(part));
  }
  return out;
}

ExpressionPtr expression(int depth) {
  if (depth <= 0) return leaf();
  --depth;
  Expression node;
  static constexpr Kind kinds[] = {Kind::operation,
                                   Kind::array_comparison,
                                   Kind::logical_and,
                                   Kind::logical_or,
                                   Kind::logical_not,
                                   Kind::is_null,
                                   Kind::boolean_test,
                                   Kind::distinct_test,
                                   Kind::in_list,
                                   Kind::between,
                                   Kind::like,
                                   Kind::null_if,
                                   Kind::case_when,
                                   Kind::coalesce,
                                   Kind::greatest,
                                   Kind::least,
                                   Kind::cast,
                                   Kind::collate,
                                   Kind::function,
                                   Kind::row,
                                   Kind::array,
                                   Kind::subscript,
                                   Kind::field,
                                   Kind::exists,
                                   Kind::scalar_subquery,
                                   Kind::array_subquery,
                                   Kind::subquery_comparison,
                                   Kind::grouping};
  node.kind = kinds[pick(static_cast<int>(std::size(kinds)))];
  const auto operator_name = [&] {
    node.name = one_of({"+", "=", "<>", "<=", "->>", "@>", "~~", "||", "%", "^"});
    if (pick(3) == 0) node.schema = name();
  };
  switch (node.kind) {
    case Kind::operation:
      operator_name();
      node.arguments = expressions(depth, 2, 0);
      if (pick(4) == 0) {
        node.name = one_of({"@", "|/", "~"});
        node.arguments.pop_back();
      }
      break;
    case Kind::array_comparison:
      operator_name();
      node.all = coin();
      node.arguments = expressions(depth, 1, 0);
      node.arguments.push_back(leaf());
      break;
    case Kind::logical_and:
    case Kind::logical_or:
      node.arguments = chain(node.kind, depth);
      break;
    case Kind::logical_not:
      node.arguments = expressions(depth, 1, 0);
      break;
    case Kind::is_null:
      node.negated = coin();
      node.arguments = expressions(depth, 1, 0);
      break;
    case Kind::boolean_test:
      node.negated = coin();
      node.name = one_of({"true", "false", "unknown"});
      node.arguments = expressions(depth, 1, 0);
      break;
    case Kind::distinct_test:
      node.negated = coin();
      node.arguments = expressions(depth, 2, 0);
      break;
    case Kind::in_list:
      node.negated = coin();
      node.arguments = expressions(depth, 1, 0);
      node.arguments.push_back(leaf());  // a lone subquery would be read as IN (SELECT ...)
      if (coin()) node.arguments.push_back(expression(depth));
      break;
    case Kind::between:
      node.negated = coin();
      node.symmetric = coin();
      node.arguments = expressions(depth, 3, 0);
      break;
    case Kind::like:
      node.name = one_of({"~~", "!~~", "~~*", "!~~*"});
      node.arguments = expressions(depth, 2, 0);
      break;
    case Kind::null_if:
      node.arguments = expressions(depth, 2, 0);
      break;
    case Kind::case_when:
      node.arguments = expressions(depth, 2);
      if (coin()) node.operand = expression(depth);
      break;
    case Kind::cast:
      node.arguments = expressions(depth, 1, 0);
      node.type_name = type();
      break;
    case Kind::collate:
      node.path = names(pick(2));
      node.name = name();
      node.arguments = expressions(depth, 1, 0);
      break;
    case Kind::function:
      function(node, depth);
      break;
    case Kind::row:
      node.explicit_row = coin();
      node.arguments = expressions(depth, node.explicit_row ? 0 : 2);
      break;
    case Kind::array:
      for (ExpressionPtr& element : node.arguments = expressions(depth, 0)) {
        if (element->kind != Kind::array) continue;
        Expression nested = *element;
        nested.multidimensional = true;
        element = std::make_shared<const Expression>(std::move(nested));
      }
      break;
    case Kind::subscript:
      node.arguments = expressions(depth, 1, 0);
      for (int i = 1 + pick(2); i > 0; --i) {
        Expression::Subscript subscript;
        subscript.slice = coin();
        if (subscript.slice && coin()) subscript.lower = expression(depth);
        if (!subscript.slice || coin()) subscript.upper = expression(depth);
        node.subscripts.push_back(std::move(subscript));
      }
      break;
    case Kind::field:
      node.arguments = expressions(depth, 1, 0);
      if (coin()) node.name = name();
      break;
    case Kind::subquery_comparison:
      node.arguments = expressions(depth, 1, 0);
      node.in_written = coin();
      node.name = "=";
      node.all = !node.in_written && coin();
      if (!node.in_written) operator_name();
      [[fallthrough]];
    case Kind::exists:
    case Kind::scalar_subquery:
    case Kind::array_subquery:
      node.query = query(depth);
      break;
    default:
      node.arguments = expressions(depth, 1);
  }
  return std::make_shared<const Expression>(std::move(node));
}

FromItemPtr from_item(int depth) {
  FromItem item;
  if (depth <= 0 || pick(3) == 0) {
    TableName table;
    if (coin()) table.schema = name();
    table.name = name();
    table.only = pick(4) == 0;
    if (coin()) table.alias = name();
    if (!table.alias.empty()) table.column_aliases = names(pick(3));
    item.source = std::move(table);
    return std::make_shared<const FromItem>(std::move(item));
  }
  --depth;
  if (coin()) {
    FromJoin join;
    join.kind = static_cast<JoinKind>(pick(5));
    join.left = from_item(depth);
    join.right = from_item(depth);
    if (join.kind != JoinKind::cross) {
      const int way = pick(3);
      join.natural = way == 0;
      if (way == 1) join.condition = expression(depth);
      if (way == 2) join.using_columns = names(1 + pick(2));
      if (way == 2 && coin()) join.using_alias = name();
    }
    item.source = std::move(join);
    if (pick(3) == 0) item.alias = name();
  } else {
    item.source = FromSubquery{query(depth), coin()};
    item.alias = name();
  }
  if (!item.alias.empty()) item.column_aliases = names(pick(3));
  return std::make_shared<const FromItem>(std::move(item));
}

SelectPtr query(int depth) {
  Select out;
  if (depth > 0 && pick(4) == 0) {
    With with;
    with.recursive = coin();
    CommonTable table;
    table.name = name();
    table.columns = names(pick(2));
    if (coin()) table.materialized = coin();
    table.body.select = query(depth - 1);
    with.tables.push_back(std::move(table));
    out.with = std::make_shared<const With>(std::move(with));
  }
  if (depth > 0 && pick(4) == 0) {
    out.set_operator = static_cast<SetOperator>(1 + pick(3));
    out.set_all = coin();
    out.left = query(depth - 1);
    out.right = query(depth - 1);
  } else if (pick(5) == 0) {
    out.values = {expressions(depth, 1), expressions(depth, 1)};
  } else {
    for (ExpressionPtr& value : expressions(depth, 1)) {
      out.items.push_back({std::move(value), coin() ? name() : std::string(), 0});
    }
    out.distinct = pick(4) == 0;
    if (out.distinct && coin()) out.distinct_on = expressions(depth, 1);
    for (int i = pick(3); i > 0; --i) out.from.push_back(from_item(depth));
    if (coin()) out.where = expression(depth);
    if (pick(3) == 0) out.group_by = expressions(depth, 1);
    out.group_distinct = !out.group_by.empty() && coin();
    if (pick(3) == 0) out.having = expression(depth);
    if (pick(4) == 0) {
      out.windows.push_back(window(depth));
      out.windows.back().name = name();
    }
  }
  if (pick(3) == 0) out.order_by.push_back(order_item(depth));
  if (pick(4) == 0) out.limit = expression(depth);
  // With ties neither without an order nor with SKIP LOCKED.
  out.with_ties = out.limit && !out.order_by.empty() && coin();
  if (pick(4) == 0) out.offset = expression(depth);
  if (pick(5) == 0) {
    LockingClause lock;
    lock.strength = static_cast<LockStrength>(1 + pick(4));
    lock.wait = out.with_ties ? LockWait::block : static_cast<LockWait>(pick(3));
    out.locking.push_back(lock);
  }
  return std::make_shared<const Select>(std::move(out));
}

RC_GTEST_PROP(SyntaxRoundTrip, WrittenQueriesReadBackAsThemselves, ()) {
  const SelectPtr first = query(1 + pick(2));
  const std::string written = deparse(*first);
  RC_LOG() << written << "\n";
  const StatementPtr second = parse(written).at(0);
  RC_LOG() << deparse(*second) << "\n";
  RC_ASSERT(structurally_equal(*first, std::get<Select>(second->body)));
  RC_ASSERT(deparse(*second) == written);
}

}  // namespace
}  // namespace polarsim::engine::syntax
