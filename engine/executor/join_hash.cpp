// Hash Join: the right side's rows by their keys; a key with a NULL matches nothing (PostgreSQL's nodeHashjoin.c).
//
// What does not fit into work memory is joined part by part (Kitsuregawa et al. 1983, "Grace"; hybrid as in
// PostgreSQL's nodeHash.c): both sides are divided by their keys' hashes into parts, each in a temporary file. The
// parts' number is found while the right side is read; a part that is still too large stays whole, since its rows may
// all have one key.
#include <algorithm>
#include <limits>
#include <utility>

#include "engine/executor/key_table.h"
#include "engine/executor/node_state.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

namespace {

using plan::PlanJoin;

bool has_null(RowView keys) {
  return std::any_of(keys.begin(), keys.end(), [](const Value& value) { return value.is_null(); });
}

// The right rows of one part, by their keys. Rows with equal keys come in the order in which they were added.
class RightRows {
 public:
  RightRows(std::span<const TypeId> types, std::size_t width) : rules_(types), width_(width) {}

  void add(RowView keys, RowView row) {
    const bool joinable = !has_null(keys);
    hashes_.push_back(joinable ? rules_.hash(keys) : 0);
    joinable_.push_back(joinable);
    keys_.insert(keys_.end(), keys.begin(), keys.end());
    rows_.insert(rows_.end(), row.begin(), row.end());
  }
  // After the last row.
  void finish() {
    std::size_t buckets = 16;
    while (buckets < hashes_.size() * 2) buckets *= 2;
    heads_.assign(buckets, none);
    next_.assign(hashes_.size(), none);
    matched_.assign(hashes_.size(), false);
    for (std::size_t i = hashes_.size(); i-- > 0;) {
      if (!joinable_[i]) continue;
      std::uint32_t& head = heads_[hashes_[i] & (buckets - 1)];
      next_[i] = head;
      head = static_cast<std::uint32_t>(i);
    }
  }
  void clear() {
    hashes_.clear();
    joinable_.clear();
    keys_.clear();
    rows_.clear();
    finish();
  }

  static constexpr std::uint32_t none = 0xFFFFFFFF;
  // The first row with these keys, and the next after `at`.
  std::uint32_t first(RowView keys, std::uint64_t hash) const {
    return match(heads_[hash & (heads_.size() - 1)], keys, hash);
  }
  std::uint32_t next(std::uint32_t at, RowView keys, std::uint64_t hash) const { return match(next_[at], keys, hash); }
  RowView row(std::uint32_t at) const { return {rows_.data() + at * width_, width_}; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(hashes_.size()); }
  bool matched(std::uint32_t at) const { return matched_[at]; }
  void set_matched(std::uint32_t at) { matched_[at] = true; }
  void forget_matches() { matched_.assign(hashes_.size(), false); }
  const KeyRules& rules() const { return rules_; }

 private:
  std::uint32_t match(std::uint32_t at, RowView keys, std::uint64_t hash) const {
    const std::size_t width = rules_.width();
    while (at != none && !(hashes_[at] == hash && rules_.equal({keys_.data() + at * width, width}, keys)))
      at = next_[at];
    return at;
  }

  KeyRules rules_;
  std::size_t width_;
  std::vector<std::uint64_t> hashes_;
  std::vector<bool> joinable_;
  std::vector<bool> matched_;
  std::vector<Value> keys_;
  std::vector<Value> rows_;
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint32_t> next_;
};

// By the order in which the statement names them.
int first_entry(const Plan& plan) {
  int first = plan.entry >= 0 ? plan.entry : std::numeric_limits<int>::max();
  for (const plan::PlanPtr& child : plan.children) first = std::min(first, first_entry(*child));
  return first;
}

class HashJoinState final : public NodeState {
 public:
  HashJoinState(ExecutorState& state, const Plan& plan, const plan::HashJoin& join, NodeStatePtr&& left,
                NodeStatePtr&& right)
      : NodeState(state, plan, left->width() + right->width()),
        type_(join.type),
        left_(std::move(left)),
        right_(std::move(right)),
        left_keys_(compile(join.left_keys)),
        right_keys_(compile(join.right_keys)),
        condition_(compile(join.condition)),
        no_left_(left_->width()),
        no_right_(right_->width()),
        rows_(join.key_types, right_->width()),
        asks_left_first_(left_goes_first(plan)) {
    depends_on(left_->dependencies());
    depends_on(right_->dependencies());
  }

