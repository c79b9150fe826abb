// What the clients asked and what they were told, as a history that polarsim::checkers can judge.
//
// Why not a history of plain register writes and reads: from those the rw-register checker cannot tell which of two
// writes came first unless somebody read the key and wrote it in one transaction, so most stale reads would pass. But
// this store says with every version which tag it has. So a key is shown as the list of its versions: a write appends
// its value, and a read has seen all values up to the tag it returned. The list-append checker, at level
// strict-serializable, then decides whether the order of tags agrees with every answer and with real time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkers/history.h"
#include "quorum_store.h"
#include "sim/simulation.h"

namespace replicated_kv {

namespace checkers = polarsim::checkers;

struct Operation {
  std::int64_t process = 0;
  bool is_write = false;
  std::int64_t key = 0;
  // Of a read, when all else is over: it must show all that was acknowledged. (The checker's ":final? true".)
  bool at_rest = false;
};

class Recorder {
 public:
  // `version` is what the write writes, or what the read returned; without meaning for the invocation of a read.
  void add(sim::Simulation& simulation, checkers::EventType type, const Operation& operation, const Version& version) {
    checkers::Event event;
    event.index = static_cast<std::int64_t>(history_.events.size());
    event.time_ns = sim::nanoseconds(simulation.now());
    event.type = type;
    event.process = operation.process;
    event.f = "txn";
    using Kind = checkers::MicroOp::Kind;
    const auto kind = operation.is_write ? Kind::append : Kind::read_list;
    event.value = checkers::Transaction{{kind, operation.key, version.value, false, {}}};
    if (operation.at_rest) event.extra.emplace_back("final?", "true");
    if (simulation.trace().enabled()) {
      const std::string text = "op " + std::to_string(event.index) + " process " + std::to_string(event.process) +
                               (operation.is_write ? " write" : " read") + " key " + std::to_string(operation.key) +
                               " " + checkers::to_string(type) + ": value " + std::to_string(version.value) + " tag " +
                               std::to_string(version.tag.timestamp) + "." + std::to_string(version.tag.writer);
      simulation.trace().add(simulation.now(), sim::TraceKind::log, "history", text);
    }
    history_.events.push_back(std::move(event));
    versions_.push_back(version);
  }

  checkers::History history() const {
    // A write that was neither acknowledged nor read need not have happened: it is in no list.
    std::map<std::int64_t, std::set<Version>> seen;
    checkers::History history = history_;
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      const bool ok = history.events[i].type == checkers::EventType::ok;
      if (ok && versions_[i].tag != Tag{}) seen[operation(history, i).key].insert(versions_[i]);
    }
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      checkers::MicroOp& op = operation(history, i);
      if (op.kind != checkers::MicroOp::Kind::read_list || history.events[i].type != checkers::EventType::ok) continue;
      op.known = true;
      for (const Version& version : seen[op.key]) {
        if (version <= versions_[i]) op.list.push_back(version.value);
      }
    }
    return history;
  }
  std::size_t size() const { return versions_.size(); }

 private:
  static checkers::MicroOp& operation(checkers::History& history, std::size_t event) {
    return std::get<checkers::Transaction>(history.events[event].value).front();
  }

  checkers::History history_;      // its reads do not show yet what they saw
  std::vector<Version> versions_;  // of each event
};

}  // namespace replicated_kv
