#include "engine/cluster/rewrite.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/sql/error.h"
#include "engine/sql/session_functions.h"

namespace polarsim::engine::cluster {

namespace {

using sql::Expression;
using sql::ExpressionPtr;

void map_in_place(ExpressionPtr& expression, const ExpressionMapper& mapper) {
  if (expression) expression = map_expression(expression, mapper);
}
void map_in_place(std::vector<ExpressionPtr>& expressions, const ExpressionMapper& mapper) {
  for (ExpressionPtr& expression : expressions) map_in_place(expression, mapper);
}
void map_in_place(std::vector<sql::SelectItem>& items, const ExpressionMapper& mapper) {
  for (sql::SelectItem& item : items) map_in_place(item.expression, mapper);
}
void map_in_place(std::vector<sql::Assignment>& assignments, const ExpressionMapper& mapper) {
  for (sql::Assignment& assignment : assignments) map_in_place(assignment.value, mapper);
}

// Besides those of the session.
constexpr std::array<std::string_view, 4> volatile_functions{"random", "gen_random_uuid", "clock_timestamp",
                                                             "timeofday"};
constexpr std::array<std::string_view, 6> stable_functions{
    "now", "transaction_timestamp", "statement_timestamp", "current_user", "session_user", "current_database"};

template <std::size_t N>
bool is_call_of(const Expression& expression, const std::array<std::string_view, N>& names) {
  return expression.kind == Expression::Kind::function &&
         std::find(names.begin(), names.end(), expression.name) != names.end();
}

bool is_volatile_call(const Expression& expression) {
  return is_call_of(expression, volatile_functions) ||
         (expression.kind == Expression::Kind::function && sql::is_session_function(expression.name));
}

}  // namespace

ExpressionPtr map_expression(const ExpressionPtr& expression, const ExpressionMapper& mapper) {
  if (ExpressionPtr replacement = mapper(expression)) return replacement;
  std::shared_ptr<Expression> copy;
  for (std::size_t i = 0; i < expression->arguments.size(); ++i) {
    const ExpressionPtr& argument = expression->arguments[i];
    if (!argument) continue;
    ExpressionPtr mapped = map_expression(argument, mapper);
    if (mapped == argument) continue;
    if (!copy) copy = std::make_shared<Expression>(*expression);
    copy->arguments[i] = std::move(mapped);
  }
  return copy ? ExpressionPtr(std::move(copy)) : expression;
}

void map_expressions(sql::Select& statement, const ExpressionMapper& mapper) {
  map_in_place(statement.items, mapper);
  map_in_place(statement.where, mapper);
  map_in_place(statement.group_by, mapper);
  map_in_place(statement.having, mapper);
  for (sql::OrderItem& item : statement.order_by) map_in_place(item.expression, mapper);
  map_in_place(statement.limit, mapper);
  map_in_place(statement.offset, mapper);
}

void map_expressions(sql::Insert& statement, const ExpressionMapper& mapper) {
  for (std::vector<ExpressionPtr>& row : statement.rows) map_in_place(row, mapper);
  if (statement.on_conflict) {
    map_in_place(statement.on_conflict->assignments, mapper);
    map_in_place(statement.on_conflict->where, mapper);
  }
  map_in_place(statement.returning, mapper);
}

void map_expressions(sql::Update& statement, const ExpressionMapper& mapper) {
  map_in_place(statement.assignments, mapper);
  map_in_place(statement.where, mapper);
  map_in_place(statement.returning, mapper);
}

void map_expressions(sql::Delete& statement, const ExpressionMapper& mapper) {
  map_in_place(statement.where, mapper);
  map_in_place(statement.returning, mapper);
}

bool contains(const ExpressionPtr& expression, const std::function<bool(const Expression&)>& test) {
  if (!expression) return false;
  if (test(*expression)) return true;
  return std::any_of(expression->arguments.begin(), expression->arguments.end(),
                     [&test](const ExpressionPtr& argument) { return contains(argument, test); });
}

bool calls_volatile_function(const ExpressionPtr& expression) { return contains(expression, is_volatile_call); }

bool calls_non_immutable_function(const ExpressionPtr& expression) {
  return contains(expression,
                  [](const Expression& e) { return is_volatile_call(e) || is_call_of(e, stable_functions); });
}

ExpressionMapper ParameterRenumbering::mapper() {
  return [this](const ExpressionPtr& expression) -> ExpressionPtr {
    if (expression->kind != Expression::Kind::parameter) return nullptr;
    const auto original = static_cast<std::size_t>(expression->index);
    if (original == 0 || original > original_.size()) {
      throw SqlError(sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(expression->index))
          .at(expression->position);
    }
    if (number_of_.size() < original_.size() + 1) number_of_.resize(original_.size() + 1, 0);
    if (number_of_[original] == 0) {
      values_.push_back(original_[original - 1]);
      number_of_[original] = static_cast<int>(values_.size());
    }
    if (number_of_[original] == expression->index) return expression;
    auto copy = std::make_shared<Expression>(*expression);
    copy->index = number_of_[original];
    return copy;
  };
}

ExpressionPtr ParameterRenumbering::add(Value value) {
  values_.push_back(std::move(value));
  auto parameter = std::make_shared<Expression>();
  parameter->kind = Expression::Kind::parameter;
  parameter->index = static_cast<int>(values_.size());
  return parameter;
}

ExpressionPtr make_constant(Value value, TypeId type) {
  auto constant = std::make_shared<Expression>();
  constant->kind = Expression::Kind::constant;
  constant->value = std::move(value);
  constant->type = type;
  return constant;
}

ExpressionPtr make_column(std::string table, std::string name) {
  auto column = std::make_shared<Expression>();
  column->kind = Expression::Kind::column;
  column->table = std::move(table);
  column->name = std::move(name);
  return column;
}

sql::TableName shard_table_name(const sql::TableName& original, std::string shard_name) {
  sql::TableName name;
  name.schema = "public";
  name.name = std::move(shard_name);
  name.alias = original.reference();
  return name;
}

}  // namespace polarsim::engine::cluster
