// INSERT: every row is evaluated on the coordinator, then goes to the shard of its distribution column.
#include <algorithm>
#include <map>
#include <set>

#include "engine/cluster/planner.h"
#include "engine/cluster/rewrite.h"
#include "engine/sql/parser.h"

namespace polarsim::engine::cluster {

namespace {

using sql::Expression;
using sql::ExpressionPtr;

// Past this many values a statement is a bulk load: literals in the text, as the protocol bounds the number of
// parameters.
constexpr std::size_t most_parameters = 1000;

constexpr const char* missing_partition_value = "cannot perform an INSERT without a partition column value";

class InsertPlanner {
 public:
  InsertPlanner(const DistributedTable& table, const sql::Insert& insert, const StatementInputs& inputs)
      : table_(table),
        insert_(insert),
        inputs_(inputs),
        columns_(table.definition.columns),
        parameter_types_(inputs.parameters.size(), TypeId::unknown) {
    options_.parameter_types = parameter_types_;
    options_.clause = "VALUES";
    context_.parameters = inputs.parameters;
    context_.transaction_start_us = inputs.transaction_start_us;
  }

  std::vector<Task> plan() {
    resolve_targets();
    check_on_conflict();
    std::map<std::size_t, std::vector<Row>> rows_of_shard;
    if (insert_.rows.empty()) add_row({}, rows_of_shard);
    for (const std::vector<ExpressionPtr>& row : insert_.rows) add_row(row, rows_of_shard);
    std::vector<Task> tasks;
    for (const auto& [shard, rows] : rows_of_shard) tasks.push_back(make_task(shard, rows));
    return tasks;
  }

