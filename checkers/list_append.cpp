// The list-append checker: anomalies seen in single reads, then the dependency graph and its cycles.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <tuple>
#include <utility>

#include "checkers/checkers.h"
#include "checkers/dependency_judge.h"
#include "checkers/final_reads.h"
#include "checkers/list_append_index.h"
#include "checkers/list_append_judge.h"
#include "checkers/operations.h"

namespace polarsim::checkers {

namespace {

class ListAppendChecker {
 public:
  ListAppendChecker(const Operations& operations, const ListAppendIndex& index, Findings& findings)
      : operations_(operations), index_(index), findings_(findings) {}

  void check_reads();
  void check_orders();
  void check_internal();
  void check_lost_updates();
  void add_dependencies(DependencyGraph::Builder& builder, bool& any) const;
  std::string explain(std::uint32_t from, std::uint32_t to, Relations label) const;

 private:
  void check_read(std::uint32_t reader, const MicroOp& read);
  void check_elements(std::uint32_t reader, const MicroOp& read);
  void check_future_reads(std::uint32_t v);
  void check_version_order(const ListAppendIndex::Key& key);
  std::string name(std::uint32_t operation) const { return findings_.describe(operation); }
  std::string read_text(std::uint32_t reader, const MicroOp& read) const {
    return name(reader) + " read " + list_text(read) + " from key " + findings_.key(read.key);
  }

  const Operations& operations_;
  const ListAppendIndex& index_;
  Findings& findings_;
  boost::unordered_flat_set<std::int64_t> seen_;
};

// Values out of nowhere or of failed transactions, and values that appear twice.
void ListAppendChecker::check_elements(std::uint32_t reader, const MicroOp& read) {
  const std::uint32_t key = index_.element(index_.version_in(reader, read)).key;
  for (const std::int64_t value : read.list) {
    const std::uint32_t number = index_.find_element(key, value);
    if (number != no_vertex && index_.element(number).writer != no_vertex) continue;
    if (number == no_vertex || index_.element(number).failed == no_vertex) {
      findings_.add("thin-air-read", {reader}, [&] {
        return read_text(reader, read) + ", but no operation appended " + std::to_string(value) + " to it.";
      });
    } else if (operations_.list[reader].ok()) {
      const std::uint32_t writer = index_.element(number).failed;
      findings_.add("G1a", {reader, writer}, [&] {
        return read_text(reader, read) + ", but " + name(writer) + ", which appended " + std::to_string(value) +
               ", failed.";
      });
    }
  }
  seen_.clear();
  for (const std::int64_t value : read.list) {
    if (seen_.insert(value).second) continue;
    findings_.add("duplicate-elements", {reader}, [&] {
      return read_text(reader, read) + ", where " + std::to_string(value) +
             " appears more than once though it was appended once.";
    });
    break;
  }
}

// What one read shows by itself, beyond its elements: an impossible order, the middle of a transaction.
void ListAppendChecker::check_read(std::uint32_t reader, const MicroOp& read) {
  const std::uint32_t version = index_.version_in(reader, read);
  const ListAppendIndex::Key& key = index_.key(index_.element(version).key);
  const bool prefix = std::equal(read.list.begin(), read.list.end(), key.longest->list.begin());  // No read is longer.
  const bool clean = prefix && read.list.size() <= key.clean_length;
  if (!clean) check_elements(reader, read);
  if (!prefix) {
    findings_.add("incompatible-order", {reader, key.longest_reader}, [&] {
      return read_text(reader, read) + " and " + read_text(key.longest_reader, *key.longest) +
             ": neither is a prefix of the other, so they cannot be states of one list.";
    });
  }
  if (!operations_.list[reader].ok()) return;
  const ListAppendIndex::Element& last = index_.element(version);
  if (!last.intermediate) return;
  const std::uint32_t writer = last.writer != no_vertex ? last.writer : last.failed;
  if (writer == reader) return;
  findings_.add("G1b", {reader, writer}, [&] {
    return read_text(reader, read) + ", whose last element " + std::to_string(read.list.back()) +
           " was not the last that " + name(writer) +
           " appended to the key: the read saw the middle of that transaction.";
  });
}

void ListAppendChecker::check_reads() {
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].possible()) continue;
    for (const MicroOp& op : *operations_.list[v].transaction) {
      if (op.kind == MicroOp::Kind::read_list && !op.list.empty()) check_read(v, op);
    }
  }
}

// dirty-update: a committed append on top of an aborted one. Between the two there may be appends of unknown outcome.
void ListAppendChecker::check_version_order(const ListAppendIndex::Key& key) {
  std::uint32_t aborted = no_vertex;
  std::int64_t aborted_value = 0;
  for (const std::uint32_t number : key.order) {
    const ListAppendIndex::Element& element = index_.element(number);
    if (element.failed != no_vertex) {
      if (aborted == no_vertex) {
        aborted = element.failed;
        aborted_value = element.value;
      }
    } else if (element.writer != no_vertex && operations_.list[element.writer].ok()) {
      if (aborted != no_vertex) {
        findings_.add("dirty-update", {aborted, element.writer}, [&] {
          return name(aborted) + " failed, but its append of " + std::to_string(aborted_value) + " to key " +
                 findings_.key(key.key) + " is in the version order, and " + name(element.writer) +
                 " committed its append of " + std::to_string(element.value) + " on top of it.";
        });
      }
      aborted = no_vertex;
    }
  }
}

