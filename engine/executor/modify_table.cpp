// ModifyTable: INSERT, UPDATE and DELETE of the rows that the child gives (PostgreSQL's nodeModifyTable.c).
#include "engine/executor/foreign_keys.h"
#include "engine/executor/node_state.h"
#include "engine/executor/table_rows.h"
#include "engine/executor/upsert.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

std::size_t seen_width(const plan::ModifyTable& node, const NodeState& child) {
  return node.relation->columns.size() + node.system_columns.size() + child.width();
}

class ModifyTableState final : public ParentState {
 public:
  ModifyTableState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::ModifyTable& node)
      : ParentState(state, plan, std::move(child), seen_width(node, *child)),
        node_(node),
        writer_(state, node),
        rows_(state, node.relation, node.system_columns),
        foreign_keys_(ForeignKeyEvents::make(state, writer_.table())) {
    if (node.command == query::Command::insert) {
      if (node.conflict) upsert_.emplace(state, node, writer_);
    } else {
      change_.emplace(state, node, *plan.children.at(0), writer_);
    }
  }
  std::uint64_t rows_changed() const { return changed_; }

 protected:
  bool produce(RowView& row) override {
    for (RowView found; child_->next(found);) {
      const bool has_changed = node_.command == query::Command::insert ? insert(found) : change(found);
      if (!has_changed) continue;
      ++changed_;
      if (!node_.returning) continue;
      rows_.complete(tid_, row_);
      row_.insert(row_.end(), found_.begin(), found_.end());
      if (emit(row_, {}, row)) return true;
    }
    return false;
  }
  void restart() override { throw SqlError(sqlstate::internal_error, "a change of rows was to be run again"); }

 private:
  // Both set row_ to the new (deleted) row, tid_ to its place, found_ to the child's row.
  bool insert(RowView found) {
    found_.assign(found.begin(), found.end());
    row_.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(node_.relation->columns.size()));
    writer_.complete(row_);
    if (!upsert_) {
      tid_ = writer_.insert(row_);
      if (foreign_keys_ != nullptr) foreign_keys_->inserted(row_, tid_);
      return true;
    }
    std::optional<Upsert::Result> result = upsert_->run(row_);
    if (!result) return false;
    row_ = std::move(result->row);
    tid_ = result->tid;
    if (foreign_keys_ != nullptr && result->updated)
      foreign_keys_->updated(result->updated->row, result->updated->tid, row_, tid_);
    if (foreign_keys_ != nullptr && !result->updated) foreign_keys_->inserted(row_, tid_);
    return true;
  }
  bool change(RowView found) {
    std::optional<RowChange::Result> result = change_->run(found);
    if (!result) return false;
    row_ = std::move(result->row);
    tid_ = result->tid;
    found_ = std::move(result->found);
    if (foreign_keys_ == nullptr) return true;
    if (node_.command == query::Command::remove) {
      foreign_keys_->removed(row_);
    } else {
      foreign_keys_->updated(result->before.row, result->before.tid, row_, tid_);
    }
    return true;
  }

  const plan::ModifyTable& node_;
  TableWriter writer_;
  TableRows rows_;
  std::unique_ptr<ForeignKeyEvents> foreign_keys_;
  std::optional<Upsert> upsert_;
  std::optional<RowChange> change_;
  std::uint64_t changed_ = 0;
  Row row_;
  Tid tid_;
  Row found_;
};

}  // namespace

NodeStatePtr make_modify_table(ExecutorState& state, const Plan& plan) {
  return std::make_unique<ModifyTableState>(state, plan, make_state(state, *plan.children.at(0)),
                                            *plan.as<plan::ModifyTable>());
}

std::uint64_t rows_changed(const NodeState& modify_table) {
  return static_cast<const ModifyTableState&>(modify_table).rows_changed();
}

}  // namespace polarsim::engine::executor
