// COPY's options and rows against what a PostgreSQL 15 said of them (fixtures/), and what is written read again.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <functional>
#include <optional>

#include "engine/copy/binary.h"
#include "engine/copy/reader.h"
#include "engine/copy/writer.h"
#include "engine/syntax/parser.h"

namespace polarsim::engine::copy {
namespace {

struct Recorded {
  std::string input;
  std::vector<std::string> answer;
};

// A line, and below it, after tabs, what came of it.
std::vector<Recorded> recorded(const std::string& name) {
  std::ifstream file("engine/copy/fixtures/" + name);
  std::vector<Recorded> all;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('\t')) {
      all.back().answer.push_back(line.substr(1));
    } else {
      all.push_back({line, {}});
    }
  }
  return all;
}

Options options_of(const std::string& statement) {
  const auto parsed = syntax::parse(statement);
  const auto& copy = std::get<syntax::Copy>(parsed.at(0)->body);
  return read_options(copy.options, copy.from);
}

TEST(CopyOptions, AreThoseOfPostgres) {
  const std::vector<Recorded> all = recorded("options.txt");
  ASSERT_GT(all.size(), 50U);
  for (const Recorded& one : all) {
    std::string answer = "ok";
    try {
      options_of(one.input);
    } catch (const SqlError& error) {
      answer = error.sqlstate() + ": " + error.fields().message + " @" + std::to_string(error.fields().position);
    }
    EXPECT_EQ(answer, one.answer.at(0)) << one.input;
  }
}

TEST(CopyOptions, WhatIsNotSupportedIsRefused) {
  for (const char* options : {"encoding 'latin1'", "encoding 'WIN-1252'", "convert_selectively (a)"}) {
    try {
      options_of(std::string("COPY x FROM STDIN (") + options + ")");
      ADD_FAILURE() << options;
    } catch (const SqlError& error) {
      EXPECT_EQ(error.sqlstate(), "0A000") << options;
    }
  }
}

TEST(CopyOptions, HaveTheirDefaults) {
  const Options text = options_of("COPY x FROM STDIN");
  EXPECT_EQ(text.delimiter, '\t');
  EXPECT_EQ(text.null, "\\N");
  const Options csv = options_of("COPY x FROM STDIN (format csv, quote '|')");
  EXPECT_EQ(csv.delimiter, ',');
  EXPECT_EQ(csv.null, "");
  EXPECT_EQ(csv.escape, '|');
  EXPECT_FALSE(csv.freeze);
  EXPECT_TRUE(options_of("COPY x TO STDOUT CSV HEADER FORCE QUOTE *").force_quote_all);
}

// --- lines ---

// As printf reads them.
std::string unescaped(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x') {
      bytes += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      bytes += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
    }
  }
  return bytes;
}

// As to_json() shows texts.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::string_view controls = "\b\f\n\r\t\"\\";
    if (const std::size_t found = controls.find(c); found != std::string_view::npos) {
      out += '\\';
      out += "bfnrt\"\\"[found];
    } else if (c >= '\0' && c < ' ') {
      const char digits[] = "0123456789abcdef";
      out += "\\u00";
      out += digits[c / 16];
      out += digits[c % 16];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string without_controls(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == '\t') {
      out += '\\';
      out += c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
    } else {
      out += c;
    }
  }
  return out;
}

using FeedNext = std::function<std::size_t()>;  // how many bytes come next

// Calls `row` for every row of the bytes.
void read_all(RowReader& reader, std::string_view bytes, const FeedNext& piece,
              const std::function<void(std::span<const Field>)>& row) {
  while (true) {
    const Reader::Outcome outcome = reader.next();
    if (outcome == Reader::Outcome::end) return;
    if (outcome == Reader::Outcome::row) {
      row(reader.fields());
    } else if (bytes.empty()) {
      reader.finish();
    } else {
      const std::size_t count = std::min(piece(), bytes.size());
      reader.feed(bytes.substr(0, count));
      bytes.remove_prefix(count);
    }
  }
}

