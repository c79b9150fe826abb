// The comparison functions behind B-tree indexes of texts and byte strings, which anyone may call (PostgreSQL's
// varlena.c, varchar.c, name.c, char.c, uuid.c). Their results are differences of bytes, as memcmp() gives them there.
#include "engine/types/functions_texts.h"

namespace polarsim::engine::families {
namespace {

// Of the first bytes that differ; 0 if there are none.
int byte_difference(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i] != b[i]) return static_cast<unsigned char>(a[i]) - static_cast<unsigned char>(b[i]);
  }
  return 0;
}

int compare_strings(std::string_view a, std::string_view b) {
  if (const int difference = byte_difference(a, b); difference != 0) return difference;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

Value compare_texts(const FunctionCall& call) {
  return Value::integer(compare_strings(call[0].as_text(), call[1].as_text()));
}

std::string_view without_blanks(std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); }
Value compare_padded(const FunctionCall& call) {
  return Value::integer(compare_strings(without_blanks(call[0].as_text()), without_blanks(call[1].as_text())));
}

// A zero byte ends the shorter one, of names and of "char".
Value compare_terminated(const FunctionCall& call) {
  const std::string_view a = call[0].as_text();
  const std::string_view b = call[1].as_text();
  if (const int difference = byte_difference(a, b); difference != 0) return Value::integer(difference);
  if (a.size() < b.size()) return Value::integer(-int{static_cast<unsigned char>(b[a.size()])});
  return Value::integer(a.size() > b.size() ? static_cast<unsigned char>(a[b.size()]) : 0);
}

}  // namespace

void add_text_support(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("bttextcmp", {text, text}, int4, compare_texts),
      scalar("bttext_pattern_cmp", {text, text}, int4, compare_texts),
      scalar("bpcharcmp", {bpchar, bpchar}, int4, compare_padded),
      scalar("btbpchar_pattern_cmp", {bpchar, bpchar}, int4, compare_padded),
      scalar("btnamecmp", {name, name}, int4, compare_terminated),
      scalar("btnametextcmp", {name, text}, int4, compare_texts),
      scalar("bttextnamecmp", {text, name}, int4, compare_texts),
      scalar("btcharcmp", {char_byte, char_byte}, int4, compare_terminated),
      scalar("byteacmp", {bytea, bytea}, int4, compare_texts),
      scalar("uuid_cmp", {uuid, uuid}, int4, compare_texts),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

}  // namespace polarsim::engine::families
