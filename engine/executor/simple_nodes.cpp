// Result, ProjectSet, Materialize, Unique, Limit, Append.
#include <limits>

#include "engine/executor/node_state.h"
#include "engine/executor/row_order.h"
#include "engine/executor/row_store.h"
#include "engine/executor/set_call.h"
#include "engine/types/error.h"
#include "engine/types/record.h"

namespace polarsim::engine::executor {

namespace {

// One row of no columns.
class ResultState final : public NodeState {
 public:
  ResultState(ExecutorState& state, const Plan& plan) : NodeState(state, plan, 0) {}

 protected:
  bool produce(RowView& row) override { return !std::exchange(given_, true) && emit({}, {}, row); }
  void restart() override { given_ = false; }

 private:
  bool given_ = false;
};

// What passes its child's rows on, if the conditions hold.
class PassState final : public ParentState {
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

// Each row of the child as often as the longest set has rows; shorter sets are filled up with NULLs.
class ProjectSetState final : public ParentState {
 public:
  ProjectSetState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child)
      : ParentState(state, plan, std::move(child)) {
    if (!plan.conditions.empty()) throw SqlError(sqlstate::internal_error, "a ProjectSet node has conditions");
    for (const plan::PlanTarget& target : plan.targets) {
      const auto* call = target.expression->as<query::Call>();
      const bool is_set = call != nullptr && call->function->kind == FunctionKind::set;
      const bool is_row = is_set && target.expression->type.id == TypeId::record && !call->function->outputs.empty();
      const std::size_t columns = is_row ? call->function->outputs.size() : 1;
      targets_.push_back({is_set ? std::optional<SetCall>(std::in_place, target.expression, columns) : std::nullopt,
                          is_set ? Evaluator() : Evaluator(target.expression), is_row ? call->function : nullptr,
                          false});
    }
    row_.resize(targets_.size());
  }

 protected:
  bool produce(RowView& row) override {
    for (;;) {
      state_.check_interrupts();
      if (!under_way_ && !start_row()) return false;
      if (next_of_sets()) {
        row = row_;
        return true;
      }
      under_way_ = false;
    }
  }
  void restart() override {
    under_way_ = false;
    child_->rescan();
  }

 private:
  struct Target {
    std::optional<SetCall> set;
    Evaluator value;
    const FunctionEntry* row_maker = nullptr;  // a set whose rows have several columns: each row is one value
    bool at_end = false;
  };

  static Value record_of(const FunctionEntry& function, const Row& row) {
    std::vector<Record::Field> fields;
    for (std::size_t i = 0; i < function.outputs.size(); ++i)
      fields.push_back({function.outputs[i].name, function.outputs[i].type, row.at(i)});
    return Value::record(Record(std::move(fields)));
  }

  bool start_row() {
    RowView seen;
    if (!child_->next(seen)) return false;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      Target& target = targets_[i];
      target.at_end = false;
      if (target.set) {
        target.set->start(state_, seen);
      } else {
        row_[i] = target.value.value(state_, seen);
      }
    }
    under_way_ = true;
    return true;
  }

  bool next_of_sets() {
    bool any = false;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      Target& target = targets_[i];
      if (!target.set) continue;
      target.at_end = target.at_end || !target.set->next(part_);
      if (target.at_end) {
        row_[i] = Value::null();
      } else {
        row_[i] = target.row_maker != nullptr ? record_of(*target.row_maker, part_) : part_.at(0);
      }
      any = any || !target.at_end;
    }
    return any;
  }

  std::vector<Target> targets_;
  bool under_way_ = false;
  Row row_;
  Row part_;
};

// Keeps the child's rows for the next time, as far as they have been asked for.
class MaterializeState final : public ParentState {
 public:
  MaterializeState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child)
      : ParentState(state, plan, std::move(child)),
        rows_(state.database().host(), child_->width(), state.inputs.work_memory_bytes),
        version_(state.version(child_->dependencies())) {}

 protected:
  bool produce(RowView& row) override {
    for (;;) {
      RowView found;
      if (next_ < rows_.size()) {
        found = rows_.at(next_, cursor_);
      } else {
        if (complete_ || !child_->next(found)) {
          complete_ = true;
          return false;
        }
        rows_.append(found);
      }
      ++next_;
      if (emit(found, {}, row)) return true;
    }
  }
  void restart() override {
    next_ = 0;
    const std::uint64_t now = state_.version(child_->dependencies());
    if (now == version_) return;
    version_ = now;
    complete_ = false;
    rows_.clear();
    cursor_ = {};
    child_->rescan();
  }

 private:
  RowStore rows_;
  RowStore::Cursor cursor_;
  std::uint64_t version_;
  std::uint64_t next_ = 0;
  bool complete_ = false;
};

