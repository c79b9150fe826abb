// Aggregate over groups in hash tables, and grouping sets (PostgreSQL's nodeAgg.c, "Spilling To Disk").
//
// Groups come in the order of their first rows, grouping sets one after the other. Once the groups need more than work
// memory, those that are there go on, and rows of others are put into temporary files, divided by their keys' hashes
// into parts; when the groups in memory have been given, the parts are gone through in the same way, one by one. A
// group that keeps what it is given (array_agg(), DISTINCT) stays in memory, however large it becomes.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/executor/aggregate_node.h"
#include "engine/executor/key_table.h"
#include "engine/executor/row_store.h"

namespace polarsim::engine::executor {

namespace {

constexpr unsigned part_bits = 5;
constexpr std::size_t parts_of_a_set = std::size_t{1} << part_bits;
// Then the hash has no bits left to tell parts by.
constexpr unsigned depth_max = 64 / part_bits;

// Rows of one grouping set whose groups are still to be made.
struct Part {
  std::size_t set = 0;
  unsigned depth = 0;  // how often its rows have been divided
  RowSpool rows;
};

// Groups of one grouping set.
struct GroupingSet {
  std::vector<std::size_t> columns;  // positions among the node's groups
  KeyTable table;
  std::vector<AggregateGroup> groups;
  std::vector<Part> spilled;  // while rows are read; empty, or one for each value of the hash's bits
};

std::vector<TypeId> types_of(const std::vector<plan::SortKey>& keys, const std::vector<std::size_t>& columns) {
  std::vector<TypeId> types;
  for (const std::size_t column : columns) types.push_back(keys[column].type);
  return types;
}

class HashedAggregateState final : public AggregateNodeState {
 public:
  HashedAggregateState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::Aggregate& node)
      : AggregateNodeState(state, plan, std::move(child), node),
        group_bytes_(sizeof(AggregateGroup) + node.aggregates.size() * (sizeof(Accumulation) + state_bytes) +
                     node.carried.size() * sizeof(Value)) {
    if (node.sets.empty()) add_set(all_columns());
    for (const std::vector<int>& set : node.sets) add_set({set.begin(), set.end()});
  }

 protected:
  bool produce(RowView& row) override {
    if (!filled_) fill();
    for (;;) {
      for (; set_ < sets_.size(); ++set_, group_ = 0) {
        GroupingSet& set = sets_[set_];
        while (group_ < set.groups.size()) {
          const std::size_t number = group_++;
          const RowView keys = set.table.keys(static_cast<std::uint32_t>(number));
          // Results can be asked for once: ordered-set aggregates are told their order then.
          const RowView seen = finish(set.columns, keys, set.groups[number]);
          if (emit(seen, {}, row)) return true;
        }
      }
      if (parts_.empty()) return false;
      fill_from_part();
    }
  }
  void restart() override {
    filled_ = false;
    child_->rescan();
  }

 private:
  // What an aggregate's state takes, about.
  static constexpr std::size_t state_bytes = 64;

  void add_set(std::vector<std::size_t> columns) {
    // A column may be named twice in a set.
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    KeyTable table(types_of(node_.groups, columns));
    sets_.push_back({std::move(columns), std::move(table), {}, {}});
  }

  void fill() {
    parts_.clear();
    memory_peak_ = disk_bytes_ = 0;
    rounds_ = 0;
    forget_groups();
    // The set without columns is one group, of no rows even.
    for (GroupingSet& set : sets_) {
      if (set.columns.empty()) make_group(set, {}, set.table.hash({}));
    }
    for (RowView row; child_->next(row);) {
      for (GroupingSet& set : sets_) add_row(set, row, 0);
    }
    finish_round(0);
    filled_ = true;
  }

  void fill_from_part() {
    Part part = std::move(parts_.back());
    parts_.pop_back();
    forget_groups();
    while (part.rows.next(spilled_row_)) {
      state_.check_interrupts();
      add_row(sets_[part.set], spilled_row_, part.depth);
    }
    finish_round(part.depth);
  }

