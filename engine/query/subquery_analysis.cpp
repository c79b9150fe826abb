#include <algorithm>
#include <string>

#include "engine/query/expression_analyser.h"

// EXISTS, scalar subqueries, ARRAY(...) and comparisons with a subquery's row, with ANY and ALL of its rows
// (PostgreSQL's transformSubLink()).
namespace polarsim::engine::query {
namespace {

std::vector<ExpressionPtr> visible_columns(const Query& query) {
  std::vector<ExpressionPtr> columns;
  for (const Target& target : query.command == Command::select ? query.targets : query.returning) {
    if (!target.hidden) columns.push_back(target.expression);
  }
  return columns;
}

const ExpressionPtr& only_column(const std::vector<ExpressionPtr>& columns, int position) {
  if (columns.size() != 1) throw_error(sqlstate::syntax_error, "subquery must return only one column", position);
  return columns[0];
}

// A column of the subquery's rows while its comparison is looked for.
ExpressionPtr row_placeholder(std::size_t column, Type type) {
  return make_expression(Parameter{static_cast<int>(column) + 1, true}, type);
}

// Whether the order or the groups of the query are made of the target.
bool refers_to(const Query& query, int target) {
  const auto of_sort = [&](const SortClause& clause) { return clause.target == target; };
  const auto of_window = [&](const Window& window) {
    return std::ranges::find(window.partition_by, target) != window.partition_by.end() ||
           std::ranges::any_of(window.order_by, of_sort);
  };
  return std::ranges::find(query.group_by, target) != query.group_by.end() ||
         std::ranges::any_of(query.order_by, of_sort) || std::ranges::any_of(query.distinct_on, of_sort) ||
         std::ranges::any_of(query.windows, of_window);
}

// Whether a visible column can be exchanged for a conversion of it without changing which rows there are.
bool columns_can_change(const Query& query) {
  if (query.command != Command::select || query.set_operation != nullptr || query.distinct) return false;
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    if (!query.targets[i].hidden && refers_to(query, static_cast<int>(i))) return false;
  }
  return true;
}

// The query with other expressions for its visible columns.
QueryPtr with_columns(const Query& query, const std::vector<ExpressionPtr>& columns) {
  auto changed = std::make_shared<Query>(query);
  std::size_t next = 0;
  for (Target& target : changed->targets) {
    if (!target.hidden) target.expression = columns[next++];
  }
  return changed;
}

syntax::ExpressionPtr written_cast(const std::string& column, TypeId type, int position) {
  syntax::Expression reference;
  reference.kind = syntax::Expression::Kind::column;
  reference.name = column;
  reference.position = position;
  auto cast = std::make_shared<syntax::Expression>();
  cast->kind = syntax::Expression::Kind::cast;
  cast->position = position;
  cast->arguments.push_back(std::make_shared<const syntax::Expression>(std::move(reference)));
  syntax::TypeName name;
  const TypeInfo& info = type_info(type);
  name.schema = "pg_catalog";
  name.name = info.name;
  cast->type_name = std::make_shared<const syntax::TypeName>(std::move(name));
  return cast;
}

// SELECT c1::type, ... FROM (select) AS s (c1, ...): where the columns themselves have to stay as they are.
syntax::Select converted_select(const syntax::SelectPtr& select, const std::vector<ExpressionPtr>& columns,
                                const std::vector<ExpressionPtr>& wanted, int position) {
  syntax::FromItem item;
  item.source = syntax::FromSubquery{select};
  item.alias = "subquery";
  item.position = position;
  syntax::Select outer;
  outer.position = position;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = "column" + std::to_string(i + 1);
    item.column_aliases.push_back(name);
    outer.items.push_back({written_cast(name, wanted[i]->type.id, position), "", position});
  }
  outer.from.push_back(std::make_shared<const syntax::FromItem>(std::move(item)));
  return outer;
}

bool is_comparison(std::string_view symbol) {
  return symbol == "=" || symbol == "<>" || symbol == "<" || symbol == "<=" || symbol == ">" || symbol == ">=";
}

}  // namespace

