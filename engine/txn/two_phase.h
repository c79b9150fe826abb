// What has to be known of a prepared transaction to end it later, and its file (PostgreSQL's
// src/backend/access/transam/twophase.c).
//
// The state is in the record that prepares the transaction. A checkpoint copies the states of those that are still
// prepared to "twophase/<xid>", 8 hexadecimal digits, because recovery will not read that part of the log any more. The
// commit log, written after them, says which files there have to be (commit_log.h), so that one that has vanished is
// noticed. A file that is left after the transaction's end is stale: again the commit log knows better.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/txn/transaction.h"
#include "sim/host.h"

namespace polarsim::engine::txn {

struct PreparedState {
  Xid xid = 0;
  std::string gid;
  std::int64_t prepared_us = 0;
  std::vector<Xid> subtransactions;
  std::vector<RelationId> created, dropped;
  std::vector<LockOwner::Held> locks;  // but for those of its identifiers
};
// Also the payload of RecordKind::prepare: u32 xid, text gid, u64 time, and four lists, each with its u32 length: u32
// subtransactions, u32 relations created, u32 dropped, and locks of u8 kind, u64 a, u64 b, u8 mode, u32 times.
std::string encode(const PreparedState& state);
// Throws SqlError XX000 if it is shorter than its contents.
PreparedState decode_prepared(std::string_view bytes);

// The end of a transaction as the records commit, abort, commit_prepared and rollback_prepared tell it: u32 xid, u64
// time in microseconds, u32 number and u32 subtransactions that share its fate, u32 number and u32 relations whose
// files are to go, and text gid (empty unless it was prepared).
struct EndRecord {
  Xid xid = 0;
  std::int64_t time_us = 0;
  std::vector<Xid> subtransactions;
  std::vector<RelationId> remove;
  std::string gid;
};
std::string encode(const EndRecord& record);
EndRecord decode_end(std::string_view bytes);

// "twophase/000002EC"
std::string two_phase_path(Xid xid);

class TwoPhaseFiles {
 public:
  explicit TwoPhaseFiles(sim::Host& host) : host_(host) {}
  // The states in all files. Throws SqlError XX001 if one is damaged, with its name, 58030 if the disk fails. Blocks.
  std::vector<PreparedState> load();
  bool saved(Xid xid) const { return saved_.contains(xid); }
  // Durable when it returns. Blocks. Panics if the disk fails.
  void save(const std::vector<PreparedState>& states);
  // Removes the files of all whose xid is not wanted any more; durable some time. Does not block.
  void remove_unless(const std::function<bool(Xid)>& wanted);

 private:
  void write_draft(Xid xid, std::string_view payload);
  void sync_names();

  sim::Host& host_;
  std::set<Xid> saved_;
  bool names_pending_ = false;
};

}  // namespace polarsim::engine::txn
