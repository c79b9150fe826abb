#include "engine/sql/select_analysis.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/sql/binder.h"
#include "engine/sql/error.h"

namespace polarsim::engine::sql {
namespace {

using Kind = Expression::Kind;

[[noreturn]] void fail(const char* state, std::string message, int position) {
  SqlError error(state, std::move(message));
  error.at(position);
  throw error;
}

ExpressionPtr column_expression(const TableShape& table, const ColumnInfo& column) {
  auto node = std::make_shared<Expression>();
  node->kind = Kind::column;
  node->table = table.name;
  node->name = column.name;
  return node;
}

// The list with its stars replaced by the table's columns.
std::vector<SelectItem> expand_stars(const std::vector<SelectItem>& items, const TableShape* table) {
  std::vector<SelectItem> out;
  for (const SelectItem& item : items) {
    if (item.expression) {
      out.push_back(item);
      continue;
    }
    if (!item.star_table.empty() && (table == nullptr || table->name != item.star_table)) {
      fail(sqlstate::undefined_table, "missing FROM-clause entry for table \"" + item.star_table + "\"", item.position);
    }
    if (table == nullptr) fail(sqlstate::syntax_error, "SELECT * with no tables specified is not valid", item.position);
    for (const ColumnInfo& column : table->columns)
      out.push_back({column_expression(*table, column), "", column.name, 0});
  }
  return out;
}

bool is_position(const Expression& node) { return node.kind == Kind::constant; }

// What a bare constant in GROUP BY or ORDER BY means: the select list's item of that number, counted from 1.
std::size_t item_by_position(const Expression& node, std::size_t count, const std::string& clause) {
  if (!node.value.is_integer()) fail(sqlstate::syntax_error, "non-integer constant in " + clause, node.position);
  const std::int64_t number = node.value.as_integer();
  if (number < 1 || number > static_cast<std::int64_t>(count)) {
    fail(sqlstate::invalid_column_reference, clause + " position " + std::to_string(number) + " is not in select list",
         node.position);
  }
  return static_cast<std::size_t>(number) - 1;
}

// The item with that output name; -1 if there is none. Several different items of one name are an error.
int item_by_name(const Expression& node, const std::vector<SelectItem>& items, const std::string& clause) {
  if (node.kind != Kind::column || !node.table.empty()) return -1;
  int found = -1;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (output_name(items[i]) != node.name) continue;
    if (found >= 0 && !same_in_query(*items[static_cast<std::size_t>(found)].expression, *items[i].expression)) {
      fail(sqlstate::ambiguous_column, clause + " \"" + node.name + "\" is ambiguous", node.position);
    }
    if (found < 0) found = static_cast<int>(i);
  }
  return found;
}

// GROUP BY prefers an input column to an output name of the same spelling; positions count output columns.
std::vector<ExpressionPtr> resolve_group_keys(const Select& select, const std::vector<SelectItem>& items,
                                              const TableShape* table) {
  std::vector<ExpressionPtr> keys;
  for (const ExpressionPtr& key : select.group_by) {
    ExpressionPtr resolved = key;
    const bool input_column = key->kind == Kind::column && table != nullptr && table->find(key->name) >= 0;
    if (is_position(*key)) {
      resolved = items[item_by_position(*key, items.size(), "GROUP BY")].expression;
    } else if (const int item = input_column ? -1 : item_by_name(*key, items, "GROUP BY"); item >= 0) {
      resolved = items[static_cast<std::size_t>(item)].expression;
    }
    if (contains_aggregate(resolved)) {
      fail(sqlstate::grouping_error, "aggregate functions are not allowed in GROUP BY", resolved->position);
    }
    keys.push_back(std::move(resolved));
  }
  return keys;
}

// ORDER BY prefers an output name to an input column.
SortKey resolve_sort_key(const OrderItem& order, const std::vector<SelectItem>& items, bool distinct,
                         const AnalyzeOptions& options) {
  SortKey key;
  key.descending = order.descending;
  key.nulls_first = order.nulls_first;
  const Expression& node = *order.expression;
  if (is_position(node)) {
    key.column = static_cast<int>(item_by_position(node, items.size(), "ORDER BY"));
    return key;
  }
  key.column = item_by_name(node, items, "ORDER BY");
  for (std::size_t i = 0; key.column < 0 && i < items.size(); ++i) {
    if (same_in_query(node, *items[i].expression)) key.column = static_cast<int>(i);
  }
  if (key.column >= 0) return key;
  key.expression = analyze(order.expression, options);
  if (distinct) {
    fail(sqlstate::invalid_column_reference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
         node.position);
  }
  return key;
}

bool refers_to_columns(const ExpressionPtr& expression) {
  if (expression->kind == Kind::column || expression->kind == Kind::excluded) return true;
  return std::any_of(expression->arguments.begin(), expression->arguments.end(), refers_to_columns);
}

BoundExpression analyze_row_count(const ExpressionPtr& expression, const AnalyzeOptions& row_options,
                                  std::string_view clause) {
  if (!expression) return {};
  AnalyzeOptions options = row_options;
  options.clause = clause;
  Binder binder(options);
  Binder::Typed value = binder.emit(*expression);
  if (refers_to_columns(expression)) {
    fail(sqlstate::invalid_column_reference, "argument of " + std::string(clause) + " must not contain variables",
         value.position());
  }
  binder.resolve(value, TypeId::int8);
  if (value.type != TypeId::int4 && value.type != TypeId::int8) {
    fail(sqlstate::datatype_mismatch,
         "argument of " + std::string(clause) + " must be type bigint, not type " + type_name(value.type),
         value.position());
  }
  return binder.finish(value);
}

std::vector<OutputColumn> bind_items(const std::vector<SelectItem>& items, const AnalyzeOptions& options) {
  std::vector<OutputColumn> out;
  out.reserve(items.size());
  for (const SelectItem& item : items) {
    BoundExpression bound = analyze(item.expression, options);
    out.push_back({output_name(item), std::move(bound)});
  }
  return out;
}

int compare_nullable(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return static_cast<int>(a.is_null()) - static_cast<int>(b.is_null());
  return compare(a, b);
}

std::int64_t row_count(const BoundExpression& expression, const EvaluationContext& context, std::int64_t otherwise,
                       const char* state, const char* name) {
  if (!expression) return otherwise;
  const Value value = evaluate(expression, context);
  if (value.is_null()) return otherwise;
  if (value.as_integer() < 0) throw SqlError(state, std::string(name) + " must not be negative");
  return value.as_integer();
}

}  // namespace

