#include "engine/types/functions_binaries.h"

#include <fmt/format.h>

#include <limits>

#include "engine/types/comparisons.h"
#include "engine/types/error.h"
#include "engine/types/functions_texts.h"

// bytea and the functions on its bytes (PostgreSQL's varlena.c).
namespace polarsim::engine::families {
namespace {

Value bytea_input(std::string_view text, Type, const CallContext&) {
  return Value::text(text.starts_with("\\x") ? from_hexadecimal(text.substr(2)) : from_escapes(text));
}
void bytea_output(std::string& to, const Value& value, const CallContext&) {
  to += "\\x";
  to += to_hexadecimal(value.as_text());
}

Value length(const FunctionCall& call) { return Value::integer(static_cast<std::int64_t>(call[0].as_text().size())); }
Value bit_length(const FunctionCall& call) {
  const auto bits = static_cast<std::int64_t>(call[0].as_text().size()) * 8;
  if (bits > std::numeric_limits<std::int32_t>::max()) {
    throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
  }
  return Value::integer(bits);
}

std::string_view part(std::string_view bytes, Span span) {
  const auto first = static_cast<std::size_t>(span.first);
  return first >= bytes.size() ? std::string_view() : bytes.substr(first, static_cast<std::size_t>(span.length));
}
Value substring(const FunctionCall& call) {
  const std::int64_t start = call[1].as_integer();
  const Span span = call.size() > 2 ? substring_span(start, call[2].as_integer()) : substring_span(start);
  return Value::text(part(call[0].as_text(), span));
}
Value overlay(const FunctionCall& call) {
  const std::string_view bytes = call[0].as_text();
  const std::string_view placed = call[1].as_text();
  const std::int64_t start = call[2].as_integer();
  const std::int64_t replaced = call.size() > 3 ? call[3].as_integer() : static_cast<std::int64_t>(placed.size());
  if (start <= 0) throw SqlError(sqlstate::substring_error, "negative substring length not allowed");
  const std::int64_t next = start + replaced;
  if (next > std::numeric_limits<std::int32_t>::max() || next < std::numeric_limits<std::int32_t>::min()) {
    throw SqlError(sqlstate::numeric_value_out_of_range, "integer out of range");
  }
  std::string result(part(bytes, substring_span(1, start - 1)));
  result += placed;
  return Value::text(result += part(bytes, substring_span(next)));
}
Value position(const FunctionCall& call) {
  const std::size_t found = call[0].as_text().find(call[1].as_text());
  return Value::integer(found == std::string_view::npos ? 0 : static_cast<std::int64_t>(found) + 1);
}
template <TrimSides sides>
Value trim(const FunctionCall& call) {
  return Value::text(trim_bytes(call[0].as_text(), call[1].as_text(), sides));
}
Value concatenate(const FunctionCall& call) {
  return Value::text(std::string(call[0].as_text()) + std::string(call[1].as_text()));
}

// The index in argument 1, of `size` bytes or bits.
std::size_t index_of(const FunctionCall& call, std::size_t size) {
  const std::int64_t index = call[1].as_integer();
  if (index < 0 || index >= static_cast<std::int64_t>(size)) {
    throw SqlError(sqlstate::array_subscript_error,
                   fmt::format("index {} out of valid range, 0..{}", index, static_cast<std::int64_t>(size) - 1));
  }
  return static_cast<std::size_t>(index);
}
Value get_byte(const FunctionCall& call) {
  const std::string_view bytes = call[0].as_text();
  return Value::integer(static_cast<unsigned char>(bytes[index_of(call, bytes.size())]));
}
Value set_byte(const FunctionCall& call) {
  std::string bytes(call[0].as_text());
  bytes[index_of(call, bytes.size())] = static_cast<char>(static_cast<unsigned char>(call[2].as_integer() & 0xff));
  return Value::text(bytes);
}
Value get_bit(const FunctionCall& call) {
  const std::string_view bytes = call[0].as_text();
  const std::size_t index = index_of(call, bytes.size() * 8);
  return Value::integer((static_cast<unsigned char>(bytes[index / 8]) >> (index % 8)) & 1);
}
Value set_bit(const FunctionCall& call) {
  std::string bytes(call[0].as_text());
  const std::size_t index = index_of(call, bytes.size() * 8);
  const std::int64_t bit = call[2].as_integer();
  if (bit != 0 && bit != 1) throw SqlError(sqlstate::invalid_parameter_value, "new bit must be 0 or 1");
  const auto byte = static_cast<unsigned char>(bytes[index / 8]);
  const unsigned mask = 1U << (index % 8);
  bytes[index / 8] = static_cast<char>(static_cast<unsigned char>(bit != 0 ? byte | mask : byte & ~mask));
  return Value::text(bytes);
}
Value bit_count(const FunctionCall& call) {
  std::int64_t bits = 0;
  for (const char byte : call[0].as_text()) bits += __builtin_popcount(static_cast<unsigned char>(byte));
  return Value::integer(bits);
}

}  // namespace

int compare_byte_strings(const Value& a, const Value& b) {
  const int order = a.as_text().compare(b.as_text());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}
bool are_equal_byte_strings(const Value& a, const Value& b) { return a.as_text() == b.as_text(); }
std::uint64_t hash_byte_string(const Value& value) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, then a finalizer
  for (const char byte : value.as_text()) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

std::string_view trim_bytes(std::string_view text, std::string_view set, TrimSides sides) {
  const auto contains = [&](char byte) { return set.find(byte) != std::string_view::npos; };
  while (sides != TrimSides::right && !text.empty() && contains(text.front())) text.remove_prefix(1);
  while (sides != TrimSides::left && !text.empty() && contains(text.back())) text.remove_suffix(1);
  return text;
}

void add_byte_functions(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      scalar("length", {bytea}, int4, length),
      scalar("octet_length", {bytea}, int4, length),
      scalar("bit_length", {bytea}, int4, bit_length),
      scalar("substring", {bytea, int4}, bytea, substring),
      scalar("substring", {bytea, int4, int4}, bytea, substring),
      scalar("substr", {bytea, int4}, bytea, substring),
      scalar("substr", {bytea, int4, int4}, bytea, substring),
      scalar("overlay", {bytea, bytea, int4}, bytea, overlay),
      scalar("overlay", {bytea, bytea, int4, int4}, bytea, overlay),
      scalar("position", {bytea, bytea}, int4, position),
      scalar("btrim", {bytea, bytea}, bytea, trim<TrimSides::both>),
      scalar("ltrim", {bytea, bytea}, bytea, trim<TrimSides::left>),
      scalar("rtrim", {bytea, bytea}, bytea, trim<TrimSides::right>),
      scalar("get_byte", {bytea, int4}, int4, get_byte),
      scalar("set_byte", {bytea, int4, int4}, bytea, set_byte),
      scalar("get_bit", {bytea, int8}, int4, get_bit),
      scalar("set_bit", {bytea, int8, int4}, bytea, set_bit),
      scalar("bit_count", {bytea}, int8, bit_count),
      scalar("byteacat", {bytea, bytea}, bytea, concatenate),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  to.operators.push_back({"||", bytea, bytea, bytea, concatenate, "byteacat"});
}

void add_binaries(Entries& to) {
  using enum TypeId;
  to.types.push_back({bytea, bytea_input, bytea_output, compare_byte_strings, hash_byte_string, nullptr});
  add_comparisons<compare_byte_strings, are_equal_byte_strings>(
      to, bytea, bytea, {"bytealt", "byteale", "byteaeq", "byteane", "byteage", "byteagt"});
  add_byte_functions(to);
  add_encoding_functions(to);
  add_uuid(to);
  add_hashes(to);
}

}  // namespace polarsim::engine::families
