#include "engine/node/model/node_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace polarsim::engine::model {
namespace {

// More states than this at one moment are more than anybody could check.
constexpr std::size_t most_states = 5000;

std::string rows_text(const std::vector<NewRow>& rows) {
  std::string text;
  for (const NewRow& row : rows) text += fmt::format("{}{}|{}", text.empty() ? "" : ";", row.id, row.v);
  return text;
}

}  // namespace

Model::Model(int sessions, ModelOptions options) : any_victim_(options.any_victim), xids_(1) {
  for (int table = 0; table < 2; ++table) {
    for (int id = 1; id <= 3; ++id) {
      Version version;
      version.table = table;
      version.id = id;
      version.v = 10 * id;
      version.indexed = true;
      versions_.push_back(version);
    }
  }
  sessions_.resize(at(sessions));
}

// --- everything that may happen until nothing moves any more ---

std::vector<Model> Model::issue(int session, const Statement& statement) const {
  Model first = *this;
  first.start(session, statement);
  std::set<Model> seen{first};
  std::vector<Model> open{std::move(first)};
  std::vector<Model> settled;
  while (!open.empty()) {
    const Model state = std::move(open.back());
    open.pop_back();
    if (seen.size() > most_states) throw Unsupported{"too many ways to go on"};
    const auto push = [&](Model&& next) {
      if (seen.insert(next).second) open.push_back(std::move(next));
    };
    const std::vector<int> movers = state.runnable();
    for (const int mover : movers) {
      Model next = state;
      next.step(mover);
      push(std::move(next));
    }
    if (!movers.empty()) continue;
    const std::vector<int> victims = state.victims();
    for (const int victim : victims) {
      Model next = state;
      ++next.events_.deadlocks;
      next.fail(victim, "40P01");
      push(std::move(next));
    }
    if (!victims.empty()) continue;
    Model rested = state;
    rested.mark_looked();
    if (std::find(settled.begin(), settled.end(), rested) == settled.end()) settled.push_back(std::move(rested));
  }
  return settled;
}

std::vector<int> Model::runnable() const {
  std::vector<int> found;
  for (int session = 0; session < static_cast<int>(sessions_.size()); ++session) {
    if (can_go_on(sessions_[at(session)])) found.push_back(session);
  }
  return found;
}

bool Model::can_go_on(const Session& session) const {
  if (!session.execution) return false;
  const Wait& wait = session.execution->wait;
  if (wait.kind != Wait::Kind::transaction) return wait.kind == Wait::Kind::none;
  return !in_progress(wait.lock) || info(wait.lock).released;
}

// --- statements ---

void Model::start(int number, const Statement& statement) {
  Session& session = session_of(number);
  session.answer.clear();
  if (statement.kind >= Statement::Kind::begin) return control(number, statement);
  if (session.failed) {
    session.answer = "error 25P02";
    return;
  }
  if (!session.in_block) session.levels.emplace_back();
  Execution execution;
  execution.statement = statement;
  Snapshot now(xids_.size());
  for (std::size_t xid = 0; xid < now.size(); ++xid) now[xid] = is_committed(static_cast<Xid>(xid)) ? 1 : 0;
  if (session.repeatable_read) {
    if (!session.snapshot) session.snapshot = now;
    now = *session.snapshot;
  }
  execution.snapshot = std::move(now);
  if (statement.kind == Statement::Kind::insert) {
    execution.phase = statement.on_conflict == Statement::OnConflict::fail ? Execution::Phase::check_key
                                                                           : Execution::Phase::look_for_owner;
  } else {
    execution.candidates = find_candidates(number, execution);
    if (!execution.candidates.empty()) execution.target = execution.candidates.front();
  }
  session.execution = std::move(execution);
}

void Model::control(int number, const Statement& statement) {
  Session& session = session_of(number);
  const bool ends = statement.kind == Statement::Kind::commit || statement.kind == Statement::Kind::rollback;
  if (session.failed && !ends && statement.kind != Statement::Kind::rollback_to) {
    session.answer = "error 25P02";
    return;
  }
  switch (statement.kind) {
    case Statement::Kind::begin:
    case Statement::Kind::begin_repeatable_read:
      session.answer = "BEGIN";
      session.in_block = true;
      session.repeatable_read = statement.kind == Statement::Kind::begin_repeatable_read;
      session.levels.emplace_back();
      break;
    case Statement::Kind::commit:
    case Statement::Kind::rollback: {
      const bool commit = statement.kind == Statement::Kind::commit && !session.failed;
      end_transaction(number, commit);
      session.answer = commit ? "COMMIT" : "ROLLBACK";
      break;
    }
    case Statement::Kind::savepoint: {
      session.answer = "SAVEPOINT";
      Level level;
      level.name = statement.number;
      session.levels.push_back(level);
      break;
    }
    case Statement::Kind::rollback_to:
    case Statement::Kind::release: {
      const bool known = std::any_of(session.levels.begin(), session.levels.end(),
                                     [&](const Level& level) { return level.name == statement.number; });
      if (!known) return fail(number, "3B001");
      if (statement.kind == Statement::Kind::rollback_to) {
        roll_back_to(session, statement.number);
      } else {
        release(session, statement.number);
      }
      break;
    }
    default:
      break;
  }
}

