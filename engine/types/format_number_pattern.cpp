#include "engine/types/format_number_pattern.h"

#include "engine/types/error.h"

namespace polarsim::engine {
namespace {

[[noreturn]] void refuse(const char* message, const char* detail = "") {
  throw SqlError(sqlstate::syntax_error, message, detail);
}

void add_point(NumberPattern& form) {
  if (form.has_point) refuse("multiple decimal points");
  if (form.has_shift) refuse("cannot use \"V\" and decimal point together");
  form.has_point = true;
}

void add_digit(NumberPattern& form) {
  if (form.brackets) refuse("\"9\" must be ahead of \"PR\"");
  if (form.has_shift) {
    ++form.shift;
  } else {
    ++(form.has_point ? form.after_point : form.before_point);
  }
}

void add_zero(NumberPattern& form) {
  if (form.brackets) refuse("\"0\" must be ahead of \"PR\"");
  if (!form.has_zero && !form.has_point) {
    form.has_zero = true;
    form.first_zero = form.before_point + 1;
  }
  ++(form.has_point ? form.after_point : form.before_point);
  form.last_zero = form.before_point + form.after_point;
}

void add_locale_sign(NumberPattern& form) {
  if (form.has_locale_sign) refuse("cannot use \"S\" twice");
  if (form.plus || form.minus || form.brackets) refuse("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
  if (!form.has_point) {
    form.locale_sign = NumberPattern::LocaleSign::before;
    form.digits_before_sign = form.before_point;
  } else {
    form.locale_sign = NumberPattern::LocaleSign::after;
  }
  form.has_locale_sign = true;
}

void add_exponent(NumberPattern& form) {
  if (form.exponent) refuse("cannot use \"EEEE\" twice");
  if (form.blank || form.fill_mode || form.has_locale_sign || form.brackets || form.minus || form.plus || form.roman ||
      form.has_shift) {
    refuse("\"EEEE\" is incompatible with other formats",
           "\"EEEE\" may only be used together with digit and decimal point patterns.");
  }
  form.exponent = true;
}

void add(NumberPattern& form, NumberKey key) {
  if (form.exponent && key != NumberKey::exponent) refuse("\"EEEE\" must be the last pattern used");
  switch (key) {
    case NumberKey::digit:
      return add_digit(form);
    case NumberKey::zero:
      return add_zero(form);
    case NumberKey::blank:
      if (form.before_point == 0 && form.after_point == 0 && !form.has_zero) form.blank = true;
      return;
    case NumberKey::point:
    case NumberKey::locale_point:
      return add_point(form);
    case NumberKey::fill_mode:
      form.fill_mode = true;
      return;
    case NumberKey::locale_sign:
      return add_locale_sign(form);
    case NumberKey::minus:
      if (form.has_locale_sign) refuse("cannot use \"S\" and \"MI\" together");
      form.minus = true;
      return;
    case NumberKey::plus:
      if (form.has_locale_sign) refuse("cannot use \"S\" and \"PL\" together");
      form.plus = true;
      return;
    case NumberKey::sign:
      if (form.has_locale_sign) refuse("cannot use \"S\" and \"SG\" together");
      form.minus = form.plus = true;
      return;
    case NumberKey::brackets:
      if (form.has_locale_sign || form.plus || form.minus)
        refuse("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      form.brackets = true;
      return;
    case NumberKey::roman:
      form.roman = true;
      return;
    case NumberKey::shift:
      if (form.has_point) refuse("cannot use \"V\" and decimal point together");
      form.has_shift = true;
      return;
    case NumberKey::exponent:
      return add_exponent(form);
    default:
      return;
  }
}

}  // namespace

NumberPattern parse_number_form(std::string_view pattern) {
  NumberPattern form;
  form.nodes = parse_number_pattern(pattern);
  for (const NumberNode& node : form.nodes) {
    if (node.kind == NumberNode::Kind::word) add(form, node.word->key);
  }
  return form;
}

}  // namespace polarsim::engine
