#include "engine/executor/subplan_state.h"

#include <algorithm>

#include "engine/types/array.h"
#include "engine/types/error.h"

namespace polarsim::engine::executor {

namespace {

// Three-valued: NULL is unknown.
Value compare_one(const OperatorEntry& entry, const Value& left, const Value& right, const CallContext& context) {
  if (entry.strict && (left.is_null() || right.is_null())) return Value::null();
  const Value arguments[] = {left, right};
  return entry.function({arguments, {}, TypeId::boolean, context});
}

bool is_true(const Value& value) { return !value.is_null() && value.as_boolean(); }
bool is_false(const Value& value) { return !value.is_null() && !value.as_boolean(); }

// (a, b) op (c, d): `=` holds if it holds of all columns, `<>` if of some; others by the first columns that differ.
// A column of the left side is looked at if those before it leave the answer open.
template <typename Left>
Value compare_rows(const std::vector<const OperatorEntry*>& entries, Left&& left, RowView right,
                   const CallContext& context) {
  if (entries.size() == 1) return compare_one(*entries[0], left(0), right[0], context);
  const std::string_view symbol = entries[0]->symbol;
  if (symbol == "=" || symbol == "<>") {
    const bool decisive = symbol == "<>";
    bool unknown = false;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Value result = compare_one(*entries[i], left(i), right[i], context);
      if (decisive ? is_true(result) : is_false(result)) return Value::boolean(decisive);
      unknown = unknown || result.is_null();
    }
    return unknown ? Value::null() : Value::boolean(!decisive);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Value& own = left(i);
    if (own.is_null() || right[i].is_null()) return Value::null();
    const bool last = i + 1 == entries.size();
    if (last || compare_values(own, right[i], entries[i]->left) != 0)
      return compare_one(*entries[i], own, right[i], context);
  }
  return Value::null();
}

// Where PostgreSQL keeps the subquery's rows in a hash table, the left side is computed once for all of them.
bool computes_left_once(const query::Subplan& subplan) {
  return subplan.kind == query::Subquery::Kind::any && subplan.arguments.empty() &&
         std::all_of(subplan.comparisons.begin(), subplan.comparisons.end(), [](const OperatorEntry* entry) {
           return entry->hashable && std::string_view(entry->symbol) == "=";
         });
}

bool has_null(RowView row) {
  return std::any_of(row.begin(), row.end(), [](const Value& value) { return value.is_null(); });
}

}  // namespace

Type output_type(const Plan& plan, std::size_t column) {
  if (!plan.targets.empty()) return plan.targets.at(column).expression->type;
  if (const auto* scan = plan.as<plan::SeqScan>()) return scan->relation->columns.at(column).type;
  if (const auto* scan = plan.as<plan::IndexScan>()) return scan->relation->columns.at(column).type;
  if (const auto* scan = plan.as<plan::SystemViewScan>()) return scan->relation->columns.at(column).type;
  if (const auto* scan = plan.as<plan::ValuesScan>()) return scan->rows.at(0).at(column)->type;
  if (plan.children.size() != 1 && plan.as<plan::Append>() == nullptr && plan.as<plan::SetOperation>() == nullptr &&
      plan.as<plan::RecursiveUnion>() == nullptr)
    throw SqlError(sqlstate::internal_error, "a plan does not tell the types of its rows");
  return output_type(*plan.children.at(0), column);
}

SubplanState::SubplanState(ExecutorState& state, int subplan)
    : state_(state), definition_(state.statement.subplans[static_cast<std::size_t>(subplan)]) {
  tree_ = make_state(state, *definition_.plan);
}

NodeState& SubplanState::tree() {
  if (used_) tree_->rescan();
  used_ = true;
  return *tree_;
}

Value SubplanState::exists() {
  RowView row;
  return Value::boolean(tree().next(row));
}

Value SubplanState::array() {
  NodeState& rows = tree();
  const TypeId type = output_type(*definition_.plan, 0).id;
  std::vector<Value> elements;
  for (RowView row; rows.next(row);) elements.push_back(row[0]);
  if (!is_array(type)) return Value::array(Array(type, std::move(elements)));
  // Arrays of arrays: one dimension more.
  const TypeId element = type_info(type).element;
  if (elements.empty()) return Value::array(Array(element));
  std::vector<Value> together;
  std::vector<Array::Dimension> dimensions{{static_cast<std::int32_t>(elements.size()), 1}};
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].is_null()) throw SqlError(sqlstate::null_value_not_allowed, "cannot accumulate null arrays");
    const Array& inner = elements[i].as_array();
    if (inner.empty()) throw SqlError(sqlstate::array_subscript_error, "cannot accumulate empty arrays");
    if (i == 0) {
      dimensions.insert(dimensions.end(), inner.dimensions().begin(), inner.dimensions().end());
    } else if (!std::equal(inner.dimensions().begin(), inner.dimensions().end(), dimensions.begin() + 1,
                           dimensions.end())) {
      throw SqlError(sqlstate::array_subscript_error, "cannot accumulate arrays of different dimensionality");
    }
    together.insert(together.end(), inner.elements().begin(), inner.elements().end());
  }
  return Value::array(Array(element, std::move(dimensions), std::move(together)));
}

