// The text forms of arrays, int2vector and oidvector (PostgreSQL's arrayfuncs.c: array_in(), array_out(); int.c,
// oid.c).
//
// As there, a text is read twice: first its braces and delimiters alone, which tell the dimensions and most of what may
// be wrong, then the elements.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "engine/types/array_access.h"
#include "engine/types/error.h"
#include "engine/types/functions_arrays.h"

namespace polarsim::engine::families {
namespace {

constexpr char delimiter = ',';

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

[[noreturn]] void throw_malformed(std::string_view text, std::string detail) {
  throw SqlError(sqlstate::invalid_text_representation, fmt::format("malformed array literal: \"{}\"", text),
                 std::move(detail));
}

bool is_null_word(std::string_view text) {
  constexpr std::string_view word = "null";
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((text[i] | 0x20) != word[i]) return false;
  }
  return true;
}

// Finds the dimensions that braces and delimiters mean.
class BraceCounter {
 public:
  explicit BraceCounter(std::string_view text) : text_(text) {}

  // The lengths; none for an empty array.
  std::vector<std::int32_t> lengths() {
    for (at_ = 0; !done_; ++at_) step();
    for (; at_ < text_.size(); ++at_) {
      if (!is_space(text_[at_])) fail("Junk after closing right brace.");
    }
    if (is_empty_) return {};
    return {counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(depth_max_)};
  }

 private:
  enum class State : std::uint8_t {
    nothing,
    level_started,
    element_started,
    quoted_started,
    quoted_completed,
    element_delimited,
    level_completed,
    level_delimited
  };

  [[noreturn]] void fail(std::string detail) const { throw_malformed(text_, std::move(detail)); }
  [[noreturn]] void fail_unexpected(char c) const { fail(fmt::format("Unexpected \"{}\" character.", c)); }
  template <typename... States>
  bool is(States... states) const {
    return ((state_ == states) || ...);
  }

  void step() {
    using enum State;
    if (is(element_started, quoted_started)) is_empty_ = false;
    if (at_ >= text_.size()) fail("Unexpected end of input.");
    const char c = text_[at_];
    if (c == '\\') {
      escape();
    } else if (c == '"') {
      if (!is(level_started, quoted_started, element_delimited)) fail("Unexpected array element.");
      in_quotes_ = !in_quotes_;
      state_ = in_quotes_ ? quoted_started : quoted_completed;
    } else if (in_quotes_) {
      return;
    } else if (c == '{') {
      open();
    } else if (c == '}') {
      close();
    } else if (c == delimiter) {
      if (!is(element_started, quoted_completed, level_completed)) fail_unexpected(c);
      state_ = is(level_completed) ? level_delimited : element_delimited;
      ++elements_[depth_ - 1];
      ++counts_[depth_max_ - 1];
    } else if (!is_space(c)) {
      if (!is(level_started, element_started, element_delimited)) fail("Unexpected array element.");
      state_ = element_started;
    }
  }

  void escape() {
    using enum State;
    if (!is(level_started, element_started, quoted_started, element_delimited)) fail_unexpected('\\');
    if (state_ != quoted_started) state_ = element_started;
    if (++at_ >= text_.size()) fail("Unexpected end of input.");
  }

  void open() {
    using enum State;
    if (!is(nothing, level_started, level_delimited)) fail_unexpected('{');
    state_ = level_started;
    check_dimension_count(depth_ + 1);
    counts_[depth_] = 0;
    depth_max_ = std::max(depth_max_, ++depth_);
  }

  void close() {
    using enum State;
    const bool closes_empty = depth_ == 1 && is(level_started);
    if (!is(element_started, quoted_completed, level_completed) && !closes_empty) fail_unexpected('}');
    state_ = level_completed;
    if (depth_ == 0) fail("Unmatched \"}\" character.");
    --depth_;
    if (last_elements_[depth_] != 0 && elements_[depth_] != last_elements_[depth_])
      fail("Multidimensional arrays must have sub-arrays with matching dimensions.");
    last_elements_[depth_] = std::exchange(elements_[depth_], 1);
    if (depth_ == 0) {
      done_ = true;
      ++counts_[depth_max_ - 1];
    } else {
      ++counts_[depth_ - 1];
    }
  }

