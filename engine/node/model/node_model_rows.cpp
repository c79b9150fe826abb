#include <algorithm>
#include <utility>

#include "engine/node/model/node_model.h"

namespace polarsim::engine::model {
namespace {

// What a statement needs of a row that it has not looked at yet.
Strength strength_wanted(const Statement& statement, int id) {
  switch (statement.kind) {
    case Statement::Kind::select_for:
      return statement.strength;
    case Statement::Kind::update_key:
      return id == statement.number ? Strength::no_key_update : Strength::update;
    case Statement::Kind::remove:
      return Strength::update;
    default:
      return Strength::no_key_update;
  }
}

// Of the newest version of a row that was replaced: what the columns that the statement names could need.
Strength strength_by_columns(const Statement& statement) {
  if (statement.kind == Statement::Kind::select_for) return statement.strength;
  const bool key = statement.kind == Statement::Kind::update_key || statement.kind == Statement::Kind::remove;
  return key ? Strength::update : Strength::no_key_update;
}

WaitPolicy policy_of(const Statement& statement) {
  return statement.kind == Statement::Kind::select_for ? statement.policy : WaitPolicy::block;
}

}  // namespace

// --- what a snapshot shows ---

bool Model::shows(int session, const Snapshot& snapshot, const Version& candidate) const {
  const int command = sessions_[at(session)].command;
  const auto sees = [&](Xid xid, int at_command) {
    if (own(session, xid)) return at_command < command;
    return xid == 0 || (at(xid) < snapshot.size() && snapshot[at(xid)] != 0);
  };
  if (!sees(candidate.creator, candidate.creator_command)) return false;
  return candidate.ender == 0 || !sees(candidate.ender, candidate.ender_command);
}

std::vector<int> Model::find_candidates(int session, const Execution& execution) const {
  std::vector<int> found;
  for (int index = 0; index < static_cast<int>(versions_.size()); ++index) {
    const Version& candidate = versions_[at(index)];
    if (candidate.table != execution.statement.table || !shows(session, execution.snapshot, candidate)) continue;
    if (execution.statement.condition.holds(candidate.id, candidate.v)) found.push_back(index);
  }
  // A write visits them in the order in which they lie in the table, which is that in which they were made.
  if (execution.statement.kind == Statement::Kind::select || execution.statement.kind == Statement::Kind::select_for) {
    std::sort(found.begin(), found.end(),
              [this](int a, int b) { return versions_[at(a)].id < versions_[at(b)].id; });
  }
  return found;
}

// --- locks on rows ---

// The transactions of others that have to end first, the oldest first.
std::vector<Xid> Model::conflicting(int session, int row, Strength strength) const {
  std::vector<Xid> found;
  for (const RowLock& lock : rows_[at(row)]) {
    const bool others = in_progress(lock.xid) && info(lock.xid).session != session;
    if (others && conflict(lock.strength, strength)) found.push_back(lock.xid);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool Model::holds_lock(int session, int row) const {
  return std::any_of(rows_[at(row)].begin(), rows_[at(row)].end(),
                     [&](const RowLock& lock) { return own(session, lock.xid); });
}

void Model::add_lock(int session, int index, Strength strength) {
  std::vector<RowLock>& locks = rows_[at(version(index).row)];
  const bool has = std::any_of(locks.begin(), locks.end(), [&](const RowLock& lock) {
    return own(session, lock.xid) && lock.version == index && lock.strength >= strength;
  });
  if (!has) locks.push_back({assign_xid(session), strength, index});
}

// done: the row is the caller's if it takes it at once.
Model::Outcome Model::claim(int session, int index, Strength strength, WaitPolicy policy) {
  const Version& target = version(index);
  if (target.ender != 0 && is_committed(target.ender)) {
    if (strength == Strength::key_share && !target.key_changed) {
      return claim_key_share_of_replaced(session, index, policy);
    }
    leave_tuple_lock(session);
    return target.next < 0 ? Outcome::deleted : Outcome::updated;
  }
  const std::vector<Xid> whom = conflicting(session, target.row, strength);
  if (whom.empty()) {
    leave_tuple_lock(session);
    return Outcome::done;
  }
  const bool behind = strength == Strength::key_share && in_progress(target.ender) && !target.key_changed;
  if (!behind) return wait_or_give_up(session, index, strength, policy, whom);
  // The version itself may be locked, its successor may not: that is waited for without a queue.
  if (policy != WaitPolicy::block) throw Unsupported{"a conditional lock that PostgreSQL waits for"};
  wait_for(session, whom.front());
  return Outcome::waits;
}

// A version whose key lives on may be locked as if nothing had happened, and its successors with it.
Model::Outcome Model::claim_key_share_of_replaced(int session, int index, WaitPolicy policy) {
  for (int later = version(index).next; later >= 0; later = version(later).next) {
    const Version& successor = version(later);
    if (successor.ender == 0 || !is_committed(successor.ender)) break;
    if (successor.key_changed) return successor.next < 0 ? Outcome::deleted : Outcome::updated;
  }
  const std::vector<Xid> whom = conflicting(session, version(index).row, Strength::key_share);
  if (whom.empty()) return Outcome::done;
  if (policy != WaitPolicy::block) throw Unsupported{"a conditional lock that PostgreSQL waits for"};
  wait_for(session, whom.front());
  return Outcome::waits;
}

Model::Outcome Model::wait_or_give_up(int session, int index, Strength strength, WaitPolicy policy,
                                      const std::vector<Xid>& whom) {
  if (policy == WaitPolicy::nowait) throw Failure{"55P03"};
  if (policy == WaitPolicy::skip_locked) return Outcome::skipped;
  // Who is on the row already must not queue behind those who wait for it to go.
  if (!holds_lock(session, version(index).row) && !take_tuple_lock(session, index, strength)) return Outcome::waits;
  wait_for(session, whom.front());
  return Outcome::waits;
}

// From the target on to the newest version, or to one that somebody is replacing.
Model::Outcome Model::chase(int session, WaitPolicy policy) {
  Execution& execution = *session_of(session).execution;
  for (;;) {
    const Version& target = version(execution.target);
    const Xid ender = target.ender;
    if (ender == 0 || info(ender).state == XidInfo::State::aborted) return Outcome::done;
    if (in_progress(ender) && !own(session, ender)) {
      if (policy == WaitPolicy::nowait) throw Failure{"55P03"};
      if (policy == WaitPolicy::skip_locked) return Outcome::skipped;
      wait_for(session, ender);
      return Outcome::waits;
    }
    if (target.next < 0) return Outcome::deleted;
    execution.target = target.next;
  }
}

// --- versions ---

int Model::add_version(int session, int table, int row, int id, int v) {
  Version made;
  made.table = table;
  made.row = row;
  made.id = id;
  made.v = v;
  made.creator = assign_xid(session);
  made.creator_command = session_of(session).command;
  versions_.push_back(made);
  return static_cast<int>(versions_.size()) - 1;
}

void Model::end_version(int session, int index, bool key_changed) {
  const Xid xid = assign_xid(session);
  Version& ended = version(index);
  // A transaction that has locked this version more strongly than its update needs goes on to hold it like that.
  const auto& locks = rows_[at(ended.row)];
  const bool locked = std::any_of(locks.begin(), locks.end(), [&](const RowLock& lock) {
    return lock.xid == xid && lock.version == index && lock.strength == Strength::update;
  });
  ended.ender = xid;
  ended.ender_command = session_of(session).command;
  ended.key_changed = key_changed || locked;
  ended.next = -1;
  rows_[at(ended.row)].push_back({xid, ended.key_changed ? Strength::update : Strength::no_key_update, index});
}

int Model::replace(int session, int index, int id, int v) {
  const Version old = version(index);
  end_version(session, index, id != old.id);
  const int made = add_version(session, old.table, old.row, id, v);
  version(made).indexed = id == old.id;
  version(index).next = made;
  return made;
}

// --- SELECT FOR, UPDATE, DELETE ---

void Model::step(int number) {
  Execution& execution = *session_of(number).execution;
  if (execution.wait.kind == Wait::Kind::transaction && in_progress(execution.wait.xid)) {
    wait_for(number, execution.wait.xid);
    return;
  }
  execution.wait = Wait{};
  try {
    if (execution.statement.kind == Statement::Kind::insert) {
      insert_step(number);
    } else {
      advance(number);
    }
  } catch (const Failure& failure) {
    fail(number, failure.sqlstate);
  }
}

void Model::output(int session, int index) {
  Execution& execution = *session_of(session).execution;
  execution.output.push_back({version(index).id, version(index).v});
  ++execution.affected;
}

void Model::next_row(int session) {
  leave_tuple_lock(session);
  Execution& execution = *session_of(session).execution;
  ++execution.position;
  execution.made = -1;
  if (execution.statement.kind == Statement::Kind::insert) return;
  execution.phase = Execution::Phase::claim;
  execution.target = execution.position < execution.candidates.size() ? execution.candidates[execution.position] : -1;
}

void Model::advance(int session) {
  Execution& execution = *session_of(session).execution;
  if (execution.statement.kind == Statement::Kind::select) {
    for (const int candidate : execution.candidates) output(session, candidate);
    return finish(session, answer_of(execution));
  }
  if (execution.position == execution.candidates.size()) return finish(session, answer_of(execution));
  advance_row(session);
}

// One row, from where it was left to its end or to the next wait.
void Model::advance_row(int session) {
  using Phase = Execution::Phase;
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  const WaitPolicy policy = policy_of(statement);
  const bool writes = statement.kind != Statement::Kind::select_for;
  for (;;) {
    Outcome outcome = Outcome::done;
    switch (execution.phase) {
      case Phase::claim:
        if (writes) assign_xid(session);
        outcome = claim(session, execution.target, strength_wanted(statement, version(execution.target).id), policy);
        if (outcome == Outcome::done) {
          if (!writes) add_lock(session, execution.target, statement.strength);
          execution.phase = Phase::apply;
        }
        break;
      case Phase::chase:
        outcome = chase(session, policy);
        if (outcome == Outcome::done) execution.phase = Phase::lock_newest;
        break;
      case Phase::lock_newest:
        outcome = claim(session, execution.target, strength_by_columns(statement), policy);
        if (outcome != Outcome::done) break;
        ++events_.rechecks;
        // Locked it stays, whether the condition holds or not.
        add_lock(session, execution.target, strength_by_columns(statement));
        if (!statement.condition.holds(version(execution.target).id, version(execution.target).v)) {
          return next_row(session);
        }
        execution.phase = Phase::apply;
        break;
      case Phase::apply:
        apply(session);
        if (execution.made >= 0 && !version(execution.made).indexed) {
          execution.phase = Phase::check_key;
          break;
        }
        return next_row(session);
      case Phase::check_key: {
        const Version made = version(execution.made);
        int owner = -1;
        outcome = find_owner(session, made.table, made.id, owner);
        if (outcome == Outcome::done) throw Failure{"23505"};
        if (outcome == Outcome::none) {
          version(execution.made).indexed = true;
          return next_row(session);
        }
        break;
      }
      default:
        return;
    }
    const bool changed = outcome == Outcome::updated || outcome == Outcome::deleted;
    if (changed && session_of(session).repeatable_read) throw Failure{"40001"};
    if (outcome == Outcome::waits) return;
    if (outcome == Outcome::skipped || outcome == Outcome::deleted) return next_row(session);
    if (outcome == Outcome::updated) {
      // It has left the queue and is not yet on the newest version: here the next in the queue may overtake it.
      execution.target = version(execution.target).next;
      execution.phase = Phase::chase;
      return;
    }
  }
}

void Model::apply(int session) {
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  const Version old = version(execution.target);
  if (statement.kind == Statement::Kind::select_for) return output(session, execution.target);
  if (statement.kind == Statement::Kind::remove) {
    end_version(session, execution.target, true);
    return output(session, execution.target);
  }
  const bool key = statement.kind == Statement::Kind::update_key;
  execution.made = replace(session, execution.target, key ? statement.number : old.id,
                           key ? old.v : old.v + statement.number);
  output(session, execution.made);
}

// --- INSERT ---

// The version that has the key: done, with `owner`; none; or waits, because nobody knows yet.
Model::Outcome Model::find_owner(int session, int table, int id, int& owner) {
  for (int index = 0; index < static_cast<int>(versions_.size()); ++index) {
    const Version& candidate = versions_[at(index)];
    if (candidate.table != table || candidate.id != id || !candidate.indexed) continue;
    if (in_progress(candidate.creator) && !own(session, candidate.creator)) {
      wait_for(session, candidate.creator);
      return Outcome::waits;
    }
    if (info(candidate.creator).state == XidInfo::State::aborted && candidate.creator != 0) continue;
    const bool ended = candidate.ender != 0 && info(candidate.ender).state != XidInfo::State::aborted;
    if (!ended) {
      owner = index;
      return Outcome::done;
    }
    if (in_progress(candidate.ender) && !own(session, candidate.ender)) {
      wait_for(session, candidate.ender);
      return Outcome::waits;
    }
  }
  return Outcome::none;
}

void Model::insert_step(int session) {
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  if (execution.position == statement.rows.size()) return finish(session, answer_of(execution));
  const NewRow row = statement.rows[execution.position];
  const bool done = statement.on_conflict == Statement::OnConflict::fail ? insert_checked(session, row)
                                                                        : insert_or_update(session, row);
  if (done) next_row(session);
}

// False: it waits.
bool Model::insert_checked(int session, const NewRow& row) {
  Execution& execution = *session_of(session).execution;
  const int table = execution.statement.table;
  // The row is in the table before its key is looked for, so it keeps its place there.
  if (execution.made < 0) {
    rows_.emplace_back();
    execution.made = add_version(session, table, static_cast<int>(rows_.size()) - 1, row.id, row.v);
  }
  int owner = -1;
  const Outcome outcome = find_owner(session, table, row.id, owner);
  if (outcome == Outcome::waits) return false;
  if (outcome == Outcome::done) throw Failure{"23505"};
  version(execution.made).indexed = true;
  output(session, execution.made);
  return true;
}

bool Model::insert_or_update(int session, const NewRow& row) {
  using Phase = Execution::Phase;
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  for (;;) {
    if (execution.phase == Phase::lock_owner) {
      const Outcome outcome = claim(session, execution.target, Strength::no_key_update, WaitPolicy::block);
      if (outcome == Outcome::waits) return false;
      execution.phase = Phase::look_for_owner;
      if (outcome == Outcome::done) return update_owner(session, row);
      if (session_of(session).repeatable_read) throw Failure{"40001"};
    }
    int owner = -1;
    const Outcome outcome = find_owner(session, statement.table, row.id, owner);
    if (outcome == Outcome::waits) return false;
    if (outcome == Outcome::none) {
      rows_.emplace_back();
      const int made = add_version(session, statement.table, static_cast<int>(rows_.size()) - 1, row.id, row.v);
      version(made).indexed = true;
      output(session, made);
      return true;
    }
    const Version& found = version(owner);
    const bool mine = own(session, found.creator);
    if (statement.on_conflict == Statement::OnConflict::do_nothing) {
      const bool hidden = !mine && !shows(session, execution.snapshot, found);
      if (session_of(session).repeatable_read && hidden) throw Failure{"40001"};
      return true;
    }
    if (mine && found.creator_command == session_of(session).command) throw Failure{"21000"};
    execution.target = owner;
    execution.phase = Phase::lock_owner;
  }
}

// DO UPDATE of the target, which may be taken.
bool Model::update_owner(int session, const NewRow& row) {
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  add_lock(session, execution.target, Strength::no_key_update);
  const Version old = version(execution.target);
  const bool hidden = !own(session, old.creator) && !shows(session, execution.snapshot, old);
  if (session_of(session).repeatable_read && hidden) throw Failure{"40001"};
  if (statement.on_conflict == Statement::OnConflict::do_update_where && old.v >= statement.number) return true;
  const int made = replace(session, execution.target, old.id, old.v + row.v);
  output(session, made);
  return true;
}

}  // namespace polarsim::engine::model
