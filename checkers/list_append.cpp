// The list-append checker: anomalies seen in single reads, then the dependency graph and its cycles.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <span>
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
  EdgeReason explain(std::uint32_t from, std::uint32_t to, Relations label) const;

 private:
  void check_read(std::uint32_t reader, const Step& read);
  void check_elements(std::uint32_t reader, const Step& read);
  void check_future_reads(std::uint32_t v);
  void check_version_order(std::uint32_t key);
  std::string name(std::uint32_t operation) const { return findings_.describe(operation); }
  std::string read_text(std::uint32_t reader, const Step& read) const {
    return name(reader) + " read " + list_text(operations_, read) + " from key " + findings_.key(read.key);
  }

  const Operations& operations_;
  const ListAppendIndex& index_;
  Findings& findings_;
  boost::unordered_flat_set<std::int64_t> seen_;
};

// Values out of nowhere or of failed transactions, and values that appear twice.
void ListAppendChecker::check_elements(std::uint32_t reader, const Step& read) {
  for (const std::int64_t value : operations_.list_of(read)) {
    const std::uint32_t number = index_.find_element(read.key, value);
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
  for (const std::int64_t value : operations_.list_of(read)) {
    if (seen_.insert(value).second) continue;
    findings_.add("duplicate-elements", {reader}, [&] {
      return read_text(reader, read) + ", where " + std::to_string(value) +
             " appears more than once though it was appended once.";
    });
    break;
  }
}

// What one read shows by itself, beyond its elements: an impossible order, the middle of a transaction.
void ListAppendChecker::check_read(std::uint32_t reader, const Step& read) {
  const std::uint32_t version = index_.version_in(read);
  const ListAppendIndex::Key& key = index_.key(read.key);
  const auto list = operations_.list_of(read);
  // No read is longer.
  const bool prefix = Operations::on_one_list(read, *key.longest) ||
                      std::equal(list.begin(), list.end(), operations_.list_of(*key.longest).begin());
  const bool clean = prefix && list.size() <= key.clean_length;
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
    return read_text(reader, read) + ", whose last element " + std::to_string(list.back()) + " was not the last that " +
           name(writer) + " appended to the key: the read saw the middle of that transaction.";
  });
}

void ListAppendChecker::check_reads() {
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].possible()) continue;
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind == MicroOp::Kind::read_list && op.length() > 0) check_read(v, op);
    }
  }
}

// dirty-update: a committed append on top of an aborted one. Between the two there may be appends of unknown outcome.
void ListAppendChecker::check_version_order(std::uint32_t key) {
  std::uint32_t aborted = no_vertex;
  std::int64_t aborted_value = 0;
  for (const std::uint32_t number : index_.order_of(key)) {
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
                 findings_.key(key) + " is in the version order, and " + name(element.writer) +
                 " committed its append of " + std::to_string(element.value) + " on top of it.";
        });
      }
      aborted = no_vertex;
    }
  }
}

void ListAppendChecker::check_orders() {
  for (std::uint32_t key = 0; key < index_.key_count(); ++key) check_version_order(key);
}

// What a transaction must see of a key given what it saw and did before.
struct Expectation {
  const Step* last_read = nullptr;
  std::vector<std::int64_t> appended;      // own appends since that read, or since the start
  std::vector<std::int64_t> all_appended;  // own appends since the start
};

using List = std::span<const std::int64_t>;

bool ends_with(List list, List suffix) {
  return list.size() >= suffix.size() && std::equal(suffix.rbegin(), suffix.rend(), list.rbegin());
}

bool expected(const Operations& operations, const Expectation& expectation, const Step& read) {
  const List list = operations.list_of(read);
  if (expectation.last_read == nullptr) return ends_with(list, expectation.appended);
  // nil and [] differ only where nothing was appended in between.
  if (expectation.appended.empty()) return operations.same_list(*expectation.last_read, read);
  const List before = operations.list_of(*expectation.last_read);
  return read.known && list.size() == before.size() + expectation.appended.size() &&
         ends_with(list, expectation.appended) && std::equal(before.begin(), before.end(), list.begin());
}

// Whether every element of `own` is in `list`, in that order.
bool contains_in_order(List list, List own) {
  std::size_t matched = 0;
  for (const std::int64_t value : list) {
    if (matched < own.size() && own[matched] == value) ++matched;
  }
  return matched == own.size();
}