ExpressionPtr ExpressionAnalyser::subquery(const Syntax& expression) {
  Subquery node;
  node.query = scope_.subquery(*expression.query, expression.position);
  const int position = expression.position;
  if (expression.kind == Syntax::Kind::exists) {
    node.kind = Subquery::Kind::exists;
    return make_expression(std::move(node), TypeId::boolean, position);
  }
  const Type column = only_column(visible_columns(*node.query), position)->type;
  if (expression.kind == Syntax::Kind::scalar_subquery) {
    node.kind = Subquery::Kind::scalar;
    return make_expression(std::move(node), column, position);
  }
  node.kind = Subquery::Kind::array;
  // Arrays become one array of one dimension more.
  const TypeId array = element_type(column.id) != TypeId::none ? column.id : array_type(column.id);
  if (array == TypeId::none) {
    throw_error(sqlstate::undefined_object,
                std::string("could not find array type for data type ") + type_name(column.id), position);
  }
  return make_expression(std::move(node), Type(array, column.modifier), position);
}

ExpressionPtr ExpressionAnalyser::subquery_comparison(const Syntax& expression) {
  const int position = expression.position;
  const OperatorName name{expression.name.empty() ? "=" : std::string_view(expression.name), expression.schema,
                          position};
  ExpressionPtr result = compare_with_subquery(expression.all ? Subquery::Kind::all : Subquery::Kind::any, name,
                                               *expression.arguments[0], expression.query);
  return expression.negated ? make_logical(Logical::Kind::negation, {result}, position) : result;
}

ExpressionPtr ExpressionAnalyser::compare_with_subquery(Subquery::Kind kind, const OperatorName& name,
                                                        const Syntax& written_left,
                                                        const syntax::SelectPtr& written_query) {
  const int position = name.position;
  Subquery node;
  node.kind = kind;
  // Before what is on the left, as there: the first error is the same.
  node.query = scope_.subquery(*written_query, position);
  const ExpressionPtr left = analyse(written_left);
  const bool is_row = written_left.kind == Syntax::Kind::row;
  const Expressions lefts = is_row ? left->as<RowConstructor>()->fields : Expressions{left};
  const Expressions columns = visible_columns(*node.query);
  if (lefts.size() < columns.size()) throw_error(sqlstate::syntax_error, "subquery has too many columns", position);
  if (lefts.size() > columns.size()) throw_error(sqlstate::syntax_error, "subquery has too few columns", position);
  if (lefts.empty()) throw_error(sqlstate::feature_not_supported, "cannot compare rows of zero length", position);
  Expressions wanted;
  bool converted = false;
  for (std::size_t i = 0; i < lefts.size(); ++i) {
    const ExpressionPtr placeholder = row_placeholder(i, columns[i]->type);
    const ExpressionPtr comparison = make_operator_call(name, lefts[i], placeholder, scope_);
    if (comparison->type.id != TypeId::boolean) {
      throw_error(
          sqlstate::datatype_mismatch,
          std::string("row comparison operator must yield type boolean, not type ") + type_name(comparison->type.id),
          position);
    }
    const auto* call = comparison->as<OperatorCall>();
    node.comparisons.push_back(call->function);
    node.left.push_back(call->arguments[0]);
    wanted.push_back(call->arguments[1]);
    converted = converted || wanted.back() != placeholder;
  }
  if (lefts.size() > 1 && !is_comparison(name.symbol)) {
    throw_error(sqlstate::feature_not_supported,
                "could not determine interpretation of row comparison operator " + std::string(name.symbol), position,
                "", "Row comparison operators must be associated with btree operator families.");
  }
  if (converted && columns_can_change(*node.query)) {
    Expressions changed;
    for (std::size_t i = 0; i < columns.size(); ++i)
      changed.push_back(coerce_implicitly(columns[i], wanted[i]->type.id, scope_));
    node.query = with_columns(*node.query, changed);
  } else if (converted) {
    node.query = scope_.subquery(converted_select(written_query, columns, wanted, position), position);
  }
  const int begin = leftmost(position, node.left);
  return make_expression(std::move(node), TypeId::boolean, begin);
}

}  // namespace polarsim::engine::query
