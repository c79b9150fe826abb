// Seq Scan, a page's rows at a time, and scans of a second run, whose row is given.
#include "engine/executor/node_state.h"
#include "engine/executor/table_rows.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

class SeqScanState final : public NodeState {
 public:
  SeqScanState(ExecutorState& state, const Plan& plan, const plan::SeqScan& scan, TableRows rows)
      : NodeState(state, plan, rows.width()),
        rows_(rows),
        wanted_(scan.columns_read ? &*scan.columns_read : nullptr),
        adds_columns_(!scan.system_columns.empty()) {}

 protected:
  bool produce(RowView& row) override {
    if (!scan_)
      scan_.emplace(state_.database().heap(), rows_.table().heap(), state_.transaction(), state_.snapshot, wanted_);
    for (;;) {
      while (next_ < batch_.size()) {
        VisibleRow& found = batch_[next_++];
        if (adds_columns_ || found.row.size() < width_in_heap_) rows_.complete(found.tid, found.row);
        if (emit(found.row, {}, row)) return true;
      }
      next_ = 0;
      if (!scan_->next(batch_)) return false;
    }
  }
  void restart() override {
    scan_.reset();
    batch_.clear();
    next_ = 0;
  }

 private:
  TableRows rows_;
  const storage::WantedColumns* const wanted_;
  const bool adds_columns_;
  const std::size_t width_in_heap_ = rows_.table().relation->columns.size();
  std::optional<txn::Heap::Scan> scan_;
  std::vector<VisibleRow> batch_;
  std::size_t next_ = 0;
};

// The row a scan found in the first run, or its newest version.
class RecheckScanState final : public NodeState {
 public:
  RecheckScanState(ExecutorState& state, const Plan& plan, std::size_t seen_width, std::vector<Evaluator> bounds)
      : NodeState(state, plan, seen_width), bounds_(std::move(bounds)) {}

 protected:
  bool produce(RowView& row) override {
    if (std::exchange(given_, true)) return false;
    const RecheckRow& found = state_.recheck->at(plan_.entry);
    if (!found.present) return false;
    if (found.ignores_conditions) {
      project(found.row, {}, row);
      return true;
    }
    return all_hold(bounds_, state_, found.row) && emit(found.row, {}, row);
  }
  void restart() override { given_ = false; }

 private:
  std::vector<Evaluator> bounds_;  // what an index scan asked of its rows
  bool given_ = false;
};

}  // namespace

NodeStatePtr make_seq_scan(ExecutorState& state, const Plan& plan) {
  const auto& scan = *plan.as<plan::SeqScan>();
  return std::make_unique<SeqScanState>(state, plan, scan, TableRows(state, scan.relation, scan.system_columns));
}

NodeStatePtr make_recheck_scan(ExecutorState& state, const Plan& plan, std::size_t seen_width) {
  std::vector<Evaluator> bounds;
  if (const auto* scan = plan.as<plan::IndexScan>()) {
    for (const plan::IndexScan::Bound& bound : scan->bounds) bounds.emplace_back(bound.condition);
  }
  return std::make_unique<RecheckScanState>(state, plan, seen_width, std::move(bounds));
}

}  // namespace polarsim::engine::executor