void ListAppendChecker::check_internal() {
  boost::unordered_flat_map<std::uint32_t, Expectation> state;
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok() || !may_touch_key_twice(operations_.steps_of(v))) continue;
    state.clear();
    bool internal_found = false;
    bool own_found = false;
    for (const Step& op : operations_.steps_of(v)) {
      const auto [entry, first] = state.try_emplace(op.key);
      Expectation& expectation = entry->second;
      if (op.kind == MicroOp::Kind::append) {
        expectation.appended.push_back(op.argument);
        expectation.all_appended.push_back(op.argument);
        continue;
      }
      const bool own_missed = !contains_in_order(operations_.list_of(op), expectation.all_appended);
      if (!first && !internal_found && !expected(operations_, expectation, op)) {
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
  const std::span<const Step> steps = operations_.steps_of(v);
  for (auto append = steps.begin(); append != steps.end(); ++append) {
    if (append->kind != MicroOp::Kind::append) continue;
    const auto early = std::find_if(steps.begin(), append, [&](const Step& op) {
      if (op.kind != MicroOp::Kind::read_list || op.key != append->key) return false;
      const List list = operations_.list_of(op);
      return std::find(list.begin(), list.end(), append->argument) != list.end();
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
    const Step* read;
    auto rank() const { return std::tuple(key, version, length, known, operation); }
  };
  std::vector<Update> updates;
  boost::unordered_flat_map<std::uint32_t, const Step*> first_read;  // nullptr once counted
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok() || !may_touch_key_twice(operations_.steps_of(v))) continue;
    first_read.clear();
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind != MicroOp::Kind::append) {
        first_read.try_emplace(op.key, &op);
        continue;
      }
      const auto read = first_read.find(op.key);
      if (read == first_read.end() || read->second == nullptr) continue;
      const Step& seen = *read->second;
      updates.push_back({op.key, index_.version_in(seen), seen.length(), v, seen.known, &seen});
      read->second = nullptr;
    }
  }
  const auto same_version = [&](const Update& a, const Update& b) {
    return a.key == b.key && a.version == b.version && operations_.same_list(*a.read, *b.read);
  };
  std::sort(updates.begin(), updates.end(), [](const Update& a, const Update& b) { return a.rank() < b.rank(); });
  for (std::size_t i = 0; i < updates.size();) {
    std::size_t end = i + 1;
    while (end < updates.size() && same_version(updates[end], updates[i])) ++end;
    if (end - i > 1) {
      std::vector<std::uint32_t> involved;
      for (std::size_t j = i; j < end; ++j) involved.push_back(updates[j].operation);
      findings_.add("lost-update", involved, [&] {
        return name(involved[0]) + " and " + name(involved[1]) + " both read " +
               list_text(operations_, *updates[i].read) + " from key " + findings_.key(updates[i].read->key) +
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
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind == MicroOp::Kind::append) {
        const std::uint32_t before = index_.version_before(index_.version_in(op));
        add(index_.element(before).writer, v, ww);
        for (const std::uint32_t reader : index_.readers_of(before)) add(reader, v, rw);
      } else if (op.length() > 0) {
        add(index_.element(index_.version_in(op)).writer, v, wr);
      }
    }
  }
}

EdgeReason ListAppendChecker::explain(std::uint32_t from, std::uint32_t to, Relations label) const {
  EdgeReason reason;
  for (const Step& op : operations_.steps_of(to)) {
    const std::uint32_t version = index_.version_in(op);
    reason.key = op.key;
    if (label == wr) {
      if (op.kind == MicroOp::Kind::append || op.length() == 0 || index_.element(version).writer != from) continue;
      reason.before = std::to_string(operations_.list_of(op).back());
      reason.after = short_list_text(operations_, op);
      reason.known = true;
      return reason;
    }
    if (op.kind != MicroOp::Kind::append) continue;
    const std::uint32_t before = index_.version_before(version);
    const ListAppendIndex::Key& key = index_.key(index_.element(before).key);
    reason.initial = before == key.initial;
    reason.after = std::to_string(op.argument);
    if (label == ww && index_.element(before).writer == from) {
      reason.before = std::to_string(index_.element(before).value);
      reason.indirect = index_.element(version).position < 0;
      if (!reason.indirect) {
        reason.witness = key.longest_reader;
        reason.witnessed = list_around(operations_, *key.longest, op.argument);
      }
      reason.known = true;
      return reason;
    }
    if (label != rw) continue;
    for (const Step& read : operations_.steps_of(from)) {
      if (read.kind == MicroOp::Kind::append || index_.version_in(read) != before) continue;
      if (!ListAppendIndex::informative(operations_.list[from], read)) continue;
      reason.before = short_list_text(operations_, read);
      reason.known = true;
      return reason;
    }
  }
  return reason;
}

}  // namespace

Verdict check_list_append(const Operations& operations, const Level& level) {
  static constexpr std::string_view checker = "list-append";
  if (!is_known_level(level.model)) return unknown_verdict(checker, "unknown consistency model: " + level.model, 0);
  if (!operations.problem.empty()) return unknown_verdict(checker, operations.problem, operations.list.size());
  const ListAppendIndex index(operations);
  if (!index.problem().empty()) return unknown_verdict(checker, index.problem(), operations.list.size());
  return judge_lists(operations, index, level);
}

Verdict judge_lists(const Operations& operations, const ListAppendIndex& index, const Level& level) {
  Findings findings(operations);
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
  return judge_dependencies("list-append", level, operations, dependencies, std::move(findings));
}

Verdict check_list_append(const History& history, const Level& level) {
  return check_list_append(collect_operations(history), level);
}

}  // namespace polarsim::checkers
