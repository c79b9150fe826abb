#include "engine/types/text_form.h"

#include "engine/types/array.h"
#include "engine/types/families.h"

namespace polarsim::engine {

Value input_value(std::string_view text, Type type, const CallContext& context) {
  return families::behaviour_of(type.id).input(text, type, context);
}

void append_output(std::string& to, const Value& value, TypeId type, const CallContext& context) {
  families::behaviour_of(type).output(to, value, context);
}

std::string output_value(const Value& value, TypeId type, const CallContext& context) {
  std::string text;
  append_output(text, value, type, context);
  return text;
}

std::string plain_text(const Value& value) {
  const auto type = [&] {
    switch (value.kind()) {
      case Value::Kind::boolean:
        return TypeId::boolean;
      case Value::Kind::integer:
        return TypeId::int8;
      case Value::Kind::floating:
        return TypeId::float8;
      case Value::Kind::numeric:
        return TypeId::numeric;
      case Value::Kind::interval:
        return TypeId::interval;
      case Value::Kind::json:
        return TypeId::jsonb;
      case Value::Kind::array:
        return type_info(value.as_array().element()).array;
      case Value::Kind::record:
        return TypeId::record;
      default:
        return TypeId::text;
    }
  };
  return output_value(value, type(), CallContext());
}

}  // namespace polarsim::engine
