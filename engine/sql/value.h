// SQL values and types.
//
// A value is NULL or holds its type's representation: bool, int64 (for int4 and int8), or text bytes in UTF-8.
// Text forms in and out are PostgreSQL's: "t"/"f", decimal digits, the text itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace polarsim::engine {

enum class TypeId : std::uint8_t {
  unknown,  // an untyped literal or NULL, not yet given a type by its context
  boolean,
  int4,
  int8,
  text,
};

// PostgreSQL's display name: "boolean", "integer", "bigint", "text".
const char* type_name(TypeId type);
// The type's OID in pg_type (16, 23, 20, 25; unknown 705), as the wire protocol needs.
std::uint32_t type_oid(TypeId type);
TypeId type_from_oid(std::uint32_t oid);  // unknown for any other

class Value {
 public:
  Value() = default;  // NULL
  static Value null() { return {}; }
  static Value boolean(bool value) { return Value(Data(value)); }
  static Value integer(std::int64_t value) { return Value(Data(value)); }
  static Value text(std::string value) { return Value(Data(std::move(value))); }

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_text() const { return std::holds_alternative<std::string>(data_); }
  // The representation asked for must be the one held.
  bool as_boolean() const { return std::get<bool>(data_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(data_); }
  const std::string& as_text() const { return std::get<std::string>(data_); }

  // Representation equality (NULL equals NULL): for containers and tests, not SQL's `=`.
  friend bool operator==(const Value&, const Value&) = default;

 private:
  using Data = std::variant<std::monostate, bool, std::int64_t, std::string>;
  explicit Value(Data data) : data_(std::move(data)) {}
  Data data_;
};

using Row = std::vector<Value>;

// PostgreSQL's text output; the value must not be NULL.
std::string to_text(const Value& value);
// PostgreSQL's text input for `type`; throws SqlError 22P02 or 22003 with PostgreSQL's message.
Value from_text(std::string_view text, TypeId type);
// Order of two non-null values of the same type family: negative, zero, positive. Text compares bytewise (collation C).
int compare(const Value& a, const Value& b);
// As an SQL literal that parses back to the same value: 'it''s', 42, true, NULL.
std::string to_literal(const Value& value);

}  // namespace polarsim::engine
