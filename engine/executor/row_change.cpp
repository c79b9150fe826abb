#include "engine/executor/row_change.h"

#include <utility>

#include "engine/types/error.h"

namespace polarsim::engine::executor {

using syntax::LockStrength;
using txn::RowFailure;
using txn::RowOutcome;

namespace {
const std::vector<int> no_system_columns;
}  // namespace

RowChange::RowChange(ExecutorState& state, const plan::ModifyTable& node, const Plan& child, TableWriter& writer)
    : state_(state),
      node_(node),
      writer_(writer),
      rows_(state, node.relation, no_system_columns),
      marks_(node.others),
      recheck_(state, child, marks_) {
  if (state.database().config().planted.on(PlantedBug::recheck_set_but_not_where))
    recheck_.ignore_conditions(node.entry);
}

Row RowChange::changed(const Base& base) const {
  Row row = base.version.row;
  for (std::size_t i = 0; i < node_.columns.size(); ++i)
    row[static_cast<std::size_t>(node_.columns[i]) - 1] = base.found[i];
  writer_.complete(row);
  return row;
}

std::optional<RowChange::Result> RowChange::run(RowView found) {
  Database& database = state_.database();
  const Value& place = found[static_cast<std::size_t>(node_.tid_column) - 1];
  // An outer join found no row of the table.
  if (place.is_null()) return std::nullopt;
  const Tid tid = tid_of(place);
  std::optional<Row> version = rows_.fetch(tid);
  if (!version) throw SqlError(sqlstate::internal_error, "a row that was found is not there any more");
  rows_.complete(tid, *version);
  std::optional<Base> base = Base{{tid, std::move(*version)}, Row(found.begin(), found.end())};
  while (base) {
    state_.check_interrupts();
    database.visit_append_point();
    RowFailure failure;
    RowOutcome outcome;
    check_own_snapshot(base->version.tid);
    LockStrength strength = LockStrength::update;
    if (node_.command == query::Command::remove) {
      outcome = database.heap().remove(state_.transaction(), writer_.table().heap(), base->version.tid, failure);
      if (outcome == RowOutcome::ok)
        return Result{std::move(base->version.row), base->version.tid, std::move(base->found), {}};
    } else {
      Row row = changed(*base);
      const bool new_key = writer_.changes_key(base->version.row, row);
      if (!new_key) strength = LockStrength::no_key_update;
      Tid new_tid;
      outcome = database.heap().update(state_.transaction(), writer_.table().heap(), base->version.tid, row, new_key,
                                       new_tid, failure);
      if (outcome == RowOutcome::ok) {
        writer_.insert_entries(row, new_tid);
        return Result{std::move(row), new_tid, std::move(base->found), std::move(base->version)};
      }
    }
    base = follow(*base, outcome, strength);
  }
  return std::nullopt;
}

// A foreign key's statement sees more than its transaction does, but must not change it (PostgreSQL's "crosscheck").
void RowChange::check_own_snapshot(Tid tid) {
  const txn::Snapshot* const own = state_.inputs.own_snapshot;
  if (own == nullptr) return;
  if (!state_.database().heap().fetch(writer_.table().heap(), tid, state_.transaction(), *own))
    refuse_concurrent_change(state_, "update");
}

std::optional<RowChange::Base> RowChange::follow(const Base& base, RowOutcome outcome, LockStrength strength) {
  RowFailure failure;
  VisibleRow newest;
  if (outcome == RowOutcome::updated) {
    state_.database().host().reached("recheck/row-changed");
    refuse_concurrent_change(state_, "update");
    outcome = state_.database().heap().lock(state_.transaction(), writer_.table().heap(), base.version.tid, strength,
                                            syntax::LockWait::block, true, newest, failure);
    if (outcome == RowOutcome::ok) {
      writer_.table().widen(newest.row);
      if (state_.database().config().planted.on(PlantedBug::recheck_skipped))
        return Base{{newest.tid, base.version.row}, base.found};
      recheck_.set_newest(node_.entry, node_.relation, newest);
      std::optional<Row> found = recheck_.run(base.found);
      if (found) return Base{std::move(newest), std::move(*found)};
      state_.database().host().reached("recheck/no-longer-qualifies");
      return std::nullopt;
    }
  }
  switch (outcome) {
    case RowOutcome::deleted:
      state_.database().host().reached("recheck/row-gone");
      refuse_concurrent_change(state_, "delete");
      return std::nullopt;
    case RowOutcome::self_modified:
      // By this very command, which found the row twice: once is enough.
      return std::nullopt;
    default:
      throw SqlError(sqlstate::internal_error, "attempted to change an invisible row version");
  }
}

std::optional<Tid> update_locked(ExecutorState& state, TableWriter& writer, const VisibleRow& base,
                                 const Row& changed) {
  state.check_interrupts();
  state.database().visit_append_point();
  RowFailure failure;
  Tid tid;
  const RowOutcome outcome =
      state.database().heap().update(state.transaction(), writer.table().heap(), base.tid, changed,
                                     writer.changes_key(base.row, changed), tid, failure);
  if (outcome == RowOutcome::self_modified) return std::nullopt;
  if (outcome != RowOutcome::ok) throw SqlError(sqlstate::internal_error, "a locked row has been changed");
  writer.insert_entries(changed, tid);
  return tid;
}

}  // namespace polarsim::engine::executor
