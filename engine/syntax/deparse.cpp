#include <utility>

#include "engine/syntax/deparse_writer.h"
#include "engine/syntax/parser.h"
#include "engine/types/quote.h"

namespace polarsim::engine::syntax {
namespace {

// How the grammar's own types are written in the standard's words; the others are written by name.
struct WrittenType {
  std::string_view name;
  std::string_view before;  // the modifiers
  std::string_view after;
};
constexpr WrittenType written_types[] = {
    {"int4", "integer", ""},
    {"int8", "bigint", ""},
    {"int2", "smallint", ""},
    {"bool", "boolean", ""},
    {"float4", "real", ""},
    {"float8", "double precision", ""},
    {"numeric", "numeric", ""},
    {"varchar", "character varying", ""},
    {"timestamp", "timestamp", " without time zone"},
    {"timestamptz", "timestamp", " with time zone"},
    {"time", "time", " without time zone"},
    {"timetz", "time", " with time zone"},
    {"interval", "interval", ""},
};

const WrittenType* find_written(const TypeName& type) {
  if (type.schema != "pg_catalog") return nullptr;
  for (const WrittenType& written : written_types) {
    if (written.name != type.name) continue;
    // These keywords take no modifiers, or another number of them.
    const bool takes_modifiers =
        type.name == "numeric" ||
        (type.modifiers.size() == 1 && type.name != "int4" && type.name != "int8" && type.name != "int2" &&
         type.name != "bool" && type.name != "interval" && !type.name.starts_with("float"));
    return type.modifiers.empty() || takes_modifiers ? &written : nullptr;
  }
  return nullptr;
}

}  // namespace

void Writer::name(std::string_view text) { out_ += quote_identifier(text); }

void Writer::qualified(std::string_view schema, std::string_view text) {
  if (!schema.empty()) {
    name(schema);
    out_ += '.';
  }
  name(text);
}

void Writer::names(const std::vector<std::string>& list) {
  separated(list, [&](const std::string& item) { name(item); });
}

void Writer::bracketed_names(const std::vector<std::string>& list) {
  if (list.empty()) return;
  out_ += " (";
  names(list);
  out_ += ')';
}

void Writer::path(const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out_ += '.';
    name(parts[i]);
  }
}

void Writer::literal(std::string_view text) { out_ += quote_literal(text); }

void Writer::type(const TypeName& type) {
  const WrittenType* const written = find_written(type);
  if (written != nullptr) {
    out_ += written->before;
  } else {
    qualified(type.schema, type.name);
  }
  if (!type.modifiers.empty()) {
    out_ += '(';
    separated(type.modifiers, [&](std::int64_t modifier) { out_ += std::to_string(modifier); });
    out_ += ')';
  }
  if (written != nullptr) out_ += written->after;
  for (int i = 0; i < type.array_dimensions; ++i) out_ += "[]";
}

void Writer::clause(std::string_view keyword, const ExpressionPtr& condition) {
  if (!condition) return;
  out_ += keyword;
  expression(*condition);
}

void Writer::expressions(const std::vector<ExpressionPtr>& list, std::size_t from) {
  for (std::size_t i = from; i < list.size(); ++i) {
    if (i > from) out_ += ", ";
    expression(*list[i]);
  }
}

std::string deparse(const Statement& statement) {
  Writer writer;
  std::visit([&](const auto& body) { writer.write(body); }, statement.body);
  return writer.take();
}

std::string deparse(const Expression& expression) {
  Writer writer;
  writer.expression(expression);
  return writer.take();
}

std::string deparse(const Select& select) {
  Writer writer;
  writer.write(select);
  return writer.take();
}

}  // namespace polarsim::engine::syntax
