#include "engine/pgwire/backend_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/types/binary_form.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::pgwire {

void check_formats(const Formats& formats) {
  for (const std::int16_t format : formats) {
    if (format == 0 || format == 1) continue;
    throw SqlError(sqlstate::invalid_parameter_value, "unsupported format code: " + std::to_string(format));
  }
}

RowDescription describe_columns(const std::vector<ResultColumn>& columns, const Formats& formats) {
  if (formats.size() > 1 && formats.size() != columns.size()) {
    throw SqlError(sqlstate::protocol_violation, "bind message has " + std::to_string(formats.size()) +
                                                     " result formats but query has " + std::to_string(columns.size()) +
                                                     " columns");
  }
  RowDescription description;
  for (const ResultColumn& column : columns) {
    // What is still an untyped literal is sent as text.
    const TypeId type = column.type == TypeId::unknown ? TypeId::text : column.type.id;
    FieldDescription field;
    field.name = column.name;
    field.table_oid = column.table;
    field.column_number = column.number;
    field.type_oid = type_oid(type);
    field.type_size = type_info(type).length;
    field.type_modifier = column.type.modifier;
    field.format = is_binary(formats, description.fields.size()) ? 1 : 0;
    description.fields.push_back(std::move(field));
  }
  return description;
}

void write_row(const Row& row, const std::vector<ResultColumn>& columns, const Formats& formats,
               const CallContext& context, DataRow& to, std::size_t most_bytes) {
  to.values.clear();
  std::size_t length = 2;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Value& value = row[i];
    const TypeId type = columns[i].type.id;
    length += 4;
    if (value.is_null()) {
      to.values.emplace_back();
      continue;
    }
    if (is_binary(formats, i)) {
      append_binary(to.values.emplace_back(std::string()).value(), value,
                    type == TypeId::unknown ? TypeId::text : type);
    } else {
      to.values.emplace_back(output_value(value, type, context));
    }
    const std::size_t more = to.values.back()->size();
    if (more >= most_bytes - std::min(length, most_bytes)) {
      throw SqlError(sqlstate::program_limit_exceeded, "out of memory",
                     fmt::format("Cannot enlarge string buffer containing {} bytes by {} more bytes.", length, more));
    }
    length += more;
  }
}

Value read_parameter(std::string_view bytes, TypeId type, std::size_t number, const CallContext& context) {
  if (type == TypeId::unknown || type == TypeId::none) return Value::text(bytes);
  try {
    return Value::text(output_value(read_binary(bytes, type, context), type, context));
  } catch (const SqlError& error) {
    if (error.sqlstate() != "22P03") throw;
    throw SqlError("22P03", "incorrect binary data format in bind parameter " + std::to_string(number));
  }
}

std::vector<std::pair<std::string, std::string>> startup_options(std::string_view text) {
  // Words; a backslash takes the next character as it is.
  std::vector<std::string> words;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back() += c == '\\' && i + 1 < text.size() ? text[++i] : c;
  }
  std::vector<std::pair<std::string, std::string>> settings;
  const auto add = [&](std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos) {
      throw SqlError(sqlstate::syntax_error,
                     "invalid command-line argument for server process: " + std::string(assignment));
    }
    std::string name(assignment.substr(0, equals));
    for (char& c : name) {
      if (c == '-') c = '_';
    }
    settings.emplace_back(std::move(name), assignment.substr(equals + 1));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "-c" && i + 1 < words.size()) {
      add(words[++i]);
    } else if (word.starts_with("--")) {
      add(word.substr(2));
    } else if (word.starts_with("-c") && word.size() > 2) {
      add(word.substr(2));
    } else {
      throw SqlError(sqlstate::syntax_error, "invalid command-line argument for server process: " + words[i]);
    }
  }
  return settings;
}

}  // namespace polarsim::engine::pgwire
