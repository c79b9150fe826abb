// Pictures of anomalies: whatever a history holds, the XML is well-formed and the DOT can be parsed, and what was found
// is in them.
#include "checkers/explanation_pictures.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "checkers/checkers.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::concurrent;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// Why a text is not well-formed XML, as far as our documents go (no DTD, no comments, no CDATA); empty if it is.
class Xml {
 public:
  explicit Xml(std::string text) : text_(std::move(text)) {}

  std::string problem() {
    if (const std::string bad = problem_of_bytes(); !bad.empty()) return bad;
    if (text_.starts_with("<?xml")) at_ = text_.find("?>") + 2;
    while (at_ < text_.size()) {
      const std::string bad = text_[at_] == '<' ? tag() : words();
      if (!bad.empty()) return bad + " at " + std::to_string(at_) + ": " + text_.substr(at_, 40);
    }
    if (!open_.empty()) return "<" + open_.back() + "> is not closed";
    return roots_ == 1 ? "" : "there are " + std::to_string(roots_) + " roots";
  }

 private:
  std::string problem_of_bytes() const {
    for (std::size_t i = 0; i < text_.size();) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      const std::size_t length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 0;
      if (length == 0 || i + length > text_.size()) return "not UTF-8";
      for (std::size_t k = 1; k < length; ++k) {
        if ((static_cast<unsigned char>(text_[i + k]) & 0xC0U) != 0x80U) return "not UTF-8";
      }
      if (byte < 0x20 && byte != '\n' && byte != '\t') return "a control character";
      i += length;
    }
    return "";
  }
  std::string reference() {
    for (const char* known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (text_.compare(at_, std::string(known).size(), known) != 0) continue;
      at_ += std::string(known).size();
      return "";
    }
    return "a bare &";
  }
  std::string words() {
    if (open_.empty() && text_[at_] != '\n') return "words outside of the root";
    while (at_ < text_.size() && text_[at_] != '<') {
      if (text_[at_] == '&') {
        if (const std::string bad = reference(); !bad.empty()) return bad;
      } else {
        ++at_;
      }
    }
    return "";
  }
  std::string name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '-'))
      ++at_;
    return text_.substr(start, at_ - start);
  }
  std::string tag() {
    ++at_;
    if (text_[at_] == '/') {
      ++at_;
      const std::string closed = name();
      if (open_.empty() || open_.back() != closed) return "a wrong end of <" + closed + ">";
      open_.pop_back();
      return text_[at_++] == '>' ? "" : "an end that does not end";
    }
    const std::string element = name();
    if (element.empty()) return "a tag without a name";
    roots_ += open_.empty() ? 1 : 0;
    std::set<std::string> attributes;
    while (text_[at_] == ' ') {
      ++at_;
      const std::string attribute = name();
      if (attribute.empty() || !attributes.insert(attribute).second) return "an attribute twice, or without a name";
      if (text_.compare(at_, 2, "='") != 0) return "an attribute without a value";
      at_ += 2;
      while (at_ < text_.size() && text_[at_] != '\'') {
        if (text_[at_] == '<') return "< in an attribute";
        if (text_[at_] == '&') {
          if (const std::string bad = reference(); !bad.empty()) return bad;
        } else {
          ++at_;
        }
      }
      ++at_;
    }
    if (text_[at_] == '>') {
      ++at_;
      open_.push_back(element);
      return "";
    }
    if (text_.compare(at_, 2, "/>") != 0) return "a tag that does not end";
    at_ += 2;
    return "";
  }

  std::string text_;
  std::size_t at_ = 0, roots_ = 0;
  std::vector<std::string> open_;
};

// Why a text is not a graph as to_dot() writes it: every statement on a line, strings in quotes; empty if it is one.
std::string problem_of_dot(const std::string& text) {
  std::size_t depth = 0;
  bool quoted = false;
  std::string outside;  // what is not within quotes
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        if (++i == text.size() || std::string_view("\"\\l").find(text[i]) == std::string_view::npos) return "an escape";
      } else if (c == '"') {
        quoted = false;
      } else if (c == '\n') {
        return "a string over several lines";
      }
      continue;
    }
    if (c == '"') {
      quoted = true;
      outside += '"';
      continue;
    }
    depth += c == '{' ? 1 : 0;
    if (c == '}' && depth-- == 0) return "a } too many";
    outside += c;
  }
  if (quoted || depth != 0) return "an end is missing";
  const bool plain = std::all_of(outside.begin(), outside.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view(" \n{}[]=,;_->\"").find(c) != std::string_view::npos;
  });
  return plain ? "" : "outside of strings: " + outside;
}

