// Random calls of the entries of engine/types: computed by them, and as queries for a PostgreSQL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/types/cast.h"
#include "engine/types/function.h"
#include "engine/types/operator.h"
#include "scenarios/cli/postgres/types_random.h"
#include "scenarios/cli/postgres/types_reference.h"

namespace polarsim::scenarios::cli::test {

struct TypesCall {
  std::string entry;  // "function lower(text)", "operator integer + integer", "cast text -> date", ...
  std::string expression;
  std::string query;  // for TypesReference::ask()
  Outcome ours;
};

class TypesCalls {
 public:
  TypesCalls(std::uint64_t seed, const char* time_zone) : random_(seed) { context_.time_zone = time_zone; }

  // None where the values differ by nature (volatile functions, those of the time and of the session), or engine/types
  // lacks a type that is needed.
  std::optional<TypesCall> of_function(const engine::FunctionEntry& entry);
  std::optional<TypesCall> of_operator(const engine::OperatorEntry& entry);
  std::optional<TypesCall> of_conversion(engine::TypeId source, engine::TypeId target);
  std::optional<TypesCall> of_input(engine::TypeId type);
  std::optional<TypesCall> of_order(engine::TypeId type);

  RandomTexts& random() { return random_; }

 private:
  struct Signature;
  struct Arguments;

  bool resolve(const engine::FunctionEntry& entry, Signature& signature);
  engine::TypeId any_type();
  // `null_one_in`: 0 for never.
  Arguments make_arguments(const std::vector<engine::TypeId>& types, bool small_numbers, std::size_t null_one_in);
  std::optional<TypesCall> of_scalar(const engine::FunctionEntry& entry, const Signature& signature);
  std::optional<TypesCall> of_set(const engine::FunctionEntry& entry, const Signature& signature);
  std::optional<TypesCall> of_aggregate(const engine::FunctionEntry& entry, const Signature& signature);
  // WITHIN GROUP (ORDER BY ...)
  std::optional<TypesCall> of_ordered_set(const engine::FunctionEntry& entry, const Signature& signature);
  // Of the fields of a row: mostly those of the call's other rows.
  std::vector<engine::TypeId> record_types();

  RandomTexts random_;
  std::vector<engine::TypeId> record_types_;
  engine::CallContext context_;
};

// Types whose values can be made and shown.
bool has_text_form(engine::TypeId type);
std::string name_of(const engine::FunctionEntry& entry);
std::string name_of(const engine::OperatorEntry& entry);

}  // namespace polarsim::scenarios::cli::test