void Model::roll_back_to(Session& session, int name) {
  for (;;) {
    Level level = std::move(session.levels.back());
    session.levels.pop_back();
    abort_level(level);
    if (level.name != name) continue;
    Level again;
    again.name = name;
    session.levels.push_back(again);
    break;
  }
  session.failed = false;
  session.answer = "ROLLBACK";
}

void Model::release(Session& session, int name) {
  for (;;) {
    const Level level = std::move(session.levels.back());
    session.levels.pop_back();
    Level& parent = session.levels.back();
    parent.released.insert(parent.released.end(), level.released.begin(), level.released.end());
    if (level.xid != 0) {
      parent.released.push_back(level.xid);
      info(level.xid).released = true;
    }
    if (level.name == name) break;
  }
  session.answer = "RELEASE";
}

void Model::finish(int number, std::string answer) {
  Session& session = session_of(number);
  session.execution.reset();
  session.answer = std::move(answer);
  ++session.command;
  if (!session.in_block) end_transaction(number, true);
}

void Model::fail(int number, const std::string& sqlstate) {
  Session& session = session_of(number);
  if (session.execution) {
    leave_tuple_lock(number);
    session.execution.reset();
  }
  session.answer = "error " + sqlstate;
  if (sqlstate == "40001") ++events_.serialization_failures;
  if (!session.in_block) return end_transaction(number, false);
  // Only the innermost level is lost; what came before it keeps its locks until somebody ends the block.
  session.failed = true;
  abort_level(session.levels.back());
}

void Model::end_transaction(int number, bool commit) {
  Session& session = session_of(number);
  for (Level& level : session.levels) {
    if (!commit) {
      abort_level(level);
      continue;
    }
    if (level.xid != 0) info(level.xid).state = XidInfo::State::committed;
    for (const Xid xid : level.released) info(xid).state = XidInfo::State::committed;
  }
  std::string answer = std::move(session.answer);
  session = Session{};
  session.answer = std::move(answer);
}

void Model::abort_level(Level& level) {
  if (level.xid != 0) info(level.xid).state = XidInfo::State::aborted;
  for (const Xid xid : level.released) info(xid).state = XidInfo::State::aborted;
}

std::string Model::answer_of(const Execution& execution) {
  using Kind = Statement::Kind;
  std::string tag;
  switch (execution.statement.kind) {
    case Kind::insert:
      tag = "INSERT 0";
      break;
    case Kind::update:
    case Kind::update_key:
      tag = "UPDATE";
      break;
    case Kind::remove:
      tag = "DELETE";
      break;
    default:
      tag = "SELECT";
      break;
  }
  return fmt::format("{} {}: {}", tag, execution.affected, rows_text(execution.output));
}

std::string Model::committed_rows(int table) const {
  std::vector<NewRow> rows;
  for (const Version& version : versions_) {
    const bool there = version.table == table && is_committed(version.creator);
    const bool gone = ender(version) != 0 && is_committed(ender(version));
    if (there && !gone) rows.push_back({version.id, version.v});
  }
  std::sort(rows.begin(), rows.end());
  return fmt::format("SELECT {}: {}", rows.size(), rows_text(rows));
}

// --- transactions ---

Xid Model::assign_xid(int number) {
  Session& session = session_of(number);
  // A savepoint's comes after those of all that surround it.
  for (Level& level : session.levels) {
    if (level.xid != 0) continue;
    level.xid = static_cast<Xid>(xids_.size());
    XidInfo xid;
    xid.session = number;
    xid.top = session.levels.front().xid;
    xids_.push_back(xid);
  }
  return session.levels.back().xid;
}

bool Model::in_progress(Xid xid) const { return xid != 0 && info(xid).state == XidInfo::State::in_progress; }

bool Model::is_committed(Xid xid) const { return xid == 0 || info(xid).state == XidInfo::State::committed; }

bool Model::own(int session, Xid xid) const { return in_progress(xid) && info(xid).session == session; }

// --- waits ---

