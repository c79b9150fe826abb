#include "engine/query/type_resolution.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <utility>

namespace polarsim::engine::query {
namespace {

using Types = boost::container::small_vector<TypeId, 8>;

bool takes_element(TypeId type) { return type == TypeId::any_element || type == TypeId::any_nonarray; }
bool takes_compatible(TypeId type) {
  return type == TypeId::any_compatible || type == TypeId::any_compatible_array ||
         type == TypeId::any_compatible_nonarray;
}

// What is left of the candidates, and how to look at them.
struct Candidates {
  std::span<const TypeId> types;
  std::size_t arguments;
  boost::container::small_vector<int, 16> left;
  TypeId type(int candidate, std::size_t argument) const {
    return types[static_cast<std::size_t>(candidate) * arguments + argument];
  }
};

// Keeps those with the highest score.
template <typename Score>
void keep_best(Candidates& candidates, Score score) {
  boost::container::small_vector<int, 16> best;
  int most = -1;
  for (const int candidate : candidates.left) {
    const int points = score(candidate);
    if (points > most) {
      most = points;
      best.clear();
    }
    if (points == most) best.push_back(candidate);
  }
  candidates.left = std::move(best);
}

struct UnknownSlot {
  std::size_t argument = 0;
  TypeCategory category = TypeCategory::unknown;
  bool has_preferred = false;
};

// What category the candidates want for an unknown argument; string wins where they differ. False: they differ.
bool find_slot_category(const Candidates& candidates, UnknownSlot& slot) {
  bool first = true;
  bool conflict = false;
  for (const int candidate : candidates.left) {
    const TypeInfo& info = type_info(candidates.type(candidate, slot.argument));
    if (first || (info.category == TypeCategory::string && slot.category != TypeCategory::string)) {
      slot.category = info.category;
      slot.has_preferred = info.preferred;
    } else if (info.category == slot.category) {
      slot.has_preferred = slot.has_preferred || info.preferred;
    } else {
      conflict = true;
    }
    first = false;
  }
  return !conflict || slot.category == TypeCategory::string;
}

// Unknown arguments: candidates must take the category found for each, by its preferred type if some do.
void keep_by_unknown_slots(Candidates& candidates, std::span<const TypeId> actual) {
  boost::container::small_vector<UnknownSlot, 8> slots;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] != TypeId::unknown) continue;
    UnknownSlot slot{i};
    if (!find_slot_category(candidates, slot)) return;
    slots.push_back(slot);
  }
  boost::container::small_vector<int, 16> kept;
  for (const int candidate : candidates.left) {
    const bool fits = std::ranges::all_of(slots, [&](const UnknownSlot& slot) {
      const TypeInfo& info = type_info(candidates.type(candidate, slot.argument));
      return info.category == slot.category && (!slot.has_preferred || info.preferred);
    });
    if (fits) kept.push_back(candidate);
  }
  if (!kept.empty()) candidates.left = std::move(kept);
}

// If the known arguments are all of one type, the unknown ones may be meant to be of it, too.
int find_by_known_type(const Candidates& candidates, std::span<const TypeId> actual) {
  TypeId known = TypeId::unknown;
  for (const TypeId type : actual) {
    if (type == TypeId::unknown) continue;
    if (known != TypeId::unknown && known != type) return -1;
    known = type;
  }
  if (known == TypeId::unknown) return -1;
  const Types all_known(actual.size(), known);
  int found = -1;
  for (const int candidate : candidates.left) {
    const auto wanted =
        candidates.types.subspan(static_cast<std::size_t>(candidate) * candidates.arguments, candidates.arguments);
    if (!can_coerce(all_known, wanted, CastContext::implicit)) continue;
    if (found >= 0) return -1;
    found = candidate;
  }
  return found;
}

