#include "engine/legacy/exec/table_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/legacy/exec/system_views.h"
#include "engine/sql/error.h"

namespace polarsim::engine::legacy::exec {

namespace {

constexpr const char* wrong_object_type = "42809";

std::string column_list(const TableDefinition& definition, const std::vector<int>& columns) {
  std::string text;
  for (const int column : columns) {
    if (!text.empty()) text += ", ";
    text += definition.columns[static_cast<std::size_t>(column)].name;
  }
  return text;
}

std::string value_list(const Row& values) {
  // PostgreSQL shortens what it shows of a value.
  constexpr std::size_t shown_bytes_max = 64;
  std::string text;
  for (const Value& value : values) {
    if (!text.empty()) text += ", ";
    const std::string shown = value.is_null() ? "null" : to_text(value);
    text += shown.size() > shown_bytes_max ? shown.substr(0, shown_bytes_max) + "..." : shown;
  }
  return text;
}

// The values that the condition fixes the leading columns of the primary key to; none if it fixes none. Nothing at all
// if one of them is NULL.
struct KeyPrefix {
  Row values;
  bool nothing_matches = false;
};

KeyPrefix key_prefix(const ExecutionContext& context, const OpenTable& table, const sql::ExpressionPtr& where) {
  KeyPrefix prefix;
  for (const int position : table.definition().primary_key) {
    const sql::ColumnInfo& column = table.definition().columns[static_cast<std::size_t>(position)];
    const sql::ExpressionPtr operand = sql::find_equality(where, table.shape.name, column.name);
    if (operand == nullptr) return prefix;
    try {
      const auto bound = sql::analyze_assignment(operand, context.analysis(nullptr, "WHERE"), column.type, column.name);
      const Value value = sql::evaluate(bound, context.evaluation());
      prefix.nothing_matches = value.is_null();
      if (prefix.nothing_matches) return prefix;
      prefix.values.push_back(value);
    } catch (const SqlError&) {
      // Not a value of the column's type: the scan decides what the comparison means.
      return prefix;
    }
  }
  return prefix;
}

}  // namespace

sql::EvaluationContext ExecutionContext::evaluation(std::span<const Value> row) const {
  sql::EvaluationContext evaluation;
  evaluation.row = row;
  evaluation.parameters = parameters;
  evaluation.transaction_start_us = transaction.start_us;
  return evaluation;
}

sql::AnalyzeOptions ExecutionContext::analysis(const sql::TableShape* table, std::string_view clause) const {
  sql::AnalyzeOptions options;
  options.table = table;
  options.parameter_types = parameter_types;
  options.clause = clause;
  return options;
}

std::string written_name(const sql::TableName& name) {
  return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

sql::TableShape shape_of(const TableDefinition& definition, std::string_view reference) {
  sql::TableShape shape;
  shape.name = reference;
  shape.columns = definition.columns;
  shape.primary_key = definition.primary_key;
  return shape;
}

OpenTable open_table(ExecutionContext& context, const sql::TableName& name) {
  if (find_system_view(name) != nullptr) {
    throw SqlError(wrong_object_type, fmt::format("cannot change view \"{}\"", name.name)).at(name.position);
  }
  OpenTable table;
  table.entry = context.database.open_table(context.transaction, name, sql::LockStrength::key_share, context.limits);
  if (table.entry == nullptr) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)))
        .at(name.position);
  }
  table.shape = shape_of(table.definition(), name.reference());
  return table;
}

std::vector<Candidate> find_rows(ExecutionContext& context, const OpenTable& table, const legacy::Snapshot& snapshot,
                                 const sql::ExpressionPtr& where, const sql::BoundExpression& condition) {
  std::vector<Candidate> found;
  const auto consider = [&](const legacy::RowChain& chain) {
    const legacy::RowVersion* version = context.database.visible_version(chain, snapshot, context.transaction.xid);
    if (version == nullptr) return;
    if (condition && !sql::evaluate_condition(condition, context.evaluation(*version->row))) return;
    found.push_back({chain.id, version->row});
  };
  const legacy::TableHeap& heap = table.entry->heap;
  const KeyPrefix prefix = where != nullptr ? key_prefix(context, table, where) : KeyPrefix{};
  if (prefix.nothing_matches) return found;
  if (prefix.values.empty()) {
    for (const auto& [id, chain] : heap.chains()) consider(chain);
    return found;
  }
  std::vector<legacy::RowId> seen;  // a row whose key changed is found once per key
  for (const legacy::RowChain* chain : heap.find_by_key(prefix.values)) {
    if (chain->several_keys) {
      if (std::find(seen.begin(), seen.end(), chain->id) != seen.end()) continue;
      seen.push_back(chain->id);
    }
    consider(*chain);
  }
  return found;
}

