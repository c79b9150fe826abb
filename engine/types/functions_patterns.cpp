#include "engine/types/functions_patterns.h"

#include "engine/types/functions_texts.h"
#include "engine/types/like.h"

// LIKE, SIMILAR TO and the operators of regular expressions.
namespace polarsim::engine::families {
namespace {

template <LikeCharacters characters, bool wanted>
Value like(const FunctionCall& call) {
  return Value::boolean(is_like(call[0].as_text(), call[1].as_text(), characters) == wanted);
}
template <bool ignore_case, bool wanted>
Value regex(const FunctionCall& call) {
  return Value::boolean(regex_matches(call, ignore_case).as_boolean() == wanted);
}

template <bool is_bytes>
Value like_escape(const FunctionCall& call) {
  return Value::text(like_pattern(call[0].as_text(), call[1].as_text(), is_bytes));
}
Value similar_to_escape(const FunctionCall& call) {
  return Value::text(similar_pattern(call[0].as_text(), call.size() > 1 ? call[1].as_text() : "\\"));
}
// The deprecated form: a NULL escape means the backslash.
Value similar_escape(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  return Value::text(similar_pattern(call[0].as_text(), call[1].is_null() ? "\\" : call[1].as_text()));
}

struct PatternOperator {
  const char* symbol;
  const char* negator;
  ScalarFunction function;
};

void add_operators(Entries& to, TypeId left, TypeId right, std::span<const PatternOperator> operators,
                   std::span<const char* const> names) {
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const PatternOperator& one = operators[i];
    to.functions.push_back(scalar(names[i], {left, right}, TypeId::boolean, one.function));
    to.operators.push_back({.symbol = one.symbol,
                            .left = left,
                            .right = right,
                            .result = TypeId::boolean,
                            .function = one.function,
                            .function_name = names[i],
                            .negator = one.negator});
  }
}

}  // namespace

void add_patterns(Entries& to) {
  using enum TypeId;
  using enum LikeCharacters;
  constexpr PatternOperator operators[] = {
      {"~~", "!~~", like<utf8, true>},
      {"!~~", "~~", like<utf8, false>},
      {"~~*", "!~~*", like<utf8_ignoring_case, true>},
      {"!~~*", "~~*", like<utf8_ignoring_case, false>},
      {"~", "!~", regex<false, true>},
      {"!~", "~", regex<false, false>},
      {"~*", "!~*", regex<true, true>},
      {"!~*", "~*", regex<true, false>},
  };
  constexpr const char* text_names[] = {"textlike",    "textnlike",   "texticlike",    "texticnlike",
                                        "textregexeq", "textregexne", "texticregexeq", "texticregexne"};
  constexpr const char* name_names[] = {"namelike",    "namenlike",   "nameiclike",    "nameicnlike",
                                        "nameregexeq", "nameregexne", "nameicregexeq", "nameicregexne"};
  constexpr const char* bpchar_names[] = {"bpcharlike",    "bpcharnlike",   "bpchariclike",    "bpcharicnlike",
                                          "bpcharregexeq", "bpcharregexne", "bpcharicregexeq", "bpcharicregexne"};
  add_operators(to, text, text, operators, text_names);
  add_operators(to, name, text, operators, name_names);
  add_operators(to, bpchar, text, operators, bpchar_names);
  constexpr PatternOperator byte_operators[] = {{"~~", "!~~", like<bytes, true>}, {"!~~", "~~", like<bytes, false>}};
  constexpr const char* byte_names[] = {"bytealike", "byteanlike"};
  add_operators(to, bytea, bytea, byte_operators, byte_names);

  const FunctionEntry functions[] = {
      scalar("like", {text, text}, boolean, like<utf8, true>),
      scalar("like", {name, text}, boolean, like<utf8, true>),
      scalar("like", {bytea, bytea}, boolean, like<bytes, true>),
      scalar("notlike", {text, text}, boolean, like<utf8, false>),
      scalar("notlike", {name, text}, boolean, like<utf8, false>),
      scalar("notlike", {bytea, bytea}, boolean, like<bytes, false>),
      scalar("like_escape", {text, text}, text, like_escape<false>),
      scalar("like_escape", {bytea, bytea}, bytea, like_escape<true>),
      scalar("similar_to_escape", {text}, text, similar_to_escape),
      scalar("similar_to_escape", {text, text}, text, similar_to_escape),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  to.functions.push_back(
      {.name = "similar_escape", .arguments = {text, text}, .result = text, .strict = false, .scalar = similar_escape});
  add_regex_functions(to);
}

}  // namespace polarsim::engine::families
