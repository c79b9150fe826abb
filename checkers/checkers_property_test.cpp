// What must hold of the checkers for whole families of histories: stores that keep a level are valid at it, stores that
// do not are caught, and on tiny histories the cycle search agrees with trying all cycles.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "checkers/checkers.h"
#include "checkers/operations.h"
#include "checkers/test_histories.h"

namespace polarsim::checkers {
namespace {

using test::Choices;
using test::count_of;
using test::names_of;
using test::Store;
using test::StoreOptions;

History from_store(StoreOptions options) {
  return Store(options, Choices(*rc::gen::arbitrary<std::vector<std::uint32_t>>())).run();
}

Verdict check(const History& history, bool lists, const char* model) {
  return lists ? check_list_append(history, {model}) : check_rw_register(history, {model});
}

RC_GTEST_PROP(Stores, ASerialStoreIsStrictSerializable, (bool lists)) {
  const History history = from_store({.lists = lists, .serial = true});
  const Verdict verdict = check(history, lists, "strict-serializable");
  if (verdict.validity == Validity::invalid) RC_FAIL(test::text_of(verdict));
  RC_ASSERT(verdict.exposures.empty());
}

RC_GTEST_PROP(Stores, AStoreOfCommittedReadsIsReadCommitted, (bool lists)) {
  const History history = from_store({.lists = lists, .serial = false});
  const Verdict verdict = check(history, lists, "read-committed");
  if (verdict.validity == Validity::invalid) RC_FAIL(test::text_of(verdict));
}

RC_GTEST_PROP(Stores, VerdictsAreTheSameEveryTime, (bool lists)) {
  const History history = from_store({.lists = lists, .serial = false, .transactions = 80});
  RC_ASSERT(test::text_of(check(history, lists, "strict-serializable")) ==
            test::text_of(check(history, lists, "strict-serializable")));
}

RC_GTEST_PROP(Stores, WritingAndReadingAHistoryKeepsTheVerdict, (bool lists)) {
  const History history = from_store({.lists = lists, .serial = false});
  std::string text;
  for (const Event& event : history.events) text += event_to_edn(event) + "\n";
  const auto back = read_history(text, "again");
  if (!back) RC_FAIL(back.error().message);
  RC_ASSERT(test::text_of(check(*back, lists, "serializable")) == test::text_of(check(history, lists, "serializable")));
}

// The read-committed store is not serializable, and over many runs that must show.
TEST(StoresTest, AStoreOfCommittedReadsIsCaughtAtSerializable) {
  std::set<std::string> seen;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    const History history = Store({.serial = false, .transactions = 100}, Choices({seed, seed * 7919 + 1})).run();
    for (const std::string& name : names_of(check_list_append(history, {"serializable"}).anomalies)) seen.insert(name);
  }
  for (const char* name : {"G-single-item", "G2-item", "internal", "lost-update"})
    EXPECT_TRUE(seen.contains(name)) << name;
  for (const char* name : {"G0", "G1a", "G1b", "G1c"}) EXPECT_FALSE(seen.contains(name)) << name;
}

// Whether one vertex can be reached from another, by any path.
std::vector<std::vector<bool>> closure(const DependencyGraph& graph) {
  std::vector<std::vector<bool>> reaches(graph.vertex_count(), std::vector<bool>(graph.vertex_count(), false));
  for (std::uint32_t start = 0; start < graph.vertex_count(); ++start) {
    std::vector<std::uint32_t> work = {start};
    while (!work.empty()) {
      const std::uint32_t v = work.back();
      work.pop_back();
      for (const DependencyGraph::Edge& edge : graph.edges_of(v)) {
        if (reaches[start][edge.to]) continue;
        reaches[start][edge.to] = true;
        work.push_back(edge.to);
      }
    }
  }
  return reaches;
}

// The reduced real-time and process orders, against their definitions.
RC_GTEST_PROP(Orders, ReachExactlyWhatTheyShould, (bool real_time)) {
  const History history = from_store({.processes = 6});
  const Operations operations = collect_operations(history);
  DependencyGraph::Builder builder(operations.list.size());
  add_order_edges(operations, real_time ? OrderKind::realtime : OrderKind::process, builder);
  const auto reaches = closure(std::move(builder).build());
  for (std::size_t a = 0; a < operations.list.size(); ++a) {
    for (std::size_t b = 0; b < operations.list.size(); ++b) {
      const Operation& first = operations.list[a];
      const Operation& second = operations.list[b];
      const bool before = first.ok() && first.completed < second.invoked;
      const bool expected = before && (real_time ? second.possible() : second.ok() && first.process == second.process);
      RC_ASSERT(reaches[a][b] == expected);
    }
  }
}

// A tiny history of appends and reads of arbitrary versions, with the dependencies it was made from.
struct Tiny {
  static constexpr std::size_t transactions = 5;
  static constexpr std::size_t keys = 3;
  History history;
  // The strongest relation between two transactions: 1 ww, 2 wr, 4 rw, 0 none.
  int label[transactions][transactions] = {};

