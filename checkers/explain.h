// What was found, in words and as data. The words are those in which one person would tell another: first what was
// seen, each dependency in a sentence with its values, and in the end why no order has all of it.
//
// Only of the few examples that a verdict keeps is this asked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/cycle_search.h"
#include "checkers/dependency_graph.h"
#include "checkers/explanation.h"
#include "checkers/weak_levels.h"

namespace polarsim::checkers {

struct NumberedExecution;
class Operations;
struct Step;

// What data tell of the dependency of one operation on another.
struct EdgeReason {
  bool known = false;  // false: nothing more than that it depends
  bool lists = true;   // appends to lists; else writes to registers
  std::uint32_t key = 0;
  // As in Explanation::Edge.
  std::string before, after;
  bool initial = false;  // `before` is the initial state
  // Whose read tells the order of the two versions, and what it was shown; `no_vertex` where the edge itself shows it.
  std::uint32_t witness = no_vertex;
  std::string witnessed;
  // Lists: no read shows the later version. Registers: the order was inferred from other transactions.
  bool indirect = false;
};
using ExplainEdge = std::function<EdgeReason(std::uint32_t from, std::uint32_t to, Relations label)>;

// Operations are numbers in Operations::list.
struct Explained {
  std::string text;
  std::vector<std::uint32_t> involved;
  Explanation details;
};

Explained explain_cycle(const Operations& operations, const DependencyGraph& graph, const Cycle& cycle,
                        const ExplainEdge& explain);

Explained explain_contradiction(const Operations& operations, const WeakVerdict::Contradiction& contradiction,
                                WeakLevel level, const NumberedExecution& numbered);

// The data of an anomaly whose text says all: the operations, and the one edge that some names stand for.
Explanation explain_plainly(const Operations& operations, std::string_view anomaly, const std::string& text,
                            const std::vector<std::uint32_t>& involved);

// A span of time for a person, exact to a thousandth of its unit: "0 ms", "850 ns", "3.2 ms", "1.05 s".
std::string duration_text(std::int64_t nanoseconds);

// "nil", "[]", "[1 2 3]"; of a long list the beginning and the end.
std::string short_list_text(const Operations& operations, const Step& read);
// The same, with the elements around one that is in it.
std::string list_around(const Operations& operations, const Step& read, std::int64_t element);

}  // namespace polarsim::checkers