// Whether the arguments of polymorphic types agree (check_generic_type_consistency).
bool polymorphic_types_agree(std::span<const TypeId> actual, std::span<const TypeId> declared) {
  TypeId element = TypeId::none;
  TypeId array = TypeId::none;
  bool no_array = false;
  bool no_compatible_array = false;
  Types compatible;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    no_array = no_array || declared[i] == TypeId::any_nonarray;
    no_compatible_array = no_compatible_array || declared[i] == TypeId::any_compatible_nonarray;
    if (actual[i] == TypeId::unknown || !is_polymorphic(declared[i])) continue;
    if (takes_element(declared[i])) {
      if (element != TypeId::none && element != actual[i]) return false;
      element = actual[i];
    } else if (declared[i] == TypeId::any_array) {
      if (array != TypeId::none && array != actual[i]) return false;
      array = actual[i];
    } else if (declared[i] == TypeId::any_compatible_array) {
      if (element_type(actual[i]) == TypeId::none) return false;
      compatible.push_back(element_type(actual[i]));
    } else {
      compatible.push_back(actual[i]);
    }
  }
  if (array != TypeId::none) {
    const TypeId of_array = element_type(array);
    if (of_array == TypeId::none || (element != TypeId::none && element != of_array)) return false;
    element = of_array;
  }
  if (no_array && element != TypeId::none && element_type(element) != TypeId::none) return false;
  if (compatible.empty()) return true;
  const TypeId common = find_common_type(compatible).type;
  if (common == TypeId::none || !all_can_become(compatible, common)) return false;
  return !no_compatible_array || element_type(common) == TypeId::none;
}

TypeId array_type_or_throw(TypeId element) {
  const TypeId array = array_type(element);
  if (array == TypeId::none) {
    throw SqlError(sqlstate::undefined_object,
                   std::string("could not find array type for data type ") + type_name(element));
  }
  return array;
}

std::string versus(TypeId a, TypeId b) { return std::string(type_name(a)) + " versus " + type_name(b); }

[[noreturn]] void throw_mismatch(std::string message, std::string detail = "") {
  throw SqlError(sqlstate::datatype_mismatch, std::move(message), std::move(detail));
}

// What the polymorphic types of one call turned out to be.
struct PolymorphicTypes {
  TypeId element = TypeId::none;
  TypeId array = TypeId::none;
  bool any_arguments = false;
  bool any_unknown = false;
  bool no_array = false;
  bool any_compatible = false;
  bool no_compatible_array = false;
  Types compatible;
  TypeId common = TypeId::none;
};

void collect_polymorphic(PolymorphicTypes& types, TypeId actual, TypeId declared) {
  const bool unknown = actual == TypeId::unknown;
  if (takes_compatible(declared)) {
    types.any_compatible = true;
    types.no_compatible_array = types.no_compatible_array || declared == TypeId::any_compatible_nonarray;
    if (unknown) return;
    TypeId type = actual;
    if (declared == TypeId::any_compatible_array) {
      type = element_type(actual);
      if (type == TypeId::none) {
        throw_mismatch(std::string("argument declared anycompatiblearray is not an array but type ") +
                       type_name(actual));
      }
    }
    types.compatible.push_back(type);
    return;
  }
  types.any_arguments = true;
  types.no_array = types.no_array || declared == TypeId::any_nonarray;
  types.any_unknown = types.any_unknown || unknown;
  if (unknown) return;
  TypeId& seen = declared == TypeId::any_array ? types.array : types.element;
  if (seen != TypeId::none && seen != actual) {
    throw_mismatch(std::string("arguments declared \"") + (declared == TypeId::any_array ? "anyarray" : "anyelement") +
                       "\" are not all alike",
                   versus(seen, actual));
  }
  seen = actual;
}

void settle_elements(PolymorphicTypes& types) {
  if (types.array != TypeId::none) {
    const TypeId of_array = element_type(types.array);
    if (of_array == TypeId::none) {
      throw_mismatch(std::string("argument declared anyarray is not an array but type ") + type_name(types.array));
    }
    if (types.element != TypeId::none && types.element != of_array) {
      throw_mismatch("argument declared anyarray is not consistent with argument declared anyelement",
                     versus(types.array, types.element));
    }
    types.element = of_array;
  }
  if (types.element == TypeId::none)
    throw_mismatch("could not determine polymorphic type because input has type unknown");
  if (types.no_array && element_type(types.element) != TypeId::none) {
    throw_mismatch(std::string("type matched to anynonarray is an array type: ") + type_name(types.element));
  }
}

void settle_compatible(PolymorphicTypes& types) {
  if (types.compatible.empty()) {
    types.common = TypeId::text;
    return;
  }
  const CommonType common = find_common_type(types.compatible);
  if (common.type == TypeId::none) {
    throw_mismatch(std::string("argument types ") + type_name(common.first) + " and " + type_name(common.second) +
                   " cannot be matched");
  }
  if (!all_can_become(types.compatible, common.type))
    throw_mismatch("arguments of anycompatible family cannot be cast to a common type");
  if (types.no_compatible_array && element_type(common.type) != TypeId::none) {
    throw_mismatch(std::string("type matched to anycompatiblenonarray is an array type: ") + type_name(common.type));
  }
  types.common = common.type;
}