void SubplanState::scalar(Row& row) {
  NodeState& rows = tree();
  RowView found;
  if (!rows.next(found)) {
    row.assign(std::max<std::size_t>(rows.width(), 1), Value::null());
    return;
  }
  row.assign(found.begin(), found.end());
  if (rows.next(found)) {
    throw SqlError(sqlstate::cardinality_violation, "more than one row returned by a subquery used as an expression");
  }
}

void SubplanState::set_outputs(std::vector<Value>& parameters) {
  const std::uint64_t now = state_.version(tree_->dependencies());
  if (version_ == now) return;
  Row row;
  switch (definition_.result) {
    case query::Subquery::Kind::exists:
      row.push_back(exists());
      break;
    case query::Subquery::Kind::array:
      row.push_back(array());
      break;
    default:
      scalar(row);
  }
  for (std::size_t i = 0; i < definition_.outputs.size(); ++i)
    parameters[static_cast<std::size_t>(definition_.outputs[i])] = row[i];
  version_ = now;
}

Value SubplanState::value(const query::Subplan& subplan, query::LeftSide& left) {
  switch (subplan.kind) {
    case query::Subquery::Kind::exists:
      return exists();
    case query::Subquery::Kind::array:
      return array();
    case query::Subquery::Kind::scalar: {
      Row row;
      scalar(row);
      if (subplan.left.empty()) return std::move(row[0]);
      return compare_rows(
          subplan.comparisons, [&](std::size_t i) -> const Value& { return left.at(i); }, row, state_.call());
    }
    default:
      return subplan.hashed ? compare_hashed(subplan, left) : compare_all(subplan, left);
  }
}

Value SubplanState::compare_all(const query::Subplan& subplan, query::LeftSide& left) {
  const bool all = subplan.kind == query::Subquery::Kind::all;
  const bool once = computes_left_once(subplan);
  NodeState& rows = tree();
  bool unknown = false;
  for (RowView row; rows.next(row);) {
    if (!once) left.begin_row();
    const Value result = compare_rows(
        subplan.comparisons, [&](std::size_t i) -> const Value& { return left.at(i); }, row, state_.call());
    if (all ? is_false(result) : is_true(result)) return Value::boolean(!all);
    unknown = unknown || result.is_null();
  }
  return unknown ? Value::null() : Value::boolean(all);
}

void SubplanState::fill_table(const query::Subplan& subplan) {
  std::vector<TypeId> types;
  // An operator of any arrays compares two of one type.
  for (std::size_t i = 0; i < subplan.comparisons.size(); ++i) {
    const TypeId right = subplan.comparisons[i]->right;
    types.push_back(is_polymorphic(right) ? subplan.left.at(i)->type.id : right);
  }
  table_.emplace(types);
  rows_with_nulls_.clear();
  NodeState& rows = tree();
  for (RowView row; rows.next(row);) {
    const RowView keys = row.first(types.size());
    if (has_null(keys)) {
      rows_with_nulls_.emplace_back(keys.begin(), keys.end());
    } else {
      table_->insert(keys);
    }
  }
}

// Of = ANY alone. What does not match, may still match as far as anybody knows: a row with NULLs, or all rows if there
// are NULLs on the left.
Value SubplanState::compare_hashed(const query::Subplan& subplan, query::LeftSide& left) {
  const std::uint64_t now = state_.version(tree_->dependencies());
  if (!table_ || version_ != now) fill_table(subplan);
  version_ = now;
  if (table_->size() == 0 && rows_with_nulls_.empty()) return Value::boolean(false);
  Row keys;
  for (std::size_t i = 0; i < subplan.comparisons.size(); ++i) keys.push_back(left.at(i));
  const auto may_match = [&](RowView row) {
    return !is_false(compare_rows(
        subplan.comparisons, [&](std::size_t i) -> const Value& { return keys[i]; }, row, state_.call()));
  };
  const bool all_known = !has_null(keys);
  if (all_known && table_->find(keys)) return Value::boolean(true);
  if (!all_known) {
    for (std::uint32_t i = 0; i < table_->size(); ++i) {
      if (may_match(table_->keys(i))) return Value::null();
    }
  }
  const bool unknown = std::any_of(rows_with_nulls_.begin(), rows_with_nulls_.end(), may_match);
  return unknown ? Value::null() : Value::boolean(false);
}

}  // namespace polarsim::engine::executor
