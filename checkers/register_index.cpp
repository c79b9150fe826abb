#include "checkers/register_index.h"

#include <algorithm>

namespace polarsim::checkers {

RegisterIndex::RegisterIndex(const Operations& operations, const RegisterOptions& options) {
  index_writes(operations);
  if (!problem_.empty()) return;
  index_external(operations);
  infer_order(operations, options);
}

std::uint32_t RegisterIndex::intern(std::int64_t key, std::int64_t value, bool initial) {
  if (initial) value = 0;
  const auto [entry, added] =
      numbers_.try_emplace(Slot{key, value, initial}, static_cast<std::uint32_t>(versions_.size()));
  if (added) {
    Version version;
    version.key = key;
    version.value = value;
    version.initial = initial;
    versions_.push_back(std::move(version));
  }
  return entry->second;
}

std::uint32_t RegisterIndex::version_of(const MicroOp& op) const {
  const bool initial = op.kind != MicroOp::Kind::write && !op.known;
  return numbers_.find(Slot{op.key, initial ? 0 : op.argument, initial})->second;
}

void RegisterIndex::index_writes(const Operations& operations) {
  boost::unordered_flat_map<std::int64_t, std::uint32_t> last_of_key;  // within one transaction
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    last_of_key.clear();
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::append || (op.kind == MicroOp::Kind::read_list && op.known)) {
        problem_ =
            "op " + std::to_string(operation.index) + " appends to or reads a list, which is no operation on registers";
        return;
      }
      const bool is_write = op.kind == MicroOp::Kind::write;
      const std::uint32_t number = intern(op.key, op.argument, !is_write && !op.known);
      if (!is_write) continue;
      Version& version = versions_[number];
      if (version.writer != no_vertex) {
        problem_ = "op " + std::to_string(operation.index) + " writes " + std::to_string(op.argument) +
                   " to a key that it was written to before; values must be unique per key";
        return;
      }
      version.writer = v;
      const auto [last, first] = last_of_key.try_emplace(op.key, number);
      if (!first) {
        versions_[last->second].intermediate = true;
        last->second = number;
      }
    }
  }
}

void RegisterIndex::index_external(const Operations& operations) {
  struct External {
    std::int64_t key = 0;
    std::uint32_t read = no_vertex, written = no_vertex;
  };
  boost::unordered_flat_map<std::int64_t, std::size_t> place;
  std::vector<External> externals;
  for (std::uint32_t v = 0; v < operations.list.size(); ++v) {
    const Operation& operation = operations.list[v];
    if (!operation.possible()) continue;
    place.clear();
    externals.clear();
    for (const MicroOp& op : *operation.transaction) {
      const auto [entry, first] = place.try_emplace(op.key, externals.size());
      if (first) externals.push_back({.key = op.key});
      External& external = externals[entry->second];
      if (op.kind == MicroOp::Kind::write) {
        external.written = version_of(op);
      } else if (first && operation.ok()) {
        external.read = version_of(op);
      }
    }
    for (const External& external : externals) {
      const bool read_value = external.read != no_vertex && !versions_[external.read].initial;
      if (external.read != no_vertex) versions_[external.read].readers.push_back(v);
      if (read_value) after_initial_.push_back(external.read);
      if (external.read != no_vertex || external.written != no_vertex) {
        const bool wrote = external.written != no_vertex;
        // A nil that the transaction itself replaced tells less than what it was replaced by.
        accesses_.push_back({external.key, v, read_value || !wrote ? external.read : external.written,
                             wrote ? external.written : external.read});
      }
      if (external.written == no_vertex) continue;
      after_initial_.push_back(external.written);
      versions_[external.written].external = operation.ok();
      if (read_value) read_then_written_.emplace_back(external.read, external.written);
    }
  }
}

void RegisterIndex::infer_order(const Operations& operations, const RegisterOptions& options) {
  std::sort(accesses_.begin(), accesses_.end(), [](const Access& a, const Access& b) {
    return a.key != b.key ? a.key < b.key : a.operation < b.operation;
  });
  order_by_initial();
  if (options.wfr_keys) add_source(Source::reads_before_writes, read_then_written_);
  if (options.sequential_keys) add_source(Source::processes, order_by_processes(operations));
  if (options.linearizable_keys) add_source(Source::real_time, order_by_real_time(operations));
  std::sort(order_.begin(), order_.end());
  order_.erase(std::unique(order_.begin(), order_.end()), order_.end());
}

void RegisterIndex::order_by_initial() {
  std::sort(after_initial_.begin(), after_initial_.end());
  after_initial_.erase(std::unique(after_initial_.begin(), after_initial_.end()), after_initial_.end());
  for (const std::uint32_t version : after_initial_) {
    const auto initial = numbers_.find(Slot{versions_[version].key, 0, true});
    if (initial != numbers_.end())
      order_.emplace_back(initial->second, version);  // Nobody read nil otherwise, and no edge would follow.
  }
}

