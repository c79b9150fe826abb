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
  return ender(candidate) == 0 || !sees(ender(candidate), candidate.ended_at_command);
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
    std::sort(found.begin(), found.end(), [this](int a, int b) { return versions_[at(a)].id < versions_[at(b)].id; });
  }
  return found;
}

// --- who has a version ---

// Who has replaced or deleted it, or is about to; 0: nobody.
Xid Model::ender(const Version& version) const {
  for (const Member& member : version.members) {
    if (member.writes && info(member.xid).state != XidInfo::State::aborted) return member.xid;
  }
  return 0;
}

Model::Status Model::status(int session, const Version& version) const {
  const bool running = std::any_of(version.members.begin(), version.members.end(),
                                   [this](const Member& member) { return in_progress(member.xid); });
  const Xid by = ender(version);
  const Status ended = version.next < 0 ? Status::deleted : Status::replaced;
  if (by != 0 && own(session, by)) return ended;
  if (running) return Status::held;
  return by != 0 ? ended : Status::free;
}

// Whether the session is one of several members, with at least this strength.
bool Model::member(int session, const Version& version, Strength strength) const {
  return std::any_of(version.members.begin(), version.members.end(),
                     [&](const Member& member) { return own(session, member.xid) && member.strength >= strength; });
}

// The transactions of others that have to end first, the oldest first.
std::vector<Xid> Model::in_the_way(int session, const Version& version, Strength strength) const {
  std::vector<Xid> found;
  for (const Member& member : version.members) {
    const bool others = in_progress(member.xid) && info(member.xid).session != session;
    if (others && conflict(member.strength, strength)) found.push_back(member.xid);
  }
  std::sort(found.begin(), found.end());
  return found;
}

// As in_the_way(), but a write that has been committed counts, too.
bool Model::conflicts(int session, const Version& version, Strength strength) const {
  return std::any_of(version.members.begin(), version.members.end(), [&](const Member& member) {
    if (own(session, member.xid) || !conflict(member.strength, strength)) return false;
    return member.writes ? info(member.xid).state != XidInfo::State::aborted : in_progress(member.xid);
  });
}

// Of a lock: whether the members could be in its way, by what they once were. Who has left is still counted here.
bool Model::has_to_sleep(int session, const Version& version, Strength strength) const {
  const std::vector<Member>& members = version.members;
  const auto stronger_than = [&](Strength limit) {
    return std::any_of(members.begin(), members.end(), [&](const Member& member) { return member.strength > limit; });
  };
  const bool written = std::any_of(members.begin(), members.end(), [](const Member& member) { return member.writes; });
  const bool alone = members.size() == 1;
  if (alone && own(session, members.front().xid)) return false;
  switch (strength) {
    case Strength::key_share:
      return stronger_than(Strength::no_key_update);
    case Strength::share:
      return written || stronger_than(Strength::share);
    case Strength::no_key_update:
      return alone ? written || stronger_than(Strength::key_share) : conflicts(session, version, strength);
    case Strength::update:
      return true;
  }
  return true;
}

void Model::add_member(int session, int index, Strength strength, bool writes) {
  const Xid xid = assign_xid(session);
  std::vector<Member>& members = version(index).members;
  // Of a transaction that is alone the stronger counts.
  const bool alone = members.size() == 1 && members.front().xid == xid;
  if (alone) strength = std::max(strength, members.front().strength);
  std::erase_if(members, [&](const Member& member) {
    const bool lives =
        in_progress(member.xid) || (member.writes && info(member.xid).state == XidInfo::State::committed);
    return alone || !lives;
  });
  const Member added{xid, strength, writes};
  if (std::find(members.begin(), members.end(), added) == members.end()) members.push_back(added);
}

// --- claims: done, and the version is the caller's if it takes it at once ---

Model::Outcome Model::replaced_or_deleted(int session, int index) {
  leave_tuple_lock(session);
  return version(index).next < 0 ? Outcome::deleted : Outcome::replaced;
}

