#include "engine/cluster/wait_graph.h"

#include <algorithm>

namespace polarsim::engine::cluster {

void WaitGraph::add_worker(const Process& session, std::int64_t start_us, const Process& worker) {
  sessions_[session].start_us = start_us;
  session_of_[worker] = session;
}

void WaitGraph::add_wait(const Process& waiter, const Process& blocker, std::int64_t since_us) {
  waits_.insert({waiter, blocker, since_us});
}

void WaitGraph::keep_common(const WaitGraph& earlier) {
  std::erase_if(waits_, [&](const Wait& wait) { return !earlier.waits_.contains(wait); });
}

const Process& WaitGraph::vertex(const Process& process) const {
  const auto found = session_of_.find(process);
  return found == session_of_.end() ? process : found->second;
}

// Whether `start` can be reached from the end of `path`; then `path` is the cycle.
bool WaitGraph::find_cycle(const Edges& edges, const Process& start, std::vector<Process>& path,
                           std::set<Process>& visited) {
  const auto found = edges.find(path.back());
  if (found == edges.end()) return false;
  for (const Process& next : found->second) {
    if (next == start) return true;
    if (!visited.insert(next).second) continue;
    path.push_back(next);
    if (find_cycle(edges, start, path, visited)) return true;
    path.pop_back();
  }
  return false;
}

std::vector<Process> WaitGraph::victims(int group_id) const {
  Edges edges;
  for (const Wait& wait : waits_) edges[vertex(wait.waiter)].insert(vertex(wait.blocker));
  std::vector<Process> result;
  for (const auto& [session, properties] : sessions_) {
    if (session.group_id != group_id) continue;
    for (;;) {
      std::vector<Process> path{session};
      std::set<Process> visited;
      if (!find_cycle(edges, session, path, visited)) break;
      std::erase_if(path,
                    [&](const Process& member) { return member.group_id != group_id || !sessions_.contains(member); });
      const auto younger = [&](const Process& a, const Process& b) {
        return std::pair(sessions_.at(a).start_us, a.process_id) < std::pair(sessions_.at(b).start_us, b.process_id);
      };
      const Process victim = *std::max_element(path.begin(), path.end(), younger);
      result.push_back(victim);
      edges.erase(victim);
    }
  }
  return result;
}

}  // namespace polarsim::engine::cluster
