#include "engine/exec/table_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/exec/system_views.h"
#include "engine/sql/error.h"
#include "engine/storage/key_encoding.h"

namespace polarsim::engine::exec {

using KeyOwner = txn::Heap::KeyOwner;
using txn::LockMode;

namespace {

constexpr const char* wrong_object_type = "42809";
constexpr const char* insufficient_privilege = "42501";

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

const Value& column_value(const Row& row, int column) { return row[static_cast<std::size_t>(column)]; }

Row key_values(const IndexDefinition& index, const Row& row) {
  Row values;
  values.reserve(index.columns.size());
  for (const int column : index.columns) values.push_back(column_value(row, column));
  return values;
}

// The values that the condition fixes the leading columns of an index to; none if it fixes none. Nothing at all if one
// of them is NULL.
struct KeyPrefix {
  Row values;
  bool nothing_matches = false;
};

KeyPrefix key_prefix(const ExecutionContext& context, const OpenTable& table, const IndexDefinition& index,
                     const sql::ExpressionPtr& where) {
  KeyPrefix prefix;
  for (const int position : index.columns) {
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
  evaluation.session = session;
  return evaluation;
}

sql::AnalyzeOptions ExecutionContext::analysis(const sql::TableShape* table, std::string_view clause) const {
  sql::AnalyzeOptions options;
  options.table = table;
  options.parameter_types = parameter_types;
  options.clause = clause;
  return options;
}

// --- tables ---

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

OpenTable open_table(ExecutionContext& context, const sql::TableName& name, LockMode mode) {
  if (find_system_view(name) != nullptr) {
    throw SqlError(wrong_object_type, fmt::format("cannot change view \"{}\"", name.name)).at(name.position);
  }
  OpenTable table;
  table.table = context.database.catalog().open_table(context.transaction, name, mode);
  if (table.table == nullptr) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)))
        .at(name.position);
  }
  if (table.table->is_system() && mode != LockMode::access_share) {
    throw SqlError(insufficient_privilege,
                   fmt::format("permission denied: \"{}\" is a system catalog", table.definition().name));
  }
  table.shape = shape_of(table.definition(), name.reference());
  return table;
}

StatementScope::StatementScope(ExecutionContext& context, const sql::TableName& name, LockMode mode) {
  txn::TransactionManager& transactions = context.database.transactions();
  if (context.transaction.isolation == txn::IsolationLevel::repeatable_read ||
      context.database.config().planted.on(PlantedBug::snapshot_before_lock_wait)) {
    snapshot_.emplace(transactions, context.transaction);
  }
  table_ = open_table(context, name, mode);
  if (!snapshot_) snapshot_.emplace(transactions, context.transaction);
  const TableDefinition& definition = table_.definition();
  if (mode == LockMode::row_exclusive && definition.name == "pg_dist_transaction" && definition.schema == "pg_catalog")
    context.transaction.decides_distributed = true;
}

// --- rows ---

RowFinder::RowFinder(ExecutionContext& context, const OpenTable& table, const txn::Snapshot& snapshot,
                     const sql::ExpressionPtr& where, const sql::BoundExpression& condition)
    : context_(context), table_(table), snapshot_(snapshot), condition_(condition) {
  if (where != nullptr) choose_index(where);
  if (!index_scan_ && !nothing_matches_)
    heap_scan_.emplace(context.database.heap(), table.heap(), context.transaction, snapshot);
}

// The index of which the condition fixes most columns; a unique one that it fixes whole before all.
void RowFinder::choose_index(const sql::ExpressionPtr& where) {
  const catalog::Index* best = nullptr;
  Row best_values;
  for (const catalog::Index& index : table_.table->indexes) {
    KeyPrefix prefix = key_prefix(context_, table_, index.definition, where);
    if (prefix.nothing_matches) {
      nothing_matches_ = true;
      return;
    }
    if (prefix.values.size() <= best_values.size()) continue;
    best = &index;
    best_values = std::move(prefix.values);
    if (index.definition.unique && best_values.size() == index.definition.columns.size()) break;
  }
  if (best == nullptr) return;
  storage::BTree::Range range;
  range.lower = storage::encode_key(best_values);
  range.upper = storage::after_prefix(range.lower);
  index_scan_.emplace(context_.database.tree(*best).scan(std::move(range)));
}

bool RowFinder::qualifies(const Row& row) const {
  return !condition_ || sql::evaluate_condition(condition_, context_.evaluation(row));
}

bool RowFinder::next(std::vector<VisibleRow>& rows) {
  rows.clear();
  if (index_scan_) return next_by_index(rows);
  while (heap_scan_ && heap_scan_->next(rows)) {
    context_.backend().check_interrupts();
    std::erase_if(rows, [this](const VisibleRow& row) { return !qualifies(row.row); });
    if (!rows.empty()) return true;
  }
  return false;
}