std::vector<OutputColumn> analyze_items(const std::vector<SelectItem>& items, const AnalyzeOptions& options) {
  return bind_items(expand_stars(items, options.table), options);
}

AnalyzedSelect analyze_select(const Select& select, const TableShape* table, std::span<const TypeId> parameter_types) {
  AnalyzedSelect out;
  out.distinct = select.distinct;
  AnalyzeOptions row_options;
  row_options.table = table;
  row_options.parameter_types = parameter_types;

  const std::vector<SelectItem> items = expand_stars(select.items, table);
  const auto item_has_aggregate = [](const auto& item) { return contains_aggregate(item.expression); };
  out.grouped = !select.group_by.empty() || select.having != nullptr ||
                std::any_of(items.begin(), items.end(), item_has_aggregate) ||
                std::any_of(select.order_by.begin(), select.order_by.end(), item_has_aggregate);
  if (out.grouped && select.lock != LockStrength::none) {
    const char* const cause =
        !select.group_by.empty() ? "GROUP BY clause" : (select.having ? "HAVING clause" : "aggregate functions");
    throw SqlError(sqlstate::feature_not_supported, std::string("FOR UPDATE is not allowed with ") + cause);
  }
  if (select.distinct && select.lock != LockStrength::none) {
    throw SqlError(sqlstate::feature_not_supported, "FOR UPDATE is not allowed with DISTINCT clause");
  }

  const std::vector<ExpressionPtr> keys = resolve_group_keys(select, items, table);
  AnalyzeOptions item_options = row_options;
  item_options.aggregates_allowed = true;
  item_options.aggregates = &out.aggregates;
  if (out.grouped) item_options.group_by = &keys;

  out.columns = bind_items(items, item_options);
  if (select.where) out.where = analyze_condition(select.where, row_options, "WHERE");
  for (const ExpressionPtr& key : keys) out.group_keys.push_back(analyze(key, row_options));
  if (select.having) out.having = analyze_condition(select.having, item_options, "HAVING");
  for (const OrderItem& order : select.order_by) {
    out.order_by.push_back(resolve_sort_key(order, items, select.distinct, item_options));
  }
  out.limit = analyze_row_count(select.limit, row_options, "LIMIT");
  out.offset = analyze_row_count(select.offset, row_options, "OFFSET");
  return out;
}

RowWindow row_window(const AnalyzedSelect& select, const EvaluationContext& context) {
  RowWindow window;
  window.offset = row_count(select.offset, context, 0, "2201X", "OFFSET");
  window.limit = row_count(select.limit, context, -1, "2201W", "LIMIT");
  return window;
}

int compare_for_sort(const Value& a, const Value& b, const SortKey& key) {
  if (a.is_null() || b.is_null()) {
    const int nulls_last = compare_nullable(a, b);
    return key.nulls_first ? -nulls_last : nulls_last;
  }
  const int order = compare(a, b);
  return key.descending ? -order : order;
}

bool Grouping::RowLess::operator()(const Row& a, const Row& b) const {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const int order = compare_nullable(a[i], b[i]);
    if (order != 0) return order < 0;
  }
  return a.size() < b.size();
}

Grouping::Grouping(const AnalyzedSelect& select) : select_(select) {
  // Without GROUP BY there is one group even if no row comes.
  if (!select.group_keys.empty()) return;
  groups_.push_back({Row(), select.aggregates.new_states()});
  by_key_.emplace(Row(), 0);
}

void Grouping::add(const EvaluationContext& context) {
  Row key;
  key.reserve(select_.group_keys.size());
  for (const BoundExpression& expression : select_.group_keys) key.push_back(evaluate(expression, context));
  const auto [position, inserted] = by_key_.emplace(std::move(key), groups_.size());
  if (inserted) groups_.push_back({Row(), select_.aggregates.new_states()});
  Collected& group = groups_[position->second];
  if (group.row.empty()) group.row.assign(context.row.begin(), context.row.end());
  for (AggregateState& state : group.states) state.accumulate(context);
}

std::vector<Grouping::Group> Grouping::finish(const EvaluationContext& context) const {
  std::vector<Group> out;
  for (const Collected& collected : groups_) {
    Group group{collected.row, {}};
    for (const AggregateState& state : collected.states) group.aggregates.push_back(state.result());
    EvaluationContext group_context = context;
    group_context.row = group.row;
    group_context.aggregates = group.aggregates;
    if (!select_.having || evaluate_condition(select_.having, group_context)) out.push_back(std::move(group));
  }
  return out;
}

}  // namespace polarsim::engine::sql
