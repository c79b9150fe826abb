#include "engine/query/operator_resolution.h"

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>

#include "engine/query/coercion.h"
#include "engine/query/expression_walk.h"
#include "engine/query/type_resolution.h"
#include "engine/types/order.h"

namespace polarsim::engine::query {
namespace {

bool is_prefix(TypeId left) { return left == TypeId::none; }

OperatorChoice choose_among_candidates(std::string_view symbol, TypeId left, TypeId right) {
  const std::array both{left, right};
  const std::span<const TypeId> actual = is_prefix(left) ? std::span(both).subspan(1) : std::span(both);
  boost::container::small_vector<const OperatorEntry*, 16> candidates;
  boost::container::small_vector<TypeId, 32> types;
  for (const OperatorEntry* entry : operators_named(symbol, is_prefix(left))) {
    const std::array declared{entry->left, entry->right};
    const std::span<const TypeId> wanted = is_prefix(left) ? std::span(declared).subspan(1) : std::span(declared);
    if (!can_coerce(actual, wanted, CastContext::implicit)) continue;
    candidates.push_back(entry);
    types.insert(types.end(), wanted.begin(), wanted.end());
  }
  if (candidates.empty()) return {};
  if (candidates.size() == 1) return {candidates[0]};
  const int best = select_candidate(actual, types);
  if (best < 0) return {nullptr, true};
  return {candidates[static_cast<std::size_t>(best)]};
}

OperatorChoice choose_without_memory(std::string_view symbol, TypeId left, TypeId right) {
  // One unknown operand is first taken to be of the other's type.
  const TypeId exact_left = left == TypeId::unknown ? right : left;
  const TypeId exact_right = right == TypeId::unknown && !is_prefix(left) ? left : right;
  if (const OperatorEntry* exact = find_operator(symbol, exact_left, exact_right)) return {exact};
  return choose_among_candidates(symbol, left, right);
}

// The operators of most statements are the same few.
struct Memory {
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  boost::unordered_flat_map<Key, OperatorChoice> choices;
};

std::string signature(const OperatorName& name, TypeId left, TypeId right) {
  std::string text;
  if (!is_prefix(left)) text = std::string(type_name(left)) + " ";
  if (!name.schema.empty()) text += std::string(name.schema) + ".";
  return text + std::string(name.symbol) + " " + type_name(right);
}

// The array that the right side of ANY is to be, for an operator declared for its elements.
TypeId declared_array(TypeId declared, TypeId settled, int position) {
  switch (declared) {
    case TypeId::any_element:
    case TypeId::any_nonarray:
      return TypeId::any_array;
    case TypeId::any_compatible:
    case TypeId::any_compatible_nonarray:
      return TypeId::any_compatible_array;
    default:
      break;
  }
  const TypeId array = array_type(settled);
  if (array == TypeId::none) {
    throw_error(sqlstate::undefined_object,
                std::string("could not find array type for data type ") + type_name(settled), position);
  }
  return array;
}

}  // namespace

OperatorChoice choose_operator(std::string_view symbol, TypeId left, TypeId right) {
  static Memory memory;
  if (symbol.size() > sizeof(std::uint64_t)) return choose_without_memory(symbol, left, right);
  Memory::Key key{0, std::uint64_t{type_oid(left)} << 32 | type_oid(right)};
  std::memcpy(&key.first, symbol.data(), symbol.size());
  if (const auto found = memory.choices.find(key); found != memory.choices.end()) return found->second;
  const OperatorChoice choice = choose_without_memory(symbol, left, right);
  if (choice.entry != nullptr) memory.choices.emplace(key, choice);
  return choice;
}

const OperatorEntry& find_operator_or_throw(const OperatorName& name, TypeId left, TypeId right,
                                            ExpressionScope& scope) {
  OperatorChoice choice;
  if (name.schema.empty() || name.schema == "pg_catalog") {
    choice = choose_operator(name.symbol, left, right);
  } else if (!scope.has_schema(name.schema)) {
    throw_error(sqlstate::invalid_schema_name, "schema \"" + std::string(name.schema) + "\" does not exist",
                name.position);
  }
  if (choice.entry != nullptr) return *choice.entry;
  if (choice.ambiguous) {
    throw_error(sqlstate::ambiguous_function, "operator is not unique: " + signature(name, left, right), name.position,
                "", "Could not choose a best candidate operator. You might need to add explicit type casts.");
  }
  throw_error(sqlstate::undefined_function, "operator does not exist: " + signature(name, left, right), name.position,
              "",
              is_prefix(left) ? "No operator matches the given name and argument type. You might need to add an "
                                "explicit type cast."
                              : "No operator matches the given name and argument types. You might need to add "
                                "explicit type casts.");
}

ExpressionPtr make_operator_call(const OperatorName& name, const ExpressionPtr& left, const ExpressionPtr& right,
                                 ExpressionScope& scope) {
  const TypeId left_type = left == nullptr ? TypeId::none : left->type.id;
  const OperatorEntry& entry = find_operator_or_throw(name, left_type, right->type.id, scope);
  std::array declared{entry.left, entry.right};
  const std::array actual{left_type, right->type.id};
  const std::size_t first = left == nullptr ? 1 : 0;
  const TypeId result =
      settle_polymorphic_types(std::span(actual).subspan(first), std::span(declared).subspan(first), entry.result);
  OperatorCall call{&entry, {}};
  call.arguments.reserve(2 - first);
  if (left != nullptr) call.arguments.push_back(coerce_implicitly(left, declared[0], scope));
  call.arguments.push_back(coerce_implicitly(right, declared[1], scope));
  const int position = leftmost(name.position, call.arguments);
  return make_expression(std::move(call), Type(result), position);
}

ExpressionPtr make_array_comparison(const OperatorName& name, bool all, const ExpressionPtr& left,
                                    const ExpressionPtr& array, ExpressionScope& scope) {
  TypeId element = TypeId::unknown;
  if (array->type.id != TypeId::unknown) {
    element = element_type(array->type.id);
    if (element == TypeId::none) {
      throw_error(sqlstate::wrong_object_type, "op ANY/ALL (array) requires array on right side", name.position);
    }
  }
  const OperatorEntry& entry = find_operator_or_throw(name, left->type.id, element, scope);
  if (entry.result != TypeId::boolean) {
    throw_error(sqlstate::wrong_object_type, "op ANY/ALL (array) requires operator to yield boolean", name.position);
  }
  std::array declared{entry.left, entry.right};
  const std::array actual{left->type.id, element};
  settle_polymorphic_types(actual, declared, entry.result);
  const TypeId wanted = declared_array(entry.right, declared[1], name.position);
  ArrayComparison comparison{&entry, all, coerce_implicitly(left, declared[0], scope),
                             coerce_implicitly(array, wanted, scope)};
  const int position = leftmost(name.position, leftmost(comparison.left->position, comparison.array->position));
  return make_expression(std::move(comparison), TypeId::boolean, position);
}

ExpressionPtr make_operator(std::string_view symbol, const ExpressionPtr& left, const ExpressionPtr& right,
                            int position, ExpressionScope& scope) {
  return make_operator_call({symbol, {}, position}, left, right, scope);
}

ExpressionPtr make_equality(const ExpressionPtr& left, const ExpressionPtr& right, int position,
                            ExpressionScope& scope) {
  return make_operator_call({"=", {}, position}, left, right, scope);
}

// Arrays have one if their elements do.
const OperatorEntry* equality_of(TypeId type) {
  const TypeId element = element_type(type);
  if (element != TypeId::none && equality_of(element) == nullptr) return nullptr;
  return choose_operator("=", type, type).entry;
}

const OperatorEntry* less_of(TypeId type) {
  const TypeId element = element_type(type);
  if (element != TypeId::none && less_of(element) == nullptr) return nullptr;
  return choose_operator("<", type, type).entry;
}

bool is_descending_operator(std::string_view symbol, TypeId type, int position) {
  const OperatorEntry* entry = choose_operator(symbol, type, type).entry;
  if (entry == nullptr) {
    throw_error(sqlstate::undefined_function,
                "operator does not exist: " + signature({symbol, {}, position}, type, type), position, "",
                "No operator matches the given name and argument types. You might need to add explicit type casts.");
  }
  if (symbol != "<" && symbol != ">") {
    throw_error(sqlstate::wrong_object_type, "operator " + std::string(symbol) + " is not a valid ordering operator",
                position, "", "Ordering operators must be \"<\" or \">\" members of btree operator families.");
  }
  return symbol == ">";
}

}  // namespace polarsim::engine::query
