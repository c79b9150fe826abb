// For tests: transactions as data, for the crash matrix, and what may be left of them.
//
// The oracle knows no SQL. What a crash may leave is what some run without a crash leaves: of each session, the units
// (transactions, or statements outside of one) that were acknowledged, and perhaps the one whose last statement was
// under way; in every order of the units of different sessions that gives the acknowledged statements the outcomes they
// had. Units run one after the other there, so a shape must not need two of them to be open at once to come out as it
// did.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/node/crash_matrix.h"

namespace polarsim::engine::testing {

// What one session knows: it had begun `attempted` statements, and `outcomes` are of those that ended.
struct SessionProgress {
  std::size_t attempted = 0;
  std::vector<std::string> outcomes;
};
using Progress = std::vector<SessionProgress>;

struct CrashShape {
  std::string name;
  std::vector<std::string> setup;
  std::vector<std::vector<std::string>> sessions;  // statements, one after the other
  std::vector<std::string> observe;                // queries whose answers are the state
  // Statements that must succeed afterwards, when prepared transactions have been committed: nothing is held any more.
  std::vector<std::string> afterwards{};
  // Beyond the state: what is wrong.
  std::function<std::string(TestNode&, const Progress&)> check{};
};

// All of them: see the file.
const std::vector<CrashShape>& crash_shapes();

class CrashShapeRunner {
 public:
  CrashShapeRunner(const CrashShape& shape, NodeConfig config);
  CrashMatrixResult run(const CrashMatrixOptions& options);

 private:
  // Statements [begin, end) of a session.
  struct Unit {
    std::size_t begin = 0, end = 0;
  };
  struct Reference {
    std::string state;
    std::vector<std::vector<std::string>> outcomes;  // by session
  };
  // Which session's turn it is.
  using Order = std::vector<std::size_t>;

  static std::vector<Unit> units_of(const std::vector<std::string>& statements);
  CrashRun make_run();
  std::string check(TestNode& node, const Progress& progress);
  std::string check_structure(TestNode& node) const;
  // The states that the progress allows.
  std::set<std::string> allowed(const Progress& progress);
  void visit_orders(std::vector<std::size_t>& left, Order& order, const Progress& progress,
                    std::set<std::string>& states);
  const Reference& reference(const Order& order);
  std::string observe(TestNode& node) const;

  const CrashShape& shape_;
  CrashMatrix matrix_;
  std::vector<std::vector<Unit>> units_;  // by session
  std::map<Order, Reference> references_;
};

}  // namespace polarsim::engine::testing