void Model::wait_for(int session, Xid xid) {
  ++events_.waits;
  Wait& wait = session_of(session).execution->wait;
  wait = Wait{};
  wait.kind = Wait::Kind::transaction;
  wait.xid = xid;
  wait.lock = info(xid).released ? info(xid).top : xid;
}

// False: it has to wait for its turn.
bool Model::take_tuple_lock(int session, int index, Strength strength) {
  Execution& execution = *session_of(session).execution;
  if (execution.holds_tuple_lock == index) return true;
  TupleLock& lock = tuple_locks_[index];
  const auto conflicts = [&](const TupleLock::Place& place) { return conflict(place.strength, strength); };
  const bool granted = std::none_of(lock.holders.begin(), lock.holders.end(), conflicts) &&
                       std::none_of(lock.queue.begin(), lock.queue.end(), conflicts);
  if (granted) {
    lock.holders.push_back({session, strength});
    execution.holds_tuple_lock = index;
    return true;
  }
  lock.queue.push_back({session, strength});
  ++events_.waits;
  execution.wait = Wait{};
  execution.wait.kind = Wait::Kind::tuple;
  execution.wait.version = index;
  return false;
}

// Gives the tuple lock back, or the place in its queue, and lets those go on whose turn it is then.
void Model::leave_tuple_lock(int session) {
  Execution& execution = *session_of(session).execution;
  const int index = execution.wait.kind == Wait::Kind::tuple ? execution.wait.version : execution.holds_tuple_lock;
  execution.holds_tuple_lock = -1;
  if (index < 0) return;
  TupleLock& lock = tuple_locks_[index];
  const auto is_mine = [&](const TupleLock::Place& place) { return place.session == session; };
  std::erase_if(lock.holders, is_mine);
  std::erase_if(lock.queue, is_mine);
  std::vector<TupleLock::Place> still;
  for (const TupleLock::Place& place : lock.queue) {
    const auto conflicts = [&](const TupleLock::Place& other) { return conflict(other.strength, place.strength); };
    if (std::any_of(lock.holders.begin(), lock.holders.end(), conflicts) ||
        std::any_of(still.begin(), still.end(), conflicts)) {
      still.push_back(place);
      continue;
    }
    lock.holders.push_back(place);
    Execution& granted = *session_of(place.session).execution;
    granted.wait = Wait{};
    granted.holds_tuple_lock = index;
  }
  lock.queue = std::move(still);
  if (lock.holders.empty() && lock.queue.empty()) tuple_locks_.erase(index);
}

// The sessions that have to act before this one can go on; `queued_too`: those as well that only stand before it.
std::vector<int> Model::waits_for(int session, bool queued_too) const {
  const std::optional<Execution>& execution = sessions_[at(session)].execution;
  if (!execution) return {};
  const Wait& wait = execution->wait;
  std::vector<int> sessions;
  if (wait.kind == Wait::Kind::transaction) sessions.push_back(info(wait.lock).session);
  if (wait.kind == Wait::Kind::tuple) {
    const TupleLock& lock = tuple_locks_.at(wait.version);
    const auto mine = std::find_if(lock.queue.begin(), lock.queue.end(),
                                   [&](const TupleLock::Place& place) { return place.session == session; });
    for (const TupleLock::Place& place : lock.holders) {
      if (conflict(place.strength, mine->strength)) sessions.push_back(place.session);
    }
    for (auto place = lock.queue.begin(); queued_too && place != mine; ++place) {
      if (conflict(place->strength, mine->strength)) sessions.push_back(place->session);
    }
  }
  return sessions;
}

bool Model::in_cycle(int session, bool queued_too) const {
  std::set<int> reached;
  std::vector<int> open = waits_for(session, queued_too);
  while (!open.empty()) {
    const int next = open.back();
    open.pop_back();
    if (next == session) return true;
    if (!reached.insert(next).second) continue;
    const std::vector<int> further = waits_for(next, queued_too);
    open.insert(open.end(), further.begin(), further.end());
  }
  return false;
}

// Who may be the next to find itself in a cycle.
std::vector<int> Model::victims() const {
  std::vector<int> found;
  for (int session = 0; session < static_cast<int>(sessions_.size()); ++session) {
    if (in_cycle(session, false)) {
      if (any_victim_ || !sessions_[at(session)].execution->wait.looked) found.push_back(session);
    } else if (in_cycle(session, true)) {
      throw Unsupported{"a queue that would be rearranged"};
    }
  }
  return found;
}

void Model::mark_looked() {
  for (Session& session : sessions_) {
    if (session.execution) session.execution->wait.looked = true;
  }
}

}  // namespace polarsim::engine::model
