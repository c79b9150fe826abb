// The parts of the prompt that need no server.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scenarios/cli/prompt/name_pattern.h"
#include "scenarios/cli/prompt/server_report.h"
#include "scenarios/cli/prompt/statement_scanner.h"
#include "scenarios/cli/prompt/statements.h"
#include "scenarios/cli/prompt/text_width.h"
#include "scenarios/cli/prompt/variables.h"

namespace polarsim::scenarios::cli::prompt {
namespace {

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(text_width("abc"), 3U);
  EXPECT_EQ(text_width("日本"), 4U);
  EXPECT_EQ(text_width("e\xcc\x81"), 1U);
  EXPECT_EQ(text_width("😀"), 2U);
  EXPECT_EQ(character_width("\x07"), -1);
  EXPECT_EQ(character_bytes("\xe6\x97"), 1U) << "a character that is cut off is a byte";
}

TEST(TextWidth, LinesOfACell) {
  const std::vector<TextLine> lines = lines_of_cell("a\tb\n\r\x01");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "a       b");
  EXPECT_EQ(lines[0].width, 9U);
  EXPECT_EQ(lines[1].text, "\\r\\x01");
  EXPECT_EQ(lines[1].width, 6U);
}

TEST(TextWidth, FittingPart) {
  EXPECT_EQ(fitting_part("日本語", 5).bytes, 6U);
  EXPECT_EQ(fitting_part("日本語", 1).bytes, 3U) << "at least one character";
  EXPECT_EQ(fitting_part("", 4).bytes, 0U);
}

TEST(ServerReport, PointsAtThePosition) {
  EXPECT_EQ(shown_position("SELECT nope", 8), "LINE 1: SELECT nope\n               ^\n");
  EXPECT_EQ(shown_position("SELECT 1,\r\n\tnope\nFROM t", 13), "LINE 2:  nope\n         ^\n");
  EXPECT_EQ(shown_position("SELECT '日本', nope", 14), "LINE 1: SELECT '日本', nope\n                       ^\n");
  EXPECT_EQ(shown_position("x", 2), "LINE 1: x\n         ^\n") << "the end";
  EXPECT_EQ(shown_position("x", 3), "") << "beyond it";
  EXPECT_EQ(shown_position("x", 0), "");
}

TEST(ServerReport, Verbosities) {
  ServerReport report;
  report.severity = "ERROR";
  report.sqlstate = "42703";
  report.message = "column \"a\" does not exist";
  report.hint = "Perhaps not.";
  report.context = "somewhere";
  report.position = 8;
  EXPECT_EQ(shown_report(report, "SELECT a", Verbosity::terse, ShowContext::errors),
            "ERROR:  column \"a\" does not exist at character 8\n");
  EXPECT_EQ(shown_report(report, "SELECT a", Verbosity::sqlstate, ShowContext::errors), "ERROR:  42703\n");
  EXPECT_EQ(shown_report(report, "SELECT a", Verbosity::standard, ShowContext::never),
            "ERROR:  column \"a\" does not exist\nLINE 1: SELECT a\n               ^\nHINT:  Perhaps not.\n");
  report.severity = "NOTICE";
  EXPECT_EQ(shown_report(report, "", Verbosity::verbose, ShowContext::errors),
            "NOTICE:  42703: column \"a\" does not exist at character 8\nHINT:  Perhaps not.\n")
      << "the context of errors alone";
}

TEST(NamePattern, BecomesExpressions) {
  EXPECT_EQ(parse_name_pattern("Ord*").name, "^(ord.*)$");
  EXPECT_EQ(parse_name_pattern("*").name, "");
  EXPECT_EQ(parse_name_pattern("\"Mixed?\".t?").schema, "^(Mixed\\?)$");
  EXPECT_EQ(parse_name_pattern("\"Mixed?\".t?").name, "^(t.)$");
  EXPECT_EQ(parse_name_pattern("db.s.t$1").database, "db");
  EXPECT_EQ(parse_name_pattern("db.s.t$1").name, "^(t\\$1)$");
  EXPECT_EQ(parse_name_pattern("int4[]").name, "^(int4\\[\\])$");
  EXPECT_EQ(parse_name_pattern("a.b.c.d").dots, 3);
  EXPECT_EQ(parse_name_pattern("\"a\"\"b\"").name, "^(a\"b)$");
}

TEST(Variables, MeaningsRefuseAndComeBack) {
  Variables variables;
  bool value = true;
  variables.define("FLAG", [&](std::optional<std::string> text) -> std::optional<std::string> {
    value = text ? boolean_value(*text, "FLAG") : false;
    return value ? "on" : "off";
  });
  EXPECT_FALSE(value);
  variables.set("FLAG", "tr");
  EXPECT_TRUE(value);
  EXPECT_EQ(variables.get("FLAG"), "on");
  EXPECT_THROW(variables.set("FLAG", "perhaps"), Variables::Refusal);
  EXPECT_EQ(variables.get("FLAG"), "on") << "as it was";
  variables.unset("FLAG");
  EXPECT_EQ(variables.get("FLAG"), "off");
  EXPECT_THROW(variables.set("a b", "1"), Variables::Refusal);
  EXPECT_EQ(boolean_of("o"), std::nullopt) << "could be either";
}

TEST(ShownTime, InPsqlsWords) {
  EXPECT_EQ(shown_time(0.0005), "Time: 0.500 ms");
  EXPECT_EQ(shown_time(61.5), "Time: 61500.000 ms (01:01.500)");
  EXPECT_EQ(shown_time(2 * 86400 + 3661), "Time: 176461000.000 ms (2 d 01:01:01.000)");
}

TEST(DequotedIdentifier, FoldsWhatIsNotQuoted) { EXPECT_EQ(dequoted_identifier("Foo\"Bar\"\"\"BAZ"), "fooBar\"baz"); }

TEST(StatementScanner, StripsSemicolonsOfArguments) {
  StatementScanner scanner({[](const std::string&, QuotedAs) { return std::nullopt; },
                            [](const std::string& command) { return "<" + command + ">"; }, [](const std::string&) {},
                            [](const std::string&) {}});
  std::string statement;
  scanner.set_line("\\cmd one;; 'two;' `three` \"Four\" \\\\ SELECT 1;");
  ASSERT_EQ(scanner.scan(statement), ScanStop::backslash);
  EXPECT_EQ(scanner.command_name(), "cmd");
  EXPECT_EQ(scanner.argument(ArgumentKind::normal, true), "one");
  EXPECT_EQ(scanner.argument(ArgumentKind::normal, true), "two;");
  EXPECT_EQ(scanner.argument(ArgumentKind::normal, true), "<three>");
  EXPECT_EQ(scanner.argument(ArgumentKind::identifier), "Four");
  EXPECT_EQ(scanner.argument(ArgumentKind::normal), std::nullopt);
  scanner.end_command();
  EXPECT_EQ(scanner.scan(statement), ScanStop::semicolon);
  EXPECT_EQ(statement, "SELECT 1;");
}

}  // namespace
}  // namespace polarsim::scenarios::cli::prompt
