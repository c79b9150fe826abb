#include "engine/types/format_pattern.h"

#include <fmt/format.h>

#include <span>

#include "engine/types/error.h"
#include "engine/types/utf8.h"

namespace polarsim::engine {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

using DateWord = PatternWord<DateKey>;
using NumberWord = PatternWord<NumberKey>;

// The first word that a pattern goes on with is meant, so that longer words stand before their beginnings.
constexpr DateWord date_words[] = {
    {"A.D.", DateKey::era_dotted},
    {"A.M.", DateKey::am_dotted},
    {"AD", DateKey::era},
    {"AM", DateKey::am},
    {"B.C.", DateKey::era_dotted},
    {"BC", DateKey::era},
    {"CC", DateKey::century, true},
    {"DAY", DateKey::day_name},
    {"DDD", DateKey::day_of_year, true, DateMode::gregorian},
    {"DD", DateKey::day_of_month, true, DateMode::gregorian},
    {"DY", DateKey::short_day_name},
    {"Day", DateKey::day_name},
    {"Dy", DateKey::short_day_name},
    {"D", DateKey::day_of_week, true, DateMode::gregorian},
    {"FF1", DateKey::fraction, true},
    {"FF2", DateKey::fraction, true},
    {"FF3", DateKey::fraction, true},
    {"FF4", DateKey::fraction, true},
    {"FF5", DateKey::fraction, true},
    {"FF6", DateKey::fraction, true},
    {"FX", DateKey::fixed},
    {"HH24", DateKey::hour_24, true},
    {"HH12", DateKey::hour_12, true},
    {"HH", DateKey::hour_12, true},
    {"IDDD", DateKey::iso_day_of_year, true, DateMode::iso_week},
    {"ID", DateKey::iso_day_of_week, true, DateMode::iso_week},
    {"IW", DateKey::iso_week, true, DateMode::iso_week},
    {"IYYY", DateKey::iso_year_4, true, DateMode::iso_week},
    {"IYY", DateKey::iso_year_3, true, DateMode::iso_week},
    {"IY", DateKey::iso_year_2, true, DateMode::iso_week},
    {"I", DateKey::iso_year_1, true, DateMode::iso_week},
    {"J", DateKey::julian_day, true},
    {"MI", DateKey::minute, true},
    {"MM", DateKey::month, true, DateMode::gregorian},
    {"MONTH", DateKey::month_name, false, DateMode::gregorian},
    {"MON", DateKey::short_month_name, false, DateMode::gregorian},
    {"MS", DateKey::millisecond, true},
    {"Month", DateKey::month_name, false, DateMode::gregorian},
    {"Mon", DateKey::short_month_name, false, DateMode::gregorian},
    {"OF", DateKey::zone_offset},
    {"P.M.", DateKey::am_dotted},
    {"PM", DateKey::am},
    {"Q", DateKey::quarter, true},
    {"RM", DateKey::roman_month, false, DateMode::gregorian},
    {"SSSSS", DateKey::seconds_of_day, true},
    {"SSSS", DateKey::seconds_of_day, true},
    {"SS", DateKey::second, true},
    {"TZH", DateKey::zone_hours},
    {"TZM", DateKey::zone_minutes, true},
    {"TZ", DateKey::zone_name},
    {"US", DateKey::microsecond, true},
    {"WW", DateKey::week_of_year, true, DateMode::gregorian},
    {"W", DateKey::week_of_month, true, DateMode::gregorian},
    {"Y,YYY", DateKey::year_with_comma, true, DateMode::gregorian},
    {"YYYY", DateKey::year_4, true, DateMode::gregorian},
    {"YYY", DateKey::year_3, true, DateMode::gregorian},
    {"YY", DateKey::year_2, true, DateMode::gregorian},
    {"Y", DateKey::year_1, true, DateMode::gregorian},
    {"a.d.", DateKey::era_dotted},
    {"a.m.", DateKey::am_dotted},
    {"ad", DateKey::era},
    {"am", DateKey::am},
    {"b.c.", DateKey::era_dotted},
    {"bc", DateKey::era},
    {"cc", DateKey::century, true},
    {"day", DateKey::day_name},
    {"ddd", DateKey::day_of_year, true, DateMode::gregorian},
    {"dd", DateKey::day_of_month, true, DateMode::gregorian},
    {"dy", DateKey::short_day_name},
    {"d", DateKey::day_of_week, true, DateMode::gregorian},
    {"ff1", DateKey::fraction, true},
    {"ff2", DateKey::fraction, true},
    {"ff3", DateKey::fraction, true},
    {"ff4", DateKey::fraction, true},
    {"ff5", DateKey::fraction, true},
    {"ff6", DateKey::fraction, true},
    {"fx", DateKey::fixed},
    {"hh24", DateKey::hour_24, true},
    {"hh12", DateKey::hour_12, true},
    {"hh", DateKey::hour_12, true},
    {"iddd", DateKey::iso_day_of_year, true, DateMode::iso_week},
    {"id", DateKey::iso_day_of_week, true, DateMode::iso_week},
    {"iw", DateKey::iso_week, true, DateMode::iso_week},
    {"iyyy", DateKey::iso_year_4, true, DateMode::iso_week},
    {"iyy", DateKey::iso_year_3, true, DateMode::iso_week},
    {"iy", DateKey::iso_year_2, true, DateMode::iso_week},
    {"i", DateKey::iso_year_1, true, DateMode::iso_week},
    {"j", DateKey::julian_day, true},
    {"mi", DateKey::minute, true},
    {"mm", DateKey::month, true, DateMode::gregorian},
    {"month", DateKey::month_name, false, DateMode::gregorian},
    {"mon", DateKey::short_month_name, false, DateMode::gregorian},
    {"ms", DateKey::millisecond, true},
    {"of", DateKey::zone_offset},
    {"p.m.", DateKey::am_dotted},
    {"pm", DateKey::am},
    {"q", DateKey::quarter, true},
    {"rm", DateKey::roman_month, false, DateMode::gregorian},
    {"sssss", DateKey::seconds_of_day, true},
    {"ssss", DateKey::seconds_of_day, true},
    {"ss", DateKey::second, true},
    {"tzh", DateKey::zone_hours},
    {"tzm", DateKey::zone_minutes, true},
    {"tz", DateKey::zone_name},
    {"us", DateKey::microsecond, true},
    {"ww", DateKey::week_of_year, true, DateMode::gregorian},
    {"w", DateKey::week_of_month, true, DateMode::gregorian},
    {"y,yyy", DateKey::year_with_comma, true, DateMode::gregorian},
    {"yyyy", DateKey::year_4, true, DateMode::gregorian},
    {"yyy", DateKey::year_3, true, DateMode::gregorian},
    {"yy", DateKey::year_2, true, DateMode::gregorian},
    {"y", DateKey::year_1, true, DateMode::gregorian},
};

constexpr NumberWord number_words[] = {
    {",", NumberKey::comma},         {".", NumberKey::point},        {"0", NumberKey::zero},
    {"9", NumberKey::digit},         {"B", NumberKey::blank},        {"C", NumberKey::currency_code},
    {"D", NumberKey::locale_point},  {"EEEE", NumberKey::exponent},  {"FM", NumberKey::fill_mode},
    {"G", NumberKey::group},         {"L", NumberKey::currency},     {"MI", NumberKey::minus},
    {"PL", NumberKey::plus},         {"PR", NumberKey::brackets},    {"RN", NumberKey::roman},
    {"SG", NumberKey::sign},         {"SP", NumberKey::spell},       {"S", NumberKey::locale_sign},
    {"TH", NumberKey::ordinal},      {"V", NumberKey::shift},        {"b", NumberKey::blank},
    {"c", NumberKey::currency_code}, {"d", NumberKey::locale_point}, {"eeee", NumberKey::exponent},
    {"fm", NumberKey::fill_mode},    {"g", NumberKey::group},        {"l", NumberKey::currency},
    {"mi", NumberKey::minus},        {"pl", NumberKey::plus},        {"pr", NumberKey::brackets},
    {"rn", NumberKey::roman},        {"sg", NumberKey::sign},        {"sp", NumberKey::spell},
    {"s", NumberKey::locale_sign},   {"th", NumberKey::ordinal},     {"v", NumberKey::shift},
};

template <typename Key>
class PatternParser {
 public:
  PatternParser(std::string_view pattern, std::span<const PatternWord<Key>> words, bool is_date)
      : rest_(pattern), words_(words), is_date_(is_date) {}

