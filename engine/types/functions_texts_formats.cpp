#include <fmt/format.h>

#include <limits>
#include <optional>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/functions_texts.h"
#include "engine/types/quote.h"
#include "engine/types/text_form.h"
#include "engine/types/utf8.h"

// Texts made of values of any type (PostgreSQL's varlena.c, quote.c).
namespace polarsim::engine::families {
namespace {

// The text form an argument has, as its type's output function writes it.
void append_argument(std::string& to, const FunctionCall& call, std::size_t i) {
  if (call[i].is_text()) check_room(to.size(), call[i].as_text().size());
  append_output(to, call[i], call.types[i].id, call.context);
}
std::string argument_text(const FunctionCall& call, std::size_t i) {
  std::string text;
  append_argument(text, call, i);
  return text;
}
// As the cast to text does: char(n) loses its blanks, booleans are spelled out.
std::string cast_text(const FunctionCall& call, std::size_t i) {
  if (call.types[i].id == TypeId::boolean) return call[i].as_boolean() ? "true" : "false";
  std::string text = argument_text(call, i);
  if (call.types[i].id == TypeId::bpchar) text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

// The elements of an array that was written VARIADIC in place of the arguments from `first` on: the call as it would be
// with them. A NULL array has none.
class SpreadCall {
 public:
  SpreadCall(const FunctionCall& call, std::size_t first)
      : values_(call.arguments.begin(), call.arguments.begin() + static_cast<std::ptrdiff_t>(first)),
        types_(call.types.begin(), call.types.begin() + static_cast<std::ptrdiff_t>(first)),
        context_(call.context),
        result_(call.result) {
    if (call[first].is_null()) return;
    const Array& array = call[first].as_array();
    values_.insert(values_.end(), array.elements().begin(), array.elements().end());
    types_.resize(values_.size(), array.element());
  }
  FunctionCall call() const { return {values_, types_, result_, context_}; }

 private:
  std::vector<Value> values_;
  std::vector<Type> types_;
  const CallContext& context_;
  Type result_;
};

Value concat(const FunctionCall& call) {
  if (call.variadic_array) return call[0].is_null() ? Value::null() : concat(SpreadCall(call, 0).call());
  std::string result;
  for (std::size_t i = 0; i < call.size(); ++i) {
    if (!call[i].is_null()) append_argument(result, call, i);
  }
  return Value::text(result);
}
Value concat_ws(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  if (call.variadic_array) return call[1].is_null() ? Value::null() : concat_ws(SpreadCall(call, 1).call());
  std::string result;
  bool is_first = true;
  for (std::size_t i = 1; i < call.size(); ++i) {
    if (call[i].is_null()) continue;
    if (!is_first) {
      check_room(result.size(), call[0].as_text().size());
      result += call[0].as_text();
    }
    is_first = false;
    append_argument(result, call, i);
  }
  return Value::text(result);
}
Value text_then_any(const FunctionCall& call) {
  return Value::text(std::string(call[0].as_text()) + cast_text(call, 1));
}
Value any_then_text(const FunctionCall& call) {
  return Value::text(cast_text(call, 0) + std::string(call[1].as_text()));
}

Value quote_text(const FunctionCall& call) { return Value::text(quote_literal(call[0].as_text())); }
Value quote_any(const FunctionCall& call) { return Value::text(quote_literal(cast_text(call, 0))); }
Value quote_nullable_text(const FunctionCall& call) {
  return call[0].is_null() ? Value::text("NULL") : quote_text(call);
}
Value quote_nullable_any(const FunctionCall& call) { return call[0].is_null() ? Value::text("NULL") : quote_any(call); }

// What stands between % and the letter of a format: [position$][flags][width].
struct FormatSpecifier {
  std::optional<std::size_t> position;        // of the value, counted from 1
  std::optional<std::size_t> width_position;  // 0: the next argument
  std::int64_t width = 0;
  bool left_aligned = false;
  char conversion = 's';
};

class FormatReader {
 public:
  explicit FormatReader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  // The rest of a specifier, behind its %. Nothing for %%.
  std::optional<FormatSpecifier> specifier() {
    require_more();
    if (rest_.front() == '%') {
      take();
      return std::nullopt;
    }
    FormatSpecifier specifier;
    read_position_and_width(specifier);
    specifier.conversion = rest_.front();
    if (std::string_view("sIL").find(specifier.conversion) == std::string_view::npos) {
      throw SqlError(
          sqlstate::invalid_parameter_value,
          fmt::format("unrecognized format() type specifier \"{}\"", rest_.substr(0, utf8::length_at(rest_, 0))), "",
          "For a single \"%\" use \"%%\".");
    }
    take();
    return specifier;
  }

 private:
  void require_more() const {
    if (at_end()) {
      throw SqlError(sqlstate::invalid_parameter_value, "unterminated format() type specifier", "",
                     "For a single \"%\" use \"%%\".");
    }
  }
  std::optional<std::int64_t> number() {
    std::optional<std::int64_t> value;
    while (rest_.front() >= '0' && rest_.front() <= '9') {
      value = value.value_or(0) * 10 + (take() - '0');
      if (*value > std::numeric_limits<std::int32_t>::max()) {
        throw SqlError(sqlstate::numeric_value_out_of_range, "number is out of range");
      }
      require_more();
    }
    return value;
  }
  std::size_t position_from(std::int64_t number) {
    if (number == 0) {
      throw SqlError(sqlstate::invalid_parameter_value,
                     "format specifies argument 0, but arguments are numbered from 1");
    }
    take();  // the $
    require_more();
    return static_cast<std::size_t>(number);
  }
  void read_position_and_width(FormatSpecifier& specifier) {
    if (const auto first = number()) {
      if (rest_.front() != '$') {
        specifier.width = *first;
        return;
      }
      specifier.position = position_from(*first);
    }
    while (rest_.front() == '-') {
      specifier.left_aligned = true;
      take();
      require_more();
    }
    if (rest_.front() != '*') {
      specifier.width = number().value_or(0);
      return;
    }
    take();
    require_more();
    specifier.width_position = 0;
    if (const auto position = number()) {
      if (rest_.front() != '$') {
        throw SqlError(sqlstate::invalid_parameter_value, "width argument position must be ended by \"$\"");
      }
      specifier.width_position = position_from(*position);
    }
  }

  std::string_view rest_;
};

class Formatter {
 public:
  explicit Formatter(const FunctionCall& call) : call_(call) {}

  std::string format(std::string_view text) {
    for (FormatReader reader(text); !reader.at_end();) {
      const char c = reader.take();
      if (c != '%') {
        result_ += c;
      } else if (std::optional<FormatSpecifier> specifier = reader.specifier()) {
        append(*specifier);
      } else {
        result_ += '%';
      }
    }
    return std::move(result_);
  }

 private:
  // The argument to use now: the one at the position, or the next.
  std::size_t argument(std::size_t position) {
    if (position > 0) next_ = position;
    if (next_ >= call_.size()) throw SqlError(sqlstate::invalid_parameter_value, "too few arguments for format()");
    return next_++;
  }
  std::int64_t width_argument(std::size_t position) {
    const std::size_t i = argument(position);
    if (call_[i].is_null()) return 0;
    if (call_[i].is_integer() && (call_.types[i].id == TypeId::int4 || call_.types[i].id == TypeId::int2)) {
      return call_[i].as_integer();
    }
    return input_value(argument_text(call_, i), TypeId::int4, call_.context).as_integer();
  }
  void append(const FormatSpecifier& specifier) {
    std::int64_t width = specifier.width;
    if (specifier.width_position) width = width_argument(*specifier.width_position);
    const std::string shown = converted(argument(specifier.position.value_or(0)), specifier.conversion);
    const bool left_aligned = specifier.left_aligned || width < 0;
    if (width == std::numeric_limits<std::int32_t>::min()) {
      throw SqlError(sqlstate::numeric_value_out_of_range, "number is out of range");
    }
    const auto wanted = static_cast<std::size_t>(std::abs(width));
    const std::size_t characters = wanted == 0 ? 0 : utf8::count(shown);
    const std::size_t padding = wanted > characters ? wanted - characters : 0;
    if (!left_aligned) pad(padding);
    check_room(result_.size(), shown.size());
    result_ += shown;
    if (left_aligned) pad(padding);
  }
  void pad(std::size_t blanks) {
    check_room(result_.size(), blanks);
    result_.append(blanks, ' ');
  }
  std::string converted(std::size_t i, char conversion) const {
    if (call_[i].is_null()) {
      if (conversion == 's') return "";
      if (conversion == 'L') return "NULL";
      throw SqlError(sqlstate::null_value_not_allowed, "null values cannot be formatted as an SQL identifier");
    }
    std::string shown = argument_text(call_, i);
    if (conversion == 'I') return quote_identifier(shown);
    return conversion == 'L' ? quote_literal(shown) : shown;
  }

  const FunctionCall& call_;
  std::string result_;
  std::size_t next_ = 1;
};

Value format(const FunctionCall& call) {
  if (call[0].is_null()) return Value::null();
  if (call.variadic_array) return format(SpreadCall(call, 1).call());
  return Value::text(Formatter(call).format(call[0].as_text()));
}

FunctionEntry stable(const char* name, std::vector<TypeId> arguments, ScalarFunction function, bool strict) {
  return {.name = name,
          .arguments = std::move(arguments),
          .result = TypeId::text,
          .volatility = Volatility::stable,
          .strict = strict,
          .scalar = function};
}
FunctionEntry variadic(const char* name, std::vector<TypeId> arguments, ScalarFunction function) {
  FunctionEntry entry = stable(name, std::move(arguments), function, false);
  entry.variadic = true;
  return entry;
}
FunctionEntry quote_nullable_entry() {
  FunctionEntry entry = scalar("quote_nullable", {TypeId::text}, TypeId::text, quote_nullable_text);
  entry.strict = false;
  return entry;
}

}  // namespace

void add_text_formats(Entries& to) {
  using enum TypeId;
  const FunctionEntry functions[] = {
      variadic("concat", {any}, concat),
      variadic("concat_ws", {text, any}, concat_ws),
      variadic("format", {text, any}, format),
      stable("format", {text}, format, false),
      scalar("quote_literal", {text}, text, quote_text),
      stable("quote_literal", {any_element}, quote_any, true),
      quote_nullable_entry(),
      stable("quote_nullable", {any_element}, quote_nullable_any, false),
      stable("textanycat", {text, any_nonarray}, text_then_any, true),
      stable("anytextcat", {any_nonarray, text}, any_then_text, true),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  to.operators.push_back({.symbol = "||",
                          .left = text,
                          .right = any_nonarray,
                          .result = text,
                          .function = text_then_any,
                          .function_name = "textanycat",
                          .volatility = Volatility::stable});
  to.operators.push_back({.symbol = "||",
                          .left = any_nonarray,
                          .right = text,
                          .result = text,
                          .function = any_then_text,
                          .function_name = "anytextcat",
                          .volatility = Volatility::stable});
}

}  // namespace polarsim::engine::families
