#include "engine/types/functions_binaries.h"
#include "engine/types/functions_texts.h"
#include "engine/types/hash.h"

// The functions of hash operator classes (PostgreSQL's hashfunc.c).
namespace polarsim::engine::families {
namespace {

Value hash(std::uint32_t value) { return Value::integer(static_cast<std::int32_t>(value)); }

Value hash_text(const FunctionCall& call) { return hash(hash_bytes(call[0].as_text())); }
Value hash_bpchar(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  return hash(hash_bytes(text.substr(0, text.find_last_not_of(' ') + 1)));
}
Value hash_char_byte(const FunctionCall& call) {
  const std::string_view text = call[0].as_text();
  const signed char byte = text.empty() ? 0 : static_cast<signed char>(text.front());
  return hash(hash_uint32(static_cast<std::uint32_t>(std::int32_t{byte})));
}
Value hash_integer(const FunctionCall& call) { return hash(hash_int64(call[0].as_integer())); }

}  // namespace

void add_hashes(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("hashtext", {text}, int4, hash_text),           scalar("hashbpchar", {bpchar}, int4, hash_bpchar),
      scalar("hashname", {name}, int4, hash_text),           scalar("uuid_hash", {uuid}, int4, hash_text),
      scalar("hashchar", {char_byte}, int4, hash_char_byte), scalar("hashint2", {int2}, int4, hash_integer),
      scalar("hashint4", {int4}, int4, hash_integer),        scalar("hashint8", {int8}, int4, hash_integer),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

}  // namespace polarsim::engine::families
