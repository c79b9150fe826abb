// For tests: plans made by hand, run on a node.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/executor/relations.h"
#include "engine/node/node_test_support.h"
#include "engine/query/expression_walk.h"
#include "engine/types/array.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::executor::testing {

using engine::testing::TestNode;
using engine::testing::TestSession;
using plan::Plan;
using plan::PlannedStatement;
using plan::PlanPtr;
using query::ExpressionPtr;

inline ExpressionPtr column(int number, TypeId type = TypeId::int4, int entry = 0) {
  return query::make_expression(query::Column{entry, number, 0}, type);
}
inline ExpressionPtr constant(Value value, TypeId type) { return query::make_expression(query::Constant{value}, type); }
inline ExpressionPtr number(std::int64_t value) { return constant(Value::integer(value), TypeId::int4); }
inline ExpressionPtr big(std::int64_t value) { return constant(Value::integer(value), TypeId::int8); }
inline ExpressionPtr text(std::string_view value) { return constant(Value::text(value), TypeId::text); }
inline ExpressionPtr parameter(int index, TypeId type = TypeId::int4) {
  return query::make_expression(query::Parameter{index, true}, type);
}
inline ExpressionPtr operation(std::string_view symbol, ExpressionPtr left, ExpressionPtr right) {
  const OperatorEntry* entry = find_operator(symbol, left->type.id, right->type.id);
  return query::make_expression(query::OperatorCall{entry, {std::move(left), std::move(right)}}, entry->result);
}
inline ExpressionPtr call(std::string_view name, std::vector<ExpressionPtr> arguments) {
  std::vector<TypeId> types;
  for (const ExpressionPtr& argument : arguments) types.push_back(argument->type.id);
  const FunctionEntry* entry = find_function(name, types);
  return query::make_expression(query::Call{entry, std::move(arguments), query::CallForm::call, false}, entry->result);
}
inline plan::AggregateCall aggregate(std::string_view name, std::vector<ExpressionPtr> arguments) {
  std::vector<TypeId> types;
  for (const ExpressionPtr& argument : arguments) types.push_back(argument->type.id);
  plan::AggregateCall call;
  call.function = find_function(name, types);
  if (call.function == nullptr) {
    types.assign(types.size(), TypeId::any);
    call.function = find_function(name, types);
  }
  call.arguments = std::move(arguments);
  call.type = call.function->result;
  return call;
}
inline plan::SortKey key(int number, bool descending = false, bool nulls_first = false, TypeId type = TypeId::int4) {
  return {number, type, descending, nulls_first};
}

inline Plan make(Plan::Node node, std::vector<Plan> children = {}, std::vector<ExpressionPtr> targets = {}) {
  Plan made;
  made.node = std::move(node);
  for (Plan& child : children) made.children.push_back(std::make_shared<const Plan>(std::move(child)));
  for (ExpressionPtr& target : targets) made.targets.push_back({std::move(target), ""});
  return made;
}

// Rows of integers; nothing is NULL.
using IntegerRow = std::vector<std::optional<int>>;
inline Plan values(const std::vector<IntegerRow>& rows) {
  plan::ValuesScan scan;
  for (const IntegerRow& row : rows) {
    scan.rows.emplace_back();
    for (const std::optional<int>& value : row)
      scan.rows.back().push_back(value ? number(*value) : constant(Value::null(), TypeId::int4));
  }
  return make(std::move(scan));
}

inline PlannedStatement statement(Plan root) {
  PlannedStatement made;
  made.plan = std::make_shared<const Plan>(std::move(root));
  return made;
}

class PlanRunner {
 public:
  explicit PlanRunner(TestNode& node)
      : database_(node.instance().database()), relations_(database_), backend_(database_.connect()) {}
  ~PlanRunner() {
    if (transaction_ != nullptr) rollback();
    database_.disconnect(backend_);
  }

  Database& database() { return database_; }
  std::size_t work_memory_bytes = default_work_memory_bytes;
  CustomRowSource* custom_rows = nullptr;
  txn::IsolationLevel isolation = txn::IsolationLevel::read_committed;

  query::RelationPtr relation(std::string_view name) {
    begin();
    const std::string path[] = {"public"};
    const std::optional<catalog::Relation> found = database_.catalog().find(transaction_, path, name);
    return relations_.describe(transaction_, *found);
  }
  void begin() {
    if (transaction_ == nullptr) transaction_ = &database_.transactions().begin(backend_, isolation);
  }
  void commit() { database_.transactions().commit(*std::exchange(transaction_, nullptr)); }
  void rollback() { database_.transactions().abort(*std::exchange(transaction_, nullptr)); }

  // "1|a;2|b", NULL as "null"; of changes without RETURNING the number of rows. The transaction goes on.
  std::string run(const PlannedStatement& planned) {
    begin();
    const CallContext context;
    const ExecutionInputs inputs{.database = database_,
                                 .transaction = *transaction_,
                                 .call = context,
                                 .work_memory_bytes = work_memory_bytes,
                                 .custom_rows = custom_rows};
    Execution execution(std::make_shared<const PlannedStatement>(planned), inputs);
    std::string text;
    bool any = false;
    for (RowView row; execution.next(row);) {
      if (std::exchange(any, true)) text += ';';
      for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "|") + shown(row[i]);
    }
    execution.finish();
    database_.transactions().next_command(*transaction_);
    const auto* change = planned.plan->as<plan::ModifyTable>();
    return change != nullptr && !change->returning ? std::to_string(execution.processed()) : text;
  }
  // What the topmost node says of itself in EXPLAIN ANALYZE.
  std::string measured(const PlannedStatement& planned) {
    begin();
    const CallContext context;
    const ExecutionInputs inputs{.database = database_,
                                 .transaction = *transaction_,
                                 .call = context,
                                 .work_memory_bytes = work_memory_bytes,
                                 .measure = true};
    Execution execution(std::make_shared<const PlannedStatement>(planned), inputs);
    for (RowView row; execution.next(row);) {
    }
    execution.finish();
    const plan::NodeMeasurement* const found = execution.measurement(*planned.plan);
    return found == nullptr || found->lines.empty() ? std::string() : found->lines.front();
  }
  // As run(), but an error is "SQLSTATE message", with " / detail" if there is one.
  std::string outcome(const PlannedStatement& planned) {
    try {
      return run(planned);
    } catch (const SqlError& error) {
      const std::string& detail = error.fields().detail;
      return error.sqlstate() + " " + error.fields().message + (detail.empty() ? "" : " / " + detail);
    }
  }

 private:
  static std::string shown(const Value& value) { return value.is_null() ? "null" : plain_text(value); }

  Database& database_;
  RelationCache relations_;
  txn::Backend& backend_;
  txn::Transaction* transaction_ = nullptr;
};

// On a node with the least of buffers.
inline void with_runner(const std::function<void(TestNode&, PlanRunner&)>& body, std::string_view setup = {}) {
  NodeConfig config;
  config.shared_buffers = 16;
  engine::testing::with_node(
      [&](TestNode& node) {
        PlanRunner runner(node);
        body(node, runner);
      },
      setup, config);
}
inline std::string run(Plan root) {
  std::string result;
  with_runner([&](TestNode&, PlanRunner& runner) { result = runner.outcome(statement(std::move(root))); });
  return result;
}

}  // namespace polarsim::engine::executor::testing
