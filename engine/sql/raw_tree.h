// Reading the grammar's JSON tree: fields that have their default value are absent from it.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::engine::sql::raw {

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

// A node is an object with one field, whose key is the kind of the node.
struct Node {
  std::string_view kind;
  object fields;

  explicit Node(element wrapped) {
    for (const auto field : object(wrapped)) {
      kind = field.key;
      // An empty list element, such as the one plain DISTINCT leaves, has no fields.
      if (field.value.get(fields) != simdjson::SUCCESS) fields = object();
      break;
    }
  }
};

}  // namespace polarsim::engine::sql::raw
