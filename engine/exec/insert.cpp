// INSERT, with ON CONFLICT.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/exec/upsert.h"
#include "engine/sql/error.h"

namespace polarsim::engine::exec {

namespace {

// The columns that the VALUES go to, by position.
std::vector<std::size_t> target_columns(const OpenTable& table, const sql::Insert& insert) {
  std::vector<std::size_t> targets;
  if (insert.columns.empty()) {
    for (std::size_t i = 0; i < table.shape.columns.size(); ++i) targets.push_back(i);
    return targets;
  }
  for (const std::string& name : insert.columns) {
    const int column = table.shape.find(name);
    if (column < 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.definition().name));
    }
    const auto position = static_cast<std::size_t>(column);
    if (std::find(targets.begin(), targets.end(), position) != targets.end()) {
      throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", name));
    }
    targets.push_back(position);
  }
  return targets;
}

class RowSource {
 public:
  RowSource(ExecutionContext& context, const OpenTable& table, const sql::Insert& insert)
      : context_(context), columns_(table.definition().columns), targets_(target_columns(table, insert)) {
    for (const sql::ColumnInfo& column : columns_) {
      sql::BoundExpression value;
      if (column.default_value) value = analyze(column.default_value, column);
      defaults_.push_back(std::move(value));
    }
  }

  Row make(const std::vector<sql::ExpressionPtr>& values, bool columns_named) {
    if (values.size() > targets_.size())
      throw SqlError(sqlstate::syntax_error, "INSERT has more expressions than target columns");
    if (values.size() < targets_.size() && columns_named && !values.empty()) {
      throw SqlError(sqlstate::syntax_error, "INSERT has more target columns than expressions");
    }
    std::vector<const sql::ExpressionPtr*> given(columns_.size(), nullptr);
    for (std::size_t i = 0; i < values.size(); ++i) given[targets_[i]] = &values[i];
    Row row;
    row.reserve(columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool use_default = given[i] == nullptr || *given[i] == nullptr;
      const sql::BoundExpression value = use_default ? defaults_[i] : analyze(*given[i], columns_[i]);
      row.push_back(value ? sql::evaluate(value, context_.evaluation()) : Value::null());
    }
    return row;
  }

 private:
  sql::BoundExpression analyze(const sql::ExpressionPtr& expression, const sql::ColumnInfo& column) const {
    return sql::analyze_assignment(expression, context_.analysis(nullptr, "VALUES"), column.type, column.name);
  }

  ExecutionContext& context_;
  const std::vector<sql::ColumnInfo>& columns_;
  std::vector<std::size_t> targets_;
  std::vector<sql::BoundExpression> defaults_;
};

void insert_one(ExecutionContext& context, const OpenTable& table, const Row& row) {
  context.backend().check_interrupts();
  context.database.visit_append_point();
  const Tid tid = context.database.heap().insert(context.transaction, table.heap(), row);
  insert_index_entries(context, table, row, tid);
}

}  // namespace

QueryResult execute_insert(ExecutionContext& context, const sql::Insert& insert) {
  const StatementScope scope(context, insert.table, txn::LockMode::row_exclusive);
  const OpenTable& table = scope.table();
  RowSource source(context, table, insert);
  std::optional<Upsert> upsert;
  if (insert.on_conflict) upsert.emplace(context, table, *insert.on_conflict, scope.snapshot());
  Returning returning(context, table, insert.returning);
  const std::vector<std::vector<sql::ExpressionPtr>> only_defaults(1);
  std::size_t count = 0;
  for (const std::vector<sql::ExpressionPtr>& values : insert.rows.empty() ? only_defaults : insert.rows) {
    const Row proposed = source.make(values, !insert.columns.empty());
    check_not_null(table.definition(), proposed);
    if (!upsert) {
      insert_one(context, table, proposed);
      returning.add(proposed);
      ++count;
      continue;
    }
    const Upsert::Result result = upsert->run(proposed);
    if (!result.row) continue;
    ++count;
    returning.add(*result.row);
  }
  QueryResult result;
  returning.finish(result);
  result.tag = fmt::format("INSERT 0 {}", count);
  return result;
}

}  // namespace polarsim::engine::exec
