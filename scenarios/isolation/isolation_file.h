// A file of isolation cases: what several sessions of one node do in turn, and what PostgreSQL 15 answers. Read from
// TOML; every key is described in README.md, and unknown keys are errors.
//
// A case is a list of steps in the order in which they are issued. A step is one statement of one session; the next one
// is issued when every session is idle or waits for a lock. A statement that has to wait says so by `until`: the number
// of the step after which it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/time.h"

namespace polarsim::scenarios::isolation {

// What a statement has to answer.
struct Expectation {
  enum class Kind : std::uint8_t {
    success,  // anything but an error; COMMIT has to commit
    tag,
    rows,
    error,  // with this SQLSTATE
  } kind = Kind::success;
  std::string text;               // of a tag or an error
  std::vector<std::string> rows;  // "1|10": columns in PostgreSQL's text form, NULL as "null"; in this order
};

struct Step {
  enum class Kind : std::uint8_t { statement, pause, disconnect } kind = Kind::statement;
  std::size_t session = 0;  // index into Case::sessions; not of a pause
  std::string sql;
  sim::Duration pause{0};
  Expectation expectation;
  std::size_t until = 0;  // number of the step, from 1, after which the statement ends; its own if it does not wait
  std::uint32_t line = 0;
};

// Asked by one more session when all others are idle.
struct FinalQuery {
  std::string sql;
  std::vector<std::string> rows;
  std::uint32_t line = 0;
};

struct Case {
  std::string name;  // unique in its file
  std::string description;
  std::string source;  // where the behaviour is published
  std::string setup;   // statements separated by ';'
  std::vector<std::string> sessions;
  std::vector<Step> steps;
  std::vector<FinalQuery> final;
  std::uint32_t line = 0;
  // Whether its outcome depends on how long something takes.
  bool timed() const;
};

struct IsolationFile {
  std::string path;
  std::string description;
  std::vector<Case> cases;  // with `for_each` written out
};

tl::expected<IsolationFile, InputError> parse_isolation_file(std::string_view text, std::string_view path);
tl::expected<IsolationFile, InputError> load_isolation_file(const std::string& path);

}  // namespace polarsim::scenarios::isolation
