#include "engine/types/quote.h"

#include <algorithm>
#include <array>

namespace polarsim::engine {
namespace {

// PostgreSQL 15's pg_get_keywords() without the unreserved ones, in byte order.
constexpr auto reserved_words = std::to_array<std::string_view>({"all",
                                                                 "analyse",
                                                                 "analyze",
                                                                 "and",
                                                                 "any",
                                                                 "array",
                                                                 "as",
                                                                 "asc",
                                                                 "asymmetric",
                                                                 "authorization",
                                                                 "between",
                                                                 "bigint",
                                                                 "binary",
                                                                 "bit",
                                                                 "boolean",
                                                                 "both",
                                                                 "case",
                                                                 "cast",
                                                                 "char",
                                                                 "character",
                                                                 "check",
                                                                 "coalesce",
                                                                 "collate",
                                                                 "collation",
                                                                 "column",
                                                                 "concurrently",
                                                                 "constraint",
                                                                 "create",
                                                                 "cross",
                                                                 "current_catalog",
                                                                 "current_date",
                                                                 "current_role",
                                                                 "current_schema",
                                                                 "current_time",
                                                                 "current_timestamp",
                                                                 "current_user",
                                                                 "dec",
                                                                 "decimal",
                                                                 "default",
                                                                 "deferrable",
                                                                 "desc",
                                                                 "distinct",
                                                                 "do",
                                                                 "else",
                                                                 "end",
                                                                 "except",
                                                                 "exists",
                                                                 "extract",
                                                                 "false",
                                                                 "fetch",
                                                                 "float",
                                                                 "for",
                                                                 "foreign",
                                                                 "freeze",
                                                                 "from",
                                                                 "full",
                                                                 "grant",
                                                                 "greatest",
                                                                 "group",
                                                                 "grouping",
                                                                 "having",
                                                                 "ilike",
                                                                 "in",
                                                                 "initially",
                                                                 "inner",
                                                                 "inout",
                                                                 "int",
                                                                 "integer",
                                                                 "intersect",
                                                                 "interval",
                                                                 "into",
                                                                 "is",
                                                                 "isnull",
                                                                 "join",
                                                                 "lateral",
                                                                 "leading",
                                                                 "least",
                                                                 "left",
                                                                 "like",
                                                                 "limit",
                                                                 "localtime",
                                                                 "localtimestamp",
                                                                 "national",
                                                                 "natural",
                                                                 "nchar",
                                                                 "none",
                                                                 "normalize",
                                                                 "not",
                                                                 "notnull",
                                                                 "null",
                                                                 "nullif",
                                                                 "numeric",
                                                                 "offset",
                                                                 "on",
                                                                 "only",
                                                                 "or",
                                                                 "order",
                                                                 "out",
                                                                 "outer",
                                                                 "overlaps",
                                                                 "overlay",
                                                                 "placing",
                                                                 "position",
                                                                 "precision",
                                                                 "primary",
                                                                 "real",
                                                                 "references",
                                                                 "returning",
                                                                 "right",
                                                                 "row",
                                                                 "select",
                                                                 "session_user",
                                                                 "setof",
                                                                 "similar",
                                                                 "smallint",
                                                                 "some",
                                                                 "substring",
                                                                 "symmetric",
                                                                 "table",
                                                                 "tablesample",
                                                                 "then",
                                                                 "time",
                                                                 "timestamp",
                                                                 "to",
                                                                 "trailing",
                                                                 "treat",
                                                                 "trim",
                                                                 "true",
                                                                 "union",
                                                                 "unique",
                                                                 "user",
                                                                 "using",
                                                                 "values",
                                                                 "varchar",
                                                                 "variadic",
                                                                 "verbose",
                                                                 "when",
                                                                 "where",
                                                                 "window",
                                                                 "with",
                                                                 "xmlattributes",
                                                                 "xmlconcat",
                                                                 "xmlelement",
                                                                 "xmlexists",
                                                                 "xmlforest",
                                                                 "xmlnamespaces",
                                                                 "xmlparse",
                                                                 "xmlpi",
                                                                 "xmlroot",
                                                                 "xmlserialize",
                                                                 "xmltable"});
static_assert(std::ranges::is_sorted(reserved_words));

}  // namespace

bool is_reserved_word(std::string_view word) { return std::ranges::binary_search(reserved_words, word); }

std::string quote_identifier(std::string_view name) {
  const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_plain = [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); };
  if (!name.empty() && is_start(name.front()) && std::ranges::all_of(name, is_plain) && !is_reserved_word(name)) {
    return std::string(name);
  }
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string quote_literal(std::string_view text) {
  std::string quoted = text.find('\\') == std::string_view::npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted += '\'';
}

}  // namespace polarsim::engine