std::vector<std::string> read_recorded(const std::string& input, std::size_t piece) {
  const std::size_t bar = input.rfind(" | ");
  const std::string written = input.substr(bar + 3);
  const Options options = options_of("COPY x (a, b) FROM STDIN" + (written.empty() ? "" : " WITH (" + written + ")"));
  std::vector<ColumnInput> columns = {{"a", false, !options.force_null.empty()},
                                      {"b", !options.force_not_null.empty(), false}};
  Reader reader(options, "x", columns, Reader::Origin::file);
  std::vector<std::string> lines;
  try {
    read_all(
        reader, unescaped(input.substr(0, bar)), [&] { return piece; },
        [&](std::span<const Field> fields) {
          if (fields.size() < 2) reader.throw_missing(fields.size());
          const auto shown = [](const Field& field) { return field.is_null ? "null" : quoted(field.text); };
          lines.push_back(shown(fields[0]) + "," + shown(fields[1]));
        });
  } catch (const SqlError& error) {
    const ErrorFields& fields = error.fields();
    lines = {"!" + without_controls(fields.message) + " / " + fields.hint + " / " + without_controls(fields.context)};
  }
  return lines;
}

TEST(CopyReader, ReadsWhatPostgresReads) {
  const std::vector<Recorded> all = recorded("lines.txt");
  ASSERT_GT(all.size(), 90U);
  for (const Recorded& one : all) {
    for (const std::size_t piece : {1000, 1, 2, 3, 5})
      EXPECT_EQ(read_recorded(one.input, piece), one.answer) << one.input;
  }
}

TEST(CopyReader, TellsWhereItIs) {
  Reader reader(Options{}, "t", {{"a", false, false}, {"b", false, false}}, Reader::Origin::client);
  EXPECT_EQ(reader.next(), Reader::Outcome::hungry);
  EXPECT_EQ(reader.context(), "COPY t, line 1");
  reader.feed("1\t\\N\n2\tx\n\\.\nmore");
  ASSERT_EQ(reader.next(), Reader::Outcome::row);
  EXPECT_EQ(reader.context(), "COPY t, line 1: \"1\t\\N\"");
  EXPECT_EQ(reader.context_of_field(0), "COPY t, line 1, column a: \"1\"");
  EXPECT_EQ(reader.context_of_field(1), "COPY t, line 1, column b: null input");
  EXPECT_EQ(reader.line_bytes(), 4U);
  ASSERT_EQ(reader.next(), Reader::Outcome::row);
  EXPECT_EQ(reader.line(), 2U);
  EXPECT_EQ(reader.context_of_line(1), "COPY t, line 1");
  EXPECT_EQ(reader.next(), Reader::Outcome::end);
  reader.feed("3\t4\n");
  EXPECT_EQ(reader.next(), Reader::Outcome::end);
}

TEST(CopyReader, TablesWithoutColumnsHaveEmptyLines) {
  Reader reader(Options{}, "t", {}, Reader::Origin::client);
  reader.feed("\n\nx\n");
  EXPECT_EQ(reader.next(), Reader::Outcome::row);
  EXPECT_EQ(reader.next(), Reader::Outcome::row);
  EXPECT_THROW(reader.next(), SqlError);
}

// --- writing ---

std::string written(const std::string& options, const std::vector<std::vector<std::optional<std::string>>>& rows,
                    bool force_quote = false) {
  const std::vector<std::string> names = {"a", "b,\"c"};
  Writer writer(options_of("COPY x TO STDOUT" + (options.empty() ? "" : " WITH (" + options + ")")),
                std::vector<bool>(rows.at(0).size(), force_quote));
  std::string out;
  writer.header(out, std::span(names).subspan(0, rows.at(0).size()));
  for (const auto& row : rows) {
    for (const auto& field : row) {
      if (field) {
        writer.field(out, *field);
      } else {
        writer.null(out);
      }
    }
    writer.end_row(out);
  }
  return out;
}

TEST(CopyWriter, WritesWhatPostgresWrites) {
  EXPECT_EQ(written("", {{"1", std::nullopt}, {"a\tb\\c\n\r\b\f\v\x01", "\\N"}}),
            "1\t\\N\na\\tb\\\\c\\n\\r\\b\\f\\v\x01\t\\\\N\n");
  EXPECT_EQ(written("delimiter '|', null 'x', header", {{"a|b\t", "x"}}), "a|b,\"c\na\\|b\\t|x\n");
  EXPECT_EQ(written("delimiter e'\\x02'", {{"a\x02", "\x01"}}), "a\\\x02\x02\x01\n");
  EXPECT_EQ(written("format csv, header", {{"1", std::nullopt}, {"", "a\"b"}, {"a,b", "c\nd"}, {" e ", "\\."}}),
            "a,\"b,\"\"c\"\n1,\n\"\",\"a\"\"b\"\n\"a,b\",\"c\nd\"\n e ,\\.\n");
  EXPECT_EQ(written("format csv", {{"\\."}, {std::nullopt}, {"\\.."}}), "\"\\.\"\n\n\\..\n");
  EXPECT_EQ(written("format csv, null 'x', quote '''', escape '\\', delimiter ';'", {{"x", "a'b\\"}, {"it,", ";"}}),
            "'x';'a\\'b\\\\'\nit,;';'\n");
  EXPECT_EQ(written("format csv", {{"1", std::nullopt}}, true), "\"1\",\n");
}

