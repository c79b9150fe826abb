// Index Scan: entries of ranges of keys, whose versions are looked up in the table.
#include <algorithm>

#include "engine/executor/index_ranges.h"
#include "engine/executor/node_state.h"
#include "engine/executor/table_rows.h"

namespace polarsim::engine::executor {

namespace {

using storage::BTree;

// Reads ranges one after the other, in either direction.
class EntryReader {
 public:
  EntryReader(BTree& tree, std::vector<BTree::Range> ranges, bool backward)
      : tree_(tree), ranges_(std::move(ranges)), backward_(backward) {
    // They are taken from the end.
    if (!backward) std::reverse(ranges_.begin(), ranges_.end());
  }

  bool next(std::vector<BTree::Entry>& entries) {
    for (;;) {
      if (forward_scan_ ? forward_scan_->next(entries) : backward_scan_ && backward_scan_->next(entries)) return true;
      if (ranges_.empty()) return false;
      if (backward_) {
        backward_scan_.emplace(tree_.scan_backward(std::move(ranges_.back())));
      } else {
        forward_scan_.emplace(tree_.scan(std::move(ranges_.back())));
      }
      ranges_.pop_back();
    }
  }

 private:
  BTree& tree_;
  std::vector<BTree::Range> ranges_;
  const bool backward_;
  std::optional<BTree::Scan> forward_scan_;
  std::optional<BTree::BackwardScan> backward_scan_;
};

// An entry is as its version was made, so the bounds need not be asked whether the key is still right; but only the
// heap knows who may see the version.
class IndexScanState final : public NodeState {
 public:
  IndexScanState(ExecutorState& state, const Plan& plan, const plan::IndexScan& scan, TableRows rows)
      : NodeState(state, plan, rows.width()),
        rows_(rows),
        wanted_(scan.columns_read ? &*scan.columns_read : nullptr),
        ranges_(scan),
        backward_(scan.backward) {
    const std::uint32_t id = scan.relation->indexes.at(scan.index).id;
    tree_ = &state.database().tree(rows_.table().index(id));
  }

 protected:
  bool produce(RowView& row) override {
    if (!reader_) reader_.emplace(*tree_, ranges_.compute(state_), backward_);
    for (;;) {
      while (next_ < entries_.size()) {
        state_.check_interrupts();
        const Tid tid = entries_[next_++].tid;
        found_ = rows_.fetch(tid, wanted_);
        if (!found_) continue;
        rows_.complete(tid, *found_);
        if (all_hold(ranges_.filters(), state_, *found_) && emit(*found_, {}, row)) return true;
      }
      next_ = 0;
      if (!reader_->next(entries_)) return false;
    }
  }
  void restart() override {
    reader_.reset();
    entries_.clear();
    next_ = 0;
  }

 private:
  TableRows rows_;
  const storage::WantedColumns* const wanted_;
  IndexRanges ranges_;
  const bool backward_;
  BTree* tree_ = nullptr;
  std::optional<EntryReader> reader_;
  std::vector<BTree::Entry> entries_;
  std::size_t next_ = 0;
  std::optional<Row> found_;
};

}  // namespace

NodeStatePtr make_index_scan(ExecutorState& state, const Plan& plan) {
  const auto& scan = *plan.as<plan::IndexScan>();
  return std::make_unique<IndexScanState>(state, plan, scan, TableRows(state, scan.relation, scan.system_columns));
}

}  // namespace polarsim::engine::executor
