#include "engine/types/functions_texts.h"

#include <fmt/format.h>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/utf8.h"

// Text forms and order of the string types (PostgreSQL's varlena.c, varchar.c, name.c, char.c). Their collation is C.
namespace polarsim::engine::families {
namespace {

int compare_bytes(std::string_view a, std::string_view b) {
  const int order = a.compare(b);  // of unsigned bytes
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

bool are_equal_texts(const Value& a, const Value& b) { return a.as_text() == b.as_text(); }
int compare_texts(const Value& a, const Value& b) { return compare_bytes(a.as_text(), b.as_text()); }
int compare_padded(const Value& a, const Value& b) {
  return compare_bytes(without_blanks(a.as_text()), without_blanks(b.as_text()));
}
// "char" is a byte; the empty text is the zero byte.
unsigned char byte_of(const Value& value) {
  const std::string_view text = value.as_text();
  return text.empty() ? 0 : static_cast<unsigned char>(text.front());
}
int compare_char_bytes(const Value& a, const Value& b) { return int{byte_of(a)} - int{byte_of(b)}; }

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, then a finalizer that spreads it over all bits
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}
std::uint64_t hash_text(const Value& value) { return hash_bytes(value.as_text()); }
std::uint64_t hash_padded(const Value& value) { return hash_bytes(without_blanks(value.as_text())); }

Value text_input(std::string_view text, Type, const CallContext&) { return Value::text(text); }
void text_output(std::string& to, const Value& value, const CallContext&) { to += value.as_text(); }

Value name_of(std::string_view text) { return Value::text(utf8::prefix_of_bytes(text, name_bytes_max)); }
Value name_input(std::string_view text, Type, const CallContext&) { return name_of(text); }

Value char_byte_of(unsigned char byte) {
  const char character = static_cast<char>(byte);
  return Value::text(byte == 0 ? std::string_view() : std::string_view(&character, 1));
}
// "\ooo" is a byte in octal; else the first byte counts.
Value char_byte_from(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  if (text.size() == 4 && text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3])) {
    return char_byte_of(static_cast<unsigned char>(((text[1] - '0') << 6) + ((text[2] - '0') << 3) + (text[3] - '0')));
  }
  return Value::text(text.substr(0, 1));
}
std::string char_byte_text(const Value& value) {
  const unsigned char byte = byte_of(value);
  if (byte >= 0x80) return fmt::format("\\{:03o}", byte);
  return byte == 0 ? std::string() : std::string(1, static_cast<char>(byte));
}
Value char_byte_input(std::string_view text, Type, const CallContext&) { return char_byte_from(text); }
void char_byte_output(std::string& to, const Value& value, const CallContext&) { to += char_byte_text(value); }

// What is too long loses blanks silently, other characters only by an explicit cast.
std::string_view cut(std::string_view text, std::size_t characters, bool by_cast, const char* type) {
  if (text.size() <= characters) return text;
  const std::size_t end = utf8::offset_of(text, characters);
  if (end < text.size() && !by_cast && text.find_first_not_of(' ', end) != std::string_view::npos) {
    throw SqlError(sqlstate::string_data_right_truncation,
                   fmt::format("value too long for type {}({})", type, characters));
  }
  return text.substr(0, end);
}
std::size_t characters_of(Type type) { return static_cast<std::size_t>(type.modifier - 4); }

Value keep_to_varchar(const Value& value, Type type, bool by_cast) {
  const std::string_view text = value.as_text();
  const std::string_view kept = cut(text, characters_of(type), by_cast, "character varying");
  return kept.size() == text.size() ? value : Value::text(kept);
}
Value keep_to_bpchar(const Value& value, Type type, bool by_cast) {
  const std::string_view text = value.as_text();
  const std::string_view kept = cut(text, characters_of(type), by_cast, "character");
  const std::size_t characters = utf8::count(kept);
  if (characters == characters_of(type)) return kept.size() == text.size() ? value : Value::text(kept);
  std::string padded(kept);
  padded.append(characters_of(type) - characters, ' ');
  return Value::text(padded);
}
Value varchar_input(std::string_view text, Type type, const CallContext&) {
  const Value value = Value::text(text);
  return type.modifier == no_modifier ? value : keep_to_varchar(value, type, false);
}
Value bpchar_input(std::string_view text, Type type, const CallContext&) {
  const Value value = Value::text(text);
  return type.modifier == no_modifier ? value : keep_to_bpchar(value, type, false);
}

