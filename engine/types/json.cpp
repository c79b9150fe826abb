#include "engine/types/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/types/error.h"
#include "engine/types/hash.h"
#include "engine/types/json_parser.h"
#include "engine/types/stack_depth.h"

namespace polarsim::engine {
namespace {

bool key_less(std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

bool is_sorted_without_duplicates(const Json::Members& members) {
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (!key_less(members[i - 1].key, members[i].key)) return false;
  }
  return true;
}

// Makes documents of what is parsed.
struct JsonBuilder {
  using Node = Json;
  using Array = Json::Elements;
  using Object = Json::Members;

  static Json scalar(JsonLexer& lexer) {
    switch (lexer.token()) {
      case JsonLexer::Token::string:
        return Json(std::move(lexer.string()));
      case JsonLexer::Token::number:
        return Json(Numeric::parse(lexer.lexeme()));
      case JsonLexer::Token::null_word:
        return Json();
      default:
        return Json(lexer.token() == JsonLexer::Token::true_word);
    }
  }
  static void add(Array& array, Json element) { array.push_back(std::move(element)); }
  static void add(Object& object, std::string key, Json value) { object.push_back({std::move(key), std::move(value)}); }
  static Json finish(Array&& array, std::string_view) { return Json(std::move(array)); }
  static Json finish(Object&& object, std::string_view) { return Json(std::move(object)); }
};

// PostgreSQL's hash_numeric(): of the digits, whatever the sign.
std::uint32_t hash_number(const Numeric& number) {
  if (!number.is_finite()) return 0;
  const Numeric::Parts parts = number.parts();
  if (parts.digits.empty()) return ~std::uint32_t{0};
  const std::string_view bytes(reinterpret_cast<const char*>(parts.digits.data()), 2 * parts.digits.size());
  return hash_bytes(bytes) ^ static_cast<std::uint32_t>(parts.weight);
}

void add_hash(std::uint32_t& hash, std::uint32_t of_scalar) { hash = std::rotl(hash, 1) ^ of_scalar; }

void add_hash(std::uint32_t& hash, const Json& json) {
  constexpr std::uint32_t array_mark = 0x40000000;
  constexpr std::uint32_t object_mark = 0x20000000;
  if (json.is_array()) {
    hash ^= array_mark;
    for (const Json& element : json.elements()) add_hash(hash, element);
  } else if (json.is_object()) {
    hash ^= object_mark;
    for (const Json::Member& member : json.members()) {
      add_hash(hash, hash_bytes(member.key));
      add_hash(hash, member.value);
    }
  } else if (json.is_string()) {
    add_hash(hash, hash_bytes(json.as_string()));
  } else if (json.is_number()) {
    add_hash(hash, hash_number(json.as_number()));
  } else if (json.is_boolean()) {
    add_hash(hash, json.as_boolean() ? 2U : 4U);
  } else {
    add_hash(hash, 1U);
  }
}

// The place of its kind in the order.
int rank(const Json& json) {
  return json.is_null()      ? 0
         : json.is_string()  ? 1
         : json.is_number()  ? 2
         : json.is_boolean() ? 3
         : json.is_array()   ? 4
                             : 5;
}

template <typename T>
int compare_plain(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}
int compare_texts(std::string_view a, std::string_view b) { return compare_plain(a.compare(b), 0); }

bool are_equal_scalars(const Json& a, const Json& b) {
  return b.is_scalar() && rank(a) == rank(b) && Json::compare(a, b) == 0;
}

}  // namespace

void throw_json_too_deep() { throw_stack_too_deep(); }

Json::Json(Elements elements) : data_(std::move(elements)) {
  std::size_t depth = 0;
  for (const Json& element : this->elements()) depth = std::max(depth, element.depth());
  if (depth >= depth_max) throw_json_too_deep();
  depth_ = static_cast<std::uint16_t>(depth + 1);
}

Json::Json(Members members) {
  if (!is_sorted_without_duplicates(members)) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      if (members[a].key == members[b].key) return a < b;
      return key_less(members[a].key, members[b].key);
    });
    Members kept;
    kept.reserve(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool is_last = i + 1 == order.size() || members[order[i]].key != members[order[i + 1]].key;
      if (is_last) kept.push_back(std::move(members[order[i]]));
    }
    members = std::move(kept);
  }
  std::size_t depth = 0;
  for (const Member& member : members) depth = std::max(depth, member.value.depth());
  if (depth >= depth_max) throw_json_too_deep();
  depth_ = static_cast<std::uint16_t>(depth + 1);
  data_ = std::move(members);
}

Json Json::parse(std::string_view text) { return JsonParser<JsonBuilder>(text, true).parse(); }

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const auto found =
      std::lower_bound(members().begin(), members().end(), key,
                       [](const Member& member, std::string_view wanted) { return key_less(member.key, wanted); });
  return found != members().end() && found->key == key ? &found->value : nullptr;
}