void ListAppendChecker::check_orders() {
  for (const ListAppendIndex::Key& key : index_.keys()) check_version_order(key);
}

// What a transaction must see of a key given what it saw and did before.
struct Expectation {
  const MicroOp* last_read = nullptr;
  std::vector<std::int64_t> appended;      // own appends since that read, or since the start
  std::vector<std::int64_t> all_appended;  // own appends since the start
};

bool ends_with(const std::vector<std::int64_t>& list, const std::vector<std::int64_t>& suffix) {
  return list.size() >= suffix.size() && std::equal(suffix.rbegin(), suffix.rend(), list.rbegin());
}

bool expected(const Expectation& expectation, const MicroOp& read) {
  if (expectation.last_read == nullptr) return ends_with(read.list, expectation.appended);
  // nil and [] differ only where nothing was appended in between.
  if (expectation.appended.empty())
    return expectation.last_read->known == read.known && expectation.last_read->list == read.list;
  const std::vector<std::int64_t>& before = expectation.last_read->list;
  return read.known && read.list.size() == before.size() + expectation.appended.size() &&
         ends_with(read.list, expectation.appended) && std::equal(before.begin(), before.end(), read.list.begin());
}

// Whether every element of `own` is in `list`, in that order.
bool contains_in_order(const std::vector<std::int64_t>& list, const std::vector<std::int64_t>& own) {
  std::size_t matched = 0;
  for (const std::int64_t value : list) {
    if (matched < own.size() && own[matched] == value) ++matched;
  }
  return matched == own.size();
}

void ListAppendChecker::check_internal() {
  boost::unordered_flat_map<std::int64_t, Expectation> state;
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok() || !may_touch_key_twice(*operations_.list[v].transaction)) continue;
    state.clear();
    bool internal_found = false;
    bool own_found = false;
    for (const MicroOp& op : *operations_.list[v].transaction) {
      const auto [entry, first] = state.try_emplace(op.key);
      Expectation& expectation = entry->second;
      if (op.kind == MicroOp::Kind::append) {
        expectation.appended.push_back(op.argument);
        expectation.all_appended.push_back(op.argument);
        continue;
      }
      const bool own_missed = !contains_in_order(op.list, expectation.all_appended);
      if (!first && !internal_found && !expected(expectation, op)) {
        internal_found = true;
        findings_.add("internal", {v}, [&] {
          return read_text(v, op) + ", which does not follow from what the transaction itself had " +
                 (expectation.all_appended.empty() ? "read from it before."
                  : own_missed                     ? "appended to it before: its own write is missing."
                                                   : "read from and appended to it before.");
        });
      }
      if (own_missed && !own_found) {
        own_found = true;
        findings_.add("internal-own-write", {v}, [&] {
          return read_text(v, op) + " after appending " + std::to_string(expectation.all_appended.back()) +
                 " to it: the transaction does not see its own write.";
        });
      }
      expectation.last_read = &op;
      expectation.appended.clear();
    }
    check_future_reads(v);
  }
}

// A read of an element that the transaction appends only later.
void ListAppendChecker::check_future_reads(std::uint32_t v) {
  const Transaction& transaction = *operations_.list[v].transaction;
  for (auto append = transaction.begin(); append != transaction.end(); ++append) {
    if (append->kind != MicroOp::Kind::append) continue;
    const auto early = std::find_if(transaction.begin(), append, [&](const MicroOp& op) {
      return op.kind == MicroOp::Kind::read_list && op.key == append->key &&
             std::find(op.list.begin(), op.list.end(), append->argument) != op.list.end();
    });
    if (early == append) continue;
    findings_.add("future-read", {v}, [&] {
      return read_text(v, *early) + " before the same transaction appended " + std::to_string(append->argument) +
             " to it.";
    });
    return;
  }
}

