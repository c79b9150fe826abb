#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"
#include "engine/types/numeric.h"

namespace polarsim::engine::syntax {
namespace {

using Kind = Expression::Kind;

constexpr int max_parameter = 65535;

// White space, comments, brackets and signs before a number; true if the number is negative.
bool skip_to_digits(std::string_view& rest) {
  bool negative = false;
  while (!rest.empty() && !(rest.front() >= '0' && rest.front() <= '9')) {
    if (rest.starts_with("--")) {
      const std::size_t end = rest.find_first_of("\r\n");
      rest.remove_prefix(std::min(end, rest.size()));
    } else if (rest.starts_with("/*")) {
      int open = 0;
      do {
        if (rest.starts_with("/*")) ++open;
        if (rest.starts_with("*/")) --open;
        rest.remove_prefix(rest.starts_with("/*") || rest.starts_with("*/") ? 2 : 1);
      } while (open > 0 && !rest.empty());
    } else {
      if (rest.front() == '-') negative = !negative;
      rest.remove_prefix(1);
    }
  }
  return negative;
}

// A number the grammar calls a float: an integer if it is one that int8 holds, as PostgreSQL's make_const() has it.
void take_float(std::string_view digits, Expression& into) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    into.value = Value::integer(value);
    // The one that fits int4 is its lowest, whose digits without the sign do not.
    into.type = value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()
                    ? TypeId::int4
                    : TypeId::int8;
    return;
  }
  try {
    into.value = Value::numeric(Numeric::parse(digits));
  } catch (SqlError& failure) {
    throw SqlError(failure).at(into.position);
  }
  into.type = TypeId::numeric;
}

}  // namespace

// The grammar's JSON shows zero and every negative integer alike, as an empty object; the text still knows. It has
// minus signs, brackets, white space and comments before the digits, and nothing else (but the option's name that
// stands first), or the grammar would not have folded the sign.
std::int64_t TreeBuilder::reread_integer(std::int64_t location, std::string_view word_before) const {
  std::string_view rest = text_.substr(std::min(static_cast<std::size_t>(location), text_.size()));
  rest.remove_prefix(std::min(word_before.size(), rest.size()));
  const bool negative = skip_to_digits(rest);
  std::int64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return negative ? -value : value;
}

ExpressionPtr TreeBuilder::constant(raw::object fields) {
  Expression node = node_at(Kind::constant, position_of(fields));
  raw::object wrapped;
  if (fields["ival"].get(wrapped) == simdjson::SUCCESS) {
    const std::int64_t value = raw::integer_of(wrapped, "ival");
    node.value = Value::integer(value != 0 ? value : reread_integer(raw::integer_of(fields, "location")));
    node.type = TypeId::int4;
  } else if (fields["sval"].get(wrapped) == simdjson::SUCCESS) {
    node.value = Value::text(raw::text_of(wrapped, "sval"));
  } else if (fields["fval"].get(wrapped) == simdjson::SUCCESS) {
    take_float(raw::text_of(wrapped, "fval"), node);
  } else if (fields["boolval"].get(wrapped) == simdjson::SUCCESS) {
    node.value = Value::boolean(raw::flag_of(wrapped, "boolval"));
    node.type = TypeId::boolean;
  } else if (!raw::flag_of(fields, "isnull")) {
    refuse("a bit string", node.position);
  }
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::parameter(raw::object fields) {
  const std::int64_t number = raw::integer_of(fields, "number");
  Expression node = node_at(Kind::parameter, position_of(fields));
  if (number < 1 || number > max_parameter) {
    throw SqlError(sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(number)).at(node.position);
  }
  node.index = static_cast<int>(number);
  parameters_ = std::max(parameters_, node.index);
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::value_function(raw::object fields) {
  Expression node = node_at(Kind::value_function, position_of(fields));
  std::string_view name = raw::text_of(fields, "op");
  if (name.starts_with("SVFOP_")) name.remove_prefix(6);
  if (name.ends_with("_N")) name.remove_suffix(2);
  for (const char c : name) node.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  node.index = static_cast<int>(raw::integer_of(fields, "typmod"));
  return finish(std::move(node));
}

ExpressionPtr TreeBuilder::cast(raw::object fields) {
  const raw::object type_fields = fields["typeName"];
  ExpressionPtr argument = expression(fields["arg"]);
  // What has no place of its own, as DATE '...', stands where its type does.
  int position = position_of(fields);
  if (position == 0) position = position_of(type_fields);
  if (position == 0 && argument->type == TypeId::boolean) return argument;  // TRUE, FALSE
  Expression node = node_at(Kind::cast, position);
  node.type_name = std::make_shared<const TypeName>(type_name(type_fields));
  node.arguments.push_back(std::move(argument));
  return finish(std::move(node));
}

TypeName TreeBuilder::type_name(raw::object fields) const {
  TypeName type;
  type.position = position_of(fields);
  if (raw::flag_of(fields, "setof")) refuse("SETOF", type.position);
  if (raw::flag_of(fields, "pct_type")) refuse("%TYPE", type.position);
  std::vector<std::string> names = object_name(fields, "names", type.position);
  type.schema = std::move(names.front());
  type.name = std::move(names.back());
  raw::for_each(fields, "typmods", [&](raw::element item) {
    const raw::Node node(item);
    raw::object wrapped;
    if (node.kind == "A_Const" && node.fields["ival"].get(wrapped) == simdjson::SUCCESS) {
      const std::int64_t value = raw::integer_of(wrapped, "ival");
      type.modifiers.push_back(value != 0 ? value : reread_integer(raw::integer_of(node.fields, "location")));
      return;
    }
    // Other constants and names are read as integers by the types we have; none of them is one.
    std::string_view written;
    for (const std::string_view key : {"sval", "fval"}) {
      if (node.fields[key].get(wrapped) == simdjson::SUCCESS) written = raw::text_of(wrapped, key);
    }
    if (node.kind == "ColumnRef" && raw::size_of(node.fields, "fields") == 1) {
      raw::for_each(node.fields, "fields",
                    [&](raw::element name) { written = raw::text_of(raw::Node(name).fields, "sval"); });
    }
    if (written.empty()) {
      throw SqlError(sqlstate::syntax_error, "type modifiers must be simple constants or identifiers")
          .at(type.position);
    }
    throw SqlError(sqlstate::invalid_text_representation,
                   "invalid input syntax for type integer: \"" + std::string(written) + '"')
        .at(type.position);
  });
  type.array_dimensions = static_cast<int>(raw::size_of(fields, "arrayBounds"));
  return type;
}

// A number of an option, such as the 5 of START WITH 5.
std::int64_t TreeBuilder::option_integer(raw::object option) const {
  const std::string_view name = raw::text_of(option, "defname");
  raw::element given;
  if (option["arg"].get(given) != simdjson::SUCCESS) {
    throw SqlError(sqlstate::syntax_error, std::string(name) + " requires a numeric value");
  }
  const raw::Node value(given);
  if (value.kind == "Integer") {
    const std::int64_t number = raw::integer_of(value.fields, "ival");
    return number != 0 ? number : reread_integer(raw::integer_of(option, "location"), name);
  }
  const std::string_view digits = raw::text_of(value.fields, "fval");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::result_out_of_range) {
    throw SqlError(sqlstate::numeric_value_out_of_range,
                   "value \"" + std::string(digits) + "\" is out of range for type bigint");
  }
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw SqlError(sqlstate::invalid_text_representation,
                   "invalid input syntax for type bigint: \"" + std::string(digits) + '"');
  }
  return number;
}

