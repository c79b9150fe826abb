#include "checkers/final_reads.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <string>
#include <utility>
#include <vector>

namespace polarsim::checkers {

namespace {

struct FinalRead {
  std::uint32_t operation = no_vertex;
  const Step* read = nullptr;
  boost::unordered_flat_set<std::int64_t> elements;  // of a list
};

// By key, in order of invocation.
using FinalReads = boost::unordered_flat_map<std::uint32_t, std::vector<FinalRead>>;

FinalReads collect_final_reads(const Operations& operations) {
  FinalReads result;
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    if (!operations.list[v].final) continue;
    for (const Step& op : operations.steps_of(v)) {
      FinalRead final{v, &op, {}};
      if (op.kind == MicroOp::Kind::read_list) {
        const auto list = operations.list_of(op);
        final.elements.insert(list.begin(), list.end());
      }
      result[op.key].push_back(std::move(final));
    }
  }
  return result;
}

// Whether an operation was over when a final read began.
bool over_before(const Operation& operation, const Operation& read) {
  return operation.possible() && operation.completed >= 0 && operation.completed < read.invoked;
}

// Every final read of a key that can be held against a transaction, the last one last; none: an empty list.
std::vector<const FinalRead*> reads_after(const FinalReads& finals, const Operations& operations, std::uint32_t key,
                                          const Operation& operation) {
  std::vector<const FinalRead*> result;
  const auto found = finals.find(key);
  if (found == finals.end()) return result;
  for (const FinalRead& final : found->second) {
    if (over_before(operation, operations.list[final.operation])) result.push_back(&final);
  }
  return result;
}

class FinalListChecker {
 public:
  FinalListChecker(const Operations& operations, Findings& findings)
      : operations_(operations), findings_(findings), finals_(collect_final_reads(operations)) {}

  void run() {
    if (finals_.empty()) return;
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (operations_.list[v].possible()) check_transaction(v);
    }
  }

 private:
  struct Place {
    const Step* append = nullptr;
    const FinalRead* final = nullptr;
  };

  void check_transaction(std::uint32_t v) {
    const Operation& operation = operations_.list[v];
    Place present;
    Place missing;
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind != MicroOp::Kind::append) continue;
      const std::vector<const FinalRead*> reads = reads_after(finals_, operations_, op.key, operation);
      if (reads.empty()) continue;
      const auto without = std::find_if(reads.begin(), reads.end(),
                                        [&](const FinalRead* final) { return !final->elements.contains(op.argument); });
      if (operation.ok() && without != reads.end()) add_lost(v, {&op, *without});
      Place& place = reads.back()->elements.contains(op.argument) ? present : missing;
      if (place.append == nullptr) place = {&op, reads.back()};
    }
    if (present.append != nullptr && missing.append != nullptr) add_partial(v, present, missing);
  }

  std::string read_text(const Place& place) const {
    return findings_.describe(place.final->operation) + ", a final read, shows " +
           list_text(operations_, *place.final->read) + " in key " + findings_.key(place.append->key);
  }

  void add_lost(std::uint32_t v, const Place& place) {
    findings_.add("lost-append", {v, place.final->operation}, [&] {
      return findings_.describe(v) + " was acknowledged with its append of " + std::to_string(place.append->argument) +
             " to key " + findings_.key(place.append->key) + ", but " + read_text(place) + ": the append is missing.";
    });
  }

  void add_partial(std::uint32_t v, const Place& present, const Place& missing) {
    findings_.add("partial-commit", {v, present.final->operation, missing.final->operation}, [&] {
      return findings_.describe(v) + " appended " + std::to_string(present.append->argument) + " to key " +
             findings_.key(present.append->key) + " and " + std::to_string(missing.append->argument) + " to key " +
             findings_.key(missing.append->key) + ". " + read_text(present) + ", with the append; " +
             read_text(missing) + ", without it: only a part of the transaction took effect.";
    });
  }

  const Operations& operations_;
  Findings& findings_;
  FinalReads finals_;
};