LockedRow lock_row(ExecutionContext& context, const OpenTable& table, legacy::RowId id, const legacy::RowPointer& seen,
                   sql::LockStrength strength, sql::LockWait wait) {
  legacy::Database& database = context.database;
  database.assign_xid(context.transaction);
  const legacy::LockTag tag{table.entry->id, id};
  const auto outcome =
      database.locks().acquire(context.transaction, tag, strength, context.limits, wait == sql::LockWait::block);
  LockedRow locked;
  if (outcome == legacy::LockOutcome::not_available) {
    if (wait == sql::LockWait::nowait) {
      throw SqlError(sqlstate::lock_not_available,
                     fmt::format("could not obtain lock on row in relation \"{}\"", table.definition().name));
    }
    locked.state = LockedRow::State::not_locked;
    return locked;
  }
  // Looked up again: while it waited, the row may have changed or gone.
  const legacy::RowChain* const chain = table.entry->heap.find(id);
  const legacy::RowVersion* const version =
      chain == nullptr ? nullptr : database.current_version(*chain, context.transaction);
  if (version == nullptr) {
    database.host().reached("recheck/row-gone");
    return locked;
  }
  locked.row = version->row;
  locked.state = version->row == seen ? LockedRow::State::unchanged : LockedRow::State::changed;
  locked.made_by_this_command =
      version->created_by == context.transaction.xid && version->created_at == context.transaction.command;
  if (seen != nullptr && locked.state == LockedRow::State::changed) database.host().reached("recheck/row-changed");
  return locked;
}

void check_not_null(const TableDefinition& definition, const Row& row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!definition.columns[i].not_null || !row[i].is_null()) continue;
    throw SqlError(sqlstate::not_null_violation,
                   fmt::format("null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                               definition.columns[i].name, definition.name),
                   fmt::format("Failing row contains ({}).", value_list(row)));
  }
}

void throw_unique_violation(const OpenTable& table, const Row& row) {
  const TableDefinition& definition = table.definition();
  throw SqlError(sqlstate::unique_violation,
                 fmt::format("duplicate key value violates unique constraint \"{}\"", definition.primary_key_name),
                 fmt::format("Key ({})=({}) already exists.", column_list(definition, definition.primary_key),
                             value_list(table.entry->heap.key_of(row))));
}

void claim_key(ExecutionContext& context, const OpenTable& table, const Row& row, legacy::RowId except) {
  if (!table.entry->heap.has_key()) return;
  const Row key = table.entry->heap.key_of(row);
  for (;;) {
    const legacy::KeyConflict conflict =
        context.database.find_key_conflict(context.transaction, *table.entry, key, except);
    if (!conflict) return;
    if (conflict.undecided == 0) throw_unique_violation(table, row);
    // Has to have an identifier before it waits: deadlock reports name it.
    context.database.assign_xid(context.transaction);
    context.database.locks().wait_for_end(context.transaction, conflict.undecided, context.limits);
  }
}

RowChange::RowChange(ExecutionContext& context, const OpenTable& table, const std::vector<sql::Assignment>& assignments,
                     bool excluded_allowed) {
  for (const sql::Assignment& assignment : assignments) {
    const int column = table.shape.find(assignment.column);
    if (column < 0) {
      throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                                             assignment.column, table.definition().name))
          .at(assignment.position);
    }
    const auto position = static_cast<std::size_t>(column);
    if (std::any_of(targets_.begin(), targets_.end(), [&](const Target& other) { return other.column == position; })) {
      throw SqlError(sqlstate::syntax_error,
                     fmt::format("multiple assignments to same column \"{}\"", assignment.column))
          .at(assignment.position);
    }
    const sql::ColumnInfo& info = table.definition().columns[position];
    const bool is_default = assignment.value == nullptr;
    Target target{position, {}};
    if (!is_default || info.default_value != nullptr) {
      sql::AnalyzeOptions options = context.analysis(is_default ? nullptr : &table.shape, "UPDATE");
      options.excluded_allowed = excluded_allowed && !is_default;
      target.value =
          sql::analyze_assignment(is_default ? info.default_value : assignment.value, options, info.type, info.name);
    }
    targets_.push_back(std::move(target));
  }
}

Row RowChange::apply(const Row& old, const sql::EvaluationContext& evaluation) const {
  Row changed = old;
  for (const Target& target : targets_) {
    changed[target.column] = target.value ? sql::evaluate(target.value, evaluation) : Value::null();
  }
  return changed;
}

Returning::Returning(ExecutionContext& context, const OpenTable& table, const std::vector<sql::SelectItem>& items)
    : context_(context) {
  if (!items.empty()) columns_ = sql::analyze_items(items, context.analysis(&table.shape, "RETURNING"));
}

void Returning::add(const Row& row) {
  if (!columns_.empty()) rows_.push_back(project(columns_, context_.evaluation(row)));
}

void Returning::finish(QueryResult& result) {
  result.columns = result_columns(columns_);
  result.rows = std::move(rows_);
}

}  // namespace polarsim::engine::legacy::exec
