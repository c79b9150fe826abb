#include "engine/executor/set_call.h"

#include <algorithm>

#include "engine/types/error.h"
#include "engine/types/record.h"

namespace polarsim::engine::executor {

SetCall::SetCall(const ExpressionPtr& call, std::size_t columns, std::vector<RequestedColumn> requested)
    : columns_(columns), requested_(std::move(requested)), result_(call->type) {
  const auto* function = call->as<query::Call>();
  if (function == nullptr || function->function->kind != FunctionKind::set) {
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
  if (entry_->strict && has_null) return;
  rows_ = entry_->set({values_, types_, result_, state.call(), entry_, variadic_array_, requested_});
}

bool SetCall::next(Row& row) {
  if (entry_ != nullptr) {
    if (rows_ != nullptr && rows_->next(row)) return true;
    rows_.reset();
    return false;
  }
  if (!std::exchange(single_, false)) return false;
  const Value& value = values_[0];
  row.clear();
  if (columns_ == 1) {
    row.push_back(value);
  } else if (!value.is_null()) {
    for (const Record::Field& field : value.as_record().fields()) row.push_back(field.value);
  }
  row.resize(columns_);
  return true;
}

}  // namespace polarsim::engine::executor