Parameter TreeBuilder::parameter_option(raw::object option) {
  Parameter out;
  out.name = raw::text_of(option, "defname");
  if (const std::string_view space = raw::text_of(option, "defnamespace"); !space.empty()) {
    out.name = std::string(space) + '.' + out.name;
  }
  out.position = position_of(option);
  raw::element given;
  if (option["arg"].get(given) != simdjson::SUCCESS) return out;
  const raw::Node value(given);
  const auto text = [](std::string_view written) {
    Expression node = node_at(Kind::constant, 0);
    node.value = Value::text(written);
    return finish(std::move(node));
  };
  Expression node = node_at(Kind::constant, 0);
  if (value.kind == "String") {
    out.value = text(raw::text_of(value.fields, "sval"));
    return out;
  }
  if (value.kind == "Integer") {
    node.value = Value::integer(option_integer(option));
    node.type = TypeId::int4;
  } else if (value.kind == "Float") {
    take_float(raw::text_of(value.fields, "fval"), node);
  } else if (value.kind == "Boolean") {
    node.value = Value::text(raw::flag_of(value.fields, "boolval") ? "true" : "false");
  } else if (value.kind == "A_Star") {
    node.kind = Kind::star;
  } else if (value.kind == "List") {
    node.kind = Kind::row;
    raw::for_each(value.fields, "items",
                  [&](raw::element item) { node.arguments.push_back(text(raw::string_of(item))); });
  } else if (value.kind == "TypeName") {
    // A word that could be a type's name.
    out.value = text(type_name(value.fields).name);
    return out;
  } else {
    refuse("this value of the option " + out.name, out.position);
  }
  out.value = finish(std::move(node));
  return out;
}

std::vector<Parameter> TreeBuilder::parameters(raw::object fields, std::string_view key) {
  std::vector<Parameter> out;
  raw::for_each(fields, key, [&](raw::element item) { out.push_back(parameter_option(raw::Node(item).fields)); });
  return out;
}

// PostgreSQL's defGetBoolean().
bool TreeBuilder::option_flag(const Parameter& option) const {
  if (!option.value) return true;
  const Value& value = option.value->value;
  if (value.is_integer() && (value.as_integer() == 0 || value.as_integer() == 1)) return value.as_integer() == 1;
  if (value.is_text()) {
    std::string word(value.as_text());
    for (char& c : word) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (word == "true" || word == "on") return true;
    if (word == "false" || word == "off") return false;
  }
  throw SqlError(sqlstate::syntax_error, option.name + " requires a Boolean value");
}

}  // namespace polarsim::engine::syntax
