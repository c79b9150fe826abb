#include "engine/types/function.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/types/cast.h"
#include "engine/types/error.h"
#include "engine/types/families.h"
#include "engine/types/operator.h"

namespace polarsim::engine {
namespace {

// Everything there is, and where to find it by name. Made once, by the first who asks.
struct Catalog {
  families::Entries entries;
  std::map<std::string_view, std::vector<const FunctionEntry*>> functions;
  std::map<std::pair<std::string_view, bool>, std::vector<const OperatorEntry*>> operators;
  std::map<std::pair<TypeId, TypeId>, const CastEntry*> casts;
  std::map<TypeId, const families::TypeBehaviour*> types;

  Catalog() {
    for (const auto add :
         {families::add_boolean, families::add_integers, families::add_floats, families::add_numerics,
          families::add_number_aggregates, families::add_texts, families::add_patterns, families::add_binaries,
          families::add_datetimes, families::add_intervals, families::add_formatting, families::add_arrays,
          families::add_json, families::add_records, families::add_general_aggregates, families::add_window_functions,
          families::add_session, families::add_system}) {
      add(entries);
    }
    for (const FunctionEntry& entry : entries.functions) functions[entry.name].push_back(&entry);
    for (const OperatorEntry& entry : entries.operators)
      operators[{entry.symbol, entry.left == TypeId::none}].push_back(&entry);
    for (const families::TypeBehaviour& behaviour : entries.types) types.emplace(behaviour.type, &behaviour);
    for (const CastEntry& entry : entries.casts) casts.emplace(std::pair(entry.source, entry.target), &entry);
  }
};

const Catalog& catalog() {
  static const Catalog instance;
  return instance;
}

}  // namespace

const families::TypeBehaviour& families::behaviour_of(TypeId type) {
  const auto found = catalog().types.find(type);
  if (found != catalog().types.end()) return *found->second;
  throw SqlError(sqlstate::internal_error, fmt::format("type {} has no text form", type_name(type)));
}

std::span<const FunctionEntry> all_functions() { return catalog().entries.functions; }

std::span<const FunctionEntry* const> functions_named(std::string_view name) {
  const auto found = catalog().functions.find(name);
  if (found == catalog().functions.end()) return {};
  return found->second;
}

const FunctionEntry* find_function(std::string_view name, std::span<const TypeId> arguments) {
  for (const FunctionEntry* entry : functions_named(name)) {
    if (std::ranges::equal(entry->arguments, arguments)) return entry;
  }
  return nullptr;
}

std::span<const OperatorEntry> all_operators() { return catalog().entries.operators; }

std::span<const OperatorEntry* const> operators_named(std::string_view symbol, bool prefix) {
  const auto found = catalog().operators.find({symbol, prefix});
  if (found == catalog().operators.end()) return {};
  return found->second;
}

const OperatorEntry* find_operator(std::string_view symbol, TypeId left, TypeId right) {
  for (const OperatorEntry* entry : operators_named(symbol, left == TypeId::none)) {
    if (entry->left == left && entry->right == right) return entry;
  }
  return nullptr;
}

std::span<const CastEntry> all_casts() { return catalog().entries.casts; }

const CastEntry* find_cast(TypeId source, TypeId target) {
  const auto found = catalog().casts.find({source, target});
  return found != catalog().casts.end() ? found->second : nullptr;
}

}  // namespace polarsim::engine
