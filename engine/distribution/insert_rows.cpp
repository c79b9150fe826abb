#include "engine/distribution/insert_rows.h"

#include <map>

#include "engine/distribution/job.h"
#include "engine/query/expression_walk.h"
#include "engine/query/program.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using Row = std::vector<ExpressionPtr>;

// Without parameters, which no task's text has; of an expression or a query.
template <typename Tree>
Tree with_values(const Tree& tree, const StatementValues& values) {
  return query::rewrite(tree, [&](const ExpressionPtr& each, int) -> ExpressionPtr {
    const auto* parameter = each->template as<query::Parameter>();
    if (parameter == nullptr) return nullptr;
    return query::make_expression(query::Constant{values.parameters[static_cast<std::size_t>(parameter->index - 1)]},
                                  each->type);
  });
}

Value value_of(const ExpressionPtr& expression, const StatementValues& values) {
  if (const auto* constant = expression->as<query::Constant>()) return constant->value;
  return query::Program::compile(expression).run({{}, {}, values.parameters, nullptr}, values.call);
}

std::size_t values_entry(const query::Query& query) { return static_cast<std::size_t>(query.from.at(0)->entry); }

}  // namespace

SqlError null_in_distribution_column() {
  return {sqlstate::null_value_not_allowed, "cannot perform an INSERT with NULL in the partition column"};
}

std::vector<RowsOfShard> rows_by_shard(const Job& job, const TableDistribution& table, const StatementValues& values) {
  const query::Query& query = *job.query;
  const std::size_t entry = values_entry(query);
  std::map<std::size_t, std::vector<Row>> rows;
  for (const Row& written : std::get<query::ValuesSource>(query.entries[entry].source).rows) {
    const Value value = value_of(written[job.rows->column], values);
    if (value.is_null() && !values.only_shown) throw null_in_distribution_column();
    const std::optional<std::size_t> position = value.is_null() ? std::size_t{0} : shard_position(table, value);
    if (!position) throw SqlError(sqlstate::internal_error, "could not find shardinterval to which to send the query");
    Row& row = rows[*position].emplace_back();
    row.reserve(written.size());
    for (const ExpressionPtr& each : written) row.push_back(with_values(each, values));
  }
  // Objects by their names, whose numbers are each node's own.
  CallContext names;
  names.session = values.call.session;
  std::vector<RowsOfShard> result;
  auto shell = std::make_shared<query::Query>(query);
  std::get<query::ValuesSource>(shell->entries[entry].source).rows.clear();
  // ON CONFLICT and RETURNING have parameters, too.
  const query::QueryPtr without_rows = with_values(query::QueryPtr(std::move(shell)), values);
  for (auto& [position, own] : rows) {
    auto copy = std::make_shared<query::Query>(*without_rows);
    std::get<query::ValuesSource>(copy->entries[entry].source).rows = std::move(own);
    result.push_back({position, task_text_of(job, copy, {position}, &names)});
  }
  return result;
}

}  // namespace polarsim::engine::distribution
