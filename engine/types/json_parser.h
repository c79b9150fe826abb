// The grammar of JSON over a builder that makes what it likes of the parts (PostgreSQL 15's src/common/jsonapi.c,
// pg_parse_json()). Private to the JSON types.
//
// A builder has a type Node, and
//   Node scalar(JsonLexer& lexer)                                  of the token the lexer stands at
//   Array, void add(Array&, Node), Node finish(Array&&, std::string_view raw)
//   Object, void add(Object&, std::string key, Node), Node finish(Object&&, std::string_view raw)
// where `raw` is the text from bracket to bracket. Keys are empty if the lexer does not resolve escapes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "engine/types/error.h"
#include "engine/types/json.h"
#include "engine/types/json_lexer.h"

namespace polarsim::engine {

template <typename Builder>
class JsonParser {
 public:
  using Node = typename Builder::Node;
  JsonParser(std::string_view text, bool unescape) : lexer_(text, unescape) {}

  // Throws SqlError as JsonLexer does, and 54001 for too deep a nesting.
  Node parse() {
    lexer_.advance();
    Node node = parse_value(1);
    if (lexer_.token() != Token::end) lexer_.throw_expected("end of input");
    return node;
  }

 private:
  using Token = JsonLexer::Token;

  Node parse_value(std::size_t depth) {
    switch (lexer_.token()) {
      case Token::object_start:
        return parse_object(depth);
      case Token::array_start:
        return parse_array(depth);
      case Token::string:
      case Token::number:
      case Token::true_word:
      case Token::false_word:
      case Token::null_word: {
        Node node = builder_.scalar(lexer_);
        lexer_.advance();
        return node;
      }
      default:
        lexer_.throw_expected("JSON value");
    }
  }

  Node parse_array(std::size_t depth) {
    if (depth >= Json::depth_max) throw_json_too_deep();
    const std::size_t begin = lexer_.begin();
    typename Builder::Array array;
    lexer_.advance();
    if (lexer_.token() != Token::array_end) {
      builder_.add(array, parse_value(depth + 1));
      while (lexer_.token() == Token::comma) {
        lexer_.advance();
        builder_.add(array, parse_value(depth + 1));
      }
    }
    if (lexer_.token() != Token::array_end) lexer_.throw_expected("\",\" or \"]\"");
    return finish(std::move(array), begin);
  }

  Node parse_object(std::size_t depth) {
    if (depth >= Json::depth_max) throw_json_too_deep();
    const std::size_t begin = lexer_.begin();
    typename Builder::Object object;
    lexer_.advance();
    if (lexer_.token() == Token::string) {
      parse_member(object, depth);
      while (lexer_.token() == Token::comma) {
        lexer_.advance();
        parse_member(object, depth);
      }
    } else if (lexer_.token() != Token::object_end) {
      lexer_.throw_expected("string or \"}\"");
    }
    if (lexer_.token() != Token::object_end) lexer_.throw_expected("\",\" or \"}\"");
    return finish(std::move(object), begin);
  }

  void parse_member(typename Builder::Object& object, std::size_t depth) {
    if (lexer_.token() != Token::string) lexer_.throw_expected("string");
    std::string key = std::move(lexer_.string());
    lexer_.advance();
    if (lexer_.token() != Token::colon) lexer_.throw_expected("\":\"");
    lexer_.advance();
    Node value = parse_value(depth + 1);
    builder_.add(object, std::move(key), std::move(value));
  }

  template <typename Container>
  Node finish(Container&& container, std::size_t begin) {
    const std::string_view raw = lexer_.text().substr(begin, lexer_.end() - begin);
    Node node = builder_.finish(std::forward<Container>(container), raw);
    lexer_.advance();
    return node;
  }

  JsonLexer lexer_;
  Builder builder_;
};

}  // namespace polarsim::engine