RegisterIndex::Order RegisterIndex::order_by_processes(const Operations& operations) const {
  Order order;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> left_by;  // by process, for the key at hand
  for (std::size_t i = 0; i < accesses_.size(); ++i) {
    const Access& access = accesses_[i];
    if (i == 0 || accesses_[i - 1].key != access.key) left_by.clear();
    const Operation& operation = operations.list[access.operation];
    if (!operation.ok()) continue;
    const auto [left, first] = left_by.try_emplace(operation.process, access.last);
    if (first) continue;
    if (left->second != access.first) order.emplace_back(left->second, access.first);
    left->second = access.last;
  }
  return order;
}

RegisterIndex::Order RegisterIndex::order_by_real_time(const Operations& operations) const {
  Order order;
  struct Moment {
    std::int64_t position;
    std::size_t access;
    bool completion;
  };
  std::vector<Moment> moments;
  boost::unordered_flat_map<std::uint32_t, std::size_t> access_of;  // by operation, for the key at hand
  for (std::size_t begin = 0, end = 0; begin < accesses_.size(); begin = end) {
    moments.clear();
    access_of.clear();
    for (end = begin; end < accesses_.size() && accesses_[end].key == accesses_[begin].key; ++end) {
      const Operation& operation = operations.list[accesses_[end].operation];
      access_of[accesses_[end].operation] = end;
      moments.push_back({operation.invoked, end, false});
      if (operation.completed >= 0) moments.push_back({operation.completed, end, true});
    }
    std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.position < b.position; });
    RealTimeFrontier frontier(operations);
    for (const Moment& moment : moments) {
      const Access& access = accesses_[moment.access];
      if (moment.completion) {
        frontier.complete(access.operation);
        continue;
      }
      for (const std::uint32_t before : frontier.before_invocation()) {
        const std::uint32_t left = accesses_[access_of[before]].last;
        if (left != access.first) order.emplace_back(left, access.first);
      }
    }
  }
  return order;
}

std::optional<std::int64_t> RegisterIndex::key_without_order(const Operations& operations) const {
  // The order of a key is total iff versions can be taken away one by one, each time the only one without a
  // predecessor. Initial versions precede all others and are left out.
  const auto counts = [&](const Version& version) {
    if (version.initial || version.intermediate || version.writer == no_vertex) return false;
    const Operation& writer = operations.list[version.writer];
    return writer.ok() || (writer.possible() && !version.readers.empty());
  };
  std::vector<std::uint32_t> before(versions_.size(), 0);
  for (const auto& [earlier, later] : order_) {
    if (counts(versions_[earlier]) && counts(versions_[later])) ++before[later];
  }
  struct Progress {
    std::uint32_t first = no_vertex;  // of those without a predecessor
    bool several = false;
  };
  boost::unordered_flat_map<std::int64_t, Progress> of_key;
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    if (!counts(versions_[v]) || before[v] > 0) continue;
    Progress& progress = of_key[versions_[v].key];
    progress.several = progress.first != no_vertex;
    if (progress.first == no_vertex) progress.first = v;
  }
  std::optional<std::int64_t> lowest;
  for (auto& [key, progress] : of_key) {
    std::uint32_t at = progress.first;
    while (!progress.several && at != no_vertex) {
      std::uint32_t next = no_vertex;
      const auto begin = std::lower_bound(order_.begin(), order_.end(), std::pair(at, std::uint32_t{0}));
      for (auto step = begin; step != order_.end() && step->first == at; ++step) {
        if (!counts(versions_[step->second]) || --before[step->second] > 0) continue;
        progress.several = progress.several || next != no_vertex;
        next = step->second;
      }
      at = next;
    }
    if (progress.several && (!lowest || key < *lowest)) lowest = key;
  }
  return lowest;
}

void RegisterIndex::add_source(Source source, const Order& order) {
  DependencyGraph::Builder builder(versions_.size());
  for (const auto& [before, after] : order_) builder.add(before, after, ww);
  for (const auto& [before, after] : order) builder.add(before, after, ww);
  const DependencyGraph graph = std::move(builder).build();
  const Components components = find_components(graph, ww);
  if (components.count == 0) {
    order_.insert(order_.end(), order.begin(), order.end());
    return;
  }
  std::vector<VersionCycle> cycles(components.count, {source, {}});
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    if (components.component_of[v] != no_component) cycles[components.component_of[v]].versions.push_back(v);
  }
  cyclic_.insert(cyclic_.end(), cycles.begin(), cycles.end());
}

}  // namespace polarsim::checkers
