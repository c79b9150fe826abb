#include "engine/node/intermediate_results.h"

#include <fmt/format.h>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine {

namespace {

class StoredRows final : public FunctionRows {
 public:
  StoredRows(std::shared_ptr<const void> owner, const std::vector<Value>& values, std::vector<Type> types,
             const CallContext& context)
      : owner_(std::move(owner)), values_(values), types_(std::move(types)), context_(context) {}

  bool next(Row& row) override {
    if (at_ >= values_.size()) return false;
    row.clear();
    for (const Type& type : types_) {
      const Value& value = values_[at_++];
      row.push_back(value.is_null() ? Value::null() : input_value(value.as_text(), type, context_));
    }
    return true;
  }

 private:
  std::shared_ptr<const void> owner_;
  const std::vector<Value>& values_;
  std::vector<Type> types_;
  const CallContext& context_;
  std::size_t at_ = 0;
};

}  // namespace

void IntermediateResults::store(std::string_view name, std::int64_t columns, const Array& values, bool append) {
  if (columns == 0 && name.empty() && values.elements().empty()) return clear();
  if (columns < 1 || values.elements().size() % static_cast<std::size_t>(columns) != 0)
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("the values of \"{}\" make no rows", name));
  auto result = std::make_shared<Result>();
  result->columns = static_cast<std::size_t>(columns);
  const auto known = results_.find(name);
  if (append && known != results_.end()) result->values = known->second->values;
  result->values.insert(result->values.end(), values.elements().begin(), values.elements().end());
  results_[std::string(name)] = std::move(result);
}

std::unique_ptr<FunctionRows> IntermediateResults::read(std::string_view name, std::span<const RequestedColumn> columns,
                                                        const CallContext& context) const {
  const auto known = results_.find(name);
  if (known == results_.end())
    throw SqlError(sqlstate::undefined_file, fmt::format("result \"{}\" does not exist", name));
  const std::shared_ptr<const Result>& result = known->second;
  if (result->columns != columns.size())
    throw SqlError(sqlstate::datatype_mismatch, fmt::format("result \"{}\" has {} columns", name, result->columns));
  std::vector<Type> types;
  for (const RequestedColumn& column : columns) types.push_back(column.type);
  return std::make_unique<StoredRows>(result, result->values, std::move(types), context);
}

}  // namespace polarsim::engine