  static constexpr std::array<std::int32_t, array_dimensions_max> ones{1, 1, 1, 1, 1, 1};

  std::string_view text_;
  std::size_t at_ = 0;
  State state_ = State::nothing;
  std::size_t depth_ = 0;
  std::size_t depth_max_ = 1;
  std::array<std::int32_t, array_dimensions_max> counts_{};
  // Of the level that is open, and of the one before it at the same depth.
  std::array<std::int32_t, array_dimensions_max> elements_ = ones;
  std::array<std::int32_t, array_dimensions_max> last_elements_{};
  bool in_quotes_ = false;
  bool done_ = false;
  bool is_empty_ = true;
};

// Reads the elements of a text whose braces are in order.
class ElementReader {
 public:
  ElementReader(std::string_view whole, std::string_view text, const std::vector<Array::Dimension>& dimensions)
      : whole_(whole), text_(text), dimensions_(dimensions) {}

  std::vector<Value> read(std::int64_t count, Type element, const CallContext& context) {
    std::vector<Value> elements(static_cast<std::size_t>(count));
    bool in_quotes = false;
    for (bool done = false; !done;) {
      start_item();
      for (bool item_done = false; !item_done;) {
        if (text_.empty()) throw_malformed(whole_, "");
        const char c = take();
        if (c == '\\') {
          if (text_.empty()) throw_malformed(whole_, "");
          add_literally(take());
        } else if (c == '"') {
          in_quotes = !in_quotes;
          has_quotes_ = true;
          if (in_quotes) {
            leading_space_ = false;
          } else {
            kept_ = item_.size();
          }
        } else if (in_quotes) {
          item_ += c;
        } else if (c == '{') {
          if (depth_ >= dimensions_.size()) throw_malformed(whole_, "");
          at_[depth_++] = 0;
        } else if (c == '}') {
          item_done = done = close();
        } else if (c == delimiter) {
          find_place();
          item_done = true;
          ++at_[dimensions_.size() - 1];
        } else if (is_space(c)) {
          if (!leading_space_) item_ += c;
        } else {
          add(c);
        }
      }
      store(elements, element, context);
    }
    return elements;
  }

