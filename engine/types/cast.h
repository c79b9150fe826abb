// Conversions between types (PostgreSQL's src/include/catalog/pg_cast.dat and parse_coerce.c).
#pragma once

#include <string_view>

#include "engine/types/function.h"

namespace polarsim::engine {

// Who may use a conversion without asking for it by CAST.
enum class CastContext : char { implicit = 'i', assignment = 'a', explicit_only = 'e' };

struct CastEntry {
  TypeId source = TypeId::none;
  TypeId target = TypeId::none;
  CastContext context = CastContext::explicit_only;
  ScalarFunction function = nullptr;  // null: the representation stays as it is
  Volatility volatility = Volatility::immutable;
};

// Every entry.
std::span<const CastEntry> all_casts();
// The entry of pg_cast, or null. Conversions to and from the string types by text form are not among them: see
// find_conversion().
const CastEntry* find_cast(TypeId source, TypeId target);

// How a value of one type becomes one of another.
struct Conversion {
  enum class Kind : std::uint8_t {
    none,      // there is no way
    relabel,   // the same representation
    function,  // `cast`
    by_text,   // output of the source, input of the target (to a string type, or explicitly from one)
    array,     // element by element, by the conversion between the element types
  } kind = Kind::none;
  const CastEntry* cast = nullptr;
  bool possible() const { return kind != Kind::none; }
};
// `source` may be unknown: a literal's text is the target's input.
Conversion find_conversion(TypeId source, TypeId target, CastContext context);

// Applies a conversion found for these types; NULL stays NULL. The target's modifier is not looked at.
Value convert(const Conversion& conversion, const Value& value, Type source, Type target, const CallContext& context);
// Makes the value keep to the type's modifier: pads and cuts strings, rounds numbers and times. `by_cast`: an explicit
// cast cuts what an assignment refuses (22001 "value too long for type character varying(5)"). Throws SqlError 22003.
Value apply_modifier(const Value& value, Type type, bool by_cast);
// Both, one element of an array after the other, as PostgreSQL's ArrayCoerceExpr does: the first element that is wrong
// in either way is the one that is complained of.
Value convert_and_modify(const Conversion& conversion, const Value& value, Type source, Type target, bool by_cast,
                         const CallContext& context);
// Whether apply_modifier() can change a value of the type.
bool has_modifier(Type type);

}  // namespace polarsim::engine
