// UPDATE and DELETE.
#include <fmt/format.h>

#include <utility>

#include "engine/legacy/exec/table_access.h"
#include "engine/sql/error.h"

namespace polarsim::engine::legacy::exec {

namespace {

using sql::LockStrength;

// One UPDATE or DELETE under way: `change` is null for a DELETE.
class Modification {
 public:
  Modification(ExecutionContext& context, const OpenTable& table, const sql::BoundExpression& condition,
               const RowChange* change)
      : context_(context), table_(table), condition_(condition), change_(change) {}

  // The new version (for a DELETE the deleted one), or null if the row no longer qualifies.
  legacy::RowPointer run(const Candidate& candidate) {
    LockStrength strength = change_ == nullptr ? LockStrength::update : LockStrength::no_key_update;
    for (;;) {
      const legacy::RowPointer base = lock_and_recheck(candidate, strength);
      if (base == nullptr) return nullptr;
      if (change_ == nullptr) return remove(candidate.id, base);
      auto changed = std::make_shared<const Row>(change_->apply(*base, context_.evaluation(*base)));
      const bool new_key = !table_.entry->heap.same_key(*base, *changed);
      if (new_key && strength != LockStrength::update) {
        // A change of the key must exclude those who rely on the key staying; the stronger lock may have to be waited
        // for.
        strength = LockStrength::update;
        continue;
      }
      return replace(candidate.id, std::move(changed), new_key);
    }
  }

 private:
  // The version to work on, once it is locked; null if there is none or it no longer satisfies WHERE.
  legacy::RowPointer lock_and_recheck(const Candidate& candidate, LockStrength strength) {
    const LockedRow locked = lock_row(context_, table_, candidate.id, candidate.row, strength);
    if (locked.state == LockedRow::State::gone || locked.made_by_this_command) return nullptr;
    if (locked.state == LockedRow::State::unchanged) return locked.row;
    if (context_.database.config().planted.on(PlantedBug::recheck_skipped)) return candidate.row;
    if (condition_ && !sql::evaluate_condition(condition_, context_.evaluation(*locked.row))) {
      context_.database.host().reached("recheck/no-longer-qualifies");
      return nullptr;
    }
    return locked.row;
  }

  legacy::RowPointer replace(legacy::RowId id, legacy::RowPointer changed, bool new_key) {
    check_not_null(table_.definition(), *changed);
    context_.database.visit_append_point();
    if (new_key) claim_key(context_, table_, *changed, id);
    legacy::RowChain* const chain = table_.entry->heap.find(id);
    if (chain == nullptr) return nullptr;
    context_.database.update_row(context_.transaction, *table_.entry, *chain, changed);
    return changed;
  }

  legacy::RowPointer remove(legacy::RowId id, legacy::RowPointer base) {
    context_.database.visit_append_point();
    legacy::RowChain* const chain = table_.entry->heap.find(id);
    if (chain == nullptr) return nullptr;
    context_.database.delete_row(context_.transaction, *table_.entry, *chain);
    return base;
  }

  ExecutionContext& context_;
  const OpenTable& table_;
  const sql::BoundExpression& condition_;
  const RowChange* change_;
};

QueryResult modify(ExecutionContext& context, const OpenTable& table, const sql::ExpressionPtr& where,
                   const RowChange* change, const std::vector<sql::SelectItem>& returning_items, std::string_view tag) {
  sql::BoundExpression condition;
  if (where != nullptr) condition = sql::analyze_condition(where, context.analysis(&table.shape, "WHERE"), "WHERE");
  Returning returning(context, table, returning_items);
  const legacy::ActiveSnapshot snapshot(context.database, context.transaction);
  Modification modification(context, table, condition, change);
  std::size_t count = 0;
  for (const Candidate& candidate : find_rows(context, table, *snapshot, where, condition)) {
    const legacy::RowPointer row = modification.run(candidate);
    if (row == nullptr) continue;
    ++count;
    returning.add(*row);
  }
  QueryResult result;
  returning.finish(result);
  result.tag = fmt::format("{} {}", tag, count);
  return result;
}

}  // namespace

QueryResult execute_update(ExecutionContext& context, const sql::Update& update) {
  const OpenTable table = open_table(context, update.table);
  const RowChange change(context, table, update.assignments, false);
  return modify(context, table, update.where, &change, update.returning, "UPDATE");
}

QueryResult execute_delete(ExecutionContext& context, const sql::Delete& removal) {
  const OpenTable table = open_table(context, removal.table);
  return modify(context, table, removal.where, nullptr, removal.returning, "DELETE");
}

}  // namespace polarsim::engine::legacy::exec