// --- what is written is read again ---

const std::vector<std::string> atoms = {"a", "b",  "N",  ".",  "x",  "0",  ",", ";", "|",          "\"",
                                        "'", "\\", "\n", "\r", "\t", "\b", " ", "é", "\U0001F600", "\x01"};

std::vector<std::vector<std::optional<std::string>>> any_rows(std::size_t columns) {
  std::vector<std::vector<std::optional<std::string>>> rows;
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    rows.emplace_back();
    for (std::size_t column = 0; column < columns; ++column) {
      if (*rc::gen::inRange(0, 4) == 0) {
        rows.back().emplace_back();
        continue;
      }
      std::string text;
      for (int atom = *rc::gen::inRange(0, 6); atom > 0; --atom) text += *rc::gen::elementOf(atoms);
      rows.back().emplace_back(std::move(text));
    }
  }
  return rows;
}

// Quotes or delimiters that are backslashes are left out: a row could then look like \., in PostgreSQL as here.
Options any_options() {
  Options options;
  options.format = *rc::gen::element(Format::text, Format::csv);
  const bool csv = options.format == Format::csv;
  options.header = *rc::gen::element(Header::none, Header::present, Header::match);
  options.delimiter = *rc::gen::element('\t', ',', ';', '|', '\b', '\x01');
  // In text, a value that looks like another NULL string is read as NULL.
  if (csv) options.null = *rc::gen::element<std::string>("", "\\N", "N", "a.b", ".");
  options.quote = *rc::gen::element('"', '\'', '.', 'a');
  options.escape = *rc::gen::element('"', '\\', '\'', 'N');
  if (csv) RC_PRE(options.null.find(options.quote) == std::string::npos);
  return options;
}

RC_GTEST_PROP(Copy, WhatIsWrittenIsReadAgainInWhateverPieces, ()) {
  const Options options = any_options();
  const std::size_t columns = *rc::gen::inRange<std::size_t>(1, 4);
  const auto rows = any_rows(columns);
  std::vector<ColumnInput> inputs;
  std::vector<std::string> names;
  std::vector<bool> force_quote;
  for (std::size_t i = 0; i < columns; ++i) {
    names.push_back("c\"," + std::to_string(i));
    inputs.push_back({names.back(), false, false});
    force_quote.push_back(*rc::gen::arbitrary<bool>());
  }
  Writer writer(options, force_quote);
  std::string bytes;
  writer.header(bytes, names);
  for (const auto& row : rows) {
    for (const auto& field : row) {
      if (field) {
        writer.field(bytes, *field);
      } else {
        writer.null(bytes);
      }
    }
    writer.end_row(bytes);
  }
  std::vector<std::vector<std::optional<std::string>>> read;
  Reader reader(options, "t", inputs, *rc::gen::element(Reader::Origin::client, Reader::Origin::file));
  read_all(
      reader, bytes, [] { return *rc::gen::inRange<std::size_t>(1, 9); },
      [&](std::span<const Field> fields) {
        read.emplace_back();
        for (const Field& field : fields)
          read.back().push_back(field.is_null ? std::nullopt : std::optional(std::string(field.text)));
      });
  RC_ASSERT(read == rows);
}

// Any bytes: the same rows and the same error, wherever they are cut.
RC_GTEST_PROP(CopyReader, PiecesDoNotMatter, ()) {
  const Options options = any_options();
  std::string bytes;
  for (int i = *rc::gen::inRange(0, 30); i > 0; --i) bytes += *rc::gen::elementOf(atoms);
  if (*rc::gen::inRange(0, 4) == 0) bytes += "\n\\.\n";
  const auto outcome = [&](const FeedNext& piece) {
    Reader reader(options, "t", {{"a", false, false}, {"b", false, false}}, Reader::Origin::file);
    std::string text;
    try {
      read_all(reader, bytes, piece, [&](std::span<const Field> fields) {
        for (const Field& field : fields) text += field.is_null ? "null," : quoted(field.text) + ",";
        text += std::to_string(reader.line()) + reader.context() + "\n";
      });
    } catch (const SqlError& error) {
      text += error.fields().message + error.fields().context;
    }
    return text;
  };
  RC_ASSERT(outcome([] { return *rc::gen::inRange<std::size_t>(1, 5); }) == outcome([] { return 1000; }));
}

