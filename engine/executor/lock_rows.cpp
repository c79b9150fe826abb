// LockRows: SELECT ... FOR (PostgreSQL's nodeLockRows.c). The rows given are the newest versions, so they may be out of
// the order that the child sorted them into.
#include <fmt/format.h>

#include "engine/executor/node_state.h"
#include "engine/executor/recheck.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

using txn::RowOutcome;

syntax::LockStrength strength_of(syntax::LockStrength strength) { return static_cast<syntax::LockStrength>(strength); }
syntax::LockWait wait_of(syntax::LockWait wait) { return static_cast<syntax::LockWait>(wait); }
static_assert(static_cast<int>(syntax::LockStrength::update) == static_cast<int>(syntax::LockStrength::update));
static_assert(static_cast<int>(syntax::LockWait::skip_locked) == static_cast<int>(syntax::LockWait::skip_locked));

class LockRowsState final : public ParentState {
 public:
  LockRowsState(ExecutorState& state, const Plan& plan, NodeStatePtr&& child, const plan::LockRows& node)
      : ParentState(state, plan, std::move(child)),
        marks_(node.marks),
        recheck_(state, *plan.children.at(0), node.marks) {}

 protected:
  bool produce(RowView& row) override {
    for (RowView found; child_->next(found);) {
      state_.check_interrupts();
      found_.assign(found.begin(), found.end());
      // In a second run somebody else has locked the rows.
      if (state_.recheck == nullptr && !lock_all()) continue;
      if (emit(found_, {}, row)) return true;
    }
    return false;
  }
  void restart() override { child_->rescan(); }

 private:
  // False if one of the rows has gone, no longer qualifies, or is to be skipped.
  bool lock_all() {
    bool changed = false;
    recheck_.forget_newest();
    for (const plan::LockRows::Mark& mark : marks_) {
      if (mark.relation == nullptr || mark.mark.strength == syntax::LockStrength::none) continue;
      const Value& place = found_[static_cast<std::size_t>(mark.tid_column) - 1];
      if (place.is_null()) continue;
      const Tid tid = tid_of(place);
      VisibleRow locked;
      if (!lock(mark, tid, locked)) return false;
      if (locked.tid == tid) continue;
      state_.database().host().reached("recheck/row-changed");
      recheck_.set_newest(mark.entry, mark.relation, locked);
      changed = true;
    }
    if (!changed) return true;
    std::optional<Row> newest = recheck_.run(found_);
    if (!newest) {
      state_.database().host().reached("recheck/no-longer-qualifies");
      return false;
    }
    found_ = std::move(*newest);
    return true;
  }

  bool lock(const plan::LockRows::Mark& mark, Tid tid, VisibleRow& locked) {
    const OpenTable& table = state_.open(mark.relation);
    const bool follow = state_.transaction().isolation == txn::IsolationLevel::read_committed;
    txn::RowFailure failure;
    const RowOutcome outcome =
        state_.database().heap().lock(state_.transaction(), table.heap(), tid, strength_of(mark.mark.strength),
                                      wait_of(mark.mark.wait), follow, locked, failure, true);
    switch (outcome) {
      case RowOutcome::ok:
        return true;
      case RowOutcome::not_available:
        if (mark.mark.wait == syntax::LockWait::skip_locked) return false;
        throw SqlError(sqlstate::lock_not_available,
                       fmt::format("could not obtain lock on row in relation \"{}\"", mark.relation->name));
      case RowOutcome::updated:
      case RowOutcome::deleted:
        state_.database().host().reached("recheck/row-gone");
        refuse_concurrent_change(state_, "update");
        return false;
      case RowOutcome::self_modified:
      case RowOutcome::invisible:
        return false;
    }
    return false;
  }

  const std::vector<plan::LockRows::Mark>& marks_;
  Recheck recheck_;
  Row found_;
};

}  // namespace

NodeStatePtr make_lock_rows(ExecutorState& state, const Plan& plan) {
  return std::make_unique<LockRowsState>(state, plan, make_state(state, *plan.children.at(0)),
                                         *plan.as<plan::LockRows>());
}

}  // namespace polarsim::engine::executor
