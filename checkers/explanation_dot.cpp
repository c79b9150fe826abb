#include <algorithm>
#include <string_view>

#include "checkers/explain.h"
#include "checkers/explanation_pictures.h"
#include "checkers/picture_text.h"

namespace polarsim::checkers {

namespace {

// A quoted string whose backslashes and quotes are plain characters; the lines of a label end in the escape \l.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : printable_utf8(text)) {
    if (c == '\n') {
      result += "\\l";
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string node_of(std::size_t anomaly, std::size_t place) {
  const std::string prefix = "a" + std::to_string(anomaly);
  return prefix + (place == Explanation::Edge::initial_state ? "_initial" : "_" + std::to_string(place));
}

std::string edge_text(std::size_t anomaly, const Explanation::Edge& edge) {
  std::string text = "    " + node_of(anomaly, edge.from);
  text += " -> " + node_of(anomaly, edge.to);
  text += " [label=" + quoted(edge_label(edge));
  text += ", tooltip=" + quoted(edge.why);
  return text + (edge.in_cycle ? "];\n" : ", style=dashed];\n");
}

std::string cluster(std::size_t number, const Anomaly& anomaly) {
  const Explanation& details = anomaly.details;
  const std::int64_t base_ns = first_invocation_ns(details);
  std::string text = "  subgraph cluster_" + std::to_string(number) + " {\n";
  text += "    label=" + quoted(anomaly.name) + ";\n";
  for (std::size_t place = 0; place < details.operations.size(); ++place) {
    const Explanation::Participant& one = details.operations[place];
    std::string label = "op " + std::to_string(one.index);
    label += ", process " + std::to_string(one.process);
    if (!one.node.empty()) label += " on " + one.node;
    label += "\n" + span_text(one, base_ns);
    for (const std::string& line : wrapped_transaction(one.transaction, 40)) label += "\n" + line;
    text += "    " + node_of(number, place) + " [label=" + quoted(label + "\n") + "];\n";
  }
  const auto initial = [](const Explanation::Edge& edge) {
    return edge.from == Explanation::Edge::initial_state || edge.to == Explanation::Edge::initial_state;
  };
  if (std::any_of(details.edges.begin(), details.edges.end(), initial)) {
    text += "    " + node_of(number, Explanation::Edge::initial_state) + " [label=\"initial state\", shape=ellipse];\n";
  }
  for (const Explanation::Edge& edge : details.edges) text += edge_text(number, edge);
  return text + "  }\n";
}

}  // namespace

std::string to_dot(std::span<const Anomaly> anomalies) {
  std::string text =
      "digraph anomalies {\n  node [shape=box, fontname=\"monospace\"];\n  edge [fontname=\"monospace\"];\n";
  for (std::size_t i = 0; i < anomalies.size(); ++i) {
    if (!anomalies[i].details.operations.empty()) text += cluster(i, anomalies[i]);
  }
  return text + "}\n";
}

}  // namespace polarsim::checkers
