#include "engine/copy/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "engine/types/error.h"
#include "engine/types/numeric.h"

namespace polarsim::engine::copy {

namespace {

using syntax::Expression;
using syntax::Parameter;

[[noreturn]] void refuse(const char* state, std::string message) { throw SqlError(state, std::move(message)); }

// PostgreSQL's defGetString().
std::string text_of(const Parameter& option) {
  if (!option.value) refuse(sqlstate::syntax_error, option.name + " requires a parameter");
  const Expression& value = *option.value;
  if (value.kind == Expression::Kind::star) return "*";
  if (value.kind == Expression::Kind::row) {
    std::string names;
    for (const syntax::ExpressionPtr& item : value.arguments) {
      if (!names.empty()) names += '.';
      names += item->value.as_text();
    }
    return names;
  }
  if (value.value.is_integer()) return std::to_string(value.value.as_integer());
  if (value.value.is_numeric()) return value.value.as_numeric().to_string();
  return std::string(value.value.as_text());
}

std::string in_lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// PostgreSQL's defGetBoolean(); nothing if the value is no truth value.
std::optional<bool> flag_of(const Parameter& option) {
  if (!option.value) return true;
  if (option.value->value.is_integer()) {
    const std::int64_t number = option.value->value.as_integer();
    if (number != 0 && number != 1) return std::nullopt;
    return number == 1;
  }
  const std::string word = in_lower_case(text_of(option));
  if (word == "true" || word == "on") return true;
  if (word == "false" || word == "off") return false;
  return std::nullopt;
}

Header header_of(const Parameter& option, bool from) {
  if (const auto flag = flag_of(option)) return *flag ? Header::present : Header::none;
  if (in_lower_case(text_of(option)) != "match")
    refuse(sqlstate::syntax_error, option.name + " requires a Boolean value or \"match\"");
  if (!from) refuse(sqlstate::feature_not_supported, "cannot use \"match\" with HEADER in COPY TO");
  return Header::match;
}

std::vector<std::string> columns_of(const Parameter& option) {
  if (!option.value || option.value->kind != Expression::Kind::row) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("argument to option \"{}\" must be a list of column names", option.name))
        .at(option.position);
  }
  std::vector<std::string> names;
  for (const syntax::ExpressionPtr& item : option.value->arguments) names.emplace_back(item->value.as_text());
  return names;
}

// --- encodings ---

// PostgreSQL's names (pg_encname_tbl, src/common/encnames.c), without those that are numbered.
constexpr std::array encodings = {"abc",   "alt",   "big5",     "euccn",        "eucjis2004", "eucjp",
                                  "euckr", "euctw", "gb18030",  "gbk",          "johab",      "koi8",
                                  "koi8r", "koi8u", "mskanji",  "muleinternal", "shiftjis",   "shiftjis2004",
                                  "sjis",  "tcvn",  "tcvn5712", "uhc",          "vscii",      "win"};

// A number in one of these ranges after one of these words is an encoding, too.
struct NumberedEncoding {
  std::string_view prefix;
  int first, last;
};
constexpr std::array numbered_encodings = {
    NumberedEncoding{"latin", 1, 10},        NumberedEncoding{"iso8859", 1, 10},
    NumberedEncoding{"iso8859", 13, 16},     NumberedEncoding{"win", 866, 866},
    NumberedEncoding{"win", 874, 874},       NumberedEncoding{"win", 932, 932},
    NumberedEncoding{"win", 936, 936},       NumberedEncoding{"win", 949, 950},
    NumberedEncoding{"win", 1250, 1258},     NumberedEncoding{"windows", 866, 866},
    NumberedEncoding{"windows", 874, 874},   NumberedEncoding{"windows", 932, 932},
    NumberedEncoding{"windows", 936, 936},   NumberedEncoding{"windows", 949, 950},
    NumberedEncoding{"windows", 1250, 1258},
};

bool is_numbered_encoding(std::string_view name) {
  return std::any_of(numbered_encodings.begin(), numbered_encodings.end(), [&](const NumberedEncoding& encoding) {
    for (int number = encoding.first; number <= encoding.last; ++number) {
      if (name == fmt::format("{}{}", encoding.prefix, number)) return true;
    }
    return false;
  });
}

void check_encoding(const Parameter& option) {
  const std::string written = text_of(option);
  std::string name = in_lower_case(written);
  std::erase_if(name, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); });
  // In SQL_ASCII nothing is converted, and what comes is checked all the same.
  if (name == "utf8" || name == "unicode" || name == "sqlascii") return;
  if (std::find(encodings.begin(), encodings.end(), name) == encodings.end() && !is_numbered_encoding(name)) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("argument to option \"{}\" must be a valid encoding name", option.name))
        .at(option.position);
  }
  throw SqlError(sqlstate::feature_not_supported, fmt::format("COPY with encoding \"{}\" is not supported", written))
      .at(option.position);
}

// --- the options one by one, then together ---

struct Given {
  Options options;
  std::optional<std::string> delimiter, null, quote, escape;
  // What may be written only once has been.
  std::vector<std::string_view> names;
};

void set_format(const Parameter& option, Given& given) {
  const std::string format = text_of(option);
  if (format == "csv") {
    given.options.format = Format::csv;
  } else if (format == "binary") {
    given.options.format = Format::binary;
  } else if (format != "text") {
    throw SqlError(sqlstate::invalid_parameter_value, fmt::format("COPY format \"{}\" not recognized", format))
        .at(option.position);
  }
}

