#include "engine/syntax/parser.h"

#include <pg_query.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/syntax/text_guard.h"
#include "engine/syntax/tree_builder.h"
#include "engine/types/error.h"
#include "engine/types/utf8.h"

namespace polarsim::engine::syntax {
namespace {

// Every level of the raw tree costs at most four levels of JSON, and the text guard bounds the levels.
constexpr std::size_t max_json_depth = 4U * (2U * max_operators + max_nesting) + 64U;

struct FreeParseResult {
  void operator()(PgQueryParseResult* result) const {
    pg_query_free_parse_result(*result);
    delete result;
  }
};
using ParseResult = std::unique_ptr<PgQueryParseResult, FreeParseResult>;

void check_encoding(std::string_view text) {
  const bool valid = text.find('\0') == std::string_view::npos && simdjson::validate_utf8(text.data(), text.size());
  if (!valid) utf8::verify(text);
}

// What the grammar's errors are beside their message (PostgreSQL's gram.y and scan.l): the library tells no SQLSTATE
// and no hint. Every other one is 42601.
struct KnownError {
  std::string_view beginning;
  const char* sqlstate;
  const char* hint;
};
constexpr const char* windowing_error = "42P20";
constexpr const char* unsupported = sqlstate::feature_not_supported;
constexpr KnownError known_errors[] = {
    // The grammar's own stack has a limit, too; PostgreSQL's users know it by another name (see below).
    {"memory exhausted", sqlstate::statement_too_complex, ""},
    {"invalid byte sequence", sqlstate::character_not_in_repertoire, ""},
    {"subquery in FROM must have an alias", sqlstate::syntax_error, "For example, FROM (SELECT ...) [AS] foo."},
    {"VALUES in FROM must have an alias", sqlstate::syntax_error, "For example, FROM (VALUES ...) [AS] foo."},
    {"LIMIT #,# syntax is not supported", sqlstate::syntax_error, "Use separate LIMIT and OFFSET clauses."},
    {"missing argument", sqlstate::syntax_error, "Use NONE to denote the missing argument of a unary operator."},
    {"invalid Unicode escape", sqlstate::syntax_error, "Unicode escapes must be \\XXXX or \\+XXXXXX."},
    {"invalid Unicode escape value", sqlstate::syntax_error, ""},
    {"invalid Unicode escape character", sqlstate::syntax_error, ""},
    {"MATCH PARTIAL not yet implemented", unsupported, ""},
    {"CREATE ASSERTION is not yet implemented", unsupported, ""},
    {"UNIQUE predicate is not yet implemented", unsupported, ""},
    {"current database cannot be changed", unsupported, ""},
    {"CREATE EXTENSION ... FROM is no longer supported", unsupported, ""},
    {"CREATE OR REPLACE CONSTRAINT TRIGGER is not supported", unsupported, ""},
    {"WITH CHECK OPTION not supported on recursive views", unsupported, ""},
    {"cross-database references are not implemented", unsupported, ""},
    {"precision for type float must be", sqlstate::invalid_parameter_value, ""},
    {"column number must be in range", sqlstate::invalid_parameter_value, ""},
    {"frame start", windowing_error, ""},
    {"frame starting from", windowing_error, ""},
    {"frame end", windowing_error, ""},
};

[[noreturn]] void throw_grammar_error(const PgQueryError& error) {
  ErrorFields fields;
  fields.sqlstate = sqlstate::syntax_error;
  fields.message = error.message;
  for (const KnownError& known : known_errors) {
    if (!fields.message.starts_with(known.beginning)) continue;
    fields.sqlstate = known.sqlstate;
    fields.hint = known.hint;
  }
  // That of a string of E'' has other fields than that of one of U&'', and the same words.
  const bool of_scanner = error.filename != nullptr && std::string_view(error.filename).starts_with("scan");
  if (of_scanner && fields.message == "invalid Unicode escape") {
    fields.sqlstate = sqlstate::invalid_escape_sequence;
    fields.hint = "Unicode escapes must be \\uXXXX or \\UXXXXXXXX.";
  }
  if (fields.sqlstate == sqlstate::statement_too_complex) {
    fields.message = "stack depth limit exceeded";
  } else {
    fields.position = error.cursorpos;
  }
  throw SqlError(fields);
}

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

// What every distributed transaction says, each time with another name, so that no cache of statements knows it: the
// grammar is spared texts of exactly these forms. Null if it is none.
StatementPtr parse_of_prepared(std::string_view text) {
  using Kind = TransactionControl::Kind;
  static constexpr std::pair<std::string_view, Kind> beginnings[] = {
      {"PREPARE TRANSACTION '", Kind::prepare},
      {"COMMIT PREPARED '", Kind::commit_prepared},
      {"ROLLBACK PREPARED '", Kind::rollback_prepared},
  };
  for (const auto& [beginning, kind] : beginnings) {
    if (!text.starts_with(beginning)) continue;
    std::string_view gid = text.substr(beginning.size());
    if (!gid.ends_with('\'')) return nullptr;
    gid.remove_suffix(1);
    if (!std::all_of(gid.begin(), gid.end(), is_plain)) return nullptr;
    TransactionControl control;
    control.kind = kind;
    control.gid = gid;
    auto statement = std::make_shared<Statement>();
    statement->body = std::move(control);
    return statement;
  }
  return nullptr;
}

// Its memory is used again: room for nesting alone is hundreds of kilobytes.
simdjson::dom::parser& tree_reader(std::size_t bytes) {
  static simdjson::dom::parser reader;
  constexpr std::size_t kept_bytes = 1U << 20U;
  if (reader.capacity() > kept_bytes && bytes <= kept_bytes) reader = simdjson::dom::parser();
  if (reader.capacity() < bytes && reader.allocate(bytes, max_json_depth) != simdjson::SUCCESS)
    throw SqlError(sqlstate::internal_error, "the grammar's tree could not be read");
  return reader;
}

}  // namespace

std::vector<StatementPtr> parse(std::string_view text) {
  if (StatementPtr statement = parse_of_prepared(text)) return {std::move(statement)};
  check_encoding(text);
  check_text_depth(text);
  const std::string terminated(text);
  const ParseResult result(new PgQueryParseResult(pg_query_parse(terminated.c_str())));
  if (result->error != nullptr) throw_grammar_error(*result->error);

  const std::string_view json(result->parse_tree);
  raw::element tree;
  if (tree_reader(json.size()).parse(json.data(), json.size()).get(tree) != simdjson::SUCCESS) {
    throw SqlError(sqlstate::internal_error, "the grammar's tree could not be read");
  }

  std::vector<StatementPtr> statements;
  for (const raw::element statement : raw::array(tree["stmts"])) {
    statements.push_back(TreeBuilder(text).build(statement["stmt"]));
  }
  return statements;
}

}  // namespace polarsim::engine::syntax