class FinalRegisterChecker {
 public:
  FinalRegisterChecker(const Operations& operations, const RegisterIndex& index, Findings& findings)
      : operations_(operations), index_(index), findings_(findings), finals_(collect_final_reads(operations)) {}

  void run() {
    if (finals_.empty()) return;
    collect_writers();
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (operations_.list[v].final) {
        for (const Step& op : operations_.steps_of(v)) check_lost(v, op);
      } else if (operations_.list[v].possible()) {
        check_partial(v);
      }
    }
  }

 private:
  void collect_writers() {
    for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
      if (!operations_.list[v].possible()) continue;
      for (const Step& op : operations_.steps_of(v)) {
        if (op.kind != MicroOp::Kind::write) continue;
        std::vector<std::uint32_t>& writers = writers_[op.key];
        if (writers.empty() || writers.back() != v) writers.push_back(v);
      }
    }
  }

  std::string read_text(std::uint32_t reader, const Step& read) const {
    return findings_.describe(reader) + ", a final read, shows " +
           (read.known ? std::to_string(read.argument) : std::string("nil")) + " in key " + findings_.key(read.key);
  }

  void check_lost(std::uint32_t reader, const Step& read) {
    const auto writers = writers_.find(read.key);
    if (writers == writers_.end()) return;
    const std::uint32_t seen = index_.versions()[index_.version_in(read)].writer;
    // Of a value from nowhere or from a failed or uncertain transaction nothing follows about time.
    if (read.known && (seen == no_vertex || !operations_.list[seen].ok())) return;
    const std::int64_t since = read.known ? operations_.list[seen].completed : -1;
    const auto later = std::find_if(writers->second.begin(), writers->second.end(), [&](std::uint32_t v) {
      const Operation& writer = operations_.list[v];
      return writer.ok() && writer.invoked > since && over_before(writer, operations_.list[reader]);
    });
    if (later == writers->second.end()) return;
    std::vector<std::uint32_t> involved = {*later, reader};
    if (read.known) involved.push_back(seen);
    findings_.add("lost-write", involved, [&] {
      return read_text(reader, read) + ", but " + findings_.describe(*later) +
             " was acknowledged before that read with a write of that key" +
             (read.known ? ", and was invoked after " + findings_.describe(seen) + ", which wrote " +
                               std::to_string(read.argument) + ", had been acknowledged"
                         : std::string()) +
             ": its write is lost.";
    });
  }

  void check_partial(std::uint32_t v) {
    const FinalRead* present = nullptr;
    const FinalRead* missing = nullptr;
    for (const Step& op : operations_.steps_of(v)) {
      if (op.kind != MicroOp::Kind::write) continue;
      const std::vector<const FinalRead*> reads = reads_after(finals_, operations_, op.key, operations_.list[v]);
      if (reads.empty()) continue;
      const FinalRead* last = reads.back();
      if (index_.versions()[index_.version_in(*last->read)].writer == v) {
        if (present == nullptr) present = last;
      } else if (missing == nullptr && writers_.at(op.key).size() == 1) {
        missing = last;
      }
    }
    if (present == nullptr || missing == nullptr) return;
    findings_.add("partial-commit", {v, present->operation, missing->operation}, [&] {
      return read_text(present->operation, *present->read) + ", which " + findings_.describe(v) + " wrote; " +
             read_text(missing->operation, *missing->read) +
             ", which only that transaction can have written and with another value: only a part of it took effect.";
    });
  }

  const Operations& operations_;
  const RegisterIndex& index_;
  Findings& findings_;
  FinalReads finals_;
  boost::unordered_flat_map<std::uint32_t, std::vector<std::uint32_t>> writers_;  // by key; ok and info, in order
};

}  // namespace

void check_final_lists(const Operations& operations, Findings& findings) {
  FinalListChecker(operations, findings).run();
}

void check_final_registers(const Operations& operations, const RegisterIndex& index, Findings& findings) {
  FinalRegisterChecker(operations, index, findings).run();
}

}  // namespace polarsim::checkers