// What a conversion to varchar(n) or char(n) does to the length, by name: the value, n + 4, and whether it was asked
// for by an explicit cast.
template <TypeId type, Value (*keep)(const Value&, Type, bool)>
Value keep_by_name(const FunctionCall& call) {
  const Type kept(type, static_cast<std::int32_t>(call[1].as_integer()));
  return kept.modifier < 4 ? call[0] : keep(call[0], kept, call[2].as_boolean());
}

// Casts.
Value same(const FunctionCall& call) { return call[0]; }
Value bpchar_to_text(const FunctionCall& call) { return Value::text(without_blanks(call[0].as_text())); }
Value text_to_name(const FunctionCall& call) { return name_of(call[0].as_text()); }
Value bpchar_to_name(const FunctionCall& call) {
  const std::string_view name = utf8::prefix_of_bytes(call[0].as_text(), name_bytes_max);
  return Value::text(without_blanks(name));
}
Value text_to_char_byte(const FunctionCall& call) { return char_byte_from(call[0].as_text()); }
Value char_byte_to_text(const FunctionCall& call) { return Value::text(char_byte_text(call[0])); }
// char_bpchar(): the byte itself, without the octal form. (PostgreSQL keeps a zero byte, and never shows it.)
Value char_byte_to_bpchar(const FunctionCall& call) {
  const char byte = static_cast<char>(byte_of(call[0]));
  if (byte == 0) return Value::text("");
  return Value::text(std::string_view(&byte, 1));
}
Value char_byte_to_int4(const FunctionCall& call) { return Value::integer(static_cast<std::int8_t>(byte_of(call[0]))); }
Value int4_to_char_byte(const FunctionCall& call) {
  const std::int64_t value = call[0].as_integer();
  if (value < -128 || value > 127) {
    throw SqlError(sqlstate::numeric_value_out_of_range, "\"char\" out of range");
  }
  return char_byte_of(static_cast<unsigned char>(value));
}

void add_behaviours(Entries& to) {
  using enum TypeId;
  to.types.push_back({text, text_input, text_output, compare_texts, hash_text, nullptr});
  to.types.push_back({varchar, varchar_input, text_output, compare_texts, hash_text, keep_to_varchar});
  to.types.push_back({bpchar, bpchar_input, text_output, compare_padded, hash_padded, keep_to_bpchar});
  to.types.push_back({name, name_input, text_output, compare_texts, hash_text, nullptr});
  to.types.push_back({char_byte, char_byte_input, char_byte_output, compare_char_bytes, hash_text, nullptr});
  to.types.push_back({unknown, text_input, text_output, nullptr, nullptr, nullptr});
}

void add_casts(Entries& to) {
  using enum TypeId;
  using enum CastContext;
  struct Cast {
    TypeId source, target;
    CastContext context;
    ScalarFunction function;
    const char* name;  // of the function, if it can be called by one
  };
  const Cast casts[] = {
      {text, bpchar, implicit, nullptr, nullptr},
      {text, varchar, implicit, nullptr, nullptr},
      {varchar, text, implicit, nullptr, nullptr},
      {varchar, bpchar, implicit, nullptr, nullptr},
      {bpchar, text, implicit, bpchar_to_text, "text"},
      {bpchar, varchar, implicit, bpchar_to_text, nullptr},
      {bpchar, name, implicit, bpchar_to_name, "name"},
      {text, name, implicit, text_to_name, "name"},
      {varchar, name, implicit, text_to_name, "name"},
      {name, text, implicit, same, "text"},
      {name, bpchar, assignment, same, "bpchar"},
      {name, varchar, assignment, same, "varchar"},
      {char_byte, text, implicit, char_byte_to_text, "text"},
      {char_byte, bpchar, assignment, char_byte_to_bpchar, "bpchar"},
      {char_byte, varchar, assignment, char_byte_to_text, nullptr},
      {text, char_byte, assignment, text_to_char_byte, "char"},
      {bpchar, char_byte, assignment, text_to_char_byte, nullptr},
      {varchar, char_byte, assignment, text_to_char_byte, nullptr},
      {char_byte, int4, explicit_only, char_byte_to_int4, "int4"},
      {int4, char_byte, explicit_only, int4_to_char_byte, "char"},
  };
  to.functions.push_back(scalar("varchar", {varchar, int4, boolean}, varchar, keep_by_name<varchar, keep_to_varchar>));
  to.functions.push_back(scalar("bpchar", {bpchar, int4, boolean}, bpchar, keep_by_name<bpchar, keep_to_bpchar>));
  for (const Cast& cast : casts) {
    to.casts.push_back({cast.source, cast.target, cast.context, cast.function});
    if (cast.name) to.functions.push_back(scalar(cast.name, {cast.source}, cast.target, cast.function));
  }
}