 private:
  // targets_: the columns that the statement names or implies, in its order; written_: those and the ones with a
  // default, in the table's order.
  void resolve_targets() {
    std::size_t widest = 0;
    for (const auto& row : insert_.rows) widest = std::max(widest, row.size());
    if (insert_.columns.empty()) {
      if (widest > columns_.size())
        throw SqlError(sqlstate::syntax_error, "INSERT has more expressions than target columns");
      for (std::size_t i = 0; i < widest; ++i) targets_.push_back(i);
    }
    for (const std::string& name : insert_.columns) {
      const auto found =
          std::find_if(columns_.begin(), columns_.end(), [&name](const sql::ColumnInfo& c) { return c.name == name; });
      if (found == columns_.end()) {
        throw SqlError(sqlstate::undefined_column,
                       "column \"" + name + "\" of relation \"" + table_.name() + "\" does not exist");
      }
      const auto position = static_cast<std::size_t>(found - columns_.begin());
      if (std::find(targets_.begin(), targets_.end(), position) != targets_.end()) {
        throw SqlError(sqlstate::duplicate_column, "column \"" + name + "\" specified more than once");
      }
      targets_.push_back(position);
    }
    std::set<std::size_t> written(targets_.begin(), targets_.end());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].default_value) written.insert(i);
    }
    written_.assign(written.begin(), written.end());
    const auto distribution = static_cast<std::size_t>(table_.distribution_column);
    if (!written.contains(distribution)) throw SqlError(sqlstate::null_value_not_allowed, missing_partition_value);
  }

  void check_on_conflict() const {
    if (!insert_.on_conflict) return;
    const std::string& constraint = insert_.on_conflict->constraint;
    if (!constraint.empty() && constraint != table_.definition.primary_key_name) {
      throw SqlError(sqlstate::undefined_object,
                     "constraint \"" + constraint + "\" for table \"" + table_.name() + "\" does not exist");
    }
    for (const sql::Assignment& assignment : insert_.on_conflict->assignments) {
      const std::string& distribution = table_.distribution_info().name;
      if (assignment.column == distribution) {
        const ExpressionPtr& value = assignment.value;
        const bool unchanged = value &&
                               (value->kind == Expression::Kind::excluded || value->kind == Expression::Kind::column) &&
                               value->name == distribution;
        if (!unchanged)
          throw SqlError(sqlstate::feature_not_supported, "modifying the partition value of rows is not allowed");
      }
      if (calls_non_immutable_function(assignment.value)) {
        throw SqlError(
            sqlstate::feature_not_supported,
            "functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE");
      }
    }
    if (calls_non_immutable_function(insert_.on_conflict->where)) {
      throw SqlError(sqlstate::feature_not_supported,
                     "functions used in the WHERE clause of the ON CONFLICT clause of INSERTs on distributed tables "
                     "must be marked IMMUTABLE");
    }
  }

  Value evaluate_for(const ExpressionPtr& expression, const sql::ColumnInfo& column) const {
    return sql::evaluate(sql::analyze_assignment(expression, options_, column.type, column.name), context_);
  }

  void add_row(const std::vector<ExpressionPtr>& expressions,
               std::map<std::size_t, std::vector<Row>>& rows_of_shard) const {
    if (expressions.size() > targets_.size()) {
      throw SqlError(sqlstate::syntax_error, "INSERT has more expressions than target columns");
    }
    if (expressions.size() < targets_.size() && !insert_.columns.empty() && !expressions.empty()) {
      throw SqlError(sqlstate::syntax_error, "INSERT has more target columns than expressions");
    }
    Row row;
    row.reserve(written_.size());
    for (const std::size_t position : written_) {
      const sql::ColumnInfo& column = columns_[position];
      const auto target =
          static_cast<std::size_t>(std::find(targets_.begin(), targets_.end(), position) - targets_.begin());
      const ExpressionPtr given = target < expressions.size() ? expressions[target] : nullptr;
      const bool is_distribution = position == static_cast<std::size_t>(table_.distribution_column);
      if (!given && !column.default_value) {
        if (is_distribution) throw SqlError(sqlstate::null_value_not_allowed, missing_partition_value);
        row.push_back(Value::null());
        continue;
      }
      row.push_back(evaluate_for(given ? given : column.default_value, column));
      if (is_distribution && row.back().is_null()) {
        throw SqlError(sqlstate::null_value_not_allowed, "cannot perform an INSERT with NULL in the partition column");
      }
    }
    const auto distribution =
        std::find(written_.begin(), written_.end(), static_cast<std::size_t>(table_.distribution_column)) -
        written_.begin();
    rows_of_shard[shard_of(table_, row[static_cast<std::size_t>(distribution)])].push_back(std::move(row));
  }

  Task make_task(std::size_t shard, const std::vector<Row>& rows) const {
    sql::Insert for_shard;
    for_shard.table = shard_table_name(insert_.table, table_.shard_name(shard));
    for (const std::size_t position : written_) for_shard.columns.push_back(columns_[position].name);
    ParameterRenumbering parameters(inputs_.parameters);
    const bool as_parameters = rows.size() * written_.size() <= most_parameters;
    for (const Row& row : rows) {
      std::vector<ExpressionPtr> expressions;
      for (std::size_t i = 0; i < row.size(); ++i) {
        expressions.push_back(as_parameters ? parameters.add(row[i])
                                            : make_constant(row[i], columns_[written_[i]].type));
      }
      for_shard.rows.push_back(std::move(expressions));
    }
    // Only the rest of the statement still has parameters of the client's.
    sql::Insert rest;
    rest.on_conflict = insert_.on_conflict;
    if (rest.on_conflict && !rest.on_conflict->constraint.empty()) {
      // The constraints of shards have other names; this one is the primary key.
      rest.on_conflict->constraint.clear();
      for (const int column : table_.definition.primary_key)
        rest.on_conflict->target.push_back(columns_[static_cast<std::size_t>(column)].name);
    }
    rest.returning = insert_.returning;
    map_expressions(rest, parameters.mapper());
    for_shard.on_conflict = std::move(rest.on_conflict);
    for_shard.returning = std::move(rest.returning);
    sql::Statement statement;
    statement.parameters = static_cast<int>(parameters.values().size());
    statement.body = std::move(for_shard);
    return Task{table_.shards[shard].group_id, sql::deparse(statement), parameters.values(), true};
  }

  const DistributedTable& table_;
  const sql::Insert& insert_;
  const StatementInputs& inputs_;
  const std::vector<sql::ColumnInfo>& columns_;
  std::vector<TypeId> parameter_types_;
  sql::AnalyzeOptions options_;
  sql::EvaluationContext context_;
  std::vector<std::size_t> targets_;
  std::vector<std::size_t> written_;
};

}  // namespace

std::vector<Task> plan_insert(const DistributedTable& table, const sql::Insert& insert, const StatementInputs& inputs) {
  return InsertPlanner(table, insert, inputs).plan();
}

}  // namespace polarsim::engine::cluster
