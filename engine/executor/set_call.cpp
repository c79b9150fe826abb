#include "engine/executor/set_call.h"

#include <algorithm>

#include "engine/types/error.h"
#include "engine/types/record.h"

namespace polarsim::engine::executor {

SetCall::SetCall(const ExpressionPtr& call, std::size_t columns, std::vector<RequestedColumn> requested)
    : columns_(columns), requested_(std::move(requested)), result_(call->type) {
  const auto* function = call->as<query::Call>();
  // One that makes the record that it is asked for gives one row of it.
  const bool makes_record = function != nullptr && function->function->kind == FunctionKind::scalar &&
                            function->function->scalar != nullptr && !requested_.empty();
  if (function == nullptr || (function->function->kind != FunctionKind::set && !makes_record)) {
    scalar_ = Evaluator(call);
    return;
  }
  entry_ = function->function;
  variadic_array_ = function->variadic_array;
  arguments_ = compile(function->arguments);
  for (const ExpressionPtr& argument : function->arguments) types_.push_back(argument->type);
}

void SetCall::start(ExecutorState& state, RowView row) {
  values_.clear();
  rows_.reset();
  if (entry_ == nullptr) {
    values_.push_back(scalar_.value(state, row));
    single_ = true;
    return;
  }
  for (Evaluator& argument : arguments_) values_.push_back(argument.value(state, row));
  const bool has_null = std::any_of(values_.begin(), values_.end(), [](const Value& value) { return value.is_null(); });
  const bool answers = !entry_->strict || !has_null;
  const FunctionCall called{values_, types_, result_, state.call(), entry_, variadic_array_, requested_};
  if (entry_->kind == FunctionKind::scalar) {
    Value record = answers ? entry_->scalar(called) : Value::null();
    values_.assign(1, std::move(record));
    single_ = true;
  } else if (answers) {
    rows_ = entry_->set(called);
  }
}

bool SetCall::next(Row& row) {
  if (entry_ != nullptr && entry_->kind == FunctionKind::set) {
    if (rows_ != nullptr && rows_->next(row)) return true;
    rows_.reset();
    return false;
  }
  if (!std::exchange(single_, false)) return false;
  const Value& value = values_[0];
  row.clear();
  if (columns_ == 1 && (entry_ == nullptr || value.is_null())) {
    row.push_back(value);
  } else if (!value.is_null()) {
    for (const Record::Field& field : value.as_record().fields()) row.push_back(field.value);
  }
  row.resize(columns_);
  return true;
}

}  // namespace polarsim::engine::executor
