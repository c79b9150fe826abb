#include "engine/types/json_text.h"

#include "engine/types/json_parser.h"

namespace polarsim::engine {
namespace {

struct TreeBuilder {
  using Node = JsonText;
  struct Array {
    std::vector<JsonText::Child> children;
  };
  struct Object {
    std::vector<JsonText::Child> children;
  };

  static JsonText scalar(JsonLexer& lexer) {
    JsonText node;
    node.raw = lexer.lexeme();
    switch (lexer.token()) {
      case JsonLexer::Token::string:
        node.kind = JsonText::Kind::string;
        node.string = std::move(lexer.string());
        break;
      case JsonLexer::Token::number:
        node.kind = JsonText::Kind::number;
        break;
      case JsonLexer::Token::null_word:
        break;
      default:
        node.kind = JsonText::Kind::boolean;
    }
    return node;
  }
  static void add(Array& array, JsonText element) { array.children.push_back({"", std::move(element)}); }
  static void add(Object& object, std::string key, JsonText value) {
    object.children.push_back({std::move(key), std::move(value)});
  }
  static JsonText finish(Array&& array, std::string_view raw) {
    return {JsonText::Kind::array, raw, "", std::move(array.children)};
  }
  static JsonText finish(Object&& object, std::string_view raw) {
    return {JsonText::Kind::object, raw, "", std::move(object.children)};
  }
};

struct Checker {
  struct Node {};
  struct Array {};
  struct Object {};
  static Node scalar(JsonLexer&) { return {}; }
  static void add(Array&, Node) {}
  static void add(Object&, const std::string&, Node) {}
  static Node finish(Array&&, std::string_view) { return {}; }
  static Node finish(Object&&, std::string_view) { return {}; }
};

}  // namespace

JsonText JsonText::parse(std::string_view text, bool unescape) {
  return JsonParser<TreeBuilder>(text, unescape).parse();
}

void JsonText::check(std::string_view text, bool unescape) { JsonParser<Checker>(text, unescape).parse(); }

}  // namespace polarsim::engine
