#include "checkers/explanation_parts.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "checkers/levels.h"

namespace polarsim::checkers {

namespace {

constexpr std::size_t steps_at_most = 8;  // of a transaction
constexpr std::size_t key_bytes_at_most = 80;

std::string step_text(const Operations& operations, const Step& step) {
  std::string text = step.kind == MicroOp::Kind::append  ? "[:append "
                     : step.kind == MicroOp::Kind::write ? "[:w "
                                                         : "[:r ";
  text += short_key(operations, step.key);
  text += ' ';
  text += step_value(operations, step);
  return text + "]";
}

// Of a long transaction the steps on `keys`, and then the first ones.
std::string transaction_text(const Operations& operations, std::span<const Step> transaction,
                             const std::set<std::uint32_t>& keys) {
  std::vector<bool> shown(transaction.size(), transaction.size() <= steps_at_most);
  std::size_t left = steps_at_most;
  for (const bool on_keys : {true, false}) {
    for (std::size_t i = 0; i < transaction.size() && left > 0; ++i) {
      if (shown[i] || (on_keys && !keys.contains(transaction[i].key))) continue;
      shown[i] = true;
      --left;
    }
  }
  std::string text = "[";
  bool gap = false;
  for (std::size_t i = 0; i < transaction.size(); ++i) {
    if (!shown[i] && gap) continue;
    if (text.size() > 1) text += ' ';
    gap = !shown[i];
    text += gap ? std::string("...") : step_text(operations, transaction[i]);
  }
  return text + "]";
}

// What an event says of the node that was asked, as a person writes it.
std::string node_text(std::string_view edn) {
  const bool plain_string = edn.size() > 2 && edn.front() == '"' && edn.find('"', 1) == edn.size() - 1 &&
                            edn.find('\\') == std::string_view::npos;
  return std::string(plain_string ? edn.substr(1, edn.size() - 2) : edn);
}

// Thousandths of a unit, rounded, without zeros at the end.
std::string in_unit(std::uint64_t nanoseconds, std::uint64_t unit_ns, const char* name) {
  const std::uint64_t thousandths = (nanoseconds + unit_ns / 2000) / (unit_ns / 1000);
  std::string text = std::to_string(thousandths / 1000);
  std::string fraction = std::to_string(thousandths % 1000 + 1000).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) text += "." + fraction;
  return text + " " + name;
}

}  // namespace

