// INSERT, with ON CONFLICT.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/legacy/exec/table_access.h"
#include "engine/sql/error.h"

namespace polarsim::engine::legacy::exec {

namespace {

using sql::LockStrength;

// The columns that the VALUES go to, by position.
std::vector<std::size_t> target_columns(const OpenTable& table, const sql::Insert& insert) {
  std::vector<std::size_t> targets;
  if (insert.columns.empty()) {
    for (std::size_t i = 0; i < table.shape.columns.size(); ++i) targets.push_back(i);
    return targets;
  }
  for (const std::string& name : insert.columns) {
    const int column = table.shape.find(name);
    if (column < 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.definition().name));
    }
    const auto position = static_cast<std::size_t>(column);
    if (std::find(targets.begin(), targets.end(), position) != targets.end()) {
      throw SqlError(sqlstate::duplicate_column, fmt::format("column \"{}\" specified more than once", name));
    }
    targets.push_back(position);
  }
  return targets;
}

class RowSource {
 public:
  RowSource(ExecutionContext& context, const OpenTable& table, const sql::Insert& insert)
      : context_(context), columns_(table.definition().columns), targets_(target_columns(table, insert)) {
    for (const sql::ColumnInfo& column : columns_) {
      sql::BoundExpression value;
      if (column.default_value) value = analyze(column.default_value, column);
      defaults_.push_back(std::move(value));
    }
  }

  Row make(const std::vector<sql::ExpressionPtr>& values, bool columns_named) {
    if (values.size() > targets_.size())
      throw SqlError(sqlstate::syntax_error, "INSERT has more expressions than target columns");
    if (values.size() < targets_.size() && columns_named && !values.empty()) {
      throw SqlError(sqlstate::syntax_error, "INSERT has more target columns than expressions");
    }
    std::vector<const sql::ExpressionPtr*> given(columns_.size(), nullptr);
    for (std::size_t i = 0; i < values.size(); ++i) given[targets_[i]] = &values[i];
    Row row;
    row.reserve(columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool use_default = given[i] == nullptr || *given[i] == nullptr;
      const sql::BoundExpression value = use_default ? defaults_[i] : analyze(*given[i], columns_[i]);
      row.push_back(value ? sql::evaluate(value, context_.evaluation()) : Value::null());
    }
    return row;
  }

 private:
  sql::BoundExpression analyze(const sql::ExpressionPtr& expression, const sql::ColumnInfo& column) const {
    return sql::analyze_assignment(expression, context_.analysis(nullptr, "VALUES"), column.type, column.name);
  }

  ExecutionContext& context_;
  const std::vector<sql::ColumnInfo>& columns_;
  std::vector<std::size_t> targets_;
  std::vector<sql::BoundExpression> defaults_;
};

// The target of ON CONFLICT must name exactly the columns of the only unique index there can be.
void check_conflict_target(const OpenTable& table, const sql::OnConflict& on_conflict) {
  if (on_conflict.target.empty() && on_conflict.action == sql::OnConflict::Action::nothing) return;
  std::vector<int> named;
  for (const std::string& column : on_conflict.target) {
    const int position = table.shape.find(column);
    if (position < 0) throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" does not exist", column));
    if (std::find(named.begin(), named.end(), position) == named.end()) named.push_back(position);
  }
  std::vector<int> key = table.definition().primary_key;
  std::sort(named.begin(), named.end());
  std::sort(key.begin(), key.end());
  if (key.empty() || named != key) {
    throw SqlError(sqlstate::invalid_column_reference,
                   "there is no unique or exclusion constraint matching the ON CONFLICT specification");
  }
}

// ON CONFLICT DO UPDATE for one proposed row that met an existing one.
class Upsert {
 public:
  Upsert(ExecutionContext& context, const OpenTable& table, const sql::OnConflict& on_conflict,
         const legacy::Snapshot& snapshot)
      : context_(context), table_(table), snapshot_(snapshot), change_(context, table, on_conflict.assignments, true) {
    if (on_conflict.where == nullptr) return;
    sql::AnalyzeOptions options = context.analysis(&table.shape, "WHERE");
    options.excluded_allowed = true;
    condition_ = sql::analyze_condition(on_conflict.where, options, "WHERE");
  }

  enum class Outcome : std::uint8_t { updated, condition_false, row_changed };
  struct Result {
    Outcome outcome = Outcome::row_changed;
    legacy::RowPointer row;
  };

