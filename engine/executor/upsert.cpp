#include "engine/executor/upsert.h"

#include <algorithm>
#include <utility>

#include "engine/types/error.h"

namespace polarsim::engine::executor {

using txn::RowFailure;
using txn::RowOutcome;

Upsert::Upsert(ExecutorState& state, const plan::ModifyTable& node, TableWriter& writer)
    : state_(state),
      conflict_(*node.conflict),
      writer_(writer),
      values_(compile(conflict_.values)),
      conditions_(compile(conflict_.conditions)) {
  for (const std::size_t arbiter : conflict_.arbiters)
    arbiters_.push_back(writer.index_of(node.relation->indexes.at(arbiter).id));
  if (conflict_.arbiters.empty()) {
    for (std::size_t i = 0; i < writer.index_count(); ++i) arbiters_.push_back(i);
  }
  if (writer.names_key(conflict_.columns)) strength_ = syntax::LockStrength::update;
}

std::optional<Upsert::Result> Upsert::run(const Row& proposed) {
  for (;;) {
    state_.check_interrupts();
    if (const std::optional<KeyOwner> existing = find_conflict(proposed)) {
      state_.database().host().reached("insert/conflict");
      if (!conflict_.update) {
        check_visible(*existing);
        return std::nullopt;
      }
      Attempt attempt = update(*existing, proposed);
      if (attempt.decided) return std::move(attempt.result);
      continue;
    }
    if (const std::optional<Tid> tid = insert(proposed)) return Result{proposed, *tid, {}};
  }
}

std::optional<KeyOwner> Upsert::find_conflict(const Row& proposed) {
  for (const std::size_t index : arbiters_) {
    if (!writer_.must_be_unique(index, proposed)) continue;
    for (;;) {
      const KeyOwner owner = writer_.find_owner(index, proposed);
      if (owner.state == KeyOwner::State::live) return owner;
      if (owner.state == KeyOwner::State::none) break;
      writer_.heap().wait_for(state_.transaction(), owner);
    }
  }
  return std::nullopt;
}

bool Upsert::is_arbiter(std::size_t index) const {
  return std::find(arbiters_.begin(), arbiters_.end(), index) != arbiters_.end();
}

std::optional<Tid> Upsert::insert(const Row& proposed) {
  txn::Heap& heap = writer_.heap();
  const txn::HeapTable& table = writer_.table().heap();
  state_.database().visit_append_point();
  const Tid tid = heap.insert_speculative(state_.transaction(), table, proposed);
  for (std::size_t index = 0; index < writer_.index_count(); ++index) {
    if (!is_arbiter(index) || !writer_.must_be_unique(index, proposed)) {
      writer_.insert_entry(index, proposed, tid);
    } else if (!writer_.try_insert_entry(index, proposed, tid)) {
      heap.kill(state_.transaction(), table, tid);
      state_.database().host().reached("insert/speculation-failed");
      return std::nullopt;
    }
  }
  heap.confirm(state_.transaction(), table, tid);
  return tid;
}

// Under repeatable read, a row that the snapshot does not show must not decide anything, unless the transaction has
// made it itself: this very statement, even.
void Upsert::check_visible(const KeyOwner& owner) {
  if (state_.transaction().isolation != txn::IsolationLevel::repeatable_read || owner.own) return;
  if (writer_.heap().fetch(writer_.table().heap(), owner.tid, state_.transaction(), state_.snapshot)) return;
  refuse_concurrent_change(state_, "update");
}

Upsert::Attempt Upsert::update(const KeyOwner& existing, const Row& proposed) {
  VisibleRow locked;
  RowFailure failure;
  const RowOutcome outcome = writer_.heap().lock(state_.transaction(), writer_.table().heap(), existing.tid, strength_,
                                                 syntax::LockWait::block, false, locked, failure);
  switch (outcome) {
    case RowOutcome::ok:
      break;
    case RowOutcome::invisible:
    case RowOutcome::self_modified:
      // Made by this command: the same key was proposed twice.
      throw SqlError(
          sqlstate::cardinality_violation, "ON CONFLICT DO UPDATE command cannot affect row a second time", "",
          "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.");
    case RowOutcome::updated:
      refuse_concurrent_change(state_, "update");
      return {};
    case RowOutcome::deleted:
      refuse_concurrent_change(state_, "delete");
      return {};
    case RowOutcome::not_available:
      throw SqlError(sqlstate::internal_error, "a lock that is waited for was not available");
  }
  check_visible(existing);
  writer_.table().widen(locked.row);
  const VisibleRow base = version_to_update(locked);
  if (!all_hold(conditions_, state_, base.row, proposed)) return {true, std::nullopt};
  Row changed = base.row;
  for (std::size_t i = 0; i < values_.size(); ++i)
    changed[static_cast<std::size_t>(conflict_.columns[i]) - 1] = values_[i].value(state_, base.row, proposed);
  writer_.complete(changed);
  const std::optional<Tid> tid = update_locked(state_, writer_, base, changed);
  if (!tid) return {true, std::nullopt};
  return {true, Result{std::move(changed), *tid, base}};
}

// The newest version, even if the statement's snapshot does not show it.
VisibleRow Upsert::version_to_update(const VisibleRow& newest) {
  if (!state_.database().config().planted.on(PlantedBug::recheck_skipped)) return newest;
  for (const std::size_t index : arbiters_) {
    for (const Tid tid : writer_.places(index, newest.row)) {
      if (std::optional<Row> seen =
              writer_.heap().fetch(writer_.table().heap(), tid, state_.transaction(), state_.snapshot)) {
        writer_.table().widen(*seen);
        return {newest.tid, std::move(*seen)};
      }
    }
  }
  return newest;
}

}  // namespace polarsim::engine::executor