 private:
  char take() {
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  void start_item() {
    item_.clear();
    kept_ = 0;
    leading_space_ = true;
    has_quotes_ = false;
    place_ = -1;
  }
  void add(char c) {
    item_ += c;
    leading_space_ = false;
    kept_ = item_.size();
  }
  void add_literally(char c) {
    add(c);
    has_quotes_ = true;
  }
  // True at the end of the outermost level.
  bool close() {
    if (depth_ == 0) throw_malformed(whole_, "");
    find_place();
    at_[--depth_] = 0;
    if (depth_ == 0) return true;
    ++at_[depth_ - 1];
    return false;
  }
  // Where the item belongs: found where it ends, before the braces behind it count.
  void find_place() {
    if (place_ != -1) return;
    std::int64_t place = 0;
    for (std::size_t i = 0; i < dimensions_.size(); ++i) place = place * dimensions_[i].length + at_[i];
    place_ = place;
  }
  void store(std::vector<Value>& elements, Type element, const CallContext& context) {
    if (place_ < 0 || place_ >= static_cast<std::int64_t>(elements.size())) throw_malformed(whole_, "");
    item_.resize(kept_);
    Value& to = elements[static_cast<std::size_t>(place_)];
    to = !has_quotes_ && is_null_word(item_) ? Value::null() : behaviour_of(element.id).input(item_, element, context);
  }

  std::string_view whole_;
  std::string_view text_;
  const std::vector<Array::Dimension>& dimensions_;
  std::size_t depth_ = 0;
  std::array<std::int64_t, array_dimensions_max> at_{};
  std::int64_t place_ = -1;
  std::string item_;
  std::size_t kept_ = 0;  // without blanks at the end
  bool leading_space_ = true;
  bool has_quotes_ = false;
};

// What atoi() makes of the text.
std::int32_t number_of(std::string_view text) {
  return static_cast<std::int32_t>(std::strtol(std::string(text).c_str(), nullptr, 10));
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

std::string_view take_number(std::string_view& text, std::string_view whole, const char* problem) {
  std::size_t length = 0;
  while (length < text.size() &&
         ((text[length] >= '0' && text[length] <= '9') || text[length] == '-' || text[length] == '+'))
    ++length;
  if (length == 0) throw_malformed(whole, problem);
  const std::string_view number = text.substr(0, length);
  text.remove_prefix(length);
  return number;
}

// [2] or [0:4], any number of them.
std::vector<Array::Dimension> take_bounds(std::string_view& text, std::string_view whole) {
  std::vector<Array::Dimension> dimensions;
  while (true) {
    skip_spaces(text);
    if (!text.starts_with('[')) return dimensions;
    text.remove_prefix(1);
    check_dimension_count(dimensions.size() + 1);
    std::string_view number = take_number(text, whole, "\"[\" must introduce explicitly-specified array dimensions.");
    std::int32_t lower = 1;
    if (text.starts_with(':')) {
      lower = number_of(number);
      text.remove_prefix(1);
      number = take_number(text, whole, "Missing array dimension value.");
    }
    if (!text.starts_with(']')) throw_malformed(whole, "Missing \"]\" after array dimensions.");
    text.remove_prefix(1);
    const std::int32_t upper = number_of(number);
    if (upper < lower) throw SqlError(sqlstate::array_subscript_error, "upper bound cannot be less than lower bound");
    dimensions.push_back({static_cast<std::int32_t>(std::int64_t{upper} - lower + 1), lower});
  }
}

Value array_input(std::string_view whole, Type type, const CallContext& context) {
  const TypeId element = type_info(type.id).element;
  std::string_view text = whole;
  std::vector<Array::Dimension> dimensions = take_bounds(text, whole);
  const bool has_bounds = !dimensions.empty();
  if (has_bounds) {
    if (!text.starts_with('=')) throw_malformed(whole, "Missing \"=\" after array dimensions.");
    text.remove_prefix(1);
    skip_spaces(text);
    if (!text.starts_with('{')) throw_malformed(whole, "Array contents must start with \"{\".");
  } else if (!text.starts_with('{')) {
    throw_malformed(whole, "Array value must start with \"{\" or dimension information.");
  }
  const std::vector<std::int32_t> lengths = BraceCounter(text).lengths();
  if (has_bounds) {
    bool same = lengths.size() == dimensions.size();
    for (std::size_t i = 0; same && i < lengths.size(); ++i) same = lengths[i] == dimensions[i].length;
    if (!same) throw_malformed(whole, "Specified array dimensions do not match array contents.");
  } else {
    for (const std::int32_t length : lengths) dimensions.push_back({length, 1});
  }
  const std::int64_t count = checked_element_count(dimensions);
  if (count == 0) return Value::array(Array(element));
  std::vector<Value> elements =
      ElementReader(whole, text, dimensions).read(count, Type(element, type.modifier), context);
  return Value::array(Array(element, std::move(dimensions), std::move(elements)));
}

bool needs_quotes(std::string_view text) {
  if (text.empty() || is_null_word(text)) return true;
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c)) return true;
  }
  return false;
}

void append_element(std::string& to, const Value& element, const TypeBehaviour& behaviour, const CallContext& context) {
  if (element.is_null()) {
    to += "NULL";
    return;
  }
  const std::size_t start = to.size();
  behaviour.output(to, element, context);
  if (!needs_quotes(std::string_view(to).substr(start))) return;
  const std::string text = to.substr(start);
  to.resize(start);
  to += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') to += '\\';
    to += c;
  }
  to += '"';
}

