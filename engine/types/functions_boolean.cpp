#include <fmt/format.h>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/families.h"

// boolean (PostgreSQL's src/backend/utils/adt/bool.c).
namespace polarsim::engine::families {
namespace {

// What C's isspace() accepts in the C locale.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Whether `text` is a beginning of `word`, in any case, of at least `shortest` characters.
bool abbreviates(std::string_view text, std::string_view word, std::size_t shortest) {
  if (text.size() < shortest || text.size() > word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != word[i]) return false;
  }
  return true;
}

Value boolean_input(std::string_view text, Type, const CallContext&) {
  const std::string_view word = trimmed(text);
  if (word == "1" || abbreviates(word, "true", 1) || abbreviates(word, "yes", 1) || abbreviates(word, "on", 2))
    return Value::boolean(true);
  if (word == "0" || abbreviates(word, "false", 1) || abbreviates(word, "no", 1) || abbreviates(word, "off", 2))
    return Value::boolean(false);
  throw SqlError(sqlstate::invalid_text_representation,
                 fmt::format("invalid input syntax for type boolean: \"{}\"", text));
}

void boolean_output(std::string& to, const Value& value, const CallContext&) { to += value.as_boolean() ? 't' : 'f'; }

int compare_booleans(const Value& a, const Value& b) { return int{a.as_boolean()} - int{b.as_boolean()}; }

std::uint64_t hash_boolean(const Value& value) {
  return value.as_boolean() ? 0x9E3779B97F4A7C15U : 0x2545F4914F6CDD1DU;
}

Value to_int4(const FunctionCall& call) { return Value::integer(call[0].as_boolean() ? 1 : 0); }
Value from_int4(const FunctionCall& call) { return Value::boolean(call[0].as_integer() != 0); }
Value to_text(const FunctionCall& call) { return Value::text(call[0].as_boolean() ? "true" : "false"); }
Value both(const FunctionCall& call) { return Value::boolean(call[0].as_boolean() && call[1].as_boolean()); }
Value either(const FunctionCall& call) { return Value::boolean(call[0].as_boolean() || call[1].as_boolean()); }

FunctionEntry scalar(const char* name, std::vector<TypeId> arguments, TypeId result, ScalarFunction function) {
  return {.name = name, .arguments = std::move(arguments), .result = result, .scalar = function};
}

}  // namespace

void add_boolean(Entries& to) {
  using enum TypeId;
  to.types.push_back({boolean, boolean_input, boolean_output, compare_booleans, hash_boolean, nullptr});
  add_comparisons<compare_booleans>(to, boolean, boolean, {"boollt", "boolle", "booleq", "boolne", "boolge", "boolgt"});
  to.functions.push_back(scalar("btboolcmp", {boolean, boolean}, int4, compared_as_integer<compare_booleans>));
  to.functions.push_back(scalar("booland_statefunc", {boolean, boolean}, boolean, both));
  to.functions.push_back(scalar("boolor_statefunc", {boolean, boolean}, boolean, either));
  to.functions.push_back(scalar("int4", {boolean}, int4, to_int4));
  to.functions.push_back(scalar("bool", {int4}, boolean, from_int4));
  to.functions.push_back(scalar("text", {boolean}, text, to_text));
  to.casts.push_back({int4, boolean, CastContext::explicit_only, from_int4});
  to.casts.push_back({boolean, int4, CastContext::explicit_only, to_int4});
  for (const TypeId string : {text, varchar, bpchar})
    to.casts.push_back({boolean, string, CastContext::assignment, to_text});
}

}  // namespace polarsim::engine::families
