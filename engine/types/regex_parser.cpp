#include "engine/types/regex_lexer.h"

// The grammar of regular expressions (PostgreSQL's regcomp.c, parse(), parsebranch(), parseqatom()).
namespace polarsim::engine::regex {
namespace {

// Parsing and everything later recurses as deep as parentheses nest.
constexpr int nesting_max = 100;

class Parser {
 public:
  Parser(std::u32string_view pattern, RegexOptions options) : lexer_(pattern, options) { advance(); }

  Syntax parse() {
    Syntax syntax;
    syntax.root = alternatives(0);
    if (token_.kind != Token::Kind::end) throw_invalid("parentheses () not balanced");
    syntax.groups = groups_;
    syntax.items = items_;
    syntax.ignore_case = lexer_.options().ignore_case;
    return syntax;
  }

 private:
  void advance() { token_ = lexer_.next(groups_); }

  Alternatives alternatives(int nesting) {
    if (nesting > nesting_max) throw_too_complex();
    Alternatives result;
    result.branches.push_back(branch(nesting));
    while (token_.kind == Token::Kind::alternative) {
      advance();
      result.branches.push_back(branch(nesting));
    }
    return result;
  }

  Branch branch(int nesting) {
    Branch result;
    for (;;) {
      switch (token_.kind) {
        case Token::Kind::end:
        case Token::Kind::alternative:
          return result;
        case Token::Kind::close:
          if (nesting > 0) return result;
          if (lexer_.options().syntax != RegexOptions::Syntax::extended) throw_invalid("parentheses () not balanced");
          token_ = lexer_.character(')');
          break;
        default:
          break;
      }
      result.items.push_back(item(nesting));
      result.items.back().id = items_++;
    }
  }

  Item item(int nesting) {
    Item result;
    switch (token_.kind) {
      case Token::Kind::set:
        result.set = std::move(token_.set);
        advance();
        break;
      case Token::Kind::assertion:
        result.kind = Item::Kind::assertion;
        result.assertion = token_.assertion;
        advance();
        return result;
      case Token::Kind::open_assertion:
        return assertion_with_expression(nesting);
      case Token::Kind::open:
      case Token::Kind::open_not_capturing:
        result = group(nesting);
        break;
      case Token::Kind::back_reference:
        result.kind = Item::Kind::back_reference;
        result.number = token_.number;
        if (assertion_nesting_ > 0 || !is_defined(result.number)) throw_invalid("invalid backreference number");
        advance();
        break;
      default:
        throw_invalid("quantifier operand invalid");
    }
    quantify(result);
    return result;
  }

  Item assertion_with_expression(int nesting) {
    Item result;
    result.kind = Item::Kind::assertion;
    result.assertion = token_.assertion;
    advance();
    ++assertion_nesting_;
    result.inner = std::make_unique<Alternatives>(alternatives(nesting + 1));
    --assertion_nesting_;
    lexer_.end_lookaround();
    close();
    return result;
  }

  Item group(int nesting) {
    Item result;
    result.kind = Item::Kind::group;
    // All parentheses in a lookaround are non-capturing.
    if (token_.kind == Token::Kind::open && assertion_nesting_ == 0) {
      result.number = ++groups_;
      defined_.resize(static_cast<std::size_t>(groups_) + 1, false);
    }
    advance();
    result.inner = std::make_unique<Alternatives>(alternatives(nesting + 1));
    if (result.number > 0) defined_[static_cast<std::size_t>(result.number)] = true;
    close();
    return result;
  }
  void close() {
    if (token_.kind != Token::Kind::close) throw_invalid("parentheses () not balanced");
    advance();
  }

  void quantify(Item& item) {
    if (token_.kind != Token::Kind::quantifier) return;
    item.min = token_.min;
    item.max = token_.max;
    item.preference = token_.preference;
    advance();
  }
  bool is_defined(int number) const {
    const auto i = static_cast<std::size_t>(number);
    return i < defined_.size() && defined_[i];
  }

  Lexer lexer_;
  Token token_;
  int groups_ = 0;
  int items_ = 0;
  int assertion_nesting_ = 0;
  std::vector<bool> defined_;  // by number: groups that are closed
};

}  // namespace

Syntax parse(std::u32string_view pattern, RegexOptions options) { return Parser(pattern, options).parse(); }

}  // namespace polarsim::engine::regex
