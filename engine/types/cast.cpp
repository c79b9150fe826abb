#include "engine/types/cast.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/families.h"
#include "engine/types/text_form.h"

// The ways from type to type are found as PostgreSQL's find_coercion_pathway() does (parse_coerce.c).
namespace polarsim::engine {
namespace {

using Kind = Conversion::Kind;

int strength(CastContext context) {
  switch (context) {
    case CastContext::implicit:
      return 0;
    case CastContext::assignment:
      return 1;
    case CastContext::explicit_only:
      return 2;
  }
  return 2;
}

bool allows(CastContext context, CastContext needed) { return strength(context) >= strength(needed); }

// int2vector and oidvector are no arrays in this sense, although they can be converted to arrays.
TypeId element_of(TypeId type) {
  if (type == TypeId::int2vector || type == TypeId::oidvector) return TypeId::none;
  return type_info(type).element;
}

bool takes_any_value(TypeId type) { return type == TypeId::any || is_polymorphic(type); }

Conversion find_array_conversion(TypeId source, TypeId target, CastContext context) {
  const TypeId source_element = type_info(source).element;
  const TypeId target_element = element_of(target);
  if (source_element == TypeId::none || target_element == TypeId::none) return {};
  if (!find_conversion(source_element, target_element, context).possible()) return {};
  return {Kind::array};
}

Conversion find_text_conversion(TypeId source, TypeId target, CastContext context) {
  if (allows(context, CastContext::assignment) && is_string(target)) return {Kind::by_text};
  if (allows(context, CastContext::explicit_only) && is_string(source)) return {Kind::by_text};
  return {};
}

// Elements get the target's modifier, too, if `modify`.
Value convert_array(const Value& value, Type source, Type target, bool modify, bool by_cast,
                    const CallContext& context) {
  const Array& array = value.as_array();
  const TypeId from = type_info(source.id).element;
  const TypeId to = element_of(target.id);
  const Conversion conversion = find_conversion(from, to, CastContext::explicit_only);
  std::vector<Value> elements;
  elements.reserve(array.elements().size());
  for (const Value& element : array.elements()) {
    Value converted = convert(conversion, element, Type(from, source.modifier), Type(to), context);
    elements.push_back(modify ? apply_modifier(converted, Type(to, target.modifier), by_cast) : std::move(converted));
  }
  return Value::array(Array(to, array.dimensions(), std::move(elements)));
}

}  // namespace

Conversion find_conversion(TypeId source, TypeId target, CastContext context) {
  if (source == target || takes_any_value(target)) return {Kind::relabel};
  if (source == TypeId::unknown) return {Kind::by_text};
  if (const CastEntry* cast = find_cast(source, target)) {
    if (!allows(context, cast->context)) return {};
    return {cast->function ? Kind::function : Kind::relabel, cast};
  }
  if (const Conversion by_element = find_array_conversion(source, target, context); by_element.possible())
    return by_element;
  return find_text_conversion(source, target, context);
}

Value convert(const Conversion& conversion, const Value& value, Type source, Type target, const CallContext& context) {
  if (value.is_null()) return value;
  switch (conversion.kind) {
    case Kind::none:
      break;
    case Kind::relabel:
      return value;
    case Kind::function: {
      const std::array types{source};
      return conversion.cast->function({{&value, 1}, types, Type(target.id), context});
    }
    case Kind::by_text:
      return input_value(output_value(value, source.id, context), Type(target.id), context);
    case Kind::array:
      return convert_array(value, source, target, false, false, context);
  }
  throw SqlError(sqlstate::internal_error, "there is no conversion from type " + std::string(type_name(source.id)) +
                                               " to type " + type_name(target.id));
}

Value convert_and_modify(const Conversion& conversion, const Value& value, Type source, Type target, bool by_cast,
                         const CallContext& context) {
  if (conversion.kind == Kind::array && !value.is_null())
    return convert_array(value, source, target, has_modifier(target), by_cast, context);
  return apply_modifier(convert(conversion, value, source, target, context), target, by_cast);
}

bool has_modifier(Type type) {
  if (type.modifier == no_modifier) return false;
  const TypeId element = element_of(type.id);
  return families::behaviour_of(element == TypeId::none ? type.id : element).modify != nullptr;
}

Value apply_modifier(const Value& value, Type type, bool by_cast) {
  if (value.is_null() || type.modifier == no_modifier) return value;
  const TypeId element = element_of(type.id);
  if (element == TypeId::none) {
    const auto modify = families::behaviour_of(type.id).modify;
    return modify ? modify(value, type, by_cast) : value;
  }
  if (!has_modifier(type)) return value;
  const Array& array = value.as_array();
  std::vector<Value> elements;
  elements.reserve(array.elements().size());
  for (const Value& each : array.elements())
    elements.push_back(apply_modifier(each, Type(element, type.modifier), by_cast));
  return Value::array(Array(element, array.dimensions(), std::move(elements)));
}

}  // namespace polarsim::engine
