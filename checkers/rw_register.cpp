// The rw-register checker: as list-append, with the part of the version order that can be inferred.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <utility>

#include "checkers/checkers.h"
#include "checkers/dependency_judge.h"
#include "checkers/final_reads.h"
#include "checkers/operations.h"
#include "checkers/register_index.h"

namespace polarsim::checkers {

namespace {

std::string value_text(const Step& op) {
  return op.kind != MicroOp::Kind::write && !op.known ? std::string("nil") : std::to_string(op.argument);
}

std::string source_text(RegisterIndex::Source source) {
  switch (source) {
    case RegisterIndex::Source::reads_before_writes:
      return "transactions that read one of them and wrote the next";
    case RegisterIndex::Source::processes:
      return "processes that saw one of them and then the next";
    case RegisterIndex::Source::real_time:
      return "transactions that were acknowledged with one of them before others asked and saw the next";
  }
  return "";
}

class RegisterChecker {
 public:
  RegisterChecker(const Operations& operations, const RegisterIndex& index, Findings& findings)
      : operations_(operations), index_(index), findings_(findings) {}

  void check_reads();
  void check_internal();
  void check_lost_updates();
  void check_versions();
  void add_dependencies(DependencyGraph::Builder& builder, bool& any) const;
  EdgeReason explain(std::uint32_t from, std::uint32_t to, Relations label) const;

 private:
  using Version = RegisterIndex::Version;
  void check_read(std::uint32_t reader, const Step& read);
  std::string name(std::uint32_t operation) const { return findings_.describe(operation); }
  std::string version_text(const Version& version) const {
    return version.initial ? std::string("nil") : std::to_string(version.value);
  }
  std::string read_text(std::uint32_t reader, const Step& read) const {
    return name(reader) + " read " + value_text(read) + " from key " + findings_.key(read.key);
  }

  const Operations& operations_;
  const RegisterIndex& index_;
  Findings& findings_;
};

void RegisterChecker::check_read(std::uint32_t reader, const Step& read) {
  const Version& version = index_.versions()[index_.version_in(read)];
  if (version.initial) return;
  const std::uint32_t writer = version.writer;
  if (writer == no_vertex) {
    findings_.add("thin-air-read", {reader},
                  [&] { return read_text(reader, read) + ", but no operation wrote that value to it."; });
    return;
  }
  if (!operations_.list[writer].possible()) {
    findings_.add("G1a", {reader, writer},
                  [&] { return read_text(reader, read) + ", but " + name(writer) + ", which wrote it, failed."; });
  }
  if (version.intermediate && writer != reader) {
    findings_.add("G1b", {reader, writer}, [&] {
      return read_text(reader, read) + ", which was not the last value that " + name(writer) +
             " wrote to the key: the read saw the middle of that transaction.";
    });
  }
}

void RegisterChecker::check_reads() {
  boost::unordered_flat_set<std::uint32_t> written;  // versions, by the transaction at hand
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok()) continue;
    written.clear();
    bool future_found = false;
    for (const Step& op : operations_.steps_of(v)) {
      const std::uint32_t version = index_.version_in(op);
      if (op.kind == MicroOp::Kind::write) {
        written.insert(version);
        continue;
      }
      check_read(v, op);
      if (future_found || index_.versions()[version].writer != v || written.contains(version)) continue;
      future_found = true;
      findings_.add("future-read", {v}, [&] { return read_text(v, op) + " before the same transaction wrote it."; });
    }
  }
}

void RegisterChecker::check_internal() {
  boost::unordered_flat_map<std::uint32_t, const Step*> state;
  boost::unordered_flat_map<std::uint32_t, const Step*> own;
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok() || !may_touch_key_twice(operations_.steps_of(v))) continue;
    state.clear();
    own.clear();
    bool internal_found = false;
    bool own_found = false;
    for (const Step& op : operations_.steps_of(v)) {
      const auto [entry, first] = state.try_emplace(op.key, &op);
      const Step* before = first ? nullptr : entry->second;
      entry->second = &op;
      if (op.kind == MicroOp::Kind::write) {
        own[op.key] = &op;
        continue;
      }
      if (before != nullptr && !internal_found && index_.version_in(*before) != index_.version_in(op)) {
        internal_found = true;
        findings_.add("internal", {v}, [&] {
          return read_text(v, op) + ", though the transaction had " +
                 (before->kind == MicroOp::Kind::write ? "written " : "read ") + value_text(*before) + " there before.";
        });
      }
      const auto written = own.find(op.key);
      if (written != own.end() && !own_found && index_.version_in(*written->second) != index_.version_in(op)) {
        own_found = true;
        findings_.add("internal-own-write", {v}, [&] {
          return read_text(v, op) + " after writing " + value_text(*written->second) +
                 ": the transaction does not see its own write.";
        });
      }
    }
  }
}

void RegisterChecker::check_lost_updates() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> updates;  // version read, operation
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> first_read;
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    if (!operations_.list[v].ok() || !may_touch_key_twice(operations_.steps_of(v))) continue;
    first_read.clear();
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind != MicroOp::Kind::write) {
        first_read.try_emplace(op.key, index_.version_in(op));
        continue;
      }
      const auto read = first_read.find(op.key);
      if (read == first_read.end() || read->second == no_vertex) continue;
      updates.emplace_back(read->second, v);
      read->second = no_vertex;  // Counted.
    }
  }
  std::sort(updates.begin(), updates.end());
  for (std::size_t i = 0; i < updates.size();) {
    std::size_t end = i + 1;
    while (end < updates.size() && updates[end].first == updates[i].first) ++end;
    if (end - i > 1) {
      std::vector<std::uint32_t> involved;
      for (std::size_t j = i; j < end; ++j) involved.push_back(updates[j].second);
      const Version& version = index_.versions()[updates[i].first];
      findings_.add("lost-update", involved, [&] {
        return name(involved[0]) + " and " + name(involved[1]) + " both read " + version_text(version) + " from key " +
               findings_.key(version.key) + " and then wrote it: one of them did not build on the other's update.";
      });
    }
    i = end;
  }
}

