// The model of a node (engine/node/model) does what PostgreSQL 15 does: where they differ, the model is wrong.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>

#include "engine/node/model/random_program.h"
#include "engine/node/model/state_machine.h"
#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/postgres/postgres_stage.h"

namespace polarsim::scenarios::cli::test {
namespace {

namespace model = engine::model;

class PostgresSubject : public model::Subject {
 public:
  PostgresSubject(isolation::Stage& stage, int sessions) : stage_(stage) {
    std::string setup;
    for (const std::string& statement : model::setup_statements()) setup += statement + ";";
    const std::string problem = stage_.begin(setup, static_cast<std::size_t>(sessions));
    if (!problem.empty()) throw isolation::StageError(problem);
  }
  void issue(int session, const std::string& sql) override { stage_.issue(static_cast<std::size_t>(session), sql); }
  void settle() override { stage_.settle(); }
  std::optional<std::string> take(int session) override {
    const auto answer = stage_.take(static_cast<std::size_t>(session));
    if (!answer) return std::nullopt;
    if (answer->failed()) return "error " + answer->sqlstate;
    if (!answer->has_rows) return answer->tag;
    std::string rows;
    for (const std::string& row : answer->rows) rows += (rows.empty() ? "" : ";") + row;
    return answer->tag + ": " + rows;
  }

 private:
  isolation::Stage& stage_;
};

// One server for all programs; it ends with the process.
isolation::Stage& stage() {
  static const PostgresServer server;
  // Where time is real nobody knows whose timeout comes first, so the stage waits until a deadlock is over, and any of
  // its sessions may have been the victim.
  static const auto made = make_postgres_stage({server.connection() + " options='-c deadlock_timeout=10ms'", true});
  return *made;
}

RC_GTEST_PROP(ModelAgainstPostgres, PostgresDoesWhatTheModelDoes, ()) {
  const int sessions = *rc::gen::inRange(1, 7);
  const model::Program program = *model::any_program(sessions);
  PostgresSubject subject(stage(), sessions);
  const model::Report report = model::compare(program, sessions, subject, {.any_victim = true});
  RC_CLASSIFY(!report.discarded.empty(), report.discarded);
  RC_CLASSIFY(report.events.waits > 0, "waits");
  RC_CLASSIFY(report.events.deadlocks > 0, "deadlocks");
  RC_CLASSIFY(report.events.rechecks > 0, "rechecks");
  RC_CLASSIFY(report.events.serialization_failures > 0, "serialization failures");
  if (!report.difference.empty()) RC_FAIL(report.text());
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
