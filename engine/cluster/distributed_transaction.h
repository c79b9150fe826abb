// One transaction of a session over all the nodes it touches, the coordinator's own storage included.
//
// Commit. Nobody wrote: plain COMMIT everywhere. One node wrote: COMMIT there decides (one-phase), then the others.
// Several wrote: two-phase commit:
//   1. A name (gid.h) for every remote node that wrote; (groupid, gid) rows into the own pg_dist_transaction, inside
//      the own transaction; PREPARE TRANSACTION to all, in parallel. Any failure: ROLLBACK, ROLLBACK PREPARED, the
//      error to the client.
//   2. COMMIT of the own transaction: the commit point. It makes all the rows durable at once.
//   3. COMMIT PREPARED to all, in parallel. A failure here is a WARNING: the transaction is decided, and recovery.h
//      will finish it.
//
// Row locks (SELECT ... FOR UPDATE and its weaker forms) live in a node's memory and die with it. So a node that was
// only locked on has a say in the decision: its block must still be open after the last statement. Nobody wrote: the
// answer "COMMIT" of every such node shows it. Somebody wrote: such nodes are sent a SELECT in their blocks, all in
// parallel, after the PREPAREs and before the commit point (before COMMIT is sent, if one node decides); if one of them
// does not answer, the transaction is aborted with 40000.
// Why that is enough: a block that answers has held its locks from their statements until its answer, and every answer
// is later than the end of the last statement. At that instant, then, all row locks of the transaction were held at
// once, those of its writes are held until its end (a prepared transaction keeps them over a restart), and nothing is
// locked afterwards: two-phase locking, serializable in the order of those instants among transactions that read by
// locks only.
// What is not promised: that a lock without a write outlives its answer. If its node restarts between that and the
// commit point, another transaction may lock the row, and see by plain reads that the writes are not there yet.
//
// What the client may conclude at COMMIT, and at the end of a statement outside a block:
//   - success: applied; with a WARNING "failed to commit transaction on ..." not yet visible on that node.
//   - 08001: surely not applied, a node could not be connected to.
//   - any other 08xxx, 57P01, 57P02, 57P03: unknown. 08007 when a node's answer to the deciding COMMIT was lost or
//     makes no sense; 08006 when the connection to this coordinator, or to the only node of a bare statement, was lost.
//   - anything else: surely not applied. 40000 when the way to a node, or the locks held there, were lost before the
//     decision.
// An error of a statement inside a transaction block is no such answer: the block can only be rolled back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cluster/coordinator.h"
#include "engine/cluster/executor.h"

namespace polarsim::engine::cluster {

// True if an error with this SQLSTATE in answer to a statement that commits does not tell whether it committed.
bool outcome_unknown(const std::string& sqlstate);

class DistributedTransaction {
 public:
  DistributedTransaction(Coordinator& coordinator, Executor& executor, LocalSession& local, std::uint32_t process_id)
      : coordinator_(coordinator), executor_(executor), local_(local), process_id_(process_id) {}

  // Makes the local session join the transaction.
  void enter_local_block(const std::string& begin = "BEGIN");
  // The local session has ended its part by itself: PREPARE TRANSACTION of a purely local transaction.
  void forget_local_block() { local_open_ = false; }
  bool local_open() const { return local_open_; }
  // Runs a statement about savepoints on every node that has joined. Throws SqlError if any of them fails; all have
  // then been asked nevertheless.
  void tell_all(const std::string& text);
  // The same for all but the local session.
  void tell_nodes(const std::string& text);

  // Ends the transaction on all nodes. commit() throws SqlError as the contract above says (everything is then rolled
  // back or left to recovery) and returns the warnings otherwise. rollback() never throws SqlError.
  std::vector<ErrorFields> commit();
  void rollback();

 private:
  using Connections = std::vector<RemoteConnection*>;
  struct Participant {
    RemoteConnection* connection;  // null once nothing more is to be said to it: the executor may have freed it
    std::string gid;
    bool prepared = false;
  };

  void commit_one_phase(RemoteConnection& writer);
  std::vector<ErrorFields> commit_two_phase(const Connections& writers, const Connections& readers);
  void write_commit_records(const std::vector<Participant>& participants);
  // Empty if all are prepared.
  std::optional<SqlError> prepare(std::vector<Participant>& participants);
  void commit_locally();
  std::vector<ErrorFields> commit_prepared(std::vector<Participant>& participants);
  void rollback_prepared(std::vector<Participant>& participants);
  // Throws 40000 if the block of a reader that took locks is lost.
  void verify_locks(const Connections& readers);
  // COMMIT to all. A reader that took locks must answer it: 40000.
  void commit_readers(const Connections& readers);
  // COMMIT to all when the decision has fallen: a failure changes nothing any more.
  void finish_readers(const Connections& readers);
  void finish_local_block();
  void check_fault_point(const char* name);
  void run_local(const std::string& sql, std::span<const Value> parameters = {});
  // Sends to all, then collects the answers in order; a connection that fails is marked by its result.
  std::vector<pgwire::ClientResult> ask(const Connections& connections, const std::vector<std::string>& texts);
  void forget_block(RemoteConnection& connection);
  void release(Participant& participant);

  Coordinator& coordinator_;
  Executor& executor_;
  LocalSession& local_;
  std::uint32_t process_id_;
  bool local_open_ = false;
};

}  // namespace polarsim::engine::cluster
