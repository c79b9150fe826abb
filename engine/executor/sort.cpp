// Sort: in memory, or runs in temporary files that are merged (PostgreSQL's tuplesort.c, which sorts by quicksort and
// merges balanced; Knuth, volume 3, 5.4). Rows that are equal come in the order of the child.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/executor/node_state.h"
#include "engine/executor/row_order.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

namespace {

class SortState final : public ParentState {
 public:
  SortState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Sort& sort)
      : ParentState(state, plan, std::move(child)), order_(sort.keys), row_width_(child_->width()) {}

  void set_row_bound(std::uint64_t rows) override {
    // What it leaves out must not count.
    if (plan_.conditions.empty()) bound_ = rows;
  }

 protected:
  bool produce(RowView& row) override {
    if (!sorted_) fill();
    for (RowView found; next_sorted(found);) {
      if (emit(found, {}, row)) return true;
    }
    return false;
  }

  void restart() override {
    const bool keeps = sorted_ && runs_.empty() && !cut_ && version_ == state_.version(child_->dependencies());
    next_ = 0;
    if (keeps) return;
    if (sorted_) child_->rescan();
    sorted_ = false;
  }

 private:
  struct Run {
    RowStore rows;
    RowStore::Cursor cursor;
    std::uint64_t next = 0;
    RowView row;
  };

  void fill() {
    rows_.clear();
    runs_.clear();
    next_ = 0;
    count_ = sorted_count_ = 0;
    bytes_ = 0;
    cut_ = false;
    last_ = nullptr;
    version_ = state_.version(child_->dependencies());
    for (RowView row; child_->next(row);) {
      rows_.insert(rows_.end(), row.begin(), row.end());
      ++count_;
      if (bound_ && *bound_ < count_ / 2) cut();
      if (bound_ && *bound_ * 2 * row_width_ < bounded_values_max) continue;
      bytes_ += memory_of(row);
      if (bytes_ > state_.inputs.work_memory_bytes) write_run();
    }
    if (!runs_.empty() && count_ > 0) write_run();
    if (runs_.empty()) sort();
    for (const std::unique_ptr<Run>& run : runs_) advance(*run);
    sorted_ = true;
    if (measurement() != nullptr) describe();
  }

  // Rows whose order is `positions_`.
  RowView at(std::uint32_t position) const {
    return {rows_.data() + static_cast<std::size_t>(position) * row_width_, row_width_};
  }
  void sort() {
    positions_.resize(count_);
    std::iota(positions_.begin(), positions_.end(), 0U);
    std::sort(positions_.begin(), positions_.end(), [this](std::uint32_t a, std::uint32_t b) {
      const int order = order_.compare(at(a), at(b));
      return order != 0 ? order < 0 : a < b;
    });
    sorted_count_ = count_;
    count_ = 0;
  }
  // Keeps the rows that may still be asked for.
  void cut() {
    sort();
    std::vector<Value> kept;
    const std::size_t rows = static_cast<std::size_t>(*bound_);
    kept.reserve(rows * row_width_);
    for (std::size_t i = 0; i < rows; ++i) kept.insert(kept.end(), at(positions_[i]).begin(), at(positions_[i]).end());
    rows_ = std::move(kept);
    count_ = rows;
    bytes_ = memory_of(rows_);
    cut_ = true;
  }
  void write_run() {
    sort();
    auto run = std::make_unique<Run>(Run{RowStore(state_.database().host(), row_width_, 0), {}, 0, {}});
    for (const std::uint32_t position : positions_) run->rows.append(at(position));
    runs_.push_back(std::move(run));
    rows_.clear();
    positions_.clear();
    sorted_count_ = 0;
    bytes_ = 0;
  }

  static void advance(Run& run) {
    run.row = run.next < run.rows.size() ? run.rows.at(run.next, run.cursor) : RowView{};
    ++run.next;
  }
  static bool at_end(const Run& run) { return run.next > run.rows.size(); }

  bool next_sorted(RowView& row) {
    if (runs_.empty()) {
      if (next_ >= sorted_count_) return false;
      row = at(positions_[static_cast<std::size_t>(next_++)]);
      return true;
    }
    if (last_ != nullptr) advance(*last_);
    Run* least = nullptr;
    for (const std::unique_ptr<Run>& run : runs_) {
      if (at_end(*run)) continue;
      if (least == nullptr || order_.compare(run->row, least->row) < 0) least = run.get();
    }
    last_ = least;
    if (least == nullptr) return false;
    row = least->row;
    return true;
  }

  void describe() {
    constexpr std::uint64_t kilobyte = 1024;
    std::uint64_t bytes = runs_.empty() ? memory_of(rows_) : 0;
    for (const std::unique_ptr<Run>& run : runs_) bytes += run->rows.bytes();
    const char* method = !runs_.empty() ? "external merge  Disk"
                         : cut_         ? "top-N heapsort  Memory"
                                        : "quicksort  Memory";
    measurement()->lines = {fmt::format("Sort Method: {}: {}kB", method, (bytes + kilobyte - 1) / kilobyte)};
  }

  // So many values are kept in memory whatever work_mem says, where LIMIT says that there are no more.
  static constexpr std::size_t bounded_values_max = 10'000;

  RowOrder order_;
  const std::size_t row_width_;
  std::optional<std::uint64_t> bound_;
  std::vector<Value> rows_;
  std::size_t count_ = 0;  // of rows_, while they are not sorted
  std::size_t sorted_count_ = 0;
  std::vector<std::uint32_t> positions_;
  std::size_t bytes_ = 0;
  std::vector<std::unique_ptr<Run>> runs_;
  Run* last_ = nullptr;  // whose row has been given
  std::uint64_t version_ = 0;
  std::uint64_t next_ = 0;
  bool sorted_ = false;
  bool cut_ = false;
};

}  // namespace

NodeStatePtr make_sort(ExecutorState& state, const Plan& plan) {
  return std::make_unique<SortState>(state, plan, make_state(state, *plan.children.at(0)), *plan.as<plan::Sort>());
}

}  // namespace polarsim::engine::executor
