// Scans of what is no table: subqueries, functions, VALUES, system views, sequences, common tables, work tables.
#include "engine/catalog/sequence.h"
#include "engine/executor/node_state.h"
#include "engine/executor/row_store.h"
#include "engine/executor/set_call.h"
#include "engine/executor/system_views.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

class SubqueryScanState final : public ParentState {
 public:
  using ParentState::ParentState;

 protected:
  bool produce(RowView& row) override {
    for (RowView found; child_->next(found);) {
      if (emit(found, {}, row)) return true;
    }
    return false;
  }
  void restart() override { child_->rescan(); }
};

std::size_t function_width(const query::FunctionSource& source) {
  std::size_t width = source.with_ordinality ? 1 : 0;
  for (const query::FunctionSource::Item& item : source.functions) width += static_cast<std::size_t>(item.columns);
  return width;
}

// Several functions side by side: the shorter ones are filled up with NULLs.
class FunctionScanState final : public NodeState {
 public:
  FunctionScanState(ExecutorState& state, const Plan& plan, const plan::FunctionScan& scan)
      : NodeState(state, plan, function_width(scan.source)), with_ordinality_(scan.source.with_ordinality) {
    std::size_t at = 0;
    for (const query::FunctionSource::Item& item : scan.source.functions) {
      const auto columns = static_cast<std::size_t>(item.columns);
      std::vector<RequestedColumn> requested;
      const bool record = item.call->type == TypeId::record && at + columns <= scan.columns.size();
      for (std::size_t i = at; record && i < at + columns; ++i)
        requested.push_back({scan.columns[i].name, scan.columns[i].type});
      calls_.emplace_back(item.call, columns, std::move(requested));
      at += columns;
    }
    at_end_.resize(calls_.size());
  }

 protected:
  bool produce(RowView& row) override {
    if (number_ == 0) {
      for (SetCall& call : calls_) call.start(state_);
    }
    while (next_row()) {
      state_.check_interrupts();
      if (emit(row_, {}, row)) return true;
    }
    return false;
  }
  void restart() override {
    number_ = 0;
    at_end_.assign(calls_.size(), false);
  }

 private:
  bool next_row() {
    row_.clear();
    bool any = false;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (!at_end_[i] && calls_[i].next(part_)) {
        any = true;
        part_.resize(calls_[i].columns());
        row_.insert(row_.end(), part_.begin(), part_.end());
      } else {
        at_end_[i] = true;
        row_.resize(row_.size() + calls_[i].columns());
      }
    }
    ++number_;
    if (with_ordinality_) row_.push_back(Value::integer(number_));
    return any;
  }

  std::vector<SetCall> calls_;
  const bool with_ordinality_;
  std::vector<bool> at_end_;
  std::int64_t number_ = 0;
  Row row_;
  Row part_;
};

class ValuesScanState final : public NodeState {
 public:
  ValuesScanState(ExecutorState& state, const Plan& plan, const plan::ValuesScan& scan)
      : NodeState(state, plan, scan.rows.empty() ? 0 : scan.rows[0].size()) {
    for (const std::vector<ExpressionPtr>& expressions : scan.rows) rows_.push_back(compile(expressions));
  }

 protected:
  bool produce(RowView& row) override {
    while (next_ < rows_.size()) {
      row_.clear();
      for (Evaluator& value : rows_[next_]) row_.push_back(value.value(state_));
      ++next_;
      if (emit(row_, {}, row)) return true;
    }
    return false;
  }
  void restart() override { next_ = 0; }

 private:
  std::vector<std::vector<Evaluator>> rows_;
  std::size_t next_ = 0;
  Row row_;
};

class SystemViewScanState final : public NodeState {
 public:
  SystemViewScanState(ExecutorState& state, const Plan& plan, const query::Relation& relation)
      : NodeState(state, plan, relation.columns.size()), relation_(relation) {}

 protected:
  bool produce(RowView& row) override {
    if (!computed_) compute();
    while (next_ < rows_.size()) {
      if (emit(rows_[next_++], {}, row)) return true;
    }
    return false;
  }
  void restart() override { next_ = 0; }