// UPDATE, DELETE.
Model::Outcome Model::claim_to_write(int session, int index, Strength strength) {
  const Version& target = version(index);
  const Status now = status(session, target);
  if (now == Status::free) return Outcome::done;
  if (now != Status::held) return replaced_or_deleted(session, index);
  const std::vector<Member>& members = target.members;
  if (members.size() == 1) {
    const bool key_share = members.front().strength == Strength::key_share && !members.front().writes;
    if (own(session, members.front().xid) || (key_share && strength == Strength::no_key_update)) return Outcome::done;
  } else if (!conflicts(session, target, strength)) {
    return Outcome::done;
  }
  const Outcome waited = wait_for_version(session, index, strength, false, in_the_way(session, target, strength));
  if (waited == Outcome::waits) return waited;
  return ender(target) != 0 ? replaced_or_deleted(session, index) : Outcome::done;
}

// SELECT FOR and what writes lock: done, and it is locked. `follows`: later versions are locked as well.
Model::Outcome Model::claim_to_lock(int session, int index, Strength strength, WaitPolicy policy, bool follows) {
  Execution& execution = *session_of(session).execution;
  const Version& target = version(index);
  const Status now = status(session, target);
  if (member(session, target, strength)) {
    leave_tuple_lock(session);
    return Outcome::done;
  }
  const bool written = ender(target) != 0 && target.next >= 0;
  if (now == Status::free || !has_to_sleep(session, target, strength)) {
    // A version whose key lives on may be locked as if nothing had happened, and its successors with it.
    if (written && follows && execution.followed != target.next) {
      const Outcome followed = follow(session, target.next, strength);
      if (followed == Outcome::waits && policy != WaitPolicy::block) {
        throw Unsupported{"a conditional lock that PostgreSQL waits for"};
      }
      if (followed != Outcome::done) return followed;
    }
    add_member(session, index, strength, false);
    leave_tuple_lock(session);
    return Outcome::done;
  }
  if (now != Status::held) return replaced_or_deleted(session, index);
  const std::vector<Xid> whom = in_the_way(session, target, strength);
  if (policy != WaitPolicy::block) {
    const bool is_member = member(session, target, Strength::key_share);
    const bool free = whom.empty() && (is_member || take_tuple_lock(session, index, strength));
    if (!free && policy == WaitPolicy::nowait) throw Failure{"55P03"};
    if (!free) {
      leave_tuple_lock(session);
      execution.wait = Wait{};
      return Outcome::skipped;
    }
  } else if (wait_for_version(session, index, strength, follows && written, whom) == Outcome::waits) {
    return Outcome::waits;
  }
  if (written && follows && execution.followed != target.next) {
    const Outcome followed = follow(session, target.next, strength);
    if (followed != Outcome::done) return followed;
  }
  if (ender(target) != 0) return replaced_or_deleted(session, index);
  add_member(session, index, strength, false);
  leave_tuple_lock(session);
  return Outcome::done;
}

// Queues for the version, and then waits for the first of `whom`; done if there is nobody.
Model::Outcome Model::wait_for_version(int session, int index, Strength strength, bool follows,
                                       const std::vector<Xid>& whom) {
  Execution& execution = *session_of(session).execution;
  execution.stopped_by = whom;
  const int next = version(index).next;
  execution.follows = follows && execution.followed != next ? next : -1;
  // Who is on the row already must not queue behind those who wait for it to go.
  const bool is_member = member(session, version(index), Strength::key_share);
  if (!is_member && !take_tuple_lock(session, index, strength)) return Outcome::waits;
  if (whom.empty()) {
    execution.follows = -1;
    return Outcome::done;
  }
  wait_for(session, whom.front());
  return Outcome::waits;
}

// Locks this version and those that come after it.
Model::Outcome Model::follow(int session, int first, Strength strength) {
  session_of(session).execution->followed = first;
  for (int later = first; later >= 0; later = version(later).next) {
    if (info(version(later).creator).state == XidInfo::State::aborted) break;
    std::vector<Member> members = version(later).members;
    std::sort(members.begin(), members.end());
    bool has_it = false;
    for (const Member& member : members) {
      has_it = own(session, member.xid);
      if (has_it) break;
      if (!conflict(member.strength, strength)) continue;
      if (in_progress(member.xid)) {
        session_of(session).execution->followed = -1;
        session_of(session).execution->follows = first;
        wait_for(session, member.xid);
        return Outcome::waits;
      }
      if (member.writes && is_committed(member.xid)) return replaced_or_deleted(session, later);
    }
    if (!has_it) add_member(session, later, strength, false);
    if (ender(version(later)) == 0) break;
  }
  return Outcome::done;
}

