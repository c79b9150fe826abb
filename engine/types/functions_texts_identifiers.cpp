#include <fmt/format.h>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/functions_texts.h"
#include "engine/types/quote.h"

// Identifiers in texts (PostgreSQL's quote.c, and parse_ident() of misc.c).
namespace polarsim::engine::families {
namespace {

// A qualified name, read part by part.
class NameReader {
 public:
  explicit NameReader(std::string_view text) : text_(text) {}

  std::vector<Value> parts(bool strict) {
    std::vector<Value> parts;
    skip_space();
    for (bool after_dot = false;; after_dot = true) {
      parts.push_back(part(after_dot));
      skip_space();
      if (next() != '.') break;
      ++at_;
      skip_space();
    }
    if (strict && at_ < text_.size()) refuse();
    return parts;
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r\f").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  [[noreturn]] void refuse(std::string detail = "") const {
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("string is not a valid identifier: \"{}\"", text_),
                   std::move(detail));
  }
  static bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
  }

  Value part(bool after_dot) {
    if (next() == '"') return quoted();
    std::string name;
    if (starts_name(next())) {
      for (; starts_name(next()) || (next() >= '0' && next() <= '9') || next() == '$'; ++at_) {
        const char c = next();
        name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      return Value::text(name);
    }
    if (next() == '.') refuse("No valid identifier before \".\".");
    if (after_dot) refuse("No valid identifier after \".\".");
    refuse();
  }
  Value quoted() {
    std::string name;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '"') {
        name += text_[at_];
        continue;
      }
      ++at_;
      if (next() != '"') {
        if (name.empty()) refuse("Quoted identifier must not be empty.");
        return Value::text(name);
      }
      name += '"';
    }
    refuse("String has unclosed double quotes.");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

Value parse_ident(const FunctionCall& call) {
  return Value::array(Array(TypeId::text, NameReader(call[0].as_text()).parts(call[1].as_boolean())));
}

Value quote_ident(const FunctionCall& call) { return Value::text(quote_identifier(call[0].as_text())); }

}  // namespace

void add_text_identifiers(Entries& to) {
  using enum TypeId;
  to.functions.push_back(scalar("quote_ident", {text}, text, quote_ident));
  to.functions.push_back({.name = "parse_ident",
                          .arguments = {text, boolean},
                          .result = text_array,
                          .defaults = {"true"},
                          .argument_names = {"str", "strict"},
                          .scalar = parse_ident});
}

}  // namespace polarsim::engine::families
