// The crash matrix: a power loss before every disk operation of a small program, and what recovery may make of it.
//
// A shape is a program of SQL. It is run once to count its disk operations, and then once for each of them, the host
// losing its power right before it. What the program does up to there is the same each time; what the power loss leaves
// is drawn anew each time (sim/disk.h), every other time with a file system that keeps no order among the names of
// different directories. Then the node recovers, and is compared with what it may be: what a node shows, without any
// crash or restart, after the last acknowledged step, or after the step that was under way, once its sessions are gone.
// Each crash is followed by a second one within the recovery from it, on a copy of the disk that the first one left.
//
// Checked of every recovered node (recovered_node_test_support.h has the details): the observed state, the structure of
// every table and index and that they agree, what prepared transactions hold and how they end, that sequences do not go
// back, and that new work is possible.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/config.h"

namespace polarsim::engine::testing {

struct CrashStep {
  std::size_t session = 0;
  std::string sql;      // one statement
  std::string error{};  // the SQLSTATE it fails with; empty if it does not
};

// While the transaction is prepared, `blocked` fails for want of a lock. After a recovery it is committed, and then
// `query` has this `answer`, or rolled back, and then `query` answers as before.
struct PreparedCheck {
  std::string gid;
  std::string blocked;
  std::string query;
  std::string answer;
};

struct CrashShape {
  std::string name;  // an identifier
  std::vector<std::string> setup;
  std::vector<CrashStep> steps;
  // Each session's steps run beside those of the others, instead of all of them in the order of the list. Then what a
  // session leaves must not depend on how far the others are.
  bool concurrent = false;
  // Queries; their answers are the state, with the names of tables and indexes and the prepared transactions.
  std::vector<std::string> observed;
  // Their answers when all steps are done, joined by " / ".
  std::string finally;
  std::vector<PreparedCheck> prepared{};
  // Answers a number: after a recovery, a greater one than any that a step got in a transaction whose commit was
  // acknowledged. (Others may come again, as in PostgreSQL: only a commit waits for the log.)
  std::string ascending{};
  // Statements that are possible after every recovery, and change what the others observe no more than that.
  std::vector<std::string> afterwards{};
  std::function<void(NodeConfig&)> configure{};
};

const std::vector<CrashShape>& crash_shapes();
std::vector<std::string> crash_shape_names();
// Asserts that there is one of this name.
const CrashShape& crash_shape(const std::string& name);

struct CrashMatrixOptions {
  std::uint64_t seed = 1;
  // Every `stride`-th operation is crashed, and what comes after the last one.
  std::uint64_t stride = 1;
  // How often each operation is crashed, with another outcome of the power loss each time.
  std::uint64_t draws = 4;
  // Of every recovery, each operation is crashed once; else one of them, another for each first crash.
  bool every_second_crash = false;
  PlantedBugs planted{};  // not in the runs without a crash, which say what is allowed
  // The matrix ends when it has found so many violations.
  std::size_t violations_max = 3;
};

// Names one case, counted from 1; `second` is 0 if there is no second crash.
struct CrashCase {
  std::uint64_t first = 0;
  std::uint64_t draw = 0;
  std::uint64_t second = 0;
};

struct CrashMatrixResult {
  std::uint64_t operations = 0;  // of the program
  std::uint64_t first_crashes = 0;
  std::uint64_t second_crashes = 0;  // within recoveries
  // Each with the shape, the numbers of the operations, and the seed.
  std::vector<std::string> violations;
};

CrashMatrixResult run_crash_matrix(const CrashShape& shape, const CrashMatrixOptions& options = {});
// One case of it alone.
CrashMatrixResult run_crash_case(const CrashShape& shape, const CrashCase& which,
                                 const CrashMatrixOptions& options = {});

}  // namespace polarsim::engine::testing