// An entry is as its version was made, so the condition need not be asked whether the key is still right; but only the
// heap knows who may see the version.
bool RowFinder::next_by_index(std::vector<VisibleRow>& rows) {
  while (rows.empty() && index_scan_->next(entries_)) {
    for (const storage::BTree::Entry& entry : entries_) {
      context_.backend().check_interrupts();
      std::optional<Row> row =
          context_.database.heap().fetch(table_.heap(), entry.tid, context_.transaction, snapshot_);
      if (row && qualifies(*row)) rows.push_back({entry.tid, std::move(*row)});
    }
  }
  return !rows.empty();
}

// --- indexes ---

std::string index_key(const IndexDefinition& index, const Row& row) {
  std::string key;
  for (const int column : index.columns) storage::append_key(key, column_value(row, column));
  return key;
}

bool must_be_unique(const IndexDefinition& index, const Row& row) {
  return index.unique && std::none_of(index.columns.begin(), index.columns.end(),
                                      [&](int column) { return column_value(row, column).is_null(); });
}

bool same_key(const IndexDefinition& index, const Row& a, const Row& b) {
  return std::all_of(index.columns.begin(), index.columns.end(),
                     [&](int column) { return column_value(a, column) == column_value(b, column); });
}

bool changes_key(const OpenTable& table, const Row& before, const Row& after) {
  return std::any_of(table.table->indexes.begin(), table.table->indexes.end(), [&](const catalog::Index& index) {
    return index.definition.unique && !same_key(index.definition, before, after);
  });
}

KeyOwner find_key_owner(ExecutionContext& context, const OpenTable& table, const catalog::Index& index, const Row& row,
                        const std::vector<Tid>& tids) {
  if (tids.empty()) return {};
  // Since the entries were read, a place may have been vacuumed and filled again: the key counts, not the entry.
  return context.database.heap().find_key_owner(context.transaction, table.heap(), tids, [&](const Row& other) {
    return same_key(index.definition, row, other);
  });
}

namespace {

// Inserts the entry if nobody has the key or may come to have it; else tells who. A row that is changed often leaves
// many entries behind: what leads to dead versions is taken out here, so that neither the next change nor a search has
// to look at them all until vacuum comes (PostgreSQL marks them, "killed items").
KeyOwner insert_unless_owned(ExecutionContext& context, const OpenTable& table, const catalog::Index& index,
                             const Row& row, Tid tid) {
  constexpr std::size_t entries_tolerated = 8;
  KeyOwner owner;
  context.database.tree(index).insert_if(index_key(index.definition, row), tid,
                                         [&](const std::vector<Tid>& equal, std::vector<Tid>& obsolete) {
                                           owner = find_key_owner(context, table, index, row, equal);
                                           if (owner.state != KeyOwner::State::none) return false;
                                           if (equal.size() > entries_tolerated)
                                             obsolete = context.database.heap().dead_places(table.heap(), equal);
                                           return true;
                                         });
  return owner;
}

}  // namespace

bool try_insert_index_entry(ExecutionContext& context, const OpenTable& table, const catalog::Index& index,
                            const Row& row, Tid tid) {
  return insert_unless_owned(context, table, index, row, tid).state == KeyOwner::State::none;
}

void insert_index_entry(ExecutionContext& context, const OpenTable& table, const catalog::Index& index, const Row& row,
                        Tid tid) {
  if (!must_be_unique(index.definition, row)) {
    context.database.tree(index).insert(index_key(index.definition, row), tid);
    return;
  }
  for (;;) {
    const KeyOwner owner = insert_unless_owned(context, table, index, row, tid);
    if (owner.state == KeyOwner::State::none) return;
    if (owner.state == KeyOwner::State::live) throw_unique_violation(table, index.definition, row);
    context.database.heap().wait_for(context.transaction, owner);
  }
}

void insert_index_entries(ExecutionContext& context, const OpenTable& table, const Row& row, Tid tid) {
  for (const catalog::Index& index : table.table->indexes) insert_index_entry(context, table, index, row, tid);
}

std::string key_description(const TableDefinition& definition, const IndexDefinition& index, const Row& row) {
  std::string columns;
  for (const int column : index.columns) {
    if (!columns.empty()) columns += ", ";
    columns += definition.columns[static_cast<std::size_t>(column)].name;
  }
  return fmt::format("({})=({})", columns, value_list(key_values(index, row)));
}

void throw_unique_violation(const OpenTable& table, const IndexDefinition& index, const Row& row) {
  throw SqlError(sqlstate::unique_violation,
                 fmt::format("duplicate key value violates unique constraint \"{}\"", index.name),
                 fmt::format("Key {} already exists.", key_description(table.definition(), index, row)));
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

}  // namespace polarsim::engine::exec
