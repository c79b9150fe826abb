// What PostgreSQL does with a handful of rows and sessions, told as plainly as possible: the reference of the state
// machine tests. It shares no code with the engine, and PostgreSQL itself is asked whether it is right
// (scenarios/cli/postgres). For tests only.
//
// A Model is a value: everything that a node knows at one moment. Where PostgreSQL leaves it to chance which of several
// sessions that were woken together goes first, issue() gives back all the moments at which things may have come to
// rest; whoever watches keeps those that agree with what was seen.
//
// What follows PostgreSQL to the letter, since it can be seen from outside (src/backend/access/heap/heapam.c and
// heapam_handler.c, executor/nodeModifyTable.c, nodeLockRows.c, access/nbtree/nbtinsert.c, storage/lmgr):
//  - A row is a chain of versions, and each has members: who locks it, and who has replaced it. Who has to wait for a
//    version first queues for its tuple lock, unless it is a member already, and then waits for one transaction at a
//    time, the oldest first. Who finds the version replaced gives the tuple lock back and chases the newest one,
//    waiting without any queue.
//  - A version with several members of which any still runs counts as held, even if it has been replaced for good: who
//    wants it may have to queue for it, only to learn that.
//  - A SELECT FOR that has waited for an updater first locks all that the updater has made of the row, and waits for
//    others on the way; only then it sees that the version which it wanted was replaced.
//  - A wait for a savepoint's transaction ends with the savepoint. If that was released, the wait goes on for the whole
//    transaction, and so does one that begins later.
//  - A waiter looks for a deadlock once, after a while. What waits now and has looked is not chosen as a victim later.
//
// What is left out, and thrown as Unsupported when a program comes upon it: queues that PostgreSQL would rearrange to
// avoid a deadlock; FOR KEY SHARE NOWAIT or SKIP LOCKED of a row that its updater has locked more strongly since (which
// PostgreSQL waits for).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/node/model/statement.h"

namespace polarsim::engine::model {

struct Unsupported {
  std::string what;
};

// Transactions and savepoints have numbers in the order in which they first write or lock; 0 is none.
using Xid = int;

struct ModelOptions {
  // Any session of a cycle may be the victim: where time is real it is not sure whose timeout comes first.
  bool any_victim = false;
};

class Model {
 public:
  explicit Model(int sessions, ModelOptions options = {});

  // The statement goes to an idle session. All states in which nothing moves any more; throws Unsupported.
  std::vector<Model> issue(int session, const Statement& statement) const;

  bool idle(int session) const { return !sessions_[at(session)].execution; }
  bool in_block(int session) const { return sessions_[at(session)].in_block; }
  // What the session's last statement answered: "UPDATE 1: 1|11", "COMMIT", "error 40001"; of an idle session.
  const std::string& answer(int session) const { return sessions_[at(session)].answer; }
  // Rows that everybody sees who begins now.
  std::string committed_rows(int table) const;
  // How often something happened on the way here.
  struct Events {
    int waits = 0, deadlocks = 0, rechecks = 0, serialization_failures = 0;
    // Not part of a state.
    friend std::strong_ordering operator<=>(const Events&, const Events&) { return std::strong_ordering::equal; }
    friend bool operator==(const Events&, const Events&) { return true; }
  };
  const Events& events() const { return events_; }

  friend auto operator<=>(const Model&, const Model&) = default;

 private:
  struct XidInfo {
    enum class State : std::uint8_t { in_progress, committed, aborted } state = State::in_progress;
    int session = 0;
    Xid top = 0;            // itself if it is no savepoint's
    bool released = false;  // a savepoint's: nobody can wait for it by itself any more
    friend auto operator<=>(const XidInfo&, const XidInfo&) = default;
  };
  // Who locks a version, or has replaced or deleted it.
  struct Member {
    Xid xid = 0;
    Strength strength = Strength::key_share;
    bool writes = false;
    friend auto operator<=>(const Member&, const Member&) = default;
  };
  struct Version {
    int table = 0;
    int id = 0;
    int v = 0;
    Xid creator = 0;  // 0: has always been there
    int creator_command = 0;
    bool indexed = false;  // its key has been checked
    std::vector<Member> members;
    int ended_at_command = 0;  // of the member that replaced or deleted it
    int next = -1;             // the version that replaced it; -1: it was deleted
    friend auto operator<=>(const Version&, const Version&) = default;
  };
  // The queue in which one stands before one may wait for the transactions on a version.
  struct TupleLock {
    struct Place {
      int session = 0;
      Strength strength = Strength::key_share;
      friend auto operator<=>(const Place&, const Place&) = default;
    };
    std::vector<Place> holders;
    std::vector<Place> queue;
    friend auto operator<=>(const TupleLock&, const TupleLock&) = default;
  };
  // Who was committed when it was taken, by Xid.
  using Snapshot = std::vector<char>;