void take(const Parameter& option, bool from, Given& given) {
  Options& options = given.options;
  if (option.name == "format") {
    set_format(option, given);
  } else if (option.name == "freeze") {
    const auto flag = flag_of(option);
    if (!flag) refuse(sqlstate::syntax_error, "freeze requires a Boolean value");
    options.freeze = *flag;
  } else if (option.name == "delimiter") {
    given.delimiter = text_of(option);
  } else if (option.name == "null") {
    given.null = text_of(option);
  } else if (option.name == "header") {
    options.header = header_of(option, from);
  } else if (option.name == "quote") {
    given.quote = text_of(option);
  } else if (option.name == "escape") {
    given.escape = text_of(option);
  } else if (option.name == "force_quote") {
    if (option.value && option.value->kind == Expression::Kind::star) {
      options.force_quote_all = true;
    } else {
      options.force_quote = columns_of(option);
    }
  } else if (option.name == "force_not_null") {
    options.force_not_null = columns_of(option);
  } else if (option.name == "force_null") {
    options.force_null = columns_of(option);
  } else if (option.name == "encoding") {
    check_encoding(option);
  } else if (option.name == "convert_selectively") {
    throw SqlError(sqlstate::feature_not_supported, "COPY option \"convert_selectively\" is not supported")
        .at(option.position);
  } else {
    throw SqlError(sqlstate::syntax_error, fmt::format("option \"{}\" not recognized", option.name))
        .at(option.position);
  }
}

void check_binary(const Given& given) {
  if (given.delimiter) refuse(sqlstate::syntax_error, "cannot specify DELIMITER in BINARY mode");
  if (given.null) refuse(sqlstate::syntax_error, "cannot specify NULL in BINARY mode");
  if (given.options.header != Header::none)
    refuse(sqlstate::feature_not_supported, "cannot specify HEADER in BINARY mode");
}

void check_delimiter_and_null(const Given& given, std::string_view delimiter, std::string_view null) {
  if (delimiter.size() != 1)
    refuse(sqlstate::feature_not_supported, "COPY delimiter must be a single one-byte character");
  if (delimiter == "\r" || delimiter == "\n")
    refuse(sqlstate::invalid_parameter_value, "COPY delimiter cannot be newline or carriage return");
  if (null.find_first_of("\r\n") != std::string_view::npos)
    refuse(sqlstate::invalid_parameter_value, "COPY null representation cannot use newline or carriage return");
  // What could be mistaken for an escape sequence.
  constexpr std::string_view meaningful = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
  if (given.options.format == Format::text && meaningful.find(delimiter.front()) != std::string_view::npos)
    refuse(sqlstate::invalid_parameter_value, fmt::format("COPY delimiter cannot be \"{}\"", delimiter));
}

void check_quoting(const Given& given, std::string_view delimiter) {
  const bool csv = given.options.format == Format::csv;
  if (!csv && given.quote) refuse(sqlstate::feature_not_supported, "COPY quote available only in CSV mode");
  if (given.quote && given.quote->size() != 1)
    refuse(sqlstate::feature_not_supported, "COPY quote must be a single one-byte character");
  if (csv && delimiter == given.quote.value_or("\""))
    refuse(sqlstate::invalid_parameter_value, "COPY delimiter and quote must be different");
  if (!csv && given.escape) refuse(sqlstate::feature_not_supported, "COPY escape available only in CSV mode");
  if (given.escape && given.escape->size() != 1)
    refuse(sqlstate::feature_not_supported, "COPY escape must be a single one-byte character");
}

void check_forced_columns(const Options& options, bool from) {
  const auto check = [&](bool given, bool reading, const char* what) {
    if (!given) return;
    if (options.format != Format::csv)
      refuse(sqlstate::feature_not_supported, fmt::format("COPY {} available only in CSV mode", what));
    if (reading != from) {
      refuse(sqlstate::feature_not_supported,
             fmt::format("COPY {} only available using COPY {}", what, reading ? "FROM" : "TO"));
    }
  };
  check(options.force_quote_all || !options.force_quote.empty(), false, "force quote");
  check(!options.force_not_null.empty(), true, "force not null");
  check(!options.force_null.empty(), true, "force null");
}

}  // namespace

Options read_options(const std::vector<Parameter>& options, bool from) {
  Given given;
  for (const Parameter& option : options) {
    if (std::find(given.names.begin(), given.names.end(), option.name) != given.names.end())
      throw SqlError(sqlstate::syntax_error, "conflicting or redundant options").at(option.position);
    given.names.push_back(option.name);
    take(option, from, given);
  }
  Options& result = given.options;
  if (result.format == Format::binary) check_binary(given);
  const bool csv = result.format == Format::csv;
  const std::string delimiter = given.delimiter.value_or(csv ? "," : "\t");
  result.null = given.null.value_or(csv ? "" : "\\N");
  check_delimiter_and_null(given, delimiter, result.null);
  check_quoting(given, delimiter);
  check_forced_columns(result, from);
  result.delimiter = delimiter.front();
  result.quote = given.quote.value_or("\"").front();
  result.escape = given.escape ? given.escape->front() : result.quote;
  if (result.null.find(result.delimiter) != std::string::npos)
    refuse(sqlstate::feature_not_supported, "COPY delimiter must not appear in the NULL specification");
  if (csv && result.null.find(result.quote) != std::string::npos)
    refuse(sqlstate::feature_not_supported, "CSV quote character must not appear in the NULL specification");
  return result;
}

}  // namespace polarsim::engine::copy