std::vector<Anomaly> everything(const Verdict& verdict) {
  std::vector<Anomaly> all = verdict.anomalies;
  all.insert(all.end(), verdict.exposures.begin(), verdict.exposures.end());
  return all;
}

std::vector<Anomaly> found_in(const History& history, const char* level) {
  return everything(check_list_append(history, {level}));
}

const std::vector<std::string> skew = {"ok [[:append 1 1] [:append 2 1]]", "ok [[:r 1 [1]] [:r 2 nil]]"};

TEST(ExplanationPictures, ShowOperationsAndDependencies) {
  const std::vector<Anomaly> found = found_in(concurrent(skew), "snapshot-isolation");
  ASSERT_EQ(found.size(), 1U);
  const std::string svg = to_svg(found);
  EXPECT_EQ(Xml(svg).problem(), "") << svg;
  for (const char* words :
       {">G-single-item<", ">op 2, ok, process 0<", ">[[:append 1 1] [:append 2 1]]<", ">rw key 2: nil -&gt; 1<",
        ">wr key 1: 1 -&gt; [1]<", ">process 0<", ">process 1<", ">0 ms<", ">3 us<"}) {
    EXPECT_NE(svg.find(words), std::string::npos) << words << "\n" << svg;
  }
  EXPECT_EQ(count_of(svg, "<polygon"), 2U);
  EXPECT_EQ(to_dot(found),
            "digraph anomalies {\n"
            "  node [shape=box, fontname=\"monospace\"];\n"
            "  edge [fontname=\"monospace\"];\n"
            "  subgraph cluster_0 {\n"
            "    label=\"G-single-item\";\n"
            "    a0_0 [label=\"op 3, process 1\\l1 us to 3 us, ok\\l[[:r 1 [1]] [:r 2 nil]]\\l\"];\n"
            "    a0_1 [label=\"op 2, process 0\\l0 ms to 2 us, ok\\l[[:append 1 1] [:append 2 1]]\\l\"];\n"
            "    a0_0 -> a0_1 [label=\"rw key 2: nil -> 1\", tooltip=\"op 3 read key 2 as nil, without the 1 that op 2 "
            "appended to it, so op 3 comes before op 2 (rw).\"];\n"
            "    a0_1 -> a0_0 [label=\"wr key 1: 1 -> [1]\", tooltip=\"op 3 read key 1 as [1], whose last element op 2 "
            "appended, so op 2 comes before op 3 (wr).\"];\n"
            "  }\n"
            "}\n");
}

// A page fetches nothing from elsewhere, and so names nothing that is there.
TEST(ExplanationPictures, WithinAPageAreElementsOnly) {
  const std::string element = to_inline_svg(found_in(concurrent(skew), "snapshot-isolation").front());
  EXPECT_TRUE(element.starts_with("<svg "));
  EXPECT_EQ(Xml(element).problem(), "");
  EXPECT_EQ(element.find("http"), std::string::npos);
}

// Of long lists arrows tell the end; who only shows the order of two versions is called a witness.
TEST(ExplanationPictures, TellWhatMatters) {
  std::string appends, list;
  for (int i = 11; i <= 40; ++i) appends += "[:append 1 " + std::to_string(i) + "] ";
  for (int i = 11; i <= 40; ++i) list += std::to_string(i) + " ";
  const std::string svg = to_svg(found_in(concurrent({"ok [" + appends + "[:append 2 1]]",
                                                      "ok [[:append 2 2] [:r 1 [" + list + "]]]", "ok [[:r 2 [2 1]]]"}),
                                          "PL-2"));
  EXPECT_NE(svg.find(">wr key 1: 40 -&gt; [... 38 39 40]<"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">ww key 2: 2 -&gt; 1<"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">op 5, ok, process 2, a witness<"), std::string::npos) << svg;
  EXPECT_EQ(count_of(svg, "a witness"), 1U);
}

TEST(ExplanationPictures, OfOneNodeOperationsThatOverlapStandSideBySide) {
  History history = concurrent(skew);
  for (Event& event : history.events) event.extra.emplace_back("node", "\"cn1\"");
  const std::string svg = to_svg(found_in(history, "snapshot-isolation"));
  EXPECT_EQ(Xml(svg).problem(), "");
  EXPECT_EQ(count_of(svg, ">cn1<"), 2U);
}

TEST(ExplanationPictures, OfTheInitialState) {
  const std::vector<Anomaly> found =
      found_in(concurrent({"ok [[:append 1 1] [:append 2 1]]", "ok [[:r 1 [1]] [:r 2 []]]"}), "MAV");
  const std::string svg = to_svg(found);
  EXPECT_EQ(Xml(svg).problem(), "");
  EXPECT_EQ(count_of(svg, ">initial state<"), 1U);
  EXPECT_EQ(count_of(to_dot(found), "a0_initial [label=\"initial state\""), 1U);
  EXPECT_EQ(problem_of_dot(to_dot(found)), "");
}