// From the target on to the newest version, or to one that somebody is replacing.
Model::Outcome Model::chase(int session, WaitPolicy policy) {
  Execution& execution = *session_of(session).execution;
  for (;;) {
    const Xid by = ender(version(execution.target));
    if (by == 0) return Outcome::done;
    if (in_progress(by) && !own(session, by)) {
      if (policy == WaitPolicy::nowait) throw Failure{"55P03"};
      if (policy == WaitPolicy::skip_locked) return Outcome::skipped;
      wait_for(session, by);
      return Outcome::waits;
    }
    if (version(execution.target).next < 0) return Outcome::deleted;
    execution.target = version(execution.target).next;
  }
}

// --- versions ---

int Model::add_version(int session, int table, int id, int v) {
  Version made;
  made.table = table;
  made.id = id;
  made.v = v;
  made.creator = assign_xid(session);
  made.creator_command = session_of(session).command;
  versions_.push_back(made);
  return static_cast<int>(versions_.size()) - 1;
}

void Model::end_version(int session, int index, Strength strength) {
  add_member(session, index, strength, true);
  version(index).ended_at_command = session_of(session).command;
  version(index).next = -1;
}

int Model::replace(int session, int index, int id, int v) {
  const Version old = version(index);
  end_version(session, index, id == old.id ? Strength::no_key_update : Strength::update);
  const int made = add_version(session, old.table, id, v);
  version(made).indexed = id == old.id;
  version(index).next = made;
  // Others who share the key go on to do so. A single one before an update can have been no more than that.
  for (Member member : old.members) {
    if (old.members.size() == 1) member.strength = Strength::key_share;
    if (in_progress(member.xid) && !member.writes) version(made).members.push_back(member);
  }
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
  // Its turn has come, or one wait is over.
  for (const Xid xid : execution.stopped_by) {
    if (in_progress(xid)) return wait_for(number, xid);
  }
  execution.stopped_by.clear();
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
  execution.followed = -1;
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
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  for (;;) {
    Outcome outcome = Outcome::done;
    if (execution.follows >= 0) {
      const int first = std::exchange(execution.follows, -1);
      outcome = follow(session, first, statement.strength);
    }
    if (outcome == Outcome::done) outcome = advance_phase(session);
    const bool changed = outcome == Outcome::replaced || outcome == Outcome::deleted;
    if (changed && session_of(session).repeatable_read) throw Failure{"40001"};
    if (outcome == Outcome::waits || outcome == Outcome::none) return;
    if (outcome == Outcome::skipped || outcome == Outcome::deleted) return next_row(session);
    if (outcome == Outcome::replaced) {
      // It has left the queue and is not yet on the newest version: here the next in the queue may overtake it.
      const bool writes = statement.kind != Statement::Kind::select_for;
      if (writes && execution.phase == Execution::Phase::claim) {
        execution.phase = Execution::Phase::lock_again;
      } else {
        execution.target = version(execution.target).next;
        execution.phase = Execution::Phase::chase;
      }
      return;
    }
  }
}