// Two committed transactions that both read the same version of a key first and then appended to it.
void ListAppendChecker::check_lost_updates() {
  struct Update {
    std::uint32_t key, version, length, operation;
    bool known;
    const MicroOp* read;
    auto rank() const { return std::tuple(key, version, length, known, operation); }
    bool same_version(const Update& other) const {
      return key == other.key && version == other.version && known == other.known && read->list == other.read->list;
    }
  };
  std::vector<Update> updates;
  boost::unordered_flat_map<std::int64_t, const MicroOp*> first_read;  // nullptr once counted
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok() || !may_touch_key_twice(*operations_.list[v].transaction)) continue;
    first_read.clear();
    for (const MicroOp& op : *operations_.list[v].transaction) {
      if (op.kind != MicroOp::Kind::append) {
        first_read.try_emplace(op.key, &op);
        continue;
      }
      const auto read = first_read.find(op.key);
      if (read == first_read.end() || read->second == nullptr) continue;
      const MicroOp& seen = *read->second;
      updates.push_back({index_.element(index_.version_in(v, op)).key, index_.version_in(v, seen),
                         static_cast<std::uint32_t>(seen.list.size()), v, seen.known, &seen});
      read->second = nullptr;
    }
  }
  std::sort(updates.begin(), updates.end(), [](const Update& a, const Update& b) { return a.rank() < b.rank(); });
  for (std::size_t i = 0; i < updates.size();) {
    std::size_t end = i + 1;
    while (end < updates.size() && updates[end].same_version(updates[i])) ++end;
    if (end - i > 1) {
      std::vector<std::uint32_t> involved;
      for (std::size_t j = i; j < end; ++j) involved.push_back(updates[j].operation);
      findings_.add("lost-update", involved, [&] {
        return name(involved[0]) + " and " + name(involved[1]) + " both read " + list_text(*updates[i].read) +
               " from key " + findings_.key(updates[i].read->key) +
               " and then appended to it: one of them did not build on the other's update.";
      });
    }
    i = end;
  }
}

void ListAppendChecker::add_dependencies(DependencyGraph::Builder& builder, bool& any) const {
  const auto add = [&](std::uint32_t from, std::uint32_t to, Relation relation) {
    if (from == no_vertex || from == to) return;
    any = true;
    builder.add(from, to, relation);
  };
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].possible()) continue;
    for (const MicroOp& op : *operations_.list[v].transaction) {
      if (op.kind == MicroOp::Kind::append) {
        const std::uint32_t before = index_.version_before(index_.version_in(v, op));
        add(index_.element(before).writer, v, ww);
        for (const std::uint32_t reader : index_.readers_of(before)) add(reader, v, rw);
      } else if (!op.list.empty()) {
        add(index_.element(index_.version_in(v, op)).writer, v, wr);
      }
    }
  }
}

std::string ListAppendChecker::explain(std::uint32_t from, std::uint32_t to, Relations label) const {
  for (const MicroOp& op : *operations_.list[to].transaction) {
    const std::string key = findings_.key(op.key);
    if (label == wr) {
      if (op.kind == MicroOp::Kind::append || op.list.empty() ||
          index_.element(index_.version_in(to, op)).writer != from)
        continue;
      return name(from) + " appended " + std::to_string(op.list.back()) + " to key " + key + "; " + name(to) +
             " read " + list_text(op);
    }
    if (op.kind != MicroOp::Kind::append) continue;
    const std::uint32_t before = index_.version_before(index_.version_in(to, op));
    const ListAppendIndex::Element& version = index_.element(before);
    const bool initial = before == index_.key(version.key).initial;
    const std::string appended = name(to) + " appended " + std::to_string(op.argument) + " to key " + key;
    if (label == ww && version.writer == from)
      return appended + " after " + name(from) + " appended " + std::to_string(version.value);
    if (label != rw) continue;
    const auto readers = index_.readers_of(before);
    if (std::find(readers.begin(), readers.end(), from) == readers.end()) continue;
    if (initial) return name(from) + " saw key " + key + " empty; " + appended;
    return name(from) + " read key " + key + " up to " + std::to_string(version.value) + "; " + appended +
           " after that";
  }
  return name(from) + " precedes " + name(to);
}

}  // namespace

Verdict check_list_append(const History& history, const Level& level) {
  static constexpr std::string_view checker = "list-append";
  if (!is_known_level(level.model)) return unknown_verdict(checker, "unknown consistency model: " + level.model, 0);
  const Operations operations = collect_operations(history);
  if (!operations.problem.empty()) return unknown_verdict(checker, operations.problem, operations.list.size());
  const ListAppendIndex index(operations);
  if (!index.problem().empty()) return unknown_verdict(checker, index.problem(), operations.list.size());
  return judge_lists(history, operations, index, level);
}

Verdict judge_lists(const History& history, const Operations& operations, const ListAppendIndex& index,
                    const Level& level) {
  Findings findings(operations, history);
  ListAppendChecker lists(operations, index, findings);
  lists.check_reads();
  lists.check_orders();
  lists.check_internal();
  lists.check_lost_updates();
  check_final_lists(operations, findings);

  Dependencies dependencies;
  dependencies.add = [&](DependencyGraph::Builder& builder, bool& any) { lists.add_dependencies(builder, any); };
  dependencies.explain = [&](std::uint32_t from, std::uint32_t to, Relations label) {
    return lists.explain(from, to, label);
  };
  dependencies.execution = [&] { return execution_of(operations, index); };
  dependencies.key_without_order = [] { return std::string(); };
  return judge_dependencies("list-append", level, operations, history, dependencies, std::move(findings));
}

}  // namespace polarsim::checkers