TEST(ExplanationPictures, NothingFound) {
  EXPECT_EQ(to_dot({}),
            "digraph anomalies {\n  node [shape=box, fontname=\"monospace\"];\n  edge [fontname=\"monospace\"];\n}\n");
  EXPECT_EQ(Xml(to_svg({})).problem(), "");
  EXPECT_NE(to_svg({}).find("No anomaly with operations was found."), std::string::npos);
  EXPECT_EQ(to_inline_svg({.name = "bank-total", .explanation = "", .operations = {}}), "");
}

std::vector<std::string> ring(int size) {
  std::vector<std::string> ends;
  for (int i = 0; i < size; ++i) {
    ends.push_back("ok [[:append " + std::to_string(i) + " 1] [:r " + std::to_string((i + 1) % size) + " [1]]]");
  }
  return ends;
}

TEST(ExplanationPictures, SayWhenThereIsTooMuchToDraw) {
  const std::string most = to_svg(found_in(concurrent(ring(30)), "PL-2"));
  EXPECT_EQ(Xml(most).problem(), "");
  EXPECT_EQ(count_of(most, "<polygon"), 30U);
  const std::string more = to_svg(found_in(concurrent(ring(31)), "PL-2"));
  EXPECT_EQ(Xml(more).problem(), "");
  EXPECT_NE(more.find("31 operations take part; more than 30 are not drawn. The text names them."), std::string::npos);
  EXPECT_EQ(count_of(more, "<polygon"), 0U);
  EXPECT_NE(to_svg(found_in(concurrent(ring(500)), "PL-2")).find("500 operations take part"), std::string::npos);
}

// Keys and nodes of foreign histories are any EDN, of any length, and in no particular encoding.
History hostile(const std::string& key, const std::string& node) {
  History history = concurrent(skew);
  history.key_names = {key};
  for (Event& event : history.events) {
    event.extra.emplace_back("node", node);
    for (MicroOp& step : std::get<Transaction>(event.value)) step.key = step.key == 1 ? first_named_key : step.key;
  }
  return history;
}

void check_pictures(const std::vector<Anomaly>& found) {
  const std::string svg = to_svg(found);
  if (const std::string bad = Xml(svg).problem(); !bad.empty()) RC_FAIL(bad + "\n" + svg);
  const std::string dot = to_dot(found);
  if (const std::string bad = problem_of_dot(dot); !bad.empty()) RC_FAIL(bad + "\n" + dot);
  for (const Anomaly& anomaly : found) {
    const std::string element = to_inline_svg(anomaly);
    if (!element.empty()) RC_ASSERT(Xml(element).problem().empty());
  }
}

RC_GTEST_PROP(ExplanationPicturesOfForeignHistories, AreWellFormed, (const std::string& key, const std::string& node)) {
  check_pictures(found_in(hostile(key, node), "snapshot-isolation"));
}

TEST(ExplanationPictures, OfForeignHistoriesAreEscaped) {
  const std::vector<std::string> texts = {"\"<script>alert('&')</script>\"",
                                          "\"a\\\\\" b \\N \\G\"",
                                          "\"line\nbreak\ttab\"",
                                          "\"\xff\xfe\xed\xa0\x80 \xC3\"",
                                          "\"\xE2\x82\xAC \xF0\x9F\x98\x80\"",
                                          std::string("\"\0\x01\x7f\"", 5),
                                          "] [: ] ... -->",
                                          std::string(500, '\xC3'),
                                          ""};
  for (const std::string& key : texts) {
    for (const std::string& node : texts) check_pictures(found_in(hostile(key, node), "snapshot-isolation"));
  }
  const std::string svg = to_svg(found_in(hostile(texts[0], texts[0]), "snapshot-isolation"));
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;"), std::string::npos);
}

RC_GTEST_PROP(ExplanationPicturesOfStores, AreWellFormedAndTheSameEveryTime, (bool lists)) {
  const History history = test::Store({.lists = lists, .serial = false, .processes = 8, .transactions = 80},
                                      test::Choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>()))
                              .run();
  for (const char* level : {"strong-serializable", "CC"}) {
    const Level wanted{level};
    const auto judge = [&] {
      return everything(lists ? check_list_append(history, wanted) : check_rw_register(history, wanted));
    };
    const std::vector<Anomaly> found = judge();
    check_pictures(found);
    RC_ASSERT(to_svg(found) == to_svg(judge()));
    RC_ASSERT(to_dot(found) == to_dot(judge()));
  }
}

}  // namespace
}  // namespace polarsim::checkers
