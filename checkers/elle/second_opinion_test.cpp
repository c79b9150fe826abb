#include "checkers/elle/second_opinion.h"

#include <gtest/gtest.h>

#include "checkers/consistency_models.h"

namespace polarsim::checkers {
namespace {

using Names = std::vector<std::string>;

TEST(ElleRequests, AreOneLineOfEdn) {
  EXPECT_EQ(to_line({7, "list-append", "read-committed", {}, "/tmp/a \"b\"\\c\nd.edn"}),
            R"({:id 7, :model "list-append", :file "/tmp/a \"b\"\\c\nd.edn", :options )"
            "{:consistency-models [:read-committed], :cycle-search-timeout 10000}}");
  EXPECT_EQ(to_line({8, "rw-register", "serializable", {.wfr_keys = true, .linearizable_keys = true}, "x.edn"}),
            R"({:id 8, :model "rw-register", :file "x.edn", :options {:consistency-models [:serializable], )"
            ":cycle-search-timeout 10000, :wfr-keys? true, :sequential-keys? false, :linearizable-keys? true}}");
}

TEST(ElleRequests, AskForEllesModelOfALevel) {
  EXPECT_EQ(elle_model_of("MAV"), "read-committed");
  EXPECT_EQ(elle_model_of("CC"), "read-committed");
  EXPECT_EQ(elle_model_of("SI"), "snapshot-isolation");
  EXPECT_EQ(elle_model_of("strong-SER"), "strong-serializable");
  EXPECT_EQ(elle_model_of("PL-2"), "PL-2");
  EXPECT_EQ(elle_model_of("strict-serializable"), "strict-serializable");
  for (const std::string& level : known_levels()) EXPECT_TRUE(is_model_name(elle_model_of(level))) << level;
}

TEST(ElleAnswers, AreRead) {
  const auto answer = parse_elle_answer(
      "{:valid? false, :anomaly-types [:G1a :G-single-item], :not [:read-committed], :also-not [:serializable :1SR], "
      ":id 12}");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(
      *answer,
      (ElleAnswer{12, Validity::invalid, {"G1a", "G-single-item"}, {"read-committed"}, {"serializable", "1SR"}, ""}));
  EXPECT_EQ(parse_elle_answer("{:id 1, :valid? true, :anomaly-types [], :not [], :also-not []}")->validity,
            Validity::valid);
  const auto unknown =
      parse_elle_answer("{:id 1, :valid? :unknown, :anomaly-types [:cycle-search-timeout], :not [], :also-not []}");
  EXPECT_EQ(unknown->validity, Validity::unknown);
  EXPECT_EQ(unknown->reason, "it says unknown: cycle-search-timeout");
  const auto error = parse_elle_answer(R"({:id 3, :error "java.lang.Error: a \"b\"\nc"})");
  EXPECT_EQ(*error, (ElleAnswer{3, Validity::unknown, {}, {}, {}, "java.lang.Error: a \"b\" c"}));
}