 private:
  void compute() {
    computed_ = true;
    if (relation_.kind == query::Relation::Kind::sequence) {
      const auto sequence = state_.database().catalog().find(&state_.transaction(), relation_.id);
      rows_ = {catalog::sequence_row(state_.database(), sequence->file)};
      return;
    }
    rows_ = system_view(relation_.id).rows({state_.database(), state_.transaction(), state_.call()});
    const bool has_tableoid = !relation_.columns.empty() && relation_.columns.back().dropped;
    if (!has_tableoid) return;
    for (Row& row : rows_) row.push_back(Value::integer(relation_.id));
  }

  const query::Relation& relation_;
  std::vector<Row> rows_;
  bool computed_ = false;
  std::size_t next_ = 0;
};

// Rows that somebody outside gives.
class CustomScanState final : public NodeState {
 public:
  CustomScanState(ExecutorState& state, const Plan& plan, const plan::CustomScan& scan)
      : NodeState(state, plan, plan.names.size()), scan_(scan) {
    if (state.inputs.custom_rows == nullptr) {
      throw SqlError(sqlstate::internal_error, "nobody gives the rows of a custom scan");
    }
  }

 protected:
  bool produce(RowView& row) override {
    if (rows_ == nullptr) rows_ = state_.inputs.custom_rows->open(scan_);
    for (RowView found; rows_->next(found);) {
      state_.check_interrupts();
      if (emit(found, {}, row)) return true;
    }
    return false;
  }
  void restart() override { rows_ = nullptr; }

 private:
  const plan::CustomScan& scan_;
  std::unique_ptr<CustomRowSource::Rows> rows_;
};

class CommonTableScanState final : public NodeState {
 public:
  CommonTableScanState(ExecutorState& state, const Plan& plan, CommonTable& table)
      : NodeState(state, plan, table.plan->width()), table_(table) {}

 protected:
  bool produce(RowView& row) override {
    if (next_ == 0) state_.renew(table_);
    while (state_.fetch_common_row(table_, next_)) {
      const RowView found = table_.rows->at(next_++, cursor_);
      // Another scan may add rows to the table while this one's row is in use.
      found_.assign(found.begin(), found.end());
      if (emit(found_, {}, row)) return true;
    }
    return false;
  }
  void restart() override { next_ = 0; }

 private:
  CommonTable& table_;
  std::uint64_t next_ = 0;
  RowStore::Cursor cursor_;
  Row found_;
};

// The rows of the last round exist when the node is made: the recursive part comes after the first.
class WorkTableScanState final : public NodeState {
 public:
  WorkTableScanState(ExecutorState& state, const Plan& plan, int table)
      : NodeState(state, plan, state.work_table(table)->width()), table_(table) {}

 protected:
  bool produce(RowView& row) override {
    const RowStore& rows = *state_.work_table(table_);
    while (next_ < rows.size()) {
      if (emit(rows.at(next_++, cursor_), {}, row)) return true;
    }
    return false;
  }
  void restart() override {
    next_ = 0;
    cursor_ = {};
  }

 private:
  const int table_;
  std::uint64_t next_ = 0;
  RowStore::Cursor cursor_;
};

}  // namespace

NodeStatePtr make_subquery_scan(ExecutorState& state, const Plan& plan) {
  return std::make_unique<SubqueryScanState>(state, plan, make_state(state, *plan.children.at(0)));
}
NodeStatePtr make_function_scan(ExecutorState& state, const Plan& plan) {
  return std::make_unique<FunctionScanState>(state, plan, *plan.as<plan::FunctionScan>());
}
NodeStatePtr make_values_scan(ExecutorState& state, const Plan& plan) {
  return std::make_unique<ValuesScanState>(state, plan, *plan.as<plan::ValuesScan>());
}
NodeStatePtr make_system_view_scan(ExecutorState& state, const Plan& plan) {
  return std::make_unique<SystemViewScanState>(state, plan, *plan.as<plan::SystemViewScan>()->relation);
}
NodeStatePtr make_custom_scan(ExecutorState& state, const Plan& plan) {
  return std::make_unique<CustomScanState>(state, plan, *plan.as<plan::Custom>()->scan);
}

NodeStatePtr make_common_table_scan(ExecutorState& state, const Plan& plan) {
  CommonTable& table = state.common_table(plan.as<plan::CommonTableScan>()->subplan);
  return std::make_unique<CommonTableScanState>(state, plan, table);
}
NodeStatePtr make_work_table_scan(ExecutorState& state, const Plan& plan) {
  return std::make_unique<WorkTableScanState>(state, plan, plan.as<plan::WorkTableScan>()->work_table);
}

}  // namespace polarsim::engine::executor