const char* Json::type_name() const {
  constexpr const char* names[] = {"null", "string", "number", "boolean", "array", "object"};
  return names[rank(*this)];
}

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  for (const char c : text) {
    switch (c) {
      case '\b':
        to += "\\b";
        break;
      case '\f':
        to += "\\f";
        break;
      case '\n':
        to += "\\n";
        break;
      case '\r':
        to += "\\r";
        break;
      case '\t':
        to += "\\t";
        break;
      case '"':
      case '\\':
        to += '\\';
        to += c;
        break;
      default:
        if (static_cast<unsigned char>(c) < ' ') {
          to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          to += c;
        }
    }
  }
  to += '"';
}

void Json::append_scalar(std::string& to) const {
  if (is_string()) {
    append_json_string(to, as_string());
  } else if (is_number()) {
    to += as_number().to_string();
  } else {
    to += is_null() ? "null" : as_boolean() ? "true" : "false";
  }
}

void Json::append_to(std::string& to) const {
  if (is_scalar()) return append_scalar(to);
  const char* separator = "";
  to += is_array() ? '[' : '{';
  if (is_array()) {
    for (const Json& element : elements()) {
      to += separator;
      element.append_to(to);
      separator = ", ";
    }
    to += ']';
    return;
  }
  for (const Member& member : members()) {
    to += separator;
    append_json_string(to, member.key);
    to += ": ";
    member.value.append_to(to);
    separator = ", ";
  }
  to += '}';
}

std::string Json::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

void Json::append_pretty(std::string& to, int level) const {
  if (is_scalar()) return append_scalar(to);
  const auto new_line = [&to](int at_level) {
    to += '\n';
    to.append(static_cast<std::size_t>(at_level) * 4, ' ');
  };
  bool is_first = true;
  const auto next = [&] {
    if (!is_first) to += ',';
    is_first = false;
    new_line(level + 1);
  };
  if (is_array()) {
    to += '[';
    for (const Json& element : elements()) {
      next();
      element.append_pretty(to, level + 1);
    }
  } else {
    to += '{';
    for (const Member& member : members()) {
      next();
      append_json_string(to, member.key);
      to += ": ";
      member.value.append_pretty(to, level + 1);
    }
  }
  new_line(level);
  to += is_array() ? ']' : '}';
}

std::string Json::to_pretty_string() const {
  std::string text;
  append_pretty(text, 0);
  return text;
}

int Json::compare_nested(const Json& a, const Json& b) {
  if (rank(a) != rank(b)) return compare_plain(rank(a), rank(b));
  if (a.is_string()) return compare_texts(a.as_string(), b.as_string());
  if (a.is_number()) return Numeric::compare(a.as_number(), b.as_number());
  if (a.is_boolean()) return compare_plain(a.as_boolean(), b.as_boolean());
  if (a.is_null()) return 0;
  if (a.is_array()) {
    const Elements& x = a.elements();
    const Elements& y = b.elements();
    if (x.size() != y.size()) return compare_plain(x.size(), y.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (const int order = compare_nested(x[i], y[i]); order != 0) return order;
    }
    return 0;
  }
  const Members& x = a.members();
  const Members& y = b.members();
  if (x.size() != y.size()) return compare_plain(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (const int order = compare_texts(x[i].key, y[i].key); order != 0) return order;
    if (const int order = compare_nested(x[i].value, y[i].value); order != 0) return order;
  }
  return 0;
}

int Json::compare(const Json& a, const Json& b) {
  const auto is_empty_array = [](const Json& json) { return json.is_array() && json.elements().empty(); };
  if (is_empty_array(a) || is_empty_array(b)) return compare_plain(is_empty_array(b), is_empty_array(a));
  return compare_nested(a, b);
}

std::uint32_t Json::hash() const {
  // PostgreSQL does not look into an empty document.
  if ((is_array() && elements().empty()) || (is_object() && members().empty())) return 0;
  // A scalar document is hashed as an array of it.
  std::uint32_t hash = is_scalar() ? 0x40000000 : 0;
  add_hash(hash, *this);
  return hash;
}

bool Json::contains(const Json& other) const {
  if (is_object() != other.is_object()) return false;
  if (is_object()) {
    if (members().size() < other.members().size()) return false;
    return std::ranges::all_of(other.members(), [this](const Member& wanted) {
      const Json* value = find(wanted.key);
      if (value == nullptr) return false;
      if (value->is_scalar()) return are_equal_scalars(*value, wanted.value);
      return !wanted.value.is_scalar() && value->contains(wanted.value);
    });
  }
  if (is_scalar()) return are_equal_scalars(*this, other);
  const auto has = [this](const Json& wanted) {
    return std::ranges::any_of(elements(), [&wanted](const Json& element) {
      if (wanted.is_scalar()) return are_equal_scalars(wanted, element);
      return !element.is_scalar() && element.contains(wanted);
    });
  };
  return other.is_scalar() ? has(other) : std::ranges::all_of(other.elements(), has);
}

bool operator==(const Json& a, const Json& b) { return a.data_ == b.data_; }

}  // namespace polarsim::engine