TEST(ElleAnswers, RefuseWhatIsNone) {
  for (const char* line :
       {"", "hello", "{", "}", "{}", "{:id 1}", "{:id x, :valid? true, :anomaly-types [], :not [], :also-not []}",
        "{:id 1.5, :error \"x\"}", "{:id 1, :valid? maybe, :anomaly-types [], :not [], :also-not []}",
        "{:id 1, :valid? true}", "{:id 1, :valid? true, :anomaly-types [G1], :not [], :also-not []}",
        "{:id 1, :valid? true, :anomaly-types [:G1, :not [], :also-not []}",
        "{:id 1, :valid? true, :anomaly-types 4, :not [], :also-not []}",
        "{:id 1, :valid? true, :anomaly-types [], :not [], :also-not []} {}", "[:id 1]", "{\"id\" 1}"}) {
    const auto answer = parse_elle_answer(line);
    ASSERT_FALSE(answer) << line;
    EXPECT_EQ(answer.error(), std::string("expected an answer of Elle's bridge, found: ") + line);
  }
  const auto long_line = parse_elle_answer(std::string(100'000, 'x'));
  ASSERT_FALSE(long_line);
  EXPECT_LT(long_line.error().size(), 200U);
}

TEST(ElleGreetings, TellTheVersionOrWhyThereIsNone) {
  EXPECT_EQ(parse_elle_greeting(R"({:ready true, :version "0.2.7"})").value(), "0.2.7");
  EXPECT_EQ(parse_elle_greeting("{:ready true, :version nil}").value(), "");
  EXPECT_EQ(parse_elle_greeting(R"({:failed "no elle/core.clj"})").error(), "no elle/core.clj");
  for (const char* line : {"", "{:ready false, :version nil}", "{:ready true}", "Picked up JAVA_TOOL_OPTIONS"})
    EXPECT_EQ(parse_elle_greeting(line).error(), std::string("expected the greeting of Elle's bridge, found: ") + line);
}

// One row of what the two said, and what follows.
struct Row {
  const char* name;
  const char* checker;
  const char* model;
  Validity own;
  Names found;
  Validity elle;
  Names anomalies;
  Agreement expected;
  RegisterOptions options = {};
};

ElleAnswer answer_from(const Row& row) {
  ElleAnswer answer;
  answer.validity = row.elle;
  answer.anomalies = row.anomalies;
  answer.reason = row.elle == Validity::unknown ? "it says unknown" : "";
  // Of a valid history Elle tells no models.
  if (row.elle == Validity::valid) return answer;
  Boundary boundary = boundary_of(NameSet(row.anomalies.begin(), row.anomalies.end()));
  answer.not_models = std::move(boundary.not_models);
  answer.also_not = std::move(boundary.also_not);
  return answer;
}

TEST(ElleComparison, FollowsTheTable) {
  constexpr Validity valid = Validity::valid, invalid = Validity::invalid, unknown = Validity::unknown;
  constexpr Agreement agreed = Agreement::agreed, known = Agreement::differs_as_known, disagreed = Agreement::disagreed,
                      none = Agreement::no_verdict;
  const char* const list = "list-append";
  const char* const reg = "rw-register";
  const RegisterOptions linearizable{.wfr_keys = false, .linearizable_keys = true};
  const std::vector<Row> rows = {
      {"both valid", list, "read-committed", valid, {}, valid, {}, agreed},
      {"valid, with what the model permits",
       list,
       "read-committed",
       valid,
       {"G-single-item", "internal"},
       valid,
       {},
       agreed},
      {"both invalid", list, "serializable", invalid, {"G2-item"}, invalid, {"G2-item"}, agreed},
      {"another cycle that rules out the same",
       list,
       "strict-serializable",
       invalid,
       {"G0-realtime"},
       invalid,
       {"strong-PL-1-cycle-exists"},
       agreed},
      {"we alone say invalid", list, "read-committed", invalid, {"G1c"}, valid, {}, disagreed},
      {"Elle alone says invalid", list, "read-committed", valid, {}, invalid, {"G1c"}, disagreed},
      {"Elle says invalid for less", list, "serializable", invalid, {"G1a"}, invalid, {"G2-item"}, disagreed},
      {"Elle says invalid for more", list, "serializable", invalid, {"G2-item"}, invalid, {"G0"}, disagreed},
      {"own writes missed, where Elle permits internal",
       list,
       "read-committed",
       invalid,
       {"internal", "internal-own-write"},
       valid,
       {},
       known},
      {"own writes missed, where Elle does not",
       list,
       "serializable",
       invalid,
       {"internal", "internal-own-write"},
       invalid,
       {"internal"},
       agreed},
      {"values out of thin air in registers", reg, "read-committed", invalid, {"thin-air-read"}, valid, {}, known},
      {"and something that Elle sees",
       reg,
       "read-committed",
       invalid,
       {"thin-air-read", "G1a"},
       invalid,
       {"G1a"},
       agreed},
      {"and something that it should see",
       reg,
       "read-committed",
       invalid,
       {"thin-air-read", "G1a"},
       valid,
       {},
       disagreed},
      {"future reads in registers", reg, "serializable", invalid, {"future-read"}, valid, {}, known},
      {"future reads in lists", list, "serializable", invalid, {"future-read"}, valid, {}, disagreed},
      {"final reads", list, "read-committed", invalid, {"lost-append", "partial-commit"}, valid, {}, known},
      {"final reads of registers", reg, "read-committed", invalid, {"lost-write"}, valid, {}, known},
      {"Elle unknown, we valid", list, "serializable", valid, {}, unknown, {"cycle-search-timeout"}, none},
      {"Elle unknown, we invalid", list, "serializable", invalid, {"G1c"}, unknown, {"empty-transaction-graph"}, none},
      {"we unknown", list, "serializable", unknown, {}, invalid, {"G1c"}, none},
      {"Elle's search ended early",
       list,
       "serializable",
       invalid,
       {"G1c"},
       invalid,
       {"cycle-search-timeout", "G2-item"},
       known},
      {"which does not excuse what it found",
       list,
       "serializable",
       invalid,
       {"G2-item"},
       invalid,
       {"cycle-search-timeout", "G1c"},
       disagreed},
      {"which is no excuse for saying valid", list, "serializable", invalid, {"G1c"}, valid, {}, disagreed},
      {"contradictory reads",
       list,
       "strict-serializable",
       invalid,
       {"incompatible-order", "G0"},
       invalid,
       {"incompatible-order"},
       known},
      {"contradictory reads, permitted",
       list,
       "read-uncommitted",
       invalid,
       {"incompatible-order", "G0"},
       valid,
       {},
       known},
      {"contradictory reads, not permitted and not seen",
       list,
       "read-committed",
       invalid,
       {"incompatible-order"},
       valid,
       {},
       disagreed},
      {"contradictory reads that Elle misses and forbids",
       list,
       "strict-serializable",
       invalid,
       {"incompatible-order"},
       invalid,
       {"G0"},
       disagreed},
      {"linearizable keys", reg, "strict-serializable", valid, {}, invalid, {"cyclic-versions"}, known, linearizable},
      {"linearizable keys, and another anomaly",
       reg,
       "strict-serializable",
       invalid,
       {"G1a"},
       invalid,
       {"G1a", "cyclic-versions"},
       known,
       linearizable},
      {"linearizable keys, and another that is permitted",
       reg,
       "repeatable-read",
       invalid,
       {"lost-update", "internal"},
       invalid,
       {"cyclic-versions", "lost-update"},
       known,
       linearizable},
      {"linearizable keys, and one that we miss",
       reg,
       "strict-serializable",
       valid,
       {},
       invalid,
       {"G1a", "cyclic-versions"},
       disagreed,
       linearizable},
      {"cyclic versions without them", reg, "strict-serializable", valid, {}, invalid, {"cyclic-versions"}, disagreed},
      {"cyclic versions that we alone see",
       reg,
       "strict-serializable",
       invalid,
       {"cyclic-versions"},
       valid,
       {},
       disagreed,
       linearizable},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const OwnOpinion own{row.checker, row.model, row.options, row.own, "", row.found};
    const SecondOpinion second = compare_with_elle(own, answer_from(row));
    EXPECT_STREQ(to_string(second.agreement), to_string(row.expected));
    EXPECT_NE(second.explanation, "");
    EXPECT_EQ(second.explanation.find('\n'), std::string::npos);
    EXPECT_EQ(second.explanation.starts_with("elle-disagreement: "), row.expected == disagreed) << second.explanation;
  }
}

TEST(ElleComparison, NamesWhatEachRulesOutAlone) {
  const OwnOpinion own{"list-append", "serializable", {}, Validity::invalid, "", {"G2-item"}};
  ElleAnswer elle;
  elle.validity = Validity::invalid;
  elle.anomalies = {"internal"};
  elle.not_models = {"serializable", "PRAM"};
  const std::string text = compare_with_elle(own, elle).explanation;
  EXPECT_EQ(text.substr(0, text.find(';')),
            "elle-disagreement: polarsim says invalid (G2-item), Elle says invalid (internal) at serializable");
  EXPECT_NE(text.find("ruled out by polarsim alone: repeatable-read"), std::string::npos) << text;
  EXPECT_NE(text.find("ruled out by Elle alone: PRAM"), std::string::npos) << text;
}

// The opinion is made from counts, in which exposures are, too.
TEST(ElleComparison, TakesOurOpinionFromAVerdict) {
  Verdict verdict;
  verdict.checker = "list-append";
  verdict.validity = Validity::unknown;
  verdict.reason = "why";
  verdict.counts = {{"G1a", 0}, {"internal", 2}};
  const OwnOpinion own = own_opinion(verdict, "serializable");
  EXPECT_EQ(own.found, Names{"internal"});
  EXPECT_EQ(own.checker, "list-append");
  EXPECT_EQ(own.validity, Validity::unknown);
  EXPECT_EQ(compare_with_elle(own, no_answer("it died")).explanation, "gave no verdict: it died");
  ElleAnswer elle;
  elle.validity = Validity::valid;
  EXPECT_EQ(compare_with_elle(own, elle).explanation, "says valid, and polarsim gave no verdict: why");
}

}  // namespace
}  // namespace polarsim::checkers