 protected:
  bool produce(RowView& row) override {
    if (!built_) {
      if (asks_left_first_ && !has_first_left_ && !left_->next(left_row_)) return false;
      has_first_left_ = asks_left_first_;
      build();
    }
    for (;;) {
      state_.check_interrupts();
      if (!giving_unmatched_right_) {
        if (join_left(row)) return true;
        giving_unmatched_right_ = true;
        unmatched_ = 0;
      }
      if (give_unmatched_right(row)) return true;
      if (!next_part()) return false;
    }
  }

  void restart() override {
    left_->rescan();
    has_left_ = has_first_left_ = giving_unmatched_right_ = false;
    const bool keeps = built_ && parts_right_.empty() && version_ == state_.version(right_->dependencies());
    if (keeps) {
      rows_.forget_matches();
      return;
    }
    if (right_used_) right_->rescan();
    built_ = false;
  }

 private:
  bool wants_unmatched_left() const {
    return type_ == PlanJoin::left || type_ == PlanJoin::full || type_ == PlanJoin::anti;
  }
  bool wants_unmatched_right() const { return type_ == PlanJoin::right || type_ == PlanJoin::full; }

  // PostgreSQL's hash joins look at the left side first where all of its rows are kept, its merge joins at what was
  // written first; for IN, the smaller side is as good a guess as any.
  bool left_goes_first(const Plan& plan) const {
    if (wants_unmatched_right()) return false;
    if (wants_unmatched_left()) return true;
    const Plan& left = *plan.children.at(0);
    const Plan& right = *plan.children.at(1);
    return first_entry(left) < first_entry(right) && (type_ == PlanJoin::inner || left.cost.total <= right.cost.total);
  }

  RowView compute_keys(std::vector<Evaluator>& evaluators, RowView row) {
    // One column is looked at where it is.
    if (evaluators.size() == 1 && evaluators[0].first_column() >= 0)
      return row.subspan(static_cast<std::size_t>(evaluators[0].first_column()), 1);
    keys_.resize(evaluators.size());
    for (std::size_t i = 0; i < evaluators.size(); ++i) keys_[i] = evaluators[i].get(state_, row);
    return keys_;
  }

  // --- the right side ---

  void build() {
    rows_.clear();
    parts_left_.clear();
    parts_right_.clear();
    part_ = 0;
    left_place_ = 0;
    version_ = state_.version(right_->dependencies());
    right_used_ = true;
    std::size_t bytes = 0;
    for (RowView row; right_->next(row);) {
      const RowView keys = compute_keys(right_keys_, row);
      if (!parts_right_.empty()) {
        parts_right_[part_of(keys)].append(row);
        continue;
      }
      rows_.add(keys, row);
      bytes += memory_of(row);
      if (bytes > state_.inputs.work_memory_bytes) divide();
    }
    rows_.finish();
    built_ = true;
    if (!parts_right_.empty()) {
      divide_left();
      load_part();
    }
  }

  std::size_t part_of(RowView keys) const {
    // The low bits choose the bucket.
    return has_null(keys) ? 0 : static_cast<std::size_t>(rows_.rules().hash(keys) >> 32) % parts;
  }

  void divide() {
    for (std::size_t i = 0; i < parts; ++i) {
      parts_right_.emplace_back(state_.database().host(), right_->width(), 0);
      parts_left_.emplace_back(state_.database().host(), left_->width(), 0);
    }
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
      const RowView row = rows_.row(i);
      parts_right_[part_of(compute_keys(right_keys_, row))].append(row);
    }
    rows_.clear();
  }

  void divide_left() {
    while (std::exchange(has_first_left_, false) || left_->next(left_row_))
      parts_left_[part_of(compute_keys(left_keys_, left_row_))].append(left_row_);
  }

