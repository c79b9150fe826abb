#include <string>

#include "engine/types/error.h"
#include "engine/types/format_number.h"
#include "engine/types/format_number_pattern.h"
#include "engine/types/utf8.h"

// to_number(): picks the digits, the point and the sign out of a text by a pattern.
namespace polarsim::engine {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class NumberReader {
 public:
  NumberReader(const NumberPattern& form, std::string_view text) : form_(form), text_(text) {}

  // A sign (or a blank) and the digits.
  std::string read() {
    for (const NumberNode& node : form_.nodes) {
      if (at_end()) break;
      if (node.kind != NumberNode::Kind::word) {
        skip_character();
      } else {
        read_word(node.word->key);
      }
    }
    if (!digits_.empty() && digits_.back() == '.') digits_.pop_back();
    return sign_ + digits_;
  }
  int digits_after_point() const { return after_point_; }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip_character() { at_ += utf8::length_at(text_, at_); }
  // What a word of the pattern wrote, unless it is a part of the number.
  void skip_other(int characters) {
    while (characters-- > 0 && !at_end() && std::string_view("0123456789.,+-").find(peek()) == std::string_view::npos)
      skip_character();
  }

  void read_sign_or_skip(std::string_view signs) {
    if (signs.find(peek()) != std::string_view::npos) {
      sign_ = peek();
      ++at_;
    } else {
      skip_other(1);
    }
  }

  void read_word(NumberKey key) {
    switch (key) {
      case NumberKey::digit:
      case NumberKey::zero:
      case NumberKey::point:
      case NumberKey::locale_point:
        read_place(key == NumberKey::digit || key == NumberKey::zero);
        ++at_;
        return;
      case NumberKey::comma:
      case NumberKey::group:
        if (!form_.fill_mode && peek() == ',') ++at_;
        return;
      case NumberKey::currency:
        return skip_other(1);
      case NumberKey::ordinal:
        if (!form_.has_point) skip_other(2);
        return;
      case NumberKey::minus:
        return read_sign_or_skip("-");
      case NumberKey::plus:
        return read_sign_or_skip("+");
      case NumberKey::sign:
        return read_sign_or_skip("-+");
      default:
        return;
    }
  }

  void read_sign_before() {
    if (form_.has_locale_sign && form_.locale_sign == NumberPattern::LocaleSign::before) {
      if (peek() == '-' || peek() == '+') sign_ = text_[at_++];
    } else if (peek() == '-' || (form_.brackets && peek() == '<')) {
      sign_ = "-";
      ++at_;
    } else if (peek() == '+') {
      sign_ = "+";
      ++at_;
    }
  }

  // Leaves the position at the character that was read last.
  void read_place(bool is_digit_place) {
    if (peek() == ' ') ++at_;
    if (at_end()) return;
    if (sign_ == " " && is_digit_place && before_point_ + after_point_ == 0) read_sign_before();
    if (at_end()) return;
    bool is_read = false;
    if (is_digit(peek())) {
      if (has_point_ && after_point_ == form_.after_point) return;
      digits_ += peek();
      ++(has_point_ ? after_point_ : before_point_);
      is_read = true;
    } else if (form_.has_point && !has_point_ && peek() == '.') {
      digits_ += '.';
      has_point_ = true;
      is_read = true;
    }
    if (sign_ == " " && before_point_ + after_point_ > 0) read_sign_after(is_read);
  }

  void read_sign_after(bool is_read) {
    if (form_.has_locale_sign && is_read && at_ + 1 < text_.size() && !is_digit(text_[at_ + 1])) {
      if (text_[at_ + 1] == '-' || text_[at_ + 1] == '+') sign_ = text_[++at_];
    } else if (!is_read && !form_.has_locale_sign && (form_.plus || form_.minus)) {
      if (peek() == '-' || peek() == '+') sign_ = peek();
    }
  }

  const NumberPattern& form_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::string sign_ = " ";
  std::string digits_;
  int before_point_ = 0;
  int after_point_ = 0;
  bool has_point_ = false;
};

}  // namespace

Numeric read_number_by_pattern(std::string_view text, std::string_view pattern) {
  const NumberPattern form = parse_number_form(pattern);
  if (form.exponent) throw SqlError(sqlstate::feature_not_supported, "\"EEEE\" not supported for input");
  if (form.roman) throw SqlError(sqlstate::feature_not_supported, "\"RN\" not supported for input");
  NumberReader reader(form, text);
  const std::string number = reader.read();
  const int scale = reader.digits_after_point();
  Numeric result = Numeric::parse(number).fit(form.before_point + form.shift + scale, scale);
  if (form.has_shift) result = result * Numeric::power(Numeric(10), Numeric(-form.shift));
  return result;
}

}  // namespace polarsim::engine