void RegisterChecker::check_versions() {
  for (const RegisterIndex::VersionCycle& cycle : index_.cyclic_versions()) {
    const std::vector<std::uint32_t>& versions = cycle.versions;
    std::vector<std::uint32_t> writers;
    std::string values;
    for (const std::uint32_t number : versions) {
      if (index_.versions()[number].writer != no_vertex) writers.push_back(index_.versions()[number].writer);
      values += (values.empty() ? "" : ", ") + version_text(index_.versions()[number]);
    }
    findings_.add("cyclic-versions", writers, [&] {
      return "Values " + values + " of key " + findings_.key(index_.versions()[versions.front()].key) +
             " come before one another: " + source_text(cycle.source) +
             " form a cycle. Such evidence was not used to infer the order of versions.";
    });
  }
}

void RegisterChecker::add_dependencies(DependencyGraph::Builder& builder, bool& any) const {
  // An edge from a transaction to itself says nothing of order, yet it shows that the history had something to check.
  const auto add = [&](std::uint32_t from, std::uint32_t to, Relation relation) {
    any = true;
    builder.add(from, to, relation);
  };
  for (std::uint32_t number = 0; number < index_.versions().size(); ++number) {
    const Version& version = index_.versions()[number];
    if (!version.external) continue;
    for (const std::uint32_t reader : index_.readers_of(number)) add(version.writer, reader, wr);
  }
  for (const auto& [before, after] : index_.order()) {
    const Version& old_version = index_.versions()[before];
    const Version& new_version = index_.versions()[after];
    if (!new_version.external) continue;
    if (old_version.external) add(old_version.writer, new_version.writer, ww);
    for (const std::uint32_t reader : index_.readers_of(before)) add(reader, new_version.writer, rw);
  }
}

EdgeReason RegisterChecker::explain(std::uint32_t from, std::uint32_t to, Relations label) const {
  EdgeReason reason;
  reason.lists = false;
  const auto reads = [&](std::uint32_t reader, std::uint32_t version) {
    const auto readers = index_.readers_of(version);
    return std::find(readers.begin(), readers.end(), reader) != readers.end();
  };
  if (label == wr) {
    for (const Step& op : operations_.steps_of(to)) {
      const std::uint32_t number = index_.version_in(op);
      const Version& version = index_.versions()[number];
      if (op.kind == MicroOp::Kind::write || !version.external || version.writer != from || !reads(to, number))
        continue;
      reason.key = op.key;
      reason.before = reason.after = value_text(op);
      reason.known = true;
      return reason;
    }
    return reason;
  }
  for (const Step& first : operations_.steps_of(from)) {
    if ((label == ww) != (first.kind == MicroOp::Kind::write)) continue;
    for (const Step& second : operations_.steps_of(to)) {
      if (second.kind != MicroOp::Kind::write || second.key != first.key) continue;
      const auto step = std::pair(index_.version_in(first), index_.version_in(second));
      if (!std::binary_search(index_.order().begin(), index_.order().end(), step)) continue;
      reason.key = first.key;
      reason.before = value_text(first);
      reason.after = value_text(second);
      reason.initial = index_.versions()[step.first].initial;
      reason.indirect = !reason.initial && !reads(to, step.first);
      reason.known = true;
      return reason;
    }
  }
  return reason;
}

}  // namespace

Verdict check_rw_register(const Operations& operations, const Level& level, const RegisterOptions& options) {
  static constexpr std::string_view checker = "rw-register";
  if (!is_known_level(level.model)) return unknown_verdict(checker, "unknown consistency model: " + level.model, 0);
  if (!operations.problem.empty()) return unknown_verdict(checker, operations.problem, operations.list.size());
  const RegisterIndex index(operations, options);
  if (!index.problem().empty()) return unknown_verdict(checker, index.problem(), operations.list.size());

  Findings findings(operations);
  RegisterChecker registers(operations, index, findings);
  registers.check_reads();
  registers.check_internal();
  registers.check_lost_updates();
  registers.check_versions();
  check_final_registers(operations, index, findings);

  Dependencies dependencies;
  dependencies.add = [&](DependencyGraph::Builder& builder, bool& any) { registers.add_dependencies(builder, any); };
  dependencies.explain = [&](std::uint32_t from, std::uint32_t to, Relations label) {
    return registers.explain(from, to, label);
  };
  dependencies.execution = [&] { return execution_of(operations, index); };
  // Writes of unknown outcome take part in no edge, but in the axioms those that somebody read do.
  dependencies.edges_tell_all = !index.reads_of_unknown_outcome();
  dependencies.key_without_order = [&] {
    const auto key = index.key_without_order();
    return key ? operations.key_text(*key) : std::string();
  };
  return judge_dependencies(checker, level, operations, dependencies, std::move(findings));
}

Verdict check_rw_register(const History& history, const Level& level, const RegisterOptions& options) {
  return check_rw_register(collect_operations(history), level, options);
}

}  // namespace polarsim::checkers