  struct Wait {
    enum class Kind : std::uint8_t { none, transaction, tuple } kind = Kind::none;
    Xid xid = 0;          // transaction: whose end is awaited,
    Xid lock = 0;         // and by whose lock: its own, or that of the whole transaction
    int version = -1;     // tuple
    bool looked = false;  // for a deadlock
    friend auto operator<=>(const Wait&, const Wait&) = default;
  };
  // A statement under way. Whatever it does next is decided by looking at the rows anew.
  struct Execution {
    enum class Phase : std::uint8_t {
      claim,        // the version found by the snapshot
      lock_again,   // that was replaced: a write locks before it looks at the next
      chase,        // the newest version, behind one that was replaced
      lock_newest,  // and take it
      apply,
      check_key,       // of the version just made, if it is another one
      look_for_owner,  // ON CONFLICT: of the key
      lock_owner,
    } phase = Phase::claim;
    Statement statement;
    Snapshot snapshot;
    std::vector<int> candidates;              // versions, in the order in which they are visited
    std::size_t position = 0;                 // in candidates, or in the rows to insert
    int target = -1;                          // the version at work
    Strength strength = Strength::key_share;  // what the statement wants of it
    int made = -1;                            // the version that waits for its key to be checked
    Wait wait;
    // While it claims a version: the transactions that were in its way when it began to wait, for all of which it waits
    // before it looks again; the version by which it was being replaced then, so that this one and later ones have to
    // be locked first; and the one for which that has been done.
    std::vector<Xid> stopped_by;
    int follows = -1;
    int followed = -1;
    int holds_tuple_lock = -1;  // of this version
    int affected = 0;
    std::vector<NewRow> output;
    friend auto operator<=>(const Execution&, const Execution&) = default;
  };
  struct Level {
    int name = -1;  // of the savepoint; -1: the transaction itself
    Xid xid = 0;
    std::vector<Xid> released;  // savepoints within it
    friend auto operator<=>(const Level&, const Level&) = default;
  };
  struct Session {
    bool in_block = false;
    bool failed = false;
    bool repeatable_read = false;
    std::optional<Snapshot> snapshot;  // of a repeatable read transaction, once taken
    int command = 0;
    std::vector<Level> levels;  // empty outside of transactions
    std::optional<Execution> execution;
    std::string answer;
    friend auto operator<=>(const Session&, const Session&) = default;
  };
  enum class Outcome : std::uint8_t { done, waits, replaced, deleted, skipped, none };
  enum class Status : std::uint8_t { free, held, replaced, deleted };
  struct Failure {
    std::string sqlstate;
  };

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  Session& session_of(int session) { return sessions_[at(session)]; }
  XidInfo& info(Xid xid) { return xids_[at(xid)]; }
  const XidInfo& info(Xid xid) const { return xids_[at(xid)]; }
  Version& version(int index) { return versions_[at(index)]; }

  // --- node_model.cpp: sessions, transactions, waits, deadlocks ---
  void start(int session, const Statement& statement);
  void control(int session, const Statement& statement);
  void roll_back_to(Session& session, int name);
  void release(Session& session, int name);
  void finish(int session, std::string answer);
  void fail(int session, const std::string& sqlstate);
  void end_transaction(int session, bool commit);
  void abort_level(Level& level);
  Xid assign_xid(int session);
  static std::string answer_of(const Execution& execution);
  std::vector<int> runnable() const;
  bool can_go_on(const Session& session) const;
  std::vector<int> waits_for(int session, bool queued_too) const;
  bool in_cycle(int session, bool queued_too) const;
  std::vector<int> victims() const;
  void mark_looked();
  bool in_progress(Xid xid) const;
  bool is_committed(Xid xid) const;
  bool own(int session, Xid xid) const;
  void wait_for(int session, Xid xid);
  bool take_tuple_lock(int session, int index, Strength strength);
  void leave_tuple_lock(int session);

  // --- node_model_rows.cpp: what a statement does to rows ---
  void step(int session);
  void advance(int session);
  void advance_row(int session);
  Outcome advance_phase(int session);
  Outcome check_key(int session);
  void insert_step(int session);
  bool shows(int session, const Snapshot& snapshot, const Version& candidate) const;
  std::vector<int> find_candidates(int session, const Execution& execution) const;
  Xid ender(const Version& version) const;
  Status status(int session, const Version& version) const;
  bool member(int session, const Version& version, Strength strength) const;
  std::vector<Xid> in_the_way(int session, const Version& version, Strength strength) const;
  bool conflicts(int session, const Version& version, Strength strength) const;
  bool has_to_sleep(int session, const Version& version, Strength strength) const;
  void add_member(int session, int index, Strength strength, bool writes);
  Outcome replaced_or_deleted(int session, int index);
  Outcome claim_to_write(int session, int index, Strength strength);
  Outcome claim_to_lock(int session, int index, Strength strength, WaitPolicy policy, bool follows);
  Outcome wait_for_version(int session, int index, Strength strength, bool follows, const std::vector<Xid>& whom);
  Outcome follow(int session, int first, Strength strength);
  Outcome chase(int session, WaitPolicy policy);
  void apply(int session);
  int add_version(int session, int table, int id, int v);
  void end_version(int session, int index, Strength strength);
  int replace(int session, int index, int id, int v);

  void output(int session, int index);
  void next_row(int session);
  Outcome find_owner(int session, int table, int id, int& owner);
  bool insert_checked(int session, const NewRow& row);
  bool insert_or_update(int session, const NewRow& row);
  bool update_owner(int session, const NewRow& row);

  bool any_victim_ = false;
  std::vector<XidInfo> xids_;
  std::vector<Version> versions_;
  std::map<int, TupleLock> tuple_locks_;  // by version
  std::vector<Session> sessions_;
  Events events_;
};

}  // namespace polarsim::engine::model
