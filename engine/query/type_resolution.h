// Which types fit together: implicit conversions of argument lists, common types, polymorphic types (PostgreSQL's
// src/backend/parser/parse_coerce.c, documentation 10.1 to 10.5 and 38.2.5). About types alone; private to the analysis
// of expressions. Unknown types (literals, NULL, parameters without a type) fit everything.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "engine/types/cast.h"
#include "engine/types/error.h"
#include "engine/types/type.h"

namespace polarsim::engine::query {

// `position`: 1-based, 0 if there is none.
[[noreturn]] void throw_error(const char* state, std::string message, int position, std::string detail = "",
                              std::string hint = "");

// The type of an array's elements; none if it is no array.
TypeId element_type(TypeId type);
// The type of arrays of these; none if there is none.
TypeId array_type(TypeId type);

// Whether each source can become its target; polymorphic targets must agree among themselves, too.
bool can_coerce(TypeId source, TypeId target, CastContext context);
bool can_coerce(std::span<const TypeId> sources, std::span<const TypeId> targets, CastContext context);

// What UNION and CASE make of several types.
struct CommonType {
  TypeId type = TypeId::none;  // none: these cannot be matched, because of
  TypeId first = TypeId::none;
  TypeId second = TypeId::none;
  std::size_t second_index = 0;
};
CommonType find_common_type(std::span<const TypeId> types);
// Whether all can become the type: a common type may still not be reached by all.
bool all_can_become(std::span<const TypeId> sources, TypeId target);

// Of a call with polymorphic types in its declaration: replaces the declared types that unknown and any_compatible
// arguments have to become, and returns what `result` means. Throws 42804, 42704, as PostgreSQL without a position.
TypeId settle_polymorphic_types(std::span<const TypeId> actual, std::span<TypeId> declared, TypeId result);

// PostgreSQL's func_select_candidate(): the best of several candidates, whose arguments the given ones can become
// implicitly. -1 if there is none. Candidate i takes types[i * actual.size()...].
int select_candidate(std::span<const TypeId> actual, std::span<const TypeId> types);

}  // namespace polarsim::engine::query
