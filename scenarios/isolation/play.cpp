#include "scenarios/isolation/play.h"

#include <fmt/format.h>

#include <utility>

namespace polarsim::scenarios::isolation {
namespace {

std::string one_line(const std::string& sql) {
  std::string line;
  for (const char c : sql) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line;
}

std::string to_string(const Expectation& expectation) {
  switch (expectation.kind) {
    case Expectation::Kind::success:
      return "success";
    case Expectation::Kind::tag:
      return expectation.text;
    case Expectation::Kind::rows:
      return rows_text(expectation.rows);
    case Expectation::Kind::error:
      return "error " + expectation.text;
  }
  return {};
}

bool is_commit(const std::string& sql) { return sql.starts_with("COMMIT") || sql.starts_with("END"); }

bool meets(const Answer& answer, const Step& step) {
  const Expectation& expectation = step.expectation;
  switch (expectation.kind) {
    case Expectation::Kind::success:
      return !answer.failed() && !(is_commit(step.sql) && answer.tag == "ROLLBACK");
    case Expectation::Kind::tag:
      return !answer.failed() && answer.tag == expectation.text;
    case Expectation::Kind::rows:
      return !answer.failed() && answer.has_rows && answer.rows == expectation.rows;
    case Expectation::Kind::error:
      return answer.sqlstate == expectation.text;
  }
  return false;
}

class Player {
 public:
  Player(const Case& played, const std::string& path, Stage& stage)
      : case_(played), path_(path), stage_(stage), pending_(played.sessions.size()) {}

  CaseResult run() {
    const std::string problem = stage_.begin(case_.setup, case_.sessions.size());
    if (!problem.empty()) result_.difference = fmt::format("{}:{}: setup: {}", path_, case_.line, problem);
    for (number_ = 1; number_ <= case_.steps.size() && result_.passed(); ++number_) step();
    if (result_.passed()) ask_final();
    return std::move(result_);
  }

 private:
  const Step& at(std::size_t number) const { return case_.steps[number - 1]; }
  std::string name(std::size_t number) const {
    const Step& step = at(number);
    return fmt::format("step {} ({}: {})", number, case_.sessions[step.session], one_line(step.sql));
  }

  void step() {
    const Step& step = at(number_);
    switch (step.kind) {
      case Step::Kind::pause: {
        const auto milliseconds = step.pause.count() / 1'000'000;
        note(fmt::format("{:>3}  {} ms pass", number_, milliseconds));
        stage_.pause(step.pause);
        break;
      }
      case Step::Kind::disconnect:
        note(fmt::format("{:>3}  {} disconnects", number_, case_.sessions[step.session]));
        stage_.disconnect(step.session);
        break;
      case Step::Kind::statement:
        note(fmt::format("{:>3}  {}: {}", number_, case_.sessions[step.session], one_line(step.sql)));
        stage_.issue(step.session, step.sql);
        pending_[step.session] = number_;
        break;
    }
    stage_.settle();
    look();
  }

  // What has ended, and what should have.
  void look() {
    for (std::size_t session = 0; session < pending_.size(); ++session) {
      const std::size_t issued = pending_[session];
      if (issued == 0) continue;
      const std::optional<Answer> answer = stage_.take(session);
      if (answer) {
        pending_[session] = 0;
        ended(issued, *answer);
      } else if (issued == number_) {
        note(fmt::format("       {} waits", case_.sessions[session]));
        if (at(issued).until == issued) differ(issued, "must not wait, and waits");
      } else if (at(issued).until <= number_) {
        differ(issued, fmt::format("must end after step {}, and still waits", number_));
      }
    }
  }

  void ended(std::size_t issued, const Answer& answer) {
    const Step& step = at(issued);
    const std::string which = issued == number_ ? "" : fmt::format(" step {}", issued);
    note(fmt::format("       {}{}: {}", case_.sessions[step.session], which, isolation::to_string(answer)));
    if (step.until > number_) {
      differ(issued, fmt::format("must wait until step {}, ended after step {} with {}", step.until, number_,
                                 isolation::to_string(answer)));
    } else if (!meets(answer, step)) {
      differ(issued, fmt::format("expected {}, found {}", to_string(step.expectation), isolation::to_string(answer)));
    }
  }

  void ask_final() {
    for (const FinalQuery& query : case_.final) {
      const Answer answer = stage_.query(query.sql);
      note(fmt::format("     at the end: {}", one_line(query.sql)));
      note(fmt::format("       {}", isolation::to_string(answer)));
      if (!answer.failed() && answer.rows == query.rows) continue;
      result_.difference = fmt::format("{}:{}: at the end ({}): expected {}, found {}", path_, query.line,
                                       one_line(query.sql), rows_text(query.rows), isolation::to_string(answer));
      return;
    }
  }

  void note(std::string line) { result_.transcript.push_back(std::move(line)); }
  void differ(std::size_t number, const std::string& problem) {
    if (!result_.passed()) return;
    result_.difference = fmt::format("{}:{}: {}: {}", path_, at(number).line, name(number), problem);
  }

  const Case& case_;
  const std::string& path_;
  Stage& stage_;
  CaseResult result_;
  std::size_t number_ = 0;
  std::vector<std::size_t> pending_;  // by session: the number of the step that runs; 0 if none
};

}  // namespace

CaseResult play(const Case& played, const std::string& path, Stage& stage) { return Player(played, path, stage).run(); }

}  // namespace polarsim::scenarios::isolation
