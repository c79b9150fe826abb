#include "checkers/executions.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace polarsim::checkers {

namespace {

// Numbers transactions, sessions and keys in order of first use.
class Numbering {
 public:
  Numbering(const Operations& operations, const std::vector<bool>& seen)
      : operations_(operations), transaction_of_(operations.list.size(), no_vertex) {
    for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
      if (!operations.list[v].ok() && !(operations.list[v].possible() && seen[v])) continue;
      transaction_of_[v] = static_cast<std::uint32_t>(members_.size());
      members_.push_back(v);
    }
  }

  const std::vector<std::uint32_t>& members() const { return members_; }
  // `no_vertex` for an operation that is no part of the execution, or no operation at all.
  std::uint32_t transaction_of(std::uint32_t operation) const {
    return operation == no_vertex ? no_vertex : transaction_of_[operation];
  }
  std::uint32_t session_of(std::uint32_t operation) {
    const Operation& found = operations_.list[operation];
    if (!found.ok()) return next_session_++;
    const auto [entry, added] = sessions_.try_emplace(found.process, next_session_);
    if (added) ++next_session_;
    return entry->second;
  }
  std::uint32_t number_of(std::int64_t key) {
    const auto [entry, added] = key_numbers_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
    if (added) keys_.push_back(key);
    return entry->second;
  }

  NumberedExecution finish(Execution::Builder builder) && {
    return {std::move(builder).build(), std::move(members_), std::move(keys_)};
  }

 private:
  const Operations& operations_;
  std::vector<std::uint32_t> transaction_of_, members_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> sessions_, key_numbers_;
  std::vector<std::int64_t> keys_;
  std::uint32_t next_session_ = 0;
};

// The keys that one transaction has written so far.
class OwnKeys {
 public:
  void clear() { keys_.clear(); }
  void add(std::int64_t key) { keys_.push_back(key); }
  bool contains(std::int64_t key) const { return std::find(keys_.begin(), keys_.end(), key) != keys_.end(); }

 private:
  std::vector<std::int64_t> keys_;
};

}  // namespace

NumberedExecution execution_of(const Operations& operations, const ListAppendIndex& index) {
  std::vector<bool> seen(operations.list.size(), false);
  for (const ListAppendIndex::Key& key : index.keys()) {
    for (const std::uint32_t element : key.order) {
      if (index.element(element).writer != no_vertex) seen[index.element(element).writer] = true;
    }
  }
  Numbering numbering(operations, seen);
  Execution::Builder builder;
  OwnKeys own;
  for (const std::uint32_t v : numbering.members()) {
    const std::uint32_t t = builder.begin(numbering.session_of(v));
    own.clear();
    for (const MicroOp& op : *operations.list[v].transaction) {
      const std::uint32_t key = numbering.number_of(op.key);
      if (op.kind == MicroOp::Kind::append) {
        own.add(op.key);
        builder.write(key);
        // Elements that nobody read come after all that were read, in no known order.
        const std::uint32_t element = index.element_number(index.key_number(op.key), op.argument);
        const ListAppendIndex::Key& list = index.key(index.key_number(op.key));
        if (index.element(element).position < 0 && !list.order.empty()) {
          const std::uint32_t before = numbering.transaction_of(index.element(list.order.back()).writer);
          if (before != no_vertex) builder.overwrite(key, before, t);
        }
        continue;
      }
      if (!ListAppendIndex::informative(operations.list[v], op) || own.contains(op.key)) continue;
      if (op.list.empty()) {
        builder.read(key, Execution::initial);
        continue;
      }
      const ListAppendIndex::Element& version = index.element(index.version_of(op));
      const std::uint32_t writer = numbering.transaction_of(version.writer);
      if (writer != no_vertex && writer != t && !version.intermediate) builder.read(key, writer);
    }
  }
  for (const ListAppendIndex::Key& key : index.keys()) {
    const std::uint32_t number = numbering.number_of(key.key);
    std::uint32_t before = no_vertex;
    for (const std::uint32_t element : key.order) {
      const std::uint32_t after = numbering.transaction_of(index.element(element).writer);
      if (after == no_vertex) continue;
      if (before != no_vertex) builder.overwrite(number, before, after);
      before = after;
    }
  }
  return std::move(numbering).finish(std::move(builder));
}

NumberedExecution execution_of(const Operations& operations, const RegisterIndex& index) {
  std::vector<bool> seen(operations.list.size(), false);
  for (const RegisterIndex::Version& version : index.versions()) {
    if (version.writer != no_vertex && !version.readers.empty()) seen[version.writer] = true;
  }
  Numbering numbering(operations, seen);
  Execution::Builder builder;
  OwnKeys own;
  for (const std::uint32_t v : numbering.members()) {
    const std::uint32_t t = builder.begin(numbering.session_of(v));
    own.clear();
    for (const MicroOp& op : *operations.list[v].transaction) {
      const std::uint32_t key = numbering.number_of(op.key);
      if (op.kind == MicroOp::Kind::write) {
        own.add(op.key);
        builder.write(key);
        continue;
      }
      // A client that was not told the outcome was not told what it read either: its nil says nothing.
      if (!operations.list[v].ok() || own.contains(op.key)) continue;
      const RegisterIndex::Version& version = index.versions()[index.version_of(op)];
      if (version.initial) {
        builder.read(key, Execution::initial);
        continue;
      }
      const std::uint32_t writer = numbering.transaction_of(version.writer);
      if (writer != no_vertex && writer != t && !version.intermediate) builder.read(key, writer);
    }
  }
  for (const auto& [before, after] : index.order()) {
    const std::uint32_t earlier = numbering.transaction_of(index.versions()[before].writer);
    const std::uint32_t later = numbering.transaction_of(index.versions()[after].writer);
    if (earlier == no_vertex || later == no_vertex) continue;
    builder.overwrite(numbering.number_of(index.versions()[before].key), earlier, later);
  }
  return std::move(numbering).finish(std::move(builder));
}

}  // namespace polarsim::checkers