// Of equal ones, which may have different blanks, the first.
Value larger_padded(const FunctionCall& call) { return compare_padded(call[0], call[1]) >= 0 ? call[0] : call[1]; }
Value smaller_padded(const FunctionCall& call) { return compare_padded(call[0], call[1]) <= 0 ? call[0] : call[1]; }

void add_orders(Entries& to) {
  using enum TypeId;
  add_comparisons<compare_texts, are_equal_texts>(to, text, text,
                                                  {"text_lt", "text_le", "texteq", "textne", "text_ge", "text_gt"});
  add_comparisons<compare_padded>(to, bpchar, bpchar,
                                  {"bpcharlt", "bpcharle", "bpchareq", "bpcharne", "bpcharge", "bpchargt"});
  add_comparisons<compare_texts, are_equal_texts>(to, name, name,
                                                  {"namelt", "namele", "nameeq", "namene", "namege", "namegt"});
  add_comparisons<compare_texts>(to, name, text,
                                 {"namelttext", "nameletext", "nameeqtext", "namenetext", "namegetext", "namegttext"});
  add_comparisons<compare_texts>(to, text, name,
                                 {"textltname", "textlename", "texteqname", "textnename", "textgename", "textgtname"});
  add_comparisons<compare_char_bytes>(to, char_byte, char_byte,
                                      {"charlt", "charle", "chareq", "charne", "charge", "chargt"});
  for (const TypeId type : {text, bpchar}) {
    const bool is_text = type == text;
    to.functions.push_back(scalar(is_text ? "text_larger" : "bpchar_larger", {type, type}, type,
                                  is_text ? larger<compare_texts> : larger_padded));
    to.functions.push_back(scalar(is_text ? "text_smaller" : "bpchar_smaller", {type, type}, type,
                                  is_text ? smaller<compare_texts> : smaller_padded));
  }
}

// The operators of text_pattern_ops, which compare bytes whatever the collation.
template <Comparer compare>
void add_pattern_order(Entries& to, TypeId type, const std::array<const char*, 4>& names) {
  using enum TypeId;
  struct Comparison {
    const char *symbol, *commutator, *negator;
    ScalarFunction function;
  };
  const Comparison comparisons[] = {{"~<~", "~>~", "~>=~", compared<compare, std::less<>>},
                                    {"~<=~", "~>=~", "~>~", compared<compare, std::less_equal<>>},
                                    {"~>=~", "~<=~", "~<~", compared<compare, std::greater_equal<>>},
                                    {"~>~", "~<~", "~<=~", compared<compare, std::greater<>>}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Comparison& one = comparisons[i];
    to.functions.push_back(scalar(names[i], {type, type}, boolean, one.function));
    to.operators.push_back({.symbol = one.symbol,
                            .left = type,
                            .right = type,
                            .result = boolean,
                            .function = one.function,
                            .function_name = names[i],
                            .commutator = one.commutator,
                            .negator = one.negator});
  }
}

}  // namespace

void throw_length_too_large() { throw SqlError(sqlstate::program_limit_exceeded, "requested length too large"); }

void check_room(std::size_t bytes, std::size_t more) {
  if (bytes + more < value_bytes_max) return;
  throw SqlError(sqlstate::program_limit_exceeded, "out of memory",
                 fmt::format("Cannot enlarge string buffer containing {} bytes by {} more bytes.", bytes, more));
}

void add_text_types(Entries& to) {
  add_behaviours(to);
  add_casts(to);
  add_orders(to);
  add_pattern_order<compare_texts>(to, TypeId::text,
                                   {"text_pattern_lt", "text_pattern_le", "text_pattern_ge", "text_pattern_gt"});
  add_pattern_order<compare_padded>(
      to, TypeId::bpchar, {"bpchar_pattern_lt", "bpchar_pattern_le", "bpchar_pattern_ge", "bpchar_pattern_gt"});
}

void add_texts(Entries& to) {
  add_text_types(to);
  add_text_characters(to);
  add_text_lists(to);
  add_text_formats(to);
  add_text_support(to);
  add_text_identifiers(to);
}

}  // namespace polarsim::engine::families