// Done: there is more to do; none: the row is finished.
Model::Outcome Model::advance_phase(int session) {
  using Phase = Execution::Phase;
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  const bool writes = statement.kind != Statement::Kind::select_for;
  Outcome outcome = Outcome::done;
  switch (execution.phase) {
    case Phase::claim:
      execution.strength = strength_wanted(statement, version(execution.target).id);
      if (writes) assign_xid(session);
      outcome = writes ? claim_to_write(session, execution.target, execution.strength)
                       : claim_to_lock(session, execution.target, execution.strength, statement.policy, true);
      if (outcome == Outcome::done) execution.phase = Phase::apply;
      break;
    case Phase::lock_again:
      outcome = claim_to_lock(session, execution.target, execution.strength, WaitPolicy::block, false);
      break;
    case Phase::chase:
      outcome = chase(session, policy_of(statement));
      if (outcome == Outcome::done) execution.phase = Phase::lock_newest;
      break;
    case Phase::lock_newest:
      outcome = claim_to_lock(session, execution.target, execution.strength, policy_of(statement), !writes);
      if (outcome != Outcome::done) break;
      ++events_.rechecks;
      // It may need more of this version than of the one before.
      execution.phase = writes ? Phase::claim : Phase::apply;
      // Locked it stays, whether the condition holds or not.
      if (!statement.condition.holds(version(execution.target).id, version(execution.target).v)) {
        outcome = Outcome::skipped;
      }
      break;
    case Phase::apply:
      apply(session);
      // Whatever its new key will have to wait for, nobody has to queue for the old version any more.
      leave_tuple_lock(session);
      execution.phase = Phase::check_key;
      break;
    case Phase::check_key: {
      const bool checked = execution.made < 0 || version(execution.made).indexed;
      if (!checked) outcome = check_key(session);
      if (checked || outcome == Outcome::done) {
        next_row(session);
        outcome = Outcome::none;
      }
      break;
    }
    default:
      break;
  }
  return outcome;
}

// Of the version just made.
Model::Outcome Model::check_key(int session) {
  const int made = session_of(session).execution->made;
  int owner = -1;
  const Outcome outcome = find_owner(session, version(made).table, version(made).id, owner);
  if (outcome == Outcome::waits) return outcome;
  if (outcome == Outcome::done) throw Failure{"23505"};
  version(made).indexed = true;
  return Outcome::done;
}

void Model::apply(int session) {
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  const Version old = version(execution.target);
  if (statement.kind == Statement::Kind::select_for) return output(session, execution.target);
  if (statement.kind == Statement::Kind::remove) {
    end_version(session, execution.target, Strength::update);
    return output(session, execution.target);
  }
  const bool key = statement.kind == Statement::Kind::update_key;
  execution.made =
      replace(session, execution.target, key ? statement.number : old.id, key ? old.v : old.v + statement.number);
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
    const Xid by = ender(candidate);
    if (by == 0) {
      owner = index;
      return Outcome::done;
    }
    if (in_progress(by) && !own(session, by)) {
      wait_for(session, by);
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

// False: the row is not finished.
bool Model::insert_checked(int session, const NewRow& row) {
  Execution& execution = *session_of(session).execution;
  const int table = execution.statement.table;
  // The row is in the table before its key is looked for, so it keeps its place there.
  if (execution.made < 0) {
    execution.made = add_version(session, table, row.id, row.v);
  }
  if (check_key(session) == Outcome::waits) return false;
  output(session, execution.made);
  return true;
}

bool Model::insert_or_update(int session, const NewRow& row) {
  using Phase = Execution::Phase;
  Execution& execution = *session_of(session).execution;
  const Statement statement = execution.statement;
  for (;;) {
    if (execution.phase == Phase::lock_owner) {
      const Outcome outcome =
          claim_to_lock(session, execution.target, Strength::no_key_update, WaitPolicy::block, false);
      if (outcome == Outcome::waits) return false;
      execution.phase = Phase::look_for_owner;
      if (outcome == Outcome::done) return update_owner(session, row);
      if (session_of(session).repeatable_read) throw Failure{"40001"};
      return false;  // it has left the queue, and others may come before it
    }
    int owner = -1;
    const Outcome outcome = find_owner(session, statement.table, row.id, owner);
    if (outcome == Outcome::waits) return false;
    if (outcome == Outcome::none) {
      const int made = add_version(session, statement.table, row.id, row.v);
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
  const Version old = version(execution.target);
  const bool hidden = !own(session, old.creator) && !shows(session, execution.snapshot, old);
  if (session_of(session).repeatable_read && hidden) throw Failure{"40001"};
  if (statement.on_conflict == Statement::OnConflict::do_update_where && old.v >= statement.number) return true;
  const int made = replace(session, execution.target, old.id, old.v + row.v);
  output(session, made);
  return true;
}

}  // namespace polarsim::engine::model
