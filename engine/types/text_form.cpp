#include "engine/types/text_form.h"

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

}  // namespace polarsim::engine