class UniqueState final : public ParentState {
 public:
  UniqueState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Unique& unique)
      : ParentState(state, plan, std::move(child)), order_(unique.keys) {}

 protected:
  bool produce(RowView& row) override {
    for (RowView found; child_->next(found);) {
      if (has_last_ && order_.equal(last_, found)) continue;
      last_.assign(found.begin(), found.end());
      has_last_ = true;
      if (emit(last_, {}, row)) return true;
    }
    return false;
  }
  void restart() override {
    has_last_ = false;
    child_->rescan();
  }

 private:
  RowOrder order_;
  Row last_;
  bool has_last_ = false;
};

class LimitState final : public ParentState {
 public:
  LimitState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Limit& limit)
      : ParentState(state, plan, std::move(child)), ties_(limit.ties) {
    if (limit.limit != nullptr) limit_.emplace(limit.limit);
    if (limit.offset != nullptr) offset_.emplace(limit.offset);
  }

 protected:
  bool produce(RowView& row) override {
    if (!started_) start();
    if (limit_rows_ == 0) return false;
    RowView found;
    while (skipped_ < offset_rows_) {
      if (!child_->next(found)) return false;
      ++skipped_;
    }
    if (given_ < limit_rows_) {
      if (!child_->next(found)) return false;
      if (++given_ == limit_rows_ && !ties_.empty()) last_.assign(found.begin(), found.end());
      project(found, {}, row);
      return true;
    }
    if (ties_.empty() || !child_->next(found) || !ties_.equal(last_, found)) return false;
    project(found, {}, row);
    return true;
  }
  void restart() override {
    started_ = false;
    child_->rescan();
  }

 private:
  static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

  void start() {
    started_ = true;
    skipped_ = given_ = 0;
    offset_rows_ = 0;
    limit_rows_ = no_limit;
    if (offset_) {
      const Value value = offset_->value(state_);
      if (!value.is_null() && value.as_integer() < 0) throw SqlError("2201X", "OFFSET must not be negative");
      if (!value.is_null()) offset_rows_ = static_cast<std::uint64_t>(value.as_integer());
    }
    if (limit_) {
      const Value value = limit_->value(state_);
      if (!value.is_null() && value.as_integer() < 0) throw SqlError("2201W", "LIMIT must not be negative");
      if (!value.is_null()) limit_rows_ = static_cast<std::uint64_t>(value.as_integer());
    }
    if (limit_rows_ != no_limit && ties_.empty()) child_->set_row_bound(offset_rows_ + limit_rows_);
  }

  RowOrder ties_;
  std::optional<Evaluator> limit_;
  std::optional<Evaluator> offset_;
  bool started_ = false;
  std::uint64_t limit_rows_ = 0;
  std::uint64_t offset_rows_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t given_ = 0;
  Row last_;
};

class AppendState final : public NodeState {
 public:
  AppendState(ExecutorState& state, const Plan& plan, std::vector<NodeStatePtr>&& children)
      : NodeState(state, plan, children.empty() ? 0 : children[0]->width()), children_(std::move(children)) {
    for (const NodeStatePtr& child : children_) depends_on(child->dependencies());
  }

 protected:
  bool produce(RowView& row) override {
    for (; at_ < children_.size(); ++at_) {
      for (RowView found; children_[at_]->next(found);) {
        if (emit(found, {}, row)) return true;
      }
    }
    return false;
  }
  void restart() override {
    at_ = 0;
    for (const NodeStatePtr& child : children_) child->rescan();
  }

 private:
  std::vector<NodeStatePtr> children_;
  std::size_t at_ = 0;
};

NodeStatePtr make_child(ExecutorState& state, const Plan& plan) { return make_state(state, *plan.children.at(0)); }

}  // namespace

NodeStatePtr make_result(ExecutorState& state, const Plan& plan) {
  if (plan.children.empty()) return std::make_unique<ResultState>(state, plan);
  return std::make_unique<PassState>(state, plan, make_child(state, plan));
}
NodeStatePtr make_project_set(ExecutorState& state, const Plan& plan) {
  return std::make_unique<ProjectSetState>(state, plan, make_child(state, plan));
}
NodeStatePtr make_materialize(ExecutorState& state, const Plan& plan) {
  return std::make_unique<MaterializeState>(state, plan, make_child(state, plan));
}
NodeStatePtr make_unique_node(ExecutorState& state, const Plan& plan) {
  return std::make_unique<UniqueState>(state, plan, make_child(state, plan), *plan.as<plan::Unique>());
}
NodeStatePtr make_limit(ExecutorState& state, const Plan& plan) {
  return std::make_unique<LimitState>(state, plan, make_child(state, plan), *plan.as<plan::Limit>());
}
NodeStatePtr make_append(ExecutorState& state, const Plan& plan) {
  std::vector<NodeStatePtr> children;
  for (const plan::PlanPtr& child : plan.children) children.push_back(make_state(state, *child));
  return std::make_unique<AppendState>(state, plan, std::move(children));
}

}  // namespace polarsim::engine::executor
