#include "engine/exec/upsert.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/sql/error.h"

namespace polarsim::engine::exec {

using KeyOwner = txn::Heap::KeyOwner;
using txn::RowFailure;
using txn::RowOutcome;

namespace {

std::vector<const catalog::Index*> arbiter_by_name(const OpenTable& table, const std::string& constraint) {
  for (const catalog::Index& index : table.table->indexes) {
    if (index.definition.unique && index.definition.name == constraint) return {&index};
  }
  throw SqlError(sqlstate::undefined_object,
                 fmt::format("constraint \"{}\" for table \"{}\" does not exist", constraint, table.definition().name));
}

// The unique indexes with exactly the columns named; all unique ones if none is.
std::vector<const catalog::Index*> infer_arbiters(const OpenTable& table, const sql::OnConflict& on_conflict) {
  if (!on_conflict.constraint.empty()) return arbiter_by_name(table, on_conflict.constraint);
  std::vector<int> named;
  for (const std::string& column : on_conflict.target) {
    const int position = table.shape.find(column);
    if (position < 0) throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" does not exist", column));
    if (std::find(named.begin(), named.end(), position) == named.end()) named.push_back(position);
  }
  std::sort(named.begin(), named.end());
  std::vector<const catalog::Index*> arbiters;
  for (const catalog::Index& index : table.table->indexes) {
    std::vector<int> columns = index.definition.columns;
    std::sort(columns.begin(), columns.end());
    if (index.definition.unique && (named.empty() || named == columns)) arbiters.push_back(&index);
  }
  if (arbiters.empty() && !named.empty()) {
    throw SqlError(sqlstate::invalid_column_reference,
                   "there is no unique or exclusion constraint matching the ON CONFLICT specification");
  }
  return arbiters;
}

}  // namespace

Upsert::Upsert(ExecutionContext& context, const OpenTable& table, const sql::OnConflict& on_conflict,
               const txn::Snapshot& snapshot)
    : context_(context), table_(table), snapshot_(snapshot), arbiters_(infer_arbiters(table, on_conflict)) {
  if (on_conflict.action == sql::OnConflict::Action::nothing) return;
  change_.emplace(context, table, on_conflict.assignments, true);
  if (change_->names_key(table)) strength_ = sql::LockStrength::update;
  if (on_conflict.where == nullptr) return;
  sql::AnalyzeOptions options = context.analysis(&table.shape, "WHERE");
  options.excluded_allowed = true;
  condition_ = sql::analyze_condition(on_conflict.where, options, "WHERE");
}

Upsert::Result Upsert::run(const Row& proposed) {
  for (;;) {
    context_.backend().check_interrupts();
    if (const std::optional<KeyOwner> existing = find_conflict(proposed)) {
      context_.database.host().reached("insert/conflict");
      if (!change_) {
        check_visible(*existing);
        return {};
      }
      if (std::optional<Result> result = update(*existing, proposed)) return std::move(*result);
      continue;
    }
    if (insert(proposed)) return {proposed, false};
  }
}

std::optional<KeyOwner> Upsert::find_conflict(const Row& proposed) {
  for (const catalog::Index* index : arbiters_) {
    if (!must_be_unique(index->definition, proposed)) continue;
    for (;;) {
      const std::vector<Tid> tids = context_.database.tree(*index).find(index_key(index->definition, proposed));
      const KeyOwner owner = find_key_owner(context_, table_, *index, proposed, tids);
      if (owner.state == KeyOwner::State::live) return owner;
      if (owner.state == KeyOwner::State::none) break;
      context_.database.heap().wait_for(context_.transaction, owner);
    }
  }
  return std::nullopt;
}

bool Upsert::is_arbiter(const catalog::Index& index) const {
  return std::any_of(arbiters_.begin(), arbiters_.end(),
                     [&](const catalog::Index* arbiter) { return arbiter->id == index.id; });
}

bool Upsert::insert(const Row& proposed) {
  txn::Heap& heap = context_.database.heap();
  context_.database.visit_append_point();
  const Tid tid = heap.insert_speculative(context_.transaction, table_.heap(), proposed);
  for (const catalog::Index& index : table_.table->indexes) {
    if (!is_arbiter(index) || !must_be_unique(index.definition, proposed)) {
      insert_index_entry(context_, table_, index, proposed, tid);
    } else if (!try_insert_index_entry(context_, table_, index, proposed, tid)) {
      heap.kill(context_.transaction, table_.heap(), tid);
      context_.database.host().reached("insert/speculation-failed");
      return false;
    }
  }
  heap.confirm(context_.transaction, table_.heap(), tid);
  return true;
}

// Under repeatable read, a row that the snapshot does not show must not decide anything, unless the transaction has
// made it itself: this very statement, even.
void Upsert::check_visible(const KeyOwner& owner) {
  if (context_.transaction.isolation != txn::IsolationLevel::repeatable_read || owner.own) return;
  if (context_.database.heap().fetch(table_.heap(), owner.tid, context_.transaction, snapshot_)) return;
  refuse_concurrent_change(context_, "update");
}

std::optional<Upsert::Result> Upsert::update(const KeyOwner& existing, const Row& proposed) {
  VisibleRow locked;
  RowFailure failure;
  const RowOutcome outcome = context_.database.heap().lock(context_.transaction, table_.heap(), existing.tid, strength_,
                                                           sql::LockWait::block, false, locked, failure);
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
      refuse_concurrent_change(context_, "update");
      return std::nullopt;
    case RowOutcome::deleted:
      refuse_concurrent_change(context_, "delete");
      return std::nullopt;
    case RowOutcome::not_available:
      throw SqlError(sqlstate::internal_error, "a lock that is waited for was not available");
  }
  check_visible(existing);
  const VisibleRow base = version_to_update(locked);
  sql::EvaluationContext evaluation = context_.evaluation(base.row);
  evaluation.excluded = proposed;
  if (condition_ && !sql::evaluate_condition(condition_, evaluation)) return Result{};
  // It is locked: nobody else changes it meanwhile.
  Modification modification(context_, table_, no_condition_, &*change_);
  return Result{modification.run(base, &proposed), true};
}

// The newest version, even if the statement's snapshot does not show it.
VisibleRow Upsert::version_to_update(const VisibleRow& newest) {
  if (!context_.database.config().planted.on(PlantedBug::recheck_skipped)) return newest;
  for (const catalog::Index* index : arbiters_) {
    for (const Tid tid : context_.database.tree(*index).find(index_key(index->definition, newest.row))) {
      if (std::optional<Row> seen = context_.database.heap().fetch(table_.heap(), tid, context_.transaction, snapshot_))
        return {newest.tid, std::move(*seen)};
    }
  }
  return newest;
}

}  // namespace polarsim::engine::exec
