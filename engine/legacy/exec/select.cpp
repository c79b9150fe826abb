// SELECT on one table, or on none.
#include <fmt/format.h>

#include <utility>

#include "engine/legacy/exec/system_views.h"
#include "engine/legacy/exec/table_access.h"
#include "engine/sql/error.h"

namespace polarsim::engine::legacy::exec {

namespace {

const char* lock_clause(sql::LockStrength strength) {
  switch (strength) {
    case sql::LockStrength::key_share:
      return "FOR KEY SHARE";
    case sql::LockStrength::share:
      return "FOR SHARE";
    case sql::LockStrength::no_key_update:
      return "FOR NO KEY UPDATE";
    default:
      return "FOR UPDATE";
  }
}

void check_lockable(const sql::Select& select, const sql::AnalyzedSelect& analyzed) {
  const auto refuse = [&](std::string_view with) {
    throw SqlError(sqlstate::feature_not_supported,
                   fmt::format("{} is not allowed with {}", lock_clause(select.lock), with));
  };
  if (analyzed.distinct) refuse("DISTINCT clause");
  if (!select.group_by.empty()) refuse("GROUP BY clause");
  if (analyzed.having) refuse("HAVING clause");
  if (analyzed.grouped) refuse("aggregate functions");
}

QueryResult make_result(const sql::AnalyzedSelect& analyzed, std::vector<Row> rows) {
  QueryResult result;
  result.columns = result_columns(analyzed.columns);
  result.rows = std::move(rows);
  result.tag = fmt::format("SELECT {}", result.rows.size());
  return result;
}

// SELECT ... FOR: sorts what the snapshot shows, then locks row by row as far as LIMIT reaches. As in PostgreSQL the
// rows given out are the newest versions, so they may be out of order, and fewer than LIMIT asks for only if there are
// no more.
class LockingSelect {
 public:
  LockingSelect(ExecutionContext& context, const OpenTable& table, const sql::Select& select,
                const sql::AnalyzedSelect& analyzed)
      : context_(context), table_(table), select_(select), analyzed_(analyzed) {}

  std::vector<Row> run(std::vector<Candidate> candidates) {
    sort(candidates);
    const sql::RowWindow window = sql::row_window(analyzed_, context_.evaluation());
    std::vector<Row> rows;
    std::int64_t skipped = 0;
    for (const Candidate& candidate : candidates) {
      if (window.limit >= 0 && static_cast<std::int64_t>(rows.size()) >= window.limit) break;
      const legacy::RowPointer row = lock(candidate);
      if (row == nullptr) continue;
      if (skipped < window.offset) {
        ++skipped;
        continue;
      }
      rows.push_back(project(analyzed_.columns, context_.evaluation(*row)));
    }
    return rows;
  }

 private:
  legacy::RowPointer lock(const Candidate& candidate) {
    const LockedRow locked = lock_row(context_, table_, candidate.id, candidate.row, select_.lock, select_.lock_wait);
    switch (locked.state) {
      case LockedRow::State::unchanged:
        return locked.row;
      case LockedRow::State::changed:
        break;
      case LockedRow::State::gone:
      case LockedRow::State::not_locked:
        return nullptr;
    }
    const bool qualifies =
        !analyzed_.where || sql::evaluate_condition(analyzed_.where, context_.evaluation(*locked.row));
    return qualifies ? locked.row : nullptr;
  }

  void sort(std::vector<Candidate>& candidates) const {
    if (analyzed_.order_by.empty()) return;
    std::vector<Row> keys;
    keys.reserve(candidates.size());
    for (const Candidate& candidate : candidates) {
      const sql::EvaluationContext evaluation = context_.evaluation(*candidate.row);
      Row row_keys;
      for (const sql::SortKey& key : analyzed_.order_by) {
        const bool by_column = key.column >= 0;
        const auto& expression =
            by_column ? analyzed_.columns[static_cast<std::size_t>(key.column)].expression : key.expression;
        row_keys.push_back(sql::evaluate(expression, evaluation));
      }
      keys.push_back(std::move(row_keys));
    }
    std::vector<Candidate> sorted;
    sorted.reserve(candidates.size());
    for (const std::size_t position : sorted_positions(keys, analyzed_.order_by))
      sorted.push_back(std::move(candidates[position]));
    candidates = std::move(sorted);
  }

  ExecutionContext& context_;
  const OpenTable& table_;
  const sql::Select& select_;
  const sql::AnalyzedSelect& analyzed_;
};

QueryResult select_without_table(ExecutionContext& context, const sql::Select& select) {
  const sql::AnalyzedSelect analyzed = sql::analyze_select(select, nullptr, context.parameter_types);
  Projection projection(analyzed, context.evaluation());
  if (!analyzed.where || sql::evaluate_condition(analyzed.where, context.evaluation())) projection.add({});
  return make_result(analyzed, projection.finish());
}

QueryResult select_from_view(ExecutionContext& context, const sql::Select& select, const SystemView& view) {
  const sql::TableShape shape = shape_of(view.definition, select.from->reference());
  const sql::AnalyzedSelect analyzed = sql::analyze_select(select, &shape, context.parameter_types);
  Projection projection(analyzed, context.evaluation());
  for (const Row& row : view.rows(context.database)) {
    if (!analyzed.where || sql::evaluate_condition(analyzed.where, context.evaluation(row))) projection.add(row);
  }
  return make_result(analyzed, projection.finish());
}

}  // namespace

QueryResult execute_select(ExecutionContext& context, const sql::Select& select) {
  if (!select.from) return select_without_table(context, select);
  if (const SystemView* view = find_system_view(*select.from)) return select_from_view(context, select, *view);
  const OpenTable table = open_table(context, *select.from);
  const sql::AnalyzedSelect analyzed = sql::analyze_select(select, &table.shape, context.parameter_types);
  const bool locking = select.lock != sql::LockStrength::none;
  if (locking) check_lockable(select, analyzed);
  const legacy::ActiveSnapshot snapshot(context.database, context.transaction);
  std::vector<Candidate> candidates = find_rows(context, table, *snapshot, select.where, analyzed.where);
  if (locking) return make_result(analyzed, LockingSelect(context, table, select, analyzed).run(std::move(candidates)));
  Projection projection(analyzed, context.evaluation());
  for (const Candidate& candidate : candidates) {
    if (projection.satisfied()) break;
    projection.add(*candidate.row);
  }
  return make_result(analyzed, projection.finish());
}

}  // namespace polarsim::engine::legacy::exec
