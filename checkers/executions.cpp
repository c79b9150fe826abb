#include "checkers/executions.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace polarsim::checkers {

namespace {

// Numbers transactions and sessions in order of first use.
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
  NumberedExecution finish(Execution::Builder builder) && { return {std::move(builder).build(), std::move(members_)}; }

 private:
  const Operations& operations_;
  std::vector<std::uint32_t> transaction_of_, members_;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> sessions_;
  std::uint32_t next_session_ = 0;
};

}  // namespace

NumberedExecution execution_of(const Operations& operations, const ListAppendIndex& index) {
  std::vector<bool> seen(operations.list.size(), false);
  for (std::uint32_t key = 0; key < index.key_count(); ++key) {
    for (const std::uint32_t element : index.order_of(key)) {
      if (index.element(element).writer != no_vertex) seen[index.element(element).writer] = true;
    }
  }
  Numbering numbering(operations, seen);
  Execution::Builder builder;
  std::vector<std::uint32_t> written_by(operations.key_count(), no_vertex);  // the last transaction that wrote a key
  for (const std::uint32_t v : numbering.members()) {
    const std::uint32_t t = builder.begin(numbering.session_of(v));
    for (const Step& op : operations.steps_of(v)) {
      const ListAppendIndex::Element& version = index.element(index.version_in(op));
      const std::uint32_t key = version.key;
      if (op.kind == MicroOp::Kind::append) {
        written_by[key] = t;
        builder.write(key);
        // Elements that nobody read come after all that were read, in no known order.
        const std::span<const std::uint32_t> order = index.order_of(key);
        if (version.position < 0 && !order.empty()) {
          const std::uint32_t before = numbering.transaction_of(index.element(order.back()).writer);
          if (before != no_vertex) builder.overwrite(key, before, t);
        }
        continue;
      }
      if (!ListAppendIndex::informative(operations.list[v], op) || written_by[key] == t) continue;
      if (op.length() == 0) {
        builder.read(key, Execution::initial);
        continue;
      }
      const std::uint32_t writer = numbering.transaction_of(version.writer);
      if (writer != no_vertex && writer != t && !version.intermediate) builder.read(key, writer);
    }
  }
  for (std::uint32_t number = 0; number < index.key_count(); ++number) {
    std::uint32_t before = no_vertex;
    for (const std::uint32_t element : index.order_of(number)) {
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
  for (std::uint32_t number = 0; number < index.versions().size(); ++number) {
    const std::uint32_t writer = index.versions()[number].writer;
    if (writer != no_vertex && !index.readers_of(number).empty()) seen[writer] = true;
  }
  Numbering numbering(operations, seen);
  Execution::Builder builder;
  std::vector<std::uint32_t> written_by(operations.key_count(), no_vertex);  // the last transaction that wrote a key
  for (const std::uint32_t v : numbering.members()) {
    const std::uint32_t t = builder.begin(numbering.session_of(v));
    for (const Step& op : operations.steps_of(v)) {
      const RegisterIndex::Version& version = index.versions()[index.version_in(op)];
      const std::uint32_t key = version.key;
      if (op.kind == MicroOp::Kind::write) {
        written_by[key] = t;
        builder.write(key);
        continue;
      }
      // A client that was not told the outcome was not told what it read either: its nil says nothing.
      if (!operations.list[v].ok() || written_by[key] == t) continue;
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
    builder.overwrite(index.versions()[before].key, earlier, later);
  }
  return std::move(numbering).finish(std::move(builder));
}

}  // namespace polarsim::checkers
