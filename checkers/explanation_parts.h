// What explanations are put together from: the operations that take part, sentences that name them, edges.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/dependency_graph.h"
#include "checkers/explain.h"
#include "checkers/explanation.h"
#include "checkers/operations.h"

namespace polarsim::checkers {

// The operations of an explanation, in order of first use.
class Cast {
 public:
  explicit Cast(const Operations& operations) : operations_(operations) {}

  // Its place; the same for an operation that takes part already.
  std::size_t add(std::uint32_t operation);
  // A key for whose sake the operation takes part: of a long transaction the steps on such keys are shown.
  void about(std::uint32_t operation, std::uint32_t key) { keys_[operation].insert(key); }
  const std::vector<std::uint32_t>& members() const { return members_; }
  std::vector<Explanation::Participant> participants() const;

 private:
  const Operations& operations_;
  std::vector<std::uint32_t> members_;
  std::map<std::uint32_t, std::size_t> places_;
  std::map<std::uint32_t, std::set<std::uint32_t>> keys_;
};

// Names operations in a text: "op 12", and where one is met first also its node and when it ran, counted from the first
// invocation of all. Introductions must be asked for in the order of the text.
class Names {
 public:
  explicit Names(const std::vector<Explanation::Participant>& participants);
  std::string plain(std::size_t place) const;
  std::string introduced(std::size_t place);

 private:
  const std::vector<Explanation::Participant>& participants_;
  std::int64_t base_ns_ = 0;
  std::vector<bool> introduced_;
};

// A sentence, without its end, whose operations are named only when the whole text is put together.
class Sentence {
 public:
  Sentence& operator<<(std::string_view words);
  Sentence& op(std::size_t place);
  std::string plain(const Names& names) const;
  std::string introduced(Names& names) const;

 private:
  struct Part {
    std::string words;
    std::size_t place = 0;
    bool is_operation = false;
  };
  std::vector<Part> parts_;
};

// An explanation under way.
class Story {
 public:
  explicit Story(const Operations& operations) : cast(operations) {}

  void add_edge(Explanation::Edge edge, Sentence why);
  // A line of the text.
  void tell(Sentence line) { lines_.push_back(std::move(line)); }
  // The operations involved are those of the cast. `anomaly` tells what is ruled out.
  Explained finish(std::string_view anomaly) &&;

  Cast cast;

 private:
  std::vector<Explanation::Edge> edges_;
  std::vector<Sentence> reasons_, lines_;
};

// ", so op 3 comes before op 4 (ww)".
void conclude(Sentence& line, const Explanation::Edge& edge);

// "ww", ...: the names of all relations in a set, the strongest first.
std::vector<std::string> relation_names(Relations relations);
std::string joined_with_and(const std::vector<std::string>& parts);

// The EDN of a key, cut where it is very long: keys of foreign histories are any EDN.
std::string short_key(const Operations& operations, std::uint32_t key);
// What a step wrote or was shown.
std::string step_value(const Operations& operations, const Step& step);

}  // namespace polarsim::checkers
