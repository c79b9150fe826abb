#include "engine/node/model/state_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace polarsim::engine::model {
namespace {

class Comparison {
 public:
  Comparison(int sessions, Subject& subject, ModelOptions options)
      : subject_(subject), states_{Model(sessions, options)}, queued_(static_cast<std::size_t>(sessions)) {}

  Report run(const Program& program) {
    try {
      for (const Action& action : program) {
        queue(action.session, action.statement);
        drain();
      }
      end_transactions();
      read_tables();
    } catch (const Unsupported& unsupported) {
      report_.discarded = unsupported.what;
    } catch (const Stop&) {
    }
    report_.events = states_.front().events();
    return std::move(report_);
  }

 private:
  struct Stop {};

  int sessions() const { return static_cast<int>(queued_.size()); }
  std::deque<Statement>& queue_of(int session) { return queued_[static_cast<std::size_t>(session)]; }
  // All states agree on that: else they would not agree with what was seen.
  const Model& now() const { return states_.front(); }

  void queue(int session, const Statement& statement) { queue_of(session).push_back(statement); }

  // Whatever can be issued.
  void drain() {
    for (int session = 0; session < sessions();) {
      if (!now().idle(session) || queue_of(session).empty()) {
        ++session;
        continue;
      }
      const Statement statement = queue_of(session).front();
      queue_of(session).pop_front();
      if (!makes_sense(session, statement)) continue;
      issue(session, statement);
      session = 0;
    }
  }

  // Blocks within blocks, and ends of none, only bring warnings.
  bool makes_sense(int session, const Statement& statement) const {
    const bool begins =
        statement.kind == Statement::Kind::begin || statement.kind == Statement::Kind::begin_repeatable_read;
    if (begins) return !now().in_block(session);
    return statement.kind < Statement::Kind::begin || now().in_block(session);
  }

  void issue(int session, const Statement& statement) {
    std::vector<bool> was_busy;
    for (int i = 0; i < sessions(); ++i) was_busy.push_back(!now().idle(i) || i == session);
    std::vector<Model> possible;
    for (const Model& state : states_) {
      for (Model& next : state.issue(session, statement)) {
        if (std::find(possible.begin(), possible.end(), next) == possible.end()) possible.push_back(std::move(next));
      }
    }
    report_.most_states = std::max(report_.most_states, possible.size());
    const std::string sql = to_sql(statement);
    report_.transcript.push_back(fmt::format("{}: {}", session, sql));
    subject_.issue(session, sql);
    subject_.settle();
    std::vector<std::optional<std::string>> seen(was_busy.size());
    for (int i = 0; i < sessions(); ++i) {
      const auto place = static_cast<std::size_t>(i);
      if (!was_busy[place]) continue;
      seen[place] = subject_.take(i);
      report_.transcript.push_back(fmt::format("     {} {}", i, seen[place] ? *seen[place] : "waits"));
    }
    keep_agreeing(possible, was_busy, seen);
  }

  void keep_agreeing(const std::vector<Model>& possible, const std::vector<bool>& was_busy,
                     const std::vector<std::optional<std::string>>& seen) {
    std::vector<Model> agreeing;
    for (const Model& state : possible) {
      bool agrees = true;
      for (int i = 0; i < sessions(); ++i) {
        const auto place = static_cast<std::size_t>(i);
        if (!was_busy[place]) continue;
        agrees =
            agrees && state.idle(i) == seen[place].has_value() && (!seen[place] || state.answer(i) == *seen[place]);
      }
      if (agrees) agreeing.push_back(state);
    }
    if (agreeing.empty()) {
      report_.difference = "the model expects\n";
      for (const Model& state : possible) report_.difference += expectation(state, was_busy);
      throw Stop{};
    }
    states_ = std::move(agreeing);
  }

  std::string expectation(const Model& state, const std::vector<bool>& was_busy) const {
    std::string text;
    for (int i = 0; i < sessions(); ++i) {
      if (!was_busy[static_cast<std::size_t>(i)]) continue;
      text += fmt::format("     {} {}\n", i, state.idle(i) ? state.answer(i) : "waits");
    }
    return text + "   or\n";
  }

  void end_transactions() {
    Statement commit;
    commit.kind = Statement::Kind::commit;
    for (bool moved = true; moved;) {
      moved = false;
      for (int session = 0; session < sessions(); ++session) {
        if (!now().idle(session) || !now().in_block(session)) continue;
        queue(session, commit);
        drain();
        moved = true;
      }
    }
    for (int session = 0; session < sessions(); ++session) {
      if (!now().idle(session)) throw Unsupported{"sessions that wait for ever"};
    }
  }

  void read_tables() {
    for (int table = 0; table < 2; ++table) {
      Statement select;
      select.table = table;
      queue(0, select);
      drain();
    }
  }

  Subject& subject_;
  std::vector<Model> states_;  // in which the node may be
  std::vector<std::deque<Statement>> queued_;
  Report report_;
};

}  // namespace

std::string to_string(const Program& program) {
  std::string text;
  for (const Action& action : program) text += fmt::format("  {}: {}\n", action.session, to_sql(action.statement));
  return text;
}

std::string Report::text() const {
  std::string text;
  for (const std::string& line : transcript) text += line + "\n";
  return text + difference;
}

Report compare(const Program& program, int sessions, Subject& subject, ModelOptions options) {
  return Comparison(sessions, subject, options).run(program);
}

}  // namespace polarsim::engine::model
