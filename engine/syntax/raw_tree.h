// Reading the grammar's JSON tree: fields that have their default value are absent from it. Private to the parser.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::engine::syntax::raw {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

inline bool has(object fields, std::string_view key) { return fields[key].error() == simdjson::SUCCESS; }

inline std::string_view text_of(object fields, std::string_view key) {
  std::string_view value;
  return fields[key].get(value) == simdjson::SUCCESS ? value : std::string_view();
}

inline std::int64_t integer_of(object fields, std::string_view key) {
  std::int64_t value = 0;
  return fields[key].get(value) == simdjson::SUCCESS ? value : 0;
}

inline bool flag_of(object fields, std::string_view key) {
  bool value = false;
  return fields[key].get(value) == simdjson::SUCCESS && value;
}

// The elements of a list; none if the field is absent.
template <typename Visit>
void for_each(object fields, std::string_view key, Visit visit) {
  array list;
  if (fields[key].get(list) != simdjson::SUCCESS) return;
  for (const element item : list) visit(item);
}

inline std::size_t size_of(object fields, std::string_view key) {
  array list;
  return fields[key].get(list) == simdjson::SUCCESS ? list.size() : 0;
}

// A node is an object with one field, whose key is the kind of the node.
struct Node {
  std::string_view kind;  // empty: a null pointer in a list, such as the one plain DISTINCT leaves
  object fields;

  explicit Node(element wrapped) {
    for (const auto field : object(wrapped)) {
      kind = field.key;
      if (field.value.get(fields) != simdjson::SUCCESS) fields = object();
      break;
    }
  }
};

// The text of a String node.
inline std::string string_of(element wrapped) { return std::string(text_of(Node(wrapped).fields, "sval")); }

// A list of String nodes.
inline std::vector<std::string> strings_of(object fields, std::string_view key) {
  std::vector<std::string> out;
  for_each(fields, key, [&](element item) { out.push_back(string_of(item)); });
  return out;
}

}  // namespace polarsim::engine::syntax::raw
