#include <algorithm>
#include <cctype>

#include "engine/query/deparse_writer.h"
#include "engine/query/expression_walk.h"
#include "engine/types/error.h"
#include "engine/types/quote.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::query {
namespace {

bool looks_like_float(const std::string& digits) {
  return !digits.empty() && std::isdigit(static_cast<unsigned char>(digits[0])) != 0 &&
         digits.find_first_of("eE.") != std::string::npos;
}

}  // namespace

void Writer::put_name(std::string_view name) { text_ += quote_identifier(name); }

void Writer::put_type(Type type) {
  put("::");
  put_type_name(type);
}

void Writer::put_type_name(Type type) {
  // Without a modifier, "character" would mean one character.
  const TypeId element = type.id == TypeId::bpchar_array ? TypeId::bpchar : type.id;
  if (element == TypeId::bpchar && type.modifier == no_modifier) {
    put(type.id == TypeId::bpchar_array ? "bpchar[]" : "bpchar");
  } else {
    put(format_type(type));
  }
}

void Writer::write_constant(const Value& value, Type type, Label label) {
  if (value.is_null()) {
    put("NULL");
    if (label != Label::never) put_type(type);
    return;
  }
  if (type.id == TypeId::record) return write_record(value.as_record());
  const std::string text = output_value(value, type.id, options_.call != nullptr ? *options_.call : CallContext{});
  bool needed = true;
  if (type.id == TypeId::boolean) {
    put(value.as_boolean() ? "true" : "false");
    needed = false;
  } else if (type.id == TypeId::int4 && text[0] != '-') {
    put(text);
    needed = false;
  } else if (type.id == TypeId::numeric && looks_like_float(text)) {
    put(text);
    needed = type.modifier != no_modifier;
  } else {
    put(quote_plainly(text));
    needed = type.id != TypeId::unknown;
  }
  if (label == Label::always || (label == Label::where_needed && needed)) put_type(type);
}

// The text of a row has no type to be read by; its constructor has.
void Writer::write_record(const Record& record) {
  put("ROW(");
  for (std::size_t i = 0; i < record.fields().size(); ++i) {
    if (i > 0) put(", ");
    write_constant(record.fields()[i].value, record.fields()[i].type, Label::where_needed);
  }
  put(")");
}

// What is not in pg_catalog is named with its schema.
void Writer::write_function_name(const FunctionEntry& function) {
  const std::string_view name = function.name;
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos) {
    put_name(name.substr(0, dot));
    put(".");
  }
  put_name(dot == std::string_view::npos ? name : name.substr(dot + 1));
}

void Writer::write_call(const Call& call, const Expression& expression, bool show_implicit) {
  const bool is_cast = call.form == CallForm::explicit_cast || call.form == CallForm::implicit_cast;
  if (call.form == CallForm::implicit_cast && !show_implicit)
    return write_operand(*call.arguments[0], false, expression);
  if (is_cast) return write_cast(*call.arguments[0], expression.type, expression);
  if (call.form == CallForm::special_syntax && write_special_syntax(call, expression)) return;
  const FunctionEntry& function = *call.function;
  // What was written one by one has become an array, which is shown.
  const bool takes_any = !function.arguments.empty() && function.arguments.back() == TypeId::any;
  const bool variadic = function.variadic && (!takes_any || call.variadic_array);
  write_function_name(function);
  put("(");
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (i > 0) put(", ");
    if (variadic && i + 1 == call.arguments.size()) put("VARIADIC ");
    write(*call.arguments[i], true);
  }
  put(")");
}

bool Writer::write_special_syntax(const Call& call, const Expression& expression) {
  const std::string_view name = call.function->name;
  const std::vector<ExpressionPtr>& arguments = call.arguments;
  const auto words = [&](std::string_view open, std::initializer_list<const char*> separators) {
    put(open);
    std::size_t i = 0;
    for (const char* separator : separators) {
      if (i >= arguments.size()) break;
      put(separator);
      write(*arguments[i++], false);
    }
    put(")");
    return true;
  };
  const auto trim = [&](const char* side) {
    put(std::string("TRIM(") + side);
    if (arguments.size() == 2) {
      put(" ");
      write(*arguments[1], false);
    }
    put(" FROM ");
    write(*arguments[0], false);
    put(")");
    return true;
  };
  if (name == "timezone" && arguments.size() == 2) {
    put("(");
    write_operand(*arguments[1], false, expression);
    put(" AT TIME ZONE ");
    write_operand(*arguments[0], false, expression);
    put(")");
    return true;
  }
  if (name == "overlaps" && arguments.size() == 4)
    return words("((", {"", ", ", ") OVERLAPS (", ", "}) && (put(")"), true);
  if (name == "extract" && arguments.size() == 2) {
    const auto* field = arguments[0]->as<Constant>();
    if (field == nullptr || !field->value.is_text()) return false;
    put("EXTRACT(" + std::string(field->value.as_text()) + " FROM ");
    write(*arguments[1], false);
    put(")");
    return true;
  }
  if (name == "overlay") return words("OVERLAY(", {"", " PLACING ", " FROM ", " FOR "});
  if (name == "position" && arguments.size() == 2) {
    put("POSITION((");
    write(*arguments[1], false);
    put(") IN (");
    write(*arguments[0], false);
    put("))");
    return true;
  }
  if (name == "substring") {
    const bool of_pattern = arguments.size() > 1 && arguments[1]->type.id == TypeId::text;
    if (of_pattern && arguments.size() == 2) return false;
    if (of_pattern) return words("SUBSTRING(", {"", " SIMILAR ", " ESCAPE "});
    return words("SUBSTRING(", {"", " FROM ", " FOR "});
  }
  if (name == "btrim") return trim("BOTH");
  if (name == "ltrim") return trim("LEADING");
  if (name == "rtrim") return trim("TRAILING");
  return false;
}

void Writer::write_aggregate(const Aggregate& aggregate) {
  const FunctionEntry& function = *aggregate.function;
  const bool ordered_set = function.aggregate_kind != AggregateKind::normal;
  write_function_name(function);
  put(aggregate.distinct ? "(DISTINCT " : "(");
  if (aggregate.star) {
    put("*");
  } else {
    write_list(aggregate.arguments, true);
  }
  if (!aggregate.order_by.empty()) {
    put(ordered_set ? ") WITHIN GROUP (ORDER BY " : " ORDER BY ");
    for (std::size_t i = 0; i < aggregate.order_by.size(); ++i) {
      if (i > 0) put(", ");
      write_sort_expression(*aggregate.order_by[i].expression);
      write_order_suffix(aggregate.order_by[i].descending, aggregate.order_by[i].nulls_first);
    }
  }
  if (aggregate.filter) {
    put(") FILTER (WHERE ");
    write(*aggregate.filter, false);
  }
  put(")");
}

void Writer::write_window_call(const WindowCall& call) {
  write_function_name(*call.function);
  put("(");
  if (call.star) {
    put("*");
  } else {
    write_list(call.arguments, true);
  }
  if (call.filter) {
    put(") FILTER (WHERE ");
    write(*call.filter, false);
  }
  put(") OVER ");
  if (names_.empty()) return put("(?)");  // EXPLAIN of PostgreSQL 15 writes no more
  const Query& query = *names_at(0).query;
  const Window& window = query.windows[static_cast<std::size_t>(call.window)];
  if (window.name.empty()) {
    write_window(query, window);
  } else {
    put_name(window.name);
  }
}

}  // namespace polarsim::engine::query