TypeId settled_type(const PolymorphicTypes& types, TypeId declared) {
  switch (declared) {
    case TypeId::any_element:
    case TypeId::any_nonarray:
      return types.element;
    case TypeId::any_array:
      return types.array != TypeId::none ? types.array : array_type_or_throw(types.element);
    case TypeId::any_compatible:
    case TypeId::any_compatible_nonarray:
      return types.common;
    case TypeId::any_compatible_array:
      return array_type_or_throw(types.common);
    default:
      return declared;
  }
}

}  // namespace

void throw_error(const char* state, std::string message, int position, std::string detail, std::string hint) {
  SqlError error(state, std::move(message), std::move(detail), std::move(hint));
  error.at(position);
  throw error;
}

TypeId element_type(TypeId type) { return type_info(type).element; }
TypeId array_type(TypeId type) { return type_info(type).array; }

bool can_coerce(TypeId source, TypeId target, CastContext context) {
  if (source == target || source == TypeId::unknown || target == TypeId::any) return true;
  return find_conversion(source, target, context).possible();
}

bool can_coerce(std::span<const TypeId> sources, std::span<const TypeId> targets, CastContext context) {
  bool polymorphic = false;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] == targets[i]) continue;
    if (is_polymorphic(targets[i])) {
      polymorphic = true;
    } else if (!can_coerce(sources[i], targets[i], context)) {
      return false;
    }
  }
  return !polymorphic || polymorphic_types_agree(sources, targets);
}

CommonType find_common_type(std::span<const TypeId> types) {
  TypeId common = types[0];
  for (std::size_t i = 1; i < types.size(); ++i) {
    const TypeId next = types[i];
    if (next == TypeId::unknown || next == common) continue;
    if (common == TypeId::unknown) {
      common = next;
      continue;
    }
    const TypeInfo& info = type_info(common);
    if (info.category != type_info(next).category) return {TypeId::none, common, next, i};
    if (!info.preferred && can_coerce(common, next, CastContext::implicit) &&
        !can_coerce(next, common, CastContext::implicit)) {
      common = next;
    }
  }
  return {common == TypeId::unknown ? TypeId::text : common};
}

bool all_can_become(std::span<const TypeId> sources, TypeId target) {
  return std::ranges::all_of(sources, [&](TypeId source) { return can_coerce(source, target, CastContext::implicit); });
}

TypeId settle_polymorphic_types(std::span<const TypeId> actual, std::span<TypeId> declared, TypeId result) {
  PolymorphicTypes types;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (is_polymorphic(declared[i])) collect_polymorphic(types, actual[i], declared[i]);
  }
  if (types.any_arguments) settle_elements(types);
  if (types.any_compatible) settle_compatible(types);
  if (!types.any_arguments && !types.any_compatible) return result;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (takes_compatible(declared[i]) || actual[i] == TypeId::unknown) declared[i] = settled_type(types, declared[i]);
  }
  return settled_type(types, result);
}

int select_candidate(std::span<const TypeId> actual, std::span<const TypeId> types) {
  Candidates candidates{types, actual.size(), {}};
  for (std::size_t i = 0; i < types.size() / actual.size(); ++i) candidates.left.push_back(static_cast<int>(i));
  keep_best(candidates, [&](int candidate) {
    int exact = 0;
    for (std::size_t i = 0; i < actual.size(); ++i)
      exact += actual[i] != TypeId::unknown && candidates.type(candidate, i) == actual[i];
    return exact;
  });
  if (candidates.left.size() == 1) return candidates.left[0];
  keep_best(candidates, [&](int candidate) {
    int good = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      if (actual[i] == TypeId::unknown) continue;
      const TypeId wanted = candidates.type(candidate, i);
      const TypeInfo& info = type_info(wanted);
      good += wanted == actual[i] || (info.preferred && info.category == type_info(actual[i]).category);
    }
    return good;
  });
  if (candidates.left.size() == 1) return candidates.left[0];
  if (std::ranges::find(actual, TypeId::unknown) == actual.end()) return -1;
  keep_by_unknown_slots(candidates, actual);
  if (candidates.left.size() == 1) return candidates.left[0];
  return find_by_known_type(candidates, actual);
}

}  // namespace polarsim::engine::query
