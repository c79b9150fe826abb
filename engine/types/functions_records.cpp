// Rows as values: text form, order, hashes (PostgreSQL's rowtypes.c).
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_arrays.h"
#include "engine/types/order.h"
#include "engine/types/record.h"

namespace polarsim::engine {

bool row_is_null(const Value& row) {
  if (row.is_null()) return true;
  return std::ranges::all_of(row.as_record().fields(),
                             [](const Record::Field& field) { return field.value.is_null(); });
}

bool row_is_not_null(const Value& row) {
  if (row.is_null()) return false;
  return std::ranges::none_of(row.as_record().fields(),
                              [](const Record::Field& field) { return field.value.is_null(); });
}

}  // namespace polarsim::engine

namespace polarsim::engine::families {
namespace {

using Fields = std::vector<Record::Field>;

Value record_input(std::string_view, Type, const CallContext&) {
  throw SqlError(sqlstate::feature_not_supported, "input of anonymous composite types is not implemented");
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  return std::ranges::any_of(text, [](char c) {
    return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
  });
}

void record_output(std::string& to, const Value& value, const CallContext& context) {
  to += '(';
  bool is_first = true;
  std::string text;
  for (const Record::Field& field : value.as_record().fields()) {
    if (!is_first) to += ',';
    is_first = false;
    if (field.value.is_null()) continue;
    text.clear();
    behaviour_of(field.type.id).output(text, field.value, context);
    if (!needs_quotes(text)) {
      to += text;
      continue;
    }
    to += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') to += c;
      to += c;
    }
    to += '"';
  }
  to += ')';
}

void require_same_type(const Fields& left, const Fields& right, std::size_t column) {
  if (left[column].type.id == right[column].type.id) return;
  throw SqlError(sqlstate::datatype_mismatch,
                 fmt::format("cannot compare dissimilar column types {} and {} at record column {}",
                             type_name(left[column].type.id), type_name(right[column].type.id), column + 1));
}

// Only rows that are equal as far as both go are refused for this.
void require_same_count(const Fields& left, const Fields& right) {
  if (left.size() == right.size()) return;
  throw SqlError(sqlstate::datatype_mismatch, "cannot compare record types with different numbers of columns");
}

// NULLs are equal to each other and above everything else.
int compare_records(const Value& a, const Value& b) {
  const Fields& left = a.as_record().fields();
  const Fields& right = b.as_record().fields();
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    require_same_type(left, right, i);
    const Comparison compare = comparison_of(left[i].type.id);
    const Value& x = left[i].value;
    const Value& y = right[i].value;
    if (x.is_null() || y.is_null()) {
      if (x.is_null() != y.is_null()) return x.is_null() ? 1 : -1;
    } else if (const int order = compare(x, y); order != 0) {
      return order < 0 ? -1 : 1;
    }
  }
  require_same_count(left, right);
  return 0;
}

template <typename AreEqual>
bool are_equal_fields(const Value& a, const Value& b, AreEqual are_equal) {
  const Fields& left = a.as_record().fields();
  const Fields& right = b.as_record().fields();
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    require_same_type(left, right, i);
    if (!are_equal(left[i], right[i])) return false;
  }
  require_same_count(left, right);
  return true;
}

bool are_equal_records(const Value& a, const Value& b) {
  return are_equal_fields(a, b, [](const Record::Field& x, const Record::Field& y) {
    const ElementEquality are_equal(x.type.id);
    if (x.value.is_null() || y.value.is_null()) return x.value.is_null() && y.value.is_null();
    return are_equal(x.value, y.value);
  });
}

// *= : whether the rows look the same, where = has 1.0 equal 1.00.
bool are_same_records(const Value& a, const Value& b) {
  return are_equal_fields(a, b, [](const Record::Field& x, const Record::Field& y) { return x.value == y.value; });
}

std::uint64_t hash_record(const Value& value) {
  std::uint64_t hash = 0;
  for (const Record::Field& field : value.as_record().fields())
    hash = hash * 31 + (field.value.is_null() ? 0 : hash_value(field.value, field.type.id));
  return hash;
}

}  // namespace

void add_records(Entries& to) {
  using enum TypeId;
  to.types.push_back({record, record_input, record_output, compare_records, hash_record, nullptr});
  add_comparisons<compare_records, are_equal_records>(
      to, record, record, {"record_lt", "record_le", "record_eq", "record_ne", "record_ge", "record_gt"});
  to.functions.push_back({.name = "btrecordcmp",
                          .arguments = {record, record},
                          .result = int4,
                          .scalar = compared_as_integer<compare_records>});
  struct Sameness {
    const char *symbol, *name, *negator;
    ScalarFunction function;
  };
  for (const Sameness& one : {Sameness{"*=", "record_image_eq", "*<>", tested<are_same_records, true>},
                              Sameness{"*<>", "record_image_ne", "*=", tested<are_same_records, false>}}) {
    to.functions.push_back(
        {.name = one.name, .arguments = {record, record}, .result = boolean, .scalar = one.function});
    to.operators.push_back({.symbol = one.symbol,
                            .left = record,
                            .right = record,
                            .result = boolean,
                            .function = one.function,
                            .function_name = one.name,
                            .commutator = one.symbol,
                            .negator = one.negator});
  }
}

}  // namespace polarsim::engine::families
