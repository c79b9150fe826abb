#include "checkers/register_index.h"

#include <algorithm>

namespace polarsim::checkers {

RegisterIndex::RegisterIndex(const Operations& operations, const RegisterOptions& options) : operations_(operations) {
  index_writes();
  if (!problem_.empty()) return;
  index_external(options);
  infer_order(options);
}

std::uint32_t RegisterIndex::intern(std::int64_t key, std::int64_t value, bool initial) {
  if (initial) value = 0;
  const auto number = static_cast<std::uint32_t>(versions_.size());
  const auto [entry, added] = numbers_.try_emplace(Slot{key, value, initial}, number);
  if (!added) return entry->second;
  const auto [of_key, new_key] = key_numbers_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
  if (new_key) {
    keys_.push_back(key);
    initial_of_key_.push_back(no_vertex);
  }
  if (initial) initial_of_key_[of_key->second] = number;
  Version version;
  version.key = of_key->second;
  version.value = value;
  version.initial = initial;
  versions_.push_back(version);
  return number;
}

void RegisterIndex::index_writes() {
  std::size_t steps = 0;
  for (const Operation& operation : operations_.list) steps += operation.transaction->size();
  steps_.reserve(steps);
  step_offsets_.reserve(operations_.list.size() + 1);
  LastOfKey last_of_key;
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    const Operation& operation = operations_.list[v];
    step_offsets_.push_back(static_cast<std::uint32_t>(steps_.size()));
    last_of_key.begin(operation.transaction->size());
    for (const MicroOp& op : *operation.transaction) {
      if (op.kind == MicroOp::Kind::append || (op.kind == MicroOp::Kind::read_list && op.known)) {
        problem_ =
            "op " + std::to_string(operation.index) + " appends to or reads a list, which is no operation on registers";
        return;
      }
      const bool is_write = op.kind == MicroOp::Kind::write;
      const std::uint32_t number = intern(op.key, op.argument, !is_write && !op.known);
      steps_.push_back(number);
      if (!is_write) continue;
      Version& version = versions_[number];
      if (version.writer != no_vertex) {
        problem_ = "op " + std::to_string(operation.index) + " writes " + std::to_string(op.argument) +
                   " to a key that it was written to before; values must be unique per key";
        return;
      }
      version.writer = v;
      std::uint32_t& last = last_of_key[version.key];
      if (last != no_vertex) versions_[last].intermediate = true;
      last = number;
    }
  }
  step_offsets_.push_back(static_cast<std::uint32_t>(steps_.size()));
}

void RegisterIndex::index_external(const RegisterOptions& options) {
  struct External {
    std::uint32_t key = 0;
    std::uint32_t read = no_vertex, written = no_vertex;
  };
  const bool accesses_needed = options.sequential_keys || options.linearizable_keys;
  LastOfKey place_of_key;
  std::vector<External> externals;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reads;  // version, reader
  for (std::uint32_t v = 0; v < operations_.list.size(); ++v) {
    const Operation& operation = operations_.list[v];
    if (!operation.possible()) continue;
    place_of_key.begin(operation.transaction->size());
    externals.clear();
    for (const MicroOp& op : *operation.transaction) {
      const std::uint32_t version = version_in(v, op);
      std::uint32_t& place = place_of_key[versions_[version].key];
      const bool first = place == no_vertex;
      if (first) {
        place = static_cast<std::uint32_t>(externals.size());
        externals.push_back({.key = versions_[version].key});
      }
      if (op.kind == MicroOp::Kind::write) {
        externals[place].written = version;
      } else if (first && operation.ok()) {
        externals[place].read = version;
      }
    }
    for (const External& external : externals) {
      const bool read_value = external.read != no_vertex && !versions_[external.read].initial;
      const bool wrote = external.written != no_vertex;
      if (external.read != no_vertex) reads.emplace_back(external.read, v);
      if (read_value) versions_[external.read].real = true;
      if (accesses_needed && (external.read != no_vertex || wrote)) {
        // A nil that the transaction itself replaced tells less than what it was replaced by.
        accesses_.push_back({external.key, v, read_value || !wrote ? external.read : external.written,
                             wrote ? external.written : external.read});
      }
      if (!wrote) continue;
      versions_[external.written].real = true;
      versions_[external.written].external = operation.ok();
      if (read_value) read_then_written_.emplace_back(external.read, external.written);
    }
  }
  reader_offsets_.assign(versions_.size() + 1, 0);
  for (const auto& [version, reader] : reads) ++reader_offsets_[version + 1];
  for (std::size_t i = 0; i < versions_.size(); ++i) reader_offsets_[i + 1] += reader_offsets_[i];
  std::vector<std::uint32_t> next(reader_offsets_.begin(), reader_offsets_.end() - 1);
  readers_.resize(reads.size());
  for (const auto& [version, reader] : reads) readers_[next[version]++] = reader;
}

