// Read Committed as PostgreSQL keeps it on one node, decided exactly: the transactions that committed on the node stand
// in one order, and every statement sees what a prefix of it left.
//
// The history of the node is chopped into pieces that are each atomic there: the *commit* of a transaction's branch,
// and the *snapshot* of a statement. Such an order exists iff the graph of these constraints on the pieces has no
// cycle:
//
//   program order   a session's snapshots and commits follow each other as it asked for them
//   ww              a commit that overwrites another's version comes after it
//   wr              a snapshot that shows a version comes after its commit
//   rw              and before the commit of the version that follows it
//
// For if there is no cycle, put the pieces in any order that agrees: between a version's commit and the next one's the
// key has that version, and there stands every snapshot that shows it. And in any such order all constraints hold.
#pragma once

#include <cstdint>
#include <vector>

namespace polarsim::checkers {

struct NodeHistory {
  // Versions of a key count from 1; 0 is the initial one.
  struct Version {
    std::uint32_t key = 0;
    std::uint32_t number = 0;
  };
  // A piece: `versions` are what a commit wrote, or what a snapshot showed, own writes of the transaction left out.
  struct Piece {
    bool commit = false;
    std::vector<Version> versions;
  };
  std::vector<Piece> pieces;
  // By session, in the order of its statements: places in `pieces`. Each piece is in one session.
  std::vector<std::vector<std::uint32_t>> sessions;
  // Whether a session goes on only after its transaction has committed on the node. Where the coordinator acknowledges
  // a decision before the second phase has reached the node, it may not.
  bool sessions_see_own_commits = true;
};

// Why one piece comes before another.
struct NodeConstraint {
  enum class Reason : std::uint8_t { program, ww, wr, rw } reason = Reason::program;
  std::uint32_t before = 0, after = 0;  // pieces
  std::uint32_t key = 0;                // but for `program`
  std::uint32_t version = 0;            // the one that `before` wrote or showed
};

struct NodeVerdict {
  bool holds = true;
  // A shortest cycle of each component of pieces that contradict each other.
  std::vector<std::vector<NodeConstraint>> contradictions;
};

// Precondition: no two commits write the same version.
NodeVerdict decide(const NodeHistory& history);

}  // namespace polarsim::checkers
