#include "engine/sql/equality.h"

#include <algorithm>

namespace polarsim::engine::sql {
namespace {

template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b);

bool same(const ExpressionPtr& a, const ExpressionPtr& b) { return structurally_equal(a, b); }

bool same(const TableName& a, const TableName& b) {
  return a.schema == b.schema && a.name == b.name && a.alias == b.alias;
}

bool same(const SelectItem& a, const SelectItem& b) {
  return same(a.expression, b.expression) && a.star_table == b.star_table && a.alias == b.alias;
}

bool same(const OrderItem& a, const OrderItem& b) {
  return same(a.expression, b.expression) && a.descending == b.descending && a.nulls_first == b.nulls_first;
}

bool same(const Assignment& a, const Assignment& b) { return a.column == b.column && same(a.value, b.value); }

bool same(const ColumnDefinition& a, const ColumnDefinition& b) {
  return a.name == b.name && a.type == b.type && a.not_null == b.not_null && same(a.default_value, b.default_value);
}

bool same(const UniqueConstraint& a, const UniqueConstraint& b) { return a.name == b.name && a.columns == b.columns; }

template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return same(x, y); });
}

bool same(const Select& a, const Select& b) {
  if (a.from.has_value() != b.from.has_value() || (a.from && !same(*a.from, *b.from))) return false;
  return same(a.items, b.items) && same(a.where, b.where) && same(a.group_by, b.group_by) && same(a.having, b.having) &&
         same(a.order_by, b.order_by) && same(a.limit, b.limit) && same(a.offset, b.offset) &&
         a.distinct == b.distinct && a.lock == b.lock && a.lock_wait == b.lock_wait;
}

bool same(const OnConflict& a, const OnConflict& b) {
  return a.action == b.action && a.target == b.target && a.constraint == b.constraint &&
         same(a.assignments, b.assignments) && same(a.where, b.where);
}

bool same(const Insert& a, const Insert& b) {
  if (a.on_conflict.has_value() != b.on_conflict.has_value()) return false;
  if (a.on_conflict && !same(*a.on_conflict, *b.on_conflict)) return false;
  return same(a.table, b.table) && a.columns == b.columns && same(a.rows, b.rows) && same(a.returning, b.returning);
}

bool same(const Update& a, const Update& b) {
  return same(a.table, b.table) && same(a.assignments, b.assignments) && same(a.where, b.where) &&
         same(a.returning, b.returning);
}

bool same(const Delete& a, const Delete& b) {
  return same(a.table, b.table) && same(a.where, b.where) && same(a.returning, b.returning);
}

bool same(const CreateTable& a, const CreateTable& b) {
  return same(a.table, b.table) && same(a.columns, b.columns) && a.primary_key == b.primary_key &&
         a.primary_key_name == b.primary_key_name && same(a.unique, b.unique) && a.if_not_exists == b.if_not_exists;
}

bool same(const CreateIndex& a, const CreateIndex& b) {
  return a.name == b.name && same(a.table, b.table) && a.columns == b.columns && a.unique == b.unique &&
         a.if_not_exists == b.if_not_exists;
}

bool same(const CreateSequence& a, const CreateSequence& b) {
  return same(a.sequence, b.sequence) && a.type == b.type && a.start == b.start && a.increment == b.increment &&
         a.minimum == b.minimum && a.maximum == b.maximum && a.cycle == b.cycle && a.if_not_exists == b.if_not_exists;
}

bool same(const DropTable& a, const DropTable& b) { return same(a.tables, b.tables) && a.if_exists == b.if_exists; }

bool same(const DropIndex& a, const DropIndex& b) { return same(a.indexes, b.indexes) && a.if_exists == b.if_exists; }

bool same(const DropSequence& a, const DropSequence& b) {
  return same(a.sequences, b.sequences) && a.if_exists == b.if_exists;
}

bool same(const Truncate& a, const Truncate& b) { return same(a.tables, b.tables); }

bool same(const LockTable& a, const LockTable& b) {
  return same(a.tables, b.tables) && a.mode == b.mode && a.nowait == b.nowait;
}

bool same(const Vacuum& a, const Vacuum& b) {
  return a.vacuum == b.vacuum && a.analyze == b.analyze && a.freeze == b.freeze && same(a.tables, b.tables);
}

bool same(const Checkpoint&, const Checkpoint&) { return true; }

bool same(const Discard& a, const Discard& b) { return a.what == b.what; }

bool same(const TransactionControl& a, const TransactionControl& b) {
  return a.kind == b.kind && a.gid == b.gid && a.savepoint == b.savepoint && a.modes == b.modes;
}

bool same(const SetTransaction& a, const SetTransaction& b) { return a.session == b.session && a.modes == b.modes; }

bool same(const SetVariable& a, const SetVariable& b) {
  return a.name == b.name && a.value == b.value && a.local == b.local && a.reset == b.reset;
}

bool same(const ShowVariable& a, const ShowVariable& b) { return a.name == b.name; }

}  // namespace

bool structurally_equal(const Expression& a, const Expression& b) {
  if (a.kind != b.kind || a.type != b.type || a.index != b.index || a.negated != b.negated || a.star != b.star ||
      a.distinct != b.distinct || a.name != b.name || a.table != b.table || !(a.value == b.value)) {
    return false;
  }
  return same(a.arguments, b.arguments);
}

bool structurally_equal(const ExpressionPtr& a, const ExpressionPtr& b) {
  if (!a || !b) return !a && !b;
  return a == b || structurally_equal(*a, *b);
}

bool structurally_equal(const Statement& a, const Statement& b) {
  if (a.parameters != b.parameters || a.body.index() != b.body.index()) return false;
  return std::visit([&](const auto& body) { return same(body, std::get<std::decay_t<decltype(body)>>(b.body)); },
                    a.body);
}

}  // namespace polarsim::engine::sql