void RegisterIndex::infer_order(const RegisterOptions& options) {
  std::sort(accesses_.begin(), accesses_.end(), [](const Access& a, const Access& b) {
    return a.key != b.key ? a.key < b.key : a.operation < b.operation;
  });
  order_by_initial();
  if (options.wfr_keys) add_source(Source::reads_before_writes, read_then_written_);
  if (options.sequential_keys) add_source(Source::processes, order_by_processes());
  if (options.linearizable_keys) add_source(Source::real_time, order_by_real_time());
  std::sort(order_.begin(), order_.end());
  order_.erase(std::unique(order_.begin(), order_.end()), order_.end());
}

void RegisterIndex::order_by_initial() {
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    // Without anybody who read nil no edge would follow.
    const std::uint32_t initial = initial_of_key_[versions_[v].key];
    if (versions_[v].real && initial != no_vertex) order_.emplace_back(initial, v);
  }
}

RegisterIndex::Order RegisterIndex::order_by_processes() const {
  Order order;
  boost::unordered_flat_map<std::int64_t, std::uint32_t> left_by;  // by process, for the key at hand
  for (std::size_t i = 0; i < accesses_.size(); ++i) {
    const Access& access = accesses_[i];
    if (i == 0 || accesses_[i - 1].key != access.key) left_by.clear();
    const Operation& operation = operations_.list[access.operation];
    if (!operation.ok()) continue;
    const auto [left, first] = left_by.try_emplace(operation.process, access.last);
    if (first) continue;
    if (left->second != access.first) order.emplace_back(left->second, access.first);
    left->second = access.last;
  }
  return order;
}

RegisterIndex::Order RegisterIndex::order_by_real_time() const {
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
      const Operation& operation = operations_.list[accesses_[end].operation];
      access_of[accesses_[end].operation] = end;
      moments.push_back({operation.invoked, end, false});
      if (operation.completed >= 0) moments.push_back({operation.completed, end, true});
    }
    std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.position < b.position; });
    RealTimeFrontier frontier(operations_);
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

std::optional<std::int64_t> RegisterIndex::key_without_order() const {
  // The order of a key is total iff versions can be taken away one by one, each time the only one without a
  // predecessor. Initial versions precede all others and are left out.
  const auto counts = [&](std::uint32_t number) {
    const Version& version = versions_[number];
    if (version.initial || version.intermediate || version.writer == no_vertex) return false;
    const Operation& writer = operations_.list[version.writer];
    return writer.ok() || (writer.possible() && !readers_of(number).empty());
  };
  std::vector<std::uint32_t> before(versions_.size(), 0);
  for (const auto& [earlier, later] : order_) {
    if (counts(earlier) && counts(later)) ++before[later];
  }
  struct Progress {
    std::uint32_t first = no_vertex;  // of those without a predecessor
    bool several = false;
  };
  std::vector<Progress> of_key(keys_.size());
  for (std::uint32_t v = 0; v < versions_.size(); ++v) {
    if (!counts(v) || before[v] > 0) continue;
    Progress& progress = of_key[versions_[v].key];
    progress.several = progress.first != no_vertex;
    if (progress.first == no_vertex) progress.first = v;
  }
  std::optional<std::int64_t> lowest;
  for (std::uint32_t key = 0; key < keys_.size(); ++key) {
    Progress& progress = of_key[key];
    std::uint32_t at = progress.first;
    while (!progress.several && at != no_vertex) {
      std::uint32_t next = no_vertex;
      const auto begin = std::lower_bound(order_.begin(), order_.end(), std::pair(at, std::uint32_t{0}));
      for (auto step = begin; step != order_.end() && step->first == at; ++step) {
        if (!counts(step->second) || --before[step->second] > 0) continue;
        progress.several = progress.several || next != no_vertex;
        next = step->second;
      }
      at = next;
    }
    if (progress.several && (!lowest || keys_[key] < *lowest)) lowest = keys_[key];
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
