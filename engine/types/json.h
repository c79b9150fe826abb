// JSON documents as jsonb keeps them: numbers exactly, object keys once (the last one wins), ordered by length and then
// by bytes (PostgreSQL's src/include/utils/jsonb.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/types/numeric.h"

namespace polarsim::engine {

class Json {
 public:
  struct Member;
  using Elements = std::vector<Json>;
  using Members = std::vector<Member>;

  // Containers in containers, and a scalar inside: what is deeper is refused with 54001 "stack depth limit exceeded"
  // (PostgreSQL's limit is some thousands, but our stacks are smaller).
  static constexpr std::size_t depth_max = 250;

  Json() = default;  // null
  explicit Json(bool value);
  explicit Json(Numeric value);
  explicit Json(std::string value);
  explicit Json(Elements elements);  // throws 54001
  // Sorts the members and drops all but the last of those with one key. Throws 54001.
  explicit Json(Members members);
  // PostgreSQL's jsonb_in. Throws SqlError 22P02 "invalid input syntax for type json", 22P05 for \u0000, 54001 for too
  // deep a nesting.
  static Json parse(std::string_view text);

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_number() const { return std::holds_alternative<Numeric>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Elements>(data_); }
  bool is_object() const { return std::holds_alternative<Members>(data_); }
  bool is_scalar() const { return !is_array() && !is_object(); }

  bool as_boolean() const { return std::get<bool>(data_); }
  const Numeric& as_number() const { return std::get<Numeric>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }
  const Elements& elements() const { return std::get<Elements>(data_); }
  const Members& members() const { return std::get<Members>(data_); }
  const Json* find(std::string_view key) const;  // null if there is none, or it is no object
  // "object", "array", "string", "number", "boolean", "null".
  const char* type_name() const;

  void append_to(std::string& to) const;  // {"a": 1, "b": [1, 2]}
  std::string to_string() const;
  std::string to_pretty_string() const;  // jsonb_pretty()
  // jsonb's B-tree order: Object > Array > Boolean > Number > String > Null, bigger containers above smaller ones; but
  // an empty array that is the whole document is below everything.
  static int compare(const Json& a, const Json& b);
  std::uint32_t hash() const;  // jsonb_hash()
  // @>
  bool contains(const Json& other) const;

  // 1.0 differs from 1.00. For SQL's `=`: compare().
  friend bool operator==(const Json& a, const Json& b);

 private:
  std::size_t depth() const { return depth_; }
  static int compare_nested(const Json& a, const Json& b);
  void append_pretty(std::string& to, int level) const;
  void append_scalar(std::string& to) const;

  std::uint16_t depth_ = 1;
  std::variant<std::monostate, bool, Numeric, std::string, Elements, Members> data_;
};

struct Json::Member {
  std::string key;
  Json value;
  friend bool operator==(const Member&, const Member&) = default;
};

// Here, because the variant needs to know what a member is.
inline Json::Json(bool value) : data_(value) {}
inline Json::Json(Numeric value) : data_(std::move(value)) {}
inline Json::Json(std::string value) : data_(std::move(value)) {}

// In double quotes, with escapes for quotes, backslashes and control characters.
void append_json_string(std::string& to, std::string_view text);
[[noreturn]] void throw_json_too_deep();

}  // namespace polarsim::engine