  void forget_groups() {
    for (GroupingSet& set : sets_) {
      set.table.clear();
      set.groups.clear();
    }
    kept_bytes_ = groups_ = 0;
    spills_ = false;
    set_ = group_ = 0;
  }

  // After the last row of a round: what it has put aside waits for its own.
  void finish_round(unsigned depth) {
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      for (Part& part : sets_[i].spilled) {
        if (part.rows.empty()) continue;
        disk_bytes_ += part.rows.bytes();
        part.set = i;
        part.depth = depth + 1;
        parts_.push_back(std::move(part));
      }
      sets_[i].spilled.clear();
    }
    memory_peak_ = std::max(memory_peak_, memory());
    ++rounds_;
    if (parts_.empty() && measurement() != nullptr) describe();
  }

  void add_row(GroupingSet& set, RowView row, unsigned depth) {
    keys_.clear();
    for (const std::size_t column : set.columns)
      keys_.push_back(row[static_cast<std::size_t>(node_.groups[column].column) - 1]);
    const std::uint64_t hash = set.table.hash(keys_);
    AggregateGroup* group = nullptr;
    if (!spills_) {
      group = &make_group(set, keys_, hash);
    } else if (const std::optional<std::uint32_t> known = set.table.find(keys_, hash)) {
      group = &set.groups[*known];
    } else {
      spill(set, row, hash, depth);
      return;
    }
    kept_bytes_ += add(row, *group);
    // One group at least comes of each round.
    spills_ = spills_ || (memory() > state_.inputs.work_memory_bytes && depth < depth_max);
  }

  AggregateGroup& make_group(GroupingSet& set, RowView keys, std::uint64_t hash) {
    const auto [number, is_new] = set.table.insert(keys, hash);
    if (is_new) {
      set.groups.push_back(begin_group());
      ++groups_;
    }
    return set.groups[number];
  }

  void spill(GroupingSet& set, RowView row, std::uint64_t hash, unsigned depth) {
    while (set.spilled.size() < parts_of_a_set)
      set.spilled.push_back({0, 0, RowSpool(state_.database().host(), row.size())});
    const unsigned shift = 64 - part_bits * (depth + 1);
    set.spilled[(hash >> shift) & (parts_of_a_set - 1)].rows.append(row);
  }

  std::size_t memory() const {
    std::size_t bytes = kept_bytes_ + groups_ * group_bytes_;
    for (const GroupingSet& set : sets_) bytes += set.table.memory_bytes();
    return bytes;
  }

  void describe() {
    constexpr std::uint64_t kilobyte = 1024;
    std::string line =
        fmt::format("Batches: {}  Memory Usage: {}kB", rounds_, (memory_peak_ + kilobyte - 1) / kilobyte);
    if (disk_bytes_ != 0) line += fmt::format("  Disk Usage: {}kB", (disk_bytes_ + kilobyte - 1) / kilobyte);
    measurement()->lines = {std::move(line)};
  }

  std::vector<GroupingSet> sets_;
  std::vector<Part> parts_;  // the last one is next
  const std::size_t group_bytes_;
  Row keys_;
  Row spilled_row_;
  bool filled_ = false;
  bool spills_ = false;  // new groups have to wait
  std::size_t groups_ = 0;
  std::size_t kept_bytes_ = 0;
  std::size_t memory_peak_ = 0;
  std::uint64_t disk_bytes_ = 0;
  std::uint64_t rounds_ = 0;
  // What is given next.
  std::size_t set_ = 0;
  std::size_t group_ = 0;
};

}  // namespace

NodeStatePtr make_hashed_aggregate(ExecutorState& state, const Plan& plan, NodeStatePtr&& child,
                                   const plan::Aggregate& node) {
  return std::make_unique<HashedAggregateState>(state, plan, std::move(child), node);
}

}  // namespace polarsim::engine::executor
