// Expressions compiled to steps and run over rows (PostgreSQL's src/backend/executor/execExpr.c).
//
// A program sees up to two rows: Column{0, n} is the n-th value of the first, Column{1, n} of the second; levels_up is
// 0 and n positive. Whoever compiles has brought other columns, aggregates and subqueries into this form (plan/plan.h).
// Running a program may block (functions of the session, subplans): hold no page meanwhile. A program is compiled once
// and run often; running allocates nothing but what values need. Stack use does not depend on the depth of the
// expression.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/query/expression.h"

namespace polarsim::engine::query {

// The left side of a comparison with a subquery's rows. What nobody asks for is not computed, and does not fail.
class LeftSide {
 public:
  virtual const Value& at(std::size_t column) = 0;
  // Before the next row: what is another value each time it is computed, is computed again.
  virtual void begin_row() = 0;

 protected:
  ~LeftSide() = default;
};

// What runs subplans; the executor.
class SubplanRunner {
 public:
  // The value of an EXISTS, scalar or array subquery, or of a comparison with ANY or ALL.
  virtual Value run(const Subplan& subplan, std::span<const Value> arguments, LeftSide& left) = 0;
  // The value of a plan's parameter; an initial plan is computed when it is first asked for.
  virtual const Value& parameter(int index) = 0;

 protected:
  ~SubplanRunner() = default;
};

struct ProgramInputs {
  std::span<const Value> first;
  std::span<const Value> second;
  std::span<const Value> parameters;  // $1...
  SubplanRunner* subplans = nullptr;
};

class Program {
 public:
  Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();
  // Throws SqlError XX000 for what cannot be run: aggregates, window calls, subqueries without a plan.
  static Program compile(const ExpressionPtr& expression);

  // Throws SqlError for errors of functions.
  Value run(const ProgramInputs& inputs, const CallContext& context);
  // Without a copy: valid until the program is run again, or the inputs change.
  const Value& evaluate(const ProgramInputs& inputs, const CallContext& context);
  // NULL counts as false.
  bool holds(const ProgramInputs& inputs, const CallContext& context);
  explicit operator bool() const { return implementation_ != nullptr; }

  struct Implementation;  // program_step.h
  const Implementation& implementation() const { return *implementation_; }

 private:
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace polarsim::engine::query