  void depend(std::size_t from, std::size_t to, int relation) {
    if (from == to) return;
    int& known = label[from][to];
    if (known == 0 || relation < known) known = relation;
  }
};

// Every transaction touches each key at most once; each key's appends get some order, and reads see some prefix of it.
// One more transaction reads everything, so that the whole order is known.
Tiny make_tiny(Choices& choices) {
  enum { nothing, append, read };
  Tiny tiny;
  int action[Tiny::transactions][Tiny::keys];
  std::size_t seen[Tiny::transactions][Tiny::keys] = {};
  std::vector<std::int64_t> order[Tiny::keys];
  for (auto& row : action) {
    for (int& cell : row) cell = static_cast<int>(choices.below(3));
  }
  for (std::size_t key = 0; key < Tiny::keys; ++key) {
    for (std::size_t t = 0; t < Tiny::transactions; ++t) {
      if (action[t][key] != append) continue;
      order[key].insert(order[key].begin() + static_cast<std::ptrdiff_t>(choices.below(order[key].size() + 1)),
                        static_cast<std::int64_t>(t));
    }
    for (std::size_t i = 1; i < order[key].size(); ++i) {
      tiny.depend(static_cast<std::size_t>(order[key][i - 1]), static_cast<std::size_t>(order[key][i]), 1);
    }
    for (std::size_t t = 0; t < Tiny::transactions; ++t) {
      if (action[t][key] != read) continue;
      seen[t][key] = choices.below(order[key].size() + 1);
      if (seen[t][key] > 0) tiny.depend(static_cast<std::size_t>(order[key][seen[t][key] - 1]), t, 2);
      if (seen[t][key] < order[key].size()) tiny.depend(t, static_cast<std::size_t>(order[key][seen[t][key]]), 4);
    }
  }
  std::vector<std::string> ends;
  for (std::size_t t = 0; t <= Tiny::transactions; ++t) {
    std::string end = "ok [";
    for (std::size_t key = 0; key < Tiny::keys; ++key) {
      const bool reads = t == Tiny::transactions || action[t][key] == read;
      if (reads) {
        end += "[:r " + std::to_string(key) + " [";
        for (std::size_t i = 0; i < (t == Tiny::transactions ? order[key].size() : seen[t][key]); ++i)
          end += std::to_string(order[key][i]) + " ";
        end += "]]";
      } else if (action[t][key] == append) {
        end += "[:append " + std::to_string(key) + " " + std::to_string(t) + "]";
      }
    }
    ends.push_back(end + "]");
  }
  tiny.history = test::concurrent(ends);
  return tiny;
}

// The kinds of all simple cycles there are, by trying every sequence of transactions.
std::set<std::string> all_cycles(const Tiny& tiny) {
  std::set<std::string> kinds;
  std::vector<std::size_t> path;
  const auto classify = [&] {
    int reads = 0, anti = 0;
    bool adjacent = false;
    int previous = tiny.label[path.back()][path.front()];
    for (std::size_t i = 0; i < path.size(); ++i) {
      const int label = tiny.label[path[i]][path[(i + 1) % path.size()]];
      reads += label == 2;
      anti += label == 4;
      adjacent = adjacent || (label == 4 && previous == 4);
      previous = label;
    }
    kinds.insert(anti == 1   ? "G-single-item"
                 : anti > 1  ? (adjacent ? "G2-item" : "G-nonadjacent-item")
                 : reads > 0 ? "G1c"
                             : "G0");
  };
  const std::function<void()> extend = [&] {
    if (path.size() > 1 && tiny.label[path.back()][path.front()] != 0) classify();
    for (std::size_t next = path.front() + 1; next < Tiny::transactions; ++next) {
      if (tiny.label[path.back()][next] == 0 || std::find(path.begin(), path.end(), next) != path.end()) continue;
      path.push_back(next);
      extend();
      path.pop_back();
    }
  };
  for (std::size_t start = 0; start < Tiny::transactions; ++start) {
    path = {start};
    extend();
  }
  return kinds;
}

RC_GTEST_PROP(CycleSearch, AgreesWithTryingAllCycles, ()) {
  Choices choices(*rc::gen::container<std::vector<std::uint32_t>>(40, rc::gen::arbitrary<std::uint32_t>()));
  const Tiny tiny = make_tiny(choices);
  const std::set<std::string> kinds = all_cycles(tiny);
  const Verdict verdict = check_list_append(tiny.history, {"serializable"});
  const auto found = [&](const char* name) { return count_of(verdict, name) > 0; };
  const auto exists = [&](const char* name) { return kinds.contains(name); };
  RC_CLASSIFY(kinds.empty(), "no cycle");
  RC_CLASSIFY(exists("G-nonadjacent-item") && !exists("G-single-item"), "nonadjacent without single");

  // Kinds that stand for themselves.
  RC_ASSERT(found("G0") == exists("G0"));
  RC_ASSERT(found("G-single-item") == exists("G-single-item"));
  // Kinds that are left out where one found in the same component implies them.
  RC_ASSERT((found("G0") || found("G1c")) == (exists("G0") || exists("G1c")));
  if (found("G1c")) RC_ASSERT(exists("G1c"));
  if (found("G-nonadjacent-item")) RC_ASSERT(exists("G-nonadjacent-item"));
  if (found("G2-item")) RC_ASSERT(exists("G2-item"));
  if (exists("G2-item") || exists("G-nonadjacent-item"))
    RC_ASSERT(found("G-single-item") || found("G-nonadjacent-item") || found("G2-item"));
  // And the verdicts at the levels that cycles decide.
  const auto valid_at = [&](const char* model) {
    return check_list_append(tiny.history, {model}).validity != Validity::invalid;
  };
  RC_ASSERT(valid_at("read-uncommitted") == !exists("G0"));
  RC_ASSERT(valid_at("read-committed") == (!exists("G0") && !exists("G1c")));
  const bool lost = count_of(verdict, "lost-update") > 0;
  const bool snapshot = exists("G-single-item") || exists("G-nonadjacent-item");
  RC_ASSERT(valid_at("snapshot-isolation") == (!exists("G0") && !exists("G1c") && !snapshot && !lost));
  const bool anti = exists("G-single-item") || exists("G-nonadjacent-item") || exists("G2-item");
  RC_ASSERT(valid_at("serializable") == (!exists("G0") && !exists("G1c") && !anti && !lost));
}

}  // namespace
}  // namespace polarsim::checkers