  std::vector<PatternNode<Key>> parse() {
    while (!rest_.empty()) {
      Node node;
      if (is_date_) take_prefix(node);
      if (rest_.empty()) break;
      if (const PatternWord<Key>* word = take_word()) {
        node.kind = Node::Kind::word;
        node.word = word;
        if (is_date_) take_suffix(node);
        nodes_.push_back(node);
      } else if (rest_[0] == '"') {
        take_quoted();
      } else {
        if (rest_.starts_with("\\\"")) rest_.remove_prefix(1);
        take_character(true);
      }
    }
    return std::move(nodes_);
  }

 private:
  using Node = PatternNode<Key>;

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  void take_prefix(Node& node) {
    node.fill_mode = take("FM") || take("fm");
    node.translated = !node.fill_mode && (take("TM") || take("tm"));
  }

  void take_suffix(Node& node) {
    node.ordinal_upper = take("TH");
    node.ordinal_lower = !node.ordinal_upper && take("th");
    if (!node.ordinal()) take("SP");  // spelled out: never did anything
  }

  const PatternWord<Key>* take_word() {
    for (const PatternWord<Key>& word : words_) {
      if (take(word.word)) return &word;
    }
    return nullptr;
  }

  void take_character(bool classify) {
    Node node;
    const std::size_t length = utf8::length_at(rest_, 0);
    node.character = rest_.substr(0, length);
    if (classify && is_date_ && is_pattern_separator(rest_[0])) {
      node.kind = Node::Kind::separator;
    } else if (classify && is_pattern_space(rest_[0])) {
      node.kind = Node::Kind::space;
    }
    rest_.remove_prefix(length);
    nodes_.push_back(node);
  }

