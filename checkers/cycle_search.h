// Cycles in a dependency graph, named as Elle names them.
//
// G0: ww only. G1c: ww and wr. G-single-item: exactly one rw. G-nonadjacent-item: several rw, no two in a row. G2-item:
// two rw in a row. With "-process" or "-realtime" if an edge of that kind is needed. An edge counts by its label
// (dependency_graph.h).
//
// What is promised: for every consistency model it is decided exactly, in linear time, whether the component holds a
// cycle that the model forbids ("<model>-cycle-exists"). Per top-level component and kind at most one cycle is shown;
// kinds that one already shown implies are left out. The first one shown of a component is a shortest cycle of the
// worst kind that it has, proved to be unless a fixed budget of steps ended before; `shortest` tells. Among shortest
// ones it is the one that begins with the lowest edge that makes the kind (the rw, or the wr, or the ww), and then goes
// on by the lowest vertices: the same on every run. If the budget ends before a G-single-item or G-nonadjacent-item is
// found, only the "-cycle-exists" remains. The proof is sought for the first few cycles of a kind, as many as a verdict
// shows. Nothing depends on time or on the machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/consistency_models.h"
#include "checkers/dependency_graph.h"

namespace polarsim::checkers {

struct Cycle {
  std::string type;
  std::vector<std::uint32_t> vertices;  // each depends on the one before, the first on the last; lowest vertex first
  // Proved that its component has no shorter cycle of the kind, and that no worse kind was overlooked.
  bool shortest = false;
};

struct CycleReport {
  std::vector<Cycle> cycles;  // by component, then by severity
  NameSet existing;           // "PL-2-cycle-exists", ...: weakest models only, per component
};

CycleReport find_cycles(const DependencyGraph& graph);

// The models, by their friendly names, that some cycle of the graph rules out directly. The graph must have every kind
// of edge that the models are to be judged by.
NameSet models_with_cycles(const DependencyGraph& graph);

// The kind of a cycle by the labels of its edges.
std::string classify_cycle(const DependencyGraph& graph, const std::vector<std::uint32_t>& vertices);

// The model that a "-cycle-exists" anomaly is about, by its friendly name.
std::string model_of_cycle_exists(std::string_view anomaly);

}  // namespace polarsim::checkers