  void load_part() {
    rows_.clear();
    RowStore::Cursor cursor;
    for (std::uint64_t i = 0; i < parts_right_[part_].size(); ++i) {
      const RowView row = parts_right_[part_].at(i, cursor);
      rows_.add(compute_keys(right_keys_, row), row);
    }
    rows_.finish();
    left_place_ = 0;
    left_cursor_ = {};
  }

  bool next_part() {
    if (parts_right_.empty() || part_ + 1 >= parts) return false;
    ++part_;
    load_part();
    giving_unmatched_right_ = false;
    return true;
  }

  // --- the left side ---

  bool next_left() {
    if (parts_left_.empty()) {
      if (!std::exchange(has_first_left_, false) && !left_->next(left_row_)) return false;
    } else {
      if (left_place_ >= parts_left_[part_].size()) return false;
      left_row_ = parts_left_[part_].at(left_place_++, left_cursor_);
    }
    has_left_ = true;
    matched_ = false;
    left_key_ = compute_keys(left_keys_, left_row_);
    if (has_null(left_key_)) {
      at_ = RightRows::none;
      return true;
    }
    hash_ = rows_.rules().hash(left_key_);
    at_ = rows_.first(left_key_, hash_);
    return true;
  }

  bool join_left(RowView& row) {
    // Nothing to join with: the left side is not looked at, as there.
    if (parts_right_.empty() && rows_.size() == 0 && !wants_unmatched_left()) return false;
    for (;;) {
      if (!has_left_ && !next_left()) return false;
      while (at_ != RightRows::none) {
        const std::uint32_t found = at_;
        at_ = rows_.next(found, left_key_, hash_);
        if (!all_hold(condition_, state_, left_row_, rows_.row(found))) {
          count_removed_by_join();
          continue;
        }
        matched_ = true;
        rows_.set_matched(found);
        if (type_ == PlanJoin::anti || type_ == PlanJoin::semi) at_ = RightRows::none;
        if (type_ != PlanJoin::anti && emit(left_row_, rows_.row(found), row)) return true;
      }
      has_left_ = false;
      if (wants_unmatched_left() && !matched_ && emit(left_row_, no_right_, row)) return true;
    }
  }

  bool give_unmatched_right(RowView& row) {
    if (!wants_unmatched_right()) return false;
    while (unmatched_ < rows_.size()) {
      const std::uint32_t at = unmatched_++;
      if (!rows_.matched(at) && emit(no_left_, rows_.row(at), row)) return true;
    }
    return false;
  }

  static constexpr std::size_t parts = 32;

  const PlanJoin type_;
  NodeStatePtr left_;
  NodeStatePtr right_;
  std::vector<Evaluator> left_keys_;
  std::vector<Evaluator> right_keys_;
  std::vector<Evaluator> condition_;
  const Row no_left_;
  const Row no_right_;
  RightRows rows_;
  // Whether the right side need not be computed if the left has no rows, and that is found out first.
  const bool asks_left_first_;
  bool has_first_left_ = false;  // left_row_ is a row that nobody has looked at
  bool built_ = false;
  bool right_used_ = false;
  std::uint64_t version_ = 0;
  // Empty if everything fits.
  std::vector<RowStore> parts_left_;
  std::vector<RowStore> parts_right_;
  std::size_t part_ = 0;
  std::uint64_t left_place_ = 0;
  RowStore::Cursor left_cursor_;
  Row keys_;
  RowView left_row_;
  RowView left_key_;
  std::uint64_t hash_ = 0;
  std::uint32_t at_ = RightRows::none;
  bool has_left_ = false;
  bool matched_ = false;
  bool giving_unmatched_right_ = false;
  std::uint32_t unmatched_ = 0;
};

}  // namespace

NodeStatePtr make_hash_join(ExecutorState& state, const Plan& plan) {
  return std::make_unique<HashJoinState>(state, plan, *plan.as<plan::HashJoin>(),
                                         make_state(state, *plan.children.at(0)),
                                         make_state(state, *plan.children.at(1)));
}

}  // namespace polarsim::engine::executor
