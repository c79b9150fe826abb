#include "engine/sql/parser.h"

#include <pg_query.h>

#include <memory>

#include "engine/sql/error.h"
#include "engine/syntax/text_guard.h"
#include "engine/sql/tree_builder.h"

namespace polarsim::engine::sql {
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
  if (text.find('\0') != std::string_view::npos) {
    throw SqlError(sqlstate::character_not_in_repertoire, "invalid byte sequence for encoding \"UTF8\": 0x00");
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    throw SqlError(sqlstate::character_not_in_repertoire, "invalid byte sequence for encoding \"UTF8\"");
  }
}

[[noreturn]] void throw_grammar_error(const PgQueryError& error) {
  const std::string message = error.message;
  // The grammar's own stack has a limit, too; PostgreSQL's users know it by this name.
  if (message.starts_with("memory exhausted")) {
    throw SqlError(sqlstate::statement_too_complex, "stack depth limit exceeded");
  }
  const bool encoding = message.starts_with("invalid byte sequence") || message.starts_with("invalid Unicode");
  SqlError out(encoding ? sqlstate::character_not_in_repertoire : sqlstate::syntax_error, message);
  out.at(error.cursorpos);
  throw out;
}

}  // namespace

std::vector<StatementPtr> parse(std::string_view text) {
  check_encoding(text);
  syntax::check_text_depth(text);
  const std::string terminated(text);
  const ParseResult result(new PgQueryParseResult(pg_query_parse(terminated.c_str())));
  if (result->error != nullptr) throw_grammar_error(*result->error);

  const std::string_view json(result->parse_tree);
  simdjson::dom::parser reader;
  raw::element tree;
  if (reader.allocate(json.size(), max_json_depth) != simdjson::SUCCESS ||
      reader.parse(json.data(), json.size()).get(tree) != simdjson::SUCCESS) {
    throw SqlError(sqlstate::internal_error, "the grammar's tree could not be read");
  }

  std::vector<StatementPtr> statements;
  for (const raw::element statement : raw::array(tree["stmts"])) {
    statements.push_back(TreeBuilder(text).build(statement["stmt"]));
  }
  return statements;
}

}  // namespace polarsim::engine::sql