void array_output(std::string& to, const Value& value, const CallContext& context) {
  const Array& array = value.as_array();
  if (array.empty()) {
    to += "{}";
    return;
  }
  const std::vector<Array::Dimension>& dimensions = array.dimensions();
  bool has_bounds = false;
  for (const Array::Dimension& dimension : dimensions) has_bounds = has_bounds || dimension.lower_bound != 1;
  if (has_bounds) {
    for (const Array::Dimension& each : dimensions)
      to += fmt::format("[{}:{}]", each.lower_bound, std::int64_t{each.lower_bound} + each.length - 1);
    to += '=';
  }
  const TypeBehaviour& behaviour = behaviour_of(array.element());
  const std::vector<Value>& elements = array.elements();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    // How many rows begin and end with this element.
    std::size_t row = 1;
    std::size_t opened = 0;
    std::size_t closed = 0;
    for (std::size_t inner = dimensions.size(); inner > 0; --inner) {
      row *= static_cast<std::size_t>(dimensions[inner - 1].length);
      opened += i % row == 0 ? 1 : 0;
      closed += (i + 1) % row == 0 ? 1 : 0;
    }
    if (i > 0) to += delimiter;
    to.append(opened, '{');
    append_element(to, elements[i], behaviour, context);
    to.append(closed, '}');
  }
}

[[noreturn]] void throw_bad_number(const char* type, std::string_view text) {
  throw SqlError(sqlstate::invalid_text_representation,
                 fmt::format("invalid input syntax for type {}: \"{}\"", type, text));
}
[[noreturn]] void throw_number_out_of_range(const char* type, std::string_view text) {
  throw SqlError(sqlstate::numeric_value_out_of_range,
                 fmt::format("value \"{}\" is out of range for type {}", text, type));
}

// int2vector and oidvector: numbers with blanks between them, counted from 0.
Value vector_input(std::string_view text, Type type, const CallContext&) {
  constexpr std::size_t int2vector_max = 100;
  const bool is_oid = type.id == TypeId::oidvector;
  const char* const name = is_oid ? "oid" : "smallint";
  const std::string owned(text);
  std::vector<Value> elements;
  const char* rest = owned.c_str();
  while (true) {
    while (is_space(*rest)) ++rest;
    if (*rest == '\0') break;
    if (!is_oid && elements.size() == int2vector_max)
      throw SqlError(sqlstate::invalid_parameter_value, "int2vector has too many elements");
    char* end = nullptr;
    errno = 0;
    const long number = std::strtol(rest, &end, 10);
    if (end == rest) throw_bad_number(name, rest);
    const bool fits = is_oid ? number >= INT32_MIN && number <= UINT32_MAX : number >= INT16_MIN && number <= INT16_MAX;
    if (errno == ERANGE || !fits) throw_number_out_of_range(name, rest);
    if (!is_oid && *end != '\0' && *end != ' ') throw_bad_number(name, rest);
    elements.push_back(Value::integer(is_oid ? static_cast<std::uint32_t>(number) : number));
    rest = end;
  }
  const TypeId element = type_info(type.id).element;
  if (elements.empty()) return Value::array(Array(element));
  const auto length = static_cast<std::int32_t>(elements.size());
  return Value::array(Array(element, {{length, 0}}, std::move(elements)));
}

void vector_output(std::string& to, const Value& value, const CallContext&) {
  bool is_first = true;
  for (const Value& element : value.as_array().elements()) {
    if (!is_first) to += ' ';
    is_first = false;
    to += fmt::to_string(element.as_integer());
  }
}

// Columns of pg_stats are arrays of any element.
Value any_array_input(std::string_view, Type, const CallContext&) {
  throw SqlError(sqlstate::feature_not_supported, "cannot accept a value of type anyarray");
}

}  // namespace

void add_array_types(Entries& to) {
  to.types.push_back({TypeId::any_array, any_array_input, array_output, nullptr, nullptr, nullptr});
  for (const TypeInfo& info : all_types()) {
    if (info.element == TypeId::none) continue;
    const bool is_vector = info.id == TypeId::int2vector || info.id == TypeId::oidvector;
    const bool is_ordered = info.element != TypeId::json && info.element != TypeId::xid;
    const auto compare = info.id == TypeId::oidvector ? compare_oidvectors : compare_arrays;
    to.types.push_back({info.id, is_vector ? vector_input : array_input, is_vector ? vector_output : array_output,
                        is_ordered ? compare : nullptr, info.element != TypeId::json ? hash_array : nullptr, nullptr});
  }
}

}  // namespace polarsim::engine::families