// --- binary ---

std::string read_binary_file(std::string_view bytes, std::size_t piece) {
  BinaryReader reader("t", {"a", "b"});
  std::string text;
  try {
    read_all(
        reader, bytes, [&] { return piece; },
        [&](std::span<const Field> fields) {
          for (const Field& field : fields) text += field.is_null ? "null;" : std::string(field.text) + ";";
          if (fields.size() < 2) reader.throw_missing(fields.size());
        });
  } catch (const SqlError& error) {
    text += error.sqlstate() + " " + error.fields().message + " / " + error.fields().context;
  }
  return text;
}

TEST(CopyBinary, RefusesWhatPostgresRefuses) {
  using namespace std::string_literals;
  const std::string header = "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"s;
  const std::string row = "\0\2\0\0\0\1x\xff\xff\xff\xff"s;
  const std::string end = "\xff\xff";
  for (const std::size_t piece : {1000, 1, 2, 3, 5}) {
    const auto read = [&](const std::string& bytes) { return read_binary_file(bytes, piece); };
    EXPECT_EQ(read(header + row + row + end), "x;null;x;null;");
    EXPECT_EQ(read(header + row), "x;null;");
    EXPECT_EQ(read(header), "");
    EXPECT_EQ(read("PGCOPY\n\xff\r\n\0\0\0\0\1\0\0\0\3abc"s + row), "x;null;");
    EXPECT_EQ(read(""), "22P04 COPY file signature not recognized / ");
    EXPECT_EQ(read("1\t2\n1\t2\n1\t2\n"), "22P04 COPY file signature not recognized / ");
    EXPECT_EQ(read(header.substr(0, 13)), "22P04 invalid COPY file header (missing flags) / ");
    EXPECT_EQ(read(header.substr(0, 17)), "22P04 invalid COPY file header (missing length) / ");
    EXPECT_EQ(read("PGCOPY\n\xff\r\n\0\0\0\0\1\0\0\0\3ab"s), "22P04 invalid COPY file header (wrong length) / ");
    EXPECT_EQ(read("PGCOPY\n\xff\r\n\0\0\1\0\0\0\0\0\0"s), "22P04 invalid COPY file header (WITH OIDS) / ");
    EXPECT_EQ(read("PGCOPY\n\xff\r\n\0\0\2\0\0\0\0\0\0"s), "22P04 unrecognized critical flags in COPY file header / ");
    EXPECT_EQ(read(header + row + end + "x"), "x;null;22P04 received copy data after EOF marker / COPY t, line 2");
    EXPECT_EQ(read(header + "\0\1\0\0\0\1x"s), "22P04 row field count is 1, expected 2 / COPY t, line 1");
    EXPECT_EQ(read(header + row.substr(0, 8)), "x;22P04 unexpected EOF in COPY data / COPY t, line 1, column b");
    EXPECT_EQ(read(header + row.substr(0, 6)), "22P04 unexpected EOF in COPY data / COPY t, line 1, column a");
    EXPECT_EQ(read(header + "\0\2\xff\xff\xff\xfe"s + row), "22P04 invalid field size / COPY t, line 1, column a");
  }
}

RC_GTEST_PROP(CopyBinary, WhatIsWrittenIsReadAgainInWhateverPieces, ()) {
  const auto rows = any_rows(2);
  BinaryWriter writer(2);
  std::string bytes;
  writer.header(bytes, {});
  std::string expected;
  for (const auto& row : rows) {
    for (const auto& field : row) {
      if (field) {
        writer.field(bytes, *field);
      } else {
        writer.null(bytes);
      }
      expected += field.value_or("null") + ";";
    }
    writer.end_row(bytes);
  }
  writer.trailer(bytes);
  RC_ASSERT(read_binary_file(bytes, *rc::gen::inRange<std::size_t>(1, 9)) == expected);
}

}  // namespace
}  // namespace polarsim::engine::copy