  // row_changed: the existing row is no longer what conflicts; look again.
  Result run(legacy::RowId id, const Row& proposed) {
    LockStrength strength = LockStrength::no_key_update;
    for (;;) {
      const LockedRow locked = lock_row(context_, table_, id, nullptr, strength);
      if (locked.state == LockedRow::State::gone || !table_.entry->heap.same_key(*locked.row, proposed)) return {};
      if (locked.made_by_this_command) {
        throw SqlError(
            sqlstate::cardinality_violation, "ON CONFLICT DO UPDATE command cannot affect row a second time", "",
            "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.");
      }
      const legacy::RowPointer base = version_to_update(id, locked.row);
      sql::EvaluationContext evaluation = context_.evaluation(*base);
      evaluation.excluded = proposed;
      if (condition_ && !sql::evaluate_condition(condition_, evaluation)) return {Outcome::condition_false, nullptr};
      auto changed = std::make_shared<const Row>(change_.apply(*base, evaluation));
      const bool new_key = !table_.entry->heap.same_key(*base, *changed);
      if (new_key && strength != LockStrength::update) {
        strength = LockStrength::update;
        continue;
      }
      return replace(id, std::move(changed), new_key);
    }
  }

 private:
  // The newest version, even if the statement's snapshot does not show it.
  legacy::RowPointer version_to_update(legacy::RowId id, const legacy::RowPointer& newest) const {
    if (!context_.database.config().planted.on(PlantedBug::recheck_skipped)) return newest;
    const legacy::RowChain* const chain = table_.entry->heap.find(id);
    const legacy::RowVersion* const seen = context_.database.visible_version(*chain, snapshot_, context_.transaction.xid);
    return seen != nullptr ? seen->row : newest;
  }

  Result replace(legacy::RowId id, legacy::RowPointer changed, bool new_key) {
    check_not_null(table_.definition(), *changed);
    context_.database.visit_append_point();
    if (new_key) claim_key(context_, table_, *changed, id);
    legacy::RowChain* const chain = table_.entry->heap.find(id);
    if (chain == nullptr) return {};
    context_.database.update_row(context_.transaction, *table_.entry, *chain, changed);
    return {Outcome::updated, std::move(changed)};
  }

  ExecutionContext& context_;
  const OpenTable& table_;
  const legacy::Snapshot& snapshot_;
  RowChange change_;
  sql::BoundExpression condition_;
};

// Brings one row in; null if ON CONFLICT left everything as it was.
legacy::RowPointer insert_one(ExecutionContext& context, const OpenTable& table, legacy::RowPointer proposed,
                           const std::optional<sql::OnConflict>& on_conflict, std::optional<Upsert>& upsert) {
  legacy::Database& database = context.database;
  database.visit_append_point();
  for (;;) {
    if (!on_conflict) {
      claim_key(context, table, *proposed, 0);
    } else if (table.entry->heap.has_key()) {
      const Row key = table.entry->heap.key_of(*proposed);
      const legacy::KeyConflict conflict = database.find_key_conflict(context.transaction, *table.entry, key, 0);
      if (conflict.undecided != 0) {
        database.assign_xid(context.transaction);
        database.locks().wait_for_end(context.transaction, conflict.undecided, context.limits);
        continue;
      }
      if (conflict.row != 0) {
        database.host().reached("insert/conflict");
        if (!upsert) return nullptr;
        const Upsert::Result result = upsert->run(conflict.row, *proposed);
        if (result.outcome == Upsert::Outcome::row_changed) continue;
        return result.row;
      }
    }
    // Nothing blocks between the last look at the key and the row that takes it.
    database.insert_row(context.transaction, *table.entry, proposed);
    return proposed;
  }
}

}  // namespace

QueryResult execute_insert(ExecutionContext& context, const sql::Insert& insert) {
  const OpenTable table = open_table(context, insert.table);
  RowSource source(context, table, insert);
  if (insert.on_conflict) check_conflict_target(table, *insert.on_conflict);
  Returning returning(context, table, insert.returning);
  const legacy::ActiveSnapshot snapshot(context.database, context.transaction);
  std::optional<Upsert> upsert;
  if (insert.on_conflict && insert.on_conflict->action == sql::OnConflict::Action::update) {
    upsert.emplace(context, table, *insert.on_conflict, *snapshot);
  }
  std::vector<std::vector<sql::ExpressionPtr>> only_defaults(1);
  std::size_t count = 0;
  for (const std::vector<sql::ExpressionPtr>& values : insert.rows.empty() ? only_defaults : insert.rows) {
    auto proposed = std::make_shared<const Row>(source.make(values, !insert.columns.empty()));
    check_not_null(table.definition(), *proposed);
    const legacy::RowPointer row = insert_one(context, table, std::move(proposed), insert.on_conflict, upsert);
    if (row == nullptr) continue;
    ++count;
    returning.add(*row);
  }
  QueryResult result;
  returning.finish(result);
  result.tag = fmt::format("INSERT 0 {}", count);
  return result;
}

}  // namespace polarsim::engine::legacy::exec
