// Anomalies as pictures: DOT for Graphviz, and SVG drawn here.
//
// The SVG is read as Jepsen's timelines are: time runs downwards, each column is a node (or a process, where the
// history names no nodes; several columns where its operations overlap), an operation is a box from its invocation to
// its completion, and a dependency is an arrow from what comes first to what comes after. Rows stand for the moments at
// which something was asked or answered, not for equal spans of time; what they are is written at the left, counted
// from the first invocation. Both texts depend on nothing but their input. Whatever a foreign history holds, the DOT
// can be parsed and the SVG is well-formed XML in UTF-8.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "checkers/verdict.h"

namespace polarsim::checkers {

// More operations than these are not drawn; the picture then says so.
inline constexpr std::size_t operations_drawn_at_most = 30;

// One digraph with a cluster for each anomaly that has operations.
std::string to_dot(std::span<const Anomaly> anomalies);

// A document of its own with a drawing of each anomaly that has operations, one below the other.
std::string to_svg(std::span<const Anomaly> anomalies);

// The drawing of one anomaly as an element to put into a page; empty if it has no operations.
std::string to_inline_svg(const Anomaly& anomaly);

}  // namespace polarsim::checkers