  void take_quoted() {
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      if (take("\"")) return;
      if (rest_[0] == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      take_character(false);
    }
  }

  std::string_view rest_;
  std::span<const PatternWord<Key>> words_;
  bool is_date_;
  std::vector<Node> nodes_;
};

}  // namespace

template <typename Key>
LetterCase PatternWord<Key>::letter_case() const {
  if (is_lower(word[0])) return LetterCase::lower;
  return word.size() > 1 && is_lower(word[1]) ? LetterCase::title : LetterCase::upper;
}
template LetterCase PatternWord<DateKey>::letter_case() const;
template LetterCase PatternWord<NumberKey>::letter_case() const;

std::vector<DateNode> parse_date_pattern(std::string_view pattern) {
  return PatternParser<DateKey>(pattern, date_words, true).parse();
}
std::vector<NumberNode> parse_number_pattern(std::string_view pattern) {
  return PatternParser<NumberKey>(pattern, number_words, false).parse();
}

std::string_view ordinal_suffix(std::string_view number, bool upper) {
  const char last = number.empty() ? '\0' : number.back();
  if (last < '0' || last > '9')
    throw SqlError(sqlstate::invalid_text_representation, fmt::format("\"{}\" is not a number", number));
  const bool is_teen = number.size() > 1 && number[number.size() - 2] == '1';
  const char which = is_teen ? '0' : last;
  if (which == '1') return upper ? "ST" : "st";
  if (which == '2') return upper ? "ND" : "nd";
  if (which == '3') return upper ? "RD" : "rd";
  return upper ? "TH" : "th";
}

bool is_pattern_separator(char c) {
  return c > ' ' && c < 127 && !is_upper(c) && !is_lower(c) && !(c >= '0' && c <= '9');
}
bool is_pattern_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace polarsim::engine