std::string duration_text(std::int64_t nanoseconds) {
  const auto size =
      nanoseconds < 0 ? ~static_cast<std::uint64_t>(nanoseconds) + 1 : static_cast<std::uint64_t>(nanoseconds);
  const std::string sign = nanoseconds < 0 ? "-" : "";
  if (size == 0) return "0 ms";
  if (size < 1'000) return sign + std::to_string(size) + " ns";
  if (size < 1'000'000) return sign + in_unit(size, 1'000, "us");
  if (size < 1'000'000'000) return sign + in_unit(size, 1'000'000, "ms");
  return sign + in_unit(size, 1'000'000'000, "s");
}

namespace {

constexpr std::size_t whole_list_at_most = 10;

// The elements at places [begin, middle) and [resume, size), with the symbol `...` for what is left out.
std::string list_parts(std::span<const std::int64_t> list, std::size_t begin, std::size_t middle, std::size_t resume) {
  std::string text = begin > 0 ? "[..." : "[";
  const auto add = [&](std::string_view word) { (text += text.size() > 1 ? " " : "") += word; };
  for (std::size_t i = begin; i < middle; ++i) add(std::to_string(list[i]));
  if (middle < resume) add("...");
  for (std::size_t i = resume; i < list.size(); ++i) add(std::to_string(list[i]));
  return text + "]";
}

}  // namespace

std::string short_list_text(const Operations& operations, const Step& read) {
  if (!read.known) return "nil";
  const std::span<const std::int64_t> list = operations.list_of(read);
  return list.size() <= whole_list_at_most ? list_parts(list, 0, list.size(), list.size())
                                           : list_parts(list, 0, 2, list.size() - 6);
}

std::string list_around(const Operations& operations, const Step& read, std::int64_t element) {
  const std::span<const std::int64_t> list = operations.list_of(read);
  if (list.size() <= whole_list_at_most) return short_list_text(operations, read);
  const auto found = std::find(list.begin(), list.end(), element);
  const auto at = static_cast<std::size_t>(found - list.begin());
  return list_parts(list, at > 4 ? at - 4 : 0, std::min(at + 3, list.size()), list.size());
}

std::string short_key(const Operations& operations, std::uint32_t key) {
  std::string text = operations.key_text(key);
  if (text.size() <= key_bytes_at_most) return text;
  std::size_t cut = key_bytes_at_most;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;  // not within a character
  return text.substr(0, cut) + "...";
}

std::string step_value(const Operations& operations, const Step& step) {
  if (step.kind == MicroOp::Kind::read_list) return short_list_text(operations, step);
  return step.kind == MicroOp::Kind::read && !step.known ? std::string("nil") : std::to_string(step.argument);
}

std::vector<std::string> relation_names(Relations relations) {
  static constexpr std::array<std::pair<Relations, const char*>, 6> all = {
      {{ww, "ww"}, {wr, "wr"}, {rw, "rw"}, {process, "process"}, {realtime, "realtime"}, {observed, "observed"}}};
  std::vector<std::string> names;
  for (const auto& [relation, name] : all) {
    if ((relations & relation) != 0) names.emplace_back(name);
  }
  return names;
}

std::string joined_with_and(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

std::size_t Cast::add(std::uint32_t operation) {
  const auto [place, added] = places_.try_emplace(operation, members_.size());
  if (added) members_.push_back(operation);
  return place->second;
}

std::vector<Explanation::Participant> Cast::participants() const {
  std::vector<Explanation::Participant> list;
  for (const std::uint32_t v : members_) {
    const Operation& operation = operations_.list[v];
    Explanation::Participant participant;
    participant.index = operation.index;
    participant.invoke_index = operation.invoke_index;
    participant.process = operation.process;
    participant.outcome = operation.outcome;
    participant.completed = operation.completed >= 0;
    participant.invoked_ns = operation.invoked_ns;
    participant.completed_ns = participant.completed ? operation.completed_ns : 0;
    participant.node = node_text(operations_.node_name(operation.node));
    const auto keys = keys_.find(v);
    participant.transaction = transaction_text(operations_, operations_.steps_of(v),
                                               keys == keys_.end() ? std::set<std::uint32_t>{} : keys->second);
    list.push_back(std::move(participant));
  }
  return list;
}

Names::Names(const std::vector<Explanation::Participant>& participants) : participants_(participants) {
  for (const Explanation::Participant& one : participants) {
    if (introduced_.empty() || one.invoked_ns < base_ns_) base_ns_ = one.invoked_ns;
    introduced_.push_back(false);
  }
}

std::string Names::plain(std::size_t place) const { return "op " + std::to_string(participants_[place].index); }

std::string Names::introduced(std::size_t place) {
  const Explanation::Participant& one = participants_[place];
  std::string text = plain(place);
  if (introduced_[place]) return text;
  introduced_[place] = true;
  if (!one.node.empty()) text += " on " + one.node;
  text += " (";
  if (!one.completed) {
    text += "from " + duration_text(one.invoked_ns - base_ns_);
    return text + " on, never answered)";
  }
  text += duration_text(one.invoked_ns - base_ns_);
  text += " to " + duration_text(one.completed_ns - base_ns_);
  if (one.outcome == EventType::info) text += ", outcome unknown";
  if (one.outcome == EventType::fail) text += ", failed";
  return text + ")";
}

Sentence& Sentence::operator<<(std::string_view words) {
  parts_.push_back({std::string(words), 0, false});
  return *this;
}

Sentence& Sentence::op(std::size_t place) {
  parts_.push_back({{}, place, true});
  return *this;
}

std::string Sentence::plain(const Names& names) const {
  std::string text;
  for (const Part& part : parts_) text += part.is_operation ? names.plain(part.place) : part.words;
  return text;
}

std::string Sentence::introduced(Names& names) const {
  std::string text;
  for (const Part& part : parts_) text += part.is_operation ? names.introduced(part.place) : part.words;
  return text;
}

void Story::add_edge(Explanation::Edge edge, Sentence why) {
  edges_.push_back(std::move(edge));
  reasons_.push_back(std::move(why));
}

Explained Story::finish(std::string_view anomaly) && {
  Explained result;
  Explanation& details = result.details;
  details.operations = cast.participants();
  Names names(details.operations);
  for (std::size_t i = 0; i < edges_.size(); ++i) edges_[i].why = reasons_[i].plain(names) + ".";
  for (const Sentence& line : lines_) {
    if (!result.text.empty()) result.text += '\n';
    result.text += line.introduced(names) + ".";
  }
  details.edges = std::move(edges_);
  details.rules_out = levels_ruled_out_by(anomaly);
  result.involved = cast.members();
  return result;
}

Explanation explain_plainly(const Operations& operations, std::string_view anomaly, const std::string& text,
                            const std::vector<std::uint32_t>& involved) {
  constexpr std::size_t shown_at_most = 100;
  Cast cast(operations);
  for (const std::uint32_t v : involved) {
    if (cast.members().size() < shown_at_most) cast.add(v);
  }
  Explanation details;
  details.operations = cast.participants();
  details.omitted = involved.size() > shown_at_most ? involved.size() - shown_at_most : 0;
  details.rules_out = levels_ruled_out_by(anomaly);
  if (details.operations.size() < 2) return details;
  // The second of a dirty read wrote what the first read; a dirty update was built on the first.
  Explanation::Edge edge;
  if (anomaly == "G1a" || anomaly == "G1b") {
    edge.from = 1;
    edge.relations = {"wr"};
  } else if (anomaly == "dirty-update") {
    edge.to = 1;
    edge.relations = {"ww"};
  } else {
    return details;
  }
  edge.in_cycle = false;
  edge.why = text;
  details.edges.push_back(std::move(edge));
  return details;
}

void conclude(Sentence& line, const Explanation::Edge& edge) {
  line << ", so ";
  line.op(edge.from) << " comes before ";
  line.op(edge.to) << " (" << edge.relations.front() << ")";
}

}  // namespace polarsim::checkers
